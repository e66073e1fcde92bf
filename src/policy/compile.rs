//! From files to a policy: everything is read, every name is resolved, and all that is wrong is told at once.
//!
//! Called by `decide::load`. Promises: the order of files and of tables in them changes nothing; a policy that compiles
//! holds no name without meaning. Fails by diagnostics, with place and hint.

use super::accepted::Acceptances;
use super::class::{self, Class};
use super::diagnostic::{Complaints, Diagnostic, Mistake, Place, Severity};
use super::exception::{self, Exception};
use super::group::Groups;
use super::judge::Policy;
use super::rule::{self, Rule};
use super::test_case::{self, PolicyTest};
use super::typed::{Keys, Table, is_name, place, wrong_type};
use super::{Compiled, Due, Known, Recognise, Sample, SourceFile, lint, own, syntax};
use crate::vocabulary::Rung;
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Tables of the top level whose entries have names.
const NAMED: [&str; 7] = ["group", "pattern", "lexicon", "class", "rule", "exception", "test"];
/// Tables of the top level that stand once.
const SINGLE: [&str; 4] = ["ladder", "recognise", "tests", "policy"];

/// One named table: `[rule.NAME]`.
pub(super) struct Entry<'a> {
    pub name: &'a str,
    pub table: Table<'a>,
}

/// What may be named from elsewhere.
pub(super) struct Names<'a> {
    pub groups: BTreeMap<&'a str, usize>,
    pub patterns: BTreeSet<&'a str>,
    pub lexicons: BTreeSet<&'a str>,
    pub classes: BTreeSet<&'a str>,
    pub rules: BTreeSet<&'a str>,
    /// None while no file has a [ladder].
    pub ladder: Option<Vec<Rung>>,
    pub known: &'a Known,
    /// The day that the tests live on.
    pub day: Option<Date>,
}

/// All tables of all files, by kind and name.
#[derive(Default)]
struct Written<'a> {
    named: BTreeMap<&'static str, BTreeMap<&'a str, Entry<'a>>>,
    single: BTreeMap<&'static str, Table<'a>>,
}

/// What the tables say together.
struct Made {
    policy: Policy,
    tests: Vec<PolicyTest>,
    samples: Vec<Sample>,
    day: Option<Date>,
}

/// Compiles the files of one policy.
///
/// # Errors
/// All that is wrong, in the order of files and lines; warnings among it.
pub fn compile(files: &[SourceFile], known: &Known) -> Result<Compiled, Vec<Diagnostic>> {
    let mut c = Complaints::about(files);
    let texts = files.iter().enumerate().filter(|(_, file)| file.is_toml());
    let parsed: Vec<(usize, Spanned<DeTable<'_>>)> = texts.map(|(n, f)| (n, parse(&mut c, n, f))).collect();
    let mut written = Written::default();
    for (number, table) in &parsed {
        written.collect(&mut c, *number, table.get_ref());
    }
    let Made { policy, tests, samples, day } = written.compile(&mut c, known, files);
    // Whatever is wrong elsewhere may be why nothing protects.
    written.check_policy(&mut c, &policy);
    lint::warn(&mut c, &policy, known);
    let mut due = due(files, &policy);
    let mut found = without_echoes(c.finish());
    let mut acceptances = Acceptances::of(files);
    due.retain(|due| !acceptances.accept(&due.diagnostic));
    found.retain(|warning| !acceptances.accept(warning));
    found.extend(complaints_about(files, &acceptances));
    if found.iter().any(|d| d.severity == Severity::Error) {
        return Err(found);
    }
    Ok(Compiled { policy, warnings: found, tests, samples, day, due })
}

fn parse<'a>(c: &mut Complaints<'_>, number: usize, file: &'a SourceFile) -> Spanned<DeTable<'a>> {
    let (table, mut errors) = DeTable::parse_recoverable(&file.text);
    errors.sort_by_key(|error| error.span().map_or(0, |span| span.start));
    // One slip makes the parser stumble on the lines behind it: those are not told.
    let mut stumbling = None;
    for error in errors {
        let at = place(number, error.span().unwrap_or(0..0));
        let line = file.text.as_bytes()[..at.start.min(file.text.len())].iter().filter(|b| **b == b'\n').count();
        if stumbling.is_none_or(|last| line > last + 1) {
            c.error(at, syntax::mistake(&file.text, at.start..at.end, error.message()));
        }
        stumbling = Some(line);
    }
    table
}

impl<'a> Written<'a> {
    fn collect(&mut self, c: &mut Complaints<'_>, file: usize, table: &'a DeTable<'a>) {
        for (name, value) in table.iter() {
            let (key, at): (&str, Place) = (name.get_ref(), place(file, name.span()));
            let named = NAMED.iter().find(|n| **n == key);
            let single = SINGLE.iter().find(|n| **n == key);
            match (value.get_ref(), named, single) {
                (DeValue::Table(inner), Some(kind), _) => self.collect_named(c, kind, Table { file, place: at, inner }),
                (DeValue::Table(inner), _, Some(kind)) => {
                    self.collect_single(c, kind, Table { file, place: at, inner })
                }
                (other, Some(_), _) | (other, _, Some(_)) => c.error(at, wrong_type(key, "a table", other)),
                _ => c.error(at, unknown_table(key)),
            }
        }
    }

    fn collect_single(&mut self, c: &mut Complaints<'_>, kind: &'static str, table: Table<'a>) {
        if let Some(first) = self.single.get(kind) {
            c.error(table.place, twice(&format!("[{kind}]"), &c.line_of(first.place)));
            return;
        }
        self.single.insert(kind, table);
    }

    fn collect_named(&mut self, c: &mut Complaints<'_>, kind: &'static str, table: Table<'a>) {
        for (name, value) in table.inner.iter() {
            let (text, at): (&str, Place) = (name.get_ref(), place(table.file, name.span()));
            let DeValue::Table(inner) = value.get_ref() else {
                c.error(at, wrong_type(text, &format!("a table, [{kind}.NAME]"), value.get_ref()));
                continue;
            };
            if !is_name(text) {
                let mistake = Mistake::new("wrong-name", format!("`{text}` is not a name for a {kind}"));
                c.error(at, mistake.hint("names are lower-case letters, digits and hyphens"));
            }
            let all = self.named.entry(kind).or_default();
            if let Some(first) = all.get(text) {
                c.error(at, twice(&format!("{kind} `{text}`"), &c.line_of(first.table.place)));
                continue;
            }
            all.insert(text, Entry { name: text, table: Table { file: table.file, place: at, inner } });
        }
    }

    fn names(&self, kind: &str) -> impl Iterator<Item = &'a str> + '_ {
        self.named.get(kind).into_iter().flat_map(|all| all.keys().copied())
    }

    fn entries(&self, kind: &str) -> impl Iterator<Item = &Entry<'a>> {
        self.named.get(kind).into_iter().flat_map(|all| all.values())
    }

    fn compile(&self, c: &mut Complaints<'_>, known: &Known, files: &[SourceFile]) -> Made {
        let mut names = Names {
            groups: self.names("group").enumerate().map(|(number, name)| (name, number)).collect(),
            patterns: self.names("pattern").collect(),
            lexicons: self.names("lexicon").collect(),
            classes: self.names("class").collect(),
            rules: self.names("rule").collect(),
            ladder: None,
            known,
            day: self.day(c),
        };
        names.ladder = self.single.get("ladder").map(|table| rule::ladder(c, *table, &names));
        let groups: Vec<Entry<'_>> = self.entries("group").map(|e| Entry { name: e.name, table: e.table }).collect();
        let groups = Groups::compile(c, &groups, &names.groups);
        let classes: Vec<Class> = self.entries("class").map(|e| class::compile(c, e, &names)).collect();
        let rules: Vec<Rule> = self.entries("rule").filter_map(|e| rule::compile(c, e, &names)).collect();
        let tests = self.entries("test").filter_map(|e| test_case::compile(c, e, &names)).collect();
        let ladder = names.ladder.take().unwrap_or_else(|| default_ladder(&rules));
        let exceptions: Vec<Exception> =
            self.entries("exception").filter_map(|e| exception::compile(c, e, &names)).collect();
        exception::check(c, &exceptions, &rules, &groups);
        let mut policy = Policy::new(groups, classes, rules, exceptions, ladder);
        policy.hash = hash(files);
        let mut samples = Vec::new();
        policy.patterns = self.entries("pattern").filter_map(|e| own::pattern(c, e, &mut samples)).collect();
        policy.lexicons = self.entries("lexicon").filter_map(|e| own::lexicon(c, e)).collect();
        policy.recognise = self.recognise(c);
        if let Some(table) = self.single.get("policy") {
            table.check_keys(c, "`policy`", Keys { known: &["empty", "guard", "reload-on-change"], later: &[] });
            policy.guard = table.boolean(c, "guard").is_none_or(|guard| guard.value);
            policy.reload_on_change = table.boolean(c, "reload-on-change").is_some_and(|reload| reload.value);
        }
        policy.set_surroundings(known);
        Made { policy, tests, samples, day: names.day }
    }

    /// `[tests] at`
    fn day(&self, c: &mut Complaints<'_>) -> Option<Date> {
        let table = self.single.get("tests")?;
        table.check_keys(c, "`tests`", Keys { known: &["at"], later: &[] });
        table.date(c, "at").map(|s| s.value)
    }

    fn recognise(&self, c: &mut Complaints<'_>) -> Option<Recognise> {
        let table = self.single.get("recognise")?;
        table.check_keys(c, "`recognise`", Keys { known: &["nhs-number"], later: &["chi-number", "hc-number"] });
        let table = table.below(c, "nhs-number")?;
        table.check_keys(c, "`recognise.nhs-number`", Keys { known: &["labels", "against", "window"], later: &[] });
        let texts = |c: &mut Complaints<'_>, key: &str| -> Vec<String> {
            if !table.has(key) {
                let mistake = Mistake::new("missing-key", format!("`recognise.nhs-number` has no `{key}`"));
                c.error(table.place, mistake.hint("labels and against replace the built-in lists, so both are needed"));
            }
            let parse = |text: &str| match text.trim() {
                "" => Err(Mistake::new("wrong-value", "an empty text would be found everywhere")),
                _ => Ok(text.to_owned()),
            };
            table.many(c, key, parse).into_iter().flatten().map(|s| s.value).collect()
        };
        let (labels, against) = (texts(c, "labels"), texts(c, "against"));
        let window = table.count(c, "window");
        if let Some(wrong) = window.as_ref().filter(|w| !(1..=1_000).contains(&w.value)) {
            c.error(wrong.place, Mistake::new("wrong-value", "`window` must be between 1 and 1000 characters"));
        }
        Some(Recognise { labels, against, window: window.map_or(80, |w| w.value) })
    }

    /// A policy that protects nothing is a mistake unless it says that it means it.
    fn check_policy(&self, c: &mut Complaints<'_>, policy: &Policy) {
        let table = self.single.get("policy");
        let empty = table.and_then(|table| table.boolean(c, "empty"));
        let meant = empty.is_some_and(|empty| empty.value);
        if !meant && !c.failed() && !policy.protects_content() {
            let mistake = Mistake::new("no-content-rule", "no rule in force looks at what a message contains");
            let hint =
                "add a rule with `content` and `require` or `refuse`, or say that you mean it: [policy] empty = true";
            c.error_overall(mistake.hint(hint));
        }
    }
}

fn complaints_about(files: &[SourceFile], acceptances: &Acceptances<'_>) -> Vec<Diagnostic> {
    let mut c = Complaints::about(files);
    acceptances.complain(&mut c);
    c.finish()
}

/// Where a file could not be parsed, what its remains seem to say is no news.
fn without_echoes(mut found: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let broken: BTreeSet<String> =
        found.iter().filter(|d| d.code == syntax::SYNTAX).filter_map(|d| d.file.clone()).collect();
    found.retain(|d| d.code == syntax::SYNTAX || d.file.as_ref().is_none_or(|file| !broken.contains(file)));
    found
}

/// Warnings that begin on a day: a review that is due, a monitored rule past its end.
fn due(files: &[SourceFile], policy: &Policy) -> Vec<Due> {
    lint::dated(policy)
        .into_iter()
        .filter_map(|dated| {
            let mut c = Complaints::about(files);
            c.warn(dated.place, dated.mistake);
            c.finish().pop().map(|diagnostic| Due { after: dated.after, diagnostic })
        })
        .collect()
}

fn unknown_table(key: &str) -> Mistake {
    let known = NAMED.into_iter().chain(SINGLE);
    Mistake::unknown("unknown-key", format!("a policy has no table `{key}`"), key, known)
}

fn twice(what: &str, first: &str) -> Mistake {
    Mistake::new("defined-twice", format!("{what} is already defined in {first}"))
        .hint("every name is defined once in all files; give it another, or take one away")
}

/// Without a [ladder]: relays by name, then what seals the message, then the portal.
fn default_ladder(rules: &[Rule]) -> Vec<Rung> {
    let used: BTreeSet<&Rung> = rules.iter().flat_map(|r| r.asks.upgrade.iter().flatten()).collect();
    used.into_iter().cloned().collect()
}

/// The same for the same texts in any order.
fn hash(files: &[SourceFile]) -> String {
    let mut sorted: Vec<&SourceFile> = files.iter().collect();
    sorted.sort_by(|a, b| a.name.cmp(&b.name));
    let mut context = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    for part in sorted.iter().flat_map(|file| [&file.name, &file.text]) {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part.as_bytes());
    }
    context.finish().as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

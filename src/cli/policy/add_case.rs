//! `mailward policy add-case`: a message that was judged wrongly becomes a test of the policy, without what it said.
//!
//! Promises: the case is judged as the message was, or nothing is written unless somebody says so; the file grows by the test and is
//! written whole or not at all; no test is overwritten. Fails by exit code 1 and a sentence; 2 where something that was named is not there.

mod text;

use super::super::known::{Source, Surroundings};
use super::super::queue::agreed;
use super::super::{Failure, inspect, list};
use crate::clock::start_of;
use crate::decide::{self, Judge, Original, Scrubbed};
use crate::mail::{Domain, Header, Mailbox, ReversePath};
use crate::policy::{self, Compiled, Expect, Known, PolicyTest, SourceFile, TestContent, peer_level};
use crate::vocabulary::{Fate, Level, Rung};
use jiff::civil::Date;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What is said of a test that fails.
const UNTIL: &str = "it fails until the policy is mended: `mailward check` says so. A policy with a failing test is never put into \
                     force: a running gateway keeps the policy that it has, and a start takes the last good one";

/// What is said of a test that nothing could ever make hold.
const NOTHING: &str =
    "nothing is recognised in it that a test could hold: write the sentence that should be found yourself";

#[derive(Debug, clap::Args)]
pub(super) struct AddCase {
    #[command(flatten)]
    source: Source,
    /// The message, saved whole (RFC 5322), or `-` for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// What should come out: a fate or rung, a level, classes; `no-class` for none
    #[arg(long, value_name = "FATE_OR_CLASS", required = true, num_args = 1..)]
    expect: Vec<String>,
    /// The test's name [default: case-1-FATE, and so on]
    #[arg(long)]
    name: Option<String>,
    /// The file of the policy that it is put into; made if it is not there
    #[arg(long, value_name = "FILE", default_value = "90-cases.toml")]
    to: PathBuf,
    /// The reverse-path [default: the message's From]
    #[arg(long, value_name = "ADDRESS")]
    from: Option<ReversePath>,
    /// A recipient; give it again for more [default: the message's To and Cc]
    #[arg(long, value_name = "ADDRESS")]
    recipient: Vec<Mailbox>,
    /// What the other side can reach: none, encrypted or verified
    #[arg(long, value_parser = peer_level, default_value = "none")]
    peer: Level,
    /// Write it although something could not be taken out or put in
    #[arg(long)]
    anyway: bool,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// The policy as it is, and where the test goes.
struct Before {
    files: Vec<SourceFile>,
    names: BTreeSet<String>,
    known: Known,
    judge: Judge,
    day: Option<Date>,
}

/// The test, ready to be written.
struct Made {
    name: String,
    scrubbed: Scrubbed,
    /// What the file grows by.
    text: String,
    /// Why the present policy fails it; None: it holds already.
    fails: Option<String>,
}

/// What became of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Done {
    Written,
    Nothing,
}

impl AddCase {
    pub fn answer(&self) -> Result<ExitCode, Failure> {
        let surroundings = self.source.surroundings()?;
        let before = Before::read(&surroundings)?;
        let message = text::with_crlf(&inspect::read(&self.file)?);
        let file = self.target(&surroundings.policies)?;
        let made = self.make(&before, &surroundings, &message, &file)?;
        let is_fit = made.scrubbed.wrong.is_empty() || self.anyway;
        if !self.json {
            show(&made, &file);
        }
        if !self.json && is_fit {
            say!("{}", standing(&made));
        }
        if !is_fit {
            self.tell(&made, &file, Done::Nothing);
            let why = "the case is not what the message was, or tells too much of it: nothing is written";
            return Err(Failure::wrong(format!("{why}\nhint: --anyway writes it as it is shown")));
        }
        let is_wanted = self.yes || agreed(&format!("append to {}? [y/N] ", file.display()));
        if is_wanted {
            append(&before.files, &file, &made.text)?;
        }
        self.tell(&made, &file, if is_wanted { Done::Written } else { Done::Nothing });
        Ok(ExitCode::from(u8::from(!is_wanted)))
    }

    fn make(&self, before: &Before, around: &Surroundings, message: &[u8], file: &Path) -> Result<Made, Failure> {
        let test = self.test(before, around, message)?;
        let today = jiff::Zoned::now().date();
        let at = start_of(before.day.unwrap_or(today));
        let named = before.named(around, &test);
        let original = Original { message, test: test.clone(), day: before.day, at, named };
        let mut scrubbed = decide::scrubbed(&before.judge, &original);
        let text = text::of(&test, &scrubbed.case);
        let after = with(&before.files, &name_of(file), &text);
        policy::compile(&after, &before.known).map_err(|wrong| Failure::diagnosed(&wrong))?;
        let failed = decide::load_files(after, &before.known, today).err();
        let failed = failed.into_iter().flat_map(|wrong| wrong.failed).find(|failed| failed.name == test.name);
        let fails = failed.map(|failed| format!("expected {}, got {}", failed.expected, failed.got));
        // That nobody is stopped may come about by a rule about addresses: for everything else the text would have to say why.
        let is_empty = scrubbed.case.subject.is_empty() && scrubbed.case.body.is_empty();
        if is_empty && fails.is_some() && test.expect.fate.as_deref() != Some(Fate::Send.name()) {
            scrubbed.wrong.push(NOTHING.to_owned());
        }
        Ok(Made { name: test.name, scrubbed, text, fails })
    }

    fn test(&self, before: &Before, around: &Surroundings, message: &[u8]) -> Result<PolicyTest, Failure> {
        let header = Header::of(message);
        let hint = "name it with --from and --recipient";
        let from = self.from.clone().or_else(|| text::addresses(&header, &["From"]).pop().map(ReversePath::Mailbox));
        let from = from.ok_or_else(|| Failure::usage("the message has no From that can be read", hint))?;
        let to =
            if self.recipient.is_empty() { text::addresses(&header, &["To", "Cc"]) } else { self.recipient.clone() };
        let first = to.first().ok_or_else(|| Failure::usage("the message has no To that can be read", hint))?;
        let domain = from.mailbox().map(Mailbox::domain);
        let expect = self.expected(before)?;
        let site = domain.and_then(|domain| around.site_of(domain)).or_else(|| around.site_of(first.domain()));
        Ok(PolicyTest {
            name: self.named(&expect, &before.names)?,
            at: String::new(),
            direction: around.direction(domain, first.domain()),
            site: site.map(str::to_owned),
            from,
            to,
            content: TestContent::Text { subject: String::new(), body: String::new(), day: before.day },
            peer: self.peer,
            can: Vec::new(),
            // It was said beside the message, and is not in it.
            requiretls: false,
            expect,
        })
    }

    /// What was asked for: a word is a class of the policy, a level or a fate.
    fn expected(&self, before: &Before) -> Result<Expect, Failure> {
        let mut expect = Expect::default();
        for word in &self.expect {
            if word == "no-class" {
                expect.classes.get_or_insert_default();
            } else if before.judge.policy.class_names().any(|class| class == word) {
                expect.classes.get_or_insert_default().push(word.clone());
            } else if let Ok(level) = word.parse::<Level>() {
                expect.require = Some(level);
            } else if word.parse::<Fate>().is_ok() || word.parse::<Rung>().is_ok() {
                expect.fate = Some(word.clone());
            } else {
                let classes: Vec<&str> = before.judge.policy.class_names().collect();
                let (fates, classes) = (Fate::NAMES.join(", "), classes.join(", "));
                let hint = format!("write {fates}, a level, or a class of this policy: {classes}, no-class");
                return Err(Failure::usage(format!("`{word}` is no fate and no class"), &hint));
            }
        }
        Ok(expect)
    }

    fn named(&self, expect: &Expect, names: &BTreeSet<String>) -> Result<String, Failure> {
        let Some(name) = &self.name else {
            let what = expect.fate.as_deref().unwrap_or("class").replace(':', "-");
            let free = (1..).map(|number| format!("case-{number}-{what}")).find(|name| !names.contains(name));
            return Ok(free.unwrap_or_default());
        };
        if names.contains(name) {
            let hint = "give it another with --name; a test is never overwritten";
            return Err(Failure::usage(format!("the policy has a test `{name}` already"), hint));
        }
        let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if name.is_empty() || !name.chars().all(is_name) {
            return Err(Failure::usage(format!("`{name}` is no name"), "use a-z, 0-9 and -"));
        }
        Ok(name.clone())
    }

    /// A file right in the policy's folder: no other belongs to it.
    fn target(&self, folder: &Path) -> Result<PathBuf, Failure> {
        let name = name_of(&self.to);
        let parent = self.to.parent().filter(|parent| !parent.as_os_str().is_empty());
        let is_here = parent.is_none_or(|parent| parent == folder);
        if is_here && name.ends_with(".toml") && !name.starts_with('.') {
            return Ok(folder.join(name));
        }
        let hint = format!("name a *.toml right in `{}`, such as 90-cases.toml", folder.display());
        Err(Failure::usage(format!("`{}` is no file of the policy", self.to.display()), &hint))
    }

    fn tell(&self, made: &Made, file: &Path, done: Done) {
        if self.json {
            let told = json!({
                "name": made.name, "file": file, "text": made.text, "words": made.scrubbed.words,
                "wrong": made.scrubbed.wrong, "fails": made.fails, "written": done == Done::Written,
            });
            say!("{told}");
        } else if done == Done::Written {
            say!("written: {}", file.display());
            if made.fails.is_some() {
                say!("next: {UNTIL}");
            }
        } else {
            say!("nothing is written");
        }
    }
}

fn show(made: &Made, file: &Path) {
    say!("{} grows by:\n\n{}\n", file.display(), made.text.trim());
    match made.scrubbed.words.as_slice() {
        [] => say!("no word of the message is left"),
        words => say!("words of the message that are left: {}", words.join(", ")),
    }
    made.scrubbed.wrong.iter().for_each(|why| say!("not as it was: {why}"));
}

/// How the present policy stands to it.
fn standing(made: &Made) -> String {
    match &made.fails {
        Some(why) => format!("the policy fails it, as it should: {why}"),
        None => "the policy passes it already: it keeps the next edit honest".to_owned(),
    }
}

impl Before {
    fn read(around: &Surroundings) -> Result<Before, Failure> {
        let files = decide::read(&around.policies).map_err(Failure::no_policy)?;
        // As the policy's own tests are run: they are about the rules, whatever stands behind them.
        let known = Known { smarthost: None, domains: BTreeMap::new(), ..around.known.clone() };
        let compiled = policy::compile(&files, &known).map_err(|wrong| Failure::diagnosed(&wrong))?;
        let Compiled { policy, tests, day, .. } = compiled;
        let names = tests.into_iter().map(|test| test.name).collect();
        Ok(Before { files, names, known, judge: Judge::new(policy), day })
    }
}

impl Before {
    /// Domains of the test that gateway.toml or the policy names, alone or by one above them.
    fn named(&self, around: &Surroundings, test: &PolicyTest) -> BTreeSet<Domain> {
        let in_policy = |name: &str| self.files.iter().any(|file| file.text.to_ascii_lowercase().contains(name));
        let is_named = |domain: &Domain| {
            let above = domain.as_str().match_indices('.').filter_map(|(at, _)| domain.as_str().get(at..));
            around.site_of(domain).is_some()
                || in_policy(domain.as_str())
                || above.map(|suffix| format!("*{suffix}")).any(|pattern| in_policy(&pattern))
        };
        let all = test.from.mailbox().into_iter().chain(&test.to).map(Mailbox::domain);
        all.filter(|domain| is_named(domain)).cloned().collect()
    }
}

fn name_of(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// The policy's files with one that has grown.
fn with(files: &[SourceFile], name: &str, more: &str) -> Vec<SourceFile> {
    let mut files = files.to_vec();
    match files.iter_mut().find(|file| file.name == name) {
        Some(file) => file.text = grown(&file.text, more),
        None => files.push(SourceFile { name: name.to_owned(), text: grown("", more) }),
    }
    files
}

fn grown(text: &str, more: &str) -> String {
    match text.trim_end() {
        "" => format!(
            "# Messages that were judged wrongly, without what they said: `mailward policy add-case`.\n\n{more}"
        ),
        text => format!("{text}\n\n{more}"),
    }
}

/// Grows the file, if it is still what was read.
fn append(files: &[SourceFile], file: &Path, more: &str) -> Result<(), Failure> {
    let name = name_of(file);
    let known = files.iter().find(|known| known.name == name).map(|known| known.text.as_str());
    let now = match std::fs::read_to_string(file) {
        Ok(text) => Some(text),
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => None,
        Err(why) => return Err(Failure::wrong(format!("`{}` cannot be read: {why}", file.display()))),
    };
    if now.as_deref() != known {
        let why = format!("`{}` was changed meanwhile: nothing is written", file.display());
        return Err(Failure::wrong(format!("{why}\nhint: run it again")));
    }
    list::write(file, &grown(known.unwrap_or_default(), more))
}

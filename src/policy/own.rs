//! What a policy recognises for itself: `[pattern.NAME]` and `[lexicon.NAME]`.
//!
//! Called by the compiler. Promises: matching is linear in what a stranger sent; samples are kept for whoever has the
//! recogniser, who holds them against it before the policy is used. Fails at load only.

use super::compile::Entry;
use super::diagnostic::{Complaints, Diagnostic, Mistake, Sited};
use super::list;
use super::typed::{Keys, Parsed};
use crate::vocabulary::{FindingKind, OwnName};
use regex::{Regex, RegexBuilder};

pub(super) const PATTERN: Keys =
    Keys { known: &["description", "regex", "near", "samples", "not-samples"], later: &[] };
pub(super) const LEXICON: Keys = Keys { known: &["description", "list"], later: &[] };
/// Octets of one match at most.
const LONGEST: usize = 200;
/// Octets that one compiled expression may take.
const SIZE: usize = 2 * 1024 * 1024;

/// `[pattern.NAME]`
#[derive(Debug, Clone)]
pub struct PatternDef {
    pub name: OwnName,
    pub regex: Regex,
    /// Words of which one has to stand within 80 characters; empty: none has to.
    pub near: Vec<String>,
}

/// `[lexicon.NAME]`
#[derive(Debug, Clone)]
pub struct LexiconDef {
    pub name: OwnName,
    /// Each with its line in the list.
    pub terms: Vec<(String, usize)>,
}

/// A text that a pattern must find, or must not.
#[derive(Debug, Clone)]
pub struct Sample {
    pub kind: FindingKind,
    pub text: String,
    pub found: bool,
    /// What to say when it is not so.
    pub diagnostic: Diagnostic,
}

pub(super) fn pattern(c: &mut Complaints<'_>, entry: &Entry<'_>, samples: &mut Vec<Sample>) -> Option<PatternDef> {
    let table = entry.table;
    table.check_keys(c, &format!("pattern `{}`", entry.name), PATTERN);
    table.text(c, "description");
    if !table.has("regex") {
        let mistake = Mistake::new("missing-key", format!("pattern `{}` has no `regex`", entry.name));
        c.error(table.place, mistake.hint("add regex = 'RQX\\d{7}', in single quotes"));
    }
    let regex = table.one(c, "regex", expression);
    let plain = |text: &str| match text.trim() {
        "" => Err(Mistake::new("wrong-value", "an empty text would be found everywhere")),
        _ => Ok(text.to_owned()),
    };
    let near = table.many(c, "near", plain).unwrap_or_default();
    let name = OwnName::of(entry.name);
    for (key, found) in [("samples", true), ("not-samples", false)] {
        for sample in table.many(c, key, plain).unwrap_or_default() {
            samples.push(Sample {
                kind: FindingKind::Pattern(name),
                diagnostic: c.prepared(sample.place, missed(entry.name, found)),
                text: sample.value,
                found,
            });
        }
    }
    Some(PatternDef { name, regex: regex?.value, near: near.into_iter().map(|s| s.value).collect() })
}

fn missed(pattern: &str, found: bool) -> Mistake {
    let (what, hint) = match found {
        true => ("does not find this sample", "`near` wants one of its words within 80 characters"),
        false => ("finds this, and should not", "make `regex` narrower, or let `near` name the words beside it"),
    };
    Mistake::new("failing-sample", format!("pattern `{pattern}` {what}")).hint(hint)
}

fn expression(text: &str) -> Parsed<Regex> {
    let regex = RegexBuilder::new(text).size_limit(SIZE).build().map_err(|why| {
        let why = why.to_string();
        let why = why.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
        let hint = match why.contains("not supported") {
            true => "no look-around and no back-references: every search has to be linear in what strangers send",
            false => "write it in single quotes, so that each backslash is one: 'RQX\\d{7}'",
        };
        Mistake::new("wrong-regex", format!("this is no regular expression: {why}")).hint(hint)
    })?;
    // Each match may cost its own length again: what has no bound would make a search quadratic.
    let longest = regex_syntax::parse(text).ok().and_then(|parsed| parsed.properties().maximum_len());
    if longest.is_none_or(|longest| longest > LONGEST) {
        let mistake = Mistake::new("wrong-regex", format!("this may match more than {LONGEST} octets"));
        return Err(mistake.hint("say how many there are at most: {1,20} in place of + or *"));
    }
    if regex.is_match("") {
        let mistake = Mistake::new("wrong-regex", "this matches an empty text, so it is found everywhere");
        return Err(mistake.hint("let it ask for one character at least"));
    }
    Ok(regex)
}

pub(super) fn lexicon(c: &mut Complaints<'_>, entry: &Entry<'_>) -> Option<LexiconDef> {
    let table = entry.table;
    table.check_keys(c, &format!("lexicon `{}`", entry.name), LEXICON);
    table.text(c, "description");
    if !table.has("list") {
        let mistake = Mistake::new("missing-key", format!("lexicon `{}` has no `list`", entry.name));
        c.error(table.place, mistake.hint("add list = \"lists/clinical-terms.txt\", one term a line"));
    }
    let path: Sited<String> = table.text(c, "list")?;
    Some(LexiconDef { name: OwnName::of(entry.name), terms: list::terms(c, &path) })
}

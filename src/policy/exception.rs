//! Exceptions: `[exception.NAME]`, the only thing in a policy that lowers: for named rules, where its conditions hold, until
//! a day, with a reason and somebody who approved it.
//!
//! Compiled by the compiler, heard by `judge`. Promises: it acts on its own rules alone, and on none after its end; a
//! membership that lapses never makes it hold. Fails at load: exceptions without end, reason or effect.

use super::compile::{Entry, Names};
use super::diagnostic::{Complaints, Mistake, Place, Sited};
use super::group::Groups;
use super::implied;
use super::published::{PUBLISHED, is_by_domain};
use super::rule::Rule;
use super::typed::{Keys, Parsed, word};
use super::when::{self, When};
use crate::clock::{Wall, noon_of};
use crate::vocabulary::Level;
use jiff::civil::Date;
use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

pub(super) const KEYS: Keys =
    Keys { known: &["description", "rules", "when", "require", "lift", "until", "reason", "approved-by"], later: &[] };

/// How far it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lowering {
    /// Its rules ask for no more than this.
    To(Level),
    /// Its rules do not match.
    Lift,
}

#[derive(Debug)]
pub(super) struct Exception {
    pub name: Arc<str>,
    /// `exceptions.toml:12`
    pub at: Arc<str>,
    pub place: Place,
    pub rules: Vec<Sited<String>>,
    pub when: When,
    pub lowering: Lowering,
    pub until: Sited<Date>,
    ends: Wall,
    reason: String,
    approved_by: String,
}

/// An exception as people are reminded of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    pub name: Arc<str>,
    /// `exceptions.toml:12`
    pub at: Arc<str>,
    pub until: Date,
    /// At 12:00 of that day.
    pub ends: Wall,
    pub rules: Vec<String>,
    pub reason: String,
    /// Whoever answers for it: a name, an address, or both.
    pub approved_by: String,
}

impl Exception {
    /// What is kept with a message for which it was in force: its name, and what it was. Edited, it is another exception.
    pub fn mark(&self) -> String {
        let mut hasher = DefaultHasher::new();
        format!("{:?} {:?}", self.when, self.lowering).hash(&mut hasher);
        format!("{} {:016x}", self.name, hasher.finish())
    }

    pub fn ending(&self) -> Ending {
        Ending {
            name: self.name.clone(),
            at: self.at.clone(),
            until: self.until.value,
            ends: self.ends,
            rules: self.rules.iter().map(|rule| rule.value.clone()).collect(),
            reason: self.reason.clone(),
            approved_by: self.approved_by.clone(),
        }
    }

    pub fn is_for(&self, rule: &str) -> bool {
        self.rules.iter().any(|named| named.value == rule)
    }

    /// From then on it is in force no more.
    pub fn ends(&self) -> Wall {
        self.ends
    }

    pub fn is_in_force(&self, at: Wall) -> bool {
        at < self.ends
    }
}

/// An exception from its table. None where it does not say what it lowers, and until when.
pub(super) fn compile(c: &mut Complaints<'_>, entry: &Entry<'_>, names: &Names<'_>) -> Option<Exception> {
    let table = entry.table;
    table.check_keys(c, &format!("exception `{}`", entry.name), KEYS);
    table.text(c, "description");
    for (key, hint) in NEEDED.iter().filter(|(key, _)| !table.has(key)) {
        let mistake = Mistake::new("missing-key", format!("exception `{}` has no `{key}`", entry.name));
        c.error(table.place, mistake.hint(*hint));
    }
    let said = |text: &str| match text.trim() {
        "" => {
            let mistake = Mistake::new("wrong-value", "an empty text says nothing");
            Err(mistake.hint("one sentence is enough, with a reference if there is one"))
        }
        text => Ok(text.to_owned()),
    };
    let when = when::compile(c, table, names);
    let rules = table.many(c, "rules", |text| rule(text, &names.rules));
    let (reason, approved) = (table.one(c, "reason", said), table.one(c, "approved-by", said));
    let (lowering, until) = (lowering(c, entry), table.date(c, "until")?);
    let built_in = rules.iter().flatten().find(|rule| rule.value == PUBLISHED);
    if let Some(built_in) = built_in {
        check_published(c, built_in.place, &when, lowering);
    }
    Some(Exception {
        name: entry.name.into(),
        at: c.line_of(table.place).into(),
        place: table.place,
        rules: rules?,
        when,
        lowering: lowering?,
        reason: reason?.value,
        approved_by: approved?.value,
        ends: noon_of(until.value),
        until,
    })
}

/// What a peer publishes is a floor of its link, so an exception to it is for whole domains.
fn check_published(c: &mut Complaints<'_>, at: Place, when: &When, lowering: Option<Lowering>) {
    if when.to.is_empty() {
        let mistake =
            Mistake::new("published-by-domain", "an exception for `published` has to say for which domains it is");
        c.error(
            at,
            mistake.hint("add when = { to = [\"partner.example\"] }: without it, it would be for the whole world"),
        );
    } else if !is_by_domain(when) {
        let mistake =
            Mistake::new("published-by-domain", "an exception for `published` can only look at the recipient's domain");
        let hint = "what a peer publishes holds for its link, whoever writes: use `to` and `not-to` with domains and groups only";
        c.error(at, mistake.hint(hint));
    }
    if matches!(lowering, Some(Lowering::To(level)) if level >= Level::Verified) {
        let mistake =
            Mistake::new("exception-changes-nothing", "exception changes nothing: `published` asks verified at most");
        c.error(at, mistake.hint("give a level that is lower, or take the exception out"));
    }
}

const NEEDED: [(&str, &str); 4] = [
    ("rules", "name the rules that it is for: rules = [\"clinical-to-secure\"]"),
    ("until", "an exception ends: until = 2026-12-23, at 12:00 of that day"),
    ("reason", "say why, for whoever reads it in a year: reason = \"…, ref IG-1234\""),
    ("approved-by", "name who answers for it: approved-by = \"Caldicott Guardian\""),
];

fn rule(text: &str, rules: &BTreeSet<&str>) -> Parsed<String> {
    if rules.contains(text) || text == PUBLISHED {
        return Ok(text.to_owned());
    }
    Err(Mistake::unknown("unknown-rule", format!("no rule is called `{text}`"), text, rules.iter().copied()))
}

fn lowering(c: &mut Complaints<'_>, entry: &Entry<'_>) -> Option<Lowering> {
    let table = entry.table;
    let require = table.one(c, "require", word(Level::NAMES));
    let lift = table.boolean(c, "lift");
    match (require, lift) {
        (Some(_), Some(lift)) => {
            let mistake = Mistake::new("wrong-value", "`lift` takes the rules away, so nothing is left to `require`");
            c.error(lift.place, mistake.hint("give one of the two"));
            None
        }
        (Some(level), None) => Some(Lowering::To(level.value)),
        (None, Some(lift)) if lift.value => Some(Lowering::Lift),
        (None, given) => {
            if !table.has("require") {
                let at = given.map_or(table.place, |lift| lift.place);
                let mistake = Mistake::new("missing-key", format!("exception `{}` lowers nothing", entry.name));
                c.error(at, mistake.hint("add require = \"encrypted\", the level that is enough; or lift = true"));
            }
            None
        }
    }
}

/// Exceptions that change nothing: whoever wrote one believes that mail will flow now.
pub(super) fn check(c: &mut Complaints<'_>, exceptions: &[Exception], rules: &[Rule], groups: &Groups) {
    for exception in exceptions {
        for named in &exception.rules {
            let Some(rule) = rules.iter().find(|rule| *rule.name == *named.value) else { continue };
            if let Some(mistake) = without_effect(exception, rule, rules, groups) {
                c.error(named.place, mistake);
            }
        }
    }
}

fn without_effect(exception: &Exception, rule: &Rule, rules: &[Rule], groups: &Groups) -> Option<Mistake> {
    const CODE: &str = "exception-changes-nothing";
    let asked = rule.asks.require.unwrap_or(Level::Any);
    if matches!(exception.lowering, Lowering::To(level) if level >= asked) {
        let (what, hint) = match rule.asks.refuse {
            Some(_) => ("refuses, whatever the level".to_owned(), "lift = true takes the rule away"),
            None => (format!("asks {asked}"), "give a level that is lower, or take the exception out"),
        };
        let message = format!("exception changes nothing: {} ({}) {what}", rule.name, rule.at);
        return Some(Mistake::new(CODE, message).hint(hint));
    }
    let as_strict = |other: &&Rule| match exception.lowering {
        Lowering::Lift if rule.asks.refuse.is_some() => other.asks.refuse.is_some(),
        _ => asked > Level::Any && other.asks.require.is_some_and(|level| level >= asked),
    };
    let others = rules.iter().filter(|other| other.is_enforced() && other.direction == rule.direction);
    let still = others
        .filter(|other| !exception.is_for(&other.name))
        .filter(as_strict)
        .find(|other| implied::whenever(&[&rule.when, &exception.when], &other.when, groups))?;
    if still.asks.refuse.is_some() && rule.asks.refuse.is_some() {
        let message = format!("exception changes nothing: {} ({}) still refuses", still.name, still.at);
        return Some(Mistake::new(CODE, message).hint(format!("add `{}` to `rules` if that is meant", still.name)));
    }
    let level = still.asks.require.unwrap_or(Level::Any);
    let message = format!("exception changes nothing: {} ({}) still asks {level}", still.name, still.at);
    Some(Mistake::new(CODE, message).hint(format!("add `{}` to `rules` if the approval covers it too", still.name)))
}

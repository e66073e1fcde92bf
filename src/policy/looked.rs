//! Conditions about a message's own words, and what is kept of them with a decision: whether each held, never the words.
//!
//! Called by `judge` and `decide`. Promises: a decision can be made anew from what is kept, for every condition that was in the
//! policy when it was made; of any other it is known that it is not known. Never fails.

use super::exception::Exception;
use super::rule::Rule;
use super::when::{FieldGlob, When};
use crate::mail::Header;
use crate::vocabulary::Direction;
use regex::Regex;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Conditions of which is kept whether they held: a policy has a few.
pub const KEPT: usize = 32;

/// By condition, whether it held.
pub type Looked = BTreeMap<String, bool>;

/// What a message says of itself, or what is still known of it.
#[derive(Debug, Clone, Copy)]
pub enum Said<'a> {
    /// The decoded subject, and the header section.
    Read {
        subject: &'a str,
        header: &'a Header<'a>,
    },
    Kept(&'a Looked),
}

impl Said<'_> {
    pub(super) fn has_tag(&self, tag: &Regex) -> bool {
        match self {
            Said::Read { subject, .. } => tag.is_match(subject),
            Said::Kept(looked) => looked.get(&of_tag(tag)).copied().unwrap_or(false),
        }
    }

    pub(super) fn has_field(&self, field: &FieldGlob) -> bool {
        match self {
            Said::Read { header, .. } => header.fields().filter(|f| f.is(&field.name)).any(|found| {
                let text = found.text();
                field.globs.iter().any(|glob| glob.is_match(&text))
            }),
            Said::Kept(looked) => looked.get(&of_field(field)).copied().unwrap_or(false),
        }
    }
}

/// One condition of some rule.
#[derive(Debug, Clone)]
pub(super) enum Condition {
    Tag(Regex),
    Field(FieldGlob),
}

impl Condition {
    fn name(&self) -> String {
        match self {
            Condition::Tag(tag) => of_tag(tag),
            Condition::Field(field) => of_field(field),
        }
    }

    fn holds(&self, said: Said<'_>) -> bool {
        match self {
            Condition::Tag(tag) => said.has_tag(tag),
            Condition::Field(field) => said.has_field(field),
        }
    }
}

fn of_tag(tag: &Regex) -> String {
    format!("subject-tag {}", tag.as_str())
}

fn of_field(field: &FieldGlob) -> String {
    let globs: BTreeSet<&str> = field.globs.iter().map(Regex::as_str).collect();
    format!("header {} {}", field.name.to_ascii_lowercase(), globs.into_iter().collect::<Vec<_>>().join(" "))
}

/// The conditions of all rules and exceptions, each once, with those that have it.
#[derive(Debug, Default)]
pub(super) struct Conditions(BTreeMap<String, Used>);

#[derive(Debug)]
struct Used {
    condition: Condition,
    by: Vec<User>,
}

#[derive(Debug, Clone)]
struct User {
    name: Arc<str>,
    /// None: an exception, for rules of any direction.
    direction: Option<Direction>,
}

impl Conditions {
    pub fn of(rules: &[Rule], exceptions: &[Exception]) -> Conditions {
        let mut conditions = Conditions::default();
        for rule in rules {
            let user = User { name: rule.name.clone(), direction: Some(rule.direction) };
            // What a monitored rule looks at is kept for the day on which it is put in force; until then it decides nothing.
            conditions.add(&rule.when, rule.is_enforced().then_some(&user));
        }
        for exception in exceptions {
            conditions.add(&exception.when, Some(&User { name: exception.name.clone(), direction: None }));
        }
        conditions
    }

    fn add(&mut self, when: &When, user: Option<&User>) {
        let tags = when.subject_tag.iter().cloned().map(Condition::Tag);
        for condition in tags.chain(when.header.iter().cloned().map(Condition::Field)) {
            let used = self.0.entry(condition.name()).or_insert_with(|| Used { condition, by: Vec::new() });
            used.by.extend(user.cloned());
        }
    }

    pub fn look(&self, said: Said<'_>) -> Looked {
        self.0.iter().take(KEPT).map(|(name, used)| (name.clone(), used.condition.holds(said))).collect()
    }

    /// Names of rules for mail of that direction, and of exceptions, with a condition that `looked` does not know.
    pub fn not_known<'c>(&'c self, looked: &'c Looked, direction: Direction) -> impl Iterator<Item = &'c str> {
        let not_known = self.0.iter().filter(|(name, _)| !looked.contains_key(*name)).flat_map(|(_, used)| &used.by);
        let meant = move |user: &&User| user.direction.is_none_or(|of| of == direction);
        not_known.filter(meant).map(|user| user.name.as_ref())
    }
}

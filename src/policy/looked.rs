//! Conditions about a message's own words, and what is kept of them with a decision: whether each held, never the words.
//!
//! Called by `judge` and `decide`. Promises: a decision can be made anew from what is kept, for every condition that was in the
//! policy when it was made; of any other it is known that it is not known. Never fails.

use super::when::FieldGlob;
use crate::mail::Header;
use regex::Regex;
use std::collections::{BTreeMap, BTreeSet};

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

/// The conditions of all rules and exceptions, each once.
#[derive(Debug, Default)]
pub(super) struct Conditions(BTreeMap<String, Condition>);

impl Conditions {
    pub fn of<'w>(whens: impl Iterator<Item = &'w super::when::When>) -> Conditions {
        let all = whens.flat_map(|when| {
            let tags = when.subject_tag.iter().cloned().map(Condition::Tag);
            tags.chain(when.header.iter().cloned().map(Condition::Field))
        });
        Conditions(all.map(|condition| (condition.name(), condition)).collect())
    }

    pub fn look(&self, said: Said<'_>) -> Looked {
        self.0.iter().take(KEPT).map(|(name, condition)| (name.clone(), condition.holds(said))).collect()
    }
}

impl super::when::When {
    /// Conditions of which `looked` does not know whether they held.
    pub(super) fn not_known(&self, looked: &Looked) -> bool {
        self.subject_tag.iter().any(|tag| !looked.contains_key(&of_tag(tag)))
            || self.header.iter().any(|field| !looked.contains_key(&of_field(field)))
    }
}

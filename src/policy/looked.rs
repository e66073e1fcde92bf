//! Conditions about a message's own words, and what is kept of them with a decision: whether each held, never the words.
//!
//! Called by `judge` and `decide`. Promises: a decision can be made anew from what is kept; of a condition of which nothing was kept it
//! is known that it is not known. Conditions are kept by a digest of what they look for. Never fails.

use super::exception::Exception;
use super::rule::Rule;
use super::when::{FieldGlob, KindOfFile, Lapsed, When};
use crate::mail::{AttachmentType, Header};
use crate::vocabulary::Direction;
use aws_lc_rs::digest::{SHA256, digest};
use regex::Regex;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Conditions of which is kept whether they held: a rule has three at most. Of more nothing is known.
const KEPT: usize = 512;
/// Octets of a condition's digest.
const DIGEST: usize = 6;

/// By a digest of the condition, whether it held.
pub type Looked = BTreeMap<String, bool>;

/// What a message says of itself, or what is still known of it.
#[derive(Debug, Clone, Copy)]
pub enum Said<'a> {
    Read(Words<'a>),
    Kept(&'a Looked),
}

/// A message's own words.
#[derive(Debug, Clone, Copy)]
pub struct Words<'a> {
    /// Decoded.
    pub subject: &'a str,
    pub header: &'a Header<'a>,
    /// What attachments say that they are.
    pub attachments: &'a [AttachmentType],
}

/// One condition of some rule or exception.
#[derive(Debug, Clone)]
pub(super) enum Condition<'w> {
    /// One of these is a tag of the subject.
    Tags(&'w [Regex]),
    Field(&'w FieldGlob),
    /// One attachment is of one of these kinds.
    Attached(&'w [KindOfFile]),
    /// There are attachments, and all are: so that whoever adds a file lowers nothing.
    AttachedOnly(&'w [KindOfFile]),
}

impl Condition<'_> {
    pub fn holds(&self, said: Said<'_>) -> bool {
        match said {
            Said::Read(words) => self.is_in(&words),
            Said::Kept(looked) => looked.get(&self.name()).copied().unwrap_or(false),
        }
    }

    fn is_in(&self, words: &Words<'_>) -> bool {
        let of_kinds = |kinds: &[KindOfFile], one: &AttachmentType| kinds.iter().any(|kind| kind.is(one));
        match self {
            Condition::Tags(tags) => tags.iter().any(|tag| tag.is_match(words.subject)),
            Condition::Field(field) => words.header.fields().filter(|f| f.is(&field.name)).any(|found| {
                let text = found.text();
                field.globs.iter().any(|glob| glob.is_match(&text))
            }),
            Condition::Attached(kinds) => words.attachments.iter().any(|one| of_kinds(kinds, one)),
            Condition::AttachedOnly(kinds) => {
                let all_are_told = (1..AttachmentType::MOST).contains(&words.attachments.len());
                all_are_told && words.attachments.iter().all(|one| of_kinds(kinds, one))
            }
        }
    }

    /// A digest of what it looks for: the same for the same texts in any order.
    fn name(&self) -> String {
        let texts = |regexes: &[Regex]| regexes.iter().map(|r| r.as_str().to_owned()).collect::<BTreeSet<_>>();
        let said = match self {
            Condition::Tags(tags) => format!("tags {:?}", texts(tags)),
            Condition::Field(field) => format!("field {} {:?}", field.name.to_ascii_lowercase(), texts(&field.globs)),
            Condition::Attached(kinds) => format!("attached {:?}", kinds.iter().collect::<BTreeSet<_>>()),
            Condition::AttachedOnly(kinds) => format!("attached only {:?}", kinds.iter().collect::<BTreeSet<_>>()),
        };
        let whole = digest(&SHA256, said.as_bytes());
        whole.as_ref().iter().take(DIGEST).map(|octet| format!("{octet:02x}")).collect()
    }
}

impl When {
    /// Its conditions about a message's own words, as a rule has them or an exception.
    pub(super) fn conditions(&self, lapsed: Lapsed) -> impl Iterator<Item = Condition<'_>> {
        let tags = (!self.subject_tag.is_empty()).then_some(Condition::Tags(&self.subject_tag));
        let kinds = &self.attachment_type[..];
        let attached = match lapsed {
            Lapsed::Adds => Condition::Attached(kinds),
            Lapsed::NeverLowers => Condition::AttachedOnly(kinds),
        };
        let attached = (!kinds.is_empty()).then_some(attached);
        tags.into_iter().chain(attached).chain(self.header.iter().map(Condition::Field))
    }
}

/// The conditions of all rules and exceptions, each once, with those that have it.
#[derive(Debug, Default)]
pub(super) struct Conditions(BTreeMap<String, Used>);

#[derive(Debug)]
struct Used {
    /// Whose condition it is, and which of them.
    owner: Owner,
    at: usize,
    by: Vec<User>,
}

/// Where a condition is written.
#[derive(Debug, Clone, Copy)]
enum Owner {
    Rule(usize),
    Exception(usize),
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
        for (number, rule) in rules.iter().enumerate() {
            let user = User { name: rule.name.clone(), direction: Some(rule.direction) };
            // What a monitored rule looks at is kept for the day on which it is put in force; until then it decides nothing.
            let user = rule.is_enforced().then_some(&user);
            conditions.add(Owner::Rule(number), rule.when.conditions(Lapsed::Adds), user);
        }
        for (number, exception) in exceptions.iter().enumerate() {
            let user = User { name: exception.name.clone(), direction: None };
            conditions.add(Owner::Exception(number), exception.when.conditions(Lapsed::NeverLowers), Some(&user));
        }
        conditions
    }

    fn add<'w>(&mut self, owner: Owner, conditions: impl Iterator<Item = Condition<'w>>, user: Option<&User>) {
        for (at, condition) in conditions.enumerate() {
            let used = self.0.entry(condition.name()).or_insert_with(|| Used { owner, at, by: Vec::new() });
            used.by.extend(user.cloned());
        }
    }

    /// Whether each holds.
    pub fn look(&self, (rules, exceptions): (&[Rule], &[Exception]), said: Said<'_>) -> Looked {
        let held = |used: &Used| {
            let mut own = match used.owner {
                Owner::Rule(number) => rules.get(number).map(|rule| (&rule.when, Lapsed::Adds)),
                Owner::Exception(number) => exceptions.get(number).map(|e| (&e.when, Lapsed::NeverLowers)),
            }
            .into_iter()
            .flat_map(|(when, lapsed)| when.conditions(lapsed));
            own.nth(used.at).is_some_and(|condition| condition.holds(said))
        };
        self.0.iter().take(KEPT).map(|(name, used)| (name.clone(), held(used))).collect()
    }

    /// Names of rules for mail of that direction, and of exceptions, with a condition that `looked` does not know, each once.
    pub fn not_known<'c>(&'c self, looked: &Looked, direction: Direction) -> BTreeSet<&'c str> {
        let not_known = self.0.iter().filter(|(name, _)| !looked.contains_key(*name)).flat_map(|(_, used)| &used.by);
        let meant = not_known.filter(|user| user.direction.is_none_or(|of| of == direction));
        meant.map(|user| user.name.as_ref()).collect()
    }
}

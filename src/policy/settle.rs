//! Of all rules that match, the strictest wins, key by key.
//!
//! Called by `judge`. Promises: the order of the rules changes nothing; a rule more never lowers `require`, never takes a
//! refusal away, never lengthens a wait that a rule set, never readmits a rung that a rule leaves out. Never fails.

use super::rule::{Asks, Rule};
use crate::vocabulary::{Level, Otherwise, Rung, SubjectCare};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

/// Defaults where no rule sets the key.
pub(super) const WAIT: Duration = Duration::from_secs(HOUR);
const HOLD_FOR: Duration = Duration::from_secs(5 * 24 * HOUR);
const TELL_SENDER_IN_CLASS: Duration = Duration::from_secs(15 * MINUTE);
const TELL_SENDER: Duration = Duration::from_secs(4 * HOUR);
pub(super) const UNREAD_AFTER: Duration = Duration::from_secs(24 * HOUR);

/// What holds after all rules that match have been heard.
#[derive(Debug, Clone)]
pub(super) struct Settled {
    pub require: Level,
    pub upgrade: BTreeSet<Rung>,
    pub wait: Duration,
    pub otherwise: Otherwise,
    pub hold_for: Duration,
    pub tell_sender: Duration,
    pub notify: Vec<String>,
    pub subject: SubjectCare,
    /// After which a message in the portal that nobody opened is announced.
    pub unread_after: Duration,
    /// Rule and its text for the sender.
    pub refuse: Option<(String, String)>,
    /// Which rule decided each key that a rule set: the first by name among equals.
    pub decided_by: BTreeMap<&'static str, String>,
}

/// A rule that is heard, and what it asks of the way after the exceptions in force.
#[derive(Debug, Clone, Copy)]
pub(super) struct Heard<'r> {
    pub rule: &'r Rule,
    pub require: Option<Level>,
}

impl<'r> Heard<'r> {
    /// As it is written.
    pub fn plainly(rule: &'r Rule) -> Heard<'r> {
        Heard { rule, require: rule.asks.require }
    }
}

struct Hearing<'r> {
    rules: &'r [Heard<'r>],
    decided_by: BTreeMap<&'static str, String>,
}

impl Hearing<'_> {
    /// The value that no other is stricter than.
    fn strictest<T: Copy>(
        &mut self,
        key: &'static str,
        asked: impl Fn(&Asks) -> Option<T>,
        stricter: impl Fn(&T, &T) -> bool,
    ) -> Option<T> {
        self.strictest_heard(key, |heard| asked(&heard.rule.asks), stricter)
    }

    fn strictest_heard<T: Copy>(
        &mut self,
        key: &'static str,
        asked: impl Fn(&Heard<'_>) -> Option<T>,
        stricter: impl Fn(&T, &T) -> bool,
    ) -> Option<T> {
        let mut best: Option<(T, &Rule)> = None;
        for heard in self.rules {
            let Some(value) = asked(heard) else { continue };
            if best.as_ref().is_none_or(|(held, _)| stricter(&value, held)) {
                best = Some((value, heard.rule));
            }
        }
        let (value, rule) = best?;
        self.decided_by.insert(key, rule.name.to_string());
        Some(value)
    }

    fn upgrade(&mut self) -> BTreeSet<Rung> {
        let mut left: Option<BTreeSet<Rung>> = None;
        for Heard { rule, .. } in self.rules {
            let Some(rungs) = &rule.asks.upgrade else { continue };
            self.decided_by.entry("upgrade").or_insert_with(|| rule.name.to_string());
            left = Some(match left {
                None => rungs.clone(),
                Some(held) => held.intersection(rungs).cloned().collect(),
            });
        }
        left.unwrap_or_default()
    }

    fn notify(&mut self) -> Vec<String> {
        let mut all = BTreeSet::new();
        for Heard { rule, .. } in self.rules {
            let Some(addresses) = &rule.asks.notify else { continue };
            self.decided_by.entry("notify").or_insert_with(|| rule.name.to_string());
            all.extend(addresses.iter().cloned());
        }
        all.into_iter().collect()
    }

    fn refuse(&mut self) -> Option<(String, String)> {
        let (rule, text) = self.rules.iter().find_map(|h| h.rule.asks.refuse.as_ref().map(|text| (h.rule, text)))?;
        self.decided_by.insert("refuse", rule.name.to_string());
        Some((rule.name.to_string(), text.clone()))
    }
}

/// Hears `rules`, which are in the order of their names.
pub(super) fn settle(rules: &[Heard<'_>], in_class: bool) -> Settled {
    let mut hearing = Hearing { rules, decided_by: BTreeMap::new() };
    let require = hearing.strictest_heard("require", |heard| heard.require, |a, b| a > b);
    let wait = hearing.strictest("wait", |a| a.wait, |a, b| a < b);
    let otherwise = hearing.strictest("otherwise", |a| a.otherwise, |a, b| a > b);
    let hold_for = hearing.strictest("hold_for", |a| a.hold_for, |a, b| a > b);
    let tell_sender = hearing.strictest("tell_sender", |a| a.tell_sender, |a, b| a < b);
    let unread_after = hearing.strictest("unread_after", |a| a.unread_after, |a, b| a < b);
    let subject = hearing.strictest("subject", |a| a.subject, |a, b| a > b);
    Settled {
        require: require.unwrap_or(Level::Any),
        upgrade: hearing.upgrade(),
        wait: wait.unwrap_or(WAIT),
        otherwise: otherwise.unwrap_or(Otherwise::Reject),
        hold_for: hold_for.unwrap_or(HOLD_FOR),
        tell_sender: tell_sender.unwrap_or(if in_class { TELL_SENDER_IN_CLASS } else { TELL_SENDER }),
        notify: hearing.notify(),
        subject: subject.unwrap_or(if in_class { SubjectCare::Scrub } else { SubjectCare::Keep }),
        unread_after: unread_after.unwrap_or(UNREAD_AFTER),
        refuse: hearing.refuse(),
        decided_by: hearing.decided_by,
    }
}

//! What exceptions make of the rules that match: which are heard, and how much of what they ask is left.
//!
//! Called by `judge`. Promises: an exception acts on the rules that it names and no others; one that has ended acts on none.
//! Never fails.

use super::exception::{Exception, Lowering};
use super::facts::MessageFacts;
use super::judge::Seen;
use super::published::PUBLISHED;
use super::rule::Rule;
use super::settle::Heard;
use super::verdict::{Excepted, ExceptionState, MatchedRule};
use super::when::{Lapsed, Party};
use crate::vocabulary::{Direction, Level};

/// A message and a recipient, as far as they have been seen.
pub(super) struct Hearing<'a> {
    pub message: &'a MessageFacts<'a>,
    pub to: Party<'a>,
    pub from: &'a [Party<'a>],
    pub seen: Seen,
}

/// One rule that matches, with the exceptions in force for it.
struct Matching<'p> {
    rule: &'p Rule,
    exceptions: Vec<&'p Exception>,
}

/// All rules in force that match, and all exceptions that are for any of them or for what the peer publishes.
pub(super) struct Excused<'p> {
    matching: Vec<Matching<'p>>,
    concerned: Vec<(&'p Exception, ExceptionState)>,
}

/// The least that is left of what a rule asks; None: it does not match at all.
pub(super) fn left<'e>(asked: Option<Level>, exceptions: impl Iterator<Item = &'e Exception>) -> Option<Option<Level>> {
    let mut left = asked;
    for exception in exceptions {
        match exception.lowering {
            Lowering::Lift => return None,
            Lowering::To(level) => left = left.map(|asked| asked.min(level)),
        }
    }
    Some(left)
}

impl<'p> Excused<'p> {
    /// `rules`: those that match and are in force.
    pub fn of(exceptions: &'p [Exception], hearing: &Hearing<'_>, rules: &[&'p Rule]) -> Excused<'p> {
        let concerned: Vec<&Exception> = exceptions
            .iter()
            .filter(|exception| {
                is_for_peer(exception, hearing) || rules.iter().any(|rule| exception.is_for(&rule.name))
            })
            .filter(|exception| may_hold(exception, hearing))
            .collect();
        let in_force = |rule: &str| {
            let for_it = concerned.iter().copied().filter(|exception| exception.is_for(rule));
            for_it.filter(|exception| exception.is_in_force(hearing.message.at)).collect()
        };
        let matching = rules.iter().map(|rule| Matching { rule, exceptions: in_force(&rule.name) }).collect();
        let state = |exception: &Exception| match exception.is_in_force(hearing.message.at) {
            true => ExceptionState::Applied,
            false => ExceptionState::Ended,
        };
        Excused { matching, concerned: concerned.into_iter().map(|exception| (exception, state(exception))).collect() }
    }

    /// Rules that are heard, in the order of their names.
    pub fn heard(&self) -> Vec<Heard<'p>> {
        let heard = |matching: &Matching<'p>| {
            let require = left(matching.rule.asks.require, matching.exceptions.iter().copied())?;
            Some(Heard { rule: matching.rule, require })
        };
        self.matching.iter().filter_map(heard).collect()
    }

    /// What one exception gives, another rule may still ask.
    pub fn note_what_is_left(&mut self, require: Level) {
        for (exception, state) in &mut self.concerned {
            let asks_more = matches!(exception.lowering, Lowering::To(level) if require > level);
            if asks_more && *state == ExceptionState::Applied {
                *state = ExceptionState::WithoutEffect;
            }
        }
    }

    /// Rules that do not match because of an exception.
    pub fn lifted(&self) -> Vec<MatchedRule> {
        let is_lifted = |m: &&Matching<'_>| m.exceptions.iter().any(|e| e.lowering == Lowering::Lift);
        self.matching.iter().filter(is_lifted).map(|m| self.matched(m.rule)).collect()
    }

    pub fn matched(&self, rule: &Rule) -> MatchedRule {
        let matching = self.matching.iter().find(|matching| matching.rule.name == rule.name);
        MatchedRule {
            name: rule.name.clone(),
            at: rule.at.clone(),
            mode: rule.mode,
            asks: rule.shown.clone(),
            require: rule.asks.require,
            excepted: matching.into_iter().flat_map(|m| &m.exceptions).map(|e| e.name.clone()).collect(),
            marks: matching.into_iter().flat_map(|m| &m.exceptions).map(|e| e.mark()).collect(),
        }
    }

    pub fn report(&self) -> Vec<Excepted> {
        let report = |(exception, state): &(&Exception, ExceptionState)| Excepted {
            name: exception.name.clone(),
            at: exception.at.clone(),
            state: *state,
            ends: exception.until.value,
        };
        self.concerned.iter().map(report).collect()
    }
}

/// What a peer publishes is asked when its link is opened: an exception from that is told here, and acts there.
fn is_for_peer(exception: &Exception, hearing: &Hearing<'_>) -> bool {
    exception.is_for(PUBLISHED) && hearing.message.direction == Direction::Outbound
}

/// Before the message has come, an exception that looks at it may hold: its rules answer when it is there.
fn may_hold(exception: &Exception, hearing: &Hearing<'_>) -> bool {
    if hearing.seen == Seen::Envelope && exception.when.needs_content() {
        return exception.when.may_hold_yet(hearing.message, &hearing.to);
    }
    exception.when.holds(hearing.message, &hearing.to, hearing.from, Lapsed::NeverLowers)
}

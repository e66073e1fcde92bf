//! What must hold now for mail that waits: what was kept with it, and what the policy asks of the same rules today.
//!
//! Called by `decide` before every attempt. Promises: never less than what each rule asked when the message was judged, but
//! where an exception that is in force now says so for that rule; a rule more never lowers it. Never fails.

use super::exception::Exception;
use super::excused::left;
use super::facts::{MessageFacts, QueuedFacts};
use super::judge::Policy;
use super::looked::{Said, Words};
use super::requirement::{Requirement, RuleAsk};
use super::rule::Rule;
use super::settle::{Heard, settle};
use super::when::Lapsed;
use crate::mail::Header;
use crate::vocabulary::{Level, Otherwise};
use std::collections::BTreeMap;

/// A rule that was kept with the message.
struct Kept<'p> {
    /// As the policy has it today, if it is in force.
    rule: Option<&'p Rule>,
    /// What is asked after the exceptions in force.
    require: Option<Level>,
}

impl Policy {
    /// What must hold now for a recipient that was judged earlier.
    #[must_use]
    pub fn current(&self, stored: &Requirement, queued: &QueuedFacts<'_>) -> Requirement {
        if stored.journal {
            let now = self.journal_of(queued.sites.leaves, queued.direction, queued.recipient);
            return Requirement { level: stored.level.max(now.unwrap_or(Level::Any)), ..stored.clone() };
        }
        let asks = stored.rules.iter().chain(&stored.lifted);
        let kept: Vec<Kept<'_>> = asks.filter_map(|ask| self.kept(ask, stored, queued)).collect();
        // In the order of their names, as they are kept: a delivery costs what matched and not what is written.
        let mut heard: Vec<Heard<'_>> =
            kept.iter().filter_map(|k| Some(Heard { rule: k.rule?, require: k.require })).collect();
        heard.sort_by(|a, b| a.rule.name.cmp(&b.rule.name));
        heard.dedup_by(|a, b| a.rule.name == b.rule.name);
        let settled = settle(&heard, !stored.classes.is_empty());
        let asked = kept.iter().filter_map(|kept| kept.require).max().unwrap_or(Level::Any);
        let level = asked.max(stored.unexplained());
        // A load never bounces: what is asked more now is held and told, and so is what became reject.
        let otherwise = if level > stored.level { Otherwise::Hold } else { settled.otherwise.min(stored.otherwise) };
        Requirement {
            level,
            rules: stored.rules.clone(),
            lifted: stored.lifted.clone(),
            watched: stored.watched.clone(),
            classes: stored.classes.clone(),
            wait: settled.wait,
            otherwise,
            hold_for: settled.hold_for,
            tell_sender: settled.tell_sender,
            notify: settled.notify,
            subject: settled.subject.max(stored.subject),
            journal: false,
        }
    }

    /// None: an exception that is in force takes the rule away.
    fn kept(&self, ask: &RuleAsk, stored: &Requirement, queued: &QueuedFacts<'_>) -> Option<Kept<'_>> {
        let rule = self.rule(&ask.name).filter(|rule| rule.is_enforced());
        let asked = ask.require.max(rule.and_then(|rule| rule.asks.require));
        let exceptions = self.exceptions.iter().filter(|exception| {
            exception.is_for(&ask.name)
                && exception.is_in_force(queued.at)
                && self.holds_in_queue(exception, ask, stored, queued)
        });
        Some(Kept { rule, require: left(asked, exceptions)? })
    }

    /// Whether an exception holds for a message that waits. What is not known any more holds only if it was in force for
    /// that very message, and has not been edited since.
    fn holds_in_queue(
        &self,
        exception: &Exception,
        ask: &RuleAsk,
        stored: &Requirement,
        queued: &QueuedFacts<'_>,
    ) -> bool {
        let was_in_force = || ask.excepted.contains(&exception.mark());
        let classes: BTreeMap<String, f64> = stored.classes.iter().map(|class| (class.clone(), 0.0)).collect();
        let message = MessageFacts {
            at: queued.at,
            direction: queued.direction,
            sites: queued.sites,
            reverse_path: queued.reverse_path,
            header_from: &[],
            evidence: &[],
            classes: &classes,
            said: Said::Read(Words { subject: "", header: &Header::of(b""), attachments: &[] }),
            size: 0,
            recipients: 0,
            visible_recipients: 0,
            auto_submitted: false,
            forwarded: false,
            requiretls: queued.requiretls,
        };
        let from: Vec<_> = queued.reverse_path.mailbox().map(|m| self.party(m, queued.at)).into_iter().collect();
        let to = self.party(queued.recipient, queued.at);
        let is_known = exception.when.is_known_in_queue() && exception.when.from.is_empty();
        match is_known {
            true => exception.when.holds(&message, &to, &from, Lapsed::NeverLowers),
            false => exception.when.may_hold_yet(&message, &to) && was_in_force(),
        }
    }

    fn rule(&self, name: &str) -> Option<&Rule> {
        self.rules.binary_search_by(|rule| (*rule.name).cmp(name)).ok().and_then(|number| self.rules.get(number))
    }
}

//! Judges: a policy, a message, a recipient, and out comes a verdict.
//!
//! Called by `decide` for the live path, `explain` and the policy's own tests alike. Promises: the same facts give the
//! same verdict, whatever the order of files; cost grows with the rules that can match. Never fails.

use super::class::{self, Class};
use super::facts::{MessageFacts, RecipientFacts};
use super::fate::{Circumstances, Smarthost, decide};
use super::group::Groups;
use super::index::Index;
use super::requirement::{ProofSource, Requirement};
use super::rule::Rule;
use super::settle::{Settled, settle};
use super::verdict::{MatchedRule, Monitored, Verdict};
use super::when::Party;
use super::{Known, Recognise};
use crate::mail::Domain;
use crate::vocabulary::{Confidence, Direction, FindingKind, Level, Mode, Rung};
use std::collections::BTreeMap;

/// One compiled policy.
#[derive(Debug)]
pub struct Policy {
    pub(super) hash: String,
    pub(super) groups: Groups,
    pub(super) classes: Vec<Class>,
    /// In the order of their names.
    pub(super) rules: Vec<Rule>,
    ladder: Vec<Rung>,
    pub(super) recognise: Option<Recognise>,
    smarthost: Option<Smarthost>,
    outbound: Index,
    inbound: Index,
    internal: Index,
}

/// How much of the message has been seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    /// Reverse-path and recipient only: rules that need more are not heard.
    Envelope,
    All,
}

impl Policy {
    pub(super) fn new(groups: Groups, classes: Vec<Class>, mut rules: Vec<Rule>, ladder: Vec<Rung>) -> Policy {
        rules.sort_by(|a, b| a.name.cmp(&b.name));
        let index = |direction| Index::of(&rules, direction, groups.all.len());
        let (outbound, inbound) = (index(Direction::Outbound), index(Direction::Inbound));
        let internal = index(Direction::Internal);
        let (hash, recognise, smarthost) = (String::new(), None, None);
        Policy { hash, groups, classes, rules, ladder, recognise, smarthost, outbound, inbound, internal }
    }

    pub(super) fn set_smarthost(&mut self, known: &Known) {
        let Some(name) = known.smarthost.as_deref() else { return };
        let name = name.strip_prefix("relay:").unwrap_or(name);
        let relay = known.relays.iter().find(|relay| relay.name == name);
        // A relay never seals; one that is not described promises nothing.
        self.smarthost = Some(match relay {
            Some(relay) => Smarthost { carries: relay.carries.clone(), onward: relay.onward.min(Level::Verified) },
            None => Smarthost { carries: Vec::new(), onward: Level::Any },
        });
    }

    /// The same for the same files in any order.
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// Every rule with its mode, in order.
    pub fn rule_modes(&self) -> impl Iterator<Item = (&str, Mode)> {
        self.rules.iter().map(|rule| (rule.name.as_ref(), rule.mode))
    }

    /// In order.
    pub fn class_names(&self) -> impl Iterator<Item = &str> {
        self.classes.iter().map(|class| class.name.as_str())
    }

    /// None: the files leave it to the recogniser.
    #[must_use]
    pub fn recognise(&self) -> Option<&Recognise> {
        self.recognise.as_ref()
    }

    /// Classes that a message with these findings is in, with scores.
    #[must_use]
    pub fn classify(&self, evidence: &[(FindingKind, Confidence)]) -> BTreeMap<String, f64> {
        let found = class::best(evidence);
        self.classes.iter().filter_map(|class| Some((class.name.clone(), class.score(&found)?))).collect()
    }

    /// What must hold for this message and this recipient, and what becomes of it.
    #[must_use]
    pub fn judge(&self, message: &MessageFacts<'_>, recipient: &RecipientFacts<'_>) -> Verdict {
        self.hear(message, recipient, Seen::All)
    }

    /// What rules that need no content say already at RCPT.
    #[must_use]
    pub fn judge_envelope(&self, message: &MessageFacts<'_>, recipient: &RecipientFacts<'_>) -> Verdict {
        self.hear(message, recipient, Seen::Envelope)
    }

    /// Each group that itself lists the domain and says how its hosts prove themselves: every one must hold.
    #[must_use]
    pub fn proof_sources(&self, domain: &Domain) -> Vec<ProofSource> {
        self.groups.proof_sources(domain)
    }

    /// What must hold now for an entry that was judged earlier: never less than was kept with it.
    #[must_use]
    pub fn current(&self, stored: &Requirement) -> Requirement {
        // In the order of their names, as they are kept: a delivery costs what matched and not what is written.
        let mut numbers: Vec<usize> = stored.rules.iter().filter_map(|ask| self.number(&ask.name)).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let rules: Vec<&Rule> = numbers.iter().filter_map(|n| self.rules.get(*n)).filter(|r| r.is_enforced()).collect();
        let settled = settle(&rules, !stored.classes.is_empty());
        let asked = stored.rules.iter().filter_map(|ask| ask.require).max();
        Requirement {
            level: settled.require.max(stored.level).max(asked.unwrap_or(Level::Any)),
            rules: stored.rules.clone(),
            watched: stored.watched.clone(),
            classes: stored.classes.clone(),
            wait: settled.wait,
            // A load never bounces: what became reject is held and told.
            otherwise: settled.otherwise.min(stored.otherwise),
            hold_for: settled.hold_for,
            tell_sender: settled.tell_sender,
            notify: settled.notify,
            subject: settled.subject.max(stored.subject),
        }
    }

    fn number(&self, name: &str) -> Option<usize> {
        self.rules.binary_search_by(|rule| (*rule.name).cmp(name)).ok()
    }

    /// Whether a rule in force protects by what a message contains.
    pub(super) fn protects_content(&self) -> bool {
        self.rules.iter().any(|rule| {
            let protects = rule.asks.require.is_some_and(|level| level > Level::Any) || rule.asks.refuse.is_some();
            rule.is_enforced() && rule.when.has_content_condition() && protects
        })
    }

    fn index(&self, direction: Direction) -> &Index {
        match direction {
            Direction::Outbound => &self.outbound,
            Direction::Inbound => &self.inbound,
            Direction::Internal => &self.internal,
        }
    }

    fn matching(&self, message: &MessageFacts<'_>, to: &Party<'_>, seen: Seen) -> Vec<&Rule> {
        let index = self.index(message.direction);
        let senders = message.reverse_path.mailbox().into_iter().chain(message.header_from);
        let from: Vec<Party<'_>> = senders
            .filter(|_| index.asks_for_sender)
            .map(|mailbox| Party { mailbox, groups: self.groups.of(mailbox.domain()) })
            .collect();
        index
            .candidates(to.mailbox.domain(), &to.groups)
            .into_iter()
            .filter_map(|number| self.rules.get(number))
            .filter(|rule| seen == Seen::All || !rule.when.needs_content())
            .filter(|rule| rule.when.holds(message, to, &from))
            .collect()
    }

    fn hear(&self, message: &MessageFacts<'_>, recipient: &RecipientFacts<'_>, seen: Seen) -> Verdict {
        let to = Party { mailbox: recipient.recipient, groups: self.groups.of(recipient.recipient.domain()) };
        let matching = self.matching(message, &to, seen);
        let (enforced, monitored): (Vec<&Rule>, Vec<&Rule>) = matching.iter().partition(|r| r.is_enforced());
        let machines = self.groups.machines(&to.groups);
        let around = Circumstances { ladder: &self.ladder, smarthost: self.smarthost.as_ref(), machines };
        let in_class = !message.classes.is_empty();
        let settled = settle(&enforced, in_class);
        let decided = decide(&settled, message, recipient, &around);
        let would = |rule: &&Rule| {
            let mut with: Vec<&Rule> = enforced.iter().copied().chain([*rule]).collect();
            with.sort_by(|a, b| a.name.cmp(&b.name));
            let settled = settle(&with, in_class);
            let fate = decide(&settled, message, recipient, &around).fate;
            Monitored { rule: rule.name.clone(), fate, require: settled.require }
        };
        let monitored = monitored.iter().map(would).collect();
        let Settled { require, wait, otherwise, hold_for, tell_sender, notify, subject, refuse, decided_by, .. } =
            settled;
        Verdict {
            classes: message.classes.clone(),
            rules: matching.into_iter().map(matched).collect(),
            require,
            decided_by,
            rungs: decided.rungs,
            wait,
            otherwise,
            hold_for,
            tell_sender,
            notify,
            subject,
            refuse,
            fate: decided.fate,
            reason: decided.reason,
            then: decided.then,
            climb: decided.climb,
            monitored,
        }
    }
}

fn matched(rule: &Rule) -> MatchedRule {
    MatchedRule {
        name: rule.name.clone(),
        at: rule.at.clone(),
        mode: rule.mode,
        asks: rule.shown.clone(),
        require: rule.asks.require,
    }
}

//! Judges: a policy, a message, a recipient, and out comes a verdict.
//!
//! Called by `decide` for the live path, `explain` and the policy's own tests alike. Promises: the same facts give the
//! same verdict, whatever the order of files; cost grows with the rules that can match. Never fails.

use super::class::{self, Class};
use super::exception::{Ending, Exception};
use super::excused::{Excused, Hearing};
use super::facts::{MessageFacts, RecipientFacts};
use super::fate::{Circumstances, Smarthost, decide};
use super::group::{EVER, Groups};
use super::index::Index;
use super::journal::Journal;
use super::looked::{Conditions, Looked, Said};
use super::own::{LexiconDef, PatternDef};
use super::requirement::ProofSource;
use super::rule::Rule;
use super::settle::{Heard, Settled, settle};
use super::verdict::{MatchedRule, Monitored, Verdict};
use super::when::{Lapsed, Party, Who};
use super::{Known, Recognise};
use crate::clock::Wall;
use crate::mail::{Domain, Mailbox};
use crate::vocabulary::{Confidence, Direction, FindingKind, Level, Mode, Rung};
use std::collections::{BTreeMap, BTreeSet};

/// One compiled policy.
#[derive(Debug)]
pub struct Policy {
    pub(super) hash: String,
    pub(super) groups: Groups,
    pub(super) classes: Vec<Class>,
    /// In the order of their names.
    pub(super) rules: Vec<Rule>,
    /// In the order of their names.
    pub(super) exceptions: Vec<Exception>,
    ladder: Vec<Rung>,
    pub(super) recognise: Option<Recognise>,
    pub(super) patterns: Vec<PatternDef>,
    pub(super) lexicons: Vec<LexiconDef>,
    pub(super) smarthost: Option<Smarthost>,
    pub(super) journals: BTreeMap<String, Journal>,
    site_domains: BTreeMap<String, Vec<Domain>>,
    conditions: Conditions,
    /// What lowers has to be accepted by a person.
    pub(super) guard: bool,
    /// A changed file is put into force by itself.
    pub(super) reload_on_change: bool,
    outbound: Index,
    inbound: Index,
    internal: Index,
}

/// How much of the message has been seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    /// Reverse-path and recipient only: rules that need more are not heard.
    Envelope,
    All,
}

impl Policy {
    pub(super) fn new(
        groups: Groups,
        classes: Vec<Class>,
        mut rules: Vec<Rule>,
        exceptions: Vec<Exception>,
        ladder: Vec<Rung>,
    ) -> Policy {
        rules.sort_by(|a, b| a.name.cmp(&b.name));
        let conditions = Conditions::of(&rules, &exceptions);
        let index = |direction| Index::of(&rules, direction, groups.all.len());
        let (outbound, inbound) = (index(Direction::Outbound), index(Direction::Inbound));
        let internal = index(Direction::Internal);
        let (hash, recognise, smarthost) = (String::new(), None, None);
        let (patterns, lexicons) = (Vec::new(), Vec::new());
        Policy {
            hash,
            groups,
            classes,
            rules,
            exceptions,
            ladder,
            recognise,
            patterns,
            lexicons,
            smarthost,
            journals: BTreeMap::new(),
            site_domains: BTreeMap::new(),
            conditions,
            guard: true,
            reload_on_change: false,
            outbound,
            inbound,
            internal,
        }
    }

    pub(super) fn set_surroundings(&mut self, known: &Known) {
        self.site_domains = known.domains.clone();
        self.journals = known.journals.clone();
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

    /// Whether what lowers has to be accepted by a person.
    #[must_use]
    pub fn has_guard(&self) -> bool {
        self.guard
    }

    /// Whether changed files are put into force by themselves.
    #[must_use]
    pub fn reloads_on_change(&self) -> bool {
        self.reload_on_change
    }

    /// A site's own domains; None where no gateway.toml says which they are.
    #[must_use]
    pub fn domains_of(&self, site: &str) -> Option<&[Domain]> {
        self.site_domains.get(site).map(Vec::as_slice)
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

    /// What is recognised beside what is built in.
    #[must_use]
    pub fn patterns(&self) -> &[PatternDef] {
        &self.patterns
    }

    #[must_use]
    pub fn lexicons(&self) -> &[LexiconDef] {
        &self.lexicons
    }

    /// Classes that a message with these findings is in, with scores.
    #[must_use]
    pub fn classify(&self, evidence: &[(FindingKind, Confidence)]) -> BTreeMap<String, f64> {
        let found = class::best(evidence);
        self.classes.iter().filter_map(|class| Some((class.name.clone(), class.score(&found)?))).collect()
    }

    /// Classes that a message with these findings is not in, and has something of.
    #[must_use]
    pub fn nearly(&self, evidence: &[(FindingKind, Confidence)]) -> Vec<class::Nearly> {
        let found = class::best(evidence);
        self.classes.iter().filter_map(|class| class.nearly(&found)).collect()
    }

    /// Whether each condition about a message's own words holds: what is kept of them.
    #[must_use]
    pub fn looked(&self, said: Said<'_>) -> Looked {
        self.conditions.look((&self.rules, &self.exceptions), said)
    }

    /// Rules in force, and exceptions, of which nobody can say whether they would match: they look at words that are not kept.
    pub fn not_known(&self, looked: &Looked, direction: Direction) -> BTreeSet<&str> {
        self.conditions.not_known(looked, direction)
    }

    /// When each exception ends.
    #[must_use]
    pub fn endings(&self) -> Vec<Ending> {
        self.exceptions.iter().map(Exception::ending).collect()
    }

    /// Mailboxes that rules and exceptions name as senders.
    #[must_use]
    pub fn named_senders(&self) -> Vec<Mailbox> {
        let whens = self.rules.iter().map(|rule| &rule.when).chain(self.exceptions.iter().map(|e| &e.when));
        let who = whens.flat_map(|when| when.from.iter().chain(&when.not_from));
        who.filter_map(Who::mailbox).collect()
    }

    /// What must hold for this message and this recipient, and what becomes of it.
    #[must_use]
    pub fn judge(&self, message: &MessageFacts<'_>, recipient: &RecipientFacts<'_>) -> Verdict {
        self.as_journal(message, recipient).unwrap_or_else(|| self.hear(message, recipient, Seen::All))
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

    /// Whether a rule in force protects by what a message contains.
    pub(super) fn protects_content(&self) -> bool {
        self.rules.iter().any(|rule| {
            let protects = rule.asks.require.is_some_and(|level| level > Level::Any) || rule.asks.refuse.is_some();
            rule.is_enforced() && rule.when.has_content_condition() && protects
        })
    }

    /// Rules that could match mail for a domain, whatever the rest of it says.
    pub(super) fn candidates(&self, direction: Direction, domain: &Domain) -> Vec<&Rule> {
        let numbers = self.index(direction).candidates(domain, &self.groups.of(domain, EVER));
        numbers.into_iter().filter_map(|number| self.rules.get(number)).collect()
    }

    fn index(&self, direction: Direction) -> &Index {
        match direction {
            Direction::Outbound => &self.outbound,
            Direction::Inbound => &self.inbound,
            Direction::Internal => &self.internal,
        }
    }

    fn senders<'a>(&self, message: &MessageFacts<'a>) -> Vec<Party<'a>> {
        let asks = self.index(message.direction).asks_for_sender
            || self.exceptions.iter().any(|exception| exception.when.asks_for_sender());
        let senders = message.reverse_path.mailbox().into_iter().chain(message.header_from);
        senders.filter(|_| asks).map(|mailbox| self.party(mailbox, message.at)).collect()
    }

    pub(super) fn party<'a>(&self, mailbox: &'a Mailbox, at: Wall) -> Party<'a> {
        Party { mailbox, groups: self.groups.of(mailbox.domain(), at) }
    }

    fn matching(&self, hearing: &Hearing<'_>) -> Vec<&Rule> {
        let Hearing { message, to, from, seen } = hearing;
        self.index(message.direction)
            .candidates(to.mailbox.domain(), &to.groups)
            .into_iter()
            .filter_map(|number| self.rules.get(number))
            .filter(|rule| *seen == Seen::All || !rule.when.needs_content())
            .filter(|rule| rule.when.holds(message, to, from, Lapsed::Adds))
            .collect()
    }

    fn hear(&self, message: &MessageFacts<'_>, recipient: &RecipientFacts<'_>, seen: Seen) -> Verdict {
        let from = self.senders(message);
        let hearing = Hearing { message, to: self.party(recipient.recipient, message.at), from: &from, seen };
        let (enforced, monitored): (Vec<&Rule>, Vec<&Rule>) =
            self.matching(&hearing).into_iter().partition(|rule| rule.is_enforced());
        let mut excused = Excused::of(&self.exceptions, &hearing, &enforced);
        let machines = self.groups.machines(&hearing.to.groups);
        let around = Circumstances { ladder: &self.ladder, smarthost: self.smarthost.as_ref(), machines };
        let in_class = !message.classes.is_empty();
        let heard = excused.heard();
        let settled = settle(&heard, in_class);
        excused.note_what_is_left(settled.require);
        let decided = decide(&settled, message, recipient, &around);
        let would = |rule: &&Rule| {
            let mut with: Vec<Heard<'_>> = heard.iter().copied().chain([Heard::plainly(rule)]).collect();
            with.sort_by(|a, b| a.rule.name.cmp(&b.rule.name));
            let settled = settle(&with, in_class);
            let fate = decide(&settled, message, recipient, &around).fate;
            Monitored { rule: rule.name.clone(), fate, require: settled.require }
        };
        let watched = monitored.iter().map(would).collect();
        let mut rules: Vec<MatchedRule> = heard.iter().map(|h| excused.matched(h.rule)).collect();
        rules.extend(monitored.iter().map(|rule| excused.matched(rule)));
        rules.sort_by(|a, b| a.name.cmp(&b.name));
        let Settled { require, wait, otherwise, hold_for, tell_sender, notify, .. } = settled;
        let (subject, unread_after) = (settled.subject, settled.unread_after);
        let (refuse, decided_by) = (settled.refuse, settled.decided_by);
        Verdict {
            classes: message.classes.clone(),
            rules,
            lifted: excused.lifted(),
            exceptions: excused.report(),
            require,
            decided_by,
            rungs: decided.rungs,
            wait,
            otherwise,
            hold_for,
            tell_sender,
            notify,
            subject,
            unread_after,
            refuse,
            fate: decided.fate,
            reason: decided.reason,
            then: decided.then,
            climb: decided.climb,
            monitored: watched,
            journal: false,
        }
    }
}

//! The built-in rule `journal`: what a site's own client sends to the mailboxes that its gateway.toml names is an Exchange's journal,
//! and what that table says holds for it, nothing else.
//!
//! Asked by `judge` before any rule. Promises: only mail that leaves that site, and only to those mailboxes; never refused, climbed or
//! ended by time. Never fails.

use super::facts::{MessageFacts, RecipientFacts};
use super::fate::{Circumstances, decide};
use super::judge::Policy;
use super::settle::{Settled, UNREAD_AFTER, WAIT};
use super::verdict::{MatchedRule, Verdict};
use crate::mail::Mailbox;
use crate::vocabulary::{Direction, Level, Mode, Otherwise, SubjectCare};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// Its name: no rule of a file may have it.
pub(super) const JOURNAL: &str = "journal";
/// A hundred years: nobody gives it up but a person.
const FOR_EVER: Duration = Duration::from_secs(100 * 365 * 86_400);

/// Where a site's journal goes, and what must hold for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Journal {
    pub to: Vec<Mailbox>,
    pub require: Level,
}

impl Policy {
    /// What its table asks of a message to one of its mailboxes.
    pub(super) fn journal_of(&self, site: Option<&str>, direction: Direction, to: &Mailbox) -> Option<Level> {
        // Whoever comes from outside can write there like to anybody.
        let journal = site.filter(|_| direction != Direction::Inbound).and_then(|site| self.journals.get(site))?;
        journal.to.iter().any(|mailbox| mailbox.key() == to.key()).then_some(journal.require)
    }

    /// The verdict on a journal report; None: rules decide.
    pub(super) fn as_journal(&self, message: &MessageFacts<'_>, recipient: &RecipientFacts<'_>) -> Option<Verdict> {
        let site = message.sites.leaves;
        let require = self.journal_of(site, message.direction, recipient.recipient)?;
        let settled = Settled {
            require,
            upgrade: BTreeSet::new(),
            wait: WAIT,
            otherwise: Otherwise::Hold,
            hold_for: FOR_EVER,
            tell_sender: FOR_EVER,
            notify: Vec::new(),
            subject: SubjectCare::Scrub,
            unread_after: UNREAD_AFTER,
            refuse: None,
            decided_by: BTreeMap::from([("require", JOURNAL.to_owned())]),
        };
        let around = Circumstances { ladder: &[], smarthost: self.smarthost.as_ref(), machines: true };
        let decided = decide(&settled, message, recipient, &around);
        let rule = MatchedRule {
            name: JOURNAL.into(),
            at: format!("gateway.toml [site.{}]", site.unwrap_or_default()).into(),
            mode: Mode::Enforce,
            asks: Arc::new(json!({ "require": require }).as_object().cloned().unwrap_or_default()),
            require: Some(require),
            excepted: Vec::new(),
            marks: Vec::new(),
        };
        Some(Verdict {
            classes: message.classes.clone(),
            rules: vec![rule],
            lifted: Vec::new(),
            exceptions: Vec::new(),
            require,
            decided_by: settled.decided_by,
            rungs: Vec::new(),
            wait: settled.wait,
            otherwise: settled.otherwise,
            hold_for: settled.hold_for,
            tell_sender: settled.tell_sender,
            notify: settled.notify,
            subject: settled.subject,
            unread_after: settled.unread_after,
            refuse: None,
            fate: decided.fate,
            reason: decided.reason,
            then: decided.then,
            climb: None,
            monitored: Vec::new(),
            journal: true,
        })
    }
}

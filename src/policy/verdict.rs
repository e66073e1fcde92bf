//! A verdict: what policy decides for one message and one recipient, and why.
//!
//! Made by `judge`; kept, printed and acted upon by the stages. Promises: `rules` are in the order of their names, and
//! everything that `explain` prints is in here. Never holds a finding's text.

use super::requirement::{Requirement, RuleAsk, Watched};
use crate::mail::Mailbox;
use crate::vocabulary::{Direction, Fate, Level, Mode, Otherwise, Reason, Rung, SubjectCare};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// A rule whose conditions hold.
#[derive(Debug, Clone, PartialEq)]
pub struct MatchedRule {
    pub name: Arc<str>,
    /// `30-rules.toml:12`
    pub at: Arc<str>,
    pub mode: Mode,
    /// What it asks: only keys that it sets.
    pub asks: Arc<Map<String, Value>>,
    pub(super) require: Option<Level>,
    /// Exceptions in force for it.
    pub excepted: Vec<Arc<str>>,
    /// The same, as they are kept with the message.
    pub(super) marks: Vec<String>,
}

/// An exception that is for a rule that matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excepted {
    pub name: Arc<str>,
    /// `exceptions.toml:12`
    pub at: Arc<str>,
    pub state: ExceptionState,
    /// At 12:00 of that day.
    pub ends: jiff::civil::Date,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExceptionState {
    Applied,
    /// Its day is over.
    Ended,
    /// Another rule still asks for more.
    WithoutEffect,
}

impl ExceptionState {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            ExceptionState::Applied => "applied",
            ExceptionState::Ended => "ended",
            ExceptionState::WithoutEffect => "without-effect",
        }
    }
}

/// A rung that the matching rules admit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RungVerdict {
    pub rung: Rung,
    pub available: bool,
    /// Why it is passed over.
    pub reason: Option<&'static str>,
}

/// What a monitored rule would have done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Monitored {
    pub rule: Arc<str>,
    /// The fate with this rule in force beside the others.
    pub fate: Fate,
    pub require: Level,
}

/// What policy decides for one message and one recipient.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    pub classes: BTreeMap<String, f64>,
    pub rules: Vec<MatchedRule>,
    /// Rules in force that would match but for an exception.
    pub lifted: Vec<MatchedRule>,
    /// Those that are for a rule that matches.
    pub exceptions: Vec<Excepted>,
    pub require: Level,
    /// Key to the rule that decided it; keys that no rule set are not in it.
    pub decided_by: BTreeMap<&'static str, String>,
    pub rungs: Vec<RungVerdict>,
    pub wait: Duration,
    pub otherwise: Otherwise,
    pub hold_for: Duration,
    pub tell_sender: Duration,
    /// Empty: the site's duty address.
    pub notify: Vec<String>,
    pub subject: SubjectCare,
    /// It takes effect with the portal, which does not exist yet.
    pub unread_after: Duration,
    /// Rule, and its text for the sender.
    pub refuse: Option<(String, String)>,
    pub fate: Fate,
    pub reason: Reason,
    /// What follows when the requirement does not hold within `wait`.
    pub then: Option<Fate>,
    /// The rung that serves in place of a `hold` or `reject` in `fate` or `then`. None where no rung can serve.
    pub climb: Option<Rung>,
    pub monitored: Vec<Monitored>,
    /// Said by gateway.toml and by no rule: never refused, never given up.
    pub journal: bool,
}

impl Verdict {
    /// What is kept with the entry.
    #[must_use]
    pub fn requirement(&self) -> Requirement {
        let enforced = self.rules.iter().filter(|r| r.mode == Mode::Enforce);
        let ask = |r: &MatchedRule| RuleAsk {
            name: r.name.to_string(),
            at: r.at.to_string(),
            require: r.require,
            excepted: r.marks.clone(),
        };
        Requirement {
            level: self.require,
            rules: enforced.map(ask).collect(),
            lifted: self.lifted.iter().map(ask).collect(),
            watched: self.watched(),
            classes: self.classes.keys().cloned().collect(),
            wait: self.wait,
            otherwise: self.otherwise,
            hold_for: self.hold_for,
            tell_sender: self.tell_sender,
            notify: self.notify.clone(),
            subject: self.subject,
            journal: self.journal,
        }
    }

    /// Monitored rules that would send as well, if the link holds what they ask.
    fn watched(&self) -> Vec<Watched> {
        let open = self.monitored.iter().filter(|m| m.fate == Fate::Send && m.require > self.require);
        open.map(|m| Watched { rule: m.rule.to_string(), require: m.require }).collect()
    }

    /// What is kept of it with the decision on a message to this mailbox, which went this way: the direction, and the site that it
    /// reaches.
    #[must_use]
    pub fn record(&self, to: &Mailbox, way: (Direction, Option<&str>)) -> Value {
        let rule = |r: &MatchedRule| json!({ "name": *r.name, "at": *r.at, "mode": r.mode, "asks": *r.asks });
        let monitored = |m: &Monitored| json!({ "rule": *m.rule, "require": m.require, "fate": m.fate });
        json!({
            "to": to,
            "direction": way.0,
            "reaches": way.1,
            "classes": self.classes,
            "rules": self.rules.iter().map(rule).collect::<Vec<_>>(),
            "exceptions": self.exceptions_json(),
            "monitored": self.monitored.iter().map(monitored).collect::<Vec<_>>(),
            "lifted": self.lifted.iter().map(|r| r.name.as_ref()).collect::<Vec<_>>(),
            "require": self.require,
            "decided_by": self.decided_by,
            "fate": self.fate_name(),
            "reason": self.reason,
        })
    }

    /// As `explain` and the records show them.
    #[must_use]
    pub fn exceptions_json(&self) -> Value {
        let shown = |e: &Excepted| json!({ "name": *e.name, "at": *e.at, "state": e.state });
        self.exceptions.iter().map(shown).collect()
    }

    /// The fate as it is printed: a climb is printed as its rung.
    #[must_use]
    pub fn fate_name(&self) -> String {
        self.named(self.fate)
    }

    /// What follows after `wait`, printed alike.
    #[must_use]
    pub fn then_name(&self) -> Option<String> {
        self.then.map(|fate| self.named(fate))
    }

    /// The rule that decided the fate, for replies, logs and metrics.
    #[must_use]
    pub fn deciding_rule(&self) -> Option<&str> {
        let key = if self.fate == Fate::Refuse { "refuse" } else { "require" };
        self.decided_by.get(key).map(String::as_str)
    }

    fn named(&self, fate: Fate) -> String {
        match (&self.climb, fate) {
            (Some(rung), Fate::Hold | Fate::Reject) => rung.to_string(),
            _ => fate.to_string(),
        }
    }
}

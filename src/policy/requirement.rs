//! What must hold for one recipient, as it is kept with the entry; and how a domain's hosts may prove themselves.

use crate::vocabulary::{Level, Otherwise, SubjectCare};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// One matching rule with what it asked, as it is stored with the entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleAsk {
    pub name: String,
    /// `30-rules.toml:12`
    pub at: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub require: Option<Level>,
    /// Exceptions that were in force for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub excepted: Vec<String>,
}

/// A monitored rule and what it would ask.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watched {
    pub rule: String,
    pub require: Level,
}

/// What must hold for one recipient: decided at accept, stored with the entry, raised (never lowered) at each attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requirement {
    pub level: Level,
    /// Every enforced rule that matched.
    pub rules: Vec<RuleAsk>,
    /// Those that an exception took away: when it ends, they hold again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lifted: Vec<RuleAsk>,
    /// Monitored rules whose level was not known to hold or fail at accept: the link shows what they would have done.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub watched: Vec<Watched>,
    /// Classes that the message is in.
    pub classes: Vec<String>,
    /// How long the direct path is tried before `otherwise`.
    pub wait: Duration,
    pub otherwise: Otherwise,
    pub hold_for: Duration,
    pub tell_sender: Duration,
    pub notify: Vec<String>,
    pub subject: SubjectCare,
    /// A journal report: what was asked of it then holds whatever becomes of gateway.toml, and it is never given up.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub journal: bool,
}

/// One source that can prove a host. Where several exist for a domain, every one must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProofSource {
    /// Who says so: `group nhsmail`, `relay secure-hub`, `site kingston-surgery`.
    pub origin: String,
    pub check: ProofCheck,
    /// So long after its end a certificate still counts, where its key is the one that proved the host before.
    pub expired_grace: Option<Duration>,
}

impl ProofSource {
    /// One that excuses nothing.
    #[must_use]
    pub fn new(origin: impl Into<String>, check: ProofCheck) -> ProofSource {
        ProofSource { origin: origin.into(), check, expired_grace: None }
    }
}

/// How one source proves a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProofCheck {
    /// The MX host's name matches one pattern (`*` is exactly the left-most label) and its certificate is valid for that name.
    Mx(Vec<String>),
    /// The same with the hosts that the domain's own MTA-STS policy lists.
    MtaSts(Vec<String>),
    /// The certificate is valid for one of these names.
    Names(Vec<String>),
    /// The key is one of these, `sha256/BASE64` of the SPKI, whatever name or date.
    Pins(Vec<String>),
}

impl Requirement {
    /// What holds for an entry whose own requirement cannot be read: the most, and people look at it.
    #[must_use]
    pub fn unreadable() -> Requirement {
        Requirement {
            level: Level::Sealed,
            rules: Vec::new(),
            lifted: Vec::new(),
            watched: Vec::new(),
            classes: Vec::new(),
            wait: Duration::ZERO,
            otherwise: Otherwise::Hold,
            hold_for: Duration::from_secs(5 * 24 * 60 * 60),
            tell_sender: Duration::from_secs(15 * 60),
            notify: Vec::new(),
            subject: SubjectCare::Replace,
            journal: false,
        }
    }

    /// The level, where no rule that was kept says why: it holds whatever becomes of them.
    pub(super) fn unexplained(&self) -> Level {
        let asked = self.rules.iter().chain(&self.lifted).filter_map(|rule| rule.require).max();
        if asked.is_some_and(|asked| asked >= self.level) { Level::Any } else { self.level }
    }

    /// The rule that decided the level: the first by name among those that ask the most.
    #[must_use]
    pub fn deciding_rule(&self) -> Option<&str> {
        let asking = self.rules.iter().filter(|rule| rule.require.is_some());
        let most = asking.clone().map(|rule| rule.require).max()?;
        asking.clone().find(|rule| rule.require == most).map(|rule| rule.name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rule_that_asks_the_most_decided_and_the_first_by_name_among_equals() {
        let rule = |name: &str, require| RuleAsk {
            name: name.to_owned(),
            at: "r.toml:1".to_owned(),
            require,
            excepted: Vec::new(),
        };
        let rules = vec![
            rule("a", None),
            rule("b", Some(Level::Encrypted)),
            rule("c", Some(Level::Verified)),
            rule("d", Some(Level::Verified)),
        ];
        let asked = Requirement { rules, ..Requirement::unreadable() };
        assert_eq!(asked.deciding_rule(), Some("c"));
        assert_eq!(Requirement { rules: vec![rule("a", None)], ..asked }.deciding_rule(), None);
    }
}

//! What must hold: the policy language. Compiles TOML as it is typed, judges a message for one recipient, says why, and
//! grants permits to links. Never acts, never sees a finding's text.
//!
//! Called by `decide` (compile, judge) and `deliver` (permit). Promises: order does not matter, of all rules that match
//! the strictest wins, key by key; adding a rule can only protect more. Fails by diagnostics with file, line and column.

mod accepted;
mod class;
mod compile;
pub(crate) mod diagnostic;
mod domains;
mod exception;
mod excused;
mod facts;
mod fate;
mod group;
mod implied;
mod import;
mod index;
mod journal;
mod judge;
mod lint;
mod list;
mod looked;
mod lowered;
mod own;
mod partners;
pub mod permit;
mod published;
mod queued;
pub mod requirement;
mod rule;
mod schema;
mod sentence;
mod settle;
pub(crate) mod syntax;
mod test_case;
pub(crate) mod typed;
mod verdict;
mod when;

use crate::mail::Domain;
use crate::vocabulary::Level;
use jiff::civil::Date;
use std::collections::BTreeMap;

pub use class::Nearly;
pub use compile::compile;
pub use diagnostic::{Diagnostic, Severity, Style};
pub use exception::Ending;
pub use facts::{MessageFacts, QueuedFacts, RecipientFacts, Sites};
pub use import::{Imported, import};
pub use journal::Journal;
pub use judge::Policy;
pub use looked::{Looked, Said, Words};
pub use lowered::lowered;
pub use own::{LexiconDef, PatternDef, Sample};
pub use permit::{Asked, FailedTls, Permit, TlsFailedEverywhere, grant, grant_after_failed_tls};
pub use published::Cap;
pub use requirement::{ProofCheck, ProofSource, Requirement, RuleAsk};
pub use schema::schema;
pub use test_case::{Expect, PolicyTest, TestContent, peer_level};
pub use verdict::{Excepted, ExceptionState, MatchedRule, Monitored, RungVerdict, Verdict};

/// One file of a policy, as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// As shown: `30-rules.toml`, `lists/partners.csv`
    pub name: String,
    pub text: String,
}

impl SourceFile {
    /// Whether it is a file of rules; all others are lists.
    #[must_use]
    pub fn is_toml(&self) -> bool {
        self.name.ends_with(".toml")
    }
}

/// What gateway.toml says that rules may name or need.
#[derive(Debug, Clone)]
pub struct Known {
    pub relays: Vec<KnownRelay>,
    /// None without a gateway.toml: any name of a site, and of a relay, is accepted.
    pub sites: Option<Vec<String>>,
    /// Each site's own domains.
    pub domains: BTreeMap<String, Vec<Domain>>,
    /// Sites whose own legs may be in clear text.
    pub open_sites: Vec<String>,
    /// Whether every site has an address that is told.
    pub duty: bool,
    /// The relay that all outbound mail goes through.
    pub smarthost: Option<String>,
    /// By site: where its journal goes.
    pub journals: BTreeMap<String, Journal>,
}

impl Default for Known {
    fn default() -> Known {
        Known {
            relays: Vec::new(),
            sites: None,
            domains: BTreeMap::new(),
            open_sites: Vec::new(),
            duty: true,
            smarthost: None,
            journals: BTreeMap::new(),
        }
    }
}

/// A relay of gateway.toml.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownRelay {
    pub name: String,
    /// Host names or addresses.
    pub hosts: Vec<String>,
    /// Classes that it is approved for.
    pub carries: Vec<String>,
    /// What its owner promises after it.
    pub onward: Level,
    pub require: Level,
}

/// What tells a patient's number from a telephone's: `[recognise.nhs-number]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recognise {
    pub labels: Vec<String>,
    pub against: Vec<String>,
    /// Characters before and behind a number that are looked at.
    pub window: usize,
}

/// A policy that can be used, with what it brought along.
#[derive(Debug)]
pub struct Compiled {
    pub policy: Policy,
    pub warnings: Vec<Diagnostic>,
    pub tests: Vec<PolicyTest>,
    /// What the patterns must find, and must not.
    pub samples: Vec<Sample>,
    /// The day that the tests live on.
    pub day: Option<Date>,
    due: Vec<Due>,
}

/// A warning that begins after a day.
#[derive(Debug, Clone)]
struct Due {
    after: Date,
    diagnostic: Diagnostic,
}

impl Compiled {
    /// Warnings as they stand on that day: reviews that are due, and monitored rules past their end, among them.
    #[must_use]
    pub fn warnings_on(&self, today: Date) -> Vec<Diagnostic> {
        let due = self.due.iter().filter(|due| due.after < today).map(|due| &due.diagnostic);
        self.warnings.iter().chain(due).cloned().collect()
    }
}

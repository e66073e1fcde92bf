//! The verbs of the running gateway: asked over a Unix socket, answered in JSON. Commands and tests call the same.
//!
//! Promises: the socket is open to the owner of the data folder only; verbs that only read give the same answer from the
//! data folder while the gateway is stopped. Fails with a sentence in the answer.

pub mod client;
pub mod instruct;
pub mod order;
pub mod queries;
pub mod select;
pub mod server;

use crate::clock::EntryId;
use crate::config::Config;
use crate::mail::Domain;
use crate::policy::diagnostic::Mistake;
use crate::proof::memory::Offered;
use crate::vocabulary::Reason;
use instruct::Wanted;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// What is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "kebab-case")]
pub enum Request {
    Status,
    /// The page after an entry; none: the first.
    QueueList {
        filter: Filter,
        after: Option<EntryId>,
    },
    QueueCount {
        filter: Filter,
        after: Option<EntryId>,
    },
    QueueShow {
        id: String,
    },
    QueueRetry {
        filter: Filter,
    },
    QueueInstruct {
        wanted: Wanted,
    },
    Trace {
        query: String,
    },
    /// What monitored rules would have done in the last so many seconds.
    Readiness {
        seconds: u64,
    },
    /// What domains ask of senders (MTA-STS); none named: all that is kept.
    MtaSts {
        domain: Option<Domain>,
    },
    MtaStsRefresh {
        domain: Domain,
    },
    /// What mail hosts offered before; none named: all that are known.
    Hosts {
        host: Option<String>,
    },
    /// What a host offers since it fell is right.
    HostAccept {
        host: String,
        /// What whoever accepts it has seen: nothing else is accepted.
        offered: Offered,
        accepting: Accepting,
    },
    Reload {
        accepting: Option<Accepting>,
    },
    Rollback {
        accepting: Option<Accepting>,
    },
}

/// That what lowers is meant, for the record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepting {
    pub because: String,
    pub by: String,
}

/// The same, and who asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    pub uid: u32,
    pub because: String,
    pub by: String,
}

/// Whoever puts policies into force.
pub trait Reloads: Send + Sync {
    /// Takes the files of the policy, and says what changed.
    ///
    /// # Errors
    /// With all that is wrong, or what would be lowered.
    fn reload(&self, accepted: Option<&Accepted>) -> Result<serde_json::Value, String>;

    /// Takes the policy that was in force before.
    ///
    /// # Errors
    /// Where there is none, or what would be lowered.
    fn rollback(&self, accepted: Option<&Accepted>) -> Result<serde_json::Value, String>;
}

/// Which messages of the queue are meant. All that are given hold; none given: all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, clap::Args)]
pub struct Filter {
    /// Entry ids
    #[arg(value_name = "ID", value_parser = entry_id)]
    #[serde(default)]
    pub ids: Vec<EntryId>,
    /// A recipient's domain
    #[arg(long, value_name = "DOMAIN", value_parser = domain)]
    pub to_domain: Option<Domain>,
    /// A rule that the message matched
    #[arg(long)]
    pub rule: Option<String>,
    /// Why it waits
    #[arg(long, value_parser = reason)]
    pub reason: Option<Reason>,
    /// A class that the message is in
    #[arg(long)]
    pub class: Option<String>,
}

/// An entry id as it is typed.
///
/// # Errors
/// What an id looks like.
pub fn entry_id(written: &str) -> Result<EntryId, String> {
    written.parse().map_err(|why| format!("{why}\nhint: `mailward queue list` and `mailward trace ADDRESS` show ids"))
}

/// A domain as people type it: in any case, with a dot behind it or an @ before it, in letters of any script.
pub(crate) fn domain(written: &str) -> Result<Domain, String> {
    let name = written.strip_prefix('@').unwrap_or(written);
    name.parse()
        .map_err(|why| format!("{why}\nhint: name what stands behind the @ of an address, such as trust.example"))
}

/// One of the closed vocabulary, or the nearest that is.
fn reason(written: &str) -> Result<Reason, String> {
    written.parse().map_err(|_| {
        let message = format!("no mail waits for a reason `{written}`");
        let mistake = Mistake::unknown("unknown-reason", message, written, Reason::NAMES.iter().copied());
        format!("{}\nhint: {}", mistake.message, mistake.hint.unwrap_or_default())
    })
}

impl Request {
    /// The verb as it travels; what is asked about is nobody's business.
    #[must_use]
    pub fn verb(&self) -> &'static str {
        match self {
            Request::Status => "status",
            Request::QueueList { .. } => "queue-list",
            Request::QueueCount { .. } => "queue-count",
            Request::QueueShow { .. } => "queue-show",
            Request::QueueRetry { .. } => "queue-retry",
            Request::QueueInstruct { wanted } => wanted.order.name(),
            Request::Trace { .. } => "trace",
            Request::Readiness { .. } => "readiness",
            Request::MtaSts { .. } => "mta-sts",
            Request::MtaStsRefresh { .. } => "mta-sts-refresh",
            Request::Hosts { .. } => "hosts",
            Request::HostAccept { .. } => "host-accept",
            Request::Reload { .. } => "reload",
            Request::Rollback { .. } => "rollback",
        }
    }
}

/// What is answered.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    Good(serde_json::Value),
    /// A sentence.
    Bad(String),
}

/// What `status` says.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Status {
    pub running: bool,
    pub version: String,
    pub hostname: String,
    /// None: no policy is in force, and MAIL is put off.
    pub policy_hash: Option<String>,
    pub started: String,
    pub listeners: Vec<(String, SocketAddr)>,
    #[serde(skip_deserializing)]
    pub not_accepted: NotAccepted,
}

/// What a start with another gateway.toml lowered, a sentence each, as long as no person has accepted it.
#[derive(Debug, Clone, Default)]
pub struct NotAccepted(Arc<Mutex<Vec<String>>>);

impl NotAccepted {
    pub fn set(&self, sentences: Vec<String>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = sentences;
    }
}

impl Serialize for NotAccepted {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).serialize(serializer)
    }
}

impl Status {
    #[must_use]
    pub fn of(
        config: &Config,
        (policy_hash, not_accepted): (Option<String>, NotAccepted),
        listening: &[(Arc<str>, SocketAddr)],
    ) -> Status {
        Status {
            running: true,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            hostname: config.hostname.to_string(),
            policy_hash,
            not_accepted,
            started: crate::clock::rfc3339(crate::clock::Now::read().wall),
            listeners: listening.iter().map(|(name, address)| (name.to_string(), *address)).collect(),
        }
    }
}

/// What `status` says of a stopped gateway: every key that a running one has, and nothing in it.
#[must_use]
pub fn stopped() -> serde_json::Value {
    serde_json::json!({
        "running": false,
        "version": null,
        "hostname": null,
        "policy_hash": null,
        "started": null,
        "listeners": null,
        "not_accepted": null,
        "queue": null,
        "entries": null,
        "store": null,
        "room": null,
    })
}

/// Where the socket of a data folder is.
#[must_use]
pub fn socket(data: &Path) -> PathBuf {
    data.join("control.sock")
}

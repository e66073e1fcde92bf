//! One attempt that is over, as a value: what was tried where, and what each recipient's peer said.
//!
//! Made by `attempt` and where a lane is missed, read by `settle` and `tell`. Promises: of a message in a class nothing of a peer's
//! words passes that may repeat its text. Fails never.

use crate::clock::Now;
use crate::mail::{Link, Status};
use crate::queue::{Entry, Task};
use crate::smtp::client::Refusal;
use crate::vocabulary::Reason;
use std::sync::Arc;

/// One recipient's part of an attempt.
#[derive(Debug)]
pub(super) struct Attempted {
    pub recipient: u16,
    pub result: Result<Status, Refusal>,
}

/// Where an attempt happened.
#[derive(Debug, Clone, Default)]
pub(super) struct Setting {
    pub link: Option<Link>,
    pub host: Option<String>,
    /// The peer reports on its own what the sender asked to hear.
    pub offers_dsn: bool,
}

impl Setting {
    pub fn of(link: &Link) -> Setting {
        Setting { link: Some(link.clone()), host: Some(link.host.clone()), offers_dsn: false }
    }
}

/// Names of a certificate that are kept with an entry.
const NAMES: usize = 4;

/// In place of what a peer said that had the text of a message in a class.
const WITHHELD: &str = "(the server's own words are not repeated)";

/// One attempt that is over: what was tried, and what it came to.
pub(super) struct Attempt {
    pub task: Task,
    pub entry: Arc<Entry>,
    pub attempted: Vec<Attempted>,
    pub setting: Setting,
    pub now: Now,
}

impl Attempt {
    /// Where the time was up: what the attempt failed for.
    pub fn behind(&self, recipient: u16, reason: Reason) -> Option<Reason> {
        let one = self.attempted.iter().find(|a| a.recipient == recipient && reason == Reason::Expired)?;
        one.result.as_ref().err().map(|refusal| refusal.reason)
    }

    /// What the host's certificate says instead of its name, some names of it.
    pub fn other_names(&self, reason: Reason) -> Vec<String> {
        let tls = self.setting.link.as_ref().and_then(|link| link.tls.as_ref());
        let wrong = tls.filter(|_| reason == Reason::CertificateWrongName);
        wrong.into_iter().flat_map(|tls| &tls.names).take(NAMES).cloned().collect()
    }

    /// What the peer said. Of mail in a class or with REQUIRETLS its words are taken out once it has seen the text, which it may quote, and
    /// its digits before: a subject line of another message, or a number from an address, may be in them.
    pub fn status_of(&self, recipient: u16) -> Option<Status> {
        let one = self.attempted.iter().find(|a| a.recipient == recipient)?;
        let (status, has_seen) = match &one.result {
            Ok(status) => (status, true),
            Err(refusal) => {
                let of_text = matches!(refusal.reason, Reason::MessageDeferred | Reason::MessageRefused);
                (refusal.status.as_ref()?, of_text || self.task.attempts > 0)
            }
        };
        let is_guarded = self.entry.is_in_class() || self.entry.envelope.require_tls;
        let text = match (is_guarded, has_seen) {
            (false, _) => status.text.clone(),
            (true, true) => WITHHELD.to_owned(),
            (true, false) => status.text.chars().map(|c| if c.is_numeric() { '#' } else { c }).collect(),
        };
        Some(Status { text, ..status.clone() })
    }
}

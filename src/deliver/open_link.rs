//! A link that carries mail: its connection, what it achieved, what it has carried, and what the peer still takes.
//!
//! Made by `link`, used by `attempt`. Promises: a permit is asked for each transaction and names it; the limits that the peer
//! announced are kept (RFC 9422), in the session and in each transaction.

use super::connection::Connection;
use crate::mail::{Domain, Link};
use crate::policy::{self, Permit};
use crate::queue::Entry;
use crate::vocabulary::{Level, Reason};

/// A link that reached its lane's level.
pub(super) struct OpenLink {
    pub connection: Connection,
    pub record: LinkRecord,
}

/// What a link achieved, and what it has carried.
pub(super) struct LinkRecord {
    pub link: Link,
    /// Transactions so far: a permit is for one.
    pub transactions: u64,
    /// Domains of recipients so far, where the peer bounds them.
    domains: Vec<Domain>,
}

impl OpenLink {
    pub fn new(connection: Connection, link: Link) -> OpenLink {
        OpenLink { connection, record: LinkRecord { link, transactions: 0, domains: Vec::new() } }
    }

    pub async fn quit(self) {
        self.connection.quit().await;
    }

    /// The permit for the next transaction, if the link holds what must hold.
    pub fn permit(&mut self, level: Level) -> Result<Permit, Reason> {
        self.record.transactions += 1;
        policy::grant(&self.record.link, level, self.record.transactions)
    }

    /// Whether the peer takes no more transactions in this session (RFC 9422 4.1 MAILMAX).
    pub fn is_spent(&self) -> bool {
        let most = self.connection.offer().limits.mail;
        most.is_some_and(|most| self.record.transactions >= u64::from(most))
    }

    /// The recipients that the next transaction may have by the peer's limits, from the front of `recipients`. None: the
    /// session has no room for them, and a new one has.
    pub fn portion(&mut self, recipients: &[u16], entry: &Entry) -> Vec<u16> {
        let limits = self.connection.offer().limits;
        if self.is_spent() {
            return Vec::new();
        }
        let most = limits.rcpt.map_or(usize::MAX, |n| n as usize);
        let domains = &mut self.record.domains;
        let mut fits = |recipient: &u16| {
            let Some(most) = limits.domains else { return true };
            let Some(r) = entry.envelope.recipients.get(usize::from(*recipient)) else { return true };
            let known = domains.contains(r.mailbox.domain());
            if !known && domains.len() < most as usize {
                domains.push(r.mailbox.domain().clone());
                return true;
            }
            known
        };
        recipients.iter().copied().filter(|r| fits(r)).take(most).collect()
    }
}

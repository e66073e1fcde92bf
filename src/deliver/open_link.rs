//! A link that carries mail: its connection, what it achieved, what it has carried, and what the peer still takes.
//!
//! Made by `link`, used by `attempt`. Promises: a permit is asked for each transaction and names it, and one that names another
//! link or transaction sends nothing; the limits that the peer
//! announced are kept (RFC 9422), in the session and in each transaction.

use super::connection::{Connection, Sent};
use super::outgoing::Message;
use crate::clock::{Now, Wall};
use crate::mail::{Domain, Envelope, Link};
use crate::policy::{self, Asked, Permit, Requirement, TlsFailedEverywhere};
use crate::queue::Entry;
use crate::vocabulary::{Level, Reason};
use std::time::{Duration, Instant};

/// How long a link is used before what its peer publishes and proves is looked at anew.
const AGE: Duration = Duration::from_secs(5 * 60);

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
    /// What was proved and published is looked at anew then.
    renewal: Instant,
    /// When an exception ends that this link has to thank.
    until: Option<Wall>,
    /// Domains of recipients so far, where the peer bounds them.
    domains: Vec<Domain>,
    /// It is in clear because TLS failed, and this is why it may be.
    unprotected: Option<Unprotected>,
}

/// Why a link is without TLS that its host offers, and until when that is believed.
#[derive(Debug, Clone)]
pub(super) struct Unprotected {
    pub evidence: TlsFailedEverywhere,
    pub until: Instant,
}

impl LinkRecord {
    pub fn is_unprotected(&self) -> bool {
        self.unprotected.is_some()
    }

    /// Whether the permit is for the transaction that is next here.
    fn is_named_by(&self, permit: &Permit) -> bool {
        (permit.link_id(), permit.transaction()) == (self.link.id, self.transactions)
    }
}

impl OpenLink {
    pub fn new(connection: Connection, link: Link, until: Option<Wall>) -> OpenLink {
        let (renewal, domains) = (Instant::now() + AGE, Vec::new());
        OpenLink {
            connection,
            record: LinkRecord { link, transactions: 0, renewal, until, domains, unprotected: None },
        }
    }

    pub async fn quit(self) {
        self.connection.quit().await;
    }

    pub fn unprotected(mut self, unprotected: Unprotected) -> OpenLink {
        self.record.unprotected = Some(unprotected);
        self
    }

    /// The permit for the next transaction, if the link holds what must hold: what is `asked`, and for a link that is in clear
    /// after failed TLS the `requirements` of everybody whom the message is for.
    pub fn permit(&mut self, asked: Asked, requirements: &[Requirement]) -> Result<Permit, Reason> {
        self.record.transactions += 1;
        let LinkRecord { link, transactions, unprotected, .. } = &self.record;
        match unprotected {
            Some(why) if asked == Level::Any.into() => {
                policy::grant_after_failed_tls(link, &why.evidence, requirements, *transactions)
            }
            _ => policy::grant(link, asked, *transactions),
        }
    }

    /// One transaction, for which `permit` was given: by another's nothing is sent. Whether the link goes on is in `Sent`.
    pub async fn send(self, permit: Permit, envelope: &Envelope, message: Message<'_>) -> (Sent, LinkRecord) {
        let OpenLink { connection, record } = self;
        if !record.is_named_by(&permit) {
            tracing::error!(host = record.link.host, "a permit of another transaction: nothing is sent by it");
            return (connection.declined(envelope, Reason::ProtocolError), record);
        }
        (connection.send(permit, envelope, message).await, record)
    }

    /// Whether the peer takes no more transactions in this session (RFC 9422 4.1 MAILMAX), TLS is to be tried again, or what was
    /// proved, published and excepted is to be looked at anew.
    pub fn is_spent(&self) -> bool {
        let (most, now) = (self.connection.offer().limits.mail, Instant::now());
        let over = self.record.unprotected.as_ref().is_some_and(|u| now >= u.until) || now >= self.record.renewal;
        let unexcepted = self.record.until.is_some_and(|until| Now::read().wall >= until);
        over || unexcepted || most.is_some_and(|most| self.record.transactions >= u64::from(most))
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

#[cfg(test)]
mod tests;

//! Opening a link: hosts in order, the best TLS that each offers, proof where somebody says how, then the comparison.
//!
//! Called by `Delivery::work`. Promises: every host and address is tried before the lane is missed; a stall or a failed
//! handshake is that host's failure; a link below its lane's level carries nothing. Fails with the last host's reason.

use super::Delivery;
use super::connection::{Broken, Connection, Secured};
use super::route::{Host, Unroutable};
use super::verdict::is_of_protection;
use crate::clock::Now;
use crate::mail::{Enhanced, Link, Status};
use crate::policy::{self, Permit, ProofSource};
use crate::proof;
use crate::queue::{Destination, Lane};
use crate::vocabulary::{Level, Proof, Reason};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};

/// Addresses that one opening tries at most.
const ADDRESSES: usize = 12;

static LINKS: AtomicU64 = AtomicU64::new(1);

/// A link that reached its lane's level.
pub(super) struct OpenLink {
    pub connection: Connection,
    pub link: Link,
    /// Transactions so far: a permit is for one.
    pub transactions: u64,
}

impl OpenLink {
    pub async fn quit(self) {
        self.connection.quit().await;
    }

    /// The permit for the next transaction, if the link holds what must hold.
    pub fn permit(&mut self, level: Level) -> Result<Permit, Reason> {
        self.transactions += 1;
        policy::grant(&self.link, level, self.transactions)
    }
}

/// Why a lane has no link.
#[derive(Debug, Clone)]
pub(super) struct Missed {
    pub reason: Reason,
    /// What the host said; without one, what is ours to say.
    pub status: Option<Status>,
    /// The last link that was made, where it was not good enough.
    pub link: Option<Link>,
    pub host: Option<String>,
}

impl Missed {
    /// Of two hosts' failures the one that says less about protection: while one host is merely down, nobody knows yet that
    /// the domain cannot give what is asked.
    fn or_if_worse(self, later: Missed) -> Missed {
        let known_down = !is_of_protection(self.reason) && self.host.is_some();
        if known_down && is_of_protection(later.reason) { self } else { later }
    }
}

impl From<Unroutable> for Missed {
    fn from(unroutable: Unroutable) -> Missed {
        Missed { reason: unroutable.reason, status: Some(unroutable.status), link: None, host: None }
    }
}

fn missed(host: &str, broken: Broken) -> Missed {
    let status = broken.status.filter(|s| s.code >= 400);
    Missed { reason: broken.reason, status, link: None, host: Some(host.to_owned()) }
}

impl Delivery {
    /// # Errors
    /// When no host of the lane gives a link that is good enough.
    pub(super) async fn open(&self, lane: &Lane) -> Result<OpenLink, Missed> {
        if lane.level == Level::Sealed {
            // No link seals a message: whoever asks that waits for a person.
            return Err(shut(Reason::SealingNotPossible));
        }
        let hosts = self.hosts.hosts(&lane.destination, &self.resolver).await?;
        let sources = self.sources(&lane.destination);
        let mut last = shut(Reason::NoAddress);
        let mut tried = 0;
        for host in hosts {
            let addresses = match host.addresses(&self.resolver).await {
                Ok(addresses) => addresses,
                Err(unroutable) => {
                    last = last.or_if_worse(unroutable.into());
                    continue;
                }
            };
            for address in addresses {
                if tried >= ADDRESSES {
                    return Err(last);
                }
                tried += 1;
                match self.try_host(lane, &host, address, &sources).await {
                    Ok(link) => return Ok(link),
                    Err(missed) => last = last.or_if_worse(missed),
                }
            }
        }
        Err(last)
    }

    async fn try_host(
        &self,
        lane: &Lane,
        host: &Host,
        address: SocketAddr,
        sources: &[ProofSource],
    ) -> Result<OpenLink, Missed> {
        let tried = self.connect(host, address, sources).await;
        let result = match tried {
            Ok(link) if link.link.level() >= lane.level => Ok(link),
            Ok(link) => {
                let reason = link.link.shortfall.unwrap_or(Reason::RequirementNotMet);
                let facts = link.link.clone();
                link.quit().await;
                Err(Missed { link: Some(facts), ..missed(&host.name, reason.into()) })
            }
            Err(missed) => Err(missed),
        };
        let (outcome, reason) = match &result {
            Ok(_) => ("ok", Reason::RequirementMet),
            Err(missed) => ("failed", missed.reason),
        };
        let labels = [lane.direction().name(), lane.level.name(), outcome, reason.name()];
        self.metrics.link_attempts.with_label_values(&labels).inc();
        tracing::debug!(lane = %lane.destination, host = host.name, %address, outcome, %reason, "link attempt");
        result
    }

    /// Connects and makes the best of what the host offers.
    async fn connect(&self, host: &Host, address: SocketAddr, sources: &[ProofSource]) -> Result<OpenLink, Missed> {
        let in_host = |broken| missed(&host.name, broken);
        let (connection, offer) = Connection::open(address, &self.hostname, self.patience).await.map_err(in_host)?;
        let id = LINKS.fetch_add(1, Ordering::Relaxed);
        let clear = Link {
            id,
            host: host.name.clone(),
            address,
            tls: None,
            proof: Proof::Nothing,
            shortfall: Some(Reason::TlsNotOffered),
        };
        if !offer.starttls {
            return Ok(OpenLink { connection, link: clear, transactions: 0 });
        }
        let (connection, secured, _) = connection.secure(&self.connector, &host.name).await.map_err(in_host)?;
        let link = self.proved(clear, secured, sources);
        Ok(OpenLink { connection, link, transactions: 0 })
    }

    fn proved(&self, clear: Link, secured: Secured, sources: &[ProofSource]) -> Link {
        let proof = proof::prove(&secured.certificates, &clear.host, sources, &self.roots, Now::read().wall);
        let (proof, shortfall) = match proof {
            Ok(proof) => (proof, None),
            Err(reason) => (Proof::Nothing, Some(reason)),
        };
        Link { tls: Some(secured.facts), proof, shortfall, ..clear }
    }

    /// Who says how the hosts of this destination prove themselves.
    fn sources(&self, destination: &Destination) -> Vec<ProofSource> {
        match destination {
            Destination::Mx(domain) => self.judge.policy.proof_sources(domain),
            configured => self.proofs.get(&configured.to_string()).cloned().unwrap_or_default(),
        }
    }
}

fn shut(reason: Reason) -> Missed {
    Missed { reason, status: Some(Status::new(451, Enhanced(4, 7, 10), reason.words())), link: None, host: None }
}

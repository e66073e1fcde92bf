//! Opening a link: hosts in order, the best TLS that each offers, proof where somebody says how, then the comparison.
//!
//! Called by `Delivery::work`. Promises: every host and address is tried before the lane is missed, those that failed a
//! moment ago last, and all within a bounded time; a stall or a failed handshake is that host's failure; a link below its
//! lane's level carries nothing. Fails with the reason of the host that decides.

use super::connection::{Broken, Connection, Secured};
use super::open_link::OpenLink;
use super::published::{Floor, Published};
use super::route::{Host, Unroutable};
use super::{Delivery, Terms};
use crate::clock::Now;
use crate::mail::{Enhanced, Link, Status, TlsFacts};
use crate::policy::{FailedTls, ProofSource};
use crate::proof::memory::Past;
use crate::proof::{self, Asked, Held};
use crate::queue::{Destination, Lane};
use crate::smtp::server::Credentials;
use crate::tls::{Connector, PeerCertificates, Roots};
use crate::vocabulary::{Level, Proof, Reason};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::time::{Instant, timeout_at};

/// Addresses that one opening tries at most.
pub(super) const ADDRESSES: usize = 12;

static LINKS: AtomicU64 = AtomicU64::new(1);

/// Why a lane has no link.
#[derive(Debug, Clone)]
pub(super) struct Missed {
    pub reason: Reason,
    /// What the host said; without one, what is ours to say.
    pub status: Option<Status>,
    /// The last link that was made, where it was not good enough.
    pub link: Option<Link>,
    pub host: Option<String>,
    pub trial: Trial,
}

/// What TLS had to do with it that a host gave no link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trial {
    /// Something else failed, or there was something of it that was not tried.
    Other,
    /// The host offered TLS, and it failed.
    Failed(Reason),
    /// It failed twice a moment ago, and was not tried again.
    FailedTwice(FailedTls),
}

/// What a host's failure says about the domain, from little to much: what is there, before what is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Weight {
    /// The host can never take mail.
    Useless,
    /// It answered, and is not good enough.
    Short,
    /// Nobody knows what it would offer: while one host is down, the domain has not failed what is asked.
    Unknown,
}

impl Missed {
    fn weight(&self) -> Weight {
        match self.reason {
            Reason::NoAddress | Reason::AddressNotAllowed => Weight::Useless,
            reason if reason.is_of_protection() => Weight::Short,
            _ => Weight::Unknown,
        }
    }

    /// Of two hosts' failures the one that decides.
    fn or_heavier(self, later: Missed) -> Missed {
        if later.weight() >= self.weight() { later } else { self }
    }

    /// Of two addresses of one host: once one has answered, the host is known, whatever the others do.
    fn of_one_host(earlier: Option<Missed>, later: Missed) -> Missed {
        let Some(earlier) = earlier else { return later };
        let trial = match later.trial {
            Trial::Other => Trial::Other,
            _ => earlier.trial.clone(),
        };
        let decides = if earlier.weight() == Weight::Short { earlier } else { later };
        Missed { trial, ..decides }
    }

    /// Whether the host can never take mail.
    pub fn is_useless(&self) -> bool {
        self.weight() == Weight::Useless
    }
}

impl From<Unroutable> for Missed {
    fn from(unroutable: Unroutable) -> Missed {
        let status = Some(unroutable.status);
        Missed { reason: unroutable.reason, status, link: None, host: None, trial: Trial::Other }
    }
}

pub(super) fn missed_in(host: &str, broken: Broken) -> Missed {
    let status = broken.status.filter(|s| s.code >= 400);
    Missed { reason: broken.reason, status, link: None, host: Some(host.to_owned()), trial: Trial::Other }
}

/// One opening of a link for a lane.
pub(super) struct Opening<'l> {
    pub lane: &'l Lane,
    /// What gateway.toml said when it began: a host is never told what was meant for another.
    terms: Arc<Terms>,
    sources: Vec<ProofSource>,
    /// What the domain's MTA-STS policy asks of every host.
    pub floor: Floor,
    /// What the host that is tried publishes about itself.
    pub published: Published,
    /// How TLS is started.
    pub connector: Connector,
    /// Addresses that may still be tried.
    pub tries: usize,
    /// When it is given up, whatever host it is at.
    pub until: Instant,
}

impl Delivery {
    /// # Errors
    /// When no host of the lane gives a link that is good enough.
    pub(super) async fn open(&self, lane: &Lane) -> Result<OpenLink, Missed> {
        if lane.level == Level::Sealed {
            // No link seals a message: whoever asks that waits for a person.
            return Err(shut(Reason::SealingNotPossible));
        }
        let terms = self.terms();
        let mut hosts = terms.hosts.hosts(&lane.destination, &self.resolver).await?;
        self.memory.good_hosts_first(&mut hosts, |host| &host.name);
        let until = Instant::now() + self.patience.opening;
        let mut sources = self.sources(&lane.destination, &terms);
        let listed = timeout_at(until, self.listed(&lane.destination, &mut sources)).await;
        let floor = listed.unwrap_or(Err(Reason::DnsTempfail)).map_err(shut)?;
        let (published, connector) = (Published::NOTHING, self.connector.clone());
        let mut opening = Opening { lane, terms, sources, floor, published, connector, tries: ADDRESSES, until };
        let mut missed = Vec::with_capacity(hosts.len());
        for host in &hosts {
            let tried = match self.remembered(host, lane) {
                Some(known) => Err(known),
                None => self.open_host(host, &mut opening).await,
            };
            match tried {
                Ok(link) => return Ok(link),
                Err(of_host) => missed.push(of_host),
            }
        }
        if let Some(link) = self.after_failed_tls((&hosts, &missed), &mut opening).await {
            return Ok(link);
        }
        Err(missed.into_iter().reduce(Missed::or_heavier).unwrap_or_else(|| shut(Reason::NoAddress)))
    }

    /// Every address of one host, as long as there are tries left.
    pub(super) async fn open_host(&self, host: &Host, opening: &mut Opening<'_>) -> Result<OpenLink, Missed> {
        let late = missed_in(&host.name, Reason::DnsTempfail.into());
        opening.published = match timeout_at(opening.until, self.published(host, &opening.lane.destination)).await {
            Ok(published) => published.map_err(|reason| missed_in(&host.name, reason.into()))?.and(opening.floor),
            Err(_) => return Err(late),
        };
        let mut addresses = match timeout_at(opening.until, host.addresses(&self.resolver)).await {
            Ok(addresses) => addresses?,
            Err(_) => return Err(late),
        };
        self.memory.good_addresses_first(&mut addresses);
        let (mut missed, mut untried) = (None, addresses.len());
        for address in addresses.into_iter().take(opening.tries) {
            if Instant::now() >= opening.until {
                break;
            }
            opening.tries -= 1;
            untried -= 1;
            match self.try_host(host, address, opening).await {
                Ok(link) => return Ok(link),
                Err(later) => missed = Some(Missed::of_one_host(missed, later)),
            }
        }
        if missed.as_ref().is_some_and(|m| costs_time(m.reason)) {
            self.memory.host_failed(&host.name);
        }
        match missed {
            Some(missed) if untried > 0 => Err(Missed { trial: Trial::Other, ..missed }),
            Some(missed) => Err(missed),
            // No try or no time was left for it.
            None => Err(missed_in(&host.name, Reason::ConnectionTimedOut.into())),
        }
    }

    async fn try_host(&self, host: &Host, address: SocketAddr, opening: &Opening<'_>) -> Result<OpenLink, Missed> {
        let lane = opening.lane;
        let tried = match timeout_at(opening.until, self.connect(host, address, opening)).await {
            Ok(tried) => tried,
            Err(_) => Err(missed_in(&host.name, Reason::ConnectionTimedOut.into())),
        };
        let result = match tried {
            Ok(link) => match lacks(&link.record.link, lane) {
                None => Ok(link),
                Some(reason) => {
                    let facts = link.record.link.clone();
                    link.quit().await;
                    Err(Missed { link: Some(facts), ..missed_in(&host.name, reason.into()) })
                }
            },
            Err(missed) => Err(missed),
        };
        let (outcome, reason) = match &result {
            Ok(link) if link.record.link.is_in_grace() => ("ok", Reason::CertificateExpired),
            Ok(_) => ("ok", Reason::RequirementMet),
            Err(missed) => ("failed", missed.reason),
        };
        match costs_time(reason) {
            true => self.memory.address_failed(address),
            false => self.memory.works(&host.name, address),
        }
        if result.as_ref().is_ok_and(|link| link.record.link.tls.is_some()) {
            self.memory.tls_works(&host.name);
        }
        let labels = [lane.direction().name(), lane.level.name(), outcome, reason.name()];
        self.metrics.link_attempts.with_label_values(&labels).inc();
        tracing::debug!(lane = %lane.destination, host = host.name, %address, outcome, %reason, "link attempt");
        result
    }

    /// Connects and makes the best of what the host offers.
    async fn connect(&self, host: &Host, address: SocketAddr, opening: &Opening<'_>) -> Result<OpenLink, Missed> {
        let in_host = |broken| missed_in(&host.name, broken);
        let (connection, offer) = Connection::open(address, &self.hostname, self.patience).await.map_err(in_host)?;
        let shortfall = if offer.masked { Reason::TlsMasked } else { Reason::TlsNotOffered };
        let clear = Link { floor: opening.published.floor.level, ..clear_link(&host.name, address, shortfall) };
        if !offer.starttls {
            return Ok(self.opened(connection, self.compared(clear, opening.lane, None), opening));
        }
        let name = opening.published.server_name(&host.name);
        let (connection, secured) = match connection.secure(&opening.connector, name).await {
            Ok(secured) => secured,
            Err(broken) => {
                let broken = self.explained(broken, (host, address), opening).await;
                return Err(Missed { trial: Trial::Failed(broken.reason), ..in_host(broken) });
            }
        };
        let (connection, offer) = connection.until_ready().await.map_err(in_host)?;
        let certificates = secured.certificates.clone();
        let link = self.compared(self.proved(clear, secured, opening), opening.lane, Some(&certificates));
        let no_require_tls = self.no_require_tls(&link, (host, &certificates), &offer);
        let link = Link { no_require_tls, ..link };
        match Delivery::login(opening).filter(|_| link.level() >= opening.lane.level) {
            Some(credentials) => match connection.login(&credentials).await {
                Ok(connection) => Ok(self.opened(connection, link, opening)),
                Err(broken) => {
                    tracing::error!(host = host.name, reason = %broken.reason, "the relay does not take our login");
                    Err(in_host(broken))
                }
            },
            None => Ok(self.opened(connection, link, opening)),
        }
    }

    /// Who we are to the relay of a lane. It is said only on a link that holds what the relay's table requires.
    fn login(opening: &Opening<'_>) -> Option<Credentials> {
        let Destination::Relay(name) = &opening.lane.destination else { return None };
        opening.terms.relays.get(name)?.login.clone()
    }

    pub(super) fn opened(&self, connection: Connection, link: Link, opening: &Opening<'_>) -> OpenLink {
        let distrusted = self.memory.says_data(&link.host);
        let connection = if distrusted { connection.without_chunking() } else { connection };
        OpenLink::new(connection, link, opening.published.floor.until)
    }

    fn proved(&self, clear: Link, secured: Secured, opening: &Opening<'_>) -> Link {
        let past = self.offered.of(&clear.host);
        let asked = Asked {
            host: &clear.host,
            sources: &opening.sources,
            proved_key: past.as_ref().and_then(Past::proved_key),
        };
        let held = match proof_of(&opening.published, &secured.certificates, asked, &self.roots) {
            // What would be proved by signed names cannot be while the resolver does not validate: the fault is ours.
            Err(Reason::NoProofSource) if self.resolver.is_failing() => Err(Reason::DnssecNotValidated),
            held => held,
        };
        with_proof(clear, secured.facts, held)
    }

    /// Who says how the hosts of this destination prove themselves.
    fn sources(&self, destination: &Destination, terms: &Terms) -> Vec<ProofSource> {
        match destination {
            Destination::Mx(domain) => self.judge.now().policy.proof_sources(domain),
            configured => terms.proofs.get(&configured.to_string()).cloned().unwrap_or_default(),
        }
    }
}

/// How a host proved itself: its domain's own word decides alone; without it every source that exists must hold.
pub(super) fn proof_of(
    published: &Published,
    shown: &PeerCertificates,
    asked: Asked<'_>,
    roots: &Roots,
) -> Result<Held, Reason> {
    match published.prove(shown) {
        Some(held) => held.map(|()| Held::by(Proof::Dane)),
        None => proof::prove(shown, asked, roots, Now::read().wall),
    }
}

/// The link with TLS, and with its proof or the reason why there is none.
pub(super) fn with_proof(clear: Link, facts: TlsFacts, held: Result<Held, Reason>) -> Link {
    let (proof, shortfall) = match held {
        Ok(held) => (held.proof, held.in_grace.then_some(Reason::CertificateExpired)),
        Err(reason) => (Proof::Nothing, Some(reason)),
    };
    Link { tls: Some(facts), proof, shortfall, ..clear }
}

pub(super) fn clear_link(host: &str, address: SocketAddr, shortfall: Reason) -> Link {
    let id = LINKS.fetch_add(1, Ordering::Relaxed);
    let (host, proof, shortfall) = (host.to_owned(), Proof::Nothing, Some(shortfall));
    let (floor, no_require_tls) = (Level::Any, shortfall);
    Link { id, host, address, tls: None, proof, shortfall, floor, fallen: false, no_require_tls }
}

/// Why a link is not enough for its lane; None: it is.
fn lacks(link: &Link, lane: &Lane) -> Option<Reason> {
    if link.fallen && (lane.level > Level::Any || lane.require_tls) {
        return Some(Reason::StrippingSuspected);
    }
    if link.level() < lane.level.max(link.floor) {
        return Some(link.shortfall.unwrap_or(Reason::RequirementNotMet));
    }
    link.no_require_tls.filter(|_| lane.require_tls)
}

/// Whether a host that fails so is better tried after the others for a while.
fn costs_time(reason: Reason) -> bool {
    use Reason as R;
    matches!(
        reason,
        R::ConnectionRefused
            | R::ConnectionTimedOut
            | R::ConnectionLost
            | R::NetworkUnreachable
            | R::GreetingRefused
            | R::ProtocolError
            | R::TlsRefused
            | R::TlsHandshakeFailed
            | R::TlsStalled
            | R::TlsReset
            | R::TlsVersionTooOld
            | R::TlsNoCommonCipher
    )
}

fn shut(reason: Reason) -> Missed {
    let status = Some(Status::new(451, Enhanced(4, 7, 10), reason.words()));
    Missed { reason, status, link: None, host: None, trial: Trial::Other }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missed(reason: Reason) -> Missed {
        shut(reason)
    }

    #[test]
    fn an_address_that_cannot_be_reached_does_not_make_a_host_unknown_that_answered() {
        for (first, second) in
            [(Reason::TlsNotOffered, Reason::NetworkUnreachable), (Reason::ConnectionTimedOut, Reason::TlsNotOffered)]
        {
            let of_host = Missed::of_one_host(Some(missed(first)), missed(second));
            assert_eq!(of_host.reason, Reason::TlsNotOffered, "{first} then {second}");
        }
    }

    #[test]
    fn while_a_host_is_down_or_cannot_be_looked_up_the_domain_has_failed_nothing() {
        for unknown in [Reason::ConnectionRefused, Reason::DnsTempfail] {
            let one = missed(Reason::CertificateSelfSigned).or_heavier(missed(unknown));
            let other = missed(unknown).or_heavier(missed(Reason::CertificateSelfSigned));
            assert_eq!((one.reason, other.reason), (unknown, unknown));
        }
    }

    #[test]
    fn a_host_without_an_address_says_nothing_about_the_others() {
        let after = missed(Reason::TlsNotOffered).or_heavier(missed(Reason::NoAddress));
        let before = missed(Reason::NoAddress).or_heavier(missed(Reason::TlsNotOffered));
        assert_eq!((after.reason, before.reason), (Reason::TlsNotOffered, Reason::TlsNotOffered));
    }
}

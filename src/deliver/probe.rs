//! What a domain offers now, host by host, as delivery would see it: for people who ask why mail does not go.
//!
//! Called by `mailward probe` and `doctor`. Promises: nothing is sent but EHLO, STARTTLS and QUIT; what it says of proof is what delivery
//! would say, by the same functions; it ends within some minutes. Never fails: what cannot be found out is a reason.

use super::connection::Connection;
use super::link::clear_link;
use super::published::{Floor, Publications, Published};
use super::route::{Host, HostBook};
use super::why::{is_unclear, look};
use super::{Patience, link};
use crate::clock::{Now, rfc3339};
use crate::decide::Judge;
use crate::dns::{Resolver, Security, TlsaAnswer};
use crate::mail::{Domain, Link, TlsFacts};
use crate::policy::{ProofCheck, ProofSource};
use crate::proof::memory::Past;
use crate::proof::mta_sts::{Fetcher, Known, StsPolicy, id_of};
use crate::proof::{self, prove};
use crate::queue::Destination;
use crate::tls::{Connector, PeerCertificates, Roots};
use crate::vocabulary::{Level, Proof, Reason, StsMode};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// Addresses of one host that are tried.
const ADDRESSES: usize = 3;
/// For one host, whatever it does.
const HOST: Duration = Duration::from_secs(30);

/// What a probe needs.
pub struct Prober {
    pub hostname: String,
    pub resolver: Resolver,
    pub connector: Connector,
    pub roots: Arc<Roots>,
    pub judge: Judge,
    pub fetcher: Fetcher,
    pub hosts: HostBook,
    pub patience: Patience,
    /// A name that must come back validated.
    pub self_test: String,
    /// Policies that the gateway keeps: they hold although the domain has taken them away.
    pub kept: Vec<Known>,
    /// What hosts offered to the gateway before.
    pub offered: Vec<Past>,
}

/// What a domain says of itself over HTTPS.
#[derive(Debug, Clone, Default)]
pub struct StsProbed {
    pub mode: Option<StsMode>,
    pub id: Option<String>,
    /// Why there is no policy that could be used.
    pub reason: Option<String>,
}

/// One mail host.
#[derive(Debug)]
pub struct HostProbed {
    pub name: String,
    pub addresses: Vec<IpAddr>,
    /// TLSA records that were validated, as they are written in a zone.
    pub tlsa: Vec<String>,
    /// None: it could not be asked.
    pub starttls: Option<bool>,
    pub tls: Option<TlsFacts>,
    /// None: no link was made.
    pub level: Option<Level>,
    /// What must hold for all mail to it, by what it publishes.
    pub floor: Level,
    pub proof: Proof,
    /// Why there is no more.
    pub reason: Option<Reason>,
    /// Whether the certificate is valid for this host's own name, whatever policy lists.
    pub valid_for_name: Result<(), Reason>,
}

impl HostProbed {
    /// What mail could count on: nothing, where even ordinary mail would not go.
    #[must_use]
    pub fn usable_level(&self) -> Option<Level> {
        self.level.filter(|level| *level >= self.floor)
    }
}

/// What a domain offers.
#[derive(Debug)]
pub struct Probed {
    /// Whether its mail hosts are named by signed names; None: nobody's word on signatures is believed.
    pub security: Option<Security>,
    pub sts: StsProbed,
    pub hosts: Vec<HostProbed>,
    /// Why there are no hosts.
    pub unroutable: Option<Reason>,
}

impl Probed {
    /// The most that a link to this domain reaches.
    #[must_use]
    pub fn level(&self) -> Option<Level> {
        self.hosts.iter().filter_map(HostProbed::usable_level).max()
    }

    /// Why it is no more: the reason of the best host, of several the first.
    #[must_use]
    pub fn why_not_more(&self) -> Option<Reason> {
        let best = self.hosts.iter().rev().max_by_key(|host| host.usable_level());
        self.unroutable.or(best.and_then(|host| host.reason))
    }
}

/// What one host is asked for.
struct Asked<'a> {
    host: &'a Host,
    published: Published,
    sources: &'a [ProofSource],
    floor: Floor,
}

impl Prober {
    pub async fn probe(&self, domain: &Domain) -> Probed {
        // Whether what is signed looks signed at the moment.
        let _ = self.resolver.self_test(&self.self_test).await;
        let (sts, policy) = self.mta_sts(domain).await;
        let security = self.resolver.mx_secured(domain).await.1;
        let security = self.resolver.validates().then_some(security);
        let hosts = match self.hosts.hosts(&Destination::Mx(domain.clone()), &self.resolver).await {
            Ok(hosts) => hosts,
            Err(unroutable) => return Probed { security, sts, hosts: Vec::new(), unroutable: Some(unroutable.reason) },
        };
        let publications = Publications { policy: &self.judge.policy, resolver: &self.resolver, now: Now::read().wall };
        let (listed, floor) = match publications.listed(domain, policy) {
            Ok(listed) => listed,
            Err(reason) => return Probed { security, sts, hosts: Vec::new(), unroutable: Some(reason) },
        };
        let sources: Vec<ProofSource> = self.judge.policy.proof_sources(domain).into_iter().chain(listed).collect();
        let mut probed = Vec::with_capacity(hosts.len());
        for host in &hosts {
            let asked = async {
                match publications.keys(host, domain).await {
                    Ok(published) => self.host(&Asked { host, published, sources: &sources, floor }).await,
                    Err(reason) => nothing(host, reason),
                }
            };
            let answered = timeout(HOST, asked).await;
            probed.push(answered.unwrap_or_else(|_| nothing(host, Reason::ConnectionTimedOut)));
        }
        Probed { security, sts, hosts: probed, unroutable: None }
    }

    /// A host that configuration names, which proves itself as configuration says.
    pub async fn configured(&self, (name, port): (&str, u16), sources: &[ProofSource]) -> HostProbed {
        let host = Host { name: name.to_owned(), port, public_only: false, is_secure: false };
        let asked = Asked { host: &host, published: Published::NOTHING, sources, floor: Floor::NONE };
        let answered = timeout(HOST, self.host(&asked)).await;
        answered.unwrap_or_else(|_| nothing(&host, Reason::ConnectionTimedOut))
    }

    /// What DNS and the policy host say now; without a policy, the one that is kept holds.
    async fn mta_sts(&self, domain: &Domain) -> (StsProbed, Result<Option<StsPolicy>, String>) {
        if domain.literal().is_some() {
            return (StsProbed::default(), Ok(None));
        }
        let (probed, found) = self.mta_sts_now(domain).await;
        let now = Now::read().wall;
        let kept = self.kept.iter().find(|known| known.domain == *domain && !known.is_over(now));
        match (found, kept) {
            (Ok(Some(policy)), _) => (probed, Ok(Some(policy))),
            (_, Some(known)) => {
                let reason = probed.reason.unwrap_or_else(|| "the domain has taken it away".to_owned());
                let reason = Some(format!("kept until {}: {reason}", rfc3339(known.end())));
                let probed = StsProbed { mode: Some(known.policy.mode), id: Some(known.id.clone()), reason };
                (probed, Ok(Some(known.policy.clone())))
            }
            (found, None) => (probed, found),
        }
    }

    async fn mta_sts_now(&self, domain: &Domain) -> (StsProbed, Result<Option<StsPolicy>, String>) {
        let texts = match self.resolver.texts(&format!("_mta-sts.{domain}")).await {
            Ok(texts) => texts,
            Err(cause) => {
                let reason = Some(Reason::DnsTempfail.words().to_owned());
                return (StsProbed { reason, ..StsProbed::default() }, Err(cause));
            }
        };
        let Some(id) = texts.and_then(|texts| id_of(&texts)) else { return (StsProbed::default(), Ok(None)) };
        match self.fetcher.fetch(domain).await {
            Ok(policy) => (StsProbed { mode: Some(policy.mode), id: Some(id), reason: None }, Ok(Some(policy))),
            Err(error) => {
                let reason = Some(format!("{}: {}", error.result, error.cause));
                (StsProbed { mode: None, id: Some(id), reason }, Ok(None))
            }
        }
    }

    async fn host(&self, asked: &Asked<'_>) -> HostProbed {
        let host = asked.host;
        let tlsa = match self.resolver.tlsa(&host.name, host.port).await {
            TlsaAnswer::Found { records, .. } if host.is_secure => records.iter().map(ToString::to_string).collect(),
            _ => Vec::new(),
        };
        let addresses = match host.addresses(&self.resolver).await {
            Ok(addresses) => addresses,
            Err(unroutable) => return HostProbed { tlsa, ..nothing(host, unroutable.reason) },
        };
        let mut probed = nothing(host, Reason::ConnectionTimedOut);
        for address in addresses.iter().take(ADDRESSES) {
            let one = self.address(asked, *address).await;
            // Delivery goes on to the next address where one is not good enough.
            if probed.level.is_none() || one.level > probed.level {
                probed = one;
            }
            if probed.level == Some(Level::Verified) {
                break;
            }
        }
        let floor = asked.published.floor.and(asked.floor).level;
        let failed = probed.level.is_none() && probed.starttls == Some(true) && floor == Level::Any;
        // Where TLS fails, mail in no class goes without.
        let level = if failed { Some(Level::Any) } else { probed.level };
        HostProbed { tlsa, floor, level, addresses: addresses.iter().map(SocketAddr::ip).collect(), ..probed }
    }

    async fn address(&self, asked: &Asked<'_>, address: SocketAddr) -> HostProbed {
        let host = asked.host;
        let (connection, offer) = match Connection::open(address, &self.hostname, self.patience).await {
            Ok(opened) => opened,
            Err(broken) => return nothing(host, broken.reason),
        };
        let shortfall = if offer.masked { Reason::TlsMasked } else { Reason::TlsNotOffered };
        let clear = clear_link(&host.name, address, shortfall);
        if !offer.starttls {
            connection.quit().await;
            return HostProbed { starttls: Some(false), ..of_link(host, &clear) };
        }
        let name = asked.published.server_name(&host.name);
        let (connection, secured) = match connection.secure(&self.connector, name).await {
            Ok(secured) => secured,
            Err(broken) => {
                let found = match is_unclear(broken.reason) {
                    true => look((address, name), &self.hostname, (&self.connector, self.patience)).await,
                    false => None,
                };
                return HostProbed { starttls: Some(true), ..nothing(host, found.unwrap_or(broken.reason)) };
            }
        };
        let past = self.offered.iter().find(|past| past.host.eq_ignore_ascii_case(&host.name));
        let known =
            proof::Asked { host: &host.name, sources: asked.sources, proved_key: past.and_then(Past::proved_key) };
        let held = link::proof_of(&asked.published, &secured.certificates, known, &self.roots);
        let held = match held {
            Err(Reason::NoProofSource) if self.resolver.is_failing() => Err(Reason::DnssecNotValidated),
            held => held,
        };
        let valid_for_name = self.valid_for_name(&secured.certificates, &host.name);
        let link = link::with_proof(clear, secured.facts, held);
        if let Ok((connection, _)) = connection.until_ready().await {
            connection.quit().await;
        }
        HostProbed { starttls: Some(true), valid_for_name, ..of_link(host, &link) }
    }

    fn valid_for_name(&self, certificates: &PeerCertificates, host: &str) -> Result<(), Reason> {
        let own = ProofSource::new("probe", ProofCheck::Names(vec![host.to_owned()]));
        prove(certificates, proof::Asked::of(host, &[own]), &self.roots, Now::read().wall).map(|_| ())
    }
}

fn nothing(host: &Host, reason: Reason) -> HostProbed {
    HostProbed {
        name: host.name.clone(),
        addresses: Vec::new(),
        tlsa: Vec::new(),
        starttls: None,
        tls: None,
        level: None,
        floor: Level::Any,
        proof: Proof::Nothing,
        reason: Some(reason),
        valid_for_name: Err(reason),
    }
}

fn of_link(host: &Host, link: &Link) -> HostProbed {
    HostProbed {
        tls: link.tls.clone(),
        level: Some(link.level()),
        proof: link.proof,
        reason: link.shortfall,
        ..nothing(host, link.shortfall.unwrap_or(Reason::RequirementNotMet))
    }
}

//! What a mail host and its domain publish about themselves, and what must hold for all mail because of that.
//!
//! Called when a link is opened. Promises: a host whose records cannot be looked up is not used; records count only where the way from
//! the domain to the host is signed too, or whoever forges that way would bring his own. Fails with the reason that puts the host off.

use super::Delivery;
use super::route::Host;
use crate::clock::{Now, Wall};
use crate::dns::{Resolver, Tlsa, TlsaAnswer};
use crate::mail::Domain;
use crate::policy::{Cap, Policy, ProofCheck, ProofSource};
use crate::proof::dane;
use crate::proof::mta_sts::StsPolicy;
use crate::queue::Destination;
use crate::tls::PeerCertificates;
use crate::vocabulary::{Level, Reason, StsMode};

/// Domains whose MTA-STS policies are fetched before anybody writes to them.
const AHEAD: usize = 2_000;

/// What must hold for all mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Floor {
    pub level: Level,
    /// When an exception that lowers it ends.
    pub until: Option<Wall>,
}

impl Floor {
    pub const NONE: Floor = Floor { level: Level::Any, until: None };

    /// The level that is asked, as far as an exception leaves it.
    fn of(asked: Level, excepted: Option<Cap>) -> Floor {
        match excepted {
            Some(cap) if cap.level < asked => Floor { level: cap.level, until: Some(cap.until) },
            _ => Floor { level: asked, until: None },
        }
    }

    /// Both.
    pub fn and(self, other: Floor) -> Floor {
        let until = self.until.into_iter().chain(other.until).min();
        Floor { level: self.level.max(other.level), until }
    }
}

/// What a host publishes about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Published {
    pub floor: Floor,
    keys: Option<Keys>,
}

/// The keys and issuers that are its own.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Keys {
    records: Vec<Tlsa>,
    /// Names that a certificate of a published issuer may be for.
    names: Vec<String>,
}

impl Published {
    pub const NOTHING: Published = Published { floor: Floor::NONE, keys: None };

    /// RFC 7672 2.2: with no record that can be used the link has to be encrypted all the same.
    fn of(records: &[Tlsa], names: Vec<String>, excepted: Option<Cap>) -> Published {
        let records = dane::usable(records);
        if records.is_empty() {
            return Published { floor: Floor::of(Level::Encrypted, excepted), keys: None };
        }
        Published { floor: Floor::of(Level::Verified, excepted), keys: Some(Keys { records, names }) }
    }

    /// The same where something else asks for that much.
    pub fn and(self, floor: Floor) -> Published {
        Published { floor: self.floor.and(floor), ..self }
    }

    /// The name to ask for when TLS begins (RFC 7672 8.1: the base domain).
    pub fn server_name<'a>(&'a self, host: &'a str) -> &'a str {
        self.keys.as_ref().and_then(|keys| keys.names.first()).map_or(host, String::as_str)
    }

    /// Whether what the peer showed is what is published; None where nothing is that could prove it.
    pub fn prove(&self, peer: &PeerCertificates) -> Option<Result<(), Reason>> {
        let keys = self.keys.as_ref()?;
        let names: Vec<&str> = keys.names.iter().map(String::as_str).collect();
        Some(dane::prove(peer, &keys.records, &names, Now::read().wall))
    }
}

/// Whoever looks up what peers publish: delivery, and a probe.
pub(super) struct Publications<'a> {
    pub policy: &'a Policy,
    pub resolver: &'a Resolver,
    pub now: Wall,
}

impl Publications<'_> {
    /// The source of proof that a domain's MTA-STS policy is, and what must hold for all mail because of it.
    pub fn listed(
        &self,
        domain: &Domain,
        found: Result<Option<StsPolicy>, String>,
    ) -> Result<(Option<ProofSource>, Floor), Reason> {
        match (found, self.policy.published_cap(domain, self.now)) {
            (Ok(Some(policy)), excepted) if policy.mode == StsMode::Enforce => {
                let source = ProofSource::new("mta-sts", ProofCheck::MtaSts(policy.mx));
                Ok((Some(source), Floor::of(Level::Verified, excepted)))
            }
            (Ok(_), _) => Ok((None, Floor::NONE)),
            (Err(_), excepted @ Some(_)) => Ok((None, Floor::of(Level::Verified, excepted))),
            (Err(cause), None) => {
                tracing::warn!(%domain, cause, "whether a domain has an MTA-STS policy cannot be looked up");
                Err(Reason::DnsTempfail)
            }
        }
    }

    /// What holds for mail to this host because of the keys that it publishes; an exception in force lowers it.
    pub async fn keys(&self, host: &Host, domain: &Domain) -> Result<Published, Reason> {
        if !host.is_secure {
            return Ok(Published::NOTHING);
        }
        let excepted = self.policy.published_cap(domain, self.now);
        let put_off = |reason: Reason, cause: &str| match excepted {
            Some(_) => Ok(Published { floor: Floor::of(Level::Verified, excepted), keys: None }),
            None => {
                tracing::warn!(%domain, host = host.name, %reason, cause, "what a mail host publishes cannot be looked up");
                Err(reason)
            }
        };
        match self.resolver.tlsa(&host.name, host.port).await {
            TlsaAnswer::Found { base, records } => {
                let mut names = vec![base, host.name.clone(), domain.to_string()];
                names.dedup();
                Ok(Published::of(&records, names, excepted))
            }
            TlsaAnswer::Absent => Ok(Published::NOTHING),
            TlsaAnswer::Tempfail(cause) => put_off(Reason::DnsTempfail, &cause),
            TlsaAnswer::Bogus(cause) => put_off(Reason::DnsBogus, &cause),
        }
    }
}

impl Delivery {
    /// Lets the policies of those be fetched whom the policy in force expects mail to. Behind a smarthost nobody's MX is asked.
    pub(super) fn look_ahead(&self) {
        let (judge, routes) = (self.judge.clone(), self.routes.clone());
        let partners = move || {
            let routes = routes.now();
            if routes.smarthost.is_some() {
                return std::collections::BTreeSet::new();
            }
            let mut partners = judge.now().policy.partners(AHEAD);
            partners.retain(|domain| !routes.sites.contains_key(domain));
            partners
        };
        tokio::spawn(self.mta_sts.clone().look_ahead(partners));
    }

    /// Adds what the domain's MTA-STS policy lists to the sources of proof; says what must hold for all mail because of it.
    pub(super) async fn listed(&self, to: &Destination, sources: &mut Vec<ProofSource>) -> Result<Floor, Reason> {
        let Some(domain) = named(to) else { return Ok(Floor::NONE) };
        let found = self.mta_sts.policy(domain).await;
        let judge = self.judge.now();
        let (source, floor) = self.publications(&judge.policy).listed(domain, found)?;
        sources.extend(source);
        Ok(floor)
    }

    /// What holds for mail to this host because of what it publishes.
    pub(super) async fn published(&self, host: &Host, to: &Destination) -> Result<Published, Reason> {
        let Some(domain) = named(to) else { return Ok(Published::NOTHING) };
        let judge = self.judge.now();
        self.publications(&judge.policy).keys(host, domain).await
    }

    fn publications<'a>(&'a self, policy: &'a Policy) -> Publications<'a> {
        Publications { policy, resolver: &self.resolver, now: Now::read().wall }
    }
}

/// The domain that is looked up on the way; sites and relays are named by configuration, and literals by nobody.
fn named(to: &Destination) -> Option<&Domain> {
    let Destination::Mx(domain) = to else { return None };
    domain.literal().is_none().then_some(domain)
}

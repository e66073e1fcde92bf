//! From a lane to the hosts that may take its mail, in the order in which they are tried.
//!
//! Called when a link is opened. Promises: null MX, missing domains and failed look-ups are told apart; a private address
//! is never connected to unless the configuration allows it. Fails with a reason, and whether it can change.

use crate::dns::{AddressAnswer, MxAnswer, Resolver, Security, is_public};
use crate::mail::{Domain, Enhanced, Status};
use crate::queue::Destination;
use crate::vocabulary::Reason;
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// Hosts that one opening tries at most.
const HOSTS: usize = 10;

/// A host that may take the mail, before its addresses are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    pub name: String,
    pub port: u16,
    /// For MX hosts: addresses that nobody configured must not lead inside.
    pub public_only: bool,
    /// For MX hosts: the domain's word that this is its host was validated.
    pub is_secure: bool,
}

/// Why a lane leads nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unroutable {
    pub reason: Reason,
    pub status: Status,
}

/// What configuration says about hosts.
#[derive(Debug, Clone, Default)]
pub struct HostBook {
    pub sites: HashMap<Arc<str>, Vec<(String, u16)>>,
    pub relays: HashMap<Arc<str>, Vec<(String, u16)>>,
    pub mx_port: u16,
    pub allow_private: bool,
}

impl HostBook {
    /// The hosts of `destination`, best first.
    ///
    /// # Errors
    /// When there are none, and why.
    pub async fn hosts(&self, destination: &Destination, resolver: &Resolver) -> Result<Vec<Host>, Unroutable> {
        match destination {
            Destination::Site(name) => Ok(configured(self.sites.get(name))),
            Destination::Relay(name) => Ok(configured(self.relays.get(name))),
            Destination::Mx(domain) => self.mx_hosts(domain, resolver).await,
            Destination::Operator => Err(unroutable(Reason::HeldByOperator, 451, Enhanced(4, 3, 0))),
        }
    }

    async fn mx_hosts(&self, domain: &Domain, resolver: &Resolver) -> Result<Vec<Host>, Unroutable> {
        if let Some(address) = domain.literal() {
            return Ok(vec![self.host(address.to_string(), Security::Insecure)]);
        }
        let (answer, security) = resolver.mx_secured(domain).await;
        let host = |name: String| self.host(name, security);
        match answer {
            MxAnswer::Hosts(hosts) => Ok(hosts.into_iter().take(HOSTS).map(|h| host(h.name)).collect()),
            // RFC 5321 5.1: without MX the domain itself is the host.
            MxAnswer::NoMx => Ok(vec![host(domain.as_str().to_owned())]),
            // RFC 7505 4.2
            MxAnswer::Null => Err(unroutable(Reason::NullMx, 556, Enhanced(5, 1, 10))),
            MxAnswer::NoDomain => Err(unroutable(Reason::NoSuchDomain, 550, Enhanced(5, 1, 2))),
            MxAnswer::Tempfail(_) => Err(unroutable(Reason::DnsTempfail, 451, Enhanced(4, 4, 3))),
            MxAnswer::Bogus(_) => Err(unroutable(Reason::DnsBogus, 451, Enhanced(4, 4, 3))),
        }
    }

    fn host(&self, name: String, security: Security) -> Host {
        let is_secure = security == Security::Secure;
        Host { name, port: self.mx_port, public_only: !self.allow_private, is_secure }
    }
}

fn configured(hosts: Option<&Vec<(String, u16)>>) -> Vec<Host> {
    let host =
        |(name, port): &(String, u16)| Host { name: name.clone(), port: *port, public_only: false, is_secure: false };
    hosts.map(|hosts| hosts.iter().map(host).collect()).unwrap_or_default()
}

fn unroutable(reason: Reason, code: u16, enhanced: Enhanced) -> Unroutable {
    Unroutable { reason, status: Status::new(code, enhanced, reason.words()) }
}

impl Host {
    /// The addresses of this host. IPv4 goes first: many sites have no IPv6 route to the world.
    ///
    /// # Errors
    /// When it has none that may be used.
    pub async fn addresses(&self, resolver: &Resolver) -> Result<Vec<SocketAddr>, Unroutable> {
        let mut addresses = match self.name.parse::<IpAddr>() {
            Ok(address) => vec![address],
            Err(_) => match resolver.addresses(&self.name).await {
                AddressAnswer::Found(addresses) => addresses,
                AddressAnswer::Absent => return Err(unroutable(Reason::NoAddress, 451, Enhanced(4, 4, 4))),
                AddressAnswer::Tempfail(_) => return Err(unroutable(Reason::DnsTempfail, 451, Enhanced(4, 4, 3))),
                AddressAnswer::Bogus(_) => return Err(unroutable(Reason::DnsBogus, 451, Enhanced(4, 4, 3))),
            },
        };
        addresses.sort_by_key(|a| a.is_ipv6());
        if self.public_only {
            addresses.retain(|a| is_public(*a));
        }
        if addresses.is_empty() {
            return Err(unroutable(Reason::AddressNotAllowed, 451, Enhanced(4, 4, 4)));
        }
        Ok(addresses.into_iter().map(|a| SocketAddr::new(a, self.port)).collect())
    }
}

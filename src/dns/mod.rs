//! Names: where a domain's mail goes, asked of recursive resolvers over our own UDP and TCP.
//!
//! Called by `deliver` (MX and addresses). Promises: an answer counts only when its id, its question and its names fit;
//! aliases are followed eight deep; equal questions asked at once go out once; cache, memory and concurrency are bounded.
//! Never fails: what could not be found out is `Tempfail` with the private cause. No DNSSEC in this version.

mod answer;
mod cache;
mod counts;
mod lookup;
mod system;
mod wire;

#[cfg(test)]
mod tests;

pub use counts::{Counts, LookupKind, LookupResult};

use crate::mail::Domain;
use answer::Answer;
use hickory_proto::rr::RecordType;
use lookup::Lookup;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// One mail host of a domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MxHost {
    pub preference: u16,
    /// In lower case, without trailing dot.
    pub name: String,
}

/// Where a domain's mail goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MxAnswer {
    /// By preference, hosts of the same preference in random order (RFC 5321 5.1); at most 20. Empty when the domain
    /// lists hosts and none has a usable name.
    Hosts(Vec<MxHost>),
    /// RFC 7505: the domain takes no mail.
    Null,
    /// The domain exists without MX: it is its own host (RFC 5321 5.1).
    NoMx,
    NoDomain,
    /// Could not be found out; the text is for logs.
    Tempfail(String),
}

/// The addresses of a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AddressAnswer {
    /// IPv4 first, then IPv6; at most 16 of each.
    Found(Vec<IpAddr>),
    Absent,
    /// Could not be found out; the text is for logs.
    Tempfail(String),
}

/// Asks the servers that it was given. Cheap to clone; clones share cache and counts.
#[derive(Clone)]
pub struct Resolver {
    lookup: Arc<Lookup>,
}

impl Resolver {
    /// A resolver that asks `servers` in this order, each for two seconds, twice round.
    #[must_use]
    pub fn new(servers: Vec<SocketAddr>) -> Resolver {
        Resolver::with_patience(servers, Duration::from_secs(2))
    }

    fn with_patience(servers: Vec<SocketAddr>, patience: Duration) -> Resolver {
        Resolver { lookup: Arc::new(Lookup::new(servers, patience)) }
    }

    /// The servers of `/etc/resolv.conf`, or this machine's own (resolv.conf(5)).
    #[must_use]
    pub fn system_servers() -> Vec<SocketAddr> {
        system::servers()
    }

    #[must_use]
    pub fn counts(&self) -> &Counts {
        &self.lookup.counts
    }

    /// The mail hosts of a domain. An address literal is its own host.
    pub async fn mx(&self, domain: &Domain) -> MxAnswer {
        if domain.literal().is_some() {
            return MxAnswer::NoMx;
        }
        match self.lookup.ask(domain.as_str(), RecordType::MX).await {
            Answer::Mx(hosts) => MxAnswer::Hosts(answer::spread(&hosts)),
            Answer::NullMx => MxAnswer::Null,
            Answer::NoDomain => MxAnswer::NoDomain,
            Answer::Tempfail(cause) => MxAnswer::Tempfail(cause),
            Answer::NoData | Answer::Addresses(_) => MxAnswer::NoMx,
        }
    }

    /// The addresses of a host, which may itself be an address, with or without brackets.
    pub async fn addresses(&self, host: &str) -> AddressAnswer {
        if let Some(address) = as_address(host) {
            return AddressAnswer::Found(vec![address]);
        }
        let (v4, v6) = tokio::join!(self.lookup.ask(host, RecordType::A), self.lookup.ask(host, RecordType::AAAA));
        let (mut found, mut cause) = (Vec::new(), None);
        for answer in [v4, v6] {
            match answer {
                Answer::Addresses(addresses) => found.extend(addresses.iter()),
                Answer::Tempfail(why) => cause = Some(why),
                _ => {}
            }
        }
        match (found.is_empty(), cause) {
            (false, _) => AddressAnswer::Found(found),
            (true, Some(cause)) => AddressAnswer::Tempfail(cause),
            (true, None) => AddressAnswer::Absent,
        }
    }
}

fn as_address(host: &str) -> Option<IpAddr> {
    host.parse().ok().or_else(|| host.parse::<Domain>().ok().and_then(|domain| domain.literal()))
}

//! Names: where a domain's mail goes, asked of recursive resolvers over our own UDP and TCP.
//!
//! Called by `deliver` (MX, addresses, TLSA). Promises: an answer counts only when its id, its question and its names fit;
//! aliases are followed eight deep; equal questions asked at once go out once; cache, memory and concurrency are bounded; an
//! answer is secure only by the word of a validating server that configuration believes.
//! Never fails: what could not be found out is `Tempfail`, what is signed wrongly `Bogus`, with the private cause.
//!
//! Decided: the AD bit of a validating resolver on this machine, not signatures checked here: the library's own validation calls good
//! zones bogus, and every Unix has unbound.

mod answer;
mod cache;
mod counts;
mod lookup;
mod public;
mod system;
mod wire;

#[cfg(test)]
mod signed_tests;
#[cfg(test)]
mod tests;

pub use counts::{Counts, LookupKind, LookupResult};
pub use public::is_public;

use crate::mail::Domain;
use answer::{Answer, Found};
use hickory_proto::rr::RecordType;
use lookup::Lookup;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// RFC 1035 2.3.4, as it is written.
const LONGEST_NAME: usize = 253;

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
    /// Signed, and the signatures do not hold; the text is for logs.
    Bogus(String),
}

/// Whether an answer was validated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    Secure,
    Insecure,
}

/// One TLSA record as it was published (RFC 6698 2.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tlsa {
    pub usage: u8,
    pub selector: u8,
    pub matching: u8,
    pub data: Vec<u8>,
}

impl fmt::Display for Tlsa {
    /// As a zone file has it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {} ", self.usage, self.selector, self.matching)?;
        self.data.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

/// What a host publishes about its keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TlsaAnswer {
    /// Validated, with the name that it was found under (the base domain of RFC 7672 2.2.3).
    Found { base: String, records: Vec<Tlsa> },
    /// There is none that could be believed.
    Absent,
    /// Could not be found out; the text is for logs.
    Tempfail(String),
    /// Signed, and the signatures do not hold; the text is for logs.
    Bogus(String),
}

/// Whose AD bit is believed: `[dns] dnssec`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Dnssec {
    /// That of servers on this machine.
    #[default]
    Local,
    /// That of all that are configured: the way to them is as safe as they are.
    Trusted,
    /// Nobody's.
    Off,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Believed {
    Yes,
    No,
}

impl Dnssec {
    fn believes(self, server: SocketAddr) -> Believed {
        match self {
            Dnssec::Local if server.ip().to_canonical().is_loopback() => Believed::Yes,
            Dnssec::Trusted => Believed::Yes,
            Dnssec::Local | Dnssec::Off => Believed::No,
        }
    }
}

/// The addresses of a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AddressAnswer {
    /// IPv4 first, then IPv6; at most 16 of each.
    Found(Vec<IpAddr>),
    Absent,
    /// Could not be found out; the text is for logs.
    Tempfail(String),
    /// Signed, and the signatures do not hold; the text is for logs.
    Bogus(String),
}

/// Asks the servers that it was given. Cheap to clone; clones share cache and counts.
#[derive(Clone)]
pub struct Resolver {
    lookup: Arc<Lookup>,
}

impl Resolver {
    /// A resolver that asks `servers` in this order, each for two seconds, twice round. Where `dnssec` believes some of them, only
    /// those.
    #[must_use]
    pub fn new(servers: &[SocketAddr], dnssec: Dnssec) -> Resolver {
        Resolver::with_patience(servers, dnssec, Duration::from_secs(2))
    }

    fn with_patience(servers: &[SocketAddr], dnssec: Dnssec, patience: Duration) -> Resolver {
        Resolver { lookup: Arc::new(Lookup::new(servers, dnssec, patience)) }
    }

    /// Whether some server's word on signatures counts.
    #[must_use]
    pub fn validates(&self) -> bool {
        self.lookup.validates()
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
        self.mx_secured(domain).await.0
    }

    /// The same, with whether the answer was validated.
    pub async fn mx_secured(&self, domain: &Domain) -> (MxAnswer, Security) {
        if domain.literal().is_some() {
            return (MxAnswer::NoMx, Security::Insecure);
        }
        let Found { answer, secure, .. } = self.lookup.ask(domain.as_str(), RecordType::MX).await;
        let answer = match answer {
            Answer::Mx(hosts) => MxAnswer::Hosts(answer::spread(&hosts)),
            Answer::NullMx => MxAnswer::Null,
            Answer::NoDomain => MxAnswer::NoDomain,
            Answer::Tempfail(cause) => MxAnswer::Tempfail(cause),
            Answer::Bogus(cause) => MxAnswer::Bogus(cause),
            Answer::NoData | Answer::Addresses(_) | Answer::Tlsa(_) | Answer::Txt(_) => MxAnswer::NoMx,
        };
        (answer, if secure { Security::Secure } else { Security::Insecure })
    }

    /// The addresses of a host, which may itself be an address, with or without brackets.
    pub async fn addresses(&self, host: &str) -> AddressAnswer {
        if let Some(address) = as_address(host) {
            return AddressAnswer::Found(vec![address]);
        }
        let (mut found, mut failed) = (Vec::new(), None);
        for answer in self.both(host).await.map(|found| found.answer) {
            match answer {
                Answer::Addresses(addresses) => found.extend(addresses.iter()),
                Answer::Tempfail(why) => failed = failed.or(Some(AddressAnswer::Tempfail(why))),
                Answer::Bogus(why) => failed = Some(AddressAnswer::Bogus(why)),
                _ => {}
            }
        }
        if found.is_empty() { failed.unwrap_or(AddressAnswer::Absent) } else { AddressAnswer::Found(found) }
    }

    async fn both(&self, host: &str) -> [Found; 2] {
        tokio::join!(self.lookup.ask(host, RecordType::A), self.lookup.ask(host, RecordType::AAAA)).into()
    }

    /// The texts of a name. None: there are none.
    ///
    /// # Errors
    /// When that could not be found out: the private cause.
    pub async fn texts(&self, name: &str) -> Result<Option<Vec<String>>, String> {
        // A name that cannot exist has none.
        if name.len() > LONGEST_NAME {
            return Ok(None);
        }
        match self.lookup.ask(name, RecordType::TXT).await.answer {
            Answer::Txt(texts) => Ok(Some(texts.to_vec())),
            Answer::Tempfail(cause) | Answer::Bogus(cause) => Err(cause),
            _ => Ok(None),
        }
    }

    /// What a mail host publishes about its keys for a port (RFC 7672 2.2). Nothing is believed that was not validated, and where the
    /// host's own addresses are unsigned nothing is asked: such a zone has nothing to say, and some servers fail at the question.
    pub async fn tlsa(&self, host: &str, port: u16) -> TlsaAnswer {
        if !self.validates() || as_address(host).is_some() {
            return TlsaAnswer::Absent;
        }
        let bases = match self.tlsa_bases(host).await {
            Ok(bases) => bases,
            Err(unknown) => return unknown,
        };
        for base in bases {
            let name = format!("_{port}._tcp.{base}");
            if name.len() > LONGEST_NAME {
                continue;
            }
            let Found { answer, secure, .. } = self.lookup.ask(&name, RecordType::TLSA).await;
            match answer {
                Answer::Tlsa(records) if secure => return TlsaAnswer::Found { base, records: records.to_vec() },
                Answer::Tempfail(cause) => return TlsaAnswer::Tempfail(cause),
                Answer::Bogus(cause) => return TlsaAnswer::Bogus(cause),
                _ => {}
            }
        }
        TlsaAnswer::Absent
    }

    /// Names under which a host's records may stand, the first that is looked at first (RFC 7672 2.2.2, 2.2.3).
    ///
    /// # Errors
    /// Where nobody knows whether the host's names are signed: whoever keeps us from looking must not make us forget its keys.
    async fn tlsa_bases(&self, host: &str) -> Result<Vec<String>, TlsaAnswer> {
        let own = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
        match Way::of(&self.both(host).await)? {
            None | Some(Way { secure: false, canonical: None }) => Ok(Vec::new()),
            Some(Way { secure: true, canonical: None }) => Ok(vec![own]),
            Some(Way { secure: true, canonical: Some(canonical) }) => Ok(vec![canonical, own]),
            // The alias may be signed though its target is not (RFC 7672 2.2.2).
            Some(Way { secure: false, canonical: Some(_) }) => self.own_if_signed(own).await,
        }
    }

    async fn own_if_signed(&self, alias: String) -> Result<Vec<String>, TlsaAnswer> {
        let Found { answer, secure, .. } = self.lookup.ask(&alias, RecordType::CNAME).await;
        match answer {
            Answer::Tempfail(cause) => Err(TlsaAnswer::Tempfail(cause)),
            Answer::Bogus(cause) => Err(TlsaAnswer::Bogus(cause)),
            _ if secure => Ok(vec![alias]),
            _ => Ok(Vec::new()),
        }
    }

    /// Whether a name that must come back validated does: None where nobody's word counts, an error with the private cause.
    ///
    /// # Errors
    /// When it came back unsigned, or not at all.
    pub async fn self_test(&self, name: &str) -> Option<Result<(), String>> {
        if !self.validates() {
            return None;
        }
        let found = self.lookup.ask_anew(name, RecordType::NS).await;
        let result = match found.answer {
            Answer::Tempfail(cause) | Answer::Bogus(cause) => Err(cause),
            _ if found.secure => Ok(()),
            _ => Err(format!("{name} came back without being validated")),
        };
        self.lookup.set_failing(result.is_err());
        Some(result)
    }

    /// Whether the last self-test failed: what is signed may look unsigned.
    #[must_use]
    pub fn is_failing(&self) -> bool {
        self.lookup.is_failing()
    }
}

/// How a host's name leads to its addresses.
struct Way {
    secure: bool,
    /// Where aliases led.
    canonical: Option<String>,
}

impl Way {
    /// None: it has no address.
    ///
    /// # Errors
    /// When that could not be found out.
    fn of(found: &[Found]) -> Result<Option<Way>, TlsaAnswer> {
        let known: Vec<&Found> = found.iter().filter(|f| matches!(f.answer, Answer::Addresses(_))).collect();
        if known.is_empty() {
            let unknown = found.iter().find_map(|found| match &found.answer {
                Answer::Bogus(cause) => Some(TlsaAnswer::Bogus(cause.clone())),
                Answer::Tempfail(cause) => Some(TlsaAnswer::Tempfail(cause.clone())),
                _ => None,
            });
            return unknown.map_or(Ok(None), Err);
        }
        let canonical = known.iter().find_map(|found| found.canonical.as_deref()).map(str::to_owned);
        Ok(Some(Way { secure: known.iter().all(|found| found.secure), canonical }))
    }
}

fn as_address(host: &str) -> Option<IpAddr> {
    host.parse().ok().or_else(|| host.parse::<Domain>().ok().and_then(|domain| domain.literal()))
}

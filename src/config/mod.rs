//! gateway.toml: where things are. What must hold is said by the policy.
//!
//! Called by `serve` and the commands. Promises: unknown keys are refused, keys of a later version are named as such, all
//! mistakes are reported at once with file, line and column; what a stage needs goes on as that stage's own small struct,
//! and the whole stops here. Fails with diagnostics.

mod lowered;
mod parse;
mod read;
mod restart;
pub mod secret;
mod veil;

pub use lowered::lowered;
pub use parse::{ConfigError, load, read_text};
pub use restart::needs_restart;

use crate::dns::Dnssec;
use crate::mail::{Domain, Mailbox};
use crate::policy::{Journal, Known, KnownRelay, ProofCheck, ProofSource};
use crate::queue::{Destination, Retry, Routes};
use crate::receive::access::{MailFrom, Network, Senders};
use crate::tls::Profile;
use crate::vocabulary::Level;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// The whole of gateway.toml.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Where it was read.
    pub file: PathBuf,
    pub text: Text,
    pub hostname: Domain,
    pub data: PathBuf,
    pub policies: PathBuf,
    pub sites: Vec<Site>,
    pub listeners: Vec<Listener>,
    pub relays: Vec<Relay>,
    pub deliver: Deliver,
    pub dns: Dns,
    pub tls: TlsFiles,
    pub queue: QueueSettings,
    pub limits: Limits,
    pub admin: SocketAddr,
}

/// What was read. It says nothing that the rest does not: two files that mean the same are the same.
#[derive(Debug, Clone, Default)]
pub struct Text(pub Arc<str>);

impl PartialEq for Text {
    fn eq(&self, _: &Text) -> bool {
        true
    }
}

/// Whom we ask for names, and whom we believe.
#[derive(Debug, Clone, PartialEq)]
pub struct Dns {
    /// Empty: the system's.
    pub servers: Vec<SocketAddr>,
    pub dnssec: Dnssec,
    /// A name that must come back validated.
    pub self_test: String,
}

impl Default for Dns {
    fn default() -> Dns {
        Dns { servers: Vec::new(), dnssec: Dnssec::default(), self_test: ".".to_owned() }
    }
}

/// An organisation or practice with an Exchange of its own.
#[derive(Debug, Clone, PartialEq)]
pub struct Site {
    pub name: Arc<str>,
    pub description: String,
    pub domains: Vec<Domain>,
    pub exchange: Vec<HostPort>,
    pub networks: Vec<Network>,
    /// Who may log in as its client.
    pub logins: Option<PathBuf>,
    pub senders: Senders,
    /// The legs to and from its Exchange.
    pub require: Level,
    pub names: Vec<String>,
    pub pins: Vec<String>,
    pub duty: Option<Mailbox>,
    pub phone: Option<String>,
    /// The relay for what its Exchange sends to its own domains.
    pub elsewhere: Option<Arc<str>>,
    /// Its server offers REQUIRETLS (RFC 8689). Exchange does not.
    pub requiretls: bool,
    pub journal: Option<Journal>,
}

/// A host and a port, as in `mail.example:587` or `10.20.0.5:25`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostPort {
    pub host: String,
    pub port: u16,
}

/// One listening address.
#[derive(Debug, Clone, PartialEq)]
pub struct Listener {
    pub name: Arc<str>,
    pub address: SocketAddr,
    pub mail_from: MailFrom,
    pub tls: ListenerTls,
}

/// What a listener does about TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListenerTls {
    Off,
    Offer,
    Require,
    /// TLS before the greeting.
    Implicit,
}

/// A server that takes mail on to others.
#[derive(Debug, Clone, PartialEq)]
pub struct Relay {
    pub name: Arc<str>,
    pub hosts: Vec<HostPort>,
    pub require: Level,
    pub names: Vec<String>,
    pub pins: Vec<String>,
    /// What its owner promises after it; without a promise `encrypted` at most.
    pub onward: Level,
    pub carries: Vec<String>,
    pub auth: Option<RelayAuth>,
}

/// What a relay wants to hear before it takes mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelayAuth {
    pub user: String,
    pub password_file: PathBuf,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Deliver {
    pub port: u16,
    pub smarthost: Option<Arc<str>>,
    /// Whether an MX host, or a host of MTA-STS policies, may have a loopback, private or own address.
    pub allow_private: bool,
    /// Where hosts of MTA-STS policies listen.
    pub mta_sts_port: u16,
}

impl Default for Deliver {
    fn default() -> Deliver {
        Deliver { port: 25, smarthost: None, allow_private: false, mta_sts_port: 443 }
    }
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct TlsFiles {
    /// Certificate chain and key; none: self-signed, made at the first start.
    pub identity: Option<(PathBuf, PathBuf)>,
    pub extra_roots: Vec<PathBuf>,
    pub profile: Profile,
}

#[derive(Debug, Clone, PartialEq)]
pub struct QueueSettings {
    pub retry: Retry,
    /// Below this many free octets MAIL is put off.
    pub min_free: u64,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Limits {
    pub max_message: u64,
    pub sessions: usize,
    pub sessions_per_client: usize,
    pub recipients: usize,
    pub line: usize,
    pub header: usize,
    pub hops: usize,
    pub idle: Duration,
    pub message_time: Duration,
    pub links: usize,
    pub links_per_destination: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            max_message: 50_000_000,
            sessions: 10_000,
            sessions_per_client: 500,
            recipients: 1_000,
            line: 2_048,
            header: 1_000_000,
            hops: 30,
            idle: Duration::from_secs(300),
            message_time: Duration::from_secs(1_800),
            links: 500,
            links_per_destination: 20,
        }
    }
}

impl Config {
    /// What rules may name.
    #[must_use]
    pub fn known(&self) -> Known {
        let relay = |r: &Relay| KnownRelay {
            name: r.name.to_string(),
            hosts: r.hosts.iter().map(|h| h.host.clone()).collect(),
            carries: r.carries.clone(),
            onward: r.onward,
            require: r.require,
        };
        let open = self.sites.iter().filter(|s| s.require < Level::Encrypted);
        Known {
            open_sites: open.map(|s| s.name.to_string()).collect(),
            relays: self.relays.iter().map(relay).collect(),
            sites: Some(self.sites.iter().map(|s| s.name.to_string()).collect()),
            domains: self.sites.iter().map(|s| (s.name.to_string(), s.domains.clone())).collect(),
            duty: self.sites.iter().all(|s| s.duty.is_some()),
            smarthost: self.deliver.smarthost.as_ref().map(ToString::to_string),
            journals: self.sites.iter().filter_map(|s| Some((s.name.to_string(), s.journal.clone()?))).collect(),
        }
    }

    /// How each site's Exchange and each relay proves itself, by its destination as it is printed: pins replace names.
    #[must_use]
    pub fn proofs(&self) -> HashMap<String, Vec<ProofSource>> {
        let source = |origin: String, names: &[String], pins: &[String]| {
            let check = match (names, pins) {
                ([], []) => return Vec::new(),
                (names, []) => ProofCheck::Names(names.to_vec()),
                (_, pins) => ProofCheck::Pins(pins.to_vec()),
            };
            vec![ProofSource::new(origin, check)]
        };
        let sites = self.sites.iter().map(|s| {
            let destination = Destination::Site(s.name.clone()).to_string();
            (destination, source(format!("site {}", s.name), &s.names, &s.pins))
        });
        let relays = self.relays.iter().map(|r| {
            let destination = Destination::Relay(r.name.clone()).to_string();
            (destination, source(format!("relay {}", r.name), &r.names, &r.pins))
        });
        sites.chain(relays).collect()
    }

    /// Where mail goes.
    #[must_use]
    pub fn routes(&self) -> Routes {
        let domains = self.sites.iter().flat_map(|s| s.domains.iter().map(|d| (d.clone(), s.name.clone())));
        let elsewhere = self.sites.iter().filter_map(|s| Some((s.name.clone(), s.elsewhere.clone()?)));
        let sites = self.sites.iter().map(|s| (Destination::Site(s.name.clone()), s.require));
        let relays = self.relays.iter().map(|r| (Destination::Relay(r.name.clone()), r.require));
        Routes {
            sites: domains.collect(),
            elsewhere: elsewhere.collect(),
            require_tls: self.sites.iter().filter(|s| s.requiretls).map(|s| s.name.clone()).collect(),
            smarthost: self.deliver.smarthost.clone(),
            floors: sites.chain(relays).collect(),
        }
    }
}

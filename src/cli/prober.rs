//! What `probe` and `doctor` look with: the resolver, TLS, roots and policy that the gateway would use.
//!
//! Promises: works without a gateway.toml, with what the system has. Fails with what is wrong in it.

use super::Failure;
use super::known::Source;
use crate::config;
use crate::decide::{self, Judge};
use crate::deliver::Patience;
use crate::deliver::probe::Prober;
use crate::deliver::route::HostBook;
use crate::dns::Resolver;
use crate::mail::Domain;
use crate::policy::{Known, SourceFile};
use crate::proof::memory;
use crate::proof::mta_sts::{self, Fetcher};
use crate::tls::{Connector, Roots};
use std::fmt::Display;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// For each step of a host that is looked at.
const QUICK: Duration = Duration::from_secs(10);

/// Waits for what is asked of the network.
///
/// # Errors
/// When the system gives nothing to wait with.
pub(super) fn blocking<T>(asked: impl Future<Output = T>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::wrong(format!("nothing can be asked: {error}")))?;
    Ok(runtime.block_on(asked))
}

/// What is done where the policy cannot be used.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Without {
    Fails,
    /// Hosts then prove themselves by what they publish alone.
    GoesOn,
}

/// With what gateway.toml says, where there is one, and the policy.
///
/// # Errors
/// When either cannot be used.
pub(super) fn prober(source: &Source, without: Without) -> Result<Prober, Failure> {
    let asked = source.config.clone().or_else(installed);
    let config = asked.as_deref().map(config::load).transpose()?;
    let (dns, deliver, tls) = match &config {
        Some(config) => (config.dns.clone(), config.deliver.clone(), config.tls.clone()),
        None => (config::Dns::default(), config::Deliver::default(), config::TlsFiles::default()),
    };
    let servers = match dns.servers.as_slice() {
        [] => Resolver::system_servers(),
        servers => servers.to_vec(),
    };
    let resolver = Resolver::new(&servers, dns.dnssec);
    let (roots, _) = Roots::system_and(&tls.extra_roots).map_err(wrong)?;
    let (connector, roots) = (Connector::of(tls.profile).map_err(wrong)?, Arc::new(roots));
    let (port, allow_private) = (deliver.mta_sts_port, deliver.allow_private);
    let fetcher = Fetcher {
        resolver: resolver.clone(),
        connector: connector.lenient(),
        roots: roots.clone(),
        port,
        allow_private,
    };
    let hosts = HostBook { mx_port: deliver.port, allow_private, ..HostBook::default() };
    let offered = config.as_ref().map(|config| memory::read(&config.data)).unwrap_or_default();
    let kept = config.as_ref().map(|config| mta_sts::read(&config.data)).unwrap_or_default();
    let hostname = config.map_or_else(own_name, |config| config.hostname.to_string());
    let judge = match judge(source, asked) {
        Err(_) if without == Without::GoesOn => no_policy()?,
        judge => judge?,
    };
    // Nobody waits for minutes at a prompt.
    let patience = Patience { connect: QUICK, greeting: QUICK, handshake: QUICK, ..Patience::default() };
    let self_test = dns.self_test;
    Ok(Prober { hostname, resolver, connector, roots, judge, fetcher, hosts, patience, self_test, kept, offered })
}

/// The policy says how hosts prove themselves; where there is none, what they publish does.
fn judge(source: &Source, config: Option<PathBuf>) -> Result<Judge, Failure> {
    let named = config.is_some() || source.policies.is_some();
    let surroundings = Source { config, policies: source.policies.clone() }.surroundings()?;
    if !named && !surroundings.policies.exists() {
        return no_policy();
    }
    let files = decide::read(&surroundings.policies).map_err(Failure::no_policy)?;
    decide::judge_of(&files, &surroundings.known).map_err(|wrong| Failure::diagnosed(&wrong))
}

fn no_policy() -> Result<Judge, Failure> {
    let nothing = SourceFile { name: "policy.toml".to_owned(), text: "[policy]\nempty = true\n".to_owned() };
    decide::judge_of(&[nothing], &Known::default()).map_err(|wrong| Failure::diagnosed(&wrong))
}

/// gateway.toml where `serve` would look for it.
pub(super) fn installed() -> Option<PathBuf> {
    ["/etc/mailward/gateway.toml", "gateway.toml"].iter().map(PathBuf::from).find(|path| path.exists())
}

/// What this machine calls itself.
fn own_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    name.trim().parse::<Domain>().map_or_else(|_| "localhost".to_owned(), |name| name.to_string())
}

fn wrong(why: impl Display) -> Failure {
    Failure::wrong(why)
}

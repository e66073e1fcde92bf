//! `mailward probe`: what a domain offers now, and why it is not more, for a helpdesk and for monitoring.
//!
//! Works beside a running gateway and without one. Nothing is sent. Exit code 0 where the level that is asked for is reached, 1 where it
//! is not, 3 where nobody could tell.

mod print;

use super::Failure;
use super::known::Source;
use crate::config;
use crate::control::domain;
use crate::decide::{self, Judge};
use crate::deliver::Patience;
use crate::deliver::probe::{Probed, Prober};
use crate::deliver::route::HostBook;
use crate::dns::Resolver;
use crate::mail::Domain;
use crate::policy::SourceFile;
use crate::proof::mta_sts::Fetcher;
use crate::tls::{Connector, Roots};
use crate::vocabulary::{Fault, Level};
use std::fmt::Display;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

const EXAMPLE: &str = "Examples:
  mailward probe nhs.net
  mailward probe partner.example --require verified    for monitoring: exit code 1 when it is not reached
  mailward probe partner.example --propose             lines for a group of the policy, to be confirmed by a person";

/// Could not tell.
const UNKNOWN: u8 = 3;

/// Look at what a domain offers now: mail hosts, DNSSEC, TLSA, MTA-STS, TLS and certificates, the level reached, why not more
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
pub struct Args {
    #[command(flatten)]
    source: Source,
    #[arg(value_name = "DOMAIN", value_parser = domain)]
    domain: Domain,
    /// The level that has to be reached for exit code 0
    #[arg(long, value_name = "LEVEL", default_value = "encrypted")]
    require: Level,
    /// Propose `mx` and `pins` for a group, from what the hosts show now
    #[arg(long)]
    propose: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[must_use]
pub fn run(args: Args) -> ExitCode {
    args.answer().unwrap_or_else(Failure::print)
}

impl Args {
    fn answer(&self) -> Result<ExitCode, Failure> {
        let prober = self.prober()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Failure::wrong(format!("nothing can be asked: {error}")))?;
        let probed = runtime.block_on(prober.probe(&self.domain));
        if self.json {
            say!("{}", print::json(&self.domain, &probed, self.propose));
        } else {
            say_as_is!("{}", print::text(&self.domain, &probed));
            if self.propose {
                say_as_is!("{}", print::proposal(&self.domain, &probed));
            }
        }
        Ok(self.exit(&probed))
    }

    fn exit(&self, probed: &Probed) -> ExitCode {
        match probed.level() {
            Some(level) if level >= self.require => ExitCode::SUCCESS,
            Some(_) => ExitCode::from(1),
            // Whether the domain is at fault, or the way to it.
            None => match probed.why_not_more().map(|reason| reason.fault()) {
                Some(Fault::Network | Fault::Resolver | Fault::Us) => ExitCode::from(UNKNOWN),
                _ => ExitCode::from(1),
            },
        }
    }

    fn prober(&self) -> Result<Prober, Failure> {
        let asked = self.source.config.clone().or_else(installed);
        let config = asked.as_deref().map(config::load).transpose()?;
        let (dns, deliver, roots) = match &config {
            Some(config) => (config.dns.clone(), config.deliver.clone(), config.tls.extra_roots.clone()),
            None => (config::Dns::default(), config::Deliver::default(), Vec::new()),
        };
        let servers = match dns.servers.as_slice() {
            [] => Resolver::system_servers(),
            servers => servers.to_vec(),
        };
        let resolver = Resolver::new(&servers, dns.dnssec);
        let (roots, _) = Roots::system_and(&roots).map_err(wrong)?;
        let (connector, roots) = (Connector::new().map_err(wrong)?, Arc::new(roots));
        let (port, allow_private) = (deliver.mta_sts_port, deliver.allow_private);
        let fetcher = Fetcher {
            resolver: resolver.clone(),
            connector: connector.clone(),
            roots: roots.clone(),
            port,
            allow_private,
        };
        let hosts = HostBook { mx_port: deliver.port, allow_private, ..HostBook::default() };
        let hostname = config.map_or_else(own_name, |config| config.hostname.to_string());
        let judge = self.judge(asked)?;
        Ok(Prober { hostname, resolver, connector, roots, judge, fetcher, hosts, patience: Patience::default() })
    }

    /// The policy says how hosts prove themselves; where there is none, what they publish does.
    fn judge(&self, config: Option<PathBuf>) -> Result<Judge, Failure> {
        let named = config.is_some() || self.source.policies.is_some();
        let surroundings = Source { config, policies: self.source.policies.clone() }.surroundings()?;
        if !named && !surroundings.policies.exists() {
            let nothing = SourceFile { name: "policy.toml".to_owned(), text: "[policy]\nempty = true\n".to_owned() };
            return decide::judge_of(&[nothing], &surroundings.known).map_err(|wrong| Failure::diagnosed(&wrong));
        }
        let files = decide::read(&surroundings.policies).map_err(Failure::no_policy)?;
        decide::judge_of(&files, &surroundings.known).map_err(|wrong| Failure::diagnosed(&wrong))
    }
}

/// gateway.toml where `serve` would look for it.
fn installed() -> Option<PathBuf> {
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

//! `mailward probe`: what a domain offers now, and why it is not more, for a helpdesk and for monitoring.
//!
//! Works beside a running gateway and without one. Nothing is sent. Exit code 0 where the level that is asked for is reached, 1 where it
//! is not, 3 where nobody could tell.

mod print;
mod propose;

use super::Failure;
use super::known::Source;
use super::prober::{Without, blocking, prober};
use crate::clock::Now;
use crate::control::domain;
use crate::deliver::probe::Probed;
use crate::mail::Domain;
use crate::vocabulary::{Fault, Level};
use propose::Proposed;
use std::process::ExitCode;

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
    /// Propose `mx` or `pins` for a group, from what the hosts show now and what the gateway remembers of them
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
        let prober = prober(&self.source, Without::Fails)?;
        let probed = blocking(prober.probe(&self.domain))?;
        let proposed = self.propose.then(|| Proposed::of(&probed, &prober.offered, Now::read().wall));
        if self.json {
            say!("{}", print::json(&self.domain, &probed, proposed.as_ref()));
        } else {
            say_as_is!("{}", print::text(&self.domain, &probed));
            proposed.iter().for_each(|proposed| say_as_is!("{}", proposed.text(&self.domain)));
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
}

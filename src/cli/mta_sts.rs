//! `mailward mta-sts`: what domains ask of those who send them mail, as it is kept, and fetched anew.

use super::{ConfigFile, Failure, ask};
use crate::control::{Request, domain};
use crate::mail::Domain;
use serde_json::Value;
use std::process::ExitCode;

/// What domains ask of those who send them mail (MTA-STS)
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  mailward mta-sts show nhs.net")]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// The policies that are kept, and until when they hold
    #[command(after_help = "Example:\n  mailward mta-sts show --json")]
    Show(Show),
    /// Fetch a domain's policy anew, whatever is kept
    #[command(after_help = "Example:\n  mailward mta-sts refresh partner.example")]
    Refresh(Refresh),
}

#[derive(Debug, clap::Args)]
struct Show {
    #[command(flatten)]
    config: ConfigFile,
    /// This domain only
    #[arg(value_name = "DOMAIN", value_parser = domain)]
    domain: Option<Domain>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct Refresh {
    #[command(flatten)]
    config: ConfigFile,
    #[arg(value_name = "DOMAIN", value_parser = domain)]
    domain: Domain,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[must_use]
pub fn run(args: Args) -> ExitCode {
    let answered = match args.verb {
        Verb::Show(args) => args.answer(),
        Verb::Refresh(args) => args.answer(),
    };
    answered.unwrap_or_else(Failure::print)
}

impl Show {
    fn answer(self) -> Result<ExitCode, Failure> {
        let answer = ask(&self.config, &Request::MtaSts { domain: self.domain })?;
        let policies = answer["policies"].as_array().map_or(&[][..], Vec::as_slice);
        if self.json {
            say!("{}", answer["policies"]);
        } else if policies.is_empty() {
            say!("no policy is kept");
        }
        if !self.json {
            policies.iter().for_each(print);
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Refresh {
    fn answer(self) -> Result<ExitCode, Failure> {
        let policy = ask(&self.config, &Request::MtaStsRefresh { domain: self.domain })?;
        if self.json {
            say!("{policy}");
        } else {
            print(&policy);
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn print(policy: &Value) {
    let text = |key: &str| policy[key].as_str().unwrap_or("?").to_owned();
    let hosts: Vec<&str> = policy["mx"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    say!("{:<40} {:<8} until {}  {}", text("domain"), text("mode"), text("ends"), hosts.join(" "));
}

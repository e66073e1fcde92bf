//! `mailward doctor`: this installation, point by point, with what to do. Works beside a running gateway and before the first start.
//!
//! Promises: nothing is changed and nothing is sent; each point says ok, warn or fail in one sentence. Exit code 1 when one fails.

mod checks;

use super::known::Source;
use super::prober::{Without, blocking, installed, prober};
use super::{ConfigFile, Failure};
use crate::config;
use crate::control::domain;
use crate::mail::Domain;
use serde::Serialize;
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;

const EXAMPLE: &str = "Examples:
  mailward doctor
  mailward doctor --reach nhs.net --json      a domain whose mail host is called, to see whether port 25 leads out";

/// Look at this installation: clock, disk, DNS, DNSSEC, port 25 out, certificate, policy, documents, each site's Exchange, and what to do
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
pub struct Args {
    #[command(flatten)]
    config: ConfigFile,
    /// A domain outside whose mail host is called (EHLO, STARTTLS, QUIT)
    #[arg(long, value_name = "DOMAIN", value_parser = domain, default_value = "nhs.net")]
    reach: Domain,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// How a point stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
enum State {
    Ok,
    Warn,
    Fail,
}

impl State {
    fn name(self) -> &'static str {
        match self {
            State::Ok => "ok",
            State::Warn => "warn",
            State::Fail => "fail",
        }
    }
}

/// One point.
#[derive(Debug, Serialize)]
struct Point {
    name: String,
    state: State,
    said: String,
    /// What to do.
    hint: Option<String>,
}

impl Point {
    fn ok(name: impl Into<String>, said: impl Into<String>) -> Point {
        Point { name: name.into(), state: State::Ok, said: said.into(), hint: None }
    }

    fn bad(name: impl Into<String>, state: State, said: impl Into<String>, hint: impl Into<String>) -> Point {
        Point { name: name.into(), state, said: said.into(), hint: Some(hint.into()) }
    }
}

#[must_use]
pub fn run(args: Args) -> ExitCode {
    args.answer().unwrap_or_else(Failure::print)
}

impl Args {
    fn answer(&self) -> Result<ExitCode, Failure> {
        let file: PathBuf = self.config.config.clone().or_else(installed).unwrap_or_else(|| self.config.path());
        let config = config::load(&file)?;
        let prober = prober(&Source { policies: None, config: Some(file) }, Without::GoesOn)?;
        let points = blocking(checks::all(&config, &prober, &self.reach))?;
        if self.json {
            say!("{}", json!({ "checks": points }));
        } else {
            points.iter().for_each(print);
        }
        let failed = points.iter().any(|point| point.state == State::Fail);
        Ok(ExitCode::from(u8::from(failed)))
    }
}

fn print(point: &Point) {
    say!("{:<5} {:<28} {}", point.state.name(), point.name, point.said);
    if let Some(hint) = &point.hint {
        say!("      {:<28} -> {hint}", "");
    }
}

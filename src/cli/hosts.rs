//! `mailward hosts`: what mail hosts offered before, which of them offer less now, and a person's word that this is right.

use super::queue::agreed;
use super::{ConfigFile, Failure, ask};
use crate::control::{Accepting, Request};
use crate::proof::memory::Offered;
use crate::vocabulary::Proof;
use serde_json::Value;
use std::process::ExitCode;

/// What mail hosts offered before, and which of them offer less now
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  mailward hosts show --fallen")]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// What each host offered: encryption, proof, key, first and last seen
    #[command(after_help = "Example:\n  mailward hosts show mx1.partner.example")]
    Show(Show),
    /// What a host offers since it fell is right: from now on it is held to that
    #[command(
        after_help = "Example:\n  mailward hosts accept mx1.partner.example --because 'New server, their IT confirmed by phone, ref IG-77' --by 'J. Smith'"
    )]
    Accept(Accept),
}

#[derive(Debug, clap::Args)]
struct Show {
    #[command(flatten)]
    config: ConfigFile,
    /// This host only
    #[arg(value_name = "HOST")]
    host: Option<String>,
    /// Only hosts that offer less than they did
    #[arg(long)]
    fallen: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct Accept {
    #[command(flatten)]
    config: ConfigFile,
    #[arg(value_name = "HOST")]
    host: String,
    /// Why it is right, for the record
    #[arg(long, value_name = "TEXT")]
    because: String,
    /// Who decided it, for the record
    #[arg(long, value_name = "NAME")]
    by: String,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

#[must_use]
pub fn run(args: Args) -> ExitCode {
    let answered = match args.verb {
        Verb::Show(args) => args.answer(),
        Verb::Accept(args) => args.answer(),
    };
    answered.unwrap_or_else(Failure::print)
}

impl Show {
    fn answer(self) -> Result<ExitCode, Failure> {
        let answer = ask(&self.config, &Request::Hosts { host: self.host })?;
        let hosts = answer["hosts"].as_array().cloned().unwrap_or_default();
        let hosts: Vec<Value> = hosts.into_iter().filter(|host| !self.fallen || !host["fall"].is_null()).collect();
        if self.json {
            say!("{}", Value::Array(hosts));
        } else if hosts.is_empty() {
            say!("no such host is known");
        } else {
            hosts.iter().for_each(print);
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Accept {
    fn answer(self) -> Result<ExitCode, Failure> {
        let answer = ask(&self.config, &Request::Hosts { host: Some(self.host.clone()) })?;
        let known = &answer["hosts"][0];
        if !known.is_null() {
            print(known);
        }
        let seen = serde_json::from_value::<Offered>(known["fall"]["offered"].clone());
        let is_meant = self.yes || seen.is_err() || agreed("accept what it offers now? [y/N] ");
        if !is_meant {
            say!("nothing is accepted");
            return Ok(ExitCode::FAILURE);
        }
        // Without a fall there is nothing to be seen, and the gateway says so.
        let nothing = Offered { starttls: false, version: None, proof: Proof::Nothing, key: None };
        let accepting = Accepting { because: self.because, by: self.by };
        let request = Request::HostAccept { host: self.host, offered: seen.unwrap_or(nothing), accepting };
        print(&ask(&self.config, &request)?);
        say!(
            "what waits for it is tried at its next date, or now by `mailward queue retry --reason stripping-suspected`"
        );
        Ok(ExitCode::SUCCESS)
    }
}

fn print(host: &Value) {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    say!("{}", text(&host["host"]));
    say!("  offered   {}", offered(&host["offered"]));
    say!("  seen      {} to {}; key since {}", text(&host["first"]), text(&host["last"]), text(&host["key_since"]));
    let fall = &host["fall"];
    if !fall.is_null() {
        say!("  now       {}: {}", offered(&fall["offered"]), text(&fall["words"]));
        let waits = if fall["keeps_mail"] == true { "mail that needs more waits" } else { "no mail needs more" };
        say!("  since     {}; {waits}", text(&fall["since"]));
    }
}

fn offered(offered: &Value) -> String {
    if offered["starttls"] != true {
        return "no encryption".to_owned();
    }
    let text = |key: &str| offered[key].as_str().unwrap_or("-").to_owned();
    format!("{}, proof {}, key {}", text("version"), text("proof"), text("key"))
}

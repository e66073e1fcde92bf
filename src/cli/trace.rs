//! `mailward trace`: the life of a message, by id, Message-ID, sender or recipient.

use super::life::{print_actions, print_decision, print_waiting, text};
use super::{ConfigFile, Failure, ask, fail};
use crate::control::Request;
use serde_json::Value;
use std::process::ExitCode;

/// The life of a message: by entry id, Message-ID, sender or recipient, or a part of one
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  mailward trace dr.jones@kingston-surgery.nhs.uk")]
pub struct Args {
    #[command(flatten)]
    config: ConfigFile,
    query: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[must_use]
pub fn run(args: Args) -> ExitCode {
    let lives = match ask(&args.config, &Request::Trace { query: args.query.clone() }) {
        Ok(lives) => lives,
        Err(failure) => return Failure::print(failure),
    };
    if args.json {
        say!("{lives}");
    } else {
        lives.as_array().into_iter().flatten().for_each(print);
    }
    if lives.as_array().is_none_or(Vec::is_empty) {
        return fail(format!(
            "nothing is known of `{}`\nhint: try the id of the reply `queued as`, or an address",
            args.query
        ));
    }
    ExitCode::SUCCESS
}

fn print(life: &Value) {
    say!("{}  {}  from <{}>", text(&life["id"]), text(&life["accepted"]), text(&life["reverse_path"]));
    let decision = &life["decision"];
    if let Some(about) = decision["notice_about"].as_str() {
        say!("  notice     about {about}");
    }
    print_decision(decision);
    if let Some(reply) = decision["reply"]["text"].as_str() {
        say!("  answered   {} {reply}", decision["reply"]["code"]);
    }
    print_actions(&life["actions"]);
    print_waiting(&life["waiting"]);
    for ending in life["endings"].as_array().into_iter().flatten() {
        let link = match (ending["tls"].as_str(), ending["proof"].as_str()) {
            (Some(tls), Some(proof)) => format!("{tls}, proof {proof}"),
            _ => "no TLS".to_owned(),
        };
        say!(
            "  ended      {}: {} ({}) at {}, {} [{link}]",
            text(&ending["recipient"]),
            text(&ending["outcome"]),
            text(&ending["reason"]),
            text(&ending["at"]),
            text(&ending["host"])
        );
    }
}

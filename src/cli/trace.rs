//! `mailward trace`: the life of a message, by id, Message-ID, sender or recipient.

use super::{ConfigFile, ask, fail};
use crate::control::Request;
use serde_json::Value;
use std::process::ExitCode;

/// The life of a message: by entry id, Message-ID, sender or recipient, or a part of one
///
/// Example: mailward trace dr.jones@kingston-surgery.nhs.uk
#[derive(Debug, clap::Args)]
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
        Err(why) => return fail(why),
    };
    if args.json {
        println!("{lives}");
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
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    println!("{}  {}  from <{}>", text(&life["id"]), text(&life["accepted"]), text(&life["reverse_path"]));
    let decision = &life["decision"];
    for finding in decision["findings"].as_array().into_iter().flatten() {
        println!(
            "  found      {} {} in {} ({})",
            text(&finding["kind"]),
            text(&finding["masked"]),
            text(&finding["place"]),
            text(&finding["confidence"])
        );
    }
    for recipient in decision["recipients"].as_array().into_iter().flatten() {
        println!(
            "  decided    {}: {} ({})",
            text(&recipient["to"]),
            text(&recipient["fate"]),
            text(&recipient["require"])
        );
        for rule in recipient["rules"].as_array().into_iter().flatten() {
            println!("             by {} at {} ({})", text(&rule["name"]), text(&rule["at"]), text(&rule["mode"]));
        }
    }
    if let Some(reply) = decision["reply"]["text"].as_str() {
        println!("  answered   {} {reply}", decision["reply"]["code"]);
    }
    for ending in life["endings"].as_array().into_iter().flatten() {
        let link = match (ending["tls"].as_str(), ending["proof"].as_str()) {
            (Some(tls), Some(proof)) => format!("{tls}, proof {proof}"),
            _ => "no TLS".to_owned(),
        };
        println!(
            "  ended      {}: {} ({}), {} [{link}]",
            text(&ending["recipient"]),
            text(&ending["outcome"]),
            text(&ending["reason"]),
            text(&ending["host"])
        );
    }
}

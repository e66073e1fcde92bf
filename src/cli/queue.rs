//! `mailward queue list|show|retry`: what waits, why, and trying it again.

use super::life::{joined, print_decision, print_waiting, text};
use super::{ConfigFile, Failure, ask};
use crate::clock::duration_words;
use crate::control::{Filter, Request};
use serde_json::{Value, json};
use std::io::{BufRead, Write};
use std::process::ExitCode;
use std::time::Duration;

/// What waits in the queue, why, and trying it again
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  mailward queue list --to-domain trust.example --json")]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// List what waits, oldest first
    #[command(after_help = "Example:\n  mailward queue list --reason certificate-expired")]
    List {
        #[command(flatten)]
        config: ConfigFile,
        #[command(flatten)]
        filter: Filter,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show everything that is known of one entry
    #[command(after_help = "Example:\n  mailward queue show 06DK2VHZ8C000 --json")]
    Show {
        #[command(flatten)]
        config: ConfigFile,
        id: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Try what waits again now
    #[command(after_help = "Example:\n  mailward queue retry --to-domain trust.example --yes")]
    Retry {
        #[command(flatten)]
        config: ConfigFile,
        #[command(flatten)]
        filter: Filter,
        /// Do not ask
        #[arg(long)]
        yes: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

#[must_use]
pub fn run(args: Args) -> ExitCode {
    let done = match args.verb {
        Verb::List { config, filter, json } => list(&config, filter, json),
        Verb::Show { config, id, json } => show(&config, id, json),
        Verb::Retry { config, filter, yes, json } => {
            retry(&config, filter, yes).map(|retried| print_retried(&retried, json))
        }
    };
    done.unwrap_or_else(Failure::print)
}

fn list(config: &ConfigFile, filter: Filter, json: bool) -> Result<ExitCode, Failure> {
    let nothing = nothing(&filter);
    let rows = ask(config, &Request::QueueList { filter })?;
    match rows.as_array() {
        _ if json => say!("{rows}"),
        Some(rows) if !rows.is_empty() => rows.iter().for_each(print),
        _ => say!("{nothing}"),
    }
    Ok(ExitCode::SUCCESS)
}

fn nothing(filter: &Filter) -> &'static str {
    if *filter == Filter::default() { "nothing waits" } else { "nothing that waits matches" }
}

fn print(row: &Value) {
    // Whole minutes: seconds say nothing about mail that waits.
    let age = duration_words(Duration::from_secs(row["age_seconds"].as_u64().unwrap_or(0) / 60 * 60));
    say!(
        "{}  {:<8}  {:<9}  {:<26}  {age:>6}  next {}",
        text(&row["id"]),
        text(&row["state"]),
        text(&row["require"]),
        text(&row["reason"]),
        text(&row["next_attempt"])
    );
    let (recipients, classes) = (joined(&row["recipients"]), joined(&row["classes"]));
    say!("    from <{}> to {recipients}  [{classes}]", text(&row["reverse_path"]));
}

fn show(config: &ConfigFile, id: String, json: bool) -> Result<ExitCode, Failure> {
    let entry = ask(config, &Request::QueueShow { id: id.clone() })?;
    if entry.is_null() {
        return Err(format!("{id} is not in the queue\nhint: `mailward trace {id}` tells what became of it").into());
    }
    if json {
        say!("{entry}");
    } else {
        print_entry(&entry);
    }
    Ok(ExitCode::SUCCESS)
}

fn print_entry(entry: &Value) {
    say!("{}  {}  from <{}>", text(&entry["id"]), text(&entry["accepted"]), text(&entry["reverse_path"]));
    say!("  message    {}, {} octets", text(&entry["message_id"]), entry["size"]);
    let of = if entry["notice"] == true { "this gateway (a notice)" } else { text(&entry["site"]) };
    say!("  site       {of}");
    print_decision(&entry["decision"]);
    print_waiting(&entry["waiting"]);
}

/// What became of the wish to try again.
enum Retried {
    Nothing(&'static str),
    NotAgreed,
    Messages(u64),
}

fn retry(config: &ConfigFile, filter: Filter, yes: bool) -> Result<Retried, Failure> {
    let rows = ask(config, &Request::QueueList { filter: filter.clone() })?;
    let count = rows.as_array().map_or(0, Vec::len);
    if count == 0 {
        return Ok(Retried::Nothing(nothing(&filter)));
    }
    if !yes && !agreed(&format!("{count} will be tried again now. Go on? [y/N] ")) {
        return Ok(Retried::NotAgreed);
    }
    let done = ask(config, &Request::QueueRetry { filter })?;
    Ok(Retried::Messages(done["retried"].as_u64().unwrap_or(0)))
}

fn print_retried(retried: &Retried, json: bool) -> ExitCode {
    let (number, words) = match retried {
        Retried::Nothing(words) => (0, (*words).to_owned()),
        Retried::NotAgreed => (0, "nothing was done".to_owned()),
        Retried::Messages(number) => (*number, format!("{number} tried again")),
    };
    if json {
        say!("{}", json!({ "retried": number }));
    } else {
        say!("{words}");
    }
    ExitCode::from(u8::from(matches!(retried, Retried::NotAgreed)))
}

fn agreed(question: &str) -> bool {
    // Not among the answers: those may go to a script.
    eprint!("{question}");
    let mut answer = String::new();
    let asked = std::io::stderr().flush().is_ok() && std::io::stdin().lock().read_line(&mut answer).is_ok();
    asked && matches!(answer.trim(), "y" | "Y" | "yes")
}

//! `mailward queue list|show|retry|hold|release|reroute|bounce`: what waits, why, and what people do about it.

mod instruct;

use super::life::{joined, print_actions, print_decision, print_waiting, text};
use super::{ConfigFile, Failure, ask};
use crate::clock::{EntryId, duration_words};
use crate::control::{Filter, Request};
use instruct::{Bulk, Release, Reroute};
use serde_json::{Value, json};
use std::io::{BufRead, Write};
use std::process::ExitCode;
use std::time::Duration;

/// What waits in the queue, why, and what people do about it
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  mailward queue list --to-domain trust.example --json")]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// List what waits, oldest first
    #[command(after_help = "Example:\n  mailward queue list --reason certificate-expired --limit 20")]
    List(List),
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
    /// Keep mail back: nothing is attempted until it is released; its sender is told as for any mail that waits
    #[command(
        after_help = "Example:\n  mailward queue hold --to-domain trust.example --because INC-1 --by \"A. Admin\""
    )]
    Hold(Bulk),
    /// End an operator's hold and attempt now; with --in-clear, lower what policy asks for these recipients
    #[command(after_help = "Example:\n  mailward queue release 06DK2VHZ8C000 --because INC-1 --by \"A. Admin\"")]
    Release(Release),
    /// Send what waits another way; what is required holds there too
    #[command(after_help = "Example:\n  mailward queue reroute --to relay:secure-hub --to-domain trust.example")]
    Reroute(Reroute),
    /// End it now: senders get a report
    #[command(after_help = "Example:\n  mailward queue bounce 06DK2VHZ8C000 --because INC-1 --by \"A. Admin\"")]
    Bounce(Bulk),
}

#[derive(Debug, clap::Args)]
struct List {
    #[command(flatten)]
    config: ConfigFile,
    #[command(flatten)]
    filter: Filter,
    /// Print so many rows at most
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Go on after this entry, where an earlier list ended
    #[arg(long, value_name = "ID", value_parser = entry_id)]
    after: Option<EntryId>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

fn entry_id(written: &str) -> Result<EntryId, String> {
    written.parse().map_err(str::to_owned)
}

#[must_use]
pub fn run(args: Args) -> ExitCode {
    let done = match args.verb {
        Verb::List(wanted) => list(&wanted),
        Verb::Show { config, id, json } => show(&config, id, json),
        Verb::Retry { config, filter, yes, json } => {
            retry(&config, filter, yes).map(|retried| print_retried(&retried, json))
        }
        Verb::Hold(bulk) => instruct::hold(bulk),
        Verb::Release(release) => instruct::release(release),
        Verb::Reroute(reroute) => instruct::reroute(reroute),
        Verb::Bounce(bulk) => instruct::bounce(bulk),
    };
    done.unwrap_or_else(Failure::print)
}

fn list(wanted: &List) -> Result<ExitCode, Failure> {
    let List { config, filter, limit, after, json } = wanted;
    let mut out = Printed { count: 0, json: *json };
    let mut after = *after;
    loop {
        let page = ask(config, &Request::QueueList { filter: filter.clone(), after })?;
        for row in page["rows"].as_array().into_iter().flatten() {
            if limit.is_some_and(|limit| out.count >= limit) {
                return Ok(out.end(nothing(filter)));
            }
            out.row(row);
        }
        after = page["next"].as_str().and_then(|id| id.parse().ok());
        if after.is_none() {
            return Ok(out.end(nothing(filter)));
        }
    }
}

/// Rows as they come: a list of a million is never in memory.
struct Printed {
    count: usize,
    json: bool,
}

impl Printed {
    fn row(&mut self, row: &Value) {
        match self.json {
            true => say_as_is!("{}{row}", if self.count == 0 { "[" } else { "," }),
            false => print(row),
        }
        self.count += 1;
    }

    fn end(self, nothing: &str) -> ExitCode {
        match (self.json, self.count) {
            (true, 0) => say!("[]"),
            (true, _) => say!("]"),
            (false, 0) => say!("{nothing}"),
            (false, _) => {}
        }
        ExitCode::SUCCESS
    }
}

/// How much a filter chooses.
struct Counted {
    messages: u64,
    recipients: u64,
}

fn counted(config: &ConfigFile, filter: &Filter) -> Result<Counted, Failure> {
    let (mut counted, mut after) = (Counted { messages: 0, recipients: 0 }, None);
    loop {
        let page = ask(config, &Request::QueueCount { filter: filter.clone(), after })?;
        counted.messages += page["messages"].as_u64().unwrap_or(0);
        counted.recipients += page["recipients"].as_u64().unwrap_or(0);
        after = page["next"].as_str().and_then(|id| id.parse().ok());
        if after.is_none() {
            return Ok(counted);
        }
    }
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
    print_actions(&entry["actions"]);
}

/// What became of the wish to try again.
enum Retried {
    Nothing(&'static str),
    NotAgreed,
    Messages(u64),
}

fn retry(config: &ConfigFile, filter: Filter, yes: bool) -> Result<Retried, Failure> {
    let count = counted(config, &filter)?.messages;
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

//! `mailward queue list|show|retry|hold|release|reroute|bounce`: what waits, why, and what people do about it.

mod instruct;

use super::life::{joined, print_actions, print_decision, print_waiting, text};
use super::{ConfigFile, Failure, ask};
use crate::clock::{EntryId, duration_words};
use crate::control::{Filter, Request, entry_id};
use instruct::{Bulk, Release, Reroute};
use serde_json::{Value, json};
use std::io::{BufRead, Write};
use std::num::NonZeroUsize;
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
        #[arg(value_parser = entry_id)]
        id: EntryId,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Try what waits again now
    #[command(after_help = "Example:\n  mailward queue retry --to-domain trust.example --yes")]
    Retry(Retry),
    /// Keep back what waits now: nothing is attempted until it is released; mail that comes from now on is not held
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
struct Retry {
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
}

#[derive(Debug, clap::Args)]
struct List {
    #[command(flatten)]
    config: ConfigFile,
    #[command(flatten)]
    filter: Filter,
    /// Print so many rows, and the others of the last entry among them
    #[arg(long, value_name = "N")]
    limit: Option<NonZeroUsize>,
    /// Go on after this entry, where an earlier list ended
    #[arg(long, value_name = "ID", value_parser = entry_id)]
    after: Option<EntryId>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[must_use]
pub fn run(args: Args) -> ExitCode {
    let done = match args.verb {
        Verb::List(wanted) => list(&wanted),
        Verb::Show { config, id, json } => show(&config, id, json),
        Verb::Retry(wanted) => retry(wanted),
        Verb::Hold(bulk) => instruct::hold(bulk),
        Verb::Release(release) => instruct::release(release),
        Verb::Reroute(reroute) => instruct::reroute(reroute),
        Verb::Bounce(bulk) => instruct::bounce(bulk),
    };
    done.unwrap_or_else(Failure::print)
}

fn list(wanted: &List) -> Result<ExitCode, Failure> {
    let List { config, filter, limit, after, json } = wanted;
    let mut out = Printed { count: 0, last: None, json: *json };
    let mut after = *after;
    loop {
        let page = ask(config, &Request::QueueList { filter: filter.clone(), after })?;
        for row in page["rows"].as_array().into_iter().flatten() {
            let id = text(&row["id"]);
            // An entry's rows stay together: `--after` goes on behind all of them.
            if limit.is_some_and(|limit| out.count >= limit.get()) && out.last.as_deref() != Some(id) {
                out.more();
                return Ok(all_found(&page["not_found"]));
            }
            out.row(row, id);
        }
        after = page["next"].as_str().and_then(|id| id.parse().ok());
        if after.is_none() {
            out.end(nothing(filter));
            return Ok(all_found(&page["not_found"]));
        }
    }
}

/// Rows as they come: a list of a million is never in memory.
struct Printed {
    count: usize,
    /// The last entry.
    last: Option<String>,
    json: bool,
}

impl Printed {
    fn row(&mut self, row: &Value, id: &str) {
        match self.json {
            true => say_as_is!("{}{row}", if self.count == 0 { "[" } else { "," }),
            false => print(row),
        }
        self.count += 1;
        self.last = Some(id.to_owned());
    }

    /// It ended before the queue did.
    fn more(self) {
        let last = self.last.clone().filter(|_| !self.json);
        self.end("");
        if let Some(id) = last {
            say!("more: --after {id}");
        }
    }

    fn end(self, nothing: &str) {
        match (self.json, self.count) {
            (true, 0) => say!("[]"),
            (true, _) => say!("]"),
            (false, 0) => say!("{nothing}"),
            (false, _) => {}
        }
    }
}

fn not_in_queue(ids: &str) -> Failure {
    let verb = if ids.contains(' ') { "are" } else { "is" };
    Failure::wrong(format!("{ids} {verb} not in the queue\nhint: `mailward trace ID` tells what became of it"))
}

/// Says which of the entries that were named are not there; exit code 1 then.
fn all_found(not_found: &Value) -> ExitCode {
    match joined(not_found) {
        ids if ids.is_empty() => ExitCode::SUCCESS,
        ids => not_in_queue(&ids).print(),
    }
}

/// How much a filter chooses.
struct Counted {
    messages: u64,
    /// Messages of which something is attempted: no operator holds all of it.
    attempted: u64,
    recipients: u64,
    /// Entries that were named and are not in the queue.
    not_found: Value,
}

fn counted(config: &ConfigFile, filter: &Filter) -> Result<Counted, Failure> {
    let (mut counted, mut after) = (Counted { messages: 0, attempted: 0, recipients: 0, not_found: Value::Null }, None);
    loop {
        let page = ask(config, &Request::QueueCount { filter: filter.clone(), after })?;
        counted.messages += page["messages"].as_u64().unwrap_or(0);
        counted.attempted += page["attempted"].as_u64().unwrap_or(0);
        counted.recipients += page["recipients"].as_u64().unwrap_or(0);
        after = page["next"].as_str().and_then(|id| id.parse().ok());
        if after.is_none() {
            return Ok(Counted { not_found: page["not_found"].clone(), ..counted });
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
    let journal = if row["journal"] == true { "  journal report" } else { "" };
    let requiretls = if row["requiretls"] == true { "  REQUIRETLS" } else { "" };
    say!("    from <{}> to {recipients}  [{classes}]{journal}{requiretls}", text(&row["reverse_path"]));
}

fn show(config: &ConfigFile, id: EntryId, json: bool) -> Result<ExitCode, Failure> {
    let entry = ask(config, &Request::QueueShow { id: id.to_string() })?;
    if entry.is_null() {
        return Err(not_in_queue(&id.to_string()));
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

fn retry(wanted: Retry) -> Result<ExitCode, Failure> {
    let Retry { config, filter, yes, json } = wanted;
    let counted = counted(&config, &filter)?;
    // Before the question: whoever mistyped an id may not want the rest.
    let found = all_found(&counted.not_found);
    if counted.attempted == 0 {
        return Ok(nothing_to_retry(&counted, &filter, json).map_or(found, Failure::print));
    }
    if !yes && !agreed(&format!("{} will be tried again now. Go on? [y/N] ", counted.attempted)) {
        print_retried(0, "nothing was done", json);
        return Ok(ExitCode::FAILURE);
    }
    let retried = ask(&config, &Request::QueueRetry { filter })?["retried"].as_u64().unwrap_or(0);
    print_retried(retried, &format!("{retried} tried again"), json);
    let held = counted.messages - counted.attempted;
    if held > 0 && !json {
        say!("{held} were left alone: an operator holds them; `mailward queue release` ends that");
    }
    Ok(found)
}

/// Why nothing is tried, and whether that is wrong: what is held was meant, and does not go.
fn nothing_to_retry(counted: &Counted, filter: &Filter, json: bool) -> Option<Failure> {
    let held = counted.messages > 0;
    print_retried(0, if held { "nothing was done" } else { nothing(filter) }, json);
    held.then(|| {
        Failure::wrong("an operator holds all of it\nhint: `mailward queue release` ends that and attempts now")
    })
}

fn print_retried(number: u64, words: &str, json: bool) {
    match json {
        true => say!("{}", json!({ "retried": number })),
        false => say!("{words}"),
    }
}

pub(super) fn agreed(question: &str) -> bool {
    // Not among the answers: those may go to a script.
    eprint!("{question}");
    let mut answer = String::new();
    let asked = std::io::stderr().flush().is_ok() && std::io::stdin().lock().read_line(&mut answer).is_ok();
    asked && matches!(answer.trim(), "y" | "Y" | "yes")
}

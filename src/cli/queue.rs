//! `mailward queue list|show|retry`: what waits, why, and trying it again.

use super::{ConfigFile, ask, fail};
use crate::control::{Filter, Request};
use serde_json::Value;
use std::io::{BufRead, Write};
use std::process::ExitCode;

/// What waits in the queue, why, and trying it again
///
/// Example: mailward queue list --to-domain trust.example --json
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// List what waits, oldest first
    List {
        #[command(flatten)]
        config: ConfigFile,
        #[command(flatten)]
        filter: Filter,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show everything that is known of one entry, as JSON
    Show {
        #[command(flatten)]
        config: ConfigFile,
        id: String,
    },
    /// Try what waits again now
    Retry {
        #[command(flatten)]
        config: ConfigFile,
        #[command(flatten)]
        filter: Filter,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

#[must_use]
pub fn run(args: Args) -> ExitCode {
    let done = match args.verb {
        Verb::List { config, filter, json } => list(&config, filter, json),
        Verb::Show { config, id } => show(&config, id),
        Verb::Retry { config, filter, yes } => retry(&config, filter, yes),
    };
    done.unwrap_or_else(fail)
}

fn list(config: &ConfigFile, filter: Filter, json: bool) -> Result<ExitCode, String> {
    let rows = ask(config, &Request::QueueList { filter })?;
    if json {
        println!("{rows}");
        return Ok(ExitCode::SUCCESS);
    }
    let rows = rows.as_array().cloned().unwrap_or_default();
    if rows.is_empty() {
        println!("nothing waits");
    }
    for row in rows {
        print(&row);
    }
    Ok(ExitCode::SUCCESS)
}

fn print(row: &Value) {
    let text = |key: &str| row[key].as_str().unwrap_or("-").to_owned();
    let joined = |key: &str| {
        let items: Vec<&str> = row[key].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        items.join(", ")
    };
    let age = crate::clock::duration_words(std::time::Duration::from_secs(
        row["age_seconds"].as_u64().unwrap_or(0) / 60 * 60,
    ));
    println!(
        "{}  {:<8}  {:<9}  {:<26}  {age:>6}  next {}",
        text("id"),
        text("state"),
        text("require"),
        text("reason"),
        text("next_attempt")
    );
    println!("    from <{}> to {}  [{}]", text("reverse_path"), joined("recipients"), joined("classes"));
}

fn show(config: &ConfigFile, id: String) -> Result<ExitCode, String> {
    let entry = ask(config, &Request::QueueShow { id: id.clone() })?;
    if entry.is_null() {
        return Err(format!("{id} is not in the queue\nhint: `mailward trace {id}` tells what became of it"));
    }
    println!("{}", serde_json::to_string_pretty(&entry).map_err(|e| e.to_string())?);
    Ok(ExitCode::SUCCESS)
}

fn retry(config: &ConfigFile, filter: Filter, yes: bool) -> Result<ExitCode, String> {
    let rows = ask(config, &Request::QueueList { filter: filter.clone() })?;
    let count = rows.as_array().map_or(0, Vec::len);
    if count == 0 {
        println!("nothing waits");
        return Ok(ExitCode::SUCCESS);
    }
    if !yes && !agreed(&format!("{count} will be tried again now. Go on? [y/N] ")) {
        println!("nothing was done");
        return Ok(ExitCode::from(1));
    }
    let done = ask(config, &Request::QueueRetry { filter })?;
    println!("{} tried again", done["retried"]);
    Ok(ExitCode::SUCCESS)
}

fn agreed(question: &str) -> bool {
    print!("{question}");
    let mut answer = String::new();
    let asked = std::io::stdout().flush().is_ok() && std::io::stdin().lock().read_line(&mut answer).is_ok();
    asked && matches!(answer.trim(), "y" | "Y" | "yes")
}

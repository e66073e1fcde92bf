//! `mailward queue hold|release|reroute|bounce`: what people do to mail that waits, in bulk or by id.
//!
//! Called by `queue`. Promises: says how much is meant and asks before it does anything; nothing is chosen by leaving
//! everything out. Fails as the gateway says, or with 2 where the command line is not enough.

use super::{agreed, all_found, counted, nothing};
use crate::cli::{ConfigFile, Failure, ask};
use crate::control::instruct::Wanted;
use crate::control::order::{Left, Order};
use crate::control::{Filter, Request};
use crate::queue::Route;
use serde_json::{Value, json};
use std::process::ExitCode;

/// What all of them take.
#[derive(Debug, clap::Args)]
pub struct Bulk {
    #[command(flatten)]
    config: ConfigFile,
    #[command(flatten)]
    filter: Filter,
    /// Everything that waits
    #[arg(long, conflicts_with_all = ["ids", "to_domain", "rule", "reason", "class"])]
    all: bool,
    /// Why, for the record; nothing about a patient
    #[arg(long, value_name = "TEXT")]
    because: Option<String>,
    /// Who decided it, for the record
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What a release takes besides.
#[derive(Debug, clap::Args)]
pub struct Release {
    #[command(flatten)]
    bulk: Bulk,
    /// Lower what policy asks to `any`, for these recipients of these messages only; the best TLS is still tried first
    #[arg(long)]
    in_clear: bool,
}

/// What a reroute takes besides.
#[derive(Debug, clap::Args)]
pub struct Reroute {
    #[command(flatten)]
    bulk: Bulk,
    /// relay:NAME, site:NAME or mx
    #[arg(long, value_name = "WAY")]
    to: Route,
}

pub(super) fn hold(bulk: Bulk) -> Result<ExitCode, Failure> {
    run(bulk, Order::Hold, "will be held until they are released")
}

pub(super) fn bounce(bulk: Bulk) -> Result<ExitCode, Failure> {
    run(bulk, Order::Bounce, "will be ended now, and their senders told")
}

pub(super) fn reroute(Reroute { bulk, to }: Reroute) -> Result<ExitCode, Failure> {
    let question = format!("will go by {to}");
    run(bulk, Order::Reroute(to), &question)
}

pub(super) fn release(Release { bulk, in_clear }: Release) -> Result<ExitCode, Failure> {
    if bulk.by.is_none() || bulk.because.is_none() {
        return Err(Failure::usage("a release needs a name and a reason", "add --because TEXT --by NAME"));
    }
    match in_clear {
        true => run(bulk, Order::ReleaseInClear, "will be RELEASED IN CLEAR: what policy asks is lowered to `any`"),
        false => run(bulk, Order::Release, "will be released"),
    }
}

fn run(bulk: Bulk, order: Order, question: &str) -> Result<ExitCode, Failure> {
    let Bulk { config, filter, all, because, by, yes, json } = bulk;
    if !all && filter == Filter::default() {
        let hint = "name entry ids, or --to-domain, --rule, --reason or --class; --all means everything that waits";
        return Err(Failure::usage("nothing is chosen", hint));
    }
    let counted = counted(&config, &filter)?;
    let done = order.done();
    // Before the question: whoever mistyped an id may not want the rest.
    let found = all_found(&counted.not_found);
    if counted.messages == 0 {
        print_nothing(nothing(&filter), done, json);
        return Ok(found);
    }
    let (messages, recipients) = (counted.messages, counted.recipients);
    if !yes && !agreed(&format!("{messages} messages ({recipients} recipients) {question}. Go on? [y/N] ")) {
        print_nothing("nothing was done", done, json);
        return Ok(ExitCode::FAILURE);
    }
    let answer = ask(&config, &Request::QueueInstruct { wanted: Wanted { filter, order, by, because } })?;
    match json {
        true => say!("{answer}"),
        false => print(&answer, done),
    }
    // Something was meant and nothing fitted: a script has to know.
    Ok(if answer[done] == 0 { ExitCode::FAILURE } else { found })
}

fn print_nothing(words: &str, done: &str, json: bool) {
    match json {
        true => say!("{}", json!({ done: 0 })),
        false => say!("{words}"),
    }
}

fn print(answer: &Value, done: &str) {
    say!("{} messages {done} ({} recipients)", answer[done], answer["recipients"]);
    if answer["being_attempted"] != 0 {
        say!("{} of them are being attempted just now: it holds from the attempt's end", answer["being_attempted"]);
    }
    if done == Order::Hold.done() && answer[done] != 0 {
        say!("mail that comes from now on is not held");
    }
    for (why, count) in answer["left_alone"].as_object().into_iter().flatten() {
        say!("{count} recipients were left alone: {}", Left::words(why));
    }
}

//! `mailward status`: is it running, since when, under which policy, with how much in the queue.

use super::{ConfigFile, ask};
use crate::control::Request;
use serde_json::Value;
use std::process::ExitCode;

/// Is the gateway running, under which policy, with how much in its queue? Exit code 1 when it is stopped
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  mailward status --json")]
pub struct Args {
    #[command(flatten)]
    config: ConfigFile,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[must_use]
pub fn run(args: Args) -> ExitCode {
    let status = match ask(&args.config, &Request::Status) {
        Ok(status) => status,
        Err(failure) => return failure.print(),
    };
    if args.json {
        say!("{status}");
    } else {
        print(&status);
    }
    if status["running"] == true { ExitCode::SUCCESS } else { ExitCode::from(1) }
}

fn print(status: &Value) {
    if status["running"] != true {
        say!("stopped");
        return;
    }
    let text = |key: &str| status[key].as_str().unwrap_or("?").to_owned();
    say!("running     {} {} since {}", text("hostname"), text("version"), text("started"));
    say!("policy      {}", text("policy_hash"));
    for listener in status["listeners"].as_array().into_iter().flatten() {
        say!("listening   {} {}", listener[0].as_str().unwrap_or("?"), listener[1].as_str().unwrap_or("?"));
    }
    if status["store"] != "writable" {
        say!("store       {}: nothing is accepted; look at the log and the disk, then restart", text("store"));
    }
    let queue = &status["queue"];
    say!("queue       active {}, deferred {}, held {}", queue["active"], queue["deferred"], queue["held"]);
}

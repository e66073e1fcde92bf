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
        say!("{}", lines(&status).join("\n"));
    }
    if status["running"] == true { ExitCode::SUCCESS } else { ExitCode::from(1) }
}

const NO_POLICY: &str = "none in force, MAIL gets 451 4.7.10, nothing is sent: mailward check says what is wrong, mailward reload takes it when mended";

/// The same for people.
fn lines(status: &Value) -> Vec<String> {
    if status["running"] != true {
        return vec!["stopped".to_owned()];
    }
    let text = |key: &str| status[key].as_str().unwrap_or("?").to_owned();
    let mut lines = vec![
        format!("running     {} {} since {}", text("hostname"), text("version"), text("started")),
        format!("policy      {}", status["policy_hash"].as_str().unwrap_or(NO_POLICY)),
    ];
    for lowered in status["not_accepted"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        lines.push(format!("lowered     by gateway.toml at a start, accepted by nobody: {lowered}"));
    }
    for listener in status["listeners"].as_array().into_iter().flatten() {
        let word = |index: usize| listener[index].as_str().unwrap_or("?");
        lines.push(format!("listening   {} {}", word(0), word(1)));
    }
    if status["store"] != "writable" {
        let store = text("store");
        lines.push(format!("store       {store}: nothing is accepted; look at the log and the disk, then restart"));
    }
    if status["room"] == "no-room" {
        lines
            .push("room        free octets in the data folder are below min-free, MAIL gets 452: make room".to_owned());
    }
    let queue = &status["queue"];
    lines.push(format!(
        "queue       active {}, deferred {}, held {}",
        queue["active"], queue["deferred"], queue["held"]
    ));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_store_that_stopped_is_said_to_people() {
        let status = |store: &str| json!({ "running": true, "store": store, "queue": { "active": 1 } });
        let said = lines(&status("stopped")).join("\n");
        assert!(said.contains("store       stopped: nothing is accepted"), "{said}");
        assert!(!lines(&status("writable")).join("\n").contains("store"));
        assert!(lines(&status("writable")).join("\n").contains("none in force"), "no hash, no policy");
        assert_eq!(lines(&crate::control::stopped()), ["stopped"]);
    }
}

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
    let found = match ask(&args.config, &Request::Trace { query: args.query.clone() }) {
        Ok(found) => found,
        Err(failure) => return Failure::print(failure),
    };
    let lives = &found["lives"];
    if args.json {
        say!("{lives}");
    } else {
        lives.as_array().into_iter().flatten().for_each(print);
    }
    for left_out in left_out(&found) {
        // Not among the answers: those may go to a script.
        eprintln!("{left_out}");
    }
    if lives.as_array().is_none_or(Vec::is_empty) {
        return fail(format!(
            "nothing is known of `{}`\nhint: try the id of the reply `queued as`, or an address",
            args.query
        ));
    }
    ExitCode::SUCCESS
}

/// What the answer does not say: whoever reads it must not take it for all there is.
fn left_out(found: &Value) -> Vec<String> {
    let shown = found["lives"].as_array().map_or(0, Vec::len);
    let more = (found["more"] == true)
        .then(|| format!("only the newest {shown} are shown: ask for more of the address, or for an entry id"));
    let since = found["searched_since"]
        .as_str()
        .map(|since| format!("only messages since {since} were searched: older ones are found by their entry id"));
    more.into_iter().chain(since).collect()
}

/// How it left; what never left had no link to speak of.
fn link(ending: &Value) -> String {
    let delivered = ending["outcome"] == "delivered";
    // These may have come after the text had gone.
    let may_have_left =
        ending["address"].is_string() && matches!(text(&ending["reason"]), "message-refused" | "expired");
    match (ending["tls"].as_str(), ending["proof"].as_str()) {
        (Some(tls), Some(proof)) => format!("{tls}, proof {proof}"),
        _ if delivered || may_have_left => "no TLS".to_owned(),
        _ => "not sent".to_owned(),
    }
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
        say!(
            "  ended      {}: {} ({}) at {}, {} [{}]",
            text(&ending["recipient"]),
            text(&ending["outcome"]),
            reason_of(ending),
            text(&ending["at"]),
            text(&ending["host"]),
            link(ending)
        );
    }
}

/// Why it ended; of what expired, what the last attempt failed for as well.
fn reason_of(ending: &Value) -> String {
    match ending["last_reason"].as_str() {
        Some(last) => format!("{}, last {last}", text(&ending["reason"])),
        None => text(&ending["reason"]).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_never_left_is_not_said_to_have_gone_without_tls() {
        let ending = |outcome: &str, reason: &str, tls: Value, address: Value| {
            link(&json!({ "outcome": outcome, "reason": reason, "tls": tls, "proof": "pkix", "address": address }))
        };
        let at = || json!("192.0.2.1");
        assert_eq!(ending("failed", "sealing-not-possible", Value::Null, Value::Null), "not sent");
        assert_eq!(ending("failed", "ended-by-operator", Value::Null, Value::Null), "not sent");
        assert_eq!(ending("failed", "tls-not-offered", Value::Null, at()), "not sent");
        assert_eq!(ending("failed", "message-refused", Value::Null, at()), "no TLS");
        assert_eq!(ending("delivered", "delivered", Value::Null, at()), "no TLS");
        assert_eq!(ending("delivered", "delivered", json!("TLSv1.3 X"), at()), "TLSv1.3 X, proof pkix");
    }

    #[test]
    fn an_answer_that_is_not_whole_says_so() {
        let found = json!({ "lives": [1, 2], "more": true, "searched_since": "2026-11-22T11:54:31Z" });
        let said = left_out(&found).join("\n");
        assert!(said.contains("newest 2 are shown") && said.contains("since 2026-11-22T11:54:31Z"), "{said}");
        assert!(left_out(&json!({ "lives": [1], "more": false, "searched_since": null })).is_empty());
    }
}

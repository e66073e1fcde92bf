//! What `trace` and `queue` print alike for people: what was decided, and what still waits. Never fails.

use serde_json::Value;

/// A text of the answer; `-` where there is none.
pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("-")
}

pub(super) fn joined(value: &Value) -> String {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
}

/// What was found, and what it came to for each recipient.
pub(super) fn print_decision(decision: &Value) {
    for finding in decision["findings"].as_array().into_iter().flatten() {
        say!(
            "  found      {} {} in {} ({})",
            text(&finding["kind"]),
            text(&finding["masked"]),
            text(&finding["place"]),
            text(&finding["confidence"])
        );
    }
    if decision["features"]["requiretls"] == true || decision["requiretls"] == true {
        say!("  asked      REQUIRETLS: over proved TLS only, to servers that promise the same (RFC 8689)");
    }
    for recipient in decision["recipients"].as_array().into_iter().flatten() {
        say!("  decided    {}: {} ({})", text(&recipient["to"]), text(&recipient["fate"]), text(&recipient["require"]));
        for rule in recipient["rules"].as_array().into_iter().flatten() {
            say!("             by {} at {} ({})", text(&rule["name"]), text(&rule["at"]), text(&rule["mode"]));
        }
        for exception in recipient["exceptions"].as_array().into_iter().flatten() {
            let (name, at, state) = (text(&exception["name"]), text(&exception["at"]), text(&exception["state"]));
            say!("             exception {name} at {at} ({state})");
        }
    }
}

/// Recipients that are still in the queue, those in the same state together.
pub(super) fn print_waiting(rows: &Value) {
    for row in rows.as_array().into_iter().flatten() {
        say!("  waiting    {}: {} ({})", joined(&row["recipients"]), text(&row["state"]), text(&row["reason"]));
        say!(
            "             attempts {}, next {}, last at {}",
            row["attempts"],
            row["next_attempt"].as_str().unwrap_or(when(row)),
            text(&row["host"])
        );
        if row["reason"] == "certificate-wrong-name" {
            say!("             its certificate is for {}", joined(&row["names"]));
        }
        let asked = &row["instruction"];
        if let Some(route) = asked["route"].as_str() {
            say!("             rerouted to {route}");
        }
        if let Some(level) = asked["lowered_from"].as_str() {
            say!("             RELEASED IN CLEAR: {level} was required");
        }
    }
}

/// When what has no date is attempted.
fn when(row: &Value) -> &'static str {
    match row["instruction"]["stop"].as_str() {
        Some("hold") => "when it is released",
        Some(_) => "never: it ends",
        None => "as soon as a link is free",
    }
}

/// What people did to it, with who and why.
pub(super) fn print_actions(actions: &Value) {
    for action in actions.as_array().into_iter().flatten() {
        let to = action["to"].as_str().map(|to| format!(" to {to}")).unwrap_or_default();
        let lowered = joined(&action["lowered_from"]);
        let lowered = if lowered.is_empty() { lowered } else { format!(" ({lowered} was required)") };
        say!(
            "  operator   {} {}{to} by {} (uid {}): {}{lowered}",
            text(&action["at"]),
            text(&action["verb"]),
            text(&action["by"]),
            action["uid"],
            joined(&action["recipients"])
        );
        say!("             because {}; {} messages in all", text(&action["because"]), action["messages"]);
    }
}

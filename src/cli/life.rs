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
    for recipient in decision["recipients"].as_array().into_iter().flatten() {
        say!("  decided    {}: {} ({})", text(&recipient["to"]), text(&recipient["fate"]), text(&recipient["require"]));
        for rule in recipient["rules"].as_array().into_iter().flatten() {
            say!("             by {} at {} ({})", text(&rule["name"]), text(&rule["at"]), text(&rule["mode"]));
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
            row["next_attempt"].as_str().unwrap_or("as soon as a link is free"),
            text(&row["host"])
        );
    }
}

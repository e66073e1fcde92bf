//! `explain --entry ID`: what was decided for a message that came, and what the policy says to the same facts now.
//!
//! Reads the record, beside a running gateway or a stopped one. Fails where nothing is on record, or too little.

use super::{Explained, Part};
use crate::cli::Failure;
use crate::clinical::{Finding, Findings};
use crate::clock::{EntryId, rfc3339};
use crate::config::Config;
use crate::decide::Judge;
use crate::decide::replay::anew;
use crate::record::{self, Decided};
use crate::store;
use serde_json::{Value, json};
use std::fmt::Write;

/// A decision of the past, with the whole of what was kept of it.
pub(super) struct Kept {
    decided: Decided,
    whole: Value,
}

impl Kept {
    /// # Errors
    /// When nothing is on record of that entry.
    pub fn of(id: EntryId, config: &Config) -> Result<Kept, Failure> {
        let reader = store::reader_of(&config.data).map_err(|_| {
            Failure::wrong(format!(
                "there are no records in {}\nhint: name the gateway.toml of the gateway with --config",
                config.data.display()
            ))
        })?;
        let found = record::decision(&reader, id)
            .map_err(|error| Failure::wrong(format!("the records cannot be read: {error}")))?;
        let (decided, whole) = found.ok_or_else(|| {
            Failure::wrong(format!("no decision on {id} is on record\nhint: `mailward trace ADDRESS` shows ids"))
        })?;
        Ok(Kept { decided, whole })
    }

    /// What the policy of `judge` says to the same facts.
    ///
    /// # Errors
    /// When too little was kept of it.
    pub fn explain<'a>(&'a self, judge: &'a Judge) -> Result<Explained<'a>, Failure> {
        let again = anew(judge, &self.decided).ok_or_else(|| {
            Failure::wrong(format!(
                "too little is kept of {} to decide it anew\nhint: `mailward trace {0}` shows what was decided then",
                self.decided.id
            ))
        })?;
        let findings: Vec<Finding> = serde_json::from_value(self.whole["findings"].clone()).unwrap_or_default();
        let parts = again.into_iter().map(|(then, judgement)| Part {
            to: &then.to,
            direction: then.direction,
            judgement,
            denied: None,
        });
        let requiretls = self.decided.record.features.as_ref().is_some_and(|features| features.requiretls);
        let findings = Findings { findings, ..Findings::default() };
        Ok(Explained { judge, findings, requiretls, parts: parts.collect() })
    }

    /// What was decided then, for scripts.
    pub fn json(&self) -> Value {
        json!({
            "id": self.decided.id,
            "at": rfc3339(self.decided.id.time()),
            "policy_hash": self.whole["policy_hash"],
            "recipients": self.whole["recipients"],
            "reply": self.whole["reply"],
        })
    }

    /// The same for people: in front of what the policy says now.
    pub fn text(&self, judge: &Judge) -> String {
        let mut text = String::new();
        let then = self.whole["policy_hash"].as_str().unwrap_or("not on record");
        let same = if then == judge.policy.hash() { "the policy below" } else { "another policy than the one below" };
        // Writing to a String cannot fail.
        let _ = writeln!(text, "decided   {} under {then}, {same}", rfc3339(self.decided.id.time()));
        for recipient in &self.decided.record.recipients {
            let by = recipient.decided_by.get("require").map_or("no rule", String::as_str);
            let _ = writeln!(text, "          {}: {} ({}) by {by}", recipient.to, recipient.require, recipient.fate);
        }
        text.push('\n');
        text
    }
}

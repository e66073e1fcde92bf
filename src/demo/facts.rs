//! What the gateway itself knows of a message: the answers of `trace` and `queue show`, and nothing else.
//!
//! Called by `play`. Promises: no fact comes from the scenario; a message is settled when each of its recipients has ended,
//! was refused, or waits for its next attempt. Fails when the gateway does not answer, or nothing is settled in time.

use super::error::DemoError;
use crate::clock::EntryId;
use crate::control::{Request, client};
use crate::vocabulary::{Direction, Fate, Level, Outcome, Proof, Reason};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::time::Instant;

/// Between two looks at a message.
const PAUSE: Duration = Duration::from_millis(40);

/// One message.
#[derive(Debug, Clone, Serialize)]
pub struct Facts {
    pub id: String,
    pub direction: Direction,
    pub from: String,
    pub recipients: Vec<Share>,
    pub findings: Vec<Finding>,
}

/// One recipient's share of it.
#[derive(Debug, Clone, Serialize)]
pub struct Share {
    pub to: String,
    pub classes: Vec<String>,
    pub require: Level,
    /// What the link reached on which the requirement holds: the one out, or for inbound mail the one in. Likewise proof.
    pub reached: Option<String>,
    pub proof: Option<String>,
    pub fate: Fate,
    pub outcome: Outcome,
    pub rule: Option<String>,
    pub reason: Reason,
    /// Where the rule stands.
    pub at: Option<String>,
    /// TLS of the last leg; null: none, or there was no leg.
    pub tls: Option<String>,
    pub host: Option<String>,
    /// The proof of that last leg.
    #[serde(skip)]
    pub last_proof: Option<String>,
    /// What the other server said.
    pub said: Option<String>,
    pub next_attempt: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Finding {
    pub kind: String,
    pub place: String,
    pub masked: String,
    pub confidence: String,
}

/// The record of the decision, as far as it is told here.
#[derive(Debug, Deserialize)]
struct Decision {
    recipients: Vec<Decided>,
    #[serde(default)]
    findings: Vec<Finding>,
    #[serde(default)]
    tls: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Decided {
    to: String,
    direction: Direction,
    classes: serde_json::Map<String, Value>,
    require: Level,
    decided_by: serde_json::Map<String, Value>,
    rules: Vec<Value>,
    fate: Fate,
    reason: Reason,
}

/// How it ended, or that it waits.
struct Standing {
    fate: Fate,
    outcome: Outcome,
    reason: Reason,
    record: Value,
}

/// Waits until message `id` is settled.
///
/// # Errors
/// When that does not happen before `deadline`.
pub async fn settled(data: &Path, id: EntryId, deadline: Instant) -> Result<Facts, DemoError> {
    loop {
        let lives = ask(data.to_owned(), Request::Trace { query: id.to_string() }).await?;
        let shown = ask(data.to_owned(), Request::QueueShow { id: id.to_string() }).await?;
        if let Some(life) = lives["lives"].get(0)
            && let Some(facts) = facts(life, &shown)?
        {
            return Ok(facts);
        }
        if Instant::now() >= deadline {
            return Err(DemoError(format!("message {id} was not settled in time; the gateway knows: {lives} {shown}")));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn ask(data: PathBuf, request: Request) -> Result<Value, DemoError> {
    tokio::task::spawn_blocking(move || client::ask(&data, &request)).await?.map_err(DemoError)
}

/// The facts, if everything is settled.
fn facts(life: &Value, shown: &Value) -> Result<Option<Facts>, DemoError> {
    let decision: Decision = serde_json::from_value(life["decision"].clone())?;
    let mut shares = Vec::new();
    for decided in &decision.recipients {
        let Some(standing) = standing(decided, life, shown)? else { return Ok(None) };
        shares.push(share(decided, standing, decision.tls.as_deref()));
    }
    let direction = decision.recipients.first().map(|r| r.direction);
    Ok(Some(Facts {
        id: text(&life["id"]).unwrap_or_default(),
        direction: direction.ok_or_else(|| DemoError("a decision about nobody was recorded".into()))?,
        from: text(&life["reverse_path"]).unwrap_or_default(),
        recipients: shares,
        findings: decision.findings,
    }))
}

fn standing(decided: &Decided, life: &Value, shown: &Value) -> Result<Option<Standing>, DemoError> {
    let fate = decided.fate;
    if matches!(fate, Fate::Reject | Fate::Refuse) {
        return Ok(Some(Standing { fate, outcome: Outcome::Rejected, reason: decided.reason, record: Value::Null }));
    }
    let named = |value: &&Value| value["recipient"] == decided.to.as_str();
    if let Some(ending) = life["endings"].as_array().and_then(|all| all.iter().find(named)) {
        let outcome = serde_json::from_value(ending["outcome"].clone())?;
        let reason = serde_json::from_value(ending["reason"].clone())?;
        return Ok(Some(Standing { fate, outcome, reason, record: ending.clone() }));
    }
    let holds = |row: &&Value| row["recipients"].as_array().is_some_and(|all| all.iter().any(|r| *r == *decided.to));
    let Some(row) = shown["waiting"].as_array().and_then(|rows| rows.iter().find(holds)) else { return Ok(None) };
    let fate = match row["state"].as_str() {
        Some("deferred") => Fate::Defer,
        Some("held") => Fate::Hold,
        _ => return Ok(None),
    };
    let reason = serde_json::from_value(row["reason"].clone())?;
    Ok(Some(Standing { fate, outcome: Outcome::Deferred, reason, record: row.clone() }))
}

fn share(decided: &Decided, standing: Standing, arrived_by: Option<&str>) -> Share {
    let Standing { fate, outcome, reason, record } = standing;
    let rule = text(&decided.decided_by.get("require").cloned().unwrap_or_default());
    let named = rule.as_deref().and_then(|rule| decided.rules.iter().find(|r| r["name"] == rule));
    let arrived = if arrived_by.is_some() { Level::Encrypted } else { Level::Any };
    let last_proof = text(&record["proof"]);
    let (reached, proof) = match decided.direction {
        // Clients do not prove themselves in this version.
        Direction::Inbound => (Some(arrived.to_string()), Some(Proof::Nothing.to_string())),
        Direction::Outbound | Direction::Internal => (text(&record["reached"]), last_proof.clone()),
    };
    Share {
        to: decided.to.clone(),
        classes: decided.classes.keys().cloned().collect(),
        require: decided.require,
        reached,
        proof,
        last_proof,
        fate,
        outcome,
        at: named.and_then(|r| text(&r["at"])),
        rule,
        reason,
        tls: text(&record["tls"]),
        host: text(&record["host"]),
        said: text(&record["status"]["text"]),
        next_attempt: text(&record["next_attempt"]),
    }
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

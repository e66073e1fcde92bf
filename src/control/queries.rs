//! What the queue holds, read from the database: the same with the gateway running or stopped.

use super::{Filter, select};
use crate::clock::{EntryId, Now, Wall, rfc3339};
use crate::mail::Domain;
use crate::proof::memory::Past;
use crate::proof::mta_sts::Known;
use crate::queue::State;
use crate::queue::entry::{self, Entry, Progress};
use crate::queue::{Instruction, Stop};
use crate::record;
use crate::store::StoreError;
use crate::vocabulary::{Level, Reason};
use rusqlite::Connection;
use serde::Serialize;
use serde_json::{Value, json};

/// Lives that `trace` shows at most.
const LIVES: usize = 50;

/// A row of `queue list`: recipients of one entry that are in the same state.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    pub id: EntryId,
    pub state: &'static str,
    pub reverse_path: String,
    pub recipients: Vec<String>,
    pub classes: Vec<String>,
    pub require: Level,
    pub reason: Reason,
    pub age_seconds: u64,
    /// RFC 3339; null: as soon as a link is free.
    pub next_attempt: Option<String>,
    pub attempts: u32,
    /// Where the last attempt ended.
    pub host: Option<String>,
    /// Names in its certificate, where its own is not among them.
    pub names: Vec<String>,
    /// What a person asked.
    pub instruction: Option<Instruction>,
    /// A site's journal report: no rule was heard.
    pub journal: bool,
    /// It came with REQUIRETLS.
    pub requiretls: bool,
    #[serde(skip)]
    pub rules: Vec<String>,
    /// Which recipients of the entry.
    #[serde(skip)]
    pub numbers: Vec<u16>,
}

/// By rule, what monitored rules would have done: `since` (the oldest record that was looked at, null: there is none), `rules`.
///
/// # Errors
/// When the database cannot be read.
pub fn readiness(connection: &Connection, seconds: u64) -> Result<Value, StoreError> {
    let now = Now::read().wall;
    let since = Wall(now.0.saturating_sub(i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1_000)));
    let rules = record::readiness(connection, since)?;
    let since = record::oldest(connection)?.map(|oldest| rfc3339(oldest.max(since)));
    Ok(json!({ "since": since, "rules": rules }))
}

/// Policies of domains as they are kept: `policies`, each with `mode`, `mx`, `id`, `fetched`, `ends`.
#[must_use]
pub fn mta_sts(kept: &[Known], domain: Option<&Domain>) -> Value {
    let now = Now::read().wall;
    let wanted = kept.iter().filter(|known| !known.is_over(now) && domain.is_none_or(|domain| known.domain == *domain));
    json!({ "policies": wanted.map(sts_policy).collect::<Vec<_>>() })
}

/// What mail hosts offered before: `hosts`, each with `offered`, `first`, `last`, `key_since`, and `fall` where it offers less now.
#[must_use]
pub fn hosts(known: &[Past], host: Option<&str>) -> Value {
    let host = host.map(|host| host.trim_end_matches('.').to_ascii_lowercase());
    let wanted = known.iter().filter(|past| host.as_ref().is_none_or(|host| past.host == *host));
    json!({ "hosts": wanted.map(past).collect::<Vec<_>>() })
}

/// One of them.
#[must_use]
pub fn past(past: &Past) -> Value {
    let fall = past.fall.as_ref().map(|fall| {
        json!({
            "since": rfc3339(fall.since),
            "offered": fall.offered,
            "reason": fall.reason,
            "words": fall.reason.words(),
            "keeps_mail": fall.keeps_mail,
        })
    });
    json!({
        "host": past.host,
        "offered": past.offered,
        "first": rfc3339(past.first),
        "last": rfc3339(past.last),
        "key_since": rfc3339(past.key_since),
        "fall": fall,
    })
}

/// One of them.
#[must_use]
pub fn sts_policy(known: &Known) -> Value {
    json!({
        "domain": known.domain,
        "mode": known.policy.mode,
        "mx": known.policy.mx,
        "id": known.id,
        "fetched": rfc3339(known.fetched),
        "ends": rfc3339(known.end()),
    })
}

/// The next page of the queue, oldest first: `rows`, and `next`, after which the following page begins (null at the end);
/// `not_found`: entries that were named and are not in the queue.
///
/// # Errors
/// When the database cannot be read.
pub fn list(connection: &Connection, filter: &Filter, after: Option<EntryId>) -> Result<Value, StoreError> {
    let page = select::page(connection, filter, after)?;
    let rows: Vec<Row> = page.chosen.into_iter().flat_map(|chosen| together(chosen.rows)).collect();
    Ok(json!({ "rows": rows, "next": page.next, "not_found": select::not_found(connection, filter)? }))
}

/// How much of the next page a filter chooses: `messages`, `attempted` (those of them that no operator holds), `recipients`,
/// `next`, `not_found`.
///
/// # Errors
/// When the database cannot be read.
pub fn count(connection: &Connection, filter: &Filter, after: Option<EntryId>) -> Result<Value, StoreError> {
    let page = select::page(connection, filter, after)?;
    let recipients: usize = page.chosen.iter().map(|chosen| chosen.rows.len()).sum();
    Ok(json!({
        "messages": page.chosen.len(),
        "attempted": page.chosen.iter().filter(|chosen| chosen.is_attempted()).count(),
        "recipients": recipients,
        "next": page.next,
        "not_found": select::not_found(connection, filter)?,
    }))
}

/// What of an entry still waits.
fn rows_of(entry: &Entry, progress: &[(u16, Progress)], now: Wall) -> Vec<Row> {
    let recipients = (0u16..).zip(&entry.envelope.recipients);
    together(recipients.filter_map(|(number, _)| row_of(entry, progress, (number, now))))
}

/// Recipients of one entry that wait for the same share a row.
fn together(recipients: impl IntoIterator<Item = Row>) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for row in recipients {
        match rows.iter_mut().find(|r| r.is_alike(&row)) {
            Some(first) => {
                first.recipients.extend(row.recipients);
                first.numbers.extend(row.numbers);
            }
            None => rows.push(row),
        }
    }
    rows
}

/// One recipient of an entry, by its number; none: it waits for nothing more.
pub(super) fn row_of(entry: &Entry, progress: &[(u16, Progress)], (number, now): (u16, Wall)) -> Option<Row> {
    let known = progress.iter().find(|(r, _)| *r == number).map(|(_, p)| p);
    if known == Some(&Progress::Final) {
        return None;
    }
    let requirement = entry.requirement(number);
    let new = Row {
        id: entry.id,
        state: "active",
        reverse_path: entry.envelope.reverse_path.to_string(),
        recipients: vec![entry.envelope.recipients.get(usize::from(number))?.mailbox.to_string()],
        classes: requirement.classes,
        journal: requirement.journal,
        requiretls: entry.envelope.require_tls,
        require: requirement.level,
        reason: Reason::Waiting,
        age_seconds: now.since(entry.accepted).as_secs(),
        next_attempt: None,
        attempts: 0,
        host: None,
        names: Vec::new(),
        instruction: entry.instruction(number).cloned(),
        rules: requirement.rules.into_iter().map(|r| r.name).collect(),
        numbers: vec![number],
    };
    let row = match known.cloned() {
        Some(progress) => new.at(progress),
        None => new,
    };
    Some(row.instructed())
}

impl Row {
    /// After an attempt that did not end it.
    fn at(self, progress: Progress) -> Row {
        let Some(state) = progress.state().map(State::name) else { return self };
        let Progress::Waiting { attempts, next_attempt, reason, host, names, .. } = progress else { return self };
        Row { state, reason, next_attempt: Some(rfc3339(next_attempt)), attempts, host, names, ..self }
    }

    /// Whether it is attempted at all: nobody has stopped it.
    #[must_use]
    pub fn is_attempted(&self) -> bool {
        self.instruction.as_ref().is_none_or(|i| i.stop.is_none())
    }

    /// What a person asked goes before what the last attempt left; until it is done, and when it is withdrawn.
    fn instructed(self) -> Row {
        let next_attempt = self.next_attempt.clone();
        match self.instruction.as_ref().and_then(|i| i.stop) {
            Some(Stop::Hold) => Row { state: "held", reason: Reason::HeldByOperator, next_attempt: None, ..self },
            Some(Stop::Bounce) => Row { reason: Reason::EndedByOperator, next_attempt: None, ..self },
            None if self.reason == Reason::HeldByOperator => {
                Row { state: "deferred", reason: Reason::Waiting, next_attempt, ..self }
            }
            None => self,
        }
    }

    /// Whether two recipients of one entry wait for the same.
    fn is_alike(&self, other: &Row) -> bool {
        let facts = |r: &Row| (r.state, r.reason, r.require, r.attempts);
        facts(self) == facts(other)
            && self.next_attempt == other.next_attempt
            && self.host == other.host
            && self.instruction == other.instruction
    }
}

/// `lives` that match `query`, newest first, each with what of it still waits; `more`: there are older ones;
/// `searched_since`: since when was looked (null: all).
///
/// # Errors
/// When the database cannot be read.
pub fn trace(connection: &Connection, query: &str) -> Result<Value, StoreError> {
    let now = Now::read().wall;
    let with_waiting = |life: record::Life| -> Result<Value, StoreError> {
        // A damaged entry has a life all the same: what was decided is told, what waits cannot be.
        let entry = entry::read(connection, life.id).ok().flatten();
        let progress = entry::read_progress(connection, life.id)?;
        let mut value = json!(life);
        value["waiting"] = json!(entry.map(|entry| rows_of(&entry, &progress, now)).unwrap_or_default());
        Ok(value)
    };
    let found = record::trace(connection, query, LIVES)?;
    let lives: Vec<Value> = found.lives.into_iter().map(with_waiting).collect::<Result<_, _>>()?;
    let since = found.searched_since.map(|id| rfc3339(id.time()));
    Ok(json!({ "lives": lives, "more": found.is_more, "searched_since": since }))
}

/// Everything about one entry; null when it has left.
///
/// # Errors
/// When the database cannot be read.
pub fn show(connection: &Connection, id: EntryId) -> Result<Value, StoreError> {
    let Some(entry) = entry::read(connection, id)? else { return Ok(Value::Null) };
    let progress = entry::read_progress(connection, id)?;
    let rows = rows_of(&entry, &progress, Now::read().wall);
    let decision = record::trace(connection, &id.to_string(), 1)?;
    Ok(json!({
        "id": id,
        "accepted": rfc3339(entry.accepted),
        "site": entry.site,
        "reverse_path": entry.envelope.reverse_path,
        "message_id": entry.message_id,
        "size": entry.size,
        "notice": entry.notice,
        "requiretls": entry.envelope.require_tls,
        "waiting": rows,
        "progress": progress.iter().map(|(r, p)| json!({ "recipient": r, "progress": shown(p) })).collect::<Vec<_>>(),
        "requirements": entry.requirements,
        "actions": record::actions(connection, id)?,
        "decision": decision.lives.into_iter().next().map(|life| life.decision),
    }))
}

/// As it is kept, with the time as all answers print it.
fn shown(progress: &Progress) -> Value {
    let mut value = json!(progress);
    if let Progress::Waiting { next_attempt, .. } = progress {
        value["waiting"]["next_attempt"] = rfc3339(*next_attempt).into();
    }
    value
}

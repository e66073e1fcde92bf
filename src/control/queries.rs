//! What the queue holds, read from the database: the same with the gateway running or stopped.

use super::Filter;
use crate::clock::{EntryId, Now, Wall, rfc3339};
use crate::queue::State;
use crate::queue::entry::{self, Entry, Progress};
use crate::record;
use crate::store::StoreError;
use crate::vocabulary::{Level, Reason};
use rusqlite::Connection;
use serde::Serialize;
use serde_json::{Value, json};

/// Rows that `queue list` prints at most.
const MOST: usize = 10_000;
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
    #[serde(skip)]
    rules: Vec<String>,
}

/// The queue, oldest first.
///
/// # Errors
/// When the database cannot be read.
pub fn list(connection: &Connection, filter: &Filter) -> Result<Vec<Row>, StoreError> {
    let (mut rows, mut after) = (Vec::new(), i64::MIN);
    while let Some(reached) = list_page(connection, filter, after, &mut rows)?.filter(|_| rows.len() < MOST) {
        after = reached;
    }
    rows.truncate(MOST);
    Ok(rows)
}

/// One read transaction: while one is open, the log cannot be cut.
fn list_page(
    connection: &Connection,
    filter: &Filter,
    after: i64,
    rows: &mut Vec<Row>,
) -> Result<Option<i64>, StoreError> {
    let now = Now::read().wall;
    let mut statement = connection.prepare_cached("SELECT id, head FROM entry WHERE id > ?1 ORDER BY id LIMIT 1000")?;
    let entries =
        statement.query_map([after], |row| Ok((EntryId::from_row(row.get(0)?), row.get::<_, Vec<u8>>(1)?)))?;
    let mut reached = None;
    for found in entries {
        let (id, head) = found?;
        reached = Some(id.row());
        // A damaged entry is reported by the log at start; here it is passed over.
        let Ok(entry) = entry::parse(id, &head) else { continue };
        let of_entry = rows_of(&entry, &entry::read_progress(connection, id)?, now);
        rows.extend(of_entry.into_iter().filter(|r| fits(r, filter)));
    }
    Ok(reached)
}

fn rows_of(entry: &Entry, progress: &[(u16, Progress)], now: Wall) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for (index, recipient) in (0u16..).zip(&entry.envelope.recipients) {
        let known = progress.iter().find(|(r, _)| *r == index).map(|(_, p)| p);
        if known == Some(&Progress::Final) {
            continue;
        }
        let requirement = entry.requirement(index);
        let new = Row {
            id: entry.id,
            state: "active",
            reverse_path: entry.envelope.reverse_path.to_string(),
            recipients: vec![recipient.mailbox.to_string()],
            classes: requirement.classes,
            require: requirement.level,
            reason: Reason::Waiting,
            age_seconds: now.since(entry.accepted).as_secs(),
            next_attempt: None,
            attempts: 0,
            host: None,
            rules: requirement.rules.into_iter().map(|r| r.name).collect(),
        };
        let row = match known.cloned() {
            Some(progress) => new.at(progress),
            None => new,
        };
        match rows.iter_mut().find(|r| r.is_alike(&row)) {
            Some(first) => first.recipients.extend(row.recipients),
            None => rows.push(row),
        }
    }
    rows
}

impl Row {
    /// After an attempt that did not end it.
    fn at(self, progress: Progress) -> Row {
        let Some(state) = progress.state().map(State::name) else { return self };
        let Progress::Waiting { attempts, next_attempt, reason, host, .. } = progress else { return self };
        Row { state, reason, next_attempt: Some(rfc3339(next_attempt)), attempts, host, ..self }
    }

    /// Whether two recipients of one entry wait for the same.
    fn is_alike(&self, other: &Row) -> bool {
        let facts = |r: &Row| (r.state, r.reason, r.require, r.attempts);
        facts(self) == facts(other) && self.next_attempt == other.next_attempt && self.host == other.host
    }
}

/// Lives that match `query`, each with what of it still waits.
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
    record::trace(connection, query, LIVES)?.into_iter().map(with_waiting).collect()
}

fn fits(row: &Row, filter: &Filter) -> bool {
    let domain = |wanted: &String| {
        let suffix = format!("@{}", wanted.to_ascii_lowercase());
        row.recipients.iter().any(|r| r.ends_with(&suffix))
    };
    let id = row.id.to_string();
    (filter.ids.is_empty() || filter.ids.iter().any(|wanted| wanted.eq_ignore_ascii_case(&id)))
        && filter.to_domain.as_ref().is_none_or(domain)
        && filter.rule.as_ref().is_none_or(|wanted| row.rules.contains(wanted))
        && filter.reason.as_ref().is_none_or(|wanted| row.reason == *wanted)
        && filter.class.as_ref().is_none_or(|wanted| row.classes.contains(wanted))
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
        "waiting": rows,
        "progress": progress.iter().map(|(r, p)| json!({ "recipient": r, "progress": shown(p) })).collect::<Vec<_>>(),
        "requirements": entry.requirements,
        "decision": decision.into_iter().next().map(|life| life.decision),
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

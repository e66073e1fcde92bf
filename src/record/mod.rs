//! What happened: decisions at the dot and outcomes at the end, as changes for the store, and the questions asked of them.
//!
//! Called by `receive` and `deliver` (changes), `control` (trace, and what people did). Promises: a record holds masked evidence, rules with
//! file:line and facts about the peer, never a subject, body or a finding's text. Fails only with the store.

mod action;
mod features;
mod readiness;

pub use action::{Action, Doing, actions};
pub use features::{Decided, DecidedFor, Features, decision, decisions, veiled};
pub use readiness::{Readiness, newest, oldest, readiness};

use crate::clock::{EntryId, Wall};
use crate::mail::{Envelope, Status};
use crate::store::{Change, StoreError, Value};
use crate::vocabulary::{Direction, Outcome, Reason};
use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension};
use serde::{Deserialize, Serialize};

/// How long records are kept (NHS Records Management: two years for what proves that mail was protected).
const KEEP_DAYS: i64 = 731;
/// Rows that one question looks at; older ones are found by id.
const SEARCHED: i64 = 200_000;

/// What was decided at the dot for a whole message.
#[derive(Debug, Serialize)]
pub struct Decision<'a, V: Serialize, F: Serialize> {
    pub id: EntryId,
    pub session: &'a str,
    pub client: &'a str,
    pub site: Option<&'a str>,
    pub policy_hash: &'a str,
    pub size: u64,
    /// Octets that an automatic message had before it was cut to its header fields.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cut_from: Option<u64>,
    pub tls: Option<&'a str>,
    pub findings: &'a [F],
    /// What it was decided from.
    pub features: &'a Features,
    pub recipients: &'a [V],
    /// What we answered after the dot.
    pub reply: &'a Status,
}

/// What happened to one recipient in the end, and how its mail travelled.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Ending {
    pub at: Wall,
    pub recipient: String,
    pub direction: Direction,
    pub outcome: Outcome,
    pub reason: Reason,
    /// Where it expired: what the last attempt failed for.
    pub last_reason: Option<Reason>,
    pub host: Option<String>,
    pub address: Option<String>,
    pub tls: Option<String>,
    pub proof: Option<String>,
    pub reached: Option<String>,
    pub status: Option<Status>,
    pub attempts: u32,
}

/// The change that keeps a decision. `record` is a `Decision` as JSON.
#[must_use]
pub fn decided(id: EntryId, message_id: Option<&str>, envelope: &Envelope, record: Vec<u8>) -> Change {
    let recipients: Vec<String> = envelope.recipients.iter().map(|r| r.mailbox.to_string()).collect();
    Change::new(
        "INSERT INTO decision (id, message_id, reverse_path, recipients, record) VALUES (?1, ?2, ?3, ?4, ?5)",
        vec![
            Value::Int(id.row()),
            message_id.map_or(Value::Null, |m| Value::Text(m.to_owned())),
            Value::Text(envelope.reverse_path.to_string()),
            Value::Text(recipients.join(" ")),
            Value::Blob(Bytes::from(record)),
        ],
    )
}

/// The change that keeps how it ended for recipient number `recipient`.
#[must_use]
pub fn ended(id: EntryId, recipient: u16, ending: &Ending) -> Change {
    Change::new(
        "INSERT OR REPLACE INTO outcome (entry, recipient, record) VALUES (?1, ?2, ?3)",
        vec![Value::Int(id.row()), Value::Int(i64::from(recipient)), Value::Blob(as_json(ending))],
    )
}

/// Changes that forget what is older than two years, a little at a time.
#[must_use]
pub fn forget(now: Wall) -> Vec<Change> {
    let oldest = EntryId::at(Wall(now.0 - KEEP_DAYS * 86_400_000)).row();
    [
        "DELETE FROM decision WHERE id IN (SELECT id FROM decision WHERE id < ?1 ORDER BY id LIMIT 1000)",
        "DELETE FROM outcome WHERE entry IN (SELECT entry FROM outcome WHERE entry < ?1 ORDER BY entry LIMIT 1000)",
        "DELETE FROM acted WHERE (entry, action) IN \
         (SELECT entry, action FROM acted WHERE entry < ?1 ORDER BY entry LIMIT 1000)",
        "DELETE FROM action WHERE id IN (SELECT id FROM action WHERE id < ?1 ORDER BY id LIMIT 1000)",
    ]
    .into_iter()
    .map(|statement| Change::new(statement, vec![Value::Int(oldest)]))
    .collect()
}

/// A row's JSON; what cannot be written as JSON (nothing of ours) is kept as null rather than lost with its batch.
#[must_use]
pub fn as_json(value: &impl Serialize) -> Bytes {
    serde_json::to_vec(value).map_or_else(|_| Bytes::from_static(b"null"), Bytes::from)
}

/// The life of one message.
#[derive(Debug, Serialize)]
pub struct Life {
    pub id: EntryId,
    pub accepted: String,
    pub message_id: Option<String>,
    pub reverse_path: String,
    pub recipients: Vec<String>,
    pub decision: serde_json::Value,
    pub endings: Vec<serde_json::Value>,
    /// What people did to it, oldest first.
    pub actions: Vec<serde_json::Value>,
}

/// What a question found, and what it did not look at.
#[derive(Debug)]
pub struct Found {
    /// Newest first.
    pub lives: Vec<Life>,
    /// There are older ones that match.
    pub is_more: bool,
    /// Older messages than this one were not searched; none: all were.
    pub searched_since: Option<EntryId>,
}

/// Lives that match `query`: an entry id, a Message-ID, a sender, a recipient, or a part of one of these. The newest `most`.
///
/// # Errors
/// When the database cannot be read.
pub fn trace(connection: &Connection, query: &str, most: usize) -> Result<Found, StoreError> {
    let (mut ids, searched_since) = match query.parse::<EntryId>() {
        Ok(id) => (vec![id.row()], None),
        Err(_) => (search(connection, query, most.saturating_add(1))?, oldest_searched(connection, SEARCHED)?),
    };
    let is_more = ids.len() > most;
    ids.truncate(most);
    let mut lives = Vec::new();
    for id in ids {
        lives.extend(life(connection, id)?);
    }
    Ok(Found { lives, is_more, searched_since })
}

/// The oldest of the newest `searched` messages, where there are older ones.
fn oldest_searched(connection: &Connection, searched: i64) -> Result<Option<EntryId>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT id FROM decision ORDER BY id DESC LIMIT 2 OFFSET ?1")?;
    let rows = statement.query_map([searched - 1], |row| Ok(EntryId::from_row(row.get(0)?)))?;
    let rows = rows.collect::<Result<Vec<_>, _>>()?;
    Ok(if rows.len() == 2 { rows.first().copied() } else { None })
}

fn search(connection: &Connection, query: &str, most: usize) -> Result<Vec<i64>, StoreError> {
    let escaped = query.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    let mut statement = connection.prepare(
        "SELECT id FROM (SELECT * FROM decision ORDER BY id DESC LIMIT ?3)
         WHERE message_id LIKE ?1 ESCAPE '\\' OR reverse_path LIKE ?1 ESCAPE '\\' OR recipients LIKE ?1 ESCAPE '\\'
         ORDER BY id DESC LIMIT ?2",
    )?;
    let rows = statement.query_map(
        rusqlite::params![format!("%{escaped}%"), i64::try_from(most).unwrap_or(i64::MAX), SEARCHED],
        |row| row.get(0),
    )?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn life(connection: &Connection, id: i64) -> Result<Option<Life>, StoreError> {
    let endings = endings(connection, id)?;
    let actions = actions(connection, EntryId::from_row(id))?;
    let row = connection
        .query_row("SELECT message_id, reverse_path, recipients, record FROM decision WHERE id = ?1", [id], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get::<_, String>(2)?, row.get::<_, Vec<u8>>(3)?))
        })
        .optional()?;
    Ok(row.map(|(message_id, reverse_path, recipients, record)| Life {
        id: EntryId::from_row(id),
        accepted: crate::clock::rfc3339(EntryId::from_row(id).time()),
        message_id,
        reverse_path,
        recipients: addresses(&recipients),
        decision: serde_json::from_slice(&record).unwrap_or_default(),
        endings,
        actions,
    }))
}

/// Addresses with a blank between them; one within a quoted local part (RFC 5321 4.1.2) parts nothing.
fn addresses(joined: &str) -> Vec<String> {
    let (mut quoted, mut escaped) = (false, false);
    let parts = joined.split(|c: char| {
        let parts = c == ' ' && !quoted;
        quoted ^= c == '"' && !escaped;
        escaped = quoted && c == '\\' && !escaped;
        parts
    });
    parts.map(str::to_owned).collect()
}

fn endings(connection: &Connection, id: i64) -> Result<Vec<serde_json::Value>, StoreError> {
    let mut statement = connection.prepare("SELECT record FROM outcome WHERE entry = ?1 ORDER BY recipient")?;
    let rows = statement.query_map([id], |row| row.get::<_, Vec<u8>>(0))?;
    rows.map(|record| Ok(as_told(serde_json::from_slice(&record?).unwrap_or_default()))).collect()
}

/// An ending as it is kept, with its time as all answers print it.
fn as_told(mut ending: serde_json::Value) -> serde_json::Value {
    if let Some(at) = ending["at"].as_i64() {
        ending["at"] = crate::clock::rfc3339(Wall(at)).into();
    }
    ending
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::{Recipient, ReversePath};
    use crate::store::Opened;

    fn envelope() -> Envelope {
        Envelope {
            reverse_path: "dr.jones@kingston.example".parse().unwrap_or(ReversePath::Null),
            recipients: vec![Recipient::new("a@nhs.net".parse().unwrap())],
            body: Default::default(),
            smtputf8: false,
            ret: None,
            envid: None,
            require_tls: false,
        }
    }

    #[tokio::test]
    async fn a_message_is_found_by_id_message_id_sender_and_recipient() {
        let folder = tempfile::tempdir().unwrap();
        let opened = Opened::open(folder.path(), |_| {}).unwrap();
        let id = EntryId::at(Wall(1_795_348_471_000));
        let changes = vec![decided(id, Some("<m@x>"), &envelope(), b"{\"reply\":1}".to_vec())];
        opened.store.commit(changes).await.unwrap();
        let connection = opened.reader().unwrap();
        for query in [id.to_string().as_str(), "<m@x>", "dr.jones", "@nhs.net"] {
            let lives = trace(&connection, query, 10).unwrap().lives;
            assert_eq!(lives.len(), 1, "{query}");
            assert_eq!(lives[0].accepted, "2026-11-22T11:54:31Z");
        }
        assert!(trace(&connection, "%", 10).unwrap().lives.is_empty(), "a percent sign is only itself");
    }

    #[test]
    fn a_blank_in_a_quoted_local_part_parts_nothing() {
        let all = [r#""a b"@x.example"#, r#""c\" d\\"@x.example"#, "e@x.example"];
        assert_eq!(addresses(&all.join(" ")), all);
        assert_eq!(addresses("e@x.example"), ["e@x.example"]);
    }

    #[tokio::test]
    async fn what_was_left_out_of_an_answer_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let opened = Opened::open(folder.path(), |_| {}).unwrap();
        let id = |n: i64| EntryId::at(Wall(1_795_348_471_000 + n));
        let changes = (0..3).map(|n| decided(id(n), None, &envelope(), b"{}".to_vec())).collect();
        opened.store.commit(changes).await.unwrap();
        let connection = opened.reader().unwrap();
        let found = trace(&connection, "nhs.net", 2).unwrap();
        assert_eq!((found.lives.len(), found.is_more, found.searched_since), (2, true, None));
        assert_eq!(found.lives[0].id, id(2), "the newest first");
        assert!(!trace(&connection, "nhs.net", 3).unwrap().is_more);
        assert_eq!(oldest_searched(&connection, 2).unwrap(), Some(id(1)), "one more is older");
        assert_eq!(oldest_searched(&connection, 3).unwrap(), None, "all was searched");
    }

    #[tokio::test]
    async fn old_records_are_forgotten_and_new_ones_kept() {
        let folder = tempfile::tempdir().unwrap();
        let opened = Opened::open(folder.path(), |_| {}).unwrap();
        let (old, new) = (EntryId::at(Wall(1_000_000)), EntryId::at(Wall(1_795_348_471_000)));
        let changes = [old, new].map(|id| decided(id, None, &envelope(), Vec::new())).into();
        opened.store.commit(changes).await.unwrap();
        opened.store.commit(forget(Wall(1_795_348_471_000))).await.unwrap();
        let connection = opened.reader().unwrap();
        assert!(trace(&connection, &old.to_string(), 1).unwrap().lives.is_empty());
        assert_eq!(trace(&connection, &new.to_string(), 1).unwrap().lives.len(), 1);
    }
}

//! An entry: one message in the queue with its envelope and what must hold for each recipient. Written once.
//!
//! Made by `receive` and by `deliver` (notices); read back by `recover` and for cold attempts. Promises: the stored form is
//! versioned; a requirement that cannot be read counts as `sealed`, so damage never lowers protection.

use crate::clock::{EntryId, Wall};
use crate::mail::Envelope;
use crate::policy::requirement::Requirement;
use crate::store::{Change, StoreError, Value};
use crate::vocabulary::{Direction, Reason};
use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension};
use serde::{Deserialize, Deserializer, Serialize};
use std::path::PathBuf;

/// The stored form's version.
const VERSION: u8 = 1;

/// How one recipient travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Destined {
    pub direction: Direction,
    /// Which of the entry's requirements holds for it.
    pub requirement: u16,
}

/// One message in the queue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    pub version: u8,
    pub id: EntryId,
    pub accepted: Wall,
    pub site: Option<String>,
    pub session: String,
    pub envelope: Envelope,
    /// Recipient by recipient, as in the envelope.
    pub destined: Vec<Destined>,
    #[serde(deserialize_with = "readable_or_sealed")]
    pub requirements: Vec<Requirement>,
    /// Octets of the message without `received`.
    pub size: u64,
    /// The Received field that goes in front.
    pub received: String,
    pub message_id: Option<String>,
    /// The body is a file, not a row.
    pub large: bool,
    /// Made by this gateway: never bounced, never announced.
    pub notice: bool,
}

fn readable_or_sealed<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<Requirement>, D::Error> {
    let stored = Vec::<serde_json::Value>::deserialize(d)?;
    Ok(stored
        .into_iter()
        .map(|value| serde_json::from_value(value).unwrap_or_else(|_| Requirement::unreadable()))
        .collect())
}

impl Entry {
    pub const VERSION: u8 = VERSION;

    /// What must hold for recipient number `recipient`; sealed where the entry does not say.
    #[must_use]
    pub fn requirement(&self, recipient: u16) -> Requirement {
        let index = self.destined.get(usize::from(recipient)).map(|d| usize::from(d.requirement));
        index.and_then(|i| self.requirements.get(i)).cloned().unwrap_or_else(Requirement::unreadable)
    }

    #[must_use]
    pub fn direction(&self, recipient: u16) -> Direction {
        self.destined.get(usize::from(recipient)).map_or(Direction::Outbound, |d| d.direction)
    }

    /// Whether any recipient's message is in a class: then no notice shows more than the allow-list.
    #[must_use]
    pub fn is_in_class(&self) -> bool {
        self.requirements.iter().any(|r| !r.classes.is_empty())
    }

    /// The changes that keep this entry. A large body is a file already.
    #[must_use]
    pub fn admitted(&self, body: Option<Bytes>) -> Vec<Change> {
        let id = Value::Int(self.id.row());
        let head = Change::new(
            "INSERT INTO entry (id, head) VALUES (?1, ?2)",
            vec![id, Value::Blob(crate::record::as_json(self))],
        );
        let body = body.map(|bytes| {
            let values = vec![Value::Int(self.id.row()), Value::Blob(bytes)];
            Change::new("INSERT INTO body (id, bytes) VALUES (?1, ?2)", values)
        });
        std::iter::once(head).chain(body).collect()
    }

    /// The changes after which the recipients of one attempt are final. The last of an entry's recipients takes the entry
    /// and its body with it.
    #[must_use]
    pub fn finished(&self, recipients: &[u16], file: Option<PathBuf>) -> Vec<Change> {
        let id = || Value::Int(self.id.row());
        if recipients.len() == self.envelope.recipients.len() {
            return vec![
                Change::new("DELETE FROM entry WHERE id = ?1", vec![id()]).then_unlink(file),
                Change::new("DELETE FROM body WHERE id = ?1", vec![id()]),
                Change::new("DELETE FROM progress WHERE entry = ?1", vec![id()]),
            ];
        }
        let mut changes: Vec<Change> = recipients.iter().map(|r| Progress::Final.kept(self.id, *r)).collect();
        let all = i64::try_from(self.envelope.recipients.len()).unwrap_or(i64::MAX);
        changes.extend([
            Change::new(
                "DELETE FROM entry WHERE id = ?1 AND (SELECT count(*) FROM progress WHERE entry = ?1 AND final = 1) >= ?2",
                vec![id(), Value::Int(all)],
            )
            .then_unlink(file),
            Change::new("DELETE FROM body WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM entry WHERE id = ?1)", vec![id()]),
            Change::new("DELETE FROM progress WHERE entry = ?1 AND NOT EXISTS (SELECT 1 FROM entry WHERE id = ?1)", vec![id()]),
        ]);
        changes
    }
}

/// What has happened to a recipient that is still in the queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Progress {
    Waiting {
        attempts: u32,
        held: bool,
        /// The sender was told that it waits.
        told: bool,
        next_attempt: Wall,
        reason: Reason,
        status: Option<crate::mail::Status>,
        host: Option<String>,
    },
    Final,
}

impl Progress {
    /// The change that keeps it. Rides: after a crash the entry is merely tried earlier.
    #[must_use]
    pub fn kept(&self, id: EntryId, recipient: u16) -> Change {
        let is_final = i64::from(*self == Progress::Final);
        Change::new(
            "INSERT OR REPLACE INTO progress (entry, recipient, final, record) VALUES (?1, ?2, ?3, ?4)",
            vec![
                Value::Int(id.row()),
                Value::Int(i64::from(recipient)),
                Value::Int(is_final),
                Value::Blob(crate::record::as_json(self)),
            ],
        )
    }
}

/// Reads an entry back. None: it has left. An entry that cannot be read is an error with its id.
///
/// # Errors
/// When the database cannot be read, or the row is damaged.
pub fn read(connection: &Connection, id: EntryId) -> Result<Option<Entry>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT head FROM entry WHERE id = ?1")?;
    let head: Option<Vec<u8>> = statement.query_row([id.row()], |row| row.get(0)).optional()?;
    head.map(|head| parse(id, &head)).transpose()
}

/// # Errors
/// When `head` is no entry of a version that is known.
pub fn parse(id: EntryId, head: &[u8]) -> Result<Entry, StoreError> {
    let entry: Entry =
        serde_json::from_slice(head).map_err(|e| StoreError::Io(format!("entry {id} cannot be read: {e}")))?;
    let whole = entry.version <= VERSION && entry.id == id && entry.destined.len() == entry.envelope.recipients.len();
    if whole { Ok(entry) } else { Err(StoreError::Io(format!("entry {id} is damaged or from a newer version"))) }
}

/// Reads a small body back.
///
/// # Errors
/// When the database cannot be read.
pub fn read_body(connection: &Connection, id: EntryId) -> Result<Option<Bytes>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT bytes FROM body WHERE id = ?1")?;
    let bytes: Option<Vec<u8>> = statement.query_row([id.row()], |row| row.get(0)).optional()?;
    Ok(bytes.map(Bytes::from))
}

/// What is known of an entry's recipients; those without a row are new.
///
/// # Errors
/// When the database cannot be read.
pub fn read_progress(connection: &Connection, id: EntryId) -> Result<Vec<(u16, Progress)>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT recipient, final, record FROM progress WHERE entry = ?1")?;
    let rows = statement
        .query_map([id.row()], |row| Ok((row.get::<_, u16>(0)?, row.get::<_, bool>(1)?, row.get::<_, Vec<u8>>(2)?)))?;
    let mut progress = Vec::new();
    for row in rows {
        let (recipient, is_final, record) = row?;
        // A damaged record of a waiting recipient only means that it is tried at once.
        let known = serde_json::from_slice(&record).ok().filter(|p| is_final == (*p == Progress::Final));
        progress.extend(known.or(is_final.then_some(Progress::Final)).map(|p| (recipient, p)));
    }
    Ok(progress)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::mail::{Recipient, ReversePath};
    use crate::store::Opened;
    use crate::vocabulary::Level;

    pub(crate) fn entry(id: i64, recipients: &[&str]) -> Entry {
        Entry {
            version: VERSION,
            id: EntryId::from_row(id),
            accepted: Wall(1_000),
            site: Some("kingston".into()),
            session: "s1".into(),
            envelope: Envelope {
                reverse_path: ReversePath::Null,
                recipients: recipients.iter().map(|r| Recipient::new(r.parse().unwrap())).collect(),
                body: Default::default(),
                smtputf8: false,
                ret: None,
                envid: None,
            },
            destined: recipients.iter().map(|_| Destined { direction: Direction::Outbound, requirement: 0 }).collect(),
            requirements: vec![Requirement { level: Level::Verified, ..Requirement::unreadable() }],
            size: 4,
            received: "Received: x\r\n".into(),
            message_id: None,
            large: false,
            notice: false,
        }
    }

    fn rows(opened: &Opened, table: &str) -> i64 {
        opened.reader().unwrap().query_row(&format!("SELECT count(*) FROM {table}"), [], |r| r.get(0)).unwrap()
    }

    #[test]
    fn a_requirement_that_cannot_be_read_counts_as_sealed() {
        let mut json = serde_json::to_value(entry(1, &["a@b.example"])).unwrap();
        json["requirements"][0]["level"] = "lowest".into();
        let read = parse(EntryId::from_row(1), json.to_string().as_bytes()).unwrap();
        assert_eq!(read.requirement(0).level, Level::Sealed);
        assert_eq!(read.requirement(99).level, Level::Sealed, "nor does a missing one lower anything");
    }

    #[tokio::test]
    async fn an_entry_leaves_with_its_last_recipient_and_not_before() {
        let folder = tempfile::tempdir().unwrap();
        let opened = Opened::open(folder.path(), |_| {}).unwrap();
        let entry = entry(5, &["a@b.example", "c@d.example", "e@f.example"]);
        opened.store.commit(entry.admitted(Some(Bytes::from_static(b"text")))).await.unwrap();
        opened.store.commit(entry.finished(&[1], None)).await.unwrap();
        opened.store.commit(entry.finished(&[0], None)).await.unwrap();
        assert_eq!((rows(&opened, "entry"), rows(&opened, "body"), rows(&opened, "progress")), (1, 1, 2));
        assert_eq!(read(&opened.reader().unwrap(), entry.id).unwrap(), Some(entry.clone()));
        opened.store.commit(entry.finished(&[2], None)).await.unwrap();
        assert_eq!((rows(&opened, "entry"), rows(&opened, "body"), rows(&opened, "progress")), (0, 0, 0));
    }
}

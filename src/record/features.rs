//! What a decision was made from, without anything that the message says: enough to make it anew under another policy.
//!
//! Written with a decision, read by `decide::replay`. Promises: of addresses in the header section the domain is kept, and of the rest a
//! digest that is another one for each message; subjects, fields, names of files and texts are not kept at all, only whether what
//! the policy looks for was in them. Fails only with the store.

use crate::clock::{EntryId, Wall};
use crate::mail::Mailbox;
use crate::store::StoreError;
use crate::vocabulary::{Confidence, Direction, FindingKind, Level};
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use rusqlite::{Connection, OptionalExtension};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// Octets of the digest of a local part.
const DIGEST: usize = 9;
/// Decisions that are read at once.
const PAGE: i64 = 1_000;

/// What one decision was made from.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Features {
    /// From and Sender, each veiled.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub from: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<(FindingKind, Confidence)>,
    /// Conditions about the message's own words, and whether each held.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub looked: BTreeMap<String, bool>,
    pub visible_recipients: usize,
    #[serde(skip_serializing_if = "is_false")]
    pub auto_submitted: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub forwarded: bool,
    /// REQUIRETLS stood behind MAIL.
    #[serde(skip_serializing_if = "is_false")]
    pub requiretls: bool,
    /// What the link that it came on reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peer: Option<Level>,
}

fn is_false(value: &bool) -> bool {
    !value
}

/// A mailbox of which only the domain can be read. `key`: the mailbox as it is compared.
#[must_use]
pub fn veiled(id: EntryId, key: &str) -> String {
    let (_, domain) = key.rsplit_once('@').unwrap_or(("", key));
    let whole = digest(&SHA256, format!("{id} {key}").as_bytes());
    let short = whole.as_ref().get(..DIGEST).unwrap_or_default();
    format!("{}@{domain}", BASE64_URL_SAFE_NO_PAD.encode(short))
}

/// One decision of the past.
#[derive(Debug)]
pub struct Decided {
    pub id: EntryId,
    /// As it was written.
    pub reverse_path: String,
    pub record: Record,
}

/// What is read of a decision's record.
#[derive(Debug, Deserialize)]
pub struct Record {
    pub site: Option<String>,
    #[serde(default)]
    pub size: u64,
    /// None: an older version made the decision, or it was made before the message had come.
    pub features: Option<Features>,
    #[serde(default)]
    pub recipients: Vec<DecidedFor>,
}

/// What was decided for one recipient.
#[derive(Debug, Deserialize)]
pub struct DecidedFor {
    pub to: Mailbox,
    pub direction: Direction,
    /// The site that it reaches.
    pub reaches: Option<String>,
    pub require: Level,
    pub fate: String,
    #[serde(default)]
    pub decided_by: BTreeMap<String, String>,
}

/// Tells the decisions since then a page at a time, the newest first, until `tell` wants no more. What cannot be read is None.
///
/// # Errors
/// When the database cannot be read.
pub fn decisions(
    connection: &Connection,
    since: Wall,
    mut tell: impl FnMut(Vec<Option<Decided>>) -> ControlFlow<()>,
) -> Result<(), StoreError> {
    let (since, mut before) = (EntryId::at(since).row(), i64::MAX);
    loop {
        let page = page(connection, since, before)?;
        let Some((last, ..)) = page.last() else { return Ok(()) };
        before = *last;
        let decided = page.into_iter().map(|(id, reverse_path, record)| {
            let record = serde_json::from_slice(&record).ok()?;
            Some(Decided { id: EntryId::from_row(id), reverse_path, record })
        });
        if tell(decided.collect()).is_break() {
            return Ok(());
        }
    }
}

/// What was decided on one entry, and all that was kept of it; None where nothing is on record.
///
/// # Errors
/// When the database cannot be read.
pub fn decision(connection: &Connection, id: EntryId) -> Result<Option<(Decided, serde_json::Value)>, StoreError> {
    let mut statement = connection.prepare("SELECT reverse_path, record FROM decision WHERE id = ?1")?;
    let row = statement.query_row([id.row()], |row| Ok((row.get(0)?, row.get::<_, Vec<u8>>(1)?))).optional()?;
    Ok(row.and_then(|(reverse_path, record)| {
        let whole = serde_json::from_slice(&record).ok()?;
        Some((Decided { id, reverse_path, record: serde_json::from_slice(&record).ok()? }, whole))
    }))
}

/// One short transaction, so that the database's log can be cut beside it.
fn page(connection: &Connection, since: i64, before: i64) -> Result<Vec<(i64, String, Vec<u8>)>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT id, reverse_path, record FROM decision WHERE id >= ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3",
    )?;
    let rows = statement.query_map([since, before, PAGE], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_veiled_mailbox_shows_its_domain_and_is_another_for_each_message() {
        let (one, other) = (EntryId::at(Wall(1)), EntryId::at(Wall(2)));
        let veiled_once = veiled(one, "dr.jones@a.example");
        assert!(veiled_once.ends_with("@a.example") && !veiled_once.contains("jones"), "{veiled_once}");
        assert_eq!(veiled_once, veiled(one, "dr.jones@a.example"));
        assert_ne!(veiled_once, veiled(other, "dr.jones@a.example"));
        assert_ne!(veiled_once, veiled(one, "dr.smith@a.example"));
    }

    #[test]
    fn features_of_nothing_take_little_room() {
        let json = serde_json::to_string(&Features::default()).unwrap();
        assert_eq!(json, r#"{"visible_recipients":0}"#);
        assert_eq!(serde_json::from_str::<Features>(&json).unwrap(), Features::default());
    }
}

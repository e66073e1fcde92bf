//! What monitored rules would have done, from the records of what was decided and how it ended.
//!
//! Asked by `control` for `policy readiness`. Promises: every recipient that a monitored rule matched is counted once, by what was
//! known at the dot and by what the link reached in the end; memory holds the answer and one page. Fails with the store.

use crate::clock::{EntryId, Wall};
use crate::store::StoreError;
use crate::vocabulary::{Fate, Level};
use memchr::memmem::Finder;
use rusqlite::{Connection, OptionalExtension};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Domains and examples that are told of each rule.
const DOMAINS: usize = 10;
const EXAMPLES: usize = 5;
/// Decisions that are read at once.
const PAGE: i64 = 1_000;

/// What a decision has in it where a monitored rule matched.
static MONITORED: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\"monitored\":[{"));

/// What one rule would have done in force, beside those that were.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Readiness {
    /// Recipients that it matched.
    pub matched: u64,
    /// Nothing would have been different.
    pub unchanged: u64,
    /// Rejected, refused or held at once.
    pub stopped: u64,
    /// Delivered by a link that is less than it asks: it would have waited for a better one.
    pub waited: u64,
    /// Not delivered in the end, or not yet: nobody knows.
    pub open: u64,
    /// Domains whose mail would have been stopped or would have waited, the most first.
    pub domains: Vec<(String, u64)>,
    /// Entries of such mail.
    pub examples: Vec<EntryId>,
    #[serde(skip)]
    by_domain: BTreeMap<String, u64>,
}

/// What is read of a decision.
#[derive(Deserialize)]
struct Decided {
    #[serde(default)]
    recipients: Vec<Recipient>,
}

#[derive(Deserialize)]
struct Recipient {
    to: String,
    fate: String,
    #[serde(default)]
    monitored: Vec<Monitored>,
}

#[derive(Deserialize)]
struct Monitored {
    rule: String,
    require: Level,
    fate: Fate,
}

/// What is read of how it ended.
#[derive(Deserialize)]
struct Ended {
    recipient: String,
    outcome: String,
    reached: Option<String>,
}

enum Would {
    Change(Change),
    Same,
    Unknown,
}

enum Change {
    Stop,
    Wait,
}

/// By rule, what was decided since.
///
/// # Errors
/// When the database cannot be read.
pub fn readiness(connection: &Connection, since: Wall) -> Result<BTreeMap<String, Readiness>, StoreError> {
    let mut found: BTreeMap<String, Readiness> = BTreeMap::new();
    let (since, mut before) = (EntryId::at(since).row(), i64::MAX);
    loop {
        let page = page(connection, since, before)?;
        let Some((last, _)) = page.last() else { break };
        before = *last;
        // Most decisions have nothing that is monitored: their JSON is not parsed.
        for (id, record) in page.iter().filter(|(_, record)| MONITORED.find(record).is_some()) {
            let Ok(decided) = serde_json::from_slice::<Decided>(record) else { continue };
            let ended = ended(connection, *id)?;
            for recipient in &decided.recipients {
                for rule in &recipient.monitored {
                    let readiness = found.entry(rule.rule.clone()).or_default();
                    readiness.count(EntryId::from_row(*id), &recipient.to, &would(recipient, rule, &ended));
                }
            }
        }
    }
    found.values_mut().for_each(Readiness::sort);
    Ok(found)
}

/// Decisions between two ids, the newest first: one short transaction, so that the database's log can be cut beside it.
fn page(connection: &Connection, since: i64, before: i64) -> Result<Vec<(i64, Vec<u8>)>, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT id, record FROM decision WHERE id >= ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3")?;
    let rows = statement.query_map([since, before, PAGE], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn ended(connection: &Connection, id: i64) -> Result<Vec<Ended>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT record FROM outcome WHERE entry = ?1")?;
    let rows = statement.query_map([id], |row| row.get::<_, Vec<u8>>(0))?;
    let records = rows.collect::<Result<Vec<_>, _>>()?;
    Ok(records.iter().filter_map(|record| serde_json::from_slice(record).ok()).collect())
}

/// What the rule would have done to one recipient.
fn would(recipient: &Recipient, rule: &Monitored, ended: &[Ended]) -> Would {
    if rule.fate.name() != recipient.fate && rule.fate != Fate::Send {
        return Would::Change(if rule.fate == Fate::Defer { Change::Wait } else { Change::Stop });
    }
    if recipient.fate != Fate::Send.name() {
        return Would::Same;
    }
    let delivered = ended.iter().find(|one| one.recipient == recipient.to && one.outcome == "delivered");
    let reached = delivered.and_then(|one| one.reached.as_deref()).and_then(|level| level.parse::<Level>().ok());
    match reached {
        Some(level) if level >= rule.require => Would::Same,
        Some(_) => Would::Change(Change::Wait),
        None => Would::Unknown,
    }
}

impl Readiness {
    /// Whether it could be put in force, and nobody's mail would be different.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.matched > 0 && self.stopped == 0 && self.waited == 0
    }

    fn count(&mut self, id: EntryId, to: &str, would: &Would) {
        self.matched += 1;
        match would {
            Would::Same => self.unchanged += 1,
            Would::Unknown => self.open += 1,
            Would::Change(change) => {
                match change {
                    Change::Stop => self.stopped += 1,
                    Change::Wait => self.waited += 1,
                }
                let domain = to.rsplit_once('@').map_or(to, |(_, domain)| domain);
                *self.by_domain.entry(domain.to_owned()).or_default() += 1;
                if self.examples.len() < EXAMPLES && self.examples.last() != Some(&id) {
                    self.examples.push(id);
                }
            }
        }
    }

    fn sort(&mut self) {
        self.domains = std::mem::take(&mut self.by_domain).into_iter().collect();
        self.domains.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        self.domains.truncate(DOMAINS);
    }
}

/// When the oldest decision was made that is still on record.
///
/// # Errors
/// When the database cannot be read.
pub fn oldest(connection: &Connection) -> Result<Option<Wall>, StoreError> {
    let oldest: Option<i64> =
        connection.query_row("SELECT min(id) FROM decision", [], |row| row.get(0)).optional()?.flatten();
    Ok(oldest.map(|id| EntryId::from_row(id).time()))
}

/// When the newest decision was made that is on record.
///
/// # Errors
/// When the database cannot be read.
pub fn newest(connection: &Connection) -> Result<Option<Wall>, StoreError> {
    let newest: Option<i64> =
        connection.query_row("SELECT max(id) FROM decision", [], |row| row.get(0)).optional()?.flatten();
    Ok(newest.map(|id| EntryId::from_row(id).time()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Change as Row, Opened, Value};

    fn decision(n: i64, to: &str, fate: &str, rule: (&str, &str, &str)) -> Row {
        let (name, require, would) = rule;
        let record = format!(
            r#"{{"recipients":[{{"to":"{to}","fate":"{fate}","monitored":[{{"rule":"{name}","require":"{require}","fate":"{would}"}}]}}]}}"#
        );
        Row::new(
            "INSERT INTO decision (id, reverse_path, recipients, record) VALUES (?1, '', '', ?2)",
            vec![Value::Int(EntryId::at(Wall(n)).row()), Value::Blob(record.into())],
        )
    }

    fn outcome(n: i64, to: &str, outcome: &str, reached: &str) -> Row {
        let record = format!(r#"{{"recipient":"{to}","outcome":"{outcome}","reached":"{reached}"}}"#);
        Row::new(
            "INSERT INTO outcome (entry, recipient, record) VALUES (?1, 0, ?2)",
            vec![Value::Int(EntryId::at(Wall(n)).row()), Value::Blob(record.into())],
        )
    }

    #[tokio::test]
    async fn what_a_rule_would_have_done_is_told_by_the_dot_and_by_the_link() {
        let folder = tempfile::tempdir().unwrap();
        let opened = Opened::open(folder.path(), |_| {}).unwrap();
        let r = ("r", "verified", "send");
        let changes = vec![
            decision(1_000, "a@old.example", "send", ("r", "sealed", "reject")),
            decision(2_000, "a@good.example", "send", r),
            outcome(2_000, "a@good.example", "delivered", "verified"),
            decision(3_000, "a@weak.example", "send", r),
            outcome(3_000, "a@weak.example", "delivered", "encrypted"),
            decision(4_000, "a@lost.example", "send", r),
            outcome(4_000, "a@lost.example", "expired", "verified"),
            decision(5_000, "b@weak.example", "send", ("r", "sealed", "reject")),
            decision(6_000, "a@held.example", "reject", ("r", "sealed", "reject")),
            decision(7_000, "a@good.example", "send", ("quiet", "encrypted", "send")),
            outcome(7_000, "a@good.example", "delivered", "verified"),
        ];
        opened.store.commit(changes).await.unwrap();
        let connection = opened.reader().unwrap();
        let found = readiness(&connection, Wall(1_500)).unwrap();
        let r = &found["r"];
        assert_eq!((r.matched, r.unchanged, r.stopped, r.waited, r.open), (5, 2, 1, 1, 1));
        assert_eq!(r.domains, [("weak.example".to_owned(), 2)]);
        assert_eq!(r.examples, [EntryId::at(Wall(5_000)), EntryId::at(Wall(3_000))]);
        assert_eq!((r.is_ready(), found["quiet"].is_ready(), found.len()), (false, true, 2));
        assert_eq!(oldest(&connection).unwrap(), Some(Wall(1_000)));
    }
}

//! What people did to the queue: who, when, what was asked and why, and which recipients of which entries it changed.
//!
//! Called by `control`, which asks a person for name and reason. Promises: an action and the first entries that it changes
//! are one batch; rows are never changed, and are forgotten with decisions and outcomes. Holds no clinical text: whoever
//! fills in `because` has been asked not to, and `control` refuses what recognition finds. Fails only with the store.

use super::as_json;
use crate::clock::{EntryId, Wall, rfc3339};
use crate::store::{Change, StoreError, Value};
use crate::vocabulary::Level;
use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// One command of a person.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Action {
    pub at: Wall,
    /// Of the process that asked over the control socket.
    pub uid: u32,
    /// The name that was given.
    pub by: Option<String>,
    pub because: Option<String>,
    /// `hold`, `release`, `release-in-clear`, `reroute`, `bounce`.
    pub verb: String,
    /// Where mail was rerouted to.
    pub to: Option<String>,
    /// What was chosen, as it was typed.
    pub selection: serde_json::Value,
}

/// What an action did to one entry.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Doing {
    pub recipients: Vec<String>,
    /// The requirement that was lowered, recipient by recipient; empty where none was.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lowered_from: Vec<Level>,
}

impl Action {
    /// The change that keeps it.
    #[must_use]
    pub fn kept(&self, id: EntryId) -> Change {
        let values = vec![Value::Int(id.row()), Value::Blob(as_json(self))];
        Change::new("INSERT INTO action (id, record) VALUES (?1, ?2)", values)
    }
}

impl Doing {
    /// The change that links an action to an entry.
    #[must_use]
    pub fn kept(&self, action: EntryId, entry: EntryId) -> Change {
        Change::new(
            "INSERT INTO acted (entry, action, record) VALUES (?1, ?2, ?3)",
            vec![Value::Int(entry.row()), Value::Int(action.row()), Value::Blob(as_json(self))],
        )
    }
}

/// What people did to an entry, oldest first, as all answers print it.
///
/// # Errors
/// When the database cannot be read.
pub fn actions(connection: &Connection, entry: EntryId) -> Result<Vec<serde_json::Value>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT acted.action, acted.record, action.record FROM acted JOIN action ON action.id = acted.action
         WHERE acted.entry = ?1 ORDER BY acted.action",
    )?;
    let rows = statement.query_map([entry.row()], |row| {
        Ok((EntryId::from_row(row.get(0)?), row.get::<_, Vec<u8>>(1)?, row.get::<_, Vec<u8>>(2)?))
    })?;
    let mut actions = Vec::new();
    for row in rows {
        let (id, doing, action) = row?;
        let messages = changed(connection, id)?;
        actions.push(told(id, messages, (&doing, &action)));
    }
    Ok(actions)
}

/// How many entries an action changed.
fn changed(connection: &Connection, action: EntryId) -> Result<i64, StoreError> {
    let mut statement = connection.prepare_cached("SELECT count(*) FROM acted WHERE action = ?1")?;
    Ok(statement.query_row([action.row()], |row| row.get(0))?)
}

fn told(id: EntryId, messages: i64, (doing, action): (&[u8], &[u8])) -> serde_json::Value {
    let mut told: serde_json::Value = serde_json::from_slice(action).unwrap_or_else(|_| json!({}));
    let doing: serde_json::Value = serde_json::from_slice(doing).unwrap_or_default();
    if let Some(at) = told["at"].as_i64() {
        told["at"] = rfc3339(Wall(at)).into();
    }
    told["id"] = json!(id);
    told["messages"] = messages.into();
    told["recipients"] = doing["recipients"].clone();
    told["lowered_from"] = doing["lowered_from"].clone();
    told
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::forget;
    use crate::store::Opened;

    fn action(at: Wall) -> Action {
        Action {
            at,
            uid: 1000,
            by: Some("A. Guardian".into()),
            because: Some("agreed by telephone".into()),
            verb: "release-in-clear".into(),
            to: None,
            selection: json!({ "ids": ["x"] }),
        }
    }

    #[tokio::test]
    async fn what_was_done_to_an_entry_is_told_and_forgotten_after_two_years() {
        let folder = tempfile::tempdir().unwrap();
        let opened = Opened::open(folder.path(), |_| {}).unwrap();
        let now = Wall(1_795_348_471_000);
        let (old, entry) = (EntryId::at(Wall(1_000_000)), EntryId::at(now));
        let doing = Doing { recipients: vec!["a@b.example".into()], lowered_from: vec![Level::Verified] };
        let changes = vec![
            action(Wall(1_000_000)).kept(old),
            action(now).kept(entry),
            doing.kept(old, old),
            doing.kept(entry, entry),
            doing.kept(entry, EntryId::from_row(7)),
        ];
        opened.store.commit(changes).await.unwrap();
        let reader = opened.reader().unwrap();
        let told = actions(&reader, entry).unwrap();
        assert_eq!(told.len(), 1);
        assert_eq!((told[0]["at"].as_str(), told[0]["messages"].as_i64()), (Some("2026-11-22T11:54:31Z"), Some(2)));
        assert_eq!((&told[0]["lowered_from"], &told[0]["uid"]), (&json!(["verified"]), &json!(1000)));
        assert_eq!(actions(&reader, old).unwrap().len(), 1);
        opened.store.commit(forget(now)).await.unwrap();
        assert_eq!(actions(&reader, old).unwrap(), Vec::<serde_json::Value>::new());
        assert_eq!(actions(&reader, entry).unwrap().len(), 1);
        let count = |table: &str| -> i64 {
            reader.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
        };
        assert_eq!((count("action"), count("acted")), (1, 1), "an entry of forty years ago is forgotten as well");
    }
}

//! What a person asked for a recipient that waits: stopped, sent another way, released in clear. Kept beside the entry.
//!
//! Written by `control`, read with the entry, heeded by `deliver` before every attempt. Promises: it holds from its commit on,
//! over restarts, for that recipient of that entry and no other; what cannot be read counts as a hold, so damage sends
//! nothing and lowers nothing. It goes with its entry.

use super::lane::Destination;
use crate::clock::EntryId;
use crate::mail::Domain;
use crate::store::{Change, StoreError, Value};
use crate::vocabulary::Level;
use rusqlite::Connection;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// What a person asked for one recipient.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Instruction {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop: Option<Stop>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<Route>,
    /// Released in clear: what was asked before. `any` is asked now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lowered_from: Option<Level>,
}

/// Why nothing is attempted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stop {
    /// Until it is released, or its time is over.
    Hold,
    /// It ends now, and its sender is told.
    Bounce,
}

/// Another way for what waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// The hosts that the recipient's domain names.
    Mx,
    Relay(String),
    Site(String),
}

impl Route {
    /// Where it leads for a recipient of `domain`.
    #[must_use]
    pub fn destination(&self, domain: &Domain) -> Destination {
        match self {
            Route::Mx => Destination::Mx(domain.clone()),
            Route::Relay(name) => Destination::Relay(name.as_str().into()),
            Route::Site(name) => Destination::Site(name.as_str().into()),
        }
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Route::Mx => f.write_str("mx"),
            Route::Relay(name) => write!(f, "relay:{name}"),
            Route::Site(name) => write!(f, "site:{name}"),
        }
    }
}

impl FromStr for Route {
    type Err = String;

    fn from_str(text: &str) -> Result<Route, String> {
        match text.split_once(':') {
            None if text == "mx" => Ok(Route::Mx),
            Some(("relay", name)) if !name.is_empty() => Ok(Route::Relay(name.to_owned())),
            Some(("site", name)) if !name.is_empty() => Ok(Route::Site(name.to_owned())),
            _ => Err(format!("`{text}` is no way for mail\nhint: write relay:NAME, site:NAME or mx")),
        }
    }
}

impl Serialize for Route {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Route {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Route, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

impl Instruction {
    /// The change that keeps it; none of an entry that has left meanwhile, and none that asks nothing.
    #[must_use]
    pub fn kept(&self, id: EntryId, recipient: u16) -> Change {
        let key = || vec![Value::Int(id.row()), Value::Int(i64::from(recipient))];
        if *self == Instruction::default() {
            return Change::new("DELETE FROM instruction WHERE entry = ?1 AND recipient = ?2", key());
        }
        let mut values = key();
        values.push(Value::Blob(crate::record::as_json(self)));
        Change::new(
            "INSERT OR REPLACE INTO instruction (entry, recipient, record)
             SELECT ?1, ?2, ?3 WHERE EXISTS (SELECT 1 FROM entry WHERE id = ?1)",
            values,
        )
    }
}

/// The change that forgets what was asked for an entry that leaves.
#[must_use]
pub(super) fn forgotten(id: EntryId) -> Change {
    Change::new(
        "DELETE FROM instruction WHERE entry = ?1 AND NOT EXISTS (SELECT 1 FROM entry WHERE id = ?1)",
        vec![Value::Int(id.row())],
    )
}

/// What was asked for recipients of an entry.
///
/// # Errors
/// When the database cannot be read.
pub fn read(connection: &Connection, id: EntryId) -> Result<Vec<(u16, Instruction)>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT recipient, record FROM instruction WHERE entry = ?1")?;
    let rows = statement.query_map([id.row()], |row| Ok((row.get::<_, u16>(0)?, row.get::<_, Vec<u8>>(1)?)))?;
    let unreadable = || Instruction { stop: Some(Stop::Hold), ..Instruction::default() };
    let read = |(recipient, record): (u16, Vec<u8>)| {
        (recipient, serde_json::from_slice(&record).unwrap_or_else(|_| unreadable()))
    };
    rows.map(|row| Ok(read(row?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::entry::{self, tests::entry};
    use crate::store::Opened;

    #[test]
    fn a_way_reads_as_it_is_written_and_nothing_else_does() {
        for way in ["mx", "relay:hub", "site:kingston"] {
            assert_eq!(way.parse::<Route>().map(|r| r.to_string()), Ok(way.to_owned()));
        }
        for wrong in ["", "MX", "relay:", "site:", "hub", "mx:a.example"] {
            assert!(wrong.parse::<Route>().is_err(), "{wrong}");
        }
    }

    #[tokio::test]
    async fn it_is_read_with_its_entry_goes_with_it_and_is_none_of_an_entry_that_left() {
        let folder = tempfile::tempdir().unwrap();
        let opened = Opened::open(folder.path(), |_| {}).unwrap();
        let known = entry(5, &["a@one.example", "b@two.example"]);
        let asked = Instruction { route: Some(Route::Relay("hub".into())), ..Instruction::default() };
        let mut changes = known.admitted(None);
        changes.extend([asked.kept(known.id, 1), asked.kept(EntryId::from_row(6), 0)]);
        opened.store.commit(changes).await.unwrap();
        let reader = opened.reader().unwrap();
        let found = entry::read(&reader, known.id).unwrap().unwrap();
        assert_eq!((found.instruction(0), found.instruction(1)), (None, Some(&asked)));
        assert_eq!(read(&reader, EntryId::from_row(6)).unwrap(), []);
        opened.store.commit(known.finished(&[0], None)).await.unwrap();
        assert_eq!(read(&reader, known.id).unwrap().len(), 1, "the other recipient still waits");
        opened.store.commit(known.finished(&[1], None)).await.unwrap();
        assert_eq!(read(&reader, known.id).unwrap(), []);
    }

    #[tokio::test]
    async fn what_cannot_be_read_holds_the_mail() {
        let folder = tempfile::tempdir().unwrap();
        let opened = Opened::open(folder.path(), |_| {}).unwrap();
        let damages = ["", "{", r#"{"lowered_from":"no-such"}"#, r#"{"stpp":"hold"}"#];
        for (recipient, damage) in (0..).zip(damages) {
            let statement = "INSERT INTO instruction (entry, recipient, record) VALUES (5, ?1, ?2)";
            let values = vec![Value::Int(recipient), Value::Blob(damage.into())];
            opened.store.commit(vec![Change::new(statement, values)]).await.unwrap();
        }
        let read = read(&opened.reader().unwrap(), EntryId::from_row(5)).unwrap();
        let held = Instruction { stop: Some(Stop::Hold), ..Instruction::default() };
        assert_eq!(read, [0, 1, 2, 3].map(|recipient| (recipient, held.clone())));
    }
}

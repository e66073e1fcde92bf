//! Reads what is due from the rows of what waits: a page of all lanes in the order of their dates, or of one lane.
//!
//! Called by `keeper`. Promises: a page is read in well under 100 ms and holds bounded memory; entries that make no
//! sense are reported and passed over. Fails with the database, and where it is damaged.

use super::backlog::{Backlog, Position};
use super::entry::{self, Entry, Progress};
use crate::clock::{EntryId, Wall};
use crate::store::StoreError;
use rusqlite::{Connection, Row, params};
use std::collections::HashSet;

/// Rows of the index that one page looks at.
const ROWS: usize = 4_000;
/// Entries that one page reads.
pub(super) const ENTRIES: usize = 1_000;
/// Octets of entries that one page holds, about.
const OCTETS: usize = 8 * 1024 * 1024;

/// An entry of which something is due.
pub(super) struct Found {
    pub entry: Entry,
    /// Its recipients that are due.
    pub due: Vec<(u16, Progress)>,
}

/// What was read.
pub(super) struct Page {
    pub found: Vec<Found>,
    /// Everything before it was read or passed over.
    pub reached: Position,
    /// Whether nothing that is due lies behind it.
    pub is_last: bool,
}

/// Reads pages of one reading, on one connection.
pub(super) struct Reader<'a> {
    pub connection: &'a Connection,
    pub backlog: &'a Backlog,
    pub now: Wall,
}

impl Reader<'_> {
    /// What is due behind `after`, of all lanes but those in `crowded`: `most` entries at most.
    pub fn page(&self, after: Position, crowded: &HashSet<String>, most: usize) -> Result<Page, StoreError> {
        let end = Position::after(self.now);
        let rows = self.after(after)?;
        let all = rows.len() < ROWS;
        let last = rows.last().map_or(end, |(place, _)| *place);
        let fits = |lane: &Option<String>| lane.as_ref().is_none_or(|lane| !crowded.contains(lane));
        let places = rows.into_iter().filter(|(_, lane)| fits(lane)).map(|(place, _)| place).collect();
        let (found, stopped) = self.entries(self.backlog.free(places), after, most)?;
        let reached = stopped.unwrap_or(if all { end } else { last });
        Ok(Page { found, reached, is_last: all && stopped.is_none() })
    }

    /// What is due of one lane, oldest first. Up to `held` of its rows may be tasks in memory, which come first.
    pub fn lane_page(&self, lane: &str, held: usize, most: usize) -> Result<Page, StoreError> {
        let limit = ROWS.max(held * 2);
        let mut statement = self.connection.prepare_cached(
            "SELECT due, entry, recipient FROM progress WHERE lane = ?1 AND due <= ?2 \
             ORDER BY due, entry, recipient LIMIT ?3",
        )?;
        let rows = statement.query_map(params![lane, self.now.0, limit as i64], place)?;
        let places = rows.collect::<Result<Vec<_>, _>>()?;
        let all = places.len() < limit;
        let end = Position::after(self.now);
        let (found, stopped) = self.entries(self.backlog.free(places), end, most)?;
        Ok(Page { found, reached: end, is_last: all && stopped.is_none() })
    }

    fn after(&self, after: Position) -> Result<Vec<(Position, Option<String>)>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT due, entry, recipient, lane FROM progress \
             WHERE due >= ?1 AND due <= ?4 AND (due, entry, recipient) > (?1, ?2, ?3) \
             ORDER BY due, entry, recipient LIMIT ?5",
        )?;
        let bounds = params![after.due.0, after.entry.row(), after.recipient, self.now.0, ROWS as i64];
        let rows = statement.query_map(bounds, |row| Ok((place(row)?, row.get(3)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The first date after now.
    pub fn next(&self) -> Result<Option<Wall>, StoreError> {
        let mut statement = self.connection.prepare_cached("SELECT min(due) FROM progress WHERE due > ?1")?;
        Ok(statement.query_row([self.now.0], |row| row.get::<_, Option<i64>>(0))?.map(Wall))
    }

    /// The entries of these rows; and, where that was too much, the row behind which it stopped.
    fn entries(
        &self,
        places: Vec<Position>,
        after: Position,
        most: usize,
    ) -> Result<(Vec<Found>, Option<Position>), StoreError> {
        let (mut found, mut seen, mut octets) = (Vec::new(), HashSet::new(), 0);
        let mut before = after;
        for place in places {
            if !seen.contains(&place.entry) {
                if found.len() >= most || octets > OCTETS {
                    return Ok((found, Some(before)));
                }
                seen.insert(place.entry);
                if let Some((one, size)) = self.entry(place.entry)? {
                    found.push(one);
                    octets += size;
                }
            }
            before = place;
        }
        Ok((found, None))
    }

    /// None: it has left, or makes no sense. That is reported, and tried again when all rows are looked at anew. A page of the
    /// database that is damaged is no matter of one entry: whoever reads has to hear of it.
    fn entry(&self, id: EntryId) -> Result<Option<(Found, usize)>, StoreError> {
        match self.stored(id) {
            Err(StoreError::Damaged(why)) => Err(StoreError::Damaged(why)),
            Err(error) => {
                tracing::error!(entry = %id, %error, "an entry cannot be read and is set aside");
                Ok(None)
            }
            found => found,
        }
    }

    fn stored(&self, id: EntryId) -> Result<Option<(Found, usize)>, StoreError> {
        let Some(head) = entry::read_head(self.connection, id)? else { return Ok(None) };
        let entry = entry::with_instructions(self.connection, entry::parse(id, &head)?)?;
        let mut due = entry::read_progress(self.connection, id)?;
        due.retain(|(_, progress)| progress.due().is_some_and(|at| at <= self.now));
        Ok(Some((Found { entry, due }, head.len() * 2)))
    }
}

fn place(row: &Row<'_>) -> rusqlite::Result<Position> {
    Ok(Position { due: Wall(row.get(0)?), entry: EntryId::from_row(row.get(1)?), recipient: row.get(2)? })
}

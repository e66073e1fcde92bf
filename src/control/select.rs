//! Which recipients of the queue a filter chooses: page by page, so that a million entries neither fill memory nor keep a
//! reading transaction open.
//!
//! Called by `queries` (list, count) and `instruct`. Promises: what `queue list` shows for a filter is what a verb with that
//! filter is about, recipient by recipient; a page takes well under 100 ms. Fails only when the database cannot be read.

use super::Filter;
use super::queries::{Row, row_of};
use crate::clock::{EntryId, Now, Wall};
use crate::mail::Domain;
use crate::queue::entry::{self, Entry, Progress};
use crate::store::StoreError;
use rusqlite::{Connection, OptionalExtension};
use std::time::{Duration, Instant};

/// Entries that one page chooses at most.
const ENTRIES: usize = 500;
/// Entries that are read at once.
const READ: i64 = 500;
/// How long a page looks for more.
const LOOK: Duration = Duration::from_millis(50);

/// An entry of which recipients are chosen.
#[derive(Debug)]
pub struct Chosen {
    pub entry: Entry,
    pub progress: Vec<(u16, Progress)>,
    /// One for each chosen recipient.
    pub rows: Vec<Row>,
}

impl Chosen {
    /// Whether anything of what is chosen is attempted: nobody holds all of it.
    #[must_use]
    pub fn is_attempted(&self) -> bool {
        self.rows.iter().any(Row::is_attempted)
    }
}

/// What one look at the queue found, oldest first.
#[derive(Debug, Default)]
pub struct Page {
    pub chosen: Vec<Chosen>,
    /// After which entry the next page begins; none: this was the last.
    pub next: Option<EntryId>,
}

/// An entry as it is stored.
type Stored = (EntryId, Vec<u8>);

/// The next page of what `filter` chooses, after entry `after`.
///
/// # Errors
/// When the database cannot be read.
pub fn page(connection: &Connection, filter: &Filter, after: Option<EntryId>) -> Result<Page, StoreError> {
    let (begun, now) = (Instant::now(), Now::read().wall);
    let mut page = Page { next: after, ..Page::default() };
    loop {
        let stored = read(connection, filter, page.next)?;
        if stored.is_empty() {
            return Ok(Page { next: None, ..page });
        }
        for (id, head) in stored {
            page.next = Some(id);
            // A damaged entry is reported by the log at start; here it is passed over.
            page.chosen.extend(choose(connection, filter, (id, &head), now)?);
        }
        if page.chosen.len() >= ENTRIES || begun.elapsed() > LOOK {
            return Ok(page);
        }
    }
}

/// The next entries that may fit; empty at the end of the queue.
fn read(connection: &Connection, filter: &Filter, after: Option<EntryId>) -> Result<Vec<Stored>, StoreError> {
    let after = after.map_or(i64::MIN, EntryId::row);
    if !filter.ids.is_empty() {
        return named(connection, filter, after);
    }
    let mut statement = connection.prepare_cached("SELECT id, head FROM entry WHERE id > ?1 ORDER BY id LIMIT ?2")?;
    let rows = statement.query_map([after, READ], |row| Ok((EntryId::from_row(row.get(0)?), row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The entries that are named, as far as they are still there.
fn named(connection: &Connection, filter: &Filter, after: i64) -> Result<Vec<Stored>, StoreError> {
    let mut ids: Vec<i64> = filter.ids.iter().map(|id| id.row()).collect();
    ids.retain(|id| *id > after);
    ids.sort_unstable();
    ids.dedup();
    let mut statement = connection.prepare_cached("SELECT id, head FROM entry WHERE id = ?1")?;
    let mut stored = Vec::new();
    for id in ids {
        let row = statement.query_row([id], |row| Ok((EntryId::from_row(row.get(0)?), row.get(1)?)));
        stored.extend(row.optional()?);
    }
    Ok(stored)
}

/// Entries that are named and that the queue does not have.
///
/// # Errors
/// When the database cannot be read.
pub fn not_found(connection: &Connection, filter: &Filter) -> Result<Vec<EntryId>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT 1 FROM entry WHERE id = ?1")?;
    let mut not_found = Vec::new();
    for id in &filter.ids {
        if !statement.exists([id.row()])? {
            not_found.push(*id);
        }
    }
    Ok(not_found)
}

fn choose(
    connection: &Connection,
    filter: &Filter,
    (id, head): (EntryId, &[u8]),
    now: Wall,
) -> Result<Option<Chosen>, StoreError> {
    // Cheaper than reading the whole entry, for a queue of a million.
    let domain = filter.to_domain.as_ref().map(|domain| format!("@{domain}"));
    if domain.is_some_and(|domain| memchr::memmem::find(head, domain.as_bytes()).is_none()) {
        return Ok(None);
    }
    let Ok(entry) = entry::parse(id, head) else { return Ok(None) };
    let progress = entry::read_progress(connection, id)?;
    let entry = entry::with_instructions(connection, entry)?;
    let rows =
        (0u16..).zip(&entry.envelope.recipients).filter_map(|(number, _)| row_of(&entry, &progress, (number, now)));
    let rows: Vec<Row> = rows.filter(|row| fits(row, filter)).collect();
    Ok((!rows.is_empty()).then_some(Chosen { entry, progress, rows }))
}

fn fits(row: &Row, filter: &Filter) -> bool {
    let domain = |wanted: &Domain| {
        let suffix = format!("@{wanted}");
        row.recipients.iter().any(|r| r.ends_with(&suffix))
    };
    filter.to_domain.as_ref().is_none_or(domain)
        && filter.rule.as_ref().is_none_or(|wanted| row.rules.contains(wanted))
        && filter.reason.as_ref().is_none_or(|wanted| row.reason == *wanted)
        && filter.class.as_ref().is_none_or(|wanted| row.classes.contains(wanted))
}

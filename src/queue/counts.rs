//! How much waits, by state and class, for the gauges and `status`: rows counted in pages, and never more often than is cheap.
//!
//! Called by `serve` (before a scrape) and `control`. Promises: a queue of some thousands is counted when somebody asks; a
//! larger one in the background, for at most a fiftieth of the time, and the last count is the answer meanwhile; nobody who
//! asks waits for more than some 20 ms. What cannot be read leaves the last count.

use super::schedule::Schedule;
use super::states::State;
use crate::clock::{EntryId, Wall};
use crate::store::StoreError;
use rusqlite::{Connection, params};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Rows that are counted while somebody waits, and rows of one read transaction.
const PAGE: usize = 10_000;
/// The background count rests so many times as long as it took.
const REST: u32 = 50;

/// Recipient groups and their oldest message, by state and first class.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    pub groups: BTreeMap<(State, Option<String>), Group>,
    /// Messages.
    pub entries: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Group {
    pub count: usize,
    /// When the oldest was accepted.
    pub oldest: Wall,
}

impl Counts {
    fn add(&mut self, state: State, class: Option<&str>, accepted: Wall) {
        let key = (state, class.map(str::to_owned));
        let group = self.groups.entry(key).or_insert(Group { count: 0, oldest: accepted });
        group.count += 1;
        group.oldest = group.oldest.min(accepted);
    }

    /// Groups in `state`, whatever their class.
    #[must_use]
    pub fn of(&self, state: State) -> usize {
        self.groups.iter().filter(|((s, _), _)| *s == state).map(|(_, group)| group.count).sum()
    }
}

/// Counts for all who ask.
pub struct Counter {
    reader: Mutex<Connection>,
    schedule: Arc<Schedule>,
    /// The last whole count of a large table, and when the next may be made.
    last: Mutex<Last>,
    counting: AtomicBool,
}

#[derive(Default)]
struct Last {
    counts: Option<Counts>,
    next: Option<Instant>,
}

/// A count under way: what was counted, and the row that it came to.
#[derive(Default)]
struct Under {
    counts: Counts,
    reached: Option<Row>,
}

/// What tells one recipient group from the next.
#[derive(PartialEq, Eq)]
struct Row {
    entry: i64,
    recipient: u16,
    state: Option<String>,
    lane: Option<String>,
    class: Option<String>,
}

impl Counter {
    /// `reader`: a connection of its own.
    #[must_use]
    pub fn new(reader: Connection, schedule: Arc<Schedule>) -> Arc<Counter> {
        let (last, counting) = (Mutex::default(), AtomicBool::new(false));
        Arc::new(Counter { reader: Mutex::new(reader), schedule, last, counting })
    }

    /// What waits now, or, of a large queue, lately.
    #[must_use]
    pub fn counts(self: &Arc<Self>) -> Counts {
        let mut under = Under::default();
        let mut counts = match self.page(&mut under) {
            Ok(true) => under.counts,
            Ok(false) => {
                self.count_in_background();
                let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
                last.counts.clone().unwrap_or(under.counts)
            }
            Err(error) => {
                tracing::warn!(%error, "the queue cannot be counted");
                self.last.lock().unwrap_or_else(PoisonError::into_inner).counts.clone().unwrap_or_default()
            }
        };
        let mut before = None;
        // What was never tried has no row.
        self.schedule.look(|task| {
            if task.residence.is_none() {
                counts.add(task.state, task.class.as_deref(), task.accepted);
                counts.entries += usize::from(before.replace(task.entry) != Some(task.entry));
            }
        });
        counts
    }

    fn count_in_background(self: &Arc<Self>) {
        let next = self.last.lock().unwrap_or_else(PoisonError::into_inner).next;
        if next.is_some_and(|next| Instant::now() < next) || self.counting.swap(true, Ordering::AcqRel) {
            return;
        }
        let counter = self.clone();
        let counting = move || {
            counter.count_all();
            counter.counting.store(false, Ordering::Release);
        };
        if let Err(error) = std::thread::Builder::new().name("count".into()).spawn(counting) {
            tracing::warn!(%error, "the queue cannot be counted");
            self.counting.store(false, Ordering::Release);
        }
    }

    fn count_all(&self) {
        let begun = Instant::now();
        let mut under = Under::default();
        let counted = loop {
            match self.page(&mut under) {
                Ok(true) => break Some(under.counts),
                Ok(false) => {}
                Err(error) => {
                    tracing::warn!(%error, "the queue cannot be counted");
                    break None;
                }
            }
        };
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.counts = counted.or(last.counts.take());
        let rest = (begun.elapsed() * REST).max(Duration::from_secs(15));
        last.next = Some(Instant::now() + rest);
    }

    /// Counts one page more; whether it was the last.
    fn page(&self, under: &mut Under) -> Result<bool, StoreError> {
        let connection = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        let mut statement = connection.prepare_cached(
            "SELECT entry, recipient, state, lane, class FROM progress \
             WHERE (entry, recipient) > (?1, ?2) ORDER BY entry, recipient LIMIT ?3",
        )?;
        let (entry, recipient) = under.reached.as_ref().map_or((i64::MIN, 0), |row| (row.entry, row.recipient));
        let rows = statement.query_map(params![entry, recipient, PAGE as i64], |row| {
            let (entry, recipient, state) = (row.get(0)?, row.get(1)?, row.get(2)?);
            Ok(Row { entry, recipient, state, lane: row.get(3)?, class: row.get(4)? })
        })?;
        let mut count = 0;
        for row in rows {
            count += 1;
            under.add(row?);
        }
        Ok(count < PAGE)
    }
}

impl Under {
    fn add(&mut self, row: Row) {
        let before = self.reached.as_ref();
        let same_entry = before.is_some_and(|b| b.entry == row.entry);
        let same_group = same_entry && before.is_some_and(|b| b.state == row.state && b.lane == row.lane);
        self.counts.entries += usize::from(!same_entry);
        if let Some(state) = row.state.as_deref().and_then(State::of_name).filter(|_| !same_group) {
            self.counts.add(state, row.class.as_deref(), EntryId::from_row(row.entry).time());
        }
        self.reached = Some(row);
    }
}

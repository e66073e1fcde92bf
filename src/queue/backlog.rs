//! Where the table of what waits has been read to, and which of its rows are tasks in memory.
//!
//! Used by `schedule` (rows were written), `keeper` (rows are read) and, through `Residence`, by whoever holds a task.
//! Promises: a row is never two tasks at once, and no row is passed over for good. Fails never.
//!
//! The argument. A *waiting* row is written before its task leaves memory: the write rides, then the task is dropped. So a
//! task and its row's next life do not overlap, but for one thing: rows are read some time before they become tasks.
//!
//! One reading is: `begin`, flush what rides, read rows, `admit` each, `finish`. Take a row that is read as due.
//! * Its task is in memory at `admit`: it is a resident, and not admitted.
//! * Its task left memory after `begin`: it is among those that left, and not admitted, for what was read may be older than
//!   what the task wrote at its end.
//! * Its task left before `begin`, or never was: all that it wrote rode before `begin` and was flushed before the read. The
//!   row is what it says, nobody has it, and from `admit` on it is a resident. That is the only way in, under one lock.
//!
//! Tasks that were never tried have no row and cannot be read twice: they are no residents. They get a row when they leave.
//!
//! Nothing is passed over: rows before `reached` are residents, or belong to a lane that is *behind* (`schedule`) and is
//! read by itself. Whoever writes a row says its date by `expect`; a date before `reached` brings `reached` back, also
//! during a reading. A resident's row that shows another date than the one it was admitted with was written anew meanwhile:
//! its date is expected again when the resident leaves. Reading a row twice does no harm, so when in doubt `rescan` reads all.

use crate::clock::{EntryId, Wall};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// A row's place in the order in which rows become due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    pub due: Wall,
    pub entry: EntryId,
    pub recipient: u16,
}

impl Position {
    /// Before every row of that date.
    #[must_use]
    pub const fn before(due: Wall) -> Position {
        Position { due, entry: EntryId::from_row(0), recipient: 0 }
    }

    /// After every row of that date.
    #[must_use]
    pub const fn after(due: Wall) -> Position {
        Position { due, entry: EntryId::from_row(i64::MAX), recipient: u16::MAX }
    }
}

type Row = (EntryId, u16);

/// A row that is a task in memory.
struct Resident {
    /// Its date when it was admitted.
    due: Wall,
    /// Another date that it was seen with since.
    seen: Option<Wall>,
}

/// What happened since a reading began.
#[derive(Default)]
struct Reading {
    left: HashMap<Row, Wall>,
    /// The first date that was expected.
    first: Option<Wall>,
}

struct Shelf {
    reached: Position,
    /// The first date after `reached`, as far as is known.
    next: Option<Wall>,
    residents: HashMap<Row, Resident>,
    reading: Option<Reading>,
}

/// The reading's progress through the table, shared by all who hold a task.
pub struct Backlog {
    shelf: Mutex<Shelf>,
    /// Rung when there is something to read earlier than was known.
    pub rung: Notify,
}

impl Default for Backlog {
    /// Nothing was read so far.
    fn default() -> Backlog {
        let start = Wall(i64::MIN);
        let reached = Position::before(start);
        let shelf = Shelf { reached, next: Some(start), residents: HashMap::new(), reading: None };
        Backlog { shelf: Mutex::new(shelf), rung: Notify::new() }
    }
}

fn earlier(known: Option<Wall>, other: Option<Wall>) -> Option<Wall> {
    known.into_iter().chain(other).min()
}

impl Shelf {
    /// Whether somebody has to be rung.
    fn expect(&mut self, due: Wall) -> bool {
        self.reached = self.reached.min(Position::before(due));
        if let Some(reading) = &mut self.reading {
            reading.first = earlier(reading.first, Some(due));
        }
        let first = self.next.is_none_or(|next| due < next);
        self.next = earlier(self.next, Some(due));
        first
    }

    /// Whether the row at `place` may become a task.
    fn is_free(&mut self, place: Position) -> bool {
        let row = (place.entry, place.recipient);
        if let Some(resident) = self.residents.get_mut(&row) {
            if resident.due != place.due {
                resident.seen = earlier(resident.seen, Some(place.due));
            }
            return false;
        }
        let Some(reading) = &mut self.reading else { return false };
        match reading.left.get(&row) {
            None => true,
            Some(due) => {
                if *due != place.due {
                    reading.first = earlier(reading.first, Some(place.due));
                }
                false
            }
        }
    }
}

impl Backlog {
    fn lock(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Rows of that date are in the table, or are on their way to it.
    pub fn expect(&self, due: Wall) {
        if self.lock().expect(due) {
            self.rung.notify_one();
        }
    }

    /// Everything that is due is read again.
    pub fn rescan(&self) {
        self.expect(Wall(i64::MIN));
    }

    /// Begins a reading; where the last one came to. What rode before this has to be flushed before rows are read.
    pub fn begin(&self) -> Position {
        let mut shelf = self.lock();
        shelf.reading = Some(Reading::default());
        shelf.reached
    }

    /// Ends a reading that came to `reached`, after which `next` is the first date in the table.
    pub fn finish(&self, reached: Position, next: Option<Wall>) {
        let mut shelf = self.lock();
        let first = shelf.reading.take().and_then(|reading| reading.first);
        shelf.reached = first.map_or(reached, |first| reached.min(Position::before(first)));
        shelf.next = earlier(next, first);
    }

    /// Ends a reading that failed: it is begun again where it was.
    pub fn abandon(&self) {
        let mut shelf = self.lock();
        shelf.reading = None;
        shelf.next = Some(shelf.reached.due);
    }

    /// The first date at which there is something to read, if any.
    #[must_use]
    pub fn next(&self) -> Option<Wall> {
        self.lock().next
    }

    /// Those of `places` that may become tasks, as it looks now; `admit` decides.
    #[must_use]
    pub fn free(&self, places: Vec<Position>) -> Vec<Position> {
        let mut shelf = self.lock();
        places.into_iter().filter(|place| shelf.is_free(*place)).collect()
    }

    /// Takes the rows of one task in; None when none of them may become a task.
    #[must_use]
    pub fn admit(self: &Arc<Self>, places: &[Position]) -> Option<Residence> {
        let mut shelf = self.lock();
        let free: Vec<Position> = places.iter().copied().filter(|place| shelf.is_free(*place)).collect();
        for place in &free {
            let resident = Resident { due: place.due, seen: None };
            shelf.residents.insert((place.entry, place.recipient), resident);
        }
        let rows: Box<[Row]> = free.iter().map(|place| (place.entry, place.recipient)).collect();
        (!rows.is_empty()).then(|| Residence { backlog: self.clone(), rows })
    }

    /// Rows that are tasks in memory, or being attempted.
    #[must_use]
    pub fn residents(&self) -> usize {
        self.lock().residents.len()
    }
}

/// Rows of one task, for as long as anybody holds it.
pub struct Residence {
    backlog: Arc<Backlog>,
    rows: Box<[Row]>,
}

impl std::fmt::Debug for Residence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(&self.rows).finish()
    }
}

impl Residence {
    /// Which of the entry's recipients they are.
    pub fn recipients(&self) -> impl Iterator<Item = u16> + '_ {
        self.rows.iter().map(|(_, recipient)| *recipient)
    }
}

impl Drop for Residence {
    fn drop(&mut self) {
        let mut shelf = self.backlog.lock();
        let mut rings = false;
        for row in &self.rows {
            let Some(resident) = shelf.residents.remove(row) else { continue };
            if let Some(reading) = &mut shelf.reading {
                reading.left.insert(*row, resident.due);
            }
            if let Some(seen) = resident.seen {
                rings |= shelf.expect(seen);
            }
        }
        if rings {
            self.backlog.rung.notify_one();
        }
    }
}

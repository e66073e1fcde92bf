//! The keeper: reads what is due back into memory, as far as it fits, for ever.
//!
//! Started by `serve`. Promises: what waits is tried at its date or soon after it, whatever else waits; memory holds no more
//! tasks than the schedule's caps; a lane that is behind is read by itself, oldest first, so that it holds up no other.
//! When the store cannot be flushed or read, nothing is read and it is tried again every second. `backlog` has the argument
//! why nothing is read twice and nothing is left out.

use super::backlog::{Position, Residence};
use super::entry::{Entry, Progress};
use super::lane::{CurrentRoutes, Lane};
use super::reading::{ENTRIES, Found, Page, Reader};
use super::schedule::Schedule;
use super::states::State;
use super::task::Task;
use super::tasks;
use crate::clock::{Now, Wall};
use crate::store::{Change, Store, StoreError, Value};
use crate::vocabulary::Level;
use rusqlite::Connection;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::time::timeout;

/// Between two readings, so that a burst of dates is one page and not a flush each.
const PAUSE: Duration = Duration::from_millis(20);
/// After a reading that failed.
const AGAIN: Duration = Duration::from_secs(1);
/// All rows that are due are looked at again so often: whatever a defect or a clock left behind is found.
const RESCAN: Duration = Duration::from_secs(600);

/// A wall clock that falls back by more than this has been set.
const JUMP: Duration = Duration::from_secs(60);

const DAY: Duration = Duration::from_secs(86_400);

/// What reading back needs.
pub struct Keeper {
    pub schedule: Arc<Schedule>,
    pub routes: Arc<CurrentRoutes>,
    pub store: Store,
    pub reader: Mutex<Connection>,
    /// The longest pause between two attempts: no date is further away, unless a clock was wrong.
    pub longest: Box<dyn Fn() -> Duration + Send + Sync>,
}

/// What one reading read.
struct Read {
    page: Page,
    lanes: Vec<(Arc<Lane>, Page)>,
    /// The first date after what was read.
    next: Option<Wall>,
}

impl Keeper {
    /// Reads back what is due, until the runtime ends.
    pub async fn run(self: Arc<Self>) {
        let backlog = self.schedule.backlog.clone();
        let (mut rescan, mut before) = (Instant::now(), Now::read());
        self.mend_dates().await;
        loop {
            let now = Instant::now();
            let clocks = std::mem::replace(&mut before, Now::read());
            if before.wall.plus(JUMP).since(clocks.wall) < before.mono.duration_since(clocks.mono) {
                self.mend_dates().await;
            }
            if now >= rescan {
                rescan = now + RESCAN;
                backlog.rescan();
            }
            let lanes = self.schedule.look_after_lanes(now);
            let read = self.reading().await;
            self.store.look_at(&read);
            match read {
                Ok(true) => self.wait(lanes.into_iter().chain([rescan]).min()).await,
                // Whoever takes tasks rings; lanes are looked after all the same.
                Ok(false) if self.schedule.room() == 0 => drop(timeout(AGAIN, backlog.rung.notified()).await),
                Ok(false) => {}
                Err(error) => {
                    tracing::warn!(%error, "what is due cannot be read back for now");
                    tokio::time::sleep(AGAIN).await;
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Dates that are further away than any pause were written by a clock that was wrong: what waits for them is looked at
    /// now. Called at start and when the clock was set back; what a person holds for long is merely held again.
    async fn mend_dates(self: &Arc<Self>) {
        loop {
            let now = Now::read().wall;
            let far = now.plus(((self.longest)() * 2).max(DAY));
            let keeper = self.clone();
            let is_there = move || {
                let connection = keeper.reader.lock().unwrap_or_else(PoisonError::into_inner);
                let last = connection.query_row("SELECT max(due) FROM progress", [], |r| r.get::<_, Option<i64>>(0));
                last.is_ok_and(|last| last > Some(far.0))
            };
            if !tokio::task::spawn_blocking(is_there).await.unwrap_or(false) {
                return;
            }
            tracing::warn!("mail waits for dates that a wrong clock gave: it is tried now");
            let change = Change::new(
                "UPDATE progress SET due = ?1 WHERE (entry, recipient) IN \
                 (SELECT entry, recipient FROM progress WHERE due > ?2 LIMIT 1000)",
                vec![Value::Int(now.0), Value::Int(far.0)],
            );
            if self.store.commit(vec![change]).await.is_err() {
                return;
            }
        }
    }

    /// Until something is due, or somebody rings, or `other`.
    async fn wait(&self, other: Option<Instant>) {
        let backlog = &self.schedule.backlog;
        let now = Now::read();
        let due = backlog.next().map(|due| now.mono + due.since(now.wall).min(RESCAN));
        let until = due.into_iter().chain(other).min().unwrap_or(now.mono + RESCAN);
        tokio::select! {
            () = tokio::time::sleep_until(until.into()) => {}
            () = backlog.rung.notified() => {}
        }
    }

    /// One reading; whether it came to the end of what is due.
    async fn reading(self: &Arc<Self>) -> Result<bool, StoreError> {
        let after = self.schedule.backlog.begin();
        let read = match self.store.flush().await {
            Ok(()) => {
                let keeper = self.clone();
                let read = tokio::task::spawn_blocking(move || {
                    let connection = keeper.reader.lock().unwrap_or_else(PoisonError::into_inner);
                    keeper.read(&connection, after, Now::read().wall)
                });
                read.await.unwrap_or_else(|e| Err(StoreError::Io(e.to_string())))
            }
            Err(error) => Err(error),
        };
        match read {
            Ok(read) => Ok(self.admit(read)),
            Err(error) => {
                self.schedule.backlog.abandon();
                Err(error)
            }
        }
    }

    fn read(&self, connection: &Connection, after: Position, now: Wall) -> Result<Read, StoreError> {
        // One transaction: what a page passes over because its lane is behind is in that lane's own page.
        let transaction = connection.unchecked_transaction()?;
        let reader = Reader { connection: &transaction, backlog: &self.schedule.backlog, now };
        let per_lane = self.schedule.caps().tasks_per_lane;
        let mut lanes = Vec::new();
        for lane in self.schedule.wanting().into_iter().take(LANES) {
            let most = self.schedule.room().min(per_lane.div_ceil(2));
            let page = reader.lane_page(&lane.to_string(), per_lane, most)?;
            lanes.push((lane, page));
        }
        let (crowded, room) = (self.schedule.crowded(), self.schedule.room().min(ENTRIES));
        let page = reader.page(after, &crowded, room)?;
        let next = if page.is_last { reader.next()? } else { Some(page.reached.due) };
        Ok(Read { page, lanes, next })
    }

    /// Makes tasks of what was read; whether that was all.
    fn admit(&self, read: Read) -> bool {
        for (lane, page) in read.lanes {
            // First, for whatever finds no room below puts its lane behind again.
            if page.is_last {
                self.schedule.caught_up(&lane);
            }
            page.found.iter().for_each(|found| self.take_in(found));
        }
        read.page.found.iter().for_each(|found| self.take_in(found));
        self.schedule.backlog.finish(read.page.reached, read.next);
        read.page.is_last && self.schedule.wanting().is_empty()
    }

    /// The recipients of one entry that are due: a task per lane and what is known of them.
    fn take_in(&self, found: &Found) {
        let levels: Vec<Level> = found.entry.requirements.iter().map(|r| r.level).collect();
        for (lane, recipients) in tasks::lanes(&found.entry, &self.routes.now(), &levels) {
            let mut alike: Vec<(&Progress, Vec<u16>)> = Vec::new();
            for (recipient, progress) in found.due.iter().filter(|(r, _)| recipients.contains(r)) {
                match alike.iter_mut().find(|(known, _)| same_state(known, progress)) {
                    Some((_, together)) => together.push(*recipient),
                    None => alike.push((progress, vec![*recipient])),
                }
            }
            for (progress, together) in alike {
                self.offer(&found.entry, &lane, progress, &together);
            }
        }
    }

    fn offer(&self, entry: &Entry, lane: &Arc<Lane>, progress: &Progress, recipients: &[u16]) {
        let Some(due) = progress.due() else { return };
        let place = |recipient: &u16| Position { due, entry: entry.id, recipient: *recipient };
        let places: Vec<Position> = recipients.iter().map(place).collect();
        let Some(residence) = self.schedule.backlog.admit(&places) else { return };
        if let Some(refused) = self.schedule.offer(resumed(entry, lane, progress, residence)) {
            self.store.ride(refiled(&refused));
        }
    }
}

/// Lanes that one reading reads by themselves.
const LANES: usize = 8;

/// Whether two recipients were waiting together; what the peer said to each may differ.
fn same_state(one: &Progress, other: &Progress) -> bool {
    let facts = |progress: &Progress| match progress {
        Progress::Waiting { attempts, held, told, next_attempt, reason, .. } => {
            Some((*attempts, *held, *told, *next_attempt, *reason))
        }
        Progress::Final => None,
    };
    facts(one) == facts(other)
}

/// The task as it was when it was put off.
fn resumed(entry: &Entry, lane: &Arc<Lane>, progress: &Progress, residence: Residence) -> Task {
    let task = tasks::task(entry, lane.clone(), residence.recipients().collect());
    let residence = Some(Arc::new(residence));
    let state = progress.state().unwrap_or(State::Active);
    match progress {
        Progress::Waiting { attempts, told, reason, .. } => {
            Task { attempts: *attempts, state, told: task.told || *told, reason: *reason, residence, ..task }
        }
        Progress::Final => Task { residence, ..task },
    }
}

/// A lane that is behind is read by its name: rows that were filed under another lane, or none, are filed anew.
fn refiled(task: &Task) -> Vec<Change> {
    let lane = task.lane.to_string();
    let row = |recipient: &u16| {
        let values = vec![Value::Int(task.entry.row()), Value::Int(i64::from(*recipient)), Value::Text(lane.clone())];
        Change::new(
            "UPDATE progress SET lane = ?3 WHERE entry = ?1 AND recipient = ?2 AND lane IS NOT ?3 AND final = 0",
            values,
        )
    };
    task.recipients.iter().map(row).collect()
}

#[cfg(test)]
mod tests;

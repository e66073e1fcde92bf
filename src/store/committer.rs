//! The one thread that writes: takes all that waits, commits it as one transaction, flushes once, answers everybody.
//!
//! Promises: a batch is all or nothing; riders are in the next flush or in one of their own within 50 ms; after an I/O
//! error every later batch is refused. The log is cut by a second connection, so that no sender waits for it.

use super::bodies::Bodies;
use super::{Change, Job, StoreError};
use rusqlite::Connection;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// Riders wait this long at most for somebody else's flush.
const RIDE: Duration = Duration::from_millis(50);
/// Batches that one flush takes at most, so that the first of them does not wait for ever.
const BATCH: usize = 1024;
/// Octets of log after which it is cut.
const CHECKPOINT: usize = 16 * 1024 * 1024;

type Waiting = oneshot::Sender<Result<(), StoreError>>;

pub(super) struct Committer {
    pub connection: Connection,
    pub inbox: Receiver<Job>,
    pub riders: Arc<Mutex<Vec<Change>>>,
    pub stopped: Arc<AtomicBool>,
    pub bodies: Bodies,
    pub checkpointer: Checkpointer,
    pub observe: Box<dyn Fn(Duration) + Send>,
}

/// What one flush takes: one put per waiting owner, and the riders.
#[derive(Default)]
struct Batch {
    puts: Vec<(Vec<Change>, Waiting)>,
    syncs_directory: bool,
}

impl Batch {
    /// Takes a job in; a nudge only says that riders wait.
    fn take(&mut self, job: Job) {
        if let Job::Put { changes, synced_directory, done } = job {
            self.puts.push((changes, done));
            self.syncs_directory |= synced_directory;
        }
    }
}

impl Committer {
    /// Runs until every handle is gone, then flushes the last riders.
    pub fn run(mut self) {
        let mut riders_due: Option<Instant> = None;
        let mut log = 0;
        loop {
            let mut batch = Batch::default();
            match self.next(riders_due) {
                Ok(job) => batch.take(job),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            while batch.puts.len() < BATCH
                && let Ok(job) = self.inbox.try_recv()
            {
                batch.take(job);
            }
            let due = *riders_due.get_or_insert_with(|| Instant::now() + RIDE);
            if batch.puts.is_empty() && Instant::now() < due {
                continue;
            }
            riders_due = None;
            log += self.flush(batch);
            log = self.checkpointer.cut(&self.connection, log);
        }
        self.flush(Batch::default());
    }

    fn next(&self, riders_due: Option<Instant>) -> Result<Job, RecvTimeoutError> {
        match riders_due {
            Some(due) => self.inbox.recv_timeout(due.saturating_duration_since(Instant::now())),
            None => self.inbox.recv().map_err(|_| RecvTimeoutError::Disconnected),
        }
    }

    /// One transaction, one flush; returns the octets that it added to the log.
    fn flush(&mut self, batch: Batch) -> usize {
        let begun = Instant::now();
        let riders = std::mem::take(&mut *self.riders.lock().unwrap_or_else(PoisonError::into_inner));
        let Batch { mut puts, syncs_directory } = batch;
        let groups = || puts.iter().map(|(changes, _)| changes).chain([&riders]);
        let weight = groups().flatten().map(Change::weight).sum();
        let together = self.write(groups(), syncs_directory);
        if weight > 0 {
            (self.observe)(begun.elapsed());
        }
        if matches!(together, Err(StoreError::Wrong(_))) {
            self.one_by_one(puts, &riders);
            return weight;
        }
        for (_, done) in puts.drain(..) {
            answer(done, &together);
        }
        remove(together.unwrap_or_default());
        weight
    }

    /// A statement in the batch was wrong: its owner alone is told so, the others are not.
    fn one_by_one(&mut self, puts: Vec<(Vec<Change>, Waiting)>, riders: &[Change]) {
        for (changes, done) in puts {
            let alone = self.write([&changes], true);
            answer(done, &alone);
            remove(alone.unwrap_or_default());
        }
        for rider in riders {
            remove(self.write([std::slice::from_ref(rider)], false).unwrap_or_default());
        }
    }

    /// Returns the body files that are no longer named by any row.
    fn write<'a, G>(
        &mut self,
        groups: impl IntoIterator<Item = G>,
        syncs_directory: bool,
    ) -> Result<Vec<PathBuf>, StoreError>
    where
        G: IntoIterator<Item = &'a Change>,
    {
        if self.stopped.load(Ordering::Relaxed) {
            return Err(StoreError::Stopped);
        }
        let result = self.transact(groups.into_iter().flatten(), syncs_directory);
        if matches!(result, Err(StoreError::Io(_))) {
            self.stopped.store(true, Ordering::Relaxed);
        }
        result
    }

    fn transact<'a>(
        &mut self,
        changes: impl Iterator<Item = &'a Change>,
        syncs_directory: bool,
    ) -> Result<Vec<PathBuf>, StoreError> {
        let mut changes = changes.peekable();
        if changes.peek().is_none() {
            return Ok(Vec::new());
        }
        if syncs_directory {
            self.bodies.sync_directory()?;
        }
        let mut unlink = Vec::new();
        let transaction = self.connection.transaction()?;
        for change in changes {
            let mut statement = transaction.prepare_cached(change.statement)?;
            let changed = statement.execute(rusqlite::params_from_iter(&change.values))?;
            if changed > 0 {
                unlink.extend(change.unlink.clone());
            }
        }
        transaction.commit()?;
        Ok(unlink)
    }
}

fn answer(done: Waiting, result: &Result<Vec<PathBuf>, StoreError>) {
    // Who no longer waits has hung up; the message is kept all the same.
    let _ = done.send(result.as_ref().map(|_| ()).map_err(Clone::clone));
}

fn remove(files: Vec<PathBuf>) {
    for file in files {
        // A file that stays is swept at the next start.
        let _ = std::fs::remove_file(file);
    }
}

/// Cuts the log beside the committer: copies what it can while the committer goes on, then lets it copy the small rest.
pub(super) struct Checkpointer {
    ask: SyncSender<()>,
    bulk_done: Arc<AtomicBool>,
}

impl Checkpointer {
    /// Called after each flush with the octets in the log; returns how many are left to think of.
    fn cut(&self, connection: &Connection, log: usize) -> usize {
        if self.bulk_done.swap(false, Ordering::AcqRel) {
            // Nobody else writes now, so this copies the rest and the log begins anew with the next commit.
            let _ = checkpoint(connection);
            return 0;
        }
        if log >= CHECKPOINT {
            // A full channel means that one is under way.
            let _ = self.ask.try_send(());
        }
        log
    }
}

pub(super) fn spawn_checkpointer(database: PathBuf) -> Result<Checkpointer, StoreError> {
    let connection = Connection::open(database)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    let (ask, asked) = sync_channel::<()>(1);
    let bulk_done = Arc::new(AtomicBool::new(false));
    let done = bulk_done.clone();
    std::thread::Builder::new().name("checkpointer".into()).spawn(move || {
        while asked.recv().is_ok() {
            // A checkpoint that fails is asked for again by the next flush: the log stays, nothing is lost.
            if checkpoint(&connection).is_ok() {
                done.store(true, Ordering::Release);
            }
        }
    })?;
    Ok(Checkpointer { ask, bulk_done })
}

fn checkpoint(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))
}

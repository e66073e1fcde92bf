//! The one thread that writes: takes all that waits, commits it as one transaction, flushes once, answers everybody.
//!
//! Promises: a batch is all or nothing; riders are in the next flush or in one of their own within 50 ms; after an I/O
//! error, in a batch or in cutting the log, every later batch is refused, and so it is when one of the two threads falls over.
//! The log is cut by a second connection, so that no sender waits for it.

use super::bodies::Bodies;
use super::inbox::Inbox;
use super::{Change, Put, StoreError};
use rusqlite::Connection;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Riders wait this long at most for somebody else's flush: with a flush of their own they are kept within 50 ms, on a busy
/// machine too.
const RIDE: Duration = Duration::from_millis(10);
/// How long riders wait that found the disk full.
const AGAIN: Duration = Duration::from_secs(1);
/// Whoever was just answered is likely to send again at once: the next flush waits for as many as that, and so long since the
/// last one ended; while they come, as long as that one took. A busy gateway flushes less often for it, one that is not busy
/// waits for nobody, and the slower the disk is, the more a flush has to carry.
const COMPANY: Duration = Duration::from_millis(1);
/// A disk that is slower than this is waited for, not waited with: senders have their reply within a few of its flushes.
const LONGEST_COMPANY: Duration = Duration::from_millis(10);
/// Puts that one flush takes at most, so that the first of them does not wait for ever.
const BATCH: usize = 1024;
/// Octets of log after which it is cut.
const CHECKPOINT: usize = 16 * 1024 * 1024;
/// Pages of log (64 MiB) from which the committer waits for those who read an older state, so that the log begins anew: while
/// some page of a large queue is always being read, it would else grow without end.
const LONG: i64 = 16 * 1024;
/// So long at most: readers keep their transactions under 100 ms.
const READERS: Duration = Duration::from_millis(200);
/// How long a connection waits for another one's lock.
pub(super) const BUSY: Duration = Duration::from_secs(5);

pub(super) struct Committer {
    pub connection: Connection,
    pub inbox: Inbox,
    pub riders: Arc<Mutex<Vec<Change>>>,
    pub stopped: Arc<AtomicBool>,
    pub bodies: Bodies,
    pub checkpointer: Checkpointer,
    pub observe: Box<dyn Fn(Duration) + Send>,
}

impl Put {
    /// Tells the owner, who may have hung up, and lets the body file share the changes' fate. After an I/O error nobody
    /// knows whether the row is there: the file stays, and the next start looks.
    fn answer(self, result: &Result<Vec<PathBuf>, StoreError>) {
        match (self.file, result) {
            (Some(file), Ok(_) | Err(StoreError::Io(_) | StoreError::Damaged(_))) => file.keep(),
            (file, _) => drop(file),
        }
        let _ = self.done.send(result.as_ref().map(|_| ()).map_err(Clone::clone));
    }
}

/// What one flush did.
struct Flushed {
    /// Octets that it added to the log.
    weight: usize,
    /// The disk is full, and riders wait for room.
    found_no_room: bool,
    /// Puts that had ever come before anybody was answered.
    came: u64,
}

impl Committer {
    /// Runs until it is told to stop or every handle is gone, then flushes the last riders.
    pub fn run(mut self) {
        let _guard = Guard(self.stopped.clone());
        let mut riders_due: Option<Instant> = None;
        let mut log = 0;
        loop {
            self.inbox.wait(riders_due);
            let batch = self.inbox.take(BATCH);
            let due = *riders_due.get_or_insert_with(|| Instant::now() + RIDE);
            if batch.puts.is_empty() && !batch.stops && Instant::now() < due {
                continue;
            }
            let answered = batch.puts.len() as u64;
            let begun = Instant::now();
            let flushed = self.flush(batch.puts);
            let ended = Instant::now();
            log += flushed.weight;
            // What came during the flush rides as ever; what found the disk full waits for room.
            let pause = if flushed.found_no_room { AGAIN } else { RIDE };
            riders_due = self.has_riders().then(|| ended + pause);
            if batch.stops {
                return;
            }
            log = self.checkpointer.cut(&self.connection, log);
            self.inbox.gather(flushed.came + answered, BATCH, COMPANY, ended + company_after(ended - begun));
        }
    }

    fn has_riders(&self) -> bool {
        !self.riders.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// One transaction, one flush. Riders go first: they are older.
    fn flush(&mut self, puts: Vec<Put>) -> Flushed {
        let begun = Instant::now();
        let riders = std::mem::take(&mut *self.riders.lock().unwrap_or_else(PoisonError::into_inner));
        let groups = || [&riders].into_iter().chain(puts.iter().map(|put| &put.changes));
        let weight = groups().flatten().map(Change::weight).sum();
        let syncs_directory = puts.iter().any(|put| put.file.is_some());
        let together = self.write(groups(), syncs_directory);
        if weight > 0 {
            (self.observe)(begun.elapsed());
        }
        let (mut found_no_room, came) = (false, self.inbox.came());
        match &together {
            Err(StoreError::Wrong(_)) => {
                self.one_by_one(puts, riders);
                return Flushed { weight, found_no_room, came };
            }
            Err(StoreError::Full) => found_no_room = self.riders_alone(riders),
            _ => {}
        }
        puts.into_iter().for_each(|put| put.answer(&together));
        remove(together.unwrap_or_default());
        Flushed { weight, found_no_room, came }
    }

    /// What was delivered must not be forgotten because a message found no room: marks are small, and free room. Whether
    /// they have to ride again.
    fn riders_alone(&mut self, riders: Vec<Change>) -> bool {
        match self.write([&riders], false) {
            Ok(files) => {
                remove(files);
                false
            }
            Err(_) => {
                self.ride_again(riders);
                true
            }
        }
    }

    fn ride_again(&self, older: Vec<Change>) {
        let mut riders = self.riders.lock().unwrap_or_else(PoisonError::into_inner);
        let newer = std::mem::replace(&mut *riders, older);
        riders.extend(newer);
    }

    /// A statement in the batch was wrong: its owner alone is told so, the others are not.
    fn one_by_one(&mut self, puts: Vec<Put>, riders: Vec<Change>) {
        let mut left = Vec::new();
        for rider in riders {
            match self.write([std::slice::from_ref(&rider)], false) {
                Ok(files) => remove(files),
                Err(StoreError::Full) => left.push(rider),
                Err(error) => tracing::error!(%error, "a mark could not be kept"),
            }
        }
        self.ride_again(left);
        for put in puts {
            let alone = self.write([&put.changes], put.file.is_some());
            put.answer(&alone);
            remove(alone.unwrap_or_default());
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
        if let Err(StoreError::Damaged(_)) = &result {
            self.bodies.mark_damage();
        }
        if let Err(error @ (StoreError::Io(_) | StoreError::Damaged(_))) = &result {
            tracing::error!(%error, "the store stops: nothing more is accepted or delivered until a restart");
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

/// How long the next flush waits for company after one that took so long.
fn company_after(flush: Duration) -> Duration {
    flush.clamp(COMPANY, LONGEST_COMPANY)
}

fn remove(files: Vec<PathBuf>) {
    for file in files {
        // A file that stays is swept at the next start.
        let _ = std::fs::remove_file(file);
    }
}

/// Stops the store when its thread falls over: nobody may be told that something is kept where nobody keeps it.
struct Guard(Arc<AtomicBool>);

impl Drop for Guard {
    fn drop(&mut self) {
        if std::thread::panicking() {
            tracing::error!("a thread of the store fell over: nothing more is accepted or delivered until a restart");
            self.0.store(true, Ordering::Relaxed);
        }
    }
}

/// Cuts the log beside the committer: copies what it can while the committer goes on, then lets it copy the small rest.
pub(super) struct Checkpointer {
    ask: SyncSender<()>,
    bulk_done: Arc<AtomicBool>,
    stopped: Arc<AtomicBool>,
}

impl Checkpointer {
    /// Called after each flush with the octets in the log; returns how many are left to think of.
    fn cut(&self, connection: &Connection, log: usize) -> usize {
        if self.bulk_done.swap(false, Ordering::AcqRel) {
            // Nobody else writes now, so this copies the rest and the log begins anew with the next commit.
            if checkpoint(connection, Cut::Passive, &self.stopped).is_some_and(|pages| pages >= LONG) {
                begin_anew(connection, &self.stopped);
            }
            return 0;
        }
        if log >= CHECKPOINT {
            // A full channel means that one is under way.
            let _ = self.ask.try_send(());
        }
        log
    }
}

pub(super) fn spawn_checkpointer(database: PathBuf, stopped: Arc<AtomicBool>) -> Result<Checkpointer, StoreError> {
    let connection = Connection::open(database)?;
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    let (ask, asked) = sync_channel::<()>(1);
    let bulk_done = Arc::new(AtomicBool::new(false));
    let (done, stops) = (bulk_done.clone(), stopped.clone());
    std::thread::Builder::new().name("checkpointer".into()).spawn(move || {
        let _guard = Guard(stops.clone());
        while asked.recv().is_ok() {
            if checkpoint(&connection, Cut::Passive, &stops).is_some() {
                done.store(true, Ordering::Release);
            }
        }
    })?;
    Ok(Checkpointer { ask, bulk_done, stopped })
}

/// How the log is cut.
#[derive(Clone, Copy)]
enum Cut {
    /// As far as its readers allow.
    Passive,
    /// Whole: waits for its readers, and the next commit begins at its start.
    Restart,
}

/// Cuts the log whole. Where a reader takes too long, it stays and the next cut tries again.
fn begin_anew(connection: &Connection, stopped: &AtomicBool) {
    let patience = |patience| connection.busy_timeout(patience).is_ok();
    if patience(READERS) {
        checkpoint(connection, Cut::Restart, stopped);
    }
    patience(BUSY);
}

/// The pages that the log had, if it was cut. Without room, or beside somebody else who cuts it, it stays as it is and the
/// next flush asks again. A disk that cannot take what was flushed before can be trusted with nothing more.
fn checkpoint(connection: &Connection, cut: Cut, stopped: &AtomicBool) -> Option<i64> {
    let statement = match cut {
        Cut::Passive => "PRAGMA wal_checkpoint(PASSIVE)",
        Cut::Restart => "PRAGMA wal_checkpoint(RESTART)",
    };
    let error = match connection.query_row(statement, [], |row| row.get(1)) {
        Ok(pages) => return Some(pages),
        Err(error) => error,
    };
    let busy = error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy);
    match StoreError::from(error) {
        StoreError::Io(why) | StoreError::Damaged(why) if !busy => {
            tracing::error!(why, "the log cannot be cut: the store stops, nothing more is accepted until a restart");
            stopped.store(true, Ordering::Relaxed);
        }
        _ => {}
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Value, inbox};
    use bytes::Bytes;
    use tokio::sync::oneshot;

    const PUT: &str = "INSERT INTO body (id, bytes) VALUES (?1, ?2)";

    fn change(id: i64, octets: usize) -> Change {
        Change::new(PUT, vec![Value::Int(id), Value::Blob(Bytes::from(vec![0; octets]))])
    }

    fn put(change: Change) -> (Put, oneshot::Receiver<Result<(), StoreError>>) {
        let (done, answer) = oneshot::channel();
        (Put { changes: vec![change], file: None, done }, answer)
    }

    /// A committer whose database may have no more than so many pages.
    fn committer(folder: &std::path::Path, pages: i64) -> Committer {
        let database = folder.join("test.db");
        let connection = Connection::open(&database).unwrap();
        connection.execute_batch("CREATE TABLE body (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL)").unwrap();
        connection.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(())).unwrap();
        let (_, inbox) = inbox::open();
        Committer {
            connection,
            inbox,
            riders: Arc::default(),
            stopped: Arc::default(),
            bodies: Bodies::open(&folder.join("bodies")).unwrap(),
            checkpointer: spawn_checkpointer(database, Arc::default()).unwrap(),
            observe: Box::new(|_| ()),
        }
    }

    #[test]
    fn a_full_disk_is_no_reason_to_forget_what_was_delivered() {
        let folder = tempfile::tempdir().unwrap();
        let mut committer = committer(folder.path(), 16);
        committer.riders.lock().unwrap().push(change(5, 1));
        let (large, mut answer) = put(change(77, 1 << 20));
        committer.flush(vec![large]);
        assert!(matches!(answer.try_recv(), Ok(Err(StoreError::Full))));
        assert!(!committer.stopped.load(Ordering::Relaxed), "others may go on");
        let kept: i64 = committer
            .connection
            .query_row("SELECT group_concat(id) FROM body", [], |r| r.get::<_, String>(0))
            .unwrap()
            .parse()
            .unwrap();
        assert_eq!(kept, 5, "the mark, and not what found no room");
        assert!(!committer.has_riders());
    }

    #[test]
    fn marks_that_find_no_room_wait_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let mut committer = committer(folder.path(), 4);
        committer.riders.lock().unwrap().push(change(5, 1 << 20));
        assert!(committer.flush(Vec::new()).found_no_room);
        assert!(committer.has_riders());
    }
}

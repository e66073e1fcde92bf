//! The database and its one committer: changes go in as batches, a waiting batch is on stable storage when it answers.
//!
//! Called by `queue` and `record`, which own their tables' statements. Promises: `commit` returns Ok only after the flush;
//! changes of one call are one transaction; `ride` never drives a flush but is in the next one, or in one of its own
//! within 50 ms. Fails with `StoreError`; after an I/O error nothing is said to be safe any more (`StoreError::Stopped`),
//! because a failed fsync may have dropped what it could not write.
//!
//! Decided: SQLite in WAL mode with synchronous=FULL and one writing thread. Group commit gives some 0.1 flushes per
//! message under load; a log of our own would give no fewer and need its own recovery.

mod bodies;
mod committer;
#[cfg(test)]
pub mod damage;
mod digest;
mod inbox;
pub mod kept;
mod log;
mod open;
mod salvage;
mod separators;

pub use bodies::{Bodies, BodyFile};
pub use digest::{digest_as, digest_of, digest_read};
pub use open::{Opened, log_octets, reader_of};

use bytes::Bytes;
use inbox::Door;
use rusqlite::types::{ToSqlOutput, ValueRef};
use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::oneshot;

/// One statement with its values. The room that owns the table owns the statement.
#[derive(Debug)]
pub struct Change {
    statement: &'static str,
    values: Vec<Value>,
    /// A body file to remove once this change is committed, if it changed a row.
    unlink: Option<PathBuf>,
}

impl Change {
    #[must_use]
    pub fn new(statement: &'static str, values: Vec<Value>) -> Change {
        Change { statement, values, unlink: None }
    }

    #[must_use]
    pub fn then_unlink(mut self, file: Option<PathBuf>) -> Change {
        self.unlink = file;
        self
    }

    /// About how many octets it adds to the log.
    fn weight(&self) -> usize {
        self.values.iter().map(Value::weight).sum::<usize>() + 256
    }
}

/// A value of a statement. Blobs are shared, not copied.
#[derive(Debug)]
pub enum Value {
    Int(i64),
    Text(String),
    Blob(Bytes),
    Null,
}

impl Value {
    fn weight(&self) -> usize {
        match self {
            Value::Text(text) => text.len(),
            Value::Blob(bytes) => bytes.len(),
            Value::Int(_) | Value::Null => 8,
        }
    }
}

impl rusqlite::ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Value::Int(number) => ValueRef::Integer(*number),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Blob(bytes) => ValueRef::Blob(bytes),
            Value::Null => ValueRef::Null,
        }))
    }
}

/// Why something is not on stable storage.
#[derive(Debug, Clone)]
pub enum StoreError {
    /// The disk is full: others may go on once there is room.
    Full,
    /// An earlier write failed; nothing is accepted until a restart.
    Stopped,
    /// Another process has the data folder.
    Locked(PathBuf),
    /// The folder was written by a newer version.
    Newer { found: i64, known: i64 },
    /// A statement that does not fit the tables: a mistake of ours. Nothing of its batch was kept, the rest goes on.
    Wrong(String),
    /// The database is not what was written to it. The next start sets it aside and goes on with what can be read.
    Damaged(String),
    /// The database or the file system said this.
    Io(String),
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StoreError::Full => f.write_str("the disk of the data folder is full\nhint: make room; mail is put off meanwhile"),
            StoreError::Stopped => f.write_str(
                "the store stopped after a failed write\nhint: look at the disk, then restart; what was accepted is kept",
            ),
            StoreError::Locked(path) => {
                write!(f, "{} is in use by another mailward\nhint: stop it first, or use its control socket", path.display())
            }
            StoreError::Newer { found, known } => write!(
                f,
                "the data folder has schema {found}, this version knows {known}\nhint: run the newer version again, or restore a backup"
            ),
            StoreError::Wrong(text) => write!(f, "the store refused a change: {text}\nhint: this is a defect; please report it"),
            StoreError::Damaged(text) => {
                write!(f, "the database is damaged: {text}\nhint: restart; what can be read goes on, the rest is kept in the data folder")
            }
            StoreError::Io(text) => write!(f, "the store cannot read or write: {text}\nhint: look at the disk and the folder's owner"),
        }
    }
}

impl std::error::Error for StoreError {}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> StoreError {
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DiskFull) => StoreError::Full,
            // The index of the log could not grow: nothing was written, and there was no room to.
            _ if error.sqlite_error().is_some_and(|e| e.extended_code == rusqlite::ffi::SQLITE_IOERR_SHMSIZE) => {
                StoreError::Full
            }
            Some(rusqlite::ErrorCode::ConstraintViolation | rusqlite::ErrorCode::TypeMismatch) => {
                StoreError::Wrong(error.to_string())
            }
            Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase) => {
                StoreError::Damaged(error.to_string())
            }
            _ => StoreError::Io(error.to_string()),
        }
    }
}

impl From<std::io::Error> for StoreError {
    fn from(error: std::io::Error) -> StoreError {
        match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => StoreError::Full,
            _ => StoreError::Io(error.to_string()),
        }
    }
}

/// The file that says that the database is damaged.
fn damage_marker(folder: &std::path::Path) -> PathBuf {
    folder.join("mailward.db.damaged")
}

/// One owner's changes, and the owner, who waits for them.
struct Put {
    changes: Vec<Change>,
    file: Option<BodyFile>,
    done: oneshot::Sender<Result<(), StoreError>>,
}

/// The handle that the stages share.
#[derive(Clone)]
pub struct Store {
    door: Arc<Door>,
    riders: Arc<Mutex<Vec<Change>>>,
    stopped: Arc<AtomicBool>,
    bodies: Bodies,
}

impl Store {
    /// Puts `changes` on stable storage as one transaction, and answers when they are there.
    ///
    /// # Errors
    /// When nothing of it was kept.
    pub async fn commit(&self, changes: Vec<Change>) -> Result<(), StoreError> {
        self.put(changes, None).await
    }

    /// The same for changes that name a new body file: its directory is synced before the commit, and the file shares the
    /// fate of the changes, whether or not anybody still waits for the answer.
    ///
    /// # Errors
    /// When nothing of it was kept.
    pub async fn commit_with_file(&self, changes: Vec<Change>, file: BodyFile) -> Result<(), StoreError> {
        self.put(changes, Some(file)).await
    }

    async fn put(&self, changes: Vec<Change>, file: Option<BodyFile>) -> Result<(), StoreError> {
        let (done, answer) = oneshot::channel();
        if !self.door.put(Put { changes, file, done }) {
            return Err(StoreError::Stopped);
        }
        answer.await.unwrap_or_else(|_| {
            // The committer is gone.
            self.stopped.store(true, Ordering::Relaxed);
            Err(StoreError::Stopped)
        })
    }

    /// Lets `changes` ride with the next flush, or with one of their own within 50 ms.
    pub fn ride(&self, changes: Vec<Change>) {
        if changes.is_empty() {
            return;
        }
        let mut riders = self.riders.lock().unwrap_or_else(PoisonError::into_inner);
        let first = riders.is_empty();
        riders.extend(changes);
        if first {
            // A committer that is gone has flushed its riders; what comes later is attempted again after the restart.
            self.door.nudge();
        }
    }

    /// Flushes what rides: at a graceful stop, first of all.
    ///
    /// # Errors
    /// When the flush failed.
    pub async fn flush(&self) -> Result<(), StoreError> {
        self.commit(Vec::new()).await
    }

    /// False after a failed write, or when the committer is gone: nothing more will be accepted.
    #[must_use]
    pub fn is_writable(&self) -> bool {
        !self.stopped.load(Ordering::Relaxed)
    }

    /// What somebody read: where the database is damaged the store stops, and the next start sets it aside and goes on with
    /// what can be read. Going on with it would leave mail behind, and might damage more.
    pub fn look_at<T>(&self, read: &Result<T, StoreError>) {
        if let Err(StoreError::Damaged(why)) = read
            && !self.stopped.swap(true, Ordering::Relaxed)
        {
            tracing::error!(why, "the database is damaged: nothing more is accepted or delivered until a restart");
            self.bodies.mark_damage();
        }
    }

    #[must_use]
    pub fn bodies(&self) -> &Bodies {
        &self.bodies
    }
}

#[cfg(test)]
mod tests;

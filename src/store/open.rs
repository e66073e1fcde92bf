//! Opening the data folder: lock, pragmas, numbered forward migrations, the committer's and the readers' connections.
//!
//! Fails with a `StoreError` that says who has the folder, or that a newer version wrote it.

use super::bodies::Bodies;
use super::committer::{self, Committer};
use super::{Store, StoreError, inbox, log, salvage};
use rusqlite::{Connection, OpenFlags};
use std::fs::{self, File, TryLockError};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Octets that the log keeps on disk when it begins anew.
const LOG_KEPT: i64 = 64 * 1024 * 1024;
/// How long what is left of a gateway that was killed may hold its folder.
const LEFT_OVER: Duration = Duration::from_secs(1);

/// Forward migrations; the schema's version is how many of them were applied.
const MIGRATIONS: &[&str] =
    &[include_str!("schema_001.sql"), include_str!("schema_002.sql"), include_str!("schema_003.sql")];

/// An open data folder. `close` ends it; dropping it leaves the committer to the last handle.
pub struct Opened {
    pub store: Store,
    committer: Option<std::thread::JoinHandle<()>>,
    database: PathBuf,
    _lock: File,
}

impl Opened {
    /// Opens `folder`, which is made if it is missing; `observe` is told how long each flush took.
    ///
    /// # Errors
    /// When another process has it, it cannot be written, or a newer version wrote it.
    pub fn open(folder: &Path, observe: impl Fn(Duration) + Send + 'static) -> Result<Opened, StoreError> {
        make(folder)?;
        // Patients' letters are in here: nobody else on this machine may look.
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
        let lock = lock(folder)?;
        let bodies = Bodies::open(&folder.join("bodies"))?;
        let database = folder.join("mailward.db");
        let connection = whole(folder, &database)?;
        File::open(folder)?.sync_all()?;
        let (door, inbox) = inbox::open();
        let riders = Arc::new(Mutex::new(Vec::new()));
        let stopped = Arc::new(AtomicBool::new(false));
        let store =
            Store { door: Arc::new(door), riders: riders.clone(), stopped: stopped.clone(), bodies: bodies.clone() };
        let checkpointer = committer::spawn_checkpointer(database.clone(), stopped.clone())?;
        let committer =
            Committer { connection, inbox, riders, stopped, bodies, checkpointer, observe: Box::new(observe) };
        let committer = std::thread::Builder::new().name("committer".into()).spawn(move || committer.run())?;
        Ok(Opened { store, committer: Some(committer), database, _lock: lock })
    }

    /// A connection for reading beside the committer. Keep its transactions under 100 ms, or the log cannot be cut.
    ///
    /// # Errors
    /// When the database cannot be opened.
    pub fn reader(&self) -> Result<Connection, StoreError> {
        reader(&self.database)
    }

    /// Ends the committer after a last flush of all that waits, and only then gives the folder free. What handles that are left
    /// put in afterwards is refused.
    pub fn close(mut self) {
        // A committer that is gone has flushed what there was.
        self.store.door.stop();
        if let Some(thread) = self.committer.take() {
            let _ = thread.join();
        }
    }
}

/// A read-only connection to the database in `folder`, for commands that work while the gateway is stopped.
///
/// # Errors
/// When there is no database.
pub fn reader_of(folder: &Path) -> Result<Connection, StoreError> {
    reader(&folder.join("mailward.db"))
}

fn reader(database: &Path) -> Result<Connection, StoreError> {
    let connection =
        Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(committer::BUSY)?;
    Ok(connection)
}

/// Octets of the log of the database in `folder`; 0 where there is none.
#[must_use]
pub fn log_octets(folder: &Path) -> u64 {
    fs::metadata(folder.join("mailward.db-wal")).map_or(0, |log| log.len())
}

/// Makes the folder and flushes its name where it is new: after a power cut it must not be gone with all that was kept in it.
fn make(folder: &Path) -> std::io::Result<()> {
    let parent = match folder.parent() {
        None => return Ok(()),
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
    };
    if folder.is_dir() {
        // It may be ours from a start that was cut short. Where we may not look into the parent, we did not make it either.
        let _ = File::open(parent).and_then(|parent| parent.sync_all());
        return Ok(());
    }
    make(parent)?;
    fs::create_dir(folder)?;
    File::open(parent)?.sync_all()
}

/// Copies the log into the database and begins it anew. After a flush that failed, the log in memory and the log on the disk
/// may differ, and what would be appended to it could be unreadable after a power cut. Without room it goes on as it is.
fn empty_log(connection: &Connection) -> Result<(), StoreError> {
    match connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).map_err(StoreError::from) {
        Err(StoreError::Full) => {
            tracing::warn!("no room to empty the database's log; it is emptied when there is");
            Ok(())
        }
        emptied => emptied,
    }
}

/// A gateway that was killed while it started a worker leaves a child that has all its files open, until it is the worker.
fn lock(folder: &Path) -> Result<File, StoreError> {
    let file = File::create(folder.join("lock"))?;
    let given_up = Instant::now() + LEFT_OVER;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if Instant::now() < given_up => std::thread::sleep(LEFT_OVER / 100),
            Err(TryLockError::WouldBlock) => return Err(StoreError::Locked(folder.to_owned())),
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
    }
}

/// The database, as it is or as what could be salvaged of it.
fn whole(folder: &Path, database: &Path) -> Result<Connection, StoreError> {
    salvage::finish(folder)?;
    log::mend(folder)?;
    let marker = super::damage_marker(folder);
    let found = if marker.exists() {
        Err(StoreError::Damaged("a row could not be read".into()))
    } else {
        prepare(folder, database)
    };
    let connection = match found {
        Err(StoreError::Damaged(why)) => {
            tracing::error!(why, "the database is damaged: it is set aside, and what can be read of it goes on");
            let (aside, salvaged) = salvage::salvage(folder)?;
            let aside = aside.display().to_string();
            tracing::error!(
                aside,
                rows = salvaged.rows,
                gaps = salvaged.gaps,
                "what could be read is in a new database"
            );
            prepare(folder, database)?
        }
        prepared => prepared?,
    };
    // It is there only after damage was found.
    let _ = fs::remove_file(marker);
    salvage::keep_first_page(folder)?;
    Ok(connection)
}

fn prepare(folder: &Path, database: &Path) -> Result<Connection, StoreError> {
    let connection = connect(database)?;
    let octets = |file: &Path| fs::metadata(file).map_or(0, |known| known.len());
    salvage::look(&connection, octets(database) + octets(&folder.join("mailward.db-wal")))?;
    let found = version(&connection)?;
    // Whoever changes the schema keeps its first page too. (One that says it is newer is refused: that loses nothing.)
    if salvage::kept_version(folder).is_some_and(|kept| found < kept) {
        return Err(StoreError::Damaged(format!("it says that it is of schema {found}, and was of a later one")));
    }
    migrate(&connection)?;
    empty_log(&connection)?;
    Ok(connection)
}

/// A connection that writes: every commit is flushed before it answers.
fn connect(database: &Path) -> Result<Connection, StoreError> {
    let connection = Connection::open(database)?;
    connection.pragma_update(None, "page_size", 4096)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    // The checkpointer does it in quiet moments, so that no sender waits for it.
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    // A log that a long reader let grow shrinks again when it begins anew.
    connection.pragma_update(None, "journal_size_limit", LOG_KEPT)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.set_prepared_statement_cache_capacity(64);
    connection.busy_timeout(committer::BUSY)?;
    Ok(connection)
}

pub(super) fn migrate(connection: &Connection) -> Result<(), StoreError> {
    let found = version(connection)?;
    if found > known() {
        return Err(StoreError::Newer { found, known: known() });
    }
    for (version, schema) in (1..).zip(MIGRATIONS).skip(usize::try_from(found).unwrap_or(0)) {
        connection.execute_batch(&format!("BEGIN; {schema} PRAGMA user_version = {version}; COMMIT;"))?;
    }
    Ok(())
}

fn version(connection: &Connection) -> Result<i64, StoreError> {
    Ok(connection.query_row("PRAGMA user_version", [], |row| row.get(0))?)
}

fn known() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)
}

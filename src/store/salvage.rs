//! A damaged database is set aside, and every row of it that can be read goes on in a new one.
//!
//! Called by `open` only, under the lock. Promises: nothing of the damaged folder is changed or removed, it is moved to
//! `damaged-N/` with the body files that no row names any more; a salvage that is cut short begins anew, or ends, at the next
//! start. Fails when the disk does.

use super::open::migrate;
use super::{Bodies, StoreError, separators};
use rusqlite::config::DbConfig;
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use std::fs::{self, File};
use std::os::unix::fs::{DirBuilderExt, FileExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a start looks for damage. A queue that is too large for it is looked at when it is read.
const LOOK: Duration = Duration::from_millis(500);
/// Octets of a database that is looked at whole, however slow the disk is and whatever else the machine does.
const WHOLE: u64 = 32 * 1024 * 1024;
const PAGE: usize = 4096;
/// What never changes at the beginning of a database: its magic, its page size and its format.
const FIXED: usize = 24;

/// What was found of a damaged database.
#[derive(Debug, Default)]
pub(super) struct Salvaged {
    pub rows: u64,
    /// Ranges of keys that could not be read.
    pub gaps: u64,
}

/// Looks for damage in a database of `octets`: all of it where it is small, for a while where it is not.
///
/// # Errors
/// `Damaged` with what SQLite says of it.
pub(super) fn look(connection: &Connection, octets: u64) -> Result<(), StoreError> {
    let handle = connection.get_interrupt_handle();
    let (done, waits) = std::sync::mpsc::channel::<()>();
    let timer = std::thread::Builder::new().name("look".into()).spawn(move || {
        if octets > WHOLE && waits.recv_timeout(LOOK) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
            handle.interrupt();
        }
    })?;
    // Not the quick check: mail is found by an index, so one that differs from its table would hide it.
    let found = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get::<_, String>(0));
    drop(done);
    let _ = timer.join();
    match found {
        Ok(found) if found == "ok" => Ok(()),
        Ok(found) => Err(StoreError::Damaged(found)),
        Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::OperationInterrupted) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Keeps the first page of a database that is whole: without it nothing behind it can be read.
pub(super) fn keep_first_page(folder: &Path) -> std::io::Result<()> {
    let mut page = [0; PAGE];
    File::open(folder.join("mailward.db"))?.read_exact_at(&mut page, 0)?;
    let kept = folder.join("first-page");
    if fs::read(&kept).is_ok_and(|known| known == page) {
        return Ok(());
    }
    let new = folder.join("first-page.new");
    fs::write(&new, page)?;
    File::open(&new)?.sync_all()?;
    fs::rename(new, kept)
}

/// Copies what can be read into a new database and puts it in the place of the damaged one. Returns where that one is now.
pub(super) fn salvage(folder: &Path) -> Result<(PathBuf, Salvaged), StoreError> {
    let part = folder.join("mailward.db.part");
    let _ = fs::remove_file(&part);
    let target = Connection::open(&part)?;
    target.pragma_update(None, "page_size", 4096)?;
    // Nobody reads it before it is whole.
    target.pragma_update(None, "journal_mode", "OFF")?;
    target.pragma_update(None, "synchronous", "OFF")?;
    migrate(&target)?;
    let mut salvaged = Salvaged::default();
    let source = readable(folder)?;
    let separators = separators::separators(folder)?;
    for table in tables(&target)? {
        match source.as_ref().map(|source| Copy::of((source, &separators), &target, table)) {
            Some(Ok(copy)) => copy.all(&mut salvaged)?,
            _ => salvaged.gaps += 1,
        }
    }
    drop((source, target));
    File::open(&part)?.sync_all()?;
    fs::rename(&part, folder.join("mailward.db.new"))?;
    File::open(folder)?.sync_all()?;
    Ok((finish(folder)?.unwrap_or_default(), salvaged))
}

/// Ends a salvage that has made its new database: the damaged one goes aside, the new one takes its place.
pub(super) fn finish(folder: &Path) -> Result<Option<PathBuf>, StoreError> {
    let new = folder.join("mailward.db.new");
    if !new.exists() {
        return Ok(None);
    }
    let aside = aside(folder)?;
    for name in ["mailward.db", "mailward.db-wal"] {
        if folder.join(name).exists() {
            fs::rename(folder.join(name), aside.join(name))?;
        }
    }
    for name in ["mailward.db-shm", "mailward.db.patched", "mailward.db.patched-wal", "mailward.db.patched-shm"] {
        // What is not there need not go.
        let _ = fs::remove_file(folder.join(name));
    }
    move_bodies(folder, &new, &aside)?;
    File::open(&aside)?.sync_all()?;
    fs::rename(&new, folder.join("mailward.db"))?;
    File::open(folder)?.sync_all()?;
    Ok(Some(aside))
}

/// A new folder for what is set aside.
pub(super) fn aside(folder: &Path) -> std::io::Result<PathBuf> {
    let mut number = 1;
    loop {
        let aside = folder.join(format!("damaged-{number}"));
        match fs::DirBuilder::new().mode(0o700).create(&aside) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => number += 1,
            made => return made.map(|()| aside),
        }
    }
}

/// Body files whose rows could not be read would be swept as left-overs: they go with the database that named them.
fn move_bodies(folder: &Path, new: &Path, aside: &Path) -> Result<(), StoreError> {
    let connection = Connection::open(new)?;
    let mut named = connection.prepare("SELECT 1 FROM entry WHERE id = ?1")?;
    let bodies = Bodies::open(&folder.join("bodies"))?;
    for id in bodies.ids()? {
        let file = bodies.path(id);
        if let Some(name) = file.file_name()
            && !named.exists([id])?
        {
            fs::rename(&file, aside.join(name))?;
        }
    }
    Ok(())
}

/// The damaged database, if anything of it can be read: as it is, or a copy of it with the first page that was kept.
fn readable(folder: &Path) -> Result<Option<Connection>, StoreError> {
    let database = folder.join("mailward.db");
    let kept = fs::read(folder.join("first-page")).ok().filter(|page| page.len() == PAGE);
    let begins_as_kept =
        kept.as_ref().is_none_or(|page| begins(&database).is_ok_and(|begin| begin[..] == page[..FIXED]));
    if begins_as_kept && let Ok(source) = untouched(&database) {
        return Ok(Some(source));
    }
    let Some(mut page) = kept else { return Ok(None) };
    // As many pages as there are, and none of them free (SQLite's file format, 1.3).
    let pages = u32::try_from(fs::metadata(&database)?.len() / PAGE as u64).unwrap_or(u32::MAX);
    page[28..32].copy_from_slice(&pages.to_be_bytes());
    page[32..40].fill(0);
    let patched = folder.join("mailward.db.patched");
    fs::copy(&database, &patched)?;
    let log = folder.join("mailward.db-wal");
    if log.exists() {
        fs::copy(log, folder.join("mailward.db.patched-wal"))?;
    }
    fs::OpenOptions::new().write(true).open(&patched)?.write_all_at(&page, 0)?;
    Ok(untouched(&patched).ok())
}

fn begins(database: &Path) -> std::io::Result<[u8; FIXED]> {
    let mut begin = [0; FIXED];
    File::open(database)?.read_exact_at(&mut begin, 0)?;
    Ok(begin)
}

/// The schema's version of the first page that was kept.
pub(super) fn kept_version(folder: &Path) -> Option<i64> {
    let page = fs::read(folder.join("first-page")).ok()?;
    Some(i64::from(u32::from_be_bytes(page.get(60..64)?.try_into().ok()?)))
}

/// A connection that changes nothing, not even by closing.
fn untouched(database: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(database)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    Ok(connection)
}

fn tables(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut names =
        connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")?;
    names.query_map([], |row| row.get(0))?.collect()
}

fn columns(connection: &Connection, table: &str) -> rusqlite::Result<Vec<String>> {
    let mut names = connection.prepare("SELECT name FROM pragma_table_info(?1)")?;
    names.query_map([table], |row| row.get(0))?.collect()
}

/// The copying of one table, whose first column is what its rows are ordered by.
struct Copy<'a> {
    source: &'a Connection,
    /// Keys behind which another leaf may begin.
    separators: &'a [i64],
    target: &'a Connection,
    table: String,
    columns: Vec<String>,
}

impl<'a> Copy<'a> {
    /// Of the columns that both have: the damaged one may be of an older version.
    fn of(
        (source, separators): (&'a Connection, &'a [i64]),
        target: &'a Connection,
        table: String,
    ) -> rusqlite::Result<Copy<'a>> {
        let known = columns(source, &table)?;
        let columns: Vec<_> = columns(target, &table)?.into_iter().filter(|c| known.contains(c)).collect();
        if columns.is_empty() {
            return Err(rusqlite::Error::QueryReturnedNoRows);
        }
        Ok(Copy { source, separators, target, table, columns })
    }

    /// Upwards as far as it can be read; then from the next row or leaf downwards to there, and upwards again. However many
    /// pages are damaged, what is on the others is copied, and each leaf is looked at a few times at most.
    fn all(&self, salvaged: &mut Salvaged) -> Result<(), StoreError> {
        self.target.execute_batch("BEGIN")?;
        let mut low = i64::MIN;
        while let Walk::Stopped(last) = self.walk((low, i64::MAX), "ASC", salvaged)? {
            if last.is_some() || low == i64::MIN {
                salvaged.gaps += 1;
            }
            // Several rows may have one key.
            let bottom = last.unwrap_or(low);
            let next = last.map_or(low, |last| last.saturating_add(1));
            let above = self.behind(next);
            self.walk((bottom, above.unwrap_or(i64::MAX)), "DESC", salvaged)?;
            let Some(above) = above else { break };
            low = above;
        }
        self.target.execute_batch("COMMIT")?;
        Ok(())
    }

    /// Where reading may go on, when nothing from `next` on could be read: behind one row, where its key can still be read, or
    /// else behind its leaf.
    fn behind(&self, next: i64) -> Option<i64> {
        let (table, key) = (&self.table, &self.columns[0]);
        let select = format!("SELECT {key} FROM {table} WHERE {key} >= ?1 ORDER BY {key} LIMIT 1");
        let row = self.source.prepare_cached(&select).and_then(|mut s| s.query_row([next], |row| row.get::<_, i64>(0)));
        let ends = match row {
            Ok(key) if key >= next => Some(key),
            _ => self.separators.get(self.separators.partition_point(|key| *key < next)).copied(),
        };
        ends?.checked_add(1)
    }

    /// Copies rows in this order until one cannot be read.
    fn walk(&self, (low, high): (i64, i64), order: &str, salvaged: &mut Salvaged) -> Result<Walk, StoreError> {
        let (table, key, names) = (&self.table, &self.columns[0], self.columns.join(", "));
        let marks = vec!["?"; self.columns.len()].join(", ");
        let mut insert =
            self.target.prepare_cached(&format!("INSERT OR IGNORE INTO {table} ({names}) VALUES ({marks})"))?;
        let select = format!("SELECT {names} FROM {table} WHERE {key} >= ?1 AND {key} <= ?2 ORDER BY {key} {order}");
        let mut last = None;
        let Ok(mut select) = self.source.prepare_cached(&select) else { return Ok(Walk::Stopped(last)) };
        let Ok(mut rows) = select.query([low, high]) else { return Ok(Walk::Stopped(last)) };
        loop {
            let values: rusqlite::Result<Vec<Value>> = match rows.next() {
                Ok(None) => return Ok(Walk::Ended),
                Ok(Some(row)) => (0..self.columns.len()).map(|column| row.get(column)).collect(),
                Err(error) => Err(error),
            };
            let Ok(values) = values else { return Ok(Walk::Stopped(last)) };
            if let Value::Integer(key) = values[0] {
                last = Some(key);
            }
            // A row that does not fit its table is damaged too.
            match insert.execute(params_from_iter(values)).map_err(StoreError::from) {
                Ok(copied) => salvaged.rows += copied as u64,
                Err(StoreError::Wrong(_)) => salvaged.gaps += 1,
                Err(error) => return Err(error),
            }
        }
    }
}

/// How far a walk came.
enum Walk {
    Ended,
    /// The key of the last row that could be read.
    Stopped(Option<i64>),
}

//! The database's write-ahead log, looked at before SQLite does: SQLite takes it up to the first frame that is damaged and
//! drops all that was committed after it.
//!
//! Called by `open` only, under the lock. Promises: a log that is whole, or that ends in one transaction that was never
//! finished, stays as it is; where finished transactions lie behind the damage, the log is set aside and goes on with every
//! frame in a chain of new checksums, so that what is wrong with a page is found where damage of the database is found.
//! Fails when the disk does. (SQLite's file format, chapter 4.)

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

const PAGE: usize = 4096;
const HEADER: usize = 32;
const FRAME: usize = 24 + PAGE;
/// Checksums over little-endian words.
const MAGIC: u32 = 0x377f_0682;
const VERSION: u32 = 3_007_000;

/// The running checksum of header and frames.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
struct Sum(u32, u32);

impl Sum {
    fn over(mut self, octets: &[u8]) -> Sum {
        for pair in octets.chunks_exact(8) {
            let word = |at: usize| u32::from_le_bytes([pair[at], pair[at + 1], pair[at + 2], pair[at + 3]]);
            self.0 = self.0.wrapping_add(word(0)).wrapping_add(self.1);
            self.1 = self.1.wrapping_add(word(4)).wrapping_add(self.0);
        }
        self
    }

    fn over_frame(self, frame: &[u8]) -> Sum {
        self.over(&frame[..8]).over(&frame[24..])
    }

    fn octets(self) -> [u8; 8] {
        let mut octets = [0; 8];
        octets[..4].copy_from_slice(&self.0.to_be_bytes());
        octets[4..].copy_from_slice(&self.1.to_be_bytes());
        octets
    }
}

fn is_commit(frame: &[u8]) -> bool {
    frame[4..8] != [0; 4]
}

/// The log with a chain of new checksums, where finished transactions lie behind damage.
fn mended(log: &[u8]) -> Option<Vec<u8>> {
    // A log that is cut off in its header holds nothing.
    let (header, frames) = log.split_at_checked(HEADER)?;
    let header_is_whole =
        header[..4] == MAGIC.to_be_bytes() && Sum::default().over(&header[..24]).octets() == header[24..];
    let frames: Vec<&[u8]> = frames.chunks_exact(FRAME).collect();
    // Frames of this generation; where the header cannot say which it is, the second frame does (the first one shares its page).
    let salts = if header_is_whole { &log[16..24] } else { &frames.get(1)?[8..16] };
    let mut sum = Sum::default().over(&log[..24]);
    let whole = frames.iter().take_while(|frame| {
        sum = sum.over_frame(frame);
        header_is_whole && frame[8..16] == *salts && sum.octets() == frame[16..24]
    });
    let whole = whole.count();
    let behind = frames[whole..].iter().filter(|frame| frame[8..16] == *salts && is_commit(frame)).count();
    // One transaction that is not whole is what a power cut leaves: it was not acknowledged.
    if behind < 2 {
        return None;
    }
    let mut mended = Vec::with_capacity(log.len());
    for word in [MAGIC, VERSION, PAGE as u32, 0] {
        mended.extend(word.to_be_bytes());
    }
    mended.extend(salts);
    let mut sum = Sum::default().over(&mended);
    mended.extend(sum.octets());
    let of_this_generation = frames.iter().filter(|frame| frame[8..16] == *salts && frame[..4] != [0; 4]);
    for frame in of_this_generation {
        sum = sum.over_frame(frame);
        mended.extend(&frame[..16]);
        mended.extend(sum.octets());
        mended.extend(&frame[24..]);
    }
    Some(mended)
}

/// Mends the log of the database in `folder` if it is damaged. Whether it was.
pub(super) fn mend(folder: &Path) -> std::io::Result<bool> {
    let path = folder.join("mailward.db-wal");
    let Ok(log) = fs::read(&path) else { return Ok(false) };
    let Some(mended) = mended(&log) else { return Ok(false) };
    let aside = super::salvage::aside(folder)?;
    let kept = aside.join("mailward.db-wal");
    fs::hard_link(&path, &kept)?;
    let new = folder.join("mailward.db-wal.new");
    let mut file = File::create(&new)?;
    file.write_all(&mended)?;
    file.sync_all()?;
    // The index is of the damaged log; SQLite makes another.
    let _ = fs::remove_file(folder.join("mailward.db-shm"));
    fs::rename(new, path)?;
    File::open(folder)?.sync_all()?;
    tracing::error!(kept = %kept.display(), "the database's log is damaged: it is set aside, and what can be read of it goes on");
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::Connection;

    /// A log of 20 transactions, as SQLite writes it.
    fn log(folder: &Path) -> Vec<u8> {
        let connection = Connection::open(folder.join("mailward.db")).unwrap();
        connection.pragma_update(None, "page_size", 4096).unwrap();
        connection.pragma_update(None, "journal_mode", "WAL").unwrap();
        connection.execute_batch("CREATE TABLE t (id INTEGER PRIMARY KEY, text TEXT)").unwrap();
        for id in 0..20 {
            connection.execute("INSERT INTO t VALUES (?1, ?2)", (id, "x".repeat(3_000))).unwrap();
        }
        fs::read(folder.join("mailward.db-wal")).unwrap()
    }

    #[test]
    fn a_log_that_is_whole_or_ends_in_half_a_transaction_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let log = log(folder.path());
        assert!(mended(&log).is_none());
        let mut torn = log.clone();
        let last = log.len() - 100;
        torn[last] ^= 1;
        assert!(mended(&torn).is_none());
    }

    #[test]
    fn a_log_that_is_cut_off_anywhere_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let log = log(folder.path());
        for length in (0..=64).chain([FRAME, HEADER + FRAME, log.len() / 2]) {
            assert!(mended(&log[..length]).is_none(), "{length}");
            assert!(mended(&[0xff; FRAME][..length.min(FRAME)]).is_none(), "{length}");
        }
    }

    #[test]
    fn what_was_committed_behind_damage_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let log = log(folder.path());
        // In the header, in the first frame's header, in the text on a page; then all of the first page.
        for at in [3, 18, 50, HEADER + 5 * FRAME + 1_000, 0] {
            let mut damaged = log.clone();
            damaged[at] ^= 0x55;
            if at == 0 {
                damaged[..PAGE].fill(0);
            }
            let other = tempfile::tempdir().unwrap();
            fs::write(other.path().join("mailward.db"), fs::read(folder.path().join("mailward.db")).unwrap()).unwrap();
            fs::write(other.path().join("mailward.db-wal"), &damaged).unwrap();
            assert!(mend(other.path()).unwrap(), "{at}");
            assert_eq!(fs::read(other.path().join("damaged-1/mailward.db-wal")).unwrap(), damaged);
            let connection = Connection::open(other.path().join("mailward.db")).unwrap();
            let rows: i64 = connection.query_row("SELECT count(*) FROM t", [], |row| row.get(0)).unwrap();
            assert_eq!(rows, 20, "damaged at {at}");
        }
    }
}

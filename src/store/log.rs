//! The database's write-ahead log, looked at before SQLite does: SQLite takes it up to the first frame that is damaged and
//! drops all that was committed after it.
//!
//! Called by `open` only, under the lock. Promises: a log that is whole, or that ends in one transaction that was never
//! finished, stays as it is; where finished transactions lie behind the damage, the log is set aside and goes on with every
//! frame in a chain of new checksums, so that what is wrong with a page is found where damage of the database is found; one
//! frame is in memory at a time, however long the log grew. Fails when the disk does. (SQLite's file format, chapter 4.)

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
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

type Salts = [u8; 8];

/// The frames of a log, one at a time: a log may be larger than memory. What is cut off in its middle is no frame.
struct Frames<'a, R> {
    log: &'a mut R,
    frame: Vec<u8>,
}

impl<'a, R: Read + Seek> Frames<'a, R> {
    /// From the first frame on; None: it is cut off in its header and holds nothing.
    fn of(log: &'a mut R) -> io::Result<Option<([u8; HEADER], Frames<'a, R>)>> {
        let mut header = [0; HEADER];
        log.seek(SeekFrom::Start(0))?;
        match log.read_exact(&mut header) {
            Ok(()) => Ok(Some((header, Frames { log, frame: Vec::with_capacity(FRAME) }))),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn next(&mut self) -> io::Result<Option<&[u8]>> {
        self.frame.clear();
        self.log.by_ref().take(FRAME as u64).read_to_end(&mut self.frame)?;
        Ok((self.frame.len() == FRAME).then_some(&self.frame))
    }
}

/// The salts of the log's generation, if its header can say them.
fn salts(header: &[u8; HEADER]) -> Option<Salts> {
    let is_whole = header[..4] == MAGIC.to_be_bytes() && Sum::default().over(&header[..24]).octets() == header[24..];
    is_whole.then(|| header[16..24].try_into().unwrap_or_default())
}

/// The salts of the log's generation, where finished transactions lie behind damage.
fn damaged(log: &mut (impl Read + Seek)) -> io::Result<Option<Salts>> {
    let Some((header, mut frames)) = Frames::of(log)? else { return Ok(None) };
    let mut known = salts(&header);
    let mut whole = known.is_some();
    let mut sum = Sum::default().over(&header[..24]);
    let (mut number, mut behind, mut first) = (0, 0, (None, false));
    while let Some(frame) = frames.next()? {
        number += 1;
        if number == 1 {
            first = (frame[8..16].try_into().ok(), is_commit(frame));
        }
        // Where the header cannot say the salts, the second frame does (the first one shares its page).
        if known.is_none() && number == 2 {
            known = frame[8..16].try_into().ok();
        }
        sum = sum.over_frame(frame);
        let is_ours = known.is_some_and(|salts| frame[8..16] == salts);
        whole = whole && is_ours && sum.octets() == frame[16..24];
        behind += usize::from(!whole && is_ours && is_commit(frame));
    }
    // The first frame was passed before the salts were known.
    behind += usize::from(salts(&header).is_none() && first.1 && first.0 == known);
    // One transaction that is not whole is what a power cut leaves: it was not acknowledged.
    Ok(known.filter(|_| behind >= 2))
}

/// Writes the log of these salts with a chain of new checksums.
fn rewrite(log: &mut (impl Read + Seek), salts: Salts, target: &mut impl Write) -> io::Result<()> {
    let Some((_, mut frames)) = Frames::of(log)? else { return Ok(()) };
    let mut header = Vec::with_capacity(HEADER);
    for word in [MAGIC, VERSION, PAGE as u32, 0] {
        header.extend(word.to_be_bytes());
    }
    header.extend(salts);
    let mut sum = Sum::default().over(&header);
    header.extend(sum.octets());
    target.write_all(&header)?;
    while let Some(frame) = frames.next()? {
        // Of this generation, and of a page that there is.
        if frame[8..16] == salts && frame[..4] != [0; 4] {
            sum = sum.over_frame(frame);
            target.write_all(&frame[..16])?;
            target.write_all(&sum.octets())?;
            target.write_all(&frame[24..])?;
        }
    }
    target.flush()
}

/// Mends the log of the database in `folder` if it is damaged. Whether it was.
pub(super) fn mend(folder: &Path) -> io::Result<bool> {
    let path = folder.join("mailward.db-wal");
    let Ok(log) = File::open(&path) else { return Ok(false) };
    let mut log = BufReader::with_capacity(1 << 16, log);
    // What cannot be read at all SQLite will say.
    let Ok(Some(salts)) = damaged(&mut log) else { return Ok(false) };
    let aside = super::salvage::aside(folder)?;
    let kept = aside.join("mailward.db-wal");
    fs::hard_link(&path, &kept)?;
    let new = folder.join("mailward.db-wal.new");
    let mut target = BufWriter::new(File::create(&new)?);
    rewrite(&mut log, salts, &mut target)?;
    target.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
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

    fn look(log: &[u8]) -> Option<Salts> {
        damaged(&mut io::Cursor::new(log)).unwrap()
    }

    #[test]
    fn a_log_that_is_whole_or_ends_in_half_a_transaction_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let log = log(folder.path());
        assert_eq!(look(&log), None);
        let mut torn = log.clone();
        let last = log.len() - 100;
        torn[last] ^= 1;
        assert_eq!(look(&torn), None);
    }

    #[test]
    fn a_log_that_is_cut_off_anywhere_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let log = log(folder.path());
        for length in (0..=64).chain([FRAME, HEADER + FRAME, log.len() / 2]) {
            assert_eq!(look(&log[..length]), None, "{length}");
            assert_eq!(look(&[0xff; FRAME][..length.min(FRAME)]), None, "{length}");
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

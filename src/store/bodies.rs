//! Large bodies as files in `bodies/`, written before their entry's row and removed after it.
//!
//! Called by `receive` (write), `deliver` (read), `queue::recover` (sweep). Promises: a file is synced before the row that
//! names it is committed, and its directory too; a file without a row is a left-over and is swept at the start.

use super::StoreError;
use super::digest::Digesting;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Octets of a block, or of several. A disk with larger ones says no.
const BLOCK: usize = 4096;
/// Less is written through the kernel's pages: there the copy costs little.
const DIRECT: usize = 256 * 1024;

/// The folder of large bodies.
#[derive(Clone)]
pub struct Bodies {
    folder: Arc<PathBuf>,
    directory: Arc<File>,
}

impl Bodies {
    pub(super) fn open(folder: &Path) -> Result<Bodies, StoreError> {
        fs::create_dir_all(folder)?;
        Ok(Bodies { folder: Arc::new(folder.to_owned()), directory: Arc::new(File::open(folder)?) })
    }

    /// Where the body of entry `id` is.
    #[must_use]
    pub fn path(&self, id: i64) -> PathBuf {
        self.folder.join(format!("{id:016x}"))
    }

    /// A new body file for entry `id`.
    ///
    /// # Errors
    /// When it cannot be made, or is there already: ids are never used twice.
    pub fn create(&self, id: i64) -> io::Result<BodyFile> {
        let path = self.path(id);
        let file = OpenOptions::new().write(true).create_new(true).open(&path)?;
        Ok(BodyFile { file, path, keep: false, digest: Digesting::default(), written: 0 })
    }

    pub(super) fn sync_directory(&self) -> io::Result<()> {
        self.directory.sync_all()
    }

    /// Leaves word for the next start that the database beside this folder is damaged.
    pub(super) fn mark_damage(&self) {
        let marker = self.folder.parent().map(super::damage_marker);
        // Without it the next start looks for itself, for a while.
        let _ = marker.map(|marker| File::create(marker).and_then(|file| file.sync_all()));
    }

    /// The ids that have a file.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn ids(&self) -> io::Result<Vec<i64>> {
        let names = fs::read_dir(self.folder.as_path())?;
        Ok(names.filter_map(|n| i64::from_str_radix(n.ok()?.file_name().to_str()?, 16).ok()).collect())
    }
}

/// A body that is being written. Dropped before `keep`, it is removed.
pub struct BodyFile {
    file: File,
    path: PathBuf,
    keep: bool,
    digest: Digesting,
    written: u64,
}

impl BodyFile {
    /// # Errors
    /// When the disk refuses.
    pub fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.digest.update(bytes);
        self.write_behind(bytes)
    }

    /// Writes all of a body that is in memory and stays there: its blocks as they stand, without a copy in the kernel that
    /// only a later attempt would read.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn write_whole(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.digest.update(bytes);
        let direct = self.write_direct(bytes)?;
        self.written += direct as u64;
        self.write_behind(&bytes[direct..])
    }

    /// Where is said and not left to the file's own position: kernels have lengthened a file by such blocks without moving it.
    fn write_behind(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all_at(bytes, self.written)?;
        self.written += bytes.len() as u64;
        Ok(())
    }

    /// Gives the disk the blocks at the start of `bytes`, and returns how many octets these were. Where they do not begin at
    /// a block in memory, are few, or the file system does not do it, there are none.
    fn write_direct(&self, bytes: &[u8]) -> io::Result<usize> {
        let whole = &bytes[..bytes.len() / BLOCK * BLOCK];
        let begins = whole.as_ptr().addr().is_multiple_of(BLOCK) && self.written == 0;
        if !begins || whole.len() < DIRECT || fcntl(&self.file, FcntlArg::F_SETFL(OFlag::O_DIRECT)).is_err() {
            return Ok(0);
        }
        let written = self.file.write_at(whole, 0);
        // What is left is written through pages, wherever it begins.
        fcntl(&self.file, FcntlArg::F_SETFL(OFlag::empty()))?;
        match written {
            Err(error) if is_not_done(error.kind()) => Ok(0),
            written => written,
        }
    }

    /// Of what was written so far.
    #[must_use]
    pub fn digest(&self) -> String {
        self.digest.finish()
    }

    /// Flushes the file's content. The directory is synced by the committer.
    ///
    /// # Errors
    /// When the disk refuses: the message must not be acknowledged.
    pub fn sync(&self) -> io::Result<()> {
        self.file.sync_data()?;
        match self.file.metadata()?.len() == self.written {
            true => Ok(()),
            false => Err(io::Error::other("a body file is not as long as what was written to it")),
        }
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The row that names it is committed: from now on the queue removes it.
    pub fn keep(mut self) {
        self.keep = true;
    }
}

/// The file system does not write blocks so, or has not begun to.
fn is_not_done(error: io::ErrorKind) -> bool {
    matches!(error, io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported | io::ErrorKind::Interrupted)
}

impl Drop for BodyFile {
    fn drop(&mut self) {
        // A committer that fell over may have committed its row: the next start looks.
        if !self.keep && !std::thread::panicking() {
            // A left-over is swept at the next start.
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;

    /// Twice the least that goes directly, with room to begin anywhere beside a block.
    fn room() -> (Vec<u8>, usize) {
        let room: Vec<u8> = (0..DIRECT * 2 + 3 * BLOCK).map(|at| (at / 7 * 31) as u8).collect();
        let first = room.as_ptr().align_offset(BLOCK);
        (room, first)
    }

    /// Whether the file system writes these blocks directly.
    fn takes(folder: &Path, blocks: &[u8]) -> bool {
        let mut probe = OpenOptions::new();
        probe.write(true).create(true).truncate(true).custom_flags(OFlag::O_DIRECT.bits());
        probe.open(folder.join("probe")).and_then(|mut file| file.write(blocks)).is_ok()
    }

    #[test]
    fn a_body_is_what_was_written_wherever_it_stands_in_memory() {
        let folder = tempfile::tempdir().unwrap();
        let bodies = Bodies::open(folder.path()).unwrap();
        let (room, first) = room();
        let lengths = [1, DIRECT - 1, DIRECT, DIRECT + 77, DIRECT * 2];
        for (id, (start, length)) in
            [first, first + 1, first + 512].iter().flat_map(|start| lengths.map(|l| (*start, l))).enumerate()
        {
            let text = &room[start..start + length];
            let mut body = bodies.create(id as i64).unwrap();
            body.write_whole(text).unwrap();
            body.write_all(b"and more").unwrap();
            body.sync().unwrap();
            let kept = fs::read(body.path()).unwrap();
            assert!(kept == [text, b"and more"].concat(), "{start} {length}");
            assert_eq!(body.digest(), crate::store::digest_of(&kept));
        }
    }

    #[test]
    fn blocks_go_to_the_disk_as_they_stand_where_it_takes_them() {
        let folder = tempfile::tempdir().unwrap();
        let bodies = Bodies::open(folder.path()).unwrap();
        let (room, first) = room();
        let text = &room[first..];
        let body = bodies.create(1).unwrap();
        assert_eq!(body.write_direct(&text[1..]).unwrap(), 0, "between blocks");
        assert_eq!(body.write_direct(&text[..DIRECT - 1]).unwrap(), 0, "few");
        let written = body.write_direct(&text[..DIRECT + 9]).unwrap();
        assert_eq!(written, if takes(folder.path(), &text[..DIRECT]) { DIRECT } else { 0 });
        assert_eq!(body.file.metadata().unwrap().len(), written as u64);
    }

    #[test]
    fn a_file_that_is_shorter_than_what_was_written_is_not_kept() {
        let folder = tempfile::tempdir().unwrap();
        let mut body = Bodies::open(folder.path()).unwrap().create(1).unwrap();
        body.write_all(b"a message").unwrap();
        body.sync().unwrap();
        body.file.set_len(4).unwrap();
        assert!(body.sync().is_err());
    }
}

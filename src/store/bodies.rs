//! Large bodies as files in `bodies/`, written before their entry's row and removed after it.
//!
//! Called by `receive` (write), `deliver` (read), `queue::recover` (sweep). Promises: a file is synced before the row that
//! names it is committed, and its directory too; a file without a row is a left-over and is swept at the start.

use super::StoreError;
use super::digest::Digesting;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Octets of a block, or several: no disk has larger ones.
const BLOCK: usize = 4096;
/// Less is written through the kernel's pages, which then need not wait for the disk twice.
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
        let direct = self.write_direct(bytes)?;
        self.file.write_all(&bytes[direct..])?;
        self.written += bytes.len() as u64;
        Ok(())
    }

    /// Gives the disk the blocks at the start of `bytes` as they stand in memory, and returns how many octets these were: the
    /// kernel need not copy them into pages of its own, which nobody reads but after a restart. Where blocks do not begin
    /// at both places, they are too few, or the file system does not do it, there are none.
    fn write_direct(&self, bytes: &[u8]) -> io::Result<usize> {
        let whole = &bytes[..bytes.len() / BLOCK * BLOCK];
        let begins = whole.as_ptr().addr().is_multiple_of(BLOCK) && self.written.is_multiple_of(BLOCK as u64);
        if !begins || whole.len() < DIRECT || fcntl(&self.file, FcntlArg::F_SETFL(OFlag::O_DIRECT)).is_err() {
            return Ok(0);
        }
        let written = (&self.file).write(whole);
        // What is left is written through pages, wherever it begins.
        fcntl(&self.file, FcntlArg::F_SETFL(OFlag::empty()))?;
        match written {
            Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Interrupted) => Ok(0),
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
        self.file.sync_data()
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
    use std::io::Read;
    use std::os::unix::fs::OpenOptionsExt;

    /// The text at every place that blocks may and may not begin at, written in two pieces.
    #[test]
    fn what_is_written_is_what_stands_in_the_file_wherever_it_stands_in_memory() {
        let folder = tempfile::tempdir().unwrap();
        let bodies = Bodies::open(folder.path()).unwrap();
        let room: Vec<u8> = (0..DIRECT * 4).map(|at| (at / 7 * 31) as u8).collect();
        let first = room.as_ptr().align_offset(BLOCK);
        let mut id = 0;
        for start in [first, first + 1, first + 512] {
            for (one, two) in
                [(DIRECT, 0), (DIRECT + 77, DIRECT), (DIRECT * 2, DIRECT + 1), (100, DIRECT), (DIRECT - 1, 9)]
            {
                id += 1;
                let (text, behind) = room[start..].split_at(one);
                let mut body = bodies.create(id).unwrap();
                body.write_all(text).unwrap();
                body.write_all(&behind[..two]).unwrap();
                body.sync().unwrap();
                let mut kept = Vec::new();
                File::open(body.path()).unwrap().read_to_end(&mut kept).unwrap();
                assert!(kept == room[start..start + one + two], "{start} {one} {two}");
                assert_eq!(body.digest(), crate::store::digest_of(&kept));
            }
        }
    }

    #[test]
    fn blocks_go_to_the_disk_as_they_stand_where_it_takes_them() {
        let folder = tempfile::tempdir().unwrap();
        let bodies = Bodies::open(folder.path()).unwrap();
        let room = vec![b'x'; DIRECT * 2];
        let text = &room[room.as_ptr().align_offset(BLOCK)..];
        let body = bodies.create(1).unwrap();
        assert_eq!(body.write_direct(&text[1..]).unwrap(), 0, "between blocks");
        assert_eq!(body.write_direct(&text[..DIRECT - 1]).unwrap(), 0, "few");
        let mut probe = OpenOptions::new();
        probe.write(true).create_new(true).custom_flags(OFlag::O_DIRECT.bits());
        let takes = probe.open(folder.path().join("probe")).and_then(|mut file| file.write(&text[..DIRECT])).is_ok();
        let written = body.write_direct(&text[..DIRECT + 9]).unwrap();
        assert_eq!(written, if takes { DIRECT } else { 0 });
        assert_eq!(body.file.metadata().unwrap().len(), written as u64);
    }
}

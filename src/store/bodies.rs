//! Large bodies as files in `bodies/`, written before their entry's row and removed after it.
//!
//! Called by `receive` (write), `deliver` (read), `queue::recover` (sweep). Promises: a file is synced before the row that
//! names it is committed, and its directory too; a file without a row is a left-over and is swept at the start.

use super::StoreError;
use super::digest::Digesting;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

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
        Ok(BodyFile { file, path, keep: false, digest: Digesting::default() })
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
}

impl BodyFile {
    /// # Errors
    /// When the disk refuses.
    pub fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.digest.update(bytes);
        self.file.write_all(bytes)
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

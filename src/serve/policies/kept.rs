//! What the data folder knows of policies: the one in force, the one before, and those that are not to be taken.
//!
//! Promises: written whole or not at all; what cannot be read is set aside and said. Fails with the disk.

use super::summary;
use crate::decide::{self, Judge};
use crate::policy::{Known, SourceFile};
use serde::{Deserialize, Serialize};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// One policy as its files were.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Snapshot {
    pub hash: String,
    pub files: Vec<(String, String)>,
}

impl Snapshot {
    pub fn of(hash: &str, files: &[SourceFile]) -> Snapshot {
        let files = files.iter().map(|file| (file.name.clone(), file.text.clone())).collect();
        Snapshot { hash: hash.to_owned(), files }
    }

    /// None where it no longer fits gateway.toml, or its tests fail by now.
    pub fn judge(&self, known: &Known) -> Option<Judge> {
        let file = |(name, text): &(String, String)| SourceFile { name: name.clone(), text: text.clone() };
        let files: Vec<SourceFile> = self.files.iter().map(file).collect();
        match decide::load_files(files, known, jiff::Zoned::now().date()) {
            Ok(loaded) => Some(loaded.judge),
            Err(wrong) => {
                tracing::warn!(
                    policy = self.hash,
                    "the policy that was in force cannot be used any more: {}",
                    summary(&wrong)
                );
                None
            }
        }
    }
}

/// What the data folder knows of policies.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Kept {
    pub current: Option<Snapshot>,
    pub before: Option<Snapshot>,
    /// Policies in the folder that were not taken, for they lower, or were rolled back: a restart does not take them either.
    #[serde(default)]
    pub set_aside: Vec<String>,
}

/// Policies that are set aside at most: the newest.
const SET_ASIDE: usize = 32;

impl Kept {
    pub fn path(data: &Path) -> PathBuf {
        data.join("policies.json")
    }

    /// Nothing where there is none, or none that can be read: the folder decides then.
    pub fn read(data: &Path) -> Kept {
        let path = Kept::path(data);
        let Ok(json) = fs::read(&path) else { return Kept::default() };
        serde_json::from_slice(&json).unwrap_or_else(|error| {
            tracing::error!(%error, "{} cannot be read: which policy was in force is not known", path.display());
            // It is kept for whoever wants to look at it.
            let _ = fs::rename(&path, path.with_extension("json.damaged"));
            Kept::default()
        })
    }

    pub fn sets_aside(&self, hash: &str) -> bool {
        self.set_aside.iter().any(|aside| aside == hash)
    }

    pub fn set_aside(&mut self, hash: &str) {
        self.set_aside.retain(|aside| aside != hash);
        self.set_aside.push(hash.to_owned());
        let over = self.set_aside.len().saturating_sub(SET_ASIDE);
        self.set_aside.drain(..over);
    }

    pub fn write(&self, data: &Path) -> io::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(data)?;
        serde_json::to_writer(&mut file, self)?;
        file.as_file().sync_all()?;
        file.persist(Kept::path(data)).map_err(|error| error.error)?;
        fs::File::open(data)?.sync_all()
    }

    /// `now` is in force from here on.
    pub fn turn(&mut self, now: Snapshot) {
        self.set_aside.retain(|aside| *aside != now.hash);
        if self.current.as_ref().is_none_or(|current| current.hash != now.hash) {
            self.before = self.current.replace(now);
        }
    }
}

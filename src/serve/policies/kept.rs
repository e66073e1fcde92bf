//! What the data folder knows of policies: the one in force, the one before, and those that are not to be taken.
//!
//! Promises: written whole or not at all; what is damaged is set aside and said, and what cannot be read is never written over. Fails with
//! the disk.

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
    /// gateway.toml as a person accepted it; no secret is in it.
    #[serde(default)]
    pub gateway_toml: Option<String>,
    /// Why the file is there and was not read.
    #[serde(skip)]
    pub unread: Option<String>,
}

/// Policies that are set aside at most: the newest.
const SET_ASIDE: usize = 32;

impl Kept {
    pub fn path(data: &Path) -> PathBuf {
        data.join("policies.json")
    }

    /// Nothing where there is none, or none that is whole: the folder decides then.
    pub fn read(data: &Path) -> Kept {
        let path = Kept::path(data);
        let json = match fs::read(&path) {
            Ok(json) => json,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Kept::default(),
            Err(error) => {
                let unread = format!("{} cannot be read: {error}", path.display());
                tracing::error!("{unread}; which policies are set aside is not known");
                return Kept { unread: Some(unread), ..Kept::default() };
            }
        };
        serde_json::from_slice(&json).unwrap_or_else(|error| {
            tracing::error!(%error, "{} is damaged: which policy was in force is not known", path.display());
            // It is kept for whoever wants to look at it.
            let _ = fs::rename(&path, path.with_extension("json.damaged"));
            Kept::default()
        })
    }

    /// Somebody may have mended what could not be read.
    pub fn read_again(&mut self, data: &Path) {
        if self.unread.is_some() {
            *self = Kept::read(data);
        }
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

    /// What was not read says more than we know, and stays.
    pub fn write(&self, data: &Path) -> io::Result<()> {
        if let Some(unread) = &self.unread {
            return Err(io::Error::other(unread.clone()));
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_is_not_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let (data, path) = (folder.path(), Kept::path(folder.path()));
        assert!(Kept::read(data).unread.is_none(), "nothing is kept yet");
        fs::create_dir(&path).unwrap();
        let mut kept = Kept::read(data);
        assert!(kept.unread.is_some() && kept.write(data).is_err() && path.is_dir());
        kept.read_again(data);
        assert!(kept.unread.is_some());
        fs::remove_dir(&path).unwrap();
        let known = Kept { set_aside: vec!["p:1".to_owned()], ..Kept::default() };
        known.write(data).unwrap();
        kept.read_again(data);
        assert!(kept.sets_aside("p:1") && kept.unread.is_none());
    }
}

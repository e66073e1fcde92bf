//! Policies as they are kept over a restart: one file in the data folder, written whole and renamed.
//!
//! Called by `mta_sts`, and by `control` for a stopped gateway. Promises: what cannot be read is as if nothing were kept. Fails at writing,
//! with the disk's error.

use super::StsPolicy;
use crate::clock::Wall;
use crate::mail::Domain;
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// One domain's policy, and when it came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    pub domain: Domain,
    /// The version that DNS named.
    pub id: String,
    pub policy: StsPolicy,
    pub fetched: Wall,
}

impl Known {
    /// When it ends (RFC 8461 3.2: max_age after it was fetched).
    #[must_use]
    pub fn end(&self) -> Wall {
        self.fetched.plus(self.policy.max_age)
    }

    #[must_use]
    pub fn is_over(&self, now: Wall) -> bool {
        self.end() <= now
    }
}

pub(super) fn file(data: &Path) -> PathBuf {
    data.join("mta-sts.json")
}

/// What is kept in a data folder and has not ended.
#[must_use]
pub fn read(data: &Path, now: Wall) -> Vec<Known> {
    let kept = fs::read(file(data)).ok().and_then(|text| serde_json::from_slice::<Vec<Known>>(&text).ok());
    kept.unwrap_or_default().into_iter().filter(|known| !known.is_over(now)).collect()
}

pub(super) fn write(file: &Path, all: &[Known]) -> io::Result<()> {
    let beside = file.with_extension("json.new");
    let mut new = File::create(&beside)?;
    new.write_all(&serde_json::to_vec(all)?)?;
    new.sync_all()?;
    fs::rename(&beside, file)
}

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

/// What is kept in a data folder, also what has ended: a clock that is wrong for a while forgets nothing.
#[must_use]
pub fn read(data: &Path) -> Vec<Known> {
    let Ok(text) = fs::read(file(data)) else { return Vec::new() };
    let whole = serde_json::from_slice::<Vec<serde_json::Value>>(&text).unwrap_or_else(|error| {
        tracing::error!(%error, "{} cannot be read: what domains asked of senders is not known any more", file(data).display());
        // It is kept for whoever wants to look at it.
        let _ = fs::rename(file(data), file(data).with_extension("json.damaged"));
        Vec::new()
    });
    let entries = whole.len();
    let known: Vec<Known> = whole.into_iter().filter_map(|entry| serde_json::from_value(entry).ok()).collect();
    if known.len() < entries {
        tracing::warn!(lost = entries - known.len(), "some policies of MTA-STS that were kept cannot be read");
    }
    known
}

pub(super) fn write(file: &Path, all: &[Known]) -> io::Result<()> {
    let beside = file.with_extension("json.new");
    let mut new = File::create(&beside)?;
    new.write_all(&serde_json::to_vec(all)?)?;
    new.sync_all()?;
    fs::rename(&beside, file)
}

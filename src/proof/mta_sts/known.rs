//! One domain's policy as it is kept over a restart, until its end.
//!
//! Called by `mta_sts`, and by `control` for a stopped gateway. Promises: what cannot be read is as if nothing were kept.

use super::StsPolicy;
use crate::clock::Wall;
use crate::mail::Domain;
use crate::store::kept;
use serde::{Deserialize, Serialize};
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
    kept::read(&file(data), "what domains asked of senders")
}

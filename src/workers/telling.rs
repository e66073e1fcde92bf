//! What workers are told about recognition, ready to be sent.
//!
//! Made once for a policy. Promises: two policies are never taken for one another. Fails never.

use crate::clinical::Told;
use std::sync::atomic::{AtomicU64, Ordering};

/// The words of one policy, with a number of its own in this process.
#[derive(Debug)]
pub struct Telling {
    json: Vec<u8>,
    number: u64,
}

impl Telling {
    #[must_use]
    pub fn of(told: &Told) -> Telling {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        // Strings and numbers always serialise; an empty order would leave the worker without rules, and it would say so.
        let json = serde_json::to_vec(told).unwrap_or_default();
        Telling { json, number: NEXT.fetch_add(1, Ordering::Relaxed) }
    }

    pub(super) fn json(&self) -> &[u8] {
        &self.json
    }

    pub(super) fn number(&self) -> u64 {
        self.number
    }
}

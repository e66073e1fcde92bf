//! How many look-ups went out and how they ended.
//!
//! Called by `lookup`; read by the composition root for `dns_lookups_total{kind,result}`. Promises: every pair of labels
//! exists from the start. Answers from the cache are not counted.

use std::sync::atomic::{AtomicU64, Ordering};

/// What was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LookupKind {
    Mx,
    A,
    Aaaa,
}

/// How it ended. Without DNSSEC nothing is ever secure or bogus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LookupResult {
    Insecure,
    Absent,
    Tempfail,
}

impl LookupKind {
    pub const ALL: [LookupKind; 3] = [LookupKind::Mx, LookupKind::A, LookupKind::Aaaa];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            LookupKind::Mx => "mx",
            LookupKind::A => "a",
            LookupKind::Aaaa => "aaaa",
        }
    }
}

impl LookupResult {
    pub const ALL: [LookupResult; 3] = [LookupResult::Insecure, LookupResult::Absent, LookupResult::Tempfail];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            LookupResult::Insecure => "insecure",
            LookupResult::Absent => "absent",
            LookupResult::Tempfail => "tempfail",
        }
    }
}

/// The table.
#[derive(Debug, Default)]
pub struct Counts {
    cells: [[AtomicU64; 3]; 3],
}

impl Counts {
    #[must_use]
    pub fn get(&self, kind: LookupKind, result: LookupResult) -> u64 {
        self.cells[kind as usize][result as usize].load(Ordering::Relaxed)
    }

    pub(super) fn add(&self, kind: LookupKind, result: LookupResult) {
        self.cells[kind as usize][result as usize].fetch_add(1, Ordering::Relaxed);
    }
}

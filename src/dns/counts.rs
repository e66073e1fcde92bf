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
    Tlsa,
    Txt,
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LookupResult {
    /// A server that is believed says that it validated the answer (RFC 4035 3.2.3).
    Secure,
    Insecure,
    Absent,
    Tempfail,
    /// Signed, and the signatures do not hold.
    Bogus,
}

impl LookupKind {
    pub const ALL: [LookupKind; 5] =
        [LookupKind::Mx, LookupKind::A, LookupKind::Aaaa, LookupKind::Tlsa, LookupKind::Txt];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            LookupKind::Mx => "mx",
            LookupKind::A => "a",
            LookupKind::Aaaa => "aaaa",
            LookupKind::Tlsa => "tlsa",
            LookupKind::Txt => "txt",
        }
    }
}

impl LookupResult {
    pub const ALL: [LookupResult; 5] = [
        LookupResult::Secure,
        LookupResult::Insecure,
        LookupResult::Absent,
        LookupResult::Tempfail,
        LookupResult::Bogus,
    ];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            LookupResult::Secure => "secure",
            LookupResult::Insecure => "insecure",
            LookupResult::Absent => "absent",
            LookupResult::Tempfail => "tempfail",
            LookupResult::Bogus => "bogus",
        }
    }
}

/// The table.
#[derive(Debug, Default)]
pub struct Counts {
    cells: [[AtomicU64; 5]; 5],
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

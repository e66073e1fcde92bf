//! A task: what one link attempts at once.
//!
//! Made by `tasks` and `keeper`, kept by `schedule`, taken by `deliver`. Promises: what has to be known of it after it left
//! memory is in the rows that it writes.

use super::backlog::Residence;
use super::entry::Progress;
use super::lane::Lane;
use super::states::State;
use super::warm::Warm;
use crate::clock::{EntryId, Wall};
use crate::store::Change;
use crate::vocabulary::Reason;
use std::sync::Arc;

/// Recipients of one entry that travel together over one lane.
#[derive(Debug)]
pub struct Task {
    pub entry: EntryId,
    pub lane: Arc<Lane>,
    pub recipients: Box<[u16]>,
    pub accepted: Wall,
    pub attempts: u32,
    pub state: State,
    /// The first class of the message, for the gauges.
    pub class: Option<Arc<str>>,
    /// The sender was told that it waits.
    pub told: bool,
    /// Why it waits; `Waiting` before the first attempt.
    pub reason: Reason,
    /// None: read back from the store.
    pub warm: Option<Warm>,
    /// The rows that it was read from; None: it was never tried and has none.
    pub residence: Option<Arc<Residence>>,
}

impl Task {
    /// The same for other recipients of the entry.
    #[must_use]
    pub fn for_recipients(&self, recipients: Vec<u16>) -> Task {
        Task {
            entry: self.entry,
            lane: self.lane.clone(),
            recipients: recipients.into(),
            accepted: self.accepted,
            attempts: self.attempts,
            state: self.state,
            class: self.class.clone(),
            told: self.told,
            reason: self.reason,
            warm: self.warm.clone(),
            residence: self.residence.clone(),
        }
    }

    /// The rows with which it waits outside memory.
    #[must_use]
    pub(super) fn rows(&self, due: Wall) -> Vec<Change> {
        let progress = Progress::Waiting {
            attempts: self.attempts,
            held: self.state == State::Held,
            told: self.told,
            next_attempt: due,
            reason: self.reason,
            status: None,
            host: None,
            names: Vec::new(),
        };
        let row = |r: &u16| progress.kept_in(self.entry, *r, &self.lane, self.class.as_deref());
        self.recipients.iter().map(row).collect()
    }

    /// Octets that it keeps in memory besides itself.
    #[must_use]
    pub fn warm_octets(&self) -> usize {
        self.warm.as_ref().map_or(0, Warm::octets)
    }
}

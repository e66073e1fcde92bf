//! What messages on their way in may take of memory and of open files, all sessions together.
//!
//! `receive::collect` takes from it as a message grows; `serve` makes one. Promises: what is taken never exceeds the budget,
//! and comes back however a message ends; nobody waits, so nobody waits for each other; whatever others hold, who has little
//! gets some more, for no message may hold more than a sixteenth of what is free; a quarter is the sites' alone. One atomic
//! operation when a buffer grows, none when it does not. Fails by saying no.

use super::buffers::Buffers;
use super::limits::Who;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Octets in all: 500 large messages with their buffers, or 10,000 sessions with 10 KiB each. Twice what may wait in memory
/// for its first attempt, so that a burst of small messages fills that first.
pub const OCTETS: usize = 128 * 1024 * 1024;
/// A message holds at most this part of what is free: however many want all of it, something is left for the next.
const PART: usize = 16;
/// The part of the budget that is the sites' alone.
const SITES_PART: usize = 4;
/// Messages that found no room in memory and are on their way to a file at once, each with what was read last.
const LEAVING: usize = 256;

/// Shared by all sessions.
#[derive(Debug)]
pub struct Budget {
    free: AtomicUsize,
    sites: usize,
    leaving: Arc<Semaphore>,
    files: Arc<Semaphore>,
    buffers: Arc<Buffers>,
}

impl Budget {
    /// `octets` of memory, and as many open `files`.
    #[must_use]
    pub fn new(octets: usize, files: usize) -> Arc<Budget> {
        Arc::new(Budget {
            free: AtomicUsize::new(octets),
            sites: octets / SITES_PART,
            leaving: Arc::new(Semaphore::new(LEAVING)),
            files: Arc::new(Semaphore::new(files.min(Semaphore::MAX_PERMITS))),
            buffers: Arc::default(),
        })
    }

    /// Octets that nobody holds.
    #[must_use]
    pub fn free(&self) -> usize {
        self.free.load(Ordering::Relaxed)
    }

    /// A share that holds nothing yet.
    #[must_use]
    pub fn share(self: &Arc<Self>, who: Who) -> Share {
        Share { of: self.clone(), who, octets: 0, file: None }
    }
}

/// What one message holds; given back when dropped.
#[derive(Debug)]
pub struct Share {
    of: Arc<Budget>,
    who: Who,
    octets: usize,
    file: Option<OwnedSemaphorePermit>,
}

impl Share {
    /// Holds `octets` from now on. When there is no room for more, what is held stays as it was.
    #[must_use]
    pub fn resize(&mut self, octets: usize) -> bool {
        let fits = match octets.checked_sub(self.octets) {
            Some(0) => return true,
            None => {
                self.of.free.fetch_add(self.octets - octets, Ordering::Relaxed);
                true
            }
            Some(more) => {
                let kept = if self.who == Who::Site { 0 } else { self.of.sites };
                let take = |free: usize| {
                    let most = free.saturating_sub(kept) / PART;
                    if octets <= most { free.checked_sub(more) } else { None }
                };
                self.of.free.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok()
            }
        };
        if fits {
            self.octets = octets;
        }
        fits
    }

    /// One open file, if there is one left; it stays the message's.
    #[must_use]
    pub fn open_file(&mut self) -> bool {
        if self.file.is_none() {
            self.file = self.of.files.clone().try_acquire_owned().ok();
        }
        self.file.is_some()
    }

    /// Where large messages have their buffers from.
    #[must_use]
    pub(super) fn buffers(&self) -> &Arc<Buffers> {
        &self.of.buffers
    }

    /// A turn to write what found no room, if not too many do so already.
    #[must_use]
    pub fn leave(&self) -> Option<OwnedSemaphorePermit> {
        self.of.leaving.clone().try_acquire_owned().ok()
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.of.free.fetch_add(self.octets, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1024 * 1024;

    /// Takes a KiB more until there is no more.
    fn greedy(share: &mut Share) -> usize {
        while share.resize(share.octets + 1024) {}
        share.octets
    }

    #[test]
    fn ten_thousand_who_want_all_stay_within_the_budget_and_leave_some() {
        let budget = Budget::new(OCTETS, 0);
        let mut shares: Vec<Share> = (0..10_000).map(|_| budget.share(Who::Stranger)).collect();
        let held: usize = shares.iter_mut().map(greedy).sum();
        assert_eq!(held + budget.free(), OCTETS);
        assert!(greedy(&mut budget.share(Who::Site)) >= MIB, "the sites' part is free");
        drop(shares);
        assert_eq!(budget.free(), OCTETS);
    }

    #[test]
    fn who_comes_late_gets_as_much_as_those_who_go_on_growing() {
        let budget = Budget::new(OCTETS, 0);
        let mut greed: Vec<Share> = (0..500).map(|_| budget.share(Who::Stranger)).collect();
        // Round by round, as sessions grow beside each other.
        while greed.iter_mut().filter_map(|share| share.resize(share.octets + 16 * 1024).then_some(())).count() > 0 {}
        assert!(greedy(&mut budget.share(Who::Stranger)) >= 128 * 1024, "a small message finds its room");
    }

    #[test]
    fn what_cannot_grow_keeps_what_it_has() {
        let budget = Budget::new(64 * 1024, 0);
        let mut share = budget.share(Who::Site);
        assert!(share.resize(4 * 1024) && !share.resize(5 * 1024));
        assert_eq!(budget.free(), 60 * 1024);
        assert!(share.resize(1024));
        assert_eq!(budget.free(), 63 * 1024);
    }

    #[test]
    fn files_come_back_with_their_messages() {
        let budget = Budget::new(0, 1);
        let (mut first, mut second) = (budget.share(Who::Site), budget.share(Who::Stranger));
        assert!(first.open_file() && first.open_file() && !second.open_file());
        drop(first);
        assert!(second.open_file());
    }
}

//! Which entries are being attempted just now, so that what a person asks meanwhile is neither lost nor done to half an attempt.
//!
//! `deliver` begins and ends turns, `control` tells of instructions, before it commits them and again when they are committed.
//! Promises: an instruction is either read by the attempt, or the attempt's end says that there is one. Fails never; nothing here is needed
//! after a crash.

use crate::clock::EntryId;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

#[derive(Debug, Default)]
pub struct UnderWay {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    attempts: HashMap<EntryId, Attempts>,
    /// The newest entry that a person ever asked something for: what older entries have in memory may be stale.
    newest: Option<EntryId>,
}

/// Attempts of one entry: recipients in several lanes travel at once.
#[derive(Debug, Default)]
struct Attempts {
    count: usize,
    instructed: bool,
}

impl UnderWay {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An attempt begins. Called before the entry is read.
    #[must_use]
    pub fn begin(self: &Arc<Self>, entry: EntryId) -> Turn {
        self.lock().attempts.entry(entry).or_default().count += 1;
        Turn { of: self.clone(), entry, over: false }
    }

    /// Whether an instruction may have come since the entry was made: then it is read back from the store.
    #[must_use]
    pub fn may_be_instructed(&self, entry: EntryId) -> bool {
        self.lock().newest.is_some_and(|newest| entry <= newest)
    }

    /// Instructions for these entries are on their way to stable storage, or there; returns how many of them are being attempted now.
    pub fn instructed(&self, entries: &[EntryId]) -> usize {
        let mut inner = self.lock();
        inner.newest = inner.newest.max(entries.iter().max().copied());
        let mut busy = 0;
        for entry in entries {
            if let Some(attempts) = inner.attempts.get_mut(entry) {
                attempts.instructed = true;
                busy += 1;
            }
        }
        busy
    }

    fn end(&self, entry: EntryId) -> bool {
        let mut inner = self.lock();
        let Some(attempts) = inner.attempts.get_mut(&entry) else { return false };
        attempts.count = attempts.count.saturating_sub(1);
        let instructed = attempts.instructed;
        if attempts.count == 0 {
            inner.attempts.remove(&entry);
        }
        instructed
    }
}

/// One attempt of an entry; over when it is ended or dropped.
#[derive(Debug)]
pub struct Turn {
    of: Arc<UnderWay>,
    entry: EntryId,
    over: bool,
}

impl Turn {
    #[must_use]
    pub fn entry(&self) -> EntryId {
        self.entry
    }

    /// The attempt is settled in the schedule. Whether an instruction came meanwhile, which the attempt may not have read.
    #[must_use]
    pub fn end(mut self) -> bool {
        self.over = true;
        self.of.end(self.entry)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if !self.over {
            let _ = self.of.end(self.entry);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_during_an_attempt_is_told_at_its_end_and_what_is_asked_before_is_read() {
        let under_way = Arc::new(UnderWay::default());
        let [early, asked, other] = [1, 2, 3].map(EntryId::from_row);
        let (first, second, stranger) = (under_way.begin(asked), under_way.begin(asked), under_way.begin(other));
        assert!(!under_way.may_be_instructed(early));
        assert_eq!(under_way.instructed(&[early, asked]), 1);
        assert!(under_way.may_be_instructed(early) && under_way.may_be_instructed(asked));
        assert!(!under_way.may_be_instructed(other));
        assert!(first.end() && second.end() && !stranger.end());
        assert!(!under_way.begin(asked).end(), "told once");
        drop(under_way.begin(asked));
        assert_eq!(under_way.instructed(&[asked]), 0, "a turn that was dropped is over");
    }

    #[test]
    fn an_attempt_that_ends_between_the_commit_and_the_second_telling_hears_of_it() {
        let under_way = Arc::new(UnderWay::default());
        let entry = EntryId::from_row(1);
        let turn = under_way.begin(entry);
        // Before the commit; the attempt has read the entry as it was.
        under_way.instructed(&[entry]);
        assert!(turn.end());
        assert_eq!(under_way.instructed(&[entry]), 0);
    }
}

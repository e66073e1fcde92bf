//! When a deferred message is tried again. Pure.

use crate::clock::EntryId;
use std::time::Duration;

/// The schedule of gateway.toml's `[queue]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retry {
    /// Pauses after the first, second, … attempt; the last repeats. Never empty.
    pub pauses: Vec<Duration>,
    /// How long mail is kept that no rule holds.
    pub expire: Duration,
}

impl Default for Retry {
    fn default() -> Retry {
        let minutes = [1, 5, 15, 30, 60];
        Retry { pauses: minutes.map(|m| Duration::from_secs(m * 60)).into(), expire: Duration::from_secs(2 * 86_400) }
    }
}

impl Retry {
    /// The pause after attempt number `attempts`. Spread by an eighth, by the entry's id, so that what failed together does
    /// not come back together.
    #[must_use]
    pub fn pause(&self, attempts: u32, id: EntryId) -> Duration {
        let index = usize::try_from(attempts.saturating_sub(1)).unwrap_or(usize::MAX);
        let pause = self.pauses.get(index).or(self.pauses.last()).copied().unwrap_or(Duration::from_secs(60));
        let spread = u32::try_from(id.row() & 0xff).unwrap_or(0);
        pause + pause / 8 * spread / 256
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_the_last_repeats() {
        let retry = Retry::default();
        let pause = |attempts| retry.pause(attempts, EntryId::from_row(0)).as_secs() / 60;
        assert_eq!([1, 2, 3, 4, 5, 6, 1000].map(pause), [1, 5, 15, 30, 60, 60, 60]);
    }

    #[test]
    fn what_failed_together_does_not_come_back_together() {
        let retry = Retry::default();
        assert_ne!(retry.pause(1, EntryId::from_row(1)), retry.pause(1, EntryId::from_row(200)));
        assert!(retry.pause(1, EntryId::from_row(255)) < Duration::from_secs(68));
    }
}

//! When the cause was ours: times that count for no rule's `wait`, no hold and no expiry.
//!
//! Held by `cause`, asked by `settle`. Promises: kept over restarts; bounded; a time counts once, however it was noted. Fails never.

use crate::clock::Wall;
use crate::vocabulary::Cause;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Times that are kept.
const MOST: usize = 100;
/// So much of an entry's time is excused at most: whoever makes many destinations fail for ever keeps no mail for ever.
const EXCUSED: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// No mail waits for longer.
const FORGET: Duration = Duration::from_secs(60 * 24 * 60 * 60);

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standstill {
    pub cause: Cause,
    pub from: Wall,
    /// Its end, or when it was last seen to last.
    pub to: Wall,
}

/// All of them, oldest first; they do not overlap.
#[derive(Debug, Default)]
pub struct Standstills(Vec<Standstill>);

impl Standstills {
    pub fn of(kept: Vec<Standstill>) -> Standstills {
        Standstills(kept)
    }

    pub fn all(&self) -> &[Standstill] {
        &self.0
    }

    pub fn begin(&mut self, cause: Cause, now: Wall) {
        self.0.retain(|stood| stood.to.plus(FORGET) > now);
        if self.0.len() >= MOST {
            self.0.remove(0);
        }
        self.0.push(Standstill { cause, from: now, to: now });
    }

    /// The last one goes on until now.
    pub fn goes_on(&mut self, now: Wall) {
        if let Some(last) = self.0.last_mut() {
            last.to = last.to.max(now);
        }
    }

    /// How much of the time between the two does not count.
    pub fn excused(&self, from: Wall, to: Wall) -> Duration {
        let within = self.0.iter().map(|stood| stood.to.min(to).since(stood.from.max(from)));
        within.sum::<Duration>().min(EXCUSED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minutes(minutes: i64) -> Wall {
        Wall(minutes * 60_000)
    }

    #[test]
    fn only_what_lies_within_the_time_is_excused() {
        let mut stood = Standstills::default();
        stood.begin(Cause::Firewall, minutes(10));
        stood.goes_on(minutes(20));
        stood.begin(Cause::Clock, minutes(50));
        stood.goes_on(minutes(60));
        let excused = |from, to| stood.excused(minutes(from), minutes(to)).as_secs() / 60;
        assert_eq!(excused(0, 5), 0);
        assert_eq!(excused(0, 15), 5);
        assert_eq!(excused(12, 100), 18);
        assert_eq!(excused(55, 56), 1);
        assert_eq!(excused(70, 60), 0, "a clock that jumped back");
        stood.begin(Cause::Network, minutes(100));
        stood.goes_on(minutes(100).plus(EXCUSED * 2));
        assert_eq!(stood.excused(minutes(0), minutes(100).plus(EXCUSED * 2)), EXCUSED);
    }

    #[test]
    fn they_are_bounded_and_forgotten() {
        let mut stood = Standstills::default();
        (0..500).for_each(|n| stood.begin(Cause::Network, minutes(n)));
        assert_eq!(stood.all().len(), MOST);
        stood.begin(Cause::Network, minutes(500).plus(FORGET));
        assert_eq!(stood.all().len(), 1);
    }
}

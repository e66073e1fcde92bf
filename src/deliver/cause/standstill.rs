//! When the cause was ours: times that count for no rule's `wait`, no hold and no expiry.
//!
//! Held by `cause`, asked by `settle`. Promises: kept over restarts; bounded; a time counts once, however it was noted. Fails never.

use crate::clock::{Now, Wall};
use crate::vocabulary::{Cause, Reason};
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};

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
pub struct Standstills {
    all: Vec<Standstill>,
    /// Since when the last one lasts, where it does: how long is told by a clock that nobody sets.
    open: Option<Instant>,
}

impl Standstills {
    /// What was kept; what lies ahead was written by a clock that was wrong.
    pub fn of(mut kept: Vec<Standstill>, now: Wall) -> Standstills {
        kept.retain(|stood| stood.from <= stood.to && stood.to <= now);
        Standstills { all: kept, open: None }
    }

    pub fn all(&self) -> &[Standstill] {
        &self.all
    }

    pub fn begin(&mut self, cause: Cause, now: Now) {
        self.all.retain(|stood| stood.to.plus(FORGET) > now.wall);
        if self.all.len() >= MOST {
            self.all.remove(0);
        }
        let from = self.all.last().map_or(now.wall, |last| last.to.max(now.wall));
        self.all.push(Standstill { cause, from, to: from });
        self.open = Some(now.mono);
    }

    /// The last one lasts.
    pub fn goes_on(&mut self, now: Now) {
        if let (Some(last), Some(since)) = (self.all.last_mut(), self.open) {
            last.to = last.from.plus(now.mono.saturating_duration_since(since));
        }
    }

    pub fn end(&mut self, now: Now) {
        self.goes_on(now);
        self.open = None;
    }

    /// How much of the time between the two does not count for what fails for `reason`.
    pub fn excused(&self, (from, to): (Wall, Wall), reason: Reason) -> Duration {
        let is_of = |stood: &&Standstill| stood.cause.explains(reason) || stood.cause.reason() == reason;
        let within = self.all.iter().filter(is_of).map(|stood| stood.to.min(to).since(stood.from.max(from)));
        within.sum::<Duration>().min(EXCUSED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u64 = 24 * 60;

    fn minutes(minutes: u64) -> Wall {
        Wall(0).plus(Duration::from_secs(minutes * 60))
    }

    /// The clocks after so many minutes, of which the wall's was set ahead by `ahead`.
    fn at(start: Instant, after: u64, ahead: u64) -> Now {
        Now { wall: minutes(after + ahead), mono: start + Duration::from_secs(after * 60) }
    }

    #[test]
    fn only_what_lies_within_the_time_is_excused_and_only_for_what_fails_like_it() {
        let (mut stood, start) = (Standstills::default(), Instant::now());
        stood.begin(Cause::Firewall, at(start, 10, 0));
        stood.end(at(start, 20, 0));
        stood.goes_on(at(start, 40, 0));
        stood.begin(Cause::Firewall, at(start, 50, 0));
        stood.goes_on(at(start, 60, 0));
        let excused = |from, to| stood.excused((minutes(from), minutes(to)), Reason::OurFirewall).as_secs() / 60;
        assert_eq!(excused(0, 5), 0);
        assert_eq!(excused(0, 15), 5);
        assert_eq!(excused(12, 100), 18);
        assert_eq!(excused(55, 56), 1);
        assert_eq!(excused(70, 60), 0, "a clock that jumped back");
        let of = |reason| stood.excused((minutes(0), minutes(100)), reason).as_secs() / 60;
        assert_eq!((of(Reason::TlsMasked), of(Reason::CertificateExpired)), (20, 0));
    }

    #[test]
    fn a_clock_that_is_set_excuses_no_more_than_the_time_that_passed() {
        let (mut stood, start) = (Standstills::default(), Instant::now());
        stood.begin(Cause::Network, at(start, 10, 0));
        stood.goes_on(at(start, 20, 365 * DAY));
        stood.end(at(start, 30, 0));
        let excused = stood.excused((minutes(0), minutes(365 * DAY)), Reason::OurNetwork);
        assert_eq!(excused.as_secs() / 60, 20);
        let kept =
            Standstills::of(vec![Standstill { cause: Cause::Network, from: minutes(5), to: minutes(900) }], minutes(6));
        assert!(kept.all().is_empty(), "what lies ahead");
    }

    #[test]
    fn they_are_bounded_and_forgotten() {
        let (mut stood, start) = (Standstills::default(), Instant::now());
        (0..500).for_each(|n| stood.begin(Cause::Network, at(start, n, 0)));
        assert_eq!(stood.all().len(), MOST);
        stood.begin(Cause::Network, at(start, 500 + 61 * DAY, 0));
        assert_eq!(stood.all().len(), 1);
        stood.goes_on(at(start, 500 + 100 * DAY, 0));
        let long = stood.excused((minutes(0), minutes(500 + 200 * DAY)), Reason::OurNetwork);
        assert_eq!(long, EXCUSED);
    }
}

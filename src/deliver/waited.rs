//! How long mail has waited, as far as that can be believed. Pure.
//!
//! Called by `settle` and `next` wherever a rule's or the queue's time is up. Promises: time counts only as far as
//! attempts were made in it, so neither a clock that jumps by a year nor a machine that was off for a week gives up mail
//! that was hardly tried; a clock that jumped back stops nothing from ending. Fails never.

use crate::clock::Wall;
use crate::queue::Retry;
use std::time::Duration;

/// A pause counts for at most so many times its length: attempts take time themselves, and a busy lane delays them.
const STRETCH: u32 = 2;

/// How long mail of `accepted` had waited at `now`, when `attempts` attempts had been made before.
pub(super) fn waited((accepted, attempts): (Wall, u32), now: Wall, retry: &Retry) -> Duration {
    let paused = paused(attempts, retry);
    if now < accepted {
        // The clock jumped back, and says nothing: the attempts do.
        return paused;
    }
    now.since(accepted).min(paused.saturating_mul(STRETCH))
}

/// The pauses after the first so many attempts, as the schedule has them.
fn paused(attempts: u32, retry: &Retry) -> Duration {
    let listed = attempts.min(u32::try_from(retry.pauses.len()).unwrap_or(u32::MAX));
    let first: Duration = retry.pauses.iter().take(listed as usize).sum();
    let last = retry.pauses.last().copied().unwrap_or_default();
    first.saturating_add(last.saturating_mul(attempts - listed))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);
    const DAY: Duration = Duration::from_secs(86_400);
    const YEAR: Duration = Duration::from_secs(365 * 86_400);

    fn at(accepted: Wall, attempts: u32, now: Wall) -> Duration {
        waited((accepted, attempts), now, &Retry::default())
    }

    #[test]
    fn with_a_clock_that_goes_right_it_is_the_time_since_accept() {
        let accepted = Wall(0);
        for (attempts, minutes) in [(0, 0), (1, 1), (2, 6), (3, 21), (4, 51), (5, 111), (6, 171)] {
            assert_eq!(at(accepted, attempts, accepted.plus(MINUTE * minutes)), MINUTE * minutes, "{attempts}");
        }
        assert_eq!(at(accepted, 3, accepted.plus(MINUTE * 30)), MINUTE * 30, "attempts that took long");
    }

    #[test]
    fn a_clock_that_jumps_a_year_ahead_ages_nothing_by_a_year() {
        let accepted = Wall(0);
        let after = accepted.plus(YEAR);
        assert_eq!(at(accepted, 0, after), Duration::ZERO, "no attempt: it has not waited");
        assert_eq!(at(accepted, 3, after), MINUTE * 42);
        assert!(at(accepted, 20, after) < 2 * DAY, "within the queue's time, though a year has passed");
        assert!(at(accepted, 40, after) > 2 * DAY, "what was tried for so long ends in spite of the clock");
        assert_eq!(at(accepted, 3, accepted.plus(MINUTE * 21)), MINUTE * 21, "a jump that is undone leaves nothing");
    }

    #[test]
    fn a_clock_that_jumped_back_does_not_keep_mail_for_ever() {
        let accepted = Wall(0).plus(YEAR);
        assert_eq!(at(accepted, 2, Wall(0)), MINUTE * 6);
        assert!(at(accepted, 60, Wall(0)) > 2 * DAY);
    }

    #[test]
    fn no_count_and_no_clock_overflows() {
        assert!(at(Wall(i64::MIN), u32::MAX, Wall(i64::MAX)) > YEAR);
        assert!(at(Wall(i64::MAX), u32::MAX, Wall(i64::MIN)) > YEAR);
    }
}

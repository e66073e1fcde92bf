//! What is refused or put off other than by policy: one name for the log, the metric and README.
//!
//! Called by `connection` for each reply, by `accept` for what it answers after the dot, and by `listener` for who finds no
//! place. Promises: nothing of the message and no address of mail is in a line; a client cannot fill the log. Fails never.

use crate::mail::Enhanced;
use crate::metrics::Metrics;
use crate::vocabulary::Reason;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Lines of one session; what it is refused beyond them is counted only.
pub(super) const LINES: u32 = 10;
/// Between two lines about sessions that found no place.
const PAUSE: Duration = Duration::from_secs(10);

/// What a reply answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum To {
    Command,
    Message,
}

/// The reason that stands behind a reply; None: it was taken, or has a line and a count elsewhere, or is about one command.
pub(super) fn reason_of(to: To, code: u16, enhanced: Option<Enhanced>) -> Option<Reason> {
    Some(match (code, enhanced?) {
        (550, Enhanced(5, 6, 11)) => Reason::LineEndingRefused,
        (552, Enhanced(5, 3, 4)) => Reason::MessageTooLarge,
        (554, Enhanced(5, 4, 6)) => Reason::MailLoop,
        (452, Enhanced(4, 5, 3)) => Reason::TooManyRecipients,
        (452, Enhanced(4, 3, 1)) => Reason::NoRoom,
        (451, Enhanced(4, 3, 0)) => Reason::StoreFailed,
        (451, Enhanced(4, 7, 10)) if to == To::Command => Reason::NoPolicy,
        (451, Enhanced(4, 7, 10)) => Reason::RecognitionBusy,
        (421, Enhanced(4, 7, 0)) => Reason::TooManyErrors,
        _ => return None,
    })
}

/// Sessions that found no place: each is counted, and a line is written now and then.
#[derive(Debug, Default)]
pub struct Crowd {
    said: Mutex<Option<(Instant, u64)>>,
}

impl Crowd {
    pub(super) fn turned_away(&self, client: IpAddr, listener: &str, metrics: &Metrics) {
        metrics.refusals.with_label_values(&[Reason::TooManySessions.name()]).inc();
        if let Some(unsaid) = self.to_say(Instant::now()) {
            let reason = Reason::TooManySessions;
            tracing::warn!(%client, listener, code = 421, %reason, unsaid, "a session found no place");
        }
    }

    /// How many were not said since the last line, if one is due.
    fn to_say(&self, now: Instant) -> Option<u64> {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *said {
            Some((at, unsaid)) if now.duration_since(*at) < PAUSE => {
                *unsaid += 1;
                None
            }
            before => Some(before.replace((now, 0)).map_or(0, |(_, unsaid)| unsaid)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crowd_is_one_line_in_ten_seconds_that_counts_the_others() {
        let (crowd, start) = (Crowd::default(), Instant::now());
        assert_eq!(crowd.to_say(start), Some(0));
        for second in 1..=9 {
            assert_eq!(crowd.to_say(start + Duration::from_secs(second)), None);
        }
        assert_eq!(crowd.to_say(start + PAUSE), Some(9));
        assert_eq!(crowd.to_say(start + PAUSE + PAUSE), Some(0));
    }

    #[test]
    fn every_reason_behind_a_reply_is_counted_from_the_start() {
        let replies = [(550, 5, 6, 11), (552, 5, 3, 4), (554, 5, 4, 6), (452, 4, 5, 3), (452, 4, 3, 1), (451, 4, 3, 0)];
        for (code, class, subject, detail) in replies.into_iter().chain([(451, 4, 7, 10), (421, 4, 7, 0)]) {
            for to in [To::Command, To::Message] {
                let reason = reason_of(to, code, Some(Enhanced(class, subject, detail)));
                assert!(crate::metrics::REFUSALS.contains(&reason.unwrap()), "{code}");
            }
        }
        assert_eq!(
            reason_of(To::Message, 550, Some(Enhanced(5, 7, 10))),
            None,
            "policy's own have a line with their rule"
        );
    }
}

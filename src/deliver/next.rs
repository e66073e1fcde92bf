//! What follows an attempt that did not deliver: wait, hold, or give up. Pure.
//!
//! Called by `settle`. Promises: a shortfall of protection is given up only after the rule's `wait`, and only where the
//! rule says reject; what is the network's or a resolver's fault is tried until the queue's expiry; a permanent refusal is
//! believed once. What lacks for REQUIRETLS is told at once (RFC 8689 4.2.1), but for a handshake that the next attempt may bring.

use super::waited::waited;
use crate::clock::Wall;
use crate::mail::{Severity, Status};
use crate::policy::Requirement;
use crate::queue::Retry;
use crate::smtp::client::Refusal;
use crate::vocabulary::{Otherwise, Reason};
use std::time::Duration;

/// What becomes of the recipients of one attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    Defer,
    Hold,
    Fail(Reason),
}

/// Whether what the rules ask is what was missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shortfall {
    OfRules,
    /// What the message's sender asked by REQUIRETLS.
    OfSender,
    None,
}

pub(super) fn next(refusal: &Refusal, shortfall: Shortfall, requirement: &Requirement, times: Times<'_>) -> Next {
    let (reason, status) = (refusal.reason, refusal.status.as_ref());
    let age = waited((times.accepted, times.attempts), times.now, times.retry).saturating_sub(times.excused);
    match reason {
        Reason::EndedByOperator => return Next::Fail(reason),
        Reason::HeldByOperator | Reason::WayGone if age < requirement.hold_for => return Next::Hold,
        Reason::HeldByOperator | Reason::WayGone => return Next::Fail(Reason::Expired),
        _ => {}
    }
    if requirement.journal {
        // Nobody has another copy of it: only a person gives it up.
        let waits = age < requirement.wait && !times.held && !is_for_good(reason) && !is_permanent(reason, status);
        return if waits { Next::Defer } else { Next::Hold };
    }
    if shortfall == Shortfall::OfRules {
        return match requirement.otherwise {
            _ if age < requirement.wait && !times.held && !is_for_good(reason) => Next::Defer,
            Otherwise::Reject => Next::Fail(reason),
            Otherwise::Hold if age < requirement.hold_for => Next::Hold,
            Otherwise::Hold => Next::Fail(Reason::Expired),
        };
    }
    if shortfall == Shortfall::OfSender {
        let waits = may_come_about(reason) && age < requirement.wait;
        return if waits { Next::Defer } else { Next::Fail(reason) };
    }
    if is_permanent(reason, status) {
        return Next::Fail(reason);
    }
    let keep = if times.held { requirement.hold_for } else { times.retry.expire };
    match age < keep {
        true if times.held => Next::Hold,
        true => Next::Defer,
        false => Next::Fail(Reason::Expired),
    }
}

/// TLS was offered and did not come about: it may the next time. What a host does not offer, or cannot prove, is known.
fn may_come_about(reason: Reason) -> bool {
    use Reason as R;
    matches!(reason, R::TlsRefused | R::TlsHandshakeFailed | R::TlsStalled | R::TlsReset | R::StrippingSuspected)
}

/// Waiting cannot mend it: only a person can.
pub(super) fn is_for_good(reason: Reason) -> bool {
    matches!(reason, Reason::SealingNotPossible | Reason::RelayNotAllowedForClass)
}

/// When it was accepted, how often it was tried since, what time it is, and what the queue says.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times<'a> {
    pub accepted: Wall,
    pub attempts: u32,
    pub now: Wall,
    /// Time since then in which the cause was ours: it counts for nothing.
    pub excused: Duration,
    pub held: bool,
    pub retry: &'a Retry,
}

fn is_permanent(reason: Reason, status: Option<&Status>) -> bool {
    use Reason as R;
    match reason {
        R::SenderRefused | R::RecipientRefused | R::MessageRefused => true,
        R::NoSuchDomain | R::NullMx => true,
        R::SmtpUtf8NotOffered | R::EightBitNotOffered | R::MessageTooLarge | R::BareLineEnding => true,
        // What is on our disk does not mend itself; its sender has it still.
        R::MessageDamaged => true,
        // RFC 5321 3.1: a 5xx greeting speaks of this host and this moment, not of the recipient.
        R::GreetingRefused | R::ProtocolError => false,
        R::RecipientDeferred | R::SenderDeferred | R::MessageDeferred => {
            status.is_some_and(|s| s.severity() == Severity::Permanent)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocabulary::{Level, SubjectCare};

    const MINUTE: u64 = 60;

    fn requirement(level: Level, otherwise: Otherwise) -> Requirement {
        Requirement {
            level,
            rules: Vec::new(),
            lifted: Vec::new(),
            watched: Vec::new(),
            classes: Vec::new(),
            wait: Duration::from_secs(15 * MINUTE),
            otherwise,
            hold_for: Duration::from_secs(5 * 86_400),
            tell_sender: Duration::from_secs(15 * MINUTE),
            notify: Vec::new(),
            subject: SubjectCare::Keep,
            journal: false,
        }
    }

    fn after(seconds: u64, reason: Reason, requirement: &Requirement) -> Next {
        let retry = Retry::default();
        let now = Wall(0).plus(Duration::from_secs(seconds));
        let refusal = Refusal { reason, status: None };
        let asked = is_for_good(reason) || (reason.is_of_protection() && requirement.level > Level::Any);
        let shortfall = if asked { Shortfall::OfRules } else { Shortfall::None };
        // Every minute an attempt: none of these times is in doubt.
        let attempts = u32::try_from(seconds / MINUTE).unwrap();
        let times = Times { accepted: Wall(0), attempts, now, excused: Duration::ZERO, held: false, retry: &retry };
        next(&refusal, shortfall, requirement, times)
    }

    #[test]
    fn time_in_which_the_cause_was_ours_counts_for_nothing() {
        let (retry, reject) = (Retry::default(), requirement(Level::Verified, Otherwise::Reject));
        let after = |minutes: u64, excused: u64, reason, shortfall| {
            let now = Wall(0).plus(Duration::from_secs(minutes * MINUTE));
            let excused = Duration::from_secs(excused * MINUTE);
            let attempts = u32::try_from(minutes).unwrap();
            let times = Times { accepted: Wall(0), attempts, now, excused, held: false, retry: &retry };
            next(&Refusal { reason, status: None }, shortfall, &reject, times)
        };
        let (expired, rules) = (Reason::CertificateExpired, Shortfall::OfRules);
        assert_eq!(after(20, 0, expired, rules), Next::Fail(expired));
        assert_eq!(after(20, 6, expired, rules), Next::Defer);
        assert_eq!(after(22, 6, expired, rules), Next::Fail(expired));
        // While it lasts only the queue's own end counts, and that stands still too.
        let days = |days: u64| days * 24 * 60;
        assert_eq!(after(days(3), 0, Reason::OurNetwork, Shortfall::None), Next::Fail(Reason::Expired));
        assert_eq!(after(days(3), days(2), Reason::OurNetwork, Shortfall::None), Next::Defer);
    }

    #[test]
    fn a_clock_that_jumps_gives_nothing_up_that_was_hardly_tried() {
        let (retry, hold) = (Retry::default(), requirement(Level::Verified, Otherwise::Hold));
        let year = Wall(0).plus(Duration::from_secs(365 * 86_400));
        let next = |reason, shortfall, held| {
            let times =
                Times { accepted: Wall(0), attempts: 2, now: year, excused: Duration::ZERO, held, retry: &retry };
            next(&Refusal { reason, status: None }, shortfall, &hold, times)
        };
        assert_eq!(next(Reason::ConnectionTimedOut, Shortfall::None, false), Next::Defer);
        assert_eq!(next(Reason::CertificateExpired, Shortfall::OfRules, false), Next::Defer, "its wait is not over");
        assert_eq!(next(Reason::ConnectionTimedOut, Shortfall::None, true), Next::Hold);
    }

    #[test]
    fn a_shortfall_waits_and_then_does_what_the_rule_says() {
        let reject = requirement(Level::Verified, Otherwise::Reject);
        let hold = requirement(Level::Verified, Otherwise::Hold);
        assert_eq!(after(14 * MINUTE, Reason::CertificateExpired, &reject), Next::Defer);
        assert_eq!(after(15 * MINUTE, Reason::CertificateExpired, &reject), Next::Fail(Reason::CertificateExpired));
        assert_eq!(after(15 * MINUTE, Reason::CertificateExpired, &hold), Next::Hold);
        assert_eq!(after(6 * 86_400, Reason::CertificateExpired, &hold), Next::Fail(Reason::Expired));
    }

    #[test]
    fn a_journal_report_is_held_and_never_given_up() {
        let journal = Requirement { journal: true, ..requirement(Level::Verified, Otherwise::Hold) };
        for reason in [Reason::CertificateExpired, Reason::ConnectionTimedOut, Reason::DnsTempfail] {
            assert_eq!(after(14 * MINUTE, reason, &journal), Next::Defer, "{reason}");
            assert_eq!(after(15 * MINUTE, reason, &journal), Next::Hold, "{reason}");
            assert_eq!(after(900 * 86_400, reason, &journal), Next::Hold, "{reason}");
        }
        for reason in [Reason::RecipientRefused, Reason::NoSuchDomain, Reason::MessageTooLarge, Reason::MessageDamaged]
        {
            assert_eq!(after(0, reason, &journal), Next::Hold, "{reason}");
        }
        assert_eq!(after(0, Reason::EndedByOperator, &journal), Next::Fail(Reason::EndedByOperator));
    }

    #[test]
    fn what_lacks_for_require_tls_is_told_at_once_but_a_handshake_is_tried_again() {
        let retry = Retry::default();
        let hold = requirement(Level::Verified, Otherwise::Hold);
        let after = |minutes: u64, reason, held| {
            let (now, attempts) =
                (Wall(0).plus(Duration::from_secs(minutes * MINUTE)), u32::try_from(minutes).unwrap());
            let times = Times { accepted: Wall(0), attempts, now, excused: Duration::ZERO, held, retry: &retry };
            next(&Refusal { reason, status: None }, Shortfall::OfSender, &hold, times)
        };
        for known in [
            Reason::RequireTlsNotOffered,
            Reason::TlsNotOffered,
            Reason::TlsMasked,
            Reason::CertificateSelfSigned,
            Reason::NoProofSource,
        ] {
            assert_eq!(after(0, known, false), Next::Fail(known), "whatever the rules would do");
        }
        for held in [false, true] {
            assert_eq!(after(14, Reason::TlsStalled, held), Next::Defer);
            assert_eq!(after(15, Reason::TlsStalled, held), Next::Fail(Reason::TlsStalled));
        }
    }

    #[test]
    fn what_no_link_can_mend_is_held_at_once() {
        let hold = requirement(Level::Sealed, Otherwise::Hold);
        assert_eq!(after(0, Reason::SealingNotPossible, &hold), Next::Hold);
    }

    #[test]
    fn what_a_person_holds_is_kept_for_its_time_and_what_a_person_ends_is_over() {
        let reject = requirement(Level::Any, Otherwise::Reject);
        assert_eq!(after(3 * 86_400, Reason::HeldByOperator, &reject), Next::Hold, "longer than the queue's expiry");
        assert_eq!(after(5 * 86_400, Reason::HeldByOperator, &reject), Next::Fail(Reason::Expired));
        assert_eq!(after(0, Reason::EndedByOperator, &reject), Next::Fail(Reason::EndedByOperator));
    }

    #[test]
    fn what_is_not_the_peers_protection_is_tried_until_the_queue_expires() {
        let reject = requirement(Level::Verified, Otherwise::Reject);
        for reason in
            [Reason::DnsTempfail, Reason::ConnectionTimedOut, Reason::ConnectionRefused, Reason::GreetingRefused]
        {
            assert_eq!(after(3_600, reason, &reject), Next::Defer, "{reason}");
            assert_eq!(after(2 * 86_400, reason, &reject), Next::Fail(Reason::Expired), "{reason}");
        }
    }

    #[test]
    fn what_is_permanent_is_told_at_once() {
        let any = requirement(Level::Any, Otherwise::Reject);
        for reason in [Reason::RecipientRefused, Reason::NullMx, Reason::NoSuchDomain, Reason::MessageTooLarge] {
            assert_eq!(after(0, reason, &any), Next::Fail(reason), "{reason}");
        }
    }

    #[test]
    fn where_nothing_is_asked_a_broken_handshake_is_only_a_failed_attempt() {
        let any = requirement(Level::Any, Otherwise::Reject);
        assert_eq!(after(3_600, Reason::TlsHandshakeFailed, &any), Next::Defer);
    }
}

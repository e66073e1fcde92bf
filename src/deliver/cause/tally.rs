//! What the last attempt at each provider of mail showed, and whether so many of them fail alike that the cause is ours. Pure.
//!
//! Held by `cause`. Promises: bounded; the domains of one provider count once, so that one provider's fault is never taken for ours; one
//! that works speaks against it. Fails never.

use crate::vocabulary::Cause;
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// So many unrelated providers have to fail alike …
const ENOUGH: usize = 5;
/// … and of all that were tried so many in a hundred.
const SHARE: usize = 80;
/// What was seen before this says nothing any more; longer than any pause between two attempts.
const FRESH: Duration = Duration::from_secs(2 * 60 * 60);
/// Providers that are remembered.
const MOST: usize = 2_000;

#[derive(Debug, Default)]
pub struct Tally {
    seen: HashMap<String, Seen>,
}

#[derive(Debug, Clone, Copy)]
struct Seen {
    /// What it looked like; None: it worked, or failed in a way of its own.
    looks_like: Option<Cause>,
    at: Instant,
}

impl Tally {
    /// The last attempt at a host looked like this.
    pub fn note(&mut self, host: &str, looks_like: Option<Cause>, at: Instant) {
        let provider = provider(host);
        if self.seen.len() >= MOST && !self.seen.contains_key(&provider) {
            let oldest = self.seen.iter().min_by_key(|(_, seen)| seen.at).map(|(known, _)| known.clone());
            oldest.map(|oldest| self.seen.remove(&oldest));
        }
        self.seen.insert(provider, Seen { looks_like, at });
    }

    /// What of ours explains what is seen, if anything does.
    pub fn ours(&self, now: Instant) -> Option<Cause> {
        let fresh = || self.seen.values().filter(|seen| now.saturating_duration_since(seen.at) < FRESH);
        let all = fresh().count();
        let alike = |cause: &Cause| fresh().filter(|seen| seen.looks_like == Some(*cause)).count();
        let most = Cause::ALL.iter().copied().max_by_key(alike)?;
        let count = alike(&most);
        (count >= ENOUGH && count * 100 >= all * SHARE).then_some(most)
    }
}

/// Who answers for a host, about: the last two labels of its name, or three under a country's own second level (`nhs.uk`).
fn provider(host: &str) -> String {
    let name = host.trim_end_matches('.').to_ascii_lowercase();
    if name.parse::<std::net::IpAddr>().is_ok() {
        return name;
    }
    let labels: Vec<&str> = name.split('.').collect();
    let under_country = labels.len() > 2 && labels[labels.len() - 1].len() == 2 && labels[labels.len() - 2].len() <= 3;
    let kept = if under_country { 3 } else { 2 };
    labels[labels.len().saturating_sub(kept)..].join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_is_whoever_answers_for_a_host() {
        for (host, expected) in [
            ("mx1.trust.nhs.uk.", "trust.nhs.uk"),
            ("a.b.Mail.Protection.outlook.com", "outlook.com"),
            ("mx.example", "mx.example"),
            ("example", "example"),
            ("192.0.2.1", "192.0.2.1"),
        ] {
            assert_eq!(provider(host), expected);
        }
    }

    #[test]
    fn five_unrelated_providers_that_fail_alike_are_our_fault_and_one_that_works_in_five_is_not() {
        let (mut tally, now) = (Tally::default(), Instant::now());
        (0..4).for_each(|n| tally.note(&format!("mx.p{n}.example"), Some(Cause::Firewall), now));
        (0..50).for_each(|n| tally.note(&format!("mx{n}.p0.example"), Some(Cause::Firewall), now));
        assert_eq!(tally.ours(now), None, "hosts of one provider count once");
        tally.note("mx.p4.example", Some(Cause::Firewall), now);
        assert_eq!(tally.ours(now), Some(Cause::Firewall));
        tally.note("mx.works.example", None, now);
        assert_eq!(tally.ours(now), Some(Cause::Firewall), "five of six");
        tally.note("mx.works2.example", None, now);
        assert_eq!(tally.ours(now), None, "five of seven");
    }

    #[test]
    fn it_ends_when_they_work_again_and_what_is_old_says_nothing() {
        let (mut tally, now) = (Tally::default(), Instant::now());
        (0..6).for_each(|n| tally.note(&format!("mx.p{n}.example"), Some(Cause::Network), now));
        assert_eq!(tally.ours(now + FRESH / 2), Some(Cause::Network));
        assert_eq!(tally.ours(now + FRESH), None);
        (0..2).for_each(|n| tally.note(&format!("mx.p{n}.example"), None, now));
        assert_eq!(tally.ours(now), None);
    }

    #[test]
    fn it_is_bounded() {
        let (mut tally, now) = (Tally::default(), Instant::now());
        (0..MOST + 9)
            .for_each(|n| tally.note(&format!("mx.p{n}.example"), None, now + Duration::from_millis(n as u64)));
        assert_eq!(tally.seen.len(), MOST);
        assert!(!tally.seen.contains_key("p0.example"));
    }
}

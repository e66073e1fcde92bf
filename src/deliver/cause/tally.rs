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
/// So many in a hundred are enough for it to last: one that works now and then is no end.
const LASTING_SHARE: usize = 50;
/// A link that was opened within this time speaks against a network or a resolver that fails.
const REFUTES: Duration = Duration::from_secs(5 * 60);
/// What was seen before this says nothing any more; longer than any pause between two attempts.
const FRESH: Duration = Duration::from_secs(2 * 60 * 60);
/// Providers that are remembered.
const MOST: usize = 2_000;

#[derive(Debug, Default)]
pub struct Tally {
    seen: HashMap<String, Seen>,
    /// When a link was opened at last, wherever.
    opened: Option<Instant>,
}

#[derive(Debug, Clone, Copy)]
struct Seen {
    /// What it looked like; None: it worked, or failed in a way of its own.
    looks_like: Option<Cause>,
    at: Instant,
}

impl Tally {
    /// A link was opened.
    pub fn opened(&mut self, at: Instant) {
        self.opened = Some(at);
    }

    /// The last attempt at a host looked like this.
    pub fn note(&mut self, host: &str, looks_like: Option<Cause>, at: Instant) {
        let Some(provider) = provider(host) else { return };
        if self.seen.len() >= MOST && !self.seen.contains_key(&provider) {
            let oldest = self.seen.iter().min_by_key(|(_, seen)| seen.at).map(|(known, _)| known.clone());
            oldest.map(|oldest| self.seen.remove(&oldest));
        }
        self.seen.insert(provider, Seen { looks_like, at });
    }

    /// What of ours explains what is seen, if anything does; `before`: what did until now, which needs less to go on.
    pub fn ours(&self, before: Option<Cause>, now: Instant) -> Option<Cause> {
        let fresh = || self.seen.values().filter(|seen| now.saturating_duration_since(seen.at) < FRESH);
        let all = fresh().count();
        let alike = |cause: &Cause| fresh().filter(|seen| seen.looks_like == Some(*cause)).count();
        let most = Cause::ALL.iter().copied().max_by_key(|cause| (alike(cause), before == Some(*cause)))?;
        let (count, share) = (alike(&most), if before == Some(most) { LASTING_SHARE } else { SHARE });
        let refuted = matches!(most, Cause::Network | Cause::Resolver)
            && self.opened.is_some_and(|opened| now.saturating_duration_since(opened) < REFUTES);
        (count >= ENOUGH && count * 100 >= all * share && !refuted).then_some(most)
    }
}

/// Who answers for a host, about: the last two labels of its name, or three where the last two are anybody's (`nhs.uk`). None: it has no
/// name, and whoever has addresses has many.
fn provider(host: &str) -> Option<String> {
    const ANYBODYS: &[&str] =
        &["ac", "co", "com", "edu", "gov", "ltd", "me", "mod", "net", "nhs", "org", "plc", "police", "sch"];
    let name = host.trim_matches(['[', ']']).trim_end_matches('.').to_ascii_lowercase();
    let is_address = name.starts_with("ipv6:") || name.parse::<std::net::IpAddr>().is_ok();
    let labels: Vec<&str> = name.split('.').collect();
    let is_anybodys = match labels[..] {
        [.., second, top] => top.len() == 2 && ANYBODYS.contains(&second),
        _ => false,
    };
    let kept = if is_anybodys { 3 } else { 2 };
    (!is_address).then(|| labels[labels.len().saturating_sub(kept)..].join("."))
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
            ("mx-ha02.web.de", "web.de"),
            ("a.abc.io", "abc.io"),
        ] {
            assert_eq!(provider(host).as_deref(), Some(expected));
        }
        for literal in ["192.0.2.1", "[192.0.2.1]", "[IPv6:2001:db8::1]"] {
            assert_eq!(provider(literal), None, "{literal}");
        }
    }

    #[test]
    fn five_unrelated_providers_that_fail_alike_are_our_fault_and_one_that_works_in_five_is_not() {
        let (mut tally, now) = (Tally::default(), Instant::now());
        (0..4).for_each(|n| tally.note(&format!("mx.p{n}.example"), Some(Cause::Firewall), now));
        (0..50).for_each(|n| tally.note(&format!("mx{n}.p0.example"), Some(Cause::Firewall), now));
        assert_eq!(tally.ours(None, now), None, "hosts of one provider count once");
        tally.note("mx.p4.example", Some(Cause::Firewall), now);
        assert_eq!(tally.ours(None, now), Some(Cause::Firewall));
        tally.note("mx.works.example", None, now);
        assert_eq!(tally.ours(None, now), Some(Cause::Firewall), "five of six");
        tally.note("mx.works2.example", None, now);
        assert_eq!(tally.ours(None, now), None, "five of seven");
        assert_eq!(tally.ours(Some(Cause::Firewall), now), Some(Cause::Firewall), "and enough to go on");
    }

    #[test]
    fn it_ends_when_they_work_again_and_what_is_old_says_nothing() {
        let (mut tally, now) = (Tally::default(), Instant::now());
        (0..6).for_each(|n| tally.note(&format!("mx.p{n}.example"), Some(Cause::Network), now));
        assert_eq!(tally.ours(None, now + FRESH / 2), Some(Cause::Network));
        assert_eq!(tally.ours(None, now + FRESH), None);
        (0..2).for_each(|n| tally.note(&format!("mx.p{n}.example"), None, now));
        assert_eq!(tally.ours(None, now), None);
    }

    #[test]
    fn where_a_link_was_opened_a_moment_ago_the_network_works() {
        let (mut tally, now) = (Tally::default(), Instant::now());
        (0..12).for_each(|n| tally.note(&format!("mx.p{n}.example"), Some(Cause::Network), now));
        tally.opened(now);
        assert_eq!(tally.ours(None, now), None);
        assert_eq!(tally.ours(None, now + REFUTES), Some(Cause::Network));
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

//! Domains as policy writes them: `nhs.net` exactly, `*.gov.uk` for sub-domains at any depth; and an index over many.
//!
//! Called by groups and the rule index. Promises: compared as A-labels at label boundaries, so `evilnhs.net` and
//! `nhs.net.example` are strangers; a look-up costs one hash per label of the domain, however many patterns there are.

use super::diagnostic::Mistake;
use super::typed::Parsed;
use crate::mail::Domain;
use std::collections::HashMap;
use std::sync::Arc;

/// One domain, or all below one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Pattern {
    Exact(Domain),
    Below(Domain),
}

impl Pattern {
    pub fn parse(text: &str) -> Parsed<Pattern> {
        let (suffix, below) = match text.strip_prefix("*.") {
            Some(suffix) => (suffix, true),
            None => (text, false),
        };
        let mistake = || {
            Mistake::new("wrong-domain", format!("`{text}` is not a domain"))
                .hint("write nhs.net for exactly that domain, *.gov.uk for all below gov.uk and not gov.uk itself")
        };
        let domain: Domain = suffix.parse().map_err(|_| mistake())?;
        match (below, domain.literal()) {
            (true, Some(_)) => Err(mistake()),
            (true, None) => Ok(Pattern::Below(domain)),
            (false, _) => Ok(Pattern::Exact(domain)),
        }
    }

    /// A domain that it holds for; of those below one, any.
    pub fn witness(&self) -> Option<Domain> {
        match self {
            Pattern::Exact(domain) => Some(domain.clone()),
            Pattern::Below(parent) => format!("any-other-name.{parent}").parse().ok(),
        }
    }

    pub fn holds(&self, domain: &Domain) -> bool {
        match self {
            Pattern::Exact(exact) => exact == domain,
            Pattern::Below(parent) => domain.literal().is_none() && domain.is_below(parent.as_str()),
        }
    }
}

impl std::fmt::Display for Pattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Pattern::Exact(domain) => write!(f, "{domain}"),
            Pattern::Below(parent) => write!(f, "*.{parent}"),
        }
    }
}

/// From domains to numbers (of groups, of rules).
#[derive(Debug, Default)]
pub(super) struct DomainIndex {
    exact: HashMap<Arc<str>, Vec<usize>>,
    below: HashMap<Arc<str>, Vec<usize>>,
}

impl DomainIndex {
    pub fn add(&mut self, pattern: &Pattern, number: usize) {
        let (map, domain) = match pattern {
            Pattern::Exact(domain) => (&mut self.exact, domain),
            Pattern::Below(parent) => (&mut self.below, parent),
        };
        map.entry(domain.as_str().into()).or_default().push(number);
    }

    /// Tells every number whose pattern holds for `domain`; one may be told twice.
    pub fn each(&self, domain: &Domain, mut tell: impl FnMut(usize)) {
        let text = domain.as_str();
        self.exact.get(text).into_iter().flatten().for_each(|n| tell(*n));
        if self.below.is_empty() || text.starts_with('[') {
            return;
        }
        for dot in memchr::memchr_iter(b'.', text.as_bytes()) {
            self.below.get(&text[dot + 1..]).into_iter().flatten().for_each(|n| tell(*n));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(pattern: &str, domain: &str) -> bool {
        let pattern = Pattern::parse(pattern).unwrap();
        let domain: Domain = domain.parse().unwrap();
        let mut index = DomainIndex::default();
        index.add(&pattern, 7);
        let mut told = Vec::new();
        index.each(&domain, |n| told.push(n));
        assert_eq!(pattern.holds(&domain), told == [7], "index and pattern differ on {domain}");
        pattern.holds(&domain)
    }

    #[test]
    fn look_alikes_are_strangers() {
        assert!(holds("nhs.net", "NHS.net.") && holds("NHS.NET", "nhs.net"));
        for stranger in ["evilnhs.net", "nhs.net.example", "a.nhs.net", "nhs.n\u{0435}t", "[192.0.2.1]", "net"] {
            assert!(!holds("nhs.net", stranger), "{stranger}");
        }
    }

    #[test]
    fn a_star_means_below_at_any_depth_and_not_the_parent() {
        assert!(holds("*.gov.uk", "a.gov.uk") && holds("*.gov.uk", "a.b.c.gov.uk"));
        for stranger in ["gov.uk", "notgov.uk", "a.gov.uk.example", "gov.uk.", "[10.0.0.1]"] {
            assert!(!holds("*.gov.uk", stranger), "{stranger}");
        }
    }

    #[test]
    fn international_patterns_are_compared_as_a_labels() {
        assert!(
            holds("b\u{fc}cher.example", "xn--bcher-kva.example")
                && holds("*.b\u{fc}cher.example", "a.xn--bcher-kva.example")
        );
    }
}

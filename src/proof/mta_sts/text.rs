//! What a domain writes about MTA-STS: the TXT record that names a version of its policy, and the policy itself (RFC 8461 3).
//!
//! Called by `mta_sts`. Promises: hostile input is bounded by whoever hands it over; keys that nobody knows are passed over, as the
//! RFC wants. Pure. Fails with a sentence for logs.

use crate::mail::Domain;
use crate::vocabulary::StsMode;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// RFC 8461 3.2: about a year.
const LONGEST: u64 = 31_557_600;
/// Whoever says less would be asked for each link.
const SHORTEST: u64 = 60;
/// Octets of patterns that are kept of one policy.
const PATTERNS: usize = 4_096;

/// What a domain asks of those who send it mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StsPolicy {
    pub mode: StsMode,
    /// Names of its mail hosts; `*` is exactly the left-most label.
    pub mx: Vec<String>,
    pub max_age: Duration,
}

impl StsPolicy {
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<StsPolicy, String> {
        let (mut version, mut mode, mut max_age, mut mx) = (None, None, None, Vec::new());
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let (key, value) = line.split_once(':').ok_or("a line without a colon")?;
            let value = value.trim();
            match key.trim() {
                // RFC 8461 3.2: of a key that stands twice the first counts, but for mx.
                "version" => drop(version.get_or_insert(value)),
                "mode" => drop(mode.get_or_insert(value)),
                "max_age" => drop(max_age.get_or_insert(value)),
                "mx" => mx.extend(pattern(value).filter(|pattern| room(&mx, pattern))),
                _ => {}
            }
        }
        if version != Some("STSv1") {
            return Err("it is not of version STSv1".to_owned());
        }
        let mode: StsMode =
            mode.and_then(|mode| mode.parse().ok()).ok_or("its mode is none of enforce, testing, none")?;
        let seconds = max_age.filter(|age| age.len() <= 10).and_then(|age| age.parse::<u64>().ok());
        let seconds = seconds.ok_or("its max_age is no number of seconds")?.clamp(SHORTEST, LONGEST);
        if mx.is_empty() && mode != StsMode::None {
            return Err("it names no mail host".to_owned());
        }
        Ok(StsPolicy { mode, mx, max_age: Duration::from_secs(seconds) })
    }
}

/// A name of a host, or of all hosts right below a domain; None: something else, which matches nothing and is never shown.
fn pattern(value: &str) -> Option<String> {
    let (star, name) = value.strip_prefix("*.").map_or(("", value), |name| ("*.", name));
    let domain: Domain = name.parse().ok().filter(|domain: &Domain| domain.literal().is_none())?;
    Some(format!("{star}{domain}"))
}

fn room(mx: &[String], next: &str) -> bool {
    !mx.iter().any(|known| known == next) && mx.iter().map(String::len).sum::<usize>() + next.len() <= PATTERNS
}

/// The id that a domain's records name; None where there is no policy (RFC 8461 3.1): not exactly one record, or one that is wrong.
#[must_use]
pub fn id_of(records: &[String]) -> Option<String> {
    let mut ours = records.iter().filter(|record| record.starts_with("v=STSv1;") || record.as_str() == "v=STSv1");
    let (only, None) = (ours.next()?, ours.next()) else { return None };
    let mut fields = only.split(';').filter_map(|field| field.split_once('='));
    let id = fields.find(|(key, _)| key.trim() == "id").map(|(_, value)| value.trim())?;
    let is_id = (1..=32).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric());
    is_id.then(|| id.to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::super::matches_host;
    use super::*;

    const GOOD: &str =
        "version: STSv1\r\nmode: enforce\r\nmx: mail.example.com\r\nmx: *.example.net\r\nmax_age: 604800\r\n";

    #[test]
    fn a_policy_is_read_with_either_line_end_and_with_keys_of_others() {
        let policy = StsPolicy::parse(GOOD).unwrap();
        assert_eq!((policy.mode, policy.max_age.as_secs()), (StsMode::Enforce, 604_800));
        assert_eq!(StsPolicy::parse(&GOOD.replace("\r\n", "\n")), Ok(policy.clone()));
        assert_eq!(StsPolicy::parse(&format!("{GOOD}colour: blue\r\nmode: none\r\nmax_age: 1\r\n")), Ok(policy));
    }

    #[test]
    fn a_star_is_the_left_most_label_and_nothing_else() {
        let policy = StsPolicy::parse(GOOD).unwrap();
        let lists = |host: &str| policy.mx.iter().any(|pattern| matches_host(pattern, host));
        assert!(lists("mail.example.com") && lists("MX1.example.net"));
        assert!(
            !lists("example.net")
                && !lists("a.b.example.net")
                && !lists("evilexample.net")
                && !lists("x.mail.example.com")
        );
    }

    #[test]
    fn what_is_no_policy_says_why() {
        for (from, to) in [
            ("STSv1", "STSv2"),
            ("version: STSv1\r\n", ""),
            ("enforce", "strict"),
            ("mode: enforce\r\n", ""),
            ("604800", "a week"),
            ("604800", "99999999999999999999"),
            ("max_age: 604800", "max_age:"),
            ("mx: mail.example.com\r\nmx: *.example.net\r\n", ""),
            ("mx: mail", "mx mail"),
        ] {
            assert!(StsPolicy::parse(&GOOD.replace(from, to)).is_err(), "{from} -> {to}");
        }
        let none = StsPolicy::parse("version: STSv1\nmode: none\nmax_age: 99999999\n").unwrap();
        assert_eq!((none.mode, none.max_age.as_secs()), (StsMode::None, LONGEST), "no more than a year");
    }

    #[test]
    fn what_is_no_name_of_a_host_is_left_out() {
        let listed = |value: &str| StsPolicy::parse(&format!("{GOOD}mx: {value}\n")).unwrap().mx.len() - 2;
        assert_eq!((listed("mx3.example.org."), listed("*.example.org"), listed("mail.example.com")), (1, 1, 0));
        for none in ["\u{1b}]0;x\u{7}", "*", "a.*.example", "[192.0.2.1]", "*.*.example", "a b.example", ""] {
            assert_eq!(listed(none), 0, "{none:?}");
        }
        let many: String = (0..1_000).map(|n| format!("mx: host-{n}.example.org\n")).collect();
        let kept = StsPolicy::parse(&format!("{GOOD}{many}")).unwrap().mx;
        assert!(kept.iter().map(String::len).sum::<usize>() <= PATTERNS, "{}", kept.len());
    }

    #[test]
    fn one_record_names_an_id_and_anything_else_names_none() {
        let id = |records: &[&str]| id_of(&records.iter().map(|r| (*r).to_owned()).collect::<Vec<_>>());
        assert_eq!(id(&["v=STSv1; id=20260101T000000;"]).as_deref(), Some("20260101T000000"));
        assert_eq!(id(&["other", "v=STSv1; x=y; id=1"]).as_deref(), Some("1"));
        for none in
            [&[][..], &["v=STSv1;"], &["v=STSv1; id=a b;"], &["v=STSv1; id=;"], &["v=STSv1; id=1;", "v=STSv1; id=2;"]]
        {
            assert_eq!(id(none), None, "{none:?}");
        }
        assert_eq!(id(&["v=STSv11; id=1;"]), None);
        assert_eq!(id(&[&format!("v=STSv1; id={};", "a".repeat(33))]), None);
    }
}

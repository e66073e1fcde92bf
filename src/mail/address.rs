//! Addresses: `Domain`, `Mailbox`, `ReversePath`, parsed once and printed so that they parse to the same again.
//!
//! Called by the SMTP sessions, policy and configuration. Promises: a `Domain` is compared as A-label, in lower case,
//! without trailing dot; a local part keeps its quotes as they were written, so that it can be sent on without injection.
//! Fails by `AddressError`, which says what is wrong in words for a reply.

use super::text::is_disturbing;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;
use std::sync::Arc;

/// Why a text is no address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressError {
    Empty,
    NoAt,
    LocalPart,
    LocalPartTooLong,
    Domain,
    DomainTooLong,
    Literal,
}

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            AddressError::Empty => "the address is empty",
            AddressError::NoAt => "the address has no @",
            AddressError::LocalPart => "the part before the @ is not valid",
            AddressError::LocalPartTooLong => "the part before the @ is longer than 64 octets",
            AddressError::Domain => "the domain is not valid",
            AddressError::DomainTooLong => "the domain is longer than 255 octets",
            AddressError::Literal => "the address literal is not valid",
        })
    }
}

impl std::error::Error for AddressError {}

/// A mail domain: A-labels in lower case without trailing dot, or an address literal in brackets.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Domain(Arc<str>);

impl Domain {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address in brackets, if this is a literal.
    #[must_use]
    pub fn literal(&self) -> Option<IpAddr> {
        let inner = self.0.strip_prefix('[')?.strip_suffix(']')?;
        match inner.strip_prefix("ipv6:") {
            Some(v6) => v6.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
            None => inner.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
        }
    }

    /// Whether `self` is a sub-domain of `parent` at any depth, and not `parent` itself.
    #[must_use]
    pub fn is_below(&self, parent: &str) -> bool {
        // Label boundaries: `evilnhs.net` is not below `nhs.net`.
        self.0.strip_suffix(parent).is_some_and(|rest| rest.ends_with('.') && rest.len() > 1)
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for Domain {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Domain, AddressError> {
        if text.is_empty() {
            return Err(AddressError::Domain);
        }
        if text.len() > 255 {
            return Err(AddressError::DomainTooLong); // RFC 5321 4.5.3.1.2
        }
        if text.starts_with('[') {
            return literal(text);
        }
        let bare = text.strip_suffix('.').unwrap_or(text);
        if is_plain(bare) {
            return Ok(Domain(bare.to_ascii_lowercase().into()));
        }
        let ascii = idna::domain_to_ascii_strict(bare).map_err(|_| AddressError::Domain)?;
        if is_plain(&ascii) { Ok(Domain(ascii.into())) } else { Err(AddressError::Domain) }
    }
}

/// RFC 5321 4.1.3: `[192.0.2.1]` and `[IPv6:2001:db8::1]`.
fn literal(text: &str) -> Result<Domain, AddressError> {
    let lower = text.to_ascii_lowercase();
    let inner = lower.strip_prefix('[').and_then(|t| t.strip_suffix(']')).ok_or(AddressError::Literal)?;
    let good = match inner.strip_prefix("ipv6:") {
        Some(v6) => v6.parse::<Ipv6Addr>().is_ok(),
        None => inner.parse::<Ipv4Addr>().is_ok(),
    };
    if good { Ok(Domain(lower.into())) } else { Err(AddressError::Literal) }
}

/// Letters, digits, hyphens and (seen in the wild) underscores in labels of 1 to 63 octets. A label in the form of an
/// A-label is left to IDNA, which refuses what is none.
fn is_plain(text: &str) -> bool {
    !text.is_empty()
        && text.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
                && !label.starts_with('-')
                && !label.ends_with('-')
        })
}

impl TryFrom<String> for Domain {
    type Error = AddressError;
    fn try_from(text: String) -> Result<Domain, AddressError> {
        text.parse()
    }
}

impl From<Domain> for String {
    fn from(domain: Domain) -> String {
        domain.0.as_ref().to_owned()
    }
}

/// A local part at a domain. The local part is kept as it was written, quotes and all.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Mailbox {
    local: Arc<str>,
    domain: Domain,
}

impl Mailbox {
    /// A mailbox at `domain`; `local` as it would be written in a path.
    ///
    /// # Errors
    /// When `local` is neither a dot-atom nor a quoted string, or too long.
    pub fn new(local: &str, domain: Domain) -> Result<Mailbox, AddressError> {
        if local.len() > 64 {
            return Err(AddressError::LocalPartTooLong); // RFC 5321 4.5.3.1.1
        }
        if is_dot_atom(local) || is_quoted(local) {
            Ok(Mailbox { local: local.into(), domain })
        } else {
            Err(AddressError::LocalPart)
        }
    }

    /// As written, with its quotes.
    #[must_use]
    pub fn local(&self) -> &str {
        &self.local
    }

    #[must_use]
    pub fn domain(&self) -> &Domain {
        &self.domain
    }

    /// Without SMTPUTF8 the local part cannot be sent on (RFC 6531 3.5).
    #[must_use]
    pub fn is_international(&self) -> bool {
        !self.local.is_ascii()
    }

    /// The same mailbox for comparisons: quotes and escapes undone, in lower case. Never sent anywhere.
    #[must_use]
    pub fn key(&self) -> String {
        let mut key = String::with_capacity(self.local.len() + self.domain.0.len() + 1);
        let inner = self.local.strip_prefix('"').and_then(|l| l.strip_suffix('"'));
        let mut escaped = false;
        for c in inner.unwrap_or(&self.local).chars() {
            if c == '\\' && inner.is_some() && !escaped {
                escaped = true;
                continue;
            }
            escaped = false;
            key.extend(c.to_lowercase());
        }
        key.push('@');
        key.push_str(&self.domain.0);
        key
    }
}

/// RFC 5321 4.1.2 `Dot-string`, lenient about where the dots stand: what is sent on is what was written.
fn is_dot_atom(local: &str) -> bool {
    !local.is_empty() && local.chars().all(|c| c == '.' || is_atext(c))
}

fn is_atext(c: char) -> bool {
    c.is_ascii_alphanumeric()
        || "!#$%&'*+-/=?^_`{|}~".contains(c)
        || (!c.is_ascii() && !is_disturbing(c) && !c.is_whitespace())
}

/// RFC 5321 4.1.2 `Quoted-string`: printable characters, with backslash before a quote or a backslash.
fn is_quoted(local: &str) -> bool {
    let Some(inner) = local.strip_prefix('"').and_then(|l| l.strip_suffix('"')).filter(|_| local.len() >= 2) else {
        return false;
    };
    let mut escaped = false;
    for c in inner.chars() {
        if is_disturbing(c) || (!escaped && c == '"') {
            return false;
        }
        escaped = c == '\\' && !escaped;
    }
    !escaped
}

impl fmt::Display for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.local, self.domain)
    }
}

impl FromStr for Mailbox {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Mailbox, AddressError> {
        if text.is_empty() {
            return Err(AddressError::Empty);
        }
        // A quoted local part may hold an @: the last one divides, for a domain never has one.
        let (local, domain) = text.rsplit_once('@').ok_or(AddressError::NoAt)?;
        Mailbox::new(local, domain.parse()?)
    }
}

impl TryFrom<String> for Mailbox {
    type Error = AddressError;
    fn try_from(text: String) -> Result<Mailbox, AddressError> {
        text.parse()
    }
}

impl From<Mailbox> for String {
    fn from(mailbox: Mailbox) -> String {
        mailbox.to_string()
    }
}

/// MAIL's path: a mailbox, or null for notices, which nobody may answer (RFC 5321 4.5.5).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum ReversePath {
    Null,
    Mailbox(Mailbox),
}

impl ReversePath {
    #[must_use]
    pub fn mailbox(&self) -> Option<&Mailbox> {
        match self {
            ReversePath::Null => None,
            ReversePath::Mailbox(mailbox) => Some(mailbox),
        }
    }

    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, ReversePath::Null)
    }
}

impl fmt::Display for ReversePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReversePath::Null => Ok(()),
            ReversePath::Mailbox(mailbox) => mailbox.fmt(f),
        }
    }
}

impl FromStr for ReversePath {
    type Err = AddressError;
    fn from_str(text: &str) -> Result<ReversePath, AddressError> {
        if text.is_empty() { Ok(ReversePath::Null) } else { text.parse().map(ReversePath::Mailbox) }
    }
}

impl TryFrom<String> for ReversePath {
    type Error = AddressError;
    fn try_from(text: String) -> Result<ReversePath, AddressError> {
        text.parse()
    }
}

impl From<ReversePath> for String {
    fn from(path: ReversePath) -> String {
        path.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn domain(text: &str) -> Result<String, AddressError> {
        text.parse::<Domain>().map(String::from)
    }

    #[test]
    fn domains_are_compared_as_lower_case_a_labels_without_trailing_dot() {
        assert_eq!(domain("NHS.net."), Ok("nhs.net".into()));
        assert_eq!(domain("bücher.example"), Ok("xn--bcher-kva.example".into()));
        // a homograph (Cyrillic ie) is another domain
        assert_ne!(domain("nhs.n\u{0435}t"), Ok("nhs.net".into()));
    }

    #[test]
    fn sub_domains_end_at_label_boundaries() {
        let below = |d: &str| d.parse::<Domain>().is_ok_and(|d| d.is_below("nhs.net"));
        assert!(below("a.nhs.net") && below("a.b.nhs.net"));
        assert!(!below("evilnhs.net") && !below("nhs.net") && !below("nhs.net.example"));
    }

    #[test]
    fn literals_are_addresses_in_brackets() {
        assert_eq!("[192.0.2.1]".parse::<Domain>().ok().and_then(|d| d.literal()), "192.0.2.1".parse().ok());
        assert_eq!("[IPv6:2001:db8::1]".parse::<Domain>().ok().and_then(|d| d.literal()), "2001:db8::1".parse().ok());
        for wrong in ["[192.0.2]", "[", "[]", "[192.0.2.1", "[2001:db8::1]", "[tag:x]"] {
            assert!(wrong.parse::<Domain>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_printed_parses_to_the_same() {
        for text in [
            "a@b.example",
            "\"a b\"@b.example",
            "\"x> NOTIFY=NEVER\"@e.example",
            "\"a@evil.example\"@e.example",
            "é@b.example",
        ] {
            let mailbox: Mailbox = text.parse().unwrap();
            assert_eq!(mailbox.to_string(), text);
            assert_eq!(mailbox.to_string().parse(), Ok(mailbox));
        }
    }

    #[test]
    fn what_is_no_mailbox_is_refused() {
        let long = format!("{}@b.example", "a".repeat(65));
        for wrong in [
            "",
            "a",
            "@b.example",
            "a b@c.example",
            "a@",
            "a@b..c",
            "a@-b.c",
            "\"a@b.c",
            "\"a\"b\"@c.d",
            "\"a\\\"@b.c",
            "a\r\n@b.c",
            "a<b@c.d",
            "a@b.c\0",
            "a@b c",
            "\"@b.c",
            long.as_str(),
        ] {
            assert!(wrong.parse::<Mailbox>().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn keys_undo_quotes_and_case() {
        let key = |t: &str| t.parse::<Mailbox>().map(|m| m.key());
        assert_eq!(key("\"Dr\\.Jones\"@B.example"), key("dr.jones@b.example"));
    }

    #[test]
    fn the_null_reverse_path_is_no_mailbox() {
        assert_eq!("".parse(), Ok(ReversePath::Null));
        assert!(ReversePath::Null.mailbox().is_none());
    }
}

//! What a peer offers in its EHLO reply, and whether a message can go there.
//!
//! Called by `client`. Promises: an unknown keyword is passed over, and what was not offered is never used. Fails by the
//! `Reason` why a message cannot go.

use crate::mail::{Body, Envelope};
use crate::smtp::Security;
use crate::smtp::reply::Reply;
use crate::vocabulary::Reason;

/// The extensions that we use. A HELO peer has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Offer {
    pub pipelining: bool,
    pub starttls: bool,
    /// Something between overwrites what it offers with X (Cisco's ESMTP inspection).
    pub masked: bool,
    pub size_known: bool,
    /// The largest message, where the peer names a limit.
    pub size: Option<u64>,
    pub eight_bit: bool,
    pub smtputf8: bool,
    pub dsn: bool,
    pub chunking: bool,
    /// It sends on as REQUIRETLS asks (RFC 8689 2), said inside TLS.
    pub require_tls: bool,
    pub limits: Limits,
    pub logins: Logins,
}

/// Mechanisms of AUTH that we know, inside TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Logins {
    pub plain: bool,
    pub login: bool,
}

impl Logins {
    fn of(value: &str) -> Logins {
        let offers = |name: &str| value.split_ascii_whitespace().any(|word| word.eq_ignore_ascii_case(name));
        Logins { plain: offers("PLAIN"), login: offers("LOGIN") }
    }
}

/// RFC 9422: what the peer bounds. A limit that is missing or unreadable is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// MAILMAX: MAIL commands in one session.
    pub mail: Option<u32>,
    /// RCPTMAX: RCPT commands in one transaction.
    pub rcpt: Option<u32>,
    /// RCPTDOMAINMAX: different domains of recipients in one session.
    pub domains: Option<u32>,
}

impl Limits {
    fn of(value: &str) -> Limits {
        let mut limits = Limits::default();
        for (name, number) in value.split_ascii_whitespace().filter_map(|limit| limit.split_once('=')) {
            // RFC 9422 3: one to six digits, never zero.
            let digits = (1..=6).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit());
            let number = number.parse().ok().filter(|n| digits && *n > 0);
            match name.to_ascii_uppercase().as_str() {
                "MAILMAX" => limits.mail = number,
                "RCPTMAX" => limits.rcpt = number,
                "RCPTDOMAINMAX" => limits.domains = number,
                _ => {}
            }
        }
        limits
    }
}

/// A keyword overwritten with X, all of it or all but its last letter.
fn is_masked(keyword: &str) -> bool {
    let rest = keyword.trim_start_matches('X');
    keyword.len() - rest.len() >= 3 && rest.len() <= 1
}

impl Offer {
    pub(super) fn of(reply: &Reply, link: Security) -> Offer {
        let mut offer = Offer::default();
        for line in reply.lines().skip(1) {
            let (keyword, value) = line.split_once([' ', '=']).unwrap_or((line, ""));
            match keyword.to_ascii_uppercase().as_str() {
                "PIPELINING" => offer.pipelining = true,
                // RFC 3207 4.2: inside TLS the word means nothing.
                "STARTTLS" => offer.starttls = link == Security::Clear,
                "SIZE" => {
                    offer.size_known = true;
                    // RFC 1870 4: zero, or nothing, is no fixed limit.
                    offer.size = value.trim().parse().ok().filter(|size| *size > 0);
                }
                "8BITMIME" => offer.eight_bit = true,
                "SMTPUTF8" => offer.smtputf8 = true,
                "DSN" => offer.dsn = true,
                "CHUNKING" => offer.chunking = true,
                // RFC 8689 2: what is said outside TLS is no offer.
                "REQUIRETLS" => offer.require_tls = link == Security::Tls,
                "AUTH" if link == Security::Tls => offer.logins = Logins::of(value),
                "LIMITS" => offer.limits = Limits::of(value),
                other => offer.masked |= is_masked(other),
            }
        }
        offer
    }

    /// Why a message cannot go to this peer.
    pub(super) fn obstacle(&self, envelope: &Envelope, size: u64) -> Option<Reason> {
        let international = envelope.smtputf8
            || envelope.reverse_path.mailbox().is_some_and(|m| m.is_international())
            || envelope.recipients.iter().any(|r| r.mailbox.is_international());
        if envelope.recipients.is_empty() {
            Some(Reason::ProtocolError)
        } else if envelope.goes_by_require_tls_only() && !self.require_tls {
            Some(Reason::RequireTlsNotOffered)
        } else if international && !self.smtputf8 {
            Some(Reason::SmtpUtf8NotOffered)
        } else if envelope.body == Body::EightBitMime && !self.eight_bit {
            Some(Reason::EightBitNotOffered)
        } else if self.size.is_some_and(|limit| size > limit) {
            Some(Reason::MessageTooLarge)
        } else {
            None
        }
    }
}

//! The closed enums that all rooms share, each value with its one printed name.
//!
//! Called by every room. Promises: a value prints and parses as one kebab-case name, the same in log, metric, DSN, JSON
//! and `explain`. Fails by `UnknownName`, which lists what would have been understood.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// A name that is not in the vocabulary, with the names that are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownName {
    pub written: String,
    pub known: &'static [&'static str],
}

impl fmt::Display for UnknownName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown name `{}`, expected one of {}", self.written, self.known.join(", "))
    }
}

impl std::error::Error for UnknownName {}

/// Declares a closed enum whose values have one printed name each.
macro_rules! closed {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $value:ident = $text:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$vmeta])* $value,)+ }

        impl $name {
            /// Every value, in the order of the declaration.
            pub const ALL: &'static [$name] = &[$($name::$value,)+];
            /// Every printed name, in the same order.
            pub const NAMES: &'static [&'static str] = &[$($text,)+];

            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $($name::$value => $text,)+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.pad(self.name()) }
        }

        impl FromStr for $name {
            type Err = UnknownName;
            fn from_str(text: &str) -> Result<Self, UnknownName> {
                match text {
                    $($text => Ok($name::$value),)+
                    _ => Err(UnknownName { written: text.to_owned(), known: Self::NAMES }),
                }
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> { s.serialize_str(self.name()) }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                std::borrow::Cow::<'de, str>::deserialize(d)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

mod finding;
mod reason;

pub use finding::{FindingKind, OwnName};
pub use reason::Reason;

closed! {
    /// Which way a message travels, seen from the site.
    Direction {
        /// From a site's client to a foreign domain.
        Outbound = "outbound",
        /// From anybody else to a site's domain.
        Inbound = "inbound",
        /// From a site's client to a site's domain.
        Internal = "internal",
    }
}

closed! {
    /// What must hold, or what was reached, from weak to strong.
    Level {
        /// The best TLS that the peer offers, clear text if it offers none.
        Any = "any",
        /// TLS 1.2 or later; the peer is not proved.
        Encrypted = "encrypted",
        /// The peer proved itself.
        Verified = "verified",
        /// The message itself is encrypted to its reader, or stays here.
        Sealed = "sealed",
    }
}

closed! {
    /// How a peer proved itself.
    Proof {
        Nothing = "none",
        /// Its key or issuer is one that the domain publishes in signed DNS (RFC 7672).
        Dane = "dane",
        /// Its certificate is valid for one of the hosts that the domain's MTA-STS policy lists (RFC 8461).
        MtaSts = "mta-sts",
        /// Its certificate is valid under the public roots for a name that policy lists.
        Pkix = "pkix",
        /// Its key is one that policy or configuration pins.
        Pin = "pin",
    }
}

closed! {
    /// What a domain says of its MTA-STS policy (RFC 8461 5).
    StsMode {
        /// Mail goes to its hosts alone, and only if they prove themselves.
        Enforce = "enforce",
        /// It wants reports, and proves nothing.
        Testing = "testing",
        /// It has no policy any more.
        None = "none",
    }
}

closed! {
    /// How fetching an MTA-STS policy ended.
    FetchResult {
        Ok = "ok",
        /// The policy host cannot be looked up, or has a private address.
        Dns = "dns",
        Connect = "connect",
        /// TLS failed, or the certificate is not valid for the policy host.
        Tls = "tls",
        Timeout = "timeout",
        Redirect = "redirect",
        Http = "http",
        WrongType = "wrong-type",
        TooLong = "too-long",
        Syntax = "syntax",
    }
}

closed! {
    /// What of ours makes many unrelated destinations fail alike.
    Cause {
        /// The offer of encryption is taken away on the way.
        Firewall = "firewall",
        /// TLS is broken, or opened, on the way.
        Proxy = "proxy",
        Clock = "clock",
        Resolver = "resolver",
        Network = "network",
    }
}

impl Cause {
    /// Why mail waits while this is the matter.
    #[must_use]
    pub const fn reason(self) -> Reason {
        match self {
            Cause::Firewall => Reason::OurFirewall,
            Cause::Proxy => Reason::OurProxy,
            Cause::Clock => Reason::OurClock,
            Cause::Resolver => Reason::OurResolver,
            Cause::Network => Reason::OurNetwork,
        }
    }

    /// Whether a failure looks like this.
    #[must_use]
    pub const fn explains(self, reason: Reason) -> bool {
        use Reason as R;
        match self {
            Cause::Firewall => matches!(reason, R::TlsMasked | R::StrippingSuspected | R::TlsNotOffered),
            Cause::Proxy => matches!(
                reason,
                R::StrippingSuspected
                    | R::TlsRefused
                    | R::TlsHandshakeFailed
                    | R::TlsVersionTooOld
                    | R::TlsNoCommonCipher
                    | R::TlsReset
                    | R::TlsStalled
                    | R::CertificateUnknownIssuer
                    | R::CertificateSelfSigned
                    | R::CertificateWrongName
                    | R::CertificateInvalid
                    | R::PinMismatch
                    | R::TlsaMismatch
            ),
            Cause::Clock => matches!(reason, R::CertificateExpired | R::CertificateNotYetValid),
            Cause::Resolver => matches!(reason, R::DnsTempfail | R::DnsBogus),
            Cause::Network => {
                matches!(
                    reason,
                    R::ConnectionTimedOut | R::NetworkUnreachable | R::ConnectionRefused | R::ConnectionLost
                )
            }
        }
    }
}

closed! {
    /// How sure the recogniser is.
    Confidence { Low = "low", Medium = "medium", High = "high", }
}

impl Confidence {
    /// The factor on a class's weight (policy-language: low 0.3, medium 0.6, high 1).
    #[must_use]
    pub const fn factor(self) -> f64 {
        match self {
            Confidence::Low => 0.3,
            Confidence::Medium => 0.6,
            Confidence::High => 1.0,
        }
    }
}

closed! {
    /// What policy decides for one recipient.
    Fate {
        Send = "send",
        /// Direct path, still within `wait`.
        Defer = "defer",
        /// Accepted, kept, still attempted; people are told.
        Hold = "hold",
        /// 550 5.7.10 at the dot where it is known by then, a DSN otherwise.
        Reject = "reject",
        /// 550 5.7.1 by a rule's own text.
        Refuse = "refuse",
    }
}

closed! {
    /// What happened to one recipient.
    Outcome {
        Delivered = "delivered",
        Deferred = "deferred",
        Failed = "failed",
        Expired = "expired",
        /// Never accepted: the sender's own server still has it.
        Rejected = "rejected",
    }
}

closed! {
    /// What to do when no admissible way is left.
    Otherwise { Hold = "hold", Reject = "reject", }
}

closed! {
    /// Whether a rule decides or only counts.
    Mode { Enforce = "enforce", Monitor = "monitor", }
}

closed! {
    /// What becomes of the Subject in notices and DSNs, from mild to strict.
    SubjectCare { Keep = "keep", Scrub = "scrub", Replace = "replace", }
}

closed! {
    /// Whose fault something is.
    Fault {
        Nobody = "nobody", Sender = "sender", Peer = "peer", Network = "network",
        Resolver = "resolver", Us = "us", Policy = "policy",
    }
}

/// A way to raise a message's protection. Rungs that this version cannot serve parse, and are passed over with that reason.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rung {
    Relay(Arc<str>),
    Smime,
    Openpgp,
    Portal,
}

impl Rung {
    pub const NAMES: &'static [&'static str] = &["relay:NAME", "smime", "openpgp", "portal"];
}

impl fmt::Display for Rung {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Rung::Relay(name) => write!(f, "relay:{name}"),
            Rung::Smime => f.pad("smime"),
            Rung::Openpgp => f.pad("openpgp"),
            Rung::Portal => f.pad("portal"),
        }
    }
}

impl FromStr for Rung {
    type Err = UnknownName;
    fn from_str(text: &str) -> Result<Self, UnknownName> {
        match (text, text.strip_prefix("relay:")) {
            ("smime", _) => Ok(Rung::Smime),
            ("openpgp", _) => Ok(Rung::Openpgp),
            ("portal", _) => Ok(Rung::Portal),
            (_, Some(name)) if !name.is_empty() => Ok(Rung::Relay(name.into())),
            _ => Err(UnknownName { written: text.to_owned(), known: Self::NAMES }),
        }
    }
}

impl Serialize for Rung {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_ordered_from_weak_to_strong() {
        assert!(Level::Any < Level::Encrypted && Level::Encrypted < Level::Verified && Level::Verified < Level::Sealed);
    }

    #[test]
    fn a_relay_rung_needs_a_name() {
        assert!("relay:".parse::<Rung>().is_err());
        assert_eq!("relay:hub".parse::<Rung>().map(|r| r.to_string()), Ok("relay:hub".into()));
    }
}

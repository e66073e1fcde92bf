//! The machine-readable why: one name in log, metric, DSN, JSON and `explain`, with whose fault it is and its words.
//!
//! Called by every room. Promises: every reason has a fault and words. Never fails.

use super::{Fault, UnknownName};
use Reason as R;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

const SEALING_NOT_POSSIBLE: &str =
    "the message would have to be sealed for its reader, and no way to seal it is available";

const BARE_LINE_ENDING: &str =
    "the message as our gateway keeps it has a line ending that must not be sent, so it has to be sent again";

closed! {
    /// The machine-readable why: one name in log, metric, DSN, JSON and `explain`.
    Reason {
        Delivered = "delivered",
        // policy
        RequirementMet = "requirement-met",
        RequirementNotMet = "requirement-not-met",
        SealingNotPossible = "sealing-not-possible",
        RefusedByRule = "refused-by-rule",
        RelayNotAllowedForClass = "relay-not-allowed-for-class",
        // link
        ConnectionRefused = "connection-refused",
        ConnectionTimedOut = "connection-timed-out",
        ConnectionLost = "connection-lost",
        NetworkUnreachable = "network-unreachable",
        GreetingRefused = "greeting-refused",
        ProtocolError = "protocol-error",
        LoginRefused = "login-refused",
        // TLS
        TlsNotOffered = "tls-not-offered",
        TlsMasked = "tls-masked",
        TlsRefused = "tls-refused",
        TlsHandshakeFailed = "tls-handshake-failed",
        TlsStalled = "tls-stalled",
        TlsReset = "tls-reset",
        TlsVersionTooOld = "tls-version-too-old",
        TlsNoCommonCipher = "tls-no-common-cipher",
        CertificateExpired = "certificate-expired",
        CertificateNotYetValid = "certificate-not-yet-valid",
        CertificateWrongName = "certificate-wrong-name",
        CertificateSelfSigned = "certificate-self-signed",
        CertificateUnknownIssuer = "certificate-unknown-issuer",
        CertificateInvalid = "certificate-invalid",
        PinMismatch = "pin-mismatch",
        HostNotListed = "host-not-listed",
        NoProofSource = "no-proof-source",
        TlsaMismatch = "tlsa-mismatch",
        StrippingSuspected = "stripping-suspected",
        RequireTlsNotOffered = "requiretls-not-offered",
        // many unrelated destinations fail alike
        OurFirewall = "our-firewall",
        OurProxy = "our-proxy",
        OurClock = "our-clock",
        OurResolver = "our-resolver",
        OurNetwork = "our-network",
        // names
        DnsTempfail = "dns-tempfail",
        DnsBogus = "dns-bogus",
        DnssecNotValidated = "dnssec-not-validated",
        NoSuchDomain = "no-such-domain",
        NullMx = "null-mx",
        NoAddress = "no-address",
        AddressNotAllowed = "address-not-allowed",
        // the peer's replies
        SenderDeferred = "sender-deferred",
        SenderRefused = "sender-refused",
        RecipientDeferred = "recipient-deferred",
        RecipientRefused = "recipient-refused",
        MessageDeferred = "message-deferred",
        MessageRefused = "message-refused",
        SmtpUtf8NotOffered = "smtputf8-not-offered",
        EightBitNotOffered = "eight-bit-not-offered",
        MessageTooLarge = "message-too-large",
        // at the door
        RelayDenied = "relay-denied",
        ClientUnknown = "client-unknown",
        SenderNotOfSite = "sender-not-of-site",
        SiteLoop = "site-loop",
        LineEndingRefused = "line-ending-refused",
        MailLoop = "mail-loop",
        TooManyRecipients = "too-many-recipients",
        TooManySessions = "too-many-sessions",
        TooManyErrors = "too-many-errors",
        NoRoom = "no-room",
        StoreFailed = "store-failed",
        MessageDamaged = "message-damaged",
        BareLineEnding = "bare-line-ending",
        RecognitionBusy = "recognition-busy",
        NoPolicy = "no-policy",
        // queue
        HeldByOperator = "held-by-operator",
        EndedByOperator = "ended-by-operator",
        WayGone = "way-gone",
        Waiting = "waiting",
        Expired = "expired",
    }
}

impl Reason {
    /// Whose fault it is, as far as the symptom tells.
    #[must_use]
    pub const fn fault(self) -> Fault {
        match self {
            R::Delivered | R::RequirementMet | R::Waiting => Fault::Nobody,
            R::RequirementNotMet | R::SealingNotPossible | R::RefusedByRule => Fault::Policy,
            R::RelayNotAllowedForClass | R::NoProofSource => Fault::Policy,
            R::NoRoom | R::StoreFailed | R::MessageDamaged | R::BareLineEnding | R::RecognitionBusy => Fault::Us,
            R::HeldByOperator | R::EndedByOperator | R::LoginRefused | R::NoPolicy | R::WayGone => Fault::Us,
            R::ConnectionTimedOut | R::NetworkUnreachable | R::ConnectionLost => Fault::Network,
            R::TlsMasked | R::TlsReset | R::StrippingSuspected => Fault::Network,
            R::OurFirewall | R::OurProxy | R::OurClock | R::OurNetwork => Fault::Us,
            R::DnsTempfail | R::DnssecNotValidated | R::OurResolver => Fault::Resolver,
            R::RelayDenied | R::ClientUnknown | R::SenderNotOfSite | R::SiteLoop => Fault::Sender,
            R::LineEndingRefused | R::MailLoop | R::TooManyRecipients | R::TooManySessions | R::TooManyErrors => {
                Fault::Sender
            }
            _ => Fault::Peer,
        }
    }

    /// Whether it says that a link was there and was not good enough, or that nothing can make it so.
    #[must_use]
    pub const fn is_of_protection(self) -> bool {
        matches!(
            self,
            R::RequirementNotMet
                | R::SealingNotPossible
                | R::RelayNotAllowedForClass
                | R::TlsNotOffered
                | R::TlsMasked
                | R::TlsRefused
                | R::TlsHandshakeFailed
                | R::TlsStalled
                | R::TlsReset
                | R::TlsVersionTooOld
                | R::TlsNoCommonCipher
                | R::CertificateExpired
                | R::CertificateNotYetValid
                | R::CertificateWrongName
                | R::CertificateSelfSigned
                | R::CertificateUnknownIssuer
                | R::CertificateInvalid
                | R::PinMismatch
                | R::TlsaMismatch
                | R::StrippingSuspected
                | R::HostNotListed
                | R::NoProofSource
                | R::RequireTlsNotOffered
        )
    }

    /// What happened, in words that follow "because": for notices, logs and people.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            R::Delivered => "the next server took responsibility for it",
            R::RequirementMet => "the link holds what the policy requires",
            R::RequirementNotMet => "the receiving server cannot give the protection that the policy requires",
            R::SealingNotPossible => SEALING_NOT_POSSIBLE,
            R::RefusedByRule => "a policy rule refuses it",
            R::RelayNotAllowedForClass => "the relay is not approved to carry this kind of message",
            R::ConnectionRefused => "the receiving server refused the connection",
            R::ConnectionTimedOut => "the receiving server did not answer in time",
            R::ConnectionLost => "the connection to the receiving server was lost",
            R::NetworkUnreachable => "the receiving server cannot be reached from here",
            R::GreetingRefused => "the receiving server does not take mail at the moment",
            R::ProtocolError => "the receiving server did not follow the mail protocol",
            R::LoginRefused => "the relay does not take the gateway's name and password",
            R::SenderDeferred => "the receiving server put the sender off",
            R::SenderRefused => "the receiving server refused the sender",
            R::RecipientDeferred => "the receiving server put the recipient off",
            R::RecipientRefused => "the receiving server refused the recipient",
            R::MessageDeferred => "the receiving server put the message off",
            R::MessageRefused => "the receiving server refused the message",
            R::SmtpUtf8NotOffered => "the receiving server cannot handle international addresses",
            R::EightBitNotOffered => "the receiving server cannot handle 8-bit content",
            R::MessageTooLarge => "the message is larger than the receiving server takes",
            R::RelayDenied => "relaying is not allowed",
            R::ClientUnknown => "the client is in no site's network",
            R::SenderNotOfSite => "the sender's domain is not one of the site's",
            R::SiteLoop => "the site's own server sends it to be delivered to that very server",
            R::LineEndingRefused => "the message came with a CR or LF on its own, or with a NUL",
            R::MailLoop => "the message goes round in a loop",
            R::TooManyRecipients => "the message has more recipients than are taken at once",
            R::TooManySessions => "the client, or all clients together, have too many sessions open",
            R::TooManyErrors => "the client made too many errors or sent too many idle commands",
            R::NoRoom => "there is no room to keep the message",
            R::StoreFailed => "the message could not be kept safely",
            R::MessageDamaged => "the message was damaged on the disk of our gateway, so it has to be sent again",
            R::BareLineEnding => BARE_LINE_ENDING,
            R::RecognitionBusy => "the message could not be read at the moment",
            R::NoPolicy => "no policy is in force at our gateway, so nobody can say what must hold",
            R::HeldByOperator => "somebody who looks after this mail gateway keeps it back",
            R::EndedByOperator => "somebody who looks after this mail gateway ended its delivery",
            R::WayGone => {
                "the site or relay that it was for is gone from our gateway, so somebody has to say where it goes"
            }
            R::Waiting => "it waits for its next attempt",
            R::Expired => "it could not be delivered in the time allowed",
            reason => reason.words_of_protection(),
        }
    }

    /// The same of names, TLS and proof.
    const fn words_of_protection(self) -> &'static str {
        match self {
            R::TlsNotOffered => "the receiving server does not offer encryption",
            R::TlsMasked => {
                "a firewall on the way, perhaps our own, overwrites the receiving server's offer of encryption"
            }
            R::TlsRefused => "the receiving server offers encryption but refused to start it",
            R::TlsHandshakeFailed => "encryption with the receiving server could not be set up",
            R::TlsStalled => "the receiving server stopped answering while encryption was set up",
            R::TlsReset => "the connection was broken off while encryption was set up",
            R::TlsVersionTooOld => "the receiving server speaks only a version of TLS that is too old",
            R::TlsNoCommonCipher => "the receiving server has no cipher that is good enough",
            R::CertificateExpired => "the receiving server's certificate has expired",
            R::CertificateNotYetValid => "the receiving server's certificate is not valid yet",
            R::CertificateWrongName => "the receiving server's certificate is for another name",
            R::CertificateSelfSigned => "the receiving server's certificate is self-signed",
            R::CertificateUnknownIssuer => "the receiving server's certificate comes from an unknown issuer",
            R::CertificateInvalid => "the receiving server's certificate is not valid",
            R::PinMismatch => "the receiving server's key is not one of the pinned keys",
            R::HostNotListed => "the domain's mail host is not one of those that the policy lists",
            R::TlsaMismatch => "the receiving server's key is not the one that its domain publishes",
            R::StrippingSuspected => {
                "the receiving server offers less protection than it did before, and somebody on the way may have taken it away"
            }
            R::OurFirewall => {
                "encryption is missing at many unrelated servers at once: a firewall of ours seems to take it away"
            }
            R::OurProxy => "encryption fails with many unrelated servers at once: something of ours seems to break it",
            R::OurClock => {
                "the certificates of many unrelated servers seem out of date at once: our clock may be wrong"
            }
            R::OurResolver => "many unrelated domains cannot be looked up: our resolver seems to fail",
            R::OurNetwork => "many unrelated servers cannot be reached: our network seems to fail",
            R::RequireTlsNotOffered => {
                "the receiving server does not promise to pass it on over encrypted connections only, as the message asks (REQUIRETLS)"
            }
            R::NoProofSource => "nothing says how the receiving server could prove itself",
            R::DnssecNotValidated => {
                "our resolver does not check signatures in the DNS at the moment, so nothing can be proved by them"
            }
            R::DnsBogus => "the signatures of the domain's entries in the DNS do not hold",
            R::DnsTempfail => "the domain's mail servers could not be looked up at the moment",
            R::NoSuchDomain => "the domain does not exist",
            R::NullMx => "the domain says that it takes no mail",
            R::NoAddress => "the domain has no mail server with an address",
            R::AddressNotAllowed => "the domain's mail server has a private or local address",
            _ => "the receiving server cannot give the protection that is required",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_parses_to_its_value() {
        for (value, name) in Reason::ALL.iter().zip(Reason::NAMES) {
            assert_eq!(name.parse::<Reason>().as_ref(), Ok(value));
            assert!(!value.words().is_empty());
        }
    }
}

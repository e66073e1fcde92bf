//! How TLS fails: `TlsError` for our own certificate, key and roots; `TlsFailure` for one handshake.
//!
//! Called by everything in `tls`. Promises: an error names the file and what to do; a failure's detail is for the log and
//! never holds more than 200 characters of what the peer sent.

use crate::vocabulary::Reason;
use rustls::{AlertDescription, Error, PeerIncompatible};
use std::fmt;
use std::io;
use std::path::Path;

/// Something of ours is wrong: a file, a key, a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsError {
    what: String,
    hint: &'static str,
}

impl TlsError {
    pub(crate) fn new(what: impl Into<String>, hint: &'static str) -> TlsError {
        TlsError { what: what.into(), hint }
    }

    pub(crate) fn file(path: &Path, cause: &dyn fmt::Display, hint: &'static str) -> TlsError {
        TlsError::new(format!("{}: {cause}", path.display()), hint)
    }
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\nhint: {}", self.what, self.hint)
    }
}

impl std::error::Error for TlsError {}

/// A handshake that did not succeed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFailure {
    /// The public reason.
    pub reason: Reason,
    /// The private cause, for logs.
    pub detail: String,
}

impl TlsFailure {
    pub(crate) fn stalled(after: std::time::Duration) -> TlsFailure {
        let detail = format!("the handshake was not finished after {} ms", after.as_millis());
        TlsFailure { reason: Reason::TlsStalled, detail }
    }

    /// Tells a connection that went away from a peer that cannot or will not do our TLS, and what it says about why.
    pub(crate) fn from_io(error: &io::Error) -> TlsFailure {
        let of_tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
        let reason = of_tls.map_or(Reason::TlsReset, reason_of);
        TlsFailure { reason, detail: super::facts::printable(&error.to_string(), 200) }
    }
}

/// A `handshake_failure` can mean anything (RFC 8446 6.2).
fn reason_of(error: &Error) -> Reason {
    use PeerIncompatible as P;
    match error {
        Error::AlertReceived(AlertDescription::ProtocolVersion)
        | Error::PeerIncompatible(
            P::ServerDoesNotSupportTls12Or13
            | P::ServerTlsVersionIsDisabledByOurConfig
            | P::Tls12NotOffered
            | P::Tls12NotOfferedOrEnabled
            | P::SupportedVersionsExtensionRequired,
        ) => Reason::TlsVersionTooOld,
        Error::AlertReceived(AlertDescription::InsufficientSecurity)
        | Error::PeerIncompatible(P::NoCipherSuitesInCommon) => Reason::TlsNoCommonCipher,
        _ => Reason::TlsHandshakeFailed,
    }
}

impl fmt::Display for TlsFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.reason.words(), self.detail)
    }
}

impl std::error::Error for TlsFailure {}

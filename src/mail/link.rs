//! A link: one connection to a peer and what it achieved. Reported by `deliver`, judged by `policy::permit`.
//!
//! Promises: `level` follows from the facts alone, and is `verified` only where a proof is named.

use crate::vocabulary::{Level, Proof, Reason};
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;

/// TLS as it was negotiated. Below 1.2 there is none: it counts as clear text and is not offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum TlsVersion {
    #[serde(rename = "TLSv1.2")]
    Tls12,
    #[serde(rename = "TLSv1.3")]
    Tls13,
}

impl TlsVersion {
    pub const ALL: &'static [TlsVersion] = &[TlsVersion::Tls12, TlsVersion::Tls13];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            TlsVersion::Tls12 => "TLSv1.2",
            TlsVersion::Tls13 => "TLSv1.3",
        }
    }
}

/// What the handshake settled and what the peer showed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TlsFacts {
    pub version: TlsVersion,
    pub cipher: String,
    /// Names in the peer's certificate, at most 16.
    pub names: Vec<String>,
    /// RFC 3339.
    pub not_after: Option<String>,
    pub issuer: Option<String>,
    /// `sha256/BASE64` of the peer's public key (SPKI).
    pub spki: Option<String>,
}

/// One connection to a peer: who, and what was achieved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Unique in this process: a permit is for one link.
    pub id: u64,
    pub host: String,
    pub address: SocketAddr,
    pub tls: Option<TlsFacts>,
    pub proof: Proof,
    /// Why there is no more protection than there is: no TLS, or no proof.
    pub shortfall: Option<Reason>,
    /// What must hold for all mail, by what the peer publishes about itself.
    pub floor: Level,
    /// It offers less than it did before, and nobody has said that this is right.
    pub fallen: bool,
    /// Why mail with REQUIRETLS must not go over it; None: it holds what RFC 8689 2 asks of a session.
    pub no_require_tls: Option<Reason>,
}

impl Link {
    /// Its certificate has ended, and counts all the same because a group lets that pass for a while.
    #[must_use]
    pub fn is_in_grace(&self) -> bool {
        self.proof != Proof::Nothing && self.shortfall == Some(Reason::CertificateExpired)
    }

    /// What this link reached.
    #[must_use]
    pub fn level(&self) -> Level {
        match (&self.tls, self.proof) {
            (None, _) => Level::Any,
            (Some(_), Proof::Nothing) => Level::Encrypted,
            (Some(_), Proof::Dane | Proof::MtaSts | Proof::Pkix | Proof::Pin) => Level::Verified,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_without_tls_is_worth_nothing() {
        let link = Link {
            id: 1,
            host: "mx".into(),
            address: "127.0.0.1:25".parse().unwrap(),
            tls: None,
            proof: Proof::Pin,
            shortfall: None,
            floor: Level::Any,
            fallen: false,
            no_require_tls: None,
        };
        assert_eq!(link.level(), Level::Any);
    }
}

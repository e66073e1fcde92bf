//! How a peer proves itself: by what its domain publishes (DANE), by a certificate that public roots vouch for, or by a key that is pinned.
//!
//! Called by `deliver`, which shows the result to `policy::permit`. Promises: every source that exists must hold, so one
//! more source never weakens a proof; certificates are hostile input and bounded by the path builder. Fails by the
//! `Reason` of the first source that does not hold.

pub mod dane;
mod grace;
pub mod memory;
pub mod mta_sts;
mod pkix;

#[cfg(test)]
mod dane_tests;
#[cfg(test)]
mod tests;

use crate::clock::Wall;
use crate::policy::requirement::{ProofCheck, ProofSource};
use crate::tls::{PeerCertificates, Roots};
use crate::vocabulary::{Proof, Reason};

/// What a host is held to.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    pub host: &'a str,
    pub sources: &'a [ProofSource],
    /// `sha256/BASE64` of the key that it proved itself with before.
    pub proved_key: Option<&'a str>,
}

impl<'a> Asked<'a> {
    /// Of a host about which nothing is remembered.
    #[must_use]
    pub fn of(host: &'a str, sources: &'a [ProofSource]) -> Asked<'a> {
        Asked { host, sources, proved_key: None }
    }
}

/// How a host proved itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    pub proof: Proof,
    /// Its certificate has ended, with the key that it always had, and a group lets that pass for a while.
    pub in_grace: bool,
}

impl Held {
    #[must_use]
    pub fn by(proof: Proof) -> Held {
        Held { proof, in_grace: false }
    }
}

/// Judges what a host showed against every source.
///
/// # Errors
/// `NoProofSource` without sources, `CertificateInvalid` when the peer did not prove that it holds its key, else the
/// reason of the first source that does not hold.
pub fn prove(peer: &PeerCertificates, asked: Asked<'_>, roots: &Roots, now: Wall) -> Result<Held, Reason> {
    if asked.sources.is_empty() {
        return Err(Reason::NoProofSource);
    }
    if !peer.signature_valid {
        return Err(Reason::CertificateInvalid);
    }
    let host = asked.host.strip_suffix('.').unwrap_or(asked.host);
    let mut held = Held::by(Proof::Pkix);
    for source in asked.sources {
        let valid = |names: &[&str]| match pkix::valid_for_one(peer, names, roots, now) {
            Err(Reason::CertificateExpired) => {
                let then = grace::excused(peer, source.expired_grace, asked.proved_key, now)?;
                pkix::valid_for_one(peer, names, roots, then).map(|()| true)
            }
            valid => valid.map(|()| false),
        };
        held.in_grace |= match &source.check {
            ProofCheck::Pins(pins) => {
                is_pinned(peer, pins)?;
                held.proof = Proof::Pin;
                false
            }
            ProofCheck::MtaSts(patterns) => {
                is_listed(host, patterns)?;
                held.proof = if held.proof == Proof::Pkix { Proof::MtaSts } else { held.proof };
                valid(&[host])?
            }
            ProofCheck::Names(names) => valid(&names.iter().map(String::as_str).collect::<Vec<_>>())?,
            ProofCheck::Mx(patterns) => {
                is_listed(host, patterns)?;
                valid(&[host])?
            }
        };
    }
    Ok(held)
}

/// The key alone decides, whatever name or date the certificate has.
fn is_pinned(peer: &PeerCertificates, pins: &[String]) -> Result<(), Reason> {
    let spki = peer.spki().ok_or(Reason::CertificateInvalid)?;
    // Base64's padding says nothing, and people lose it when they copy.
    let bare = |pin: &str| pin.trim().trim_end_matches('=').to_owned();
    if pins.iter().any(|pin| bare(pin) == bare(&spki)) { Ok(()) } else { Err(Reason::PinMismatch) }
}

fn is_listed(host: &str, patterns: &[String]) -> Result<(), Reason> {
    if patterns.iter().any(|pattern| matches_host(pattern, host)) { Ok(()) } else { Err(Reason::HostNotListed) }
}

/// `*` is exactly the left-most label.
fn matches_host(pattern: &str, host: &str) -> bool {
    let pattern = pattern.strip_suffix('.').unwrap_or(pattern);
    match (pattern.strip_prefix("*."), host.split_once('.')) {
        (Some(parent), Some((label, rest))) => !label.is_empty() && rest.eq_ignore_ascii_case(parent),
        (Some(_), None) => false,
        (None, _) => !host.is_empty() && pattern.eq_ignore_ascii_case(host),
    }
}

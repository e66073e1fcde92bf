//! How a peer proves itself: by what its domain publishes (DANE), by a certificate that public roots vouch for, or by a key that is pinned.
//!
//! Called by `deliver`, which shows the result to `policy::permit`. Promises: every source that exists must hold, so one
//! more source never weakens a proof; certificates are hostile input and bounded by the path builder. Fails by the
//! `Reason` of the first source that does not hold.

pub mod dane;
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

/// Judges what `host` showed against every source.
///
/// # Errors
/// `NoProofSource` without sources, `CertificateInvalid` when the peer did not prove that it holds its key, else the
/// reason of the first source that does not hold.
pub fn prove(
    peer: &PeerCertificates,
    host: &str,
    sources: &[ProofSource],
    roots: &Roots,
    now: Wall,
) -> Result<Proof, Reason> {
    if sources.is_empty() {
        return Err(Reason::NoProofSource);
    }
    if !peer.signature_valid {
        return Err(Reason::CertificateInvalid);
    }
    let host = host.strip_suffix('.').unwrap_or(host);
    let mut proof = Proof::Pkix;
    for source in sources {
        match &source.check {
            ProofCheck::Pins(pins) => {
                is_pinned(peer, pins)?;
                proof = Proof::Pin;
            }
            ProofCheck::MtaSts(patterns) => {
                is_listed(host, patterns)?;
                pkix::valid_for_one(peer, &[host], roots, now)?;
                proof = if proof == Proof::Pkix { Proof::MtaSts } else { proof };
            }
            ProofCheck::Names(names) => pkix::valid_for_one(peer, names, roots, now)?,
            ProofCheck::Mx(patterns) => {
                is_listed(host, patterns)?;
                pkix::valid_for_one(peer, &[host], roots, now)?;
            }
        }
    }
    Ok(proof)
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

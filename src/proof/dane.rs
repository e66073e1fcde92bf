//! Proof by keys that a domain publishes in signed DNS: TLSA records (RFC 6698, RFC 7671, RFC 7672).
//!
//! Called by `deliver`. Promises: usages 2 and 3 only; one record that matches is enough; a name and an end date count for
//! an issuer's record and not for a key's own. Certificates are hostile input and bounded by the path builder. Pure. Fails by `Reason`.

use super::pkix;
use crate::clock::Wall;
use crate::dns::Tlsa;
use crate::tls::PeerCertificates;
use crate::vocabulary::Reason;
use aws_lc_rs::digest::{SHA256, SHA512, digest};
use rustls::pki_types::CertificateDer;
use webpki::anchor_from_trusted_cert;
use x509_parser::prelude::{FromDer, X509Certificate};

/// RFC 7672 3.1: whose key or certificate a record names.
const ISSUER: u8 = 2;
const OWN: u8 = 3;
/// Issuers that are tried: honest records name one or two.
const ISSUERS: usize = 8;
/// RFC 6698 2.1.2
const WHOLE_CERTIFICATE: u8 = 0;
const PUBLIC_KEY: u8 = 1;
/// RFC 6698 2.1.3
const EXACT: u8 = 0;
const BY_SHA256: u8 = 1;
const BY_SHA512: u8 = 2;

/// Records that can be used; RFC 7672 2.2: with none of them usable a peer must do TLS, and need not prove itself.
#[must_use]
pub fn usable(records: &[Tlsa]) -> Vec<Tlsa> {
    let fits = |record: &&Tlsa| {
        let length = match record.matching {
            EXACT => !record.data.is_empty(),
            BY_SHA256 => record.data.len() == SHA256.output_len(),
            BY_SHA512 => record.data.len() == SHA512.output_len(),
            _ => false,
        };
        // RFC 7672 3.1.3: usages 0 and 1 want public roots, of which senders of mail have no common set.
        length && matches!(record.usage, ISSUER | OWN) && matches!(record.selector, WHOLE_CERTIFICATE | PUBLIC_KEY)
    };
    records.iter().filter(fits).cloned().collect()
}

/// Holds when what the peer showed is what one of the usable `records` says. `names`: those that a certificate of a published
/// issuer may be for (RFC 7672 3.2.2).
///
/// # Errors
/// Why the record that came closest does not hold: `TlsaMismatch` where no key or certificate is one that is published.
pub fn prove(peer: &PeerCertificates, records: &[Tlsa], names: &[&str], now: Wall) -> Result<(), Reason> {
    if !peer.signature_valid {
        return Err(Reason::CertificateInvalid);
    }
    let (leaf, others) = peer.chain.split_first().ok_or(Reason::CertificateInvalid)?;
    // RFC 7671 5.1: for a key of its own neither name nor date counts.
    if records.iter().any(|record| record.usage == OWN && matches(record, leaf)) {
        return Ok(());
    }
    let mut published: Vec<CertificateDer<'static>> = Vec::new();
    for issuer in records.iter().filter(|record| record.usage == ISSUER).flat_map(|record| issuers(record, others)) {
        if published.len() < ISSUERS && !published.contains(&issuer) {
            published.push(issuer);
        }
    }
    let anchors: Vec<_> = published.iter().filter_map(|issuer| anchor_from_trusted_cert(issuer).ok()).collect();
    if anchors.is_empty() {
        return Err(Reason::TlsaMismatch);
    }
    // One path is built under all of them: the peer chooses how many certificates it shows.
    pkix::valid_below(&anchors, peer, names, now).map_err(|reason| match reason {
        // Any certificate may be shown with a published issuer that did not sign it.
        Reason::CertificateUnknownIssuer | Reason::CertificateSelfSigned | Reason::CertificateInvalid => {
            Reason::TlsaMismatch
        }
        reason => reason,
    })
}

/// Certificates of the issuer that a record names: among those shown, or the record itself (RFC 7672 3.1.2).
fn issuers(record: &Tlsa, shown: &[CertificateDer<'static>]) -> Vec<CertificateDer<'static>> {
    let mut issuers: Vec<_> = shown.iter().filter(|certificate| matches(record, certificate)).cloned().collect();
    if issuers.is_empty() && record.selector == WHOLE_CERTIFICATE && record.matching == EXACT {
        issuers.push(CertificateDer::from(record.data.clone()));
    }
    issuers
}

fn matches(record: &Tlsa, certificate: &CertificateDer<'_>) -> bool {
    let Some(selected) = selected(record.selector, certificate) else { return false };
    match record.matching {
        EXACT => selected == record.data,
        BY_SHA256 => digest(&SHA256, selected).as_ref() == record.data,
        BY_SHA512 => digest(&SHA512, selected).as_ref() == record.data,
        _ => false,
    }
}

fn selected<'c>(selector: u8, certificate: &'c CertificateDer<'_>) -> Option<&'c [u8]> {
    match selector {
        WHOLE_CERTIFICATE => Some(certificate.as_ref()),
        PUBLIC_KEY => X509Certificate::from_der(certificate.as_ref())
            .ok()
            .map(|(_, parsed)| parsed.tbs_certificate.subject_pki.raw),
        _ => None,
    }
}

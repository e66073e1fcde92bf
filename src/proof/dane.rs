//! Proof by keys that a domain publishes in signed DNS: TLSA records (RFC 6698, RFC 7671, RFC 7672).
//!
//! Called by `deliver`. Promises: usages 2 and 3 only; one record that matches is enough, but of several digests of one kind only
//! the strongest counts; a name and dates count for an issuer's record and not for a key's own. Certificates are hostile input
//! and bounded by the path builder. Pure. Fails by `Reason`.

use super::pkix;
use crate::clock::Wall;
use crate::dns::Tlsa;
use crate::tls::PeerCertificates;
use crate::vocabulary::Reason;
use aws_lc_rs::digest::{SHA256, SHA512, digest};
use rustls::pki_types::{CertificateDer, Der, TrustAnchor};
use webpki::anchor_from_trusted_cert;
use x509_parser::asn1_rs::Any;
use x509_parser::prelude::{FromDer, X509Certificate, X509Version};
use x509_parser::x509::SubjectPublicKeyInfo;

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
    // RFC 7672 3.1.3: usages 0 and 1 want public roots, of which senders of mail have no common set.
    let fits = |record: &&Tlsa| matches!(record.usage, ISSUER | OWN) && is_well_formed(record);
    let fitting: Vec<&Tlsa> = records.iter().filter(fits).collect();
    // RFC 7671 9: who publishes a stronger digest of a kind does not want to be known by a weaker one; whole data is no digest.
    let is_outdone = |record: &Tlsa| {
        let kind = |record: &Tlsa| (record.usage, record.selector);
        let stronger = |other: &&Tlsa| kind(other) == kind(record) && other.matching > record.matching;
        record.matching != EXACT && fitting.iter().copied().any(|other| stronger(&other))
    };
    fitting.iter().filter(|record| !is_outdone(record)).map(|record| (*record).clone()).collect()
}

/// Data that cannot be what the record says it is makes no record, as a digest of a wrong length makes none.
fn is_well_formed(record: &Tlsa) -> bool {
    let data = record.data.as_slice();
    match (record.selector, record.matching) {
        (WHOLE_CERTIFICATE | PUBLIC_KEY, BY_SHA256) => data.len() == SHA256.output_len(),
        (WHOLE_CERTIFICATE | PUBLIC_KEY, BY_SHA512) => data.len() == SHA512.output_len(),
        (WHOLE_CERTIFICATE, EXACT) => X509Certificate::from_der(data).is_ok_and(|(rest, _)| rest.is_empty()),
        (PUBLIC_KEY, EXACT) => SubjectPublicKeyInfo::from_der(data).is_ok_and(|(rest, _)| rest.is_empty()),
        _ => false,
    }
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
    let leaf = peer.chain.first().ok_or(Reason::CertificateInvalid)?;
    // RFC 7671 5.1: for a key of its own neither name nor date counts.
    if records.iter().any(|record| record.usage == OWN && matches(record, leaf)) {
        return Ok(());
    }
    let mut anchors: Vec<TrustAnchor<'static>> = Vec::new();
    let mut unfit = Reason::TlsaMismatch;
    let published = records.iter().filter(|record| record.usage == ISSUER);
    for issuer in published.flat_map(|record| issuers(record, &peer.chain, now)) {
        match issuer {
            Ok(anchor) if anchors.len() < ISSUERS && !anchors.contains(&anchor) => anchors.push(anchor),
            Ok(_) => {}
            Err(reason) => unfit = reason,
        }
    }
    if anchors.is_empty() {
        return Err(unfit);
    }
    // One path is built under all of them: the peer chooses how many certificates it shows.
    pkix::valid_below(&anchors, peer, names, now).map_err(|reason| match reason {
        // Any certificate may be shown with a published issuer that did not sign it.
        Reason::CertificateUnknownIssuer | Reason::CertificateSelfSigned | Reason::CertificateInvalid => unfit,
        reason => reason,
    })
}

/// The issuers that a record names: certificates among those shown, or the record itself (RFC 7672 3.1.2). Those that may not
/// sign are the reason why.
fn issuers(record: &Tlsa, chain: &[CertificateDer<'static>], now: Wall) -> Vec<Result<TrustAnchor<'static>, Reason>> {
    let shown: Vec<_> = chain.iter().skip(1).filter(|certificate| matches(record, certificate)).collect();
    match (record.selector, record.matching) {
        _ if !shown.is_empty() => shown.into_iter().map(|certificate| anchor(certificate, now)).collect(),
        (WHOLE_CERTIFICATE, EXACT) => vec![anchor(&CertificateDer::from(record.data.as_slice()), now)],
        (PUBLIC_KEY, EXACT) => chain.iter().filter_map(|signed| bare_key(record, signed)).map(Ok).collect(),
        _ => Vec::new(),
    }
}

/// A certificate as an issuer. The path builder asks nothing of an anchor: it has to be one that may sign (RFC 5280 4.2.1.9; before
/// version 3 none could say so), and a root has to be valid now. Below a root, name and key count whatever the dates: of a key that
/// several authorities signed, a certificate that ended may be the one that is shown.
fn anchor(certificate: &CertificateDer<'_>, now: Wall) -> Result<TrustAnchor<'static>, Reason> {
    let (_, parsed) = X509Certificate::from_der(certificate.as_ref()).map_err(|_| Reason::TlsaMismatch)?;
    let (validity, seconds) = (parsed.validity(), now.0.div_euclid(1000));
    let is_root = parsed.subject() == parsed.issuer();
    if is_root && seconds < validity.not_before.timestamp() {
        return Err(Reason::CertificateNotYetValid);
    }
    if is_root && seconds > validity.not_after.timestamp() {
        return Err(Reason::CertificateExpired);
    }
    if parsed.version() == X509Version::V3 && !parsed.is_ca() {
        return Err(Reason::CertificateInvalid);
    }
    anchor_from_trusted_cert(certificate).map(|anchor| anchor.to_owned()).map_err(|_| Reason::TlsaMismatch)
}

/// A key that is published whole and whose certificate is not shown, as the issuer of `signed` (RFC 7671 5.2.3: the issuer's name is
/// taken from there). The signature alone ties them.
fn bare_key(record: &Tlsa, signed: &CertificateDer<'_>) -> Option<TrustAnchor<'static>> {
    // An anchor's parts stand without their outer DER headers.
    let contents = |der| Any::from_der(der).ok().map(|(_, whole)| Der::from(whole.data.to_vec()));
    let (_, parsed) = X509Certificate::from_der(signed.as_ref()).ok()?;
    Some(TrustAnchor {
        subject: contents(parsed.issuer().as_raw())?,
        subject_public_key_info: contents(&record.data)?,
        name_constraints: None,
    })
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

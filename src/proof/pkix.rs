//! Whether a certificate is valid now, under trusted roots, for a name (RFC 5280, RFC 6125), and if not, exactly why.
//!
//! Called by `proof` only. Promises: only subject alternative names count; a self-signed certificate is called that, not
//! "unknown issuer". Fails by `Reason`.

use crate::clock::Wall;
use crate::tls::{PeerCertificates, Roots};
use crate::vocabulary::Reason;
use rustls::pki_types::{CertificateDer, ServerName, TrustAnchor, UnixTime};
use std::time::Duration;
use webpki::{EndEntityCert, Error, KeyUsage};

/// Holds when the chain is good and the certificate is for at least one of `names`.
pub(super) fn valid_for_one<N: AsRef<str>>(
    peer: &PeerCertificates,
    names: &[N],
    roots: &Roots,
    now: Wall,
) -> Result<(), Reason> {
    valid_below(roots.anchors(), peer, names, now)
}

/// The same under these anchors.
pub(super) fn valid_below<N: AsRef<str>>(
    anchors: &[TrustAnchor<'_>],
    peer: &PeerCertificates,
    names: &[N],
    now: Wall,
) -> Result<(), Reason> {
    let (leaf, others) = peer.chain.split_first().ok_or(Reason::CertificateInvalid)?;
    let certificate = EndEntityCert::try_from(leaf).map_err(|_| Reason::CertificateInvalid)?;
    let chain = certificate.verify_for_usage(
        webpki::ALL_VERIFICATION_ALGS,
        anchors,
        others,
        UnixTime::since_unix_epoch(since_epoch(now)),
        KeyUsage::server_auth(),
        None,
        None,
    );
    if let Err(error) = chain {
        return Err(if is_self_signed(leaf, anchors) { Reason::CertificateSelfSigned } else { reason(&error) });
    }
    let mut why = Reason::CertificateWrongName;
    for name in names {
        let Ok(name) = ServerName::try_from(name.as_ref()) else { continue };
        match certificate.verify_is_valid_for_subject_name(&name) {
            Ok(()) => return Ok(()),
            Err(error) => why = reason(&error),
        }
    }
    Err(why)
}

fn since_epoch(now: Wall) -> Duration {
    Duration::from_millis(u64::try_from(now.0).unwrap_or(0))
}

/// Its own issuer, and no root of ours has that name.
fn is_self_signed(leaf: &CertificateDer<'_>, anchors: &[TrustAnchor<'_>]) -> bool {
    use x509_parser::prelude::{FromDer, X509Certificate};
    let Ok((_, parsed)) = X509Certificate::from_der(leaf.as_ref()) else { return false };
    let subject = parsed.subject().as_raw();
    // An anchor's subject stands without its outer DER header.
    let known = || anchors.iter().any(|anchor| subject.ends_with(anchor.subject.as_ref()));
    subject == parsed.issuer().as_raw() && !known()
}

fn reason(error: &Error) -> Reason {
    match error {
        Error::CertExpired { .. } => Reason::CertificateExpired,
        Error::CertNotValidYet { .. } => Reason::CertificateNotYetValid,
        Error::CertNotValidForName(_) => Reason::CertificateWrongName,
        Error::UnknownIssuer => Reason::CertificateUnknownIssuer,
        _ => Reason::CertificateInvalid,
    }
}

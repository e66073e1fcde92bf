//! What a handshake settled and what a certificate says, as `mail::TlsFacts`.
//!
//! Called by `accept` and `connect`. Promises: a certificate is hostile input, so names are at most 16, every text is
//! bounded and printable, and a certificate that cannot be read gives facts without its part, never an error.

use crate::clock::{Wall, rfc3339};
use crate::mail::{TlsFacts, TlsVersion};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::CertificateDer;
use rustls::{CommonState, ProtocolVersion};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

const NAMES: usize = 16;
const NAME_LENGTH: usize = 255;
/// The last second that a timestamp can print; certificates "without end" say 9999-12-31 (RFC 5280 4.1.2.5).
const LAST_PRINTABLE: i64 = 253_402_207_199_000;

/// The facts of a finished handshake; none when it settled something below TLS 1.2.
pub(super) fn of(state: &CommonState, leaf: Option<&CertificateDer<'_>>) -> Option<TlsFacts> {
    let version = match state.protocol_version()? {
        ProtocolVersion::TLSv1_2 => TlsVersion::Tls12,
        ProtocolVersion::TLSv1_3 => TlsVersion::Tls13,
        _ => return None,
    };
    let suite = state.negotiated_cipher_suite()?;
    let cipher = suite.suite().as_str().unwrap_or("unknown").to_owned();
    let bare = TlsFacts { version, cipher, names: Vec::new(), not_after: None, issuer: None, spki: None };
    Some(match leaf {
        Some(leaf) => with_certificate(bare, leaf),
        None => bare,
    })
}

fn with_certificate(facts: TlsFacts, leaf: &CertificateDer<'_>) -> TlsFacts {
    let Some(certificate) = parse(leaf) else { return facts };
    TlsFacts {
        names: names(&certificate),
        not_after: Some(rfc3339(Wall(not_after(&certificate).0.min(LAST_PRINTABLE)))),
        issuer: Some(printable(&certificate.issuer().to_string(), NAME_LENGTH)),
        spki: Some(pin_of(&certificate)),
        ..facts
    }
}

pub(super) fn parse<'a>(der: &'a CertificateDer<'_>) -> Option<X509Certificate<'a>> {
    X509Certificate::from_der(der.as_ref()).ok().map(|(_, certificate)| certificate)
}

pub(super) fn not_after(certificate: &X509Certificate<'_>) -> Wall {
    Wall(certificate.validity().not_after.timestamp().saturating_mul(1000))
}

/// DNS names of the certificate; the common name only where there are none, since people look for it there.
pub(super) fn names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let alternative = certificate.subject_alternative_name().ok().flatten();
    let dns = alternative.iter().flat_map(|extension| &extension.value.general_names).filter_map(|name| match name {
        GeneralName::DNSName(name) => Some(printable(name, NAME_LENGTH)),
        _ => None,
    });
    let dns: Vec<String> = dns.take(NAMES).collect();
    if !dns.is_empty() {
        return dns;
    }
    let common = certificate.subject().iter_common_name().filter_map(|name| name.as_str().ok());
    common.map(|name| printable(name, NAME_LENGTH)).take(NAMES).collect()
}

/// `sha256/BASE64` of the certificate's public key; none when the certificate cannot be read.
#[must_use]
pub fn spki_pin(der: &CertificateDer<'_>) -> Option<String> {
    parse(der).map(|certificate| pin_of(&certificate))
}

fn pin_of(certificate: &X509Certificate<'_>) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, certificate.public_key().raw);
    format!("sha256/{}", STANDARD.encode(digest))
}

/// At most `limit` characters, none of which a terminal or a log line could take for more than a character.
pub(super) fn printable(text: &str, limit: usize) -> String {
    text.chars().take(limit).map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '?' }).collect()
}

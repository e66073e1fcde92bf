//! Every row of the table of proofs, with certificates made for it.

use super::*;
use rcgen::{BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, SanType};
use rustls::pki_types::CertificateDer;

/// 2026-11-22.
pub(super) const NOW: Wall = Wall(1_795_305_600_000);
pub(super) const HOST: &str = "mx1.mail.partner.example";

pub(super) type Authority = CertifiedIssuer<'static, KeyPair>;

pub(super) fn authority(name: &str) -> Authority {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

pub(super) fn leaf(names: &[&str]) -> CertificateParams {
    let mut params = CertificateParams::new(names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>()).unwrap();
    params.not_before = rcgen::date_time_ymd(2026, 1, 1);
    params.not_after = rcgen::date_time_ymd(2027, 1, 1);
    params
}

fn shown(certificate: &Certificate) -> PeerCertificates {
    PeerCertificates { chain: vec![certificate.der().clone()], signature_valid: true }
}

fn signed(params: &CertificateParams, by: &Authority) -> PeerCertificates {
    shown(&params.signed_by(&KeyPair::generate().unwrap(), by).unwrap())
}

fn roots(authority: &Authority) -> Roots {
    Roots::only(vec![authority.der().clone()])
}

fn source(check: ProofCheck) -> ProofSource {
    ProofSource::new("group partner", check)
}

fn prove(
    peer: &PeerCertificates,
    host: &str,
    sources: &[ProofSource],
    roots: &Roots,
    now: Wall,
) -> Result<Proof, Reason> {
    super::prove(peer, Asked::of(host, sources), roots, now).map(|held| held.proof)
}

fn mx(patterns: &[&str]) -> ProofSource {
    source(ProofCheck::Mx(patterns.iter().map(|p| (*p).to_owned()).collect()))
}

fn names(names: &[&str]) -> ProofSource {
    source(ProofCheck::Names(names.iter().map(|p| (*p).to_owned()).collect()))
}

fn pin(of: &PeerCertificates) -> ProofSource {
    source(ProofCheck::Pins(vec![of.spki().unwrap()]))
}

#[test]
fn a_listed_host_with_a_valid_certificate_is_proved() {
    let ca = authority("ca");
    let peer = signed(&leaf(&[HOST]), &ca);
    assert_eq!(prove(&peer, HOST, &[mx(&["*.mail.partner.example"])], &roots(&ca), NOW), Ok(Proof::Pkix));
    assert_eq!(prove(&peer, "MX1.mail.partner.example.", &[mx(&[HOST])], &roots(&ca), NOW), Ok(Proof::Pkix));
}

#[test]
fn without_a_source_nothing_is_proved() {
    let ca = authority("ca");
    let peer = signed(&leaf(&[HOST]), &ca);
    assert_eq!(prove(&peer, HOST, &[], &roots(&ca), NOW), Err(Reason::NoProofSource));
    assert_eq!(prove(&peer, HOST, &[mx(&[])], &roots(&ca), NOW), Err(Reason::HostNotListed));
    let nothing = source(ProofCheck::Pins(Vec::new()));
    assert_eq!(prove(&peer, HOST, &[nothing], &roots(&ca), NOW), Err(Reason::PinMismatch));
    assert_eq!(prove(&peer, HOST, &[names(&[])], &roots(&ca), NOW), Err(Reason::CertificateWrongName));
}

#[test]
fn each_fault_of_a_certificate_has_its_own_reason() {
    let (ca, stranger) = (authority("ca"), authority("stranger"));
    let mut expired = leaf(&[HOST]);
    expired.not_after = rcgen::date_time_ymd(2026, 11, 1);
    let mut early = leaf(&[HOST]);
    early.not_before = rcgen::date_time_ymd(2026, 12, 1);
    let own = leaf(&[HOST]).self_signed(&KeyPair::generate().unwrap()).unwrap();
    let mut own_ca = leaf(&[HOST]);
    own_ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let own_ca = own_ca.self_signed(&KeyPair::generate().unwrap()).unwrap();
    let mut client_only = leaf(&[HOST]);
    client_only.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
    let garbage =
        PeerCertificates { chain: vec![CertificateDer::from(vec![0x30, 0x82, 0xff, 0xff])], signature_valid: true };
    let cases = [
        (signed(&expired, &ca), Reason::CertificateExpired),
        (signed(&early, &ca), Reason::CertificateNotYetValid),
        (signed(&leaf(&["mx2.mail.partner.example"]), &ca), Reason::CertificateWrongName),
        (signed(&leaf(&[HOST]), &stranger), Reason::CertificateUnknownIssuer),
        (shown(&own), Reason::CertificateSelfSigned),
        (shown(&own_ca), Reason::CertificateSelfSigned),
        (signed(&client_only, &ca), Reason::CertificateInvalid),
        (garbage, Reason::CertificateInvalid),
        (PeerCertificates { chain: Vec::new(), signature_valid: true }, Reason::CertificateInvalid),
    ];
    for (peer, reason) in cases {
        assert_eq!(prove(&peer, HOST, &[mx(&[HOST])], &roots(&ca), NOW), Err(reason));
    }
}

#[test]
fn an_impostor_with_the_root_s_name_is_not_trusted() {
    let (ca, impostor) = (authority("ca"), authority("ca"));
    let peer = signed(&leaf(&[HOST]), &impostor);
    assert!(prove(&peer, HOST, &[mx(&[HOST])], &roots(&ca), NOW).is_err());
}

#[test]
fn a_pinned_key_holds_whatever_name_or_date() {
    let ca = authority("ca");
    let mut old = leaf(&["elsewhere.example"]);
    old.not_after = rcgen::date_time_ymd(2026, 2, 1);
    let peer = shown(&old.self_signed(&KeyPair::generate().unwrap()).unwrap());
    assert_eq!(prove(&peer, HOST, &[pin(&peer)], &roots(&ca), NOW), Ok(Proof::Pin));
    let other = shown(&old.self_signed(&KeyPair::generate().unwrap()).unwrap());
    assert_eq!(prove(&other, HOST, &[pin(&peer)], &roots(&ca), NOW), Err(Reason::PinMismatch));
}

#[test]
fn a_key_that_the_peer_did_not_prove_to_hold_proves_nothing() {
    let ca = authority("ca");
    let peer = PeerCertificates { signature_valid: false, ..signed(&leaf(&[HOST]), &ca) };
    for check in [mx(&[HOST]), pin(&peer), names(&[HOST])] {
        assert_eq!(prove(&peer, HOST, &[check], &roots(&ca), NOW), Err(Reason::CertificateInvalid));
    }
}

#[test]
fn every_source_must_hold() {
    let ca = authority("ca");
    let peer = signed(&leaf(&[HOST]), &ca);
    let other = signed(&leaf(&[HOST]), &ca);
    assert_eq!(prove(&peer, HOST, &[mx(&[HOST]), pin(&peer)], &roots(&ca), NOW), Ok(Proof::Pin));
    assert_eq!(prove(&peer, HOST, &[mx(&[HOST]), pin(&other)], &roots(&ca), NOW), Err(Reason::PinMismatch));
    assert_eq!(prove(&peer, HOST, &[pin(&peer), mx(&["x.example"])], &roots(&ca), NOW), Err(Reason::HostNotListed));
}

#[test]
fn a_star_is_exactly_the_left_most_label() {
    for (pattern, host, holds) in [
        ("*.example.org", "mx.example.org", true),
        ("*.Example.ORG.", "MX.example.org", true),
        ("*.example.org", "a.mx.example.org", false),
        ("*.example.org", "example.org", false),
        ("*.example.org", ".example.org", false),
        ("*.example.org", "mxexample.org", false),
        ("example.org", "mx.example.org", false),
        ("mx*.example.org", "mx1.example.org", false),
        ("*", "org", false),
        ("", "", false),
    ] {
        assert_eq!(matches_host(pattern, host), holds, "{pattern} {host}");
    }
}

#[test]
fn a_wildcard_certificate_covers_one_label() {
    let ca = authority("ca");
    let peer = signed(&leaf(&["*.mail.partner.example"]), &ca);
    let deep = "a.b.mail.partner.example";
    assert_eq!(prove(&peer, HOST, &[mx(&[HOST])], &roots(&ca), NOW), Ok(Proof::Pkix));
    assert_eq!(prove(&peer, deep, &[mx(&[deep])], &roots(&ca), NOW), Err(Reason::CertificateWrongName));
}

#[test]
fn one_of_several_names_is_enough_and_the_host_does_not_matter() {
    let ca = authority("ca");
    let peer = signed(&leaf(&["exch01.kingston.local"]), &ca);
    let both = names(&["exch02.kingston.local", "exch01.kingston.local"]);
    assert_eq!(prove(&peer, "10.20.0.5", &[both], &roots(&ca), NOW), Ok(Proof::Pkix));
}

#[test]
fn a_nul_in_a_name_is_no_end_of_the_name() {
    let ca = authority("ca");
    let mut params = leaf(&[]);
    params.subject_alt_names = vec![SanType::DnsName("mx1.mail.partner.example\0.evil.example".try_into().unwrap())];
    let peer = signed(&params, &ca);
    assert!(prove(&peer, HOST, &[mx(&[HOST])], &roots(&ca), NOW).is_err());
}

#[test]
fn a_common_name_is_no_name() {
    let ca = authority("ca");
    let mut params = leaf(&["other.example"]);
    params.distinguished_name.push(DnType::CommonName, HOST);
    assert_eq!(prove(&signed(&params, &ca), HOST, &[mx(&[HOST])], &roots(&ca), NOW), Err(Reason::CertificateWrongName));
}

#[test]
fn a_group_lets_an_expired_certificate_pass_for_a_while_with_the_key_that_was_proved_before_and_no_other() {
    let ca = authority("ca");
    let mut ended = leaf(&[HOST]);
    ended.not_after = rcgen::date_time_ymd(2026, 11, 20);
    let (peer, other) = (signed(&ended, &ca), signed(&ended, &ca));
    let key = peer.spki().unwrap();
    let source = |days: Option<u64>| ProofSource {
        expired_grace: days.map(|days| std::time::Duration::from_secs(days * 86_400)),
        ..mx(&[HOST])
    };
    let judged = |peer: &PeerCertificates, sources: &[ProofSource], proved_key: Option<&str>| {
        super::prove(peer, Asked { host: HOST, sources, proved_key }, &roots(&ca), NOW)
    };
    let expired = Err(Reason::CertificateExpired);
    let held = judged(&peer, &[source(Some(7))], Some(&key));
    assert_eq!(held, Ok(Held { proof: Proof::Pkix, in_grace: true }));
    assert_eq!(judged(&peer, &[source(None)], Some(&key)), expired, "off where no group says so");
    assert_eq!(judged(&peer, &[source(Some(7))], None), expired, "nothing is known of its key");
    assert_eq!(judged(&other, &[source(Some(7))], Some(&key)), expired, "another key");
    assert_eq!(judged(&peer, &[source(Some(1))], Some(&key)), expired, "two days ago");
    assert_eq!(judged(&peer, &[source(Some(7)), mx(&[HOST])], Some(&key)), expired, "every group has to let it pass");
    let stranger = authority("stranger");
    let forged = super::prove(
        &peer,
        Asked { host: HOST, sources: &[source(Some(7))], proved_key: Some(&key) },
        &roots(&stranger),
        NOW,
    );
    assert_eq!(forged, Err(Reason::CertificateUnknownIssuer));
}

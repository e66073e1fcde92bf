//! TLSA records against certificates made for them: what matches, what counts, and what is no record at all.

use super::dane::{prove, usable};
use super::tests::{Authority, HOST, NOW, authority, leaf};
use crate::dns::Tlsa;
use crate::tls::PeerCertificates;
use crate::vocabulary::Reason;
use aws_lc_rs::digest::{SHA256, SHA512, digest};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::pki_types::CertificateDer;
use x509_parser::prelude::{FromDer, X509Certificate};

fn spki(certificate: &[u8]) -> Vec<u8> {
    X509Certificate::from_der(certificate).unwrap().1.tbs_certificate.subject_pki.raw.to_vec()
}

/// The record that says `usage`, `selector` and `matching` of a certificate.
fn record((usage, selector, matching): (u8, u8, u8), certificate: &[u8]) -> Tlsa {
    let selected = if selector == 0 { certificate.to_vec() } else { spki(certificate) };
    let data = match matching {
        1 => digest(&SHA256, &selected).as_ref().to_vec(),
        2 => digest(&SHA512, &selected).as_ref().to_vec(),
        _ => selected,
    };
    Tlsa { usage, selector, matching, data }
}

fn shown(params: &CertificateParams, by: &Authority) -> PeerCertificates {
    let own = params.signed_by(&KeyPair::generate().unwrap(), by).unwrap();
    PeerCertificates { chain: vec![own.der().clone(), by.der().clone()], signature_valid: true }
}

fn expired(names: &[&str]) -> CertificateParams {
    let mut params = leaf(names);
    params.not_after = rcgen::date_time_ymd(2026, 11, 1);
    params
}

fn der(certificate: &CertificateDer<'_>) -> Vec<u8> {
    certificate.as_ref().to_vec()
}

#[test]
fn a_key_of_its_own_counts_whatever_name_and_date_by_each_selector_and_digest() {
    let peer = shown(&expired(&["elsewhere.example"]), &authority("ca"));
    for selector in [0, 1] {
        for matching in [0, 1, 2] {
            let right = record((3, selector, matching), &peer.chain[0]);
            assert_eq!(prove(&peer, std::slice::from_ref(&right), &[HOST], NOW), Ok(()), "3 {selector} {matching}");
            let other = record((3, selector, matching), &peer.chain[1]);
            assert_eq!(
                prove(&peer, std::slice::from_ref(&other), &[HOST], NOW),
                Err(Reason::TlsaMismatch),
                "an issuer is not its own key"
            );
            assert_eq!(prove(&peer, &[other, right], &[HOST], NOW), Ok(()), "one that matches is enough");
        }
    }
}

#[test]
fn a_published_issuer_counts_for_its_names_until_the_certificate_ends() {
    let (ca, stranger) = (authority("ca"), authority("stranger"));
    let good = shown(&leaf(&[HOST]), &ca);
    for selector in [0, 1] {
        for matching in [0, 1, 2] {
            let ours = record((2, selector, matching), ca.der());
            let prove = |peer: &PeerCertificates, names: &[&str]| prove(peer, std::slice::from_ref(&ours), names, NOW);
            assert_eq!(prove(&good, &["x.example", HOST]), Ok(()), "2 {selector} {matching}");
            assert_eq!(prove(&good, &["x.example"]), Err(Reason::CertificateWrongName));
            assert_eq!(prove(&shown(&expired(&[HOST]), &ca), &[HOST]), Err(Reason::CertificateExpired));
            assert_eq!(prove(&shown(&leaf(&[HOST]), &stranger), &[HOST]), Err(Reason::TlsaMismatch));
        }
    }
}

#[test]
fn an_issuer_that_is_only_shown_and_did_not_sign_proves_nothing() {
    let (ca, thief) = (authority("ca"), authority("thief"));
    let mut peer = shown(&leaf(&[HOST]), &thief);
    peer.chain.push(ca.der().clone());
    for selector in [0, 1] {
        assert_eq!(prove(&peer, &[record((2, selector, 1), ca.der())], &[HOST], NOW), Err(Reason::TlsaMismatch));
    }
}

#[test]
fn an_issuer_whose_whole_certificate_is_published_need_not_be_shown() {
    let ca = authority("ca");
    let mut peer = shown(&leaf(&[HOST]), &ca);
    peer.chain.truncate(1);
    assert_eq!(prove(&peer, &[record((2, 0, 0), ca.der())], &[HOST], NOW), Ok(()));
    assert_eq!(prove(&peer, &[record((2, 0, 1), ca.der())], &[HOST], NOW), Err(Reason::TlsaMismatch));
}

#[test]
fn an_issuer_whose_whole_key_is_published_need_not_be_shown() {
    let (ca, stranger) = (authority("ca"), authority("stranger"));
    let key = [record((2, 1, 0), ca.der())];
    let alone = |by: &Authority, params: &CertificateParams| {
        let mut peer = shown(params, by);
        peer.chain.truncate(1);
        peer
    };
    assert_eq!(prove(&alone(&ca, &leaf(&[HOST])), &key, &[HOST], NOW), Ok(()));
    assert_eq!(prove(&alone(&ca, &leaf(&["x.example"])), &key, &[HOST], NOW), Err(Reason::CertificateWrongName));
    assert_eq!(prove(&alone(&ca, &expired(&[HOST])), &key, &[HOST], NOW), Err(Reason::CertificateExpired));
    assert_eq!(prove(&alone(&stranger, &leaf(&[HOST])), &key, &[HOST], NOW), Err(Reason::TlsaMismatch));
    let digest = [record((2, 1, 1), ca.der())];
    assert_eq!(prove(&alone(&ca, &leaf(&[HOST])), &digest, &[HOST], NOW), Err(Reason::TlsaMismatch));
}

#[test]
fn a_published_root_must_be_valid_and_one_that_may_sign() {
    let issuer = |change: fn(&mut CertificateParams)| {
        let mut params = leaf(&[]);
        params.distinguished_name.push(DnType::CommonName, "issuer");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        change(&mut params);
        CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
    };
    for (why, issuer) in [
        (Ok(()), issuer(|_| {})),
        (Err(Reason::CertificateExpired), issuer(|params| params.not_after = rcgen::date_time_ymd(2026, 11, 1))),
        (Err(Reason::CertificateNotYetValid), issuer(|params| params.not_before = rcgen::date_time_ymd(2026, 12, 1))),
        (Err(Reason::CertificateInvalid), issuer(|params| params.is_ca = IsCa::NoCa)),
    ] {
        let peer = shown(&leaf(&[HOST]), &issuer);
        for selector in [0, 1] {
            for matching in [0, 1, 2] {
                let named = record((2, selector, matching), issuer.der());
                assert_eq!(prove(&peer, &[named], &[HOST], NOW), why, "2 {selector} {matching}");
            }
        }
    }
}

#[test]
fn below_a_root_a_published_issuer_counts_whatever_its_dates() {
    let root = authority("root");
    let mut params = expired(&[]);
    params.distinguished_name.push(DnType::CommonName, "issuer");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::signed_by(params, KeyPair::generate().unwrap(), &root).unwrap();
    let mut peer = shown(&leaf(&[HOST]), &issuer);
    peer.chain.push(root.der().clone());
    assert_eq!(prove(&peer, &[record((2, 1, 1), issuer.der())], &[HOST], NOW), Ok(()));
    assert_eq!(prove(&peer, &[record((2, 1, 1), root.der())], &[HOST], NOW), Err(Reason::CertificateExpired));
}

#[test]
fn of_several_digests_of_one_kind_the_strongest_counts() {
    let (own, other) = (authority("own"), authority("other"));
    let kept = |records: &[Tlsa]| usable(records).iter().map(|r| (r.usage, r.selector, r.matching)).collect::<Vec<_>>();
    for usage in [2, 3] {
        for selector in [0, 1] {
            let of = |matching, authority: &Authority| record((usage, selector, matching), authority.der());
            let (weak, strong, whole) = (of(1, &own), of(2, &other), of(0, &other));
            let twice = [weak.clone(), strong.clone(), strong.clone()];
            assert_eq!(kept(&twice), [(usage, selector, 2), (usage, selector, 2)]);
            assert_eq!(kept(&[weak.clone(), whole.clone()]), [(usage, selector, 1), (usage, selector, 0)]);
            assert_eq!(kept(&[strong, whole]), [(usage, selector, 2), (usage, selector, 0)]);
            let broken = Tlsa { data: vec![7; 63], ..of(2, &own) };
            assert_eq!(kept(&[weak.clone(), broken]), [(usage, selector, 1)], "what cannot be used outdoes nothing");
            for another in [(5 - usage, selector, 2), (usage, 1 - selector, 2)] {
                assert_eq!(kept(&[weak.clone(), record(another, own.der())]), [(usage, selector, 1), another]);
            }
        }
    }
}

#[test]
fn a_peer_that_did_not_prove_its_key_proves_nothing() {
    let peer = PeerCertificates { signature_valid: false, ..shown(&leaf(&[HOST]), &authority("ca")) };
    let right = record((3, 1, 1), &peer.chain[0]);
    assert_eq!(prove(&peer, std::slice::from_ref(&right), &[HOST], NOW), Err(Reason::CertificateInvalid));
    let nothing = PeerCertificates { chain: Vec::new(), signature_valid: true };
    assert_eq!(prove(&nothing, &[right], &[HOST], NOW), Err(Reason::CertificateInvalid));
    let garbage = PeerCertificates { chain: vec![vec![0x30, 0x82, 0xff].into()], signature_valid: true };
    for usage in [2, 3] {
        let published = Tlsa { usage, selector: 1, matching: 1, data: vec![7; 32] };
        assert_eq!(prove(&garbage, &[published], &[HOST], NOW), Err(Reason::TlsaMismatch));
    }
    let unreadable = Tlsa { usage: 2, selector: 0, matching: 0, data: vec![0x30, 0x03, 1] };
    assert_eq!(prove(&shown(&leaf(&[HOST]), &authority("ca")), &[unreadable], &[HOST], NOW), Err(Reason::TlsaMismatch));
}

#[test]
fn only_records_that_mean_something_can_be_used() {
    let certificate = der(authority("ca").der());
    let used = |usage, selector, matching, data: &[u8]| {
        !usable(&[Tlsa { usage, selector, matching, data: data.to_vec() }]).is_empty()
    };
    let key = spki(&certificate);
    for usage in [2, 3] {
        let long = |whole: &[u8]| [whole, &[0]].concat();
        assert!(used(usage, 1, 0, &key) && !used(usage, 1, 0, &long(&key)) && !used(usage, 1, 0, &certificate));
        assert!(!used(usage, 0, 0, &long(&certificate)) && !used(usage, 0, 0, &key) && !used(usage, 0, 0, &[7; 40]));
        assert!(used(usage, 0, 0, &certificate) && used(usage, 1, 1, &[1; 32]) && used(usage, 1, 2, &[1; 64]));
        assert!(!used(usage, 1, 1, &[1; 31]) && !used(usage, 1, 2, &[1; 32]) && !used(usage, 0, 0, &[]));
        assert!(!used(usage, 2, 1, &[1; 32]) && !used(usage, 1, 3, &[1; 32]));
    }
    for usage in [0, 1, 4, 255] {
        assert!(!used(usage, 1, 1, &[1; 32]), "{usage}");
    }
}

#[test]
fn however_many_certificates_are_shown_few_issuers_are_tried() {
    let (ca, crowd) = (authority("ca"), authority("crowd"));
    let mut peer = shown(&leaf(&[HOST]), &ca);
    let own = KeyPair::generate().unwrap();
    for number in 0..14 {
        let mut issuer = leaf(&["x.example"]);
        issuer.distinguished_name.push(DnType::CommonName, format!("issuer {number}"));
        issuer.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        peer.chain.push(issuer.signed_by(&own, &crowd).unwrap().der().clone());
    }
    let of_crowd: Vec<Tlsa> = (0..32).map(|_| record((2, 1, 1), peer.chain.last().unwrap())).collect();
    let begun = std::time::Instant::now();
    assert_eq!(prove(&peer, &of_crowd, &[HOST], NOW), Err(Reason::TlsaMismatch));
    assert!(begun.elapsed() < std::time::Duration::from_secs(5), "{:?}", begun.elapsed());
}

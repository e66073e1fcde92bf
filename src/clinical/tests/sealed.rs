//! Messages that are sealed as a whole, parts that are, and those that only say so.

use super::*;
use crate::clinical::sealed::tests::{
    armoured, der, detached, enveloped, enveloped_with, noise, openpgp, signed, signed_beside,
};

const CLEAR: &str = "Content-Type: text/plain\r\n\r\nNHS number 943 476 5919, please see this patient\r\n";

fn smime(kind: &str, bytes: &[u8]) -> Vec<u8> {
    let head = format!("Subject: hello\r\nContent-Type: application/pkcs7-mime; smime-type={kind}; name=smime.p7m\r\n");
    format!("{head}Content-Transfer-Encoding: base64\r\n\r\n{}\r\n", base64(bytes)).into_bytes()
}

fn pgp_mime(control: &str, sealed: &str, more: &str) -> Vec<u8> {
    format!(
        "Subject: hello\r\nContent-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\"; boundary=b\r\n\r\n\
         This is an OpenPGP/MIME encrypted message (RFC 4880 and 3156)\r\n\
         --b\r\nContent-Type: application/pgp-encrypted\r\n\r\n{control}\r\n\
         --b\r\nContent-Type: application/octet-stream; name=encrypted.asc\r\n\r\n{sealed}\r\n{more}--b--\r\n"
    )
    .into_bytes()
}

fn part(kind: &str, name: &str, bytes: &[u8]) -> String {
    format!("Content-Type: {kind}; name={name}\r\nContent-Transfer-Encoding: base64\r\n\r\n{}", base64(bytes))
}

/// A letter with an octet beyond ASCII in each line, as Windows writes quotes.
const LETTER: &[u8] =
    b"\r\n\r\nDear Sir,\r\n\x93NHS number 943 476 5919\x94 was seen \xA0\r\nin our clinic.\xA0\r\nYours, Dr Jones\r\n";

fn kinds(message: &[u8]) -> Vec<FindingKind> {
    let mut kinds: Vec<FindingKind> = look(message).findings.iter().map(|finding| finding.kind).collect();
    kinds.sort();
    kinds.dedup();
    kinds
}

#[test]
fn a_whole_message_that_is_sealed_is_its_own_kind_and_its_header_is_read() {
    let inline = format!("Subject: hello\r\n\r\n{}", armoured(&openpgp())).into_bytes();
    // The declared type says anything: an enveloped message that is called signed is sealed all the same.
    for (message, place, what) in [
        (smime("enveloped-data", &enveloped()), "text", "smime"),
        (smime("signed-data", &enveloped()), "text", "smime"),
        (pgp_mime("Version: 1", &armoured(&openpgp()), ""), "text", "pgp"),
        (inline, "text", "pgp"),
        (smime("signed-data", &signed(&smime("enveloped-data", &enveloped()))[1]), "smime.p7m!/text", "smime"),
    ] {
        let findings = look(&message);
        let shown = String::from_utf8_lossy(&message);
        assert_eq!(found(&findings, FindingKind::AlreadySealed), [(place, what, Confidence::High)], "{shown}");
        assert_eq!(kinds(&message), [FindingKind::AlreadySealed]);
        let text = String::from_utf8(message).unwrap();
        let named = text.replacen("Subject: hello", "Subject: NHS number 943 476 5919", 1);
        assert_eq!(numbers(named.as_bytes()), at("subject"));
    }
}

#[test]
fn a_sealed_part_of_an_ordinary_message_is_closed() {
    let part = |kind: &str, bytes: &[u8]| part(kind, "x", bytes);
    let text = "Content-Type: text/plain\r\n\r\nSee attached.";
    for (attached, what) in [
        (part("application/pkcs7-mime", &enveloped()), "smime"),
        (part("application/pgp-encrypted", &openpgp()), "pgp"),
        (part("text/plain", armoured(&openpgp()).as_bytes()), "pgp"),
        (part("text/plain", format!("Dear all,\r\n{}", armoured(&openpgp())).as_bytes()), "pgp"),
    ] {
        let findings = look(&mixed(&[text, &attached]));
        assert_eq!(found(&findings, FindingKind::EncryptedAttachment), [("x", what, Confidence::High)]);
        assert_eq!(found(&findings, FindingKind::UnknownAttachment), [("x", what, Confidence::High)]);
        assert_eq!(found(&findings, FindingKind::AlreadySealed), []);
    }
    for (name, octets) in [("x.P7M", enveloped()), ("x.gpg", openpgp())] {
        let closed = mixed(&[text, &self::part("application/octet-stream", name, &octets)]);
        assert!(kinds(&closed).contains(&FindingKind::EncryptedAttachment), "told by its name: {name}");
        let alone = format!("Subject: hello\r\n{}", self::part("application/x-thing", "x.doc", &octets)).into_bytes();
        assert!(kinds(&alone).contains(&FindingKind::EncryptedAttachment), "a file that is closed");
        assert!(!kinds(&alone).contains(&FindingKind::AlreadySealed), "no programme opens it as the message");
        let called_text = mixed(&[text, &self::part("application/octet-stream", "x.txt", &octets)]);
        assert_eq!(kinds(&called_text), [FindingKind::UnknownAttachment], "readers show it as text");
    }
    let alone = mixed(&[&part("application/pkcs7-mime", &enveloped())]);
    assert!(!kinds(&alone).contains(&FindingKind::AlreadySealed), "what a list adds may stand beside it");
}

#[test]
fn signed_content_is_read_wherever_its_octets_are() {
    for wrapped in signed(CLEAR.as_bytes()) {
        for kind in ["signed-data", "enveloped-data"] {
            let message = smime(kind, &wrapped);
            assert_eq!(numbers(&message), at("smime.p7m!/text"), "{kind}");
            assert!(!kinds(&message).contains(&FindingKind::UnknownAttachment));
        }
        let as_signature = String::from_utf8(smime("signed-data", &wrapped)).unwrap();
        let as_signature = as_signature.replace("application/pkcs7-mime", "application/pkcs7-signature");
        assert_eq!(numbers(as_signature.as_bytes()), at("smime.p7m!/text"), "not passed over as a signature");
    }
    let file = signed(b"NHS number 943 476 5919, please see this patient")[0].clone();
    let part = format!(
        "Content-Type: application/octet-stream; name=letter.txt.p7m\r\nContent-Transfer-Encoding: base64\r\n\r\n{}",
        base64(&file)
    );
    assert_eq!(numbers(&mixed(&[&part])), at("letter.txt.p7m!/content"));
    let pem = format!(
        "Content-Type: application/octet-stream; name=x.pem\r\n\r\n-----BEGIN PKCS7-----\r\n{}\r\n-----END PKCS7-----\r\n",
        base64(&signed(CLEAR.as_bytes())[0])
    );
    assert_eq!(numbers(&mixed(&[&pem])), at("x.pem!/text"));
}

#[test]
fn what_pretends_to_be_sealed_is_not() {
    let literal =
        [&[0xC0 | 11, 60][..], b"t\0\0\0\0\0NHS number 943 476 5919, please see this patient!!!!!!!"].concat();
    let armour = armoured(&literal);
    let text =
        [enveloped(), b"\r\nNHS number 943 476 5919 is behind the end of what is sealed, in clear text".to_vec()];
    for pretender in [
        smime("enveloped-data", CLEAR.as_bytes()),
        smime("enveloped-data", &text.concat()),
        pgp_mime("Version: 1", &armour, ""),
        pgp_mime("Version: 1", "NHS number 943 476 5919", ""),
        pgp_mime("NHS number 943 476 5919", &armoured(&openpgp()), ""),
        pgp_mime("Version: 1", &armoured(&openpgp()), "--b\r\n\r\nNHS number 943 476 5919\r\n"),
        format!("Subject: hello\r\n\r\n{armour}").into_bytes(),
        format!("Subject: hello\r\n\r\n{}NHS number 943 476 5919\r\n", armoured(&openpgp())).into_bytes(),
    ] {
        assert!(!kinds(&pretender).contains(&FindingKind::AlreadySealed), "{}", String::from_utf8_lossy(&pretender));
        assert!(!numbers(&pretender).is_empty(), "{}", String::from_utf8_lossy(&pretender));
    }
    let armoured_literal = format!("Subject: hello\r\n\r\n{armour}").into_bytes();
    assert!(kinds(&armoured_literal).contains(&FindingKind::UnknownAttachment));
    let sealed = String::from_utf8(smime("enveloped-data", &enveloped())).unwrap();
    let twofold = sealed.replace(
        "Content-Transfer-Encoding: base64",
        "Content-Transfer-Encoding: base64\r\nContent-Transfer-Encoding: 7bit",
    );
    assert!(!kinds(twofold.as_bytes()).contains(&FindingKind::AlreadySealed), "another reader sees something else");
}

#[test]
fn a_letter_in_the_place_of_cipher_text_is_read_whatever_it_is_called() {
    let cms = enveloped_with(der, &[7, 3], LETTER);
    let pgp = [&openpgp()[..264], &[0xC0 | 9, LETTER.len() as u8], LETTER].concat();
    for octets in [&cms, &pgp] {
        for kind in [
            "text/plain",
            "text/html",
            "application/pkcs7-mime",
            "application/octet-stream",
            "application/pgp-encrypted",
        ] {
            for name in ["smime.p7m", "x.pgp", "x.txt"] {
                let message = format!("Subject: hello\r\n{}", part(kind, name, octets)).into_bytes();
                assert!(!kinds(&message).contains(&FindingKind::AlreadySealed), "{kind} {name}");
                let told = [FindingKind::UnknownAttachment, FindingKind::BrokenAttachment];
                assert!(kinds(&message).iter().any(|kind| told.contains(kind)), "{kind} {name}");
                assert_eq!(numbers(&message), at(name), "{kind}");
            }
        }
    }
    for octets in [enveloped(), openpgp()] {
        let message = format!("Subject: hello\r\n{}", part("text/plain", "x", &octets)).into_bytes();
        assert!(!kinds(&message).contains(&FindingKind::AlreadySealed), "readers show it as text");
    }
}

#[test]
fn what_is_sealed_is_looked_at_as_it_stands_too() {
    // Between two stretches of noise, too short to be most of anything.
    let hidden = [&noise(300)[..], b"NHS number 943 476 5919", &noise(300)].concat();
    let message = smime("enveloped-data", &enveloped_with(der, &[7, 3], &hidden));
    assert_eq!(kinds(&message), [FindingKind::NhsNumber, FindingKind::AlreadySealed]);
}

#[test]
fn certificates_of_a_signed_message_may_be_a_letter() {
    for content in [&b"Hello"[..], b""] {
        let signed = signed_beside(content, LETTER);
        for kind in [
            "text/plain",
            "text/html",
            "application/octet-stream",
            "application/pkcs7-mime",
            "application/pkcs7-signature",
        ] {
            let message = format!("Subject: hello\r\n{}", part(kind, "x", &signed)).into_bytes();
            assert_eq!(numbers(&message), at("x"), "{kind}");
            let is_unknown = kinds(&message).contains(&FindingKind::UnknownAttachment);
            assert_eq!(is_unknown, !kind.contains("pkcs7"), "{kind}");
        }
    }
    let cut = &signed_beside(b"Hello", LETTER)[..80];
    assert!(kinds(&smime("signed-data", cut)).contains(&FindingKind::BrokenAttachment));
}

#[test]
fn a_signature_is_one_by_its_octets_and_not_by_its_type() {
    let text = b"0\x01\x02\x03\x04\x05\r\nNHS number 943 476 5919\r\n";
    for name in ["letter.txt", "smime.p7s"] {
        let message = mixed(&[&part("application/pkcs7-signature", name, text)]);
        assert!(kinds(&message).contains(&FindingKind::UnknownAttachment));
        assert_eq!(numbers(&message), at(name));
    }
    let certificates = detached(&noise(900));
    let message = mixed(&[&part("application/pkcs7-signature", "smime.p7s", &certificates)]);
    assert_eq!(kinds(&message), []);
    assert_eq!(
        numbers(&mixed(&[&part("application/pkcs7-signature", "smime.p7s", &detached(LETTER))])),
        at("smime.p7s")
    );
    let called_text = mixed(&[&part("application/pkcs7-signature", "letter.txt", &certificates)]);
    assert_eq!(kinds(&called_text), [FindingKind::UnknownAttachment]);
    let more = [&certificates[..], b"NHS number 943 476 5919"].concat();
    assert_eq!(numbers(&mixed(&[&part("application/pkcs7-signature", "smime.p7s", &more)])), at("smime.p7s"));
}

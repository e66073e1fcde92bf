//! Signatures of pictures and sound in front of what a reader shows as text.

use super::*;
use crate::clinical::own::OwnLexicon;
use crate::vocabulary::OwnName;

const NUMBER: &str = "NHS number 943 476 5919";

fn kinds(message: &[u8]) -> Vec<FindingKind> {
    look(message).findings.iter().map(|finding| finding.kind).collect()
}

/// A picture in the text, by what it says of itself.
fn inline(kind: &str, name: &str, bytes: &[u8]) -> Vec<u8> {
    let part = format!(
        "Content-Type: {kind}\r\nContent-ID: <a>\r\nContent-Disposition: inline; filename={name}\r\nContent-Transfer-Encoding: base64\r\n\r\n{}",
        base64(bytes)
    );
    mixed(&["Content-Type: text/plain\r\n\r\nHello", &part])
}

#[test]
fn text_behind_a_signature_is_read_and_never_a_logo() {
    for magic in [&b"GIF89a"[..], b"GIF87a", b"\xFF\xD8\xFF", b"\x89PNG\r\n\x1A\n", b"BM1234\0\0\0\0"] {
        let bytes = [magic, b" <p>", NUMBER.as_bytes(), b"</p>"].concat();
        for (kind, name) in [("text/html", "a.html"), ("image/gif", "a.gif"), ("application/octet-stream", "a")] {
            let message = inline(kind, name, &bytes);
            assert_eq!(numbers(&message), at(name), "{kind} {magic:?}");
            assert!(kinds(&message).contains(&FindingKind::BrokenAttachment), "{kind} {magic:?}");
        }
    }
    let body = format!("Subject: x\r\nContent-Type: text/plain\r\nContent-Disposition: inline\r\n\r\nGIF89a {NUMBER}");
    assert_eq!(numbers(body.as_bytes()), at("text"));
    let marked = inline("text/html", "a.html", b"GIF89a NHS number 943 <b>476</b> <i>5919</i>");
    assert_eq!(numbers(&marked), at("a.html"), "as a reader of markup shows it");
    for magic in [&b"ID3"[..], b"OggS", b"Rar!\x1A\x07", b"MSCF", b"RIFF", b"1234ftyp", b"II*\0"] {
        let message = inline("text/plain", "a.txt", &[magic, b" ", NUMBER.as_bytes()].concat());
        assert_eq!(numbers(&message), at("a.txt"), "{magic:?}");
    }
}

#[test]
fn a_large_text_behind_a_signature_is_read_to_its_end() {
    let text = b"an ordinary line of a letter\r\n".repeat(9_000);
    for (kind, start) in [("image/gif", &b"GIF89a "[..]), ("text/plain", PNG)] {
        let message = inline(kind, "a.gif", &[start, &text, NUMBER.as_bytes()].concat());
        assert_eq!(numbers(&message), at("a.gif"), "{kind}");
    }
}

#[test]
fn a_picture_that_is_called_text_is_unknown_and_a_logo_is_looked_at() {
    assert!(look(&inline("image/png", "a.png", PNG)).findings.is_empty());
    for (kind, name) in [("text/html", "a"), ("application/pdf", "a"), ("image/png", "a.PDF"), ("image/png", "a.htm")] {
        assert!(kinds(&inline(kind, name, PNG)).contains(&FindingKind::UnknownAttachment), "{kind} {name}");
    }
    let page = [b"\x89PNG\r\n\x1A\n\0\0\0\x0DIHDR\0\0\x04\0\0\0\x04\0\x01".as_slice(), &[0; 9]].concat();
    assert_eq!(kinds(&inline("image/png", "a.png", &page)), [FindingKind::Image], "a page that compresses well");
    let commented = [PNG, &[0; 300], NUMBER.as_bytes(), &[0; 300]].concat();
    assert_eq!(numbers(&inline("image/png", "a.png", &commented)), at("a.png"));
    let gif = b"GIF89a\x01\0\x01\0\x80\0\0\xFF\xFF\xFF\0\0\0\x2C\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0\x3B";
    assert!(look(&inline("image/gif", "a.gif", gif)).findings.is_empty());
    let jpeg =
        [&b"\xFF\xD8\xFF\xE0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0\xFF\xC0\0\x11\x08\0\x01\0\x01"[..], &[0xFF; 200]]
            .concat();
    assert!(look(&inline("image/jpeg", "a.jpg", &jpeg)).findings.is_empty());
}

#[test]
fn a_pdf_behind_the_signature_of_a_picture_is_a_pdf_and_a_picture() {
    for magic in [&b"GIF89a\n"[..], PNG, b"\xFF\xD8\xFF\xE0", b"ID3", b"II*\0"] {
        let bytes = [magic, b"%PDF-1.7\n", NUMBER.as_bytes()].concat();
        let message = inline("application/pdf", "a.pdf", &bytes);
        assert_eq!(numbers(&message), at("a.pdf"), "broken, and so looked at as it stands");
        assert!(kinds(&message).contains(&FindingKind::BrokenAttachment));
        let is_picture = kinds(&message).iter().any(|kind| matches!(kind, FindingKind::Image | FindingKind::Scan));
        assert_eq!(is_picture, magic != b"ID3");
    }
}

#[test]
fn text_of_a_drawing_is_read_and_an_ordinary_one_is_a_picture() {
    let emf = |inside: &[u8]| [&b"\x01\0\0\0"[..], &[0; 36], b" EMF", &[0xFF; 60], inside].concat();
    let wide: Vec<u8> = NUMBER.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let odd = [&b"\x07"[..], &wide].concat();
    for inside in [&wide, &odd] {
        assert_eq!(numbers(&inline("image/x-emf", "a.emf", &emf(inside))), at("a.emf"));
    }
    assert!(look(&inline("image/x-emf", "a.emf", &emf(b""))).findings.is_empty());
    let wmf = [&b"\xD7\xCD\xC6\x9A\0\0\x12\xF3"[..], NUMBER.as_bytes()].concat();
    assert_eq!(numbers(&inline("image/x-wmf", "a.wmf", &wmf)), at("a.wmf"));
}

#[test]
fn of_what_is_unread_anyway_a_million_octets_are_looked_at_as_text() {
    let long = |filler: usize| [b"ID3 ", "x ".repeat(filler / 2).as_bytes(), NUMBER.as_bytes()].concat();
    let message = inline("text/plain", "a.txt", &long(1_000_000));
    assert_eq!(numbers(&message), at("a.txt"));
    let message = inline("application/octet-stream", "a", &long(1_100_000));
    let found = kinds(&message);
    assert!(found.contains(&FindingKind::LimitReached) && found.contains(&FindingKind::UnknownAttachment), "{found:?}");
}

#[test]
fn letters_that_stand_together_by_chance_are_no_words() {
    let lexicon = OwnLexicon::new(OwnName::of("terms"), &[("CKD".to_owned(), 1)]);
    let rules = Rules::default().with_own(Vec::new(), &[lexicon]);
    let found = |octets: &[u8]| {
        let picture = [PNG, &[0; 300], octets, &[0; 300]].concat();
        inspect(&inline("image/png", "a.png", &picture), &rules, &Limits::default()).findings.len()
    };
    assert_eq!(found(b"\x01CKD\x02"), 0);
    assert_eq!(found(b"comment: CKD stage 3"), 1);
}

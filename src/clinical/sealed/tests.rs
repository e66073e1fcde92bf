use super::*;

/// Octets that nothing explains.
pub(in crate::clinical) fn noise(octets: usize) -> Vec<u8> {
    let mut n = 7u32;
    let next = |_| {
        n = n.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (n >> 24) as u8
    };
    (0..octets).map(next).collect()
}

/// One element of DER.
pub(in crate::clinical) fn der(tag: u8, content: &[&[u8]]) -> Vec<u8> {
    let content = content.concat();
    let len = content.len();
    let length = match len {
        0..=127 => vec![len as u8],
        128..=255 => vec![0x81, len as u8],
        256..=65_535 => vec![0x82, (len >> 8) as u8, len as u8],
        _ => vec![0x83, (len >> 16) as u8, (len >> 8) as u8, len as u8],
    };
    [&[tag][..], &length, &content].concat()
}

/// The same with an indefinite length.
fn ber(tag: u8, content: &[&[u8]]) -> Vec<u8> {
    [&[tag, 0x80][..], &content.concat(), &[0, 0]].concat()
}

fn oid(last: &[u8]) -> Vec<u8> {
    der(0x06, &[b"\x2A\x86\x48\x86\xF7\x0D\x01", last])
}

pub(in crate::clinical) type Write = fn(u8, &[&[u8]]) -> Vec<u8>;

pub(in crate::clinical) fn enveloped_with(write: Write, kind: &[u8], encrypted: &[u8]) -> Vec<u8> {
    let algorithm = der(0x30, &[&der(0x06, &[b"\x60\x86\x48\x01\x65\x03\x04\x01\x2A"]), &der(0x04, &[&noise(16)])]);
    let recipient = der(0x30, &[&der(0x02, &[&[0]]), &der(0x04, &[&noise(200)])]);
    let data = match write(0x30, &[])[1] {
        0x80 => ber(0xA0, &[&der(0x04, &[encrypted]), &der(0x04, &[&noise(20)])]),
        _ => der(0x80, &[encrypted]),
    };
    let info = write(0x30, &[&oid(&[7, 1]), &algorithm, &data]);
    let inner = write(0x30, &[&der(0x02, &[&[0]]), &der(0x31, &[&recipient]), &info]);
    write(0x30, &[&oid(kind), &write(0xA0, &[&inner])])
}

pub(in crate::clinical) fn enveloped() -> Vec<u8> {
    enveloped_with(der, &[7, 3], &noise(5_000))
}

/// Signed, with its content whole or in pieces.
pub(in crate::clinical) fn signed(content: &[u8]) -> [Vec<u8>; 3] {
    let around = |write: Write, octets: Vec<u8>| {
        let info = write(0x30, &[&oid(&[7, 1]), &write(0xA0, &[&octets])]);
        let inner = write(0x30, &[&der(0x02, &[&[1]]), &der(0x31, &[]), &info, &der(0x31, &[])]);
        write(0x30, &[&oid(&[7, 2]), &write(0xA0, &[&inner])])
    };
    let pieces: Vec<Vec<u8>> = content.chunks(7).map(|piece| der(0x04, &[piece])).collect();
    let pieces: Vec<&[u8]> = pieces.iter().map(Vec::as_slice).collect();
    let (first, rest) = pieces.split_at(pieces.len() / 2);
    let nested = ber(0x24, &[&der(0x24, first), &ber(0x24, rest)]);
    [around(der, der(0x04, &[content])), around(ber, ber(0x24, &pieces)), around(ber, nested)]
}

/// Signed, with something where the certificates are.
pub(in crate::clinical) fn signed_beside(content: &[u8], certificates: &[u8]) -> Vec<u8> {
    let info = der(0x30, &[&oid(&[7, 1]), &der(0xA0, &[&der(0x04, &[content])])]);
    signed_with(&info, certificates)
}

/// A signature without its content.
pub(in crate::clinical) fn detached(certificates: &[u8]) -> Vec<u8> {
    signed_with(&der(0x30, &[&oid(&[7, 1])]), certificates)
}

fn signed_with(info: &[u8], certificates: &[u8]) -> Vec<u8> {
    let inner = der(0x30, &[&der(0x02, &[&[1]]), &der(0x31, &[]), info, &der(0xA0, &[certificates]), &der(0x31, &[])]);
    der(0x30, &[&oid(&[7, 2]), &der(0xA0, &[&inner])])
}

#[test]
fn cipher_text_is_not_mostly_legible() {
    assert!((0..40_000).step_by(1_000).all(|octets| is_cipher_text(&noise(octets))));
    assert!((64..300).all(|octets| is_cipher_text(&noise(octets))));
    // An octet that no text has, more often than any run is long.
    let letter = b"NHS number 943 476 5919\x94 was seen in our clinic\xA0".repeat(6);
    assert!(!is_cipher_text(&letter[..64]) && !is_cipher_text(&letter));
    assert!(!is_cipher_text(&[&noise(5_000)[..], &letter, &noise(5_000)].concat()));
}

#[test]
fn enveloped_is_what_has_recipients_and_cipher_text() {
    for kind in [&[7, 3][..], &[9, 16, 1, 23]] {
        for write in [der as Write, ber] {
            let sealed = enveloped_with(write, kind, &noise(5_000));
            assert!(looks_like_cms(&sealed));
            assert_eq!(cms(&sealed, 0), Some(Cms::Enveloped), "{kind:?}");
            assert_eq!(cms(&[&sealed[..], b"\r\n"].concat(), 0), Some(Cms::Enveloped), "a line end of the transport");
            let text = [&sealed[..], &b"NHS number 943 476 5919".repeat(4)].concat();
            assert_eq!(cms(&text, 0), Some(Cms::Other), "text behind it");
            assert_eq!(cms(&sealed[..sealed.len() - 40], 0), Some(Cms::Other), "cut");
        }
        let clear = b"NHS number 943 476 5919, please see this patient about the chest pain that began on Monday";
        assert_eq!(cms(&enveloped_with(der, kind, clear), 0), Some(Cms::Other), "clear text in its place");
        assert_eq!(cms(&enveloped_with(der, kind, b""), 0), Some(Cms::Other), "none");
    }
    for kind in [&[7, 5][..], &[9, 16, 1, 9], &[7, 1]] {
        assert_eq!(cms(&enveloped_with(der, kind, &noise(500)), 0), Some(Cms::Other), "{kind:?}");
    }
    assert_eq!(cms(b"0\x80\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x07\x03\xA0\x80NHS number", 0), Some(Cms::Other));
    assert_eq!(cms(b"0 is the first digit of this text, 943 476 5919", 9), None);
}

#[test]
fn the_content_of_a_signed_message_comes_out_whole() {
    let content = b"Content-Type: text/plain\r\n\r\nNHS number 943 476 5919\r\n";
    for signed in signed(content) {
        assert_eq!(cms(&signed, 1_000), Some(Cms::Signed(content.to_vec())));
        assert_eq!(cms(&signed, 10), Some(Cms::Signed(content[..10].to_vec())));
    }
    let info = der(0x30, &[&oid(&[7, 1])]);
    let inner = der(0x30, &[&der(0x02, &[&[1]]), &der(0x31, &[]), &info, &der(0x31, &[])]);
    assert_eq!(cms(&der(0x30, &[&oid(&[7, 2]), &der(0xA0, &[&inner])]), 100), Some(Cms::Detached));
}

#[test]
fn nesting_of_pieces_is_bounded() {
    let mut deep = der(0x04, &[b"x"]);
    for _ in 0..5_000 {
        deep = [&[0x24, 0x80][..], &deep, &[0, 0]].concat();
    }
    let info = ber(0x30, &[&oid(&[7, 1]), &ber(0xA0, &[&deep])]);
    let inner = ber(0x30, &[&der(0x02, &[&[1]]), &der(0x31, &[]), &info]);
    assert_eq!(cms(&ber(0x30, &[&oid(&[7, 2]), &ber(0xA0, &[&inner])]), 100), Some(Cms::Other));
    assert!(cms(&[0x30, 0x80].repeat(1_000_000), 100).is_none());
}

/// A packet in the new format, in one piece or in several.
fn packet(tag: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![0xC0 | tag];
    match body.len() {
        len @ 0..=191 => out.push(len as u8),
        len @ 192..=8_383 => out.extend([((len - 192) >> 8) as u8 + 192, (len - 192) as u8]),
        len => out.extend([&[255][..], &(len as u32).to_be_bytes()].concat()),
    }
    out.extend(body);
    out
}

fn in_pieces(tag: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![0xC0 | tag];
    let mut rest = body;
    while let Some((piece, behind)) = rest.split_at_checked(512) {
        out.push(224 + 9);
        out.extend(piece);
        rest = behind;
    }
    out.extend(&packet(tag, rest)[1..]);
    out
}

/// A packet in the old format.
fn old(tag: u8, body: &[u8]) -> Vec<u8> {
    [&[0x80 | tag << 2 | 1][..], &(body.len() as u16).to_be_bytes(), body].concat()
}

fn versioned(version: u8, octets: usize) -> Vec<u8> {
    [&[version][..], &noise(octets)].concat()
}

pub(in crate::clinical) fn openpgp() -> Vec<u8> {
    [packet(1, &versioned(3, 260)), packet(18, &versioned(1, 3_000))].concat()
}

pub(in crate::clinical) fn armoured(octets: &[u8]) -> String {
    use base64::Engine as _;
    let letters = base64::engine::general_purpose::STANDARD.encode(octets);
    let lines: Vec<String> = letters.as_bytes().chunks(64).map(|l| String::from_utf8_lossy(l).into_owned()).collect();
    format!(
        "-----BEGIN PGP MESSAGE-----\r\nVersion: x 1.0\r\n\r\n{}\r\n=AbCd\r\n-----END PGP MESSAGE-----\r\n",
        lines.join("\r\n")
    )
}

#[test]
fn packets_of_both_formats_are_an_encrypted_message_or_none() {
    let (key, data) = (versioned(3, 260), versioned(1, 3_000));
    for sealed in [
        openpgp(),
        [old(1, &key), old(9, &noise(2_000))].concat(),
        [packet(3, &versioned(4, 12)), packet(10, b"PGP"), packet(18, &data)].concat(),
        [packet(1, &key), packet(1, &key), in_pieces(18, &data)].concat(),
        [packet(1, &versioned(6, 90)), packet(18, &versioned(2, 400)), packet(21, &noise(90))].concat(),
        [packet(3, &versioned(5, 40)), packet(20, &data)].concat(),
    ] {
        assert!(is_openpgp(&sealed) && looks_like_openpgp(&sealed), "{:?}", &sealed[..4]);
        assert!(!is_openpgp(&[&sealed[..], b"NHS number 943 476 5919"].concat()));
    }
    let to_the_end = [packet(1, &key), vec![0x80 | 9 << 2 | 3], noise(700)].concat();
    assert!(is_openpgp(&to_the_end));
    let clear = b"NHS number 943 476 5919, please see this patient about the chest pain that began on Monday".to_vec();
    let literal = packet(11, &[b"t\0\0\0\0\0", &clear[..]].concat());
    for open in [
        literal.clone(),
        packet(8, &noise(300)),
        packet(18, &data),
        [packet(1, &key), literal].concat(),
        [packet(1, &key), packet(18, &[&[1][..], &clear].concat())].concat(),
        [packet(1, &[&[3][..], &clear].concat()), packet(18, &data)].concat(),
        [packet(1, &key), packet(18, &data), packet(8, &noise(300))].concat(),
        [packet(1, &key), packet(18, &data)[..900].to_vec()].concat(),
        packet(1, &key),
        Vec::new(),
        clear.clone(),
    ] {
        assert!(!is_openpgp(&open), "{:?}", open.get(..4));
    }
}

#[test]
fn armour_is_alone_or_not() {
    let text = armoured(&openpgp());
    let found = armour(text.as_bytes()).unwrap();
    assert!(found.is_alone && found.octets == openpgp());
    for around in [
        format!("{text}\r\nNHS number 943 476 5919"),
        text.replace("Version: x 1.0", "Comment: NHS number 943 476 5919"),
        text.replace("\r\n\r\n", "\r\n\r\nplease see this patient, who has\r\n"),
        text.replace("-----END PGP MESSAGE-----", ""),
    ] {
        assert!(!armour(around.as_bytes()).unwrap().is_alone, "{around}");
    }
    assert!(armour(b"Hello").is_none());
    assert_eq!(armours(format!("a\n{text}b\n{text}").as_bytes()).count(), 2);
    assert_eq!(armours(text.repeat(40).as_bytes()).filter(|found| found.is_alone).count(), 40, "decoys before it");
}

#[test]
fn armour_that_does_not_end_is_looked_at_once() {
    let many = format!("-----BEGIN PGP MESSAGE-----\n\n{}\n", "AAAA".repeat(16)).repeat(500);
    let octets: usize = armours(many.as_bytes()).map(|armour| armour.octets.len()).sum();
    assert_eq!(octets, 48 * 500);
}

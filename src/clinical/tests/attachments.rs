//! Attachments that are told by their start, and those that are read to their end.

use super::*;

/// Base64 in lines of 76.
fn lines_of_base64(bytes: &[u8]) -> String {
    let letters = base64(bytes);
    letters.as_bytes().chunks(76).map(|line| String::from_utf8_lossy(line).into_owned() + "\r\n").collect()
}

/// A number deep in text that begins with `start`.
fn deep(start: &[u8]) -> Vec<u8> {
    let text = b"an ordinary line of a letter\r\n".repeat(3_000);
    [start, &text, b"NHS number 943 476 5919\r\n", &text].concat()
}

#[test]
fn what_is_read_whatever_it_is_is_read_to_its_end_however_it_begins() {
    for start in [&[1; 4_000][..], b"\xFF\xD8\xFF", b"BZh"] {
        for kind in ["message/partial; id=a; number=1", "message/external-body; access-type=x"] {
            let head = format!("Content-Type: {kind}\r\nContent-Transfer-Encoding: base64\r\n\r\n");
            let message = [head.as_bytes(), lines_of_base64(&deep(start)).as_bytes()].concat();
            assert!(!found(&look(&message), FindingKind::NhsNumber).is_empty(), "{kind} {start:?}");
        }
    }
    for kind in ["Content-Type: text/plain\r\n", "Content-Type: text/plain; charset=cp037\r\n", ""] {
        let head = format!("Subject: a\r\n{kind}Content-Transfer-Encoding: base64\r\n\r\n");
        let message = [head.as_bytes(), lines_of_base64(&deep(&[1; 4_000])).as_bytes()].concat();
        assert!(!found(&look(&message), FindingKind::NhsNumber).is_empty(), "{kind}");
    }
}

/// As many control characters as text may have, to the octet: base64 without padding decodes to two octets more than a count
/// of its quarters says.
#[test]
fn text_at_the_edge_of_binary_is_read() {
    let mut content = [vec![1; 901], deep(b"")].concat();
    content.resize(180_200, b'x');
    let letters = base64(&content);
    let inner = format!(
        "Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n{}",
        letters.trim_end_matches('=')
    );
    let outer = format!(
        "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n{}",
        lines_of_base64(inner.as_bytes())
    );
    assert!(!found(&look(outer.as_bytes()), FindingKind::NhsNumber).is_empty());
}

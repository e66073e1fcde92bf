//! The view of a header section, and the recogniser: every part, charset and markup, bounded whatever a message holds.

use super::{data, text};
use mailward::clinical::{Findings, Limits, Rules, inspect};
use mailward::mail::Header;
use mailward::mail::message::{header_len, ranges_of};
use mailward::vocabulary::FindingKind;
use std::sync::LazyLock;

static RULES: LazyLock<Rules> = LazyLock::new(Rules::default);

/// Fields are pieces of the section in their order; a field that is cut out by name leaves none of that name behind.
pub fn header(bytes: &[u8]) {
    let header = Header::of(bytes);
    assert!(bytes.starts_with(header.bytes()) && header.bytes().len() == header_len(bytes));
    let mut at = 0;
    for field in header.fields() {
        let found = header.bytes()[at..].windows(field.raw.len()).position(|piece| piece == field.raw);
        at += found.unwrap() + field.raw.len();
        assert!(field.raw.starts_with(field.name.as_bytes()) && !field.text().contains(['\r', '\n']));
    }
    if data::is_clean(bytes) {
        stripped(bytes, |name| name.to_ascii_lowercase().starts_with("x-"));
        stripped(bytes, |name| name.len() % 2 == 0);
    }
}

fn stripped(message: &[u8], unwanted: impl Fn(&str) -> bool + Copy) {
    let (mut left, mut at) = (Vec::new(), 0);
    let kept = Header::of(message).fields().filter(|field| !unwanted(field.name)).count();
    for range in ranges_of(message, unwanted) {
        assert!(at <= range.start && range.start < range.end && range.end <= header_len(message));
        left.extend_from_slice(&message[at..range.start]);
        at = range.end;
    }
    left.extend_from_slice(&message[at..]);
    let after = Header::of(&left);
    assert!(!after.fields().any(|field| unwanted(field.name)), "{:?}", left.escape_ascii().to_string());
    assert_eq!(after.fields().count(), kept, "and every other field is still there");
    assert_eq!(message[header_len(message)..], left[header_len(&left)..], "and the body is as it was");
}

/// A whole message, under the limits that hold and under narrow ones.
pub fn mime(bytes: &[u8]) {
    bounded(bytes, Limits { depth: 2, parts: 3, decoded: 600, part: 200 });
}

/// A PDF, in the same way.
pub fn pdf(bytes: &[u8]) {
    let head = b"Content-Type: application/pdf\r\nContent-Transfer-Encoding: binary\r\n\r\n";
    let narrow = Limits { depth: 2, parts: 3, decoded: bytes.len() + 300, part: bytes.len() };
    bounded(&[head, bytes].concat(), narrow);
}

fn bounded(message: &[u8], narrow: Limits) {
    let found = looked(message, Limits::default());
    assert_eq!(found, looked(message, Limits::default()), "the same message says the same twice");
    let narrow = looked(message, narrow);
    let reached = narrow.findings.iter().any(|finding| finding.kind == FindingKind::LimitReached);
    assert!(reached || narrow == found, "what a limit cut short is said to be cut short");
}

fn looked(message: &[u8], limits: Limits) -> Findings {
    let found = inspect(message, &RULES, &limits);
    assert!(
        found.findings.len() <= 64 * FindingKind::ALL.len() && found.read.len() <= 256 && found.unread.len() <= 256
    );
    for finding in &found.findings {
        let digits = finding.masked.bytes().filter(u8::is_ascii_digit).count();
        assert!(finding.kind != FindingKind::NhsNumber || (digits == 7 && finding.masked.contains("***")));
        assert!(!finding.place.chars().any(char::is_control), "{:?}", finding.place);
    }
    found
}

/// The charset is the first line, the text all others.
pub fn charset(bytes: &[u8]) {
    let at = bytes.iter().position(|octet| *octet == b'\n').unwrap_or(bytes.len().min(20));
    let (label, content) = bytes.split_at(at);
    let label: String = text(label).chars().filter(|c| c.is_ascii_graphic() && !"\"\\;".contains(*c)).collect();
    wrapped(&format!("text/plain; charset=\"{label}\""), content);
}

/// Markup, whose text is read as it is shown.
pub fn html(bytes: &[u8]) {
    wrapped("text/html; charset=utf-8", bytes);
}

/// What follows the start of RTF: groups, words and data in any disorder.
pub fn rtf(bytes: &[u8]) {
    document(&[b"{\\rtf1 ", bytes].concat());
}

/// The attributes of a TNEF file.
pub fn tnef(bytes: &[u8]) {
    document(&[b"\x78\x9F\x3E\x22\x01\0", bytes].concat());
}

/// A compound file, and one that is none.
pub fn ole(bytes: &[u8]) {
    document(bytes);
    document(&[b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", bytes].concat());
}

/// The same document says the same twice, and what a limit cuts short is said to be cut short.
pub fn document(content: &[u8]) {
    mime(&[b"Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary\r\n\r\n", content].concat());
}

fn wrapped(kind: &str, content: &[u8]) {
    let head = format!("Content-Type: {kind}\r\nContent-Transfer-Encoding: 8bit\r\n\r\n");
    looked(&[head.as_bytes(), content].concat(), Limits::default());
}

/// No text in front of it hides a number with its label.
pub fn nhs_number(bytes: &[u8]) {
    let before = text(bytes);
    let number = |text: String| {
        let message = ["Content-Type: text/plain; charset=utf-8\r\n\r\n", &text].concat();
        looked(message.as_bytes(), Limits::default())
    };
    number(before.clone().into_owned());
    let told = number(format!("{before}\r\n\r\nNHS number: 943 476 5919\r\n"));
    let numbers = || told.findings.iter().filter(|finding| finding.kind == FindingKind::NhsNumber);
    // A text that is full of numbers is clinical without this one, and what begins like a picture is not read, and said so.
    assert!(
        numbers().count() >= 32 || !told.unread.is_empty() || numbers().any(|finding| finding.masked == "943***5919"),
        "{:?}",
        told.findings
    );
}

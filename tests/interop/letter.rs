//! Messages that try what a client and a server may do to them, each with a subject by which it is found again.

use crate::lab::peers::{Peer, Received};
use crate::lab::until;
use crate::world::{DOCTOR, NUMBER, SECRET};
use std::fmt::Write as _;

pub const TO: &str = "b@partner.example";

/// Clinical mail can go nowhere: it is refused at the dot.
pub const REFUSING: &str = r#"
[class.clinical]
threshold = 10
[class.clinical.score]
nhs-number = 10

[rule.clinical-sealed]
direction = "outbound"
when = { content = ["clinical"] }
require = "sealed"
otherwise = "reject"
"#;

/// RFC 5321 4.5.3.1.1: a local part longer than 64 octets may be refused.
pub const TOO_LONG: &str = "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggggggggg@partner.example";

/// A header section that needs nothing added, and says what the body is.
fn header(subject: &str, kind: &str) -> String {
    let id = subject.replace(' ', "-");
    format!(
        "From: <{DOCTOR}>\r\nTo: <{TO}>\r\nSubject: {subject}\r\nDate: Mon, 23 Nov 2026 09:00:00 +0000\r\n\
         Message-ID: <{id}@trust.example>\r\nMIME-Version: 1.0\r\nContent-Type: {kind}\r\n"
    )
}

/// Dots where they mean something to SMTP, the longest line that it carries, eight bits, blanks at the end of a line.
pub fn nasty(subject: &str) -> Vec<u8> {
    let long = "x".repeat(998);
    let text = format!(
        ".leading\r\n..two\r\n.\r\n...\r\n. \r\n{long}\r\n.{}\r\nna\u{ef}ve caf\u{e9} \u{20ac} \u{1f3e5}\r\ntrailing blanks  \r\n\
         \r\n\r\nFrom here on as before\r\nthe end\r\n",
        &long[1..]
    );
    let kind = "text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit";
    (header(subject, kind) + "\r\n" + &text).into_bytes()
}

/// The same in seven bits, for what must go to servers without 8BITMIME too.
pub fn ordinary(subject: &str) -> Vec<u8> {
    (header(subject, "text/plain") + "\r\nThe car park is closed on Monday.\r\n.\r\n").into_bytes()
}

pub fn clinical(subject: &str) -> Vec<u8> {
    (header(subject, "text/plain") + &format!("\r\nNHS number {NUMBER}: {SECRET}\r\n")).into_bytes()
}

/// An attachment of `octets` in base64, each line another.
pub fn large(subject: &str, octets: usize) -> Vec<u8> {
    use base64::Engine as _;
    let mut text = header(subject, "application/octet-stream\r\nContent-Transfer-Encoding: base64") + "\r\n";
    for line in 0_u64..u64::try_from(octets / 57).unwrap() {
        // A spread of all octets that is the same in each run.
        let row: Vec<u8> = (0..57).map(|at: u64| (line * 31 + at * 7 + line / 256).to_le_bytes()[0]).collect();
        let _ = write!(text, "{}\r\n", base64::engine::general_purpose::STANDARD.encode(row));
    }
    text.into_bytes()
}

/// Waits for the message with this subject.
pub fn arrival(peer: &Peer, subject: &str) -> Received {
    let line = format!("\r\nSubject: {subject}\r\n");
    let found = until(|| peer.received().into_iter().find(|m| has(&m.message, &line)));
    found.unwrap_or_else(|| panic!("`{subject}` did not come"))
}

pub fn has(message: &[u8], line: &str) -> bool {
    memchr::memmem::find(message, line.as_bytes()).is_some()
}

/// The message without the trace fields in front (RFC 5321 4.4).
pub fn without_trace(message: &[u8]) -> &[u8] {
    let mut rest = message;
    let mut trace = false;
    while let Some(end) = memchr::memmem::find(rest, b"\r\n") {
        let folded = rest.starts_with(b" ") || rest.starts_with(b"\t");
        trace = ["Received:", "Return-Path:", "Delivered-To:", "X-Original-To:", "Envelope-to:", "Delivery-date:"]
            .iter()
            .any(|field| rest.starts_with(field.as_bytes()))
            || (trace && folded);
        if !trace {
            break;
        }
        rest = &rest[end + 2..];
    }
    rest
}

/// That what arrived is what was sent; where it is not, the first place.
pub fn assert_same(arrived: &[u8], sent: &[u8]) {
    let arrived = without_trace(arrived);
    if arrived != sent {
        let at = arrived.iter().zip(sent).take_while(|(a, b)| a == b).count();
        let around = |bytes: &[u8]| bytes[at.saturating_sub(60)..bytes.len().min(at + 60)].escape_ascii().to_string();
        panic!("differs at {at}:\n  sent    {}\n  arrived {}", around(sent), around(arrived));
    }
}

//! Archives as real programmes write them, and as nobody should.

use super::super::{Findings, Limits, Rules, inspect};
use crate::vocabulary::FindingKind;
use std::io::Write as _;
use std::sync::LazyLock;

mod hostile_zip;
mod packed_tar;
mod zips;

static RULES: LazyLock<Rules> = LazyLock::new(Rules::default);

const NUMBER: &[u8] = b"the letter says NHS number 943 476 5919, seen today\r\n";

/// The attachment `name` with that content in a message, as base64 in lines.
fn message(name: &str, bytes: &[u8]) -> Vec<u8> {
    use ::base64::Engine as _;
    let letters = ::base64::engine::general_purpose::STANDARD.encode(bytes);
    let mut out = format!(
        "Subject: x\r\nContent-Type: application/octet-stream; name={name}\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    )
    .into_bytes();
    for line in letters.as_bytes().chunks(76) {
        out.extend_from_slice(line);
        out.extend_from_slice(b"\r\n");
    }
    out
}

fn look(bytes: &[u8]) -> Findings {
    inspect(&message("a.bin", bytes), &RULES, &Limits::default())
}

/// Where numbers were found.
fn places(findings: &Findings) -> Vec<&str> {
    findings.findings.iter().filter(|f| f.kind == FindingKind::NhsNumber).map(|f| f.place.as_str()).collect()
}

/// What was said of that kind.
fn said(findings: &Findings, kind: FindingKind) -> Vec<&str> {
    findings.findings.iter().filter(|f| f.kind == kind).map(|f| f.masked.as_str()).collect()
}

/// Everything that was not read, by what was said of it.
fn unread(findings: &Findings) -> Vec<(FindingKind, &str)> {
    let kinds = [FindingKind::BrokenAttachment, FindingKind::UnknownAttachment, FindingKind::LimitReached];
    findings.findings.iter().filter(|f| kinds.contains(&f.kind)).map(|f| (f.kind, f.masked.as_str())).collect()
}

fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

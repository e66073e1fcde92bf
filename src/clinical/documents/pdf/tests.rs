//! Small PDFs, one for each way in which text can stand in one, or be kept from a reader.

mod writer;

use crate::clinical::{Findings, Limits, Rules, inspect};
use crate::vocabulary::FindingKind;
use base64::Engine as _;
use writer::{CATALOG, CONTENT, FONT, HELVETICA, PAGE, PAGES, Pdf, Typeface, flate, stream, text_string};

fn inspected(pdf: &[u8]) -> Findings {
    inspected_within(pdf, Limits::default())
}

fn inspected_within(pdf: &[u8], limits: Limits) -> Findings {
    let octets = base64::engine::general_purpose::STANDARD.encode(pdf);
    let head = "Subject: x\r\nContent-Type: application/pdf; name=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n";
    inspect(format!("{head}{octets}").as_bytes(), &Rules::default(), &limits)
}

fn found(findings: &Findings, kind: FindingKind) -> Vec<(&str, &str)> {
    let all = findings.findings.iter().filter(|f| f.kind == kind);
    all.map(|f| (f.place.as_str(), f.masked.as_str())).collect()
}

/// Whether the number is found, and that nothing is said to be unread.
#[track_caller]
fn holds(pdf: &[u8]) {
    let findings = inspected(pdf);
    assert!(!found(&findings, FindingKind::NhsNumber).is_empty(), "{findings:?}");
    assert_eq!(findings.unread, [], "and nothing is unread");
}

/// Whether the number is found, whatever else is said.
#[track_caller]
fn shows(pdf: &[u8]) {
    let findings = inspected(pdf);
    assert!(!found(&findings, FindingKind::NhsNumber).is_empty(), "{findings:?}");
}

#[track_caller]
fn says(pdf: &[u8], kind: FindingKind, what: &str) {
    let findings = inspected(pdf);
    assert!(found(&findings, kind).iter().any(|(_, masked)| *masked == what), "{kind} {what}: {findings:?}");
}

/// A page with this content in Helvetica.
fn shown(content: &str) -> Vec<u8> {
    Pdf::of(content.as_bytes()).bytes()
}

const NUMBER: &str = "BT /F1 12 Tf 72 720 Td (NHS number 943 476 5919) Tj ET";

mod drawn;
mod fonts;
mod hidden;
mod limits;
mod outlines;
mod places;

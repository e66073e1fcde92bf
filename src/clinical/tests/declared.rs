//! Text that looks like something else, and what a client shows of it.

use super::*;

const NUMBER: &str = "NHS number 943 476 5919";
const PDF: &str = "%PDF-1.4\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n2 0 obj\n<</Type/Pages/Kids[3 0 R]/Count 1>>\nendobj\n3 0 obj\n<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>\nendobj\ntrailer<</Size 4/Root 1 0 R>>\n%%EOF\n";

fn of_kind(kind: &str, body: &str) -> Vec<u8> {
    format!("Subject: x\r\nContent-Type: {kind}\r\n\r\n{body}").into_bytes()
}

#[test]
fn what_is_declared_text_is_read_as_text_whatever_it_looks_like() {
    for body in [
        format!("{NUMBER}\n{PDF}"),
        format!("{PDF}{NUMBER}\n"),
        format!("From: Dr A\nMessage-ID: {NUMBER}\n\nhello"),
        format!("{{\\rt hello{{\\pict {NUMBER}}}}}"),
        format!("<?xml version='1.0'?><?mso-application progid='Word.Document'?><!-- {NUMBER} --><w:wordDocument/>"),
    ] {
        for kind in ["text/plain", "", "text/html", "text/plain; name=a.txt", "application/octet-stream; name=a.csv"] {
            assert!(!numbers(&of_kind(kind, &body)).is_empty(), "{kind} {body}");
        }
    }
    let marked = of_kind("text/html", &format!("{PDF}<p>NHS number 94<b></b>3 476 5919</p>"));
    assert_eq!(numbers(&marked), at("html"));
}

#[test]
fn text_that_speaks_of_pdf_is_text() {
    for (kind, place) in [("text/plain", "text"), ("text/plain; name=a.txt", "a.txt")] {
        let findings = look(&of_kind(kind, "We send files as %PDF-1.7 these days."));
        assert_eq!((findings.unread.len(), findings.read.last().map(String::as_str)), (0, Some(place)));
    }
    let armoured = look(&of_kind("text/plain", "-----BEGIN PGP MESSAGE-----\n%PDF-1.7"));
    assert!(!armoured.unread.is_empty(), "it is still what it is");
}

#[test]
fn a_long_text_that_speaks_of_pdf_is_read_to_its_end_where_no_documents_are() {
    let body = format!("%PDF-1.7 is meant\n{}{NUMBER}", "an ordinary line of a letter\n".repeat(9_000));
    let head = "Subject: x\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n";
    let message = format!("{head}{}", base64(format!("The {body}").as_bytes()));
    let findings = inspect_text(message.as_bytes(), &Rules::default(), &Limits::default());
    assert_eq!(found(&findings, FindingKind::NhsNumber).len(), 1);
}

//! From a scenario to a message as a mail client writes it.
//!
//! Called by `play`. Promises: every line ends in CRLF; the time and the Message-ID are arguments. Fails when an address of
//! the scenario is none.

use super::error::DemoError;
use super::scenario::{Content, FORGED_FIELD, Scenario};
use crate::clock::{Wall, rfc5322_date};
use crate::mail::{Body, Envelope, Mailbox, Recipient};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// # Errors
/// When an address is none.
pub fn envelope(scenario: &Scenario) -> Result<Envelope, DemoError> {
    let mailbox = |text: &str| text.parse::<Mailbox>().map_err(DemoError::from);
    let recipients = scenario.recipients.iter().map(|r| mailbox(r.to).map(Recipient::new));
    Ok(Envelope {
        reverse_path: scenario.sender.parse()?,
        recipients: recipients.collect::<Result<_, _>>()?,
        body: Body::default(),
        smtputf8: false,
        ret: None,
        envid: None,
        require_tls: false,
    })
}

/// Number `number` of the demo, written at `now`.
#[must_use]
pub fn message(scenario: &Scenario, number: usize, now: Wall) -> Vec<u8> {
    let to: Vec<&str> = scenario.recipients.iter().map(|r| r.to).collect();
    let domain = scenario.sender.rsplit_once('@').map_or("demo.example", |(_, domain)| domain);
    let mut text = format!(
        "From: <{}>\r\nTo: {}\r\nSubject: {}\r\nDate: {}\r\nMessage-ID: <demo-{number}@{domain}>\r\nMIME-Version: 1.0\r\n",
        scenario.sender,
        to.join(", "),
        scenario.subject,
        rfc5322_date(now),
    );
    text.push_str(&content(scenario.content));
    text.into_bytes()
}

/// The last header fields and the body.
fn content(content: Content) -> String {
    match content {
        Content::Text(text) => plain(text),
        Content::Forged(text) => format!("{FORGED_FIELD}: -1\r\n{}", plain(text)),
        Content::Table(text, table) => {
            let head = "Content-Type: text/csv; charset=utf-8; name=\"list.csv\"\r\n\
                        Content-Disposition: attachment; filename=\"list.csv\"\r\n";
            mixed(text, &format!("{head}{}", encoded(table.as_bytes())))
        }
        Content::Forwarded(text, inner) => {
            let letter = format!(
                "From: <ward@hospital.example>\r\nSubject: letter\r\nMIME-Version: 1.0\r\n\
                 Content-Type: text/plain; charset=utf-8\r\n{}",
                encoded(inner.as_bytes())
            );
            let middle = format!(
                "From: <ward@hospital.example>\r\nSubject: Fw: letter\r\nMIME-Version: 1.0\r\n{}",
                mixed("Fw.", &forwarded(&letter))
            );
            mixed(text, &forwarded(&middle))
        }
        Content::Unreadable(text) => {
            let head = "Content-Type: application/pdf; name=\"leaflet.pdf\"\r\n\
                        Content-Disposition: attachment; filename=\"leaflet.pdf\"\r\n";
            mixed(text, &format!("{head}{}", encoded(PDF)))
        }
    }
}

/// A PDF whose one page is compressed, and damaged.
const PDF: &[u8] = b"%PDF-1.7\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n2 0 obj\n<</Type/Pages/Count 1/Kids[3 0 R]>>\n\
endobj\n3 0 obj\n<</Type/Page/Parent 2 0 R/Contents 4 0 R>>\nendobj\n4 0 obj\n<</Filter/FlateDecode/Length 9>>\nstream\n\
\x78\x9c\x07\x55\xaa\x00\x55\xaa\x00\nendstream\nendobj\n%%EOF\n";

fn plain(text: &str) -> String {
    format!("Content-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n")
}

/// A text and one more part. The boundary depends on what is inside, so that nested ones differ.
fn mixed(text: &str, part: &str) -> String {
    let boundary = format!("=_part-{}", part.len());
    format!(
        "Content-Type: multipart/mixed; boundary=\"{boundary}\"\r\n\r\n--{boundary}\r\n{}--{boundary}\r\n{part}\r\n--{boundary}--\r\n",
        plain(text)
    )
}

fn forwarded(message: &str) -> String {
    format!("Content-Type: message/rfc822\r\n\r\n{message}")
}

fn encoded(bytes: &[u8]) -> String {
    let text = STANDARD.encode(bytes);
    let mut out = String::from("Content-Transfer-Encoding: base64\r\n\r\n");
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, more) = rest.split_at(rest.len().min(76));
        out.push_str(line);
        out.push_str("\r\n");
        rest = more;
    }
    out
}

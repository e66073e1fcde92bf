//! What we tell people about their mail: delivery status notifications and notices, made from facts.
//!
//! Called by `receive` (refused at the dot) and `deliver` (failed, delayed, relayed, held); the caller sends the result from
//! the null reverse-path. Promises: three plain sentences first (what happened, why, what to do), then the machine-readable
//! part (RFC 3464, RFC 6533), then at most the header section; every line ends in CRLF and has at most 998 octets; no
//! clinical text, ever. Pure: the time, the Message-ID and the boundary are arguments. Fails never.

mod cut;
mod header;
mod reminder;
mod status;
mod words;

pub use cut::{Cut, cut};
pub use reminder::Reminder;

use crate::clock::{Wall, rfc5322_date};
use crate::mail::text::is_disturbing;
use crate::mail::{Mailbox, Recipient, Status};
use crate::vocabulary::{Reason, SubjectCare};

/// What a notice is about, as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It will not be delivered to at least one recipient.
    Failed,
    /// It is not delivered yet and is still being tried.
    Delayed,
    /// It was passed on to a server that sends no reports (RFC 3461 6.2.7).
    Relayed,
    /// Policy did not let it leave.
    Refused,
    /// Policy keeps it until it can leave safely.
    Held,
}

/// What happened to one recipient; the RFC 3464 2.3.3 action follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    Failed,
    Delayed,
    Relayed,
    Refused,
    Held,
    /// Sent on its way: named so that a notice about several recipients leaves no doubt about any.
    Sent,
}

/// One recipient and what became of it.
#[derive(Debug, Clone, Copy)]
pub struct Told<'a> {
    pub recipient: &'a Recipient,
    pub news: News,
    pub reason: Reason,
    /// Where it expired: what the last attempt failed for.
    pub last_reason: Option<Reason>,
    pub status: &'a Status,
    /// The server that was reached, and what it said.
    pub peer: Option<Peer<'a>>,
    pub last_attempt: Wall,
    /// Until when it is tried, where it still is.
    pub until: Option<Wall>,
}

/// Another server and its own words.
#[derive(Debug, Clone, Copy)]
pub struct Peer<'a> {
    pub host: &'a str,
    pub said: &'a Status,
}

/// To whom a notice goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    Sender,
    /// Whoever the site or a rule names: because of the rule, or because the sender cannot be told.
    Duty,
}

/// Everything that a notice is made of.
#[derive(Debug, Clone)]
pub struct Report<'a> {
    pub kind: Kind,
    /// Our own name.
    pub gateway: &'a str,
    pub entry: &'a str,
    /// Who is told.
    pub to: &'a Mailbox,
    pub reader: Reader,
    /// Who sent the message; None: the null reverse-path.
    pub sender: Option<&'a Mailbox>,
    /// ENVID as it was given, xtext.
    pub envid: Option<&'a str>,
    /// The message came with SMTPUTF8: its header section may be UTF-8, and its sender can read that.
    pub smtputf8: bool,
    pub arrived: Wall,
    pub now: Wall,
    /// Of the notice, with angle brackets.
    pub message_id: &'a str,
    /// Letters and digits, random: in none of the parts.
    pub boundary: &'a str,
    pub recipients: Vec<Told<'a>>,
    /// The original's header section. How much of it is shown follows from `care` and `in_class`.
    pub original_header: &'a [u8],
    /// The whole original, where RET=FULL asked for it.
    pub original: Option<&'a [u8]>,
    pub care: SubjectCare,
    /// It came with REQUIRETLS.
    pub require_tls: bool,
    /// In any class, or under REQUIRETLS: only a few fields by name are returned, whatever was asked.
    pub in_class: bool,
    /// Whom to ask, by telephone.
    pub phone: Option<&'a str>,
}

/// The notice as a message.
#[must_use]
pub fn compose(report: &Report<'_>) -> Vec<u8> {
    let (international, whole) = (is_international(report), header::whole(report));
    let mut out = Lines { bytes: Vec::with_capacity(4_096), international };
    let own = if international { Encoding::EightBit } else { Encoding::SevenBit };
    fields(&mut out, report, own.max(Encoding::of(whole.unwrap_or_default())));
    out.line("This is a report in MIME format.");
    out.part(report, ("text/plain; charset=utf-8", own));
    words::write(&mut out, report);
    let kind = if international { "message/global-delivery-status" } else { "message/delivery-status" };
    out.part(report, (kind, own));
    status::write(&mut out, report);
    match whole {
        Some(whole) => header::write_whole(&mut out, report, whole),
        None => header::write(&mut out, report, own),
    }
    out.line("");
    out.line(&format!("--{}--", report.boundary));
    out.bytes
}

/// RFC 6533 3: an address or a header section that is not ASCII needs the international form of the report.
fn is_international(report: &Report<'_>) -> bool {
    report.to.is_international()
        || report.recipients.iter().any(|r| r.recipient.mailbox.is_international())
        || (report.smtputf8 && !report.original_header.is_ascii())
}

/// Content-Transfer-Encoding, the lesser first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Encoding {
    SevenBit,
    EightBit,
}

impl Encoding {
    fn of(octets: &[u8]) -> Encoding {
        if octets.is_ascii() { Encoding::SevenBit } else { Encoding::EightBit }
    }
}

fn fields(out: &mut Lines, report: &Report<'_>, encoding: Encoding) {
    out.line(&format!("Date: {}", rfc5322_date(report.now)));
    out.line(&format!("From: Mail gateway <postmaster@{}>", report.gateway));
    out.line(&format!("To: <{}>", report.to));
    out.line(&format!("Subject: {}", words::subject(report)));
    out.line(&format!("Message-ID: {}", report.message_id));
    // RFC 3834 5.1: a report answers, a held message's notice is made by us alone.
    let how = if report.kind == Kind::Held { "auto-generated" } else { "auto-replied" };
    out.line(&format!("Auto-Submitted: {how}"));
    if let Some(id) = header::original_id(report.original_header) {
        out.line(&format!("In-Reply-To: {id}"));
        out.line(&format!("References: {id}"));
    }
    out.line("MIME-Version: 1.0");
    out.line("Content-Type: multipart/report; report-type=delivery-status;");
    out.line(&format!("\tboundary=\"{}\"", report.boundary));
    if encoding == Encoding::EightBit {
        out.line("Content-Transfer-Encoding: 8bit");
    }
    out.line("");
}

/// A message being written, line by line.
struct Lines {
    bytes: Vec<u8>,
    international: bool,
}

/// Octets of a line that is written at once; RFC 5322 2.1.1 allows 998.
const LINE: usize = 900;

impl Lines {
    /// One line; what could begin a line becomes a blank, so that no text from outside can start a line of its own.
    fn line(&mut self, text: &str) {
        let start = self.bytes.len();
        for c in text.chars() {
            let clean = if is_disturbing(c) && c != '\t' { ' ' } else { c };
            if self.bytes.len() - start + clean.len_utf8() > LINE {
                break;
            }
            if clean.is_ascii() || self.international {
                let mut buffer = [0; 4];
                self.bytes.extend_from_slice(clean.encode_utf8(&mut buffer).as_bytes());
            } else {
                self.bytes.push(b'?');
            }
        }
        self.bytes.extend_from_slice(b"\r\n");
    }

    /// Begins a part of this type and encoding.
    fn part(&mut self, report: &Report<'_>, kind: (&str, Encoding)) {
        self.line("");
        self.begin(report.boundary, kind);
    }

    fn begin(&mut self, boundary: &str, (kind, encoding): (&str, Encoding)) {
        self.line(&format!("--{boundary}"));
        self.line(&format!("Content-Type: {kind}"));
        if encoding == Encoding::EightBit {
            self.line("Content-Transfer-Encoding: 8bit");
        }
        self.line("");
    }

    /// Octets as they stand, for what is known to be well formed.
    fn octets(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }
}

#[cfg(test)]
mod tests;

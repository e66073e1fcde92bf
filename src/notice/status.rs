//! The part for programmes: per-message and per-recipient fields of RFC 3464, in its international form RFC 6533.
//!
//! Called by `compose`. Promises: what came from outside is one line, printable, and bounded. Fails never.

use super::{Lines, News, Report, Told};
use crate::clock::rfc5322_date;
use crate::mail::Severity;

/// Octets of another server's words.
const SAID: usize = 500;

pub(super) fn write(out: &mut Lines, report: &Report<'_>) {
    if let Some(envid) = report.envid {
        out.line(&format!("Original-Envelope-Id: {}", bounded(&unxtext(envid))));
    }
    out.line(&format!("Reporting-MTA: dns; {}", report.gateway));
    out.line(&format!("Arrival-Date: {}", rfc5322_date(report.arrived)));
    out.line(&format!("X-Mailward-Entry: {}", report.entry));
    // What is merely on its way has no status yet (RFC 3464 2.3.3 has no word for it).
    for about in report.recipients.iter().filter(|r| r.news != News::Sent) {
        out.line("");
        recipient(out, about);
    }
}

fn recipient(out: &mut Lines, about: &Told<'_>) {
    let address = &about.recipient.mailbox;
    if let Some(orcpt) = &about.recipient.orcpt {
        // RFC 3461 4.2: the address is xtext in ORCPT, and plain here (RFC 3464 2.3.1).
        let (kind, address) = orcpt.split_once(';').unwrap_or(("rfc822", orcpt));
        out.line(&format!("Original-Recipient: {};{}", bounded(kind), bounded(&unxtext(address))));
    }
    let kind = if address.is_international() { "utf-8" } else { "rfc822" };
    out.line(&format!("Final-Recipient: {kind}; {address}"));
    out.line(&format!("Action: {}", action(about.news)));
    out.line(&format!("Status: {}", code(about)));
    if let Some(host) = about.host {
        out.line(&format!("Remote-MTA: dns; {}", bounded(host)));
        // Only what another server said is a diagnostic of SMTP.
        out.line(&format!("Diagnostic-Code: smtp; {}", bounded(&about.status.to_string())));
    }
    out.line(&format!("Last-Attempt-Date: {}", rfc5322_date(about.last_attempt)));
    if let (Some(until), News::Delayed | News::Held) = (about.until, about.news) {
        out.line(&format!("Will-Retry-Until: {}", rfc5322_date(until)));
    }
    out.line(&format!("X-Mailward-Reason: {}", about.reason));
}

/// RFC 3464 2.3.3
fn action(news: News) -> &'static str {
    match news {
        News::Failed | News::Refused => "failed",
        News::Delayed | News::Held => "delayed",
        News::Relayed | News::Sent => "relayed",
        News::Delivered => "delivered",
    }
}

/// The status, made to agree with the action: a server's temporary refusal that we gave up on is a failure (5.x.x), and a
/// programme that reads "failed" with 4.x.x would wait for ever.
fn code(about: &Told<'_>) -> String {
    let mut enhanced = about.status.enhanced_or_general();
    match about.news {
        News::Failed | News::Refused if about.status.severity() != Severity::Permanent || enhanced.0 != 5 => {
            enhanced.0 = 5
        }
        News::Delayed | News::Held => enhanced.0 = 4,
        News::Relayed | News::Sent | News::Delivered => enhanced.0 = 2,
        News::Failed | News::Refused => {}
    }
    enhanced.to_string()
}

/// One bounded piece of printable text.
pub(super) fn bounded(text: &str) -> String {
    text.chars().take(SAID).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// RFC 3461 4: `+HH` is an octet. Undone for a field that is not xtext; what is broken stays as it is.
fn unxtext(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let hex = |at: usize| tail.get(at).filter(|b| !b.is_ascii_lowercase()).and_then(|b| (*b as char).to_digit(16));
        if let (b'+', Some(high), Some(low)) = (*first, hex(0), hex(1)) {
            out.push((high * 16 + low) as u8);
            rest = &tail[2..];
        } else {
            out.push(*first);
            rest = tail;
        }
    }
    String::from_utf8(out).unwrap_or_else(|_| text.to_owned())
}

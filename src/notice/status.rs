//! The part for programmes: per-message and per-recipient fields of RFC 3464, in its international form RFC 6533.
//!
//! Called by `compose`. Promises: what came from outside is one line, printable, and bounded. Fails never.

use super::{Lines, News, Report, Told};
use crate::clock::rfc5322_date;
use crate::mail::Severity;
use crate::mail::text::is_disturbing;

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
        out.line(&format!("Original-Recipient: {}", original_recipient(orcpt, out)));
    }
    let kind = if address.is_international() { "utf-8" } else { "rfc822" };
    out.line(&format!("Final-Recipient: {kind}; {address}"));
    out.line(&format!("Action: {}", action(about.news)));
    out.line(&format!("Status: {}", code(about)));
    if let Some(peer) = about.peer {
        out.line(&format!("Remote-MTA: dns; {}", bounded(&name(peer.host))));
        // Only what another server said is a diagnostic of SMTP.
        out.line(&format!("Diagnostic-Code: smtp; {}", bounded(&peer.said.to_string())));
    }
    out.line(&format!("Last-Attempt-Date: {}", rfc5322_date(about.last_attempt)));
    if let (Some(until), News::Delayed | News::Held) = (about.until, about.news) {
        out.line(&format!("Will-Retry-Until: {}", rfc5322_date(until)));
    }
    out.line(&format!("X-Mailward-Reason: {}", about.reason));
    if let Some(last) = about.last_reason {
        out.line(&format!("X-Mailward-Last-Reason: {last}"));
    }
}

/// The type as it was written, and the address: xtext in ORCPT (RFC 3461 4.2), plain here (RFC 3464 2.3.1).
fn original_recipient(orcpt: &str, out: &Lines) -> String {
    let (kind, address) = orcpt.split_once(';').unwrap_or(("rfc822", orcpt));
    let address = unxtext(address);
    // RFC 6533 3: of the type utf-8, what is not ASCII is written out in the international form and as \x{HEX} elsewhere.
    let address = match (kind.eq_ignore_ascii_case("utf-8"), out.international) {
        (false, _) => address,
        (true, true) => written_out(&address),
        (true, false) => escaped(&address),
    };
    format!("{};{}", bounded(kind), bounded(&address))
}

fn escaped(address: &str) -> String {
    let one = |c: char| if c.is_ascii() { c.to_string() } else { format!("\\x{{{:X}}}", u32::from(c)) };
    address.chars().map(one).collect()
}

/// `\x{E9}` as the character that it names; those of ASCII stay, for they were escaped for what they mean.
fn written_out(address: &str) -> String {
    let mut pieces = address.split("\\x{");
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let hex = piece.split_once('}').filter(|(hex, _)| (2..=6).contains(&hex.len()));
        let named = hex.and_then(|(hex, rest)| Some((char::from_u32(u32::from_str_radix(hex, 16).ok()?)?, rest)));
        match named.filter(|(c, _)| !c.is_ascii() && !c.is_control()) {
            Some((c, rest)) => {
                out.push(c);
                out.push_str(rest);
            }
            None => {
                out.push_str("\\x{");
                out.push_str(piece);
            }
        }
    }
    out
}

/// RFC 3464 2.1.2: a domain name, or an address in brackets.
fn name(host: &str) -> String {
    match host.parse::<std::net::IpAddr>() {
        Ok(address) if address.is_ipv4() => format!("[{address}]"),
        Ok(address) => format!("[IPv6:{address}]"),
        Err(_) => host.to_owned(),
    }
}

/// RFC 3464 2.3.3
fn action(news: News) -> &'static str {
    match news {
        News::Failed | News::Refused => "failed",
        News::Delayed | News::Held => "delayed",
        News::Relayed | News::Sent => "relayed",
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
        News::Relayed | News::Sent => enhanced.0 = 2,
        News::Failed | News::Refused => {}
    }
    enhanced.to_string()
}

/// One bounded piece of printable text.
pub(super) fn bounded(text: &str) -> String {
    text.chars().take(SAID).map(|c| if is_disturbing(c) { ' ' } else { c }).collect()
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

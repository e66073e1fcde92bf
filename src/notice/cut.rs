//! An automatic message without its text: what may leave of a report or an automatic reply that cannot be protected.
//!
//! Called by `receive` for mail with the null reverse-path, which nobody may bounce. Promises: addresses, dates, ids and
//! status codes only, each checked for its form; no subject, no display name, no free text of the original; what programmes
//! need of a delivery report stays readable for them. Pure. Fails never: what has not its form is left out.

use super::header::{addresses, message_id};
use super::{Encoding, Lines};
use crate::mail::{Enhanced, Header};
use mail_parser::{DateTime, MessageParser, MimeHeaders};

/// What the cut message is made with.
#[derive(Debug, Clone, Copy)]
pub struct Cut<'a> {
    /// Our own name.
    pub gateway: &'a str,
    pub entry: &'a str,
    /// Letters and digits, random: in none of the parts.
    pub boundary: &'a str,
}

/// Lines of a report that are read for their fields.
const LINES: usize = 5_000;

/// `message`, or at least its header section, cut.
#[must_use]
pub fn cut(message: &[u8], with: &Cut<'_>) -> Vec<u8> {
    let mut out = Lines { bytes: Vec::with_capacity(1_024), international: false };
    fields(&mut out, &Header::of(message));
    match status_part(message) {
        Some(status) => {
            out.line("Content-Type: multipart/report; report-type=delivery-status;");
            out.line(&format!("\tboundary=\"{}\"", with.boundary));
            out.line("");
            out.begin(with.boundary, ("text/plain", Encoding::SevenBit));
            words(&mut out, with);
            out.begin(with.boundary, ("message/delivery-status", Encoding::SevenBit));
            status.iter().for_each(|line| out.line(line));
            out.line(&format!("--{}--", with.boundary));
        }
        None => {
            out.line("Content-Type: text/plain");
            out.line("");
            words(&mut out, with);
        }
    }
    out.bytes
}

fn fields(out: &mut Lines, header: &Header<'_>) {
    let text = |name: &str| header.first(name).map(|field| field.text());
    for name in ["From", "To"] {
        if let Some(value) = text(name) {
            out.line(&format!("{name}: {}", addresses(&value)));
        }
    }
    if let Some(date) = text("Date").and_then(|date| dated(&date)) {
        out.line(&format!("Date: {date}"));
    }
    for name in ["Message-ID", "In-Reply-To"] {
        if let Some(id) = text(name).filter(|id| message_id(id)) {
            out.line(&format!("{name}: {id}"));
        }
    }
    // RFC 3834 5: it was automatic, or it would not come from nobody.
    let how = text("Auto-Submitted").unwrap_or_default().to_ascii_lowercase();
    let known = ["auto-generated", "auto-notified"].into_iter().find(|known| how.starts_with(known));
    out.line(&format!("Auto-Submitted: {}", known.unwrap_or("auto-replied")));
    out.line("Subject: Automatic message (subject and text withheld)");
    out.line("MIME-Version: 1.0");
}

fn words(out: &mut Lines, with: &Cut<'_>) {
    out.line("This is an automatic message whose text was taken out by the mail gateway of its sender's organisation.");
    out.line(
        "The reason is that the text contains or may contain patient information, and could not be sent protected.",
    );
    out.line("If you expected an answer, please telephone the sender.");
    out.line("");
    out.line(&format!("Reference: {} on {}.", with.entry, with.gateway));
    out.line("");
}

/// The lines of a delivery report's part for programmes, if the message has one; groups stay apart (RFC 3464 2.1).
fn status_part(message: &[u8]) -> Option<Vec<String>> {
    let parsed = MessageParser::new().parse(message)?;
    let is_status = |part: &&mail_parser::MessagePart<'_>| {
        part.content_type().is_some_and(|t| t.ctype() == "message" && t.subtype() == Some("delivery-status"))
    };
    let part = parsed.parts.iter().find(is_status)?;
    let text = String::from_utf8_lossy(part.contents()).into_owned();
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines().take(LINES) {
        match line.split_once(':').and_then(|(name, value)| kept(name.trim(), value.trim())) {
            Some(field) => lines.push(field),
            None if line.trim().is_empty() && lines.last().is_some_and(|last| !last.is_empty()) => {
                lines.push(String::new())
            }
            None => {}
        }
    }
    lines.iter().any(|line| line.starts_with("Final-Recipient:")).then_some(lines)
}

/// A field whose value can be nothing but what it should be.
fn kept(name: &str, value: &str) -> Option<String> {
    let typed = |fits: fn(&str) -> bool| {
        let (kind, rest) = value.split_once(';')?;
        let (kind, rest) = (kind.trim(), rest.trim());
        let good = kind.len() <= 20 && kind.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') && fits(rest);
        good.then(|| format!("{kind}; {rest}"))
    };
    let name = NAMES.into_iter().find(|known| known.eq_ignore_ascii_case(name))?;
    let value = match name {
        "Reporting-MTA" => typed(is_host),
        "Final-Recipient" | "Original-Recipient" => typed(is_address),
        "Action" => ACTIONS.into_iter().find(|known| known.eq_ignore_ascii_case(value)).map(str::to_owned),
        "Status" => value.parse::<Enhanced>().ok().map(|code| code.to_string()),
        _ => dated(value),
    }?;
    Some(format!("{name}: {value}"))
}

const NAMES: [&str; 8] = [
    "Reporting-MTA",
    "Arrival-Date",
    "Original-Recipient",
    "Final-Recipient",
    "Action",
    "Status",
    "Last-Attempt-Date",
    "Will-Retry-Until",
];

/// RFC 3464 2.3.3
const ACTIONS: [&str; 5] = ["failed", "delayed", "delivered", "relayed", "expanded"];

fn is_host(text: &str) -> bool {
    (1..=255).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b".-[]:".contains(&b))
}

fn is_address(text: &str) -> bool {
    text.len() <= 320 && text.contains('@') && text.bytes().all(|b| b.is_ascii_graphic() && !b"\"<>();,=".contains(&b))
}

/// The date written anew, so that nothing else is in it.
fn dated(text: &str) -> Option<String> {
    DateTime::parse_rfc822(text).filter(DateTime::is_valid).map(|date| date.to_rfc822())
}

#[cfg(test)]
mod tests {
    use super::*;

    const WITH: Cut<'_> = Cut { gateway: "gw.site.example", entry: "ABC", boundary: "b0undary" };

    fn shown(message: &str) -> String {
        String::from_utf8(cut(message.as_bytes(), &WITH)).unwrap()
    }

    #[test]
    fn of_an_automatic_reply_nothing_is_left_that_somebody_wrote() {
        let text = shown(
            "From: \"Ward 3 Oncology\" <ward@site.example>\r\nTo: Mr Smith <p@web.example>\r\n\
             Date: Sun, 22 Nov 2026 11:00:00 +0000 (secret)\r\nSubject: secret results\r\nMessage-ID: <1@site.example>\r\n\
             In-Reply-To: secret words\r\nX-Note: secret\r\nAuto-Submitted: auto-generated; secret\r\n\r\nsecret\r\n",
        );
        for field in [
            "From: <ward@site.example>\r\n",
            "To: <p@web.example>\r\n",
            "Date: Sun, 22 Nov 2026 11:00:00 +0000\r\n",
            "Message-ID: <1@site.example>\r\n",
            "Auto-Submitted: auto-generated\r\n",
        ] {
            assert!(text.contains(field), "{field} in {text}");
        }
        assert!(!text.contains("secret") && !text.contains("Smith") && !text.contains("Oncology"), "{text}");
    }

    #[test]
    fn a_report_stays_one_for_programmes_without_a_word_of_its_text() {
        let text = shown(
            "From: <postmaster@site.example>\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=x\r\n\r\n\
             --x\r\nContent-Type: text/plain\r\n\r\nsecret\r\n--x\r\nContent-Type: message/delivery-status\r\n\r\n\
             Reporting-MTA: dns;exch.site.example\r\nX-Display-Name: secret\r\nArrival-Date: secret\r\n\r\n\
             Final-Recipient: RFC822;p@site.example\r\nAction: FAILED\r\nStatus: 5.1.1\r\nStatus: 5.1.1 secret\r\n\
             Diagnostic-Code: smtp; 550 secret\r\nLast-Attempt-Date: Sun, 22 Nov 2026 11:00:00 +0000\r\n\r\n\
             --x\r\nContent-Type: message/rfc822\r\n\r\nSubject: secret\r\n\r\nsecret\r\n--x--\r\n",
        );
        assert!(!text.contains("secret"), "{text}");
        let parsed = MessageParser::new().parse(text.as_bytes()).unwrap();
        assert_eq!(parsed.content_type().and_then(|t| t.attribute("report-type")), Some("delivery-status"));
        let status = String::from_utf8_lossy(parsed.parts[2].contents()).into_owned();
        assert_eq!(
            status.trim_end(),
            "Reporting-MTA: dns; exch.site.example\r\n\r\nFinal-Recipient: RFC822; p@site.example\r\nAction: failed\r\n\
             Status: 5.1.1\r\nLast-Attempt-Date: Sun, 22 Nov 2026 11:00:00 +0000"
        );
    }

    #[test]
    fn what_is_no_message_is_cut_to_words_of_ours() {
        for odd in
            ["", "\r\n", "no field", "\u{0}\u{1}: x\r\n\r\n", "Content-Type: multipart/report; boundary=\r\n\r\n--\r\n"]
        {
            assert!(shown(odd).contains("\r\nThis is an automatic message"), "{odd:?}");
        }
    }
}

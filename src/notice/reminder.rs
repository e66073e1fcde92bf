//! A reminder that an exception ends: to whoever approved it and to the sites' duties, before mail stops because of it.
//!
//! Called by `decide::announce`. Promises: three plain sentences first; the policy's own words only, in lines that cannot start a field;
//! no message is quoted. Pure. Fails never.

use super::{Encoding, Lines};
use crate::clock::{Wall, rfc5322_date};
use crate::mail::Mailbox;

/// What ends, and who hears of it.
#[derive(Debug, Clone)]
pub struct Reminder<'a> {
    /// Our own name.
    pub gateway: &'a str,
    pub to: &'a Mailbox,
    pub now: Wall,
    /// With angle brackets.
    pub message_id: &'a str,
    /// The exception's name.
    pub exception: &'a str,
    /// `exceptions.toml:12`
    pub at: &'a str,
    /// `2026-12-23`
    pub until: &'a str,
    pub rules: &'a [String],
    pub reason: &'a str,
    pub approved_by: &'a str,
}

impl Reminder<'_> {
    /// The message, with its header section.
    #[must_use]
    pub fn compose(&self) -> Vec<u8> {
        let international = self.to.is_international() || !self.words().is_ascii();
        let mut out = Lines { bytes: Vec::with_capacity(1_024), international };
        out.line(&format!("Date: {}", rfc5322_date(self.now)));
        out.line(&format!("From: Mail gateway <postmaster@{}>", self.gateway));
        out.line(&format!("To: <{}>", self.to));
        out.line(&format!("Subject: The exception {} ends on {}", self.exception, self.until));
        out.line(&format!("Message-ID: {}", self.message_id));
        // RFC 3834 5: nobody asked for it.
        out.line("Auto-Submitted: auto-generated");
        out.line("MIME-Version: 1.0");
        out.line("Content-Type: text/plain; charset=utf-8");
        let encoding = if international { Encoding::EightBit } else { Encoding::SevenBit };
        out.line(if encoding == Encoding::EightBit {
            "Content-Transfer-Encoding: 8bit"
        } else {
            "Content-Transfer-Encoding: 7bit"
        });
        out.line("");
        out.line(&format!("The exception {} of the mail policy ends on {} at 12:00.", self.exception, self.until));
        out.line(
            "From then on the rules that it lowers hold again, and mail that cannot keep them waits or is refused.",
        );
        out.line("If the cause is mended, nothing has to be done; if it is not, have the exception approved anew before that day.");
        out.line("");
        out.line(&format!("Rules: {}.", self.rules.join(", ")));
        out.line(&format!("Reason: {}", self.reason));
        out.line(&format!("Approved by: {}", self.approved_by));
        out.line(&format!("Written in {} on {}.", self.at, self.gateway));
        out.bytes
    }

    /// What is not ours to choose.
    fn words(&self) -> String {
        [self.reason, self.approved_by, self.at].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_sentences_come_first_and_no_text_of_the_policy_begins_a_field() {
        let to: Mailbox = "duty@trust.example".parse().unwrap();
        let reminder = Reminder {
            gateway: "gw.trust.example",
            to: &to,
            now: Wall(1_795_305_600_000),
            message_id: "<1@gw.trust.example>",
            exception: "new-key",
            at: "exceptions.toml:12",
            until: "2026-12-23",
            rules: &["published".to_owned(), "r".to_owned()],
            reason: "Their key\r\nBcc: everybody@example.org",
            approved_by: "Caldicott Guardian",
        };
        let text = String::from_utf8(reminder.compose()).unwrap();
        let (header, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(header.contains("Subject: The exception new-key ends on 2026-12-23\r\n"), "{header}");
        assert!(!text.lines().any(|line| line.starts_with("Bcc")), "{text}");
        assert_eq!(body.lines().take(3).filter(|line| line.ends_with('.')).count(), 3);
        assert!(body.contains("Rules: published, r.") && text.lines().all(|line| line.len() < 998));
        assert!(text.is_ascii() && header.contains("7bit"));
        let umlaut = Reminder { reason: "Schlüssel", ..reminder };
        assert!(String::from_utf8(umlaut.compose()).unwrap().contains("8bit\r\n"));
    }
}

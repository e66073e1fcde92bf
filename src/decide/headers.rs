//! What rules ask of a message's header section: who it says it is from, its subject, how many it names.
//!
//! Called by `at_accept`. Promises: never panics on any bytes; what a field can cost is bounded. Never fails: what cannot
//! be read names nobody.

use crate::mail::{Header, HeaderField, Mailbox};
use mail_parser::parsers::MessageStream;

/// Addresses of From and Sender that are looked at. A reader sees the first few; judging thousands for every recipient
/// would let one message stand in the way of all.
const SENDERS: usize = 50;

/// Octets of one field that are parsed.
const FIELD: usize = 64 * 1024;

#[derive(Debug, Default)]
pub(super) struct HeaderFacts {
    /// From and Sender.
    pub from: Vec<Mailbox>,
    /// Decoded; several Subject fields are joined, for a reader may see any of them.
    pub subject: String,
    /// Addresses in To and Cc.
    pub visible_recipients: usize,
    pub auto_submitted: bool,
    /// Resent (RFC 5322 3.6.6), or sent on by a rule of an Exchange mailbox.
    pub sent_on: bool,
    /// An author cannot be read, or there are more than are looked at.
    pub unclear: bool,
}

impl HeaderFacts {
    pub fn of(header: &Header<'_>) -> HeaderFacts {
        let mut facts = HeaderFacts::default();
        for field in header.fields() {
            facts.read(&field);
        }
        facts.from.truncate(SENDERS);
        facts
    }

    fn read(&mut self, field: &HeaderField<'_>) {
        match field.name.len() {
            4 if field.is("From") => self.add_senders(field),
            6 if field.is("Sender") => self.add_senders(field),
            7 if field.is("Subject") => {
                if !self.subject.is_empty() {
                    self.subject.push('\n');
                }
                self.subject.push_str(&decoded(field));
            }
            2 if field.is("To") || field.is("Cc") => self.visible_recipients += addresses(field, |_| ()),
            14 if field.is("Auto-Submitted") => {
                // RFC 3834 5.2: `no`, or `no` with parameters, is a person's message.
                let text = field.text().to_ascii_lowercase();
                let word = text.split([';', ' ', '(']).next().unwrap_or_default();
                self.auto_submitted |= word != "no";
            }
            30 => self.sent_on |= field.is("X-MS-Exchange-Inbox-Rules-Loop"),
            _ => {}
        }
        self.sent_on |= field.name.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("Resent-"));
    }

    fn add_senders(&mut self, field: &HeaderField<'_>) {
        let mut unclear = false;
        let named = addresses(field, |address| match address.parse::<Mailbox>() {
            Ok(mailbox) if self.from.len() < SENDERS => self.from.push(mailbox),
            _ => unclear = true,
        });
        // A source route or an encoded word in the brackets is read by some as an address, and by us as none.
        let brackets = field.raw.iter().filter(|octet| **octet == b'<').count();
        self.unclear |= unclear || named == 0 || brackets > named || field.raw.len() > FIELD;
    }
}

/// The value with its line end, which the parser wants; no longer than `FIELD`.
fn value<'a>(field: &HeaderField<'a>) -> &'a [u8] {
    let begin = field.raw.iter().position(|b| *b == b':').map_or(0, |at| at + 1);
    &field.raw[begin..field.raw.len().min(begin + FIELD)]
}

/// Tells every address of a field, and how many there are.
fn addresses(field: &HeaderField<'_>, mut tell: impl FnMut(&str)) -> usize {
    let parsed = MessageStream::new(value(field)).parse_address();
    let Some(list) = parsed.as_address() else { return 0 };
    list.iter().filter_map(|address| address.address()).map(|address| tell(address.trim())).count()
}

fn decoded(field: &HeaderField<'_>) -> String {
    let parsed = MessageStream::new(value(field)).parse_unstructured();
    parsed.as_text().map_or_else(|| field.text(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(header: &str) -> HeaderFacts {
        HeaderFacts::of(&Header::of(header.as_bytes()))
    }

    #[test]
    fn every_from_and_sender_is_heard() {
        let facts = facts(
            "From: \"Dr, Jones\" <dr@a.example>, b@b.example\r\nSender: Group: c@c.example;\r\nFROM : d@d.example\r\n\r\n",
        );
        let names: Vec<String> = facts.from.iter().map(ToString::to_string).collect();
        assert_eq!(names, ["dr@a.example", "b@b.example", "c@c.example", "d@d.example"]);
    }

    #[test]
    fn subjects_are_decoded_and_recipients_counted() {
        let facts =
            facts("Subject: =?utf-8?B?W3NlY3VyZV0=?= x\r\nTo: a@a.example, b@b.example\r\nCc: c@c.example\r\n\r\n");
        assert!(facts.subject.contains("[secure]"), "{}", facts.subject);
        assert_eq!(facts.visible_recipients, 3);
    }

    #[test]
    fn only_a_person_s_message_is_not_auto_submitted() {
        assert!(!facts("Auto-Submitted: no\r\n\r\n").auto_submitted && !facts("Subject: x\r\n\r\n").auto_submitted);
        assert!(facts("auto-submitted: auto-replied (vacation)\r\n\r\n").auto_submitted);
    }

    #[test]
    fn what_was_sent_on_is_known_by_its_fields() {
        for field in
            ["Resent-From: a@b.example", "resent-to: a@b.example", "X-MS-Exchange-Inbox-Rules-Loop: a@b.example"]
        {
            assert!(facts(&format!("{field}\r\n\r\n")).sent_on, "{field}");
        }
        assert!(!facts("Resend: x\r\nX-MS-Exchange-Inbox-Rules-Look: x\r\n\r\n").sent_on);
    }

    #[test]
    fn an_author_who_cannot_be_read_is_said() {
        for unclear in [
            "From: Dr X",
            "From: <=?utf-8?Q?x?=@a.example>",
            "From: <@r.example:x@a.example>",
            "Sender:",
            "From: a@b@c",
        ] {
            assert!(facts(&format!("{unclear}\r\n\r\n")).unclear, "{unclear}");
        }
        for clear in ["From: \"Dr, X\" <x@a.example>, y@a.example", "From: x@a.example"] {
            assert!(!facts(&format!("{clear}\r\n\r\n")).unclear, "{clear}");
        }
    }

    #[test]
    fn no_bytes_make_it_panic() {
        for bad in
            ["From: <\r\n", "From:\r\n", "From: \"\r\n \\\r\n\r\n", "Subject: =?x?q?\r\n", "From", "To: ,,,;::<>\r\n"]
        {
            facts(bad);
        }
        let many = format!("From: {}\r\n\r\n", "a@b.example, ".repeat(10_000));
        assert_eq!((facts(&many).from.len(), facts(&many).unclear), (SENDERS, true));
    }
}

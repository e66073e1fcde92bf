//! Notices made from hostile facts: always a report as RFC 3464 has it, with our fields only.

use super::{data, text};
use mailward::clock::Wall;
use mailward::mail::text::is_disturbing;
use mailward::mail::{Header, Mailbox, Recipient, Status};
use mailward::notice::{Kind, News, Peer, Reader, Report, Told, compose};
use mailward::vocabulary::{Reason, SubjectCare};

const BOUNDARY: &str = "x4fQ9boundary7Zk2";

/// Facts, a line each; all that is left is the original.
struct Facts {
    switches: u8,
    to: Mailbox,
    recipients: Vec<Recipient>,
    said: Status,
    host: String,
    envid: String,
    phone: String,
    original: Vec<u8>,
}

impl Facts {
    fn of(bytes: &[u8]) -> Facts {
        let (first, rest) = bytes.split_first().unwrap_or((&0, &[]));
        let mut pieces = rest.splitn(9, |octet| *octet == b'\n');
        let mut next = || text(pieces.next().unwrap_or_default()).into_owned();
        let to = mailbox(&next());
        let recipients = [(next(), next()), (next(), String::new())];
        let recipients = recipients.map(|(address, orcpt)| Recipient {
            orcpt: Some(orcpt).filter(|o| !o.is_empty()),
            ..Recipient::new(mailbox(&address))
        });
        // What a peer says comes through the reply parser, and what a message holds through the decoder.
        let said = Status { code: if first & 1 == 0 { 550 } else { 451 }, enhanced: next().parse().ok(), text: next() };
        let (host, envid) = (next(), next());
        let original = pieces.next().unwrap_or_default().to_vec();
        let phone = host.chars().rev().collect();
        Facts {
            switches: *first,
            to,
            recipients: recipients.into(),
            said,
            host,
            envid,
            phone,
            original: clean(&original),
        }
    }

    fn report(&self) -> Report<'_> {
        let on = |bit: u8| self.switches & (1 << bit) != 0;
        let kinds = [Kind::Failed, Kind::Delayed, Kind::Relayed, Kind::Refused, Kind::Held];
        let news = [News::Failed, News::Delayed, News::Relayed, News::Refused, News::Held];
        let at = usize::from(self.switches >> 3) % kinds.len();
        let told = |recipient| Told {
            recipient,
            news: news[at],
            reason: Reason::ALL[usize::from(self.switches) % Reason::ALL.len()],
            last_reason: None,
            status: &self.said,
            peer: on(4).then_some(Peer { host: &self.host, said: &self.said }),
            last_attempt: Wall(1_795_348_471_000),
            until: on(1).then_some(Wall(i64::MAX)),
        };
        Report {
            kind: kinds[at],
            gateway: "gw.example",
            entry: "0abc",
            to: &self.to,
            reader: if on(2) { Reader::Duty } else { Reader::Sender },
            sender: Some(&self.to),
            envid: Some(&self.envid),
            smtputf8: on(1),
            arrived: Wall(0),
            now: Wall(1_795_348_471_000),
            message_id: "<n@gw.example>",
            boundary: BOUNDARY,
            recipients: self.recipients.iter().map(told).collect(),
            original_header: Header::of(&self.original).bytes(),
            original: on(0).then_some(self.original.as_slice()),
            care: [SubjectCare::Keep, SubjectCare::Scrub, SubjectCare::Replace][usize::from(self.switches >> 6) % 3],
            require_tls: on(3),
            in_class: on(5),
            phone: Some(&self.phone),
        }
    }
}

fn mailbox(text: &str) -> Mailbox {
    text.parse().unwrap_or_else(|_| "\"o'd d\"@b.example".parse().unwrap())
}

fn clean(octets: &[u8]) -> Vec<u8> {
    let text: Vec<u8> = octets.iter().copied().filter(|octet| *octet != b'\r' && *octet != 0).collect();
    let mut lines: Vec<u8> = text.split(|octet| *octet == b'\n').collect::<Vec<_>>().join(&b"\r\n"[..]);
    lines.extend_from_slice(b"\r\n");
    lines
}

/// A notice about two recipients.
pub fn composed(bytes: &[u8]) {
    let facts = Facts::of(bytes);
    if text(bytes).contains(BOUNDARY) {
        return; // The caller's promise: it is random.
    }
    let notice = compose(&facts.report());
    assert!(data::is_clean(&notice), "a notice can be sent");
    assert!(notice.split(|octet| *octet == b'\n').all(|line| line.len() <= 999), "RFC 5322 2.1.1");
    let notice = String::from_utf8_lossy(&notice).into_owned();
    own_fields_only(&notice);
    let parts: Vec<&str> = notice.split(&format!("--{BOUNDARY}")).collect();
    let [_, words, status, _, "--\r\n"] = parts[..] else { panic!("{} pieces in {notice}", parts.len()) };
    // A whole original travels as it is; everything else is ours to keep clean.
    let ours = if facts.switches & 1 == 0 { &parts[..] } else { &parts[..3] };
    let disturbs = |part: &&str| part.replace("\r\n", "").replace('\t', "").contains(is_disturbing);
    assert!(!ours.iter().any(disturbs), "{notice:?}");
    assert!(words.starts_with("\r\nContent-Type: text/plain; charset=utf-8\r\n"));
    well_formed_status(status);
}

/// The header section has our fields in our order, whatever the facts are.
fn own_fields_only(notice: &str) {
    let names: Vec<&str> = Header::of(notice.as_bytes()).fields().map(|field| field.name).collect();
    let known = ["Date", "From", "To", "Subject", "Message-ID", "Auto-Submitted", "In-Reply-To", "References"];
    let last = ["MIME-Version", "Content-Type", "Content-Transfer-Encoding"];
    let given: Vec<&str> = known.iter().chain(&last).copied().filter(|name| names.contains(name)).collect();
    assert_eq!(names, given);
    assert!(
        names.len() >= 8
            && notice.lines().take_while(|l| !l.is_empty()).all(|l| l.contains(':') || l.starts_with('\t'))
    );
}

/// RFC 3464 2.1: groups of fields divided by empty lines, one for the message and one for each recipient.
fn well_formed_status(part: &str) {
    let (_, body) = part.split_once("\r\n\r\n").unwrap();
    let groups: Vec<&str> = body.trim_end_matches("\r\n").split("\r\n\r\n").collect();
    assert_eq!(groups.len(), 3, "{body}");
    for (at, group) in groups.iter().enumerate() {
        let names: Vec<&str> =
            group.split("\r\n").map(|line| line.split_once(": ").or(line.split_once(':')).unwrap().0).collect();
        assert!(names.iter().all(|name| is_of_group(name, at)), "{names:?}");
        let has = |name: &str| names.iter().filter(|known| **known == name).count() == 1;
        // RFC 3464 2.2.2, 2.3.2 to 2.3.4: what each group must have.
        assert!(if at == 0 { has("Reporting-MTA") } else { has("Final-Recipient") && has("Action") && has("Status") });
    }
}

fn is_of_group(name: &str, group: usize) -> bool {
    const MESSAGE: [&str; 4] = ["Original-Envelope-Id", "Reporting-MTA", "Arrival-Date", "X-Mailward-Entry"];
    const RECIPIENT: [&str; 9] = [
        "Original-Recipient",
        "Final-Recipient",
        "Action",
        "Status",
        "Remote-MTA",
        "Diagnostic-Code",
        "Last-Attempt-Date",
        "Will-Retry-Until",
        "X-Mailward-Reason",
    ];
    if group == 0 { MESSAGE.contains(&name) } else { RECIPIENT.contains(&name) }
}

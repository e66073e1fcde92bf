use super::*;
use mail_parser::{MessageParser, MimeHeaders, PartType};

const HEADER: &[u8] =
    b"Received: from a\r\n by b; Sun, 22 Nov 2026 11:00:00 +0000\r\nFrom: \"Dr 943 476 5919\" <dr@site.example>\r\n\
    To: =?utf-8?Q?Mrs_Smith?= <p@web.example>,\r\n <q@web.example>\r\nSubject: Results 943 476 5919 of Mrs Smith\r\n\
    Message-ID: <1@site.example>\r\nX-Note: HbA1c 58\r\n\r\nThe body: HbA1c 58\r\n";

struct Parts {
    text: String,
    status: String,
    returned: String,
}

/// Parses a notice back with a parser that is not ours.
fn parts(notice: &[u8]) -> Parts {
    let message = MessageParser::new().parse(notice).unwrap();
    let kind = message.content_type().unwrap();
    assert_eq!(
        (kind.ctype(), kind.subtype(), kind.attribute("report-type")),
        ("multipart", Some("report"), Some("delivery-status"))
    );
    let of = |index: usize| {
        let part = &message.parts[index];
        match &part.body {
            PartType::Text(text) => text.to_string(),
            PartType::Message(inner) => String::from_utf8_lossy(inner.raw_message()).into_owned(),
            _ => String::from_utf8_lossy(part.contents()).into_owned(),
        }
    };
    assert_eq!(message.parts.len(), 4, "{}", String::from_utf8_lossy(notice));
    Parts { text: of(1), status: of(2), returned: of(3) }
}

fn recipient(address: &str) -> Recipient {
    Recipient::new(address.parse().unwrap())
}

fn told<'a>(recipient: &'a Recipient, news: News, reason: Reason, status: &'a Status) -> Told<'a> {
    Told {
        recipient,
        news,
        reason,
        last_reason: None,
        status,
        peer: Some(Peer { host: "mx.web.example", said: status }),
        last_attempt: Wall(1_795_348_471_000),
        until: None,
    }
}

#[test]
fn a_notice_says_whom_to_telephone() {
    let to: Mailbox = "dr.jones@kingston.example".parse().unwrap();
    let with = report(&to, Vec::new());
    let question = "Questions: telephone 020 7946 0000, and give the reference ABC123.";
    let text = |report: &Report<'_>| String::from_utf8(compose(report)).unwrap();
    assert!(text(&with).contains(question), "{}", text(&with));
    let without = Report { phone: None, ..with };
    assert!(!text(&without).contains("telephone"), "{}", text(&without));
}

fn report<'a>(to: &'a Mailbox, recipients: Vec<Told<'a>>) -> Report<'a> {
    Report {
        kind: Kind::Failed,
        gateway: "gw1.site.example",
        entry: "ABC123",
        to,
        reader: Reader::Sender,
        sender: Some(to),
        envid: Some("QQ+2B314159"),
        smtputf8: false,
        arrived: Wall(1_795_348_471_000),
        now: Wall(1_795_348_481_000),
        message_id: "<n1@gw1.site.example>",
        boundary: "b0undary",
        recipients,
        original_header: HEADER,
        original: None,
        care: SubjectCare::Scrub,
        require_tls: false,
        in_class: true,
        phone: Some("020 7946 0000"),
    }
}

fn refused() -> Status {
    Status { code: 550, enhanced: "5.1.1".parse().ok(), text: "no such user\r\nSubject: injected".into() }
}

#[test]
fn a_failure_says_what_why_and_what_to_do_and_parses() {
    let (to, mut patient, status) = ("dr@site.example".parse().unwrap(), recipient("p@web.example"), refused());
    patient.orcpt = Some("rfc822;P+2Bx@web.example".into());
    let notice = compose(&report(&to, vec![told(&patient, News::Failed, Reason::RecipientRefused, &status)]));
    let message = String::from_utf8(notice.clone()).unwrap();
    assert!(
        message.contains("\r\nAuto-Submitted: auto-replied\r\n") && message.contains("\r\nTo: <dr@site.example>\r\n")
    );
    assert!(!message.contains("\nSubject: injected"), "{message}");
    let parts = parts(&notice);
    let mut lines = parts.text.lines();
    assert_eq!(lines.next(), Some("Your message was not delivered to the recipient listed below."));
    assert_eq!(lines.next(), Some("The reason is that the receiving server refused the recipient."));
    assert_eq!(lines.next(), Some("Please check the address and send the message again."));
    for field in [
        "Original-Envelope-Id: QQ+314159",
        "Reporting-MTA: dns; gw1.site.example",
        "Original-Recipient: rfc822;P+x@web.example",
        "Final-Recipient: rfc822; p@web.example",
        "Action: failed",
        "Status: 5.1.1",
        "Remote-MTA: dns; mx.web.example",
        "Diagnostic-Code: smtp; 550 5.1.1 no such user  Subject: injected",
        "Last-Attempt-Date: Sun, 22 Nov 2026 11:54:31 +0000",
    ] {
        assert!(parts.status.lines().any(|l| l == field), "{field} in {}", parts.status);
    }
}

#[test]
fn of_a_message_in_a_class_only_listed_fields_go_back() {
    let (to, patient, status) = ("dr@site.example".parse().unwrap(), recipient("p@web.example"), refused());
    let mut report = report(&to, vec![told(&patient, News::Failed, Reason::RecipientRefused, &status)]);
    report.original = Some(HEADER);
    let returned = parts(&compose(&report)).returned;
    assert_eq!(
        returned.trim_end(),
        "From: <dr@site.example>\r\nTo: <p@web.example>, <q@web.example>\r\nSubject: Results *** *** **** of Mrs Smith\r\nMessage-ID: <1@site.example>"
    );
    report.care = SubjectCare::Replace;
    assert!(parts(&compose(&report)).returned.contains("Subject: (subject withheld)\r\n"));
    let encoded = b"Subject: =?utf-8?B?OTQzNDc2NTkxOQ==?=\r\n\r\n";
    (report.care, report.original_header) = (SubjectCare::Keep, encoded);
    let notice = String::from_utf8(compose(&report)).unwrap();
    assert!(!notice.contains("OTQz") && !notice.contains("HbA1c"), "{notice}");
}

#[test]
fn other_mail_goes_back_as_header_or_whole_as_asked() {
    let (to, patient, status) = ("dr@site.example".parse().unwrap(), recipient("p@web.example"), refused());
    let mut report = report(&to, vec![told(&patient, News::Failed, Reason::Expired, &status)]);
    (report.in_class, report.care) = (false, SubjectCare::Keep);
    let returned = parts(&compose(&report)).returned;
    assert!(returned.contains("X-Note: HbA1c 58") && !returned.contains("The body"), "{returned}");
    report.original = Some(HEADER);
    assert!(parts(&compose(&report)).returned.contains("The body"));
    // a message that holds the boundary would end the part early
    let forged = [HEADER, b"--b0undary\r\n\r\nforged"].concat();
    report.original = Some(&forged);
    assert!(!parts(&compose(&report)).returned.contains("forged"));
}

#[test]
fn three_recipients_of_three_fates_are_all_named() {
    let to = "dr@site.example".parse().unwrap();
    let (one, two, three) = (recipient("a@nhs.net"), recipient("b@web.example"), recipient("c@slow.example"));
    let (fine, no, later) = (
        Status::new(250, "2.0.0".parse().unwrap(), "ok"),
        Status::new(550, "5.7.10".parse().unwrap(), "protection needed"),
        Status::new(451, "4.4.1".parse().unwrap(), "timeout"),
    );
    let mut refused = told(&two, News::Refused, Reason::SealingNotPossible, &no);
    refused.peer = None;
    let mut report = report(
        &to,
        vec![
            told(&one, News::Sent, Reason::Delivered, &fine),
            refused,
            told(&three, News::Held, Reason::TlsNotOffered, &later),
        ],
    );
    report.kind = Kind::Refused;
    let parts = parts(&compose(&report));
    assert!(parts.text.starts_with("Your message was not sent to 1 of 3 recipients listed below."));
    for line in
        ["  a@nhs.net: accepted and not refused", "  b@web.example: not sent, because", "  c@slow.example: held"]
    {
        assert!(parts.text.contains(line), "{line} in {}", parts.text);
    }
    let status: Vec<&str> =
        parts.status.lines().filter(|l| l.starts_with("Action") || l.starts_with("Status")).collect();
    assert_eq!(
        status,
        ["Action: failed", "Status: 5.7.10", "Action: delayed", "Status: 4.4.1"],
        "what is merely on its way has no status yet"
    );
    assert_eq!(parts.status.matches("Diagnostic-Code").count(), 1, "what nobody said is no diagnostic");
}

#[test]
fn giving_up_on_a_temporary_refusal_is_reported_as_permanent() {
    let (to, patient) = ("dr@site.example".parse().unwrap(), recipient("p@web.example"));
    let later = Status::new(451, "4.4.1".parse().unwrap(), "timeout");
    let notice = compose(&report(&to, vec![told(&patient, News::Failed, Reason::Expired, &later)]));
    assert!(parts(&notice).status.contains("Status: 5.4.1"));
}

#[test]
fn international_addresses_take_the_international_form() {
    let (to, patient, status) = ("dr@site.example".parse().unwrap(), recipient("é@web.example"), refused());
    let notice =
        String::from_utf8(compose(&report(&to, vec![told(&patient, News::Failed, Reason::Expired, &status)]))).unwrap();
    assert!(
        notice.contains("message/global-delivery-status") && notice.contains("Final-Recipient: utf-8; é@web.example")
    );
}

#[test]
fn whatever_comes_in_lines_stay_lines() {
    let (to, patient) = ("dr@site.example".parse().unwrap(), recipient("p@web.example"));
    let long = Status { code: 550, enhanced: None, text: "é\u{0}\n".repeat(5_000) };
    let mut report = report(&to, vec![told(&patient, News::Failed, Reason::Expired, &long)]);
    let header = [b"Subject: ".as_slice(), &[b'x'; 5_000], b"\r\nX: \xFF\xFE\r\n\r\n"].concat();
    (report.original_header, report.in_class, report.care) = (&header, false, SubjectCare::Keep);
    let notice = compose(&report);
    assert!(notice.is_ascii());
    for line in notice.split_inclusive(|b| *b == b'\n') {
        assert!(line.len() <= 1_000 && line.ends_with(b"\r\n") && !line[..line.len() - 2].contains(&b'\r'));
    }
}

#[test]
fn the_duty_is_told_whose_message_it_was() {
    let duty: Mailbox = "duty@site.example".parse().unwrap();
    let sender: Mailbox = "dr.jones@site.example".parse().unwrap();
    let (one, status) = (recipient("a@nhs.net"), refused());
    let mut report = report(&duty, vec![told(&one, News::Held, Reason::TlsNotOffered, &status)]);
    (report.kind, report.reader, report.sender) = (Kind::Held, Reader::Duty, Some(&sender));
    let text = parts(&compose(&report)).text;
    assert!(text.starts_with("For information: this was sent by dr.jones@site.example;"), "{text}");
    report.sender = None;
    let text = parts(&compose(&report)).text;
    assert!(text.starts_with("For information: this was sent by a programme that takes no replies;"), "{text}");
}

fn parsed(notice: &[u8]) -> mail_parser::Message<'_> {
    MessageParser::new().parse(notice).unwrap()
}

#[test]
fn an_original_recipient_is_shown_with_its_type_as_it_was_written() {
    let (to, status) = ("dr@site.example".parse().unwrap(), refused());
    let shown = |address: &str, orcpt: &str| {
        let mut patient = recipient(address);
        patient.orcpt = Some(orcpt.to_owned());
        let notice = compose(&report(&to, vec![told(&patient, News::Failed, Reason::RecipientRefused, &status)]));
        let text = String::from_utf8(notice).unwrap();
        text.lines().find_map(|l| l.strip_prefix("Original-Recipient: ")).unwrap().to_owned()
    };
    assert_eq!(shown("p@web.example", "RFC822;p+2Btag+40home@web.example"), "RFC822;p+tag@home@web.example");
    assert_eq!(shown("p@web.example", "x400;/c=gb/+C3+A9+0D+0A"), "x400;/c=gb/?  ", "never a line of its own");
    assert_eq!(shown("p@web.example", "rfc822;50+zz+2"), "rfc822;50+zz+2", "what is no xtext stays");
    // RFC 6533 3
    assert_eq!(shown("p@web.example", "utf-8;p\\x{E9}@web.example"), "utf-8;p\\x{E9}@web.example");
    assert_eq!(shown("p@web.example", "utf-8;p+C3+A9@web.example"), "utf-8;p\\x{E9}@web.example");
    assert_eq!(
        shown("\u{e9}@web.example", "utf-8;p\\x{E9}\\x{2B}\\x{0A}@web.example"),
        "utf-8;p\u{e9}\\x{2B}\\x{0A}@web.example"
    );
}

#[test]
fn a_whole_message_with_eight_bits_says_so_at_both_levels() {
    let (to, patient, status) = ("dr@site.example".parse().unwrap(), recipient("p@web.example"), refused());
    let mut report = report(&to, vec![told(&patient, News::Failed, Reason::Expired, &status)]);
    let original = "Subject: a\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nCaf\u{e9}\r\n".as_bytes();
    (report.in_class, report.care, report.original) = (false, SubjectCare::Keep, Some(original));
    let notice = compose(&report);
    assert!(notice.windows(original.len()).any(|w| w == original), "octet for octet");
    let outer = parsed(&notice);
    assert_eq!(outer.content_transfer_encoding(), Some("8bit"));
    let last = &outer.parts[3];
    assert_eq!(last.content_transfer_encoding(), Some("8bit"));
    assert_eq!(last.content_type().and_then(|t| t.subtype()), Some("rfc822"));
    assert_eq!(outer.parts[1].content_transfer_encoding(), None, "the other parts are seven bits");
}

#[test]
fn a_header_section_in_utf_8_goes_back_to_who_can_read_it() {
    let (to, patient, status) = ("dr@site.example".parse().unwrap(), recipient("p@web.example"), refused());
    let mut report = report(&to, vec![told(&patient, News::Failed, Reason::Expired, &status)]);
    let header = "Subject: Caf\u{e9}\r\n\r\n".as_bytes();
    (report.in_class, report.care, report.original_header) = (false, SubjectCare::Keep, header);
    assert!(compose(&report).is_ascii(), "nobody said that it can be read");
    report.smtputf8 = true;
    let text = String::from_utf8(compose(&report)).unwrap();
    assert!(
        text.contains(
            "Content-Type: message/global-headers\r\nContent-Transfer-Encoding: 8bit\r\n\r\nSubject: Caf\u{e9}\r\n"
        ),
        "{text}"
    );
}

#[test]
fn a_server_without_a_name_is_named_by_its_address_and_an_expiry_keeps_its_words() {
    let (to, patient) = ("dr@site.example".parse().unwrap(), recipient("p@web.example"));
    let (expired, said) =
        (Status::new(451, "4.4.7".parse().unwrap(), "x"), Status::new(451, "4.3.0".parse().unwrap(), "later"));
    let mut one = told(&patient, News::Failed, Reason::Expired, &expired);
    one.peer = Some(Peer { host: "192.0.2.7", said: &said });
    let status = parts(&compose(&report(&to, vec![one]))).status;
    for field in ["Remote-MTA: dns; [192.0.2.7]", "Diagnostic-Code: smtp; 451 4.3.0 later", "Status: 5.4.7"] {
        assert!(status.lines().any(|l| l == field), "{field} in {status}");
    }
}

use super::*;
use proptest::prelude::*;
use std::time::{Duration, Instant};

mod accidents;
mod attachments;
mod declared;
mod opaque;
mod repeated;
mod sealed;

/// The start of a picture.
const PNG: &[u8] = b"\x89PNG\r\n\x1A\n\0\0\0\x0DIHDR\0\0\0\x01\0\0\0\x01\x08\0\0\0\0\x01\x02\x03\x04";

fn look(message: &[u8]) -> Findings {
    inspect(message, &Rules::default(), &Limits::default())
}

fn found(findings: &Findings, kind: FindingKind) -> Vec<(&str, &str, Confidence)> {
    let of_kind = findings.findings.iter().filter(|f| f.kind == kind);
    of_kind.map(|f| (f.place.as_str(), f.masked.as_str(), f.confidence)).collect()
}

fn numbers(message: &[u8]) -> Vec<(String, Confidence)> {
    look(message)
        .findings
        .into_iter()
        .filter(|f| f.kind == FindingKind::NhsNumber)
        .map(|f| (f.place, f.confidence))
        .collect()
}

fn at(place: &str) -> Vec<(String, Confidence)> {
    vec![(place.to_owned(), Confidence::High)]
}

#[test]
fn numbers_in_other_characters_are_found_where_a_label_names_them() {
    let text = |text: &str| numbers(format!("Content-Type: text/plain; charset=utf-8\r\n\r\n{text}").as_bytes());
    for spelled in ["nine four three, four seven six, five nine one nine", "九四三 四七六 五九一九", "943 476 59l9"]
    {
        assert_eq!(text(&format!("NHS number: {spelled}")), [("text".to_owned(), Confidence::Medium)], "{spelled}");
        assert!(text(&format!("Number: {spelled}")).is_empty(), "{spelled}");
    }
    for shown in ["[943] [476] [5919]", "\u{202E}9195 674 349", "943 … 476 … 5919", "943\\476\\5919"] {
        assert_eq!(text(&format!("NHS number {shown}")).first(), at("text").first(), "{shown}");
    }
    assert_eq!(text("https://x.org/?nhs%20number=943%20476%205919"), at("text"));
    assert_eq!(numbers(b"Sender: NHS number 9(a)43 4(b)76 59(c)19 <a@b.c>\r\n\r\nx"), at("header"));
}

/// A multipart of the given parts.
fn mixed(parts: &[&str]) -> Vec<u8> {
    let mut out = "Subject: x\r\nContent-Type: multipart/mixed; boundary=\"b1\"\r\n\r\npreamble\r\n".to_owned();
    for part in parts {
        out.push_str("--b1\r\n");
        out.push_str(part);
        out.push_str("\r\n");
    }
    (out + "--b1--\r\n").into_bytes()
}

fn base64(bytes: &[u8]) -> String {
    use ::base64::Engine as _;
    ::base64::engine::general_purpose::STANDARD.encode(bytes)
}

#[test]
fn what_readers_show_of_fields_and_of_text_with_a_syntax_is_read() {
    for message in [
        "List-Id: NHS number 943 476 5919 <a.b>\r\n\r\nhi",
        "Reply-To: \"NHS number 9\\4\\3 4\\7\\6 5\\9\\1\\9\" <a@b.c>\r\n\r\nhi",
        "Content-Type: text/x; name=\"NHS number 943 476 5919\"; name*=utf-8''letter\r\n\r\nhi",
        "Content-Type: text/plain; format=flowed; delsp=yes\r\n\r\nNHS number as it is printed here: 943 47 \r\n6 591 \r\n9\r\n",
        "Content-Type: text/enriched\r\n\r\nNHS number 943<bold></bold> 4<bold>76</bold> 59<italic>1</italic>9",
        "Content-Type: text/calendar\r\n\r\nBEGIN:VCALENDAR\r\nSUMMARY:NHS number 943\\n476\\n5919\r\nEND:VCALENDAR",
        "Content-Type: text/calendar\r\n\r\nBEGIN:VCALENDAR\r\nX-ALT-DESC;FMTTYPE=text/html:NHS number 943 4<b></b>76 59<i></i>19\r\nEND:VCALENDAR",
        "Content-Type: text/calendar\r\n\r\nBEGIN:VCALENDAR\r\nATTACH;ENCODING=BASE64:TkhTIG51bWJlciA5NDMgNDc2IDU5MTk=\r\nEND:VCALENDAR",
        "Content-Type: text/vcard\r\n\r\nBEGIN:VCARD\r\nNOTE;ENCODING=QUOTED-PRINTABLE:NHS number =39=34=33 476 5919\r\nEND:VCARD",
    ] {
        assert!(numbers(message.as_bytes()).iter().any(|(_, c)| *c == Confidence::High), "{message}");
    }
}

#[test]
fn the_subject_is_decoded_and_marked() {
    let message = b"Subject: [Secure] OFFICIAL-SENSITIVE NHS =?utf-8?Q?943_476?=\r\n =?utf-8?Q?_5919?=\r\nSensitivity: Private\r\n\r\nhello\r\n";
    let findings = look(message);
    assert_eq!(found(&findings, FindingKind::NhsNumber), [("subject", "943***5919", Confidence::High)]);
    for kind in [FindingKind::TagSecure, FindingKind::MarkingOfficialSensitive, FindingKind::SensitivityHeader] {
        assert_eq!(found(&findings, kind).len(), 1, "{kind}");
    }
    assert_eq!(findings.read, ["subject", "header", "text"]);
}

#[test]
fn text_in_each_transfer_encoding_and_charset() {
    let body = "NHS number 943\u{A0}476\u{A0}5919";
    let (latin, _, _) = encoding_rs::WINDOWS_1252.encode(body);
    let wide: Vec<u8> = body.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (head, content) in [
        ("Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit", body.as_bytes().to_vec()),
        (
            "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: BASE64",
            base64(body.as_bytes()).into_bytes(),
        ),
        ("Content-Type: text/plain; charset=iso-8859-1", latin.to_vec()),
        ("Content-Type: text/plain; charset=us-ascii", body.as_bytes().to_vec()),
        ("Content-Type: text/plain; charset=utf-16le\r\nContent-Transfer-Encoding: base64", base64(&wide).into_bytes()),
        ("Content-Type: text/plain; charset=utf-7", b"NHS number 943+AKA-476+AKA-5919".to_vec()),
        ("Content-Transfer-Encoding: quoted-printable", b"NHS number 943=C2=A047=\r\n6=C2=A05919".to_vec()),
    ] {
        let message = [head.as_bytes(), b"\r\n\r\n", &content, b"\r\n"].concat();
        assert_eq!(numbers(&message), at("text"), "{head}");
    }
}

/// Four octets for each character, in both orders, with their mark and without it.
fn quads(text: &str) -> [Vec<u8>; 4] {
    let little: Vec<u8> = text.chars().flat_map(|c| (c as u32).to_le_bytes()).collect();
    let big: Vec<u8> = text.chars().flat_map(|c| (c as u32).to_be_bytes()).collect();
    [[b"\xFF\xFE\0\0", &little[..]].concat(), [b"\0\0\xFE\xFF", &big[..]].concat(), little, big]
}

#[test]
fn utf_32_is_read_by_its_mark_its_zeros_and_its_label() {
    for bytes in quads("NHS number 943 476 5919") {
        for kind in ["text/plain; charset=utf-32", "text/plain; charset=utf-8", "application/octet-stream"] {
            let part =
                format!("Content-Type: {kind}; name=x\r\nContent-Transfer-Encoding: base64\r\n\r\n{}", base64(&bytes));
            let findings = look(&mixed(&[&part]));
            assert_eq!(found(&findings, FindingKind::NhsNumber), [("x", "943***5919", Confidence::High)], "{kind}");
            assert_eq!(findings.unread, [], "{kind}");
        }
        let subject = format!("Subject: =?utf-32?B?{}?=\r\n\r\nhello", base64(&bytes));
        assert_eq!(numbers(subject.as_bytes()), at("subject"));
    }
}

#[test]
fn zeros_that_are_left_in_text_are_said() {
    let long = format!("{}943\0 476\0 5919 NHS number", "plain words ".repeat(100));
    let cut = [&quads("NHS number 943 476 5919")[2][..], b"\xFF\xFF\xFF\xFF"].concat();
    let mixed_widths = ["x\0 \0".repeat(200).as_bytes(), &quads("943 476 5919")[2]].concat();
    for bytes in [long.as_bytes(), &cut, &mixed_widths] {
        let part = format!(
            "Content-Type: application/octet-stream; name=x\r\nContent-Transfer-Encoding: base64\r\n\r\n{}",
            base64(bytes)
        );
        let findings = look(&mixed(&[&part]));
        assert_eq!(found(&findings, FindingKind::BrokenAttachment), [("x", "charset", Confidence::High)]);
        assert_eq!(found(&findings, FindingKind::NhsNumber).len(), 1);
    }
    let subject = look(b"Subject: =?cp037?Q?=F9=F4=F3?=\r\n\r\nhello");
    assert_eq!(found(&subject, FindingKind::BrokenAttachment), [("subject", "charset", Confidence::High)]);
}

#[test]
fn html_visible_hidden_and_in_attributes() {
    for body in [
        "<p>NHS No: <b>943</b> 476 5919</p>",
        "<p>NHS No: &#57;43&nbsp;476&thinsp;5919</p>",
        "<div style='display:none'>NHS No 9434765919</div>",
        "<!-- NHS No 9434765919 -->",
        "<img alt=\"NHS No 943 476 5919\">",
        "<a href='https://x.example/?nhs_number=9434765919'>x</a>",
        "<table><tr><th>Name</th><th>NHS Number</th></tr><tr><td>A very long name that fills the window of eighty characters to its very end, and more</td><td>943 476 5919</td></tr></table>",
    ] {
        let message = format!("Content-Type: text/html\r\n\r\n{body}\r\n");
        assert_eq!(numbers(message.as_bytes()), at("html"), "{body}");
    }
}

#[test]
fn nested_messages_and_attached_text_are_read_where_they_are() {
    let inner = "Subject: NHS number 943 476 5919\r\nMIME-Version: 1.0\r\n\r\nNHS number 401 023 2137\r\n";
    let eml = format!("Content-Type: message/rfc822; name=letter.eml\r\n\r\n{inner}");
    let expected =
        [("letter.eml!/subject".to_owned(), Confidence::High), ("letter.eml!/text".to_owned(), Confidence::High)];
    assert_eq!(numbers(&mixed(&[&eml])), expected);
    let hidden = format!(
        "Content-Type: application/octet-stream; name=letter.eml\r\nContent-Transfer-Encoding: base64\r\n\r\n{}",
        base64(format!("From: a@b.example\r\n{inner}").as_bytes())
    );
    assert_eq!(numbers(&mixed(&[&hidden])), expected, "known by its octets");
    for (name, content) in [
        ("notes.csv", "name,nhs\r\nSmith,9434765919\r\n"),
        ("p.json", "{\"nhsNumber\": \"943\\u00a0476\\u00a05919\"}"),
        ("p.xml", "<patient><nhsNumber>943&#32;476&#32;5919</nhsNumber></patient>"),
        ("p.vcf", "BEGIN:VCARD\r\nNOTE:NHS number 943 47\r\n 6 5919\r\nEND:VCARD\r\n"),
        ("p.bin", "NHS number 9434765919"),
    ] {
        let part = format!(
            "Content-Type: application/octet-stream\r\nContent-Disposition: attachment; filename={name}\r\n\r\n{content}"
        );
        assert_eq!(numbers(&mixed(&[&part])), at(name), "{name}");
    }
}

#[test]
fn what_cannot_be_read_is_said() {
    let part = |kind: &str, bytes: &[u8]| {
        format!("Content-Type: {kind}; name=x\r\nContent-Transfer-Encoding: base64\r\n\r\n{}", base64(bytes))
    };
    for (content, kind, masked) in [
        (part("text/plain", b"%PDF-1.7\nxx"), FindingKind::BrokenAttachment, "pdf objects"),
        (part("image/png", b"PK\x03\x04xxxxxxxxx"), FindingKind::BrokenAttachment, "zip directory"),
        (part("image/png", PNG), FindingKind::Image, "png"),
        (part("image/tiff", b"II*\0\x08\0\0\0\0\0\0\0\0\0"), FindingKind::Scan, "tiff"),
        (part("application/postscript", b"%!PS hello"), FindingKind::UnknownAttachment, "postscript"),
        (part("application/ms-tnef", b"\x78\x9F\x3E\x22xxxx"), FindingKind::BrokenAttachment, "tnef attribute"),
        (part("text/plain; charset=cp037", b"\xD5\xC8\xE2\x40\xF9\xF4\xF3"), FindingKind::BrokenAttachment, "charset"),
    ] {
        let findings = look(&mixed(&[&content]));
        assert_eq!(found(&findings, kind), [("x", masked, Confidence::High)], "{masked}");
        assert_eq!(findings.unread.len(), 1);
        assert!(!findings.read.contains(&"x".to_owned()) || ["postscript", "charset", "pdf objects"].contains(&masked));
    }
    let logo = format!(
        "Content-Type: image/png\r\nContent-ID: <a>\r\nContent-Transfer-Encoding: base64\r\n\r\n{}",
        base64(PNG)
    );
    assert_eq!(look(&mixed(&[&logo])).unread, []);
}

#[test]
fn broken_structure_is_read_in_every_way_and_said() {
    let secret = base64(b"NHS number 943 476 5919");
    let two_types = format!(
        "Content-Type: text/plain\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Transfer-Encoding: base64\r\n\r\n{secret}\r\n--b--\r\n"
    );
    let two_boundaries = format!(
        "Content-Type: multipart/mixed; boundary=a; boundary=b\r\n\r\n--a\r\n\r\nhello\r\n--b\r\nContent-Transfer-Encoding: base64\r\n\r\n{secret}\r\n--b--\r\n"
    );
    let no_boundary = "Content-Type: multipart/mixed\r\n\r\nNHS number 943 476 5919\r\n".to_owned();
    let bad_base64 = "Content-Transfer-Encoding: base64\r\n\r\nNHS number: 943 476 5919!\r\n".to_owned();
    let encoded_multipart = format!(
        "Content-Type: multipart/mixed; boundary=b\r\nContent-Transfer-Encoding: base64\r\n\r\n{}",
        base64(b"--b\r\n\r\nNHS number 943 476 5919\r\n--b--\r\n")
    );
    let after_the_end =
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nhello\r\n--b--\r\nNHS number 943 476 5919\r\n"
            .to_owned();
    for (message, is_broken) in [
        (two_types, true),
        (two_boundaries, true),
        (no_boundary, true),
        (bad_base64, true),
        (encoded_multipart, true),
        (after_the_end, false),
    ] {
        let findings = look(message.as_bytes());
        assert_eq!(found(&findings, FindingKind::NhsNumber).first().map(|f| f.2), Some(Confidence::High), "{message}");
        assert_eq!(!found(&findings, FindingKind::BrokenAttachment).is_empty(), is_broken, "{message}");
    }
}

#[test]
fn bare_line_feeds_and_missing_headers_hide_nothing() {
    for message in [
        "Subject: x\n\nNHS number 943 476 5919",
        "NHS number 943 476 5919",
        "NHS number 943 476 5919\r\n\r\n",
        "\r\nNHS number 943 476 5919",
    ] {
        assert_eq!(numbers(message.as_bytes()).first().map(|n| n.1), Some(Confidence::High), "{message}");
    }
}

#[test]
fn no_identifier_leaves_in_a_place() {
    let part = "Content-Type: text/plain; name=\"NHS 943 476 5919 letter.txt\"\r\n\r\nhello";
    let findings = look(&mixed(&[part]));
    assert_eq!(found(&findings, FindingKind::NhsNumber), [("attachment-name", "943***5919", Confidence::High)]);
    let json = serde_json::to_string(&findings).unwrap();
    assert!(!json.contains("476"), "{json}");
}

fn limits_of(findings: &Findings) -> Vec<&str> {
    findings.unread.iter().filter_map(|u| u.limit.as_deref()).collect()
}

/// Generous: the point is that time does not explode, on a busy machine and without optimisation.
const LONG: Duration = Duration::from_secs(30);

#[test]
fn nesting_is_bounded_and_said() {
    let start = Instant::now();
    let mut multiparts = String::new();
    let mut messages = String::new();
    for i in 0..2_000 {
        multiparts.push_str(&format!("Content-Type: multipart/mixed; boundary=b{i}\r\n\r\n--b{i}\r\n"));
        messages.push_str("Content-Type: message/rfc822\r\n\r\n");
    }
    for deep in [multiparts, messages] {
        let findings = look((deep + "\r\nNHS number 943 476 5919\r\n").as_bytes());
        assert_eq!(limits_of(&findings), ["depth"]);
        assert_eq!(found(&findings, FindingKind::NhsNumber).len(), 1, "the rest is looked at as it stands");
    }
    assert!(start.elapsed() < LONG, "{:?}", start.elapsed());
}

#[test]
fn a_hundred_thousand_parts_are_bounded_and_said() {
    let start = Instant::now();
    let findings = look(&mixed(&vec!["Content-Type: image/png; name=x\r\n\r\n\u{89}PNG"; 100_000]));
    assert_eq!(limits_of(&findings), ["parts"]);
    assert!(findings.findings.len() < 1_000 && findings.read.len() < 1_000 && findings.unread.len() < 1_000);
    assert!(start.elapsed() < LONG, "{:?}", start.elapsed());
}

#[test]
fn millions_of_digits_take_linear_time() {
    let start = Instant::now();
    for unit in
        ["9", "9434765919 ", "943 476 5919\t", "1 ", "=?", "<", "<a ", "&#57;", "begin 644 x\nM\n", "nhs number "]
    {
        let body = unit.repeat(1_000_000 / unit.len());
        let message = format!("Subject: {body}\r\nContent-Type: text/html\r\n\r\n{body}");
        assert!(look(message.as_bytes()).findings.len() < 1_000, "{unit}");
    }
    look("7".repeat(5_000_000).as_bytes());
    let wide_rows = format!("\r\nname,nhs\r\n{}", (",9434765919".repeat(370) + "\r\n").repeat(250));
    look(wide_rows.as_bytes());
    assert!(start.elapsed() < LONG * 2, "{:?}", start.elapsed());
}

#[test]
fn more_numbers_than_are_looked_at_are_said() {
    let limits = |text: &str| {
        let message = format!("Subject: a\r\n\r\n{text}\r\n");
        let findings = look(message.as_bytes());
        findings.unread.iter().any(|unread| unread.limit.as_deref() == Some("numbers"))
    };
    // Each may be of two kinds, and they are the same: nothing else would end the look.
    assert!(limits(&"3201901202,".repeat(100_000)));
    assert!(limits(&"3201901202,".repeat(5_000)), "a small message is no cheaper for its size");
    assert!(!limits(&"3201901202,".repeat(1_000)) && !limits(&"NHS number 943 476 5919\r\n".repeat(1_000)));
    // A spreadsheet of numbers that are none: one in eleven would fit.
    let numbers: Vec<String> =
        (0..20_000u64).map(|n| (4_000_000_000 + n * 7_919_317 % 3_999_999_999).to_string()).collect();
    assert!(!limits(&numbers.join(",")));
}

#[test]
fn ambiguity_does_not_multiply() {
    let start = Instant::now();
    let mut deep = String::new();
    for i in 0..30 {
        deep.push_str(&format!("Content-Type: multipart/mixed; boundary=a{i}; boundary=b{i}\r\nContent-Type: multipart/mixed; boundary=c{i}\r\n\r\n"));
        deep.push_str(&format!("--a{i}\r\n\r\n--b{i}\r\n\r\n--c{i}\r\n"));
    }
    let findings = look((deep + "\r\nNHS number 943 476 5919\r\n" + &"x".repeat(100_000)).as_bytes());
    assert!(!found(&findings, FindingKind::NhsNumber).is_empty());
    assert!(!found(&findings, FindingKind::BrokenAttachment).is_empty());
    assert!(limits_of(&findings).contains(&"readings"));
    assert!(start.elapsed() < LONG, "{:?}", start.elapsed());
}

#[test]
fn decoded_octets_are_bounded_and_said() {
    let limits = Limits { decoded: 10_000, part: 5_000, ..Limits::default() };
    let part = format!("Content-Transfer-Encoding: base64\r\n\r\n{}", base64(&[b'a'; 6_000]));
    let one = inspect(&mixed(&[&part]), &Rules::default(), &limits);
    assert_eq!(limits_of(&one), ["part"]);
    let many = inspect(&mixed(&[&part, &part, &part]), &Rules::default(), &limits);
    assert!(limits_of(&many).contains(&"decoded"), "{many:?}");
}

/// A message that has a bit of everything, to be mutated.
fn sample() -> Vec<u8> {
    mixed(&[
        "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nNHS =C2=A0 943=\r\n 476 5919",
        "Content-Type: text/html\r\n\r\n<p>NHS <b>943</b>&nbsp;476 5919<!-- x --></p>",
        "Content-Type: message/rfc822; name*0*=utf-8''a%20; name*1=b.eml\r\n\r\nSubject: =?utf-8?B?OTQz?=\r\n\r\nhello",
        "Content-Type: multipart/alternative; boundary=b2\r\n\r\n--b2\r\nContent-Transfer-Encoding: base64\r\n\r\nOTQzNDc2NTkxOQ==\r\n--b2--",
        "Content-Type: application/json\r\n\r\n{\"nhsNumber\":\"943\\u00a0476\"}",
    ])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_octets_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        let first = look(&bytes);
        prop_assert_eq!(first, look(&bytes));
    }

    #[test]
    fn mutated_messages_are_survived(
        edits in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>(), 0..4u8), 1..20)
    ) {
        let mut message = sample();
        for (index, byte, what) in edits {
            if message.is_empty() { break; }
            let at = index.index(message.len());
            match what {
                0 => message[at] = byte,
                1 => message.insert(at, byte),
                2 => { message.remove(at); }
                _ => message.truncate(at),
            }
        }
        let findings = look(&message);
        prop_assert!(findings.findings.len() <= 64 * FindingKind::ALL.len());
    }

    #[test]
    fn a_labelled_number_is_found_behind_any_words(words in "[a-zA-Z ,.\r\n]{0,200}") {
        let message = format!("Subject: x\r\n\r\n{words}\r\nNHS number: 943 476 5919\r\n");
        prop_assert!(numbers(message.as_bytes()).iter().any(|n| n.1 == Confidence::High));
    }
}

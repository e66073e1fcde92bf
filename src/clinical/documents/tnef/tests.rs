use crate::clinical::documents::writers::{attribute, properties, property, tnef};
use crate::clinical::{Findings, Limits, Rules, inspect};
use crate::vocabulary::{Confidence, FindingKind};
use base64::Engine as _;

const LINE: &str = "NHS number 943 476 5919";

fn look(tnef: &[u8]) -> Findings {
    let head = b"Content-Type: application/ms-tnef; name=winmail.dat\r\nContent-Transfer-Encoding: base64\r\n\r\n";
    let letters = base64::engine::general_purpose::STANDARD.encode(tnef);
    inspect(&[head, letters.as_bytes()].concat(), &Rules::default(), &Limits::default())
}

fn is_sure(findings: &Findings) -> bool {
    findings.findings.iter().any(|f| f.kind == FindingKind::NhsNumber && f.confidence == Confidence::High)
}

fn wide(text: &str) -> Vec<u8> {
    crate::clinical::documents::writers::wide(&format!("{text}\0"))
}

fn stored_rtf(rtf: &str) -> Vec<u8> {
    [&[0; 4][..], &(rtf.len() as u32).to_le_bytes(), b"MELA\0\0\0\0", rtf.as_bytes()].concat()
}

const MESSAGE: u32 = 0x0006_9003;
const ATTACHMENT: u32 = 0x0006_9005;

#[test]
fn words_are_read_wherever_they_stand() {
    let rtf = stored_rtf(&format!("{{\\rtf1 {LINE}}}"));
    let long = [&[3, 0, 0x17, 0, 1, 0, 0, 0][..]].concat();
    let short = [2, 0, 0x18, 0, 1, 0, 0, 0].to_vec();
    let many = [&[2, 0x10, 0x18, 0, 2, 0, 0, 0][..], &[0; 8]].concat();
    let fixed = [long, short, many, [&[0x40, 0, 0x39, 0][..], &[0; 8]].concat()];
    let named = [
        &[0x1F, 0, 1, 0x80][..],
        &[7; 16],
        &[1, 0, 0, 0, 10, 0, 0, 0],
        &wide("name"),
        &[0, 0],
        &[1, 0, 0, 0, 48, 0, 0, 0],
        &wide(LINE),
    ]
    .concat();
    let nested = [&[9; 16][..], &tnef(&[attribute(1, 0x0002_800C, LINE.as_bytes())])].concat();
    for (what, attribute) in [
        ("subject", attribute(1, 0x0001_8004, LINE.as_bytes())),
        ("body", attribute(1, 0x0002_800C, LINE.as_bytes())),
        ("attachment", attribute(2, 0x0006_800F, LINE.as_bytes())),
        ("title", attribute(2, 0x0001_8010, LINE.as_bytes())),
        ("from", attribute(1, 0x0000_8000, LINE.as_bytes())),
        ("text", attribute(1, MESSAGE, &properties(&[&fixed[..], &[property(0x1F, 0x1000, &wide(LINE))]].concat()))),
        ("string8", attribute(1, MESSAGE, &properties(&[property(0x1E, 0x1000, LINE.as_bytes())]))),
        (
            "html",
            attribute(1, MESSAGE, &properties(&[property(0x102, 0x1013, b"NHS number <b>943</b>&nbsp;476 5919")])),
        ),
        ("rtf", attribute(1, MESSAGE, &properties(&[property(0x102, 0x1009, &rtf)]))),
        ("named", attribute(1, MESSAGE, &properties(&[named]))),
        (
            "recipient",
            attribute(
                1,
                0x0006_9004,
                &[&[1, 0, 0, 0][..], &properties(&[property(0x1F, 0x3001, &wide(LINE))])].concat(),
            ),
        ),
        ("data", attribute(2, ATTACHMENT, &properties(&[property(0x102, 0x3701, LINE.as_bytes())]))),
        ("message", attribute(2, ATTACHMENT, &properties(&[property(0x0D, 0x3701, &nested)]))),
        ("name", attribute(2, ATTACHMENT, &properties(&[property(0x1F, 0x3707, &wide(LINE))]))),
    ] {
        let other = attribute_of_another_kind();
        let found = look(&tnef(&[other.clone(), attribute, other]));
        assert!(is_sure(&found) && found.unread.is_empty(), "{what}: {found:?}");
    }
}

fn attribute_of_another_kind() -> Vec<u8> {
    attribute(1, 0x0007_8008, b"IPM.Note\0")
}

#[test]
fn a_code_page_is_that_of_the_words_behind_it() {
    let page = attribute(1, 0x0006_9007, &[0xA4, 3, 0, 0, 0, 0, 0, 0]);
    let body = attribute(1, 0x0002_800C, b"NHS number \x82\x58\x82\x53\x82\x52 476 5919");
    assert!(is_sure(&look(&tnef(&[page, body]))));
}

#[test]
fn an_attachment_has_its_last_name() {
    let begin = attribute(2, 0x0006_9002, &[0; 14]);
    let title = attribute(2, 0x0001_8010, b"a.txt\0");
    let long = attribute(2, ATTACHMENT, &properties(&[property(0x1F, 0x3707, &wide("letter.txt"))]));
    let data = attribute(2, 0x0006_800F, LINE.as_bytes());
    let found = look(&tnef(&[begin.clone(), title, data.clone(), long, begin, data]));
    assert_eq!(found.findings.len(), 2, "{found:?}");
    assert_eq!(found.findings[0].place, "winmail.dat!/letter.txt");
}

#[test]
fn damage_is_said_and_hides_nothing() {
    let mut wrong_sum = attribute(1, 0x0002_800C, LINE.as_bytes());
    let last = wrong_sum.len() - 1;
    wrong_sum[last] ^= 1;
    let cut = attribute(1, 0x0002_800C, LINE.as_bytes());
    let level = [&[7][..], LINE.as_bytes()].concat();
    let lie = [&[0xFF; 4][..], &property(0x1F, 0x1000, &wide(LINE)), &[0; 2]].concat();
    let unknown_type = properties(&[[&[0x55, 0, 1, 0][..], LINE.as_bytes()].concat()]);
    for broken in [
        wrong_sum,
        cut[..cut.len() - 2].to_vec(),
        level,
        attribute(1, MESSAGE, &lie),
        attribute(1, MESSAGE, &unknown_type),
    ] {
        let found = look(&tnef(&[broken]));
        assert!(is_sure(&found), "{found:?}");
        assert!(found.unread.iter().any(|u| u.kind == FindingKind::BrokenAttachment), "{found:?}");
    }
}

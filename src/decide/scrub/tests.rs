use super::*;
use crate::clock::start_of;
use crate::decide::judge_of;
use crate::policy::{Expect, Known, SourceFile, TestContent};
use crate::vocabulary::{Direction, Level};
use jiff::civil::date;

const POLICY: &str = r#"
[class.clinical]
threshold = 10
[class.clinical.score]
nhs-number = 10
chi-number = 10
pattern.hospital-number = 6
lexicon.terms = 4
[pattern.hospital-number]
regex = 'RAX\d{7}'
near = ["hospital no"]
[lexicon.terms]
list = "terms.txt"
[rule.r]
direction = "outbound"
when = { content = ["clinical"], not-to = ["friend.example"] }
require = "sealed"
otherwise = "reject"
[rule.person]
direction = "outbound"
when = { to = ["boss@boss.example"] }
require = "encrypted"
otherwise = "hold"
"#;

fn judge() -> Judge {
    let files = [("p.toml", POLICY), ("terms.txt", "chemotherapy\n")];
    let files = files.map(|(name, text)| SourceFile { name: name.to_owned(), text: text.to_owned() });
    judge_of(&files, &Known::default()).unwrap()
}

fn scrub(to: &str, message: &str) -> Scrubbed {
    let test = PolicyTest {
        name: "x".to_owned(),
        at: String::new(),
        direction: Direction::Outbound,
        site: None,
        from: "jane.doe@surgery.example".parse().unwrap(),
        to: vec![to.parse().unwrap()],
        content: TestContent::Text { subject: String::new(), body: String::new(), day: None },
        peer: Level::Any,
        can: Vec::new(),
        requiretls: false,
        expect: Expect::default(),
    };
    let day = date(2026, 12, 1);
    let message = message.replace('\n', "\r\n");
    let named = ["surgery.example", "boss.example"].map(|domain| domain.parse().unwrap()).into();
    scrubbed(&judge(), &Original { message: message.as_bytes(), test, day: Some(day), at: start_of(day), named })
}

#[test]
fn nothing_stays_but_what_the_judgement_hangs_on() {
    let made = scrub(
        "margaret@webmail.example",
        "From: jane.doe@surgery.example\nSubject: Margaret Smith, 12 Acacia Avenue\n\nDear Margaret,\nyour bill of 4711 was paid.\n\
         NHS number: 943 476 5919 for Margaret\nBest wishes, Jane Doe, tel 020 7946 0123\n",
    );
    assert_eq!(made.wrong, Vec::<String>::new());
    let Case { from, to, subject, body } = &made.case;
    assert_eq!(from.to_string(), "sender@surgery.example");
    assert_eq!(to[0].to_string(), "recipient@recipient.example", "nobody names its domain");
    assert_eq!(subject, "");
    assert!(body.contains("999 000 ") && body.lines().filter(|line| !line.trim().is_empty()).count() == 1, "{body}");
    let all = format!("{subject}{body}{:?}", made.words);
    for word in ["Margaret", "Smith", "Jane", "Acacia", "943", "5919", "0123", "4711"] {
        assert!(!all.contains(word), "{word}: {all}");
    }
    assert!(made.words.contains(&"NHS".to_owned()), "{:?}", made.words);
}

#[test]
fn the_case_is_judged_as_the_message_was() {
    let wide = "\u{FF19}\u{FF14}\u{FF13} \u{FF14}\u{FF17}\u{FF16} \u{FF15}\u{FF19}\u{FF11}\u{FF19}";
    for (message, keeps) in [
        (
            "Hospital No: RAX7654321 about chemotherapy for Mr Smith".to_owned(),
            &["RAX", "Hospital", "chemotherapy"][..],
        ),
        ("CHI 0101601234: Smith".to_owned(), &[]),
        (format!("NHS number {wide} Smith"), &["NHS"]),
        ("DOB 01/02/1960, 9434765919 Smith".to_owned(), &["DOB"]),
        ("lunch at twelve".to_owned(), &[]),
    ] {
        let made = scrub("someone@webmail.example", &format!("Subject: a\n\n{message}\n"));
        assert_eq!(made.wrong, Vec::<String>::new(), "{message}");
        assert!(keeps.iter().all(|word| made.words.iter().any(|kept| kept == word)), "{message}: {:?}", made.words);
        let all = format!("{}{}", made.case.subject, made.case.body);
        for word in ["Smith", "7654321", "5919", "twelve", &wide[..6]] {
            assert!(!all.contains(word), "{word}: {all}");
        }
    }
}

#[test]
fn a_domain_that_a_rule_looks_at_stays_and_is_said_to() {
    let made = scrub("ada@friend.example", "Subject: a\n\nNHS number: 943 476 5919\n");
    assert_eq!(made.case.to[0].to_string(), "recipient@friend.example");
    assert!(made.words.contains(&"friend.example".to_owned()), "{:?}", made.words);
}

#[test]
fn what_cannot_be_taken_out_or_put_in_is_named() {
    let made = scrub("boss@boss.example", "Subject: a\n\nhello\n");
    assert!(made.wrong.iter().any(|why| why.contains("recipient 1")), "{:?}", made.wrong);
    assert_eq!(made.case.to[0].to_string(), "boss@boss.example");
    let image = "Subject: a\nContent-Type: image/png\nContent-Transfer-Encoding: base64\n\niVBORw0KGgo=\n";
    let made = scrub("someone@webmail.example", image);
    assert!(made.wrong.iter().any(|why| why.contains("`image`")), "{:?}", made.wrong);
}

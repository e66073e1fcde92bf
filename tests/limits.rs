//! What a message may cost: bait for parsers that look again and again takes as long as any message of its size.
//!
//! The bound is minutes where a second is usual, so that a busy machine fails nothing, and what grows with the square of
//! such sizes still fails.

#![allow(clippy::unwrap_used)]

use mailward::clinical::Findings;
use mailward::decide::{self, Judge, Transaction};
use mailward::mail::{Domain, Envelope, Header, Mailbox};
use mailward::policy::{Known, Sites};
use mailward::smtp::command;
use mailward::vocabulary::Direction;
use std::path::Path;
use std::sync::{LazyLock, mpsc};
use std::time::{Duration, Instant};

const BOUND: Duration = Duration::from_secs(120);
const HEADER: usize = 300_000;
const BODY: usize = 600_000;

/// The policy that ships.
static JUDGE: LazyLock<Judge> = LazyLock::new(|| {
    let policies = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
    decide::load(&policies, &Known::default(), "2026-12-01".parse().unwrap()).unwrap().judge
});

fn repeated(piece: &str, octets: usize) -> String {
    piece.repeat(octets / piece.len())
}

/// Runs `work`; fails when it is not done within the bound.
fn within_the_bound(what: &str, work: impl FnOnce() + Send + 'static) {
    let (done, ended) = mpsc::channel();
    let start = Instant::now();
    std::thread::spawn(move || {
        work();
        done.send(()).ok();
    });
    assert_eq!(ended.recv_timeout(BOUND), Ok(()), "{what:?} is not done after {:?}", start.elapsed());
}

/// All that is done with a message at the dot, but for keeping it.
fn accept(message: &[u8]) -> Findings {
    let findings = JUDGE.inspect(message);
    let json = r#"{"reverse_path":"a@site.example","recipients":[{"mailbox":"b@partner.example"}]}"#;
    let envelope: Envelope = serde_json::from_str(json).unwrap();
    let transaction = Transaction {
        at: mailward::clock::Wall(0),
        direction: Direction::Outbound,
        sites: Sites::default(),
        envelope: &envelope,
        message,
        size: message.len() as u64,
        peer: None,
        can: &[],
    };
    assert_eq!(JUDGE.at_accept(&transaction, &findings).recipients.len(), 1);
    findings
}

#[test]
fn bait_in_header_fields_takes_no_longer_than_other_headers() {
    for field in
        ["From", "To", "Subject", "Content-Type", "Content-Disposition", "Message-ID", "Received", "Auto-Submitted"]
    {
        for piece in [
            "<",
            "(",
            "\"",
            "\\",
            "a@",
            "a@b,",
            ";",
            "=?utf-8?Q?",
            "=?utf-8?B?=?=",
            " \r\n\t",
            "x*0*=",
            "; boundary=a",
            "; charset=",
            "((((\\",
            "\"a\" <",
            "group:",
            "[",
            "=?",
            "?=",
            "aa aa ",
            "1 ",
            "943 476 ",
        ] {
            let message = format!("{field}: {}\r\nTo: b@c.example\r\n\r\ntext\r\n", repeated(piece, HEADER));
            within_the_bound(&format!("{field}: {piece}"), move || drop(accept(message.as_bytes())));
        }
        let message = format!("{}\r\n\r\ntext\r\n", repeated(&format!("{field}: a\r\n"), HEADER));
        within_the_bound(field, move || {
            assert!(Header::of(message.as_bytes()).count("x") == 0 && accept(message.as_bytes()).findings.len() < 999)
        });
    }
}

#[test]
fn bait_in_bodies_takes_no_longer_than_other_bodies() {
    let kinds =
        ["text/plain", "text/html", "text/vcard", "application/json", "multipart/mixed; boundary=a", "message/rfc822"];
    for kind in kinds {
        for piece in [
            "<",
            "<!--",
            "<a b=",
            "&",
            "&#",
            "--a\r\n",
            "--a--\r\n",
            "\n--",
            "+",
            "=\r\n",
            "1",
            "1 ",
            "943 476 591",
            "NHS ",
            "\\u",
            "{",
            "\t",
            "01/01/1990 ",
            "Content-Type: message/rfc822\r\n\r\n",
            "--a\r\nContent-Type: multipart/mixed; boundary=a\r\n\r\n",
        ] {
            let message = format!("Content-Type: {kind}\r\n\r\n{}", repeated(piece, BODY));
            within_the_bound(&format!("{kind}: {piece}"), move || drop(accept(message.as_bytes())));
        }
    }
}

#[test]
fn bait_in_commands_takes_no_longer_than_other_commands() {
    for piece in
        ["<", "\"", "\\", "@", "a.", "a@", "@a,", "@a:", "xn--", "é", "[", " A=B", " NOTIFY=", "+2B", "a=", ","]
    {
        for verb in ["MAIL FROM:<", "RCPT TO:<", "EHLO ", "MAIL FROM:<>", "RCPT TO:<a@b> ORCPT=rfc822;", "AUTH PLAIN "]
        {
            let line = format!("{verb}{}", repeated(piece, HEADER));
            within_the_bound(&format!("{verb}{piece}"), move || {
                drop(command::parse(&line));
                drop((line.parse::<Mailbox>(), line.parse::<Domain>()));
            });
        }
    }
}

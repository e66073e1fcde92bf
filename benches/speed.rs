//! What a message costs, piece by piece, beside a plain pass over the same octets: `memcpy`, or `memchr` for an octet that is
//! not there.
//!
//! `cargo bench --bench speed` measures with criterion, then prints each piece's time, its rate, its rate when it was disturbed
//! least, how many plain passes it is, and how many it may be; it ends with 1 where one is more. Ratios hold on any machine, and a
//! bound is about three times what was seen. A commit is a flush of the disk first of all: its ratio says less than its time.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use bytes::Bytes;
use criterion::{Criterion, Throughput};
use mailward::clinical::{Limits, Rules, inspect};
use mailward::decide::{Judge, Transaction, judge_of};
use mailward::mail::{Envelope, Recipient};
use mailward::policy::{Known, QueuedFacts, Sites, SourceFile};
use mailward::smtp::command;
use mailward::smtp::data::chunks::{BareLineEndings, Chunks};
use mailward::smtp::data::{self, Decoder};
use mailward::store::{Change, Opened, Value, digest_of};
use mailward::vocabulary::Direction;
use std::fmt::Write as _;
use std::hint::black_box;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

const MIB: usize = 1024 * 1024;

/// What a piece is compared with.
#[derive(Clone, Copy)]
enum Pass {
    Memcpy,
    Memchr,
}

impl Pass {
    fn name(self) -> &'static str {
        match self {
            Pass::Memcpy => "memcpy",
            Pass::Memchr => "memchr",
        }
    }

    fn over(self, octets: &[u8], copy: &mut [u8]) {
        match self {
            Pass::Memcpy => copy.copy_from_slice(black_box(octets)),
            Pass::Memchr => assert_eq!(memchr::memchr(0, black_box(octets)), None),
        }
        black_box(copy);
    }
}

/// A piece that was measured, and how many passes it may be.
struct Measured {
    name: String,
    octets: usize,
    pass: Pass,
    bound: f64,
}

/// Measures one piece beside a pass over `octets`.
fn measure(c: &mut Criterion, piece: (&str, f64), (pass, octets): (Pass, &[u8]), mut work: impl FnMut()) -> Measured {
    let (name, bound) = piece;
    let mut group = c.benchmark_group(name);
    group.throughput(Throughput::Bytes(octets.len() as u64));
    let mut copy = vec![0; octets.len()];
    group.bench_function("pass", |b| b.iter(|| pass.over(octets, &mut copy)));
    group.bench_function("piece", |b| b.iter(&mut work));
    group.finish();
    Measured { name: name.to_owned(), octets: octets.len(), pass, bound }
}

/// Prose of `octets`, in lines of some 70.
fn prose(octets: usize) -> Vec<u8> {
    const WORDS: [&str; 12] =
        ["the", "practice", "called", "about", "figures", "on", "Tuesday,", "please", "send", "room", "14", "again"];
    let (mut text, mut n, mut column) = (String::new(), 1u32, 0);
    while text.len() < octets {
        n = n.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let word = WORDS[(n >> 24) as usize % WORDS.len()];
        column += word.len() + 1;
        text.push_str(word);
        text.push_str(if column > 64 { "\r\n" } else { " " });
        column = if column > 64 { 0 } else { column };
    }
    text.truncate(octets);
    text.push_str("\r\n");
    text.into_bytes()
}

/// The same with what mail has beside words: dates, times, telephones, references, amounts, quoted lines, a number of ten
/// digits every few hundred octets, of which one in eleven may be a patient's.
fn letters(octets: usize) -> Vec<u8> {
    let (words, mut text, mut n) = (String::from_utf8(prose(octets)).unwrap(), String::new(), 1u32);
    for line in words.lines() {
        n = n.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let (day, rest) = (n >> 27, n % 9_000 + 1_000);
        let with = match n >> 29 {
            0 => format!("> on {day:02}/03/2026 at 10:{day:02}, {line}"),
            1 => format!("{line}, telephone 01632 96{rest}"),
            2 => format!("Ref: ORD-{rest}-{day}; total \u{A3}{rest}.50, {line}"),
            3 => format!("{line} 20{:08}", n % 100_000_000),
            _ => line.to_owned(),
        };
        text.push_str(&with);
        text.push_str("\r\n");
        if text.len() >= octets {
            break;
        }
    }
    text.into_bytes()
}

fn noise(octets: usize) -> Vec<u8> {
    let mut n = 7u32;
    let next = |_| {
        n = n.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (n >> 24) as u8
    };
    (0..octets).map(next).collect()
}

/// A message whose body is `content`, as `kind` and in `encoding`.
fn message(kind: &str, encoding: &str, content: &[u8]) -> Vec<u8> {
    let header = format!(
        "From: a@b.example\r\nSubject: figures\r\nMIME-Version: 1.0\r\nContent-Type: {kind}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    );
    [header.as_bytes(), content].concat()
}

/// In lines of 76 (RFC 2045 6.8).
fn base64(content: &[u8]) -> Vec<u8> {
    use base64::Engine;
    let letters = base64::prelude::BASE64_STANDARD.encode(content);
    letters.as_bytes().chunks(76).flat_map(|line| [line, b"\r\n"].concat()).collect()
}

fn html(octets: usize) -> Vec<u8> {
    let text = String::from_utf8(prose(octets * 2 / 3)).unwrap();
    let rows = text.lines().map(|line| format!("<p class=\"x\">{}&nbsp;<b>so</b></p>\r\n", line.trim()));
    format!("<html><body>{}</body></html>\r\n", rows.collect::<String>()).into_bytes()
}

fn protocol(c: &mut Criterion, all: &mut Vec<Measured>) {
    const LINES: [&str; 4] = [
        "EHLO exch01.kingston.local",
        "MAIL FROM:<dr.jones@kingston-surgery.nhs.uk> SIZE=48213 BODY=8BITMIME RET=HDRS ENVID=QQ314159",
        "RCPT TO:<patient@webmail.example> NOTIFY=FAILURE,DELAY ORCPT=rfc822;patient@webmail.example",
        "BDAT 48213 LAST",
    ];
    let lines = LINES.join("\r\n").into_bytes();
    all.push(measure(c, ("commands of a message", 600.0), (Pass::Memcpy, &lines), || {
        LINES.iter().for_each(|line| drop(black_box(command::parse(black_box(line)))));
    }));
    let text = prose(MIB);
    let mut dotted = Vec::new();
    data::encode(&text, &mut dotted).unwrap();
    let mut out = Vec::with_capacity(2 * MIB);
    all.push(measure(c, ("data on its way in, 1 MiB", 12.0), (Pass::Memcpy, &dotted), || {
        out.clear();
        black_box(Decoder::new(u64::MAX).feed(black_box(&dotted), &mut out));
    }));
    all.push(measure(c, ("a chunk on its way in, 1 MiB", 12.0), (Pass::Memcpy, &text), || {
        out.clear();
        Chunks::new(u64::MAX, BareLineEndings::Refused).feed(black_box(&text), &mut out);
    }));
    all.push(measure(c, ("data on its way out, 1 MiB", 12.0), (Pass::Memcpy, &text), || {
        out.clear();
        data::encode(black_box(&text), &mut out).unwrap();
    }));
    all.push(measure(c, ("digest, 1 MiB", 6.0), (Pass::Memcpy, &text), || {
        black_box(digest_of(black_box(&text)));
    }));
}

/// A policy of so many rules, each for domains of its own, and one group of 100,000 domains.
fn judge(rules: usize) -> Judge {
    let mut text = String::from("[group.partners]\ndomains = [");
    (0..100_000).for_each(|n| write!(text, "\"p{n}.example\",").unwrap());
    text.push_str("]\n[class.clinical]\nthreshold = 10\n[class.clinical.score]\nnhs-number = 10\n");
    for n in 0..rules {
        let when =
            if n % 10 == 0 { "\"@partners\"".to_owned() } else { format!("\"d{n}.example\", \"*.d{n}.example\"") };
        let when = if n == 0 { when } else { when.replace("@partners", &format!("e{n}.example")) };
        write!(text, "[rule.r{n}]\ndirection = \"outbound\"\nwhen = {{ content = [\"clinical\"], to = [{when}] }}\n")
            .unwrap();
        text.push_str("require = \"encrypted\"\nwait = \"1h\"\notherwise = \"hold\"\n");
    }
    judge_of(&[SourceFile { name: "bench.toml".into(), text }], &Known::default())
        .map_err(|all| all[0].to_string())
        .unwrap()
}

fn decisions(c: &mut Criterion, all: &mut Vec<Measured>) {
    let text = message("text/plain", "7bit", b"NHS number 943 476 5919: please see the enclosed figures\r\n");
    let recipient = |to: &str| Recipient::new(to.parse().unwrap());
    let envelope = Envelope {
        reverse_path: mailward::mail::ReversePath::Mailbox("a@b.example".parse().unwrap()),
        recipients: vec![recipient("someone@p77777.example")],
        body: Default::default(),
        smtputf8: false,
        ret: None,
        envid: None,
        require_tls: false,
    };
    let header = mailward::mail::Header::of(&text).bytes();
    for rules in [10, 100, 1_000, 10_000] {
        let judge = judge(rules);
        let findings = judge.inspect(&text);
        let transaction = Transaction {
            at: mailward::clock::Wall(0),
            direction: Direction::Outbound,
            sites: Sites { leaves: None, reaches: None },
            envelope: &envelope,
            message: header,
            size: text.len() as u64,
            peer: None,
            can: &[],
        };
        let verdict = judge.at_accept(&transaction, &findings).recipients.remove(0);
        assert_eq!(verdict.rules.len(), 1, "one rule matches");
        let kept = verdict.requirement();
        let queued = QueuedFacts {
            at: mailward::clock::Wall(0),
            requiretls: false,
            direction: Direction::Outbound,
            sites: Sites { leaves: None, reaches: None },
            reverse_path: &envelope.reverse_path,
            recipient: &envelope.recipients[0].mailbox,
        };
        all.push(measure(c, (&format!("at an attempt, {rules} rules"), 40.0), (Pass::Memchr, &prose(4_096)), || {
            black_box(judge.at_attempt(black_box(&kept), &queued));
            black_box(judge.policy.proof_sources(envelope.recipients[0].mailbox.domain()));
        }));
        all.push(measure(c, (&format!("a decision by {rules} rules"), 200.0), (Pass::Memchr, &prose(4_096)), || {
            black_box(judge.at_accept(black_box(&transaction), &findings));
        }));
    }
}

fn recognition(c: &mut Criterion, all: &mut Vec<Measured>) {
    let (rules, limits) = (Rules::default(), Limits::default());
    let pieces = [
        ("recognition in 1 MB of text", 300.0, message("text/plain", "7bit", &prose(1_000_000))),
        (
            "recognition in 1 MB of letters with numbers",
            2_000.0,
            message("text/plain; charset=utf-8", "8bit", &letters(1_000_000)),
        ),
        ("recognition in 1 MB of HTML", 1_600.0, message("text/html", "7bit", &html(1_000_000))),
        ("recognition in 1 MB of text in base64", 400.0, message("text/plain", "base64", &base64(&prose(730_000)))),
        (
            "recognition in 1 MB of binary in base64",
            100.0,
            message("application/x-y", "base64", &base64(&noise(730_000))),
        ),
        ("recognition in a message of 4 KiB", 450.0, message("text/plain", "7bit", &prose(4_000))),
    ];
    for (name, bound, text) in pieces {
        all.push(measure(c, (name, bound), (Pass::Memchr, &text), || {
            black_box(inspect(black_box(&text), &rules, &limits));
        }));
    }
    by_the_shipped_policy(c, all);
    let markup = word(1_000_000);
    let text = message("application/octet-stream", "base64", &base64(&package(&markup)));
    // Measured in octets of its markup.
    all.push(measure(c, ("recognition in a docx of 1 MB of text", 2_000.0), (Pass::Memchr, markup.as_bytes()), || {
        black_box(inspect(black_box(&text), &rules, &limits));
    }));
}

/// The same with the policy that ships: its three lists are looked for in every text.
fn by_the_shipped_policy(c: &mut Criterion, all: &mut Vec<Measured>) {
    let files = mailward::decide::read(Path::new("policies")).unwrap();
    let judge = judge_of(&files, &Known::default()).map_err(|all| all[0].to_string()).unwrap();
    let pieces = [
        ("the shipped lists in 1 MB of text", 600.0, message("text/plain", "7bit", &prose(1_000_000))),
        (
            "the shipped lists in 1 MB of letters with numbers",
            2_500.0,
            message("text/plain; charset=utf-8", "8bit", &letters(1_000_000)),
        ),
        ("the shipped lists in 1 MB of HTML", 2_000.0, message("text/html", "7bit", &html(1_000_000))),
    ];
    for (name, bound, text) in pieces {
        all.push(measure(c, (name, bound), (Pass::Memchr, &text), || {
            black_box(judge.inspect_text(black_box(&text)));
        }));
    }
}

/// The main part of a docx with that much text, as Word writes it: two runs a line.
fn word(octets: usize) -> String {
    const SPACE: &str = "http://schemas.openxmlformats.org/wordprocessingml/2006/main";
    let text = String::from_utf8(prose(octets)).unwrap();
    let run = |text: &str| {
        format!(
            "<w:r w:rsidRPr=\"00A31B2C\"><w:rPr><w:rFonts w:ascii=\"Arial\" w:hAnsi=\"Arial\"/><w:sz w:val=\"22\"/></w:rPr><w:t xml:space=\"preserve\">{text}</w:t></w:r>"
        )
    };
    let lines = text.lines().map(|line| {
        let (one, other) = line.split_at(line.len() / 2);
        format!("<w:p w:rsidR=\"00A31B2C\" w:rsidRDefault=\"00D45E6F\">{}{}</w:p>", run(one), run(other))
    });
    format!("<w:document xmlns:w=\"{SPACE}\"><w:body>{}</w:body></w:document>", lines.collect::<String>())
}

fn package(markup: &str) -> Vec<u8> {
    use std::io::Write;
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, text) in [("[Content_Types].xml", "<Types/>"), ("word/document.xml", markup)] {
        zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn commits(c: &mut Criterion, all: &mut Vec<Measured>) {
    const KEEP: &str = "INSERT INTO body (id, bytes) VALUES (?1, ?2)";
    let folder = tempfile::tempdir_in(".").unwrap();
    let opened = Opened::open(folder.path(), |_| {}).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let mut id = 0;
    for puts in [1, 20, 100] {
        let body = Bytes::from(prose(4_000));
        let mut batch = || {
            let mut waiting = tokio::task::JoinSet::new();
            for _ in 0..puts {
                id += 1;
                let change = Change::new(KEEP, vec![Value::Int(id), Value::Blob(body.clone())]);
                let store = opened.store.clone();
                waiting.spawn_on(async move { store.commit(vec![change]).await }, runtime.handle());
            }
            runtime.block_on(async { while waiting.join_next().await.is_some_and(|kept| kept.unwrap().is_ok()) {} });
        };
        let octets = body.repeat(puts);
        let name = format!("{puts} messages of 4 KiB on stable storage");
        all.push(measure(c, (&name, 100_000.0), (Pass::Memcpy, &octets), &mut batch));
    }
    opened.close();
}

/// Criterion's estimate of the median, in nanoseconds.
fn median(folder: &Path, piece: &str, which: &str) -> f64 {
    let file = folder.join(piece.replace(',', "_")).join(which).join("new/estimates.json");
    let file = if file.exists() { file } else { folder.join(piece).join(which).join("new/estimates.json") };
    let text = std::fs::read(&file).unwrap_or_else(|why| panic!("{}: {why}", file.display()));
    serde_json::from_slice::<serde_json::Value>(&text).unwrap()["median"]["point_estimate"].as_f64().unwrap()
}

/// Nanoseconds of the sample that was disturbed least: on a machine that others use the median tells as much of them.
fn least(folder: &Path, piece: &str) -> f64 {
    let file = folder.join(piece.replace(',', "_")).join("piece/new/sample.json");
    let file = if file.exists() { file } else { folder.join(piece).join("piece/new/sample.json") };
    let sample: serde_json::Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let of = |name: &str| sample[name].as_array().unwrap().iter().map(|n| n.as_f64().unwrap()).collect::<Vec<_>>();
    of("times").iter().zip(of("iters")).map(|(time, count)| time / count).fold(f64::INFINITY, f64::min)
}

fn main() -> ExitCode {
    let folder = tempfile::tempdir().unwrap();
    let mut criterion = Criterion::default()
        .output_directory(folder.path())
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    let mut all = Vec::new();
    protocol(&mut criterion, &mut all);
    decisions(&mut criterion, &mut all);
    recognition(&mut criterion, &mut all);
    commits(&mut criterion, &mut all);
    println!("\n{:<52} {:>11} {:>9} {:>9} {:>18} {:>9}", "piece", "microsec.", "MB/s", "at best", "passes", "at most");
    let mut over = 0;
    for piece in &all {
        let (pass, time) = (median(folder.path(), &piece.name, "pass"), median(folder.path(), &piece.name, "piece"));
        let rate = |time: f64| piece.octets as f64 / time * 1e3;
        let (passes, median, best) = (time / pass, rate(time), rate(least(folder.path(), &piece.name)));
        let exceeds = if passes > piece.bound { " EXCEEDS" } else { "" };
        over += usize::from(passes > piece.bound);
        let of = piece.pass.name();
        println!(
            "{:<52} {:>11.1} {median:>9.0} {best:>9.0} {passes:>11.1} {of} {:>9.0}{exceeds}",
            piece.name,
            time / 1e3,
            piece.bound
        );
    }
    if over == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

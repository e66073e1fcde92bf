//! A queue of a million entries: fills a data folder, and measures a start on it.
//!
//! `cargo bench --bench backlog -- fill DATA ENTRIES deferred|fresh|dead` writes entries: put off for one domain over the next
//! hour, never tried for 250 addresses, or due now for one domain. `-- start CONFIG SECONDS PROGRAM` starts PROGRAM on CONFIG,
//! prints the milliseconds until its first listener greets and until `/readyz` is 200, then its memory every few seconds.
//! Without arguments (as `cargo bench` calls it) it fills 10,000 entries into a throw-away folder, as a proof that it works.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use bytes::Bytes;
use mailward::clock::{EntryId, Now, Wall};
use mailward::mail::{Envelope, Recipient, ReversePath};
use mailward::policy::Requirement;
use mailward::queue::{Destination, Destined, Entry, Lane, Progress};
use mailward::store::Opened;
use mailward::vocabulary::{Direction, Level, Reason};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

const BATCH: i64 = 2_000;
const BODY: usize = 2_048;

/// What the entries have in common.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// Put off, spread over the hour to come.
    Deferred,
    /// Never tried.
    Fresh,
    /// Put off, and due.
    Dead,
}

fn entry(id: EntryId, shape: Shape, number: i64) -> (Entry, String) {
    let domain = match shape {
        Shape::Fresh => format!("[127.30.112.{}]", number % 250 + 1),
        Shape::Deferred | Shape::Dead => "[127.30.113.1]".to_owned(),
    };
    let recipient = format!("n{number}@{domain}");
    let entry = Entry {
        version: 2,
        id,
        accepted: id.time(),
        site: Some("bench".into()),
        session: "1".into(),
        envelope: Envelope {
            reverse_path: "source@bench.local".parse().map_or(ReversePath::Null, ReversePath::Mailbox),
            recipients: vec![Recipient::new(recipient.parse().unwrap())],
            body: Default::default(),
            smtputf8: false,
            ret: None,
            envid: None,
            require_tls: false,
        },
        destined: vec![Destined { direction: Direction::Outbound, requirement: 0 }],
        requirements: vec![Requirement { level: Level::Any, ..Requirement::unreadable() }],
        size: BODY as u64,
        received: "Received: from bench\r\n\tby bench; Sun, 22 Nov 2026 12:00:00 +0000\r\n".into(),
        message_id: Some(format!("{number}@bench.local")),
        large: false,
        digest: None,
        notice: false,
        instructions: Vec::new(),
    };
    (entry, domain)
}

fn fill(data: &Path, entries: i64, shape: Shape) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let opened = Opened::open(data, |_| {}).unwrap();
    let mut body = b"Subject: bench\r\n\r\n".to_vec();
    body.resize(BODY - 2, b'x');
    body.extend_from_slice(b"\r\n");
    let body = Bytes::from(body);
    let begun = Now::read().wall;
    // Accepted within the last hour, an id each.
    let first = EntryId::at(Wall(begun.0 - 3_600_000)).row();
    for from in (0..entries).step_by(usize::try_from(BATCH).unwrap()) {
        let mut changes = Vec::new();
        for number in from..(from + BATCH).min(entries) {
            let id = EntryId::from_row(first + number * ((3_500_000 << 21) / entries.max(1)));
            let (entry, domain) = entry(id, shape, number);
            changes.extend(entry.admitted(Some(body.clone())));
            if shape != Shape::Fresh {
                let lane = Lane {
                    destination: Destination::Mx(domain.parse().unwrap()),
                    level: Level::Any,
                    require_tls: false,
                };
                let later = if shape == Shape::Dead { 0 } else { 60_000 + number * 3_600_000 / entries };
                changes.push(waiting(Wall(begun.0 + later)).kept_in(id, 0, &lane, None));
            }
        }
        runtime.block_on(opened.store.commit(changes)).unwrap();
    }
    opened.close();
    println!("{entries} entries in {:.1} s", Now::read().wall.since(begun).as_secs_f64());
}

fn waiting(due: Wall) -> Progress {
    Progress::Waiting {
        attempts: 3,
        held: false,
        // So that the million is not joined by a million notices.
        told: true,
        next_attempt: due,
        reason: Reason::ConnectionRefused,
        status: None,
        host: None,
        names: Vec::new(),
    }
}

/// `address = "…"` of a table of gateway.toml.
fn address(config: &str, key: &str) -> SocketAddr {
    let line = config.lines().find(|line| line.trim_start().starts_with(key)).expect("the key is in gateway.toml");
    line.split('"').nth(1).unwrap().parse().unwrap()
}

fn greets(address: SocketAddr) -> bool {
    let Ok(stream) = TcpStream::connect(address) else { return false };
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).is_ok() && line.starts_with("220")
}

fn is_ready(address: SocketAddr) -> bool {
    let Ok(mut stream) = TcpStream::connect(address) else { return false };
    let mut page = String::new();
    let asked = stream.write_all(b"GET /readyz HTTP/1.0\r\n\r\n").and_then(|()| stream.read_to_string(&mut page));
    asked.is_ok() && page.starts_with("HTTP/1.0 200")
}

fn after(begun: Instant, what: &str, mut happens: impl FnMut() -> bool) {
    while !happens() {
        assert!(begun.elapsed() < Duration::from_secs(300), "never: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
    println!("{what} after {} ms", begun.elapsed().as_millis());
}

fn status(child: &Child, key: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(key)).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|n| n.parse().ok()).unwrap_or(0) / 1024
}

fn start(config: &Path, seconds: u64, program: &str) {
    let text = std::fs::read_to_string(config).unwrap();
    let begun = Instant::now();
    let mut child = Command::new(program).args(["serve", "--config"]).arg(config).spawn().unwrap();
    after(begun, "greets", || greets(address(&text, "address")));
    after(begun, "ready", || is_ready(address(&text, "admin")));
    while begun.elapsed() < Duration::from_secs(seconds) {
        println!(
            "{:>4} s  {:>5} MiB  most {:>5} MiB",
            begun.elapsed().as_secs(),
            status(&child, "VmRSS"),
            status(&child, "VmHWM")
        );
        std::thread::sleep(Duration::from_secs(5));
    }
    let killed = child.kill().and_then(|()| child.wait());
    println!("ended: {killed:?}");
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["fill", data, entries, shape] => {
            let shape = match *shape {
                "deferred" => Shape::Deferred,
                "fresh" => Shape::Fresh,
                "dead" => Shape::Dead,
                other => panic!("{other}: deferred, fresh or dead"),
            };
            fill(Path::new(data), entries.parse().unwrap(), shape);
        }
        ["start", config, seconds, program] => start(Path::new(config), seconds.parse().unwrap(), program),
        _ => fill(tempfile::tempdir().unwrap().path(), 10_000, Shape::Deferred),
    }
}

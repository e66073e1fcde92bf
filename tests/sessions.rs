//! Runs the conversations in tests/sessions/ in memory against the two sessions, in one block and octet by octet; those of
//! the server again over sockets, against the built gateway; those of the client with a connection between both sides.
//!
//! `C:` is said by the client and `S:` by the server, each with CRLF; `S~` is the beginning of a line; `C+` and, in a
//! client's file, `S+` go without CRLF. `\r`, `\n`, `\0`, `\xHH` and `\\` stand for octets. Lines of one side in a row are
//! sent in one block. `=` is an event: what the caller does (`= refuse …`, `= mail 100`) or what it is told
//! (`= closed`, `= delivered …`). `#` is a comment.

// A transcript that cannot be read or is malformed is a failed test.
#![allow(clippy::expect_used, clippy::unwrap_used)]

#[path = "sessions/client.rs"]
mod client;
mod lab;
#[path = "sessions/server.rs"]
mod server;
#[path = "sessions/sockets.rs"]
mod sockets;
#[path = "sessions/transcript.rs"]
mod transcript;
#[path = "end_to_end/world.rs"]
mod world;

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
pub use transcript::unescape;
use transcript::{agrees, fed};

/// How the bytes of one block arrive.
#[derive(Debug, Clone, Copy)]
pub enum Pace {
    Block,
    Octets,
}

impl Pace {
    fn portions(self, block: &[u8]) -> Vec<Vec<u8>> {
        match self {
            Pace::Block => vec![block.to_vec()],
            Pace::Octets => block.iter().map(|octet| vec![*octet]).collect(),
        }
    }
}

/// One side under test.
pub trait Side {
    /// The mark of the lines that are fed to it.
    const FED: char;
    /// Carries out an event that the caller makes; false if it is none.
    fn act(&mut self, event: &str) -> bool;
    /// Takes in a block.
    fn feed(&mut self, block: &[u8], pace: Pace);
    /// What it said and did since the last call, in the notation of the file.
    fn heard(&mut self) -> Vec<String>;
}

pub fn run<S: Side>(side: &mut S, text: &str, pace: Pace) -> Result<(), String> {
    let mut heard: VecDeque<String> = VecDeque::new();
    let mut block = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let fail = |what: String| Err(format!("line {}: {what}", number + 1));
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(octets) = fed(line, S::FED) {
            if let Some(unexpected) = heard.front() {
                return fail(format!("was not expected: {unexpected}"));
            }
            block.extend(octets);
            continue;
        }
        if !block.is_empty() {
            side.feed(&std::mem::take(&mut block), pace);
        }
        heard.extend(side.heard());
        if line.strip_prefix("= ").is_some_and(|event| side.act(event)) {
            continue;
        }
        // A side that speaks first does so when it is first listened to.
        side.feed(&[], pace);
        heard.extend(side.heard());
        match heard.pop_front() {
            Some(said) if agrees(line, &said) => {}
            Some(said) => return fail(format!("expected {line}\n          got {said}")),
            None => return fail(format!("expected {line}\n          got nothing")),
        }
    }
    side.feed(&block, pace);
    heard.extend(side.heard());
    heard.front().map_or(Ok(()), |said| Err(format!("at the end, not expected: {said}")))
}

/// Octets in the notation of the files.
pub fn escape(octets: &[u8]) -> String {
    octets.escape_ascii().to_string().replace("\\x00", "\\0").replace("\\\"", "\"").replace("\\'", "'")
}

/// Bytes that were said, one entry for each line.
pub fn as_lines(mark: char, bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes).into_owned();
    text.split_inclusive("\r\n")
        .map(|line| match line.strip_suffix("\r\n") {
            Some(line) => format!("{mark}: {line}"),
            None => format!("{mark}+ {line}"),
        })
        .collect()
}

fn transcripts(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sessions").join(folder);
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("the folder of transcripts is there")
        .map(|entry| entry.expect("the folder can be read").path())
        .filter(|path| path.extension().is_some_and(|e| e == "smtp"))
        .collect();
    files.sort();
    files
}

fn run_all<S: Side>(folder: &str, at_least: usize, open: impl Fn() -> S) {
    let files = transcripts(folder);
    assert!(files.len() >= at_least, "only {} transcripts in {folder}", files.len());
    let mut failures = Vec::new();
    for file in &files {
        let text = std::fs::read_to_string(file).expect("a transcript can be read");
        for pace in [Pace::Block, Pace::Octets] {
            if let Err(what) = run(&mut open(), &text, pace) {
                failures.push(format!("{} ({pace:?}): {what}", file.display()));
            }
        }
    }
    assert!(failures.is_empty(), "{} of {} failed:\n{}", failures.len(), files.len(), failures.join("\n"));
}

#[test]
fn the_server_session_keeps_to_its_transcripts() {
    run_all("server", 40, server::Gateway::open);
}

#[test]
fn the_client_session_keeps_to_its_transcripts() {
    run_all("client", 60, client::Caller::open);
}

#[test]
fn the_client_session_keeps_to_its_transcripts_over_sockets() {
    run_all("client", 60, client::Caller::wired);
}

#[test]
fn the_server_session_serves_exchange() {
    run_all("exchange/client", 12, server::Gateway::open_to_a_site);
}

#[test]
fn the_client_session_serves_exchange() {
    run_all("exchange/server", 8, client::Caller::open);
}

#[test]
fn a_transcript_that_is_wrong_fails() {
    for wrong in ["S: 220 other ESMTP Mailward", "S~ 220\nC: NOOP\nS~ 500", "S~ 220\nC: NOOP", "S~ 220\nS~ 220"] {
        assert!(run(&mut server::Gateway::open(), wrong, Pace::Block).is_err(), "{wrong}");
    }
}

//! The fuzz targets in `cargo test`: on the stored corpus, on the fixtures of other tests, and on what grows from both.
//!
//! Each target is a plain function in tests/fuzz/targets; `tests/fuzz/run SECONDS` lets libFuzzer look for more. A file in
//! tests/fuzz/corpus/TARGET whose name is a sentence is a defect that was found: it names what must not come back. What
//! libFuzzer grew, as few files as reach all that it reached, is packed in tests/fuzz/grown/TARGET.tar.gz.

// A corpus that cannot be read fails its test, and a target says by a panic what is wrong.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "fuzz/targets/mod.rs"]
mod targets;

use proptest::prelude::*;
use proptest::sample::{Index, Selector};
use proptest::test_runner::TestRunner;
use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use targets::{TARGETS, Target, oracle, stored};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.is_file());
    files.sort();
    files
}

fn corpus(target: &str) -> Vec<(String, Vec<u8>)> {
    let files = files_in(&root().join("tests/fuzz/corpus").join(target));
    let named = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
    files.iter().map(|path| (format!("{target}/{}", named(path)), fs::read(path).unwrap())).collect()
}

fn target(name: &str) -> Target {
    targets::named(name).unwrap()
}

#[test]
fn every_target_has_a_corpus_and_holds_on_it() {
    let folders = fs::read_dir(root().join("tests/fuzz/corpus")).unwrap();
    let folders: BTreeSet<String> = folders.map(|f| f.unwrap().file_name().into_string().unwrap()).collect();
    let names: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(folders, names, "a folder of tests/fuzz/corpus for each target");
    for (name, target) in TARGETS {
        let inputs = corpus(name);
        assert!(inputs.len() >= 3, "{name} has only {} inputs", inputs.len());
        for (file, octets) in inputs {
            let held = std::panic::catch_unwind(|| target(&octets));
            assert!(held.is_ok(), "does not hold on tests/fuzz/corpus/{file}");
        }
    }
}

/// The files that libFuzzer grew for a target, by their names in its archive.
fn grown(archive: &Path) -> Vec<(String, Vec<u8>)> {
    let packed = flate2::read::GzDecoder::new(fs::File::open(archive).unwrap());
    let mut files = Vec::new();
    for entry in tar::Archive::new(packed).entries().unwrap() {
        let mut entry = entry.unwrap();
        let (name, mut octets) = (entry.path().unwrap().display().to_string(), Vec::new());
        entry.read_to_end(&mut octets).unwrap();
        files.push((name, octets));
    }
    files
}

#[test]
fn every_target_holds_on_what_was_grown_for_it() {
    for archive in files_in(&root().join("tests/fuzz/grown")) {
        let name = archive.file_name().unwrap().to_str().unwrap().trim_end_matches(".tar.gz");
        let (target, files) = (target(name), grown(&archive));
        assert!(files.len() >= 3, "{name} has only {} files", files.len());
        for (file, octets) in files {
            let held = std::panic::catch_unwind(|| target(&octets));
            assert!(held.is_ok(), "{name} does not hold on {file} of {}", archive.display());
        }
    }
}

/// What one change makes of an input: octets lost, doubled, turned, or taken from another input or from `WORDS`.
#[derive(Debug, Clone)]
enum Change {
    Cut(Index, Index),
    Twice(Index, Index),
    Octet(Index, u8),
    Insert(Index, Selector),
    Splice(Index, Selector),
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let (place, pick) = (any::<Index>, any::<Selector>);
    let change = prop_oneof![
        (place(), place()).prop_map(|(a, b)| Change::Cut(a, b)),
        (place(), place()).prop_map(|(a, b)| Change::Twice(a, b)),
        (place(), any::<u8>()).prop_map(|(a, b)| Change::Octet(a, b)),
        (place(), pick()).prop_map(|(a, b)| Change::Insert(a, b)),
        (place(), pick()).prop_map(|(a, b)| Change::Splice(a, b)),
    ];
    prop::collection::vec(change, 0..6)
}

/// Words that mean something to some parser.
const WORDS: &[&[u8]] = &[
    b"\r\n",
    b"\n",
    b"\r",
    b"\0",
    b".",
    b"\r\n.\r\n",
    b"\n.\n",
    b"\r.\r",
    b" ",
    b"\t",
    b"\"",
    b"\\",
    b"<",
    b">",
    b"@",
    b":",
    b"=",
    b"+",
    b"--",
    b"250 ",
    b"250-",
    b"354 go\r\n",
    b"421 bye\r\n",
    b"\xff",
    b"\xe2\x80\xa8",
    b"\xc3\xa9",
    b"xn--",
    b"[::1]",
    b"{",
    b"}",
    b",",
    b"''",
    b"NHS",
    b"943 476 5919",
    b"charset=",
    b"boundary=x",
    b"base64",
    b"4294967296",
    b"<<",
    b">>",
    b"(",
    b" 0 R ",
    b" obj ",
    b"endstream",
    b"/Length",
    b"xref",
    b"\n=== word/document.xml\n",
    b"<w:t>",
    b"</w:t>",
    b"&#x39;",
    b"\xA0\x80",
    b"\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x07\x03",
];

fn changed(mut octets: Vec<u8>, change: &Change, others: &[Vec<u8>]) -> Vec<u8> {
    let span = |a: &Index, b: &Index, octets: &[u8]| {
        let (a, b) = (a.index(octets.len() + 1), b.index(octets.len() + 1));
        a.min(b)..a.max(b)
    };
    match change {
        Change::Cut(a, b) => drop(octets.drain(span(a, b, &octets))),
        Change::Twice(a, b) => {
            let span = span(a, b, &octets);
            let piece = octets[span.clone()].to_vec();
            drop(octets.splice(span.start..span.start, piece));
        }
        Change::Octet(a, octet) => {
            if let Some(at) = octets.len().checked_sub(1).map(|last| a.index(last + 1)) {
                octets[at] = *octet;
            }
        }
        Change::Insert(a, word) => {
            let at = a.index(octets.len() + 1);
            drop(octets.splice(at..at, word.select(WORDS).iter().copied()));
        }
        Change::Splice(a, other) => {
            octets.truncate(a.index(octets.len() + 1));
            octets.extend_from_slice(other.select(others));
        }
    }
    octets.truncate(4_096);
    octets
}

/// A target on what grows out of its corpus and the fixtures in `folders`; a failure prints the input.
fn hold(name: &str, cases: u32, folders: &[&str]) {
    let mut inputs: Vec<Vec<u8>> = corpus(name).into_iter().map(|(_, octets)| octets).collect();
    inputs.extend(folders.iter().flat_map(|folder| files_in(&root().join(folder))).map(|path| fs::read(path).unwrap()));
    inputs.iter().for_each(|octets| target(name)(octets));
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let run = TestRunner::new(config).run(&(any::<Selector>(), changes()), |(seed, all)| {
        let grown = all.iter().fold(seed.select(&inputs).clone(), |octets, one| changed(octets, one, &inputs));
        let held = std::panic::catch_unwind(|| target(name)(&grown));
        prop_assert!(held.is_ok(), "{} does not hold on \"{}\"", name, grown.escape_ascii());
        Ok(())
    });
    run.unwrap_or_else(|failed| panic!("{failed}"));
}

#[test]
fn commands_addresses_and_parameters() {
    hold("command", 1_500, &[]);
    hold("address", 1_500, &[]);
    hold("parameters", 1_500, &[]);
}

#[test]
fn server_sessions() {
    hold("server", 800, &[]);
}

#[test]
fn replies_and_client_sessions() {
    hold("reply", 1_000, &[]);
    hold("client", 1_000, &[]);
}

#[test]
fn messages_on_the_wire() {
    hold("data", 1_500, &[]);
}

#[test]
fn headers_and_what_is_recognised() {
    hold("header", 1_000, &["policies/tests"]);
    hold("mime", 300, &["policies/tests"]);
    for name in ["charset", "html", "nhs-number"] {
        hold(name, 300, &[]);
    }
}

#[test]
fn archives() {
    for name in ["zip", "gzip-tar", "7z"] {
        hold(name, 500, &[]);
    }
}

#[test]
fn documents() {
    hold("pdf", 600, &[]);
    hold("rtf", 500, &[]);
    hold("tnef", 500, &[]);
    hold("ole", 500, &[]);
    hold("office", 300, &[]);
    hold("sealed", 500, &[]);
}

#[test]
fn what_is_stored() {
    hold("entry", 1_000, &[]);
    hold("progress", 1_000, &[]);
}

#[test]
fn what_is_typed() {
    hold("policy", 200, &["policies"]);
    hold("gateway", 200, &["deploy"]);
    hold("control", 500, &[]);
}

#[test]
fn notices() {
    hold("notice", 1_000, &[]);
}

#[test]
fn answers_of_name_servers() {
    hold("dns", 200, &[]);
}

#[test]
fn what_both_accept_smtp_proto_reads_alike_but_for_what_is_known() {
    for row in oracle::KNOWN_COMMANDS.iter().chain(oracle::KNOWN_REPLIES) {
        assert!(
            oracle::is_shown(row),
            "no longer so, take it out: {:?} of {:?} ({})",
            row.fields,
            row.example,
            row.why
        );
    }
    for (start, why) in oracle::KNOWN_DATA {
        assert!(oracle::is_data_shown(start), "no longer so, take it out: {} ({why})", start.escape_ascii());
    }
    for name in ["oracle-command", "oracle-data", "oracle-reply"] {
        hold(name, 1_500, &[]);
    }
}

/// An entry as it is stored, with a requirement for each level.
const ENTRY: &str = include_str!("fuzz/corpus/entry/three-recipients.json");

#[test]
fn no_damage_of_one_octet_and_no_cut_lowers_what_an_entry_asks() {
    let id = serde_json::from_str::<serde_json::Value>(ENTRY).unwrap()["id"].as_str().unwrap().parse().unwrap();
    let whole = mailward::queue::entry::parse(id, ENTRY.as_bytes()).unwrap();
    let head = whole.head();
    assert_eq!(mailward::queue::entry::parse(id, &head).unwrap(), whole);
    for at in 0..head.len() {
        assert!(stored::protects_as_much(&whole, &head[..at]), "cut at {at}");
        for octet in (0..8).map(|bit| head[at] ^ (1 << bit)).chain(*b"019 \",}]anx\0") {
            let mut damaged = head.to_vec();
            damaged[at] = octet;
            let text = String::from_utf8_lossy(&damaged);
            assert!(stored::protects_as_much(&whole, &damaged), "octet {at} as {octet}: {text}");
        }
    }
}

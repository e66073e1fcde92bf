//! One mistake per folder of tests/configs, with the exact text that the operator gets.
//!
//! `BLESS=1 cargo test --test configs` writes what comes out into expected.txt: read the diff before you keep it.

// A fixture that cannot be read fails its test.
#![allow(clippy::unwrap_used)]

use mailward::policy::{Known, KnownRelay, SourceFile, compile};
use mailward::vocabulary::Level;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

fn folders() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/configs");
    let mut folders: Vec<PathBuf> = fs::read_dir(root).unwrap().map(|e| e.unwrap().path()).collect();
    folders.sort();
    folders
}

fn sources(folder: &Path) -> Vec<SourceFile> {
    let mut files = mailward::decide::read(folder).unwrap();
    files.retain(|file| file.name != "expected.txt");
    files
}

/// Folders whose name begins with `gateway-` are compiled as with a gateway.toml; all others as without.
fn known(folder: &Path) -> Known {
    if !folder.file_name().unwrap().to_string_lossy().starts_with("gateway-") {
        return Known::default();
    }
    let hub = KnownRelay {
        name: "secure-hub".into(),
        hosts: vec!["hub.example".into()],
        carries: vec!["clinical".into()],
        onward: Level::Encrypted,
        require: Level::Verified,
    };
    // What only gateway.toml can do wrong.
    let open = folder.ends_with("gateway-lint-legs-and-relays");
    let relay = KnownRelay {
        name: "application-relay".into(),
        hosts: vec!["Relay.nhs.uk".into()],
        carries: vec!["clinical".into()],
        onward: Level::Any,
        require: Level::Encrypted,
    };
    Known {
        relays: std::iter::once(hub).chain(open.then_some(relay)).collect(),
        open_sites: open.then(|| "kingston-surgery".into()).into_iter().collect(),
        sites: Some(vec!["kingston-surgery".into()]),
        domains: BTreeMap::new(),
        duty: false,
        smarthost: Some("relay:secure-hub".into()),
        journals: std::collections::BTreeMap::new(),
    }
}

fn outcome(folder: &Path) -> String {
    let files = sources(folder);
    let found = match compile(&files, &known(folder)) {
        Ok(compiled) => compiled.warnings_on("2027-01-15".parse().unwrap()),
        Err(found) => found,
    };
    found.iter().map(|d| format!("{d}\n\n")).collect()
}

#[test]
fn every_mistake_is_told_with_its_place_and_a_hint() {
    let bless = std::env::var_os("BLESS").is_some();
    let mut wrong = Vec::new();
    let folders = folders();
    for folder in &folders {
        let (got, path) = (outcome(folder), folder.join("expected.txt"));
        if bless {
            fs::write(&path, &got).unwrap();
        } else if fs::read_to_string(&path).unwrap_or_default() != got {
            wrong.push(format!("== {}\n{got}", folder.display()));
        }
        assert!(!got.is_empty(), "{} has no mistake", folder.display());
    }
    assert!(wrong.is_empty(), "texts changed (BLESS=1 writes them):\n{}", wrong.join("\n"));
    assert!(folders.len() >= 25, "only {} mistakes", folders.len());
}

#[test]
fn the_order_of_files_and_of_tables_changes_no_text() {
    for folder in folders() {
        let mut files = sources(&folder);
        let told = |files: &[SourceFile]| -> BTreeSet<(&'static str, Option<usize>)> {
            let known = known(&folder);
            let found = compile(files, &known).map_or_else(|found| found, |compiled| compiled.warnings);
            // Of two definitions either may be called the first.
            found.iter().filter(|d| d.code != "defined-twice").map(|d| (d.code, d.line)).collect()
        };
        let forwards = told(&files);
        files.reverse();
        assert_eq!(forwards, told(&files), "{}", folder.display());
    }
}

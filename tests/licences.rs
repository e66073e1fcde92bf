//! House rule: no copyleft and no unknown terms among the dependencies, duplicates listed, and our own terms where they
//! should be. Asked of `cargo metadata`, which reads Cargo.lock and the network never.

// Cargo runs these tests: a cargo that cannot be asked is a failed test.
#![allow(clippy::expect_used)]

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// What may be linked into the programme. None of them asks anything of those who only run it.
const FREE: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    // As BSD-3-Clause, in the words of bzip2.
    "bzip2-1.0.6",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "OpenSSL",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Crates that are there in two versions, each with who keeps the older one. Whoever adds a line says why it must be.
const TWICE: &[(&str, &str)] = &[
    ("base64", "0.22 is ours, 0.23 comes with pem (rcgen)"),
    ("getrandom", "0.2 belongs to ring, which features that are off name; it is not built"),
    ("rustc-hash", "1 is kept by dhat, in benches only; 2 comes with hayro-syntax"),
    ("syn", "2 is kept by asn1-rs-derive (x509-parser) and hashify (mail-parser); at build time only"),
    ("synstructure", "0.13 is kept by asn1-rs-derive (x509-parser); at build time only"),
    ("untrusted", "0.7 belongs to a feature of aws-lc-rs that is off; it is not built"),
];

fn packages() -> Vec<Value> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    // Only what is built for this platform: a lock file also names what other systems would need.
    let platform = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let asked = ["metadata", "--format-version=1", "--locked", "--offline", "--filter-platform", &platform];
    let output = Command::new(cargo).args(asked).current_dir(env!("CARGO_MANIFEST_DIR")).output();
    let output = output.expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo answers in JSON");
    let resolved = metadata["resolve"]["nodes"].as_array().expect("it resolves").iter();
    let used: BTreeSet<&str> = resolved.filter_map(|node| node["id"].as_str()).collect();
    let all = metadata["packages"].as_array().expect("it lists packages").iter();
    all.filter(|package| package["id"].as_str().is_some_and(|id| used.contains(id))).cloned().collect()
}

fn text(package: &Value, key: &str) -> String {
    package[key].as_str().unwrap_or_default().to_owned()
}

/// Whether one may choose terms that are all free: `A OR B` offers, `A AND B` asks for both, `A/B` is the old `OR`.
fn is_free(expression: &str) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut at = 0;
    let free = any_of(&words, &mut at);
    free && at == words.len() && !words.is_empty()
}

fn any_of(words: &[&str], at: &mut usize) -> bool {
    let mut free = all_of(words, at);
    while words.get(*at) == Some(&"OR") {
        *at += 1;
        free |= all_of(words, at);
    }
    free
}

fn all_of(words: &[&str], at: &mut usize) -> bool {
    let mut free = one(words, at);
    while words.get(*at) == Some(&"AND") {
        *at += 1;
        free &= one(words, at);
    }
    free
}

fn one(words: &[&str], at: &mut usize) -> bool {
    let Some(word) = words.get(*at) else { return false };
    *at += 1;
    if *word == "(" {
        let free = any_of(words, at);
        let closed = words.get(*at) == Some(&")");
        *at += 1;
        return free && closed;
    }
    if words.get(*at) == Some(&"WITH") {
        let with = format!("{word} WITH {}", words.get(*at + 1).unwrap_or(&""));
        *at += 2;
        return FREE.contains(&with.as_str());
    }
    FREE.contains(word)
}

fn twice(packages: &[Value]) -> BTreeMap<String, BTreeSet<String>> {
    let mut versions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in packages {
        versions.entry(text(package, "name")).or_default().insert(text(package, "version"));
    }
    versions.retain(|_, versions| versions.len() > 1);
    versions
}

#[test]
fn every_dependency_is_free_and_none_is_copyleft() {
    let packages = packages();
    assert!(packages.len() > 30, "only {} packages: the search is broken", packages.len());
    let unfree: Vec<String> = packages
        .iter()
        .filter(|package| !is_free(&text(package, "license")))
        .map(|package| format!("{} {} ({})", text(package, "name"), text(package, "version"), package["license"]))
        .collect();
    assert!(unfree.is_empty(), "terms that are not on the list: {}", unfree.join(", "));
}

#[test]
fn duplicates_are_known() {
    let found = twice(&packages());
    let known: BTreeSet<&str> = TWICE.iter().map(|(name, _)| *name).collect();
    let new: Vec<String> = found
        .iter()
        .filter(|(name, _)| !known.contains(name.as_str()))
        .map(|(name, versions)| format!("{name} {versions:?}"))
        .collect();
    assert!(new.is_empty(), "in two versions, and nobody said why: {}", new.join(", "));
    let gone: Vec<&&str> = known.iter().filter(|name| !found.contains_key(**name)).collect();
    assert!(gone.is_empty(), "no longer there twice, so no longer to be listed: {gone:?}");
}

/// Name and version of every package of a lock file.
fn locked(lock: &str) -> BTreeMap<String, BTreeSet<String>> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(lock);
    let lock: toml::Table = std::fs::read_to_string(path).expect("the lock is there").parse().expect("it is TOML");
    let mut versions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in lock["package"].as_array().expect("it lists packages") {
        let text = |key: &str| package[key].as_str().expect("a package has it").to_owned();
        versions.entry(text("name")).or_default().insert(text("version"));
    }
    versions
}

#[test]
fn what_is_fuzzed_is_built_from_the_same_packages() {
    let (ours, fuzzed) = (locked("Cargo.lock"), locked("tests/fuzz/Cargo.lock"));
    let shared: Vec<_> = fuzzed.iter().filter_map(|(name, theirs)| Some((name, theirs, ours.get(name)?))).collect();
    assert!(shared.len() > 100, "only {} packages are shared: the search is broken", shared.len());
    let other: Vec<String> = shared
        .iter()
        .filter(|(_, theirs, ours)| !theirs.is_subset(ours))
        .map(|(name, theirs, ours)| format!("{name} {theirs:?}, not {ours:?}"))
        .collect();
    assert!(other.is_empty(), "tests/fuzz/Cargo.lock has other versions than Cargo.lock: {}", other.join(", "));
}

#[test]
fn our_own_terms_are_there() {
    let own = packages().into_iter().find(|package| package["name"] == "mailward").expect("we are a package");
    assert_eq!(own["license"], "MIT OR Apache-2.0");
    for (file, says) in [("LICENSE-MIT", "Permission is hereby granted"), ("LICENSE-APACHE", "Apache License")] {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
        let terms = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert!(terms.contains(says), "{file}");
    }
}

#[test]
fn terms_are_read_as_they_are_meant() {
    for free in ["MIT", "MIT/Apache-2.0", "GPL-3.0-only OR MIT", "(MIT OR Apache-2.0) AND Unicode-3.0"] {
        assert!(is_free(free), "{free}");
    }
    assert!(is_free("Apache-2.0 WITH LLVM-exception OR MIT") && is_free("ISC AND (Apache-2.0 OR ISC) AND OpenSSL"));
    for unfree in
        ["", "GPL-3.0-only", "MIT AND GPL-2.0-only", "(MIT OR", "MPL-2.0", "MIT WITH GPL-exception", "MIT MIT"]
    {
        assert!(!is_free(unfree), "{unfree}");
    }
}

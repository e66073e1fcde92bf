//! The labelled corpus: every identifier form in every place, container and context that this version reads, and as many
//! look-alikes. Prints recall and precision, compares them with `tests/recognition/table.txt`, and fails on a difference.
//! `BLESS=1 cargo test --test recognition` writes the table anew.

// An archive that cannot be written is a failed test.
#![allow(clippy::unwrap_used)]

#[path = "recognition/archives.rs"]
mod archives;
#[path = "recognition/cells.rs"]
mod cells;
#[path = "recognition/containers.rs"]
mod containers;
#[path = "recognition/documents.rs"]
mod documents;
#[path = "recognition/lookalikes.rs"]
mod lookalikes;
#[path = "recognition/office.rs"]
mod office;
#[path = "recognition/schemes.rs"]
mod schemes;
#[path = "recognition/writers.rs"]
mod writers;

use archives::ARCHIVES;
use cells::{CONTEXTS, Context, FORMS, Form, Numbers};
use containers::{CONTAINERS, Container};
use mailward::clinical::{Limits, Rules, inspect};
use mailward::vocabulary::{Confidence, FindingKind};
use office::OFFICE;
use schemes::SCHEMES;
use std::collections::BTreeMap;
use std::fmt::Write as _;

const SEED: u64 = 20_261_122;
/// Numbers tried in each cell.
const PER_CELL: usize = 4;

/// A number torn in an unusual way is believed only right behind its label.
fn expected(form: &Form, context: &Context) -> Option<Confidence> {
    (context.names_torn || !form.torn).then_some(context.expect)
}

fn containers() -> Vec<&'static Container> {
    CONTAINERS.iter().chain(OFFICE).collect()
}

#[derive(Default)]
struct Score {
    asked: usize,
    found: usize,
}

fn every_container() -> impl Iterator<Item = &'static Container> {
    CONTAINERS.iter().chain(ARCHIVES)
}

fn best(message: &[u8], rules: &Rules) -> Option<Confidence> {
    best_of(message, rules, |kind| kind == FindingKind::NhsNumber)
}

fn best_of(message: &[u8], rules: &Rules, is_meant: impl Fn(FindingKind) -> bool) -> Option<Confidence> {
    let findings = inspect(message, rules, &Limits::default()).findings;
    findings.iter().filter(|f| is_meant(f.kind)).map(|f| f.confidence).max()
}

/// Every form of every other number in every container and context: what was found of what was asked, as a table.
fn other_numbers(rules: &Rules, table: &mut String, missed: &mut Vec<String>) -> Score {
    let mut all = Score::default();
    for (scheme, container) in SCHEMES.iter().flat_map(|s| every_container().map(move |c| (s, c))) {
        let mut numbers = Numbers::new(SEED);
        for context in scheme.contexts {
            let mut score = Score::default();
            for form in scheme.all_forms() {
                for _ in 0..PER_CELL {
                    let text = (context.around)(&(form.write)(&(scheme.valid)(&mut numbers)));
                    let message = (container.wrap)(&text, form);
                    score.asked += 1;
                    // What nothing names is one guess, of whichever it may be.
                    let is_guess = context.name == "none";
                    let is_meant = |kind| kind == scheme.kind || (is_guess && kind == FindingKind::NhsNumber);
                    if best_of(&message, rules, is_meant) >= Some(context.expect) {
                        score.found += 1;
                    } else {
                        missed.push(format!(
                            "{} / {} / {} / {}: {text:?}",
                            scheme.name, container.name, form.name, context.name
                        ));
                    }
                }
            }
            let Score { asked, found } = score;
            let _ = writeln!(table, "  {:<4} {:<22} {:<16} {found}/{asked}", scheme.name, container.name, context.name);
            (all.asked, all.found) = (all.asked + asked, all.found + found);
        }
    }
    all
}

#[test]
fn recall_and_false_alarms_are_as_recorded() {
    println!("seed {SEED}");
    let rules = Rules::default();
    let mut table = String::from("recall: found at least as sure as expected / asked, by container and context\n");
    let (mut asked, mut found) = (0, 0);
    let mut missed: Vec<String> = Vec::new();
    for container in every_container() {
        let mut row: BTreeMap<&str, Score> = BTreeMap::new();
        let mut numbers = Numbers::new(SEED);
        for (form, context) in FORMS.iter().flat_map(|f| CONTEXTS.iter().map(move |c| (f, c))) {
            let Some(expected) = expected(form, context) else { continue };
            for _ in 0..PER_CELL {
                let text = (context.around)(&(form.write)(&numbers.valid()));
                let message = (container.wrap)(&text, form);
                let score = row.entry(context.name).or_default();
                score.asked += 1;
                if best(&message, &rules) >= Some(expected) {
                    score.found += 1;
                } else {
                    missed.push(format!("{} / {} / {}: {text:?}", container.name, form.name, context.name));
                }
            }
        }
        for context in CONTEXTS {
            let score =
                row.get(context.name).unwrap_or_else(|| panic!("cell {} / {} is absent", container.name, context.name));
            let _ = writeln!(table, "  {:<22} {:<16} {}/{}", container.name, context.name, score.found, score.asked);
            (asked, found) = (asked + score.asked, found + score.found);
        }
    }
    let others = other_numbers(&rules, &mut table, &mut missed);
    (asked, found) = (asked + others.asked, found + others.found);
    let recall = found as f64 / asked as f64;
    let _ = writeln!(table, "  all: {found}/{asked} = {:.2} %\n", recall * 100.0);
    let alarms = false_alarms(&rules, &mut table);
    println!("{table}");
    missed.truncate(20);
    assert!(recall >= 0.995, "recall {recall}; missed, for example:\n{}", missed.join("\n"));
    assert!(alarms <= 0.002, "false alarms {alarms}");
    compare(&table);
}

/// Ordinary business mail full of numbers: medium or high is an alarm.
fn false_alarms(rules: &Rules, table: &mut String) -> f64 {
    let _ = writeln!(table, "false alarms: medium or high / messages, by kind of look-alike");
    let (mut all, mut wrong) = (0, 0);
    let containers = containers();
    for kind in lookalikes::KINDS {
        let mut numbers = Numbers::new(SEED);
        let mut alarms = 0;
        for i in 0..lookalikes::PER_KIND {
            let text = (kind.write)(&mut numbers, i);
            let message = (containers[i % containers.len()].wrap)(&text, &FORMS[0]);
            let is_number =
                |kind| matches!(kind, FindingKind::NhsNumber | FindingKind::ChiNumber | FindingKind::HcNumber);
            alarms += usize::from(best_of(&message, rules, is_number) >= Some(Confidence::Medium));
        }
        let _ = writeln!(table, "  {:<22} {alarms}/{}", kind.name, lookalikes::PER_KIND);
        (all, wrong) = (all + lookalikes::PER_KIND, wrong + alarms);
    }
    let _ = writeln!(table, "  all: {wrong}/{all} = {:.3} %", wrong as f64 / all as f64 * 100.0);
    wrong as f64 / all as f64
}

fn compare(table: &str) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/recognition/table.txt");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(path, table).unwrap_or_else(|error| panic!("{path}: {error}"));
    }
    let recorded = std::fs::read_to_string(path).unwrap_or_default();
    assert!(recorded == table, "the table changed; look at the difference, then BLESS=1");
}

const CONTEXT_NAMES: &[&str] = &[
    "none",
    "label",
    "label-behind",
    "camel-case",
    "date-of-birth",
    "hl7",
    "fhir",
    "list",
    "label-joined",
    "label-initials",
    "label-touching",
    "date-of-birth-comma",
    "date-of-birth-blank",
    "oid",
];

const CONTAINER_NAMES: &[&str] = &[
    "subject-raw",
    "subject-q",
    "subject-b-split",
    "plain-8bit",
    "plain-qp",
    "plain-base64",
    "plain-utf16",
    "plain-utf32",
    "attached-utf32",
    "plain-gb18030",
    "html",
    "html-markup",
    "html-entities",
    "html-comment",
    "html-attribute",
    "nested",
    "nested-twice",
    "attached-text",
    "attached-octets",
    "attached-json",
    "attached-xml",
    "display-name",
    "file-name",
    "epilogue",
    "docx-body",
    "docx-runs",
    "docx-table",
    "docx-header",
    "docx-footnote",
    "docx-comment",
    "docx-textbox",
    "xlsx-shared",
    "xlsx-inline",
    "xlsx-comment",
    "pptx-slide",
    "pptx-notes",
    "odt",
    "ods",
    "odp",
    "zip-stored",
    "zip-deflated",
    "zip-in-zip",
    "zip-data-descriptor",
    "zip64",
    "zip-hidden-entry",
    "zip-entry-name",
    "zip-comment",
    "zip-behind-jpeg",
    "eml-in-zip",
    "gzip",
    "bzip2",
    "xz",
    "tar",
    "tar-gz",
    "7z",
];

/// The forms, contexts and containers that the design names; a cell that is not generated would not be missed otherwise.
#[test]
fn no_cell_is_absent() {
    let forms: Vec<&str> = FORMS.iter().map(|f| f.name).collect();
    for name in [
        "bare",
        "spaces",
        "hyphens",
        "dots",
        "nbsp",
        "thin-space",
        "nb-hyphen",
        "en-dash",
        "fullwidth",
        "arabic-indic",
        "soft-hyphen",
        "zero-width",
        "line-break",
        "singles",
    ] {
        assert!(forms.contains(&name), "form {name}");
    }
    let contexts: Vec<&str> = CONTEXTS.iter().map(|c| c.name).collect();
    for name in CONTEXT_NAMES {
        assert!(contexts.contains(name), "context {name}");
    }
    let names: Vec<&str> = every_container().map(|c| c.name).collect();
    for name in CONTAINER_NAMES {
        assert!(names.contains(name), "container {name}");
    }
}

/// A number that is kept as one, under its column's header.
#[test]
fn numbers_of_spreadsheets_are_digits() {
    let rules = Rules::default();
    let of = |header: &str, number: &str| best(&containers::attached(&documents::xlsx_number(header, number)), &rules);
    for number in ["9434765919", "9434765919.0", "9.434765919E9", "9.434765919E+09"] {
        assert_eq!(of("NHS number", number), Some(Confidence::High), "{number}");
    }
    assert_eq!(of("Account", "9434765918"), None);
}

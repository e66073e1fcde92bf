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
#[path = "recognition/lexicons.rs"]
mod lexicons;
#[path = "recognition/lookalikes.rs"]
mod lookalikes;
#[path = "recognition/office.rs"]
mod office;
#[path = "recognition/pdf.rs"]
mod pdf;
#[path = "recognition/schemes.rs"]
mod schemes;
#[path = "recognition/shapes.rs"]
mod shapes;
#[path = "recognition/writers.rs"]
mod writers;

use archives::ARCHIVES;
use cells::{CONTEXTS, Context, FORMS, Form, Numbers};
use containers::{CONTAINERS, Container};
use mailward::clinical::{Limits, Rules, inspect};
use mailward::vocabulary::{Confidence, FindingKind};
use office::OFFICE;
use schemes::{SCHEMES, Scheme};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

const SEED: u64 = 20_261_122;
/// A number torn in an unusual way is believed only right behind its label.
fn expected(form: &Form, context: &Context) -> Option<Confidence> {
    (context.names_torn || !form.torn).then_some(context.expect)
}

#[derive(Default)]
struct Score {
    asked: usize,
    found: usize,
}

fn every_container() -> impl Iterator<Item = &'static Container> {
    CONTAINERS.iter().chain(ARCHIVES).chain(OFFICE)
}

fn best(message: &[u8], rules: &Rules) -> Option<Confidence> {
    best_of(message, rules, |kind| kind == FindingKind::NhsNumber)
}

fn best_of(message: &[u8], rules: &Rules, is_meant: impl Fn(FindingKind) -> bool) -> Option<Confidence> {
    let findings = inspect(message, rules, &Limits::default()).findings;
    findings.iter().filter(|f| is_meant(f.kind)).map(|f| f.confidence).max()
}

/// What came of one container: rows of the table, and what was missed.
#[derive(Default)]
struct Rows {
    text: String,
    all: Score,
    missed: Vec<String>,
}

impl Rows {
    fn row(&mut self, label: &str, score: &Score) {
        let Score { asked, found } = score;
        let _ = writeln!(self.text, "  {label} {found}/{asked}");
        self.all.asked += asked;
        self.all.found += found;
    }

    fn add(&mut self, other: Rows) {
        self.text += &other.text;
        self.all.asked += other.all.asked;
        self.all.found += other.all.found;
        self.missed.extend(other.missed);
    }
}

/// Numbers tried in each cell: what a document is read for takes longer than its text.
fn per_cell(container: &Container) -> usize {
    let is_text = CONTAINERS.iter().take_while(|c| c.name != "docx-body").any(|c| c.name == container.name);
    if is_text { 4 } else { 1 }
}

/// Every form of an NHS number in every context, in a container.
fn nhs_numbers(container: &Container, rules: &Rules) -> Rows {
    let mut rows = Rows::default();
    let mut row: BTreeMap<&str, Score> = BTreeMap::new();
    let mut numbers = Numbers::new(SEED);
    for (form, context) in FORMS.iter().flat_map(|f| CONTEXTS.iter().map(move |c| (f, c))) {
        let Some(expected) = expected(form, context) else { continue };
        for _ in 0..per_cell(container) {
            let text = (context.around)(&(form.write)(&numbers.valid()));
            let message = (container.wrap)(&text, form);
            let score = row.entry(context.name).or_default();
            score.asked += 1;
            if best(&message, rules) >= Some(expected) {
                score.found += 1;
            } else {
                rows.missed.push(format!("{} / {} / {}: {text:?}", container.name, form.name, context.name));
            }
        }
    }
    for context in CONTEXTS {
        let score =
            row.get(context.name).unwrap_or_else(|| panic!("cell {} / {} is absent", container.name, context.name));
        rows.row(&format!("{:<22} {:<16}", container.name, context.name), score);
    }
    rows
}

/// Every form of another number in its contexts, in a container.
fn other_numbers((scheme, container): (&Scheme, &Container), rules: &Rules) -> Rows {
    let mut rows = Rows::default();
    let mut numbers = Numbers::new(SEED);
    for context in scheme.contexts {
        let mut score = Score::default();
        for form in scheme.all_forms().flat_map(|form| std::iter::repeat_n(form, per_cell(container))) {
            let text = (context.around)(&(form.write)(&(scheme.valid)(&mut numbers)));
            let message = (container.wrap)(&text, form);
            score.asked += 1;
            // What nothing names is one guess, of whichever it may be.
            let is_guess = context.name == "none";
            let is_meant = |kind| kind == scheme.kind || (is_guess && kind == FindingKind::NhsNumber);
            if best_of(&message, rules, is_meant) >= Some(context.expect) {
                score.found += 1;
            } else {
                let place = format!("{} / {} / {} / {}", scheme.name, container.name, form.name, context.name);
                rows.missed.push(format!("{place}: {text:?}"));
            }
        }
        rows.row(&format!("{:<4} {:<22} {:<16}", scheme.name, container.name, context.name), &score);
    }
    rows
}

/// Every piece of the work, on as many threads as there are processors; the rows in their order.
fn all_rows(rules: &Rules) -> Rows {
    let of_nhs = every_container().map(|container| (None, container));
    let of_others = SCHEMES.iter().flat_map(|scheme| every_container().map(move |container| (Some(scheme), container)));
    let pieces: Vec<(Option<&Scheme>, &Container)> = of_nhs.chain(of_others).collect();
    let (next, done) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
    let work = || {
        while let Some((at, (scheme, container))) =
            Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|at| Some((at, *pieces.get(at)?)))
        {
            let rows = match scheme {
                None => nhs_numbers(container, rules),
                Some(scheme) => other_numbers((scheme, container), rules),
            };
            done.lock().unwrap().insert(at, rows);
        }
    };
    std::thread::scope(|scope| {
        (0..std::thread::available_parallelism().map_or(2, usize::from)).for_each(|_| drop(scope.spawn(work)));
    });
    let mut all = Rows::default();
    done.into_inner().unwrap().into_values().for_each(|rows| all.add(rows));
    all
}

#[test]
fn recall_and_false_alarms_are_as_recorded() {
    println!("seed {SEED}");
    let rules = Rules::default();
    let mut table = String::from("recall: found at least as sure as expected / asked, by container and context\n");
    let Rows { text, all: Score { asked, found }, mut missed } = all_rows(&rules);
    table += &text;
    let recall = found as f64 / asked as f64;
    let _ = writeln!(table, "  all: {found}/{asked} = {:.2} %\n", recall * 100.0);
    let alarms = false_alarms(&rules, &mut table);
    let missed_shapes = shapes::recall(&mut table);
    let shape_alarms = shapes::false_alarms(&mut table);
    let missed_terms = lexicons::recall(&mut table);
    println!("{table}");
    assert!(missed_terms.is_empty(), "terms missed:\n{}", missed_terms.join("\n"));
    assert!(missed_shapes.is_empty(), "missed by shape:\n{}", missed_shapes.join("\n"));
    assert!(shape_alarms <= 0.002, "false alarms of shapes {shape_alarms}");
    missed.truncate(20);
    assert!(recall >= 0.995, "recall {recall}; missed, for example:\n{}", missed.join("\n"));
    assert!(alarms <= 0.002, "false alarms {alarms}");
    compare(&table);
}

/// Ordinary business mail full of numbers: medium or high is an alarm.
fn false_alarms(rules: &Rules, table: &mut String) -> f64 {
    let _ = writeln!(table, "false alarms: medium or high / messages, by kind of look-alike");
    let (mut all, mut wrong) = (0, 0);
    let containers: Vec<&Container> = every_container().collect();
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
    "pdf-winansi",
    "pdf-tounicode",
    "pdf-glyphs",
    "pdf-kerned",
    "pdf-object-stream",
    "pdf-form-field",
    "pdf-annotation",
    "pdf-metadata",
    "pdf-embedded-file",
    "rtf",
    "rtf-unicode",
    "rtf-runs",
    "rtf-header",
    "rtf-cell",
    "rtf-object",
    "tnef-body",
    "tnef-rtf",
    "tnef-attachment",
    "msg-subject",
    "msg-body",
    "msg-attachment",
    "doc-1252",
    "doc-pieces",
    "xls",
    "ppt",
    "ole-object",
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
    let of = |header: &str, number: &str| {
        best(&containers::attached("a.dat", &documents::xlsx_number(header, number)), &rules)
    };
    for number in ["9434765919", "9434765919.0", "9.434765919E9", "9.434765919E+09"] {
        assert_eq!(of("NHS number", number), Some(Confidence::High), "{number}");
    }
    assert_eq!(of("Account", "9434765918"), None);
}

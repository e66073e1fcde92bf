//! The lists that ship with the policy: a handful of terms of each in every container, and whole letters without any number beside
//! look-alikes, by the shipped weights. Letters and look-alikes are made up; they are files in `letters/` and `look-alikes/`.

use crate::cells::FORMS;
use crate::containers::Container;
use mailward::decide::{self, Judge};
use mailward::policy::Known;
use mailward::vocabulary::{Confidence, FindingKind, OwnName};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

const LISTS: &[&str] = &["clinical-terms", "letter-headings", "letter-phrases"];
/// Terms of each list that are tried in each container.
const EACH: usize = 4;
/// What a letter is sent as.
const SENT_AS: &[&str] = &["plain-8bit", "plain-qp", "html", "docx-body", "pdf-winansi"];

fn below(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

static JUDGE: LazyLock<Judge> = LazyLock::new(|| {
    let loaded = decide::load(&below("policies"), &Known::default(), "2026-12-01".parse().unwrap());
    loaded.unwrap_or_else(|wrong| panic!("{wrong}")).judge
});

/// Terms from all over the list.
fn sample(list: &str) -> Vec<String> {
    let lexicon = JUDGE.policy.lexicons().iter().find(|lexicon| lexicon.name == OwnName::of(list)).unwrap();
    let terms: Vec<&str> = lexicon.terms.iter().map(|(term, _)| term.as_str()).collect();
    (0..EACH).map(|at| terms[at * (terms.len() - 1) / (EACH - 1)].to_owned()).collect()
}

/// Terms found / asked by list and container, as they are listed and in capitals; what was missed.
pub fn recall(table: &mut String) -> Vec<String> {
    let _ = writeln!(table, "\nlexicons: terms found / asked, by list and container");
    let (mut missed, mut all) = (Vec::new(), 0);
    for (list, container) in LISTS.iter().flat_map(|list| crate::every_container().map(move |c| (list, c))) {
        let kind = FindingKind::Lexicon(OwnName::of(list));
        let (mut asked, mut found) = (0, 0);
        for term in sample(list).into_iter().flat_map(|term| [term.to_uppercase(), term]) {
            let message = (container.wrap)(&format!("Dr Jones: {term}, and so on"), &FORMS[0]);
            let is_found = JUDGE.inspect(&message).findings.iter().any(|finding| finding.kind == kind);
            (asked, found) = (asked + 1, found + usize::from(is_found));
            if !is_found {
                missed.push(format!("{list} / {} / {term}", container.name));
            }
        }
        let _ = writeln!(table, "  {list:<16} {:<22} {found}/{asked}", container.name);
        all += asked;
    }
    let _ = writeln!(table, "  all: {}/{all}", all - missed.len());
    missed
}

/// Each file of a folder, in each of a few containers: whether it is clinical.
fn judged(folder: &str) -> BTreeMap<String, bool> {
    let files = std::fs::read_dir(below(&format!("tests/recognition/{folder}"))).unwrap();
    let mut judged = BTreeMap::new();
    for path in files.map(|entry| entry.unwrap().path()) {
        let text = std::fs::read_to_string(&path).unwrap().replace('\n', "\r\n");
        for Container { name, wrap } in crate::every_container().filter(|c| SENT_AS.contains(&c.name)) {
            let findings = JUDGE.inspect(&wrap(&text, &FORMS[0]));
            let classes = JUDGE.policy.classify(&decide::evidence(&findings));
            let label = format!("{} as {name}", path.file_stem().unwrap().to_string_lossy());
            judged.insert(label, classes.contains_key("clinical"));
        }
    }
    judged
}

#[test]
fn letters_without_a_number_are_clinical_and_what_looks_like_them_is_not() {
    for (folder, at_least, expected) in [("letters", 10, true), ("look-alikes", 20, false)] {
        let judged = judged(folder);
        assert!(judged.len() >= at_least * SENT_AS.len(), "{folder}");
        let wrong: Vec<&String> = judged.iter().filter(|(_, is)| **is != expected).map(|(label, _)| label).collect();
        assert!(wrong.is_empty(), "{folder}: {wrong:?}");
    }
}

/// The weights that ship.
#[test]
fn no_list_is_enough_alone_and_headings_make_no_letter_of_a_list_of_drugs() {
    let is_clinical = |counts: [usize; 3], more: &[(FindingKind, Confidence)]| {
        let of =
            |(list, count): (&&str, usize)| vec![(FindingKind::Lexicon(OwnName::of(list)), Confidence::High); count];
        let mut evidence: Vec<_> = LISTS.iter().zip(counts).flat_map(of).collect();
        evidence.extend(more);
        JUDGE.policy.classify(&evidence).contains_key("clinical")
    };
    let low = [(FindingKind::NhsNumber, Confidence::Low)];
    for (terms, headings, phrases) in [(60, 0, 0), (0, 60, 0), (0, 0, 60), (60, 60, 0), (60, 2, 1), (0, 3, 3)] {
        assert!(!is_clinical([terms, headings, phrases], &[]), "{terms} {headings} {phrases}");
    }
    assert!(!is_clinical([60, 0, 0], &low), "an order of drugs with ten digits that happen to fit");
    for (terms, headings, phrases) in [(5, 0, 2), (4, 1, 2), (3, 0, 3)] {
        assert!(is_clinical([terms, headings, phrases], &[]), "{terms} {headings} {phrases}");
    }
}

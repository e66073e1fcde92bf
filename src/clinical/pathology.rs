//! Reports of pathology laboratories by their shape: lines of what was measured with its unit, headings of histology, and the message that
//! laboratories send to practices (PMIP, EDIFACT).
//!
//! Called by `walk` for each piece of text in which a unit, a heading or a message may be. Promises: linear; nothing of the text leaves.
//! Fails never: what could not be compiled finds nothing, and a test says that it is.

mod analytes;

use super::digits::fold_into;
use super::patient_number::floor;
use crate::vocabulary::Confidence;
use aho_corasick::AhoCorasick;
use analytes::{ANALYTES, HEADINGS, TISSUE, UNITLESS, Unit};
use memchr::memmem;
use regex::{Regex, RegexBuilder, RegexSet, RegexSetBuilder};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

/// Different results that make a report, …
const RESULTS: usize = 3;
/// … and as many that leave no doubt.
const MANY: usize = 5;
/// Results with a reference range that leave none either.
const RANGED: usize = 2;
/// Octets between two results of one report.
const NEAR: usize = 600;
/// Octets behind a result in which its reference range stands.
const RANGE: usize = 32;
/// Octets of a histology report, from its first heading.
const REPORT: usize = 8_192;
/// Octets before the first unit in which its line begins.
const LINE: usize = 256;
/// Characters of a heading.
const HEADING: usize = 40;
/// Octets that one compiled expression may take.
const SIZE: usize = 32 * 1024 * 1024;

/// What a text is, and how sure.
pub(super) type Shape = (&'static str, Confidence);

/// A report of results, from the first place where a unit may stand.
pub(super) fn results(text: &str, first_unit: usize) -> Option<Shape> {
    let text = text.get(floor(text, first_unit.saturating_sub(LINE))..)?;
    let (mut best, mut now) = (Results::default(), Results::default());
    for line in LINES.as_ref()?.captures_iter(text) {
        let (Some(whole), Some(name), Some(unit)) = (line.get(0), line.get(1), line.get(2)) else { continue };
        let Some(measured) = analyte(name.as_str(), unit.as_str()) else { continue };
        if whole.start().saturating_sub(now.end) > NEAR {
            best = best.or_larger(std::mem::take(&mut now));
        }
        let end = floor(text, whole.end().saturating_add(RANGE));
        now.add(measured, text.get(whole.start()..end).unwrap_or_default(), whole.end());
        if now.is_sure(0) {
            return now.shape(0);
        }
    }
    // Clotting and cultures have no units: they only add to what has.
    let best = best.or_larger(now);
    let others = if best.known.is_empty() { 0 } else { unitless(text) };
    best.shape(others)
}

/// Results that stand near one another.
#[derive(Debug, Default)]
struct Results {
    known: BTreeSet<usize>,
    of_people: bool,
    ranges: usize,
    end: usize,
}

impl Results {
    fn add(&mut self, measured: usize, line: &str, end: usize) {
        self.ranges += usize::from(RANGES.as_ref().is_some_and(|ranges| ranges.is_match(line)));
        self.of_people |= ANALYTES.get(measured).is_some_and(|analyte| analyte.of_people);
        self.known.insert(measured);
        self.end = end;
    }

    fn or_larger(self, other: Results) -> Results {
        let worth = |results: &Results| (results.of_people, results.known.len());
        if worth(&other) > worth(&self) { other } else { self }
    }

    fn shape(&self, others: usize) -> Option<Shape> {
        let is_report = self.of_people && self.known.len() + others >= RESULTS;
        let confidence = if self.is_sure(others) { Confidence::High } else { Confidence::Medium };
        is_report.then_some(("laboratory results", confidence))
    }

    fn is_sure(&self, others: usize) -> bool {
        let count = self.known.len() + others;
        self.of_people && (count >= MANY || (count >= RESULTS && self.ranges >= RANGED))
    }
}

/// Which analyte it is, if laboratories give it in this unit.
fn analyte(name: &str, unit: &str) -> Option<usize> {
    let name = name.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ");
    let index = *NAMES.get(name.as_str())?;
    let family = family(unit)?;
    ANALYTES.get(index).filter(|analyte| analyte.units.contains(&family))?;
    Some(index)
}

fn family(unit: &str) -> Option<Unit> {
    let plain: String = unit.to_lowercase().chars().filter(|c| !c.is_whitespace()).collect();
    let plain = plain.replace(['\u{B5}', '\u{3BC}'], "u");
    Some(match plain.as_str() {
        "g/l" | "g/dl" => Unit::Grams,
        "fl" | "pg" => Unit::Cell,
        "%" | "l/l" => Unit::Share,
        "mmol/l" => Unit::Millimoles,
        "umol/l" | "micromol/l" | "mcmol/l" => Unit::Micromoles,
        "nmol/l" | "pmol/l" => Unit::Traces,
        "mg/l" => Unit::Milligrams,
        "ug/l" | "mcg/l" | "ng/l" | "ng/ml" | "pg/ml" | "ug/ml" => Unit::Micrograms,
        "mm/hr" | "mm/h" => Unit::Sedimentation,
        plain if plain.starts_with("ml/min") => Unit::Filtration,
        plain if plain.ends_with("mmol/mol") || plain.ends_with("mg/mmol") => Unit::Ratio,
        plain if plain.contains("u/") && !plain.starts_with('k') => Unit::Activity,
        plain if plain.contains("10") || plain.ends_with("/ul") => Unit::Count,
        _ => return None,
    })
}

fn unitless(text: &str) -> usize {
    UNITLESS_LINES.as_ref().map_or(0, |lines| lines.matches(text).iter().count())
}

/// A histology report, from its first heading: two headings at least, and words that only tissue has.
pub(super) fn histology(text: &str, first_heading: usize) -> Option<Shape> {
    let from = floor(text, first_heading.saturating_sub(LINE));
    let text = text.get(from..floor(text, from.saturating_add(REPORT)))?;
    let headings: BTreeSet<usize> = text.lines().filter_map(heading).collect();
    let is_tissue = TISSUES.as_ref().is_some_and(|words| words.is_match(text));
    let confidence = if headings.len() > 2 { Confidence::High } else { Confidence::Medium };
    (headings.len() > 1 && is_tissue).then_some(("histology report", confidence))
}

/// Which heading a line begins with: a few words, then a colon or nothing more.
fn heading(line: &str) -> Option<usize> {
    let words = match line.split_once([':', '\t']) {
        Some((words, _)) => words,
        None => line,
    };
    if words.chars().take(HEADING + 1).count() > HEADING {
        return None;
    }
    let mut folded = String::new();
    fold_into(&mut folded, words);
    let folded = folded.trim();
    let is_at_start = |stem: &&'static str| {
        folded
            .strip_prefix(*stem)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', 's']) || rest.starts_with("al"))
    };
    HEADINGS.iter().position(|row| row.iter().any(is_at_start))
}

/// `UNH+00000003+MEDRPT:0:1:RT:NHS003'`: the header of a message that is a laboratory's report.
pub(super) fn edifact(behind_header: &str) -> Option<Shape> {
    let segment = behind_header.get(..floor(behind_header, 80))?;
    let segment = segment.split('\'').next().unwrap_or_default();
    memmem::find(segment.as_bytes(), b"+MEDRPT").map(|_| ("MEDRPT message", Confidence::High))
}

static NAMES: LazyLock<BTreeMap<&str, usize>> = LazyLock::new(|| {
    let all = ANALYTES.iter().enumerate();
    all.flat_map(|(index, analyte)| analyte.names.iter().map(move |name| (*name, index))).collect()
});

/// A name, what is said of it, a value, perhaps a flag and a range, and a unit.
static LINES: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let mut names: Vec<&str> = NAMES.keys().copied().collect();
    // Of two that begin alike the longer is tried first.
    names.sort_by_key(|name| std::cmp::Reverse(name.len()));
    let names: Vec<String> = names.iter().map(|name| regex::escape(name).replace(' ', r"\s+")).collect();
    let units = [
        r"ml/min(?:\s*/\s*1[.,]73\s*m(?:2|\^2|²)?)?",
        r"(?:x\s*)?10\s*(?:[\^*(e]|\*\*)?\s*(?:9|12|⁹|¹²)\)?\s*/\s*l",
        r"m?mol\s*/\s*mol|mg\s*/\s*mmol",
        r"(?:micro|mc|[mµμunp])mol\s*/\s*l",
        r"[mku]?i?u\s*/\s*m?l",
        r"(?:mc|[mµμunp])?g\s*/\s*[dm]?l",
        r"[km]\s*/\s*[uµμ]l",
        r"mm\s*/\s*hr?",
        r"l\s*/\s*l|fl|pg",
    ];
    let before = r"[^\d\n]{0,40}?(?:[(\[][^()\[\]\n]{0,30}[)\]][^\d\n]{0,12}?)?\n?[^\d\n]{0,12}?";
    let value = r"[<>≤≥]?\s*\d{1,6}(?:[.,]\d{1,3})?";
    let range = r"[(\[]?\s*\d{1,6}(?:[.,]\d{1,3})?\s*(?:-|–|to)\s*\d{1,6}(?:[.,]\d{1,3})?\s*[)\]]?";
    let flag = r"(?:\*{1,2}|[hl]{1,2}|\([hl]\)|high|low|↑|↓)";
    let whole = format!(
        r"(?i)(?-u:\b)({})(?-u:\b){before}{value}(?:\s*{flag})?(?:\s+{range}|\s*[(\[]{range}[)\]])?\s*(%|(?:{})(?-u:\b))",
        names.join("|"),
        units.join("|")
    );
    RegexBuilder::new(&whole).size_limit(SIZE).dfa_size_limit(SIZE).build().ok()
});

static RANGES: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"\d\s*(?:-|–|to)\s*\d|[(\[]\s*[<>]\s*\d|[^/\w](?:HH?|LL?|[Hh]igh|[Ll]ow|HIGH|LOW)(?-u:\b)").ok()
});

static UNITLESS_LINES: LazyLock<Option<RegexSet>> =
    LazyLock::new(|| RegexSetBuilder::new(UNITLESS).case_insensitive(true).unicode(true).size_limit(SIZE).build().ok());

static TISSUES: LazyLock<Option<AhoCorasick>> =
    LazyLock::new(|| AhoCorasick::builder().ascii_case_insensitive(true).build(TISSUE).ok());

#[cfg(test)]
mod tests;

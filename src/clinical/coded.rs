//! Codes of clinical terminologies beside the name of their terminology: `SNOMED CT: 44054006`, `(ICD10: C50.9)`, `Read code C10F.`, systems
//! of FHIR and CDA, and SNOMED expressions with their bars.
//!
//! Called by `walk` for each piece of text. Promises: a code without a label is none; linear, a label costs a look at a few dozen
//! characters; no code leaves, only the terminology's name. Fails never.

mod grammar;

use super::anchors::{self, Anchor};
use super::patient_number::floor;
use crate::vocabulary::Confidence;
use grammar::{Icd, System};
use std::collections::HashSet;

/// Characters behind a label in which its codes stand.
const WINDOW: usize = 100;
/// The same around the address or identifier of a system.
const AROUND: usize = 200;
/// Different codes that are told apart in one text.
const MOST: usize = 64;
/// Characters of a term between bars.
const TERM: usize = 200;

/// What was found in a text.
#[derive(Debug, Default)]
pub(super) struct Codes {
    /// Each as it is written: they never leave.
    known: HashSet<String>,
    systems: Vec<System>,
    /// One stands beside the address or identifier of its system.
    is_named: bool,
}

impl Codes {
    fn add(&mut self, system: System, code: &str) {
        if self.known.len() < MOST {
            self.known.insert(code.to_ascii_uppercase());
        }
        if !self.systems.contains(&system) {
            self.systems.push(system);
        }
    }

    /// Names of the systems, and how sure: one code may be chance, two are a letter.
    pub fn found(&self) -> impl Iterator<Item = (&'static str, Confidence)> {
        let is_sure = self.is_named || self.known.len() > 1;
        let confidence = if is_sure { Confidence::High } else { Confidence::Medium };
        self.systems.iter().map(move |system| (system.shown(), confidence))
    }

    /// Looks around a label that stands from `start` to `end`.
    pub fn look(&mut self, text: &str, anchor: Anchor, (start, end): (usize, usize)) {
        let behind = text.get(end..floor(text, end.saturating_add(WINDOW))).unwrap_or_default();
        let before = text.get(..start).unwrap_or_default();
        let is_address = before.ends_with("sid/") || before.ends_with("://") || before.ends_with("read.info/");
        match anchor {
            Anchor::Snomed if is_address || behind.starts_with(".info/") => {
                self.around(text, System::Snomed, (start, end))
            }
            Anchor::Snomed => self.label(System::Snomed, before, behind),
            Anchor::Dmd if is_address => self.around(text, System::Dmd, (start, end)),
            Anchor::Dmd => self.label(System::Dmd, before, behind),
            // What follows the name is part of what it is known by.
            Anchor::Icd => self.icd(text, (start, start + "ICD".len())),
            Anchor::Opcs => self.label(System::Opcs, before, after_edition(behind)),
            Anchor::Read | Anchor::Ctv3 if is_address => self.around(text, System::Read, (start, end)),
            Anchor::Read => self.read_code(before, behind),
            Anchor::Ctv3 => self.label(System::Read, before, behind),
            Anchor::Oid => {
                let arcs = behind.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(behind.len());
                if let Some(system) = System::of_arcs(behind.get(..arcs).unwrap_or_default().trim_end_matches('.')) {
                    self.around(text, system, (start, end + arcs));
                }
            }
            Anchor::Heading | Anchor::Edifact => {}
        }
    }

    /// `ICD` alone is a defibrillator: its edition makes it the classification.
    fn icd(&mut self, text: &str, (start, end): (usize, usize)) {
        let before = text.get(..start).unwrap_or_default();
        let behind = text.get(end..floor(text, end.saturating_add(WINDOW))).unwrap_or_default();
        let is_word = !before.ends_with(|c: char| c.is_alphanumeric());
        let rest = behind.trim_start_matches([' ', '-', '_', '\u{2010}', '\u{2011}', '\u{2013}', '\u{A0}']);
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (edition, rest) = rest.split_at(digits);
        let edition = match edition {
            "9" => Icd::Nine,
            "10" => Icd::Ten,
            "11" => Icd::Eleven,
            "" if rest.get(..4).is_some_and(|word| word.eq_ignore_ascii_case("code")) => Icd::Ten,
            _ => return,
        };
        let system = System::Icd(edition);
        if is_word && before.ends_with("sid/") {
            self.around(text, system, (start, end + behind.len() - rest.len()));
        } else if is_word {
            self.label(system, before, rest);
        }
    }

    /// "Read code" is English too: the code has to look like one, or stand behind a colon.
    fn read_code(&mut self, before: &str, behind: &str) {
        let gap = behind.find(|c: char| c.is_ascii_whitespace() || ":=([".contains(c)).unwrap_or(behind.len());
        let rest = behind.get(gap..).unwrap_or_default();
        let is_marked = rest.trim_start().starts_with([':', '=', '(', '[']);
        let code = tokens(rest).next().unwrap_or_default().text;
        if is_marked || code.ends_with("..") || (code.len() == 5 && code.ends_with('.')) || code.starts_with(['X', 'Y'])
        {
            self.label(System::Read, before, rest);
        }
    }

    /// Codes right behind a label, one after another, or the one right before it.
    fn label(&mut self, system: System, before: &str, behind: &str) {
        let mut listed = 0;
        let mut last = 0;
        for token in tokens(paragraph(behind)) {
            let gap = behind.get(last..token.start).unwrap_or_default();
            last = token.start + token.text.len();
            if let Some(code) = system.code(token.text) {
                let goes_on = gap.contains([',', ';', '/', '|', '\n', '&', '+', '\t']) || gap.is_empty();
                if listed > 0 && !goes_on && !system.is_checked() {
                    return;
                }
                self.add(system, code);
                listed += 1;
            } else if !is_filler(token.text) && !system.is_checked() && listed == 0 {
                break;
            }
        }
        if listed == 0 {
            self.before(system, before);
        }
    }

    /// `E11.9 (ICD-10)`
    fn before(&mut self, system: System, before: &str) {
        let before = before.get(floor(before, before.len().saturating_sub(WINDOW))..).unwrap_or_default();
        let lead = before.trim_end_matches([' ', '(', '[', '\u{A0}', ':', '-', '\t']);
        let from = lead.rfind(|c: char| !is_inside(c)).map_or(0, |at| at + lead.get(at..).map_or(1, first_len));
        let is_near = before.len() - lead.len() <= 4;
        if let Some(code) = lead.get(from..).filter(|_| is_near).and_then(|token| system.code(token)) {
            self.add(system, code);
        }
    }

    /// A code anywhere near the address of its system.
    fn around(&mut self, text: &str, system: System, (start, end): (usize, usize)) {
        let behind = text.get(end..floor(text, end.saturating_add(AROUND))).unwrap_or_default();
        // What goes on in the address names an edition, but for the concept itself.
        let address = behind.find(|c: char| c.is_whitespace() || "\"'<>|#)},;".contains(c)).unwrap_or(behind.len());
        let (own, rest) = behind.split_at(address);
        let concept = own.rsplit_once("/id/").and_then(|(_, id)| system.code(id));
        let before = text.get(floor(text, start.saturating_sub(AROUND))..start).unwrap_or_default();
        let near = tokens(rest).chain(tokens(before)).find_map(|token| system.code(token.text));
        if let Some(code) = concept.or(near) {
            self.add(system, code);
            self.is_named = true;
        }
    }

    /// SNOMED expressions: `73211009 |Diabetes mellitus|`. A table with bars is none: most of its numbers do not pass the check.
    pub fn barred(&mut self, text: &str) {
        let (mut tried, mut valid) = (0usize, HashSet::new());
        for at in anchors::barred(text) {
            let lead = text.get(floor(text, at.saturating_sub(24))..at).unwrap_or_default().trim_end();
            let digits = lead.len() - lead.trim_end_matches(|c: char| c.is_ascii_digit()).len();
            let (before, number) = lead.split_at(lead.len() - digits);
            if digits < 6 || !is_expression(before, text.get(at + 1..).unwrap_or_default()) {
                continue;
            }
            tried += 1;
            if let Some(code) = System::Snomed.code(number).filter(|_| valid.len() < MOST) {
                valid.insert(code.to_owned());
            }
        }
        if tried > 0 && valid.len().saturating_mul(2) >= tried.min(MOST) {
            valid.iter().for_each(|code| self.add(System::Snomed, code));
        }
    }
}

/// Whether what stands before the number and behind its bar makes it a concept with its term.
fn is_expression(before: &str, behind: &str) -> bool {
    let before = before.trim_end_matches([' ', '\t', '\u{A0}']);
    let behind = behind.get(..floor(behind, TERM)).unwrap_or_default();
    let Some((term, rest)) = behind.split_once('|') else { return false };
    let is_term = term.contains(char::is_alphabetic) && !term.contains("\n\n");
    let is_free = !before.ends_with(|c: char| c == '|' || c == '.' || c == '-' || c.is_alphanumeric());
    let rest = rest.trim_start_matches([' ', '\u{A0}', '\t']);
    is_term && is_free && (rest.is_empty() || rest.starts_with(|c: char| "\r\n,;:+=)}].<\"'&{(".contains(c)))
}

/// A word or code of a text.
#[derive(Debug, Clone, Copy, Default)]
struct Token<'a> {
    start: usize,
    text: &'a str,
}

fn tokens(text: &str) -> impl Iterator<Item = Token<'_>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + text.get(at..)?.find(is_inside)?;
        let rest = text.get(start..)?;
        let len = rest.find(|c| !is_inside(c)).unwrap_or(rest.len());
        at = start + len;
        Some(Token { start, text: rest.get(..len)? })
    })
}

fn is_inside(c: char) -> bool {
    c.is_alphanumeric() || c == '.'
}

fn first_len(text: &str) -> usize {
    text.chars().next().map_or(1, char::len_utf8)
}

/// As far as the next empty line.
fn paragraph(text: &str) -> &str {
    let end = ["\n\n", "\n\r\n"].iter().filter_map(|gap| text.find(gap)).min();
    text.get(..end.unwrap_or(text.len())).unwrap_or(text)
}

/// `-4`, `4.9` and the like behind the name of OPCS.
fn after_edition(text: &str) -> &str {
    let rest = text.trim_start_matches(['-', ' ']);
    let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
    if rest.starts_with('4') { rest.get(digits..).unwrap_or_default() } else { text }
}

/// Words that stand between a label and its code.
fn is_filler(word: &str) -> bool {
    const WORDS: &[&str] = &[
        "code",
        "codes",
        "coded",
        "coding",
        "as",
        "is",
        "was",
        "are",
        "ct",
        "id",
        "ids",
        "term",
        "concept",
        "conceptid",
        "sctid",
        "uk",
        "gb",
        "edition",
        "version",
        "release",
        "who",
        "cm",
        "the",
        "for",
        "of",
        "to",
        "diagnosis",
        "diagnoses",
        "primary",
        "secondary",
        "main",
        "clinical",
        "v2",
        "v3",
        "v",
        "no",
        "number",
        "value",
        "display",
        "system",
        "procedure",
        "5",
        "2",
        "3",
        "4",
    ];
    let word = word.trim_matches('.');
    word.is_empty() || WORDS.iter().any(|filler| word.eq_ignore_ascii_case(filler))
}

#[cfg(test)]
mod tests;

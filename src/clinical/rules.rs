//! The words that say what a number is: labels for it, counter-labels against it, and what makes it likelier.
//!
//! Called by whoever compiles a policy (`Rules::new`) and by `patient_number`. Promises: compiled once, one pass over at most
//! `window` characters on either side of a candidate. Fails never: were the words too many to compile, every number would
//! count as labelled.

use super::digits::fold_into;
use super::labels::{AGAINST, HINTS, LABELS, SUPPORT, TITLES};
use super::own::{Own, OwnLexicon, OwnPattern};
use aho_corasick::AhoCorasick;

const WINDOW: usize = 80;

/// A label so short ("nhs") says anything and counts only right beside the number, unless it is about a person ("dob").
const SHORT_LABEL: usize = 3;
/// A label at least as long as "nhsno" is one at the end of a longer word too.
const TAIL: usize = 5;
/// Words of a label that are also written as one.
const JOINED: usize = 4;
/// How near such a label must stand.
const ADJOINING: usize = 2;
/// Counter-labels and titles speak for the next number only, and not from afar.
const SHORT_REACH: usize = 24;
/// A name between "patient" and the number.
const NAME: usize = 30;
/// A label behind a number is read no farther than this.
const BEHIND: usize = 40;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Label,
    Against,
    Support,
    Hint,
    Title,
}

/// What the head of a column says: whose number stands below, or that it is something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Head {
    Label,
    Counter,
}

#[derive(Debug, Clone)]
struct Word {
    role: Role,
    /// Folded.
    text: String,
    len: usize,
    /// Says little: believed only right beside a number.
    adjoining: bool,
    /// Says what stands in a table's column; "patient" and "born" stand above names and dates.
    heads: bool,
}

impl Word {
    fn new(role: Role, folded: &str) -> Word {
        let is_hint = HINTS.contains(&folded);
        let is_personal = is_hint || SUPPORT.contains(&folded);
        Word {
            role,
            text: folded.to_owned(),
            len: folded.len(),
            adjoining: is_hint || (folded.len() <= SHORT_LABEL && !is_personal),
            heads: role == Role::Label && !is_personal,
        }
    }

    /// How far before a number it is a label of it.
    fn reach(&self) -> usize {
        match self.adjoining {
            true if HINTS.contains(&self.text.as_str()) => NAME,
            true => ADJOINING,
            false => usize::MAX,
        }
    }
}

/// The words around an identifier, compiled.
#[derive(Debug, Clone)]
pub struct Rules {
    words: Vec<Word>,
    matcher: Option<AhoCorasick>,
    /// Those words alone that may head a column: most lines have none, and this says so sooner.
    heads: Option<AhoCorasick>,
    window: usize,
    pub(super) own: Own,
}

/// How far away, in characters of folded text, the nearest word of each role stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Near {
    pub label: Option<usize>,
    /// The same of those that name a number, and not a person: "patients" stands above figures, and "born" above dates.
    pub firm: Option<usize>,
    pub against: Option<usize>,
    /// Which word that is.
    pub counter: Option<usize>,
    pub support: bool,
    /// Something near says that it is about patients.
    pub hint: bool,
    pub title: bool,
}

impl Default for Rules {
    fn default() -> Rules {
        let owned = |words: &[&str]| words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>();
        Rules::new(&owned(LABELS), &owned(AGAINST), WINDOW)
    }
}

impl Rules {
    /// Compiles labels and counter-labels, read without case and punctuation; `window` is in characters.
    #[must_use]
    pub fn new(labels: &[String], against: &[String], window: usize) -> Rules {
        let (mut words, mut patterns) = (Vec::new(), Vec::new());
        let given = labels.iter().map(|l| (Role::Label, l.as_str()));
        let given = given.chain(against.iter().map(|a| (Role::Against, a.as_str())));
        let given = given.chain(SUPPORT.iter().map(|s| (Role::Support, *s)));
        let given = given.chain(HINTS.iter().map(|h| (Role::Hint, *h)));
        for (role, word) in given.chain(TITLES.iter().map(|t| (Role::Title, *t))) {
            for folded in spellings(role, word) {
                words.push(Word::new(role, &folded));
                patterns.push(folded);
            }
        }
        // Dates of birth stand beside telephone numbers, too.
        let may_head = |word: &&Word| word.heads || word.role == Role::Support;
        let heads = AhoCorasick::new(words.iter().filter(may_head).map(|word| &word.text)).ok();
        Rules { words, matcher: AhoCorasick::new(patterns).ok(), heads, window: window.min(1_000), own: Own::default() }
    }

    /// The same, and what the site recognises for itself.
    #[must_use]
    pub fn with_own(self, patterns: Vec<OwnPattern>, lexicons: &[OwnLexicon]) -> Rules {
        Rules { own: Own::new(patterns, lexicons), ..self }
    }

    pub(super) fn window(&self) -> usize {
        self.window
    }

    /// What stands before a number: `folded` ends where the number begins.
    pub(super) fn before(&self, folded: &str) -> Near {
        let bytes = folded.as_bytes();
        let mut near = Near::default();
        // A long number between a counter-label and this one uses the counter-label up.
        let fresh = last_long_number(bytes).unwrap_or(0);
        self.each(bytes, |number, word, start, end| {
            let distance = bytes.len() - end;
            if distance > self.window {
                return;
            }
            match word.role {
                Role::Against
                    if start >= fresh && distance <= SHORT_REACH && near.against.is_none_or(|a| distance <= a) =>
                {
                    (near.against, near.counter) = (Some(distance), Some(number));
                }
                Role::Label if distance <= word.reach() => {
                    nearest(&mut near.label, distance);
                    if word.heads {
                        nearest(&mut near.firm, distance);
                    }
                }
                Role::Support => near.support = true,
                Role::Hint => near.hint = true,
                Role::Title => near.title |= start >= fresh && distance <= SHORT_REACH,
                Role::Label | Role::Against => {}
            }
        });
        near
    }

    /// What stands behind a number: `folded` begins where the number ends.
    pub(super) fn behind(&self, folded: &str) -> Near {
        let bytes = folded.as_bytes();
        let mut near = Near::default();
        let fresh = first_long_number(bytes).unwrap_or(bytes.len());
        self.each(bytes, |_, word, start, _| match word.role {
            Role::Label
                if (!word.adjoining && start <= BEHIND && start < fresh) || (word.heads && start <= ADJOINING) =>
            {
                nearest(&mut near.label, start);
                // One that has to stand beside its number may as well begin the next line.
                if word.heads && !word.adjoining {
                    nearest(&mut near.firm, start);
                }
            }
            Role::Support => near.support |= start <= BEHIND,
            Role::Hint => near.hint |= start <= BEHIND,
            _ => {}
        });
        near
    }

    /// What a cell at the head of a table's column says of the column.
    pub(super) fn heads(&self, cell: &str) -> Option<Head> {
        let (mut is_label, mut is_counter) = (self.matcher.is_none(), false);
        self.each(cell.as_bytes(), |_, word, _, _| {
            is_label |= word.heads && (!word.adjoining || cell.trim().len() == word.len);
            is_counter |= word.role == Role::Against;
        });
        match (is_label, is_counter) {
            (true, _) => Some(Head::Label),
            (false, true) => Some(Head::Counter),
            (false, false) => None,
        }
    }

    /// Whether a cell of that folded line may be such a head.
    pub(super) fn may_head(&self, line: &str) -> bool {
        self.heads.as_ref().is_none_or(|heads| heads.is_match(line))
    }

    pub(super) fn is_blind(&self) -> bool {
        self.matcher.is_none()
    }

    /// The word of that number, as it is folded.
    pub(super) fn word(&self, number: usize) -> &str {
        self.words.get(number).map_or("", |word| &word.text)
    }

    /// Every whole word or phrase in folded text: its number, itself, start, end.
    fn each(&self, folded: &[u8], mut found: impl FnMut(usize, &Word, usize, usize)) {
        let Some(matcher) = &self.matcher else { return };
        for hit in matcher.find_overlapping_iter(folded) {
            let number = hit.pattern().as_usize();
            let Some(word) = self.words.get(number) else { continue };
            let (before, behind) = folded.split_at(hit.end());
            let (before, own) = before.split_at(hit.start());
            let is_edge = |own: Option<&u8>, beside: Option<&u8>| !own.zip(beside).is_some_and(|(o, b)| joins(*o, *b));
            let starts = is_edge(own.first(), before.last());
            let is_plural = behind.first() == Some(&b's') && is_edge(own.last(), behind.get(1));
            let ends = is_edge(own.last(), behind.first()) || is_plural;
            // `patientNhsNo`: a long label may be the tail of a longer name.
            if ends && (starts || (word.role == Role::Label && word.len >= TAIL)) {
                found(number, word, hit.start(), hit.end());
            }
        }
    }
}

/// Whether the character beside a word's own makes it a piece of a longer word or number.
fn joins(own: u8, beside: u8) -> bool {
    beside.is_ascii_alphabetic() || (own.is_ascii_digit() && beside.is_ascii_digit())
}

/// A word folded, and a label's words joined too: people leave the blanks out, and programmes always do.
fn spellings(role: Role, word: &str) -> Vec<String> {
    let mut folded = String::new();
    fold_into(&mut folded, word);
    let folded = folded.trim();
    let parts: Vec<&str> = folded.split(' ').collect();
    let is_words = parts.iter().all(|p| !p.is_empty() && p.bytes().all(|b| b.is_ascii_alphabetic()));
    let mut all = vec![folded.to_owned()];
    if role == Role::Label && is_words && (2..=JOINED).contains(&parts.len()) {
        all.push(parts.concat());
    }
    all.retain(|spelling| !spelling.is_empty());
    all
}

fn nearest(slot: &mut Option<usize>, distance: usize) {
    *slot = Some(slot.map_or(distance, |d| d.min(distance)));
}

/// Where the last run of seven or more digits (blanks between them allowed) ends.
fn last_long_number(folded: &[u8]) -> Option<usize> {
    let mut digits = 0;
    for (at, b) in folded.iter().enumerate().rev() {
        match b {
            b'0'..=b'9' => digits += 1,
            b' ' => continue,
            _ => digits = 0,
        }
        if digits == 7 {
            return Some(at + 1);
        }
    }
    None
}

/// Where the first such run begins, near enough.
fn first_long_number(folded: &[u8]) -> Option<usize> {
    let mut digits = 0;
    for (at, b) in folded.iter().enumerate() {
        match b {
            b'0'..=b'9' => digits += 1,
            b' ' => continue,
            _ => digits = 0,
        }
        if digits == 7 {
            return Some(at);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn before(text: &str) -> Near {
        let mut folded = String::new();
        fold_into(&mut folded, text);
        Rules::default().before(&folded)
    }

    #[test]
    fn labels_are_found_whatever_their_punctuation() {
        for text in
            ["NHS No.: ", "nhs_number=", "\"patientNhsNumber\":\"", "N.H.S. number ", "NHS\u{A0}Numbers: ", "NHS: "]
        {
            assert!(before(text).label.is_some(), "{text}");
        }
        assert_eq!(before("jane@kingston.nhs.uk wrote to ").label, None);
    }

    #[test]
    fn counter_labels_are_whole_words_and_used_up_by_a_number() {
        assert!(before("Order ref ").against.is_some());
        assert_eq!(before("the disorder and the border ").against, None);
        assert_eq!(before("tel 0161 496 0000 and ").against, None);
    }

    #[test]
    fn everyday_labels_are_known() {
        for text in [
            "NHSNo: ",
            "NHSNo ",
            "nhsno",
            "patientNHSNo=",
            "N.H.S. Number: ",
            "N.H.S No ",
            "n.h.s.no.",
            "NHS Nr ",
            "NHSN ",
            "NHS-ID: ",
            "rhif GIG ",
            "RhifGIG",
            "hospitalNo ",
            "dateOfBirth\":\"1960-02-01\",\"x\":\"",
            "DOB 01/02/1960, ",
            "M D.O.B. 1.2.60, male, ",
            "<id root=\"2.16.840.1.113883.2.1.4.1\" extension=\"",
            "https://fhir.nhs.uk/Id/nhs-number|",
            "NHS^^^",
        ] {
            let near = before(text);
            assert!(near.label.is_some() && near.against.is_none(), "{text}");
        }
        for text in ["oid 2.16.840.1.113883.2.1.4.10 ", "nhsnow ", "Kingston NHS Trust ", "adobe "] {
            assert_eq!(before(text).label, None, "{text}");
        }
    }

    #[test]
    fn the_shipped_words_are_the_built_in_ones() {
        let text = include_str!("../../policies/25-recognise.toml");
        let shipped: toml::Table = text.parse().unwrap();
        let said = &shipped["recognise"]["nhs-number"];
        let words = |key: &str| said[key].as_array().unwrap().iter().map(|w| w.as_str().unwrap()).collect::<Vec<_>>();
        assert_eq!(words("labels"), LABELS);
        assert_eq!(words("against"), AGAINST);
        assert_eq!(said["window"].as_integer(), Some(80));
        assert_eq!(Rules::default().window(), 80);
    }

    #[test]
    fn the_operators_words_replace_the_built_in_ones() {
        let rules = Rules::new(&["Hospital  Ref".into()], &["batch".into(), "…".into()], 40);
        assert!(rules.before("hospital ref ").label.is_some() && rules.before("batch ").against.is_some());
        assert!(rules.before("nhs number ").label.is_none());
    }
}

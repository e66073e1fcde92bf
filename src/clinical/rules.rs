//! The words that say what a number is: labels for it, counter-labels against it, and what makes it likelier.
//!
//! Called by whoever compiles a policy (`Rules::new`) and by `nhs_number`. Promises: compiled once, one pass over at most
//! `window` characters on either side of a candidate. Fails never: were the words too many to compile, every number would
//! count as labelled.

use super::digits::fold_into;
use aho_corasick::AhoCorasick;

const LABELS: &[&str] = &[
    "nhs number",
    "nhs no",
    "nhs num",
    "nhs id",
    "nhs identifier",
    "nhsnumber",
    "nhsno",
    "nhsnum",
    "n h s number",
    "n h s no",
    "nhs",
    "new nhs number",
    "rhif gig",
    "rhif nhs",
    "rhif y gig",
];
const AGAINST: &[&str] = &[
    "tel",
    "telephone",
    "phone",
    "mobile",
    "mob",
    "cell",
    "fax",
    "call",
    "dial",
    "extension",
    "order",
    "invoice",
    "account",
    "acct",
    "a c",
    "tracking",
    "parcel",
    "consignment",
    "shipment",
    "serial",
    "isbn",
    "ticket",
    "po",
    "po number",
    "purchase order",
    "voucher",
    "booking",
    "sort code",
    "licence",
    "license",
    "receipt",
    "transaction",
    "payment",
    "sku",
    "part number",
    "part no",
    "product",
    "item",
    "barcode",
    "ean",
    "imei",
    "vat",
    "vat no",
    "company number",
    "company no",
    "utr",
    "timestamp",
];
const SUPPORT: &[&str] =
    &["dob", "d o b", "date of birth", "born", "patient", "pt", "patients", "birthdate", "dyddiad geni", "claf"];
const TITLES: &[&str] = &["mr", "mrs", "ms", "miss", "mx", "master"];

/// A label that says anything so short ("nhs") counts only right beside the number.
const SHORT_LABEL: usize = 3;
/// How near such a label must stand.
const ADJOINING: usize = 2;
/// Counter-labels and titles speak for the next number only, and not from afar.
const SHORT_REACH: usize = 24;
/// A label behind a number is read no farther than this.
const BEHIND: usize = 40;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Label,
    Against,
    Support,
    Title,
}

#[derive(Debug, Clone)]
struct Word {
    role: Role,
    len: usize,
}

/// The words around an identifier, compiled.
#[derive(Debug, Clone)]
pub struct Rules {
    words: Vec<Word>,
    matcher: Option<AhoCorasick>,
    window: usize,
}

/// How far away, in characters of folded text, the nearest word of each role stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Near {
    pub label: Option<usize>,
    pub against: Option<usize>,
    pub support: bool,
    pub title: bool,
}

impl Default for Rules {
    fn default() -> Rules {
        let owned = |words: &[&str]| words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>();
        Rules::new(&owned(LABELS), &owned(AGAINST), 80)
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
        for (role, word) in given.chain(TITLES.iter().map(|t| (Role::Title, *t))) {
            let mut folded = String::new();
            fold_into(&mut folded, word);
            let folded = folded.trim();
            if !folded.is_empty() {
                words.push(Word { role, len: folded.len() });
                patterns.push(folded.to_owned());
            }
        }
        Rules { words, matcher: AhoCorasick::new(patterns).ok(), window: window.min(1_000) }
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
        self.each(bytes, |word, start, end| {
            let distance = bytes.len() - end;
            if distance > self.window {
                return;
            }
            match word.role {
                Role::Label if word.len > SHORT_LABEL || distance <= ADJOINING => nearest(&mut near.label, distance),
                Role::Against if start >= fresh && distance <= SHORT_REACH => nearest(&mut near.against, distance),
                Role::Support => near.support = true,
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
        self.each(bytes, |word, start, _| match word.role {
            Role::Label if word.len > SHORT_LABEL && start <= BEHIND && start < fresh => {
                nearest(&mut near.label, start);
            }
            Role::Label if start <= ADJOINING => nearest(&mut near.label, start),
            Role::Support => near.support |= start <= BEHIND,
            _ => {}
        });
        near
    }

    /// Whether a table's column is headed by a label.
    pub(super) fn heads(&self, cell: &str) -> bool {
        let mut found = self.matcher.is_none();
        self.each(cell.as_bytes(), |word, _, _| {
            found |= word.role == Role::Label && (word.len > SHORT_LABEL || cell.trim().len() == word.len);
        });
        found
    }

    pub(super) fn is_blind(&self) -> bool {
        self.matcher.is_none()
    }

    /// Every whole word or phrase in folded text: role, start, end.
    fn each(&self, folded: &[u8], mut found: impl FnMut(&Word, usize, usize)) {
        let Some(matcher) = &self.matcher else { return };
        for hit in matcher.find_overlapping_iter(folded) {
            let Some(word) = self.words.get(hit.pattern().as_usize()) else { continue };
            let is_edge = |b: Option<&u8>| b.is_none_or(|b| !b.is_ascii_alphabetic());
            let starts = hit.start() == 0 || is_edge(folded.get(hit.start() - 1));
            let rest = folded.get(hit.end()..).unwrap_or_default();
            let ends = is_edge(rest.first()) || (rest.first() == Some(&b's') && is_edge(rest.get(1)));
            // `patientNhsNumber`: a long label may be the tail of a longer name.
            if ends && (starts || (word.role == Role::Label && word.len > 5)) {
                found(word, hit.start(), hit.end());
            }
        }
    }
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
    fn the_operators_words_replace_the_built_in_ones() {
        let rules = Rules::new(&["Hospital  Ref".into()], &["batch".into(), "…".into()], 40);
        assert!(rules.before("hospital ref ").label.is_some() && rules.before("batch ").against.is_some());
        assert!(rules.before("nhs number ").label.is_none());
    }
}

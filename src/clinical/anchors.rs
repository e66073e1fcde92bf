//! Words and marks without which no coded term and no laboratory report stands in a text: one pass over it before anything costly.
//!
//! Called by `walk` for each piece of text. Promises: linear, most text is passed over in blocks; nothing is kept of it. Fails never:
//! were the words not compiled, nothing would be looked for, and a test says that they are.

use aho_corasick::{AhoCorasick, MatchKind};
use std::sync::LazyLock;

/// What a word may be the beginning of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Snomed,
    Icd,
    Opcs,
    Read,
    Ctv3,
    Dmd,
    /// An object identifier of HL7: the arcs behind it name the system.
    Oid,
    /// A heading of a histology report.
    Heading,
    /// A message of EDIFACT.
    Edifact,
}

/// Each in the cases in which it is written, four octets at least, and begun where few other words go on: so most text is passed over in
/// blocks.
const WORDS: &[(&str, Anchor)] = &[
    ("SNOMED", Anchor::Snomed),
    ("Snomed", Anchor::Snomed),
    ("snomed", Anchor::Snomed),
    ("SCTID", Anchor::Snomed),
    ("ICD-", Anchor::Icd),
    ("ICD1", Anchor::Icd),
    ("ICD 1", Anchor::Icd),
    ("ICD9", Anchor::Icd),
    ("ICD 9", Anchor::Icd),
    ("ICD_", Anchor::Icd),
    ("ICD c", Anchor::Icd),
    ("ICD C", Anchor::Icd),
    ("ICD\u{A0}", Anchor::Icd),
    ("ICD\u{2010}", Anchor::Icd),
    ("ICD\u{2011}", Anchor::Icd),
    ("ICD\u{2013}", Anchor::Icd),
    ("icd-", Anchor::Icd),
    ("icd1", Anchor::Icd),
    ("icd 1", Anchor::Icd),
    ("icd_", Anchor::Icd),
    ("icd9", Anchor::Icd),
    ("Icd-", Anchor::Icd),
    ("Icd1", Anchor::Icd),
    ("Icd 1", Anchor::Icd),
    ("OPCS", Anchor::Opcs),
    ("opcs", Anchor::Opcs),
    ("Read cod", Anchor::Read),
    ("Read Cod", Anchor::Read),
    ("READ COD", Anchor::Read),
    ("READ cod", Anchor::Read),
    ("Read v2", Anchor::Read),
    ("ReadV2", Anchor::Read),
    ("readv2", Anchor::Read),
    ("CTV3", Anchor::Ctv3),
    ("Ctv3", Anchor::Ctv3),
    ("ctv3", Anchor::Ctv3),
    ("dm+d", Anchor::Dmd),
    ("DM+D", Anchor::Dmd),
    ("dmd.nhs.uk", Anchor::Dmd),
    ("2.16.840.1.113883.", Anchor::Oid),
    ("scopic", Anchor::Heading),
    ("SCOPIC", Anchor::Heading),
    ("stolog", Anchor::Heading),
    ("STOLOG", Anchor::Heading),
    ("ecimen", Anchor::Heading),
    ("ECIMEN", Anchor::Heading),
    ("UNH+", Anchor::Edifact),
];

static MATCHER: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    let words = WORDS.iter().map(|(word, _)| word);
    AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).build(words).ok()
});

/// Every word that begins something, with where it stands.
pub(super) fn each(text: &str, mut found: impl FnMut(Anchor, usize, usize)) {
    let Some(matcher) = MATCHER.as_ref() else { return };
    for hit in matcher.find_iter(text) {
        if let Some((_, anchor)) = WORDS.get(hit.pattern().as_usize()) {
            found(*anchor, hit.start(), hit.end());
        }
    }
}

/// The first place where a unit of a laboratory may stand: an amount by volume, by amount, or in time.
pub(super) fn first_unit(text: &str) -> Option<usize> {
    const BELOW: &[&[u8]] = &[b"l", b"dl", b"ml", b"ul", b"mol", b"min", b"hr", b"h"];
    let bytes = text.as_bytes();
    memchr::memchr_iter(b'/', bytes).find(|at| {
        let before = at.checked_sub(1).and_then(|at| bytes.get(at));
        let is_unit = before.is_some_and(|b| b.is_ascii_alphanumeric() || *b >= 0x80 || matches!(b, b')' | b' '));
        let behind = bytes.get(at + 1..).unwrap_or_default();
        let behind = behind.strip_prefix(b" ").unwrap_or(behind);
        let letters = behind.iter().take(4).take_while(|b| b.is_ascii_alphabetic()).count();
        let word = behind.get(..letters).unwrap_or_default();
        is_unit && BELOW.iter().any(|below| word.eq_ignore_ascii_case(below))
    })
}

/// Places of bars that digits stand before, as in `73211009 |Diabetes mellitus|`.
pub(super) fn barred(text: &str) -> impl Iterator<Item = usize> {
    let bytes = text.as_bytes();
    memchr::memchr_iter(b'|', bytes).filter(|at| {
        let lead = bytes.get(at.saturating_sub(3)..*at).unwrap_or_default();
        lead.trim_ascii_end().last().is_some_and(u8::is_ascii_digit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_compile_and_each_is_found() {
        assert!(MATCHER.is_some());
        for (word, anchor) in WORDS {
            let mut all = Vec::new();
            each(&format!("x {word} y"), |found, start, end| all.push((found, start, end)));
            assert_eq!(all, [(*anchor, 2, 2 + word.len())], "{word}");
        }
    }

    #[test]
    fn units_are_told_from_paths_and_tags() {
        for text in ["132 g/L", "7.2 x10^9/L", "58 mL/min", "110 µmol/l", "12 mm/hr", "4 mmol / L", "10⁹/L"] {
            assert!(first_unit(text).is_some(), "{text}");
        }
        for text in
            ["</li></html>", "and/or", "http://lab.example/list/large", "text/html", "w/e 1/2/26", "multipart/mixed"]
        {
            assert_eq!(first_unit(text), None, "{text}");
        }
    }
}

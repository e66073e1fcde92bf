//! Looks at one piece of text for all that is recognised, in the readings that its characters allow.
//!
//! Part of `walk`, called by whoever reads a part. Promises: linear; numbers, and octets in whatever reading, are counted over the
//! whole message, and when there are too many that is said. Fails never.

use super::walk::Walk;
use super::{documents, formats, likeness, own, patient_number, records, shapes};
use crate::vocabulary::Confidence;

/// Octets that are looked at in one message, each reading of them counted: some seconds of one processor.
pub(super) const LOOKS: usize = 256 * 1024 * 1024;
/// Comparisons that style sheets may ask for in one message.
pub(super) const STEPS: usize = 40_000_000;
/// What looking at a text costs, however short it is.
pub(super) const CALL: usize = 192;
/// What an octet of another script costs beside one of ASCII.
const DEAR: usize = 4;

impl Walk<'_> {
    /// Looks at octets as they stand.
    pub fn raw(&mut self, bytes: &[u8], place: &str) {
        let fitting = &bytes[..bytes.len().min(self.left)];
        if fitting.len() < bytes.len() {
            self.report.limit(place, "decoded");
        }
        self.left -= fitting.len();
        self.scan(&String::from_utf8_lossy(fitting), place);
    }

    /// Looks at octets that are no text, and that no reader shows as text: at what is legible in them. Letters that stand
    /// together by chance are no words.
    pub fn runs(&mut self, bytes: &[u8], place: &str) {
        if formats::is_texty(bytes) {
            return self.raw(bytes, place);
        }
        let fitting = &bytes[..bytes.len().min(self.left)];
        if fitting.len() < bytes.len() {
            self.report.limit(place, "decoded");
        }
        self.left -= fitting.len();
        self.scan(&documents::runs::of(fitting), place);
    }

    /// Looks for identifiers in text, and for what the site recognises for itself.
    pub fn scan(&mut self, text: &str, place: &str) {
        self.charge(CALL);
        let text = self.affordable(text, place);
        self.report.text(place, text);
        let hits = self.numbers_of(text, place);
        for hit in hits.numbers {
            self.report.found(hit.scheme.kind(), place, &patient_number::masked(hit.shown), hit.confidence);
        }
        for miss in hits.misses.into_iter().flatten() {
            let (kind, masked) = (miss.scheme.kind(), patient_number::masked(miss.shown));
            self.report.nearly(kind, place, &masked, miss.why.told(self.rules));
        }
        self.alike(text, place);
        let seen = own::visible(text);
        self.rules.own.scan(&seen, text, place, &mut self.report);
        records::look(&seen, place, (&mut self.report, &mut self.records));
    }

    /// Work of another kind that costs as much as to look at so many octets.
    pub(super) fn charge(&mut self, octets: usize) {
        self.looks -= octets.min(self.looks);
    }

    /// As much of the text as may still be looked at.
    pub(super) fn affordable<'t>(&mut self, text: &'t str, place: &str) -> &'t str {
        let dear = if text.is_ascii() { 0 } else { text.bytes().filter(|octet| !octet.is_ascii()).count() };
        let price = text.len() + dear * (DEAR - 1);
        if price <= self.looks {
            self.looks -= price;
            return text;
        }
        self.report.limit(place, "readings");
        let end = text.floor_char_boundary(std::mem::take(&mut self.looks) / DEAR);
        &text[..end]
    }

    fn numbers_of(&mut self, text: &str, place: &str) -> patient_number::Hits {
        let mut hits = patient_number::Hits { misses: self.report.is_observed().then(Vec::new), ..Default::default() };
        patient_number::scan(text, self.rules, self.numbers, &mut hits);
        self.numbers -= hits.judged.min(self.numbers);
        if self.numbers == 0 {
            self.report.limit(place, "numbers");
        }
        hits
    }

    /// Looks for numbers that are shown in other characters than digits: only what a label names.
    fn alike(&mut self, text: &str, place: &str) {
        let near = likeness::near_labels(text);
        let readings = [
            (near.spelled, Confidence::Medium),
            (near.mended, Confidence::High),
            (likeness::unescaped(text), Confidence::High),
            (likeness::turned(text), Confidence::High),
        ];
        for (reading, confidence) in readings {
            let Some(reading) = reading else { continue };
            let affordable = self.affordable(&reading, place);
            let hits = self.numbers_of(affordable, place);
            for hit in hits.numbers.into_iter().filter(|hit| hit.confidence == Confidence::High) {
                self.report.found(hit.scheme.kind(), place, &patient_number::masked(hit.shown), confidence);
            }
        }
    }

    /// Looks for records of clinical systems in text.
    pub fn shapes(&mut self, text: &str, place: &str) {
        for (kind, shown) in shapes::of(text) {
            self.report.found(kind, place, shown, Confidence::High);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::rules::Rules;
    use super::super::{Findings, Limits};
    use super::*;

    fn after(looks: usize, texts: &[&str]) -> Findings {
        let (rules, limits) = (Rules::default(), Limits::default());
        let mut walk = Walk::new(&rules, &limits);
        walk.looks = looks;
        texts.iter().for_each(|text| walk.scan(text, "text"));
        walk.report.finish()
    }

    #[test]
    fn what_one_message_may_cost_is_bounded_in_whatever_readings_and_said() {
        let (letter, other) = ("NHS number 943 476 5919\n", "é".repeat(40));
        let is_whole = |looks, texts: &[&str]| after(looks, texts).unread.is_empty();
        assert!(is_whole(24 + CALL, &[letter]) && !is_whole(23 + CALL, &[letter]));
        assert!(is_whole(320 + CALL, &[&other]) && !is_whole(319 + CALL, &[&other]), "dear");
        assert!(!is_whole(47 + 2 * CALL, &[letter, letter]), "each reading counts");
        assert!(!is_whole(2 * CALL, &["a", "b", "c"]), "and each text");
        let (long, cut) = (letter.repeat(100), after(1_000, &[&letter.repeat(100)]));
        assert!(is_whole(long.len() + CALL, &[&long]));
        assert_eq!((cut.unread[0].limit.as_deref(), cut.findings.len()), (Some("readings"), 2), "{cut:?}");
        after(7, &[&other]);
    }
}

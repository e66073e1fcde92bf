//! Looks at one piece of text for all that is recognised, in the readings that its characters allow.
//!
//! Part of `walk`, called by whoever reads a part. Promises: linear; numbers are counted over the whole message. Fails never.

use super::walk::Walk;
use super::{likeness, own, patient_number, records, shapes};
use crate::vocabulary::Confidence;

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

    /// Looks for identifiers in text, and for what the site recognises for itself.
    pub fn scan(&mut self, text: &str, place: &str) {
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
        records::look(&seen, place, &mut self.report);
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
        let readings = [
            (likeness::spelled(text), Confidence::Medium),
            (likeness::unescaped(text), Confidence::High),
            (likeness::turned(text), Confidence::High),
        ];
        for (reading, confidence) in readings {
            let Some(hits) = reading.map(|reading| self.numbers_of(&reading, place)) else { continue };
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

//! Puts findings together: one per kind, place and masked text, the surest of them, and never more than a report can hold.
//!
//! Called by `walk` and `leaf`. Promises: bounded, whatever a message holds; a surer finding is never pushed out by a
//! weaker one. Fails never.

use super::nearly::{NearMiss, Observed, Why};
use super::{Finding, Findings, Unread};
use crate::mail::AttachmentType;
use crate::vocabulary::{Confidence, FindingKind};
use std::borrow::Cow;

/// Findings of one kind, places read, parts unread: as many as this are kept of each.
const MOST: usize = 64;
const MOST_PLACES: usize = 256;

#[derive(Debug, Default)]
pub(super) struct Report {
    findings: Findings,
    reached: Vec<&'static str>,
    /// Only where somebody asks for it.
    observed: Option<Observed>,
}

impl Report {
    /// Keeps what was nearly recognised, and the texts that were looked at.
    pub fn observed(self) -> Report {
        Report { observed: Some(Observed::default()), ..self }
    }

    pub fn is_observed(&self) -> bool {
        self.observed.is_some()
    }

    /// Something that was nearly recognised.
    pub fn nearly(&mut self, kind: FindingKind, place: &str, masked: &str, why: Why) {
        if let Some(observed) = &mut self.observed {
            observed.add(NearMiss {
                kind,
                place: place.to_owned(),
                masked: masked.to_owned(),
                why: why.why,
                hint: why.hint,
            });
        }
    }

    /// A text that is looked at.
    pub fn text(&mut self, place: &str, text: &str) {
        if let Some(observed) = &mut self.observed {
            observed.text(place, text);
        }
    }

    pub fn into_observed(self) -> Observed {
        self.observed.unwrap_or_default()
    }

    pub fn found(&mut self, kind: FindingKind, place: &str, masked: &str, confidence: Confidence) {
        let all = &mut self.findings.findings;
        let same = |f: &&mut Finding| f.kind == kind && f.place == place && f.masked == masked;
        if let Some(known) = all.iter_mut().find(same) {
            known.confidence = known.confidence.max(confidence);
            return;
        }
        let finding = Finding { kind, place: place.to_owned(), masked: masked.to_owned(), confidence };
        if all.iter().filter(|f| f.kind == kind).count() < MOST {
            all.push(finding);
        } else if let Some(weaker) = all.iter_mut().find(|f| f.kind == kind && f.confidence < confidence) {
            *weaker = finding;
        }
    }

    pub fn read(&mut self, place: &str) {
        let read = &mut self.findings.read;
        if read.len() < MOST_PLACES && !read.iter().any(|p| p == place) {
            read.push(place.to_owned());
        }
    }

    /// A part that was not read: a finding of its own.
    pub fn unread(&mut self, kind: FindingKind, place: &str, what: &str) {
        self.found(kind, place, what, Confidence::High);
        self.list_unread(kind, place, None);
    }

    /// A part that is closed with a password or a key. It is unknown too: a policy that only knows of unknown ones loses
    /// nothing.
    pub fn closed(&mut self, place: &str, what: &str) {
        self.found(FindingKind::UnknownAttachment, place, what, Confidence::High);
        self.unread(FindingKind::EncryptedAttachment, place, what);
    }

    /// The message itself is sealed to its readers. `what`: by which standard.
    pub fn sealed(&mut self, place: &str, what: &str) {
        self.found(FindingKind::AlreadySealed, place, what, Confidence::High);
        self.list_unread(FindingKind::AlreadySealed, place, None);
    }

    /// How many parts are listed as not read.
    pub fn unread_count(&self) -> usize {
        self.findings.unread.len()
    }

    /// A document was met that is read in another process.
    pub fn elsewhere(&mut self, place: &str) {
        let documents = &mut self.findings.documents;
        if documents.len() < MOST_PLACES {
            documents.push(place.to_owned());
        }
    }

    /// A bound was reached. Said once for each bound: what lies behind it is unknown anyway.
    pub fn limit(&mut self, place: &str, limit: &'static str) {
        if !self.reached.contains(&limit) {
            self.reached.push(limit);
            self.found(FindingKind::LimitReached, place, limit, Confidence::High);
            self.list_unread(FindingKind::LimitReached, place, Some(limit));
        }
    }

    fn list_unread(&mut self, kind: FindingKind, place: &str, limit: Option<&'static str>) {
        let unread = Unread { place: place.to_owned(), kind, limit: limit.map(Cow::Borrowed) };
        let list = &mut self.findings.unread;
        if list.len() < MOST_PLACES && !list.contains(&unread) {
            list.push(unread);
        }
    }

    /// What an attachment says that it is. More kinds than anybody sends are a bound of their own.
    pub fn attached(&mut self, kind: AttachmentType, place: &str) {
        let all = &mut self.findings.attachments;
        if all.contains(&kind) {
            return;
        }
        if all.len() < AttachmentType::MOST {
            all.push(kind);
        } else {
            self.limit(place, "attachment-types");
        }
    }

    pub fn finish(self) -> Findings {
        self.findings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sure_finding_is_kept_among_many_weak_ones() {
        let mut report = Report::default();
        for i in 0..1_000 {
            report.found(FindingKind::NhsNumber, &format!("p{i}"), "x", Confidence::Low);
        }
        report.found(FindingKind::NhsNumber, "last", "x", Confidence::High);
        report.found(FindingKind::NhsNumber, "p999", "x", Confidence::Low);
        let findings = report.finish().findings;
        assert_eq!(findings.len(), MOST);
        assert_eq!(findings.iter().filter(|f| f.confidence == Confidence::High).count(), 1);
    }
}

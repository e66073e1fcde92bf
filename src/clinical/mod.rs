//! Recognises clinical mail: `inspect(&message, &rules, &limits) -> Findings`, pure, bounded, panic-free on any bytes.
//!
//! Called by `decide` at end of data and by `mailward inspect`. Promises: time linear in the message and bounded by
//! `Limits`; the same findings for the same bytes; no finding carries the text that it stands for. Fails never: what
//! cannot be read is a finding itself, and listed in `unread`.

use crate::mail::AttachmentType;
use crate::vocabulary::{Confidence, FindingKind};
use serde::Serialize;
use std::borrow::Cow;

mod about;
mod across;
mod affine;
mod anchors;
mod cards;
mod charset;
mod coded;
mod conditional;
mod damage;
mod dates;
mod declared;
mod delimiter;
mod digits;
mod documents;
mod drawings;
mod embedded;
mod encoded;
mod entities;
mod fields;
mod folding;
mod formats;
mod groups;
mod html;
mod labels;
mod leaf;
mod likeness;
mod looks;
mod mailboxes;
mod markings;
mod names;
mod nearly;
mod opaque;
mod own;
mod page;
mod pathology;
mod patient_number;
mod pixels;
mod records;
mod report;
mod rules;
mod sealed;
mod seals;
mod seam;
mod shapes;
mod styled;
mod svg;
mod syntax;
mod table;
mod tags;
mod terms;
mod texts;
mod told;
mod transfer;
mod typed;
mod utf32;
mod walk;
mod words;

pub use digits::value as digit;
pub use nearly::{Looked, NearMiss};
pub use rules::Rules;
pub use told::{Told, ToldLexicon, ToldPattern, ToldWords};

/// Reads the whole of `message` and says what it contains.
#[must_use]
pub fn inspect(message: &[u8], rules: &Rules, limits: &Limits) -> Findings {
    walk::Walk::new(rules, limits).all(message)
}

/// Reads `message` and one of the documents in it, by its number among those that `inspect_text` lists.
#[must_use]
pub fn inspect_one(message: &[u8], rules: &Rules, limits: &Limits, number: usize) -> Findings {
    walk::Walk::new(rules, limits).with_one_document(number).all(message)
}

/// Reads `message` without the documents and archives in it: whether there are any, `documents` of the findings says. Their
/// readers are large programmes, and run in a process of their own.
#[must_use]
pub fn inspect_text(message: &[u8], rules: &Rules, limits: &Limits) -> Findings {
    walk::Walk::new(rules, limits).without_documents().all(message)
}

/// What was nearly recognised in `message`, and why it was not.
#[must_use]
pub fn nearly(message: &[u8], rules: &Rules, limits: &Limits) -> Vec<NearMiss> {
    walk::Walk::new(rules, limits).observed().through(message).into_observed().misses
}

/// The texts that are looked at in `message`, for whoever makes a test of it and scrubs them: they are not for printing.
#[must_use]
pub fn texts(message: &[u8], rules: &Rules, limits: &Limits) -> Vec<Looked> {
    walk::Walk::new(rules, limits).observed().through(message).into_observed().texts
}

/// Whether something of that kind is in a piece of text.
#[must_use]
pub fn finds(text: &str, kind: FindingKind, rules: &Rules) -> bool {
    let limits = Limits::default();
    let mut walk = walk::Walk::new(rules, &limits);
    walk.scan(text, "text");
    walk.report.finish().findings.iter().any(|finding| finding.kind == kind)
}

/// One thing that was recognised. The full text never leaves this room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct Finding {
    pub kind: FindingKind,
    /// Where: `subject`, `text`, `letter.eml!/text`.
    pub place: String,
    /// `943***5919`
    pub masked: String,
    pub confidence: Confidence,
}

/// A part that was not read, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct Unread {
    pub place: String,
    pub kind: FindingKind,
    pub limit: Option<Cow<'static, str>>,
}

/// What a message contains.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct Findings {
    pub findings: Vec<Finding>,
    pub read: Vec<String>,
    pub unread: Vec<Unread>,
    /// What its attachments say that they are, each kind once. Words of whoever wrote the message: never printed, never kept.
    #[serde(skip)]
    pub attachments: Vec<AttachmentType>,
    /// Where documents are that were passed over.
    #[serde(skip)]
    pub documents: Vec<String>,
}

impl Findings {
    /// A part that turned out to be unread after all was read, and why: one of our words.
    pub fn add_unread(&mut self, kind: FindingKind, place: String, why: &'static str) {
        let limit = (kind == FindingKind::LimitReached).then_some(Cow::Borrowed(why));
        self.findings.push(Finding {
            kind,
            place: place.clone(),
            masked: why.to_owned(),
            confidence: Confidence::High,
        });
        self.unread.push(Unread { place, kind, limit });
    }

    /// What was found when more of the same message was read.
    pub fn join(&mut self, other: Findings) {
        for finding in other.findings {
            let same =
                |f: &&mut Finding| (f.kind, &f.place, &f.masked) == (finding.kind, &finding.place, &finding.masked);
            match self.findings.iter_mut().find(same) {
                Some(known) => known.confidence = known.confidence.max(finding.confidence),
                None => self.findings.push(finding),
            }
        }
        self.read.extend(other.read);
        self.read.sort();
        self.read.dedup();
        let new = other.unread.into_iter().filter(|unread| !self.unread.contains(unread)).collect::<Vec<_>>();
        self.unread.extend(new);
    }
}

/// Bounds of one inspection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Levels of nesting.
    pub depth: usize,
    pub parts: usize,
    /// Octets of decoded text in all.
    pub decoded: usize,
    /// Octets of one decoded part.
    pub part: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { depth: 8, parts: 2_000, decoded: 200_000_000, part: 64_000_000 }
    }
}

#[cfg(test)]
mod tests;

//! Coded terms and reports of laboratories in a text: one look for the words that they begin with, then what stands around those.
//!
//! Called by `walk` for each piece of text. Promises: text without such words is passed over once. Fails never.

use super::anchors::{self, Anchor};
use super::patient_number::floor;
use super::report::Report;
use super::{coded, pathology};
use crate::vocabulary::FindingKind;

/// Looks for coded terms and reports of laboratories; for results in so many octets, of which those looked at are taken.
pub(super) fn look(text: &str, place: &str, (report, measured): (&mut Report, &mut usize)) {
    let (mut codes, mut heading, mut message) = (coded::Codes::default(), None, None);
    anchors::each(text, |anchor, start, end| match anchor {
        Anchor::Heading => heading = heading.or(Some(start)),
        Anchor::Edifact => message = message.or_else(|| pathology::edifact(text.get(end..)?)),
        anchor => codes.look(text, anchor, (start, end)),
    });
    codes.barred(text);
    for (shown, confidence) in codes.found() {
        report.found(FindingKind::CodedTerms, place, shown, confidence);
    }
    let results = anchors::first_unit(text).and_then(|unit| {
        let end = floor(text, unit.saturating_add(*measured));
        *measured -= (end - unit).min(*measured);
        let results = pathology::results(text.get(..end)?, unit);
        if results.is_none() && end < text.len() {
            report.limit(place, "readings");
        }
        results
    });
    let histology = heading.and_then(|at| pathology::histology(text, at));
    for (shown, confidence) in [message, results, histology].into_iter().flatten() {
        report.found(FindingKind::PathologyReport, place, shown, confidence);
    }
}

//! Coded terms and reports of laboratories in a text: one look for the words that they begin with, then what stands around those.
//!
//! Called by `walk` for each piece of text. Promises: text without such words is passed over once. Fails never.

use super::anchors::{self, Anchor};
use super::patient_number::floor;
use super::report::Report;
use super::{coded, pathology};
use crate::vocabulary::FindingKind;

/// Octets in which results of laboratories are looked for in one message, from the first unit on: an octet of the worst text
/// costs as much as hundreds of others.
const MEASURED: usize = 1024 * 1024;
/// Names of terminologies beside which codes are looked for in one message: each costs as much as hundreds of octets.
const NAMES: usize = 100_000;

/// What may still be looked at in one message.
#[derive(Debug)]
pub(super) struct Room {
    pub measured: usize,
    pub names: usize,
}

impl Default for Room {
    fn default() -> Room {
        Room { measured: MEASURED, names: NAMES }
    }
}

/// Looks for coded terms and reports of laboratories, as far as there is room.
pub(super) fn look(text: &str, place: &str, (report, room): (&mut Report, &mut Room)) {
    let (mut codes, mut heading, mut message, mut is_cut) = (coded::Codes::default(), None, None, false);
    anchors::each(text, |anchor, start, end| match anchor {
        Anchor::Heading => heading = heading.or(Some(start)),
        Anchor::Edifact => message = message.or_else(|| pathology::edifact(text.get(end..)?)),
        _ if room.names == 0 => is_cut = true,
        anchor => {
            room.names -= 1;
            codes.look(text, anchor, (start, end));
        }
    });
    if is_cut {
        report.limit(place, "readings");
    }
    codes.barred(text);
    for (shown, confidence) in codes.found() {
        report.found(FindingKind::CodedTerms, place, shown, confidence);
    }
    let results = anchors::first_unit(text).and_then(|unit| {
        let end = floor(text, unit.saturating_add(room.measured));
        room.measured -= (end - unit).min(room.measured);
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

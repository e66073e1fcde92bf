//! What was nearly recognised, and why it was not: for people who ask why a message was judged as it was.
//!
//! Filled by `report` where somebody asks. Promises: masked as findings are, bounded, nothing twice. Fails never.

use crate::vocabulary::FindingKind;
use serde::Serialize;

/// Near misses that are kept.
const MOST: usize = 256;
/// Octets of text that are kept for whoever scrubs it.
const TEXT: usize = 1_000_000;

/// Something that was nearly recognised, or not surely.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NearMiss {
    pub kind: FindingKind,
    pub place: String,
    /// First three and last four digits of a number; of all else a count.
    pub masked: String,
    pub why: String,
    /// What would have made it sure.
    pub hint: String,
}

/// Why, and what would have helped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Why {
    pub why: String,
    pub hint: String,
}

impl Why {
    pub fn new(why: impl Into<String>, hint: impl Into<String>) -> Why {
        Why { why: why.into(), hint: hint.into() }
    }
}

/// A text that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Looked {
    pub place: String,
    pub text: String,
}

/// What an observed inspection keeps beside its findings.
#[derive(Debug, Default)]
pub(super) struct Observed {
    pub misses: Vec<NearMiss>,
    pub texts: Vec<Looked>,
    kept: usize,
}

impl Observed {
    pub fn add(&mut self, miss: NearMiss) {
        if self.misses.len() < MOST && !self.misses.contains(&miss) {
            self.misses.push(miss);
        }
    }

    /// The first reading of each place: others are the same in another dress.
    pub fn text(&mut self, place: &str, text: &str) {
        let is_known = self.texts.iter().any(|looked| looked.place == place && place_is_one(place));
        if !is_known && self.kept + text.len() <= TEXT && self.texts.len() < MOST {
            self.kept += text.len();
            self.texts.push(Looked { place: place.to_owned(), text: text.to_owned() });
        }
    }
}

/// Many fields share the place of the header, and preambles that of the text.
fn place_is_one(place: &str) -> bool {
    !["header", "attachment-name", "text"]
        .iter()
        .any(|shared| place == *shared || place.ends_with(&format!("/{shared}")))
}

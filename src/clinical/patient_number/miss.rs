//! Why ten digits are no patient's number, or not surely one. Pure. Fails never.

use super::scheme::Scheme;
use super::{Around, Candidate, Glue, Prefix, Shown};
use crate::clinical::nearly::Why;
use crate::clinical::rules::Rules;
use crate::vocabulary::Confidence;

/// A number that was not found, or not surely.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Miss {
    pub scheme: Scheme,
    pub shown: Shown,
    pub why: Reason,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Reason {
    CheckDigit,
    Range,
    /// Part of a longer word, an address or a blob.
    Glued,
    /// A dialling code stands before it.
    Dialled,
    /// A counter-label, by its number, and so many characters before it.
    Countered {
        word: usize,
        distance: usize,
    },
    /// Nothing says what it is.
    Unlabelled(Confidence),
    /// In a grouping that only a label right before it makes one number.
    Torn,
}

impl Reason {
    /// Why it was not found at all.
    pub(super) fn of_none(candidate: &Candidate, around: Around) -> Reason {
        match around.glue {
            Glue::Token | Glue::Letters => Reason::Glued,
            Glue::Free => Reason::countered(candidate, around).unwrap_or(Reason::Torn),
        }
    }

    /// Why it is not sure.
    pub(super) fn of_doubt(candidate: &Candidate, scheme: Scheme, found: Confidence, around: Around) -> Reason {
        let unissued = (!scheme.is_issued(&candidate.digits)).then_some(Reason::Range);
        Reason::countered(candidate, around).or(unissued).unwrap_or(Reason::Unlabelled(found))
    }

    fn countered(candidate: &Candidate, around: Around) -> Option<Reason> {
        if candidate.prefix == Prefix::Dialled {
            return Some(Reason::Dialled);
        }
        let near = around.before;
        Some(Reason::Countered { word: near.counter?, distance: near.against? })
    }

    /// In words.
    pub fn told(self, rules: &Rules) -> Why {
        const LABEL: &str = "a label such as \"NHS number\" beside it makes it sure";
        match self {
            Reason::CheckDigit => Why::new("its check digit does not fit", "no number that is issued is written so"),
            Reason::Range => Why::new("it is in no range that is issued", LABEL),
            Reason::Glued => {
                Why::new("it is part of a longer word, an address or a blob", "a blank before and behind it")
            }
            Reason::Dialled => Why::new("a dialling code stands before it", "a label right before it, and no + or 0"),
            Reason::Countered { word, distance } => {
                let characters = if distance == 1 { "character" } else { "characters" };
                let why = format!("the counter-label \"{}\" ends {distance} {characters} before it", rules.word(word));
                Why::new(why, "a label nearer than that, or another list `against` in [recognise.nhs-number]")
            }
            Reason::Unlabelled(found) => {
                Why::new(format!("nothing beside it says what it is: {found} confidence"), LABEL)
            }
            Reason::Torn => Why::new("only a label right before it makes it one number", LABEL),
        }
    }
}

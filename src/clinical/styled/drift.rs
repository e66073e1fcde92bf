//! Figures that stand elsewhere than in the text that was read, nobody here can tell where: whether they may be pieces of a number.
//!
//! Part of `styled`. Promises: so many pieces are kept and no more. Fails never.

use std::ops::Range;

/// Octets of a piece that is moved, and of what stands beside it in its line; digits of a number; pieces.
const PIECE: usize = 32;
const BESIDE: usize = 48;
const NUMBER: usize = 10;
const PIECES: usize = 1_024;

/// Pieces of a text that are moved from where they stand in it.
#[derive(Debug, Default)]
pub(super) struct Drift(Vec<Range<usize>>);

impl Drift {
    /// What the text has gained since it had `start` octets is moved; where that may be a piece of a number.
    pub fn note(&mut self, text: &str, start: usize) {
        let piece = text.get(start..).unwrap_or_default();
        if piece.len() <= PIECE && (1..NUMBER).contains(&digits(piece)) && self.0.len() < PIECES {
            self.0.push(start..text.len());
        }
    }

    /// Whether one of them may belong to a number of the text.
    pub fn is_in_number(&self, text: &str) -> bool {
        self.0.iter().any(|piece| is_in_number(text, piece))
    }
}

fn digits(text: &str) -> usize {
    text.bytes().filter(u8::is_ascii_digit).count()
}

fn begins_with_digit(text: &str) -> bool {
    text.trim_start_matches(|c: char| !c.is_alphanumeric()).starts_with(|c: char| c.is_ascii_digit())
}

fn ends_with_digit(text: &str) -> bool {
    text.trim_end_matches(|c: char| !c.is_alphanumeric()).ends_with(|c: char| c.is_ascii_digit())
}

/// Whether digits stand right beside a piece of a line, as many as a number has with its own.
fn is_in_number(text: &str, piece: &Range<usize>) -> bool {
    let (from, to) = (piece.start.saturating_sub(BESIDE), text.floor_char_boundary(piece.end + BESIDE));
    let before = text.get(text.ceil_char_boundary(from)..piece.start).unwrap_or_default();
    let before = before.rsplit('\n').next().unwrap_or_default();
    let behind = text.get(piece.end..to).unwrap_or_default().split('\n').next().unwrap_or_default();
    let own = text.get(piece.clone()).unwrap_or_default();
    let is_beside =
        (ends_with_digit(before) && begins_with_digit(own)) || (ends_with_digit(own) && begins_with_digit(behind));
    is_beside && digits(before) + digits(own) + digits(behind) >= NUMBER
}

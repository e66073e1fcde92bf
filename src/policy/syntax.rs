//! What is no TOML: the parser's words, and a hint for the slips that editors and word processors make.
//!
//! Called by the compiler and by the reader of gateway.toml. Never fails.

use super::diagnostic::Mistake;
use std::ops::Range;

pub(super) const SYNTAX: &str = "syntax";

/// Quotes that a word processor writes for those of the keyboard.
const QUOTES: [char; 9] = ['“', '”', '„', '«', '»', '‘', '’', '‚', '′'];
/// Dashes that it writes for a hyphen.
const DASHES: [char; 5] = ['\u{2010}', '\u{2011}', '\u{2012}', '–', '—'];
/// Blanks that are not the keyboard's.
const BLANKS: [char; 5] = ['\u{A0}', '\u{2007}', '\u{202F}', '\u{200B}', '\u{FEFF}'];

/// The mistake at `at` of `text`, of which the parser says `message`.
pub(crate) fn mistake(text: &str, at: Range<usize>, message: &str) -> Mistake {
    if message == "duplicate key" {
        return Mistake::new("defined-twice", "this is defined twice in this file").hint("give it another name");
    }
    let told = Mistake::new(SYNTAX, message.replace('\n', "; "));
    match odd_character(text, at).or_else(|| escape(message)) {
        Some(hint) => told.hint(hint),
        None => told,
    }
}

/// "\d" is what everybody writes first.
fn escape(message: &str) -> Option<&'static str> {
    message
        .contains("escape")
        .then_some("in double quotes a backslash begins an escape: write it in single quotes, '\\d{7}'")
}

/// What looks like a character of the keyboard and is none, in what the parser points at.
fn odd_character(text: &str, at: Range<usize>) -> Option<&'static str> {
    let start = text.floor_char_boundary(at.start);
    let end = text.ceil_char_boundary(at.end.max(start + 1));
    let has = |odd: &[char]| text.get(start..end).is_some_and(|meant| meant.contains(odd));
    if has(&QUOTES) {
        return Some("these are the quotes of a word processor: write \" or ' with a text editor");
    }
    if has(&DASHES) {
        return Some("this is the dash of a word processor: write - with a text editor");
    }
    has(&BLANKS)
        .then_some("there is a blank here that is not the space bar's, and cannot be seen: delete it and type it anew")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_outside_the_text_and_within_a_character_are_no_harm() {
        for at in [0..0, 1..2, 2..2, 5..9, 900..901] {
            assert_eq!(mistake("“x”", at, "what").message, "what");
        }
        assert!(mistake("a – b", 3..3, "what").hint.is_some(), "within the dash");
    }
}

//! Where one text of a message ends and the next begins: clients show them one below the other, and a number may begin in the one
//! and end in the other, or stand right below its label.
//!
//! Called by `texts` for each text that is the message's own. Promises: constant work for a text. Fails never.

use super::digits::fold_into;
use super::walk::Walk;

/// Octets on each side of it that are looked at together.
const REACH: usize = 160;
/// Characters behind a label at the end of a text.
const BEHIND: usize = 4;

/// Looks at the end of the text before together with the start of this one, where digits meet or a label meets digits.
pub(super) fn look(walk: &mut Walk<'_>, text: &str, place: &str) {
    let text = text.trim();
    // A text without a word divides nothing.
    if text.is_empty() {
        return;
    }
    let mut begun = std::mem::take(&mut walk.begun);
    let is_one = !begun.is_empty() && text.starts_with(is_digit);
    if is_one {
        begun.push(' ');
        begun.push_str(text.get(..text.floor_char_boundary(REACH)).unwrap_or_default());
        walk.scan(&begun, place);
    }
    if text.ends_with(is_digit) || ends_with_label(walk, text) {
        let is_short = is_one && text.len() <= REACH;
        walk.begun = last(if is_short { &begun } else { text }).to_owned();
    }
}

/// The subject, which is shown above the first text.
pub(super) fn subject(walk: &mut Walk<'_>, text: &str) {
    let text = text.trim();
    if ends_with_label(walk, text) {
        walk.begun = last(text).to_owned();
    }
}

fn ends_with_label(walk: &Walk<'_>, text: &str) -> bool {
    let mut folded = String::new();
    fold_into(&mut folded, last(text));
    walk.rules.before(folded.trim_end()).firm.is_some_and(|distance| distance <= BEHIND)
}

fn last(text: &str) -> &str {
    let start = text.ceil_char_boundary(text.len().saturating_sub(REACH));
    text.get(start..).unwrap_or_default()
}

fn is_digit(c: char) -> bool {
    c.is_ascii_digit()
}

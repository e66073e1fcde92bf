//! Where one text of a message ends and the next begins: clients show them one below the other, and a number may begin in the one
//! and end in the other.
//!
//! Called by `texts` for each text that is the message's own. Promises: constant work for a text. Fails never.

use super::walk::Walk;

/// Octets on each side of it that are looked at together.
const REACH: usize = 160;

/// Looks at the end of the text before together with the start of this one, where digits meet.
pub(super) fn look(walk: &mut Walk<'_>, text: &str, place: &str) {
    let text = text.trim();
    // A text without a word divides nothing.
    if text.is_empty() {
        return;
    }
    let mut begun = std::mem::take(&mut walk.begun);
    let is_one = begun.ends_with(is_digit) && text.starts_with(is_digit);
    if is_one {
        begun.push(' ');
        begun.push_str(text.get(..text.floor_char_boundary(REACH)).unwrap_or_default());
        walk.scan(&begun, place);
    }
    if text.ends_with(is_digit) {
        let is_short = is_one && text.len() <= REACH;
        walk.begun = last(if is_short { &begun } else { text }).to_owned();
    }
}

fn last(text: &str) -> &str {
    let start = text.ceil_char_boundary(text.len().saturating_sub(REACH));
    text.get(start..).unwrap_or_default()
}

fn is_digit(c: char) -> bool {
    c.is_ascii_digit()
}

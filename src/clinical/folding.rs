//! What each character becomes when words are folded, as a table: text in other scripts is asked for every character.
//!
//! Called by `digits`, which says how characters are folded; made once, when text that is not ASCII is first met. Promises:
//! constant time. Fails never: what has no place in the table is told so.

use std::sync::LazyLock;

/// Characters in the table: the first two planes. Beyond are rare ideographs.
const KNOWN: u32 = 0x2_0000;

/// What a character is folded to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Folded {
    /// It cannot be seen, or is drawn over another.
    Nothing,
    /// It divides words.
    Blank,
    Letter(char),
    /// Its lower case: more than one character, or one that has no place in the table.
    Other,
}

const NOTHING: u16 = 0;
const BLANK: u16 = 0x20;
/// No character has this number.
const OTHER: u16 = 0xD800;

static TABLE: LazyLock<Vec<u16>> = LazyLock::new(|| {
    (0..KNOWN).map(|code| char::from_u32(code).map_or(NOTHING, |c| entry(super::digits::folded(c)))).collect()
});

fn entry(folded: Folded) -> u16 {
    match folded {
        Folded::Nothing => NOTHING,
        Folded::Blank => BLANK,
        Folded::Letter(c) => u16::try_from(c as u32).unwrap_or(OTHER),
        Folded::Other => OTHER,
    }
}

pub(super) fn of(c: char) -> Folded {
    let Some(code) = TABLE.get(c as usize) else { return super::digits::folded(c) };
    match *code {
        NOTHING => Folded::Nothing,
        BLANK => Folded::Blank,
        code => char::from_u32(code.into()).map_or(Folded::Other, Folded::Letter),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_says_what_each_character_is_folded_to() {
        for c in (0..=0x10_FFFF).filter_map(char::from_u32) {
            let (kept, folded) = (of(c), super::super::digits::folded(c));
            let is_far = matches!(folded, Folded::Letter(letter) if letter as u32 > 0xFFFF) && kept == Folded::Other;
            assert!(kept == folded || is_far, "{c:?} {kept:?} {folded:?}");
        }
        assert_eq!((of('É'), of('٣'), of('\u{AD}')), (Folded::Letter('é'), Folded::Letter('3'), Folded::Nothing));
        assert_eq!((of('。'), of('İ'), of('𝟜')), (Folded::Blank, Folded::Other, Folded::Letter('4')));
    }
}

//! Terms looked for in folded text, however many there are.
//!
//! Called by `own`. Promises: every term is found wherever it stands, those inside others too; each word of the text is looked
//! at once, and only one that begins as a term does is followed, no farther than the longest term. Fails when the terms
//! cannot be compiled, which is told when they are.

use aho_corasick::automaton::Automaton;
use aho_corasick::nfa::contiguous::NFA;
use aho_corasick::{Anchored, StartKind, dfa::DFA};

/// Terms of which a table is made that is twice as fast and takes some 3 KB of memory for each.
const FEW: usize = 5_000;
/// Octets by which the start of a term is known that has fewer than `LONG`.
const SHORT: usize = 4;
const LONG: usize = 8;
/// How many starts of each length are told apart: twice 8 KB stay near the processor.
const PLACES: usize = 1 << 16;

/// Terms, compiled.
#[derive(Debug, Clone)]
pub(super) struct Terms {
    all: Machine,
    starts: Starts,
}

#[derive(Debug, Clone)]
enum Machine {
    Few(DFA),
    Many(NFA),
}

impl Terms {
    /// `terms`: folded, with a blank on either side.
    pub fn of(terms: &[&str]) -> Option<Terms> {
        let all = match terms.len() {
            ..=FEW => Machine::Few(DFA::builder().start_kind(StartKind::Anchored).build(terms).ok()?),
            _ => Machine::Many(NFA::new(terms).ok()?),
        };
        Some(Terms { all, starts: Starts::of(terms) })
    }

    /// Tells each term's place in the list, wherever it stands in `folded`: there every word has a blank on either side, or
    /// several.
    pub fn find(&self, folded: &str, mut found: impl FnMut(usize)) {
        each_blank(folded.as_bytes(), |blank| {
            let word = folded.as_bytes().get(blank + 1..).unwrap_or_default();
            // Only the last of several: each would pass over the others.
            if word.first() != Some(&b' ') && self.starts.has(word) {
                self.follow(word, &mut found);
            }
        });
    }

    /// Few words begin as a term does.
    #[cold]
    fn follow(&self, word: &[u8], found: &mut impl FnMut(usize)) {
        match &self.all {
            Machine::Few(all) => follow(all, word, found),
            Machine::Many(all) => follow(all, word, found),
        }
    }
}

/// Tells the terms that begin with the blank before `word`.
fn follow(all: &impl Automaton, word: &[u8], found: &mut impl FnMut(usize)) {
    let Ok(start) = all.start_state(Anchored::Yes) else { return };
    let (mut state, mut length) = (all.next_state(Anchored::Yes, start, b' '), 1);
    for octet in singly(word) {
        state = all.next_state(Anchored::Yes, state, octet);
        length += 1;
        if all.is_dead(state) {
            return;
        }
        if all.is_match(state) {
            let hits = (0..all.match_len(state)).map(|at| all.match_pattern(state, at));
            // With a term come those that it ends with: they are found where they begin.
            hits.filter(|hit| all.pattern_len(*hit) == length).for_each(|hit| found(hit.as_usize()));
        }
    }
}

/// The octets behind a blank, one blank for several.
fn singly(word: &[u8]) -> impl Iterator<Item = u8> {
    let mut is_blank = true;
    word.iter().copied().filter(move |octet| !(std::mem::replace(&mut is_blank, *octet == b' ') && is_blank))
}

/// Tells the blanks before words, and a few others. They are as near to one another as words are short, and so looked for in
/// many octets at once.
fn each_blank(text: &[u8], mut tell: impl FnMut(usize)) {
    let (words, rest) = text.as_chunks::<LONG>();
    for (at, block) in words.chunks(LONG).enumerate() {
        let bits =
            block.iter().enumerate().map(|(at, word)| gathered(blanks(u64::from_le_bytes(*word))) << (at * LONG));
        let all: u64 = bits.fold(0, |all, bits| all | bits);
        // The last of several, but for those at the end of the block.
        let mut blanks = all & !(all >> 1);
        while blanks != 0 {
            tell(at * LONG * LONG + blanks.trailing_zeros() as usize);
            blanks &= blanks - 1;
        }
    }
    let passed = text.len() - rest.len();
    rest.iter().enumerate().filter(|(_, octet)| **octet == b' ').for_each(|(at, _)| tell(passed + at));
}

/// The upper bit of each octet, side by side in the lowest one: the product moves each to its place in the highest.
const fn gathered(upper: u64) -> u64 {
    (upper >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56
}

/// The upper bit of each octet that is a blank (Hacker's Delight 6-1: without a carry from one octet to the next).
const fn blanks(octets: u64) -> u64 {
    const LOWER: u64 = u64::from_le_bytes([0x7F; 8]);
    let other = octets ^ u64::from_le_bytes([b' '; 8]);
    !(((other & LOWER) + LOWER) | other | LOWER)
}

/// How terms begin. Many a phrase begins with a word of every day: what is long is known by more octets.
#[derive(Debug, Clone)]
struct Starts {
    short: Places,
    long: Places,
}

impl Starts {
    fn of(terms: &[&str]) -> Starts {
        let mut starts = Starts { short: Places::none(), long: Places::none() };
        terms.iter().for_each(|term| starts.add(term.as_bytes().get(1..).unwrap_or_default()));
        starts
    }

    fn add(&mut self, word: &[u8]) {
        match word.len() {
            LONG.. => self.long.mark(start(word)),
            SHORT.. => self.short.mark(start(word.get(..SHORT).unwrap_or_default())),
            // Whatever may stand behind it.
            len if len + 1 == SHORT => {
                (0..=u8::MAX).for_each(|next| self.short.mark(start(&[word, &[next]].concat())));
            }
            _ => self.short.bits.fill(u64::MAX),
        }
    }

    fn has(&self, word: &[u8]) -> bool {
        let start = start(word);
        self.short.has(start & u64::from(u32::MAX)) | self.long.has(start)
    }
}

/// The first octets of what stands behind a blank, as a number; behind the end of a text stand zeros.
#[inline]
fn start(word: &[u8]) -> u64 {
    let plain = word.first_chunk().map(|octets: &[u8; LONG]| u64::from_le_bytes(*octets));
    let is_single = |octets: &u64| blanks(*octets) & (blanks(*octets) << 8 | 0x80) == 0;
    plain.filter(is_single).unwrap_or_else(|| gathered_start(word))
}

#[cold]
fn gathered_start(word: &[u8]) -> u64 {
    let octets = singly(word).take(LONG).enumerate();
    octets.fold(0, |start, (at, octet)| start | u64::from(octet) << (8 * at))
}

/// Starts that are known: some share a place, so that a word may pass that is no term's.
#[derive(Debug, Clone)]
struct Places {
    bits: Box<[u64; PLACES / 64]>,
}

impl Places {
    fn none() -> Places {
        Places { bits: Box::new([0; PLACES / 64]) }
    }

    fn mark(&mut self, start: u64) {
        let place = place(start);
        self.bits[place / 64] |= 1 << (place % 64);
    }

    fn has(&self, start: u64) -> bool {
        let place = place(start);
        self.bits[place / 64] >> (place % 64) & 1 == 1
    }
}

/// Fibonacci hashing (Knuth 6.4): the upper bits of the product are well mixed.
#[inline]
fn place(start: u64) -> usize {
    (start.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 48) as usize % PLACES
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(terms: &[&str], folded: &str) -> Vec<usize> {
        let mut found = Vec::new();
        Terms::of(terms).unwrap().find(folded, |at| found.push(at));
        found
    }

    #[test]
    fn a_term_is_found_inside_and_beside_others_and_at_either_end() {
        let terms = [" breast cancer ", " breast ", " mi ", " cancer care ", " c o ", " é ", " x "];
        assert_eq!(found(&terms, " breast cancer care "), [1, 0, 3]);
        assert_eq!(found(&terms[..5], " mi mi c o breastcancer mi "), [2, 2, 4, 2]);
        assert_eq!(found(&terms[..3], " mi "), [2]);
        assert_eq!(found(&terms, " é x "), [5, 6]);
        assert_eq!(found(&terms, "  breast    cancer   care   c  o  mi"), [1, 0, 3, 4], "whatever blanks divide");
        assert_eq!(found(&terms, " mi   c   o   "), [2, 4]);
        assert_eq!(found(&[" a b ", " b "], " a b "), [0, 1], "once each, though one ends with the other");
        assert_eq!(found(&terms, " breasts a mix cancer "), Vec::<usize>::new());
    }

    proptest::proptest! {
        #[test]
        fn what_is_found_is_what_stands_there(terms in proptest::collection::vec("( [abé]{1,5}){1,3} ", 1..12), text in "( {1,3}[abé]{1,9}){0,40} ") {
            let terms: Vec<&str> = terms.iter().map(String::as_str).collect();
            let mut all = found(&terms, &text);
            all.sort_unstable();
            let text = text.split_whitespace().fold(" ".to_owned(), |text, word| text + word + " ");
            let stand = |at: &usize| text.match_indices(' ').filter(|(from, _)| text[*from..].starts_with(terms[*at])).count();
            let expected: Vec<usize> = (0..terms.len()).flat_map(|at| std::iter::repeat_n(at, stand(&at))).collect();
            assert_eq!(all, expected);
        }
    }
}

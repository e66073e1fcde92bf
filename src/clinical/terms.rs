//! Terms looked for in folded text, however many there are.
//!
//! Called by `own`. Promises: every term is found wherever it stands, those inside others too; each word of the text is looked
//! at once, and only one that begins as a term does is followed, no farther than the longest term. Fails when the terms
//! cannot be compiled, which is told when they are.

use aho_corasick::automaton::OverlappingState;
use aho_corasick::{AhoCorasick, AhoCorasickBuilder, AhoCorasickKind, Anchored, Input, StartKind};

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
    all: AhoCorasick,
    starts: Starts,
}

impl Terms {
    /// `terms`: folded, with a blank on either side.
    pub fn of(terms: &[&str]) -> Option<Terms> {
        let kind = (terms.len() <= FEW).then_some(AhoCorasickKind::DFA);
        let all = AhoCorasickBuilder::new().kind(kind).start_kind(StartKind::Anchored).build(terms).ok()?;
        Some(Terms { all, starts: Starts::of(terms) })
    }

    /// Tells each term's place in the list, wherever it stands in `folded`: there every word has a blank on either side.
    pub fn find(&self, folded: &str, mut found: impl FnMut(usize)) {
        for blank in memchr::memchr_iter(b' ', folded.as_bytes()) {
            if !self.starts.has(&folded.as_bytes()[blank + 1..]) {
                continue;
            }
            let input = || Input::new(folded).range(blank..).anchored(Anchored::Yes);
            let mut state = OverlappingState::start();
            while self.all.try_find_overlapping(input(), &mut state).is_ok()
                && let Some(hit) = state.get_match()
            {
                // With a term come those that it ends with: they are found where they begin.
                if hit.start() == blank {
                    found(hit.pattern().as_usize());
                }
            }
        }
    }
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
            LONG.. => self.long.mark(long(word)),
            SHORT.. => self.short.mark(short(word)),
            // Whatever may stand behind it.
            len if len + 1 == SHORT => {
                (0..=u8::MAX).for_each(|next| self.short.mark(short(&[word, &[next]].concat())));
            }
            _ => self.short.bits.fill(u64::MAX),
        }
    }

    fn has(&self, word: &[u8]) -> bool {
        self.short.has(short(word)) || self.long.has(long(word))
    }
}

/// The first octets of a word as a number; behind the end of a text stand zeros.
fn short(word: &[u8]) -> u64 {
    word.first_chunk().map_or_else(|| padded(word), |start: &[u8; SHORT]| u32::from_le_bytes(*start).into())
}

fn long(word: &[u8]) -> u64 {
    word.first_chunk().map_or_else(|| padded(word), |start: &[u8; LONG]| u64::from_le_bytes(*start))
}

fn padded(word: &[u8]) -> u64 {
    word.iter().rev().fold(0, |start, octet| start << 8 | u64::from(*octet))
}

/// Starts that are known: some share a place, so that a word may pass that is no term's.
#[derive(Debug, Clone)]
struct Places {
    bits: Vec<u64>,
}

impl Places {
    fn none() -> Places {
        Places { bits: vec![0; PLACES / 64] }
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
        assert_eq!(found(&[" a b ", " b "], " a b "), [0, 1], "once each, though one ends with the other");
        assert_eq!(found(&terms, " breasts a mix cancer "), Vec::<usize>::new());
    }

    proptest::proptest! {
        #[test]
        fn what_is_found_is_what_stands_there(terms in proptest::collection::vec("( [abé]{1,5}){1,3} ", 1..12), text in "( [abé]{1,5}){0,40} ") {
            let terms: Vec<&str> = terms.iter().map(String::as_str).collect();
            let mut all = found(&terms, &text);
            all.sort_unstable();
            let stand = |at: &usize| text.match_indices(' ').filter(|(from, _)| text[*from..].starts_with(terms[*at])).count();
            let expected: Vec<usize> = (0..terms.len()).flat_map(|at| std::iter::repeat_n(at, stand(&at))).collect();
            assert_eq!(all, expected);
        }
    }
}

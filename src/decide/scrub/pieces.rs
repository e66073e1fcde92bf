//! A text in pieces: words, runs of digits, and what stands between them; each with what replaces it.
//!
//! Called by `scrub`. Promises: pieces put together are the text. Fails never.

/// Characters between two groups of one number.
const GAP: usize = 16;
/// Numbers for tests that are told apart.
const SERIALS: usize = 140;

/// What a piece is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    Word,
    Digits,
    Between,
    LineEnd,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    sort: Sort,
    text: String,
    /// What stands in its place; None: it is as it was.
    instead: Option<String>,
}

impl Piece {
    pub fn shown(&self) -> &str {
        self.instead.as_deref().unwrap_or(&self.text)
    }

    pub fn is_word(&self) -> bool {
        self.sort == Sort::Word && self.instead.is_none()
    }

    pub fn is_digits(&self) -> bool {
        self.sort == Sort::Digits && self.instead.is_none()
    }

    /// A line stands for all its pieces: its end is what is dropped.
    pub fn starts_line(&self) -> bool {
        self.sort == Sort::LineEnd
    }

    pub fn dropped(&self) -> Piece {
        Piece { instead: Some(String::new()), ..self.clone() }
    }

    /// Letters and digits that mean nothing, as many as there were.
    pub fn veiled(&self) -> Piece {
        let mut digits = (b'1'..=b'9').cycle();
        let veil = |c: char| match c {
            c if c.is_numeric() => digits.next().map_or('0', char::from),
            c if c.is_uppercase() => 'X',
            _ => 'x',
        };
        Piece { instead: Some(self.text.chars().map(veil).collect()), ..self.clone() }
    }

    /// Digits that a day, a month or a year may have.
    pub fn dated(&self) -> Piece {
        let instead = match self.text.chars().count() {
            4 => "2000".to_owned(),
            1 => "1".to_owned(),
            2 => "01".to_owned(),
            // The root of SNOMED CT says nothing, and is a code.
            6..=18 => "138875005".to_owned(),
            count => "1".repeat(count),
        };
        Piece { instead: Some(instead), ..self.clone() }
    }
}

/// Cuts a text.
pub(super) fn of(text: &str) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    for c in text.chars() {
        let sort = match c {
            '\n' => Sort::LineEnd,
            c if c.is_numeric() => Sort::Digits,
            c if c.is_alphabetic() => Sort::Word,
            _ => Sort::Between,
        };
        match pieces.last_mut() {
            Some(last) if last.sort == sort && sort != Sort::LineEnd => last.text.push(c),
            _ => pieces.push(Piece { sort, text: c.to_string(), instead: None }),
        }
    }
    pieces.push(Piece { sort: Sort::LineEnd, text: "\n".to_owned(), instead: None });
    pieces
}

/// Changes one piece; a line's end takes the whole line with it, but the subject keeps its place.
pub(super) fn change(pieces: &mut [Piece], at: usize, change: fn(&Piece) -> Piece) {
    let is_line = pieces.get(at).is_some_and(Piece::starts_line);
    let line = pieces.get(..at).unwrap_or_default();
    let from =
        if is_line { line.iter().rposition(|piece| piece.sort == Sort::LineEnd).map_or(0, |end| end + 1) } else { at };
    let is_subject = is_line && !line.iter().any(|piece| piece.sort == Sort::LineEnd);
    let end = if is_subject { at } else { at + 1 };
    for piece in pieces.get_mut(from..end).unwrap_or_default() {
        *piece = change(piece);
    }
}

/// Half and half; one that cannot be changed by itself stays.
pub(super) fn halve(some: &[usize], open: &mut Vec<Vec<usize>>) {
    if some.len() > 1 {
        let (first, second) = some.split_at(some.len() / 2);
        open.extend([first.to_vec(), second.to_vec()]);
    }
}

/// Places of the digits of each number of ten digits whose check fits: pieces of digits with little between them.
pub(super) fn numbers(pieces: &[Piece]) -> Vec<Vec<usize>> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < pieces.len() {
        match number(pieces, at) {
            Some(places) => {
                at = places.last().map_or(at + 1, |last| last + 1);
                found.push(places);
            }
            None => at += 1,
        }
    }
    found
}

fn number(pieces: &[Piece], at: usize) -> Option<Vec<usize>> {
    let (mut places, mut digits) = (Vec::new(), Vec::new());
    for (offset, piece) in pieces.get(at..)?.iter().enumerate().take(64) {
        match piece.sort {
            Sort::Digits => {
                places.push(at + offset);
                digits.extend(piece.shown().chars().filter_map(crate::clinical::digit));
            }
            Sort::Between if !places.is_empty() && piece.text.chars().count() <= GAP => {}
            Sort::LineEnd if !places.is_empty() => {}
            _ => return None,
        }
        if digits.len() >= 10 {
            break;
        }
    }
    (digits.len() == 10 && check(digits.get(..9)?) == digits.get(9).copied()).then_some(places)
}

/// Modulus 11, weights 10 to 2.
fn check(nine: &[u8]) -> Option<u8> {
    let sum: u32 = nine.iter().zip((2..=10).rev()).map(|(digit, weight)| u32::from(*digit) * weight).sum();
    u8::try_from((11 - sum % 11) % 11).ok().filter(|check| *check < 10)
}

/// Beginnings of numbers that nobody has: of the NHS for tests; a day of birth at the beginning of a century, and the first of Northern Ireland.
pub(super) const FOR_TESTS: [&str; 3] = ["999000", "010100", "320000"];

/// Whether a masked number begins as those do.
pub(super) fn is_for_tests(masked: &str) -> bool {
    FOR_TESTS.iter().any(|begin| begin.get(..3) == masked.get(..3))
}

/// Writes another number into the places of one; `count` makes it another than those before.
pub(super) fn renumber(pieces: &mut [Piece], places: &[usize], begin: &str, count: usize) {
    // One in eleven has no check digit: the next few have.
    let first = 1 + count % SERIALS * 7;
    let nines = (first..1_000).map(|serial| format!("{begin}{serial:03}"));
    let mut made = nines.filter_map(|nine| {
        let digits: Vec<u8> = nine.bytes().map(|byte| byte - b'0').collect();
        Some(format!("{nine}{}", check(&digits)?))
    });
    let Some(number) = made.next() else { return };
    let mut digits = number.chars();
    for place in places {
        if let Some(piece) = pieces.get_mut(*place) {
            piece.instead = Some(digits.by_ref().take(piece.text.chars().count()).collect());
        }
    }
}

/// First three and last four digits.
pub(super) fn masked(pieces: &[Piece], places: &[usize]) -> String {
    let whole: String = places.iter().filter_map(|at| pieces.get(*at)).map(Piece::shown).collect();
    let chars: Vec<char> = whole.chars().collect();
    let head: String = chars.iter().take(3).collect();
    let tail: String = chars.iter().skip(chars.len().saturating_sub(4)).collect();
    format!("{head}***{tail}")
}

//! The text of one page as it was drawn: pieces with their places, and the readings that can be made of them.
//!
//! Called by `page`. Promises: pieces beside one another join, a gap is a blank, a wide one a tab, another line a line break;
//! bounded in pieces and octets; a reading takes no longer than sorting takes. Fails never.

use super::ink;
use std::fmt::Write as _;

/// Pieces of one page.
const MOST_PIECES: usize = 400_000;
/// Gaps, in ems: up to this it is one word …
const JOINS: f64 = 0.2;
/// … and up to this one cell.
const CELL: f64 = 2.5;
/// A piece that begins so far back still touches the one before: kerning, and widths that are guessed.
const BACK: f64 = -0.3;
/// So near to one another, the same text is the same.
const AGAIN: f64 = 0.1;
/// So far above or below, in heights of the text, is another line.
const LINE: f64 = 0.4;

/// Text in which more than one reason for not being seen is told from another.
const MOST_HIDING: usize = 1_000_000;
/// Text of fewer points cannot be read.
const TINY: f64 = 1.5;

#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Point {
    pub x: f64,
    pub y: f64,
}

impl Point {
    fn minus(self, other: Point) -> Point {
        Point { x: self.x - other.x, y: self.y - other.y }
    }

    fn dot(self, other: Point) -> f64 {
        self.x * other.x + self.y * other.y
    }

    fn cross(self, other: Point) -> f64 {
        self.x * other.y - self.y * other.x
    }

    pub fn length(self) -> f64 {
        // As exact as it needs to be, and much faster than `hypot`.
        (self.x * self.x + self.y * self.y).sqrt()
    }
}

/// Where a glyph stands, and how large it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spot {
    pub start: Point,
    pub end: Point,
    /// One em along the line.
    pub em: Point,
    pub height: f64,
    /// Why it is not seen: bits of `ink`.
    pub hidden: u8,
}

#[derive(Debug)]
struct Piece {
    spot: Spot,
    /// Where its text begins; it ends where the next one's begins.
    text: usize,
    /// What else it says, in `others`.
    other: Option<u32>,
    /// The text that is said to be meant, in `meant`.
    meant: Option<u32>,
}

impl Piece {
    fn hidden(&self) -> u8 {
        self.spot.hidden | if self.spot.em.length() < TINY { ink::TINY } else { 0 }
    }
}

#[derive(Debug, Default)]
pub(super) struct Sheet {
    pieces: Vec<Piece>,
    text: String,
    others: Vec<String>,
    meant: Vec<String>,
    /// Where the last glyph began, and how long its text is.
    last: Option<(Point, usize)>,
    /// Characters that mean something.
    pub chars: usize,
    /// There is more than is kept.
    pub is_full: bool,
}

/// Which text of a piece is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Text {
    Own,
    /// What the encoding of the font says.
    Other,
    /// `ActualText` in the place of what it is said of (ISO 32000-1 14.9.4).
    Meant,
}

/// What is between two pieces.
fn joint(before: &Spot, next: &Spot) -> &'static str {
    let (along, length) = (before.em, before.em.length());
    let other = if next.em == before.em { length } else { next.em.length() };
    let (size, delta) = (length.max(other), next.start.minus(before.end));
    if length <= f64::EPSILON {
        // Text of no size has no gaps.
        return if delta.length() <= f64::EPSILON { "" } else { "\n" };
    }
    let turned = along.cross(next.em).abs() > 0.1 * length * other || along.dot(next.em) < 0.0;
    let height = before.height.max(next.height).max(size * 0.1);
    if turned || delta.cross(along).abs() > LINE * height * length {
        return "\n";
    }
    match delta.dot(along) / (length * size) {
        gap if gap < BACK => "\n",
        gap if gap < JOINS => "",
        gap if gap < CELL => " ",
        _ => "\t",
    }
}

impl Sheet {
    /// A glyph, or as much text as is drawn at once.
    pub fn put(&mut self, spot: Spot, text: &str, other: Option<&str>, meant: Option<u32>) {
        let again = self.last.replace((spot.start, text.len()));
        if let Some((start, len)) = again
            && spot.start.minus(start).length() < AGAIN * spot.em.length()
            && self.text.get(self.text.len() - len..) == Some(text)
            && self.pieces.last().is_some_and(|last| last.spot.hidden == spot.hidden)
        {
            // Bold type is made of type that is drawn twice.
            return;
        }
        self.chars += usize::from(text.chars().any(|c| !c.is_whitespace() && c != '\u{FFFD}'));
        if let Some(last) = self.pieces.last_mut()
            && last.other.is_none()
            && other.is_none()
            && last.meant == meant
            && last.spot.em == spot.em
            && last.spot.hidden == spot.hidden
            && joint(&last.spot, &spot).is_empty()
        {
            last.spot.end = spot.end;
            self.text.push_str(text);
            return;
        }
        if self.pieces.len() >= MOST_PIECES {
            self.is_full = true;
            return;
        }
        let other = other.map(|other| {
            self.others.push(other.to_owned());
            self.others.len() as u32 - 1
        });
        self.pieces.push(Piece { spot, text: self.text.len(), other, meant });
        self.text.push_str(text);
    }

    /// A text that is said to be meant by what follows.
    pub fn mean(&mut self, text: String) -> u32 {
        self.meant.push(text);
        self.meant.len() as u32 - 1
    }

    pub fn len(&self) -> usize {
        self.text.len()
    }

    /// Every reading that differs from those before it.
    pub fn readings(&self) -> Vec<String> {
        let drawn: Vec<usize> = (0..self.pieces.len()).collect();
        let mut all = vec![self.reading(&drawn, Text::Own)];
        let mut add = |reading: String| {
            if !all.contains(&reading) {
                all.push(reading);
            }
        };
        let sorted = self.sorted(&drawn);
        add(self.reading(&sorted, Text::Own));
        for mask in self.masks() {
            let seen = self.seen(mask);
            add(self.reading(&seen, Text::Own));
            add(self.reading(&self.sorted(&seen), Text::Own));
        }
        if !self.others.is_empty() {
            add(self.reading(&drawn, Text::Other));
            add(self.reading(&sorted, Text::Other));
        }
        if !self.meant.is_empty() {
            add(self.reading(&drawn, Text::Meant));
        }
        all
    }

    /// Why digits are not seen among text that is seen: all reasons, each, and all but each, for not every reason holds.
    fn masks(&self) -> Vec<u8> {
        let all = self.hiding();
        let bits = (0..u8::BITS).map(|bit| 1u8 << bit).filter(|bit| all & bit != 0);
        let others = bits.flat_map(|bit| [bit, all & !bit]);
        let mut masks = Vec::new();
        let is_long = self.text.len() > MOST_HIDING;
        for mask in std::iter::once(all).chain(others.filter(|_| !is_long)) {
            if mask != 0 && !masks.contains(&mask) && self.pieces.iter().any(|piece| piece.hidden() & mask == 0) {
                masks.push(mask);
            }
        }
        masks
    }

    /// All reasons for which digits are not seen.
    fn hiding(&self) -> u8 {
        let has_digits =
            |at: usize, piece| self.text_of(at, piece, Text::Own).bytes().any(|byte| byte.is_ascii_digit());
        let unseen = self.pieces.iter().enumerate().filter(|(_, piece)| piece.hidden() != 0);
        unseen.fold(0, |all, (at, piece)| if has_digits(at, piece) { all | piece.hidden() } else { all })
    }

    /// Whether there are more readings than are made of so much text.
    pub fn hides_too_much(&self) -> bool {
        self.text.len() > MOST_HIDING && self.hiding().count_ones() > 1
    }

    /// Those pieces that are seen.
    fn seen(&self, mask: u8) -> Vec<usize> {
        (0..self.pieces.len())
            .filter(|at| self.pieces.get(*at).is_some_and(|piece| piece.hidden() & mask == 0))
            .collect()
    }

    fn reading(&self, order: &[usize], which: Text) -> String {
        let mut out = String::with_capacity(self.text.len() + order.len());
        let (mut before, mut meaning): (Option<&Spot>, Option<u32>) = (None, None);
        let mut said = vec![false; if which == Text::Meant { self.meant.len() } else { 0 }];
        for at in order {
            let Some(piece) = self.pieces.get(*at) else { continue };
            let is_same = which == Text::Meant && piece.meant.is_some() && piece.meant == meaning;
            if !is_same {
                out.push_str(before.map_or("", |before| joint(before, &piece.spot)));
                out.push_str(self.text_of(*at, piece, which));
            }
            if let Some(slot) = piece.meant.and_then(|at| said.get_mut(at as usize)) {
                *slot = true;
            }
            (before, meaning) = (Some(&piece.spot), piece.meant);
        }
        for (text, _) in self.meant.iter().zip(said).filter(|(_, said)| !said) {
            let _ = write!(out, "\n{text}");
        }
        out
    }

    fn text_of(&self, at: usize, piece: &Piece, which: Text) -> &str {
        let listed = match which {
            Text::Own => None,
            Text::Other => piece.other.and_then(|at| self.others.get(at as usize)),
            Text::Meant => piece.meant.and_then(|at| self.meant.get(at as usize)),
        };
        let own = || {
            let end = self.pieces.get(at + 1).map_or(self.text.len(), |next| next.text);
            self.text.get(piece.text..end).unwrap_or_default()
        };
        listed.map_or_else(own, String::as_str)
    }

    /// The pieces as they are seen: line after line, from left to right; what is drawn twice in one place stands once.
    fn sorted(&self, order: &[usize]) -> Vec<usize> {
        let placed = |at: &usize| self.pieces.get(*at).map(|piece| Placed::of(*at, piece));
        let mut placed: Vec<Placed> = order.iter().filter_map(placed).collect();
        placed.sort_by(|a, b| a.turn.cmp(&b.turn).then(b.y.total_cmp(&a.y)));
        let mut from = 0;
        for at in 1..=placed.len() {
            let ends = placed.get(at).is_none_or(|next| !placed.get(from).is_some_and(|first| first.is_level(next)));
            if ends {
                if let Some(line) = placed.get_mut(from..at) {
                    line.sort_by(|a, b| a.x.total_cmp(&b.x));
                }
                from = at;
            }
        }
        placed.dedup_by(|next, before| self.is_again(before, next));
        placed.into_iter().map(|placed| placed.at).collect()
    }

    fn is_again(&self, before: &Placed, next: &Placed) -> bool {
        let near = (next.x - before.x).abs() < AGAIN * before.size && before.is_level(next);
        let text = |at: usize| self.pieces.get(at).map(|piece| self.text_of(at, piece, Text::Own));
        near && text(before.at) == text(next.at)
    }
}

/// A piece in the frame of its own direction.
struct Placed {
    at: usize,
    /// Its direction, in steps of five degrees.
    turn: i32,
    x: f64,
    y: f64,
    size: f64,
    height: f64,
}

impl Placed {
    fn of(at: usize, piece: &Piece) -> Placed {
        let spot = &piece.spot;
        let angle = spot.em.y.atan2(spot.em.x);
        let turn = (angle.to_degrees() / 5.0).round() as i32;
        let frame = f64::from(turn).to_radians() * 5.0;
        let along = Point { x: frame.cos(), y: frame.sin() };
        let (x, y) = (spot.start.dot(along), along.cross(spot.start));
        Placed { at, turn, x, y, size: spot.em.length(), height: spot.height }
    }

    fn is_level(&self, next: &Placed) -> bool {
        let height = self.height.max(next.height).max(f64::MIN_POSITIVE);
        self.turn == next.turn && (self.y - next.y).abs() <= LINE * height
    }
}

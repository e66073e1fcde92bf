//! Runs of digits in text, and what stands between them.
//!
//! Called by `patient_number`. Promises: linear; stretches without digits are passed over in blocks; at most `STRETCH` groups
//! are held at once. Fails never.

use super::digits::{Joint, is_invisible, is_mark, joint, value};

/// Groups that are judged at once; a longer run is judged in overlapping stretches.
const STRETCH: usize = 512;
/// Characters between two groups: of any kind, where a line ends between them, and of white space.
const NEAR: usize = 4;
const OVER_LINES: usize = 16;
const WIDEST: usize = 24;

/// A run of digits without anything visible between them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Group {
    pub start: usize,
    pub end: usize,
    pub len: usize,
    pub digits: [u8; 10],
    /// What joins it to the group before.
    pub joint: Option<Joint>,
}

/// The next digit at or after `from`. Plain stretches are passed over in blocks.
pub(super) fn next_digit(text: &str, from: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = from;
    loop {
        at += plain_len(bytes.get(at..)?);
        let c = text.get(at..)?.chars().next()?;
        if value(c).is_some() {
            return Some(at);
        }
        at += c.len_utf8();
    }
}

/// Octets before the first that is an ASCII digit or not ASCII.
fn plain_len(bytes: &[u8]) -> usize {
    let is_of_interest = |b: &u8| b.wrapping_sub(b'0') < 10 || *b >= 0x80;
    let mut passed = 0;
    for block in bytes.chunks(64) {
        // Without an early exit inside the block the compiler can look at many octets at once.
        if block.iter().fold(false, |found, b| found | is_of_interest(b)) {
            return passed + block.iter().position(is_of_interest).unwrap_or(block.len());
        }
        passed += block.len();
    }
    passed
}

/// Reads a sequence of groups from `start`; returns where to look on.
pub(super) fn read_groups(text: &str, start: usize, groups: &mut Vec<Group>) -> usize {
    let mut gap = Gap::default();
    let mut inside = false;
    for (offset, c) in text[start..].char_indices() {
        let at = start + offset;
        if let Some(digit) = value(c) {
            if !inside && groups.len() == STRETCH {
                return restart(groups);
            }
            match groups.last_mut() {
                Some(group) if inside => group.push(digit, at + c.len_utf8()),
                _ => groups.push(Group::new(digit, at, at + c.len_utf8(), gap.joined())),
            }
            (inside, gap) = (true, Gap::default());
        } else if !is_invisible(c) && !is_mark(c) {
            inside = false;
            if !gap.widen(c) {
                return at;
            }
        }
    }
    text.len()
}

/// The last ten groups are judged again with what follows them; nothing is lost between two stretches.
fn restart(groups: &[Group]) -> usize {
    groups.get(groups.len().saturating_sub(10)).map_or(0, |g| g.start)
}

impl Group {
    fn new(digit: u8, start: usize, end: usize, joint: Option<Joint>) -> Group {
        let mut digits = [0; 10];
        digits[0] = digit;
        Group { start, end, len: 1, digits, joint }
    }

    fn push(&mut self, digit: u8, end: usize) {
        if let Some(slot) = self.digits.get_mut(self.len) {
            *slot = digit;
        }
        self.len += 1;
        self.end = end;
    }
}

/// What stands between two groups.
#[derive(Debug, Default, Clone, Copy)]
struct Gap {
    joint: Option<Joint>,
    width: usize,
    /// Those that are no white space.
    marks: usize,
    line: bool,
}

impl Gap {
    /// Takes one more character; false when it divides.
    fn widen(&mut self, c: char) -> bool {
        // Quoted mail begins its lines with `>`.
        let kind = match joint(c) {
            Some(kind) => kind,
            None if c == '>' && self.line => Joint::Newline,
            None => return false,
        };
        self.line |= kind == Joint::Newline;
        self.width += 1;
        self.marks += usize::from(c != '\t' && (kind != Joint::Newline || c == '>') && kind != Joint::Space);
        self.joint = Some(match (self.joint, kind) {
            (None, kind) => kind,
            (Some(Joint::Odd), _) | (_, Joint::Odd) => Joint::Odd,
            (Some(Joint::Newline), _) | (_, Joint::Newline) => Joint::Newline,
            (Some(before), kind) if before == kind => kind,
            (Some(Joint::Space), Joint::Dash) | (Some(Joint::Dash), Joint::Space) => Joint::Dash,
            _ => Joint::Weak,
        });
        self.marks <= self.near() && self.width <= WIDEST
    }

    fn near(&self) -> usize {
        if self.line { OVER_LINES } else { NEAR }
    }

    fn joined(&self) -> Option<Joint> {
        match self.joint {
            Some(joint) if joint != Joint::Odd && self.width > self.near() => Some(Joint::Wide),
            joint => joint,
        }
    }
}

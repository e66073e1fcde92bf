//! The tables of lists of an RTF document, and the label before each paragraph of one (RTF 1.9.1, list tables, bullets and
//! numbering).
//!
//! Called by `page`. Promises: so many levels and no more. Fails never: a list that no table has labels nothing.

use super::super::lists::{Form, LEVELS, Level, Lists};

/// Characters of a level's text.
const PATTERN: usize = 64;

/// The tables, and the place in them that is read.
#[derive(Default)]
pub(super) struct Tables {
    lists: Lists,
    levels: Vec<Level>,
    /// The definition that a list of the second table uses.
    definition: i64,
    starts: Vec<u64>,
    is_override: bool,
    /// The text of a level, while it is read: its first character says how long it is.
    pattern: Option<String>,
    old: Old,
}

/// A list as Word 6 writes it, in each paragraph again.
#[derive(Default)]
struct Old {
    start: Option<u64>,
    last: u64,
    counted: u64,
    before: String,
    behind: String,
    has_letters: bool,
}

impl Tables {
    /// A word of the tables, or of the properties of a paragraph in an old list.
    pub fn word(&mut self, name: &[u8], number: Option<i32>) {
        let value = u64::try_from(number.unwrap_or_default()).unwrap_or_default();
        match name {
            b"list" => (self.is_override, self.levels) = (false, Vec::new()),
            b"listoverride" => (self.is_override, self.starts) = (true, Vec::new()),
            b"listlevel" if self.levels.len() < LEVELS => self.levels.push(Level::default()),
            b"levelstartat" if self.is_override && self.starts.len() < LEVELS => self.starts.push(value),
            b"levelstartat" => self.change(|level| level.start = value),
            b"levelnfc" | b"levelnfcn" => self.change(|level| level.form = form(value)),
            b"levelfollow" => self.change(|level| level.behind = ["\t", " ", ""].get(value as usize).unwrap_or(&"\t")),
            b"leveltext" => self.pattern = Some(String::new()),
            b"listid" if self.is_override => self.definition = i64::from(number.unwrap_or_default()),
            b"listid" => self.define(i64::from(number.unwrap_or_default())),
            b"pn" => self.old = Old { counted: self.old.counted, last: self.old.last, ..Old::default() },
            b"pnstart" => self.old.start = Some(value),
            b"pnucltr" | b"pnlcltr" | b"pnucrm" | b"pnlcrm" | b"pnlvlblt" => self.old.has_letters = true,
            _ => {}
        }
    }

    fn change(&mut self, change: impl FnOnce(&mut Level)) {
        if let Some(level) = self.levels.last_mut() {
            change(level);
        }
    }

    fn define(&mut self, id: i64) {
        for (at, level) in self.levels.drain(..).enumerate() {
            if let Some(place) = self.lists.define(id, at) {
                *place = level;
            }
        }
    }

    /// `\lsN` in the second table: the list of that number.
    pub fn list(&mut self, number: i64) {
        self.lists.uses(number, self.definition);
        for (level, start) in self.starts.drain(..).enumerate() {
            self.lists.starts(number, level, start);
        }
    }

    /// Octets of the tables; whether they belong to the text of a level.
    pub fn octets(&mut self, octets: &[u8]) {
        let Some(pattern) = self.pattern.as_mut() else { return };
        for octet in octets {
            if *octet == b';' || pattern.len() >= PATTERN {
                return self.end_pattern();
            }
            pattern.push(char::from(*octet));
        }
    }

    pub fn end_pattern(&mut self) {
        let Some(pattern) = self.pattern.take() else { return };
        let mut characters = pattern.chars();
        characters.next();
        let text = characters.as_str().to_owned();
        self.change(|level| level.pattern = text);
    }

    pub fn old_text(&mut self, name: &str, text: &str) {
        let text = text.get(..text.floor_char_boundary(PATTERN)).unwrap_or_default().to_owned();
        match name {
            "pntxtb" => self.old.before = text,
            _ => self.old.behind = text,
        }
    }

    /// The label of a paragraph of that list.
    pub fn label(&mut self, list: i64, level: usize) -> Option<String> {
        self.lists.label(list, level)
    }

    /// Whether there were more lists than are kept.
    pub fn is_full(&self) -> bool {
        self.lists.is_full()
    }

    /// The label of a paragraph that an old list was said of.
    pub fn old_label(&mut self) -> Option<String> {
        let Some(start) = self.old.start.take() else {
            self.old.counted = 0;
            return None;
        };
        if std::mem::replace(&mut self.old.last, start) != start {
            self.old.counted = 0;
        }
        let number = start.saturating_add(self.old.counted);
        self.old.counted = self.old.counted.saturating_add(1);
        (!self.old.has_letters).then(|| format!("{}{number}{} ", self.old.before, self.old.behind))
    }
}

/// RTF 1.9.1, `\levelnfcN`, the numbers of [MS-OSHARED] 2.2.1.3.
fn form(number: u64) -> Form {
    match number {
        0 | 5 | 14 | 15 | 18..=20 | 24 | 26 | 28 | 29 | 57 => Form::Decimal,
        22 => Form::Padded(2),
        _ => Form::NoDigits,
    }
}

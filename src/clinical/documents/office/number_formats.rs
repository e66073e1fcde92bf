//! Formats of a spreadsheet's numbers that show other digits than a cell has (ECMA-376 part 1, 18.8.31): those of their own, or
//! fewer; and which cells have them.
//!
//! Asked by the readers of spreadsheets for each cell. Promises: so many formats and no more. Fails never: what is not known, and all
//! where there are more than are kept, is `Unknown`.

use super::numbers::OWN_DIGITS;
use super::rendering::{self, Value};
use super::xml::Element;
use std::collections::BTreeMap;

/// Formats that are kept, and looks of cells that refer to them.
const MOST: usize = 65_536;
/// Octets of a value that becomes no identifier by a format that adds no digits.
const SHORT: usize = 6;
/// Digits of an identifier.
const IDENTIFIER: usize = 10;

/// The formats of a workbook.
#[derive(Default)]
pub(in super::super) struct NumberFormats {
    codes: BTreeMap<u32, usize>,
    formats: Vec<Format>,
    /// Which format each look of cells has.
    looks: Vec<Option<usize>>,
    /// Where those are that have names, and the name of the last (XML of 2003).
    named: BTreeMap<String, usize>,
    name: String,
    list: List,
    is_full: bool,
}

/// The list that is read.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum List {
    #[default]
    Formats,
    Cells,
    Other,
}

/// A format that shows other digits than a cell has.
#[derive(Debug)]
struct Format {
    code: String,
    change: Option<Change>,
}

/// What one format does to the digits of a cell.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Change {
    added: usize,
    /// Digits that are shown even where the number has fewer.
    least: usize,
    /// Digits that are not shown.
    hidden: usize,
    /// Digits that numbers of telephones may have that begin like this: with a nought, or a plus sign.
    telephone: usize,
}

/// What a cell shows by its format.
#[derive(Debug, PartialEq, Eq)]
pub(in super::super) enum Shown {
    /// Digits that it has.
    Same,
    Other(String),
    /// Nobody here knows, and it may be an identifier.
    Unknown,
}

impl NumberFormats {
    /// Takes what a part says of formats; whether it is one that cannot be told by its cells and changes their digits.
    pub(super) fn element(&mut self, element: &Element<'_, '_>) -> bool {
        match element.local {
            "cellXfs" => self.begin(List::Cells),
            "numFmts" => self.begin(List::Formats),
            "cellStyleXfs" | "cellStyles" | "dxfs" => self.begin(List::Other),
            "xf" => self.look(element.attribute("numFmtId").and_then(|id| id.trim().parse::<u32>().ok())),
            "Style" => self.name = element.attribute("ID").unwrap_or_default(),
            "NumberFormat" => self.named_look(element),
            "numFmt" => return self.format_of(element),
            _ => {}
        }
        false
    }

    pub fn begin(&mut self, list: List) {
        self.list = list;
    }

    /// One look of cells, where they are listed: they have the format of that number.
    pub fn look(&mut self, format: Option<u32>) {
        if self.list != List::Cells {
            return;
        }
        let format = format.and_then(|id| self.codes.get(&id).copied().or_else(|| self.keep(usual(id)?)));
        self.is_full |= self.looks.len() >= MOST;
        if !self.is_full {
            self.looks.push(format);
        }
    }

    /// NumberFormat of a Style in the XML of 2003.
    fn named_look(&mut self, element: &Element<'_, '_>) {
        let Some(code) = element.attribute("Format") else { return };
        self.is_full |= self.looks.len() >= MOST;
        if let Some(format) = self.keep(&code).filter(|_| !self.is_full) {
            self.named.insert(self.name.clone(), self.looks.len());
            self.looks.push(Some(format));
        }
    }

    /// The look of that name.
    pub fn look_of(&self, name: &str) -> Option<usize> {
        self.named.get(name).copied()
    }

    fn format_of(&mut self, element: &Element<'_, '_>) -> bool {
        let Some(code) = element.attribute("formatCode") else { return false };
        let id = element.attribute("numFmtId").and_then(|id| id.trim().parse::<u32>().ok());
        // Those of conditions belong to no cell of their own.
        match id.filter(|_| self.list == List::Formats) {
            Some(id) => {
                self.format(id, &code);
                false
            }
            None => may_change(&code),
        }
    }

    /// The format of that number.
    pub fn format(&mut self, id: u32, code: &str) {
        if let Some(format) = self.keep(code) {
            self.codes.insert(id, format);
        }
    }

    /// Keeps a format, if it may show other digits than a cell has.
    fn keep(&mut self, code: &str) -> Option<usize> {
        let change = changes(code);
        if change.is_none() && !code.contains(['%', '[']) {
            return None;
        }
        self.is_full |= self.formats.len() >= MOST;
        if self.is_full {
            return None;
        }
        self.formats.push(Format { code: code.to_owned(), change });
        Some(self.formats.len() - 1)
    }

    /// What a cell of that look shows in which `stored` is.
    pub fn shown(&self, look: usize, stored: &str, is_text: bool) -> Shown {
        if self.is_full {
            return Shown::Unknown;
        }
        let format = self.looks.get(look).copied().flatten().and_then(|format| self.formats.get(format));
        // Percents are many, and only those of many digits are long enough.
        let is_short =
            stored.len() < SHORT && !format.is_some_and(|format| format.change.is_some() || format.code.contains('['));
        format
            .filter(|_| !is_short)
            .map_or(Shown::Same, |format| shown(&format.code, format.change, Value::of(stored, is_text), stored))
    }
}

/// What a cell shows by a format of that code.
pub(super) fn shown_by(code: &str, stored: &str, is_text: bool) -> Shown {
    shown(code, changes(code), Value::of(stored, is_text), stored)
}

fn shown(code: &str, change: Option<Change>, value: Value<'_>, stored: &str) -> Shown {
    let digits = |text: &str| text.bytes().filter(u8::is_ascii_digit).count();
    match rendering::shown(code, value) {
        None if change.is_some_and(|change| change.may_show(stored)) => Shown::Unknown,
        None => Shown::Same,
        Some(text) if digits(&text) >= IDENTIFIER || change.is_some_and(|change| change.added >= OWN_DIGITS) => {
            let is_same = text.bytes().filter(u8::is_ascii_digit).eq(stored.bytes().filter(u8::is_ascii_digit));
            if is_same { Shown::Same } else { Shown::Other(text) }
        }
        Some(_) => Shown::Same,
    }
}

/// Whether a format that belongs to no cell changes the digits of those that are shown by it.
pub(super) fn may_change(code: &str) -> bool {
    changes(code).is_some_and(|change| change.hidden > 0 || change.added >= OWN_DIGITS)
}

/// Formats that programmes have without writing them down (18.8.30), as far as they change digits.
fn usual(id: u32) -> Option<&'static str> {
    match id {
        9 => Some("0%"),
        10 => Some("0.00%"),
        46 => Some("[h]:mm:ss"),
        _ => None,
    }
}

impl Change {
    fn may_show(self, cell: &str) -> bool {
        // The fraction of a number is shown behind its point.
        let whole = if cell.trim().parse::<f64>().is_ok() { cell.split('.').next().unwrap_or_default() } else { cell };
        let digits = whole.bytes().filter(u8::is_ascii_digit).count();
        let shown = self.added + digits.saturating_sub(self.hidden).max(self.least);
        let is_telephone = shown > IDENTIFIER && shown <= self.telephone;
        digits > 0 && shown >= IDENTIFIER && !is_telephone
    }
}

/// What a format does, at most, in any of its sections; nothing where it shows the digits as they are.
fn changes(code: &str) -> Option<Change> {
    let changes = sections(code).into_iter().map(|section| Change {
        added: own_digits(section).count(),
        least: noughts(section.bytes()).saturating_sub(noughts(own_digits(section))) + of_time(section),
        hidden: 3 * scaled(section),
        telephone: match own_digits(section).next() {
            _ if section.starts_with("\"+") || section.starts_with("\\+") || section.starts_with('+') => IDENTIFIER + 3,
            Some(b'0') => IDENTIFIER + 1,
            _ => 0,
        },
    });
    changes.filter(|change| change.added > 0 || change.hidden > 0).max_by_key(|change| change.added)
}

/// Digits that are worked out from the number: of a date, or of hours that go by (`[h]`).
fn of_time(section: &str) -> usize {
    const ELAPSED: usize = 7;
    let lower = section.to_ascii_lowercase();
    let plain = lower.split('"').step_by(2);
    let letters = plain.flat_map(str::bytes).filter(|byte| matches!(byte, b'y' | b'm' | b'd' | b'h' | b's')).count();
    if ["[h", "[m", "[s"].iter().any(|elapsed| lower.contains(elapsed)) { letters + ELAPSED } else { letters }
}

fn noughts(digits: impl Iterator<Item = u8>) -> usize {
    digits.filter(|byte| *byte == b'0').count()
}

/// Whether a format has so many digits of its own that labels of a chart may show an identifier by it.
pub(super) fn may_label(code: &str) -> bool {
    own_digits(code).count() >= IDENTIFIER / 2
}

/// The sections of a format; semicolons in quotes divide nothing.
pub(super) fn sections(code: &str) -> Vec<&str> {
    let mut is_quoted = false;
    let is_end = |c: char| {
        is_quoted ^= c == '"';
        c == ';' && !is_quoted
    };
    code.split(is_end).collect()
}

/// Commas behind the last place of a section: each hides three digits.
fn scaled(section: &str) -> usize {
    let last = section.bytes().rposition(|byte| matches!(byte, b'0' | b'#' | b'?'));
    let behind = last.and_then(|last| section.as_bytes().get(last + 1..)).unwrap_or_default();
    behind.iter().take_while(|byte| **byte == b',').count()
}

/// Digits that a format adds: quoted, escaped, or standing for themselves; not those of colours, conditions and fractions.
pub(super) fn own_digits(code: &str) -> impl Iterator<Item = u8> {
    let mut mode = b' ';
    code.bytes().filter(move |&byte| {
        let (is_added, next) = match (mode, byte) {
            (b'"', b'"') | (b'[', b']') => (false, b' '),
            (b'"', _) => (byte.is_ascii_digit(), b'"'),
            (b'[', _) => (false, b'['),
            (b'\\', _) => (byte.is_ascii_digit(), b' '),
            (b'/', b'0'..=b'9') => (false, b'/'),
            (_, b'"' | b'[' | b'\\' | b'/') => (false, byte),
            (_, b'1'..=b'9') => (true, b' '),
            _ => (false, b' '),
        };
        mode = next;
        is_added
    })
}

#[cfg(test)]
mod tests {
    use super::changes;

    #[test]
    fn only_formats_that_can_show_an_identifier_count() {
        for (code, cell, expected) in [
            ("\"94\"00000000", "34765919", true),
            ("\\9\\400000000", "4765919", true),
            ("0;0;0;\"94\"@", "3 476 5919", true),
            ("0,", "9434765919000", true),
            ("#,##0,\"k\"", "1234567", false),
            ("0.0,,\"M\"", "12500000", false),
            ("0\" in FY2026\"", "12", false),
            ("\"FY2026\" 0;\"FY2026\" -0", "12", false),
            ("\"020 \"0000 0000", "79460018", false),
            ("\"+44 \"0", "2079460018", false),
            ("[h]\\ \"59\"\\1\\9", "39311.5", true),
            ("yyyymmdd\"59\"", "39311", true),
            ("\"94\"0", "12345678.5", true),
            ("\"94\"0", "1234567.5678", false),
            ("0.00", "9434765919", false),
        ] {
            assert_eq!(changes(code).is_some_and(|change| change.may_show(cell)), expected, "{code} {cell}");
        }
    }
}

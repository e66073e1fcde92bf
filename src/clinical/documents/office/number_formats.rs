//! Formats of a spreadsheet's numbers that show other digits than a cell has (ECMA-376 part 1, 18.8.31): those of their own, or
//! fewer; and which cells have them.
//!
//! Asked by `reader` for each cell. Promises: so many formats and no more. Fails never: more than are kept are said by `may_show`.

use super::xml::Element;
use std::collections::BTreeMap;

/// Formats that are kept, and looks of cells that refer to them.
const MOST: usize = 65_536;
/// Digits of an identifier.
const IDENTIFIER: usize = 10;

/// The formats of a workbook.
#[derive(Default)]
pub(super) struct NumberFormats {
    codes: BTreeMap<u32, Change>,
    /// What each look of cells refers to.
    looks: Vec<Option<Change>>,
    /// Where those are that have names, and the name of the last (XML of 2003).
    named: BTreeMap<String, usize>,
    name: String,
    list: List,
    is_full: bool,
}

/// The list that is read.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum List {
    #[default]
    Formats,
    Cells,
    Other,
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

impl NumberFormats {
    /// Takes what a part says of formats; whether it is one that cannot be told by its cells and changes their digits.
    pub fn element(&mut self, element: &Element<'_, '_>) -> bool {
        match element.local {
            "cellXfs" => self.list = List::Cells,
            "numFmts" => self.list = List::Formats,
            "cellStyleXfs" | "cellStyles" | "dxfs" => self.list = List::Other,
            "xf" if self.list == List::Cells => self.look(element),
            "Style" => self.name = element.attribute("ID").unwrap_or_default(),
            "NumberFormat" => self.named_look(element),
            "numFmt" => return self.format(element),
            _ => {}
        }
        false
    }

    fn look(&mut self, element: &Element<'_, '_>) {
        let format = element.attribute("numFmtId").and_then(|id| id.trim().parse::<u32>().ok());
        self.is_full |= self.looks.len() >= MOST;
        if !self.is_full {
            self.looks.push(format.and_then(|id| self.codes.get(&id).copied()));
        }
    }

    /// NumberFormat of a Style in the XML of 2003.
    fn named_look(&mut self, element: &Element<'_, '_>) {
        let Some(change) = element.attribute("Format").and_then(|code| changes(&code)) else { return };
        self.is_full |= self.looks.len() >= MOST;
        if !self.is_full {
            self.named.insert(self.name.clone(), self.looks.len());
            self.looks.push(Some(change));
        }
    }

    /// The look of that name.
    pub fn look_of(&self, name: &str) -> Option<usize> {
        self.named.get(name).copied()
    }

    fn format(&mut self, element: &Element<'_, '_>) -> bool {
        let Some(change) = element.attribute("formatCode").and_then(|code| changes(&code)) else { return false };
        let id = element.attribute("numFmtId").and_then(|id| id.trim().parse::<u32>().ok());
        self.is_full |= self.codes.len() >= MOST;
        // Those of conditions belong to no cell of their own.
        match id.filter(|_| self.list == List::Formats && !self.is_full) {
            Some(id) => {
                self.codes.insert(id, change);
                false
            }
            None => change.hidden > 0 || change.added >= super::numbers::OWN_DIGITS,
        }
    }

    /// Whether a cell of that look shows an identifier that is not in it.
    pub fn may_show(&self, look: usize, cell: &str) -> bool {
        if self.is_full {
            return true;
        }
        self.looks.get(look).copied().flatten().is_some_and(|change| change.may_show(cell))
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
fn sections(code: &str) -> Vec<&str> {
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

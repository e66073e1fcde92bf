//! Parts of binary workbooks of Excel: [MS-XLSB].
//!
//! Called by `office`. Promises: every record of a part is looked at once, in every sheet, hidden or not: cells become rows of a
//! table, comments texts of their own, and whatever else is written in a record is told beside them, whether the record is known or
//! not; where columns or rows are hidden, the table once more as it is shown. Fails never: a record that is cut or shorter than it
//! should be is said by `unread`.

mod arranging;
mod formula;
mod records;
#[cfg(test)]
mod tests;

use super::super::instructions;
use super::super::octets::Octets;
use super::super::{ole, runs};
use super::flow::{Flow, Readings, SOFT, Told};
use super::number_formats::{List, NumberFormats, Shown};
use super::numbers;

use super::strings::Strings;
use arranging::Arranging;
use records::{Record, Rich, rich_string, string};
use std::collections::BTreeSet;

/// What parts begin with: index, sheet, workbook, strings, caches, styles, pivot tables, metadata, tables, links, users,
/// revisions, connections, queries, dependencies, the order of calculation, comments, slicers.
const BEGINNINGS: &[u32] = &[
    INDEX, SHEET, 131, STRINGS, 179, 193, 277, STYLES, 280, 332, 341, 343, 353, 360, 401, 404, 411, 429, 447, 514, 528,
    COMMENTS, 1075, 1077, 1115,
];
/// BrtIndexRowBlock, BrtBeginSheet, BrtBeginSst, BrtBeginStyleSheet, BrtBeginComments.
const INDEX: u32 = 42;
const SHEET: u32 = 129;
const STRINGS: u32 = 159;
const STYLES: u32 = 278;
const COMMENTS: u32 = 628;

/// What is said of a record that is cut, or shorter than it should be.
pub(super) const CUT: &str = "workbook record";

/// What was in a part.
pub(super) struct Part {
    pub told: Told,
    /// What could not be told.
    pub unread: BTreeSet<&'static str>,
    /// Whether people write in parts of its kind.
    pub is_written: bool,
}

/// Whether octets begin as a part of a binary workbook.
pub(super) fn is_part(bytes: &[u8]) -> bool {
    let first = records::next(&mut Octets::of(bytes));
    // An index begins with a star, as text may.
    first.is_some_and(|first| BEGINNINGS.contains(&first.kind) && (first.kind != INDEX || first.data.len() == 24))
}

/// Whether other parts refer to what begins like this: the strings that cells share, and how cells look.
pub(super) fn is_referred_to(beginning: &[u8]) -> bool {
    matches!(first(beginning), Some(STRINGS | STYLES))
}

fn first(bytes: &[u8]) -> Option<u32> {
    records::next(&mut Octets::of(bytes)).map(|record| record.kind)
}

pub(super) fn read(bytes: &[u8], (strings, formats): (&mut Strings, &mut NumberFormats), room: usize) -> Part {
    let is_written = first(bytes).is_some_and(|kind| [SHEET, STRINGS, COMMENTS].contains(&kind));
    let (flow, unread, arranging) = (Flow::new(room), BTreeSet::new(), Arranging::default());
    let mut reader = Reader { flow, strings, formats, unread, column: 0, tabs: 0, arranging };
    let mut octets = Octets::of(bytes);
    while let Some(record) = records::next(&mut octets) {
        if reader.record(&record).is_none() {
            reader.unread.insert(CUT);
            reader.unknown(record.data);
        }
    }
    if !octets.is_empty() {
        reader.unread.insert(CUT);
        reader.unknown(octets.rest());
    }
    reader.tell_arranged();
    Part { told: reader.flow.finish(&[]), unread: reader.unread, is_written }
}

struct Reader<'s> {
    flow: Flow,
    strings: &'s mut Strings,
    formats: &'s mut NumberFormats,
    unread: BTreeSet<&'static str>,
    /// Of the next cell, where it does not say its own.
    column: usize,
    /// Tabs written in this row.
    tabs: usize,
    arranging: Arranging,
}

impl Reader<'_> {
    /// Nothing: what is shown is shorter than it should be.
    fn record(&mut self, record: &Record<'_>) -> Option<()> {
        let mut octets = Octets::of(record.data);
        match record.kind {
            0 => self.row(octets),
            // BrtColInfo, BrtBeginWsView.
            60 => _ = self.arranging.columns(octets),
            137 => _ = self.arranging.view(octets),
            // BrtCellBlank to BrtFmlaError, BrtCellRString.
            1..=11 | 62 => {
                let column = octets.length()?;
                self.cell(record.kind, column, &mut octets)?;
            }
            // BrtShortRk and the like: the cell to the right of the last one.
            12..=18 | 61 => self.cell(record.kind, self.column, &mut octets)?,
            // BrtSSTItem, BrtFmt, BrtCommentText.
            19 => self.shared(&rich_string(&mut octets)?),
            44 => {
                let id = octets.u16()?;
                let code = string(&mut octets)?;
                self.formats.format(u32::from(id), &code);
                self.flow.note("format", &code);
            }
            // BrtBeginCellXFs, BrtEndCellXFs, BrtXF.
            617 => self.formats.begin(List::Cells),
            618 => self.formats.begin(List::Other),
            47 => {
                octets.u16()?;
                self.formats.look(octets.u16().map(u32::from));
            }
            637 => self.comment(&rich_string(&mut octets)?),
            // Versions differ in what stands before the strings.
            kind if self.beside(kind, &mut octets).is_none() => octets = Octets::of(record.data),
            _ => {}
        }
        self.unknown(octets.rest());
        Some(())
    }

    /// What is told beside the cells. Nothing: it stands elsewhere in the record.
    fn beside(&mut self, kind: u32, octets: &mut Octets<'_>) -> Option<()> {
        match kind {
            // BrtPCDINumber, BrtExternCellReal: what caches and other workbooks have.
            21 => self.noted_number(octets),
            368 => {
                octets.u32()?;
                self.noted_number(octets)
            }
            // BrtName, BrtBundleSh, BrtBeginHeaderFooter, BrtHLink, BrtCommentAuthor.
            39 => {
                octets.take(9)?;
                self.notes("name", 1, octets)?;
                self.expression(octets).map(|_| ())
            }
            156 => {
                octets.take(8)?;
                self.notes("sheet", 2, octets)
            }
            479 => self.header(octets),
            494 => {
                octets.take(16)?;
                self.notes("link", 4, octets)
            }
            632 => self.notes("author", 1, octets),
            _ => Some(()),
        }
    }

    /// BrtRowHdr
    fn row(&mut self, octets: Octets<'_>) {
        _ = self.arranging.row(octets);
        (self.column, self.tabs) = (0, 0);
        self.flow.end_row();
    }

    /// Cell: the column, what it looks like, then what is in it.
    fn cell(&mut self, kind: u32, column: usize, octets: &mut Octets<'_>) -> Option<()> {
        // The look of the cell is a number of three octets.
        let look = octets.u32()? & 0xFF_FFFF;
        self.flow.tabs(column.saturating_sub(self.tabs));
        self.tabs = self.tabs.max(column);
        self.column = column.saturating_add(1);
        self.flow.begin_place();
        let start = self.flow.len();
        let told = self.value(kind, octets);
        self.formatted(usize::try_from(look).ok()?, start, matches!(kind, 6..=8 | 17 | 18 | 61 | 62));
        let text = self.flow.shown().get(start..).unwrap_or_default();
        self.arranging.cell(column, start..start + text.trim_end_matches([SOFT, '\n']).len());
        self.flow.end_place();
        told
    }

    /// What the format of the cell shows whose text begins at `start`.
    fn formatted(&mut self, look: usize, start: usize, is_text: bool) {
        let text = self.flow.shown().get(start..).unwrap_or_default();
        match self.formats.shown(look, text, is_text) {
            Shown::Same => {}
            Shown::Other(text) => self.flow.swap(start..self.flow.len(), &text, &text),
            Shown::Unknown => _ = self.unread.insert("number format"),
        }
    }

    fn value(&mut self, kind: u32, octets: &mut Octets<'_>) -> Option<()> {
        match kind {
            2 | 13 => self.number(ole::rk(octets.u32()?)),
            3 | 11 | 14 => {
                octets.u8()?;
                self.push("#");
            }
            4 | 10 | 15 => {
                let shown = if octets.u8()? == 0 { "FALSE" } else { "TRUE" };
                self.push(shown);
            }
            5 | 9 | 16 => self.number(octets.f64()?),
            7 | 18 => {
                let text = self.strings.at(octets.length()?).unwrap_or_default();
                self.flow.push(text, Readings::ALL);
            }
            8 => return self.formula_string(octets),
            6 | 17 => {
                let text = string(octets)?;
                self.push(&text);
            }
            61 | 62 => {
                let rich = rich_string(octets)?;
                self.push(&rich.text);
                self.spoken(&rich);
            }
            _ => {}
        }
        if matches!(kind, 9..=11) {
            self.formula(octets)?;
        }
        Some(())
    }

    /// BrtFmlaString: an empty string is a value, too, as long as the formula has no digits of its own.
    fn formula_string(&mut self, octets: &mut Octets<'_>) -> Option<()> {
        let text = string(octets)?;
        self.push(&text);
        let constants = self.formula(octets)?;
        if text.trim().is_empty() && constants.is_none_or(|own| numbers::has_digits_of_its_own(&own)) {
            self.unread.insert("formula without value");
        }
        Some(())
    }

    /// The formula of a cell or of a name: its constants, one behind the other; none where not all of it is known.
    fn formula(&mut self, octets: &mut Octets<'_>) -> Option<Option<String>> {
        octets.u16()?;
        self.expression(octets)
    }

    fn expression(&mut self, octets: &mut Octets<'_>) -> Option<Option<String>> {
        let (formula, more) = formula::read(octets)?;
        self.unknown(more);
        let joined = formula.constants.concat();
        if !joined.is_empty() {
            self.flow.note("formula", &formula.constants.join(" "));
            // What a formula puts together is one text.
            self.flow.note("formula", &joined);
        }
        Some((!formula.is_unknown).then_some(joined))
    }

    /// BrtSSTItem
    fn shared(&mut self, rich: &Rich) {
        let text = in_cell(&rich.text);
        self.strings.push(&text);
        self.flow.push(&text, Readings::ALL);
        self.flow.push("\n", Readings::ALL);
        self.spoken(rich);
    }

    /// BrtCommentText
    fn comment(&mut self, rich: &Rich) {
        let is_apart = self.flow.begin_story();
        self.push(&rich.text);
        if is_apart {
            self.flow.end_story();
        }
        self.spoken(rich);
    }

    /// BrtBeginHeaderFooter: of odd, even and first pages.
    fn header(&mut self, octets: &mut Octets<'_>) -> Option<()> {
        octets.u16()?;
        for _ in 0..6 {
            let text = string(octets)?;
            self.flow.note("header", &text);
            self.flow.note("header", &numbers::without_codes(&text));
        }
        Some(())
    }

    /// So many strings in a row.
    fn notes(&mut self, label: &str, count: usize, octets: &mut Octets<'_>) -> Option<()> {
        for _ in 0..count {
            let text = string(octets)?;
            if !text.is_empty() {
                self.flow.note(label, &text);
                self.flow.tell_aside(" ;");
            }
        }
        Some(())
    }

    fn spoken(&mut self, rich: &Rich) {
        if !rich.spoken.is_empty() {
            self.flow.note("spoken", &rich.spoken);
        }
    }

    /// Whatever is written in octets that nobody here knows.
    fn unknown(&mut self, data: &[u8]) {
        for text in [runs::of(data), records::short_strings(data), records::long_numbers(data)] {
            if !text.is_empty() {
                self.flow.tell_aside("\n;\n");
                self.flow.tell_aside(&text);
            }
        }
    }

    fn noted_number(&mut self, octets: &mut Octets<'_>) -> Option<()> {
        self.flow.note("number", &numbers::shown(&octets.f64()?.to_string()));
        self.flow.tell_aside(" ;");
        Some(())
    }

    fn number(&mut self, number: f64) {
        self.flow.push(&numbers::shown(&number.to_string()), Readings::ALL);
    }

    fn push(&mut self, text: &str) {
        self.flow.push(&in_cell(text), Readings::ALL);
    }
}

/// As it stands in a cell.
fn in_cell(text: &str) -> String {
    let one = |c: char| match c {
        '\n' => SOFT,
        '\t' => ' ',
        c => instructions::sign(c),
    };
    text.chars().filter(|c| *c != '\r').map(one).collect()
}

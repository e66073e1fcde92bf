//! Where the cells of a workbook stand, and which of them are shown: [MS-XLS] 2.4.53, 2.4.221, 2.4.346.
//!
//! Part of `excel`. Promises: each sheet by itself, as sheets of later workbooks are; so many cells and as much text, and no more.
//! Fails never: what is hidden and was not kept is told by `is_cut`.

use super::super::super::octets::Octets;
use super::super::super::office::{Arrangement, At, Sheet, is_low, is_narrow};
use std::collections::BTreeMap;
use std::ops::Range;

const ROW: u16 = 0x0208;
const COLUMNS: u16 = 0x007D;
const WINDOW: u16 = 0x023E;
const BEGIN: u16 = 0x0809;
const END: u16 = 0x000A;
/// Charts inside sheets, inside one another.
const DEEPEST: usize = 64;

#[derive(Default)]
pub(super) struct Cells {
    /// Octets that may be told.
    room: usize,
    sheet: Sheet,
    arrangement: Arrangement,
    /// What the formats of cells show, by where the stored text begins.
    shown: BTreeMap<usize, String>,
    formatted: usize,
    /// Sheets and charts that are open, each a table of its own.
    open: Vec<u32>,
    tables: u32,
    told: String,
    is_cut: bool,
}

impl Cells {
    pub fn new(room: usize) -> Cells {
        Cells { room, ..Cells::default() }
    }

    /// A record that may say how the cells are shown; `text`: the text of all sheets so far.
    pub fn record(&mut self, kind: u16, octets: Octets<'_>, text: &str) {
        match kind {
            BEGIN => self.begin(),
            END => {
                self.open.pop();
                if self.open.is_empty() {
                    self.settle(text);
                }
            }
            ROW => _ = self.row(octets),
            COLUMNS => _ = self.columns(octets),
            WINDOW => _ = self.window(octets),
            _ => {}
        }
    }

    fn begin(&mut self) {
        self.tables = self.tables.saturating_add(1);
        self.open.truncate(DEEPEST - 1);
        self.open.push(self.tables);
    }

    fn table(&self) -> u32 {
        self.open.last().copied().unwrap_or_default()
    }

    /// `fDyZero`, or a row as low as a line; no height is the usual one.
    fn row(&mut self, mut octets: Octets<'_>) -> Option<()> {
        const HIDDEN: u16 = 0x20;
        let row = u32::from(octets.u16()?);
        octets.take(4)?;
        let height = octets.u16()?;
        octets.take(4)?;
        if octets.u16()? & HIDDEN != 0 || is_low(height) {
            self.arrangement.hide_rows(self.table(), row..row + 1);
        }
        Some(())
    }

    /// `fHidden`, or columns as narrow as a line.
    fn columns(&mut self, mut octets: Octets<'_>) -> Option<()> {
        let (first, last) = (u32::from(octets.u16()?), u32::from(octets.u16()?));
        let width = u32::from(octets.u16()?);
        octets.take(2)?;
        if octets.u16()? & 1 != 0 || is_narrow(width) {
            self.arrangement.hide_columns(self.table(), first..last + 1);
        }
        Some(())
    }

    /// `fRightToLeft`
    fn window(&mut self, mut octets: Octets<'_>) -> Option<()> {
        const RIGHT_TO_LEFT: u16 = 0x40;
        let is_turned = octets.u16()? & RIGHT_TO_LEFT != 0;
        self.arrangement.turn(self.table(), is_turned);
        Some(())
    }

    /// A cell whose text stands there in the text of all sheets.
    pub fn cell(&mut self, row: u16, column: u16, text: Range<usize>) {
        let at = At { table: self.table(), row: u32::from(row), column: u32::from(column) };
        self.sheet.cell(at, text);
    }

    /// What is shown for the stored text that begins there.
    pub fn shows(&mut self, start: usize, text: &str) {
        self.formatted = self.formatted.saturating_add(text.len());
        if self.formatted <= self.room {
            self.shown.insert(start, text.to_owned());
        }
    }

    /// All cells of a sheet are known.
    fn settle(&mut self, text: &str) {
        let (mut sheet, mut arrangement) = (std::mem::take(&mut self.sheet), std::mem::take(&mut self.arrangement));
        let shown = std::mem::take(&mut self.shown);
        for (label, digits) in sheet.columns(text) {
            self.tell(&format!("{label} {digits}"));
        }
        if arrangement.is_empty() {
            return;
        }
        let rows = sheet.arranged(&mut arrangement, (text, &shown), self.room.saturating_sub(self.told.len()));
        self.is_cut |= rows.is_none() || arrangement.is_cut() || sheet.is_cut() || self.formatted > self.room;
        self.tell(&rows.unwrap_or_default());
    }

    fn tell(&mut self, text: &str) {
        if !text.is_empty() && self.told.len().saturating_add(text.len()) <= self.room {
            self.told.push_str(text);
            self.told.push_str("\n;\n");
        }
    }

    /// The sheets as they are shown, and numbers that go down a column.
    pub fn finish(&mut self, text: &str) -> String {
        self.settle(text);
        std::mem::take(&mut self.told)
    }

    /// Whether something hidden was not kept.
    pub fn is_cut(&self) -> bool {
        self.is_cut
    }
}

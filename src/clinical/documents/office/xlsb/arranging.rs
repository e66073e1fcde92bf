//! Which columns and rows of a sheet are shown, and from which side: BrtColInfo, BrtRowHdr, BrtBeginWsView ([MS-XLSB] 2.4).
//!
//! Part of `xlsb`. Promises: what sheets of XML say is said here alike. Fails with nothing where a record is shorter than it should be.

use super::super::super::octets::Octets;
use super::super::arranged::{Arrangement, HIDDEN_CELLS, is_low, is_narrow};
use super::super::sheet::{At, Sheet};
use super::Reader;
use std::ops::Range;

/// A part has one sheet.
const TABLE: u32 = 0;

/// The cells of a sheet, and how they are shown.
#[derive(Default)]
pub(super) struct Arranging {
    sheet: Sheet,
    arrangement: Arrangement,
    row: u32,
}

impl Arranging {
    /// BrtRowHdr: its number, how it looks, its height, and the bit of one that is hidden.
    pub fn row(&mut self, mut octets: Octets<'_>) -> Option<()> {
        const HIDDEN: u8 = 0x10;
        self.row = octets.u32()?;
        octets.take(4)?;
        let height = octets.u16()?;
        octets.u8()?;
        if octets.u8()? & HIDDEN != 0 || is_low(height) {
            self.arrangement.hide_rows(TABLE, self.row..self.row.saturating_add(1));
        }
        Some(())
    }

    /// BrtColInfo: columns, their width, how they look, and the bit of those that are hidden.
    pub fn columns(&mut self, mut octets: Octets<'_>) -> Option<()> {
        let (first, last) = (octets.u32()?, octets.u32()?);
        let width = octets.u32()?;
        octets.take(4)?;
        if octets.u8()? & 1 != 0 || is_narrow(width) {
            self.arrangement.hide_columns(TABLE, first..last.saturating_add(1));
        }
        Some(())
    }

    /// BrtBeginWsView
    pub fn view(&mut self, mut octets: Octets<'_>) -> Option<()> {
        const RIGHT_TO_LEFT: u16 = 0x20;
        if octets.u16()? & RIGHT_TO_LEFT != 0 {
            self.arrangement.turn(TABLE, true);
        }
        Some(())
    }

    /// A cell whose text stands there in the part's.
    pub fn cell(&mut self, column: usize, text: Range<usize>) {
        let column = u32::try_from(column).unwrap_or(u32::MAX);
        self.sheet.cell(At { table: TABLE, row: self.row, column }, text);
    }
}

impl Reader<'_> {
    /// All was read: numbers that go down a column, and the sheet as it is shown.
    pub(super) fn tell_arranged(&mut self) {
        let Arranging { mut sheet, arrangement, .. } = std::mem::take(&mut self.arranging);
        for (label, digits) in sheet.columns(self.flow.shown()) {
            self.flow.note(&label, &digits);
            self.flow.tell_aside("\n;\n");
        }
        let has_all = arrangement.is_empty() || !sheet.is_cut();
        if !self.flow.arrange(&mut sheet, arrangement, &[]) || !has_all {
            self.unread.insert(HIDDEN_CELLS);
        }
    }
}

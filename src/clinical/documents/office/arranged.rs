//! Sheets and tables as they are shown: without the columns and rows that are hidden, and from the right where they are read from
//! there.
//!
//! Called by `reader` and the readers of workbooks. Promises: of those tables alone in which something is hidden or turned; linear,
//! but for the order; so many hidden columns and rows, and no more. Fails never: a bound that is reached is told by `is_cut`.

use super::sheet::At;
use std::collections::BTreeMap;
use std::ops::Range;

/// Hidden columns and rows that are kept of one part, those that stand together as one.
const MOST: usize = 500_000;
/// Characters of a column that nobody can read, and points of such a row.
pub(super) const NO_WIDTH: f64 = 0.5;
pub(super) const NO_HEIGHT: f64 = 1.0;
/// What is said where not all that is hidden was kept.
pub(in super::super) const HIDDEN_CELLS: &str = "hidden cells";
/// Tabs in one row.
const TABS: u32 = 256;

/// A cell, and where its text stands.
pub(super) type Cell = (At, Range<usize>);

/// How the tables of a part are shown.
#[derive(Default)]
pub(in super::super) struct Arrangement {
    tables: BTreeMap<u32, Table>,
    kept: usize,
    is_cut: bool,
}

#[derive(Default)]
struct Table {
    is_turned: bool,
    columns: Hidden,
    rows: Hidden,
}

impl Arrangement {
    pub fn hide_columns(&mut self, table: u32, columns: Range<u32>) {
        self.hide(table, columns, |table| &mut table.columns);
    }

    pub fn hide_rows(&mut self, table: u32, rows: Range<u32>) {
        self.hide(table, rows, |table| &mut table.rows);
    }

    /// The first column of the table stands on the right, or does not after all.
    pub fn turn(&mut self, table: u32, is_turned: bool) {
        if let Some(table) = self.tables.get_mut(&table) {
            table.is_turned = is_turned;
        } else if is_turned && self.takes() {
            self.tables.insert(table, Table { is_turned, ..Table::default() });
        }
    }

    pub fn is_turned(&self, table: u32) -> bool {
        self.tables.get(&table).is_some_and(|table| table.is_turned)
    }

    pub fn is_empty(&self) -> bool {
        self.tables.is_empty()
    }

    /// Whether something hidden was not kept.
    pub fn is_cut(&self) -> bool {
        self.is_cut
    }

    fn hide(&mut self, table: u32, range: Range<u32>, list: fn(&mut Table) -> &mut Hidden) {
        if range.is_empty() || self.tables.get_mut(&table).is_some_and(|table| list(table).joins(&range)) {
            return;
        }
        if self.takes() {
            list(self.tables.entry(table).or_default()).ranges.push(range);
        }
    }

    /// Whether one more is kept.
    fn takes(&mut self) -> bool {
        self.is_cut |= self.kept == MOST;
        self.kept += usize::from(!self.is_cut);
        !self.is_cut
    }

    /// The cells that are shown, each where it is shown, of the tables that are shown in another way than they are written;
    /// `cells` in their order.
    pub(super) fn visible(&mut self, cells: &[Cell]) -> Vec<Cell> {
        let mut visible = Vec::new();
        for own in cells.chunk_by(|a, b| a.0.table == b.0.table) {
            let table = own.first().and_then(|(at, _)| self.tables.get_mut(&at.table));
            visible.extend(table.map(|table| table.visible(own)).unwrap_or_default());
        }
        visible
    }
}

impl Table {
    fn visible(&mut self, cells: &[Cell]) -> Vec<Cell> {
        self.columns.settle();
        self.rows.settle();
        let shown = |at: At| Some(At { row: self.rows.shown(at.row)?, column: self.columns.shown(at.column)?, ..at });
        let place = |(at, text): &Cell| shown(*at).map(|shown| (shown, text.clone()));
        let mut visible: Vec<Cell> = cells.iter().filter_map(place).collect();
        let is_same = |(shown, cell): (&Cell, &Cell)| shown.0 == cell.0;
        if !self.is_turned && visible.len() == cells.len() && visible.iter().zip(cells).all(is_same) {
            return Vec::new();
        }
        if self.is_turned {
            let last = visible.iter().map(|(at, _)| at.column).max().unwrap_or_default();
            visible.iter_mut().for_each(|(at, _)| at.column = last.saturating_sub(at.column));
            visible.sort_by_key(|(at, _)| *at);
        }
        visible
    }
}

/// Columns or rows that are hidden.
#[derive(Default)]
struct Hidden {
    ranges: Vec<Range<u32>>,
    /// How many are hidden before each of them, once it is settled.
    before: Vec<u32>,
}

impl Hidden {
    /// Makes the last one longer, where it goes on in that.
    fn joins(&mut self, range: &Range<u32>) -> bool {
        let last = self.ranges.last_mut().filter(|last| last.start <= range.start && range.start <= last.end);
        last.map(|last| last.end = last.end.max(range.end)).is_some()
    }

    /// In their order, and none in another.
    fn settle(&mut self) {
        self.ranges.sort_by_key(|range| range.start);
        let mut merged: Vec<Range<u32>> = Vec::new();
        for range in self.ranges.drain(..) {
            match merged.last_mut().filter(|last| range.start <= last.end) {
                Some(last) => last.end = last.end.max(range.end),
                None => merged.push(range),
            }
        }
        self.before.clear();
        let mut hidden = 0_u32;
        for range in &merged {
            self.before.push(hidden);
            hidden = hidden.saturating_add(range.end - range.start);
        }
        self.ranges = merged;
    }

    /// Which of those that are shown it is; nothing where it is hidden.
    fn shown(&self, at: u32) -> Option<u32> {
        let behind = self.ranges.partition_point(|range| range.start <= at);
        let Some(last) = behind.checked_sub(1) else { return Some(at) };
        let (range, before) = (self.ranges.get(last)?, self.before.get(last)?);
        (at >= range.end).then(|| at.saturating_sub(before.saturating_add(range.end - range.start)))
    }
}

/// Whether nobody can read a row of so many twentieths of a point; none: it is as high as usual.
pub(in super::super) fn is_low(twips: u16) -> bool {
    twips > 0 && f64::from(twips) < NO_HEIGHT * 20.0
}

/// The same of a column of so many 256ths of a character.
pub(in super::super) fn is_narrow(width: u32) -> bool {
    f64::from(width) < NO_WIDTH * 256.0
}

/// Cells as rows of lines, with what `shown` says of the text that begins there, or what stands there; nothing where that is longer than
/// `most`.
pub(super) fn rows(cells: &[Cell], text: &str, shown: &BTreeMap<usize, String>, most: usize) -> Option<String> {
    let mut out = String::new();
    for row in cells.chunk_by(|(a, _), (b, _)| (a.table, a.row) == (b.table, b.row)) {
        let mut column = 0;
        for (at, range) in row {
            (0..at.column.saturating_sub(column).min(TABS)).for_each(|_| out.push('\t'));
            column = at.column;
            let stored = || text.get(range.clone()).unwrap_or_default();
            out.push_str(shown.get(&range.start).map_or_else(stored, String::as_str));
            if out.len() > most {
                return None;
            }
        }
        out.push('\n');
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::{Arrangement, MOST, rows};
    use crate::clinical::documents::office::sheet::At;
    use std::collections::BTreeMap;

    const TEXT: &str = "abcdef";

    /// Two rows of three columns, in a table of that number.
    fn read(arrangement: &mut Arrangement) -> String {
        let at = |index: u32| At { table: 1, row: index / 3, column: index % 3 };
        let cells: Vec<_> = (0..6).map(|index| (at(index), index as usize..index as usize + 1)).collect();
        rows(&arrangement.visible(&cells), TEXT, &BTreeMap::new(), 100).unwrap()
    }

    #[test]
    fn what_is_hidden_is_left_out_and_the_rest_moves_together() {
        for (columns, lines, is_turned, expected) in [
            (1..2, 0..0, false, "a\tc\nd\tf\n"),
            (0..1, 0..0, false, "b\tc\ne\tf\n"),
            (3..9, 0..0, false, ""),
            (0..0, 0..1, false, "d\te\tf\n"),
            (0..3, 0..0, false, ""),
            (0..0, 0..0, true, "c\tb\ta\nf\te\td\n"),
            (2..3, 1..2, true, "b\ta\n"),
        ] {
            let mut arrangement = Arrangement::default();
            arrangement.hide_columns(1, columns.clone());
            arrangement.hide_rows(1, lines);
            arrangement.turn(1, is_turned);
            assert_eq!(read(&mut arrangement), expected, "{columns:?}");
        }
        let mut other = Arrangement::default();
        other.hide_columns(2, 0..1);
        assert_eq!(read(&mut other), "");
        other.turn(1, true);
        other.turn(1, false);
        assert_eq!(read(&mut other), "");
    }

    #[test]
    fn ranges_in_any_order_are_one() {
        let mut arrangement = Arrangement::default();
        for range in [2..3, 0..1, 0..0, 2..2, 1..2] {
            arrangement.hide_rows(1, range);
        }
        arrangement.hide_columns(1, u32::MAX - 1..u32::MAX);
        assert_eq!(read(&mut arrangement), "");
    }

    #[test]
    fn so_many_are_kept_and_more_are_said() {
        let mut arrangement = Arrangement::default();
        let many = u32::try_from(MOST).unwrap();
        (0..many).for_each(|row| arrangement.hide_rows(1, 2 * row..2 * row + 1));
        assert!(!arrangement.is_cut());
        arrangement.hide_rows(1, 7..8);
        assert!(arrangement.is_cut());
        let mut together = Arrangement::default();
        (0..2 * many).for_each(|row| together.hide_rows(1, row..row + 1));
        assert!(!together.is_cut());
    }

    #[test]
    fn what_is_longer_than_there_is_room_for_is_not_read() {
        let far = [(At { table: 1, row: 0, column: u32::MAX }, 0..1)];
        assert_eq!(rows(&far, TEXT, &BTreeMap::new(), 100), None);
        assert_eq!(rows(&far, TEXT, &BTreeMap::from([(0, "x".to_owned())]), 999).unwrap().trim(), "x");
    }
}

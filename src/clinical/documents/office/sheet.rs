//! The cells of a sheet, so that formulas can be worked out anew and numbers be read that go down a column.
//!
//! Called by `reader`. Promises: so many cells, formulas and look-ups, and no more. Fails never: what is not kept or not known stays
//! as it is stored.

use super::arranged::{self, Arrangement};
use super::evaluation::{self, Known};
use std::cell::Cell as Counter;
use std::collections::BTreeMap;
use std::ops::Range;

/// Cells and formulas that are kept of one part.
const CELLS: usize = 500_000;
const FORMULAS: usize = 20_000;
/// The same with those that join texts.
const JOINED: usize = 100_000;
/// Octets of a cell that may be a piece of something, and of a formula.
const PIECE: usize = 128;
const FORMULA: usize = 512;
/// Values that are looked up in one part, cells of one range, and formulas that refer to formulas.
const LOOKUPS: usize = 200_000;
const RANGE: u32 = 64;
const DEEPEST: usize = 4;
/// Digits of an identifier.
const IDENTIFIER: usize = 10;
/// Marks between pieces that stand one below the other.
const BELOW: &str = "     ";

/// Where a cell is.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) struct At {
    pub table: u32,
    pub row: u32,
    pub column: u32,
}

/// The cells of a part.
#[derive(Default)]
pub(in super::super) struct Sheet {
    cells: Vec<(At, Range<usize>)>,
    /// Formulas, with the number of the text that each comes to.
    formulas: Vec<(At, String, usize)>,
    /// A formula that joins texts was not worked out, or a cell was not kept.
    is_cut: Counter<bool>,
}

impl Sheet {
    /// A cell whose text stands there in the part's.
    pub fn cell(&mut self, at: At, text: Range<usize>) {
        if text.is_empty() || text.len() > PIECE {
            return;
        }
        if self.cells.len() == CELLS {
            return self.is_cut.set(true);
        }
        self.cells.push((at, text));
    }

    /// Whether the formula may be worked out; its number is told by `formula`.
    pub fn takes(&self, formula: &str) -> bool {
        let (kept, is_joined) = (self.formulas.len(), joins(formula));
        let takes = (kept < FORMULAS || (is_joined && kept < JOINED)) && formula.len() <= FORMULA;
        self.is_cut.set(self.is_cut.get() || (is_joined && kept >= JOINED));
        takes
    }

    /// Whether a formula or a cell is left that may be of an identifier in several pieces.
    pub fn is_cut(&self) -> bool {
        self.is_cut.get()
    }

    pub fn formula(&mut self, at: At, formula: &str, number: usize) {
        self.formulas.push((at, formula.to_owned(), number));
    }

    /// All cells are known: what the formulas come to, each under its number, if it is another identifier than is stored.
    pub fn results(&mut self, text: &str, results: &mut [Option<String>]) {
        self.cells.sort_by_key(|(at, _)| *at);
        self.formulas.sort_by_key(|(at, ..)| *at);
        let sheet = Looked { sheet: self, text, left: Counter::new(LOOKUPS) };
        // Sums crowd nothing out.
        let (joined, others): (Vec<_>, Vec<_>) = self.formulas.iter().partition(|(_, formula, _)| joins(formula));
        for (at, formula, number) in joined.into_iter().chain(others) {
            self.is_cut.set(self.is_cut.get() || (sheet.left.get() == 0 && joins(formula)));
            let digits = |text: &str| text.bytes().filter(u8::is_ascii_digit).collect::<Vec<u8>>();
            let value = evaluation::value(formula, &Seen { sheet: &sheet, at: *at, depth: 0 });
            let stored = sheet.stored(*at).unwrap_or_default();
            let differs = |value: &String| digits(value).len() >= IDENTIFIER && digits(value) != digits(stored);
            if let Some(slot) = results.get_mut(*number) {
                *slot = value.filter(differs);
            }
        }
    }

    /// Ten digits that stand one below the other, each with what stands above or beside the first.
    pub fn columns(&mut self, text: &str) -> Vec<(String, String)> {
        self.cells.sort_by_key(|(at, _)| (at.table, at.column, at.row));
        let mut found = Vec::new();
        let of =
            |index: usize| self.cells.get(index).and_then(|(at, range)| Some((*at, text.get(range.clone())?.trim())));
        let mut first = 0;
        while first < self.cells.len() {
            let mut end = first;
            while let Some((at, _)) = of(end).filter(|(_, text)| is_piece(text))
                && (end == first || of(end - 1).is_some_and(|(above, _)| above.is_above(at)))
            {
                end += 1;
            }
            let pieces: Vec<&str> = (first..end.min(first + IDENTIFIER + 1)).filter_map(|i| Some(of(i)?.1)).collect();
            if pieces.len() > 1 && pieces.len() == end - first && pieces.concat().len() == IDENTIFIER {
                let above = first
                    .checked_sub(1)
                    .and_then(of)
                    .filter(|(above, _)| of(first).is_some_and(|(at, _)| above.is_above(at)));
                let beside = || of(first).and_then(|(at, _)| self.left_of(at, text));
                let label = above.map(|(_, text)| text).or_else(beside).unwrap_or_default();
                found.push((label.to_owned(), pieces.join(BELOW)));
            }
            first = end.max(first + 1);
        }
        found
    }

    /// The tables that are shown in another way than they are written, and ten digits that stand one below the other in them; `shown`: what is
    /// shown for a text that begins there. Nothing where that is longer than `most`.
    pub fn arranged(
        &mut self,
        arrangement: &mut Arrangement,
        (text, shown): (&str, &BTreeMap<usize, String>),
        most: usize,
    ) -> Option<String> {
        self.cells.sort_by_key(|(at, _)| *at);
        let cells = arrangement.visible(&self.cells);
        let mut rows = arranged::rows(&cells, text, shown, most)?;
        for (label, digits) in (Sheet { cells, ..Sheet::default() }).columns(text) {
            rows.push_str(&format!("\n;\n{label} {digits}"));
        }
        Some(rows)
    }

    /// What stands to the left, where the cells are sorted by their columns.
    fn left_of<'t>(&self, at: At, text: &'t str) -> Option<&'t str> {
        let left = (at.table, at.column.checked_sub(1)?, at.row);
        let found = self.cells.binary_search_by_key(&left, |(at, _)| (at.table, at.column, at.row)).ok()?;
        text.get(self.cells.get(found)?.1.clone())
    }
}

/// Whether a formula may make a text of several.
fn joins(formula: &str) -> bool {
    let upper = formula.to_ascii_uppercase();
    upper.contains('&') || upper.contains("CONCAT") || upper.contains("TEXT")
}

impl At {
    fn is_above(self, other: At) -> bool {
        (self.table, self.column, self.row.saturating_add(1)) == (other.table, other.column, other.row)
    }
}

fn is_piece(text: &str) -> bool {
    (1..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A sheet whose cells are looked up.
struct Looked<'s> {
    sheet: &'s Sheet,
    text: &'s str,
    left: Counter<usize>,
}

impl Looked<'_> {
    fn stored(&self, at: At) -> Option<&str> {
        let found = self.sheet.cells.binary_search_by_key(&at, |(at, _)| *at).ok()?;
        self.text.get(self.sheet.cells.get(found)?.1.clone())
    }

    fn value(&self, at: At, depth: usize) -> Option<String> {
        self.left.set(self.left.get().checked_sub(1)?);
        let formula = self.sheet.formulas.binary_search_by_key(&at, |(at, ..)| *at).ok();
        let formula = formula.and_then(|found| self.sheet.formulas.get(found)).filter(|_| depth < DEEPEST);
        let worked_out =
            formula.and_then(|(_, text, _)| evaluation::value(text, &Seen { sheet: self, at, depth: depth + 1 }));
        Some(worked_out.unwrap_or_else(|| self.stored(at).unwrap_or_default().trim().to_owned()))
    }
}

/// The sheet as a formula sees it.
struct Seen<'s> {
    sheet: &'s Looked<'s>,
    at: At,
    depth: usize,
}

impl Known for Seen<'_> {
    fn values(&self, reference: &str) -> Option<Vec<String>> {
        let (first, last) = reference.split_once(':').unwrap_or((reference, reference));
        let (first, last) = (place(first, self.at)?, place(last, self.at)?);
        let rows = last.row.checked_sub(first.row)?.checked_add(1)?;
        let columns = last.column.checked_sub(first.column)?.checked_add(1)?;
        if rows.checked_mul(columns)? > RANGE {
            return None;
        }
        let all = (first.row..=last.row)
            .flat_map(|row| (first.column..=last.column).map(move |column| At { row, column, ..first }));
        all.map(|at| self.sheet.value(at, self.depth)).collect()
    }
}

/// `A9`, `.A9`, `$A$9`, and `R9C1`, `R[-1]C`, seen from a cell. Those of other sheets are not known.
fn place(reference: &str, from: At) -> Option<At> {
    let plain: String = reference.trim().trim_start_matches('.').chars().filter(|c| *c != '$').collect();
    relative(&plain, from).or_else(|| {
        let letters = plain.bytes().take_while(u8::is_ascii_alphabetic).count();
        let row = plain.get(letters..)?.parse::<u32>().ok()?.checked_sub(1)?;
        let column = super::numbers::column(plain.get(..letters)?).filter(|_| letters <= 3)?;
        Some(At { row, column: u32::try_from(column).ok()?, ..from })
    })
}

fn relative(reference: &str, from: At) -> Option<At> {
    let (row, column) = reference.strip_prefix('R')?.split_once('C')?;
    let one = |text: &str, own: u32| match text.strip_prefix('[') {
        Some(offset) => own.checked_add_signed(offset.strip_suffix(']')?.parse().ok()?),
        None if text.is_empty() => Some(own),
        None => text.parse::<u32>().ok()?.checked_sub(1),
    };
    Some(At { row: one(row, from.row)?, column: one(column, from.column)?, ..from })
}

#[cfg(test)]
mod tests {
    use super::{At, CELLS, Sheet};

    fn sheet(cells: &[(u32, u32, &str)]) -> (Sheet, String) {
        let (mut sheet, mut text) = (Sheet::default(), String::new());
        for (row, column, cell) in cells {
            let start = text.len();
            text.push_str(cell);
            sheet.cell(At { table: 1, row: *row, column: *column }, start..text.len());
        }
        (sheet, text)
    }

    #[test]
    fn formulas_see_cells_before_and_behind_them() {
        let (mut sheet, text) = sheet(&[(0, 1, "x"), (1, 0, "476"), (8, 3, "943"), (9, 0, "5919")]);
        let formulas = ["D9&B3", "R[8]C[2]&R3C2", "D9&B4", "A2&A10", "A2"];
        let at = |row| At { table: 1, row, column: 1 };
        for (number, (formula, row)) in formulas.into_iter().zip([0, 0, 0, 2, 4]).enumerate() {
            sheet.formula(at(row), formula, number);
        }
        let mut results = vec![None; 5];
        sheet.results(&text, &mut results);
        assert_eq!(results, [Some("9434765919".to_owned()), Some("9434765919".to_owned()), None, None, None]);
    }

    #[test]
    fn sums_crowd_no_joined_text_out_and_what_is_left_is_said() {
        let (mut sheet, text) = sheet(&[(0, 0, "943476"), (0, 1, "5919")]);
        let at = |row| At { table: 1, row, column: 2 };
        (0..4_000).for_each(|row| sheet.formula(at(row), "SUM(A1:A64)", 0));
        sheet.formula(at(9_000), "A1&B1", 1);
        let mut results = vec![None; 2];
        sheet.results(&text, &mut results);
        assert_eq!((results[1].as_deref(), sheet.is_cut()), (Some("9434765919"), false));
        (0..4_000).for_each(|row| sheet.formula(at(row), "SUM(A1:A64)&\"\"", 0));
        sheet.results(&text, &mut results);
        assert!(sheet.is_cut());
    }

    #[test]
    fn more_cells_than_are_kept_are_said() {
        let mut sheet = Sheet::default();
        (0..CELLS).for_each(|_| sheet.cell(At::default(), 0..3));
        sheet.cell(At::default(), 0..0);
        assert!(!sheet.is_cut());
        sheet.cell(At::default(), 0..3);
        assert!(sheet.is_cut());
    }

    #[test]
    fn ten_digits_go_down_a_column() {
        let (mut down, text) =
            sheet(&[(0, 1, "NHS number"), (1, 1, "943"), (2, 1, "476"), (3, 1, "5919"), (4, 1, "end")]);
        assert_eq!(down.columns(&text), [("NHS number".to_owned(), "943     476     5919".to_owned())]);
        let (mut more, text) = sheet(&[(1, 1, "943"), (2, 1, "476"), (3, 1, "5919"), (4, 1, "1")]);
        assert!(more.columns(&text).is_empty());
        let (mut apart, text) = sheet(&[(1, 1, "943"), (2, 1, "476"), (4, 1, "5919")]);
        assert!(apart.columns(&text).is_empty());
        let (mut beside, text) =
            sheet(&[(1, 0, "NHS"), (1, 1, "943476"), (1, 2, "1"), (2, 1, "9434"), (3, 1, "4765"), (4, 1, "19")]);
        assert_eq!(beside.columns(&text).len(), 1);
    }
}

//! Symbolic links (SYLK): a sheet as lines of text, one for each cell, which a spreadsheet works out anew when it opens it.
//!
//! Called by `leaf` beside the reading as text. Promises: one pass, and a bound on cells, which is said when it is reached. Fails
//! never: text that is none is nothing.

use super::office::{At, Sheet};
use std::collections::BTreeMap;

/// Cells that are read.
const CELLS: usize = 200_000;
/// Tabs before a cell.
const TABS: u32 = 256;

#[derive(Default)]
struct Cell {
    value: String,
    formula: Option<String>,
}

/// A sheet with what its formulas come to.
#[derive(Debug, PartialEq, Eq)]
pub(in super::super) struct Shown {
    pub text: String,
    /// There are more cells or formulas than are read.
    pub is_cut: bool,
}

/// Nothing where the text is no sheet.
pub(in super::super) fn sheet(text: &str) -> Option<Shown> {
    if !text.trim_start_matches('\u{FEFF}').starts_with("ID;") {
        return None;
    }
    let mut records = text.lines().filter_map(|line| line.strip_prefix("C;"));
    let cells = cells(records.by_ref().take(CELLS));
    let (mut table, mut sheet, mut row, mut ranges) = (String::new(), Sheet::default(), 0, Vec::new());
    for (number, (&(cell_row, column), cell)) in cells.iter().enumerate() {
        if row != cell_row {
            table.push('\n');
            row = cell_row;
        }
        let at = At { table: 0, row: cell_row.saturating_sub(1), column: column.saturating_sub(1) };
        let start = table.len();
        table.push_str(&cell.value);
        sheet.cell(at, start..table.len());
        ranges.push((at, start..table.len()));
        if let Some(formula) = cell.formula.as_ref().filter(|formula| sheet.takes(formula)) {
            sheet.formula(at, formula, number);
        }
    }
    let mut results = vec![None; ranges.len()];
    sheet.results(&table, &mut results);
    let (mut shown, mut before) = (String::new(), At::default());
    for ((at, range), result) in ranges.into_iter().zip(results) {
        if before.row != at.row {
            shown.push('\n');
            before = At { column: 0, ..at };
        }
        (before.column..at.column.min(before.column.saturating_add(TABS))).for_each(|_| shown.push('\t'));
        shown.push_str(result.as_deref().or_else(|| table.get(range)).unwrap_or_default());
        before = at;
    }
    Some(Shown { text: shown, is_cut: sheet.is_cut() || records.next().is_some() })
}

/// `C;Y1;X2;K"text";EFORMULA`: what a record does not say is as in the one before.
fn cells<'t>(records: impl Iterator<Item = &'t str>) -> BTreeMap<(u32, u32), Cell> {
    let (mut cells, mut row, mut column) = (BTreeMap::<(u32, u32), Cell>::new(), 1, 1);
    for line in records {
        let mut cell = Cell::default();
        // A semicolon in a text is doubled.
        let line = line.replace(";;", "\u{1B}");
        for field in line.split(';') {
            let field = field.replace('\u{1B}', ";");
            let mut characters = field.chars();
            match (characters.next(), characters.as_str()) {
                (Some('Y'), number) => row = number.trim().parse().unwrap_or(row),
                (Some('X'), number) => column = number.trim().parse().unwrap_or(column),
                (Some('K'), value) => cell.value = value.trim_matches('"').replace(['\t', '\n'], " "),
                (Some('E'), formula) => cell.formula = Some(formula.to_owned()),
                _ => {}
            }
        }
        cells.insert((row, column), cell);
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::{CELLS, Shown, sheet};

    #[test]
    fn formulas_are_worked_out() {
        let text = "ID;PWXL;N;E\r\nC;Y1;X1;K\"NHS number\"\r\nC;Y2;X1;K943476\r\nC;Y9;X1;K5919\r\nC;Y2;X2;K0;ER2C1&R9C1\r\nE\r\n";
        let whole = |text: &str| Some(Shown { text: text.to_owned(), is_cut: false });
        assert_eq!(sheet(text), whole("NHS number\n943476\t9434765919\n5919"));
        assert_eq!(sheet("ID;P\nC;X2;Y1;K\"a;;b\""), whole("\ta;b"));
        assert_eq!(sheet("IDs;\nC;X1;Y1;K1"), None);
    }

    #[test]
    fn what_is_left_is_said() {
        let of = |cells: usize| sheet(&format!("ID;P\n{}", "C;X1;Y1;K1\n".repeat(cells))).is_some_and(|s| s.is_cut);
        assert!(!of(CELLS) && of(CELLS + 1));
    }
}

//! Columns of a table in text (CSV, tabs, bars, and HTML tables as `html` writes them): a header cell labels what is below.
//!
//! Called by `nhs_number` for candidates that nothing beside them names. Promises: every line is looked at once, and at
//! most `REACH` octets of a line per candidate. Fails never.

use super::digits::fold_into;
use super::nhs_number::floor;
use super::rules::Rules;

/// Longest line that is read as a row, and how far back a candidate's column is counted.
const REACH: usize = 4_096;
/// A header cell is short; a sentence with a comma is none.
const CELL: usize = 40;
const DIVIDERS: [char; 4] = ['\t', '|', ';', ','];

/// The last header row seen.
#[derive(Debug, Default)]
pub(super) struct Columns {
    read_to: usize,
    header: Option<(char, usize)>,
}

impl Columns {
    /// Whether the cell at `at` is in a column whose header is a label.
    pub(super) fn is_labelled(&mut self, text: &str, at: usize, rules: &Rules) -> bool {
        let from = floor(text, at.saturating_sub(REACH));
        let Some(row) = text[from..at].rfind('\n').map(|n| from + n + 1) else { return false };
        self.read(text, row, rules);
        self.header.is_some_and(|(divider, column)| dividers(&text[row..at], divider) == column)
    }

    /// Looks for header rows in the lines before `row` that were not looked at yet.
    fn read(&mut self, text: &str, row: usize, rules: &Rules) {
        let Some(unread) = text.get(self.read_to..row) else { return };
        for line in unread.lines().filter(|l| l.len() <= REACH) {
            if let Some(header) = header_of(line, rules) {
                self.header = Some(header);
            }
        }
        self.read_to = row;
    }
}

fn header_of(line: &str, rules: &Rules) -> Option<(char, usize)> {
    let mut folded = String::new();
    for divider in DIVIDERS.into_iter().filter(|d| line.contains(*d)) {
        for (column, cell) in line.split(divider).enumerate() {
            folded.clear();
            fold_into(&mut folded, cell);
            if folded.len() <= CELL && rules.heads(&folded) {
                return Some((divider, column));
            }
        }
    }
    None
}

/// Dividers outside quotes.
fn dividers(text: &str, divider: char) -> usize {
    let mut quoted = false;
    text.chars()
        .filter(|c| {
            quoted ^= *c == '"';
            *c == divider && !quoted
        })
        .count()
}

//! Columns of a table in text (CSV, tabs, bars, and HTML tables as `html` writes them): a header cell labels what is below.
//!
//! Called by `patient_number` for each candidate, in the order of the text. Promises: every line is looked at once, and longer
//! lines than `REACH` are no rows. Fails never.

use super::digits::fold_into;
use super::patient_number::floor;
use super::rules::{Head, Rules};

/// Longest line that is read as a row, and how far back a candidate's column is counted.
const REACH: usize = 4_096;
/// A header cell is short; a sentence with a comma is none.
const CELL: usize = 40;
/// Octets of lines with a label that are taken apart in one text: beyond them the last header stays.
const HEADS: usize = 1024 * 1024;
/// Labelled columns of one table.
const MOST: usize = 8;
const DIVIDERS: [char; 4] = ['\t', '|', ';', ','];

/// The last header row seen.
#[derive(Debug, Default)]
pub(super) struct Columns {
    read_to: usize,
    header: Option<Header>,
    row: Row,
    folded: String,
    /// Octets of lines with a label, so far.
    headed: usize,
}

/// The row that was counted last: candidates come in order, so each octet is counted once.
#[derive(Debug, Default)]
struct Row {
    start: usize,
    counted_to: usize,
    before: Count,
    dividers: usize,
}

#[derive(Debug, Clone)]
struct Header {
    divider: char,
    /// Dividers before each cell that has a label, and in the whole row.
    columns: Vec<usize>,
    /// Dividers before each cell that says that it is something else: a telephone number beside a date of birth.
    others: Vec<usize>,
    dividers: usize,
}

/// What a table's header says about a candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    /// It is in no table whose header has a label.
    None,
    Labelled,
    /// The header says that it is something else; its row starts here.
    Countered {
        row: usize,
    },
    /// In another column than the labelled one, of a row that starts here: a label above its row is not its own.
    Other {
        row: usize,
    },
}

impl Columns {
    /// Which column the candidate at `at` is in.
    pub(super) fn of(&mut self, text: &str, at: usize, rules: &Rules) -> Column {
        let from = floor(text, at.saturating_sub(REACH));
        let Some(row) = text[from..at].rfind('\n').map(|n| from + n + 1) else { return Column::None };
        self.read(text, row, rules);
        let Some(divider) = self.header.as_ref().map(|h| h.divider) else { return Column::None };
        self.count_to(text, row, at, divider);
        let Some(header) = &self.header else { return Column::None };
        let is_of = |columns: &[usize]| columns.contains(&self.row.before.dividers);
        if is_of(&header.columns) {
            return Column::Labelled;
        }
        if is_of(&header.others) && self.row.dividers == header.dividers {
            return Column::Countered { row };
        }
        if self.row.dividers == header.dividers && !header.columns.is_empty() {
            Column::Other { row }
        } else {
            Column::None
        }
    }

    /// Counts the dividers of the row that begins at `row`, up to `at` and in all.
    fn count_to(&mut self, text: &str, row: usize, at: usize, divider: char) {
        if self.row.start != row || self.row.counted_to > at || self.row.counted_to == 0 {
            let line = &text[row..floor(text, row.saturating_add(REACH))];
            let dividers = Count::of(line.split('\n').next().unwrap_or_default(), divider);
            self.row = Row { start: row, counted_to: row, before: Count::default(), dividers };
        }
        self.row.before.add(&text[self.row.counted_to..at], divider);
        self.row.counted_to = at;
    }

    /// Looks for header rows in the lines before `row` that were not looked at yet.
    fn read(&mut self, text: &str, row: usize, rules: &Rules) {
        let Some(unread) = text.get(self.read_to..row) else { return };
        for line in unread.lines().filter(|l| l.len() <= REACH) {
            if self.headed <= HEADS && may_head(line, &mut self.folded, rules) {
                self.headed += line.len();
                self.header = header_of(line, &mut self.folded, rules).or_else(|| self.header.take());
            }
        }
        self.read_to = row;
    }
}

/// Most lines have no label in any cell: they are not taken apart.
fn may_head(line: &str, folded: &mut String, rules: &Rules) -> bool {
    folded.clear();
    line.contains(DIVIDERS) && {
        fold_into(folded, line);
        rules.may_head(folded)
    }
}

fn header_of(line: &str, folded: &mut String, rules: &Rules) -> Option<Header> {
    for divider in DIVIDERS.into_iter().filter(|d| line.contains(*d)) {
        let (mut columns, mut others) = (Vec::new(), Vec::new());
        for (column, cell) in line.split(divider).enumerate() {
            folded.clear();
            fold_into(folded, cell);
            let is_head = folded.len() <= CELL && !folded.contains(|c: char| c.is_ascii_digit());
            match is_head.then(|| rules.heads(folded)).flatten() {
                Some(Head::Label) if columns.len() < MOST => columns.push(column),
                Some(Head::Counter) if others.len() < MOST => others.push(column),
                _ => {}
            }
        }
        if !columns.is_empty() || !others.is_empty() {
            return Some(Header { divider, columns, others, dividers: Count::of(line, divider) });
        }
    }
    None
}

/// Dividers outside quotes, counted piece by piece.
#[derive(Debug, Default, Clone, Copy)]
struct Count {
    dividers: usize,
    quoted: bool,
}

impl Count {
    fn of(line: &str, divider: char) -> usize {
        let mut count = Count::default();
        count.add(line, divider);
        count.dividers
    }

    fn add(&mut self, text: &str, divider: char) {
        for c in text.chars() {
            self.quoted ^= c == '"';
            self.dividers += usize::from(c == divider && !self.quoted);
        }
    }
}

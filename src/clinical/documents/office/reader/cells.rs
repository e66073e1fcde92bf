//! Cells: of tables in a text, and of spreadsheets, with their values and the formulas that may have none.
//!
//! Called by `reader`. Promises: a cell stands in the column that it says, and shows what a programme shows. Fails never: a formula
//! whose value nobody wrote down is said to be unread.

use super::super::dialect::Dialect;
use super::super::flow::SOFT;
use super::super::number_formats::Shown;
use super::super::numbers;
use super::super::sheet::At;
use super::super::xml::Element;
use super::{Reader, WIDEST};

/// Columns of one table whose styles are kept.
const MOST_COLUMNS: usize = 4_096;

/// Where in a spreadsheet the reader is.
#[derive(Default)]
pub(super) struct Place {
    /// Of the next cell.
    pub column: usize,
    /// Tabs written in this row.
    tabs: usize,
    /// Of the cell that is open, in OpenDocument.
    first: usize,
    /// How often more the row is there.
    repeated: u32,
    pub kind: String,
    pub value: String,
    pub formula: Formula,
    /// Its formula, where it may be worked out.
    pub text: Option<String>,
    row: u32,
    pub table: u32,
    /// The style that it has in OpenDocument.
    style: Option<String>,
    /// How it looks, and where its text begins.
    look: Option<usize>,
    start: usize,
}

impl Place {
    /// The column and the row of the cell that is open, in OpenDocument.
    pub fn cell(&self) -> (usize, u32) {
        (self.first, self.row)
    }
}

/// The styles that cells have in a table of OpenDocument which say none themselves (1.3 part 3, 9.1.6).
#[derive(Default)]
pub(super) struct Columns {
    /// Each with the column behind its last.
    styles: Vec<(usize, String)>,
    row: Option<String>,
}

impl Columns {
    pub fn column(&mut self, element: &Element<'_, '_>) {
        let repeated = element.attribute("number-columns-repeated").and_then(|count| count.parse::<usize>().ok());
        let before = self.styles.last().map_or(0, |(end, _)| *end);
        if self.styles.len() < MOST_COLUMNS {
            let style = element.attribute("default-cell-style-name").unwrap_or_default();
            self.styles.push((before.saturating_add(repeated.unwrap_or(1)), style));
        }
    }

    pub fn row(&mut self, element: &Element<'_, '_>) {
        self.row = element.attribute("default-cell-style-name");
    }

    fn style_of(&self, column: usize) -> Option<String> {
        let at = self.styles.partition_point(|(end, _)| *end <= column);
        self.row.clone().or_else(|| self.styles.get(at).map(|(_, style)| style.clone()))
    }
}

/// How the cell comes by what it shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Formula {
    #[default]
    None,
    /// Nobody says yet what it comes to.
    Open,
    /// The same, and it has digits of its own.
    OpenWithDigits,
}

impl<'a> Reader<'a, '_> {
    /// A row that says its number, or how often it is there, or is the next one.
    pub fn begin_row(&mut self, element: &Element<'a, '_>) {
        let number = |name: &str| element.attribute(name).and_then(|number| number.trim().parse::<u32>().ok());
        let row = match element.dialect {
            Dialect::Sheet => number("r").or_else(|| number("Index")),
            _ => None,
        };
        self.place.column = 0;
        self.place.row = row.unwrap_or_else(|| self.place.row.saturating_add(1));
        self.place.repeated = number("number-rows-repeated").unwrap_or(1).saturating_sub(1);
        let first = self.place.row.saturating_sub(1);
        self.arrange_row(element, first..first.saturating_add(self.place.repeated).saturating_add(1));
    }

    /// Row and table go on behind the row.
    pub fn end_row(&mut self) {
        let row = self.place.row.saturating_add(self.place.repeated);
        self.place = Place { table: self.place.table, row, ..Place::default() };
        self.flow.end_row();
    }

    /// The cell that has just ended, for formulas that refer to it, and its own.
    fn keep(&mut self, column: usize, start: usize) {
        let formula = self.place.text.take();
        // Cells of tables inside others are in a story of their own.
        if self.flow.depth() != 1 {
            return self.keep_inner(start);
        }
        let (row, column) = (self.place.row.saturating_sub(1), u32::try_from(column).unwrap_or(u32::MAX));
        let at = At { table: self.place.table, row, column };
        let text = self.flow.shown().get(start..).unwrap_or_default();
        let range = start..start + text.trim_end_matches([SOFT, '\n']).len();
        self.sheet.cell(at, range.clone());
        if let Some(formula) = formula {
            let number = self.flow.swap_later(range);
            self.sheet.formula(at, &formula, number);
        }
    }

    /// A cell of a table in a text, or in OpenDocument.
    pub fn cell(&mut self, element: &Element<'a, '_>) {
        let number = |name| element.attribute(name).and_then(|count| count.parse::<usize>().ok());
        let columns = number("number-columns-repeated").unwrap_or(1);
        if !self.styles.data.is_empty() {
            self.place.style = element.attribute("style-name").or_else(|| self.columns.style_of(self.place.column));
        }
        self.place.value = element.attribute("value").unwrap_or_default();
        self.place.text = element.attribute("formula").filter(|formula| self.sheet.takes(formula));
        self.place.first = self.place.column;
        self.place.column = self.place.column.saturating_add(columns);
        let value = numbers::shown(&self.place.value).into_owned();
        self.flow.begin_cell(columns.min(WIDEST), value);
    }

    /// A cell shows its value as its style has it, whatever text was written down for it (OpenDocument 1.3 part 3, 9.1.4).
    pub fn end_cell(&mut self) {
        if let (Some(style), Some(start)) = (self.place.style.take(), self.flow.cell_start()) {
            let text = self.flow.shown().get(start..).unwrap_or_default().trim_end_matches([SOFT, '\n']);
            let value = if self.place.value.is_empty() { text } else { &self.place.value };
            let shown = self.styles.data.shown(&style, value, text);
            if let (Some(first), Some(last)) = (shown.first(), shown.last()) {
                self.flow.swap(start..start + text.len(), first, last);
            }
        }
        if let Some(start) = self.flow.cell_start() {
            self.keep(self.place.first, start);
        }
        self.flow.end_cell(self.readings);
    }

    /// A cell of a spreadsheet (ECMA-376 part 1, 18.3.1.4; in the XML of 2003 columns are counted from one).
    pub fn placed(&mut self, element: &Element<'a, '_>) {
        let (place, looks) = (&mut self.place, &self.styles.numbers);
        place.kind.clear();
        (place.formula, place.look, place.text) = (Formula::None, None, None);
        let mut column = None;
        element.attributes(|name, value| match name {
            "r" => column = numbers::column(value),
            "Index" => column = value.parse::<usize>().ok().and_then(|index| index.checked_sub(1)),
            "s" => place.look = value.parse().ok(),
            "StyleID" => place.look = looks.look_of(value),
            "Formula" if numbers::has_digits_of_its_own(&numbers::without_offsets(value)) => {
                place.formula = Formula::OpenWithDigits;
            }
            "t" => value.clone_into(&mut place.kind),
            _ => {}
        });
        let column = column.unwrap_or(place.column);
        self.flow.tabs(column.saturating_sub(place.tabs));
        place.tabs = place.tabs.max(column);
        place.column = column.saturating_add(1);
        self.flow.begin_place();
        self.place.start = self.flow.len();
    }

    /// A programme shows what the formula comes to; where nobody wrote that down, nobody here knows it. An empty string is
    /// a value, too, as long as the formula has no digits of its own.
    pub fn end_place(&mut self) {
        let is_string = self.place.kind == "str";
        match std::mem::take(&mut self.place.formula) {
            Formula::OpenWithDigits => self.unread.insert("formula without value"),
            Formula::Open if !is_string => self.unread.insert("formula without value"),
            _ => false,
        };
        self.formatted();
        self.keep(self.place.column.saturating_sub(1), self.place.start);
        self.flow.end_place();
    }

    /// What the format of the cell shows.
    fn formatted(&mut self) {
        let Some(look) = self.place.look else { return };
        let text = self.flow.shown().get(self.place.start..).unwrap_or_default();
        let is_text = matches!(self.place.kind.as_str(), "s" | "str" | "inlineStr" | "String");
        match self.styles.numbers.shown(look, text.trim_end_matches([SOFT, '\n']), is_text) {
            Shown::Same => {}
            Shown::Other(text) => self.flow.swap(self.place.start..self.flow.len(), &text, &text),
            Shown::Unknown => _ = self.unread.insert("number format"),
        }
    }

    pub fn value(&mut self, dialect: Dialect) {
        let value = std::mem::take(&mut self.place.value);
        if !value.trim().is_empty() {
            self.place.formula = Formula::None;
        }
        let shared = if self.place.kind == "s" && dialect == Dialect::Sheet { self.strings.get(&value) } else { None };
        match shared {
            Some(text) => self.flow.push(text, self.readings),
            None => self.flow.push(&numbers::shown(&value), self.readings),
        }
        if dialect != Dialect::Sheet {
            self.flow.line(self.readings);
        }
    }
}

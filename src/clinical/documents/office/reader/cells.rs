//! Cells: of tables in a text, and of spreadsheets, with their values and the formulas that may have none.
//!
//! Called by `reader`. Promises: a cell stands in the column that it says, and shows what a programme shows. Fails never: a formula
//! whose value nobody wrote down is said to be unread.

use super::super::dialect::Dialect;
use super::super::numbers;
use super::super::xml::Element;
use super::{Reader, WIDEST};

/// Where in a spreadsheet the reader is.
#[derive(Default)]
pub(super) struct Place {
    /// Of the next cell.
    pub column: usize,
    /// Tabs written in this row.
    tabs: usize,
    pub kind: String,
    pub value: String,
    pub formula: Formula,
    /// How it looks, and where its text begins.
    look: Option<usize>,
    start: usize,
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
    /// A cell of a table in a text, or in OpenDocument.
    pub fn cell(&mut self, element: &Element<'a, '_>) {
        let number = |name| element.attribute(name).and_then(|count| count.parse::<usize>().ok());
        let columns = number("number-columns-repeated").unwrap_or(1).min(WIDEST);
        let value = element.attribute("value").map(|value| numbers::shown(&value).into_owned());
        self.flow.begin_cell(columns, value.unwrap_or_default());
    }

    /// A cell of a spreadsheet (ECMA-376 part 1, 18.3.1.4; in the XML of 2003 columns are counted from one).
    pub fn placed(&mut self, element: &Element<'a, '_>) {
        let (place, looks) = (&mut self.place, &self.styles.numbers);
        place.kind.clear();
        (place.formula, place.look) = (Formula::None, None);
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
        let text = self.flow.shown().get(self.place.start..).unwrap_or_default();
        if self.place.look.is_some_and(|look| self.styles.numbers.may_show(look, text)) {
            self.unread.insert("number format");
        }
        self.flow.end_place();
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

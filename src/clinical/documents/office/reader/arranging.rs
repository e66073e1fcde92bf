//! How sheets and tables are shown: what of them is hidden, and whether they are read from the right.
//!
//! Called by `reader`. Promises: a table inside another one leaves the outer one where it was. Fails never: a table inside another that
//! is read from the right and has pieces of numbers is said to be unread.

use super::super::arranged::{Arrangement, HIDDEN_CELLS, NO_HEIGHT, NO_WIDTH};
use super::super::dialect::Dialect;
use super::super::roles::Role;
use super::super::xml::Element;
use super::Reader;
use super::cells::{Columns, Place};
use std::ops::Range;

#[derive(Default)]
pub(super) struct Arranging {
    pub arrangement: Arrangement,
    /// Tables that began.
    tables: u32,
    /// The next column that is described.
    column: u32,
    /// The cells in which the tables stand that are open.
    outer: Vec<Place>,
    /// Groups of columns or rows that are folded up, and open here.
    folded: usize,
}

impl<'a> Reader<'a, '_> {
    /// An element that says how the table is shown that is open.
    pub fn arrange(&mut self, element: &Element<'a, '_>) {
        let is = |name: &str| element.attribute(name).as_deref().is_some_and(is_on);
        match (element.dialect, element.local) {
            // ECMA-376 part 1, 18.3.1.13.
            (Dialect::Sheet, "col") if is_hidden(element) => {
                let number = |name: &str| element.attribute(name).and_then(|number| number.trim().parse::<u32>().ok());
                if let Some((first, last)) = number("min").zip(number("max")) {
                    self.hide_columns(first.saturating_sub(1)..last);
                }
            }
            (Dialect::Sheet, "Column") | (Dialect::OdfTable, "table-column") => {
                let columns = self.described(element);
                if is_hidden(element) || self.arranging.folded > 0 {
                    self.hide_columns(columns);
                }
            }
            // 18.3.1.87; the XML of 2003 has several sheets in one part.
            (Dialect::Sheet, "sheetView") if is("rightToLeft") => self.turn(true),
            (Dialect::Sheet, "Worksheet") => {
                self.begin_table();
                self.turn(is("RightToLeft"));
            }
            // 17.4.1, 21.1.3.15.
            (Dialect::Word, "bidiVisual") => self.turn_visually(element),
            (Dialect::Word, "tblStyle") => self.turn_by_style(element.attribute("val")),
            (Dialect::Drawing, "tblPr") if is("rtl") => self.turn(true),
            // OpenDocument 1.3 part 3, 20.404.
            (Dialect::Odf, "table-properties")
                if element.attribute("writing-mode").is_some_and(|m| m.starts_with("rl")) =>
            {
                self.styles.turn();
            }
            _ => {}
        }
    }

    fn hide_columns(&mut self, columns: Range<u32>) {
        self.arranging.arrangement.hide_columns(self.place.table, columns);
    }

    fn turn(&mut self, is_turned: bool) {
        self.arranging.arrangement.turn(self.place.table, is_turned);
    }

    /// In the properties of a table or of a style, and not in those that it had.
    fn turn_visually(&mut self, element: &Element<'a, '_>) {
        let is_turned = element.attribute("val").as_deref().is_none_or(is_on);
        match self.frames.last_chunk::<2>().map(|[owner, _]| owner.role) {
            Some(Role::Table) => self.turn(is_turned),
            Some(Role::Style) if is_turned => self.styles.turn(),
            _ => {}
        }
    }

    /// The table has a style that may turn it.
    fn turn_by_style(&mut self, style: Option<String>) {
        if style.is_some_and(|style| self.styles.is_turned(&style)) {
            self.turn(true);
        }
    }

    /// Columns that stand behind those that were described before.
    fn described(&mut self, element: &Element<'a, '_>) -> Range<u32> {
        let number = |name: &str| element.attribute(name).and_then(|number| number.trim().parse::<u32>().ok());
        let first = number("Index").map_or(self.arranging.column, |index| index.saturating_sub(1));
        let more = number("Span").or_else(|| number("number-columns-repeated")?.checked_sub(1)).unwrap_or(0);
        self.arranging.column = first.saturating_add(more).saturating_add(1);
        first..self.arranging.column
    }

    /// A row whose place is known begins, and so many more like it.
    pub fn arrange_row(&mut self, element: &Element<'a, '_>, rows: Range<u32>) {
        let is_hidden = is_hidden(element) || self.arranging.folded > 0;
        if matches!(element.dialect, Dialect::Sheet | Dialect::OdfTable) && is_hidden {
            self.arranging.arrangement.hide_rows(self.place.table, rows);
        }
    }

    /// A column of OpenDocument, or a group of columns or rows; whether that is one that is folded up (1.3 part 3, 9.1.10, 9.1.11).
    pub fn of_table(&mut self, element: &Element<'a, '_>) -> bool {
        if element.local == "table-column" {
            self.columns.column(element);
        }
        let is_group = matches!(element.local, "table-column-group" | "table-row-group");
        let is_folded = is_group && element.attribute("display").is_some_and(|display| display == "false");
        self.arranging.folded += usize::from(is_folded);
        is_folded
    }

    /// A group has ended that is folded up.
    pub fn unfold(&mut self) {
        self.arranging.folded = self.arranging.folded.saturating_sub(1);
    }

    fn begin_table(&mut self) {
        self.arranging.tables = self.arranging.tables.saturating_add(1);
        self.arranging.column = 0;
        self.place = Place::default();
        self.place.table = self.arranging.tables;
    }

    /// A table that is an element begins; whether it stands in a cell, and is a story of its own.
    pub fn begin_table_of(&mut self, element: &Element<'a, '_>) -> bool {
        self.columns = Columns::default();
        let is_inner = self.flow.is_in_cell() && self.flow.begin_story();
        if is_inner {
            self.arranging.outer.push(std::mem::take(&mut self.place));
        }
        self.begin_table();
        self.turn_by_style(element.attribute("style-name"));
        is_inner
    }

    /// The table in a cell has ended: the cell goes on.
    pub fn end_inner_table(&mut self) {
        self.place = self.arranging.outer.pop().unwrap_or_default();
    }

    /// A cell of a table inside another, which is read as it is written, has ended; where its text begins.
    pub fn keep_inner(&mut self, start: usize) {
        let text = self.flow.shown().get(start..).unwrap_or_default();
        let is_piece =
            text.bytes().any(|byte| byte.is_ascii_digit()) && !text.bytes().any(|byte| byte.is_ascii_alphabetic());
        if is_piece && self.arranging.arrangement.is_turned(self.place.table) {
            self.unread.insert("table");
        }
    }

    /// All was read: the tables as they are shown.
    pub fn tell_arranged(&mut self, later: &[Option<String>]) {
        let arrangement = std::mem::take(&mut self.arranging.arrangement);
        if !self.flow.arrange(&mut self.sheet, arrangement, later) {
            self.unread.insert(HIDDEN_CELLS);
        }
    }
}

/// Whether it says that it is hidden, or is as narrow as a line (18.3.1.13, 18.3.1.73; OpenDocument 1.3 part 3, 19.749).
fn is_hidden(element: &Element<'_, '_>) -> bool {
    let mut is_hidden = false;
    let below = |value: &str, least: f64| value.trim().parse::<f64>().is_ok_and(|length| length < least);
    element.attributes(|name, value| {
        is_hidden |= match name {
            "hidden" | "Hidden" => is_on(value),
            "width" | "Width" => below(value, NO_WIDTH),
            "ht" | "Height" => below(value, NO_HEIGHT),
            "visibility" => matches!(value, "collapse" | "filter"),
            _ => false,
        };
    });
    is_hidden
}

fn is_on(value: &str) -> bool {
    matches!(value, "1" | "true" | "on")
}

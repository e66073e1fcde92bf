//! Formats of values in OpenDocument (1.3 part 3, 16.29), as codes of formats that spreadsheets have, and the cells that have them.
//!
//! Asked by `reader` for each cell. Promises: so many styles and no more. Fails never: what is not known here is in the code as a
//! date, and what is not kept shows its text.

use super::number_formats::{self, Shown};
use super::xml::Element;
use std::collections::BTreeMap;

/// Styles that are kept of each kind.
const MOST: usize = 8_192;
/// Characters of one code.
const LONGEST: usize = 512;
/// Styles of cells that are derived one from another.
const CHAIN: usize = 8;
/// Places that one number has.
const PLACES: usize = 32;

/// The formats of a document, and which cells have them.
#[derive(Default)]
pub(super) struct DataStyles {
    styles: BTreeMap<String, DataStyle>,
    cells: BTreeMap<String, CellStyle>,
    /// The one that is read.
    open: Option<(String, DataStyle)>,
    number: Number,
}

#[derive(Debug, Default)]
struct DataStyle {
    code: String,
    /// What some values have instead: 16.3.
    other: Option<String>,
    /// Whether what goes by is shown, however much it is.
    goes_by: bool,
}

#[derive(Debug, Default)]
struct CellStyle {
    data: Option<String>,
    parent: Option<String>,
}

/// A number in a style, and what is written among its digits: 16.29.5.
#[derive(Debug, Default)]
struct Number {
    least: usize,
    decimals: usize,
    is_scaled: bool,
    position: usize,
    among: BTreeMap<usize, String>,
}

impl DataStyles {
    pub fn element(&mut self, element: &Element<'_, '_>) {
        let number = |name: &str| element.attribute(name).and_then(|value| value.trim().parse::<usize>().ok());
        match element.local {
            "number-style" | "percentage-style" | "currency-style" | "time-style" | "date-style" | "text-style" => {
                let goes_by = element.attribute("truncate-on-overflow").is_some_and(|value| value == "false");
                let style = DataStyle { goes_by, ..DataStyle::default() };
                self.open = element.attribute("name").map(|name| (name, style));
            }
            "style" => self.cell_style(element),
            "number" => {
                self.number = Number {
                    least: number("min-integer-digits").unwrap_or(1).min(PLACES),
                    decimals: number("decimal-places").unwrap_or_default().min(PLACES),
                    is_scaled: element.attribute("display-factor").is_some_and(|factor| factor.starts_with("1000")),
                    ..Number::default()
                }
            }
            "embedded-text" => self.number.position = number("position").unwrap_or_default().min(PLACES),
            "text-content" => self.add("@"),
            "hours" | "minutes" | "seconds" => self.time(element),
            // A date, a fraction, an exponent.
            "year" | "month" | "day" | "era" | "quarter" | "day-of-week" | "week-of-year" | "fraction"
            | "scientific-number" => self.add("yyyy"),
            "map" => {
                if let Some((_, style)) = &mut self.open {
                    style.other = element.attribute("apply-style-name");
                }
            }
            _ => {}
        }
    }

    pub fn end(&mut self, local: &str) {
        match local {
            "number" => {
                let number = std::mem::take(&mut self.number);
                self.add(&number.code());
            }
            "number-style" | "percentage-style" | "currency-style" | "time-style" | "date-style" | "text-style" => {
                if let Some((name, style)) = self.open.take().filter(|_| self.styles.len() < MOST) {
                    self.styles.insert(name, style);
                }
            }
            _ => {}
        }
    }

    /// Text that stands in the element of that name.
    pub fn text(&mut self, local: &str, text: &str) {
        let quoted = format!("\"{}\"", text.replace('"', ""));
        match local {
            "text" | "currency-symbol" => self.add(&quoted),
            "embedded-text" if quoted.len() < LONGEST => {
                self.number.among.insert(self.number.position, quoted);
            }
            _ => {}
        }
    }

    fn add(&mut self, code: &str) {
        if let Some((_, style)) = self.open.as_mut().filter(|(_, style)| style.code.len() + code.len() <= LONGEST) {
            style.code.push_str(code);
        }
    }

    fn time(&mut self, element: &Element<'_, '_>) {
        let unit = element.local.get(..1).unwrap_or_default();
        let is_long = element.attribute("style").is_some_and(|style| style == "long");
        let unit = unit.repeat(1 + usize::from(is_long));
        let goes_by = self.open.as_mut().is_some_and(|(_, style)| std::mem::take(&mut style.goes_by));
        self.add(&if goes_by { format!("[{unit}]") } else { unit });
    }

    fn cell_style(&mut self, element: &Element<'_, '_>) {
        let (mut name, mut style, mut is_cell) = (String::new(), CellStyle::default(), false);
        element.attributes(|attribute, value| match attribute {
            "name" => value.clone_into(&mut name),
            "family" => is_cell = value == "table-cell",
            "data-style-name" => style.data = Some(value.to_owned()),
            "parent-style-name" => style.parent = Some(value.to_owned()),
            _ => {}
        });
        if is_cell && self.cells.len() < MOST && (style.data.is_some() || style.parent.is_some()) {
            self.cells.insert(name, style);
        }
    }

    pub fn is_empty(&self) -> bool {
        self.styles.is_empty()
    }

    /// What a cell of that style shows in which `value` is and `text` was written down.
    pub fn shown(&self, style: &str, value: &str, text: &str) -> Vec<String> {
        let Some(data) = self.data_of(style) else { return Vec::new() };
        let other = data.other.as_ref().and_then(|other| self.styles.get(other));
        let written = || text.bytes().filter(u8::is_ascii_digit);
        let codes = [Some(data), other].into_iter().flatten();
        let shown = codes.filter_map(|style| match number_formats::shown_by(&style.code, value, false) {
            Shown::Other(shown) => Some(shown),
            Shown::Same | Shown::Unknown => None,
        });
        shown.filter(|shown| !shown.bytes().filter(u8::is_ascii_digit).eq(written())).collect()
    }

    fn data_of(&self, style: &str) -> Option<&DataStyle> {
        let mut cell = self.cells.get(style)?;
        for _ in 0..CHAIN {
            if let Some(data) = &cell.data {
                return self.styles.get(data);
            }
            cell = self.cells.get(cell.parent.as_ref()?)?;
        }
        None
    }
}

impl Number {
    /// Places from the left, with what stands among them.
    fn code(&self) -> String {
        let places = self.least.max(self.among.keys().next_back().map_or(0, |position| position + 1)).max(1);
        let mut code = String::new();
        for left in (1..=places).rev() {
            code.push_str(self.among.get(&left).filter(|_| left < places).map_or("", String::as_str));
            code.push(if left <= self.least { '0' } else { '#' });
        }
        if self.decimals > 0 {
            code.push('.');
            code.extend(std::iter::repeat_n('0', self.decimals));
        }
        if self.is_scaled {
            code.push(',');
        }
        code.push_str(self.among.get(&0).map_or("", String::as_str));
        code
    }
}

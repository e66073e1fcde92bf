//! Where a shape is anchored on a sheet (ECMA-376 part 1, 20.5.2.24, 20.5.2.33, 20.5.2.1): it stands there, whatever place it says of itself.
//!
//! Called by `placed` and `reader`. Promises: constant for each element. Fails never: what is no number is nought.

use super::super::xml::Element;

/// How wide a column and how high a row usually are, in English Metric Units.
const CELL: (f64, f64) = (609_600.0, 190_500.0);

/// The anchor that is open.
#[derive(Default)]
pub(super) struct Anchor {
    is_open: bool,
    column: f64,
    row: f64,
    off: (f64, f64),
}

impl Anchor {
    /// Where shapes stand that are anchored here; nothing outside an anchor.
    pub fn place(&self) -> Option<(f64, f64)> {
        let place = (self.column * CELL.0 + self.off.0, self.row * CELL.1 + self.off.1);
        self.is_open.then_some(place)
    }

    pub fn element(&mut self, local: &str, element: &Element<'_, '_>) {
        match local {
            "twoCellAnchor" | "oneCellAnchor" | "absoluteAnchor" => {
                *self = Anchor { is_open: true, ..Anchor::default() }
            }
            "pos" if self.is_open => {
                let number = |name: &str| element.attribute(name).and_then(|number| number.trim().parse().ok());
                self.off = (number("x").unwrap_or_default(), number("y").unwrap_or_default());
            }
            _ => {}
        }
    }

    pub fn end(&mut self, local: &str) {
        self.is_open &= !matches!(local, "twoCellAnchor" | "oneCellAnchor" | "absoluteAnchor");
    }

    /// A number of `xdr:from`.
    pub fn number(&mut self, local: &str, text: &str) {
        let number = text.trim().parse().unwrap_or_default();
        match local {
            "col" => self.column = number,
            "row" => self.row = number,
            "colOff" => self.off.0 = number,
            "rowOff" => self.off.1 = number,
            _ => {}
        }
    }
}

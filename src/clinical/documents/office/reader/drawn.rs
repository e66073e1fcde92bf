//! What is drawn with lines: letters turned into shapes, plans, maps. Nobody here reads them.
//!
//! Called by `reader` for every element. Promises: what is drawn with as few lines as a logo is passed over, as logos are
//! elsewhere; what has more makes the part a picture. Fails never.

use super::super::dialect::Dialect;
use super::super::xml::Element;
use super::Reader;

/// Octets of the lines of one part: as many as a picture has that is no logo.
pub(super) const LOGO: usize = 20_000;
/// What the points of a path take when they are written as attributes of elements (20.1.9.20).
const POINT: usize = 28;

impl<'a> Reader<'a, '_> {
    /// Counts the octets in which an element says how lines run.
    pub fn draw(&mut self, element: &Element<'a, '_>) {
        let value = |name: &str| element.attribute(name).map_or(0, |value| value.len());
        self.drawn += match (element.dialect, element.local) {
            (Dialect::Drawing, "pt") if self.is_path() => POINT,
            // VML.
            (Dialect::Other, "shape" | "shapetype") => value("path"),
            (Dialect::Other, "path") => value("v"),
            (Dialect::Other, "polyline") => value("points"),
            (Dialect::OdfDraw, "path") => value("d"),
            (Dialect::OdfDraw, "polygon" | "polyline" | "contour-polygon") => value("points"),
            (Dialect::OdfDraw, "enhanced-geometry") => value("enhanced-path"),
            _ => 0,
        };
    }

    /// Charts have points, too, which are values.
    fn is_path(&self) -> bool {
        const STROKES: &[&str] = &["moveTo", "lnTo", "cubicBezTo", "quadBezTo"];
        self.frames.last().is_some_and(|frame| STROKES.contains(&frame.local))
    }
}

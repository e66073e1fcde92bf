//! Boxes of text on a slide, on a page, or in a line: a programme shows them where they stand, in whatever order they are written.
//!
//! Called by `reader`. Promises: a box is kept with its place, and what is short stands in its line too. Fails never: a box that says
//! no place stands nowhere.

use super::super::dialect::Dialect;
use super::super::roles::Role;
use super::super::xml::Element;
use super::{Frame, Reader};
use crate::clinical::documents::side_by_side::{self, Boxed, PIECE};

#[derive(Default)]
pub(super) struct Placed {
    pub all: side_by_side::Boxes,
    /// Pages that began.
    page: usize,
    open: Vec<Open>,
}

/// A box that is open: where it stands, and where its text begins.
struct Open {
    place: Option<(f64, f64)>,
    height: f64,
    start: usize,
}

impl<'a> Reader<'a, '_> {
    /// An element that is a box, or says where one stands.
    pub fn boxed(&mut self, element: &Element<'a, '_>) {
        let number = |name: &str| element.attribute(name).and_then(|length| length_of(&length));
        let start = self.flow.len();
        match (element.dialect, element.local) {
            (Dialect::OdfDraw, "page") => self.placed.page += 1,
            (Dialect::OdfDraw, "text-box") => {}
            (Dialect::Slide, "sp") => self.begin_box(None, 0.0, start),
            (Dialect::OdfDraw, _) if is_box(element.dialect, element.local) => {
                self.begin_box(number("x").zip(number("y")), number("height").unwrap_or_default(), 0);
            }
            (Dialect::Drawing, "off") => {
                if let Some(boxed) = self.placed.open.last_mut().filter(|boxed| boxed.place.is_none()) {
                    boxed.place = number("x").zip(number("y"));
                }
            }
            (Dialect::Drawing, "ext") => {
                if let Some(boxed) = self.placed.open.last_mut().filter(|boxed| boxed.height == 0.0) {
                    boxed.height = number("cy").unwrap_or_default();
                }
            }
            _ => {}
        }
    }

    fn begin_box(&mut self, place: Option<(f64, f64)>, height: f64, start: usize) {
        self.placed.open.push(Open { place, height, start });
    }

    /// The box has ended, and its story, if it has one, not yet.
    pub(super) fn end_placed(&mut self, frame: &Frame<'a>) {
        if !is_box(frame.dialect, frame.local) {
            return;
        }
        let Some(Open { place, height, start }) = self.placed.open.pop() else { return };
        let text = self.flow.shown().get(start..).unwrap_or_default().trim();
        let text = if text.is_empty() { self.boxed.as_deref().unwrap_or_default() } else { text };
        if let Some((left, top)) = place.filter(|_| text.len() <= PIECE) {
            self.placed.all.add(Boxed { page: self.placed.page, left, top, height, text: text.to_owned() });
        }
    }

    /// What a box or a note in the line shows, which is a story of its own, stands in the line that it is in, too.
    pub(super) fn begin_line_of_box(&mut self, frame: &Frame<'a>) {
        if frame.dialect != Dialect::OdfDraw || frame.role != Role::Story {
            return;
        }
        let own = self.flow.shown().trim();
        let is_piece = own.len() <= PIECE && own.bytes().any(|byte| byte.is_ascii_digit()) && !own.contains('\n');
        if !own.is_empty() {
            self.boxed = is_piece.then(|| own.to_owned());
        }
    }

    /// The story of the box has ended.
    pub(super) fn end_line_of_box(&mut self, frame: &Frame<'a>) {
        let is_one = frame.dialect == Dialect::OdfDraw || frame.local == "note";
        let outer = self.frames.last().map(|outer| (outer.dialect, outer.role));
        if !is_one || outer == Some((Dialect::OdfDraw, Role::Story)) {
            return;
        }
        let text = self.boxed.take().filter(|_| outer.is_some_and(|(dialect, _)| dialect == Dialect::OdfText));
        if let Some(text) = text {
            let at = self.flow.len();
            let text = format!(" {text} ");
            self.flow.swap(at..at, &text, &text);
        }
    }
}

fn is_box(dialect: Dialect, local: &str) -> bool {
    match dialect {
        Dialect::Slide => local == "sp",
        Dialect::OdfDraw => matches!(local, "frame" | "custom-shape" | "rect" | "ellipse" | "circle"),
        _ => false,
    }
}

/// A length in millimetres, or without a unit.
fn length_of(length: &str) -> Option<f64> {
    let end = length.find(|c: char| c.is_alphabetic()).unwrap_or(length.len());
    let (number, unit) = length.split_at_checked(end)?;
    let factor = match unit {
        "cm" => 10.0,
        "in" => 25.4,
        "pt" => 25.4 / 72.0,
        "pc" => 25.4 / 6.0,
        _ => 1.0,
    };
    number.trim().parse::<f64>().ok().map(|number| number * factor)
}

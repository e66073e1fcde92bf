//! Frames of an OpenDocument (1.3 part 3, 10.4, 19.759): where they stand on the page, and what stands in the line at which they are anchored.
//!
//! Called by `placed` and `reader`. Promises: what is anchored as a character stands where it is written, and what is not is read in the
//! order of the places, too. Fails never: figures of one paragraph whose places cannot be compared are said, and so is a figure that is transformed
//! in a way that nobody here knows.

use super::super::dialect::Dialect;
use super::super::held::{self, Held, Side};
use super::super::xml::Element;
use super::boxes::{TextBox, joined};
use super::groups::{Stand, Turned};
use super::placed::Open;
use super::{Frame, Reader};
use crate::clinical::documents::side_by_side::{IDENTIFIER, is_piece};
use std::collections::BTreeSet;

/// English Metric Units in a millimetre.
const MILLIMETRE: f64 = 36_000.0;
/// How wide and how high cells usually are, in millimetres: what is anchored in one is not far from it.
const CELL: (f64, f64) = (22.58, 4.52);
/// What is transformed in a way that nobody here knows.
pub(super) const UNKNOWN: &str = "unknown";

#[derive(Default)]
pub(super) struct Floating {
    /// The box that has just ended, and what it is measured from.
    ended: Option<(TextBox, String)>,
    /// Those of the paragraphs that are open.
    open: Vec<(TextBox, String)>,
}

impl Floating {
    /// A box has ended; one that stands nowhere stands in its line.
    pub fn ended(&mut self, open: &Open) {
        self.ended = open.stand.off.map(|off| {
            let (x, y) = open.around.affine.at(off);
            let [left, top] = [x, y].map(|length| (length * MILLIMETRE) as i64);
            (TextBox { left, top, ..TextBox::default() }, open.kind.clone())
        });
    }
}

impl<'a> Reader<'a, '_> {
    /// A box of OpenDocument begins.
    pub fn begin_box(&mut self, element: &Element<'a, '_>) {
        let length = |name: &str| element.attribute(name).and_then(|length| held::length(&length));
        let anchor = element.attribute("anchor-type").unwrap_or_default();
        let held = element.attribute("style-name").filter(|_| !anchor.is_empty());
        let held = held.map(|style| self.styles.held(&style)).unwrap_or_default();
        let transform = element.attribute("transform");
        let around = transform.as_deref().map(held::transformed);
        let is_unknown = around == Some(None);
        let side = |side: &Option<Side>, own: Option<f64>| side.as_ref().and_then(|side| side.at).or(own);
        let (mut x, mut y) = (side(&held.across, length("x")), side(&held.down, length("y")));
        if !anchor.is_empty() || transform.is_some() {
            (x, y) = (x.or(Some(0.0)), y.or(Some(0.0)));
        }
        let off = x.zip(y).filter(|_| anchor != "as-char").map(|off| self.beside_cell(off));
        let size = |name: &str| length(name).unwrap_or_default();
        let stand = Stand { off, ext: (size("width"), size("height")), ..Stand::default() };
        let around = around.flatten().map(Turned::by).unwrap_or_default();
        let page = element.attribute("anchor-page-number").and_then(|page| page.trim().parse().ok());
        let page = page.unwrap_or(self.placed.page);
        let kind = if is_unknown { UNKNOWN.to_owned() } else { kind(&anchor, &held) };
        self.placed.inner = None;
        self.placed.open.push(Open { stand, around, page, kind, start: 0 });
    }

    /// What is anchored in a cell is measured from there.
    fn beside_cell(&self, (x, y): (f64, f64)) -> (f64, f64) {
        if !self.flow.is_in_cell() {
            return (x, y);
        }
        let (column, row) = self.place.cell();
        (x + column as f64 * CELL.0, y + f64::from(row) * CELL.1)
    }

    /// What a box, or a note, shows in the line: where it is written, and where it stands.
    pub(super) fn line_of_box(&mut self, text: &str, frame: &Frame<'a>) {
        let at = self.flow.len();
        let written = format!(" {text} ");
        let ended = self.placed.floating.ended.take().filter(|_| frame.dialect == Dialect::OdfDraw);
        let Some((place, kind)) = ended else { return self.flow.swap(at..at, &written, &written) };
        self.flow.swap(at..at, &written, "");
        let (depth, text) = (self.flow.depth(), text.to_owned());
        self.placed.floating.open.push((TextBox { depth, text, ..place }, kind));
    }

    /// A paragraph of a text has ended, and its line not yet: the boxes that are anchored in it, in the order of their places.
    pub fn end_floating(&mut self) {
        let depth = self.flow.depth();
        let open = &mut self.placed.floating.open;
        let first = open.iter().rposition(|(one, _)| one.depth < depth).map_or(0, |last| last + 1);
        let (mut boxes, kinds): (Vec<TextBox>, Vec<String>) = open.split_off(first).into_iter().unzip();
        if boxes.is_empty() {
            return;
        }
        let pieces = || boxes.iter().zip(&kinds).filter(|(one, _)| is_piece(&one.text));
        let digits: usize = pieces().map(|(one, _)| one.text.bytes().filter(u8::is_ascii_digit).count()).sum();
        if digits >= IDENTIFIER && pieces().map(|(_, kind)| kind).collect::<BTreeSet<_>>().len() > 1 {
            self.unread.insert("layout");
        }
        let joined = joined(&mut boxes);
        let at = self.flow.len();
        self.flow.swap(at..at, "", &joined);
    }
}

/// What the place of a frame is measured from: paragraph and character are one line.
fn kind(anchor: &str, held: &Held) -> String {
    let anchor = if matches!(anchor, "page" | "frame") { anchor } else { "" };
    format!("{anchor} {}", held.kind())
}

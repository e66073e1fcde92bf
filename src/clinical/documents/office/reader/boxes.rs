//! Text boxes: each is a story by itself, and several may stand in one line of the page.
//!
//! Called by `reader`. Promises: the short ones of a paragraph stand behind it, left to right and top to bottom, where the page is
//! read as it is seen. Fails never: a box that does not say where it stands stands where it is written.

use super::super::flow::Readings;
use super::super::xml::Element;
use super::Reader;

/// Octets of a box: what is longer has whole numbers of its own.
const LONGEST: usize = 64;
/// Two boxes stand in one line that are not farther apart: English Metric Units.
const LINE: i64 = 12 * POINT;
const POINT: i64 = 12_700;

/// A text box with little in it.
#[derive(Debug, Clone)]
struct TextBox {
    depth: usize,
    line: i64,
    left: i64,
    text: String,
}

/// The boxes of the paragraphs that are open, and where the next one stands.
#[derive(Default)]
pub(super) struct Boxes {
    open: Vec<TextBox>,
    /// Those of all paragraphs.
    all: Vec<TextBox>,
    paragraphs: usize,
    left: i64,
    top: i64,
}

impl<'a> Reader<'a, '_> {
    /// Where a drawing stands (20.4.2.3; VML's styles; 20.1.7.4 inside a group).
    pub fn box_place(&mut self, element: &Element<'a, '_>) {
        let boxes = &mut self.boxes;
        match element.local {
            "drawing" | "pict" => (boxes.left, boxes.top) = (0, 0),
            "off" => {
                let number = |name| element.attribute(name).and_then(|value| value.parse::<i64>().ok()).unwrap_or(0);
                let (left, top) = (number("x"), number("y"));
                if (left, top) != (0, 0) {
                    (boxes.left, boxes.top) = (left, top);
                }
            }
            "rect" | "shape" | "roundrect" | "oval" => {
                let style = element.attribute("style").unwrap_or_default();
                let place = |names: [&str; 2]| names.iter().find_map(|name| length(&style, name)).unwrap_or(0);
                (boxes.left, boxes.top) = (place(["margin-left", "left"]), place(["margin-top", "top"]));
            }
            _ => {}
        }
    }

    /// How far a drawing is from what it is anchored to.
    pub fn box_offset(&mut self, text: &str) {
        let Ok(offset) = text.trim().parse::<i64>() else { return };
        match self.frames.last_chunk::<2>().map(|[position, _]| position.local) {
            Some("positionH") => self.boxes.left = offset,
            Some("positionV") => self.boxes.top = offset,
            _ => {}
        }
    }

    /// The text of a box has ended.
    pub fn end_box(&mut self) {
        let text = self.flow.seen().trim();
        let boxes = &mut self.boxes;
        let is_short = !text.is_empty() && text.len() <= LONGEST;
        if is_short && self.readings.are_seen() {
            let (line, left) = (boxes.top.div_euclid(LINE), boxes.left);
            boxes.open.push(TextBox { depth: self.flow.depth(), line, left, text: text.to_owned() });
        }
    }

    /// The paragraph in which boxes are anchored has ended.
    pub fn place_boxes(&mut self) {
        let depth = self.flow.depth();
        let first = self.boxes.open.iter().rposition(|one| one.depth <= depth).map_or(0, |last| last + 1);
        let mut ended = self.boxes.open.split_off(first);
        if ended.is_empty() {
            return;
        }
        let joined = joined(&mut ended);
        self.flow.push(&joined, self.readings.and(Readings::SEEN));
        self.boxes.paragraphs += 1;
        self.boxes.all.append(&mut ended);
    }

    /// Boxes of different paragraphs may stand beside one another, too.
    pub fn place_all_boxes(&mut self) {
        if self.boxes.paragraphs > 1 && self.flow.begin_story() {
            let joined = joined(&mut self.boxes.all);
            self.flow.push(&joined, Readings::SEEN);
            self.flow.end_story();
        }
    }
}

/// Their texts in the order of the page; nothing where there is no digit in them.
fn joined(boxes: &mut [TextBox]) -> String {
    boxes.sort_by_key(|one| (one.line, one.left));
    let mut out = String::new();
    if boxes.iter().any(|one| one.text.bytes().any(|byte| byte.is_ascii_digit())) {
        for one in boxes.iter() {
            out.push(' ');
            out.push_str(&one.text);
        }
    }
    out
}

/// A length of a style of VML: `margin-left:60pt`.
fn length(style: &str, name: &str) -> Option<i64> {
    let value = style.split(';').find_map(|one| {
        let (own, value) = one.split_once(':')?;
        own.trim().eq_ignore_ascii_case(name).then_some(value.trim())
    })?;
    let digits = value.find(|c: char| !matches!(c, '0'..='9' | '.' | '-')).unwrap_or(value.len());
    let (number, unit) = value.split_at_checked(digits)?;
    let points = match unit.trim() {
        "in" => 72.0,
        "cm" => 28.35,
        "mm" => 2.835,
        "px" => 0.75,
        _ => 1.0,
    };
    let number = number.parse::<f64>().ok()? * points * POINT as f64;
    number.is_finite().then_some(number as i64)
}

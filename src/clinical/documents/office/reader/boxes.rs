//! Text boxes: each is a story by itself, and several may stand in one line of the page.
//!
//! Called by `reader`. Promises: the short ones of a paragraph stand behind it, left to right and top to bottom, where the page is
//! read as it is seen; those of a group where the group has them. Fails never: a box that does not say where it stands stands where it is
//! written.

use super::super::flow::Readings;
use super::super::xml::Element;
use super::Reader;

/// Octets of a box: what is longer has whole numbers of its own.
pub(super) const LONGEST: usize = 64;
/// Two boxes stand in one line that are not farther apart: English Metric Units.
const LINE: i64 = 12 * POINT;
const POINT: i64 = 12_700;
/// About as wide as the text of a page.
const PAGE: i64 = 480 * POINT;
/// How a group of VML measures what is in it when it does not say so.
const MEASURE: (f64, f64) = (1_000.0, 1_000.0);

/// A text box with little in it.
#[derive(Debug, Clone, Default)]
pub(super) struct TextBox {
    pub depth: usize,
    /// Which line of boxes it is in, once that is known.
    pub line: usize,
    pub top: i64,
    pub left: i64,
    pub text: String,
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
    /// Where the drawing is anchored that is open.
    anchor: Option<(i64, i64)>,
}

impl Boxes {
    /// Boxes that were read together in their line, and may stand beside others.
    pub fn keep(&mut self, mut ended: Vec<TextBox>) {
        self.paragraphs += 1;
        self.all.append(&mut ended);
    }
}

impl<'a> Reader<'a, '_> {
    /// Where a drawing stands (20.4.2.3; VML's styles; 20.1.7.4 inside a group).
    pub fn box_place(&mut self, element: &Element<'a, '_>) {
        match element.local {
            "drawing" | "pict" => (self.boxes.left, self.boxes.top, self.boxes.anchor) = (0, 0, None),
            "off" if self.frames.iter().rev().nth(1).is_none_or(|owner| owner.local != "grpSpPr") => {
                let number = |name| element.attribute(name).and_then(|value| value.parse::<f64>().ok()).unwrap_or(0.0);
                self.place_box((number("x"), number("y")));
            }
            "rect" | "shape" | "roundrect" | "oval" => {
                let style = element.attribute("style").unwrap_or_default();
                let (left, top) = corner(&style);
                (self.boxes.left, self.boxes.top) = (left, top);
                if !self.placed.groups.is_empty() {
                    self.boxes.anchor = None;
                    self.place_box((units(left), units(top)));
                }
            }
            _ => {}
        }
    }

    /// A shape in a group stands where the group has it; alone, it stands where it is anchored, if it is.
    fn place_box(&mut self, place: (f64, f64)) {
        let (groups, boxes) = (&self.placed.groups, &mut self.boxes);
        let (left, top) = boxes.anchor.unwrap_or_default();
        if !groups.is_empty() {
            let (x, y) = groups.inside().affine.at(place);
            (boxes.left, boxes.top) = (left.saturating_add(x as i64), top.saturating_add(y as i64));
        } else if boxes.anchor.is_none() && place != (0.0, 0.0) {
            (boxes.left, boxes.top) = (place.0 as i64, place.1 as i64);
        }
    }

    /// A group of VML, in the units of the one that it is in.
    pub fn measure_group(&mut self, element: &Element<'a, '_>) {
        let style = element.attribute("style").unwrap_or_default();
        let (left, top) = corner(&style);
        let size = ["width", "height"].map(|name| length(&style, name).unwrap_or(0));
        let pair = |name: &str| {
            let value = element.attribute(name)?;
            let (first, second) = value.split_once(',')?;
            first.trim().parse::<f64>().ok().zip(second.trim().parse::<f64>().ok())
        };
        let is_inner = self.placed.groups.is_inner();
        let own = |length: i64| if is_inner { units(length) } else { length as f64 };
        self.placed.groups.set(|group| {
            group.off = Some((own(left), own(top)));
            group.ext = (own(size[0]), own(size[1]));
            group.inner_off = pair("coordorigin").unwrap_or_default();
            group.inner_ext = pair("coordsize").unwrap_or(MEASURE);
        });
    }

    /// How far a drawing is from what it is anchored to.
    pub fn box_offset(&mut self, text: &str) {
        let Some(offset) = offset(text.trim()) else { return };
        let anchor = self.boxes.anchor.get_or_insert_default();
        match self.frames.last_chunk::<2>().map(|[position, _]| position.local) {
            Some("positionH") => anchor.0 = offset,
            Some("positionV") => anchor.1 = offset,
            _ => {}
        }
        (self.boxes.left, self.boxes.top) = *anchor;
    }

    /// The text of a box has ended.
    pub fn end_box(&mut self) {
        let text = self.flow.seen().trim();
        let boxes = &mut self.boxes;
        let is_short = !text.is_empty() && text.len() <= LONGEST;
        if is_short && self.readings.are_seen() {
            let (top, left) = (boxes.top, boxes.left);
            boxes.open.push(TextBox {
                depth: self.flow.depth(),
                top,
                left,
                text: text.to_owned(),
                ..TextBox::default()
            });
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
        self.boxes.keep(ended);
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
pub(super) fn joined(boxes: &mut [TextBox]) -> String {
    boxes.sort_by_key(|one| one.top);
    let (mut line, mut first) = (0, None);
    for one in boxes.iter_mut() {
        let is_in = first.is_some_and(|first| one.top.saturating_sub(first) <= LINE);
        if !is_in {
            (line, first) = (line + 1, Some(one.top));
        }
        one.line = line;
    }
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

/// A number, or where on the page it is said to stand (20.4.3.1, 20.4.3.2): left of what is in the middle, or above it.
fn offset(text: &str) -> Option<i64> {
    match text {
        "left" | "inside" | "top" => Some(0),
        "center" => Some(PAGE / 2),
        "right" | "outside" | "bottom" => Some(PAGE),
        number => number.parse().ok(),
    }
}

/// Where a style of VML has something.
fn corner(style: &str) -> (i64, i64) {
    let place = |names: [&str; 2]| names.iter().find_map(|name| length(style, name)).unwrap_or(0);
    (place(["margin-left", "left"]), place(["margin-top", "top"]))
}

/// A length that has no unit in its style.
fn units(length: i64) -> f64 {
    length as f64 / POINT as f64
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

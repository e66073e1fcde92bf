//! Boxes of text on a slide, on a page, or in a line: a programme shows them where they stand, in whatever order they are written.
//!
//! Called by `reader`. Promises: a box is kept with its place, moved and turned as the groups are that it is in, and what is short stands
//! in its line too; boxes that are turned are read as whoever turns the page sees them, too. Fails never: a box that says no place stands
//! nowhere.

use super::super::dialect::Dialect;
use super::super::roles::Role;
use super::super::xml::Element;
use super::anchor::Anchor;
use super::floating::{Floating, UNKNOWN};
use super::groups::{Groups, Stand, Turned};
use super::{Frame, Reader};
use crate::clinical::affine::Affine;
use crate::clinical::documents::side_by_side::{self, Boxed, PIECE, is_piece};

/// Ways in which the boxes of one page may be turned: degrees.
const TURNS: f64 = 360.0;
/// Boxes that are not turned farther than this from an upright way are read with those that are not turned at all.
const NEARLY: f64 = 10.0;

#[derive(Default)]
pub(super) struct Placed {
    pub all: side_by_side::Boxes,
    pub groups: Groups,
    pub floating: Floating,
    pub anchor: Anchor,
    /// What stands in the box that is open, where that is a story inside it.
    pub inner: Option<String>,
    /// Pages that began.
    pub page: usize,
    pub open: Vec<Open>,
}

/// A box that is open: where it stands, on which page and measured from what, and where its text begins.
pub(super) struct Open {
    pub stand: Stand,
    pub around: Turned,
    pub page: usize,
    pub kind: String,
    pub start: usize,
}

impl<'a> Reader<'a, '_> {
    /// An element that is a box or a group, or says where one stands.
    pub fn boxed(&mut self, element: &Element<'a, '_>) {
        let start = self.flow.len();
        match (element.dialect, element.local) {
            (Dialect::OdfDraw, "page") => self.placed.page += 1,
            (Dialect::OdfDraw, "text-box") => {}
            (Dialect::Slide | Dialect::Drawing, "sp") => {
                let around = self.placed.groups.inside();
                let page = self.placed.page;
                let off = self.placed.anchor.place().filter(|_| self.placed.groups.is_empty());
                let stand = Stand { off, ..Stand::default() };
                self.placed.open.push(Open { stand, around, page, kind: String::new(), start });
            }
            (Dialect::OdfDraw, _) if is_box(element.dialect, element.local) => self.begin_box(element),
            (dialect, local) if is_group(dialect, local) => {
                self.placed.groups.begin();
                match local {
                    "wgp" => self.placed.groups.anchor((0.0, 0.0)),
                    "group" => self.measure_group(element),
                    _ => {
                        if let Some(place) = self.placed.anchor.place() {
                            self.placed.groups.anchor(place);
                        }
                    }
                }
            }
            (Dialect::Drawing | Dialect::Slide, "off" | "ext" | "chOff" | "chExt" | "xfrm" | "txXfrm") => {
                self.stand(element);
            }
            (Dialect::Drawing, local) => self.placed.anchor.element(local, element),
            _ => {}
        }
    }

    /// Where a shape stands, its text (`dsp:txXfrm`), or a group: what is said first counts, but for the text.
    fn stand(&mut self, element: &Element<'a, '_>) {
        let is_transform = matches!(element.local, "xfrm" | "txXfrm");
        let mut outside = self.frames.iter().rev().map(|frame| frame.local);
        let transform = if is_transform { Some(element.local) } else { outside.next() };
        let owner = outside.next();
        if owner == Some("grpSpPr") {
            return self.placed.groups.set(|group| group.set(element));
        }
        let Some(Open { stand, .. }) = self.placed.open.last_mut() else { return };
        match (transform, element.local) {
            (Some("txXfrm"), _) => stand.set(element),
            (Some("xfrm"), "off") if stand.off.is_some() => {}
            (Some("xfrm"), "ext") if stand.ext != (0.0, 0.0) => {}
            (Some("xfrm"), _) => stand.set(element),
            _ => {}
        }
    }

    /// The box has ended, and its story, if it has one, not yet.
    pub(super) fn end_placed(&mut self, frame: &Frame<'a>) {
        if is_group(frame.dialect, frame.local) {
            return self.placed.groups.end();
        }
        if frame.dialect == Dialect::Drawing {
            self.placed.anchor.end(frame.local);
        }
        if !is_box(frame.dialect, frame.local) {
            return;
        }
        let Some(open) = self.placed.open.pop() else { return };
        let text = self.flow.shown().get(open.start..).unwrap_or_default().trim();
        let inner = self.placed.inner.take();
        let text = if text.is_empty() { inner.as_deref().unwrap_or_default() } else { text };
        if open.kind == UNKNOWN && is_piece(text) {
            self.unread.insert("layout");
        }
        if text.len() <= PIECE {
            self.placed.keep(&open, text);
        }
        self.placed.floating.ended(&open);
    }

    /// What a box or a note in the line shows, which is a story of its own, stands in the line that it is in, too.
    pub(super) fn begin_line_of_box(&mut self, frame: &Frame<'a>) {
        if frame.dialect != Dialect::OdfDraw || frame.role != Role::Story {
            return;
        }
        let own = self.flow.shown().trim();
        let is_piece = own.len() <= PIECE && own.bytes().any(|byte| byte.is_ascii_digit()) && !own.contains('\n');
        if frame.local == "text-box" {
            self.placed.inner = (own.len() <= PIECE).then(|| own.to_owned());
        }
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
            self.line_of_box(&text, frame);
        }
    }
}

impl Placed {
    /// Keeps a box where it stands, and where it stands for whoever turns the page until its text is upright.
    fn keep(&mut self, open: &Open, text: &str) {
        let Some(off) = open.stand.off else { return };
        let own = Affine::moved(off).then(open.around.affine);
        let centre = own.at((open.stand.ext.0 / 2.0, open.stand.ext.1 / 2.0));
        let (width, height) = own.size(open.stand.ext);
        let turn = turn(open.stand.turned(open.around).degrees);
        for degrees in if turn == 0.0 { vec![0.0] } else { vec![0.0, turn] } {
            let (x, y) = Affine::turned(-degrees).at(centre);
            // No more than 360: the way, and the page, are one number.
            let page = open.page.saturating_mul(TURNS as usize).saturating_add(degrees as usize);
            let (left, top) = (x - width / 2.0, y - height / 2.0);
            self.all.add(Boxed { page, left, top, height, text: text.to_owned() });
        }
    }
}

/// Which way a text runs: upright, or to either side, where it is nearly so.
fn turn(degrees: f64) -> f64 {
    let quarter = (degrees / 90.0).round() * 90.0;
    let turn = if (degrees - quarter).abs() <= NEARLY { quarter } else { degrees.round() };
    turn.rem_euclid(TURNS)
}

fn is_box(dialect: Dialect, local: &str) -> bool {
    match dialect {
        Dialect::Slide | Dialect::Drawing => local == "sp",
        Dialect::OdfDraw => matches!(local, "frame" | "custom-shape" | "rect" | "ellipse" | "circle"),
        _ => false,
    }
}

fn is_group(dialect: Dialect, local: &str) -> bool {
    match dialect {
        Dialect::Slide | Dialect::Drawing => local == "grpSp",
        Dialect::Word => matches!(local, "grpSp" | "wgp"),
        // VML.
        Dialect::Other => local == "group",
        _ => false,
    }
}

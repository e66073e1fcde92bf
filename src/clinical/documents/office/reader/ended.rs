//! What is known of a part when all of it was read.
//!
//! Called by `part`. Promises: what was kept for later is told, and every bound that was reached. Fails never.

use super::super::counts::Counts;
use super::super::flow::Told;
use super::super::styles::Styles;
use super::{Reader, drawn};
use std::collections::BTreeSet;

/// What was in a part.
pub(in super::super) struct Part {
    pub told: Told,
    /// Files in base64.
    pub files: Vec<String>,
    /// What could not be told.
    pub unread: BTreeSet<&'static str>,
    /// It draws more with lines than logos have.
    pub is_drawn: bool,
    pub styles: Styles,
    pub counts: Counts,
}

impl Reader<'_, '_> {
    pub fn finish(mut self) -> Part {
        self.end_frames();
        self.place_all_boxes();
        self.styles.settle();
        if !self.fields.trim().is_empty() {
            self.flow.note("", &self.fields);
        }
        let boxes = std::mem::take(&mut self.placed.all);
        if boxes.is_cut() {
            self.unread.insert("boxes");
        }
        let side_by_side = boxes.read();
        if !side_by_side.is_empty() {
            self.flow.note("", &side_by_side);
        }
        self.tell_diagram();
        let later = self.later();
        self.tell_arranged(&later);
        let (told, counts) = (self.flow.finish(&later), self.counts);
        let is_drawn = self.drawn >= drawn::LOGO;
        Part { told, files: self.files, unread: self.unread, is_drawn, styles: self.styles, counts }
    }

    fn tell_diagram(&mut self) {
        let diagram = std::mem::take(&mut self.diagram);
        if diagram.is_cut {
            self.unread.insert("diagram");
        }
        for order in diagram.read() {
            self.flow.note("", &order);
            self.flow.tell_aside("\n;\n");
        }
    }

    /// The texts that are only known when all was read.
    fn later(&mut self) -> Vec<Option<String>> {
        let mut results = vec![None; self.flow.asked_later()];
        self.refer(&mut results);
        if self.known.is_cut {
            self.unread.insert("fields");
        }
        self.sheet.results(self.flow.shown(), &mut results);
        if self.sheet.is_cut() {
            self.unread.insert("formulas");
        }
        for (label, digits) in self.sheet.columns(self.flow.shown()) {
            self.flow.note(&label, &digits);
            self.flow.tell_aside("\n;\n");
        }
        results
    }
}

//! Frames of Word: paragraphs that stand where their properties say, in whatever order they are written.
//!
//! Called by `reader`. Promises: the short ones are read in the order of their places before the paragraph at which they are anchored, and
//! behind it; a large first letter stands before the rest of its word. Fails never: figures in frames whose places cannot be compared are said.

use super::super::flow::SOFT;
use super::super::frame_places::FramePlace;
use super::super::roles::Role;
use super::super::xml::Element;
use super::Reader;
use super::boxes::{LONGEST, TextBox, joined};
use crate::clinical::documents::side_by_side::{IDENTIFIER, is_piece};
use std::collections::BTreeSet;

#[derive(Default)]
pub(super) struct Framed {
    /// The paragraphs that are open: where each begins, and where its frame stands.
    paragraphs: Vec<(usize, Option<FramePlace>)>,
    /// Frames that no paragraph follows yet, at most one run of them in each story.
    runs: Vec<Run>,
    /// In how deep a story a large letter has ended, and where.
    letter: Option<(usize, usize)>,
}

/// Frames one behind the other.
#[derive(Default)]
struct Run {
    depth: usize,
    start: usize,
    frames: Vec<TextBox>,
    last: FramePlace,
    /// There are some that are read as they are written.
    has_long: bool,
    /// What those are measured from that may be pieces of something, and how many digits they have.
    kinds: BTreeSet<String>,
    digits: usize,
}

impl<'a> Reader<'a, '_> {
    /// A paragraph of Word's begins.
    pub fn begin_framed(&mut self) {
        let start = self.flow.len();
        self.framed.paragraphs.push((start, None));
        let Some((_, at)) = self.framed.letter.take().filter(|(depth, _)| *depth == self.flow.depth()) else { return };
        let between = self.flow.shown().get(at..).unwrap_or_default();
        if between.chars().all(|c| matches!(c, '\n' | SOFT)) {
            self.flow.swap(at..start, "", "");
        }
    }

    /// Where the frame of the paragraph or of the style stands, but not where it stood.
    pub fn frame_place(&mut self, element: &Element<'a, '_>) {
        match self.frames.last_chunk::<2>().map(|[owner, _]| owner.role) {
            Some(Role::Paragraph) => self.stands_at(FramePlace::of(element)),
            Some(Role::Style) => self.styles.frames(FramePlace::of(element)),
            _ => {}
        }
    }

    /// The paragraph has a style that may make it a frame.
    pub fn frame_of_style(&mut self, style: &str) {
        let is_own = self.frames.last_chunk::<2>().is_some_and(|[owner, _]| owner.role == Role::Paragraph);
        if let Some(place) = self.styles.frame_of(style).filter(|_| is_own) {
            self.stands_at(place);
        }
    }

    fn stands_at(&mut self, place: FramePlace) {
        if let Some((_, own)) = self.framed.paragraphs.last_mut() {
            *own = Some(place);
        }
    }

    /// A paragraph of Word's has ended, and its line not yet.
    pub fn end_framed(&mut self) {
        let Some((start, place)) = self.framed.paragraphs.pop() else { return };
        match place {
            Some(place) if place.is_drop_cap => self.framed.letter = Some((self.flow.depth(), self.flow.len())),
            Some(place) => self.frame(start, place),
            None => self.place_frames(start),
        }
    }

    /// A paragraph that is a frame, or one more of the last one.
    fn frame(&mut self, start: usize, place: FramePlace) {
        let depth = self.flow.depth();
        let text = self.flow.shown().get(start..).unwrap_or_default().trim();
        let runs = &mut self.framed.runs;
        if runs.last().is_none_or(|run| run.depth != depth) {
            runs.push(Run { depth, start, ..Run::default() });
        }
        let Some(run) = runs.last_mut() else { return };
        run.has_long |= text.len() > LONGEST;
        if is_piece(text) {
            run.kinds.insert(place.kind.clone());
            run.digits += text.bytes().filter(u8::is_ascii_digit).count();
        }
        let (left, top) = (place.left, place.top);
        match run.frames.last_mut().filter(|last| run.last == place && last.text.len() + text.len() <= LONGEST) {
            Some(last) => last.text.push_str(&format!(" {text}")),
            None if text.len() > LONGEST => {}
            None => run.frames.push(TextBox { depth, left, top, text: text.to_owned(), ..TextBox::default() }),
        }
        run.last = place;
    }

    /// The frames of this story have ended, with no paragraph behind them.
    pub fn end_frames(&mut self) {
        if !self.framed.runs.is_empty() {
            self.place_frames(self.flow.len());
        }
    }

    /// The frames before a paragraph that begins there: they are shown in their places, before it or beside it.
    fn place_frames(&mut self, start: usize) {
        let depth = self.flow.depth();
        while self.framed.runs.pop_if(|run| run.depth > depth).is_some() {}
        let Some(mut run) = self.framed.runs.pop_if(|run| run.depth == depth) else { return };
        let joined = joined(&mut run.frames);
        if !joined.is_empty() {
            let written = self.flow.shown().get(run.start..start).unwrap_or_default();
            let range = run.start..run.start + written.trim_end_matches(['\n', SOFT]).len();
            if !run.has_long {
                self.flow.swap(range, &joined, &joined);
            }
            let at = self.flow.len();
            if at > start {
                self.flow.swap(at..at, &joined, &joined);
            }
        }
        if run.kinds.len() > 1 && run.digits >= IDENTIFIER {
            self.unread.insert("layout");
        }
        self.boxes.keep(run.frames);
    }
}

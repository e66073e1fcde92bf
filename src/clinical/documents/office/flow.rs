//! The text of a part while it is put together: what is shown, in up to five readings, and what stands aside.
//!
//! Called by `reader`. Promises: what different programmes show of the same part is each in a reading of its own, so that a number
//! is whole in one of them; text boxes, notes and comments are stories of their own and divide nothing; never longer than the
//! room there is. Fails never.

use super::arranged::Arrangement;
use super::sheet::Sheet;
use super::swaps::{Swap, swapped};
use std::collections::BTreeMap;
use std::ops::Range;

/// Which readings a piece of text is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Readings(u8);

impl Readings {
    pub const ALL: Readings = Readings(0b1_1111);
    /// As it is shown to whoever accepts what was changed.
    pub const SHOWN: Readings = Readings(0b1_1101);
    /// As it was, or is for programmes that know less.
    pub const OTHER: Readings = Readings(0b0_0110);
    /// Only where nothing is left out.
    pub const HIDDEN: Readings = Readings(0b0_0100);
    /// Only where what a programme adds and nobody can see is as on the page: before and after it updates its fields.
    pub const SEEN: Readings = Readings(0b1_1000);
    /// All others.
    pub const UNSEEN: Readings = Readings(0b0_0111);
    /// Only where fields were updated.
    pub const UPDATED: Readings = Readings(0b1_0000);
    /// All others.
    pub const STORED: Readings = Readings(0b0_1111);
    const COUNT: usize = 5;
    /// The reading of the page before its fields are updated.
    const PAGE: usize = 3;

    pub fn and(self, other: Readings) -> Readings {
        Readings(self.0 & other.0)
    }

    /// Whether it is on the page.
    pub fn are_seen(self) -> bool {
        self.has(Readings::PAGE)
    }

    fn has(self, reading: usize) -> bool {
        self.0 >> reading & 1 == 1
    }
}

/// Stories inside one another.
const STORIES: usize = 64;
/// Tabs in one row.
const TABS: usize = 256;
/// A line's end inside a cell, which does not end the row.
pub(super) const SOFT: char = '\u{2028}';

/// The text of one part.
pub(super) struct Flow {
    stories: Vec<Story>,
    /// Stories that have ended.
    texts: [String; Readings::COUNT],
    /// Those among them in which something is worked out when they are shown.
    waiting: Vec<(String, Vec<Swap>)>,
    /// How often somebody said that a text is only known at the end.
    later: usize,
    aside: String,
    arranged: String,
    room: usize,
    cut: bool,
}

/// Text that stands together.
#[derive(Default)]
struct Story {
    swaps: Vec<Swap>,
    texts: [Option<String>; Readings::COUNT],
    cell: Option<Cell>,
    tabs: usize,
}

/// A cell of a table.
#[derive(Default)]
struct Cell {
    start: usize,
    columns: usize,
    value: String,
}

/// What a part says.
pub(super) struct Told {
    pub readings: [String; Readings::COUNT],
    /// The stories as a programme shows them that works out what stands in them, in two ways where it may be either.
    pub computed: [String; 2],
    /// Tables as they are shown, where they are shown in another way than they are written.
    pub arranged: String,
    pub aside: String,
    pub cut: bool,
}

impl Flow {
    pub fn new(room: usize) -> Flow {
        let mut flow = Flow {
            stories: Vec::new(),
            texts: Default::default(),
            waiting: Vec::new(),
            later: 0,
            aside: String::new(),
            arranged: String::new(),
            room,
            cut: false,
        };
        flow.stories.push(Story::new());
        flow
    }

    /// `later`: what the texts are that are only known now, in the order in which they were asked for.
    pub fn finish(mut self, later: &[Option<String>]) -> Told {
        while !self.stories.is_empty() {
            self.end_story();
        }
        let computed = swapped(&mut self.waiting, later);
        Told { readings: self.texts, computed, arranged: self.arranged, aside: self.aside, cut: self.cut }
    }

    /// A piece of the story that is shown in another way than it is stored: as `first`, or as `last`.
    pub fn swap(&mut self, range: Range<usize>, first: &str, last: &str) {
        let texts = [first, last].map(str::to_owned);
        self.add_swap(first.len() + last.len(), Swap { range, texts, later: None });
    }

    /// The same where it is only known at the end; its number among those.
    pub fn swap_later(&mut self, range: Range<usize>) -> usize {
        let number = self.later;
        self.later += 1;
        self.add_swap(0, Swap { range, texts: Default::default(), later: Some(number) });
        number
    }

    /// What is shown in the story that is open, by where that begins which is stored instead.
    fn swapped(&self, later: &[Option<String>]) -> BTreeMap<usize, String> {
        let swaps = self.stories.last().into_iter().flat_map(|story| &story.swaps);
        swaps.filter_map(|swap| Some((swap.range.start, swap.text(0, later)?.to_owned()))).collect()
    }

    /// The tables as they are shown, where something in them is hidden or turned; whether all of that was kept.
    pub fn arrange(&mut self, sheet: &mut Sheet, mut arrangement: Arrangement, later: &[Option<String>]) -> bool {
        if arrangement.is_empty() {
            return true;
        }
        let shown = self.swapped(later);
        let tables = sheet.arranged(&mut arrangement, (self.shown(), &shown), self.room);
        let is_whole = tables.is_some() && !arrangement.is_cut();
        self.arranged = tables.unwrap_or_default();
        self.room = self.room.saturating_sub(self.arranged.len());
        is_whole
    }

    /// How many texts are only known at the end.
    pub fn asked_later(&self) -> usize {
        self.later
    }

    fn add_swap(&mut self, octets: usize, swap: Swap) {
        if octets > self.room {
            self.cut = true;
            return;
        }
        self.room -= octets;
        if let Some(story) = self.stories.last_mut() {
            story.swaps.push(swap);
        }
    }

    /// Where the text of the cell begins that is open.
    pub fn cell_start(&self) -> Option<usize> {
        self.stories.last().and_then(|story| story.cell.as_ref()).map(|cell| cell.start)
    }

    /// How many stories are open.
    pub fn depth(&self) -> usize {
        self.stories.len()
    }

    /// Octets of the story so far, as it is shown.
    pub fn len(&self) -> usize {
        self.shown().len()
    }

    pub fn shown(&self) -> &str {
        self.stories.last().and_then(|story| story.texts[0].as_deref()).unwrap_or_default()
    }

    /// The same, as it is seen on the page.
    pub fn seen(&self) -> &str {
        self.stories.last().and_then(|story| story.texts[Readings::PAGE].as_deref()).unwrap_or(self.shown())
    }

    pub fn push(&mut self, text: &str, readings: Readings) {
        if text.len() > self.room {
            self.cut = true;
            return;
        }
        self.room -= text.len();
        if let Some(story) = self.stories.last_mut() {
            story.push(text, readings);
        }
    }

    /// A label, and what is labelled.
    pub fn note(&mut self, label: &str, text: &str) {
        self.tell_aside("\n");
        self.tell_aside(label);
        self.tell_aside(" ");
        self.tell_aside(text);
    }

    pub fn tell_aside(&mut self, text: &str) {
        if text.len() > self.room {
            self.cut = true;
            return;
        }
        self.room -= text.len();
        self.aside.push_str(text);
    }

    /// Text that stands apart begins; whether it does.
    pub fn begin_story(&mut self) -> bool {
        let may = self.stories.len() < STORIES;
        if may {
            self.stories.push(Story::new());
        }
        may
    }

    pub fn end_story(&mut self) {
        let Some(mut story) = self.stories.pop() else { return };
        if story.texts[Readings::PAGE] == story.texts[Readings::PAGE + 1] {
            story.texts[Readings::PAGE + 1] = None;
        }
        for (text, told) in self.texts.iter_mut().zip(&story.texts) {
            if let Some(told) = told.as_deref().filter(|told| !told.trim().is_empty()) {
                text.push_str(told);
                // Two stories are never one number.
                text.push_str("\n;\n");
            }
        }
        let [shown, ..] = story.texts;
        if let Some(shown) = shown.filter(|_| !story.swaps.is_empty()) {
            self.wait(shown, story.swaps);
        }
    }

    /// What is worked out in a story is known when all were read.
    fn wait(&mut self, shown: String, swaps: Vec<Swap>) {
        if shown.len() > self.room {
            self.cut = true;
            return;
        }
        self.room -= shown.len();
        self.waiting.push((shown, swaps));
    }

    pub fn is_in_cell(&self) -> bool {
        self.stories.last().is_some_and(|story| story.cell.is_some())
    }

    /// The end of a line.
    pub fn line(&mut self, readings: Readings) {
        let end = if self.is_in_cell() { SOFT } else { '\n' };
        self.push(end.encode_utf8(&mut [0; 4]), readings);
    }

    /// Where a paragraph begins, a line does.
    pub fn fresh_line(&mut self, readings: Readings) {
        if !self.shown().is_empty() && !self.shown().ends_with(['\n', '\t', SOFT]) {
            self.line(readings);
        }
    }

    /// A cell begins that is so many columns wide; `value`: what it says beside its text.
    pub fn begin_cell(&mut self, columns: usize, value: String) {
        let start = self.len();
        if let Some(story) = self.stories.last_mut() {
            story.cell = Some(Cell { start, columns, value });
        }
    }

    /// A cell whose column is known by itself begins.
    pub fn begin_place(&mut self) {
        self.begin_cell(0, String::new());
    }

    pub fn end_place(&mut self) {
        self.trim_line();
        if let Some(story) = self.stories.last_mut() {
            story.cell = None;
        }
    }

    pub fn widen_cell(&mut self, columns: usize) {
        if let Some(cell) = self.stories.last_mut().and_then(|story| story.cell.as_mut()) {
            cell.columns = columns;
        }
    }

    pub fn end_cell(&mut self, readings: Readings) {
        let Some(cell) = self.stories.last_mut().and_then(|story| story.cell.take()) else { return };
        self.trim_line();
        let told = self.shown().get(cell.start..).unwrap_or_default();
        if !cell.value.is_empty() && !told.contains(&cell.value) {
            let divider = if told.is_empty() { "" } else { " ; " };
            self.push(&format!("{divider}{}", cell.value), readings);
        }
        self.tabs(cell.columns.max(1));
    }

    /// So many columns more, as long as the row is short enough to be one.
    pub fn tabs(&mut self, count: usize) {
        let Some(story) = self.stories.last_mut() else { return };
        let more = count.min(TABS.saturating_sub(story.tabs)).max(usize::from(count > 0));
        story.tabs = story.tabs.saturating_add(more);
        for _ in 0..more {
            self.push("\t", Readings::ALL);
        }
    }

    pub fn end_row(&mut self) {
        if let Some(story) = self.stories.last_mut() {
            story.tabs = 0;
            story.cell = None;
        }
        self.push("\n", Readings::ALL);
    }

    /// The end of a cell's last line is the cell's.
    fn trim_line(&mut self) {
        let texts = self.stories.last_mut().into_iter().flat_map(|story| story.texts.iter_mut().flatten());
        for text in texts {
            text.truncate(text.trim_end_matches(SOFT).len());
        }
    }
}

impl Story {
    fn new() -> Story {
        Story { texts: [Some(String::new()), None, None, None, None], ..Story::default() }
    }

    /// A reading is only kept once it differs from the first.
    fn push(&mut self, text: &str, readings: Readings) {
        let [shown, others @ ..] = &mut self.texts;
        for (other, reading) in others.iter_mut().zip(1..) {
            if other.is_none() && readings.has(reading) != readings.has(0) {
                other.clone_from(shown);
            }
            if let Some(other) = other.as_mut().filter(|_| readings.has(reading)) {
                other.push_str(text);
            }
        }
        if let Some(shown) = shown.as_mut().filter(|_| readings.has(0)) {
            shown.push_str(text);
        }
    }
}

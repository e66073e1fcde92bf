//! What a programme counts while it shows a text: labels of lists, marks of notes, numbers of lines.
//!
//! Called by `reader`. Promises: a label is told where digits are beside it, so that ordinary lists cost nothing. Fails never.

use super::super::counts::Section;
use super::super::flow::Readings;
use super::super::roles::Role;
use super::super::xml::Element;
use super::Reader;
use crate::clinical::digit;

/// Characters before a label in which a digit may stand.
const BESIDE: usize = 32;
/// Characters of a usual line.
const LINE: usize = 90;

/// How far the numbers of a part have come.
#[derive(Default)]
pub(super) struct Counting {
    /// Shown before the paragraph's text.
    label: Option<String>,
    section: usize,
    footnotes: u64,
    endnotes: u64,
    lines: u64,
    /// Where the paragraph begins.
    start: usize,
}

impl<'a> Reader<'a, '_> {
    /// What a programme counts, and where it counts from.
    pub fn counted(&mut self, element: &Element<'a, '_>) {
        match element.local {
            "numId" | "ilvl" if self.is_of_paragraph() => return self.counts.numbering.placed(element),
            "footnoteReference" => return self.note_mark(|section| section.footnote, |all| &mut all.footnotes),
            "endnoteReference" => return self.note_mark(|section| section.endnote, |all| &mut all.endnotes),
            "footnoteRef" => return self.mark(self.counts.footnote, |all| &mut all.footnotes),
            // Notes and pages have formats, too.
            "numFmt" | "suff" | "start" if self.frames.last().is_none_or(|level| level.local != "lvl") => return,
            "endnoteRef" => return self.mark(self.counts.endnote, |all| &mut all.endnotes),
            _ => {}
        }
        let counted = self.counts.numbering.element(element);
        if let Some(text) = counted.text {
            self.flow.note(element.local, &text);
            self.flow.tell_aside(" ;");
        }
        if counted.is_unread {
            self.unread.insert("numbering");
        }
    }

    /// Whether the element stands in `w:pPr/w:numPr` of a paragraph or a style, and not of what it was.
    fn is_of_paragraph(&self) -> bool {
        match self.frames.last_chunk::<3>() {
            Some([owner, properties, list]) => {
                list.local == "numPr"
                    && properties.local == "pPr"
                    && matches!(owner.role, Role::Paragraph | Role::Style)
            }
            None => false,
        }
    }

    pub fn begin_counting(&mut self) {
        self.counts.numbering.begin_paragraph();
        self.counting.label = None;
        if self.flow.depth() > 1 || self.flow.is_in_cell() {
            return;
        }
        self.counting.start = self.flow.len();
        let Some(lines) = self.counts.sections.get(self.counting.section).line else { return };
        let number = lines.first.saturating_add(self.counting.lines);
        self.counting.label = (number % lines.by == 0).then(|| format!("{number}\t"));
    }

    /// The properties of a paragraph, of a style, or of a section have ended.
    pub fn end_properties(&mut self, local: &str) {
        let Some(owner) = self.frames.last().map(|frame| (frame.role, frame.local)) else { return };
        match (local, owner) {
            ("pPr", (Role::Style, _)) => self.counts.numbering.end_style(self.styles.current()),
            ("pPr", (Role::Paragraph, _)) => {
                let style = self.counts.numbering.style().map(str::to_owned);
                let chain = style.iter().flat_map(|style| self.styles.chain(style));
                if let Some(label) = self.counts.numbering.label(chain) {
                    self.counting.label.get_or_insert_default().push_str(&label);
                }
            }
            ("sectPr", (_, owner)) if owner != "sectPrChange" => {
                self.counting.section += 1;
                self.counting.lines = 0;
                let next = self.counts.sections.get(self.counting.section);
                self.counting.footnotes = next.footnote.map_or(self.counting.footnotes, |_| 0);
            }
            _ => {}
        }
    }

    /// The label of the paragraph, where digits are beside it.
    pub fn label_before(&mut self, text: &str) {
        if self.counting.label.is_none() {
            return;
        }
        let Some(first) = text.chars().find(|c| c.is_alphanumeric() || digit(*c).is_some()) else { return };
        let before = self.flow.seen().chars().rev().take(BESIDE).find(|c| c.is_alphanumeric());
        let label = self.counting.label.take();
        if digit(first).is_some() || before.is_some_and(|c| digit(c).is_some()) {
            self.label(label);
        }
    }

    fn label(&mut self, label: Option<String>) {
        let Some(label) = label else { return };
        // A tab would begin another column.
        let label = if self.flow.is_in_cell() { label.replace('\t', "\u{2003}") } else { label };
        self.flow.push(&label, self.readings.and(Readings::SEEN));
    }

    pub fn end_counting(&mut self) {
        let label = self.counting.label.take();
        self.label(label);
        if self.flow.depth() == 1 && !self.flow.is_in_cell() {
            let length = self.flow.len().saturating_sub(self.counting.start);
            self.counting.lines = self.counting.lines.saturating_add(1 + (length / LINE) as u64);
        }
    }

    /// The mark of a note in the text, where notes do not begin at one (17.11.14).
    fn note_mark(&mut self, start: fn(&Section) -> Option<u64>, counter: fn(&mut Counting) -> &mut u64) {
        let start = start(&self.counts.sections.get(self.counting.section));
        self.mark(start, counter);
    }

    /// The number of a note.
    fn mark(&mut self, start: Option<u64>, counter: fn(&mut Counting) -> &mut u64) {
        let count = counter(&mut self.counting);
        let number = start.filter(|start| *start > 1).map(|start| start.saturating_add(*count));
        *count = count.saturating_add(1);
        if let Some(number) = number {
            self.flow.push(&number.to_string(), self.readings.and(Readings::SEEN));
        }
    }
}

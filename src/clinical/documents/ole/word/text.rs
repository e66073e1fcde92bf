//! The text of a Word document while its pieces are put together: as it is stored, as it is shown, and as it stands on the page.
//!
//! Called by `word`. Promises: each character once; the page is only kept once it differs. Fails never: what a field comes to that
//! nobody here understands is what is stored.

use super::super::super::instructions::{INSTRUCTION, Kind, Values};
use super::super::super::lists::Lists;
use super::super::super::octets::Octets;
use super::super::bookmarks::Bookmarks;
use super::super::formatting;
use super::super::list_styles::ListStyles;
use super::super::page::{Boxes, Starts};
use super::Piece;
use crate::clinical::digit;
use encoding_rs::WINDOWS_1252;
use std::ops::Range;

/// Fields inside one another that are worked out.
const DEEPEST: usize = 64;
/// Characters of a usual line, and before a label.
const LINE: usize = 90;
const BESIDE: usize = 32;

#[derive(Debug, Default)]
pub(super) struct Text {
    pub room: usize,
    /// Octets of pieces so far: one place may be in many.
    pub read: usize,
    pub hidden: Vec<Range<usize>>,
    pub row_ends: Vec<Range<usize>>,
    pub all: String,
    pub shown: String,
    pub differs: bool,
    /// What fields are told to do, which is not shown.
    pub instructions: String,
    fields: Vec<Field>,
    pub page: Page,
}

/// A field that is open.
#[derive(Debug, Default)]
struct Field {
    has_result: bool,
    instruction: String,
    /// Something else than what is stored is shown: at once, or once fields are updated.
    is_live: Option<bool>,
}

/// What is known of the page, and what stands on it before fields are updated and after.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub lists: Lists,
    pub starts: Starts,
    pub values: Values,
    pub listed: Vec<(Range<usize>, u16)>,
    pub levels: Vec<(Range<usize>, u16)>,
    pub styles: ListStyles,
    pub styled: Vec<(Range<usize>, u16)>,
    pub boxes: Boxes,
    pub bookmarks: Bookmarks,
    /// Characters of the body: notes follow.
    pub body: usize,
    texts: [Option<String>; 2],
    characters: usize,
    /// Whether a paragraph goes on, and the label that stands before its first word.
    is_inside: bool,
    label: Option<String>,
    notes: u64,
    line: u64,
    length: usize,
}

impl Text {
    pub fn new(room: usize, hidden: Vec<Range<usize>>, row_ends: Vec<Range<usize>>) -> Text {
        Text { room, hidden, row_ends, ..Text::default() }
    }

    /// False: the stream does not have all of it.
    pub fn add(&mut self, word: &[u8], piece: &Piece) -> bool {
        let width = if piece.is_wide { 2 } else { 1 };
        let announced = piece.characters.saturating_mul(width);
        let octets = Octets::from(word, piece.start).take_up_to(announced);
        self.read = self.read.saturating_add(octets.len());
        if self.read > self.room {
            return true;
        }
        let mut at = piece.start;
        if piece.is_wide {
            let units = octets.chunks_exact(2).map(|unit| u16::from_le_bytes([unit[0], unit[1]]));
            for c in char::decode_utf16(units).map(|c| c.unwrap_or('\u{FFFD}')) {
                self.character(c, at);
                at += 2 * c.len_utf16();
            }
        } else {
            for c in WINDOWS_1252.decode_without_bom_handling(octets).0.chars() {
                self.character(c, at);
                at += 1;
            }
        }
        octets.len() == announced
    }

    /// [MS-DOC] 2.4.1 and 2.8.25: characters that stand for something else.
    fn character(&mut self, c: char, at: usize) {
        self.pass_bookmarks(self.page.characters);
        if !std::mem::replace(&mut self.page.is_inside, true) {
            self.page.begin_paragraph(at);
        }
        self.page.count(c);
        match c {
            '\u{13}' if self.fields.len() >= DEEPEST => {
                self.page.values.cut();
                self.fields.clear();
            }
            '\u{13}' => self.fields.push(Field::default()),
            '\u{14}' => self.work_out(),
            '\u{15}' => {
                self.work_out();
                self.fields.pop();
                self.instructions.push('\n');
            }
            '\u{7}' if formatting::covers(&self.row_ends, at) => self.push('\n', at),
            '\u{7}' => self.push('\t', at),
            '\r' | '\u{B}' | '\u{C}' | '\u{E}' => self.push('\n', at),
            '\u{1E}' => self.push('\u{2011}', at),
            '\u{1F}' => self.push('\u{AD}', at),
            '\t' => self.push('\t', at),
            '\u{2}' => self.note_mark(),
            c if c < ' ' => {}
            c => self.push(c, at),
        }
        self.page.is_inside = !matches!(c, '\r' | '\u{7}' | '\u{C}');
    }

    /// Bookmarks that end before that character have the text that fields show which refer to them.
    fn pass_bookmarks(&mut self, character: usize) {
        let Page { texts: [_, updated], bookmarks, values, .. } = &mut self.page;
        let updated = updated.as_ref().unwrap_or(&self.shown);
        while let Some(marked) = bookmarks.pass(character, updated.len()) {
            let text = values.referred(updated.get(marked.start..).unwrap_or_default());
            values.set(Kind::Bookmark, &marked.name, &text);
        }
    }

    /// The text has ended, and with it all bookmarks.
    pub fn end_bookmarks(&mut self) {
        self.pass_bookmarks(usize::MAX);
    }

    fn push(&mut self, c: char, at: usize) {
        if let Some(field) = self.fields.last_mut().filter(|field| !field.has_result) {
            if field.instruction.len() <= INSTRUCTION {
                field.instruction.push(c);
            }
            return self.instructions.push(c);
        }
        self.label_before(c);
        self.all.push(c);
        if formatting::covers(&self.hidden, at) {
            self.differs = true;
            return;
        }
        self.shown.push(c);
        let kept =
            |is_updated: bool| self.fields.iter().all(|f| f.has_result && f.is_live.is_none_or(|l| !l && !is_updated));
        let kept = [kept(false), kept(true)];
        for (text, _) in self.page.texts.iter_mut().zip(kept).filter(|(_, kept)| *kept) {
            text.iter_mut().for_each(|text| text.push(c));
        }
    }

    /// Text that is only on the page.
    fn push_on_page(&mut self, text: &str, is_live: bool) {
        if self.page.texts[0].is_none() {
            self.page.texts = [Some(self.shown.clone()), Some(self.shown.clone())];
        }
        let first = usize::from(!is_live);
        self.page.texts.iter_mut().skip(first).flatten().for_each(|page| page.push_str(text));
    }

    /// The instruction of the innermost field has ended.
    fn work_out(&mut self) {
        let Some(mut field) = self.fields.pop_if(|field| !field.has_result) else { return };
        field.has_result = true;
        if let Some(outcome) = self.page.values.outcome(&field.instruction) {
            match self.fields.last_mut().filter(|outer| !outer.has_result) {
                Some(outer) if outer.instruction.len() <= INSTRUCTION => outer.instruction.push_str(&outcome.text),
                Some(_) => {}
                None => {
                    outcome.text.chars().next().into_iter().for_each(|first| self.label_before(first));
                    self.push_on_page(&outcome.text, outcome.is_live);
                }
            }
            field.is_live = Some(outcome.is_live);
        }
        self.fields.push(field);
    }

    /// [MS-DOC] 2.8.25: the mark of a note, where they do not begin at one.
    fn note_mark(&mut self) {
        let Some(start) = self.page.starts.note else { return };
        let number = start.saturating_add(self.page.notes);
        self.page.notes += 1;
        self.push_on_page(&number.to_string(), true);
    }

    /// The label of a paragraph, where digits are beside it.
    fn label_before(&mut self, c: char) {
        self.page.length += 1;
        let is_end = c == '\n';
        if self.page.label.is_none() || !(c.is_alphanumeric() || digit(c).is_some() || is_end) {
            return;
        }
        let before = self.page.texts[0].as_ref().unwrap_or(&self.shown);
        let before = before.chars().rev().take(BESIDE).find(|c| c.is_alphanumeric());
        let Some(label) = self.page.label.take() else { return };
        if is_end || digit(c).is_some() || before.is_some_and(|c| digit(c).is_some()) {
            self.push_on_page(&label, true);
        }
    }

    /// What stands on the page, where that is not what is stored; and its boxes in one line.
    pub fn on_page(&mut self) -> Vec<String> {
        let [page, updated] = std::mem::take(&mut self.page.texts);
        let updated = updated.filter(|updated| page.as_ref() != Some(updated));
        let mut texts: Vec<String> =
            [page, updated].into_iter().flatten().map(|t| self.page.values.resolved(&t)).collect();
        texts.push(self.page.boxes.joined());
        texts
    }
}

impl Page {
    /// The paragraph's label: of its list, or the number of its line.
    fn begin_paragraph(&mut self, at: usize) {
        let style = self.styles.of_style(formatting::told_at(&self.styled, at).unwrap_or_default());
        let list = formatting::told_at(&self.listed, at).or(style.map(|(list, _)| list)).filter(|list| *list > 0);
        let level = formatting::told_at(&self.levels, at).or(style.map(|(_, level)| level)).unwrap_or_default();
        let label = list.and_then(|list| self.lists.label(i64::from(list), usize::from(level)));
        self.line = self.line.saturating_add((self.length / LINE) as u64);
        let line = self.starts.line.map(|start| format!("{}\t", start.saturating_add(self.line)));
        self.label = label.or(line);
        self.line = self.line.saturating_add(1);
        self.length = 0;
    }

    /// Counts one character.
    fn count(&mut self, c: char) {
        self.boxes.take(self.characters, c);
        self.characters = self.characters.saturating_add(c.len_utf16());
        if self.characters == self.body {
            self.notes = 0;
        }
    }
}

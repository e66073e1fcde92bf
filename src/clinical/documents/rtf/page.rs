//! What a word processor counts, works out and places while it shows an RTF document: beside what is stored of it.
//!
//! Called by `state`. Promises: labels and numbers are told where digits are beside them; each text is as short as its document. Fails
//! never.

use super::super::instructions::{Kind, Values};
use super::flow::Flow;
use super::lists::Tables;
use crate::clinical::digit;
use std::collections::BTreeMap;
use std::ops::Range;

/// Octets of a text box: what is longer has whole numbers of its own.
const LONGEST: usize = 64;
/// Twips between two boxes that stand in one line.
const LINE: i32 = 240;
/// Characters of a usual line.
const WIDTH: usize = 90;

/// What is known of the page so far.
#[derive(Default)]
pub(super) struct Page {
    pub values: Values,
    pub tables: Tables,
    /// What the last field came to, among the edits of its flow: its result follows.
    pub field: Option<usize>,
    property: String,
    marks: BTreeMap<String, usize>,
    boxes: Vec<TextBox>,
    left: i32,
    top: i32,
    /// Where notes begin to count, and how many there were.
    note: u64,
    notes: u64,
    /// Where lines begin to count, and every how many are shown.
    lines: Option<u64>,
    by: u64,
    /// Where the paragraph begins, and the label that is stored of it.
    start: usize,
    stored: Option<Range<usize>>,
}

struct TextBox {
    line: i32,
    left: i32,
    text: String,
}

/// The list of a paragraph.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Listed {
    pub list: Option<i32>,
    pub level: i32,
}

impl Page {
    /// A word that says where something is counted from, or stands.
    pub fn word(&mut self, name: &[u8], number: Option<i32>) {
        let value = number.unwrap_or_default();
        let count = u64::try_from(value).unwrap_or_default();
        match name {
            b"pgnstart" | b"pgnstarts" => self.values.starts_at_page(count),
            b"ftnstart" | b"sftnstart" | b"aftnstart" | b"saftnstart" => (self.note, self.notes) = (count, 0),
            b"linestarts" => self.lines = Some(count).filter(|start| *start > 1),
            b"linemod" => self.by = count,
            b"shpleft" => self.left = value,
            b"shptop" => self.top = value,
            _ => self.tables.word(name, number),
        }
    }

    /// The mark of a note, in the text or in the note itself.
    pub fn note_mark(&mut self, flow: &mut Flow, is_body: bool) {
        let before = self.notes.saturating_sub(u64::from(!is_body));
        self.notes = self.notes.saturating_add(u64::from(is_body));
        if self.note > 1 {
            flow.edit(self.note.saturating_add(before).to_string(), true);
        }
    }

    /// A destination whose text says something has ended; `around`: what it stands in.
    pub fn named(&mut self, name: &'static str, flow: &mut Flow, around: &mut Flow) {
        match name {
            "fldinst" => self.field(flow, around),
            "propname" => self.property.clone_from(&flow.text),
            "staticval" => self.values.set(Kind::Property, &self.property, &flow.text),
            "docvar" => {
                let (name, value) = flow.text.trim().split_once('\n').unwrap_or_default();
                self.values.set(Kind::Variable, name, value);
            }
            "bkmkstart" => {
                around.settle();
                self.marks.insert(flow.text.clone(), around.text.len());
            }
            "bkmkend" => self.end_mark(&flow.text, around),
            "pntxta" | "pntxtb" => self.tables.old_text(name, &flow.text),
            "shptxt" => self.text_box(flow.text.trim()),
            "title" | "subject" | "author" | "keywords" | "comments" => {
                self.values.set(Kind::Property, name, &flow.text);
            }
            _ => {}
        }
    }

    fn field(&mut self, flow: &mut Flow, around: &mut Flow) {
        let [stored, updated] = flow.on_page();
        let instruction = updated.or(stored).unwrap_or_else(|| flow.text.clone());
        let outcome = self.values.outcome(&instruction);
        self.field = outcome.map(|outcome| around.edit(outcome.text, outcome.is_live));
    }

    fn end_mark(&mut self, name: &str, around: &mut Flow) {
        let Some(start) = self.marks.remove(name) else { return };
        around.settle();
        let text = around.text.get(start..).unwrap_or_default();
        self.values.set(Kind::Bookmark, name, text);
    }

    fn text_box(&mut self, text: &str) {
        if !text.is_empty() && text.len() <= LONGEST {
            let (line, left) = (self.top.div_euclid(LINE), self.left);
            self.boxes.push(TextBox { line, left, text: text.to_owned() });
        }
    }

    /// The label that is stored of a paragraph has ended.
    pub fn stored_label(&mut self, range: Range<usize>) {
        self.stored = Some(range);
    }

    /// A paragraph of the body, or the body itself, ends.
    pub fn end_paragraph(&mut self, body: &mut Flow, listed: Listed) {
        body.settle();
        let level = usize::try_from(listed.level).unwrap_or_default();
        let label = listed.list.and_then(|list| self.tables.label(i64::from(list), level));
        let old = self.tables.old_label();
        let stored = self.stored.take().filter(|stored| stored.start >= self.start);
        if let Some(label) = label.or(old) {
            let stored = stored.unwrap_or(self.start..self.start);
            if is_beside_digits(&body.text, &stored) {
                body.label(stored, label);
            }
        }
        self.place_boxes(body);
        self.number_line(body);
        self.start = body.text.len() + 1;
    }

    fn place_boxes(&mut self, body: &mut Flow) {
        let mut boxes = std::mem::take(&mut self.boxes);
        if boxes.iter().any(|one| one.text.bytes().any(|byte| byte.is_ascii_digit())) {
            boxes.sort_by_key(|one| (one.line, one.left));
            let joined: String = boxes.iter().map(|one| format!(" {}", one.text)).collect();
            body.edit(joined, true);
        }
    }

    fn number_line(&mut self, body: &mut Flow) {
        let Some(number) = self.lines.filter(|_| self.by > 0) else { return };
        let text = body.text.get(self.start..).unwrap_or_default();
        let length = text.len();
        if number % self.by == 0 && is_beside_digits(&body.text, &(self.start..self.start)) {
            body.label(self.start..self.start, format!("{number}\t"));
        }
        self.lines = Some(number.saturating_add(1 + (length / WIDTH) as u64));
    }
}

/// Whether a digit stands right behind a label or before it, or nothing does.
fn is_beside_digits(text: &str, label: &Range<usize>) -> bool {
    const BESIDE: usize = 32;
    let behind = text.get(label.end..).unwrap_or_default().chars().take(BESIDE).find(|c| c.is_alphanumeric());
    let before = text.get(..label.start).unwrap_or_default().chars().rev().take(BESIDE).find(|c| c.is_alphanumeric());
    behind.is_none_or(|c| digit(c).is_some()) || before.is_some_and(|c| digit(c).is_some())
}

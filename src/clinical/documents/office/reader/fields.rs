//! Fields: what their instructions come to, beside the results that are stored (ECMA-376 part 1, 17.16.18), and the bookmarks that
//! they refer to.
//!
//! Called by `reader`. Promises: so many fields inside one another. Fails never.

use super::super::super::instructions::{INSTRUCTION, Kind, Outcome};
use super::super::flow::Readings;
use super::super::xml::Element;
use super::Reader;
use super::forms::Form;

/// Fields inside one another.
const DEEPEST: usize = 64;

/// A field that is open.
#[derive(Default)]
pub(super) struct Field {
    instruction: String,
    has_result: bool,
    /// Where its result begins.
    pub result: Option<usize>,
    pub form: Form,
    /// The readings that show the result that is stored; all of them where nothing else is known.
    stored: Option<Readings>,
}

impl Field {
    /// Whether it is of that kind.
    pub fn is(&self, kind: &str) -> bool {
        self.instruction.split_whitespace().next().is_some_and(|name| name.eq_ignore_ascii_case(kind))
    }
}

/// A bookmark that is open.
pub(super) struct Mark {
    name: String,
    depth: usize,
    start: usize,
}

impl<'a> Reader<'a, '_> {
    /// The beginning of a field, of its result, or its end.
    pub fn field_character(&mut self, element: &Element<'a, '_>) {
        match element.attribute("fldCharType").as_deref() {
            Some("begin") if self.open_fields.len() >= DEEPEST => {
                self.unread.insert("fields");
                self.open_fields.clear();
            }
            Some("begin") => self.open_fields.push(Field::default()),
            Some("separate") => self.work_out(),
            Some("end") => {
                self.work_out();
                if let Some(field) = self.open_fields.pop() {
                    self.end_form(&field);
                }
            }
            _ => {}
        }
        self.mask = self.open_fields.iter().fold(Readings::ALL, |mask, field| match (field.has_result, field.stored) {
            (false, _) => mask.and(Readings::UNSEEN),
            (true, stored) => mask.and(stored.unwrap_or(Readings::ALL)),
        });
    }

    /// A piece of an instruction, or a result inside one.
    pub fn instruct(&mut self, text: &str) {
        if let Some(field) = self.open_fields.last_mut().filter(|field| !field.has_result)
            && field.instruction.len() <= INSTRUCTION
        {
            field.instruction.push_str(text);
        }
    }

    /// The instruction of the innermost field has ended.
    fn work_out(&mut self) {
        let Some(mut field) = self.open_fields.pop_if(|field| !field.has_result) else { return };
        let outcome = match () {
            () if field.is("FORMDROPDOWN") => field.form.entry(),
            // A box, whatever is written down beside it.
            () if field.is("FORMCHECKBOX") => Some(Outcome { text: " ".to_owned(), is_live: true }),
            () => self.counts.values.outcome(&field.instruction),
        };
        if let Some(outcome) = outcome {
            field.stored = Some(self.come_to(&outcome));
        }
        field.has_result = true;
        field.result = Some(self.flow.len());
        self.open_fields.push(field);
    }

    /// Tells what a field comes to; the readings that show what is stored instead.
    pub fn come_to(&mut self, outcome: &Outcome) -> Readings {
        let (shown, stored) = match outcome.is_live {
            true => (Readings::SEEN, Readings::UNSEEN),
            false => (Readings::UPDATED, Readings::STORED),
        };
        let outer = self.open_fields.last().map(|field| field.has_result);
        match outer {
            Some(false) => self.instruct(&outcome.text),
            _ => {
                self.label_before(&outcome.text);
                let around = self.open_fields.iter().filter_map(|field| field.stored);
                let readings = around.fold(self.readings.and(shown), Readings::and);
                self.flow.push(&outcome.text, readings);
            }
        }
        stored
    }

    /// A field in one element (17.16.19).
    pub fn simple_field(&mut self, element: &Element<'a, '_>) {
        let outcome = element.attribute("instr").and_then(|instruction| self.counts.values.outcome(&instruction));
        if let Some(outcome) = outcome {
            let stored = self.come_to(&outcome);
            self.readings = self.readings.and(stored);
        }
    }

    pub fn bookmark(&mut self, element: &Element<'a, '_>) {
        let id = element.attribute("id").unwrap_or_default();
        if element.local == "bookmarkStart" {
            let name = element.attribute("name").unwrap_or_default();
            self.marks.insert(id, Mark { name, depth: self.flow.depth(), start: self.flow.len() });
        } else if let Some(mark) = self.marks.remove(&id) {
            let text = self.flow.shown().get(mark.start..).filter(|_| mark.depth == self.flow.depth());
            self.counts.values.set(Kind::Bookmark, &mark.name, text.unwrap_or_default());
        }
    }
}

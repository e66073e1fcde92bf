//! Fields of forms (ECMA-376 part 1, 17.16.17): a list shows the entry that was chosen, and a text its default where nothing was typed.
//!
//! Called by `fields`. Promises: so many entries of one list. Fails never.

use super::super::super::instructions::Outcome;
use super::super::xml::Element;
use super::Reader;
use super::fields::Field;

/// Entries of one list, of which programmes allow 25, and octets of one.
const MOST: usize = 256;
const LONGEST: usize = 256;

/// What a field of a form has.
#[derive(Default)]
pub(super) struct Form {
    entries: Vec<String>,
    chosen: Option<usize>,
    usual: Option<usize>,
    text: String,
}

impl<'a> Reader<'a, '_> {
    /// What stands in the data of a field.
    pub fn of_form(&mut self, element: &Element<'a, '_>) {
        let owner = self.frames.last().map_or("", |frame| frame.local);
        let Some(form) = self.open_fields.last_mut().map(|field| &mut field.form) else { return };
        let Some(value) = element.attribute("val").filter(|value| value.len() <= LONGEST) else { return };
        match (owner, element.local) {
            ("ddList", "listEntry") if form.entries.len() < MOST => form.entries.push(value),
            ("ddList", "result") => form.chosen = value.trim().parse().ok(),
            ("ddList", "default") => form.usual = value.trim().parse().ok(),
            ("textInput", "default") => form.text = value,
            _ => {}
        }
    }

    /// A text in which nothing was typed shows its default.
    pub(super) fn end_form(&mut self, field: &Field) {
        let is_empty = field.result == Some(self.flow.len());
        if is_empty && field.is("FORMTEXT") && !field.form.text.is_empty() {
            self.come_to(&Outcome { text: field.form.text.clone(), is_live: true });
        }
    }
}

impl Form {
    /// The entry that a list shows: what was chosen, or the usual, or the first.
    pub fn entry(&self) -> Option<Outcome> {
        let at = self.chosen.or(self.usual).unwrap_or_default();
        self.entries.get(at).map(|text| Outcome { text: text.clone(), is_live: true })
    }
}

//! Fields of OpenDocument (1.3 part 3, 7): what a programme works out or looks up while it shows the text, whatever was written
//! down for it.
//!
//! Called by `reader`. Promises: so many names and references, and whether there were more. Fails never: what is not known stays as it is stored.

use super::super::dialect::Dialect;
use super::super::evaluation::{self, Known};
use super::super::flow::Readings;
use super::super::xml::Element;
use super::Reader;
use std::collections::BTreeMap;
use std::ops::Range;

/// Names, marks and references that are kept.
const MOST: usize = 20_000;
/// Octets of what is referred to.
const LONGEST: usize = 256;
/// A note with so many digits is not one that a programme counted.
const DIGITS: usize = 3;

/// What is known of the fields of a part.
#[derive(Default)]
pub(super) struct TextFields {
    /// Of users, variables and sequences.
    values: BTreeMap<String, String>,
    /// Where marked text begins and ends.
    marks: BTreeMap<String, Range<usize>>,
    /// References to it, with the number of the text that each is.
    references: Vec<(String, usize)>,
    open: Vec<Field>,
    /// There were more than are kept.
    pub is_cut: bool,
}

impl TextFields {
    /// Whether one more may be kept, where so many are.
    fn takes(&mut self, kept: usize) -> bool {
        self.is_cut |= kept >= MOST;
        kept < MOST
    }
}

/// A field that is open.
struct Field {
    depth: usize,
    start: usize,
    shown: Shown,
}

enum Shown {
    As([String; 2]),
    /// What is marked by that name.
    Marked(String),
    /// A note's mark in the line.
    Note(Option<String>),
}

impl Known for BTreeMap<String, String> {
    fn values(&self, reference: &str) -> Option<Vec<String>> {
        self.get(reference).map(|value| vec![value.clone()])
    }
}

impl<'a> Reader<'a, '_> {
    /// What stands in the text of an OpenDocument, beside paragraphs and spans.
    pub fn of_text(&mut self, element: &Element<'a, '_>) {
        match element.local {
            "list" => self.lists.begin(element),
            "list-item" => self.lists.item(element, &self.styles.lists),
            "list-style" | "list-level-style-number" => self.styles.lists.element(element),
            _ => self.field(element),
        }
    }

    /// What stands on a slide, beside its text.
    pub fn of_slide(&mut self, element: &Element<'a, '_>) {
        match (element.dialect, element.local) {
            (Dialect::Drawing, "pPr") => self.lists.paragraph(element),
            (Dialect::Drawing, "buAutoNum") if self.is_in_paragraph() => self.lists.counted(element),
            (Dialect::Drawing, "buAutoNum") => {
                let level = self.frames.last().map_or("", |frame| frame.local);
                self.lists.style(level, element);
            }
            (Dialect::Drawing, "buNone" | "buChar" | "buBlip") if self.is_in_paragraph() => self.lists.said(),
            (Dialect::Slide | Dialect::Drawing, "txBody") => self.lists.anew(),
            (Dialect::Slide, "presentation") => {
                let first = element.attribute("firstSlideNum");
                self.styles.first_slide = first.and_then(|first| first.trim().parse().ok());
            }
            (Dialect::Drawing, "fld") if element.attribute("type").is_some_and(|kind| kind == "slidenum") => {
                self.slide_number();
            }
            _ => {}
        }
    }

    /// An element of the text's own vocabulary that is no paragraph, no span and no sign.
    pub fn field(&mut self, element: &Element<'a, '_>) {
        let named = |name: &str| element.attribute(name).filter(|value| value.len() <= LONGEST);
        let shown = match element.local {
            "user-field-decl" | "variable-decl" | "sequence-decl" => {
                self.define(element);
                None
            }
            "user-field-get" | "variable-get" | "user-field-input" => {
                let value = named("name").and_then(|name| self.known.values.get(&name).cloned());
                value.map(|value| Shown::As([value.clone(), value]))
            }
            "variable-set" | "variable-input" | "sequence" | "expression" => {
                self.define(element).map(|value| Shown::As([value.clone(), value]))
            }
            "conditional-text" => {
                let both = (named("string-value-if-true"), named("string-value-if-false"));
                both.0.zip(both.1).map(|(is_true, is_false)| Shown::As([is_true, is_false]))
            }
            "hidden-text" => {
                self.readings = self.readings.and(Readings::OTHER);
                None
            }
            "bookmark-start" | "reference-mark-start" => {
                self.mark_text(named("name"));
                None
            }
            "bookmark-end" | "reference-mark-end" => {
                let mark = named("name").and_then(|name| self.known.marks.get_mut(&name));
                if let Some(mark) = mark {
                    mark.end = self.flow.len();
                }
                None
            }
            "bookmark-ref" | "reference-ref" => named("ref-name").map(Shown::Marked),
            "note-citation" => Some(Shown::Note(named("label"))),
            _ => None,
        };
        if let Some(shown) = shown.filter(|_| self.known.takes(self.known.open.len())) {
            self.known.open.push(Field { depth: self.frames.len(), start: self.flow.len(), shown });
        }
    }

    /// The field that shows the number of the slide (ECMA-376 part 1, 21.1.2.2.4), where the presentation says the first one's.
    pub fn slide_number(&mut self) {
        let Some(first) = self.styles.first_slide else { return };
        let number = |slides: u64| first.saturating_add(slides).to_string();
        let shown = Shown::As([number(self.styles.slide.saturating_sub(1)), number(0)]);
        if self.known.takes(self.known.open.len()) {
            self.known.open.push(Field { depth: self.frames.len(), start: self.flow.len(), shown });
        }
    }

    fn mark_text(&mut self, name: Option<String>) {
        if let Some(name) = name.filter(|_| self.known.takes(self.known.marks.len())) {
            let at = self.flow.len();
            self.known.marks.insert(name, at..at);
        }
    }

    /// What a field says that it comes to, kept by its name.
    fn define(&mut self, element: &Element<'a, '_>) -> Option<String> {
        let formula = element.attribute("formula").and_then(|formula| evaluation::value(&formula, &self.known.values));
        let value = formula.or_else(|| element.attribute("string-value")).or_else(|| element.attribute("value"));
        let value = value.filter(|value| value.len() <= LONGEST)?;
        if let Some(name) = element.attribute("name").filter(|_| self.known.takes(self.known.values.len())) {
            self.known.values.insert(name, value.clone());
        }
        Some(value)
    }

    /// The element has ended that was opened inside so many others.
    pub fn end_field(&mut self) {
        let depth = self.frames.len();
        let Some(field) = self.known.open.pop_if(|field| field.depth == depth) else { return };
        let range = field.start..self.flow.len();
        match field.shown {
            Shown::As([first, last]) if Some(&*first) != self.flow.shown().get(range.clone()) || first != last => {
                self.flow.swap(range, &first, &last);
            }
            Shown::As(_) => {}
            Shown::Marked(name) if self.known.takes(self.known.references.len()) => {
                let number = self.flow.swap_later(range);
                self.known.references.push((name, number));
            }
            Shown::Marked(_) => {}
            Shown::Note(label) => {
                let own = self.flow.shown().get(range).unwrap_or_default().trim().to_owned();
                let is_counted = label.is_none() && own.bytes().filter(u8::is_ascii_digit).count() < DIGITS;
                self.boxed = label.or(Some(own)).filter(|_| !is_counted);
            }
        }
    }

    /// All was read: what the references refer to.
    pub fn refer(&self, results: &mut [Option<String>]) {
        let text = self.flow.shown();
        for (name, number) in &self.known.references {
            let marked = self.known.marks.get(name).and_then(|range| text.get(range.clone()));
            if let (Some(slot), Some(marked)) = (results.get_mut(*number), marked) {
                *slot = Some(marked.to_owned()).filter(|marked| !marked.is_empty() && marked.len() <= LONGEST);
            }
        }
    }
}

//! What the parts of a document of Word say of its numbers and values: properties of the package, where sections begin to count.
//!
//! Called by `office` and `reader`. Promises: a part is looked through for sections only where one counts from a number of its own.
//! Fails never.

use super::super::instructions::{Kind, Values};
use super::bound::Bound;
use super::numbering::Numbering;
use super::xml::{self, Element, Visitor};

/// What is known of a document's numbers so far.
#[derive(Default)]
pub(super) struct Counts {
    pub numbering: Numbering,
    pub values: Values,
    /// To which controls are bound.
    pub bound: Bound,
    pub sections: Sections,
    /// Where the notes of the document begin to count.
    pub footnote: Option<u64>,
    pub endnote: Option<u64>,
}

/// The sections of the part that is read, and what holds where they say nothing.
#[derive(Default)]
pub(super) struct Sections {
    all: Vec<Section>,
    current: Section,
    /// Whole documents may count notes from a number.
    usual: Section,
}

/// Where a section begins to count (ECMA-376 part 1, 17.6.8, 17.6.12, 17.11.20).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Section {
    pub page: Option<u64>,
    pub footnote: Option<u64>,
    pub endnote: Option<u64>,
    pub line: Option<Lines>,
}

/// How lines are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lines {
    pub first: u64,
    /// Every so many are shown.
    pub by: u64,
}

impl Counts {
    /// Looks for where sections begin to count, before their text is read.
    pub fn sections(&mut self, markup: &str) {
        let counts = |name: &str| memchr::memmem::find(markup.as_bytes(), name.as_bytes()).is_some();
        self.sections.all.clear();
        if !["pgNumType", "numStart", "lnNumType"].into_iter().any(counts) {
            return;
        }
        let mut looked = Looked::default();
        // What is wrong with it is told where it is read.
        _ = xml::walk(markup, &mut looked);
        for page in looked.sections.all.iter().filter_map(|section| section.page) {
            self.values.starts_at_page(page);
        }
        let (all, mut usual) = (looked.sections.all, self.sections.usual);
        if looked.is_settings {
            usual = looked.sections.current;
        }
        // The parts with the notes are read later.
        self.footnote = all.iter().find_map(|section| section.footnote).or(usual.footnote).or(self.footnote);
        self.endnote = all.iter().find_map(|section| section.endnote).or(usual.endnote).or(self.endnote);
        self.sections = Sections { all, usual, ..Sections::default() };
    }

    /// Properties of the package (ECMA-376 part 2, 11; part 1, 22.2 and 22.3).
    pub fn properties(&mut self, markup: &str) {
        let mut properties = Properties { values: &mut self.values, open: Vec::new(), text: String::new() };
        _ = xml::walk(markup, &mut properties);
    }
}

impl Sections {
    /// The section of that number.
    pub fn get(&self, number: usize) -> Section {
        let own = self.all.get(number).copied().unwrap_or_default();
        Section { footnote: own.footnote.or(self.usual.footnote), endnote: own.endnote.or(self.usual.endnote), ..own }
    }
}

/// Looks through a part for its sections.
#[derive(Default)]
struct Looked<'a> {
    open: Vec<&'a str>,
    sections: Sections,
    is_settings: bool,
}

impl<'a> Visitor<'a> for Looked<'a> {
    fn open(&mut self, element: &Element<'a, '_>) {
        let number = |name: &str| element.attribute(name).and_then(|value| value.trim().parse::<u64>().ok());
        let parent = self.open.last().copied().unwrap_or_default();
        let section = &mut self.sections.current;
        match (parent, element.local) {
            (_, "pgNumType") => section.page = number("start"),
            ("footnotePr", "numStart") => section.footnote = number("val"),
            ("endnotePr", "numStart") => section.endnote = number("val"),
            (_, "lnNumType") => {
                let by = number("countBy").unwrap_or(1).max(1);
                section.line = number("start").map(|before| Lines { first: before.saturating_add(1), by });
            }
            ("", "settings") => self.is_settings = true,
            _ => {}
        }
        self.open.push(element.local);
    }

    fn close(&mut self) {
        let is_section = self.open.pop() == Some("sectPr") && self.open.last() != Some(&"sectPrChange");
        if is_section {
            self.sections.all.push(std::mem::take(&mut self.sections.current));
        }
    }

    fn text(&mut self, _: &str) {}

    fn aside(&mut self, _: &str) {}
}

/// Reads properties.
struct Properties<'v> {
    values: &'v mut Values,
    /// The names of those that are open.
    open: Vec<String>,
    text: String,
}

impl<'a> Visitor<'a> for Properties<'_> {
    fn open(&mut self, element: &Element<'a, '_>) {
        let name = match element.local {
            "creator" => "author".to_owned(),
            "description" => "comments".to_owned(),
            "lastModifiedBy" => "lastsavedby".to_owned(),
            "property" => element.attribute("name").unwrap_or_default(),
            // `<vt:lpwstr>`
            _ if self.open.len() > 1 => self.open.last().cloned().unwrap_or_default(),
            local => local.to_owned(),
        };
        self.open.push(name);
        self.text.clear();
    }

    fn close(&mut self) {
        if let Some(name) = self.open.pop().filter(|_| !self.text.trim().is_empty()) {
            self.values.set(Kind::Property, &name, &self.text);
        }
        self.text.clear();
    }

    fn text(&mut self, text: &str) {
        self.text.push_str(text);
    }

    fn aside(&mut self, _: &str) {}
}

//! The manifest of an OpenDocument package (part 2, 3): which of its files are encrypted.
//!
//! Called by `office`. Promises: one pass, so many names and no more. Fails never: what cannot be read names no more files.

use super::xml::{self, Element, Visitor};

/// Names that are kept: no package has more parts.
const MOST: usize = 2_000;

/// The files that are said to be encrypted.
pub(super) fn encrypted(markup: &str) -> Vec<String> {
    let mut names = Names::default();
    // What cannot be read is said by whoever reads it as a part.
    let _ = xml::walk(markup, &mut names);
    names.encrypted
}

#[derive(Default)]
struct Names {
    file: String,
    encrypted: Vec<String>,
}

impl<'a> Visitor<'a> for Names {
    fn open(&mut self, element: &Element<'a, '_>) {
        match element.local {
            "file-entry" => self.file = element.attribute("full-path").unwrap_or_default(),
            "encryption-data" if self.encrypted.len() < MOST => self.encrypted.push(self.file.clone()),
            _ => {}
        }
    }

    fn close(&mut self) {}

    fn text(&mut self, _: &str) {}

    fn aside(&mut self, _: &str) {}
}

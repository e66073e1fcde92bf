//! Digits in an element with a style, or struck out, between digits outside it: there are more ways to hide an element than
//! anybody can list, so one reading has them and another has not.
//!
//! Part of `page`. Promises: constant work for a tag. Fails never.

use super::super::html::divider;
use super::Page;

/// Octets of text that may be a decoy.
const MOST: usize = 32;

#[derive(Debug, Default)]
pub(super) struct Decoy {
    /// The element whose tag is read stands in the line.
    is_inline: bool,
    is_dressed: bool,
    /// Where the text of an element with a style begins, until a tag ends.
    begun: Option<usize>,
    /// Where the text of such an element began that has just ended.
    ended: Option<usize>,
}

impl Page {
    pub(super) fn begin_decoy(&mut self, name: &[u8]) {
        self.decoy.is_inline = divider(name) == Some(b"");
        // What is raised, lowered or struck out is dressed already.
        self.decoy.is_dressed = matches!(name, b"sup" | b"sub" | b"del" | b"s" | b"strike");
        if !self.decoy.is_inline {
            (self.decoy.begun, self.decoy.ended) = (None, None);
        }
    }

    pub(super) fn dress_decoy(&mut self, name: &[u8]) {
        self.decoy.is_dressed |=
            matches!(name, b"style" | b"class" | b"id" | b"width" | b"height" | b"hidden" | b"color" | b"size");
    }

    /// The tag of an element ends: its text begins, where digits stand right before it.
    pub(super) fn fill_decoy(&mut self) {
        let is_one = self.decoy.is_inline && self.decoy.is_dressed && self.decoy.begun.is_none();
        if is_one && ends_with_digit(&self.shown) {
            self.decoy.begun = Some(self.shown.len());
        }
    }

    pub(super) fn end_decoy(&mut self) {
        let begun = self.decoy.begun.take();
        let has_digits = |start: &usize| {
            let text = self.shown.get(*start..).unwrap_or_default();
            text.len() <= MOST && text.iter().any(u8::is_ascii_digit)
        };
        self.decoy.ended = begun.filter(has_digits).or(self.decoy.ended);
    }

    /// Text goes on: with digits, perhaps, as before the element.
    pub(super) fn go_on(&mut self, text: &[u8]) {
        let text = text.strip_prefix(b" ").unwrap_or(text);
        if let Some(start) = self.decoy.ended.take_if(|start| self.shown.len().saturating_sub(*start) <= MOST)
            && text.first().is_some_and(u8::is_ascii_digit)
        {
            self.doubt(start);
        }
        self.decoy.ended = None;
    }
}

fn ends_with_digit(text: &[u8]) -> bool {
    text.strip_suffix(b" ").unwrap_or(text).last().is_some_and(u8::is_ascii_digit)
}

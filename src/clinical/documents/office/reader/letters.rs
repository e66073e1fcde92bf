//! Characters: text as it stands in the markup, and elements that stand for some.
//!
//! Called by `reader`. Promises: blanks, line ends, symbols and escapes become what a programme shows for them. Fails never.

use super::super::super::instructions;
use super::super::dialect::Dialect;
use super::super::flow::{Readings, SOFT};
use super::super::roles::{Role, Sign};
use super::super::xml::Element;
use super::{Frame, Reader};
use std::borrow::Cow;

/// Blanks that one element may stand for.
const BLANKS: usize = 16;

impl<'a> Reader<'a, '_> {
    pub fn sign(&mut self, sign: Sign, element: &Element<'a, '_>) {
        let is_setting = self.frames.last().is_some_and(|frame| frame.role == Role::Tabs);
        match sign {
            Sign::Tab if is_setting => {}
            // A tab would begin another column.
            Sign::Tab if self.flow.is_in_cell() => self.flow.push("\u{2003}", self.shows()),
            Sign::Tab => self.flow.push("\t", self.shows()),
            Sign::Break => self.flow.line(self.shows()),
            Sign::Hyphen => self.flow.push("\u{2011}", self.shows()),
            Sign::SoftHyphen => self.flow.push("\u{AD}", self.shows()),
            Sign::Symbol => {
                let code = element.attribute("char").and_then(|code| u32::from_str_radix(&code, 16).ok());
                let font = element.attribute("font").unwrap_or_default();
                let digit = code.and_then(|code| instructions::signed(&font, code));
                if let Some(c) = digit.or_else(|| code.and_then(char::from_u32)) {
                    self.text_shown(c.encode_utf8(&mut [0; 4]));
                }
            }
            Sign::Spaces => {
                let count = element.attribute("c").and_then(|count| count.parse::<usize>().ok()).unwrap_or(1);
                self.flow.push(&" ".repeat(count.min(BLANKS)), self.readings);
            }
        }
    }

    /// Text that is shown: a line's end is a blank to most programmes, and one to spreadsheets.
    pub fn text_shown(&mut self, text: &str) {
        if let Some(number) = self.lists.before(text) {
            let at = self.flow.len();
            self.flow.swap(at..at, &number.text, &number.text);
        }
        let is_sheet = self.frames.last().is_some_and(|frame| frame.dialect == Dialect::Sheet);
        let is_odf = self.frames.last().is_some_and(|frame| frame.dialect == Dialect::OdfText);
        let text = unescaped(text, &self.frames);
        self.label_before(&text);
        self.instruct(&text);
        if text.bytes().all(|byte| (b' '..0xEE).contains(&byte)) && !(is_odf && text.contains("  ")) {
            return self.flow.push(&text, self.shows());
        }
        let mut out = String::with_capacity(text.len());
        for c in text.chars() {
            match c {
                '\r' => {}
                '\n' if is_sheet => out.push(SOFT),
                '\n' | '\t' | ' ' if is_odf && out.ends_with(' ') => {}
                '\n' | '\t' => out.push(' '),
                c => out.push(instructions::sign(c)),
            }
        }
        self.flow.push(&out, self.shows());
    }

    /// The readings that show what is stored where the reader is.
    fn shows(&self) -> Readings {
        self.readings.and(self.mask)
    }
}

/// `_x0039_` is a character wherever a string is one of a spreadsheet's or a slide's (ECMA-376 part 1, 22.9.2.19).
pub(super) fn unescaped<'t>(text: &'t str, frames: &[Frame<'_>]) -> Cow<'t, str> {
    let escapes = |frame: &Frame<'_>| matches!(frame.dialect, Dialect::Sheet | Dialect::Drawing | Dialect::Slide);
    if !frames.last().is_some_and(escapes) || !text.contains("_x") {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("_x") {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let code = rest.get(2..6).filter(|_| rest.get(6..7) == Some("_"));
        match code.and_then(|code| u32::from_str_radix(code, 16).ok()).and_then(char::from_u32) {
            Some(c) => {
                out.push(c);
                rest = &rest[7..];
            }
            None => {
                out.push_str("_x");
                rest = &rest[2..];
            }
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

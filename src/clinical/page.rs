//! What of a page of markup is shown, in the readings that programmes give it.
//!
//! Written by `html` and `styled`, tag by tag. Promises: linear; elements that HTML does not know are labels of what is in them
//! (`<nhsNumber>`) in the first reading, and nothing at all in a second one, as browsers have it, where they stand inside a word or a
//! number. Fails never.

mod decoy;
mod fields;

use super::conditional;
use super::html::divider;
use decoy::Decoy;
use fields::Fields;
use std::ops::Range;

/// Line ends in a row that are kept.
const LINES: usize = 2;
/// Octets beside an element in which a number may go on.
const NEAR: usize = 16;

/// Octets of a gloss, with its tags.
const GLOSS: usize = 32;

/// What was read so far.
#[derive(Debug, Default)]
pub(super) struct Page {
    shown: Vec<u8>,
    /// Comments and attributes.
    aside: Vec<u8>,
    /// What stands in the text in one reading, and not in another; in order.
    doubtful: Vec<Range<usize>>,
    /// Elements that keep their white space, as they are open.
    kept: usize,
    /// Open drawings: what is unknown in them is not shown.
    drawings: usize,
    /// Where something begins that is not in the line: a gloss over it (`<rt>`), a style sheet.
    gloss: Option<usize>,
    fields: Fields,
    /// A comment that Outlook shows has digits.
    pub has_conditional_digits: bool,
    /// Where begins what everybody shows but Outlook.
    others: Option<usize>,
    /// Pages that stand in attributes.
    pub frames: Vec<String>,
    /// The value that comes next is one.
    is_frame: bool,
    decoy: Decoy,
}

impl Page {
    pub fn with_room(octets: usize) -> Page {
        Page { shown: Vec::with_capacity(octets), ..Page::default() }
    }

    /// Text, with its white space as one character (CSS 2.2, 16.6.1).
    pub fn text(&mut self, text: &[u8]) {
        self.go_on(text);
        if self.kept > 0 {
            self.shown.extend_from_slice(text);
            return;
        }
        let mut rest = self.without_lead(text);
        while let Some(at) = blanks(rest) {
            let (plain, blank) = rest.split_at(at);
            self.shown.extend_from_slice(plain);
            let length = blank.iter().position(|byte| !is_blank(*byte)).unwrap_or(blank.len());
            let (run, behind) = blank.split_at(length);
            self.shown.push(if run.contains(&b'\n') { b'\n' } else { b' ' });
            rest = behind;
        }
        self.shown.extend_from_slice(rest);
    }

    /// The text without the white space that goes on where white space stands already.
    fn without_lead<'t>(&mut self, text: &'t [u8]) -> &'t [u8] {
        let last = self.shown.last().copied().filter(|byte| matches!(byte, b' ' | b'\n') && !self.is_in_doubt());
        let Some(last) = last.filter(|_| text.first().is_some_and(|byte| is_blank(*byte))) else { return text };
        let length = text.iter().position(|byte| !is_blank(*byte)).unwrap_or(text.len());
        let (run, behind) = text.split_at(length);
        if last == b' ' && run.contains(&b'\n') {
            self.shown.pop();
            self.line();
        }
        behind
    }

    /// Whether the last that was read may not be there.
    fn is_in_doubt(&self) -> bool {
        self.doubtful.last().is_some_and(|range| range.end == self.shown.len())
    }

    /// A line ends, unless enough have.
    fn line(&mut self) {
        if self.is_in_doubt() || !self.shown.ends_with(&[b'\n'; LINES]) {
            self.shown.push(b'\n');
        }
    }

    fn divide(&mut self, divider: &[u8]) {
        match divider {
            b"\n" => self.line(),
            divider => self.shown.extend_from_slice(divider),
        }
    }

    /// An element begins. The name of one that HTML does not know is a label: `<nhsNumber>`.
    pub fn open(&mut self, name: &[u8]) {
        self.kept += usize::from(keeps_white_space(name));
        self.drawings += usize::from(name == b"svg");
        self.begin_field(name);
        self.begin_decoy(name);
        if let Some(divider) = divider(name) {
            return self.divide(divider);
        }
        let start = self.shown.len();
        if matches!(name, b"rt" | b"rp" | b"style" | b"script") {
            self.gloss = Some(start);
        }
        self.shown.push(b'\n');
        self.shown.extend_from_slice(name);
        self.shown.push(b' ');
        if self.drawings == 0 {
            self.doubt(start);
        }
    }

    /// An element ends.
    pub fn close(&mut self, name: &[u8]) {
        self.kept -= usize::from(keeps_white_space(name)).min(self.kept);
        self.drawings -= usize::from(name == b"svg").min(self.drawings);
        self.end_field(name);
        self.end_decoy();
        if let Some(divider) = divider(name) {
            return self.divide(divider);
        }
        let start = self.shown.len();
        self.shown.push(b'\n');
        if self.drawings == 0 {
            self.doubt(start);
        }
        let is_sheet = matches!(name, b"style" | b"script");
        let Some(start) = self.gloss.take_if(|_| is_sheet || matches!(name, b"rt" | b"rp" | b"ruby")) else { return };
        // A gloss is short; what is long may be a text of its own. A style without rules is one of text, as FictionBook has it.
        let has_rules = is_sheet && self.shown.get(start..).is_some_and(|sheet| sheet.contains(&b'{'));
        if has_rules || (!is_sheet && self.shown.len().saturating_sub(start) <= GLOSS) {
            self.doubt(start);
        }
    }

    /// What stands from `start` on is not there in another reading.
    fn doubt(&mut self, start: usize) {
        let start = start.min(self.shown.len());
        while self.doubtful.pop_if(|range| range.start >= start).is_some() {}
        let start = self.doubtful.last().map_or(start, |range| start.max(range.end));
        self.doubtful.push(start..self.shown.len());
    }

    /// A comment that may be a condition: Outlook shows what is in it, or does not show what is behind it.
    fn condition(&mut self, comment: &[u8]) {
        if conditional::begins_others(comment) {
            self.others = Some(self.shown.len());
        } else if conditional::ends_others(comment) {
            let from = self.others.take().unwrap_or(usize::MAX);
            self.has_conditional_digits |= self.shown.get(from..).is_some_and(conditional::has_digit);
        } else {
            self.has_conditional_digits |= comment.starts_with(b"[") && conditional::has_digits(comment);
        }
    }

    /// A comment, in which Outlook may see text; sections of characters are comments for HTML and text for XML (XML 1.0, 2.7).
    pub fn comment(&mut self, value: &[u8]) {
        let Some(text) = value.strip_prefix(b"[CDATA[") else {
            self.condition(value);
            return self.note(value);
        };
        let text = text.strip_suffix(b"]]").unwrap_or(text);
        let (plain, markup) = text.split_at(memchr::memchr(b'<', text).unwrap_or(text.len()));
        let start = self.shown.len();
        self.text(plain);
        self.doubt(start);
        if !markup.is_empty() {
            self.note(markup);
        }
    }

    /// A comment, or the value of an attribute.
    pub fn note(&mut self, value: &[u8]) {
        self.aside.push(b' ');
        self.aside.extend_from_slice(value);
        // A divider that joins nothing: two attributes are never one number.
        self.aside.extend_from_slice(b" ;");
    }

    pub fn attribute(&mut self, name: &[u8]) {
        self.aside.push(b'\n');
        self.aside.extend_from_slice(name);
        self.is_frame = name == b"srcdoc";
        self.dress_decoy(name);
        self.field_attribute(name);
    }

    /// All that was read but comments and attributes.
    pub fn finish_shown(&mut self) -> String {
        self.aside.clear();
        self.finish()
    }

    /// All that was read.
    pub fn finish(&mut self) -> String {
        self.end_field(b"select");
        let (other, mut shown) = (self.joined(), std::mem::take(&mut self.shown));
        shown.extend_from_slice(b"\n;\n");
        shown.append(&mut self.aside);
        if let Some(other) = other {
            shown.extend_from_slice(b"\n;\n");
            shown.extend_from_slice(&other);
        }
        String::from_utf8(shown).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
    }

    /// The text without what stands inside words and numbers in one reading only; nothing where nothing does.
    fn joined(&self) -> Option<Vec<u8>> {
        let (mut bare, mut cuts, mut copied) = (Vec::new(), Vec::with_capacity(self.doubtful.len()), 0);
        for range in &self.doubtful {
            bare.extend_from_slice(self.shown.get(copied..range.start).unwrap_or_default());
            cuts.push(bare.len());
            copied = range.end;
        }
        bare.extend_from_slice(self.shown.get(copied..).unwrap_or_default());
        if !cuts.iter().any(|at| goes_on(&bare, *at)) {
            return None;
        }
        let (mut out, mut copied) = (Vec::with_capacity(self.shown.len()), 0);
        for (range, at) in self.doubtful.iter().zip(cuts) {
            out.extend_from_slice(bare.get(copied..at).unwrap_or_default());
            if !goes_on(&bare, at) {
                out.extend_from_slice(self.shown.get(range.clone()).unwrap_or_default());
            }
            copied = at;
        }
        out.extend_from_slice(bare.get(copied..).unwrap_or_default());
        Some(out)
    }
}

/// Whether a word or a number goes on at `at`.
fn goes_on(text: &[u8], at: usize) -> bool {
    let (before, behind) = text.split_at(at.min(text.len()));
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || !byte.is_ascii();
    let is_number = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
    let last = before.iter().rev().take(NEAR).find(|byte| byte.is_ascii_alphanumeric());
    let next = behind.iter().take(NEAR).find(|byte| byte.is_ascii_alphanumeric());
    (is_number(last) && is_number(next)) || (before.last().is_some_and(is_part) && behind.first().is_some_and(is_part))
}

fn keeps_white_space(name: &[u8]) -> bool {
    matches!(name, b"pre" | b"textarea" | b"listing" | b"xmp")
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b'\x0C')
}

/// Where white space of more than one character begins.
fn blanks(text: &[u8]) -> Option<usize> {
    const BLOCK: usize = 64;
    let is_run = |pair: &[u8]| matches!(pair, [first, second] if is_blank(*first) & is_blank(*second));
    let mut from = 0;
    loop {
        let block = text.get(from..text.len().min(from + BLOCK + 1)).filter(|block| block.len() > 1)?;
        // Without an early exit inside the block the compiler can look at many octets at once.
        let pairs = block.iter().zip(block.iter().skip(1));
        if pairs.fold(false, |found, (first, second)| found | (is_blank(*first) & is_blank(*second))) {
            return block.windows(2).position(is_run).map(|at| from + at);
        }
        from += BLOCK;
    }
}

//! One flow of text of an RTF document, its body or a destination beside it, while it is written.
//!
//! Called by `state`. Promises: what interrupts a flow does not tear its numbers; no more octets are kept of data than the file has.
//! Fails never.

use super::super::instructions;
use encoding_rs::Encoding;
use std::ops::Range;

/// What becomes of a flow at its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holds {
    Text,
    /// Text that says something to the reader: the name of its destination.
    Named(&'static str),
    /// The words of a document's HTML: [MS-OXRTFEX] 2.1.3.1.
    Html,
    /// `\objdata`: an OLE object in hexadecimal.
    Object,
    /// `\pict`
    Picture,
    /// A picture whose drawing no reader here follows.
    Metafile,
    /// A file in hexadecimal.
    File,
}

impl Holds {
    pub fn is_data(self) -> bool {
        !matches!(self, Holds::Text | Holds::Named(_) | Holds::Html)
    }
}

/// What a programme shows in the place of a text.
#[derive(Debug)]
struct Edit {
    range: Range<usize>,
    text: String,
    /// It is shown before fields are updated.
    is_live: bool,
    /// It stands before whatever else is there.
    is_label: bool,
}

#[derive(Debug)]
pub(super) struct Flow {
    pub holds: Holds,
    pub text: String,
    /// Where text stands that a reader may not show.
    hidden: Vec<Range<usize>>,
    /// What stands on the page instead of what is stored.
    edits: Vec<Edit>,
    /// Octets whose charset is known and that may not be whole characters yet.
    pending: Vec<u8>,
    page: &'static Encoding,
    /// The first half of a pair of UTF-16.
    half: Option<u16>,
    pub data: Vec<u8>,
    nibble: Option<u8>,
}

impl Flow {
    pub fn new(holds: Holds, page: &'static Encoding) -> Flow {
        Flow {
            holds,
            text: String::new(),
            hidden: Vec::new(),
            edits: Vec::new(),
            pending: Vec::new(),
            page,
            half: None,
            data: Vec::new(),
            nibble: None,
        }
    }

    /// Octets of text, or hexadecimal digits where the flow holds data. Line ends and zeros are nothing.
    pub fn octets(&mut self, octets: &[u8], page: &'static Encoding) {
        if self.holds.is_data() {
            return octets.iter().for_each(|octet| self.digit(*octet));
        }
        if self.pending.is_empty() && octets.is_ascii() {
            self.half = None;
            let pieces = octets.split(|b| matches!(b, b'\r' | b'\n' | 0));
            return pieces.filter_map(|piece| std::str::from_utf8(piece).ok()).for_each(|p| self.text.push_str(p));
        }
        if page != self.page {
            self.settle();
            self.page = page;
        }
        self.pending.extend(octets.iter().filter(|b| !matches!(b, b'\r' | b'\n' | 0)));
    }

    fn digit(&mut self, octet: u8) {
        let Some(value) = char::from(octet).to_digit(16).and_then(|v| u8::try_from(v).ok()) else { return };
        match self.nibble.take() {
            Some(high) => self.data.push(high << 4 | value),
            None => self.nibble = Some(value),
        }
    }

    /// Data as it stands.
    pub fn binary(&mut self, octets: &[u8]) {
        if self.holds.is_data() {
            self.data.extend_from_slice(octets);
        }
    }

    pub fn push(&mut self, c: char) {
        self.settle();
        self.text.push(c);
    }

    /// `\uN`: a unit of UTF-16, or, as some write it, a whole character.
    pub fn unit(&mut self, number: i32) {
        let octets_left = !self.pending.is_empty();
        let half = self.half.take();
        if octets_left {
            self.settle();
        }
        let unit = u16::try_from(number & 0xFFFF).unwrap_or_default();
        let whole = u32::try_from(number).ok().filter(|n| *n > 0xFFFF).and_then(char::from_u32);
        match (whole, half) {
            (Some(c), _) => self.text.push(c),
            (None, _) if (0xD800..0xDC00).contains(&unit) => self.half = Some(unit),
            (None, half) => {
                let units = half.into_iter().chain([unit]);
                let characters = char::decode_utf16(units).filter_map(Result::ok).filter(|c| *c != '\0');
                self.text.extend(characters.map(instructions::sign));
            }
        }
    }

    /// Makes characters of the octets so far.
    pub fn settle(&mut self) {
        if !self.pending.is_empty() {
            self.text.push_str(&self.page.decode_without_bom_handling(&self.pending).0);
            self.pending.clear();
        }
    }

    pub fn hide(&mut self, from: usize) {
        self.settle();
        let to = self.text.len();
        match self.hidden.last_mut() {
            _ if from >= to => {}
            Some(last) if last.end == from => last.end = to,
            _ => self.hidden.push(from..to),
        }
    }

    /// The text without what is hidden; nothing when nothing is.
    pub fn shown(&self) -> Option<String> {
        self.hidden.first()?;
        let (mut shown, mut at) = (String::new(), 0);
        for range in &self.hidden {
            shown.push_str(self.text.get(at..range.start).unwrap_or_default());
            at = range.end;
        }
        shown.push_str(self.text.get(at..).unwrap_or_default());
        Some(shown)
    }

    /// Something else stands on the page where the flow has come to; the number of the edit.
    pub fn edit(&mut self, text: String, is_live: bool) -> usize {
        self.settle();
        let end = self.text.len();
        self.edits.push(Edit { range: end..end, text, is_live, is_label: false });
        self.edits.len() - 1
    }

    /// A label stands on the page, perhaps in the place of what is stored of it.
    pub fn label(&mut self, range: Range<usize>, text: String) {
        self.edits.push(Edit { range, text, is_live: true, is_label: true });
    }

    /// An edit stands in the place of everything up to here.
    pub fn extend_edit(&mut self, number: usize) {
        self.settle();
        let end = self.text.len();
        if let Some(edit) = self.edits.get_mut(number) {
            edit.range.end = end;
        }
    }

    /// The text as it stands on the page, before its fields are updated and after; nothing where it is as it is stored.
    pub fn on_page(&mut self) -> [Option<String>; 2] {
        if self.edits.is_empty() {
            return [None, None];
        }
        self.edits.sort_by_key(|edit| (edit.range.start, !edit.is_label));
        let [stored, updated] = [false, true].map(|is_updated| self.edited(is_updated));
        let differs = stored != updated;
        [Some(stored), Some(updated).filter(|_| differs)]
    }

    fn edited(&self, is_updated: bool) -> String {
        let hidden = self.hidden.iter().map(|range| (range.clone(), ""));
        let edits = self.edits.iter().filter(|edit| edit.is_live || is_updated);
        let mut changes: Vec<(Range<usize>, &str)> =
            hidden.chain(edits.map(|edit| (edit.range.clone(), edit.text.as_str()))).collect();
        changes.sort_by_key(|(range, _)| range.start);
        let (mut out, mut at) = (String::new(), 0);
        for (range, text) in changes {
            // One inside another is not there.
            if range.start < at {
                continue;
            }
            out.push_str(self.text.get(at..range.start).unwrap_or_default());
            out.push_str(text);
            at = range.end;
        }
        out.push_str(self.text.get(at..).unwrap_or_default());
        out
    }
}

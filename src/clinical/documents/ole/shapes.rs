//! The texts of a presentation's shapes: as they are stored, with the numbers that paragraphs are counted by, and where the shapes
//! stand.
//!
//! Called by `slides`. Promises: linear, and no longer than twice the text. Fails never: what is not known of a shape is not said.

use super::super::octets::Octets;
use super::super::side_by_side::{Boxed, Boxes};
use super::slides::record;
use crate::clinical::digit;

/// Paragraphs of one shape whose numbers are kept.
const PARAGRAPHS: usize = 4_096;

#[derive(Default)]
pub(super) struct Text {
    pub stored: String,
    /// The same with the numbers of paragraphs, once there are any.
    pub computed: Option<String>,
    pub boxes: Boxes,
    pub page: usize,
    anchor: Option<Boxed>,
    /// Where the count of each paragraph of the shape begins.
    starts: Vec<Option<u16>>,
}

impl Text {
    /// [MS-ODRAW] 2.2.14: what is said of the shape before its text is its own.
    pub fn begin_shape(&mut self) {
        self.anchor = None;
        self.starts.clear();
    }

    /// [MS-PPT] 2.7.1: top, left, right, bottom, in numbers of two octets or of four.
    pub fn place(&mut self, data: &[u8]) {
        let mut octets = Octets::of(data);
        let mut next = || match data.len() {
            8 => octets.u16().map(|number| f64::from(number.cast_signed())),
            _ => octets.u32().map(|number| f64::from(number.cast_signed())),
        };
        if let (Some(top), Some(left), Some(_), Some(bottom)) = (next(), next(), next(), next()) {
            self.anchor = Some(Boxed { page: self.page, left, top, height: bottom - top, text: String::new() });
        }
    }

    /// [MS-PPT] 2.9.66: among other records, how the paragraphs of the shape are counted.
    pub fn tags(&mut self, data: &[u8]) {
        let mut octets = Octets::of(data);
        while let Some(inner) = record(&mut octets) {
            if inner.kind == 0x0FAC {
                self.starts = starts(inner.data);
            }
        }
    }

    /// The text of a shape: paragraphs and line breaks; its end is one of a line.
    pub fn add(&mut self, words: &str) {
        let text: String = words.chars().map(|c| if matches!(c, '\r' | '\u{B}') { '\n' } else { c }).collect();
        let starts = std::mem::take(&mut self.starts);
        let counted = counted(words, &starts);
        if counted.is_some() && self.computed.is_none() {
            self.computed = Some(self.stored.clone());
        }
        for (into, text) in
            [(Some(&mut self.stored), &text), (self.computed.as_mut(), counted.as_ref().unwrap_or(&text))]
        {
            if let Some(into) = into {
                into.push_str(text);
                into.push('\n');
            }
        }
        if let Some(anchor) = self.anchor.take() {
            self.boxes.add(Boxed { text, ..anchor });
        }
    }
}

/// [MS-PPT] 2.9.67, 2.9.33: of each paragraph, where its count begins; as far as nothing else is said of it.
fn starts(data: &[u8]) -> Vec<Option<u16>> {
    let (mut octets, mut starts) = (Octets::of(data), Vec::new());
    while let Some(start) = one_start(&mut octets) {
        if starts.len() == PARAGRAPHS {
            break;
        }
        starts.push(start.number);
        if !start.is_plain {
            break;
        }
    }
    starts
}

struct Start {
    number: Option<u16>,
    /// Whether what follows is known to be the next paragraph's.
    is_plain: bool,
}

fn one_start(octets: &mut Octets<'_>) -> Option<Start> {
    const PICTURE: u32 = 1 << 23;
    const SCHEME: u32 = 1 << 24;
    const HAS_NUMBER: u32 = 1 << 25;
    /// [MS-PPT] 2.13.36: those with digits.
    const ARABIC: [u16; 4] = [2, 3, 12, 13];
    let masks = octets.u32()?;
    for mask in [PICTURE, HAS_NUMBER] {
        if masks & mask != 0 {
            octets.u16()?;
        }
    }
    let mut number = None;
    if masks & SCHEME != 0 {
        let (scheme, start) = (octets.u16()?, octets.u16()?);
        number = Some(start).filter(|_| ARABIC.contains(&scheme));
    }
    let is_plain = octets.u32() == Some(0) && octets.u32() == Some(0);
    Some(Start { number, is_plain })
}

/// The text with the numbers of its paragraphs, if a number and what is behind it may be one.
fn counted(words: &str, starts: &[Option<u16>]) -> Option<String> {
    let (mut text, mut before, mut found) = (String::new(), None, false);
    for (paragraph, start) in words.split('\r').zip(starts.iter().copied().chain(std::iter::repeat(None))) {
        let number = start.map(|start| match before {
            Some((began, count)) if began == start => (start, u32::saturating_add(count, 1)),
            _ => (start, u32::from(start)),
        });
        before = number;
        if let Some((_, count)) = number.filter(|_| paragraph.chars().next().and_then(digit).is_some()) {
            found = true;
            text.push_str(&format!("{count} "));
        }
        text.push_str(paragraph);
        text.push('\n');
    }
    found.then_some(text)
}

#[cfg(test)]
mod tests {
    use super::Text;

    #[test]
    fn paragraphs_are_counted_from_where_they_begin() {
        let entry = [&[0, 0, 0, 3, 1, 0, 13, 0, 0xAE, 3][..], &[0; 8]].concat();
        let data = [&[0; 12][..], &entry, &entry].concat();
        let tags = [&[0, 0, 0xAC, 0x0F][..], &(data.len() as u32).to_le_bytes(), &data].concat();
        let mut text = Text::default();
        text.begin_shape();
        text.tags(&tags);
        text.add("NHS number\rone\r476 5919");
        text.add("476");
        assert_eq!(text.stored, "NHS number\none\n476 5919\n476\n");
        assert_eq!(text.computed.as_deref(), Some("NHS number\none\n943 476 5919\n\n476\n"));
    }

    #[test]
    fn shapes_are_kept_where_they_stand() {
        let mut text = Text::default();
        for (left, words) in [(9u8, "5919"), (1, "943"), (5, "476")] {
            text.begin_shape();
            text.place(&[3, 0, left, 0, left + 1, 0, 5, 0]);
            text.add(words);
        }
        assert_eq!(text.boxes.read(), "943     476     5919\n;\n");
    }
}

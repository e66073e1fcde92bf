//! CMaps: which codes a font has, and what text they stand for (ISO 32000-1 9.7.5 and 9.10.3).
//!
//! Called by `font`. Promises: no more memory than the CMap's own length asks for; a range is kept as a range, whatever it
//! spans. Fails never: what is no CMap maps nothing.

use super::content::{Content, InlineEnd, Operand, Operands};
use super::glyphs;
use std::collections::HashMap;

/// Ranges that are looked at for one code, where they overlap.
const OVERLAPPING: usize = 8;

#[derive(Debug, Default)]
pub(super) struct CMap {
    chars: HashMap<u32, Text>,
    ranges: Vec<Range>,
    text: String,
    codespaces: Vec<Codespace>,
}

/// Where a text stands.
#[derive(Debug, Clone, Copy)]
struct Text {
    at: usize,
    len: usize,
}

/// Codes that stand for characters in a row, the first of which ends `text`.
#[derive(Debug, Clone, Copy)]
struct Range {
    low: u32,
    high: u32,
    text: Text,
}

/// Codes of so many octets, each between its two bounds.
#[derive(Debug, Clone, Copy)]
struct Codespace {
    len: usize,
    low: [u8; 4],
    high: [u8; 4],
}

impl CMap {
    pub fn of(bytes: &[u8]) -> CMap {
        let mut map = CMap::default();
        let mut content = Content::new(bytes, InlineEnd::First);
        while let Some(operator) = content.next() {
            match operator {
                b"endbfchar" => map.read_chars(&content.operands),
                b"endbfrange" => map.read_ranges(&content.operands),
                b"endcodespacerange" => map.read_codespaces(&content.operands),
                _ => {}
            }
        }
        map.ranges.sort_by_key(|range| range.low);
        map
    }

    /// Writes what a code stands for; false when that is nothing.
    pub fn write(&self, code: u32, out: &mut String) -> bool {
        if let Some(text) = self.chars.get(&code) {
            out.push_str(self.text(*text));
            return true;
        }
        let end = self.ranges.partition_point(|range| range.low <= code);
        let near = self.ranges.get(end.saturating_sub(OVERLAPPING)..end).unwrap_or_default();
        match near.iter().rev().find(|range| code <= range.high) {
            Some(range) => self.write_nth(*range, code - range.low, out),
            None => false,
        }
    }

    fn write_nth(&self, range: Range, offset: u32, out: &mut String) -> bool {
        let text = self.text(range.text);
        let Some(last) = text.chars().next_back() else { return false };
        let Some(last_meant) = char::from_u32((last as u32).saturating_add(offset)) else { return false };
        out.push_str(text.get(..text.len() - last.len_utf8()).unwrap_or_default());
        out.push(last_meant);
        true
    }

    /// The next code and its length.
    pub fn code(&self, bytes: &[u8]) -> (u32, usize) {
        let fits = |space: &&Codespace| {
            let octets = bytes.get(..space.len).unwrap_or_default().iter();
            octets.len() > 0 && octets.zip(space.low.iter().zip(&space.high)).all(|(b, (l, h))| (l..=h).contains(&b))
        };
        let len = self.codespaces.iter().find(fits).map(|space| space.len);
        let len = len.or_else(|| self.codespaces.iter().map(|space| space.len).min()).unwrap_or(1);
        let octets = bytes.get(..len).unwrap_or(bytes);
        (value(octets), octets.len().max(1))
    }

    pub fn has_codes(&self) -> bool {
        !self.codespaces.is_empty()
    }

    fn text(&self, text: Text) -> &str {
        self.text.get(text.at..text.at + text.len).unwrap_or_default()
    }

    fn read_chars(&mut self, operands: &Operands) {
        for pair in operands.list.chunks(2) {
            let [Operand::Text(a, b), meant] = *pair else { continue };
            let text = self.add(operands, meant);
            self.chars.insert(value(operands.octets(a, b)), text);
        }
    }

    fn read_ranges(&mut self, operands: &Operands) {
        let mut rest = operands.list.iter().copied();
        while let (Some(Operand::Text(a, b)), Some(Operand::Text(c, d)), Some(meant)) =
            (rest.next(), rest.next(), rest.next())
        {
            let (low, high) = (value(operands.octets(a, b)), value(operands.octets(c, d)));
            if meant != Operand::Open {
                let text = self.add(operands, meant);
                self.ranges.push(Range { low, high, text });
                continue;
            }
            let listed = rest.by_ref().take_while(|o| *o != Operand::Close);
            for (at, meant) in listed.enumerate() {
                let text = self.add(operands, meant);
                self.chars.insert(low.saturating_add(at as u32), text);
            }
        }
    }

    fn read_codespaces(&mut self, operands: &Operands) {
        for pair in operands.list.chunks(2) {
            let [Operand::Text(a, b), Operand::Text(c, d)] = *pair else { continue };
            let (low, high) = (operands.octets(a, b), operands.octets(c, d));
            if (1..=4).contains(&low.len()) && low.len() == high.len() && self.codespaces.len() < 100 {
                let mut space = Codespace { len: low.len(), low: [0; 4], high: [0; 4] };
                space.low.iter_mut().zip(low).for_each(|(slot, byte)| *slot = *byte);
                space.high.iter_mut().zip(high).for_each(|(slot, byte)| *slot = *byte);
                self.codespaces.push(space);
            }
        }
    }

    /// Keeps a text: UTF-16 in a string, or the name of a glyph.
    fn add(&mut self, operands: &Operands, meant: Operand) -> Text {
        let at = self.text.len();
        match meant {
            Operand::Text(a, b) => {
                let octets = operands.octets(a, b);
                match octets {
                    [only] => self.text.push(char::from(*only)),
                    _ => self.text.push_str(&encoding_rs::UTF_16BE.decode_without_bom_handling(octets).0),
                }
            }
            Operand::Name(a, b) => self.text.push_str(&glyphs::text(operands.octets(a, b)).unwrap_or_default()),
            _ => {}
        }
        Text { at, len: self.text.len() - at }
    }
}

/// At most four octets, the first being the highest.
fn value(octets: &[u8]) -> u32 {
    octets.iter().take(4).fold(0, |value, byte| value << 8 | u32::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(map: &CMap, code: u32) -> String {
        let mut out = String::new();
        map.write(code, &mut out);
        out
    }

    #[test]
    fn chars_ranges_and_arrays_are_read() {
        let map = CMap::of(
            b"/CIDInit /ProcSet findresource begin 12 dict begin begincmap\n\
              1 begincodespacerange <0000> <FFFF> endcodespacerange\n\
              3 beginbfchar <0001> <0039> <0002> <D835DFD7> <0003> /nine endbfchar\n\
              3 beginbfrange <0010> <0019> <0030> <0020> <0021> [<00390034> <0033>] <0030> <FFFF> <D835DFCE> endbfrange",
        );
        let meant = [(1, "9"), (2, "𝟗"), (3, "9"), (0x10, "0"), (0x19, "9"), (0x20, "94"), (0x21, "3"), (0x31, "𝟏")];
        for (code, text) in meant {
            assert_eq!(read(&map, code), text, "{code:x}");
        }
        assert_eq!(read(&map, 4), "");
        assert_eq!(map.code(&[0x12, 0x34, 0x56]), (0x1234, 2));
    }

    #[test]
    fn codes_are_as_long_as_their_codespace() {
        let map = CMap::of(b"begincodespacerange <00> <7F> <8000> <9FFF> <A0000000> <FFFFFFFF> endcodespacerange");
        let lens = [&[0x39][..], &[0x81, 2], &[0xA1, 2, 3, 4], &[0xA1]].map(|bytes| map.code(bytes).1);
        assert_eq!(lens, [1, 2, 4, 1]);
    }
}

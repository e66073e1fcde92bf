//! Blocks in plain text that stand for other octets: base64 with and without its frame, digits of base 16, Intel HEX.
//!
//! Called by `leaf` for plain text. Promises: one pass; a block is one where its length, its alphabet and its lines say so, and where text
//! comes out (or the block is all there is); no more comes out than goes in. Fails never: what is no block is text.

use super::embedded::Embedded;
use super::formats::{self, Format};
use super::transfer;

/// Letters of the shortest block: fewer are a word.
const SHORTEST: usize = 24;
/// Blocks of one text that are read by themselves; what stands for text in more of them is read together.
const MOST: usize = 64;
/// Octets of a block by which it is judged first.
const START: usize = 4096;
const FRAME: &str = "begin-base64 ";

/// The texts and files that blocks stand for.
pub(super) fn of(text: &str, room: usize) -> Vec<Embedded> {
    let all = text.trim_start_matches('\u{FEFF}').trim().len();
    let mut blocks = Blocks { found: Vec::new(), room, all, run: 0..0, alphabet: None };
    let mut at = 0;
    for end in memchr::memchr_iter(b'\n', text.as_bytes()).map(|end| end + 1).chain([text.len()]) {
        blocks.line(text, at..end);
        at = end;
    }
    blocks.end(text);
    blocks.found
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Alphabet {
    Base64,
    /// Between `begin-base64` and `====`.
    Framed,
    /// `:` and digits of base 16.
    Records,
}

struct Blocks {
    found: Vec<Embedded>,
    room: usize,
    /// Octets of the text without what is blank around it.
    all: usize,
    /// Lines of one alphabet.
    run: std::ops::Range<usize>,
    alphabet: Option<Alphabet>,
}

impl Blocks {
    fn line(&mut self, text: &str, range: std::ops::Range<usize>) {
        let line = text.get(range.clone()).unwrap_or_default();
        let own = match line.as_bytes() {
            // A frame has nothing but letters, up to its end.
            _ if self.alphabet == Some(Alphabet::Framed) && !line.trim().is_empty() && line.trim_end() != "====" => {
                self.alphabet
            }
            [b'b', ..] if line.starts_with(FRAME) => {
                self.end(text);
                (self.run, self.alphabet) = (range.end..range.end, Some(Alphabet::Framed));
                return;
            }
            [b':', ..] => is_all(line, 1, u8::is_ascii_hexdigit).filter(|end| *end > 10).map(|_| Alphabet::Records),
            _ => is_all(line, 0, is_base64).filter(|end| *end > 0).map(|_| Alphabet::Base64),
        };
        if own.is_none() || own != self.alphabet {
            self.end(text);
            self.run = range.start..range.start;
        }
        (self.alphabet, self.run.end) = (own, range.end);
    }

    /// The lines of one alphabet end.
    fn end(&mut self, text: &str) {
        let Some(alphabet) = self.alphabet.take() else { return };
        let block = text.get(self.run.clone()).unwrap_or_default();
        let is_all = block.trim().len() == self.all;
        let letters = block.bytes().filter(|byte| !byte.is_ascii_whitespace()).count();
        if alphabet != Alphabet::Framed && letters < SHORTEST {
            return;
        }
        let is_known =
            |bytes: &[u8]| matches!(formats::of(bytes, None), Format::Document(_) | Format::Message | Format::Markup);
        let is_one = |bytes: &[u8]| alphabet == Alphabet::Framed || (is_all && is_known(bytes));
        // Its last character may be cut.
        let is_utf8 = |start: &[u8]| std::str::from_utf8(start).map_or_else(|why| why.error_len().is_none(), |_| true);
        let may_be_one = |start: &[u8]| (formats::is_texty(start) && is_utf8(start)) || is_one(start);
        let bytes = match alphabet {
            Alphabet::Records => records(block),
            _ => unpacked(block, letters, self.room, may_be_one),
        };
        let is_text = || formats::is_texty(&bytes) && std::str::from_utf8(&bytes).is_ok();
        if !bytes.is_empty() && (is_text() || is_one(&bytes)) {
            self.room = self.room.saturating_sub(bytes.len());
            self.add(bytes);
        }
    }
}

impl Blocks {
    fn add(&mut self, bytes: Vec<u8>) {
        match self.found.get_mut(MOST) {
            Some(rest) => {
                rest.bytes.push(b'\n');
                rest.bytes.extend_from_slice(&bytes);
            }
            None => self.found.push(Embedded { kind: String::new(), bytes }),
        }
    }
}

/// Where what a line has from there on ends, if nothing else but blanks is in it.
fn is_all(line: &str, from: usize, has: impl Fn(&u8) -> bool) -> Option<usize> {
    let end = from + line.as_bytes().get(from..)?.iter().take_while(|octet| has(octet)).count();
    line.get(end..)?.trim_start().is_empty().then_some(end)
}

fn is_base64(octet: &u8) -> bool {
    octet.is_ascii_alphanumeric() || matches!(octet, b'+' | b'/' | b'=')
}

/// Base 16, if that is all that it has, or base64; nothing where its start is not what is looked for, so that no room is taken.
fn unpacked(block: &str, letters: usize, room: usize, may_be_one: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    let is_digit = |byte: u8| byte.is_ascii_hexdigit() || byte.is_ascii_whitespace();
    let start = block.get(..block.floor_char_boundary(START)).unwrap_or_default();
    let digits = |text: &str| octets(text.bytes().filter(|byte| !byte.is_ascii_whitespace()), room);
    if letters.is_multiple_of(2) && block.bytes().all(is_digit) {
        return if may_be_one(&digits(start)) { digits(block) } else { Vec::new() };
    }
    if !may_be_one(&transfer::base64(start.as_bytes(), room).bytes) {
        return Vec::new();
    }
    let decoded = transfer::base64(block.as_bytes(), room);
    if decoded.sound { decoded.bytes } else { Vec::new() }
}

fn octets(digits: impl Iterator<Item = u8>, room: usize) -> Vec<u8> {
    let (mut out, mut high) = (Vec::new(), None);
    for digit in digits.filter_map(|digit| char::from(digit).to_digit(16)).filter_map(|digit| u8::try_from(digit).ok())
    {
        match high.take() {
            Some(high) if out.len() < room => out.push(high << 4 | digit),
            Some(_) => break,
            None => high = Some(digit),
        }
    }
    out
}

/// The data of records whose sums are right: `:LLAAAATT…CC`, where TT is 00.
fn records(block: &str) -> Vec<u8> {
    let mut out = Vec::new();
    for line in block.lines() {
        let record = octets(line.bytes(), line.len());
        let is_right = record.iter().fold(0u8, |sum, octet| sum.wrapping_add(*octet)) == 0;
        let [length, _, _, 0, data @ ..] = record.as_slice() else { continue };
        out.extend_from_slice(data.get(..usize::from(*length)).filter(|_| is_right).unwrap_or_default());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<String> {
        of(text, 10_000).into_iter().map(|found| String::from_utf8_lossy(&found.bytes).into_owned()).collect()
    }

    #[test]
    fn blocks_are_decoded() {
        const TEXT: &str = "NHS number 943 476 5919";
        for block in [
            "TkhTIG51bWJlciA5NDMgNDc2IDU5MTk=",
            "Hi,\n\nTkhTIG51bWJlciA5NDMg\nNDc2IDU5MTk=\n\nBye\n",
            "Hi,\nbegin-base64 644 a.txt\nTkhTIG51bWJlciA5NDMgNDc2IDU5MTk=\n====\nx",
            "4E4853206E756D6265722039343320\n34373620353931 39".replace(' ', "").as_str(),
            ":100000004E4853206E756D6265722039343320344A\r\n:070010003736203539313984\r\n:00000001FF\r\n",
        ] {
            assert_eq!(texts(block), [TEXT], "{block}");
        }
    }

    #[test]
    fn what_stands_behind_many_blocks_is_read_too() {
        let decoys = "TG9yZW0gaXBzdW0gZG9sb3I=\n\n".repeat(3 * MOST);
        let all = texts(&format!("{decoys}TkhTIG51bWJlciA5NDMgNDc2IDU5MTk=\n"));
        assert!(all.len() == MOST + 1 && all[MOST].ends_with("\nNHS number 943 476 5919"), "{all:?}");
    }

    #[test]
    fn text_is_no_block() {
        for text in [
            "Unfortunately\nthe\nadministrativeresponsibilities\nare",
            "0123456789abcdef0123456789abcdef01234567",
            "AAAAB3NzaC1yc2EAAAADAQABAAABAQC7vbqajDhA",
            ":100000004E4853206E756D6265722039343320344B\n",
            "https://x.org/TkhTIG51bWJlciA5NDMgNDc2IDU5MTk=",
            "",
        ] {
            assert_eq!(texts(text), Vec::<String>::new(), "{text}");
        }
        let many = of(&"TkhTIG51bWJlciA5NDMgNDc2IDU5MTk=\n\n".repeat(500), 100);
        assert!(many.iter().map(|found| found.bytes.len()).sum::<usize>() <= 100);
    }
}

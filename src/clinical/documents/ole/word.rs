//! Documents of Word 6 to 2003: [MS-DOC].
//!
//! Called by `ole`. Promises: all text that the piece table names, footnotes, headers, annotations and text boxes with it, is read in
//! the order of the document, as it is shown and with what is hidden; and the stream as it stands, where old text is left. Fails with
//! `Wrong` when there is no piece table, or a piece is not there.

use super::super::document::Document;
use super::super::mapi::Words;
use super::super::octets::Octets;
use super::super::{Read, Wrong, codepages, runs};
use super::formatting::{self, Sought};
use encoding_rs::WINDOWS_1252;
use std::ops::Range;

/// [MS-DOC] 2.5.1: earlier ones are those of Word 6 and 95.
const WORD_97: u16 = 0xC1;
const ENCRYPTED: u16 = 0x0100;
const TABLE_1: u16 = 0x0200;
const COMPLEX: u16 = 0x0004;
/// [MS-DOC] 2.5.6: places of the tables in the table stream.
const CHARACTERS: usize = 0xFA;
const PARAGRAPHS: usize = 0x102;
const PIECES: usize = 0x1A2;
/// [MS-DOC] 2.6.2 and 2.6.1: hidden, deleted; the end of a row.
const HIDDEN: Sought<'static> = Sought { sprms: &[&[0x3C, 0x08, 1], &[0x00, 0x08, 1]], entry: 1 };
const ROW_END: Sought<'static> = Sought { sprms: &[&[0x17, 0x24, 1]], entry: 13 };

pub(super) fn read(word: &[u8], tables: &[Vec<u8>; 2], words: &mut Words, document: &mut Document<'_, '_>) -> Read {
    let [version, flags] = [2, 10].map(|at| Octets::from(word, at).u16().unwrap_or(0));
    if flags & ENCRYPTED != 0 {
        return Err(Wrong::Closed("office-document"));
    }
    words.add(&runs::of(word));
    super::blips::read(word, document);
    tables.iter().for_each(|table| words.add(&runs::of(table)));
    if version < WORD_97 {
        return old(word, flags, document);
    }
    let table = &tables[usize::from(flags & TABLE_1 != 0)];
    super::blips::read(table, document);
    let Some(pieces) = piece(word, table, PIECES).and_then(pieces) else { return Err(Wrong::Broken("piece table")) };
    let [hidden, row_ends] = [(CHARACTERS, HIDDEN), (PARAGRAPHS, ROW_END)].map(|(place, sought)| {
        piece(word, table, place).map(|plc| formatting::ranges(word, plc, sought)).unwrap_or_default()
    });
    let mut text = Text { room: document.room(), hidden, row_ends, ..Text::default() };
    let sound = pieces.iter().all(|piece| text.add(word, piece));
    if text.read > text.room {
        document.limit("", "part");
    }
    document.text("", &text.all);
    if text.differs {
        document.text("", &text.shown);
    }
    document.text("notes", &text.instructions);
    if sound { Ok(()) } else { Err(Wrong::Broken("text piece")) }
}

/// The part of the table stream whose place and length stand at `at`.
fn piece<'t>(word: &[u8], table: &'t [u8], at: usize) -> Option<&'t [u8]> {
    let mut octets = Octets::from(word, at);
    let (start, length) = (octets.length()?, octets.length()?);
    table.get(start..start.checked_add(length)?)
}

/// [MS-DOC] 2.4.1: a piece of the text.
#[derive(Debug, PartialEq, Eq)]
struct Piece {
    start: usize,
    characters: usize,
    is_wide: bool,
}

/// [MS-DOC] 2.9.38: properties, then the piece table.
fn pieces(clx: &[u8]) -> Option<Vec<Piece>> {
    let mut octets = Octets::of(clx);
    loop {
        match octets.u8()? {
            1 => {
                let length = usize::from(octets.u16()?);
                octets.take(length)?;
            }
            2 => break,
            _ => return None,
        }
    }
    let length = octets.length()?;
    let plc = octets.take(length)?;
    let count = plc.len().checked_sub(4)? / 12;
    let (places, descriptions) = plc.split_at_checked((count + 1) * 4)?;
    let place = |index: usize| Octets::from(places, index * 4).length();
    let piece = |(index, description): (usize, &[u8])| {
        let packed = Octets::from(description, 2).u32()?;
        let is_wide = packed & 0x4000_0000 == 0;
        let at = usize::try_from(packed & 0x3FFF_FFFF).ok()?;
        let characters = place(index + 1)?.checked_sub(place(index)?)?;
        Some(Piece { start: if is_wide { at } else { at / 2 }, characters, is_wide })
    };
    descriptions.chunks_exact(8).enumerate().map(piece).collect()
}

/// The text while its pieces are put together.
#[derive(Debug, Default)]
struct Text {
    room: usize,
    /// Octets of pieces so far: one place may be in many.
    read: usize,
    hidden: Vec<Range<usize>>,
    row_ends: Vec<Range<usize>>,
    all: String,
    shown: String,
    differs: bool,
    /// What fields are told to do, which is not shown.
    instructions: String,
    /// For each field that is open: whether it has come to its result.
    fields: Vec<bool>,
}

impl Text {
    /// False: the stream does not have all of it.
    fn add(&mut self, word: &[u8], piece: &Piece) -> bool {
        let width = if piece.is_wide { 2 } else { 1 };
        let announced = piece.characters.saturating_mul(width);
        let octets = Octets::from(word, piece.start).take_up_to(announced);
        self.read = self.read.saturating_add(octets.len());
        if self.read > self.room {
            return true;
        }
        let mut at = piece.start;
        if piece.is_wide {
            let units = octets.chunks_exact(2).map(|unit| u16::from_le_bytes([unit[0], unit[1]]));
            for c in char::decode_utf16(units).map(|c| c.unwrap_or('\u{FFFD}')) {
                self.character(c, at);
                at += 2 * c.len_utf16();
            }
        } else {
            for c in WINDOWS_1252.decode_without_bom_handling(octets).0.chars() {
                self.character(c, at);
                at += 1;
            }
        }
        octets.len() == announced
    }

    /// [MS-DOC] 2.4.1 and 2.8.25: characters that stand for something else.
    fn character(&mut self, c: char, at: usize) {
        match c {
            '\u{13}' => self.fields.push(false),
            '\u{14}' => self.fields.last_mut().into_iter().for_each(|has_result| *has_result = true),
            '\u{15}' => {
                self.fields.pop();
                self.instructions.push('\n');
            }
            '\u{7}' if formatting::covers(&self.row_ends, at) => self.push('\n', at),
            '\u{7}' => self.push('\t', at),
            '\r' | '\u{B}' | '\u{C}' | '\u{E}' => self.push('\n', at),
            '\u{1E}' => self.push('\u{2011}', at),
            '\u{1F}' => self.push('\u{AD}', at),
            '\t' => self.push('\t', at),
            c if c < ' ' => {}
            c => self.push(c, at),
        }
    }

    fn push(&mut self, c: char, at: usize) {
        if self.fields.last() == Some(&false) {
            return self.instructions.push(c);
        }
        self.all.push(c);
        if formatting::covers(&self.hidden, at) {
            self.differs = true;
        } else {
            self.shown.push(c);
        }
    }
}

/// Word 6 and 95: the text stands in one piece, or in several that follow one another; cells end as they do later.
fn old(word: &[u8], flags: u16, document: &mut Document<'_, '_>) -> Read {
    let mut octets = Octets::from(word, 0x18);
    let (Some(start), Some(end)) = (octets.length(), octets.length()) else { return Err(Wrong::Broken("word header")) };
    let Some(text) = word.get(start..end) else { return Err(Wrong::Broken("text piece")) };
    let text = codepages::text(text, WINDOWS_1252).replace("\u{7}\u{7}", "\t\n").replace('\u{7}', "\t");
    document.text("", &text.replace(['\r', '\u{B}', '\u{C}'], "\n").replace('\u{1E}', "-"));
    // The order of pieces that were saved fast is not followed.
    if flags & COMPLEX != 0 {
        super::broken("fast-saved", document);
    }
    Ok(())
}

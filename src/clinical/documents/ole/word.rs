//! Documents of Word 6 to 2003: [MS-DOC].
//!
//! Called by `ole`. Promises: all text that the piece table names, footnotes, headers, annotations and text boxes with it, is read in
//! the order of the document, as it is shown, with what is hidden, and as it stands on the page; and the stream as it stands, where old text is left. Fails with
//! `Wrong` when there is no piece table, or a piece is not there.

use super::super::document::Document;
use super::super::instructions::Values;
use super::super::mapi::Words;
use super::super::octets::Octets;
use super::super::{Read, Wrong, codepages, runs};
use super::bookmarks::Bookmarks;
use super::formatting::{self, Sought};
use super::list_styles::ListStyles;
use super::named_values;
use super::page;
use encoding_rs::WINDOWS_1252;
use text::Text;

mod text;

/// [MS-DOC] 2.5.1: earlier ones are those of Word 6 and 95.
const WORD_97: u16 = 0xC1;
const ENCRYPTED: u16 = 0x0100;
const TABLE_1: u16 = 0x0200;
const COMPLEX: u16 = 0x0004;
/// [MS-DOC] 2.5.6: places of the tables in the table stream.
const CHARACTERS: usize = 0xFA;
const PARAGRAPHS: usize = 0x102;
const PIECES: usize = 0x1A2;
const VARIABLES: usize = 0x27A;
/// [MS-DOC] 2.6.2 and 2.6.1: hidden, deleted; the end of a row.
const HIDDEN: Sought<'static> = Sought { sprms: &[&[0x3C, 0x08, 1], &[0x00, 0x08, 1]], entry: 1 };
const ROW_END: Sought<'static> = Sought { sprms: &[&[0x17, 0x24, 1]], entry: formatting::PARAGRAPH };

/// [MS-DOC] 2.5.4: how many characters the body has.
const BODY: usize = 0x4C;
/// [MS-DOC] 2.6.2: the list of a paragraph, and the level in it.
pub(super) const LIST: [u8; 2] = [0x0B, 0x46];
pub(super) const LEVEL: [u8; 2] = [0x0A, 0x26];

/// The text, and the two streams one of which has its tables.
pub(super) struct Streams<'s> {
    pub word: &'s [u8],
    pub tables: &'s [Vec<u8>; 2],
}

/// `values`: what the document says of itself elsewhere.
pub(super) fn read(streams: Streams<'_>, values: Values, words: &mut Words, document: &mut Document<'_, '_>) -> Read {
    let Streams { word, tables } = streams;
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
    let mut text = Text::new(document.room(), hidden, row_ends);
    text.page.values = values;
    piece(word, table, VARIABLES).into_iter().for_each(|table| named_values::variables(table, &mut text.page.values));
    text.page.lists = page::lists(word, table);
    text.page.styles = ListStyles::of(word, table);
    text.page.starts = page::starts(word, table, &mut text.page.values);
    text.page.boxes = page::Boxes::of(word, table);
    text.page.bookmarks = Bookmarks::of(word, table);
    text.page.body = Octets::from(word, BODY).length().unwrap_or(usize::MAX);
    if let Some(plc) = piece(word, table, PARAGRAPHS) {
        text.page.listed = formatting::told(word, plc, |entry| formatting::operand_of(entry.exact, LIST, 2));
        text.page.levels = formatting::told(word, plc, |entry| formatting::operand_of(entry.exact, LEVEL, 1));
        text.page.styled = formatting::told(word, plc, |entry| Some(entry.style));
    }
    let sound = pieces.iter().all(|piece| text.add(word, piece));
    text.end_bookmarks();
    if text.read > text.room {
        document.limit("", "part");
    }
    document.text("", &text.all);
    if text.differs {
        document.text("", &text.shown);
    }
    if text.page.lists.is_full() {
        super::broken("numbering", document);
    }
    text.on_page().iter().for_each(|page| document.text("", page));
    if text.page.values.take_cut() {
        super::broken("fields", document);
    }
    document.text("notes", &text.instructions);
    if sound { Ok(()) } else { Err(Wrong::Broken("text piece")) }
}

/// The part of the table stream whose place and length stand at `at`.
pub(super) fn piece<'t>(word: &[u8], table: &'t [u8], at: usize) -> Option<&'t [u8]> {
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

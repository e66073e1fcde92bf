//! What Word counts while it shows a document of [MS-DOC]: the tables of lists (2.9.147 to 2.9.150, 2.9.131), where sections begin to
//! count (2.6.4).
//!
//! Called by `word`. Promises: one pass over each table, and no more lists than there are octets. Fails never: a table that ends early
//! tells what came before.

use super::super::instructions::Values;
use super::super::lists::{Form, LEVELS, Level, Lists};
use super::super::octets::Octets;
use std::collections::BTreeMap;
use std::ops::Range;

/// Places of the tables in the table stream: [MS-DOC] 2.5.6.
const SECTIONS: usize = 0xCA;
const DOCUMENT: usize = 0x192;
const SHAPES: usize = 0x1DA;
const BOXES: usize = 0x25A;
const LISTS: usize = 0x2E2;
const USED: usize = 0x2EA;
/// Characters of a level's text.
const PATTERN: usize = 64;
/// Octets of a text box: what is longer has whole numbers of its own.
const LONGEST: usize = 64;

/// Where a document begins to count notes and lines.
#[derive(Debug, Default)]
pub(super) struct Starts {
    pub note: Option<u64>,
    pub line: Option<u64>,
}

/// The lists that the table stream has.
pub(super) fn lists(word: &[u8], table: &[u8]) -> Lists {
    let mut lists = Lists::default();
    _ = defined(word, table, &mut lists);
    _ = used(word, table, &mut lists);
    lists
}

/// [MS-DOC] 2.9.191: the definitions, and behind all of them their levels.
fn defined(word: &[u8], table: &[u8], lists: &mut Lists) -> Option<()> {
    let mut place = Octets::from(word, LISTS);
    let (start, length) = (place.length()?, place.length()?);
    let mut octets = Octets::from(table.get(start..start.checked_add(length)?)?, 0);
    let count = usize::from(octets.u16()?);
    let mut levels = Octets::from(table, start.checked_add(length)?);
    for _ in 0..count {
        let id = octets.u32()?;
        let is_simple = octets.take(24)?.get(22)? & 1 != 0;
        for at in 0..if is_simple { 1 } else { LEVELS } {
            let level = level(&mut levels)?;
            if let Some(place) = lists.define(i64::from(id), at) {
                *place = level;
            }
        }
    }
    Some(())
}

/// [MS-DOC] 2.9.147 and 2.9.148.
fn level(octets: &mut Octets<'_>) -> Option<Level> {
    let start = octets.u32()?;
    let format = octets.u8()?;
    octets.take(10)?;
    let behind = ["\t", " ", ""].get(usize::from(octets.u8()?)).copied().unwrap_or("\t");
    octets.take(8)?;
    let [characters, paragraphs] = [octets.u8()?, octets.u8()?].map(usize::from);
    octets.take(2)?;
    octets.take(characters + paragraphs)?;
    let length = usize::from(octets.u16()?);
    let units = octets.take(length * 2)?.chunks_exact(2).take(PATTERN).map(|u| u16::from_le_bytes([u[0], u[1]]));
    let pattern = char::decode_utf16(units).map(|c| c.unwrap_or('\u{FFFD}')).collect();
    let form = match format {
        0 | 5 | 14 | 15 | 18..=20 | 24 | 26 | 28 | 29 | 57 => Form::Decimal,
        8 => Form::Hexadecimal,
        22 => Form::Padded(2),
        _ => Form::NoDigits,
    };
    Some(Level { start: u64::from(start), form, pattern, behind })
}

/// [MS-DOC] 2.9.192: the lists, and behind all of them where they start by themselves.
fn used(word: &[u8], table: &[u8], lists: &mut Lists) -> Option<()> {
    const LFO: usize = 16;
    let mut place = Octets::from(word, USED);
    let (start, length) = (place.length()?, place.length()?);
    let mut octets = Octets::from(table.get(start..start.checked_add(length)?)?, 0);
    let count = octets.length()?.min(length / LFO);
    let mut overrides = Vec::new();
    for number in 1..=count {
        lists.uses(number as i64, i64::from(octets.u32()?));
        overrides.push(usize::from(*octets.take(12)?.get(8)?));
    }
    for (number, levels) in (1..).zip(overrides) {
        octets.take(4)?;
        for _ in 0..levels.min(LEVELS) {
            let (start, flags) = (octets.u32()?, octets.u32()?);
            let at = (flags & 0xF) as usize;
            if flags & 0x10 != 0 {
                lists.starts(number, at, u64::from(start));
            }
            if flags & 0x20 != 0 {
                let own = level(&mut octets)?;
                lists.own_level(number, at).into_iter().for_each(|level| level.clone_from(&own));
            }
        }
    }
    Some(())
}

/// Where the sections begin to count: [MS-DOC] 2.8.26, 2.9.242.
pub(super) fn starts(word: &[u8], table: &[u8], values: &mut Values) -> Starts {
    const SED: usize = 12;
    // [MS-DOC] 2.7.2: how notes are counted, and from where.
    let document = super::word::piece(word, table, DOCUMENT).and_then(|dop| Octets::from(dop, 2).u16());
    let note = document.map(|notes| u64::from(notes >> 2)).filter(|start| *start > 1);
    let mut starts = Starts { note, line: None };
    let Some(plc) = super::word::piece(word, table, SECTIONS) else { return starts };
    let count = plc.len().saturating_sub(4) / (SED + 4);
    // Sections stand apart: all together they are no longer than the document.
    let mut left = word.len();
    for section in plc.get((count + 1) * 4..).unwrap_or_default().chunks_exact(SED) {
        let Some(at) = Octets::from(section, 2).length() else { continue };
        let Some(length) = Octets::from(word, at).u16() else { continue };
        let Some(rest) = left.checked_sub(usize::from(length)) else {
            values.cut();
            break;
        };
        left = rest;
        let properties = Octets::from(word, at.saturating_add(2)).take_up_to(usize::from(length));
        let operand = |sprm: [u8; 2]| {
            let place = memchr::memmem::find(properties, &sprm)?;
            Octets::from(properties, place + 2).u16().map(u64::from)
        };
        if let Some(page) = operand([0x1C, 0x50]).or(operand([0x44, 0x70])) {
            values.starts_at_page(page);
        }
        starts.note = starts.note.or(operand([0x3F, 0x50])).filter(|start| *start > 1);
        let counts_lines = operand([0x15, 0x50]).is_some_and(|by| by > 0);
        let first = operand([0x1B, 0x50]).filter(|_| counts_lines).map(|before| before.saturating_add(1));
        starts.line = starts.line.or(first).filter(|start| *start > 1);
    }
    starts
}

/// The text boxes of a document: where the text of each is, and in which order they stand on the page.
#[derive(Debug, Default)]
pub(super) struct Boxes {
    places: Vec<Range<usize>>,
    order: Vec<usize>,
    texts: Vec<String>,
    current: usize,
}

impl Boxes {
    /// [MS-DOC] 2.5.4, 2.8.32, 2.8.37.
    pub fn of(word: &[u8], table: &[u8]) -> Boxes {
        /// Behind those of the body, of notes, headers, macros and comments.
        const COUNTS: usize = 0x4C;
        const BOX: usize = 22;
        let mut counts = Octets::from(word, COUNTS);
        let first = (0..6).filter_map(|_| counts.length()).fold(0, usize::saturating_add);
        let plc = super::word::piece(word, table, BOXES).unwrap_or_default();
        let count = plc.len().saturating_sub(4) / (BOX + 4);
        let place = |at: usize| Octets::from(plc, at * 4).length().unwrap_or_default().saturating_add(first);
        let places: Vec<Range<usize>> = (0..count).map(|at| place(at)..place(at + 1)).collect();
        let entries = plc.get((plc.len().saturating_sub(4) / (BOX + 4) + 1) * 4..).unwrap_or_default();
        let shapes =
            entries.chunks_exact(BOX).take(count).map(|entry| Octets::from(entry, 14).u32().unwrap_or_default());
        let numbers: BTreeMap<u32, usize> = shapes.enumerate().map(|(at, shape)| (shape, at)).collect();
        let order = on_page(word, table).iter().filter_map(|shape| numbers.get(shape).copied()).collect();
        Boxes { texts: vec![String::new(); places.len()], places, order, current: 0 }
    }

    /// One character of the document, by its number.
    pub fn take(&mut self, number: usize, c: char) {
        while self.places.get(self.current).is_some_and(|place| place.end <= number) {
            self.current += 1;
        }
        let is_inside = self.places.get(self.current).is_some_and(|place| place.contains(&number));
        if let Some(text) = self.texts.get_mut(self.current).filter(|text| is_inside && text.len() <= LONGEST) {
            text.push(if c < ' ' { ' ' } else { c });
        }
    }

    /// The short ones in one line.
    pub fn joined(&self) -> String {
        let all = self.order.iter().filter_map(|at| self.texts.get(*at)).map(|text| text.trim());
        let short = all.filter(|text| !text.is_empty()).map(|text| if text.len() < LONGEST { text } else { ";" });
        short.collect::<Vec<&str>>().join(" ")
    }
}

/// The shapes of a document, left to right and top to bottom.
fn on_page(word: &[u8], table: &[u8]) -> Vec<u32> {
    const SPA: usize = 26;
    /// Twips between two that stand in one line.
    const LINE: i32 = 240;
    let plc = super::word::piece(word, table, SHAPES).unwrap_or_default();
    let count = plc.len().saturating_sub(4) / (SPA + 4);
    let entries = plc.get((count + 1) * 4..).unwrap_or_default().chunks_exact(SPA);
    let shape = |entry: &[u8]| {
        let mut octets = Octets::of(entry);
        let (shape, left, top) = (octets.u32()?, octets.u32()?.cast_signed(), octets.u32()?.cast_signed());
        Some((top.div_euclid(LINE), left, shape))
    };
    let mut shapes: Vec<(i32, i32, u32)> = entries.filter_map(shape).collect();
    shapes.sort_by_key(|(line, left, _)| (*line, *left));
    shapes.into_iter().map(|(.., shape)| shape).collect()
}

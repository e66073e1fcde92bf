//! Where the text of a Word document has a property of one kind: hidden, deleted, the end of a table's row.
//!
//! Called by `word`. Promises: each page of properties is looked at once. Fails with what was found where pages are not there.

use super::super::octets::Octets;
use std::ops::Range;

/// [MS-DOC] 2.9.58, 2.9.175: pages of properties.
const PAGE: usize = 512;
/// Octets for each paragraph behind the places: [MS-DOC] 2.9.24.
pub(super) const PARAGRAPH: usize = 13;
/// `sprmTDefTable`: [MS-DOC] 2.6.3.
const TABLE: u16 = 0xD608;

/// A property that is on, and how pages of its kind are made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sought<'a> {
    /// The property with its operand: [MS-DOC] 2.6.
    pub sprms: &'a [&'a [u8]],
    /// Octets for each run or paragraph behind the places: [MS-DOC] 2.9.24, 2.9.178.
    pub entry: usize,
}

/// Places of the stream `word` where the text has it: `plc` lists the pages ([MS-DOC] 2.8.5, 2.8.6).
pub(super) fn ranges(word: &[u8], plc: &[u8], sought: Sought<'_>) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let pages = plc.len().saturating_sub(4) / 8;
    // Each page is there once, so that a list is no longer than the stream.
    let numbers = plc.get((pages + 1) * 4..).unwrap_or_default().chunks_exact(4).take(word.len() / PAGE + 1);
    for number in numbers.filter_map(|entry| Octets::of(entry).length()) {
        let at = (number & 0x3F_FFFF).saturating_mul(PAGE);
        if let Some(page) = word.get(at..at.saturating_add(PAGE)) {
            page_ranges(page, sought, &mut found);
        }
    }
    found.sort_by_key(|range| range.start);
    found
}

fn page_ranges(page: &[u8], sought: Sought<'_>, found: &mut Vec<Range<usize>>) {
    let has = |properties: &[u8]| sought.sprms.iter().any(|sprm| memchr::memmem::find(properties, sprm).is_some());
    found.extend(entries(page, sought).filter(|entry| has(entry.properties)).map(|entry| entry.range));
}

/// A run or a paragraph.
pub(super) struct Entry<'p> {
    range: Range<usize>,
    properties: &'p [u8],
    /// The properties of a paragraph, and nothing else: [MS-DOC] 2.9.174.
    pub exact: &'p [u8],
    /// The number of a paragraph's style: [MS-DOC] 2.9.174.
    pub style: u16,
}

/// The runs or paragraphs of a page.
fn entries<'p>(page: &'p [u8], sought: Sought<'_>) -> impl Iterator<Item = Entry<'p>> {
    let count = page.last().map_or(0, |count| usize::from(*count));
    let place = move |index: usize| Octets::from(page, index * 4).length();
    let size = sought.entry;
    (0..count).filter_map(move |index| {
        let entry = (count + 1) * 4 + index * size;
        let offset = page.get(entry).map_or(0, |offset| usize::from(*offset) * 2);
        let properties = (offset != 0).then(|| properties(page, offset, size))?;
        let length = |at: usize| page.get(at).map_or(0, |pairs| usize::from(*pairs) * 2);
        let whole = match length(offset) {
            0 => offset + 2..offset + 2 + length(offset + 1),
            length => offset + 1..offset + length,
        };
        let whole = page.get(whole.start..whole.end.min(page.len())).unwrap_or_default();
        let (style, exact) = whole.split_at_checked(2).unwrap_or_default();
        let style = Octets::of(style).u16().unwrap_or_default();
        Some(Entry { range: place(index)?..place(index + 1)?, properties, exact, style })
    })
}

/// The properties at `offset`.
fn properties(page: &[u8], offset: usize, size: usize) -> &[u8] {
    let length = page.get(offset).map_or(0, |length| usize::from(*length));
    // A paragraph counts in pairs, and its length may be in a second octet: what is behind is looked at rather than missed.
    let length =
        if size == 1 { length } else { (length * 2).max(2 * page.get(offset + 1).map_or(0, |l| usize::from(*l))) };
    page.get(offset + 1..(offset + 2 + length).min(page.len())).unwrap_or_default()
}

/// What is told of paragraphs, and where they are; sorted.
pub(super) fn told(word: &[u8], plc: &[u8], tell: impl Fn(&Entry<'_>) -> Option<u16>) -> Vec<(Range<usize>, u16)> {
    let mut found = Vec::new();
    let pages = plc.len().saturating_sub(4) / 8;
    let numbers = plc.get((pages + 1) * 4..).unwrap_or_default().chunks_exact(4).take(word.len() / PAGE + 1);
    for number in numbers.filter_map(|entry| Octets::of(entry).length()) {
        let at = (number & 0x3F_FFFF).saturating_mul(PAGE);
        let Some(page) = word.get(at..at.saturating_add(PAGE)) else { continue };
        let sought = Sought { sprms: &[], entry: PARAGRAPH };
        found.extend(entries(page, sought).filter_map(|entry| Some((entry.range.clone(), tell(&entry)?))));
    }
    found.sort_by_key(|(range, _)| range.start);
    found
}

/// The operand of a property, of one octet or two, where a list of them has it: the last one counts ([MS-DOC] 2.2.5.1).
pub(super) fn operand_of(properties: &[u8], sprm: [u8; 2], width: usize) -> Option<u16> {
    let (mut octets, mut found) = (Octets::of(properties), None);
    while let Some((code, operand)) = property(&mut octets) {
        if code == u16::from_le_bytes(sprm) {
            let mut operand = Octets::of(operand);
            found = if width == 1 { operand.u8().map(u16::from) } else { operand.u16() };
        }
    }
    found
}

/// [MS-DOC] 2.2.5.1: the next property, and its operand.
fn property<'p>(octets: &mut Octets<'p>) -> Option<(u16, &'p [u8])> {
    let code = octets.u16()?;
    let length = match (code >> 13, code) {
        // Its length counts one octet too many, and is two octets long.
        (_, TABLE) => usize::from(octets.u16()?).checked_sub(1)?,
        (0 | 1, _) => 1,
        (2 | 4 | 5, _) => 2,
        (3, _) => 4,
        (7, _) => 3,
        _ => usize::from(octets.u8()?),
    };
    Some((code, octets.take(length)?))
}

/// What is told of the range that has `at` in it.
pub(super) fn told_at(told: &[(Range<usize>, u16)], at: usize) -> Option<u16> {
    let behind = told.partition_point(|(range, _)| range.start <= at);
    let (range, number) = told.get(behind.checked_sub(1)?)?;
    (at < range.end).then_some(*number)
}

/// Whether one of the ranges, sorted by their start, has `at` in it.
pub(super) fn covers(ranges: &[Range<usize>], at: usize) -> bool {
    let behind = ranges.partition_point(|range| range.start <= at);
    behind.checked_sub(1).and_then(|last| ranges.get(last)).is_some_and(|range| at < range.end)
}

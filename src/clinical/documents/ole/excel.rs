//! Workbooks of Excel 5 to 2003: [MS-XLS], and BIFF5 before it.
//!
//! Called by `ole`. Promises: every record is looked at once, in every sheet, hidden or not: cells become rows of a table, once more as
//! they are shown where some are hidden, and the words of all other records are read beside them. Fails with `Wrong` when a record is cut, or the workbook is closed.

use super::super::document::Document;
use super::super::mapi::Words;
use super::super::octets::Octets;
use super::super::office::{self, HIDDEN_CELLS, List, NumberFormats, Shown};
use super::super::{Read, Wrong, codepages, runs};
use super::blips;
use super::strings::{Length, Segments, Version, characters, string};
use crate::vocabulary::FindingKind;
use cells::Cells;

mod cells;

const CONTINUE: u16 = 0x003C;
const BIFF8: u16 = 0x0600;
/// Columns of a sheet: [MS-XLS] 2.2.1.
const COLUMNS: u16 = 256;

pub(super) fn read(book: &[u8], words: &mut Words, document: &mut Document<'_, '_>) -> Read {
    let room = document.room();
    let mut sheets = Sheets { room, cells: Cells::new(room), ..Sheets::default() };
    let mut octets = Octets::of(book);
    let mut sound = true;
    while !octets.is_empty() {
        let Some(record) = record(&mut octets) else {
            sound = octets.rest().iter().all(|octet| *octet == 0);
            break;
        };
        if record.kind == 0x002F {
            return Err(Wrong::Closed("office-document"));
        }
        sound &= sheets.record(&record, words, document).is_some();
    }
    if sheets.text.len() > sheets.room {
        document.limit("", "part");
    }
    if sheets.has_unknown_format {
        document.unread(FindingKind::BrokenAttachment, "", "number format");
    }
    document.text("", &sheets.text);
    document.text("", &sheets.computed.take().unwrap_or_default());
    document.text("", &sheets.cells.finish(&sheets.text));
    if sheets.cells.is_cut() {
        document.unread(FindingKind::BrokenAttachment, "", HIDDEN_CELLS);
    }
    words.add(&runs::of(octets.rest()));
    if sound { Ok(()) } else { Err(Wrong::Broken("workbook record")) }
}

struct Record<'a> {
    kind: u16,
    /// Its octets, and those of the records that continue it.
    segments: Vec<&'a [u8]>,
}

fn record<'a>(octets: &mut Octets<'a>) -> Option<Record<'a>> {
    let (kind, first) = one(octets)?;
    let mut segments = vec![first];
    let mut ahead = *octets;
    while let Some((CONTINUE, more)) = one(&mut ahead) {
        segments.push(more);
        *octets = ahead;
    }
    Some(Record { kind, segments })
}

fn one<'a>(octets: &mut Octets<'a>) -> Option<(u16, &'a [u8])> {
    let mut ahead = *octets;
    let kind = ahead.u16()?;
    let length = usize::from(ahead.u16()?);
    let data = ahead.take(length)?;
    *octets = ahead;
    // Excel fills a stream up with zeros.
    (kind != 0 || length != 0).then_some((kind, data))
}

#[derive(Default)]
struct Sheets {
    room: usize,
    version: Version,
    /// The strings that cells share.
    shared: Vec<String>,
    text: String,
    /// The same as the formats of its cells show it, once that differs.
    computed: Option<String>,
    formats: NumberFormats,
    has_unknown_format: bool,
    cells: Cells,
    /// Headers and footers of the sheet.
    headers: Vec<String>,
    /// The last cell.
    row: Option<u16>,
    column: u16,
}

impl Sheets {
    /// Nothing: the record is shorter than it should be.
    fn record(&mut self, record: &Record<'_>, words: &mut Words, document: &mut Document<'_, '_>) -> Option<()> {
        let data = record.segments.first().copied().unwrap_or_default();
        let mut octets = Octets::of(data);
        self.cells.record(record.kind, octets, &self.text);
        match record.kind {
            0x0809 => self.version.is_8 = self.begins(&mut octets)? == BIFF8,
            0x0042 => self.version.page = codepages::of(u32::from(octets.u16()?)),
            0x00FC => self.share(&record.segments)?,
            0x00EB | 0x00EC => {
                blips::read(&record.segments.concat(), document);
                words.add(&runs::of(&record.segments.concat()));
            }
            0x01B6 => self.object_text(&record.segments, words),
            0x0085 => {
                octets.take(6)?;
                words.add(&string(&mut octets, Length::Short, self.version)?);
            }
            0x0014 | 0x0015 if !data.is_empty() => {
                let length = if self.version.is_8 { Length::Long } else { Length::Short };
                let header = string(&mut octets, length, self.version)?;
                words.add(&header);
                self.headers.push(header);
            }
            0x00A1 => self.set_up(&mut octets, words)?,
            // [MS-XLS] 2.4.126, 2.4.353: a format, and the format of a look.
            0x041E => {
                let id = octets.u16()?;
                let length = if self.version.is_8 { Length::Long } else { Length::Short };
                let code = string(&mut octets, length, self.version)?;
                words.add(&code);
                self.formats.format(u32::from(id), &code);
            }
            0x00E0 => {
                octets.u16()?;
                self.formats.begin(List::Cells);
                self.formats.look(octets.u16().map(u32::from));
            }
            0x0207 => {
                let text = string(&mut octets, Length::Long, self.version)?;
                self.keep(&text);
            }
            _ if self.is_cell(record.kind) => self.cell(record.kind, &mut octets)?,
            // Row heights, formats and the like have no words; names, links, validations and comments' authors have.
            _ => record.segments.iter().for_each(|segment| words.add(&runs::of(segment))),
        }
        Some(())
    }

    /// A sheet, a chart or the workbook begins.
    fn begins(&mut self, octets: &mut Octets<'_>) -> Option<u16> {
        self.row = None;
        self.headers.clear();
        self.write("\n;\n");
        octets.u16()
    }

    /// [MS-XLS] 2.4.265
    fn share(&mut self, segments: &[&[u8]]) -> Option<()> {
        let mut all = Segments::of(segments);
        all.skip(4)?;
        let mut counted = Octets::from(segments.first()?, 4);
        let unique = counted.u32()?;
        all.skip(4)?;
        for _ in 0..unique {
            let string = all.rich_string()?;
            self.shared.push(string);
        }
        Some(())
    }

    /// [MS-XLS] 2.4.329: the text of a comment or a shape stands in the records that continue it.
    fn object_text(&self, segments: &[&[u8]], words: &mut Words) {
        let text = segments.iter().skip(1).map(|segment| match segment.split_first() {
            Some((flags, rest)) if self.version.is_8 && *flags <= 1 => characters(rest, *flags),
            _ => codepages::text(segment, self.version.page),
        });
        // The last one says how it looks.
        words.add(&text.collect::<Vec<String>>().concat());
    }

    fn is_cell(&self, kind: u16) -> bool {
        matches!(kind, 0x00FD | 0x0204 | 0x00D6 | 0x0203 | 0x027E | 0x00BD | 0x0006 | 0x0206 | 0x0406)
    }

    fn cell(&mut self, kind: u16, octets: &mut Octets<'_>) -> Option<()> {
        let row = octets.u16()?;
        let column = octets.u16()?;
        if kind == 0x00BD {
            return self.many(row, column, octets);
        }
        let look = octets.u16()?;
        self.go_to(row, column);
        match kind {
            0x00FD => {
                let index = octets.length()?;
                let shared = std::mem::take(&mut self.shared);
                self.text_cell(look, shared.get(index).map_or("", String::as_str));
                self.shared = shared;
            }
            0x0204 | 0x00D6 => {
                let text = string(octets, Length::Long, self.version)?;
                self.text_cell(look, &text);
            }
            0x027E => {
                let number = rk(octets.u32()?);
                self.number_cell(look, number);
            }
            0x0203 => {
                let number = octets.f64()?;
                self.number_cell(look, number);
            }
            _ => self.result(look, octets.take(8)?),
        }
        Some(())
    }

    fn text_cell(&mut self, look: u16, text: &str) {
        let formatted = self.formats.shown(usize::from(look), text, true);
        self.write_cell(text, formatted);
    }

    fn number_cell(&mut self, look: u16, number: f64) {
        let stored = shown(number);
        let formatted = self.formats.shown(usize::from(look), &stored, false);
        self.write_cell(&stored, formatted);
    }

    /// A cell as it is stored, and as its format shows it.
    fn write_cell(&mut self, stored: &str, formatted: Shown) {
        let Shown::Other(other) = formatted else {
            self.has_unknown_format |= formatted == Shown::Unknown;
            return self.keep(stored);
        };
        let mut computed = self.computed.take().unwrap_or_else(|| self.text.clone());
        self.cells.shows(self.text.len(), &other);
        self.keep(stored);
        if computed.len() <= self.room {
            computed.push_str(&other);
        }
        self.computed = Some(computed);
    }

    /// What is in the cell that was gone to.
    fn keep(&mut self, text: &str) {
        let start = self.text.len();
        self.write(text);
        self.cells.cell(self.row.unwrap_or_default(), self.column, start..self.text.len());
    }

    /// [MS-XLS] 2.4.257: the number of the first page, where the sheet says one; its headers come before.
    fn set_up(&mut self, octets: &mut Octets<'_>, words: &mut Words) -> Option<()> {
        octets.take(4)?;
        let first = octets.u16()?;
        octets.take(4)?;
        let says_it = octets.u16()? & 0x80 != 0;
        for header in self.headers.iter().filter(|header| says_it && header.contains("&P")) {
            words.add(&office::with_page(header, &first.to_string()));
        }
        Some(())
    }

    /// [MS-XLS] 2.5.133: a number, unless it says that it is something else; a string follows in a record of its own.
    fn result(&mut self, look: u16, value: &[u8]) {
        let is_number = value.get(6..8) != Some(&[0xFF, 0xFF]);
        if let Some(number) = Octets::of(value).f64().filter(|_| is_number) {
            self.number_cell(look, number);
        }
    }

    /// [MS-XLS] 2.4.175: numbers of several columns, then the last column.
    fn many(&mut self, row: u16, first: u16, octets: &mut Octets<'_>) -> Option<()> {
        for column in first..first.saturating_add(COLUMNS) {
            if octets.rest().len() < 6 {
                return Some(());
            }
            let look = octets.u16()?;
            let number = rk(octets.u32()?);
            self.go_to(row, column);
            self.number_cell(look, number);
        }
        Some(())
    }

    /// Ends the row, or the cells before this one.
    fn go_to(&mut self, row: u16, column: u16) {
        if self.row != Some(row) || column < self.column {
            self.write("\n");
            (self.row, self.column) = (Some(row), 0);
        }
        let column = column.min(COLUMNS);
        (self.column..column).for_each(|_| self.write("\t"));
        self.column = column.max(self.column);
    }

    fn write(&mut self, text: &str) {
        for into in [Some(&mut self.text), self.computed.as_mut()].into_iter().flatten() {
            if into.len() <= self.room {
                into.push_str(text);
            }
        }
    }
}

/// [MS-XLS] 2.5.217: a number of 30 bits, whole or the upper half of a longer one, perhaps a hundredfold.
pub(in super::super) fn rk(packed: u32) -> f64 {
    let number = match packed & 2 {
        0 => f64::from_bits(u64::from(packed & !3) << 32),
        _ => f64::from((packed & !3).cast_signed() >> 2),
    };
    if packed & 1 != 0 { number / 100.0 } else { number }
}

/// A whole number has no fraction: an identifier that was typed as a number is one.
fn shown(number: f64) -> String {
    format!("{number}")
}

#[cfg(test)]
mod tests {
    use super::{rk, shown};

    #[test]
    fn packed_numbers_are_whole_or_hundredths() {
        assert_eq!(shown(rk(943_476 << 2 | 2)), "943476");
        assert_eq!(shown(rk(943_476 << 2 | 3)), "9434.76");
        assert_eq!(shown(rk(0x41F0_0000)), "4294967296");
        assert_eq!(shown(9_434_765_919.0), "9434765919");
    }
}

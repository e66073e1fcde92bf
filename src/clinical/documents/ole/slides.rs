//! Presentations of PowerPoint 97 to 2003: [MS-PPT].
//!
//! Called by `ole`. Promises: every record is looked at once, in the order of the stream, without recursion: slides, notes, masters,
//! comments, headers and footers, those of earlier savings too. Fails with `Wrong` when a record is cut, or the presentation is closed.

use super::super::document::Document;
use super::super::mapi::Words;
use super::super::octets::Octets;
use super::super::{Read, Wrong, codepages, runs};
use super::blips;
use super::shapes::Text;
use crate::vocabulary::FindingKind;
use flate2::read::ZlibDecoder;
use std::io;

/// [MS-PPT] 2.3.2: what the stream of the current user says of a closed presentation.
const CLOSED: u32 = 0xF3D1_C4DF;

pub(super) fn read(slides: &[u8], user: &[u8], words: &mut Words, document: &mut Document<'_, '_>) -> Read {
    if Octets::from(user, 12).u32() == Some(CLOSED) {
        return Err(Wrong::Closed("office-document"));
    }
    blips::lines(slides, document);
    let mut text = Text::default();
    let mut octets = Octets::of(slides);
    let mut read = Ok(());
    while !octets.is_empty() {
        let Some(record) = record(&mut octets) else {
            words.add(&runs::of(octets.rest()));
            read = Err(Wrong::Broken("presentation record"));
            break;
        };
        match record.kind {
            0x2F14 => return Err(Wrong::Closed("office-document")),
            0x1011 => object(&record, document),
            // [MS-ODRAW] 2.2.9 to 2.2.11: the properties of a shape.
            0xF00B | 0xF121 | 0xF122 => {
                blips::drawings(record.data, document);
                words.add(&runs::of(record.data));
            }
            // [MS-PPT] 2.5.1, [MS-ODRAW] 2.2.14: a slide, and a shape on it.
            0x03EE => text.page += 1,
            0xF004 => text.begin_shape(),
            0xF010 => text.place(record.data),
            // [MS-PPT] 2.13.20: what versions since 2000 say of a shape.
            0x138B => {
                text.tags(record.data);
                words.add(&runs::of(record.data));
            }
            0x0FA0 | 0x0FBA => text.add(&codepages::wide(record.data)),
            // [MS-PPT] 2.9.43: the lower halves of UTF-16.
            0x0FA8 => text.add(&record.data.iter().map(|octet| char::from(*octet)).collect::<String>()),
            _ => words.add(&runs::of(record.data)),
        }
    }
    document.text("", &text.stored);
    document.text("", &text.computed.unwrap_or_default());
    if text.boxes.is_cut() {
        document.unread(FindingKind::BrokenAttachment, "", "boxes");
    }
    document.text("", &text.boxes.read());
    read
}

pub(super) struct Record<'a> {
    pub kind: u16,
    instance: u16,
    /// Empty for those that hold other records, which come next.
    pub data: &'a [u8],
}

/// [MS-PPT] 2.3.1
pub(super) fn record<'a>(octets: &mut Octets<'a>) -> Option<Record<'a>> {
    let mut ahead = *octets;
    let version = ahead.u16()?;
    let kind = ahead.u16()?;
    let length = ahead.length()?;
    let data = if version & 0xF == 0xF { &[] } else { ahead.take(length)? };
    *octets = ahead;
    Some(Record { kind, instance: version >> 4, data })
}

/// [MS-PPT] 2.10.34: an object, packed behind its length or as it stands.
fn object(record: &Record<'_>, document: &mut Document<'_, '_>) {
    if record.instance == 0 {
        return document.file("object", record.data);
    }
    let announced = Octets::of(record.data).length().unwrap_or(0);
    let packed = record.data.get(4..).unwrap_or_default();
    let mut source = Announced { source: ZlibDecoder::new(packed), left: announced };
    match document.unpack("object", &mut source, packed.len()) {
        Ok(bytes) => document.file("object", &bytes),
        Err(_) => document.unread(FindingKind::BrokenAttachment, "object", "packed object"),
    }
}

/// PowerPoint says how long an object is, and leaves out the end of its packed form.
struct Announced<'a> {
    source: ZlibDecoder<&'a [u8]>,
    left: usize,
}

impl io::Read for Announced<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(into);
        match read {
            Ok(octets) => self.left = self.left.saturating_sub(octets),
            Err(_) if self.left == 0 => return Ok(0),
            Err(_) => {}
        }
        read
    }
}

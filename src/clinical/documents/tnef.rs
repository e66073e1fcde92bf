//! Transport Neutral Encapsulation Format, `winmail.dat`: [MS-OXTNEF].
//!
//! Called by `documents`. Promises: one pass over the attributes; a property list is no longer than its octets, whatever it counts.
//! Fails with `Wrong` when an attribute is cut or its checksum is wrong; everything up to there, and behind it, is read first.

use super::document::Document;
use super::mapi::{self, Tag, Words};
use super::octets::Octets;
use super::{Read, Wrong, codepages, runs};
use encoding_rs::{Encoding, WINDOWS_1252};

/// [MS-OXTNEF] 2.1.3.2: the low halves of the attributes that are more than words.
const SUBJECT: u16 = 0x8004;
const BODY: u16 = 0x800C;
const ATTACH_DATA: u16 = 0x800F;
const ATTACH_TITLE: u16 = 0x8010;
const ATTACH_META_FILE: u16 = 0x8011;
const ATTACH_TRANSPORT_NAME: u16 = 0x9001;
const ATTACH_BEGIN: u16 = 0x9002;
const MESSAGE_PROPERTIES: u16 = 0x9003;
const RECIPIENTS: u16 = 0x9004;
const ATTACHMENT: u16 = 0x9005;
const CODE_PAGE: u16 = 0x9007;

/// An interface in front of the data of an object.
const INTERFACE: usize = 16;

pub(super) fn read(bytes: &[u8], document: &mut Document<'_, '_>) -> Read {
    let mut octets = Octets::from(bytes, 6);
    let mut reader = Reader { page: WINDOWS_1252, words: Words::default(), open: Attachment::default(), document };
    let mut sound = true;
    while !octets.is_empty() {
        let Some(attribute) = attribute(&mut octets) else {
            reader.words.add(&runs::of(octets.rest()));
            sound = false;
            break;
        };
        sound &= attribute.sound;
        reader.attribute(&attribute);
    }
    reader.attached();
    reader.words.finish(reader.document);
    if sound { Ok(()) } else { Err(Wrong::Broken("tnef attribute")) }
}

struct Attribute<'a> {
    id: u16,
    data: &'a [u8],
    sound: bool,
}

/// [MS-OXTNEF] 2.1.3.1: level, attribute, length, data, checksum. A cut one has what there is.
fn attribute<'a>(octets: &mut Octets<'a>) -> Option<Attribute<'a>> {
    let mut ahead = *octets;
    if !matches!(ahead.u8()?, 1 | 2) {
        return None;
    }
    let id = ahead.u16()?;
    ahead.u16()?;
    let length = ahead.length()?;
    let data = ahead.take_up_to(length);
    let sum = data.iter().fold(0u16, |sum, octet| sum.wrapping_add(u16::from(*octet)));
    let sound = data.len() == length && ahead.u16() == Some(sum);
    *octets = ahead;
    Some(Attribute { id, data, sound })
}

/// An attachment whose attributes are being read.
#[derive(Default)]
struct Attachment {
    name: Option<String>,
    data: Vec<Vec<u8>>,
}

struct Reader<'d, 'w, 'r> {
    page: &'static Encoding,
    words: Words,
    open: Attachment,
    document: &'d mut Document<'w, 'r>,
}

impl Reader<'_, '_, '_> {
    fn attribute(&mut self, attribute: &Attribute<'_>) {
        let data = attribute.data;
        match attribute.id {
            CODE_PAGE => self.page = codepages::of(Octets::of(data).u32().unwrap_or(0)),
            SUBJECT => self.document.subject(&codepages::text(data, self.page)),
            BODY => self.document.text("body", &codepages::text(data, self.page)),
            ATTACH_BEGIN => self.attached(),
            ATTACH_DATA => self.open.data.push(data.to_vec()),
            ATTACH_TITLE | ATTACH_TRANSPORT_NAME => self.named(codepages::text(data, self.page)),
            ATTACH_META_FILE => {}
            MESSAGE_PROPERTIES | ATTACHMENT => self.properties(&mut Octets::of(data)),
            RECIPIENTS => self.recipients(data),
            _ => self.words.add(&runs::of(data)),
        }
    }

    fn named(&mut self, name: String) {
        self.document.name(&name);
        self.open.name = Some(name);
    }

    /// The attributes of one attachment are all there.
    fn attached(&mut self) {
        let Attachment { name, data } = std::mem::take(&mut self.open);
        let name = name.unwrap_or_default();
        data.iter().for_each(|data| self.document.file(&name, data));
    }

    /// [MS-OXTNEF] 2.1.3.5.1: rows of properties.
    fn recipients(&mut self, data: &[u8]) {
        let mut octets = Octets::of(data);
        let rows = octets.u32().unwrap_or(0);
        for _ in 0..rows {
            if octets.is_empty() {
                return;
            }
            self.properties(&mut octets);
        }
    }

    /// [MS-OXTNEF] 2.1.3.4: a count and so many properties. What is not as it should be is looked at as it stands.
    fn properties(&mut self, octets: &mut Octets<'_>) {
        let count = match octets.u32() {
            Some(count) => count,
            None if octets.is_empty() => return,
            None => return self.broken(octets),
        };
        for _ in 0..count {
            if octets.is_empty() {
                return;
            }
            let before = *octets;
            if self.one(octets).is_none() {
                *octets = before;
                return self.broken(octets);
            }
        }
    }

    /// Looks at all that is left as it stands: then nothing is left.
    fn broken(&mut self, octets: &mut Octets<'_>) {
        self.document.unread(crate::vocabulary::FindingKind::BrokenAttachment, "properties", "tnef property");
        self.words.add(&runs::of(octets.rest()));
        *octets = Octets::of(b"");
    }

    fn one(&mut self, octets: &mut Octets<'_>) -> Option<()> {
        let kind = octets.u16()?;
        let tag = Tag { id: octets.u16()?, kind };
        if tag.id >= 0x8000 {
            self.property_name(octets)?;
        }
        let multiple = kind & mapi::MULTIPLE != 0;
        match kind & !mapi::MULTIPLE {
            mapi::STRING8 | mapi::STRING | mapi::BINARY | mapi::OBJECT => {
                for _ in 0..octets.u32()? {
                    let length = octets.length()?;
                    let value = octets.take(length)?;
                    octets.take_up_to(length.wrapping_neg() % 4);
                    self.value(tag, value);
                }
            }
            fixed => {
                let values = if multiple { octets.length()? } else { 1 };
                octets.take(width(fixed)?.checked_mul(values)?)?;
            }
        }
        Some(())
    }

    /// Named properties have a name of words or a number.
    fn property_name(&mut self, octets: &mut Octets<'_>) -> Option<()> {
        octets.take(16)?;
        if octets.u32()? == 0 {
            return octets.u32().map(|_| ());
        }
        let length = octets.length()?;
        let name = codepages::wide(octets.take(length)?);
        octets.take_up_to(length.wrapping_neg() % 4);
        self.words.add(&name);
        Some(())
    }

    fn value(&mut self, tag: Tag, value: &[u8]) {
        if tag.is_data() {
            let data = if tag.kind == mapi::OBJECT { value.get(INTERFACE..).unwrap_or_default() } else { value };
            self.open.data.push(data.to_vec());
        } else if tag.is_name() {
            self.named(mapi::text(tag, value, self.page));
        } else {
            mapi::property(tag, value, self.page, &mut self.words, self.document);
        }
    }
}

/// Octets of a value of a type that has no length of its own, filled up to four: [MS-OXCDATA] 2.11.1.
fn width(kind: u16) -> Option<usize> {
    match kind {
        0x0001 => Some(0),
        0x0002 | 0x0003 | 0x0004 | 0x000A | 0x000B => Some(4),
        0x0005 | 0x0006 | 0x0007 | 0x0014 | 0x0040 => Some(8),
        0x0048 => Some(16),
        _ => None,
    }
}

#[cfg(test)]
mod tests;

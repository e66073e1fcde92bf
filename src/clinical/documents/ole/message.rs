//! Message files of Outlook: [MS-OXMSG].
//!
//! Called by `ole` for each storage that has properties: the message, its recipients, its attachments, and messages inside.
//! Promises: every string is read, and the data of an attachment is a file. Fails never.

use super::super::document::Document;
use super::super::mapi::{self, Tag, Words};
use super::super::octets::Octets;
use super::super::{codepages, runs};
use super::files::{Files, Storage, Stream};
use encoding_rs::{Encoding, WINDOWS_1252};

const PROPERTIES: &str = "__properties_version1.0";
const VALUE: &str = "__substg1.0_";
/// Octets of the properties of fixed length that are looked at for the code page.
const MOST: u64 = 64_000;

pub(super) fn is_message(storage: &Storage) -> bool {
    storage.has(PROPERTIES) || storage.path.to_ascii_lowercase().contains("__nameid_version1.0")
}

/// What all storages of a message file have in common.
pub(super) struct Reader<'a> {
    pub page: &'static Encoding,
    pub words: &'a mut Words,
}

/// [MS-OXMSG] 2.4.2: the code page of strings of single octets, said among the properties of the message.
pub(super) fn page_of(storages: &[Storage], files: &mut Files<'_>) -> &'static Encoding {
    let root = storages.iter().find(|storage| storage.path.is_empty());
    let stream = root.and_then(|root| root.streams.iter().find(|stream| stream.name == PROPERTIES));
    let Some(bytes) = stream.map(|stream| files.peek(stream, MOST)) else { return WINDOWS_1252 };
    let entries = bytes.get(32..).unwrap_or_default().chunks_exact(16);
    let tag = u32::from(mapi::CODE_PAGE) << 16 | 3;
    let said =
        entries.filter(|entry| Octets::of(entry).u32() == Some(tag)).find_map(|entry| Octets::from(entry, 8).u32());
    said.map_or(WINDOWS_1252, codepages::of)
}

/// Reads the properties that stand in one storage.
pub(super) fn read(
    storage: &mut Storage,
    files: &mut Files<'_>,
    reader: &mut Reader<'_>,
    document: &mut Document<'_, '_>,
) {
    let (mut name, mut data) = (String::new(), Vec::new());
    let (values, others): (Vec<Stream>, Vec<Stream>) =
        std::mem::take(&mut storage.streams).into_iter().partition(|stream| tag_of(&stream.name).is_some());
    storage.streams = others;
    for stream in values {
        let Some(tag) = tag_of(&stream.name) else { continue };
        let Some(bytes) = files.read(&stream, document) else { continue };
        if tag.is_data() {
            data.push(bytes);
        } else if tag.is_name() {
            let one = mapi::text(tag, &bytes, reader.page);
            document.name(&one);
            // The long one is as long or longer.
            name = if one.len() >= name.len() { one } else { name };
        } else if storage.path.ends_with("__nameid_version1.0") {
            reader.words.add(&runs::of(&bytes));
        } else {
            mapi::property(tag, &bytes, reader.page, reader.words, document);
        }
    }
    data.iter().for_each(|data| document.file(&name, data));
}

/// [MS-OXMSG] 2.1.3: eight digits of a tag; more behind them for one of several values.
fn tag_of(name: &str) -> Option<Tag> {
    let start = name.get(..VALUE.len()).filter(|start| start.eq_ignore_ascii_case(VALUE))?;
    let digits = name.get(start.len()..start.len() + 8)?;
    let tag = u32::from_str_radix(digits, 16).ok()?;
    let (id, kind) = (u16::try_from(tag >> 16).ok()?, u16::try_from(tag & 0xFFFF).ok()?);
    Some(Tag { id, kind })
}

//! Properties of messages as Outlook keeps them ([MS-OXPROPS]), wherever they stand: in TNEF and in message files.
//!
//! Called by `tnef` and `ole`. Promises: every property that holds words is read, those that hold a body as what they are. Fails
//! never.

use super::document::Document;
use super::{codepages, lzfu, runs};
use crate::vocabulary::FindingKind;
use encoding_rs::Encoding;

pub(super) const SUBJECT: u16 = 0x0037;
const HEADERS: u16 = 0x007D;
const BODY: u16 = 0x1000;
const RTF: u16 = 0x1009;
const HTML: u16 = 0x1013;
pub(super) const ATTACH_DATA: u16 = 0x3701;
const ATTACH_EXTENSION: u16 = 0x3703;
const ATTACH_NAME: u16 = 0x3704;
const ATTACH_LONG_NAME: u16 = 0x3707;
const ATTACH_RENDERING: u16 = 0x3709;
pub(super) const CODE_PAGE: u16 = 0x3FFD;

/// [MS-OXCDATA] 2.11.1
pub(super) const STRING8: u16 = 0x001E;
pub(super) const STRING: u16 = 0x001F;
pub(super) const BINARY: u16 = 0x0102;
pub(super) const OBJECT: u16 = 0x000D;
/// More than one value of a type.
pub(super) const MULTIPLE: u16 = 0x1000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tag {
    pub id: u16,
    pub kind: u16,
}

impl Tag {
    pub fn is_data(self) -> bool {
        self.id == ATTACH_DATA && matches!(self.kind, BINARY | OBJECT)
    }

    pub fn is_name(self) -> bool {
        matches!(self.id, ATTACH_NAME | ATTACH_LONG_NAME) && matches!(self.kind, STRING | STRING8)
    }
}

/// The words of small properties, which are read together.
#[derive(Debug, Default)]
pub(super) struct Words {
    text: String,
}

impl Words {
    pub fn add(&mut self, text: &str) {
        if !text.trim().is_empty() {
            self.text.push_str(text);
            self.text.push_str("\n;\n");
        }
    }

    pub fn finish(self, document: &mut Document<'_, '_>) {
        document.text("properties", &self.text);
    }
}

/// The text of a property that is a string.
pub(super) fn text(tag: Tag, bytes: &[u8], page: &'static Encoding) -> String {
    match tag.kind & !MULTIPLE {
        STRING => codepages::wide(bytes),
        _ => codepages::text(bytes, page),
    }
}

/// Reads one value of a property.
pub(super) fn property(
    tag: Tag,
    bytes: &[u8],
    page: &'static Encoding,
    words: &mut Words,
    document: &mut Document<'_, '_>,
) {
    let is_string = matches!(tag.kind & !MULTIPLE, STRING | STRING8);
    match tag.id {
        RTF if tag.kind == BINARY => rtf(bytes, document),
        HTML if is_string => html(&text(tag, bytes, page), document),
        // The charset of a binary one is said in the HTML, or nowhere.
        HTML => html(&codepages::text(bytes, charset_of(bytes, page)), document),
        SUBJECT if is_string => document.subject(&text(tag, bytes, page)),
        HEADERS if is_string => document.file("headers", text(tag, bytes, page).as_bytes()),
        BODY if is_string => document.text("body", &text(tag, bytes, page)),
        ATTACH_EXTENSION | ATTACH_RENDERING => {}
        _ if is_string => words.add(&text(tag, bytes, page)),
        _ => words.add(&runs::of(bytes)),
    }
}

fn charset_of(html: &[u8], page: &'static Encoding) -> &'static Encoding {
    if std::str::from_utf8(html).is_ok() { encoding_rs::UTF_8 } else { page }
}

fn html(markup: &str, document: &mut Document<'_, '_>) {
    document.text("html", &super::super::html::text(markup));
}

fn rtf(bytes: &[u8], document: &mut Document<'_, '_>) {
    let Some(unpacked) = lzfu::unpack(bytes, document.room()) else {
        document.unread(FindingKind::BrokenAttachment, "body.rtf", "compressed rtf");
        return document.text("body.rtf", &runs::of(bytes));
    };
    if unpacked.cut {
        document.limit("body.rtf", "part");
    }
    if !unpacked.sound {
        document.unread(FindingKind::BrokenAttachment, "body.rtf", "compressed rtf");
    }
    if let Ok(rtf) = document.unpack("body.rtf", &mut unpacked.rtf.as_slice(), bytes.len()) {
        document.file("body.rtf", &rtf);
    }
}

//! One part of an office document, from its octets to what is handed over of it.
//!
//! Called by `office`. Promises: every reading of the part is looked at, each text once. Fails never: what is wrong is a finding.

use super::super::super::{charset, html, transfer};
use super::super::document::Document;
use super::super::instructions;
use super::counts::Counts;
use super::flow::Told;
use super::strings::Strings;
use super::styles::Styles;
use super::{declared, files, reader, xml};
use crate::vocabulary::FindingKind;

/// What the parts of a document know of one another.
pub(super) struct Known<'k> {
    pub strings: &'k mut Strings,
    pub styles: &'k mut Styles,
    pub counts: &'k mut Counts,
}

/// Reads one part; whether it shows any text.
pub(super) fn read(name: &str, bytes: &[u8], known: Known<'_>, document: &mut Document<'_, '_>) -> bool {
    let start = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes).trim_ascii_start();
    let reading = charset::read(bytes, declared(start));
    if !reading.sound {
        document.unread(FindingKind::BrokenAttachment, name, "charset");
    }
    if let Some(other) = &reading.other {
        document.text(name, &html::text(other));
    }
    known.counts.sections(&reading.text);
    known.styles.slide = files::number_of(name);
    let (styles, counts) = (std::mem::take(known.styles), std::mem::take(known.counts));
    let mut reader = reader::Reader::new(known.strings, document.room()).knowing(styles).counting(counts);
    if let Err(wrong) = xml::walk(&reading.text, &mut reader) {
        document.unread(FindingKind::BrokenAttachment, name, wrong);
        document.text(name, &html::text(&reading.text));
    }
    let mut part = reader.finish();
    if part.styles.is_full() {
        document.unread(FindingKind::BrokenAttachment, name, "styles");
    }
    if part.counts.numbering.is_full() {
        document.unread(FindingKind::BrokenAttachment, name, "numbering");
    }
    (*known.styles, *known.counts) = (part.styles, part.counts);
    part.unread.iter().for_each(|what| document.unread(FindingKind::BrokenAttachment, name, what));
    for text in part.told.readings.iter_mut().filter(|text| instructions::is_open(text)) {
        *text = known.counts.values.resolved(text);
    }
    if part.is_drawn {
        document.unread(FindingKind::Image, name, "drawing");
    }
    if known.counts.values.take_cut() {
        document.unread(FindingKind::BrokenAttachment, name, "fields");
    }
    if known.counts.bound.take_missed() {
        document.unread(FindingKind::BrokenAttachment, name, "content control");
    }
    let has_text = tell(&part.told, name, document);
    for file in &part.files {
        let bytes = transfer::base64(file.as_bytes(), document.room()).bytes;
        document.file("binary", &bytes);
    }
    has_text
}

/// Hands over what a part says; whether it shows any text.
pub(super) fn tell(told: &Told, name: &str, document: &mut Document<'_, '_>) -> bool {
    if told.cut {
        document.limit(name, "decoded");
    }
    for (at, text) in told.readings.iter().enumerate() {
        if !told.readings.iter().take(at).any(|other| other == text) {
            document.text(name, text);
        }
    }
    told.computed.iter().chain([&told.arranged, &told.aside]).for_each(|text| document.text(name, text));
    told.readings.iter().any(|text| !text.trim().is_empty())
}

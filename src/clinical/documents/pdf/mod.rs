//! PDF (ISO 32000): the text of pages with its numbers whole, and every other place in which a reader shows text.
//!
//! Called by `documents`. Objects, their tables, repair of both, and decryption are the library's (`hayro-syntax`); filters,
//! fonts, content and the order of text are ours, bounded by the limits of the message. Promises: a page that is a picture, text
//! that is drawn with lines, and text of which no map says what it means, are said. Fails with `Wrong` where there are no objects,
//! or no key.

mod cmap;
mod content;
mod filters;
mod font;
mod glyphs;
mod guard;
mod ink;
mod layers;
mod matrix;
mod objects;
mod outlines;
mod pages;
mod painter;
mod pinned;
mod predictor;
mod reach;
mod reader;
mod sheet;
mod source;
mod widths;

use super::document::Document;
use super::{Read, Wrong};
use crate::vocabulary::FindingKind;
use hayro_syntax::object::Dict;
use hayro_syntax::{LoadPdfError, Pdf};
use reader::Reader;
use source::Source;

/// Readers count the places of objects from the first octet, or from the header that stands behind others (Annex H, note 13).
pub(super) fn read(bytes: &[u8], document: &mut Document<'_, '_>) -> Read {
    let whole = one(bytes, document);
    let header = memchr::memmem::find(bytes.get(..1_024).unwrap_or(bytes), b"%PDF-");
    let Some(behind) = header.filter(|at| *at > 0).and_then(|at| bytes.get(at..)) else { return whole };
    match (whole, one(behind, document)) {
        (Err(Wrong::Closed(what)), _) | (_, Err(Wrong::Closed(what))) => Err(Wrong::Closed(what)),
        (Ok(()), _) | (_, Ok(())) => Ok(()),
        (whole, _) => whole,
    }
}

fn one(bytes: &[u8], document: &mut Document<'_, '_>) -> Read {
    if let Err(which) = guard::check(bytes) {
        document.limit("", which);
        return Err(Wrong::Broken("pdf objects"));
    }
    let pdf = match Pdf::new(bytes.to_vec()) {
        Ok(pdf) => pdf,
        // Whether for a password, a certificate or a scheme that nobody here knows.
        Err(LoadPdfError::Decryption(_)) => return Err(Wrong::Closed("pdf")),
        Err(LoadPdfError::Invalid) => return Err(Wrong::Broken("pdf objects")),
    };
    let mut reader = Reader::new(Source { document }, pdf.xref());
    let told = pages::read(&pdf, &mut reader);
    let files = objects::read(&pdf, &mut reader);
    let chars = reader.chars;
    reader.say_blind("", &[]);
    if told.is_blank() && chars == 0 && has_all_pages(&pdf) {
        document.nothing_shown();
    } else if chars == 0 && files == 0 && !told.has_scans() {
        // What the document says of itself is not what it is about.
        document.unread(FindingKind::BrokenAttachment, "", "no text found");
    }
    Ok(())
}

/// Whether the pages are as many as the document says that it has, and not made anew from a form in XML by whoever shows them
/// (ISO 32000-1 7.7.2, 7.7.3).
fn has_all_pages(pdf: &Pdf) -> bool {
    let Some(catalog) = pdf.xref().get::<Dict<'_>>(pdf.xref().root_id()) else { return false };
    let count = catalog.get::<Dict<'_>>(b"Pages").and_then(|pages| pages.get::<usize>(b"Count"));
    count == Some(pdf.pages().len()) && !catalog.contains_key(b"NeedsRendering")
}

#[cfg(test)]
mod tests;

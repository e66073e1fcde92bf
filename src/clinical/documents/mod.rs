//! Documents and archives: what is packed in them is unpacked, and what is written in them is read.
//!
//! Called by `leaf`, in a process that may do nothing else. Each reader hands what it finds to a `Document`: pieces of text,
//! files inside, and what it could not read. Promises: bounded by the limits of the inspection, whatever the octets say of
//! themselves; a document in which nothing was read is never clean. Fails never: what is wrong with it is a finding.

mod document;
mod office;
mod zip;

use super::leaf::Octets;
use super::walk::Walk;
use crate::vocabulary::FindingKind;
use document::Document;
pub(super) use office::is_markup;

/// What reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Zip,
    /// Office markup that stands alone.
    Markup,
}

/// Why a document was not read to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrong {
    /// It is not as its format wants it.
    Broken(&'static str),
    /// It is closed with a password or a key.
    Closed(&'static str),
    /// Nobody here reads this variety.
    Unknown(&'static str),
}

/// What reading a document, or a piece of one, ends in.
type Read = Result<(), Wrong>;

/// Reads a document, or says that it is one.
pub(super) fn read(walk: &mut Walk<'_>, kind: Kind, bytes: &[u8], about: &Octets<'_>) {
    if !walk.reads_documents() {
        return walk.report.elsewhere(about.place);
    }
    let Some(inside) = walk.inside(about.place, about.spot) else { return };
    let mut document = Document::new(walk, about.place, inside);
    let read = match kind {
        Kind::Zip => zip::read(bytes, &mut document),
        Kind::Markup => office::flat(bytes, &mut document),
    };
    let told = document.has_told();
    match read {
        Ok(()) if told => walk.report.read(about.place),
        // An empty document and one whose text was not found look alike.
        Ok(()) => walk.report.unread(FindingKind::BrokenAttachment, about.place, "no text found"),
        Err(Wrong::Closed(what)) => walk.report.closed(about.place, what),
        Err(Wrong::Unknown(what)) => walk.report.unread(FindingKind::UnknownAttachment, about.place, what),
        Err(Wrong::Broken(what)) => {
            walk.report.unread(FindingKind::BrokenAttachment, about.place, what);
            // It may be something else for somebody else.
            walk.raw(bytes, about.place);
        }
    }
}

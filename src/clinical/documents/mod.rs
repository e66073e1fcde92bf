//! Documents and archives: what is packed in them is unpacked, and what is written in them is read.
//!
//! Called by `leaf`, in a process that may do nothing else. Each reader hands what it finds to a `Document`: pieces of text,
//! files inside, and what it could not read. Promises: bounded by the limits of the inspection, whatever the octets say of
//! themselves; a document in which nothing was read is never clean, unless it is known to show nothing. Fails never: what is wrong
//! with it is a finding.

mod codepages;
mod dif;
mod document;
mod equation;
mod instructions;
mod lists;
mod lzfu;
mod mapi;
mod octets;
mod office;
mod ole;
mod packaged;
mod packed;
mod pdf;
mod rtf;
pub(super) mod runs;
mod sevenz;
mod side_by_side;
mod sylk;
mod tar;
mod tnef;
#[cfg(test)]
#[path = "../../../tests/recognition/writers.rs"]
mod writers;
mod zip;

use super::formats::{self, Format};
use super::leaf::Octets;
use super::walk::Walk;
use crate::vocabulary::FindingKind;
pub(super) use dif::sheet as dif_sheet;
use document::Document;
pub(super) use office::is_markup;
pub(super) use sylk::sheet as sylk_sheet;

/// What reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Ole,
    Rtf,
    Tnef,
    Zip,
    /// Office markup that stands alone.
    Markup,
    Gzip,
    Bzip2,
    Xz,
    Tar,
    SevenZip,
    Pdf,
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

/// So many of the last octets tell whether they end with an archive.
pub(super) const ARCHIVE_END: usize = zip::TAIL;

/// Whether octets end with a zip archive, whatever they begin with.
pub(super) fn ends_with_an_archive(bytes: &[u8]) -> bool {
    zip::ends_with_one(bytes)
}

/// Whether an archive at the end of that is not read with it, or is not a file inside. Word keeps themes as archives among the
/// streams of a compound file, all of which are read.
pub(super) fn may_precede_an_archive(format: Format) -> bool {
    !matches!(format, Format::Empty | Format::Document(Kind::Zip | Kind::Tar | Kind::Ole))
}

/// Whether octets begin with a header of tar, which may have no signature.
pub(super) fn is_tar(bytes: &[u8]) -> bool {
    tar::is_one(bytes)
}

/// Whether octets begin as something that is read here.
fn is_document(bytes: &[u8]) -> bool {
    /// As many as any beginning needs.
    const START: usize = 1_024;
    matches!(formats::of(&bytes[..bytes.len().min(START)], None), Format::Document(_))
}

/// Reads a document, or says that it is one.
pub(super) fn read(walk: &mut Walk<'_>, kind: Kind, bytes: &[u8], about: &Octets<'_>) {
    if !walk.reads_documents() {
        return walk.report.elsewhere(about.place);
    }
    if walk.wants_document() {
        walk.within_document(|walk| open(walk, kind, bytes, about));
    }
}

fn open(walk: &mut Walk<'_>, kind: Kind, bytes: &[u8], about: &Octets<'_>) {
    let Some(inside) = walk.inside(about.place, about.spot) else { return };
    let mut document = Document::new(walk, about.place, inside);
    let read = match kind {
        Kind::Ole => ole::read(bytes, &mut document),
        Kind::Rtf => rtf::read(bytes, &mut document),
        Kind::Tnef => tnef::read(bytes, &mut document),
        Kind::Zip => zip::read(bytes, &mut document),
        Kind::Markup => office::flat(bytes, &mut document),
        Kind::Gzip => packed::gzip(bytes, &mut document),
        Kind::Bzip2 => packed::bzip2(bytes, &mut document),
        Kind::Xz => packed::xz(bytes, &mut document),
        Kind::Tar => tar::read(bytes, &mut document),
        Kind::SevenZip => sevenz::read(bytes, &mut document),
        Kind::Pdf => pdf::read(bytes, &mut document),
    };
    let told = document.has_told();
    match read {
        Ok(()) if told => walk.report.read(about.place),
        // An empty document and one whose text was not found look alike.
        Ok(()) => walk.report.unread(FindingKind::BrokenAttachment, about.place, "no text found"),
        Err(Wrong::Closed(what)) => {
            walk.report.closed(about.place, what);
            walk.runs(bytes, about.place);
        }
        Err(Wrong::Unknown(what)) => walk.report.unread(FindingKind::UnknownAttachment, about.place, what),
        Err(Wrong::Broken(what)) => {
            walk.report.unread(FindingKind::BrokenAttachment, about.place, what);
            // It may be something else for somebody else.
            walk.raw(bytes, about.place);
        }
    }
}

#[cfg(test)]
mod tests;

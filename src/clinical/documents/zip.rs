//! Zip archives, and the documents that are zip archives inside.
//!
//! Called by `documents`. Promises: every entry is unpacked within the limits, or said to be unread. Fails with `Wrong` when
//! there is no directory that can be read.

use super::document::Document;
use super::office::Package;
use super::{Read, Wrong};
use crate::vocabulary::FindingKind;
use std::io::Cursor;
use zip::ZipArchive;
use zip::result::ZipError;

pub(super) type Archive<'a> = ZipArchive<Cursor<&'a [u8]>>;

pub(super) fn read(bytes: &[u8], document: &mut Document<'_, '_>) -> Read {
    let mut archive = Archive::new(Cursor::new(bytes)).map_err(|_| Wrong::Broken("zip directory"))?;
    let mut package = Package::of(&archive);
    for index in package.order(&mut archive) {
        if let Some(entry) = unpack(&mut archive, index, document) {
            package.entry(&entry, document);
        }
    }
    package.finish(document);
    Ok(())
}

/// An unpacked entry.
pub(super) struct Entry {
    pub name: String,
    pub bytes: Vec<u8>,
}

/// Unpacks one entry; nothing where that cannot be, which is said, and nothing for folders.
pub(super) fn unpack(archive: &mut Archive<'_>, index: usize, document: &mut Document<'_, '_>) -> Option<Entry> {
    let name = archive.name_for_index(index).and_then(Result::ok).map_or_else(String::new, |name| name.into_owned());
    let mut file = match archive.by_index(index) {
        Ok(file) => file,
        Err(ZipError::UnsupportedArchive(_) | ZipError::InvalidPassword) => {
            document.closed(&name, "zip");
            return None;
        }
        Err(ZipError::CompressionMethodNotSupported(_)) => {
            document.unread(FindingKind::UnknownAttachment, &name, "compression method");
            return None;
        }
        Err(_) => {
            document.unread(FindingKind::BrokenAttachment, &name, "zip entry");
            return None;
        }
    };
    if file.is_dir() {
        return None;
    }
    let packed = usize::try_from(file.compressed_size()).unwrap_or(usize::MAX);
    match document.unpack(&name, &mut file, packed) {
        Ok(bytes) => Some(Entry { name, bytes }),
        Err(_) => {
            document.unread(FindingKind::BrokenAttachment, &name, "zip entry");
            None
        }
    }
}

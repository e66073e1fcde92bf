//! Compound files ([MS-CFB]): documents of Word, Excel and PowerPoint before 2007, message files of Outlook, and objects inside.
//!
//! Called by `documents`. Promises: every stream of every storage is read by the reader of its kind, handed over as a file, or, when
//! it is only of use to programmes, looked at as it stands; storages are listed, not followed by recursion. Fails with `Wrong` when
//! there is no directory, or when nobody here reads this kind.

mod blips;
mod bookmarks;
mod excel;
mod files;
mod formatting;
mod known;
mod list_styles;
mod message;
mod named_values;
mod page;
mod property_set;
mod shapes;
mod slides;
mod strings;
mod vba;
mod word;

use super::document::Document;
use super::instructions::Values;
use super::mapi::Words;
use super::octets::Octets;
use super::{Read, Wrong, equation, packaged, runs};
use crate::vocabulary::FindingKind;
pub(super) use excel::rk;
use files::{Files, Storage};
use known::Use;

/// [MS-OFFCRYPTO] 2.3.4.4: a stream of that name holds the whole document.
const ENCRYPTED: &[u8] = b"E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e\0";

pub(super) fn read(bytes: &[u8], document: &mut Document<'_, '_>) -> Read {
    let Some(mut files) = Files::open(bytes) else {
        return Err(match memchr::memmem::find(bytes, ENCRYPTED) {
            Some(_) => Wrong::Closed("office-document"),
            None => Wrong::Broken("compound file"),
        });
    };
    let (storages, sound) = files.storages(document);
    let mut reader = Reader {
        words: Words::default(),
        is_known: false,
        has_unknown: false,
        page: message::page_of(&storages, &mut files),
    };
    let closed = closed(&storages);
    if is_bare(bytes, &storages) {
        reader.is_known = true;
        reader.words.add(&runs::of(bytes));
        document.empty();
    }
    let mut read = Ok(());
    for storage in storages {
        let one = reader.storage(storage, &mut files, document);
        read = read.and(one);
    }
    reader.words.finish(document);
    match closed {
        Some(what) => Err(Wrong::Closed(what)),
        None if !sound => Err(Wrong::Broken("compound file")),
        None if !reader.is_known || reader.has_unknown => read.and(Err(Wrong::Unknown("ole"))),
        None => read,
    }
}

/// What is closed as a whole: [MS-OFFCRYPTO] 2.2 and 2.3.4.4.
fn closed(storages: &[Storage]) -> Option<&'static str> {
    let has = |name: &str| storages.iter().any(|storage| storage.has(name));
    let named = |part: &str| storages.iter().any(|storage| storage.path.contains(part));
    if named("DRMEncryptedTransform") || named("DRMEncryptedDataSpace") || has("\tDRMContent") {
        return Some("rights-managed");
    }
    has("EncryptedPackage").then_some("office-document")
}

/// [MS-CFB] 2.2 to 2.6: nothing but the header, one sector of places and one of entries, none of which is a stream. Word writes
/// such a file where it has nothing to keep.
fn is_bare(bytes: &[u8], storages: &[Storage]) -> bool {
    const SECTOR_SHIFT: usize = 30;
    let sector = Octets::from(bytes, SECTOR_SHIFT).u16().and_then(|shift| 1usize.checked_shl(u32::from(shift)));
    let has_room = sector.is_none_or(|sector| bytes.len() > sector.saturating_mul(3));
    !has_room && storages.iter().all(|storage| storage.streams.is_empty())
}

/// What is known of the whole file while its storages are read.
struct Reader {
    words: Words,
    /// Whether something in it has a reader.
    is_known: bool,
    /// Whether a stream of the file itself has none, and nothing told yet what it is of.
    has_unknown: bool,
    page: &'static encoding_rs::Encoding,
}

impl Reader {
    fn storage(&mut self, mut storage: Storage, files: &mut Files<'_>, document: &mut Document<'_, '_>) -> Read {
        let read = self.main(&mut storage, files, document);
        let is_inner = !storage.path.is_empty();
        for stream in std::mem::take(&mut storage.streams) {
            let name = stream.name.clone();
            let Some(bytes) = files.read(&stream, document) else { continue };
            self.stream(&name, &bytes, is_inner || self.is_known, document);
        }
        read
    }

    /// The streams that make the storage what it is.
    fn main(&mut self, storage: &mut Storage, files: &mut Files<'_>, document: &mut Document<'_, '_>) -> Read {
        self.is_known |= known::is_of_programme(storage) || known::is_of_datastore(storage);
        if storage.has("_VBA_PROJECT") {
            vba::read(storage, files, &mut self.words, document);
        }
        let known = [message::is_message(storage), storage.has("WordDocument"), storage.has("PowerPoint Document")];
        self.is_known |= known.contains(&true) || storage.has("Workbook") || storage.has("Book");
        if known[0] {
            message::read(storage, files, &mut message::Reader { page: self.page, words: &mut self.words }, document);
        }
        if let Some(word) = storage.take("WordDocument", files, document) {
            let values = self.values(storage, files, document);
            let tables = ["0Table", "1Table"].map(|name| storage.take(name, files, document).unwrap_or_default());
            word::read(word::Streams { word: &word, tables: &tables }, values, &mut self.words, document)?;
        }
        for name in ["Workbook", "Book"] {
            if let Some(book) = storage.take(name, files, document) {
                excel::read(&book, &mut self.words, document)?;
            }
        }
        if let Some(slides) = storage.take("PowerPoint Document", files, document) {
            let user = storage.take("Current User", files, document).unwrap_or_default();
            slides::read(&slides, &user, &mut self.words, document)?;
        }
        Ok(())
    }

    /// What a document says of itself: fields show it.
    fn values(&mut self, storage: &mut Storage, files: &mut Files<'_>, document: &mut Document<'_, '_>) -> Values {
        let mut values = Values::default();
        for name in ["\u{5}SummaryInformation", "\u{5}DocumentSummaryInformation"] {
            if let Some(bytes) = storage.take(name, files, document) {
                named_values::properties(&bytes, &mut values);
                self.stream(name, &bytes, true, document);
            }
        }
        values
    }

    fn stream(&mut self, name: &str, bytes: &[u8], is_file: bool, document: &mut Document<'_, '_>) {
        let used = known::of(name);
        match used {
            Use::Properties => property_set::read(bytes, &mut self.words),
            Use::Native => packaged::native_stream(bytes, document),
            Use::File => document.file(name, bytes),
            Use::Pictures => blips::read(bytes, document),
            Use::Structure => {}
            Use::Equation => self.words.add(&equation::letters(bytes)),
            Use::Unknown if is_file => return document.file(name, bytes),
            Use::Unknown => self.has_unknown = true,
        }
        self.is_known |= matches!(used, Use::Native | Use::File);
        if !matches!(used, Use::Native | Use::File) {
            self.words.add(&runs::of(bytes));
        }
    }
}

/// A piece of a document that is not as its format wants it, while the rest of it is.
fn broken(what: &'static str, document: &mut Document<'_, '_>) {
    document.unread(FindingKind::BrokenAttachment, "", what);
}

#[cfg(test)]
mod tests;

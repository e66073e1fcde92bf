//! The storages of a compound file and their streams.
//!
//! Called by `ole`. Promises: so many entries at most, each as long as its chain and within the limits; two of one name are said to be
//! broken, for readers may take one or the other. Fails with nothing when it is no compound file.

use super::super::document::Document;
use super::super::octets::Octets;
use crate::vocabulary::FindingKind;
use cfb::CompoundFile;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Cursor;
use std::path::PathBuf;

/// Streams and storages that are looked at.
const ENTRIES: usize = 10_000;
/// Storages inside one another.
const DEEPEST: usize = 64;

pub(super) struct Files<'a> {
    file: CompoundFile<Cursor<Cow<'a, [u8]>>>,
}

#[derive(Debug)]
pub(super) struct Stream {
    pub name: String,
    path: PathBuf,
    length: u64,
}

/// A storage and the streams that stand in it.
#[derive(Debug)]
pub(super) struct Storage {
    /// Empty: the root.
    pub path: String,
    pub streams: Vec<Stream>,
}

impl Storage {
    pub fn has(&self, name: &str) -> bool {
        self.streams.iter().any(|stream| stream.name.eq_ignore_ascii_case(name))
    }

    /// Reads the stream of that name, and takes it out of the list.
    pub fn take(&mut self, name: &str, files: &mut Files<'_>, document: &mut Document<'_, '_>) -> Option<Vec<u8>> {
        let at = self.streams.iter().position(|stream| stream.name.eq_ignore_ascii_case(name))?;
        let stream = self.streams.remove(at);
        files.read(&stream, document)
    }
}

impl<'a> Files<'a> {
    pub fn open(bytes: &'a [u8]) -> Option<Files<'a>> {
        let open = |bytes| CompoundFile::open(Cursor::new(bytes)).ok().map(|file| Files { file });
        open(Cow::Borrowed(bytes)).or_else(|| without_surplus(bytes).and_then(|bytes| open(Cow::Owned(bytes))))
    }

    /// All storages, and whether each name stands for one thing.
    pub fn storages(&mut self, document: &mut Document<'_, '_>) -> (Vec<Storage>, bool) {
        let (mut all, mut seen) = (BTreeMap::<PathBuf, Vec<Stream>>::new(), BTreeSet::new());
        let (mut count, mut sound) = (0, true);
        for entry in self.file.walk() {
            count += 1;
            if count > ENTRIES {
                document.limit("", "parts");
                break;
            }
            if entry.path().components().count() > DEEPEST {
                document.limit("", "depth");
                break;
            }
            sound &= seen.insert(entry.path().to_string_lossy().to_uppercase());
            let path = entry.path().to_owned();
            if !entry.is_stream() {
                all.entry(path).or_default();
                continue;
            }
            let storage = path.parent().map(PathBuf::from).unwrap_or_default();
            all.entry(storage).or_default().push(Stream { name: entry.name().to_owned(), path, length: entry.len() });
        }
        let shown = |path: PathBuf| path.to_string_lossy().trim_start_matches('/').to_owned();
        (all.into_iter().map(|(path, streams)| Storage { path: shown(path), streams }).collect(), sound)
    }

    /// The octets of a stream, as many as there are.
    pub fn read(&mut self, stream: &Stream, document: &mut Document<'_, '_>) -> Option<Vec<u8>> {
        let Ok(mut source) = self.file.open_stream(&stream.path) else {
            document.unread(FindingKind::BrokenAttachment, &stream.name, "stream");
            return None;
        };
        let length = usize::try_from(stream.length).unwrap_or(usize::MAX);
        let Ok(bytes) = document.unpack(&stream.name, &mut source, length) else {
            document.unread(FindingKind::BrokenAttachment, &stream.name, "stream");
            return None;
        };
        Some(bytes)
    }

    /// The octets of a small stream, before anything is read.
    pub fn peek(&mut self, stream: &Stream, most: u64) -> Vec<u8> {
        use std::io::Read as _;
        let mut bytes = Vec::new();
        let read = self.file.open_stream(&stream.path).map(|source| source.take(most).read_to_end(&mut bytes));
        if matches!(read, Ok(Ok(_))) { bytes } else { Vec::new() }
    }
}

/// Some programmes fill up the last sector of the allocation table with ends of chains, where nothing belongs: there is no such
/// sector ([MS-CFB] 2.3). What leads to one that is not there leads there still.
fn without_surplus(bytes: &[u8]) -> Option<Vec<u8>> {
    const SHIFT: usize = 30;
    const TABLES: usize = 44;
    const PLACES: usize = 76;
    const PLACES_IN_HEADER: usize = 109;
    const END_OF_CHAIN: [u8; 4] = [0xFE, 0xFF, 0xFF, 0xFF];
    let shift = u32::from(Octets::from(bytes, SHIFT).u16()?);
    let sector = 1usize.checked_shl(shift).filter(|sector| matches!(sector, 512 | 4_096))?;
    let last = Octets::from(bytes, TABLES).length()?.checked_sub(1).filter(|last| *last < PLACES_IN_HEADER)?;
    let at = Octets::from(bytes, PLACES + 4 * last).length()?.checked_add(1)?.checked_mul(sector)?;
    let sectors = (bytes.len() / sector).checked_sub(1)?;
    let surplus = sectors.checked_sub(last * sector / 4).filter(|first| *first < sector / 4)?;
    let mut bytes = bytes.to_vec();
    let entries = bytes.get_mut(at..at.checked_add(sector)?)?.chunks_exact_mut(4).skip(surplus);
    entries.filter(|entry| **entry == END_OF_CHAIN).for_each(|entry| entry.fill(0xFF));
    Some(bytes)
}

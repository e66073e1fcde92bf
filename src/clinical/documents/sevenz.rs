//! Archives of 7-Zip (7zFormat.txt of the LZMA SDK).
//!
//! Called by `documents`. Promises: no coder has more memory than `MEMORY`, and none stands behind another one that unpacks:
//! each could make much of little. Every file is unpacked within the limits, or said to be unread. Fails with `Wrong` when the
//! header cannot be read.

use super::document::Document;
use super::packed::{Fuel, MEMORY, is_memory};
use super::{Read, Wrong};
use crate::vocabulary::FindingKind;
use sevenz_rust2::{Archive, ArchiveEntry, BlockDecoder, EncoderMethod, Error, Password};
use std::io::Cursor;

/// Memory for the header, in KiB: it grows more than a hundredfold when it is read, and its dictionary has 1 MiB.
const HEADER: usize = 1_100;
/// The header of the whole file.
const START: usize = 32;
/// Where the archive's header is encoded, one coder does that; one more where it is closed.
const CODERS: u64 = 2;

pub(super) fn read(bytes: &[u8], document: &mut Document<'_, '_>) -> Read {
    if header_coders(bytes).is_none_or(|coders| coders > CODERS) {
        return Err(Wrong::Broken("7z header"));
    }
    let mut source = Fuel::new(Cursor::new(bytes));
    let archive = match Archive::read_with_memory_limit(&mut source, &Password::empty(), HEADER) {
        Ok(archive) => archive,
        Err(error) => return failed(&error, "", document),
    };
    archive.files.iter().for_each(|file| document.name(&file.name));
    for index in 0..archive.blocks.len() {
        if document.is_full("") {
            break;
        }
        block(&archive, index, &mut source, document)?;
    }
    Ok(())
}

type Source<'a> = Fuel<Cursor<&'a [u8]>>;

/// Files that are packed as one.
fn block(archive: &Archive, index: usize, source: &mut Source<'_>, document: &mut Document<'_, '_>) -> Read {
    let password = Password::empty();
    let decoder = BlockDecoder::new_with_memory_limit(1, MEMORY as usize, index, archive, &password, source);
    let first = decoder.entries().first().map_or_else(String::new, |file| file.name.clone());
    if !is_simple(archive, index) {
        document.unread(FindingKind::UnknownAttachment, &first, "compression method");
        return Ok(());
    }
    let packed = archive.pack_sizes().iter().fold(0u64, |sum, size| sum.saturating_add(*size));
    let packed = usize::try_from(packed).unwrap_or(usize::MAX);
    let read = decoder.for_each_entries(&mut |file, content| Ok(entry(file, content, packed, document)));
    match read {
        Ok(_) => Ok(()),
        Err(error) => failed(&error, &first, document),
    }
}

/// One file; false when the rest of its block is not read.
fn entry(file: &ArchiveEntry, content: &mut dyn std::io::Read, packed: usize, document: &mut Document<'_, '_>) -> bool {
    if document.is_full(&file.name) {
        return false;
    }
    if !file.has_stream {
        document.count(&file.name);
        return true;
    }
    match document.unpack(&file.name, content, packed) {
        Ok(bytes) => document.file(&file.name, &bytes),
        Err(error) if is_memory(&error) => document.limit(&file.name, "memory"),
        Err(_) => document.unread(FindingKind::BrokenAttachment, &file.name, "damaged"),
    }
    // What was cut off would have to be unpacked all the same to get at the next one.
    content.read(&mut [0]).is_ok_and(|more| more == 0)
}

/// Whether there is one coder that unpacks, and nothing else but filters that change octets where they are.
fn is_simple(archive: &Archive, index: usize) -> bool {
    let coders = archive.blocks.get(index).map_or(&[][..], |block| &block.coders);
    let unpacks = |id: &[u8]| matches!(id, EncoderMethod::ID_LZMA | EncoderMethod::ID_LZMA2 | EncoderMethod::ID_BZIP2);
    let joins = |id: &[u8]| id == EncoderMethod::ID_BCJ2;
    let ids = || coders.iter().map(|coder| coder.encoder_method_id());
    ids().filter(|id| unpacks(id)).count() <= 1 && !ids().any(joins) && coders.len() <= 4
}

fn failed(error: &Error, piece: &str, document: &mut Document<'_, '_>) -> Read {
    match error {
        Error::UnsupportedCompressionMethod(name) if name.starts_with("AES") && piece.is_empty() => {
            return Err(Wrong::Closed("7z"));
        }
        Error::UnsupportedCompressionMethod(name) if name.starts_with("AES") => document.closed(piece, "7z"),
        Error::MaxMemLimited { .. } => document.limit(piece, "memory"),
        Error::Io(error, _) if is_memory(error) => document.limit(piece, "memory"),
        Error::UnsupportedCompressionMethod(_) | Error::Unsupported(_) => {
            document.unread(FindingKind::UnknownAttachment, piece, "compression method");
        }
        _ => return Err(Wrong::Broken("7z archive")),
    }
    Ok(())
}

/// How many coders the archive's header is encoded with; none where that cannot be read. A start header of zeros is none:
/// the archive's header would have to be searched for.
fn header_coders(bytes: &[u8]) -> Option<u64> {
    let offset = bytes.get(12..20)?.try_into().ok().map(u64::from_le_bytes)?;
    let at = usize::try_from(offset).ok()?.checked_add(START)?;
    if bytes.get(8..START)?.iter().all(|byte| *byte == 0) {
        return None;
    }
    let mut header = bytes.get(at..)?;
    match next(&mut header)? {
        0x17 => coders(&mut header),
        _ => Some(0),
    }
}

/// 7zFormat.txt, "Streams Info" and "Folder": what stands before the number of coders.
fn coders(header: &mut &[u8]) -> Option<u64> {
    if next(header)? != 0x06 {
        return None;
    }
    let (_place, streams) = (number(header)?, number(header)?);
    if next(header)? != 0x09 || streams > 4 {
        return None;
    }
    for _ in 0..streams {
        number(header)?;
    }
    // Sums of the packed streams: all of them, or as bits say.
    let mut mark = next(header)?;
    if mark == 0x0A {
        let defined = if next(header)? == 0 { next(header)?.count_ones() } else { u32::try_from(streams).ok()? };
        *header = header.get(usize::try_from(defined).ok()? * 4..)?;
        mark = next(header)?;
    }
    let starts = [mark, next(header)?, next(header)?] == [0x00, 0x07, 0x0B];
    let folders = number(header)?;
    let is_inside = next(header)? == 0;
    (starts && folders == 1 && is_inside).then(|| number(header)).flatten()
}

fn next(bytes: &mut &[u8]) -> Option<u8> {
    let (first, rest) = bytes.split_first()?;
    *bytes = rest;
    Some(*first)
}

/// 7zFormat.txt, "UINT64": the first octet's leading ones say how many follow.
fn number(bytes: &mut &[u8]) -> Option<u64> {
    let first = next(bytes)?;
    let count = first.leading_ones();
    let mut value = 0;
    for at in 0..count {
        value |= u64::from(next(bytes)?) << (8 * at);
    }
    let high = u64::from(first) & (0x7F_u64 >> count);
    Some(if count < 8 { value | high << (8 * count) } else { value })
}

//! Where the directories of a zip archive are: readers find them from behind, from before, or by what an end record says.
//!
//! Called by the archive. Promises: every directory that an end record leads to in some reading, each once; time is linear in
//! the octets. Fails with nothing where there is none.

use super::headers::{CENTRAL, END, u16_at, u32_at, u64_at};
use memchr::memmem;

/// End records that lead somewhere, of one archive: files inside may have theirs.
const MOST: usize = 64;
/// APPNOTE 4.3.15: the locator stands right before the end record.
const LOCATOR: usize = 20;

/// An end record (APPNOTE 4.3.16).
#[derive(Debug)]
pub struct End<'a> {
    pub at: usize,
    pub comment: &'a [u8],
    /// Whether octets follow that belong to nothing.
    pub has_trail: bool,
    /// Whether it is of an archive in several files.
    pub is_spanned: bool,
    pub directories: Vec<Directory>,
}

/// The start of a directory, and by how much its offsets are off: what stands before an archive moves it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Directory {
    pub start: usize,
    pub shift: i64,
}

/// All end records that lead somewhere, in their order.
pub fn ends(bytes: &[u8]) -> Vec<End<'_>> {
    memmem::find_iter(bytes, END).filter_map(|at| end(bytes, at)).take(MOST).collect()
}

/// Readers look for an end record in so many octets: the longest comment, and a little for what some add.
pub const TAIL: usize = 66 * 1024;

/// Whether `bytes` end with an archive, as readers look for one. Of an archive whose directory was cut off in front, the
/// record is enough.
pub fn ends_with_one(bytes: &[u8]) -> bool {
    let from = bytes.len().saturating_sub(TAIL);
    bytes.get(from..).is_some_and(|tail| memmem::find_iter(tail, END).any(|at| is_end(&tail[at..])))
}

/// Whether it may be the end record of an archive with entries: it is of one file, and its comment fits.
fn is_end(record: &[u8]) -> bool {
    let read = |at| u16_at(record, at).unwrap_or(u16::MAX);
    let is_one = read(4) == read(6) && read(8) == read(10) && read(8) > 0;
    is_one && record.len() >= 22 + usize::from(read(20))
}

fn end(bytes: &[u8], at: usize) -> Option<End<'_>> {
    let fixed = bytes.get(at..)?.get(..22)?;
    let (count, size, offset) = (u16_at(fixed, 10)?, u32_at(fixed, 12)?, u32_at(fixed, 16)?);
    let behind = &bytes[at + 22..];
    let comment = &behind[..behind.len().min(usize::from(u16_at(fixed, 20)?))];
    let mut directories = starts(bytes, at, size, offset);
    if let Some(large) = large(bytes, at) {
        directories.extend(large.into_iter().filter(|found| !directories.contains(found)).collect::<Vec<_>>());
    }
    let disks = [u16_at(fixed, 4)?, u16_at(fixed, 6)?];
    let is_spanned = disks.iter().any(|disk| *disk != 0 && *disk != u16::MAX) || u16_at(fixed, 8)? != count;
    let has_trail = behind[comment.len()..].iter().any(|byte| *byte != 0);
    // An archive without entries has nothing but this record.
    let is_empty = count == 0 && size == 0 && offset <= at as u64;
    (!directories.is_empty() || is_empty || is_spanned && size > 0 && offset > 0).then_some(End {
        at,
        comment,
        has_trail,
        is_spanned,
        directories,
    })
}

/// Where a directory of that size and at that offset may start when its end record is at `end`: right before it, or where it
/// says.
fn starts(bytes: &[u8], end: usize, size: u64, offset: u64) -> Vec<Directory> {
    let offset = i64::try_from(offset).unwrap_or_default();
    let said = usize::try_from(offset).ok();
    let before = usize::try_from(size).ok().and_then(|size| end.checked_sub(size));
    let mut found = Vec::new();
    for start in before.into_iter().chain(said) {
        let is_one = start < end && bytes.get(start..).is_some_and(|rest| rest.starts_with(CENTRAL));
        let shift = i64::try_from(start).unwrap_or_default() - offset;
        if is_one && !found.contains(&Directory { start, shift }) {
            found.push(Directory { start, shift });
        }
    }
    found
}

/// APPNOTE 4.3.14: the end record of large archives. Some readers want it only where the other is full, others always.
fn large(bytes: &[u8], end: usize) -> Option<Vec<Directory>> {
    let locator = end.checked_sub(LOCATOR).filter(|at| bytes[*at..].starts_with(b"PK\x06\x07"))?;
    let said = usize::try_from(u64_at(bytes, locator + 8)?).ok();
    // The fixed part of version 1 is 56 octets long.
    let before = locator.checked_sub(56);
    let is_one = |at: &usize| bytes.get(*at..).is_some_and(|rest| rest.starts_with(b"PK\x06\x06"));
    let mut found = Vec::new();
    for at in before.into_iter().chain(said).filter(is_one) {
        found.extend(starts(bytes, at, u64_at(bytes, at + 40)?, u64_at(bytes, at + 48)?));
    }
    found.dedup();
    Some(found)
}

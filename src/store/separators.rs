//! Keys at which the leaves of a database's tables end, so that a salvage goes on right behind a leaf that cannot be read.
//!
//! Called by `salvage` only. Promises: every separator of every interior page that is whole, in the database and in its log, in
//! order; those of other tables and of older pages are among them, for they cost a look each and no more. Memory: 8 octets for
//! each of them, some 500 times less than the database. Fails when the disk does. (SQLite's file format, 1.6 and 2.1.)

use std::fs::File;
use std::io::{BufReader, ErrorKind, Read};
use std::path::Path;

const PAGE: usize = 4096;
/// Before the first frame of a log, and before each frame's page.
const LOG_HEADER: usize = 32;
const FRAME_HEADER: usize = 24;
const INTERIOR_OF_TABLE: u8 = 5;
const INTERIOR_OF_INDEX: u8 = 2;
/// The header of an interior page; pointers to its cells follow.
const HEADER: usize = 12;
/// A cell begins with the number of its child's page.
const CHILD: usize = 4;

/// The separators of the database in `folder` and of its log.
pub(super) fn separators(folder: &Path) -> std::io::Result<Vec<i64>> {
    let mut keys = Vec::new();
    read_pages(&folder.join("mailward.db"), (0, 0), &mut keys)?;
    read_pages(&folder.join("mailward.db-wal"), (LOG_HEADER, FRAME_HEADER), &mut keys)?;
    keys.sort_unstable();
    keys.dedup();
    Ok(keys)
}

/// Of every page of one file, which has so many octets before the first page and before each.
fn read_pages(file: &Path, (first, each): (usize, usize), keys: &mut Vec<i64>) -> std::io::Result<()> {
    let file = match File::open(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        file => file?,
    };
    let mut file = BufReader::with_capacity(1 << 20, file);
    let mut block = vec![0; first.max(each + PAGE)];
    if !is_filled(&mut file, &mut block[..first])? {
        return Ok(());
    }
    while is_filled(&mut file, &mut block[..each + PAGE])? {
        read_page(&block[each..each + PAGE], keys);
    }
    Ok(())
}

/// False at the end, and for a part of a page at the end.
fn is_filled(file: &mut impl Read, block: &mut [u8]) -> std::io::Result<bool> {
    match file.read_exact(block) {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
        read => read.map(|()| true),
    }
}

/// Pages of other kinds have none; a cell that makes no sense is passed over.
fn read_page(page: &[u8], keys: &mut Vec<i64>) {
    let key = match page[0] {
        INTERIOR_OF_TABLE => |cell: &[u8]| varint(cell).map(|(key, _)| key),
        INTERIOR_OF_INDEX => first_column,
        _ => return,
    };
    let cells = usize::from(u16::from_be_bytes([page[3], page[4]]));
    for pointer in page[HEADER..].chunks_exact(2).take(cells) {
        let cell = usize::from(u16::from_be_bytes([pointer[0], pointer[1]])) + CHILD;
        keys.extend(page.get(cell..).and_then(key));
    }
}

/// A number of 1 to 9 octets, and how many it has.
fn varint(octets: &[u8]) -> Option<(i64, usize)> {
    let mut number = 0;
    for (at, octet) in octets.iter().take(8).enumerate() {
        number = number << 7 | i64::from(octet & 0x7f);
        if octet & 0x80 == 0 {
            return Some((number, at + 1));
        }
    }
    octets.get(8).map(|last| (number << 8 | i64::from(*last), 9))
}

/// The first column of a record, where it is a number.
fn first_column(cell: &[u8]) -> Option<i64> {
    let (_, record) = varint(cell)?;
    let record = cell.get(record..)?;
    let (header, first) = varint(record)?;
    let (kind, _) = varint(record.get(first..)?)?;
    let length = match kind {
        1..=4 => usize::try_from(kind).ok()?,
        5 => 6,
        6 => 8,
        8 | 9 => return Some(kind - 8),
        _ => return None,
    };
    let column = record.get(usize::try_from(header).ok()?..)?.get(..length)?;
    let sign = if column[0] & 0x80 == 0 { 0 } else { -1 };
    Some(column.iter().fold(sign, |number, octet| number << 8 | i64::from(*octet)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_sqlite_writes_them() {
        assert_eq!(varint(&[0x7f]), Some((127, 1)));
        assert_eq!(varint(&[0x81, 0x00]), Some((128, 2)));
        assert_eq!(varint(&[0xff; 9]), Some((-1, 9)));
        assert_eq!(varint(&[0x81]), None);
        assert_eq!(first_column(&[9, 3, 2, 0, 0xff, 0xfe]), Some(-2));
        assert_eq!(first_column(&[9, 2, 9]), Some(1));
        assert_eq!(first_column(&[9, 2, 13, 0]), None, "a text");
    }

    #[test]
    fn no_page_makes_it_fall_over() {
        let mut keys = Vec::new();
        for kind in [INTERIOR_OF_TABLE, INTERIOR_OF_INDEX] {
            for octet in 0..=255 {
                let mut page = [octet; PAGE];
                page[0] = kind;
                read_page(&page, &mut keys);
            }
        }
        assert!(keys.len() < 2 * 256 * PAGE / 2);
    }
}

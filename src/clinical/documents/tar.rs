//! Archives of tar: v7, ustar, pax (POSIX.1-2017 pax, "ustar Interchange Format" and "pax Header Block"), GNU.
//!
//! Called by `documents`. Nothing is packed: files are pieces of the octets. Readers disagree about where the next header is
//! when sizes contradict each other, and about what follows an end. Promises: every header that is whole is read, wherever
//! readers may find one; an archive of which they may not show the same is broken, and looked at as it stands. Fails with
//! `Wrong` when it is.

use super::document::Document;
use super::{Read, Wrong};
use crate::vocabulary::FindingKind;

const BLOCK: usize = 512;
/// Octets of a name that files are called by; all of it is looked at.
const NAME: usize = 4_096;

pub(super) fn read(bytes: &[u8], document: &mut Document<'_, '_>) -> Read {
    let mut tar = Tar { bytes, at: 0, has_ended: false, flaw: None, next: Next::default() };
    while let Some(block) = bytes.get(tar.at..).and_then(|rest| rest.get(..BLOCK)) {
        if document.is_full("") {
            return Ok(());
        }
        tar.block(block, document);
    }
    tar.flaw.map_or(Ok(()), |what| Err(Wrong::Broken(what)))
}

/// Whether it begins with a header: old ones have no signature, but a sum.
pub(super) fn is_one(bytes: &[u8]) -> bool {
    bytes.get(..BLOCK).is_some_and(|block| block[0] != 0 && is_header(block))
}

struct Tar<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Whether there was a block of zeros, at which most readers stop.
    has_ended: bool,
    /// The first thing that is wrong with it.
    flaw: Option<&'static str>,
    next: Next,
}

/// What extra headers say of the next file.
#[derive(Default)]
struct Next {
    name: Option<String>,
    size: Option<usize>,
    is_sparse: bool,
}

impl<'a> Tar<'a> {
    fn is_flawed(&mut self, what: &'static str) {
        self.flaw.get_or_insert(what);
    }

    fn block(&mut self, block: &'a [u8], document: &mut Document<'_, '_>) {
        self.at += BLOCK;
        if block.iter().all(|byte| *byte == 0) {
            self.has_ended = true;
            return;
        }
        if self.has_ended {
            self.is_flawed("data behind the archive");
        }
        if is_header(block) {
            self.header(block, document);
        } else {
            self.is_flawed("tar header");
        }
    }

    fn header(&mut self, block: &'a [u8], document: &mut Document<'_, '_>) {
        let kind = block[156];
        let said = number(&block[124..136]);
        if said.is_none() {
            self.is_flawed("tar header");
        }
        let said = said.unwrap_or(0);
        let is_extra = matches!(kind, b'L' | b'K' | b'x' | b'g' | b'X');
        let size = if is_extra { said } else { self.next.size.take().unwrap_or(said) };
        if size != said {
            self.is_flawed("tar sizes differ");
        }
        let data = self.data(kind, size);
        match kind {
            b'L' => self.next.name = Some(long(data, document)),
            b'K' => drop(long(data, document)),
            b'x' | b'g' | b'X' => self.pax(data, document),
            _ => self.file(block, data, document),
        }
    }

    /// The octets behind a header. Links, folders and devices have none: some readers skip what their header says all the same.
    fn data(&mut self, kind: u8, size: usize) -> &'a [u8] {
        let there = &self.bytes[self.at..];
        if size > there.len() {
            self.is_flawed("tar is cut");
        }
        if matches!(kind, b'1'..=b'6') {
            if size > 0 {
                self.is_flawed("tar sizes differ");
            }
            return &[];
        }
        let end = size.min(there.len());
        self.at += size.div_ceil(BLOCK).saturating_mul(BLOCK).min(there.len());
        &there[..end]
    }

    fn file(&mut self, block: &'a [u8], data: &'a [u8], document: &mut Document<'_, '_>) {
        let short = name(block);
        let next = std::mem::take(&mut self.next);
        let name = next.name.unwrap_or_else(|| short.clone());
        // Where a link leads, whose it is: lists show that.
        for shown in [&block[157..257], &block[265..297], &block[297..329]] {
            document.name(&text(shown));
        }
        document.name(&short);
        if data.is_empty() {
            document.name(&name);
            document.count(&name);
            return;
        }
        let kind = block[156];
        if next.is_sparse || matches!(kind, b'S' | b'M') {
            // Its holes are not filled: what is there is looked at.
            document.unread(FindingKind::UnknownAttachment, &name, "part of a file");
        }
        if kind == b'S' {
            self.maps(block);
        }
        document.file(&name, data);
    }

    /// GNU tar: further blocks of the map of a sparse file stand between header and data, and are no part of its size.
    fn maps(&mut self, block: &[u8]) {
        if block[482] != 0 {
            self.is_flawed("sparse file");
        }
    }

    /// Records of a pax header: `length key=value\n`.
    fn pax(&mut self, data: &[u8], document: &mut Document<'_, '_>) {
        let mut rest = data;
        while let Some((key, value, after)) = record(rest).map(|record| (record.key, record.value, record.after)) {
            rest = after;
            match key {
                b"path" | b"GNU.sparse.name" => self.next.name = Some(long(value, document)),
                b"size" => self.next.size = text(value).parse().ok(),
                b"linkpath" | b"comment" | b"uname" | b"gname" => drop(long(value, document)),
                key if key.starts_with(b"GNU.sparse") => self.next.is_sparse = true,
                _ => (),
            }
        }
        if rest.iter().any(|byte| *byte != 0) {
            self.is_flawed("pax header");
        }
    }
}

struct Record<'a> {
    key: &'a [u8],
    value: &'a [u8],
    after: &'a [u8],
}

fn record(bytes: &[u8]) -> Option<Record<'_>> {
    let blank = memchr::memchr(b' ', &bytes[..bytes.len().min(24)])?;
    let length: usize = std::str::from_utf8(bytes.get(..blank)?).ok()?.parse().ok()?;
    let whole = bytes.get(blank + 1..length)?;
    let (key, value) = whole.split_at(memchr::memchr(b'=', whole)?);
    Some(Record { key, value: value.get(1..)?.strip_suffix(b"\n")?, after: bytes.get(length..)? })
}

/// A name of any length: all of it is looked at, and its start is what a file is called.
fn long(data: &[u8], document: &mut Document<'_, '_>) -> String {
    document.name(&text(data));
    text(&data[..data.len().min(NAME)])
}

/// The name in a header; ustar has its start apart.
fn name(block: &[u8]) -> String {
    let own = text(&block[..100]);
    let is_ustar = block[257..263] == *b"ustar\0" && block[345] != 0;
    if is_ustar { format!("{}/{own}", text(&block[345..500])) } else { own }
}

/// Text up to the first zero.
fn text(field: &[u8]) -> String {
    let end = memchr::memchr(0, field).unwrap_or(field.len());
    String::from_utf8_lossy(&field[..end]).into_owned()
}

/// Whether the sum of a header is right; some have counted octets as signed.
fn is_header(block: &[u8]) -> bool {
    let Some(said) = number(&block[148..156]) else { return false };
    let others = || block[..148].iter().chain(&[b' '; 8]).chain(&block[156..]);
    let sum: usize = others().map(|byte| usize::from(*byte)).sum();
    let signed: i64 = others().map(|byte| i64::from(byte.cast_signed())).sum();
    said == sum || i64::try_from(said) == Ok(signed)
}

/// A number in octal, with blanks and zeros around it; or, as GNU writes large ones, in octets.
fn number(field: &[u8]) -> Option<usize> {
    if field[0] & 0x80 != 0 {
        let large = field[1..].iter().try_fold(usize::from(field[0] & 0x7F), |sum, byte| {
            sum.checked_mul(256).map(|sum| sum + usize::from(*byte))
        });
        return large.or(Some(usize::MAX));
    }
    let around = |byte: &u8| matches!(byte, b' ' | 0);
    let mut digits = field.iter().skip_while(|byte| around(byte)).take_while(|byte| !around(byte));
    digits.try_fold(0usize, |sum, byte| {
        let digit = usize::from(byte.checked_sub(b'0').filter(|digit| *digit < 8)?);
        sum.checked_mul(8)?.checked_add(digit)
    })
}

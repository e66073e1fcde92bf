//! Files that are packed and hold one file: gzip (RFC 1952), bzip2, xz.
//!
//! Called by `documents`. Promises: every member is unpacked within the limits, one behind the other, as all programmes do;
//! what stands behind the last one is said to be broken. Fails with `Wrong` when it does not begin as its format wants it.

use super::document::Document;
use super::{Read as Ending, Wrong};
use lzma_rust2::XzReader;
use std::io::{self, Read};

/// Memory of one decoder, in KiB: the dictionary that the highest levels of xz and 7-Zip ask for, and a little.
pub(super) const MEMORY: u32 = 96 * 1024;
/// How often a decoder may ask for more: a piece of LZMA2 asks a few times for up to 64 KiB, and starts anew each time.
const READS: usize = 200_000;
/// Members of one file: programmes that pack in parallel write one for some hundred kilobytes.
const MEMBERS: usize = 1_000;

pub(super) fn gzip(bytes: &[u8], document: &mut Document<'_, '_>) -> Ending {
    members::<Gzip<'_>>(bytes, document)
}

pub(super) fn bzip2(bytes: &[u8], document: &mut Document<'_, '_>) -> Ending {
    members::<Bzip2<'_>>(bytes, document)
}

/// Its reader goes through all members itself.
pub(super) fn xz(bytes: &[u8], document: &mut Document<'_, '_>) -> Ending {
    let mut reader = XzReader::new_mem_limit(Fuel::new(bytes), true, MEMORY);
    content(&mut reader, bytes.len(), NAMELESS, document)
}

/// What a file inside is called that has no name.
const NAMELESS: &str = "content";

fn members<'a, M: Member<'a>>(bytes: &'a [u8], document: &mut Document<'_, '_>) -> Ending {
    let mut members: Members<'a, M> = Members { rest: bytes, current: None, count: 0, names: Vec::new() };
    let name = M::start(bytes).names().into_iter().next().unwrap_or_else(|| NAMELESS.to_owned());
    let ending = content(&mut members, bytes.len(), &name, document);
    members.names.iter().for_each(|name| document.name(name));
    if members.count > MEMBERS {
        document.limit(&name, "parts");
    }
    // Tapes and disks fill up with zeros.
    let has_trail = members.current.is_none() && members.rest.iter().any(|byte| *byte != 0);
    if has_trail && ending.is_ok() { Err(Wrong::Broken("data behind the file")) } else { ending }
}

/// The file inside.
fn content(source: &mut dyn Read, packed: usize, name: &str, document: &mut Document<'_, '_>) -> Ending {
    match document.unpack(name, source, packed) {
        Ok(bytes) => document.file(name, &bytes),
        Err(error) if is_memory(&error) => document.limit(name, "memory"),
        Err(_) => return Err(Wrong::Broken("damaged")),
    }
    Ok(())
}

/// A decoder of one member, which leaves what stands behind it.
trait Member<'a>: Read {
    const MAGIC: &'static [u8];
    fn start(bytes: &'a [u8]) -> Self;
    fn rest(&self) -> &'a [u8];
    /// What it says that the file inside is called, in each reading.
    fn names(&self) -> Vec<String>;
}

type Gzip<'a> = flate2::bufread::GzDecoder<&'a [u8]>;
type Bzip2<'a> = ::bzip2::bufread::BzDecoder<&'a [u8]>;

impl<'a> Member<'a> for Gzip<'a> {
    const MAGIC: &'static [u8] = b"\x1F\x8B";

    fn start(bytes: &'a [u8]) -> Gzip<'a> {
        Gzip::new(bytes)
    }

    fn rest(&self) -> &'a [u8] {
        self.get_ref()
    }

    /// RFC 1952 2.3.1: in Latin-1; programmes write UTF-8.
    fn names(&self) -> Vec<String> {
        let said = self.header().into_iter().flat_map(|header| [header.filename(), header.comment()]);
        let latin = |raw: &[u8]| raw.iter().map(|byte| char::from(*byte)).collect::<String>();
        said.flatten().flat_map(|raw| [String::from_utf8_lossy(raw).into_owned(), latin(raw)]).collect()
    }
}

impl<'a> Member<'a> for Bzip2<'a> {
    const MAGIC: &'static [u8] = b"BZh";

    fn start(bytes: &'a [u8]) -> Bzip2<'a> {
        Bzip2::new(bytes)
    }

    fn rest(&self) -> &'a [u8] {
        self.get_ref()
    }

    fn names(&self) -> Vec<String> {
        Vec::new()
    }
}

/// The members of a file, one behind the other.
struct Members<'a, M> {
    rest: &'a [u8],
    current: Option<M>,
    count: usize,
    names: Vec<String>,
}

impl<'a, M: Member<'a>> Members<'a, M> {
    /// The member that is read; nothing behind the last one.
    fn member(&mut self) -> Option<&mut M> {
        if self.current.is_none() && self.rest.starts_with(M::MAGIC) && self.count <= MEMBERS {
            self.count += 1;
            let member = M::start(self.rest);
            self.names.extend(member.names());
            self.current = Some(member);
        }
        self.current.as_mut()
    }
}

impl<'a, M: Member<'a>> Read for Members<'a, M> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while let Some(member) = self.member() {
            let read = member.read(into)?;
            if read > 0 || into.is_empty() {
                return Ok(read);
            }
            self.rest = member.rest();
            self.current = None;
            if self.count > MEMBERS {
                break;
            }
        }
        Ok(0)
    }
}

/// A source that can be asked so often and no more: a file can be made of millions of pieces that hold nothing.
pub(super) struct Fuel<R> {
    source: R,
    reads: usize,
}

impl<R> Fuel<R> {
    pub fn new(source: R) -> Fuel<R> {
        Fuel { source, reads: 0 }
    }
}

impl<R: Read> Read for Fuel<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.reads += 1;
        if self.reads > READS {
            return Err(io::Error::other("too many pieces"));
        }
        self.source.read(into)
    }
}

impl<R: io::Seek> io::Seek for Fuel<R> {
    fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        self.source.seek(to)
    }
}

/// Whether a decoder wanted more memory than it may have.
pub(super) fn is_memory(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::OutOfMemory
}

//! Projects of Visual Basic: [MS-OVBA].
//!
//! Called by `ole` for each storage that has one. Promises: the source of every module that the project names is read, and what the
//! module keeps beside it as it stands; each octet is unpacked once. Fails never: a module whose source is not there is said to be
//! broken, and a stream that is no module is left to others.

use super::super::document::Document;
use super::super::mapi::Words;
use super::super::octets::Octets;
use super::super::{codepages, runs};
use super::files::{Files, Storage};
use crate::vocabulary::FindingKind;
use encoding_rs::{Encoding, WINDOWS_1252};

/// [MS-OVBA] 2.4.1.1.5: a chunk is never longer, unpacked.
const CHUNK: usize = 4_096;
/// Modules of one project.
const MODULES: usize = 1_000;

/// Reads the modules, and takes them out of the storage.
pub(super) fn read(storage: &mut Storage, files: &mut Files<'_>, words: &mut Words, document: &mut Document<'_, '_>) {
    let Some(packed) = storage.take("dir", files, document) else { return };
    let Some(directory) = unpack("dir", &packed, document) else {
        return document.unread(FindingKind::BrokenAttachment, "dir", "macros");
    };
    words.add(&runs::of(&directory));
    let project = Project::of(&directory);
    for module in &project.modules {
        let Some(stream) = storage.take(&module.stream, files, document) else { continue };
        words.add(&runs::of(&stream));
        let source = unpack(&module.stream, stream.get(module.source..).unwrap_or_default(), document);
        match source {
            Some(source) => document.text(&module.stream, &codepages::text(&source, project.page)),
            None => document.unread(FindingKind::BrokenAttachment, &module.stream, "macros"),
        }
    }
}

/// What the directory says of a project.
struct Project {
    page: &'static Encoding,
    modules: Vec<Module>,
}

struct Module {
    stream: String,
    /// Where in the stream its source begins.
    source: usize,
}

impl Project {
    /// [MS-OVBA] 2.3.4.2: records of a number, a length and so many octets.
    fn of(directory: &[u8]) -> Project {
        let mut project = Project { page: WINDOWS_1252, modules: Vec::new() };
        let (mut octets, mut stream) = (Octets::of(directory), String::new());
        while let (Some(kind), Some(length)) = (octets.u16(), octets.length()) {
            // 2.3.4.2.1.11: this one's length is of no meaning.
            let Some(data) = octets.take(if kind == 0x0009 { 6 } else { length }) else { break };
            match kind {
                0x0003 => project.page = codepages::of(Octets::of(data).u16().map_or(0, u32::from)),
                0x001A => stream = codepages::text(data, project.page),
                // The same in UTF-16.
                0x0032 => stream = codepages::wide(data),
                0x0031 if project.modules.len() < MODULES => {
                    let source = Octets::of(data).length().unwrap_or(usize::MAX);
                    project.modules.push(Module { stream: std::mem::take(&mut stream), source });
                }
                _ => {}
            }
        }
        project
    }
}

/// [MS-OVBA] 2.4.1.3.1: a signature, then chunks; nothing where it is broken before anything came of it.
fn unpack(name: &str, packed: &[u8], document: &mut Document<'_, '_>) -> Option<Vec<u8>> {
    let most = document.allowance(packed.len());
    let mut octets = Octets::of(packed);
    octets.u8().filter(|signature| *signature == 1)?;
    let mut unpacked = Vec::new();
    while let Some(header) = octets.u16() {
        // 2.4.1.1.5: the signature of a chunk.
        if header >> 12 & 7 != 3 {
            break;
        }
        let chunk = octets.take_up_to(usize::from(header & 0xFFF) + 1);
        if header >> 15 == 1 {
            add_chunk(chunk, &mut unpacked);
        } else {
            unpacked.extend_from_slice(chunk);
        }
        if unpacked.len() > most {
            document.cut(name, packed.len());
            unpacked.truncate(most);
            break;
        }
    }
    document.spend(unpacked.len());
    (!unpacked.is_empty()).then_some(unpacked)
}

/// [MS-OVBA] 2.4.1.3.2 and 2.4.1.3.5: eight tokens behind each octet of flags, letters or copies.
fn add_chunk(chunk: &[u8], unpacked: &mut Vec<u8>) {
    let start = unpacked.len();
    let mut octets = Octets::of(chunk);
    while let Some(flags) = octets.u8() {
        for bit in 0..8 {
            let added = match flags >> bit & 1 {
                0 => octets.u8().map(|letter| unpacked.push(letter)),
                _ => octets.u16().and_then(|token| copy(token, start, unpacked)),
            };
            if added.is_none() || unpacked.len() - start >= CHUNK {
                return;
            }
        }
    }
}

/// [MS-OVBA] 2.4.1.3.19: the farther into the chunk, the more bits say where a copy is from; nothing where that is before it.
fn copy(token: u16, start: usize, unpacked: &mut Vec<u8>) -> Option<()> {
    let there = unpacked.len() - start;
    let bits = there.next_power_of_two().trailing_zeros().clamp(4, 12);
    let length = usize::from(token & (0xFFFF >> bits)) + 3;
    let offset = usize::from(token >> (16 - bits)) + 1;
    let from = unpacked.len().checked_sub(offset).filter(|from| *from >= start)?;
    for at in from..from + length.min(CHUNK.saturating_sub(there)) {
        let octet = unpacked.get(at).copied()?;
        unpacked.push(octet);
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::add_chunk;

    /// [MS-OVBA] 3.2.2, without its header.
    #[test]
    fn letters_and_copies_are_unpacked() {
        let chunk = [
            &[0x00, b'#', b'a', b'a', b'a', b'b', b'c', b'd', b'e', 0x82, b'f', 0x00, 0x70, b'a', b'g', b'h', b'i'][..],
            &[b'j', 0x01, 0x38, 0x08, b'a', b'k', b'l', 0x00, 0x30, b'm', b'n', b'o', b'p', 0x06, b'q', 0x02, 0x70],
            &[0x04, 0x10, b'r', b's', b't', b'u', b'v', 0x10, b'w', b'x', b'y', b'z', 0x00, 0x3C],
        ];
        let mut unpacked = b"before".to_vec();
        add_chunk(&chunk.concat(), &mut unpacked);
        assert_eq!(unpacked, b"before#aaabcdefaaaaghijaaaaaklaaamnopqaaaaaaaaaaaarstuvwxyzaaa");
        add_chunk(&[1, 0xFF, 0xFF], &mut unpacked);
        assert!(unpacked.ends_with(b"zaaa"), "nothing stands before the chunk");
        let long = [&[2, b'x'][..], &[0xFF, 0x0F], &[0xFF; 9_000]].concat();
        let mut unpacked = Vec::new();
        add_chunk(&long, &mut unpacked);
        assert!(unpacked.len() <= super::CHUNK, "{}", unpacked.len());
    }
}

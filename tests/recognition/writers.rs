//! Small writers of the binary formats of Office, for samples: no more than a reader needs to find a text.

// Each of those who use it uses a part.
#![allow(dead_code, clippy::unwrap_used)]

use std::io::{Cursor, Write as _};

/// UTF-16 as Windows keeps it.
pub fn wide(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn length(bytes: &[u8]) -> [u8; 4] {
    (bytes.len() as u32).to_le_bytes()
}

/// A compound file of streams with their paths.
pub fn compound(streams: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut file = cfb::CompoundFile::create_with_version(cfb::Version::V3, Cursor::new(Vec::new())).unwrap();
    for (path, bytes) in streams {
        let path = std::path::Path::new("/").join(path);
        file.create_storage_all(path.parent().unwrap()).unwrap();
        file.create_stream(&path).unwrap().write_all(bytes).unwrap();
    }
    file.flush().unwrap();
    file.into_inner().into_inner()
}

/// The text of RTF: everything but ASCII as `\u`, each unit with a fallback.
pub fn rtf_escaped(text: &str) -> String {
    let unit = |unit: u16| match u8::try_from(unit).map(char::from) {
        Ok(c @ ('\\' | '{' | '}')) => format!("\\{c}"),
        Ok('\r') => String::new(),
        Ok('\n') => "\\line\r\n".to_owned(),
        Ok(c) if c.is_ascii() => c.to_string(),
        _ => format!("\\u{}?", unit.cast_signed()),
    };
    text.encode_utf16().map(unit).collect()
}

/// An OLE 1 package in hexadecimal, as `\objdata` has it.
pub fn rtf_package(name: &str, data: &[u8]) -> String {
    let name = [name.as_bytes(), &[0]].concat();
    let package = [&[2, 0][..], &name, &name, &[0, 0, 3, 0], &length(&name), &name, &length(data), data].concat();
    let class = b"Package\0";
    let object = [&[1, 5, 0, 0, 2, 0, 0, 0][..], &length(class), class, &[0; 8], &length(&package), &package].concat();
    object.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// An attribute of TNEF: level, identifier, data.
pub fn attribute(level: u8, id: u32, data: &[u8]) -> Vec<u8> {
    let sum = data.iter().fold(0u16, |sum, octet| sum.wrapping_add(u16::from(*octet)));
    [&[level][..], &id.to_le_bytes(), &length(data), data, &sum.to_le_bytes()].concat()
}

pub fn tnef(attributes: &[Vec<u8>]) -> Vec<u8> {
    [&b"\x78\x9F\x3E\x22\x01\0"[..], &attributes.concat()].concat()
}

/// A property of variable length in TNEF.
pub fn property(kind: u16, id: u16, value: &[u8]) -> Vec<u8> {
    let padding = vec![0; value.len().wrapping_neg() % 4];
    [&kind.to_le_bytes()[..], &id.to_le_bytes(), &[1, 0, 0, 0], &length(value), value, &padding].concat()
}

pub fn properties(all: &[Vec<u8>]) -> Vec<u8> {
    [&(all.len() as u32).to_le_bytes()[..], &all.concat()].concat()
}

/// Compressed RTF without a reference but the one that ends it: [MS-OXRTFCP] 2.2.
pub fn compressed_rtf(rtf: &str) -> Vec<u8> {
    let mut packed = Vec::new();
    for group in rtf.as_bytes().chunks(8) {
        packed.push(0);
        packed.extend_from_slice(group);
        if group.len() < 8 {
            let flags = packed.len() - group.len() - 1;
            packed[flags] = 1 << group.len();
        }
    }
    if rtf.len().is_multiple_of(8) {
        packed.push(1);
    }
    let end = (207 + rtf.len()) % 4_096;
    packed.extend_from_slice(&[(end >> 4) as u8, (end << 4) as u8]);
    let size = (packed.len() as u32 + 12).to_le_bytes();
    [&size[..], &length(rtf.as_bytes()), b"LZFu\0\0\0\0", &packed].concat()
}

/// A message file with strings and attachments.
pub fn msg(strings: &[(u16, &str)], attachments: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut streams = vec![("__properties_version1.0".to_owned(), vec![0; 32])];
    for (id, text) in strings {
        streams.push((format!("__substg1.0_{id:04X}001F"), wide(text)));
    }
    for (at, (name, data)) in attachments.iter().enumerate() {
        let storage = format!("__attach_version1.0_#{at:08X}");
        streams.push((format!("{storage}/__properties_version1.0"), vec![0; 8]));
        streams.push((format!("{storage}/__substg1.0_3707001F"), wide(name)));
        streams.push((format!("{storage}/__substg1.0_37010102"), data.clone()));
    }
    let streams: Vec<(&str, Vec<u8>)> = streams.iter().map(|(path, data)| (path.as_str(), data.clone())).collect();
    compound(&streams)
}

/// Where text begins in the stream of a Word document.
const TEXT: usize = 0x400;

/// A Word document of pieces: one octet for each character where the code page has them all.
pub fn doc(pieces: &[&str]) -> Vec<u8> {
    compound(&doc_streams(pieces))
}

pub fn doc_streams(pieces: &[&str]) -> Vec<(&'static str, Vec<u8>)> {
    let mut word = vec![0; TEXT];
    let (mut places, mut descriptions, mut at) = (vec![0; 4], Vec::new(), 0u32);
    for piece in pieces {
        let (narrow, _, unmappable) = encoding_rs::WINDOWS_1252.encode(piece);
        let (octets, place, characters) = match unmappable {
            false => (narrow.to_vec(), (word.len() as u32 * 2) | 0x4000_0000, narrow.len()),
            true => {
                word.resize(word.len().next_multiple_of(2), 0);
                (wide(piece), word.len() as u32, piece.encode_utf16().count())
            }
        };
        word.extend_from_slice(&octets);
        at += characters as u32;
        places.extend_from_slice(&at.to_le_bytes());
        descriptions.extend_from_slice(&[&[0, 0][..], &place.to_le_bytes(), &[0, 0]].concat());
    }
    let plc = [places, descriptions].concat();
    let clx = [&[2][..], &length(&plc), &plc].concat();
    word[..4].copy_from_slice(&[0xEC, 0xA5, 0xC1, 0]);
    word[0x0B] = 2;
    word[0x1A6..0x1AA].copy_from_slice(&length(&clx));
    vec![("WordDocument", word), ("1Table", clx)]
}

fn record(kind: u16, data: &[u8]) -> Vec<u8> {
    [&kind.to_le_bytes()[..], &(data.len() as u16).to_le_bytes(), data].concat()
}

/// A workbook of one sheet, whose strings stand in the table of shared ones, cut in the middle of one.
pub fn xls(rows: &[Vec<String>]) -> Vec<u8> {
    compound(&[("Workbook", book(rows))])
}

pub fn book(rows: &[Vec<String>]) -> Vec<u8> {
    let cells: Vec<&String> = rows.iter().flatten().collect();
    let count = (cells.len() as u32).to_le_bytes();
    let (mut table, mut more) = ([count, count].concat(), Vec::new());
    for (at, cell) in cells.iter().enumerate() {
        let units = wide(cell);
        let (first, second) = units.split_at(if at + 1 == cells.len() { units.len() / 4 * 2 } else { units.len() });
        table.extend_from_slice(&[&((units.len() / 2) as u16).to_le_bytes()[..], &[1], first].concat());
        if !second.is_empty() {
            more = [&[1], second].concat();
        }
    }
    let mut sheet = Vec::new();
    let mut index = 0u32;
    for (row, cells) in rows.iter().enumerate() {
        for column in 0..cells.len() {
            let place = [&(row as u16).to_le_bytes()[..], &(column as u16).to_le_bytes(), &[0, 0]].concat();
            sheet.push(record(0x00FD, &[&place[..], &index.to_le_bytes()].concat()));
            index += 1;
        }
    }
    let begin = |kind: u8| record(0x0809, &[&[0, 6, kind, 0][..], &[0; 12]].concat());
    let name = record(0x0085, b"\0\0\0\0\0\0\x06\0Sheet1");
    let end = record(0x000A, b"");
    [begin(5), name, record(0x00FC, &table), record(0x003C, &more), end.clone(), begin(0x10), sheet.concat(), end]
        .concat()
}

/// A record of PowerPoint.
pub fn atom(version: u16, kind: u16, data: &[u8]) -> Vec<u8> {
    [&version.to_le_bytes()[..], &kind.to_le_bytes(), &length(data), data].concat()
}

pub fn ppt(text: &str) -> Vec<u8> {
    let words = atom(0, 0x0FA0, &wide(&text.replace("\r\n", "\r")));
    let slide = atom(0xF, 0x03E8, &atom(0xF, 0x0FF0, &[atom(0, 0x03F3, &[0; 20]), words].concat()));
    compound(&[("PowerPoint Document", slide), ("Current User", vec![0; 24])])
}

/// A record of a binary workbook.
pub fn brt(kind: u32, data: &[u8]) -> Vec<u8> {
    let packed = |number: u32| {
        let all: Vec<u8> = (0..4).map(|at| (number >> (7 * at)) as u8 & 0x7F).collect();
        let end = all.iter().rposition(|octet| *octet != 0).unwrap_or(0);
        all.iter().take(end + 1).enumerate().map(|(at, octet)| octet | u8::from(at < end) << 7).collect::<Vec<u8>>()
    };
    [&packed(kind)[..], &packed(data.len() as u32), data].concat()
}

/// A string in such a record.
pub fn brt_string(text: &str) -> Vec<u8> {
    let units = wide(text);
    [&((units.len() / 2) as u32).to_le_bytes()[..], &units].concat()
}

/// A cell with what stands behind its place.
pub fn brt_cell(kind: u32, column: u32, value: &[u8]) -> Vec<u8> {
    brt(kind, &[&column.to_le_bytes()[..], &[0; 4], value].concat())
}

/// A sheet of rows of cells.
pub fn brt_sheet(rows: &[Vec<Vec<u8>>], behind: &[u8]) -> Vec<u8> {
    let row = |at: usize| brt(0, &[&(at as u32).to_le_bytes()[..], &[0; 21]].concat());
    let rows: Vec<Vec<u8>> = rows.iter().enumerate().map(|(at, cells)| [row(at), cells.concat()].concat()).collect();
    [brt(129, b""), brt(145, b""), rows.concat(), brt(146, b""), behind.to_vec(), brt(130, b"")].concat()
}

/// The strings that cells share.
pub fn brt_strings(strings: &[&str]) -> Vec<u8> {
    let items = strings.iter().map(|text| brt(19, &[vec![0], brt_string(text)].concat())).collect::<Vec<_>>();
    let count = (strings.len() as u32).to_le_bytes();
    [brt(159, &[count, count].concat()), items.concat(), brt(160, b"")].concat()
}

/// A binary workbook of these parts.
pub fn xlsb(parts: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let name = [vec![0; 4], vec![1, 0, 0, 0], brt_string("rId1"), brt_string("List")].concat();
    let book = [brt(131, b""), brt(143, b""), brt(156, &name), brt(144, b""), brt(132, b"")].concat();
    let frame = [("[Content_Types].xml", b"<Types/>".to_vec()), ("xl/workbook.bin", book)];
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in frame.iter().chain(parts) {
        zip.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

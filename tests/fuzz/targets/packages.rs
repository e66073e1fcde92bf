//! Documents that are packages of XML, and what is sealed: bounded and never silent, whatever they say of themselves.

use super::message::document;

/// The line with which a part begins: its name stands behind it.
const PART: &[u8] = b"\n=== ";

/// A package whose parts are the input: each begins with a line `=== NAME`. Stored, so that what is fuzzed is the XML.
pub fn office(bytes: &[u8]) {
    document(&package(bytes));
    // The formats that are one file of XML.
    document(bytes);
}

/// Something sealed in CMS or OpenPGP, by its octets alone and by what it says that it is.
pub fn sealed(bytes: &[u8]) {
    document(bytes);
    let head = b"Content-Type: application/pkcs7-mime; name=smime.p7m\r\nContent-Transfer-Encoding: binary\r\n\r\n";
    super::message::mime(&[head, bytes].concat());
}

fn package(bytes: &[u8]) -> Vec<u8> {
    let (mut files, mut directory, mut count) = (Vec::new(), Vec::new(), 0_u16);
    let text = [b"\n", bytes].concat();
    for (name, content) in parts(&text) {
        let at = u32::try_from(files.len()).unwrap();
        let known = fields(name, content);
        let file = [&b"PK\x03\x04\x14\0"[..], &known, name, content].concat();
        let entry = [&b"PK\x01\x02\x14\0\x14\0"[..], &known, &[0; 10], &at.to_le_bytes(), name].concat();
        files.extend(file);
        directory.extend(entry);
        count += 1;
    }
    let (size, at) = (u32::try_from(directory.len()).unwrap(), u32::try_from(files.len()).unwrap());
    let numbers = [&count.to_le_bytes()[..], &count.to_le_bytes(), &size.to_le_bytes(), &at.to_le_bytes()].concat();
    [&files[..], &directory, b"PK\x05\x06\0\0\0\0", &numbers, &[0; 2]].concat()
}

/// Names, and what stands under them; at most 64, for the format's own numbers.
fn parts(text: &[u8]) -> Vec<(&[u8], &[u8])> {
    let starts: Vec<usize> = (0..text.len()).filter(|at| text[*at..].starts_with(PART)).take(64).collect();
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    let part = |(start, end): (&usize, usize)| {
        let whole = &text[*start + PART.len()..end.max(*start + PART.len())];
        let line = whole.iter().position(|octet| *octet == b'\n').unwrap_or(whole.len());
        (&whole[..line], whole.get(line + 1..).unwrap_or_default())
    };
    starts.iter().zip(ends).map(part).collect()
}

/// Flags, method, time, check, sizes and lengths, which both kinds of header have alike.
fn fields(name: &[u8], content: &[u8]) -> Vec<u8> {
    let size = u32::try_from(content.len()).unwrap().to_le_bytes();
    let named = u16::try_from(name.len()).unwrap().to_le_bytes();
    [&[0; 8][..], &check(content).to_le_bytes(), &size, &size, &named, &[0; 2]].concat()
}

/// The check of zip (CRC-32 of ITU-T V.42).
fn check(content: &[u8]) -> u32 {
    let bit = |check: u32, _| if check & 1 == 1 { (check >> 1) ^ 0xEDB8_8320 } else { check >> 1 };
    !content.iter().fold(!0, |check, octet| (0..8).fold(check ^ u32::from(*octet), bit))
}

//! gzip, bzip2, xz, tar, 7z.

use super::*;

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::GzBuilder::new().filename("letter.txt").write(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn bzipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ::bzip2::write::BzEncoder::new(Vec::new(), ::bzip2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn xzipped(bytes: &[u8]) -> Vec<u8> {
    let mut writer = lzma_rust2::XzWriter::new(Vec::new(), lzma_rust2::XzOptions::default()).unwrap();
    writer.write_all(bytes).unwrap();
    writer.finish().unwrap()
}

fn tarred(name: &str, bytes: &[u8]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(bytes.len() as u64);
    builder.append_data(&mut header, name, bytes).unwrap();
    builder.into_inner().unwrap()
}

#[test]
fn what_is_packed_is_unpacked() {
    for (bytes, place) in [
        (gzipped(NUMBER), "a.bin!/letter.txt"),
        (bzipped(NUMBER), "a.bin!/content"),
        (xzipped(NUMBER), "a.bin!/content"),
        (gzipped(&tarred("b.txt", NUMBER)), "a.bin!/letter.txt!/b.txt"),
        (bzipped(&tarred("b.txt", NUMBER)), "a.bin!/content!/b.txt"),
    ] {
        let found = look(&bytes);
        assert_eq!(places(&found), [place]);
        assert_eq!(unread(&found), []);
        assert_eq!(unread(&look(&[&bytes[..], &[0; 512]].concat())), [], "zeros behind it are nothing");
        let found = look(&[&bytes[..], b"and more"].concat());
        assert_eq!(said(&found, FindingKind::BrokenAttachment).len(), 1, "{place}");
        assert!(places(&found).contains(&place));
        for cut in [bytes.len() / 3, bytes.len() / 2, bytes.len() - 1] {
            assert!(!unread(&look(&bytes[..cut])).is_empty(), "{place} {cut}");
        }
    }
}

#[test]
fn members_are_one_file() {
    let (first, second) = NUMBER.split_at(NUMBER.len() / 2 + 2);
    for pack in [gzipped, bzipped, xzipped] {
        let found = look(&[pack(first), pack(second)].concat());
        assert_eq!(places(&found).len(), 1);
        assert_eq!(unread(&found), []);
    }
}

#[test]
fn thousands_of_members_are_a_limit() {
    for pack in [gzipped, bzipped] {
        let found = look(&pack(b"").repeat(1_200));
        assert_eq!(said(&found, FindingKind::LimitReached), ["parts"]);
    }
    let found = look(&xzipped(b"").repeat(30_000));
    assert!(!unread(&found).is_empty());
}

#[test]
fn a_name_in_gzip_is_looked_at() {
    let named = |name: &str| {
        let mut encoder =
            flate2::GzBuilder::new().filename(name).comment("c").write(Vec::new(), flate2::Compression::fast());
        encoder.write_all(b"hello").unwrap();
        encoder.finish().unwrap()
    };
    assert_eq!(places(&look(&named("NHS number 943 476 5919"))), ["a.bin!/attachment-name"]);
}

#[test]
fn a_dictionary_that_is_too_large_is_a_limit() {
    let mut options = lzma_rust2::XzOptions::default();
    options.lzma_options.dict_size = 1 << 30;
    let mut bytes = xzipped(NUMBER);
    // The property of the filter: 2^30 octets, and the checksum of its header.
    let at = bytes.windows(3).position(|three| three[..2] == [0x21, 0x01]).unwrap() + 2;
    bytes[at] = 36;
    let header = 12..12 + (usize::from(bytes[12]) + 1) * 4;
    let mut sum = flate2::Crc::new();
    sum.update(&bytes[header.start..header.end - 4]);
    bytes[header.end - 4..header.end].copy_from_slice(&sum.sum().to_le_bytes());
    assert_eq!(said(&look(&bytes), FindingKind::LimitReached), ["memory"]);
}

#[test]
fn zeros_in_gzip_are_a_limit() {
    let found = look(&gzipped(&vec![0; 20_000_000]));
    assert_eq!(said(&found, FindingKind::LimitReached), ["ratio", "part"]);
}

#[test]
fn names_in_tar_are_looked_at_however_they_are_written() {
    let long = format!("{}/NHS number 943 476 5919.txt", "folder".repeat(30));
    for name in ["NHS number 943 476 5919.txt", &long] {
        let found = look(&tarred(name, b"hello"));
        assert!(places(&found).contains(&"a.bin!/attachment-name"), "{name}");
        assert_eq!(unread(&found), []);
    }
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Symlink);
    header.set_size(0);
    builder.append_link(&mut header, "a", "NHS number 943 476 5919").unwrap();
    assert!(places(&look(&builder.into_inner().unwrap())).contains(&"a.bin!/attachment-name"));
    let mut builder = tar::Builder::new(Vec::new());
    builder.append_pax_extensions([("path", &b"NHS number 943 476 5919"[..])]).unwrap();
    let mut header = tar::Header::new_ustar();
    header.set_size(5);
    builder.append_data(&mut header, "a", &b"hello"[..]).unwrap();
    assert!(places(&look(&builder.into_inner().unwrap())).contains(&"a.bin!/attachment-name"));
}

/// A header of the oldest kind, which has no signature.
fn old(name: &str, kind: u8, size: usize) -> Vec<u8> {
    let mut block = vec![0; 512];
    block[..name.len()].copy_from_slice(name.as_bytes());
    block[124..135].copy_from_slice(format!("{size:011o}").as_bytes());
    block[156] = kind;
    block[148..156].fill(b' ');
    let sum: usize = block.iter().map(|byte| usize::from(*byte)).sum();
    block[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    block
}

fn padded(bytes: &[u8]) -> Vec<u8> {
    let mut out = bytes.to_vec();
    out.resize(bytes.len().next_multiple_of(512), 0);
    out
}

#[test]
fn tar_of_the_oldest_kind_is_known_by_its_sum() {
    let bytes = [old("a.txt", 0, NUMBER.len()), padded(NUMBER), vec![0; 1_024]].concat();
    let found = look(&bytes);
    assert_eq!(places(&found), ["a.bin!/a.txt"]);
    assert_eq!(unread(&found), []);
}

#[test]
fn tar_that_readers_disagree_about_is_broken_and_read() {
    let file = [old("a.txt", b'0', NUMBER.len()), padded(NUMBER)].concat();
    let behind = [&old("b", b'0', 0)[..], &[0; 1_024], &file].concat();
    let link = [&old("b", b'1', NUMBER.len())[..], &padded(NUMBER), &[0; 1_024]].concat();
    let junk = [&old("b", b'0', 0)[..], &[b'x'; 512], &file, &[0; 1_024]].concat();
    let cut = [&old("a.txt", b'0', 9_000)[..], NUMBER].concat();
    let record = b"12 size=512\n";
    let sizes = [&old("p", b'x', record.len())[..], &padded(record), &old("b", b'0', 5), &padded(NUMBER)].concat();
    for (name, bytes) in [("behind", behind), ("link", link), ("junk", junk), ("cut", cut), ("sizes", sizes)] {
        let found = look(&bytes);
        assert!(!places(&found).is_empty(), "{name}");
        assert_eq!(said(&found, FindingKind::BrokenAttachment).len(), 1, "{name}");
    }
}

#[test]
fn numbers_that_are_too_large_are_none() {
    for size in [
        &b"\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"[..],
        b"\x80\0\0\0\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF",
        b"777777777777",
    ] {
        let mut block = old("a.txt", b'0', 0);
        block[124..136].copy_from_slice(size);
        block[148..156].fill(b' ');
        let sum: usize = block.iter().map(|byte| usize::from(*byte)).sum();
        block[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
        let found = look(&[&block[..], NUMBER].concat());
        assert_eq!(places(&found), ["a.bin!/a.txt", "a.bin"], "{size:?}");
        assert!(!unread(&found).is_empty());
    }
    let record = b"99999999999999999999 size=99999999999999999999\n";
    let bytes = [&old("p", b'x', record.len())[..], &padded(record), &[0; 1_024]].concat();
    assert!(!unread(&look(&bytes)).is_empty());
}

fn sevenzipped(files: &[(&str, &[u8])], method: sevenz_rust2::EncoderMethod) -> Vec<u8> {
    let mut writer = sevenz_rust2::ArchiveWriter::new(std::io::Cursor::new(Vec::new())).unwrap();
    writer.set_content_methods(vec![method.into()]);
    for (name, bytes) in files {
        writer.push_archive_entry(sevenz_rust2::ArchiveEntry::new_file(name), Some(*bytes)).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

#[test]
fn each_file_in_7z_is_read() {
    use sevenz_rust2::EncoderMethod as Method;
    for method in [Method::COPY, Method::LZMA, Method::LZMA2, Method::BZIP2] {
        let bytes = sevenzipped(&[("a.txt", b"hello"), ("b.txt", NUMBER)], method);
        let found = look(&bytes);
        assert_eq!(places(&found), ["a.bin!/b.txt"], "{method:?}");
        assert_eq!(unread(&found), [], "{method:?}");
        for cut in [33, bytes.len() / 2, bytes.len() - 1] {
            assert!(!unread(&look(&bytes[..cut])).is_empty(), "{method:?} {cut}");
        }
    }
    let found = look(&sevenzipped(&[("NHS number 943 476 5919", b"hello")], Method::LZMA2));
    assert_eq!(places(&found), ["a.bin!/attachment-name"]);
}

#[test]
fn zeros_in_7z_are_a_limit() {
    let zeros = vec![0; 4_000_000];
    let found = look(&sevenzipped(&[("a", &zeros), ("b.txt", NUMBER)], sevenz_rust2::EncoderMethod::LZMA2));
    assert!(said(&found, FindingKind::LimitReached).contains(&"ratio"));
}

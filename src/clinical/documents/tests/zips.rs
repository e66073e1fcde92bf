//! Zip archives that the zip package writes.

use super::*;
use std::io::Cursor;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

fn zipped(name: &str, content: &[u8], options: SimpleFileOptions) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer.start_file(name, options).unwrap();
    writer.write_all(content).unwrap();
    writer.finish().unwrap().into_inner()
}

fn plain(name: &str, content: &[u8]) -> Vec<u8> {
    zipped(name, content, SimpleFileOptions::default())
}

#[test]
fn each_method_is_unpacked() {
    for method in
        [CompressionMethod::Stored, CompressionMethod::Deflated, CompressionMethod::Bzip2, CompressionMethod::Xz]
    {
        for large in [false, true] {
            let options = SimpleFileOptions::default().compression_method(method).large_file(large);
            let found = look(&zipped("letter.txt", NUMBER, options));
            assert_eq!(places(&found), ["a.bin!/letter.txt"], "{method:?}");
            assert_eq!(unread(&found), [], "{method:?}");
        }
    }
}

#[test]
fn an_archive_that_was_written_into_a_pipe_is_read() {
    let mut writer = ZipWriter::new_stream(Vec::new());
    for (name, method) in
        [("a", CompressionMethod::Deflated), ("b", CompressionMethod::Stored), ("c", CompressionMethod::Deflated)]
    {
        writer.start_file(name, SimpleFileOptions::default().compression_method(method)).unwrap();
        writer.write_all(NUMBER).unwrap();
    }
    let found = look(&writer.finish().unwrap().into_inner());
    assert_eq!(places(&found).len(), 3);
    assert_eq!(unread(&found), []);
}

#[test]
fn what_is_inside_an_archive_inside_an_archive_is_read() {
    let inner = plain("letter.txt", NUMBER);
    for method in [CompressionMethod::Stored, CompressionMethod::Deflated] {
        let options = SimpleFileOptions::default().compression_method(method);
        let found = look(&zipped("inner.zip", &inner, options));
        assert_eq!(places(&found), ["a.bin!/inner.zip!/letter.txt"]);
        assert_eq!(unread(&found), []);
    }
    let letter = [&b"From: a@b\r\nMIME-Version: 1.0\r\nSubject: x\r\n\r\n"[..], NUMBER].concat();
    assert_eq!(places(&look(&plain("letter.eml", &letter))), ["a.bin!/letter.eml!/text"]);
}

#[test]
fn an_archive_in_an_archive_in_an_archive_ends_somewhere() {
    let mut bytes = plain("letter.txt", NUMBER);
    for _ in 0..12 {
        bytes = plain("inner.zip", &bytes);
    }
    assert_eq!(said(&look(&bytes), FindingKind::LimitReached), ["depth"]);
}

#[test]
fn names_and_comments_are_looked_at() {
    let found = look(&plain("NHS number 943 476 5919.txt", b"hello"));
    assert_eq!(places(&found), ["a.bin!/attachment-name"]);
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer.set_comment("NHS number 943 476 5919").unwrap();
    writer.start_file("a.txt", SimpleFileOptions::default()).unwrap();
    writer.write_all(b"hello").unwrap();
    let found = look(&writer.finish().unwrap().into_inner());
    assert_eq!(places(&found), ["a.bin!/comment"]);
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer.add_directory("NHS number 943 476 5919", SimpleFileOptions::default()).unwrap();
    assert_eq!(places(&look(&writer.finish().unwrap().into_inner())), ["a.bin!/attachment-name"]);
}

#[test]
fn an_archive_behind_something_else_is_read() {
    let archive = plain("letter.txt", NUMBER);
    let noise: Vec<u8> = (0..200_000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let text = b"an ordinary line of a letter\r\n".repeat(4_000);
    for before in [&b"MZ\x90\0"[..], b"\xFF\xD8\xFF\xE0", b"%PDF-1.7\n", b"\x89PNG\r\n\x1A\n", b"\0\x01\x02"] {
        for filler in [&noise[..], &noise[..1_000]] {
            let found = look(&[before, filler, &archive].concat());
            assert!(places(&found).contains(&"a.bin!/letter.txt"), "{before:?} {}", filler.len());
            assert!(!unread(&found).is_empty() || !said(&found, FindingKind::Image).is_empty());
        }
    }
    assert!(places(&look(&[&text[..], &archive].concat())).contains(&"a.bin!/letter.txt"));
    assert!(places(&look(&[&noise[..], &archive[..archive.len() - 22]].concat())).is_empty());
}

#[test]
fn an_archive_behind_something_else_is_read_in_another_process_too() {
    let noise: Vec<u8> = (0..200_000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let bytes = [&b"\xFF\xD8\xFF\xE0"[..], &noise, &plain("letter.txt", NUMBER)].concat();
    let looked = |bytes: &[u8]| {
        super::super::super::inspect_text(&message("a.jpg", bytes), &Rules::default(), &Limits::default()).documents
    };
    assert!(!looked(&bytes).is_empty() && looked(&bytes[..150_000]).is_empty());
}

//! Archives and packed files: each puts a text into a file inside one, or where else people see text of it.

use crate::containers::{Container, base64, nested, part, unbroken};
use std::io::{Cursor, Write};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// An attachment with that content.
fn attached(bytes: &[u8]) -> Vec<u8> {
    part("Content-Type: application/octet-stream; name=a.bin\r\nContent-Transfer-Encoding: base64", &base64(bytes))
}

fn stored() -> SimpleFileOptions {
    SimpleFileOptions::default().compression_method(CompressionMethod::Stored)
}

fn written<W: Write + std::io::Seek>(mut writer: ZipWriter<W>, entry: (&str, &[u8]), options: SimpleFileOptions) -> W {
    writer.start_file(entry.0, options).unwrap();
    writer.write_all(entry.1).unwrap();
    writer.finish().unwrap()
}

fn zipped(name: &str, content: &[u8], options: SimpleFileOptions) -> Vec<u8> {
    written(ZipWriter::new(Cursor::new(Vec::new())), (name, content), options).into_inner()
}

fn deflated(name: &str, content: &[u8]) -> Vec<u8> {
    zipped(name, content, SimpleFileOptions::default())
}

/// The entry of one archive in front of another one, whose directory does not name it.
fn hidden(text: &str) -> Vec<u8> {
    let archive = deflated("hidden.txt", text.as_bytes());
    let directory = archive.len() - 6;
    let start = u32::from_le_bytes(archive[directory..][..4].try_into().unwrap());
    [&archive[..start as usize], &deflated("a.txt", b"hello")].concat()
}

fn commented(text: &str) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer.set_comment(text).unwrap();
    written(writer, ("a.txt", b"hello"), stored()).into_inner()
}

fn packed<W>(mut encoder: W, text: &str, finish: impl FnOnce(W) -> std::io::Result<Vec<u8>>) -> Vec<u8>
where
    W: Write,
{
    encoder.write_all(text.as_bytes()).unwrap();
    finish(encoder).unwrap()
}

fn tarred(text: &str) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(text.len() as u64);
    builder.append_data(&mut header, "a.txt", text.as_bytes()).unwrap();
    builder.into_inner().unwrap()
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn bzipped(text: &str) -> Vec<u8> {
    packed(bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast()), text, |encoder| encoder.finish())
}

fn xzipped(text: &str) -> Vec<u8> {
    let options = lzma_rust2::XzOptions::with_preset(0);
    packed(lzma_rust2::XzWriter::new(Vec::new(), options).unwrap(), text, |writer| writer.finish())
}

fn sevenzipped(text: &str) -> Vec<u8> {
    let mut writer = sevenz_rust2::ArchiveWriter::new(Cursor::new(Vec::new())).unwrap();
    writer.set_content_methods(vec![sevenz_rust2::encoder_options::Lzma2Options::from_level(0).into()]);
    let entry = sevenz_rust2::ArchiveEntry::new_file("a.txt");
    writer.push_archive_entry(entry, Some(text.as_bytes())).unwrap();
    writer.finish().unwrap().into_inner()
}

pub const ARCHIVES: &[Container] = &[
    Container { name: "zip-stored", wrap: |t, _| attached(&zipped("a.txt", t.as_bytes(), stored())) },
    Container { name: "zip-deflated", wrap: |t, _| attached(&deflated("a.txt", t.as_bytes())) },
    Container { name: "zip-in-zip", wrap: |t, _| attached(&deflated("b.zip", &deflated("a.txt", t.as_bytes()))) },
    Container {
        name: "zip-data-descriptor",
        wrap: |t, _| {
            let writer = ZipWriter::new_stream(Vec::new());
            attached(&written(writer, ("a.txt", t.as_bytes()), SimpleFileOptions::default()).into_inner())
        },
    },
    Container {
        name: "zip64",
        wrap: |t, _| attached(&zipped("a.txt", t.as_bytes(), SimpleFileOptions::default().large_file(true))),
    },
    Container { name: "zip-hidden-entry", wrap: |t, _| attached(&hidden(t)) },
    Container { name: "zip-entry-name", wrap: |t, _| attached(&deflated(&unbroken(t), b"hello")) },
    Container { name: "zip-comment", wrap: |t, _| attached(&commented(t)) },
    Container {
        name: "zip-behind-jpeg",
        wrap: |t, _| attached(&[b"\xFF\xD8\xFF\xE0", &deflated("a.txt", t.as_bytes())[..]].concat()),
    },
    Container { name: "eml-in-zip", wrap: |t, _| attached(&deflated("a.eml", nested(t).as_bytes())) },
    Container { name: "gzip", wrap: |t, _| attached(&gzipped(t.as_bytes())) },
    Container { name: "bzip2", wrap: |t, _| attached(&bzipped(t)) },
    Container { name: "xz", wrap: |t, _| attached(&xzipped(t)) },
    Container { name: "tar", wrap: |t, _| attached(&tarred(t)) },
    Container { name: "tar-gz", wrap: |t, _| attached(&gzipped(&tarred(t))) },
    Container { name: "7z", wrap: |t, _| attached(&sevenzipped(t)) },
];

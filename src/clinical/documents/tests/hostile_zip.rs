//! Zip archives that readers disagree about, and those that cost.

use super::super::{Kind, read};
use super::*;
use crate::clinical::fields::Content;
use crate::clinical::leaf::{Octets, Shown};
use crate::clinical::walk::{Spot, Walk};

const HELLO: &[u8] = b"hello";

/// An entry, whose two headers may say different things.
#[derive(Clone)]
struct Entry {
    name: [Vec<u8>; 2],
    method: [u16; 2],
    flags: [u16; 2],
    packed: [u32; 2],
    size: u32,
    extra: [Vec<u8>; 2],
    comment: Vec<u8>,
    content: Vec<u8>,
}

fn entry(name: &str, method: u16, content: &[u8]) -> Entry {
    let packed = u32::try_from(content.len()).unwrap();
    let name = name.as_bytes().to_vec();
    let (method, flags, extra) = ([method; 2], [0; 2], [Vec::new(), Vec::new()]);
    let (packed, size, comment, content) = ([packed; 2], packed, Vec::new(), content.to_vec());
    Entry { name: [name.clone(), name], method, flags, packed, size, extra, comment, content }
}

fn short(value: usize) -> [u8; 2] {
    u16::try_from(value).unwrap().to_le_bytes()
}

fn long(value: usize) -> [u8; 4] {
    u32::try_from(value).unwrap().to_le_bytes()
}

impl Entry {
    /// The local header and the content.
    fn local(&self) -> Vec<u8> {
        let mut out = b"PK\x03\x04\x14\0".to_vec();
        out.extend([self.flags[0].to_le_bytes(), self.method[0].to_le_bytes(), [0; 2], [0; 2]].concat());
        out.extend([[0; 4], self.packed[0].to_le_bytes(), self.size.to_le_bytes()].concat());
        out.extend([short(self.name[0].len()), short(self.extra[0].len())].concat());
        [&out[..], &self.name[0], &self.extra[0], &self.content].concat()
    }

    fn central(&self, offset: usize) -> Vec<u8> {
        let mut out = b"PK\x01\x02\x14\0\x14\0".to_vec();
        out.extend([self.flags[1].to_le_bytes(), self.method[1].to_le_bytes(), [0; 2], [0; 2]].concat());
        out.extend([[0; 4], self.packed[1].to_le_bytes(), self.size.to_le_bytes()].concat());
        out.extend([short(self.name[1].len()), short(self.extra[1].len()), short(self.comment.len())].concat());
        out.extend([0; 8]);
        out.extend(long(offset));
        [&out[..], &self.name[1], &self.extra[1], &self.comment].concat()
    }
}

fn end(count: usize, size: usize, offset: usize) -> Vec<u8> {
    [&b"PK\x05\x06\0\0\0\0"[..], &short(count), &short(count), &long(size), &long(offset), &[0; 2]].concat()
}

/// Entries, and the directory of some of them.
fn archive(entries: &[Entry], is_named: impl Fn(usize) -> bool) -> Vec<u8> {
    let (mut out, mut directory, mut count) = (Vec::new(), Vec::new(), 0);
    for (at, entry) in entries.iter().enumerate() {
        if is_named(at) {
            directory.extend(entry.central(out.len()));
            count += 1;
        }
        out.extend(entry.local());
    }
    let offset = out.len();
    [&out[..], &directory, &end(count, directory.len(), offset)].concat()
}

fn all(entries: &[Entry]) -> Vec<u8> {
    archive(entries, |_| true)
}

fn is_broken(bytes: &[u8], what: &str) -> bool {
    said(&look(bytes), FindingKind::BrokenAttachment).contains(&what)
}

#[test]
fn the_writer_writes_what_is_sound() {
    // What is short is packed alike by deflate and deflate64.
    let found = look(&all(&[
        entry("a.txt", 0, NUMBER),
        entry("b.txt", 8, &deflated(NUMBER)),
        entry("c.txt", 9, &deflated(NUMBER)),
    ]));
    assert_eq!(places(&found), ["a.bin!/a.txt", "a.bin!/b.txt", "a.bin!/c.txt"]);
    assert_eq!(unread(&found), []);
}

#[test]
fn an_entry_that_no_directory_names_is_read() {
    for method in [0, 8] {
        let content = if method == 8 { deflated(NUMBER) } else { NUMBER.to_vec() };
        let entries = [entry("a.txt", 0, HELLO), entry("hidden.txt", method, &content), entry("b.txt", 0, HELLO)];
        let bytes = archive(&entries, |at| at != 1);
        assert!(places(&look(&bytes)).contains(&"a.bin!/hidden.txt"), "{method}");
        assert!(is_broken(&bytes, "zip entry outside the directory"));
        let mut open = entries.clone();
        open[1].flags = [8, 8];
        open[1].packed = [0, 0];
        open[1].content.extend(b"PK\x07\x08............");
        assert!(places(&look(&archive(&open, |at| at != 1))).contains(&"a.bin!/hidden.txt"), "open-ended {method}");
    }
    // Before the first one and behind the directory.
    let hidden = entry("hidden.txt", 8, &deflated(NUMBER)).local();
    let rest = all(&[entry("a.txt", 0, HELLO)]);
    assert!(places(&look(&[&hidden[..], &rest].concat())).contains(&"a.bin!/hidden.txt"));
    let behind = [&rest[..], &hidden].concat();
    assert!(places(&look(&behind)).contains(&"a.bin!/hidden.txt") && !unread(&look(&behind)).is_empty());
}

#[test]
fn of_two_entries_with_one_name_both_are_read() {
    let entries = [entry("a.txt", 0, HELLO), entry("a.txt", 8, &deflated(NUMBER)), entry("a.txt", 0, HELLO)];
    assert_eq!(places(&look(&all(&entries))), ["a.bin!/a.txt"]);
}

#[test]
fn where_the_two_headers_differ_both_are_believed() {
    let mut methods = entry("a.txt", 8, &deflated(NUMBER));
    methods.method = [8, 0];
    assert!(places(&look(&all(&[methods.clone()]))).contains(&"a.bin!/a.txt"));
    assert!(is_broken(&all(&[methods.clone()]), "zip headers differ"));
    methods.method = [0, 8];
    assert!(places(&look(&all(&[methods]))).contains(&"a.bin!/a.txt"));

    let mut sizes = entry("a.txt", 0, NUMBER);
    sizes.packed = [u32::try_from(NUMBER.len()).unwrap(), 5];
    assert!(places(&look(&all(&[sizes.clone()]))).contains(&"a.bin!/a.txt"));
    assert!(is_broken(&all(&[sizes]), "zip headers differ"));

    let mut names = entry("a.txt", 0, HELLO);
    names.name = [b"NHS number 943 476 5919".to_vec(), b"a.txt".to_vec()];
    assert_eq!(places(&look(&all(&[names.clone()]))), ["a.bin!/attachment-name"]);
    names.name.reverse();
    assert_eq!(places(&look(&all(&[names]))), ["a.bin!/attachment-name"]);

    let mut closed = entry("a.txt", 8, &deflated(NUMBER));
    closed.flags = [0, 1];
    let found = look(&all(&[closed]));
    assert_eq!(places(&found), ["a.bin!/a.txt"]);
    assert_eq!(said(&found, FindingKind::EncryptedAttachment), ["zip"]);
}

#[test]
fn what_follows_a_stream_inside_its_entry_is_said() {
    let bytes = all(&[entry("a.txt", 8, &[deflated(HELLO), b"rest".to_vec()].concat())]);
    assert!(is_broken(&bytes, "zip sizes differ"));
}

#[test]
fn closed_entries_are_said_and_the_others_read() {
    for (flags, method) in [(1, 8), (0x41, 8), (1, 99), (0, 99), (0x2000, 8)] {
        let mut closed = entry("NHS number 943 476 5919.txt", method, b"............");
        closed.flags = [flags; 2];
        let found = look(&all(&[closed, entry("b.txt", 0, NUMBER)]));
        assert_eq!(said(&found, FindingKind::EncryptedAttachment), ["zip"], "{flags} {method}");
        assert_eq!(places(&found), ["a.bin!/attachment-name", "a.bin!/b.txt"]);
        assert_eq!(said(&found, FindingKind::BrokenAttachment), [""; 0]);
    }
}

#[test]
fn a_method_that_nobody_knows_is_said() {
    for method in [1, 6, 93, 98] {
        let found = look(&all(&[entry("a.txt", method, b"............"), entry("b.txt", 0, NUMBER)]));
        assert_eq!(unread(&found), [(FindingKind::UnknownAttachment, "compression method")]);
        assert_eq!(places(&found), ["a.bin!/b.txt"]);
    }
}

#[test]
fn lzma_is_unpacked_with_its_end_marked_and_without() {
    let options = lzma_rust2::LzmaOptions::with_preset(3);
    for marks in [false, true] {
        let size = (!marks).then_some(NUMBER.len() as u64);
        let mut writer = lzma_rust2::LzmaWriter::new(Vec::new(), &options, false, marks, size).unwrap();
        writer.write_all(NUMBER).unwrap();
        let head = [&b"\x09\x14\x05\0"[..], &[options.get_props()], &options.dict_size.to_le_bytes()].concat();
        let mut packed = entry("a.txt", 14, &[head, writer.finish().unwrap()].concat());
        packed.flags = [u16::from(marks) * 2; 2];
        packed.size = u32::try_from(NUMBER.len()).unwrap();
        let found = look(&all(&[packed]));
        assert_eq!(places(&found), ["a.bin!/a.txt"], "{marks}");
        assert_eq!(unread(&found), []);
    }
}

#[test]
fn every_directory_is_read() {
    let (first, second) = (entry("a.txt", 0, HELLO), entry("b.txt", 8, &deflated(NUMBER)));
    let contents = [first.local(), second.local()].concat();
    let (one, two) = (first.central(0), second.central(first.local().len()));
    let start = contents.len();
    let both = [&contents[..], &one, &end(1, one.len(), start)].concat();
    let bytes = [&both[..], &two, &end(1, two.len(), both.len())].concat();
    assert!(places(&look(&bytes)).contains(&"a.bin!/b.txt") && is_broken(&bytes, "two zip directories"));
    let both = [&contents[..], &two, &end(1, two.len(), start)].concat();
    let bytes = [&both[..], &one, &end(1, one.len(), both.len())].concat();
    assert!(places(&look(&bytes)).contains(&"a.bin!/b.txt") && is_broken(&bytes, "two zip directories"));
}

#[test]
fn unicode_names_and_comments_of_entries_are_looked_at() {
    let text = "NHS number 943\u{2011}476\u{2011}5919".as_bytes();
    for id in [0x7075u16, 0x6375] {
        for side in [0, 1] {
            let mut named = entry("a.txt", 0, HELLO);
            named.extra[side] = [&id.to_le_bytes()[..], &short(text.len() + 5), b"\x01....", text].concat();
            assert_eq!(places(&look(&all(&[named]))), ["a.bin!/attachment-name"], "{id:x} {side}");
        }
    }
    let mut commented = entry("a.txt", 0, HELLO);
    commented.comment = text.to_vec();
    assert_eq!(places(&look(&all(&[commented]))), ["a.bin!/attachment-name"]);
    let ibm = entry("x", 0, HELLO);
    let ibm = Entry { name: [b"NHS number 943\xFF476\xFF5919".to_vec(), b"x".to_vec()], ..ibm };
    assert_eq!(places(&look(&all(&[ibm]))), ["a.bin!/attachment-name"]);
}

#[test]
fn an_archive_that_is_cut_is_read_as_far_as_it_goes() {
    let whole = all(&[entry("a.txt", 8, &deflated(NUMBER)), entry("b.txt", 8, &deflated(&NUMBER.repeat(99)))]);
    let found = look(&whole[..whole.len() - 30]);
    assert!(places(&found).contains(&"a.bin!/a.txt") && places(&found).contains(&"a.bin!/b.txt"));
    assert!(said(&found, FindingKind::BrokenAttachment).contains(&"zip entry outside the directory"));
    for length in 0..whole.len() {
        let found = look(&whole[..length]);
        assert!(length < 4 || !unread(&found).is_empty(), "{length}");
    }
}

#[test]
fn an_archive_in_several_files_is_unknown() {
    let mut bytes = all(&[entry("a.txt", 0, HELLO)]);
    let disk = bytes.len() - 18;
    bytes[disk] = 2;
    assert_eq!(said(&look(&bytes), FindingKind::UnknownAttachment), ["spanned zip"]);
}

/// Octets of text that a document cost, and what was found.
fn cost(kind: Kind, bytes: &[u8]) -> (usize, Findings) {
    let (rules, limits, content) = (Rules::default(), Limits::default(), Content::default());
    let mut walk = Walk::new(&rules, &limits);
    let about = Octets { content: &content, place: "a.bin", spot: &Spot::default(), shown: Shown::Apart };
    read(&mut walk, kind, bytes, &about);
    (limits.decoded - walk.left, walk.report.finish())
}

#[test]
fn zeros_are_unpacked_as_far_as_their_ratio_goes() {
    let zeros = deflated(&vec![0; 200_000_000]);
    let (spent, found) = cost(Kind::Zip, &all(&[entry("zeros", 8, &zeros)]));
    assert_eq!(said(&found, FindingKind::LimitReached), ["ratio"]);
    assert!(spent <= 200 * zeros.len(), "{spent} of {}", zeros.len());
}

#[test]
fn entries_beyond_the_limit_are_not_unpacked() {
    let many: Vec<Entry> = (0..20_000).map(|at| entry(&format!("{at}"), 0, HELLO)).collect();
    let (spent, found) = cost(Kind::Zip, &all(&many));
    assert!(said(&found, FindingKind::LimitReached).contains(&"parts"));
    // Once more as they stand, where the archive is broken.
    assert!(spent <= 2_000 * HELLO.len(), "{spent}");
}

/// Headers in a row before one content, which is each entry's: what is said of it, each once.
fn nested(headers: usize, content: &[u8]) -> Vec<u8> {
    let header = Entry { packed: [0; 2], size: 1, flags: [8; 2], ..entry("a", 8, b"") };
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for _ in 0..headers {
        directory.extend(header.central(out.len()));
        // An empty block of deflate that is not the last one, and is as long as the header behind it.
        out.extend([&header.local()[..], &[0], &short(31), &(!31u16).to_le_bytes()].concat());
    }
    let offset = out.len() + content.len();
    [&out[..], content, &directory, &end(headers, directory.len(), offset)].concat()
}

#[test]
fn entries_inside_one_another_cost_no_more_than_a_few_passes() {
    // Empty blocks of deflate: octets that unpack to nothing.
    let nothing = b"\0\0\0\xFF\xFF".repeat(100_000);
    let bytes = nested(1_500, &nothing);
    let mut archive = super::super::zip::Archive::new(std::io::Cursor::new(&bytes)).map_err(|_| ()).unwrap();
    assert!(archive.len() >= 1_500);
    let (rules, limits) = (Rules::default(), Limits::default());
    let mut walk = Walk::new(&rules, &limits);
    let inside = walk.inside("a.bin", &Spot::default()).unwrap();
    let mut document = super::super::Document::new(&mut walk, "a.bin", inside);
    for index in 0..archive.len() {
        super::super::zip::unpack(&mut archive, index, &mut document);
    }
    assert_eq!(archive.fuel(), 0, "all passes were used up, and no more");
    drop(document);
    assert!(said(&walk.report.finish(), FindingKind::LimitReached).contains(&"ratio"));
}

#[test]
fn entries_that_overlap_are_said() {
    let content = deflated(NUMBER);
    let inner = entry("inner.txt", 8, &content);
    let outer = entry("outer.bin", 0, &inner.local());
    let start = outer.local().len() - inner.local().len();
    let directory = [outer.central(0), inner.central(start)].concat();
    let contents = outer.local();
    let bytes = [&contents[..], &directory, &end(2, directory.len(), contents.len())].concat();
    assert!(is_broken(&bytes, "zip entries overlap"));
    assert!(places(&look(&bytes)).contains(&"a.bin!/inner.txt"));
}

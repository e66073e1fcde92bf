mod page;
mod sheets;

use crate::clinical::documents::writers::{atom, book, compound, doc_streams, msg, ppt, wide};
use crate::clinical::{Findings, Limits, Rules, inspect};
use crate::vocabulary::{Confidence, FindingKind};
use base64::Engine as _;

const LINE: &str = "NHS number 943 476 5919";

fn look(file: &[u8]) -> Findings {
    let head = b"Content-Type: application/octet-stream; name=x.ole\r\nContent-Transfer-Encoding: base64\r\n\r\n";
    let letters = base64::engine::general_purpose::STANDARD.encode(file);
    inspect(&[head, letters.as_bytes()].concat(), &Rules::default(), &Limits::default())
}

fn is_sure(findings: &Findings) -> bool {
    findings.findings.iter().any(|f| f.kind == FindingKind::NhsNumber && f.confidence == Confidence::High)
}

fn unread(findings: &Findings) -> Vec<FindingKind> {
    findings.unread.iter().map(|unread| unread.kind).collect()
}

/// A document with more streams than its own.
fn doc_and(more: &[(&'static str, Vec<u8>)]) -> Vec<u8> {
    compound(&[&doc_streams(&["Dear Dr\r"])[..], more].concat())
}

fn doc(pieces: &[&str]) -> Vec<u8> {
    compound(&doc_streams(pieces))
}

#[test]
fn an_ordinary_document_is_read_and_nothing_is_unread() {
    for pieces in [&[LINE][..], &["NHS number 943 4", "76 59\u{2009}19"], &["\u{2009}NHS number 94", "34765919"]] {
        let found = look(&doc(pieces));
        assert!(is_sure(&found) && found.unread.is_empty(), "{found:?}");
        assert!(found.findings.iter().any(|f| f.place == "x.ole"), "by its pieces: {found:?}");
    }
}

#[test]
fn fields_are_read_as_they_are_shown() {
    let found = look(&doc(&["NHS number 943\u{13} PAGE 7 \u{14} 476\u{15} 5919"]));
    assert!(found.findings.iter().any(|f| f.place == "x.ole" && f.confidence == Confidence::High), "{found:?}");
    let found = look(&doc(&["x \u{13} HYPERLINK NHS number 943 476 5919 \u{14}y\u{15}"]));
    assert!(found.findings.iter().any(|f| f.place == "x.ole!/notes"), "{found:?}");
}

#[test]
fn files_inside_are_read_and_others_are_said() {
    let native = {
        let package =
            [&[2, 0][..], b"a.txt\0a.txt\0", &[0, 0, 3, 0, 1, 0, 0, 0, 0], &[23, 0, 0, 0], LINE.as_bytes()].concat();
        [&(package.len() as u32).to_le_bytes()[..], &package].concat()
    };
    let found =
        look(&doc_and(&[("ObjectPool/_1/\u{1}Ole10Native", native), ("ObjectPool/_1/\u{1}CompObj", vec![1; 80])]));
    assert!(is_sure(&found) && found.unread.is_empty(), "{found:?}");
    assert!(found.read.contains(&"x.ole!/a.txt".to_owned()), "{found:?}");
    let inner = [&doc_streams(&[LINE])[..], &[]].concat();
    let inner: Vec<(String, Vec<u8>)> = inner.into_iter().map(|(n, d)| (format!("ObjectPool/_1/{n}"), d)).collect();
    let all: Vec<(&str, Vec<u8>)> =
        inner.iter().map(|(n, d)| (n.as_str(), d.clone())).chain(doc_streams(&["outer"])).collect();
    let found = look(&compound(&all));
    assert!(is_sure(&found) && found.unread.is_empty(), "{found:?}");
    let found = look(&doc_and(&[("ObjectPool/_1/Heard of by nobody", [3, 1, 2, 255, 128].repeat(80))]));
    assert_eq!(unread(&found), [FindingKind::UnknownAttachment], "{found:?}");
    let found = look(&doc_and(&[("\u{5}SummaryInformation", property_set())]));
    assert!(is_sure(&found) && found.unread.is_empty(), "{found:?}");
}

/// A title in UTF-8, with spaces that are no ASCII.
fn property_set() -> Vec<u8> {
    let title = "NHS number 943\u{A0}476\u{A0}5919\0";
    let properties = [
        &[0, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 24, 0, 0, 0, 2, 0, 0, 0, 32, 0, 0, 0][..],
        &[2, 0, 0, 0, 0xE9, 0xFD, 0, 0],
        &[0x1E, 0, 0, 0],
        &(title.len() as u32).to_le_bytes(),
        title.as_bytes(),
    ]
    .concat();
    [&[0xFE, 0xFF, 0, 0][..], &[0; 20], &[1, 0, 0, 0], &[0; 16], &[48, 0, 0, 0], &properties].concat()
}

#[test]
fn what_is_closed_is_said() {
    let mut closed = doc_streams(&["x"]);
    closed[0].1[0x0B] |= 1;
    let filepass = [&[0x2F, 0, 2, 0, 0, 0][..], &book(&[])].concat();
    let presentation = atom(0xF, 0x2F14, b"");
    for file in [
        compound(&closed),
        compound(&[("Workbook", filepass)]),
        compound(&[("PowerPoint Document", presentation)]),
        compound(&[("EncryptedPackage", vec![1; 90]), ("EncryptionInfo", vec![2; 90])]),
        compound(&[("\u{9}DRMContent", vec![1; 90])]),
    ] {
        let found = look(&file);
        assert!(unread(&found).contains(&FindingKind::EncryptedAttachment), "{found:?}");
    }
}

#[test]
fn cells_are_rows_and_numbers_have_no_fraction() {
    let cell = |row: u8, column: u8, kind: u16, value: &[u8]| {
        let data = [&[row, 0, column, 0, 0, 0][..], value].concat();
        [&kind.to_le_bytes()[..], &(data.len() as u16).to_le_bytes(), &data].concat()
    };
    let label = |text: &str| [&(text.len() as u16).to_le_bytes()[..], &[0], text.as_bytes()].concat();
    let number = 9_434_765_919f64.to_le_bytes();
    let head = [cell(0, 0, 0x0204, &label("Name")), cell(0, 1, 0x0204, &label("NHS number"))].concat();
    let begin = [&[0x09, 0x08, 16, 0, 0, 6, 0x10, 0][..], &[0; 12]].concat();
    for value in [cell(1, 1, 0x0203, &number), cell(1, 1, 0x0006, &[&number[..], &[0; 8]].concat())] {
        let found = look(&compound(&[("Workbook", [begin.clone(), head.clone(), value].concat())]));
        assert!(is_sure(&found) && found.unread.is_empty(), "{found:?}");
    }
    for kind in [0x0014u16, 0x01B6, 0x001C] {
        let text = [&(LINE.len() as u16).to_le_bytes()[..], &[0], LINE.as_bytes()].concat();
        let data = if kind == 0x01B6 { vec![0; 18] } else { text };
        let mut record = [&kind.to_le_bytes()[..], &(data.len() as u16).to_le_bytes(), &data].concat();
        if kind == 0x01B6 {
            record.extend_from_slice(&[&[0x3C, 0, 47, 0, 1][..], &wide(LINE)].concat());
        }
        assert!(is_sure(&look(&compound(&[("Workbook", [begin.clone(), record].concat())]))), "{kind:x}");
    }
}

#[test]
fn cells_of_an_old_workbook_are_shown_as_their_formats_have_them() {
    let record = |kind: u16, data: &[u8]| [&kind.to_le_bytes()[..], &(data.len() as u16).to_le_bytes(), data].concat();
    let string = |text: &str| [&(text.len() as u16).to_le_bytes()[..], &[0], text.as_bytes()].concat();
    let begin = record(0x0809, &[&[0, 6, 0x10, 0][..], &[0; 12]].concat());
    let book = |code: &str, cell: Vec<u8>| {
        let format = record(0x041E, &[&[164, 0][..], &string(code)].concat());
        let looks = [record(0x00E0, &[0; 20]), record(0x00E0, &[&[0, 0, 164, 0][..], &[0; 16]].concat())].concat();
        let label = record(0x0204, &[&[0; 6][..], &string("NHS number")].concat());
        look(&compound(&[("Workbook", [begin.clone(), format, looks, label, cell].concat())]))
    };
    let number = |look: u8, number: f64| record(0x0203, &[&[1, 0, 0, 0, look, 0][..], &number.to_le_bytes()].concat());
    let text = record(0x0204, &[&[1, 0, 0, 0, 1, 0][..], &string("3 476 5919")].concat());
    for (code, cell, expected) in [
        ("\"943 476 \"0", number(1, 5919.0), true),
        ("\"943 476 \"0", number(0, 5919.0), false),
        ("0;0;0;\"94\"@", text, true),
        ("[s]", number(1, 109_198.679_618_055_55), true),
    ] {
        let found = book(code, cell);
        assert!(is_sure(&found) == expected && found.unread.is_empty(), "{code}: {found:?}");
    }
    assert_eq!(unread(&book("yyyymmdd\"59\"", number(1, 39_311.0))), [FindingKind::BrokenAttachment]);
    let header = record(0x0014, &string("&CNHS number &P 476 5919"));
    let set_up = |flags: u8| record(0x00A1, &[&[9, 0, 100, 0, 0xAF, 3, 1, 0, 1, 0, flags, 0][..], &[0; 22]].concat());
    for (flags, expected) in [(0x80, true), (0, false)] {
        let found = look(&compound(&[("Workbook", [begin.clone(), header.clone(), set_up(flags)].concat())]));
        assert_eq!(is_sure(&found), expected, "{found:?}");
    }
}

#[test]
fn slides_are_read_with_what_is_embedded() {
    assert!(is_sure(&look(&ppt(LINE))));
    let mut packer = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut packer, &doc(&[LINE])).unwrap();
    let object = [&[0; 4][..], &packer.finish().unwrap()].concat();
    let found = look(&compound(&[("PowerPoint Document", atom(0x10, 0x1011, &object))]));
    assert!(is_sure(&found) && found.unread.is_empty(), "{found:?}");
    let cut = atom(0, 0x0FA0, &wide(LINE));
    let found = look(&compound(&[("PowerPoint Document", cut[..cut.len() - 2].to_vec())]));
    assert_eq!(unread(&found), [FindingKind::BrokenAttachment], "{found:?}");
}

/// As PowerPoint 2007 and later keep a shape that older ones cannot draw.
#[test]
fn the_newer_form_of_a_shape_is_read() {
    let shape = |text: &str| {
        let space = "http://schemas.openxmlformats.org/";
        let markup = format!(
            "<p:sp xmlns:p='{space}presentationml/2006/main' xmlns:a='{space}drawingml/2006/main'><p:txBody><a:p><a:r>\
             <a:t>{text}</a:t></a:r></a:p></p:txBody></p:sp>"
        );
        let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        for (name, bytes) in [("[Content_Types].xml", "<Types/>"), ("drs/shapexml.xml", &markup)] {
            zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
            std::io::Write::write_all(&mut zip, bytes.as_bytes()).unwrap();
        }
        let package = zip.finish().unwrap().into_inner();
        let entry = [&[0xA9, 0xC3][..], &(package.len() as u32).to_le_bytes()].concat();
        [entry, package].concat()
    };
    let properties = |text: &str| atom(0x13, 0xF122, &shape(text));
    let many = [properties("Smith").repeat(900), properties(LINE)].concat();
    let found = look(&compound(&[("PowerPoint Document", many)]));
    assert!(is_sure(&found) && found.unread.is_empty(), "{found:?}");
    let mut streams = doc_streams(&["Dear Dr\r"]);
    streams[1].1.extend(properties(LINE));
    let found = look(&compound(&streams));
    assert!(is_sure(&found) && found.unread.is_empty(), "{found:?}");
}

/// PowerPoint ends an object's packed form behind its octets, without an end of its own.
#[test]
fn an_object_without_its_end_is_whole_when_it_is_as_long_as_announced() {
    let inner = doc(&[LINE]);
    let mut packer = flate2::Compress::new(flate2::Compression::default(), true);
    let mut packed = Vec::with_capacity(60_000);
    packer.compress_vec(&inner, &mut packed, flate2::FlushCompress::Sync).unwrap();
    for (announced, expected) in [(inner.len(), vec![]), (inner.len() + 1, vec![FindingKind::BrokenAttachment])] {
        let object = [&(announced as u32).to_le_bytes()[..], &packed].concat();
        let found = look(&compound(&[("PowerPoint Document", atom(0x10, 0x1011, &object))]));
        assert!(is_sure(&found), "{found:?}");
        assert_eq!(unread(&found), expected, "{found:?}");
    }
}

/// A module's source, and a directory that says where it begins.
fn project(source: &str) -> [(&'static str, Vec<u8>); 3] {
    let packed = |text: &[u8]| {
        let tokens: Vec<u8> = text.chunks(8).flat_map(|letters| [&[0][..], letters].concat()).collect();
        let header = (0xB000 | (tokens.len() - 1) as u16).to_le_bytes();
        [&[1][..], &header, &tokens].concat()
    };
    let entry = |kind: u16, data: &[u8]| [&kind.to_le_bytes()[..], &(data.len() as u32).to_le_bytes(), data].concat();
    let directory = [
        entry(0x0003, &[0xE4, 0x04]),
        [&[9, 0, 4, 0, 0, 0][..], &[1, 0, 0, 0, 2, 0]].concat(),
        entry(0x001A, b"Module1"),
        entry(0x0032, &wide("Module1")),
        entry(0x0031, &[5, 0, 0, 0]),
    ];
    let module = [&[0xCC, 0x61, 1, 2, 3][..], &packed(source.as_bytes())].concat();
    [
        ("Macros/VBA/_VBA_PROJECT", vec![0xCC, 0x61, 0xFF, 0xFF]),
        ("Macros/VBA/dir", packed(&directory.concat())),
        ("Macros/VBA/Module1", module),
    ]
}

#[test]
fn macros_are_read_as_they_were_written() {
    let streams = project("Sub a()\r\n  MsgBox \"NHS number 943 476 5919\"\r\nEnd Sub\r\n");
    let found = look(&doc_and(&streams));
    assert!(is_sure(&found) && found.unread.is_empty(), "{found:?}");
    assert!(found.findings.iter().any(|f| f.place == "x.ole!/Module1"), "{found:?}");
    let mut elsewhere = streams;
    elsewhere[2].1.truncate(5);
    assert_eq!(unread(&look(&doc_and(&elsewhere))), [FindingKind::BrokenAttachment]);
    elsewhere[2] = ("Macros/VBA/Module2", [3, 1, 2, 255, 128].repeat(80));
    assert_eq!(unread(&look(&doc_and(&elsewhere))), [FindingKind::UnknownAttachment], "no module of this project");
}

#[test]
fn a_file_with_no_room_for_a_stream_is_empty() {
    let bare = compound(&[]);
    assert_eq!(look(&bare).unread, []);
    let long = [bare, vec![0; 512]].concat();
    assert_eq!(unread(&look(&long)), [FindingKind::UnknownAttachment], "something may be behind it");
}

/// As Apache POI and others fill up the table of sectors.
#[test]
fn ends_of_chains_behind_the_last_sector_are_nothing() {
    let filled = |mut file: Vec<u8>, from: usize| {
        let sectors = file.len() / 512 - 1;
        let table = 512 * (1 + u32::from_le_bytes([file[76], file[77], file[78], file[79]]) as usize);
        for entry in from.max(sectors)..128 {
            file[table + 4 * entry..table + 4 * entry + 4].copy_from_slice(&[0xFE, 0xFF, 0xFF, 0xFF]);
        }
        file
    };
    let whole = doc(&[LINE]);
    let found = look(&filled(whole.clone(), 0));
    assert!(is_sure(&found) && found.unread.is_empty(), "{found:?}");
    let cut = whole[..whole.len() - 512].to_vec();
    assert!(!look(&filled(cut, 0)).unread.is_empty(), "a chain goes on where nothing is");
}

#[test]
fn messages_are_read_with_their_attachments() {
    let headers = "From: a@b.example\r\nReceived: x\r\nSubject: NHS number 943 476 5919\r\n\r\n";
    for (id, text) in [(0x0037, LINE), (0x1000, LINE), (0x0C1A, LINE), (0x007D, headers), (0x8005, LINE)] {
        let found = look(&msg(&[(0x0070, "x"), (id, text)], &[]));
        assert!(is_sure(&found) && found.unread.is_empty(), "{id:x} {found:?}");
    }
    let inner = msg(&[(0x1000, LINE)], &[]);
    let found = look(&msg(&[(0x1000, "see")], &[("inner.msg", inner)]));
    assert!(is_sure(&found) && found.unread.is_empty(), "{found:?}");
    let inner = compound(&[
        ("__properties_version1.0", vec![0; 32]),
        ("__attach_version1.0_#00000000/__properties_version1.0", vec![0; 8]),
        ("__attach_version1.0_#00000000/__substg1.0_3701000D/__properties_version1.0", vec![0; 24]),
        ("__attach_version1.0_#00000000/__substg1.0_3701000D/__substg1.0_1000001F", wide(LINE)),
    ]);
    assert!(is_sure(&look(&inner)));
    let marked = look(&msg(&[(0x0037, "OFFICIAL-SENSITIVE: x")], &[]));
    assert!(marked.findings.iter().any(|f| f.kind == FindingKind::MarkingOfficialSensitive), "{marked:?}");
}

#[test]
fn what_nobody_reads_is_unknown() {
    let visio = ("VisioDocument", vec![3; 900]);
    let found = look(&compound(std::slice::from_ref(&visio)));
    assert_eq!(unread(&found), [FindingKind::UnknownAttachment], "{found:?}");
    for more in ["MsoDataStore/1/Item", "Objects/1/Package", "VBA/_VBA_PROJECT"] {
        let found = look(&compound(&[visio.clone(), (more, b"text".to_vec())]));
        assert_eq!(unread(&found), [FindingKind::UnknownAttachment], "{more}: {found:?}");
    }
}

#[test]
fn damage_is_said_and_hides_nothing() {
    let whole = doc(&[LINE]);
    let mut places = doc_streams(&[LINE]);
    places[1].1.truncate(9);
    let mut far = doc_streams(&[LINE]);
    let last = far[1].1.len() - 5;
    far[1].1[last] = 0x41;
    for file in [compound(&places), compound(&far)] {
        let found = look(&file);
        assert!(is_sure(&found), "{found:?}");
        assert_eq!(unread(&found), [FindingKind::BrokenAttachment], "{found:?}");
    }
    for cut in [8, 600, 1_500, 2_600] {
        assert!(!look(&whole[..cut]).unread.is_empty(), "{cut}");
    }
}

/// A shared piece may be named again and again.
#[test]
fn what_is_repeated_is_bounded() {
    let text = "x".repeat(60_000);
    let mut streams = doc_streams(&[&text]);
    let place: [u8; 4] = ((0x400u32 * 2) | 0x4000_0000).to_le_bytes();
    let count = 4_000u32;
    let places: Vec<u8> = (0..=count).flat_map(|at| (at * 60_000).to_le_bytes()).collect();
    let pieces: Vec<u8> = (0..count).flat_map(|_| [&[0, 0][..], &place, &[0, 0]].concat()).collect();
    let plc = [places, pieces].concat();
    streams[1].1 = [&[2][..], &(plc.len() as u32).to_le_bytes(), &plc].concat();
    streams[0].1[0x1A6..0x1AA].copy_from_slice(&(plc.len() as u32 + 5).to_le_bytes());
    let limits = Limits { decoded: 2_000_000, part: 1_000_000, ..Limits::default() };
    let head = b"Content-Type: application/octet-stream; name=x.ole\r\nContent-Transfer-Encoding: base64\r\n\r\n";
    let letters = base64::engine::general_purpose::STANDARD.encode(compound(&streams));
    let found = inspect(&[head, letters.as_bytes()].concat(), &Rules::default(), &limits);
    assert!(found.unread.iter().any(|unread| unread.kind == FindingKind::LimitReached), "{found:?}");
}

//! Packages as wholes: which parts are read, in which charset, and what is said of the rest.

use super::*;

fn letter(text: &str) -> String {
    document(&format!("<w:p>{}</w:p>", run(text)))
}

#[test]
fn parts_are_known_by_what_is_in_them() {
    let letter = letter("NHS number 943 476 5919");
    for name in ["word/document.xml", "word/document.dat", "x/9.bin"] {
        assert!(finds(&[(name, letter.as_bytes())]), "{name}");
    }
    let twice = [("word/a.xml", self::letter("x").into_bytes()), ("word/A.xml", letter.clone().into_bytes())];
    assert!(finds(&[(twice[0].0, &twice[0].1), (twice[1].0, &twice[1].1)]));
    let commented = letter.replacen("<w:document", &format!("<!--{}--><w:document", "x".repeat(100_000)), 1);
    assert!(finds(&[("word/document.xml", commented.as_bytes())]));
    let strict =
        letter.replace("schemas.openxmlformats.org/wordprocessingml/2006", "purl.oclc.org/ooxml/wordprocessingml");
    assert!(strict.contains("purl.oclc.org/ooxml/wordprocessingml/main") && finds(&[("d", strict.as_bytes())]));
}

#[test]
fn other_charsets_are_read() {
    let split = document(&format!("<w:p>{}{}</w:p>", run("NHS number 943 4"), run("76 5919")));
    let wide: Vec<u8> = format!("\u{FEFF}{split}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert!(finds(&[("word/document.xml", &wide)]));
    let unmarked: Vec<u8> = split.encode_utf16().flat_map(u16::to_be_bytes).collect();
    assert!(finds(&[("word/document.xml", &unmarked)]));
}

#[test]
fn entities_are_expanded_and_said() {
    let declared = letter("NHS number &x;&unknown;").replacen(
        "<w:document",
        "<!DOCTYPE d [<!ENTITY x \"943 &#52;76 5919\">]><w:document",
        1,
    );
    let package = package(&[("[Content_Types].xml", b"<Types/>"), ("word/document.xml", declared.as_bytes())]);
    assert!(places(&package).contains(&("word/document.xml".to_owned(), Confidence::High)));
    assert!(
        findings(&package).findings.iter().any(|f| f.kind == FindingKind::BrokenAttachment && f.masked == "entities")
    );
    let billion = letter(&"&x;".repeat(100_000)).replacen(
        "<w:document",
        &format!("<!DOCTYPE d [<!ENTITY x \"{}\">]><w:document", "y".repeat(5_000)),
        1,
    );
    let mut strings = Strings::default();
    let mut reader = Reader::new(&mut strings, usize::MAX);
    assert_eq!(xml::walk(&billion, &mut reader), Err("entities"));
    assert!(reader.finish().told.readings[0].len() < 1_000_000);
}

#[test]
fn broken_markup_is_read_and_said() {
    for broken in [
        letter("NHS number 943 476 5919").replace("</w:p>", ""),
        letter("NHS number 943 476 5919").replace("</w:document>", ""),
        letter("NHS number 943 476 5919") + "<",
        letter("NHS number 943 476 5919").replace("<w:body>", "<u:body>"),
        letter(&format!("{}NHS number 943 476 5919", "<w:x>".repeat(5_000))),
    ] {
        let package = package(&[("[Content_Types].xml", b"<Types/>"), ("word/document.xml", broken.as_bytes())]);
        assert!(places(&package).iter().any(|(_, sure)| *sure == Confidence::High), "{broken}");
        let said = findings(&package).findings;
        assert!(said.iter().any(|f| f.kind == FindingKind::BrokenAttachment), "{broken} {said:?}");
    }
}

#[test]
fn every_other_file_of_a_package_is_looked_at() {
    let text = ("word/document.xml", letter("see inside").into_bytes());
    for (name, bytes) in [
        ("word/embeddings/letter.txt", b"NHS number 943 476 5919".to_vec()),
        ("word/afchunk.mht", b"From: a@b\r\nMIME-Version: 1.0\r\n\r\nNHS number 943 476 5919".to_vec()),
        ("word/afchunk.htm", b"<html><body>NHS number 943 <b>476</b> 5919".to_vec()),
        (
            "docProps/core.xml",
            b"<cp:coreProperties><dc:title>NHS number 943 476 5919</dc:title></cp:coreProperties>".to_vec(),
        ),
        ("customXml/item1.xml", b"<a><nhsNumber>9434765919</nhsNumber></a>".to_vec()),
        (
            "word/_rels/document.xml.rels",
            b"<Relationships><Relationship Target='http://x/?NHS number=943 476 5919'/></Relationships>".to_vec(),
        ),
        (
            "word/embeddings/book.docx",
            package(&[("[Content_Types].xml", b"<Types/>"), ("d.xml", letter("NHS number 943 476 5919").as_bytes())]),
        ),
        (
            "xl/printerSettings/printerSettings1.bin",
            [
                b"\0\x01\x02\0".as_slice(),
                &"NHS number 943 476 5919".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>(),
            ]
            .concat(),
        ),
    ] {
        assert!(finds(&[(text.0, &text.1), (name, &bytes)]), "{name}");
    }
    let unread = |name: &str, bytes: &[u8]| {
        let package = package(&[("[Content_Types].xml", b"<Types/>"), (text.0, &text.1), (name, bytes)]);
        findings(&package).unread.into_iter().map(|unread| unread.kind).collect::<Vec<_>>()
    };
    let noise: Vec<u8> = (0..=255).collect();
    assert_eq!(unread("xl/workbook.bin", &noise), [FindingKind::UnknownAttachment]);
    assert_eq!(unread("xl/printerSettings1.bin", &noise), []);
    let wide: Vec<u8> = "Printer\0\0\u{1}\u{4}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(unread("xl/printerSettings1.bin", &wide), []);
    assert_eq!(unread("Pictures/TablePreview1.svm", &[b"VCLMTF\x01\0".as_slice(), &wide].concat()), []);
    let picture = [b"\x89PNG\r\n\x1A\n\0\0\0\x0DIHDR".as_slice(), &[0; 30_000]].concat();
    assert_eq!(unread("word/media/image1.png", &picture), [FindingKind::Image]);
    assert_eq!(unread("word/media/image1.png", &picture[..1_000]), []);
}

#[test]
fn a_package_without_text_is_said() {
    let picture = b"\x89PNG\r\n\x1A\nabc".as_slice();
    let empty = document("<w:p/>");
    let package = package(&[
        ("[Content_Types].xml", b"<Types/>"),
        ("word/document.xml", empty.as_bytes()),
        ("word/media/i.png", picture),
    ]);
    assert!(findings(&package).findings.iter().any(|f| f.masked == "no text found"), "{:?}", findings(&package));
}

#[test]
fn an_empty_document_is_no_alarm_and_one_that_is_not_there_is() {
    let empty = document("<w:p/>");
    let main: (&str, &[u8]) = ("word/document.xml", empty.as_bytes());
    let said = |parts: &[(&str, &[u8])]| {
        let types: (&str, &[u8]) = ("[Content_Types].xml", b"<Types/>");
        findings(&package(&[&[types], parts].concat())).unread.into_iter().map(|said| said.kind).collect::<Vec<_>>()
    };
    let picture = b"\x89PNG\r\n\x1A\n\0\0\0\x0DIHDR\0\0\0\x01\0\0\0\x01".as_slice();
    assert_eq!(said(&[main]), []);
    assert_eq!(said(&[main, ("docProps/thumbnail.png", picture)]), []);
    assert_eq!(said(&[main, ("word/media/a.png", picture)]), [FindingKind::Image], "its text may be in the picture");
    assert_eq!(said(&[main, ("word/media/a.png", picture), ("word/a.html", b"<html>a letter</html>")]), []);
    assert_eq!(said(&[("word/a.html", b"<html>a letter</html>")]), [FindingKind::BrokenAttachment]);
    let outlines = document("<a:custGeom/>");
    assert_eq!(said(&[("word/document.xml", outlines.as_bytes())]), [FindingKind::Image], "letters may be drawn");
    let ink = format!("<ink xmlns='http://www.w3.org/2003/InkML'><trace>{}</trace></ink>", "10 0 9, ".repeat(4_000));
    assert!(said(&[main, ("word/ink/ink1.xml", ink.as_bytes())]).contains(&FindingKind::Image), "handwriting");
    let theme = format!("<a:themeManager {NAMESPACES}/>");
    assert_eq!(said(&[("theme/theme/themeManager.xml", theme.as_bytes())]), []);
    let thrown_away = [&[0xFF; 4][..], &[0; 600], b"NHS number 943 476 5919"].concat();
    assert_eq!(said(&[main, ("[trash]/0000.dat", &thrown_away)]), []);
    assert!(finds(&[main, ("[trash]/0000.dat", &thrown_away)]));
}

#[test]
fn markup_that_is_laid_out_in_lines_divides_no_word() {
    let runs = |p: &str| {
        format!(
            "<{p}:p>\n  <{p}:r>\n    <{p}:t>leuk</{p}:t>\n  </{p}:r>\n  <{p}:r>\n    <{p}:t>aemia</{p}:t>\n  </{p}:r>\n</{p}:p>"
        )
    };
    for prefix in ["w", "a"] {
        assert_eq!(shown(&runs(prefix)).trim(), "leukaemia", "{prefix}");
    }
    let open = "<text:p><text:span>a</text:span> <text:span>b</text:span></text:p>";
    assert_eq!(shown(open).trim(), "a b", "OpenDocument has its text there");
}

#[test]
fn html_that_word_takes_in_is_read() {
    let chunk = document("<w:altChunk r:id='x'/>");
    let html = b"<html><body><p>NHS number 943&nbsp;476 5919</p></body></html>".as_slice();
    let mail = b"MIME-Version: 1.0\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: quoted-printable\r\nSubject: x\r\n\
        \r\n<p>NHS number 943=20476=20=\r\n5919</p>\r\n".as_slice();
    for (name, bytes) in [("word/a.html", html), ("word/a.mht", mail)] {
        assert!(finds(&[("word/document.xml", chunk.as_bytes()), (name, bytes)]), "{name}");
    }
}

#[test]
fn a_sheet_is_read_behind_its_strings() {
    let main = "xmlns='http://schemas.openxmlformats.org/spreadsheetml/2006/main'";
    let sheet = format!(
        "<worksheet {main}><sheetData><row r='1'><c r='A1' t='s'><v>1</v></c><c r='B1' t='s'><v>0</v></c></row><row r='2'><c r='B2'><v>9434765919</v></c></row></sheetData></worksheet>"
    );
    let strings = format!("<sst {main}><si><t>NHS number</t></si><si><t>Name</t></si></sst>");
    assert!(finds(&[("xl/worksheets/sheet1.xml", sheet.as_bytes()), ("xl/sharedStrings.xml", strings.as_bytes())]));
    let package = package(&[("[Content_Types].xml", b"<Types/>"), ("xl/worksheets/sheet1.xml", sheet.as_bytes())]);
    assert!(findings(&package).findings.iter().any(|f| f.masked == "shared strings"));
}

#[test]
fn encrypted_open_documents_are_closed() {
    let manifest = "<manifest:manifest xmlns:manifest='urn:oasis:names:tc:opendocument:xmlns:manifest:1.0'><manifest:file-entry manifest:full-path='content.xml'><manifest:encryption-data/></manifest:file-entry></manifest:manifest>";
    let package = package(&[
        ("mimetype", b"application/vnd.oasis.opendocument.text"),
        ("content.xml", b"\x90\0\x01\xFF\x02"),
        ("META-INF/manifest.xml", manifest.as_bytes()),
    ]);
    let found = findings(&package).findings;
    assert!(
        found.iter().any(|f| f.kind == FindingKind::EncryptedAttachment && f.masked == "open-document"),
        "{found:?}"
    );
}

#[test]
fn markup_that_stands_alone_is_read_too() {
    let split = document(&format!("<w:p>{}{}</w:p>", run("NHS number 943 4"), run("76 5919")));
    let flat = format!(
        "<pkg:package xmlns:pkg='http://schemas.microsoft.com/office/2006/xmlPackage'><pkg:part><pkg:xmlData>{}</pkg:xmlData></pkg:part></pkg:package>",
        &split[21..]
    );
    let binary = "<pkg:package xmlns:pkg='http://schemas.microsoft.com/office/2006/xmlPackage'><pkg:part><pkg:binaryData>TkhTIG51bWJlciA5NDMg\r\nNDc2IDU5MTk=</pkg:binaryData></pkg:part></pkg:package>";
    let old = "<Workbook xmlns='urn:schemas-microsoft-com:office:spreadsheet' xmlns:ss='urn:schemas-microsoft-com:office:spreadsheet'><Row><Cell><Data>NHS number</Data></Cell></Row><Row><Cell ss:Index='1'><Data>9.434765919E9</Data></Cell></Row></Workbook>";
    let odf = format!(
        "<office:document {NAMESPACES}><text:p>NHS number 943 4<text:span>76 59</text:span>19</text:p></office:document>"
    );
    for markup in [&split, &flat, binary, old, &odf] {
        assert!(places(markup.as_bytes()).iter().any(|(_, sure)| *sure == Confidence::High), "{markup}");
    }
    let page = format!("<w:document {NAMESPACES}>NHS number 943 <b>476</b> 5919</w:document>");
    assert!(places(page.as_bytes()).iter().any(|(_, sure)| *sure == Confidence::High), "as a browser shows it");
}

#[test]
fn no_beginning_of_a_document_is_too_much() {
    let markup = format!(
        "<!DOCTYPE d [<!ENTITY x \"9\">]>{}",
        &document(&format!(
            "<w:tbl><w:tr><w:tc><w:p>{}<mc:AlternateContent><mc:Choice Requires='new'><a:p><a:t>_x00&#x33;9_é\u{F031}</a:t></a:p></mc:Choice></mc:AlternateContent></w:p></w:tc></w:tr></w:tbl>\
            <s:row><s:c r='ZZZZ99' t='s'><s:v>&x;&y;</s:v></s:c></s:row><s:oddHeader>&amp;K&amp;\"é&amp;9é&amp;</s:oddHeader><![CDATA[x]]><?pi x?>",
            run("é")
        ))[21..]
    );
    for at in 0..=markup.len() {
        let mut strings = Strings::default();
        let bytes = &markup.as_bytes()[..at];
        let text = String::from_utf8_lossy(bytes);
        let mut reader = Reader::new(&mut strings, at);
        let _ = xml::walk(&text, &mut reader);
        reader.finish();
        let _ = super::super::is_markup(bytes);
    }
}

#[test]
fn time_grows_with_the_document() {
    let deep = |n: usize| letter(&"<w:p>".repeat(n));
    let prefixes: String = (0..5_000).map(|n| format!(" xmlns:p{n}='{n}'")).collect();
    let many = letter("x").replacen("<w:document", &format!("<w:document{prefixes}"), 1);
    let alternatives = document(&"<w:p><mc:AlternateContent><mc:Fallback><w:t>x</w:t></mc:Fallback><mc:Choice><w:del><w:t>y</w:t></w:del></mc:Choice></mc:AlternateContent></w:p>".repeat(20_000));
    let closing = document(&"<a></b>".repeat(50_000));
    let ends = letter(&"</x>".repeat(300_000));
    let boxes = document(&"<w:txbxContent><w:p><w:t>x</w:t>".repeat(2_000));
    for markup in [deep(1_000_000), many, alternatives, closing, ends, boxes] {
        let mut strings = Strings::default();
        let started = std::time::Instant::now();
        let mut reader = Reader::new(&mut strings, 10_000_000);
        let _ = xml::walk(&markup, &mut reader);
        reader.finish();
        assert!(started.elapsed().as_secs() < 5, "{}", &markup[markup.len() - 50..]);
    }
}

#[test]
fn a_part_in_a_charset_that_nobody_knows_is_said() {
    let types: (&str, &[u8]) = ("[Content_Types].xml", b"<Types/>");
    // `<?xml` and `<w` in EBCDIC, under a name that tells nothing; other octets under one that does.
    let parts: [(&str, &[u8]); 2] = [
        ("word/letter", b"\x4C\x6F\xA7\x94\x93\x6F\x6E\x4C\xA6\x7A\x84"),
        ("word/document.xml", b"\xA6\x7A\x84\xF9\xF4\xF3"),
    ];
    for part in parts {
        let unread = findings(&package(&[types, part])).findings;
        let said = unread.iter().any(|f| f.place.ends_with(part.0) && f.masked == "charset");
        assert!(said, "{}: {unread:?}", part.0);
    }
}

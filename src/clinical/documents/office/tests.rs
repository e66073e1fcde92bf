//! Packages written by hand, and what is told of them.

mod page;

use super::reader::Reader;
use super::strings::Strings;
use super::xml;
use crate::clinical::{Findings, Limits, Rules, inspect};
use crate::vocabulary::{Confidence, FindingKind};
use std::fmt::Write as _;
use std::io::{Cursor, Write as _};
use zip::write::{SimpleFileOptions, ZipWriter};

fn package(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in parts {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn message(document: &[u8]) -> Vec<u8> {
    use base64::Engine;
    let letters = base64::prelude::BASE64_STANDARD.encode(document);
    let mut message = String::from(
        "Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: application/octet-stream; name=a.bin\r\nContent-Transfer-Encoding: base64\r\n\r\n",
    );
    for line in letters.as_bytes().chunks(76) {
        let _ = writeln!(message, "{}\r", std::str::from_utf8(line).unwrap());
    }
    message.into_bytes()
}

fn findings(document: &[u8]) -> Findings {
    inspect(&message(document), &Rules::default(), &Limits::default())
}

/// Where a number was found, and how surely.
fn places(document: &[u8]) -> Vec<(String, Confidence)> {
    let found = findings(document).findings.into_iter().filter(|f| f.kind == FindingKind::NhsNumber);
    found.map(|f| (f.place.trim_start_matches("a.bin!/").to_owned(), f.confidence)).collect()
}

/// Whether the package of these parts has the number, with certainty.
fn finds(parts: &[(&str, &[u8])]) -> bool {
    let types: (&str, &[u8]) = ("[Content_Types].xml", b"<Types/>");
    places(&package(&[&[types], parts].concat())).iter().any(|(_, sure)| *sure == Confidence::High)
}

const NAMESPACES: &str = "xmlns:w='http://schemas.openxmlformats.org/wordprocessingml/2006/main' \
    xmlns:s='http://purl.oclc.org/ooxml/spreadsheetml/main' xmlns:a='http://schemas.openxmlformats.org/drawingml/2006/main' \
    xmlns:c='http://schemas.openxmlformats.org/drawingml/2006/chart' xmlns:mc='http://schemas.openxmlformats.org/markup-compatibility/2006' \
    xmlns:wps='http://schemas.microsoft.com/office/word/2010/wordprocessingShape' xmlns:new='urn:of:tomorrow' \
    xmlns:m='http://schemas.openxmlformats.org/officeDocument/2006/math' xmlns:v='urn:schemas-microsoft-com:vml' \
    xmlns:office='urn:oasis:names:tc:opendocument:xmlns:office:1.0' xmlns:text='urn:oasis:names:tc:opendocument:xmlns:text:1.0' \
    xmlns:table='urn:oasis:names:tc:opendocument:xmlns:table:1.0' xmlns:draw='urn:oasis:names:tc:opendocument:xmlns:drawing:1.0' \
    xmlns:style='urn:oasis:names:tc:opendocument:xmlns:style:1.0'";

/// The readings of a part, and what is told aside.
fn all_of(markup: &str, strings: &mut Strings) -> [String; 4] {
    let whole = format!("<w:all {NAMESPACES}>{markup}</w:all>");
    let mut reader = Reader::new(strings, 1_000_000);
    xml::walk(&whole, &mut reader).unwrap();
    let told = reader.finish().told;
    let [shown, other, hidden, ..] = told.readings;
    [shown, other, hidden, told.aside]
}

fn shown(markup: &str) -> String {
    all_of(markup, &mut Strings::default())[0].trim_end_matches("\n;\n").to_owned()
}

fn run(text: &str) -> String {
    format!("<w:r><w:t>{text}</w:t></w:r>")
}

#[test]
fn runs_join_and_paragraphs_divide() {
    let paragraph = "<w:p><w:r><w:t>943 4</w:t></w:r><w:proofErr/><w:r><w:t>76&#160;5</w:t></w:r><w:r><w:t>9<!-- x -->19</w:t></w:r></w:p>";
    assert_eq!(shown(&paragraph.repeat(2)), "943 476\u{A0}5919\n943 476\u{A0}5919\n");
}

#[test]
fn signs_stand_for_characters() {
    let markup = "<w:p><w:pPr><w:tabs><w:tab w:pos='1'/></w:tabs></w:pPr><w:r><w:t>943</w:t><w:noBreakHyphen/><w:t>476</w:t><w:softHyphen/>\
        <w:t>5</w:t><w:tab/><w:t>9</w:t><w:br/><w:sym w:font='Symbol' w:char='F031'/><w:cr/><w:t>9</w:t></w:r></w:p>";
    assert_eq!(shown(markup), "943\u{2011}476\u{AD}5\t9\n1\n9\n");
}

#[test]
fn cells_are_columns_and_rows_are_lines() {
    let cell = |text: &str| format!("<w:tc><w:p>{}</w:p></w:tc>", run(text));
    let two =
        format!("<w:tc><w:tcPr><w:gridSpan w:val='2'/></w:tcPr><w:p>{}</w:p><w:p>{}</w:p></w:tc>", run("a"), run("b"));
    let rows =
        format!("<w:tbl><w:tr>{}{}</w:tr><w:tr>{two}{}</w:tr></w:tbl>", cell("NHS number"), cell("Name"), cell("c"));
    assert_eq!(shown(&rows), "NHS number\tName\t\na\u{2028}b\t\tc\t\n");
    let nested = format!("<w:tbl><w:tr><w:tc><w:p>{}</w:p>{rows}</w:tc>{}</w:tr></w:tbl>", run("x"), cell("y"));
    assert_eq!(shown(&nested), "NHS number\tName\t\na\u{2028}b\t\tc\t\n\n;\nx\ty\t\n");
}

#[test]
fn what_is_changed_or_hidden_is_read_with_and_without() {
    let hidden = "<w:r><w:rPr><w:vanish/></w:rPr><w:t>1</w:t></w:r>";
    let markup = format!(
        "<w:p>{}{hidden}{}<w:ins><w:r><w:t>9</w:t></w:r></w:ins><w:del><w:r><w:delText>8</w:delText></w:r></w:del></w:p>",
        run("943 4"),
        run("76 591")
    );
    let [shown, other, all, _] = all_of(&markup, &mut Strings::default());
    assert!(shown.starts_with("943 476 5919\n"), "{shown}");
    assert!(other.starts_with("943 476 5918\n"), "{other}");
    assert!(all.starts_with("943 4176 59198\n"), "{all}");
    let visible = "<w:r><w:rPr><w:vanish w:val='0'/></w:rPr><w:t>1</w:t></w:r>";
    assert_eq!(self::shown(visible), "1");
}

#[test]
fn alternatives_are_read_one_by_one() {
    let of = |requires: &str| {
        format!(
            "<w:p>{}<mc:AlternateContent><mc:Choice Requires='{requires}'>{}</mc:Choice><mc:Fallback>{}</mc:Fallback></mc:AlternateContent>{}</w:p>",
            run("943 47"),
            run("6"),
            run("7"),
            run(" 5919")
        )
    };
    let [shown, other, ..] = all_of(&of("wps"), &mut Strings::default());
    assert!(shown.starts_with("943 476 5919\n") && other.starts_with("943 477 5919\n"), "{shown}{other}");
    let [shown, other, ..] = all_of(&of("new"), &mut Strings::default());
    assert!(shown.starts_with("943 477 5919\n") && other.starts_with("943 476 5919\n"), "{shown}{other}");
}

#[test]
fn what_a_programme_does_not_know_divides_nothing() {
    let markup = format!("<w:p>{}<new:x>1{}</new:x>{}</w:p>", run("943 4"), run("2"), run("76 5919"));
    let [shown, other, all, aside] = all_of(&markup, &mut Strings::default());
    assert_eq!((shown.as_str(), other.as_str()), ("943 476 5919\n\n;\n", ""));
    assert!(all.starts_with("943 4276 5919"));
    assert!(aside.contains("x 1"));
}

#[test]
fn boxes_and_notes_stand_by_themselves() {
    let inside = format!("<w:txbxContent><w:p>{}</w:p></w:txbxContent>", run("box"));
    let markup = format!(
        "<w:p>{}<w:r><mc:AlternateContent><mc:Choice Requires='wps'>{inside}</mc:Choice><mc:Fallback><v:textbox>{inside}</v:textbox></mc:Fallback></mc:AlternateContent></w:r>{}</w:p>",
        run("943 476"),
        run(" 5919")
    );
    let [shown, other, ..] = all_of(&markup, &mut Strings::default());
    assert_eq!((shown.as_str(), other.as_str()), ("box\n\n;\n943 476 5919\n\n;\n", "box\n\n;\n"));
}

#[test]
fn fields_attributes_and_formulas_are_told_aside() {
    let markup = "<w:p><w:r><w:fldChar/><w:instrText>QUOTE \"943 </w:instrText></w:r><w:r><w:instrText>476\"</w:instrText><w:fldChar/></w:r></w:p>\
        <a:blip descr='one' title='two'/><w:fldSimple w:instr='three'/><w:alias w:val='four of it'/><v:textpath string='five'/>\
        <s:f>SIX(1)&amp;\"si\"&amp;\"x\"</s:f><s:definedName name='seven'>8</s:definedName><w:rFonts w:ascii='Times New Roman'/><w:id w:val='1234567890'/>\
        <w:p w:rsidR='123456789'/><w:x w:val='9434765919'/>";
    let aside = all_of(markup, &mut Strings::default())[3].clone();
    for told in [
        "QUOTE \"943 476\"",
        "one",
        "two",
        "three",
        "four of it",
        "five",
        "SIX(1)&\"si\"",
        "SIX(1)&\"six\"",
        "seven",
        "9434765919",
    ] {
        assert!(aside.contains(told), "{told} in {aside}");
    }
    for noise in ["Times", "1234567890", "123456789 "] {
        assert!(!aside.contains(noise), "{noise} in {aside}");
    }
}

#[test]
fn sheets_have_columns_strings_and_numbers() {
    let mut strings = Strings::default();
    let table = "<s:si><s:t>NHS number</s:t></s:si><s:si><s:r><s:t>943 </s:t></s:r><s:r><s:t>476 5919</s:t></s:r><s:rPh><s:t>ph</s:t></s:rPh></s:si>";
    assert_eq!(all_of(table, &mut strings)[0], "ph\n;\nNHS number\n943 476 5919\n\n;\n");
    let rows = "<s:row><s:c r='A1' t='s'><s:v>0</s:v></s:c><s:c r='D1' t='s'><s:v>1</s:v></s:c></s:row>\
        <s:row><s:c r='B2'><s:f>A1+1</s:f><s:v>9.434765919E9</s:v></s:c><s:c t='inlineStr'><s:is><s:t>_x0039_43\n4</s:t></s:is></s:c>\
        <s:c t='str'><s:v>x</s:v></s:c><s:c r='XFD2'><s:v>1.5</s:v></s:c></s:row>";
    let shown = all_of(rows, &mut strings)[0].clone();
    let many = "\t".repeat(253);
    assert_eq!(shown, format!("NHS number\t\t\t943 476 5919\n\t9434765919\t943\u{2028}4\tx{many}1.5\n\n;\n"));
    assert!(!strings.is_missing());
    all_of("<s:c t='s'><s:v>2</s:v></s:c>", &mut strings);
    assert!(strings.is_missing());
}

#[test]
fn a_long_string_is_not_repeated() {
    let mut strings = Strings::default();
    strings.push(&"x".repeat(1_000));
    let markup = "<s:row><s:c t='s'><s:v>0</s:v></s:c></s:row>".repeat(1_000);
    assert!(all_of(&markup, &mut strings)[0].len() < 10_000);
}

#[test]
fn slides_and_charts_have_paragraphs_and_cells() {
    let paragraph = |text: &str| {
        format!("<a:p><a:r><a:t>{text}</a:t></a:r><a:r><a:t>4</a:t></a:r><a:br/><a:fld><a:t>f</a:t></a:fld></a:p>")
    };
    assert_eq!(shown(&paragraph("943 ")), "943 4\nf\n");
    let table = "<a:tbl><a:tr><a:tc><a:txBody><a:p><a:r><a:t>NHS</a:t></a:r></a:p></a:txBody></a:tc><a:tc><a:txBody><a:p><a:t>x</a:t></a:p></a:txBody></a:tc></a:tr></a:tbl>";
    assert_eq!(shown(table), "NHS\tx\t\n");
    assert_eq!(shown("<c:pt><c:v>9.434765919E9</c:v></c:pt><c:pt><c:v>a</c:v></c:pt>"), "9434765919\na\n");
}

#[test]
fn open_documents_have_paragraphs_blanks_and_cells() {
    let markup = "<text:p>943<text:s text:c='2'/>4<text:span>76</text:span><text:soft-page-break/>\n  5<text:a>9</text:a>19<text:tab/>x<text:line-break/>y\
        <office:annotation><text:p>note</text:p></office:annotation><text:note><text:note-body><text:p>foot</text:p></text:note-body></text:note></text:p>";
    let text = shown(markup);
    assert!(text.ends_with("943  476 5919\tx\ny\n"), "{text:?}");
    assert!(text.contains("note\n\n;\n") && text.contains("foot\n\n;\n"));
    let rows = "<table:table><table:table-row><table:table-cell table:number-columns-repeated='2'/><table:table-cell><text:p>NHS</text:p></table:table-cell></table:table-row>\
        <table:table-row><table:table-cell/><table:table-cell/><table:table-cell office:value='9434765919'><text:p>9.43E+09</text:p></table:table-cell>\
        <table:table-cell table:number-columns-repeated='99999'/></table:table-row></table:table>";
    let many = "\t".repeat(64);
    assert_eq!(shown(rows), format!("\t\tNHS\t\n\t\t9.43E+09 ; 9434765919\t{many}\n"));
    let hidden = "<style:style style:name='T1'><style:text-properties text:display='none'/></style:style><text:p>943 4<text:span text:style-name='T1'>1</text:span>76</text:p>";
    assert_eq!(shown(hidden), "943 476\n");
    assert!(
        shown("<text:p>a<draw:frame><draw:text-box><text:p>b</text:p></draw:text-box></draw:frame>c</text:p>")
            .ends_with("ac\n")
    );
}

fn document(body: &str) -> String {
    format!("<?xml version='1.0'?><w:document {NAMESPACES}><w:body>{body}</w:body></w:document>")
}

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
        let _ = super::is_markup(bytes);
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

/// What is said to be unread of a package of one part.
fn unread(markup: &str) -> Vec<String> {
    let whole = format!("<s:all {NAMESPACES}>{markup}<w:p>{}</w:p></s:all>", run("x"));
    let package = package(&[("[Content_Types].xml", b"<Types/>"), ("a.xml", whole.as_bytes())]);
    let found = findings(&package).findings.into_iter().filter(|f| f.kind == FindingKind::BrokenAttachment);
    found.map(|f| f.masked).collect()
}

#[test]
fn a_formula_without_a_value_is_said_once() {
    let cell = |inside: &str| format!("<s:row><s:c r='A1'>{inside}</s:c></s:row>");
    let open = cell("<s:f>943476*10000+5919</s:f><s:v></s:v>");
    assert_eq!(unread(&open.repeat(2)), ["formula without value"]);
    assert_eq!(unread(&cell("<s:f>A1</s:f>")), ["formula without value"]);
    assert!(unread(&cell("<s:f>A1</s:f><s:v>1</s:v>")).is_empty());
    assert_eq!(unread("<s:Row><s:Cell s:Formula='=943476*10000+5919'/></s:Row>"), ["formula without value"]);
    assert!(unread("<s:Row><s:Cell s:Formula='=SUM(R[-943]C:R[-1]C)'/></s:Row>").is_empty());
    assert!(unread(&cell("<s:f>SUM(A1:A9)</s:f><s:v></s:v>")).is_empty());
    assert!(unread("<s:c t='str'><s:f>IF(A100=1,A1,\"\")</s:f><s:v></s:v></s:c>").is_empty());
    assert_eq!(unread("<s:c t='str'><s:f>A1&amp;\"943\"</s:f><s:v></s:v></s:c>"), ["formula without value"]);
}

#[test]
fn a_header_shows_the_number_of_the_first_page() {
    let header = "<s:oddHeader>&amp;CNHS number &amp;12&amp;P 476 5919</s:oddHeader>";
    let sheet = format!("<s:worksheet {NAMESPACES}><s:pageSetup firstPageNumber='943'/>{header}</s:worksheet>");
    assert!(finds(&[("xl/sheet.xml", sheet.as_bytes())]));
}

#[test]
fn a_format_that_changes_the_digits_is_said() {
    let styled = |code: &str, cell: &str| {
        let formats = format!("<s:numFmts><s:numFmt numFmtId='170' formatCode='{code}'/></s:numFmts>");
        let looks = "<s:cellXfs><s:xf numFmtId='0'/><s:xf numFmtId='170'/></s:cellXfs>";
        unread(&format!("{formats}{looks}<s:row>{cell}{cell}</s:row>"))
    };
    let cell = |look: usize, value: &str| format!("<s:c r='A2' s='{look}'><s:v>{value}</s:v></s:c>");
    assert_eq!(styled("yyyymmdd&quot;59&quot;", &cell(1, "39311")), ["number format"]);
    assert!(styled("yyyymmdd&quot;59&quot;", &cell(0, "39311")).is_empty());
    assert!(styled("&quot;94&quot;00000000", &cell(1, "34765919")).is_empty(), "it is known what is shown");
    assert!(styled("#,##0,&quot;k&quot;", &cell(1, "1234567")).is_empty());
    let style = "<s:Style s:ID='a'><s:NumberFormat s:Format='&quot;943 476 &quot;0'/></s:Style>";
    let cell = |look: &str| format!("{style}<s:Row><s:Cell s:StyleID='{look}'><s:Data>5919</s:Data></s:Cell></s:Row>");
    for (look, expected) in [("a", "943 476 5919"), ("b", "")] {
        assert_eq!(computed(&format!("<w:all {NAMESPACES}>{}</w:all>", cell(look)))[0].trim_end(), expected);
    }
    assert_eq!(unread("<a:numFmt formatCode='&quot;943 476 &quot;0'/>"), ["number format"]);
    assert!(unread("<a:numFmt formatCode='&quot;FY2026&quot;0'/>").is_empty());
    assert_eq!(unread("<s:dxfs><s:dxf><s:numFmt formatCode='0,'/></s:dxf></s:dxfs>"), ["number format"]);
}

#[test]
fn what_a_style_of_another_part_hides_is_read_with_and_without() {
    let styles = "<w:style w:type='character' w:styleId='B'><w:basedOn w:val='H'/></w:style>\
        <w:style w:type='character' w:styleId='H'><w:rPr><w:vanish/></w:rPr></w:style>";
    let styles = format!("<w:styles {NAMESPACES}>{styles}</w:styles>");
    for style in ["H", "B"] {
        let hidden = format!("<w:r><w:rPr><w:rStyle w:val='{style}'/></w:rPr><w:t>1</w:t></w:r>");
        let text = format!("<w:p>{}{hidden}{}</w:p>", run("NHS number 943"), run(" 476 5919"));
        assert!(finds(&[("a.xml", document(&text).as_bytes()), ("b.xml", styles.as_bytes())]), "{style}");
    }
    let styles = format!(
        "<office:document-styles {NAMESPACES}><style:style style:name='H' style:family='text'>\
        <style:text-properties text:display='none'/></style:style></office:document-styles>"
    );
    let text = format!(
        "<office:document-content {NAMESPACES}><text:p>NHS number 943<text:span text:style-name='H'>1</text:span> 476 5919\
        </text:p></office:document-content>"
    );
    assert!(finds(&[("a.xml", text.as_bytes()), ("b.xml", styles.as_bytes())]));
}

#[test]
fn what_a_programme_counts_is_told_or_said() {
    let list = "<w:abstractNum><w:lvl w:ilvl='0'><w:start w:val='59'/><w:lvlText w:val='943 476 %119'/></w:lvl></w:abstractNum>";
    assert!(all_of(list, &mut Strings::default())[3].contains("943 476 5919 ;"));
    assert_eq!(unread(list), ["numbering"]);
    assert!(
        unread("<w:lvl><w:start w:val='2026'/></w:lvl><w:sectPr><w:pgNumType w:start='5919'/></w:sectPr>").is_empty()
    );
    let usual = "<w:lvl w:ilvl='1'><w:start w:val='1'/><w:lvlText w:val='%1.%2.'/></w:lvl><w:pgNumType w:start='12'/>";
    assert!(unread(usual).is_empty());
}

fn opendocument(body: &str) -> String {
    const SPACES: &[(&str, &str)] = &[
        ("office", "office"),
        ("text", "text"),
        ("table", "table"),
        ("draw", "drawing"),
        ("style", "style"),
        ("number", "datastyle"),
        ("svg", "svg-compatible"),
    ];
    let spaces: Vec<String> = SPACES
        .iter()
        .map(|(prefix, name)| format!("xmlns:{prefix}='urn:oasis:names:tc:opendocument:xmlns:{name}:1.0'"))
        .collect();
    format!("<office:document-content {}>{body}</office:document-content>", spaces.join(" "))
}

/// What a document shows in which something is worked out, in its two ways.
fn computed(markup: &str) -> [String; 2] {
    let mut strings = Strings::default();
    let mut reader = Reader::new(&mut strings, 1_000_000);
    xml::walk(markup, &mut reader).unwrap();
    reader.finish().told.computed.map(|text| text.trim_end_matches("\n;\n").to_owned())
}

#[test]
fn values_of_cells_are_shown_as_their_formats_have_them() {
    let table = |style: &str, value: &str, given: (&str, &str)| {
        let (column, cell) = given;
        opendocument(&format!(
            "<office:automatic-styles>{style}<style:style style:name='ce1' style:family='table-cell' style:data-style-name='N1'/>\
             <style:style style:name='ce2' style:family='table-cell' style:parent-style-name='ce1'/></office:automatic-styles>\
             <office:body><office:spreadsheet><table:table><table:table-column {column}/><table:table-row>\
             <table:table-cell {cell} office:value-type='float' office:value='{value}'><text:p>1</text:p></table:table-cell>\
             </table:table-row></table:table></office:spreadsheet></office:body>"
        ))
    };
    let number = |inside: &str| format!("<number:number-style style:name='N1'>{inside}</number:number-style>");
    let styled = ("", "table:style-name='ce1'");
    let prefix = number("<number:text>943 476 </number:text><number:number number:min-integer-digits='1'/>");
    for given in [styled, ("", "table:style-name='ce2'"), ("table:default-cell-style-name='ce1'", "")] {
        assert!(computed(&table(&prefix, "5919", given))[0].starts_with("943 476 5919"), "{given:?}");
    }
    let embedded = number(
        "<number:number number:min-integer-digits='1'><number:embedded-text number:position='4'>476</number:embedded-text></number:number>",
    );
    assert!(computed(&table(&embedded, "9435919", styled))[0].starts_with("9434765919"));
    let minutes = "<number:time-style style:name='N1' number:truncate-on-overflow='false'><number:minutes number:style='long'/><number:text>5919</number:text></number:time-style>";
    assert!(computed(&table(minutes, "655.1916666666667", styled))[0].starts_with("9434765919"));
    let mapped = format!(
        "{}<number:number-style style:name='N1'><number:number/><style:map style:condition='value()&gt;=0' style:apply-style-name='P'/></number:number-style>",
        number("<number:text>943476</number:text><number:number/>").replace("'N1'", "'P'")
    );
    assert!(computed(&table(&mapped, "5919", styled))[0].starts_with("9434765919"));
    for ordinary in
        [number("<number:number number:decimal-places='2'/>"), number("<number:text>Q</number:text><number:number/>")]
    {
        assert_eq!(computed(&table(&ordinary, "5919", styled))[0], "");
    }
}

#[test]
fn a_workbook_s_formats_are_shown() {
    let sheet = |code: &str, cell: &str| {
        format!(
            "<w:all {NAMESPACES}><s:numFmts><s:numFmt numFmtId='164' formatCode='{code}'/></s:numFmts><s:cellXfs><s:xf/><s:xf numFmtId='164'/></s:cellXfs>\
             <s:row><s:c r='A1' {cell}</s:c></s:row></w:all>"
        )
    };
    for (code, cell, expected) in [
        ("[s]", "s='1'><s:v>109198.67961805555</s:v>", "9434765919"),
        ("&quot;943 476 &quot;0", "s='1'><s:v>5919</s:v>", "943 476 5919"),
        ("0;0;0;&quot;94&quot;@", "s='1' t='str'><s:v>34765919</s:v>", "9434765919"),
        ("[h]:mm", "s='1'><s:v>1.5</s:v>", ""),
        ("[s]", "><s:v>109198.67961805555</s:v>", ""),
    ] {
        assert_eq!(computed(&sheet(code, cell))[0].trim_end(), expected, "{code}");
    }
}

fn text(body: &str) -> String {
    opendocument(&format!("<office:body><office:text>{body}</office:text></office:body>"))
}

#[test]
fn fields_of_opendocument_are_worked_out() {
    for (body, first) in [
        (
            "<text:user-field-decls><text:user-field-decl office:string-value='943' text:name='a'/></text:user-field-decls>\
             <text:p>NHS <text:user-field-get text:name='a'>x</text:user-field-get> 476 5919</text:p>",
            "NHS 943 476 5919",
        ),
        (
            "<text:p><text:expression text:formula='ooow:943' office:value='1'>1</text:expression> 476</text:p>",
            "943 476",
        ),
        (
            "<text:p><text:sequence text:name='a' text:formula='ooow:940'>1</text:sequence></text:p>\
             <text:p><text:sequence text:name='a' text:formula='ooow:a+3'>2</text:sequence> 476</text:p>",
            "940\n943 476",
        ),
        (
            "<text:p><text:conditional-text text:string-value-if-true='943' text:string-value-if-false='x'>x</text:conditional-text> 476</text:p>",
            "943 476",
        ),
        (
            "<text:p><text:bookmark-ref text:ref-name='a'>x</text:bookmark-ref> 476</text:p>\
             <text:p><text:bookmark-start text:name='a'/>943<text:bookmark-end text:name='a'/> of</text:p>",
            "943 476\n943 of",
        ),
        (
            "<text:p>NHS <text:note><text:note-citation text:label='943'>943</text:note-citation><text:note-body><text:p>n</text:p>\
             </text:note-body></text:note>476</text:p>",
            "NHS  943 476",
        ),
        (
            "<text:p>NHS<draw:frame><draw:text-box><text:p>943</text:p></draw:text-box></draw:frame><draw:frame><draw:text-box>\
             <text:p>476</text:p></draw:text-box></draw:frame></text:p>",
            "NHS 943  476",
        ),
        ("<text:p>943 476<text:note><text:note-citation>1</text:note-citation></text:note></text:p>", ""),
        ("<text:p><text:bookmark-ref text:ref-name='b'>x</text:bookmark-ref> 476</text:p>", ""),
    ] {
        assert_eq!(computed(&text(body))[0].trim_end(), first, "{body}");
    }
    let hidden = text("<text:p>943<text:hidden-text> 8 </text:hidden-text> 476</text:p>");
    let mut strings = Strings::default();
    let mut reader = Reader::new(&mut strings, 1_000);
    xml::walk(&hidden, &mut reader).unwrap();
    assert!(reader.finish().told.readings[0].starts_with("943 476"));
}

#[test]
fn the_numbers_of_lists_are_counted() {
    let list = |start: &str, items: &str| {
        opendocument(&format!(
            "<office:automatic-styles><text:list-style style:name='L'><text:list-level-style-number text:level='1' style:num-format='1' \
             {start}/></text:list-style></office:automatic-styles><office:body><office:text><text:list text:style-name='L'>{items}\
             </text:list></office:text></office:body>"
        ))
    };
    let item = |text: &str| format!("<text:list-item><text:p>{text}</text:p></text:list-item>");
    let two = item("one") + &item("476 5919");
    assert_eq!(
        computed(&list("text:start-value='942' style:num-suffix='.'", &two))[0].trim_end(),
        "one\n943. 476 5919"
    );
    assert_eq!(computed(&list("style:num-prefix='943 476 '", &item("five")))[0].trim_end(), "943 476 1 five");
    assert_eq!(computed(&list("", &item("an ordinary list")))[0], "");
    let said = "<text:list-item text:start-value='943'><text:p>476</text:p></text:list-item>";
    assert_eq!(computed(&list("", said))[0].trim_end(), "943 476");
}

const SLIDE: &str = "xmlns:p='http://schemas.openxmlformats.org/presentationml/2006/main' xmlns:a='http://schemas.openxmlformats.org/drawingml/2006/main'";

#[test]
fn slides_count_their_paragraphs_and_themselves() {
    let paragraph = |text: &str| {
        format!("<a:p><a:pPr><a:buAutoNum type='arabicPlain' startAt='942'/></a:pPr><a:r><a:t>{text}</a:t></a:r></a:p>")
    };
    let body = |text: &str| format!("<p:sld {SLIDE}><p:txBody>{text}</p:txBody></p:sld>");
    let counted = body(&(paragraph("one") + &paragraph("476 5919")));
    assert_eq!(computed(&counted)[0].trim_end(), "one\n943 476 5919");
    let field = body(
        "<a:p><a:r><a:t>NHS number </a:t></a:r><a:fld type='slidenum'><a:t>1</a:t></a:fld><a:r><a:t> 476 5919</a:t></a:r></a:p>",
    );
    let first = format!("<p:presentation {SLIDE} firstSlideNum='943'/>");
    assert!(finds(&[("ppt/slides/slide1.xml", field.as_bytes()), ("ppt/presentation.xml", first.as_bytes())]));
    assert!(!finds(&[("ppt/slides/slide1.xml", field.as_bytes())]));
}

#[test]
fn boxes_are_read_where_they_stand() {
    let shape = |x: u32, y: u32, text: &str| {
        format!(
            "<p:sp><a:xfrm><a:off x='{x}' y='{y}'/><a:ext cx='9' cy='600'/></a:xfrm><p:txBody><a:p><a:r><a:t>{text}</a:t></a:r></a:p></p:txBody></p:sp>"
        )
    };
    let slide = |shapes: &str| format!("<p:sld {SLIDE}>{shapes}</p:sld>");
    let number =
        [shape(5, 5, "NHS number"), shape(2500, 1500, "5919"), shape(5, 1510, "943"), shape(1500, 1490, "476")]
            .concat();
    assert!(finds(&[("slide.xml", slide(&number).as_bytes())]));
    let figures =
        [shape(5, 5, "Admissions"), shape(2500, 1500, "5919"), shape(5, 1510, "943"), shape(1500, 1490, "476")]
            .concat();
    let found = findings(&package(&[("[Content_Types].xml", b"<Types/>"), ("slide.xml", slide(&figures).as_bytes())]));
    assert!(found.findings.is_empty(), "{found:?}");
}

#[test]
fn what_formulas_come_to_when_a_workbook_is_opened_is_read() {
    let sheet = |rows: &str| format!("<w:all {NAMESPACES}>{rows}</w:all>");
    let rows = "<s:row r='1'><s:c r='A1' t='str'><s:v>NHS</s:v></s:c><s:c r='B1' t='str'><s:f>D20&amp;\" \"&amp;A9</s:f><s:v>x</s:v></s:c></s:row>\
        <s:row r='9'><s:c r='A9' t='str'><s:v>476 5919</s:v></s:c></s:row><s:row r='20'><s:c r='D20'><s:v>943</s:v></s:c></s:row>";
    assert!(computed(&sheet(rows))[0].starts_with("NHS\t943 476 5919\n"));
    let counted = "<s:row r='1'><s:c r='B1'><s:f>943476*10000+5919</s:f><s:v>7</s:v></s:c></s:row>";
    assert_eq!(computed(&sheet(counted))[0].trim(), "9434765919");
    assert_eq!(computed(&sheet(&counted.replace(">7<", ">9434765919<")))[0], "");
    let table = "<table:table><table:table-row><table:table-cell table:formula='of:=[.D4]&amp;[.A3]'><text:p>x</text:p></table:table-cell></table:table-row>\
        <table:table-row/><table:table-row><table:table-cell><text:p>476 5919</text:p></table:table-cell></table:table-row>\
        <table:table-row><table:table-cell table:number-columns-repeated='3'/><table:table-cell><text:p>943</text:p></table:table-cell></table:table-row></table:table>";
    assert!(computed(&text(table))[0].starts_with("943476 5919"));
}

#[test]
fn a_number_that_goes_down_a_column_is_read() {
    let row = |at: usize, text: &str| {
        format!("<s:row r='{at}'><s:c r='A{at}'><s:v>x</s:v></s:c><s:c r='B{at}'><s:v>{text}</s:v></s:c></s:row>")
    };
    let digits: String = "9434765919".chars().zip(2..).map(|(digit, at)| row(at, &digit.to_string())).collect();
    for (label, expected) in [("NHS number", true), ("Score", false)] {
        let sheet = format!("<s:worksheet {NAMESPACES}>{}{digits}</s:worksheet>", row(1, label));
        assert_eq!(finds(&[("xl/sheet.xml", sheet.as_bytes())]), expected, "{label}");
    }
}

#[test]
fn more_fields_than_are_kept_are_said() {
    let said = |marks: usize| {
        let marks: String = (0..marks).map(|n| format!("<text:bookmark-start text:name='a{n}'/>")).collect();
        unread(&format!("<text:p>{marks}</text:p>"))
    };
    assert_eq!((said(20_000), said(20_001)), (Vec::new(), vec!["fields".to_owned()]));
}

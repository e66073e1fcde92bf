//! Packages written by hand, and what is told of them.

mod arranged;
mod controls;
mod packages;
mod page;
mod places;
mod shown;

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

fn document(body: &str) -> String {
    format!("<?xml version='1.0'?><w:document {NAMESPACES}><w:body>{body}</w:body></w:document>")
}

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

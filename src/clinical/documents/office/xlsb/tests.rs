//! Binary workbooks written by hand, and what is told of them.

use super::super::number_formats::NumberFormats;
use super::super::strings::Strings;
use super::read;
use crate::clinical::documents::writers::{brt, brt_cell, brt_sheet, brt_string, brt_strings, xlsb};
use crate::clinical::{Findings, Limits, Rules, inspect};
use crate::vocabulary::FindingKind;

const NUMBER: f64 = 9_434_765_919.0;

fn findings(parts: &[(&str, Vec<u8>)]) -> Findings {
    use base64::Engine;
    let letters = base64::prelude::BASE64_STANDARD.encode(xlsb(parts));
    let head = "Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: application/octet-stream; name=a.bin\r\nContent-Transfer-Encoding: base64\r\n\r\n";
    inspect(format!("{head}{letters}\r\n").as_bytes(), &Rules::default(), &Limits::default())
}

/// Where the number was found.
fn places(found: &Findings) -> Vec<&str> {
    let numbers = found.findings.iter().filter(|finding| finding.kind == FindingKind::NhsNumber);
    numbers.map(|finding| finding.place.trim_start_matches("a.bin!/")).collect()
}

fn unread(found: &Findings) -> Vec<String> {
    let said = found.findings.iter().filter(|finding| finding.kind == FindingKind::BrokenAttachment);
    said.map(|finding| finding.masked.clone()).collect()
}

/// What one part tells: its table, then what stands beside it.
fn told(part: &[u8], shared: &[&str]) -> [String; 2] {
    let mut strings = Strings::default();
    shared.iter().for_each(|text| strings.push(text));
    let part = read(part, (&mut strings, &mut NumberFormats::default()), 1_000_000);
    assert!(part.unread.is_empty(), "{:?}", part.unread);
    let [table, ..] = part.told.readings;
    [table, part.told.aside]
}

fn rich(text: &str) -> Vec<u8> {
    // One run of a format, and how it is spoken.
    [vec![3], brt_string(text), vec![1, 0, 0, 0, 0, 0, 2, 0], brt_string("wado"), vec![0; 4]].concat()
}

fn formula(tokens: &[u8]) -> Vec<u8> {
    [&[0, 0][..], &(tokens.len() as u32).to_le_bytes(), tokens, &[0; 4]].concat()
}

#[test]
fn cells_of_every_kind_are_columns_of_a_row() {
    let rows = [
        vec![brt_cell(6, 0, &brt_string("Ward")), brt_cell(7, 3, &[1, 0, 0, 0])],
        vec![
            brt_cell(2, 0, &[70, 0, 0, 0]),
            brt(16, &[&[0; 4][..], &NUMBER.to_le_bytes()].concat()),
            brt_cell(62, 2, &rich("a\nb")),
            brt_cell(4, 4, &[1]),
        ],
        vec![
            brt_cell(8, 0, &[brt_string("x y"), formula(&[])].concat()),
            brt_cell(9, 1, &[&1.5f64.to_le_bytes()[..], &formula(&[0x1E, 1, 0])].concat()),
            brt_cell(11, 2, &[&[0x2A][..], &formula(&[])].concat()),
        ],
    ];
    let [table, aside] = told(&brt_sheet(&rows, b""), &["Name", "NHS No"]);
    assert_eq!(table, "\nWard\t\t\tNHS No\n17\t9434765919\ta\u{2028}b\t\tTRUE\nx y\t1.5\t#\n;\n");
    assert!(aside.contains("wado"));
}

#[test]
fn a_number_stands_below_its_label() {
    let labels = vec![brt_cell(7, 0, &[0; 4]), brt_cell(7, 1, &[1, 0, 0, 0])];
    let values = vec![brt_cell(2, 0, &[70, 0, 0, 0]), brt_cell(5, 1, &NUMBER.to_le_bytes())];
    let sheet = brt_sheet(&[labels, values], b"");
    // What is referred to may stand behind.
    let strings = brt_strings(&["Ward", "NHS No"]);
    let found = findings(&[("xl/worksheets/sheet1.bin", sheet), ("xl/sharedStrings.bin", strings)]);
    assert_eq!(places(&found), ["xl/worksheets/sheet1.bin"]);
    assert!(unread(&found).is_empty(), "{:?}", unread(&found));
}

#[test]
fn what_is_written_beside_the_cells_is_read() {
    let header = [&[0, 0][..], &brt_string("&L&\"Arial\"NHS No 943 476 5919"), &[0xFF; 20]].concat();
    let link = [vec![0; 16], vec![0xFF; 4], brt_string(""), brt_string("NHS No 943 476 5919"), vec![0xFF; 4]].concat();
    let name = [&[0; 9][..], &brt_string("ID"), &formula(&token("943 476 5919"))[2..], &[0xFF; 4]].concat();
    let item = [&[0; 4][..], &NUMBER.to_le_bytes()].concat();
    let cached = NUMBER.to_le_bytes().to_vec();
    let unknown = [vec![1, 2, 3], cached.clone()].concat();
    let numbers = [(368, item), (21, cached), (4_998, unknown)];
    for (kind, data) in
        numbers.into_iter().chain([(479, header), (494, link), (39, name), (4_999, brt_string("943 476 5919"))])
    {
        let sheet = brt_sheet(&[vec![brt_cell(6, 0, &brt_string("NHS No"))]], &brt(kind, &data));
        let found = findings(&[("xl/worksheets/sheet1.bin", sheet)]);
        assert_eq!(places(&found), ["xl/worksheets/sheet1.bin"], "{kind}");
        assert!(unread(&found).is_empty(), "{kind}: {:?}", unread(&found));
    }
}

fn token(text: &str) -> Vec<u8> {
    let string = brt_string(text);
    [&[0x17], &string[..2], &string[4..]].concat()
}

#[test]
fn what_a_formula_puts_together_is_one_text() {
    let tokens = [token("943 476"), token(" 5919"), vec![8]].concat();
    let cell = |value: &str| brt_cell(8, 0, &[brt_string(value), formula(&tokens)].concat());
    let found = findings(&[("xl/worksheets/sheet1.bin", brt_sheet(&[vec![cell("NHS No")]], b""))]);
    assert_eq!(places(&found), ["xl/worksheets/sheet1.bin"]);
    assert!(unread(&found).is_empty());
    let rows = [vec![cell(""), brt_cell(6, 1, &brt_string("a"))]];
    let found = findings(&[("xl/worksheets/sheet1.bin", brt_sheet(&rows, b""))]);
    assert_eq!(unread(&found), ["formula without value"]);
}

#[test]
fn cells_are_shown_as_their_formats_have_them() {
    let book = |code: &str, look: u8| {
        let format = brt(44, &[vec![164, 0], brt_string(code)].concat());
        let looks = [brt(617, b""), brt(47, &[0, 0, 0, 0]), brt(47, &[0, 0, 164, 0]), brt(618, b"")].concat();
        let cell = |column: u8, kind: u32, look: u8, value: &[u8]| {
            brt(kind, &[&[column, 0, 0, 0, look, 0, 0, 0][..], value].concat())
        };
        let row = vec![cell(0, 6, 0, &brt_string("NHS number")), cell(1, 5, look, &4_765_919f64.to_le_bytes())];
        findings(&[
            ("xl/styles.bin", [brt(278, b""), format, looks, brt(279, b"")].concat()),
            ("xl/worksheets/sheet1.bin", brt_sheet(&[row], b"")),
        ])
    };
    for (code, look, is_found) in [("\"943\"0000000", 1, true), ("\"943\"0000000", 0, false), ("#,##0.00", 1, false)] {
        let found = book(code, look);
        assert_eq!(!places(&found).is_empty(), is_found, "{code} {look}: {found:?}");
        assert!(unread(&found).is_empty(), "{found:?}");
    }
    assert_eq!(unread(&book("yyyymmdd\"59\"", 1)), ["number format"]);
}

#[test]
fn a_part_that_is_cut_or_wrong_is_read_and_said() {
    let sheet = brt_sheet(&[vec![brt_cell(6, 0, &brt_string("NHS No 943 476 5919"))]], b"");
    let cut = sheet[..sheet.len() - 1].to_vec();
    let short = brt_sheet(&[vec![brt(6, &brt_string("NHS No 943 476 5919"))]], b"");
    for bytes in [cut, short] {
        let found = findings(&[("xl/worksheets/sheet1.bin", bytes)]);
        assert!(places(&found).contains(&"xl/worksheets/sheet1.bin"));
        assert!(unread(&found).contains(&"workbook record".to_owned()), "{:?}", unread(&found));
    }
    // An older version has more before its strings.
    let older = brt(156, &[vec![0; 12], brt_string("rId1"), brt_string("NHS No 943 476 5919")].concat());
    let found = findings(&[("xl/worksheets/sheet1.bin", brt_sheet(&[vec![brt_cell(6, 0, &brt_string("a"))]], &older))]);
    assert_eq!((places(&found), unread(&found)), (vec!["xl/worksheets/sheet1.bin"], Vec::new()));
    let sheet = brt_sheet(&[vec![brt_cell(7, 0, &[9, 0, 0, 0])]], b"");
    assert!(unread(&findings(&[("xl/worksheets/sheet1.bin", sheet)])).contains(&"shared strings".to_owned()));
}

#[test]
fn text_beside_the_parts_is_text() {
    let sheet = brt_sheet(&[vec![brt_cell(6, 0, &brt_string("a"))]], b"");
    let text = b"* one item, which is followed by NHS No 943 476 5919 and by others".to_vec();
    let found = findings(&[("xl/worksheets/sheet1.bin", sheet), ("notes.txt", text)]);
    assert_eq!((places(&found), unread(&found)), (vec!["notes.txt"], Vec::new()));
}

#[test]
fn no_beginning_of_a_part_is_too_much() {
    let cells = vec![brt_cell(62, 0, &rich("a")), brt_cell(8, 1, &[brt_string("b"), formula(&token("c"))].concat())];
    let sheet = brt_sheet(&[cells], &brt(479, &[&[0, 0][..], &brt_string("d"), &[0xFF; 20]].concat()));
    for end in 0..sheet.len() {
        let part = read(&sheet[..end], (&mut Strings::default(), &mut NumberFormats::default()), 1_000);
        assert!(part.told.readings[0].len() < 1_000);
    }
    // A column far to the right, in each of many rows.
    let wide: Vec<Vec<Vec<u8>>> = (0..1_000).map(|_| vec![brt_cell(2, u32::MAX, &[70, 0, 0, 0])]).collect();
    let part = read(&brt_sheet(&wide, b""), (&mut Strings::default(), &mut NumberFormats::default()), 10_000);
    assert!(part.told.cut && part.told.readings[0].len() <= 10_020);
}

/// A sheet with records before its rows, each of which is a height, the bits that may hide it, and texts in its columns.
fn sheet(before: &[u8], rows: &[(u16, u8, &[&str])]) -> Vec<u8> {
    let row = |(at, (height, bits, cells)): (u32, &(u16, u8, &[&str]))| {
        let head = brt(0, &[&at.to_le_bytes()[..], &[0; 4], &height.to_le_bytes(), &[0, *bits], &[0; 13]].concat());
        let cells = (0..).zip(*cells).map(|(column, text)| brt_cell(6, column, &brt_string(text)));
        [head, cells.collect::<Vec<_>>().concat()].concat()
    };
    let rows: Vec<Vec<u8>> = (0..).zip(rows).map(row).collect();
    [brt(129, b""), before.to_vec(), brt(145, b""), rows.concat(), brt(146, b""), brt(130, b"")].concat()
}

fn is_found(sheet: Vec<u8>) -> bool {
    let found = findings(&[("xl/worksheets/sheet1.bin", sheet)]);
    assert!(unread(&found).is_empty(), "{found:?}");
    !places(&found).is_empty()
}

#[test]
fn a_sheet_is_read_without_its_hidden_columns_and_rows() {
    let columns = |width: u32, bits: u8| {
        let places = [1u32, 1, width, 0].map(u32::to_le_bytes).concat();
        brt(60, &[&places[..], &[bits, 0]].concat())
    };
    let divided: &[(u16, u8, &[&str])] = &[(300, 0, &["NHS number"]), (300, 0, &["943", "871", "476", "5919"])];
    for (before, expected) in [(columns(2_340, 1), true), (columns(0, 0), true), (columns(2_340, 0), false)] {
        assert_eq!(is_found(sheet(&before, divided)), expected);
    }
    let rows = |height: u16, bits: u8| {
        let hidden = |text: &'static [&'static str]| (height, bits, text);
        let all: [(u16, u8, &[&str]); 6] = [
            (300, 0, &["NHS number"]),
            (300, 0, &["943"]),
            hidden(&["871"]),
            (300, 0, &["476"]),
            hidden(&["22"]),
            (300, 0, &["5919"]),
        ];
        sheet(b"", &all)
    };
    for (height, bits, expected) in [(300, 0x10, true), (1, 0, true), (300, 0, false), (0, 0, false)] {
        assert_eq!(is_found(rows(height, bits)), expected, "{height} {bits}");
    }
    let down: &[(u16, u8, &[&str])] =
        &[(300, 0, &["NHS number"]), (300, 0, &["943"]), (300, 0, &["476"]), (300, 0, &["5919"])];
    assert!(is_found(sheet(b"", down)), "numbers go down a column");
}

#[test]
fn a_sheet_may_be_read_from_the_right() {
    let view = |bits: u16| brt(137, &[&bits.to_le_bytes()[..], &[0; 28]].concat());
    let rows: &[(u16, u8, &[&str])] = &[(300, 0, &["5919", "476", "943", "NHS number"])];
    assert!(is_found(sheet(&view(0x3FC), rows)));
    assert!(!is_found(sheet(&view(0x3DC), rows)));
    for end in 0..29 {
        let cut = [brt(137, &vec![0xFF; end]), brt(60, &vec![0; end.min(17)]), brt(0, &vec![0; end])].concat();
        _ = is_found(sheet(&cut, rows));
    }
}

#[test]
fn a_filtered_list_of_ordinary_figures_is_no_finding() {
    let hidden = brt(60, &[[2u32, 2, 0, 0].map(u32::to_le_bytes).concat(), vec![1, 0]].concat());
    let figures: Vec<[String; 4]> = (1..200u32)
        .map(|number| {
            let [ward, beds] = [100 + number * 7 % 900, 10 + number * 13 % 90].map(|figure| figure.to_string());
            ["Ward".to_owned(), ward, "871".to_owned(), beds]
        })
        .collect();
    let texts: Vec<Vec<&str>> = figures.iter().map(|row| row.iter().map(String::as_str).collect()).collect();
    let bits = |at: usize| if at.is_multiple_of(3) { 0x10 } else { 0 };
    let rows: Vec<(u16, u8, &[&str])> = texts.iter().enumerate().map(|(at, row)| (300, bits(at), &row[..])).collect();
    assert!(!is_found(sheet(&hidden, &rows)));
}

//! Workbooks of Excel 97 to 2003 whose sheets are shown in another way than they are written.

use super::*;

const LABEL: &str = "NHS number";

fn record(kind: u16, data: &[u8]) -> Vec<u8> {
    [&kind.to_le_bytes()[..], &(data.len() as u16).to_le_bytes(), data].concat()
}

fn units(of: &[u16]) -> Vec<u8> {
    of.iter().flat_map(|unit| unit.to_le_bytes()).collect()
}

fn begin(kind: u16) -> Vec<u8> {
    record(0x0809, &[units(&[0x0600, kind]), vec![0; 12]].concat())
}

fn end() -> Vec<u8> {
    record(0x000A, b"")
}

/// A row of that height and with those bits, and texts in its columns.
fn row(number: u16, height: u16, bits: u16, cells: &[&str]) -> Vec<u8> {
    let cell = |(column, text): (u16, &&str)| {
        let place = units(&[number, column, 0, text.len() as u16]);
        record(0x0204, &[&place[..], &[0], text.as_bytes()].concat())
    };
    let head = record(0x0208, &units(&[number, 0, 9, height, 0, 0, bits, 0]));
    [head, (0..).zip(cells).flat_map(cell).collect()].concat()
}

fn rows(all: &[&[&str]]) -> Vec<u8> {
    (0..).zip(all).flat_map(|(number, cells)| row(number, 300, 0x100, cells)).collect()
}

fn columns(width: u16, bits: u16) -> Vec<u8> {
    record(0x007D, &units(&[1, 1, width, 0, bits, 0]))
}

fn view(bits: u16) -> Vec<u8> {
    record(0x023E, &[units(&[bits]), vec![0; 16]].concat())
}

#[track_caller]
fn is_found(sheets: &[u8]) -> bool {
    let found = look(&compound(&[("Workbook", [&begin(5)[..], &end(), sheets].concat())]));
    assert!(found.unread.is_empty(), "{found:?}");
    found.findings.iter().any(|f| f.kind == FindingKind::NhsNumber)
}

fn sheet(pieces: &[Vec<u8>]) -> Vec<u8> {
    [begin(0x10), pieces.concat(), end()].concat()
}

#[test]
fn a_sheet_is_read_without_its_hidden_columns() {
    let divided = rows(&[&[LABEL], &["943", "871", "476", "5919"]]);
    for (width, bits, expected) in [(2_340, 1, true), (0, 0, true), (2_340, 0, false)] {
        assert_eq!(is_found(&sheet(&[columns(width, bits), divided.clone()])), expected, "{width} {bits}");
    }
    let chart = [begin(0x20), rows(&[&["1", "2"]]), end()].concat();
    let other = sheet(&[rows(&[&["1", "2", "3"]])]);
    let inside = sheet(&[columns(0, 1), divided.clone(), chart, view(0x6B6)]);
    assert!(is_found(&[other.clone(), inside, other.clone()].concat()), "a chart in a sheet ends none");
    let apart = [sheet(&[columns(0, 1)]), sheet(&[divided])].concat();
    assert!(!is_found(&apart), "a sheet hides columns of its own alone");
}

#[test]
fn what_a_format_shows_is_read_without_hidden_columns_too() {
    let code = "\"943 \"0";
    let format = record(0x041E, &[&units(&[164, code.len() as u16])[..], &[0], code.as_bytes()].concat());
    let looks = [record(0x00E0, &[0; 20]), record(0x00E0, &[units(&[0, 164]), vec![0; 16]].concat())].concat();
    let number = |column: u16, look: u16, number: f64| {
        record(0x0203, &[units(&[1, column, look]), number.to_le_bytes().to_vec()].concat())
    };
    let cells = |look| [number(0, look, 476.0), number(1, 0, 871.0), number(2, 0, 5919.0)].concat();
    for (look, expected) in [(1, true), (0, false)] {
        let all = [&format[..], &looks, &sheet(&[columns(0, 1), rows(&[&[LABEL]]), cells(look)])].concat();
        assert_eq!(is_found(&all), expected, "{look}");
    }
}

#[test]
fn a_sheet_is_read_without_its_hidden_rows() {
    for (height, bits, expected) in [(300, 0x20, true), (1, 0, true), (300, 0, false), (0, 0, false)] {
        let all = [LABEL, "943", "871", "476", "22", "5919"];
        let one = |(number, text): (u16, &&str)| match *text {
            "871" | "22" => row(number, height, bits, &[text]),
            _ => row(number, 300, 0x100, &[text]),
        };
        let rows: Vec<u8> = (0..).zip(&all).flat_map(one).collect();
        assert_eq!(is_found(&sheet(&[rows])), expected, "{height} {bits}");
    }
    assert!(is_found(&sheet(&[rows(&[&[LABEL], &["943"], &["476"], &["5919"]])])), "numbers go down a column");
}

#[test]
fn a_sheet_may_be_read_from_the_right() {
    for all in [
        rows(&[&["Name", "", LABEL], &["5919", "476", "943"]]),
        rows(&[&[LABEL, "5919", "476", "943"]]),
        rows(&[&["5919", "476", "943", LABEL]]),
    ] {
        assert!(is_found(&sheet(&[all.clone(), view(0x6F6)])));
        assert!(!is_found(&sheet(&[all, view(0x6B6)])));
    }
}

#[test]
fn a_filtered_list_of_ordinary_figures_is_no_finding() {
    let one = |number: u16| {
        let [ward, beds] = [100 + number * 7 % 900, 10 + number * 13 % 90].map(|figure| figure.to_string());
        let bits = if number.is_multiple_of(3) { 0x20 } else { 0 };
        row(number, 300, bits, &["Ward", &ward, "871", &beds])
    };
    let rows: Vec<u8> = (1..200).flat_map(one).collect();
    assert!(!is_found(&sheet(&[columns(0, 1), rows.clone()])));
    assert!(!is_found(&sheet(&[rows, view(0x6F6)])));
}

#[test]
fn records_that_are_cut_say_nothing() {
    let divided = rows(&[&[LABEL], &["943", "871", "476", "5919"]]);
    for kind in [0x0208, 0x007D, 0x023E] {
        for end in 0..10 {
            _ = is_found(&sheet(&[record(kind, &vec![0xFF; end]), divided.clone()]));
        }
    }
}

//! Sheets and tables that are shown in another way than they are written.

use super::*;

/// A sheet of one row, and what stands before and in it.
fn sheet(before: &str, cells: &[(&str, &str)]) -> Vec<u8> {
    let cell = |(at, text): &(&str, &str)| format!("<s:c r='{at}' t='inlineStr'><s:is><s:t>{text}</s:t></s:is></s:c>");
    let cells: String = cells.iter().map(cell).collect();
    format!("<s:worksheet {NAMESPACES}>{before}<s:sheetData><s:row r='1'>{cells}</s:row></s:sheetData></s:worksheet>")
        .into_bytes()
}

fn is_in_sheet(before: &str, cells: &[(&str, &str)]) -> bool {
    finds(&[("xl/worksheets/sheet1.xml", &sheet(before, cells))])
}

#[test]
fn columns_that_are_hidden_stand_between_no_pieces() {
    let cells = [("A1", "NHS number"), ("B1", "943"), ("C1", "81"), ("D1", "476"), ("E1", "77"), ("F1", "5919")];
    assert!(!is_in_sheet("", &cells), "shown as it is, that is no number");
    for columns in [
        "<s:col min='3' max='3' hidden='1'/><s:col min='5' max='5' hidden='true'/>",
        "<s:col min='3' max='3' width='0' customWidth='1'/><s:col min='5' max='5' width='0.1'/>",
    ] {
        assert!(is_in_sheet(&format!("<s:cols>{columns}</s:cols>"), &cells), "{columns}");
    }
    assert!(!is_in_sheet("<s:cols><s:col min='3' max='3' width='9'/></s:cols>", &cells));
}

#[test]
fn sheets_and_tables_from_the_right_are_read_from_there() {
    let cells = [("A1", "5919"), ("B1", "476"), ("C1", "943"), ("D1", "NHS number")];
    assert!(!is_in_sheet("", &cells));
    assert!(is_in_sheet("<s:sheetViews><s:sheetView rightToLeft='1' workbookViewId='0'/></s:sheetViews>", &cells));
    let cell = |text: &str| format!("<w:tc><w:p>{}</w:p></w:tc>", run(text));
    let row: String = ["5919", "476", "943", "NHS number"].map(cell).concat();
    let table = |properties: &str| {
        document(&format!("<w:tbl><w:tblPr>{properties}</w:tblPr><w:tr>{row}</w:tr></w:tbl>")).into_bytes()
    };
    assert!(!finds(&[("word/document.xml", &table(""))]));
    assert!(finds(&[("word/document.xml", &table("<w:bidiVisual/>"))]));
    assert!(!finds(&[("word/document.xml", &table("<w:bidiVisual w:val='0'/>"))]));
}

#[test]
fn rows_and_columns_of_open_documents_that_are_hidden_are_left_out_once() {
    let cell = |text: &str| format!("<table:table-cell><text:p>{text}</text:p></table:table-cell>");
    let row: String = ["NHS number 943", "81", "476 5919"].map(cell).concat();
    let whole = |column: &str| {
        format!(
            "<office:document-content {NAMESPACES}><office:body><office:spreadsheet><table:table><table:table-column/>\
             <table:table-column {column}/><table:table-column/><table:table-row>{row}</table:table-row></table:table>\
             </office:spreadsheet></office:body></office:document-content>"
        )
        .into_bytes()
    };
    assert!(!finds(&[("content.xml", &whole(""))]));
    assert!(finds(&[("content.xml", &whole("table:visibility='collapse'"))]));
}

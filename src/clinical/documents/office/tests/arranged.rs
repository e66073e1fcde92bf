//! Columns, rows and tables that are shown in another way than they are written.

use super::*;

const LABEL: &str = "NHS number";
const OPENDOCUMENT: &str = "<office:document-content";

/// A row of a sheet whose cells stand in these columns.
fn row(number: u32, attributes: &str, cells: &[(char, &str)]) -> String {
    let cell = |(column, text): &(char, &str)| format!("<s:c r='{column}{number}' t='str'><s:v>{text}</s:v></s:c>");
    format!("<s:row r='{number}' {attributes}>{}</s:row>", cells.iter().map(cell).collect::<String>())
}

fn sheet(before: &str, rows: &str) -> String {
    format!("<s:worksheet {NAMESPACES}>{before}<s:sheetData>{rows}</s:sheetData></s:worksheet>")
}

fn is_found(part: &str) -> bool {
    finds(&[("part.xml", part.as_bytes())])
}

fn said(part: &str) -> Vec<String> {
    let package = package(&[("[Content_Types].xml", b"<Types/>"), ("part.xml", part.as_bytes())]);
    findings(&package).findings.into_iter().map(|finding| finding.masked).collect()
}

#[test]
fn a_sheet_is_read_without_its_hidden_columns() {
    let divided = [('A', "943"), ('B', "871"), ('C', "476"), ('D', "5919")];
    for header in [row(1, "", &[('A', LABEL)]), row(1, "", &[('A', LABEL), ('B', "x"), ('C', "y")])] {
        let rows = header + &row(2, "", &divided);
        for hidden in ["hidden='1'", "hidden='true'", "width='0' customWidth='1'"] {
            assert!(
                is_found(&sheet(&format!("<s:cols><s:col min='2' max='2' {hidden}/></s:cols>"), &rows)),
                "{hidden}"
            );
        }
        for shown in ["hidden='0'", "width='9.14'"] {
            assert!(!is_found(&sheet(&format!("<s:cols><s:col min='2' max='2' {shown}/></s:cols>"), &rows)), "{shown}");
        }
    }
    let apart = row(1, "", &[('A', LABEL), ('B', "943"), ('D', "871"), ('F', "476"), ('G', "5919")]);
    assert!(is_found(&sheet("<s:cols><s:col min='3' max='5' hidden='1'/></s:cols>", &apart)));
}

#[test]
fn what_a_format_shows_is_read_without_hidden_columns_too() {
    let looks = "<s:numFmts><s:numFmt numFmtId='170' formatCode='&quot;943 &quot;0'/></s:numFmts><s:cellXfs><s:xf/><s:xf numFmtId='170'/></s:cellXfs>";
    let cells = "<s:row r='1'><s:c r='A1' t='str'><s:v>NHS number</s:v></s:c><s:c r='B1' s='1'><s:v>476</s:v></s:c>\
        <s:c r='C1'><s:v>871</s:v></s:c><s:c r='D1'><s:v>5919</s:v></s:c></s:row>";
    let hidden = "<s:cols><s:col min='3' max='3' hidden='1'/></s:cols>";
    assert!(is_found(&sheet(&[looks, hidden].concat(), cells)));
    assert!(!is_found(&sheet(hidden, cells)));
}

#[test]
fn a_sheet_is_read_without_its_hidden_rows() {
    let rows = |hidden: &str| {
        let all = [("", LABEL), ("", "943"), (hidden, "871"), ("", "476"), (hidden, "22"), ("", "5919")];
        let row = |(number, (hidden, text)): (u32, &(&str, &str))| row(number, hidden, &[('A', text)]);
        sheet("", &(1..).zip(&all).map(row).collect::<String>())
    };
    assert!(is_found(&rows("hidden='1'")));
    assert!(is_found(&rows("ht='0' customHeight='1'")));
    assert!(!is_found(&rows("ht='15'")));
}

#[test]
fn a_filtered_list_of_ordinary_figures_is_no_finding() {
    let figures = |number: u32| {
        let hidden = if number.is_multiple_of(3) { "hidden='1'" } else { "" };
        let [ward, beds] = [100 + number * 7 % 900, 10 + number * 13 % 90].map(|figure| figure.to_string());
        row(number, hidden, &[('A', "Ward"), ('B', &ward), ('C', "871"), ('D', &beds)])
    };
    let rows: String = (1..200).map(figures).collect();
    assert_eq!(said(&sheet("<s:cols><s:col min='3' max='3' hidden='1'/></s:cols>", &rows)), [""; 0]);
    assert_eq!(said(&sheet("<s:sheetViews><s:sheetView rightToLeft='1'/></s:sheetViews>", &rows)), [""; 0]);
}

#[test]
fn a_sheet_may_be_read_from_the_right() {
    let views = |value: &str| format!("<s:sheetViews><s:sheetView rightToLeft='{value}'/></s:sheetViews>");
    let pieces = [('A', "5919"), ('B', "476"), ('C', "943")];
    for rows in [
        row(1, "", &[('C', LABEL)]) + &row(2, "", &pieces),
        row(1, "", &[('A', LABEL), ('B', "5919"), ('C', "476"), ('D', "943")]),
        row(1, "", &[('A', "5919"), ('B', "476"), ('C', "943"), ('D', LABEL)]),
    ] {
        assert!(is_found(&sheet(&views("1"), &rows)), "{rows}");
        assert!(!is_found(&sheet(&views("0"), &rows)), "{rows}");
    }
    let hidden = "<s:cols><s:col min='2' max='2' hidden='1'/></s:cols>";
    let rows = row(1, "", &[('A', "5919"), ('B', "22"), ('C', "476"), ('D', "943"), ('E', LABEL)]);
    assert!(is_found(&sheet(&(views("1") + hidden), &rows)));
}

#[test]
fn the_xml_of_2003_hides_and_turns_too() {
    let cells = |texts: &[&str]| {
        let cell = |text: &&str| format!("<s:Cell><s:Data>{text}</s:Data></s:Cell>");
        format!("<s:Row>{}</s:Row>", texts.iter().map(cell).collect::<String>())
    };
    let book = |worksheet: &str, columns: &str, texts: &[&str]| {
        let other = format!("<s:Worksheet><s:Table>{}</s:Table></s:Worksheet>", cells(&["1", "2"]));
        let rows = cells(texts);
        format!(
            "<s:Workbook {NAMESPACES}>{other}<s:Worksheet {worksheet}><s:Table>{columns}{rows}</s:Table></s:Worksheet></s:Workbook>"
        )
    };
    let hidden = "<s:Column/><s:Column s:Index='3' s:Hidden='1'/>";
    assert!(is_found(&book("", hidden, &[LABEL, "943", "871", "476", "5919"])));
    assert!(is_found(&book("s:RightToLeft='1'", "", &["5919", "476", "943", LABEL])));
    assert!(!is_found(&book("", "", &["5919", "476", "943", LABEL])));
}

#[test]
fn a_table_of_an_opendocument_may_hide_or_be_turned() {
    let cells = |texts: &[&str]| {
        let cell = |text: &&str| format!("<table:table-cell><text:p>{text}</text:p></table:table-cell>");
        texts.iter().map(cell).collect::<String>()
    };
    let book = |table: &str, inside: &str| {
        let style = "<style:style style:name='T' style:family='table'><style:table-properties style:writing-mode='rl-tb'/></style:style>";
        format!(
            "{OPENDOCUMENT} {NAMESPACES}>{style}<table:table {table}>{inside}</table:table></office:document-content>"
        )
    };
    for visibility in ["collapse", "filter", "visible"] {
        let columns = format!(
            "<table:table-column table:number-columns-repeated='2'/><table:table-column table:visibility='{visibility}'/>"
        );
        let row = format!("<table:table-row>{}</table:table-row>", cells(&[LABEL, "943", "871", "476", "5919"]));
        assert_eq!(is_found(&book("", &(columns + &row))), visibility != "visible", "{visibility}");
        let line = |attributes: &str, text: &str| {
            format!("<table:table-row {attributes}>{}</table:table-row>", cells(&[text]))
        };
        let hidden = format!("table:number-rows-repeated='2' table:visibility='{visibility}'");
        let rows = [line("", LABEL), line("", "943"), line(&hidden, "87"), line("", "476"), line("", "5919")].concat();
        assert_eq!(is_found(&book("", &rows)), visibility != "visible", "{visibility}");
    }
    let reversed = format!("<table:table-row>{}</table:table-row>", cells(&["5919", "476", "943", LABEL]));
    assert!(is_found(&book("table:style-name='T'", &reversed)));
    assert!(!is_found(&book("table:style-name='U'", &reversed)));
}

#[test]
fn groups_of_an_opendocument_may_be_folded_up() {
    let cell = |text: &str| format!("<table:table-cell><text:p>{text}</text:p></table:table-cell>");
    let cells = |texts: &[&str]| texts.iter().map(|text| cell(text)).collect::<String>();
    let book = |inside: &str| {
        format!("{OPENDOCUMENT} {NAMESPACES}><table:table>{inside}</table:table></office:document-content>")
    };
    let column = "<table:table-column/>";
    let row = |texts: &[&str]| format!("<table:table-row>{}</table:table-row>", cells(texts));
    for (display, is_shown) in [("table:display='false'", false), ("table:display='true'", true), ("", true)] {
        let group = format!(
            "<table:table-column-group {display}><table:table-column-group>{column}</table:table-column-group></table:table-column-group>"
        );
        let columns =
            format!("{column}<table:table-header-columns>{column}</table:table-header-columns>{group}{column}{column}");
        let across = row(&[LABEL, "943", "871", "476", "5919"]);
        assert_eq!(is_found(&book(&(columns + &across))), !is_shown, "{display}");
        let inner = format!("<table:table-header-rows>{}</table:table-header-rows>", row(&["22"]));
        let group = format!("<table:table-row-group {display}>{}{inner}</table:table-row-group>", row(&["871"]));
        let down = [row(&[LABEL]), row(&["943"]), group, row(&["476"]), row(&["5919"])].concat();
        assert_eq!(is_found(&book(&down)), !is_shown, "{display}");
    }
}

/// A table of Word's with these properties.
fn table(properties: &str, texts: &[&str]) -> String {
    let cell = |text: &&str| format!("<w:tc><w:p>{}</w:p></w:tc>", run(text));
    let cells: String = texts.iter().map(cell).collect();
    format!("<w:tbl><w:tblPr>{properties}</w:tblPr><w:tr>{cells}</w:tr></w:tbl>")
}

#[test]
fn a_table_of_a_document_may_be_read_from_the_right() {
    let reversed = ["5919", "476", "943", LABEL];
    assert!(is_found(&document(&table("<w:bidiVisual/>", &reversed))));
    for properties in [
        "",
        "<w:bidiVisual w:val='0'/>",
        "<w:tblPrChange><w:tblPr><w:bidiVisual/></w:tblPr></w:tblPrChange>",
        "<w:tblStyle w:val='T'/>",
    ] {
        assert!(!is_found(&document(&table(properties, &reversed))), "{properties}");
    }
    let styles = format!(
        "<w:styles {NAMESPACES}><w:style w:type='table' w:styleId='T'><w:tblPr><w:bidiVisual/></w:tblPr></w:style>\
        <w:style w:type='table' w:styleId='U'><w:basedOn w:val='T'/></w:style></w:styles>"
    );
    for (style, own, expected) in
        [("T", "", true), ("U", "", true), ("V", "", false), ("T", "<w:bidiVisual w:val='0'/>", false)]
    {
        let body = document(&table(&format!("<w:tblStyle w:val='{style}'/>{own}"), &reversed));
        let parts: [(&str, &[u8]); 2] = [("d.xml", body.as_bytes()), ("s.xml", styles.as_bytes())];
        assert_eq!(finds(&parts), expected, "{style} {own}");
    }
    let slide = |properties: &str| {
        let cell = |text: &&str| format!("<a:tc><a:txBody><a:p><a:r><a:t>{text}</a:t></a:r></a:p></a:txBody></a:tc>");
        let cells: String = reversed.iter().map(cell).collect();
        format!(
            "<p:sld xmlns:p='http://schemas.openxmlformats.org/presentationml/2006/main' {NAMESPACES}><a:tbl><a:tblPr {properties}/><a:tr>{cells}</a:tr></a:tbl></p:sld>"
        )
    };
    assert!(is_found(&slide("rtl='1'")) && !is_found(&slide("rtl='0'")));
}

#[test]
fn a_table_inside_another_leaves_it_where_it_was() {
    let inner = table("", &["x"]);
    let cell = |inside: &str| format!("<w:tc>{inside}</w:tc>");
    let paragraph = |text: &str| format!("<w:p>{}</w:p>", run(text));
    let cells = [cell(&(inner + &paragraph("5919"))), cell(&paragraph("476")), cell(&paragraph("943"))].concat();
    let label = cell(&paragraph(LABEL));
    let outer = format!("<w:tbl><w:tblPr><w:bidiVisual/></w:tblPr><w:tr>{cells}{label}</w:tr></w:tbl>");
    assert!(is_found(&document(&outer)));
    let inside = |properties: &str, texts: &[&str]| {
        said(&document(&format!("<w:tbl><w:tr>{}</w:tr></w:tbl>", cell(&table(properties, texts)))))
    };
    assert_eq!(inside("<w:bidiVisual/>", &["5919", "476", "943"]), ["table"]);
    assert!(inside("<w:bidiVisual/>", &["Ward 5", "name"]).is_empty());
    assert!(inside("", &["5919", "476", "943"]).is_empty());
}

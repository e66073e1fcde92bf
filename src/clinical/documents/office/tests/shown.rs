//! What a programme counts, works out and arranges while it shows a document.

use super::*;

/// What is said to be unread of a package of one part.
fn unread(markup: &str) -> Vec<String> {
    said(FindingKind::BrokenAttachment, markup)
}

fn said(kind: FindingKind, markup: &str) -> Vec<String> {
    let whole = format!("<s:all {NAMESPACES}>{markup}<w:p>{}</w:p></s:all>", run("x"));
    let package = package(&[("[Content_Types].xml", b"<Types/>"), ("a.xml", whole.as_bytes())]);
    let found = findings(&package).findings.into_iter().filter(|f| f.kind == kind);
    found.map(|f| f.masked).collect()
}

#[test]
fn what_is_drawn_with_more_lines_than_a_logo_is_a_picture() {
    let stroke = "<a:lnTo><a:pt x='1' y='2'/></a:lnTo>";
    let drawing = |strokes: usize| format!("<a:custGeom><a:path>{}</a:path></a:custGeom>", stroke.repeat(strokes));
    let is_picture = |markup: &str| said(FindingKind::Image, markup) == ["drawing"];
    assert!(is_picture(&drawing(72).repeat(10)), "ten signs");
    assert!(!is_picture(&drawing(700)));
    assert!(!is_picture(&"<c:ser><c:pt idx='1'><c:v>2</c:v></c:pt></c:ser>".repeat(900)), "a chart");
    for written in ["<v:shape path='M'/>", "<draw:path d='M'/>", "<draw:polygon points='M'/>"] {
        let written = |octets: usize| written.replace('M', &"m".repeat(octets));
        assert!(is_picture(&written(20_000)) && !is_picture(&written(19_000)), "{}", written(1));
    }
}

#[test]
fn fields_of_which_not_all_is_known_are_said() {
    let field = |instruction: &str| format!("<w:fldSimple w:instr='{instruction}'/>");
    let words = "9 ".repeat(70);
    assert_eq!(unread(&field(&format!("QUOTE {words}"))), ["fields"]);
    assert!(unread(&field(&format!("ADDIN {words}"))).is_empty(), "data of another programme");
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
    let plain = |properties: &str, text: &str| format!("<a:p>{properties}<a:r><a:t>{text}</a:t></a:r></a:p>");
    let style = "<a:lstStyle><a:lvl1pPr><a:buAutoNum startAt='942'/></a:lvl1pPr></a:lstStyle>";
    let styled = |own: &str| body(&[style, &plain("", "one"), &plain(own, "476 5919")].concat());
    assert_eq!(computed(&styled(""))[0].trim_end(), "one\n943 476 5919");
    for own in ["<a:pPr><a:buNone/></a:pPr>", "<a:pPr lvl='1'/>"] {
        assert_eq!(computed(&styled(own))[0], "", "{own}");
    }
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

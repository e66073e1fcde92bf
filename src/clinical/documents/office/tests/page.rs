//! Lists, fields and boxes of a page, as a programme shows it.

use super::*;

const LABEL: &str = "NHS number";

fn numbering(levels: &str, lists: &str) -> String {
    format!(
        "<w:numbering {NAMESPACES}><w:abstractNum w:abstractNumId='3'>{levels}</w:abstractNum>{lists}</w:numbering>"
    )
}

fn level(start: u32, pattern: &str) -> String {
    format!(
        "<w:lvl w:ilvl='0'><w:start w:val='{start}'/><w:numFmt w:val='decimal'/><w:suff w:val='space'/><w:lvlText w:val='{pattern}'/></w:lvl>"
    )
}

const LIST: &str = "<w:num w:numId='7'><w:abstractNumId w:val='3'/></w:num>";

fn listed(text: &str) -> String {
    format!("<w:p><w:pPr><w:numPr><w:ilvl w:val='0'/><w:numId w:val='7'/></w:numPr></w:pPr>{}</w:p>", run(text))
}

fn paragraph(text: &str) -> String {
    format!("<w:p>{}</w:p>", run(text))
}

fn field(instruction: &str, stored: &str) -> String {
    format!(
        "<w:r><w:fldChar w:fldCharType='begin'/></w:r><w:r><w:instrText>{instruction}</w:instrText></w:r>\
        <w:r><w:fldChar w:fldCharType='separate'/></w:r>{}<w:r><w:fldChar w:fldCharType='end'/></w:r>",
        run(stored)
    )
}

/// Whether the number is found in a document of that body, with these other parts.
fn is_found(body: &str, others: &[(&str, String)]) -> bool {
    let document = document(body);
    let mut parts = vec![("word/document.xml", document.as_bytes())];
    parts.extend(others.iter().map(|(name, text)| (*name, text.as_bytes())));
    finds(&parts)
}

#[test]
fn the_numbers_of_lists_are_read_before_their_paragraphs() {
    let body = format!("{}{}", paragraph(LABEL), listed("476 5919"));
    let with = |levels: &str, lists: &str, body: &str| is_found(body, &[("z.xml", numbering(levels, lists))]);
    assert!(with(&level(943, "%1"), LIST, &body));
    assert!(with(&level(43, "9%1."), LIST, &body), "digits of the pattern");
    assert!(!with(&level(1, "%1"), LIST, &body));
    assert!(!with(&level(943, "%1").replace("decimal", "lowerLetter"), LIST, &body), "letters");
    let later = format!("{}{}", listed("words"), body);
    assert!(with(&level(942, "%1"), LIST, &later), "counted");
    let starts = "<w:num w:numId='7'><w:abstractNumId w:val='3'/><w:lvlOverride w:ilvl='0'><w:startOverride w:val='943'/></w:lvlOverride></w:num>";
    assert!(with(&level(1, "%1"), starts, &body), "a start of its own");
    assert!(!with(&level(943, "%1"), starts, &format!("{}{}", listed("a"), body)), "and counted from there");
    let was = "<w:p><w:pPr><w:pPrChange><w:pPr><w:numPr><w:numId w:val='7'/></w:numPr></w:pPr></w:pPrChange></w:pPr><w:r><w:t>476 5919</w:t></w:r></w:p>";
    assert!(!with(&level(943, "%1"), LIST, &format!("{}{was}", paragraph(LABEL))), "no list any more");
    let empty = format!("{}{}", paragraph("NHS number 943 476"), listed(""));
    assert!(with(&level(5919, "%1"), LIST, &empty), "a number and nothing else");
}

#[test]
fn a_style_puts_its_paragraphs_in_a_list() {
    let styles = format!(
        "<w:styles {NAMESPACES}><w:style w:type='paragraph' w:styleId='A'><w:pPr><w:numPr><w:numId w:val='7'/></w:numPr></w:pPr></w:style>\
        <w:style w:type='paragraph' w:styleId='B'><w:basedOn w:val='A'/></w:style></w:styles>"
    );
    let styled = "<w:p><w:pPr><w:pStyle w:val='B'/></w:pPr><w:r><w:t>476 5919</w:t></w:r></w:p>";
    let body = format!("{}{styled}", paragraph(LABEL));
    assert!(is_found(&body, &[("y.xml", styles), ("z.xml", numbering(&level(943, "%1"), LIST))]));
}

#[test]
fn a_list_may_have_the_definition_of_a_style() {
    let styles = format!(
        "<w:styles {NAMESPACES}><w:style w:type='numbering' w:styleId='N'><w:pPr><w:numPr><w:numId w:val='8'/></w:numPr></w:pPr></w:style></w:styles>"
    );
    let other = format!("</w:abstractNum><w:abstractNum w:abstractNumId='4'>{}", level(943, "%1"));
    let lists = format!("{LIST}<w:num w:numId='8'><w:abstractNumId w:val='4'/></w:num>");
    let numbering = numbering(&format!("<w:numStyleLink w:val='N'/>{other}"), &lists);
    let body = format!("{}{}", paragraph(LABEL), listed("476 5919"));
    assert!(is_found(&body, &[("y.xml", styles), ("z.xml", numbering)]));
}

#[test]
fn an_ordinary_list_is_read_once() {
    let numbering = numbering(&level(1, "%1."), LIST);
    let body = format!("{}{}", listed("Wash hands"), listed("Call 3 people"));
    let types: (&str, &[u8]) = ("[Content_Types].xml", b"<Types/>");
    let document = document(&body);
    let parts = [types, ("d.xml", document.as_bytes()), ("n.xml", numbering.as_bytes())];
    assert!(places(&package(&parts)).is_empty());
    let [shown, .., aside] = all_of(&body, &mut Strings::default());
    assert_eq!((shown.as_str(), aside.as_str()), ("Wash hands\nCall 3 people\n\n;\n", ""));
}

#[test]
fn fields_are_worked_out() {
    let three =
        |a: &str, b: &str, c: &str| format!("<w:p>{}{a}{}{b}{}{c}</w:p>", run("NHS number "), run(" "), run(" "));
    for (a, b, c) in [
        ("SEQ a \\r 943", "SEQ b \\r 476", "SEQ c \\r 5919"),
        ("IF 1 = 1 \"943\" \"x\"", "= 470 + 6", "QUOTE 5919"),
        ("MACROBUTTON No 943", "GOTOBUTTON x 476", "EQ \\x(5)\\x(919)"),
        ("TITLE", "DOCPROPERTY own", "DOCVARIABLE v"),
        ("REF one", "REF two \\h", "three"),
    ] {
        let body = format!(
            "<w:p><w:bookmarkStart w:id='3' w:name='three'/>{}<w:bookmarkEnd w:id='3'/></w:p>{}\
            <w:p><w:bookmarkStart w:id='1' w:name='one'/>{}<w:bookmarkEnd w:id='1'/></w:p>\
            <w:p><w:bookmarkStart w:id='2' w:name='two'/>{}<w:bookmarkEnd w:id='2'/> ;</w:p>",
            run("5919"),
            three(&field(a, "x"), &field(b, "x"), &field(c, "x")),
            run("943"),
            run("476")
        );
        let core = "<cp:coreProperties xmlns:cp='urn:a' xmlns:dc='urn:b'><dc:title>943</dc:title></cp:coreProperties>";
        let own = "<Properties xmlns='urn:a' xmlns:vt='urn:b'><property name='Own'><vt:lpwstr>476</vt:lpwstr></property></Properties>";
        let settings =
            format!("<w:settings {NAMESPACES}><w:docVars><w:docVar w:name='v' w:val='5919'/></w:docVars></w:settings>");
        let others = [("x1.xml", core.to_owned()), ("x2.xml", own.to_owned()), ("x3.xml", settings)];
        assert!(is_found(&body, &others), "{a}");
        assert!(!is_found(&body.replace("NHS number ", "x"), &others) || a == "TITLE", "{a}");
    }
    let simple = |n: &str| format!("<w:fldSimple w:instr='SEQ a \\r {n}'>{}</w:fldSimple>", run("1"));
    assert!(is_found(&three(&simple("943"), &simple("476"), &simple("5919")), &[]));
    let inner =
        field(&format!("IF 1 = 1 \"</w:instrText></w:r>{}<w:r><w:instrText>\"", field("SEQ a \\r 943", "1")), "x");
    assert!(is_found(&three(&inner, &run("476"), &run("5919")), &[]), "one inside another");
    assert!(
        is_found(&three(&field("SEQ a \\r 1", "943"), &run("476"), &run("5919")), &[]),
        "what is stored is read too"
    );
}

#[test]
fn symbols_are_digits_of_their_fonts() {
    let symbols = |font: &str, zero: u32| {
        let one = |digit: u32| format!("<w:r><w:sym w:font='{font}' w:char='{:X}'/></w:r>", zero + digit);
        let digits: String = [9, 4, 3, 4, 7, 6, 5, 9, 1, 9].into_iter().map(one).collect();
        format!("<w:p>{}{digits}</w:p>", run("NHS number "))
    };
    for (font, zero) in [("Wingdings", 0xF080), ("Wingdings", 0xF08B), ("Wingdings 2", 0xF069), ("Wingdings 2", 0x74)] {
        assert!(is_found(&symbols(font, zero), &[]), "{font} {zero:X}");
    }
    assert!(!is_found(&symbols("Arial", 0xF069), &[]));
}

#[test]
fn pages_notes_and_lines_are_counted_from_where_they_start() {
    let section = |properties: &str| format!("<w:sectPr>{properties}</w:sectPr>");
    let header = format!(
        "<w:hdr {NAMESPACES}><w:p>{}{}{}</w:p></w:hdr>",
        run("NHS number "),
        field("PAGE", "1"),
        run(" 476 5919")
    );
    for (start, expected) in [(943, true), (941, true), (1, false)] {
        let body = format!("{}{}", paragraph("x"), section(&format!("<w:pgNumType w:start='{start}'/>")));
        assert_eq!(is_found(&body, &[("a.xml", header.clone())]), expected, "{start}");
    }
    let marked =
        format!("<w:p>{}<w:r><w:footnoteReference w:id='1'/></w:r>{}</w:p>", run("NHS number "), run(" 476 5919"));
    let notes = section("<w:footnotePr><w:numStart w:val='943'/></w:footnotePr>");
    assert!(is_found(&format!("{marked}{notes}"), &[]));
    assert!(!is_found(&marked, &[]));
    let settings =
        format!("<w:settings {NAMESPACES}><w:footnotePr><w:numStart w:val='943'/></w:footnotePr></w:settings>");
    assert!(is_found(&marked, &[("s.xml", settings)]));
    let note = format!(
        "<w:footnotes {NAMESPACES}><w:footnote><w:p><w:r><w:footnoteRef/></w:r>{}</w:p></w:footnote></w:footnotes>",
        run(" 476 5919 is the NHS number")
    );
    assert!(is_found(&format!("{}{notes}", paragraph("x")), &[("a.xml", note)]));
    let lines = section("<w:lnNumType w:countBy='1' w:start='941'/>");
    assert!(is_found(&format!("{}{}{lines}", paragraph("x"), paragraph("476 5919 is the NHS number")), &[]));
}

#[test]
fn boxes_of_one_line_are_read_together() {
    let box_at = |left: u32, text: &str| {
        format!(
            "<w:r><w:pict><v:rect style='position:absolute;margin-left:{left}pt;margin-top:3pt'><v:textbox><w:txbxContent>{}\
            </w:txbxContent></v:textbox></v:rect></w:pict></w:r>",
            paragraph(text)
        )
    };
    let boxes = [box_at(200, "5919"), box_at(10, "943"), box_at(100, "476")];
    assert!(is_found(&format!("<w:p>{}{}</w:p>", run("NHS number "), boxes.concat()), &[]));
    let apart: String = boxes.iter().map(|one| format!("<w:p>{one}</w:p>")).collect();
    assert!(
        places(&package(&[("[Content_Types].xml", b"<Types/>"), ("a.xml", document(&apart).as_bytes())])).len() == 1
    );
    let captions = [box_at(200, "Figure 5919"), box_at(10, "Page 943"), box_at(100, "Room 476")];
    assert!(!is_found(&format!("<w:p>{}{}</w:p>", run("NHS number "), captions.concat()), &[]));
}

#[test]
fn what_nobody_sees_divides_no_number_in_one_reading() {
    for properties in [
        "<w:color w:val='FFFFFF'/>",
        "<w:color w:val='auto' w:themeColor='background1'/>",
        "<w:sz w:val='2'/>",
        "<w:webHidden/>",
    ] {
        let faint = format!("<w:r><w:rPr>{properties}</w:rPr><w:t>8</w:t></w:r>");
        let text = format!("<w:p>{}{faint}{}</w:p>", run("NHS number 943"), run(" 476 5919"));
        assert!(is_found(&text, &[]), "{properties}");
        let white = format!("<w:p><w:r><w:rPr>{properties}</w:rPr><w:t>NHS number 943 476 5919</w:t></w:r></w:p>");
        assert!(is_found(&white, &[]), "{properties}");
    }
    let grey = "<w:r><w:rPr><w:color w:val='808080'/></w:rPr><w:t>8</w:t></w:r>";
    assert!(!is_found(&format!("<w:p>{}{grey}{}</w:p>", run("NHS number 943"), run(" 476 5919")), &[]));
}

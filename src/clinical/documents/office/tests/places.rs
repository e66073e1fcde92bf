//! Boxes, frames and diagrams, as they stand on the page.

use super::*;

const SPACES: &str = "xmlns:p='http://schemas.openxmlformats.org/presentationml/2006/main' \
    xmlns:wp='http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing' \
    xmlns:wpg='http://schemas.microsoft.com/office/word/2010/wordprocessingGroup' \
    xmlns:dsp='http://schemas.microsoft.com/office/drawing/2008/diagram' \
    xmlns:dgm='http://schemas.openxmlformats.org/drawingml/2006/diagram' \
    xmlns:svg='urn:oasis:names:tc:opendocument:xmlns:svg-compatible:1.0'";

/// What is said of a part: numbers by their masks, and what is unread.
fn said(part: &str) -> Vec<String> {
    let package = package(&[("[Content_Types].xml", b"<Types/>"), ("part.xml", part.as_bytes())]);
    let found = findings(&package).findings.into_iter().filter(|found| found.confidence == Confidence::High);
    let mut said: Vec<String> = found.map(|found| found.masked).collect();
    said.dedup();
    said
}

const NUMBER: [&str; 1] = ["943***5919"];

fn slide(shapes: &str) -> String {
    format!("<p:sld {NAMESPACES} {SPACES}>{shapes}</p:sld>")
}

/// A place of so many hundred units, with as much room as one and a half of them.
fn place(x: i32, y: i32) -> String {
    format!("<a:off x='{x}00' y='{y}00'/><a:ext cx='150' cy='150'/>")
}

fn shape(attributes: &str, (x, y): (i32, i32), text: &str) -> String {
    let place = place(x, y);
    format!(
        "<p:sp><p:spPr><a:xfrm {attributes}>{place}</a:xfrm></p:spPr><p:txBody><a:p><a:r><a:t>{text}</a:t></a:r></a:p></p:txBody></p:sp>"
    )
}

fn group(attributes: &str, measures: &str, inside: &str) -> String {
    format!("<p:grpSp><p:grpSpPr><a:xfrm {attributes}>{measures}</a:xfrm></p:grpSpPr>{inside}</p:grpSp>")
}

/// The measures of a group: where it stands, how large it is, and the same as what is in it is measured.
fn measures([x, y, cx, cy]: [i32; 4], [inner_x, inner_y, inner_cx, inner_cy]: [i32; 4]) -> String {
    format!(
        "<a:off x='{x}00' y='{y}00'/><a:ext cx='{cx}00' cy='{cy}00'/>\
        <a:chOff x='{inner_x}00' y='{inner_y}00'/><a:chExt cx='{inner_cx}00' cy='{inner_cy}00'/>"
    )
}

/// Label and pieces, each in a shape that stands there.
fn shapes(attributes: &str, places: [(i32, i32); 4]) -> String {
    let pieces = [(1, "943"), (3, "5919"), (0, "NHS number"), (2, "476")];
    pieces.into_iter().map(|(at, text)| shape(attributes, places[at], text)).collect()
}

const ROW: [(i32, i32); 4] = [(0, 0), (10, 0), (20, 0), (30, 0)];
const BACK: [(i32, i32); 4] = [(30, 0), (20, 0), (10, 0), (0, 0)];

#[test]
fn shapes_in_groups_stand_where_their_groups_have_them() {
    let same = measures([0, 0, 40, 10], [0, 0, 40, 10]);
    assert_eq!(said(&slide(&group("", &same, &shapes("", ROW)))), NUMBER);
    // Each piece at the same place of a group of its own.
    let one = |x: i32, text: &str| group("", &measures([x, 5, 2, 2], [70, 70, 4, 4]), &shape("", (70, 70), text));
    let own = [one(30, "5919"), one(10, "943"), one(0, "NHS number"), one(20, "476")].concat();
    assert_eq!(said(&slide(&own)), NUMBER);
    let turned_about = [one(0, "5919"), one(20, "943"), one(30, "NHS number"), one(10, "476")].concat();
    assert_eq!(said(&slide(&turned_about)), [""; 0]);
    // What is measured in twentieths stands in a row, and beside shapes that are in no group.
    let far = measures([20, 0, 20, 1], [0, 0, 400, 20]);
    let inside = [shape("", (200, 0), "5919"), shape("", (0, 0), "476")].concat();
    let outside = [shape("", (10, 0), "943"), shape("", (0, 0), "NHS number")].concat();
    assert_eq!(said(&slide(&(group("", &far, &inside) + &outside))), NUMBER);
    let nested = group("", &measures([0, 0, 40, 10], [100, 0, 40, 10]), &group("", &far, &inside));
    let before = [shape("", (-90, 0), "943"), shape("", (-100, 0), "NHS number")].concat();
    assert_eq!(said(&slide(&(nested + &before))), NUMBER, "nested");
}

#[test]
fn groups_that_are_flipped_or_turned_are_read_as_they_stand() {
    let same = measures([0, 0, 32, 2], [0, 0, 32, 2]);
    for (attributes, own, places) in [
        ("flipH='1'", "", BACK),
        ("rot='10800000'", "rot='10800000'", BACK),
        ("flipV='1' flipH='1'", "", BACK),
        ("rot='10800000'", "", ROW),
        ("rot='5400000'", "", ROW),
        ("rot='2700000'", "", ROW),
        ("flipV='1'", "", ROW),
    ] {
        let inside = shapes(own, places);
        assert_eq!(said(&slide(&group(attributes, &same, &inside))), NUMBER, "{attributes} {own}");
    }
    assert_eq!(said(&slide(&group("", &same, &shapes("", BACK)))), [""; 0]);
    let down = [(0, 30), (0, 20), (0, 10), (0, 0)];
    assert_eq!(said(&slide(&shapes("rot='16200000'", down))), NUMBER, "each shape by itself, from below");
    assert_eq!(said(&slide(&shapes("rot='5400000'", down))), [""; 0]);
}

#[test]
fn figures_in_groups_without_a_label_are_no_finding() {
    let pieces = [(1, "Beds"), (2, "943"), (3, "476"), (4, "5919"), (5, "2026"), (6, "12")];
    let inside: String = pieces.iter().map(|(x, text)| shape("rot='5400000'", (*x, 0), text)).collect();
    let slide = slide(&group("flipH='1'", &measures([0, 0, 40, 10], [0, 0, 80, 10]), &inside));
    assert_eq!(said(&slide), [""; 0]);
}

/// A paragraph of Word's with a drawing that is anchored so far to the right, in points.
fn anchored(x: i32, drawing: &str) -> String {
    let offset = x * 12_700;
    format!(
        "<w:r><w:drawing><wp:anchor><wp:positionH><wp:posOffset>{offset}</wp:posOffset></wp:positionH>\
        <wp:positionV><wp:posOffset>12700</wp:posOffset></wp:positionV>{drawing}</wp:anchor></w:drawing></w:r>"
    )
}

fn shape_of_word(x: i32, text: &str) -> String {
    let off = x * 12_700;
    format!(
        "<wps:wsp><wps:spPr><a:xfrm><a:off x='{off}' y='0'/></a:xfrm></wps:spPr><wps:txbx><w:txbxContent><w:p>{}</w:p>\
        </w:txbxContent></wps:txbx></wps:wsp>",
        run(text)
    )
}

fn letter(body: &str) -> String {
    document(&format!("<w:p>{}{body}</w:p>", run("NHS number ")))
        .replace("<w:document", &format!("<w:document {SPACES}"))
}

#[test]
fn drawings_of_a_letter_stand_where_they_and_their_groups_are_anchored() {
    let group = |x: i32, inside: &str| {
        let measures = "<a:off x='7' y='7'/><a:ext cx='127000' cy='127000'/><a:chOff x='1270000' y='0'/><a:chExt cx='127000' cy='127000'/>";
        anchored(x, &format!("<wpg:wgp><wpg:grpSpPr><a:xfrm>{measures}</a:xfrm></wpg:grpSpPr>{inside}</wpg:wgp>"))
    };
    let one = |x: i32, text: &str| group(x, &shape_of_word(100, text));
    assert_eq!(said(&letter(&[one(200, "5919"), one(10, "943"), one(100, "476")].concat())), NUMBER);
    assert_eq!(said(&letter(&[one(10, "5919"), one(200, "943"), one(100, "476")].concat())), [""; 0]);
    let together = [shape_of_word(140, "5919"), shape_of_word(100, "943"), shape_of_word(120, "476")].concat();
    assert_eq!(said(&letter(&group(3, &together))), NUMBER);
    // What a shape in no group says of its own place is not looked at.
    let lying = [(200, 1, "5919"), (10, 300, "943"), (100, 90, "476")];
    let alone: String = lying.iter().map(|(x, own, text)| anchored(*x, &shape_of_word(*own, text))).collect();
    assert_eq!(said(&letter(&alone)), NUMBER);
    let aligned: String = [("right", "5919"), ("left", "943"), ("center", "476")]
        .iter()
        .map(|(side, text)| {
            let drawing = anchored(7, &shape_of_word(0, text));
            drawing.replace("<wp:posOffset>88900</wp:posOffset>", &format!("<wp:align>{side}</wp:align>"))
        })
        .collect();
    assert_eq!(said(&letter(&aligned)), NUMBER);
    let vml = |left: i32, text: &str| {
        format!(
            "<w:r><w:pict><v:group style='margin-left:{left}pt;width:20pt;height:20pt' coordorigin='500,0' coordsize='1000,1000'>\
            <v:rect style='left:500;top:0'><v:textbox><w:txbxContent><w:p>{}</w:p></w:txbxContent></v:textbox></v:rect>\
            </v:group></w:pict></w:r>",
            run(text)
        )
    };
    assert_eq!(said(&letter(&[vml(200, "5919"), vml(10, "943"), vml(100, "476")].concat())), NUMBER);
}

#[test]
fn boxes_that_are_a_little_lower_are_in_one_line() {
    let one = |(x, y, text): &(i32, i32, &str)| {
        anchored(*x, &shape_of_word(0, text)).replace("<wp:posOffset>12700<", &format!("<wp:posOffset>{}<", y * 12_700))
    };
    let boxes = [(200, 11, "5919"), (10, 13, "943"), (100, 12, "476")];
    assert_eq!(said(&letter(&boxes.iter().map(one).collect::<String>())), NUMBER);
}

/// The data of a diagram: its points as they are written, and the order of each among those of its parent.
fn diagram(points: &[(&str, &str)], links: &[(&str, &str, u32)]) -> String {
    let point = |(name, text): &(&str, &str)| {
        format!("<dgm:pt modelId='{name}'><dgm:t><a:p><a:r><a:t>{text}</a:t></a:r></a:p></dgm:t></dgm:pt>")
    };
    let link = |(from, to, order): &(&str, &str, u32)| {
        format!("<dgm:cxn modelId='c{to}' srcId='{from}' destId='{to}' srcOrd='{order}' destOrd='0'/>")
    };
    let points: String = points.iter().map(point).collect();
    let links: String = links.iter().map(link).collect();
    format!(
        "<dgm:dataModel {NAMESPACES} {SPACES}><dgm:ptLst><dgm:pt modelId='0' type='doc'/>{points}</dgm:ptLst><dgm:cxnLst>{links}</dgm:cxnLst></dgm:dataModel>"
    )
}

#[test]
fn a_diagram_is_read_in_the_order_of_its_connections() {
    let points = [("1", "5919"), ("2", "943"), ("3", "NHS number"), ("4", "476")];
    let right = [("0", "1", 3), ("0", "2", 1), ("0", "3", 0), ("0", "4", 2)];
    assert_eq!(said(&diagram(&points, &right)), NUMBER);
    assert_eq!(said(&diagram(&points, &[("0", "1", 0), ("0", "2", 1), ("0", "3", 2), ("0", "4", 3)])), [""; 0]);
    let chain = [("0", "3", 0), ("3", "2", 0), ("2", "4", 0), ("4", "1", 0), ("1", "0", 0)];
    assert_eq!(said(&diagram(&points, &chain)), NUMBER, "one below the other, and round about");
    let names = [("5", "Ward"), ("6", "Room"), ("7", "Bed")];
    let level =
        [("0", "3", 0), ("0", "5", 1), ("0", "6", 2), ("0", "7", 3), ("5", "2", 0), ("6", "4", 0), ("7", "1", 0)];
    let both = [points.as_slice(), names.as_slice()].concat();
    let ordinary: Vec<_> =
        both.iter().map(|(name, text)| (*name, if *name == "3" { "Figures" } else { *text })).collect();
    assert!(said(&diagram(&ordinary, &level)).is_empty());
}

#[test]
fn the_drawing_of_a_diagram_is_read_by_its_places() {
    let one = |x: i32, own: i32, text: &str| {
        let (place, text_place) = (place(x, 0), place(own, 0));
        format!(
            "<dsp:sp><dsp:spPr><a:xfrm>{place}</a:xfrm></dsp:spPr><dsp:txBody><a:p><a:r><a:t>{text}</a:t></a:r></a:p></dsp:txBody>\
            <dsp:txXfrm>{text_place}</dsp:txXfrm></dsp:sp>"
        )
    };
    let drawing = |shapes: [String; 4]| {
        format!("<dsp:drawing {NAMESPACES} {SPACES}><dsp:spTree>{}</dsp:spTree></dsp:drawing>", shapes.concat())
    };
    let stands = [one(30, 30, "5919"), one(10, 10, "943"), one(0, 0, "NHS number"), one(20, 20, "476")];
    assert_eq!(said(&drawing(stands)), NUMBER);
    let text_stands = [one(0, 30, "5919"), one(0, 10, "943"), one(0, 0, "NHS number"), one(0, 20, "476")];
    assert_eq!(said(&drawing(text_stands)), NUMBER);
}

#[test]
fn more_points_than_are_kept_are_said() {
    let points = |count: usize| "<dgm:pt modelId='1'/>".repeat(count);
    let said =
        |count: usize| self::said(&format!("<dgm:dataModel {NAMESPACES} {SPACES}>{}</dgm:dataModel>", points(count)));
    assert!(!said(20_000).contains(&"diagram".to_owned()));
    assert!(said(20_001).contains(&"diagram".to_owned()));
}

fn framed(place: &str, text: &str) -> String {
    format!("<w:p><w:pPr><w:framePr {place}/></w:pPr>{}</w:p>", run(text))
}

fn paragraph(text: &str) -> String {
    format!("<w:p>{}</w:p>", run(text))
}

fn at(x: i32) -> String {
    format!("w:hAnchor='page' w:vAnchor='page' w:x='{x}' w:y='2000'")
}

#[test]
fn frames_are_read_where_they_stand() {
    let row = [framed(&at(6_000), "5919"), framed(&at(2_000), "943"), framed(&at(4_000), "476")].concat();
    let label = paragraph("NHS number");
    for body in [
        row.clone() + &label,
        label.clone() + &row + &paragraph("words"),
        label.clone() + &row,
        row.clone() + &framed(&at(0), "NHS number"),
        format!("<w:tbl><w:tr><w:tc>{label}{row}</w:tc><w:tc>{}</w:tc></w:tr></w:tbl>", paragraph("x")),
        label.clone() + &row + "<w:tbl><w:tr><w:tc><w:p/></w:tc></w:tr></w:tbl>",
    ] {
        assert_eq!(said(&document(&body)), NUMBER, "{body}");
    }
    // Two paragraphs are one frame; what it was before is not looked at.
    let two = [framed(&at(6_000), "476"), framed(&at(6_000), "5919"), framed(&at(2_000), "943")].concat();
    assert!(said(&document(&(two + &label))).contains(&NUMBER[0].to_owned()));
    let was = row
        .replace("<w:framePr", "<w:pPrChange><w:pPr><w:framePr")
        .replace("</w:pPr>", "</w:pPr></w:pPrChange></w:pPr>");
    assert_eq!(said(&document(&(was + &label))), [""; 0]);
    let apart: String = [(6_000, "5919"), (2_000, "943"), (4_000, "476")]
        .iter()
        .map(|(x, text)| framed(&at(*x), text) + &paragraph("words"))
        .collect();
    let found = findings(&package(&[("[Content_Types].xml", b"<Types/>"), ("d.xml", document(&apart).as_bytes())]));
    assert!(found.findings.iter().any(|found| found.kind == FindingKind::NhsNumber), "frames of several paragraphs");
}

#[test]
fn a_style_may_make_frames() {
    let style = |name: &str, x: i32| {
        format!("<w:style w:type='paragraph' w:styleId='{name}'><w:pPr><w:framePr {}/></w:pPr></w:style>", at(x))
    };
    let based = "<w:style w:type='paragraph' w:styleId='D'><w:basedOn w:val='A'/></w:style>";
    let all = [style("A", 6_000), style("B", 2_000), style("C", 4_000), based.to_owned()].concat();
    let styles = format!("<w:styles {NAMESPACES}>{all}</w:styles>");
    let styled = |name: &str, text: &str| format!("<w:p><w:pPr><w:pStyle w:val='{name}'/></w:pPr>{}</w:p>", run(text));
    for last in ["A", "D"] {
        let body = [styled(last, "5919"), styled("B", "943"), styled("C", "476"), paragraph("NHS number")].concat();
        let parts = [("d.xml", document(&body)), ("s.xml", styles.clone())];
        assert!(finds(&parts.each_ref().map(|(name, text)| (*name, text.as_bytes()))), "{last}");
        assert!(!finds(&[("d.xml", parts[0].1.as_bytes())]));
    }
}

#[test]
fn a_large_first_letter_is_one_of_its_word() {
    let capital = |text: &str| framed("w:dropCap='drop' w:lines='3'", text);
    for body in [
        capital("9") + &paragraph("43 476 5919 is the NHS number"),
        paragraph("NHS number") + &capital("9") + &paragraph("43 476 5919"),
    ] {
        assert_eq!(said(&document(&body)), NUMBER);
    }
    let ordinary = [capital("W"), paragraph("e met on 12 May."), capital("T"), paragraph("en of 4,765 came.")].concat();
    assert_eq!(said(&document(&ordinary)), [""; 0]);
}

#[test]
fn figures_in_frames_that_cannot_be_compared_are_said() {
    let other = "w:hAnchor='margin' w:vAnchor='page' w:x='100' w:y='2000'";
    let pieces = |last: &str| [framed(&at(6_000), "47659"), framed(other, last)].concat() + &paragraph("words");
    assert_eq!(said(&document(&pieces("94319"))), ["layout"]);
    let few =
        [framed(&at(9_000), "2"), framed(other, "2026"), framed(&at(1), "Page"), framed(other, "Ref 94347")].concat();
    assert_eq!(said(&document(&(few + &paragraph("words")))), [""; 0]);
    assert_eq!(said(&document(&pieces("12 High Street"))), [""; 0]);
}

/// A text of these styles and this body.
fn open_text(styles: &str, body: &str) -> String {
    format!(
        "<office:document-content {NAMESPACES} {SPACES}>{styles}<office:body>{body}</office:body></office:document-content>"
    )
}

/// A frame of an OpenDocument.
fn open_frame(attributes: &str, text: &str) -> String {
    format!("<draw:frame {attributes}><draw:text-box><text:p>{text}</text:p></draw:text-box></draw:frame>")
}

fn anchored_at(anchor: &str, x: u32) -> String {
    format!("text:anchor-type='{anchor}' svg:x='{x}cm' svg:y='1cm' svg:width='1cm' svg:height='1cm'")
}

#[test]
fn frames_of_a_paragraph_are_read_where_they_stand() {
    let line = |pieces: [(String, &str); 3]| {
        let frames: String = pieces.iter().map(|(attributes, text)| open_frame(attributes, text)).collect();
        open_text("", &format!("<text:p>NHS number {frames}</text:p>"))
    };
    for (anchor, expected) in [("paragraph", true), ("char", true), ("as-char", false)] {
        let at = |x| anchored_at(anchor, x);
        let placed = said(&line([(at(6), "5919"), (at(2), "943"), (at(4), "476")]));
        assert_eq!(placed == NUMBER, expected, "{anchor} {placed:?}");
        let written = said(&line([(at(6), "943"), (at(4), "476"), (at(2), "5919")]));
        assert_eq!(written, NUMBER, "as it is written, {anchor}");
    }
    let page = [("6", "5919"), ("2", "943"), ("0", "NHS number"), ("4", "476")].map(|(x, text)| {
        open_frame(&format!("text:anchor-page-number='2' {}", anchored_at("page", x.parse().unwrap())), text)
    });
    assert_eq!(said(&open_text("", &format!("<office:text>{}</office:text>", page.concat()))), NUMBER);
    let other = page.concat().replacen("page-number='2'", "page-number='3'", 1);
    assert_eq!(said(&open_text("", &format!("<office:text>{other}</office:text>"))), [""; 0], "on another page");
}

#[test]
fn a_style_says_how_frames_are_held() {
    let style = |name: &str, across: &str| {
        format!(
            "<style:style style:name='{name}' style:family='graphic' style:parent-style-name='F'><style:graphic-properties {across}/></style:style>"
        )
    };
    let held = |name: &str, side: &str| {
        style(name, &format!("style:horizontal-pos='{side}' style:horizontal-rel='paragraph'"))
    };
    let usual = "<style:style style:name='F' style:family='graphic'><style:graphic-properties style:horizontal-pos='right' style:horizontal-rel='paragraph'/></style:style>";
    let styles =
        [usual, &held("l", "left"), &held("c", "center"), &held("f", "from-left"), &style("g", "style:wrap='none'")]
            .concat();
    let frame = |style: &str, x: u32, text: &str| {
        open_frame(&format!("draw:style-name='{style}' {}", anchored_at("paragraph", x)), text)
    };
    let text = |frames: &[String]| open_text(&styles, &format!("<text:p>NHS number {}</text:p>", frames.concat()));
    // What a frame says of its own place is not looked at where the style says it.
    assert_eq!(said(&text(&[frame("g", 1, "5919"), frame("l", 9, "943"), frame("c", 5, "476")])), NUMBER);
    let mixed = |last: &str| said(&text(&[frame("c", 1, "47659"), frame("f", 3, last)]));
    assert_eq!(mixed("94319"), ["layout"]);
    assert_eq!(mixed("12 High Street"), [""; 0]);
    assert_eq!(mixed("2026"), [""; 0]);
}

#[test]
fn shapes_that_are_transformed_are_read_where_they_come_to_stand() {
    let shape = |transform: &str, text: &str| {
        format!(
            "<draw:custom-shape svg:width='1cm' svg:height='1cm' draw:transform='{transform}'><text:p>{text}</text:p></draw:custom-shape>"
        )
    };
    let page = |shapes: &[String]| open_text("", &format!("<draw:page>{}</draw:page>", shapes.concat()));
    let at = |x: u32| format!("rotate (0) translate ({x}cm 2cm)");
    assert_eq!(
        said(&page(&[shape(&at(6), "5919"), shape(&at(2), "943"), shape(&at(0), "NHS number"), shape(&at(4), "476")])),
        NUMBER
    );
    let up = |y: u32| format!("rotate (1.5707963) translate (3cm {y}cm)");
    assert_eq!(
        said(&page(&[shape(&up(3), "5919"), shape(&up(7), "943"), shape(&up(9), "NHS number"), shape(&up(5), "476")])),
        NUMBER,
        "from below"
    );
    let line = |text: &str| open_text("", &format!("<text:p>{}</text:p>", shape("perspective(1)", text)));
    assert_eq!((said(&line("943")), said(&line("Ward 9"))), (vec!["layout".to_owned()], Vec::new()));
}

#[test]
fn frames_in_cells_stand_beside_one_another() {
    let cell = |text: &str, x: u32| {
        let frame = open_frame(&anchored_at("", x).replace("text:anchor-type=''", ""), text);
        format!("<table:table-cell>{frame}</table:table-cell>")
    };
    let table = |[first, second, third]: [u32; 3]| {
        let cells = [cell("NHS number", 0), cell("943", first), cell("476", second), cell("5919", third)].concat();
        open_text("", &format!("<table:table><table:table-row>{cells}</table:table-row></table:table>"))
    };
    assert_eq!(said(&table([2, 1, 0])), NUMBER);
}

#[test]
fn shapes_of_a_sheet_stand_where_they_are_anchored() {
    let anchored = |column: u32, off: u32, shape: &str| {
        format!(
            "<xdr:twoCellAnchor><xdr:from><xdr:col>{column}</xdr:col><xdr:colOff>{off}</xdr:colOff><xdr:row>3</xdr:row><xdr:rowOff>7</xdr:rowOff>\
            </xdr:from><xdr:to><xdr:col>99</xdr:col></xdr:to>{shape}</xdr:twoCellAnchor>"
        )
    };
    // What they say of their own places is not looked at.
    let one = |column: u32, off: u32, own: i32, text: &str| anchored(column, off, &shape("", (own, own), text));
    let group = |column: u32, text: &str| {
        anchored(column, 0, &group("", &measures([5, 9, 2, 2], [70, 70, 4, 4]), &shape("", (70, 70), text)))
    };
    let drawing = |shapes: [String; 4]| {
        let space = "http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing";
        let shapes = shapes.concat().replace("<p:", "<xdr:").replace("</p:", "</xdr:");
        format!("<xdr:wsDr xmlns:xdr='{space}' {NAMESPACES} {SPACES}>{shapes}</xdr:wsDr>")
    };
    let label = || one(0, 5, 90, "NHS number");
    assert_eq!(said(&drawing([one(9, 0, 1, "5919"), one(3, 10, 80, "943"), label(), one(3, 90, 40, "476")])), NUMBER);
    assert_eq!(said(&drawing([group(9, "5919"), group(3, "943"), label(), group(5, "476")])), NUMBER);
    assert_eq!(said(&drawing([one(3, 0, 9, "5919"), one(9, 0, 3, "943"), label(), one(5, 0, 5, "476")])), [""; 0]);
}

//! What the codes of fonts stand for.

use super::*;

const SUBJECT: &str = "NHS number 943 476 5919";

fn in_font(font: &str, string: &str) -> Pdf {
    let content = format!("BT /F1 12 Tf 72 720 Td {string} Tj ET");
    Pdf::with(stream("", content.as_bytes()), font.to_owned(), "")
}

#[test]
fn a_map_to_unicode_is_read() {
    let face = Typeface::of(SUBJECT);
    holds(&face.page(&format!("<{}> Tj", face.codes(SUBJECT))).bytes());
    let mut pdf = in_font(&Typeface::font(6), "<0105010300F00101010600FF01000102>");
    // A range, a list, and a pair of surrogates.
    pdf.add(stream(
        "",
        b"beginbfrange <00F0> <00FF> <0030> <0100> <0102> [<0035> <0039> <00310039>] <0103> <0103> <D835DFCE> \
        <0104> <0107> <0034> endbfrange",
    ));
    let mapped = pdf.bytes();
    assert!(found(&inspected(&mapped), FindingKind::BrokenAttachment).is_empty());
}

#[test]
fn encodings_are_read_by_their_names() {
    let differ = |names: &str| {
        format!("<< /Type /Font /Subtype /Type1 /BaseFont /X /Encoding << /Differences [1 {names}] >> >>")
    };
    let names = "/N /H /S /space /nine /four /three /seven /six /five /uni0031";
    holds(&in_font(&differ(names), "<01020304050607040608 09040A050B05>").bytes());
    let drawn = "<< /Type /Font /Subtype /Type3 /FontMatrix [0.01 0 0 0.01 0 0] /FirstChar 48 /LastChar 57 /CharProcs << >> \
        /Widths [50 50 50 50 50 50 50 50 50 50] /Encoding << /Differences [48 /zero /one /two /three /four /five /six /seven /eight /nine] >> >>";
    holds(&in_font(drawn, "(9434765919)").bytes());
    for encoding in ["/WinAnsiEncoding", "/MacRomanEncoding", "/StandardEncoding"] {
        let font = HELVETICA.replace("/WinAnsiEncoding", encoding);
        holds(&in_font(&font, "(NHS number 943 476 5919)").bytes());
    }
}

#[test]
fn where_encoding_and_map_disagree_both_are_read() {
    let font = HELVETICA.replace(">>", "/ToUnicode 6 0 R >>");
    let mut pdf = in_font(&font, "(NHS number 943 476 5919)");
    pdf.add(stream("", b"beginbfrange <20> <7E> <0041> endbfrange"));
    holds(&pdf.bytes());
}

#[test]
fn a_map_that_lies_hides_no_number() {
    let plain = HELVETICA.replace("/Encoding /WinAnsiEncoding", "/ToUnicode 6 0 R");
    let named = HELVETICA.replace(
        "/WinAnsiEncoding",
        "<< /Differences [97 /nine /four /three /seven /six /five /one] >> /ToUnicode 6 0 R",
    );
    let wide = Typeface::font(6).replace("Identity-H", "UniGB-UCS2-H");
    let units: String = "9434765919".encode_utf16().map(|u| format!("{u:04X}")).collect();
    for (font, codes) in [(&plain, "(9434765919)"), (&named, "(abcbdefaga)"), (&wide, &format!("<{units}>"))] {
        let mut pdf = in_font(font, codes);
        pdf.add(stream("", b"beginbfrange <20> <7E> <0041> <0020> <007E> <0041> endbfrange"));
        holds(&pdf.bytes());
    }
    // Drawn from the last to the first.
    let place = |(at, c): (usize, char)| format!("1 0 0 1 {} 700 Tm ({c}) Tj ", 132.0 - 6.67 * at as f64);
    let digits: String = "9434765919".chars().rev().enumerate().map(place).collect();
    let mut pdf = Pdf::with(stream("", format!("BT /F1 12 Tf {digits} ET").as_bytes()), plain.clone(), "");
    pdf.add(stream("", b"beginbfrange <20> <7E> <0041> endbfrange"));
    holds(&pdf.bytes());
    let embedded = plain.replace("/ToUnicode", "/FontDescriptor << /FontFile2 7 0 R >> /ToUnicode");
    let mut pdf = in_font(&embedded, "(9434765919)");
    pdf.add(stream("", b"beginbfrange <20> <7E> <0041> endbfrange"));
    pdf.add(stream("/Length1 9", b"a font"));
    let findings = inspected(&pdf.bytes());
    assert!(
        found(&findings, FindingKind::NhsNumber).is_empty(),
        "a font that comes with the document has its own codes"
    );
}

#[test]
fn codes_without_a_map_are_said_and_never_clean() {
    let font = Typeface::font(6).replace("/ToUnicode 6 0 R", "");
    let codes = "<000900040003000400070006000500090001>";
    says(&in_font(&font, codes).bytes(), FindingKind::BrokenAttachment, "no text map");
    let named = "<< /Type /Font /Subtype /Type3 /Encoding << /Differences [1 /g1 /g2 /g3 /g4 /g5 /g6 /g7] >> >>";
    says(&in_font(named, "<010203040506070102>").bytes(), FindingKind::BrokenAttachment, "no text map");
    let bullets = "BT /F1 12 Tf 72 720 Td (first) Tj <00> Tj (second) Tj <00> Tj (third) Tj <00> Tj ET";
    assert_eq!(inspected(&shown(bullets)).unread, [], "but a sign or two is no text");
}

#[test]
fn codes_that_are_unicode_or_a_charset_are_read() {
    let named = |name: &str| Typeface::font(6).replace("/ToUnicode 6 0 R", "").replace("Identity-H", name);
    let wide: String = SUBJECT.encode_utf16().map(|u| format!("{u:04X}")).collect();
    holds(&in_font(&named("UniGB-UCS2-H"), &format!("<{wide}>")).bytes());
    holds(&in_font(&named("90ms-RKSJ-H"), "(NHS number 943 476 5919)").bytes());
}

#[test]
fn widths_tell_what_is_beside_what() {
    let font = |widths: &str| {
        format!(
            "<< /Type /Font /Subtype /TrueType /BaseFont /X /FirstChar 32 /Widths [{widths}] /Encoding /WinAnsiEncoding >>"
        )
    };
    let wide = vec!["1000"; 95].join(" ");
    let place = |step: f64| -> String {
        "9434765919"
            .chars()
            .enumerate()
            .map(|(at, c)| format!("1 0 0 1 {} 700 Tm ({c}) Tj ", 72.0 + step * at as f64))
            .collect()
    };
    let page = |step: f64| {
        Pdf::with(stream("", format!("BT /F1 12 Tf {} ET", place(step)).as_bytes()), font(&wide), "").bytes()
    };
    assert!(!found(&inspected(&page(12.0)), FindingKind::NhsNumber).is_empty());
    assert!(found(&inspected(&page(40.0)), FindingKind::NhsNumber).is_empty(), "single digits far apart are no number");
}

#[test]
fn drawings_in_the_place_of_digits_are_said() {
    let drawn = |names: &str| {
        let mut pdf = Pdf::of(b"BT /F1 12 Tf 72 720 Td (NHS number 943 476 ) Tj /F2 12 Tf (abcbdefaga) Tj ET");
        let glyphs = format!(
            "<< /Type /Font /Subtype /Type3 /FontMatrix [0.001 0 0 0.001 0 0] /CharProcs << >> /FirstChar 97 /LastChar 103 \
             /Widths [600 600 600 600 600 600 600] /Encoding << /Differences [97 {names}] >> >>"
        );
        let font = pdf.add(glyphs);
        let fonts = format!("/Resources << /Font << /F1 {FONT} 0 R /F2 {font} 0 R >> >>");
        pdf.set(PAGE, format!("<< /Type /Page /Parent 2 0 R /Contents {CONTENT} 0 R {fonts} >>"));
        pdf
    };
    says(&drawn("/a /b /c /d /e /f /g").bytes(), FindingKind::BrokenAttachment, "no text map");
    let few = "BT /F1 12 Tf 72 720 Td (NHS number 943 476 ) Tj /F2 12 Tf (abcb) Tj ET";
    let mut pdf = drawn("/g1 /g2 /g3");
    pdf.set(CONTENT, stream("", few.as_bytes()));
    says(&pdf.bytes(), FindingKind::BrokenAttachment, "no text map");
    let named = inspected(&drawn("/one /two /three /four /five /six /seven").bytes());
    assert_eq!(named.unread, [], "and names of digits tell them");
}

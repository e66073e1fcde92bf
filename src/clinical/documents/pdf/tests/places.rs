//! Where text stands that is not on a page.

use super::*;

fn letter() -> Pdf {
    Pdf::of(b"BT /F1 12 Tf 72 720 Td (See the rest) Tj ET")
}

/// A letter and one more object.
fn with(body: impl AsRef<[u8]>) -> Vec<u8> {
    let mut pdf = letter();
    pdf.add(body);
    pdf.bytes()
}

const SUBJECT: &str = "NHS number 943 476 5919";

#[test]
fn fields_notes_bookmarks_labels_layers_and_scripts_are_read() {
    let text = text_string(SUBJECT);
    for dict in [
        format!("<< /FT /Tx /T (a) /V {text} >>"),
        format!("<< /FT /Tx /T (a) /DV {text} >>"),
        format!("<< /FT /Tx /T (a) /TU {text} >>"),
        format!("<< /FT /Ch /Opt [[(a) {text}]] >>"),
        "<< /FT /Tx /T (NHS number) /V (9434765919) >>".to_owned(),
        format!("<< /Type /Annot /Subtype /Text /Contents {text} >>"),
        format!("<< /Type /Annot /RC (<p>{SUBJECT}</p>) >>"),
        format!("<< /Title {text} /Dest [3 0 R /Fit] >>"),
        format!("<< /Nums [0 << /S /D /P {text} >>] >>"),
        format!("<< /Type /OCG /Name {text} >>"),
        format!("<< /S /JavaScript /JS (app.alert\\('{SUBJECT}'\\)) >>"),
        format!("<< /S /URI /URI (mailto:x?body={SUBJECT}) >>"),
        format!("<< /Type /StructElem /S /Figure /Alt {text} >>"),
    ] {
        holds(&with(&dict));
    }
}

#[test]
fn a_number_over_three_fields_is_read_as_it_is_seen() {
    let mut pdf = Pdf::with(
        stream("", b"BT /F1 12 Tf 72 700 Td (NHS number) Tj ET"),
        HELVETICA.to_owned(),
        "/Annots [6 0 R 7 0 R 8 0 R]",
    );
    for (at, value) in ["943", "476", "5919"].iter().enumerate() {
        let x = 150 + 22 * at;
        pdf.add(format!("<< /Subtype /Widget /FT /Tx /Rect [{x} 700 {} 712] /V ({value}) /T (f{at}) >>", x + 20));
    }
    holds(&pdf.bytes());
    let mut pdf = Pdf::with(stream("", b""), HELVETICA.to_owned(), "/Annots [6 0 R 7 0 R 8 0 R]");
    for at in 0..3 {
        let x = 150 + 22 * at;
        pdf.add(format!("<< /Subtype /Widget /Rect [{x} 700 {} 712] /AP << /N {} 0 R >> >>", x + 20, 9 + at));
    }
    for value in ["943", "476", "5919"] {
        let resources = format!("/Resources << /Font << /F1 {FONT} 0 R >> >>");
        pdf.add(stream(
            &format!("/Subtype /Form /BBox [0 0 20 12] {resources}"),
            format!("/Tx BMC BT /F1 10 Tf ({value}) Tj ET EMC").as_bytes(),
        ));
    }
    holds(&pdf.bytes());
}

/// Fields beside one another, each with what is said in its dictionary.
fn fields(said: &[&str]) -> Vec<u8> {
    let numbers: Vec<String> = (0..said.len()).map(|at| format!("{} 0 R", 6 + at)).collect();
    let annots = format!("/Annots [{}]", numbers.join(" "));
    let label = stream("", b"BT /F1 12 Tf 72 706 Td (NHS number) Tj ET");
    let mut pdf = Pdf::with(label, HELVETICA.to_owned(), &annots);
    for (at, said) in said.iter().enumerate() {
        let x = 150 + 24 * at;
        pdf.add(format!("<< /Subtype /Widget /Rect [{x} 700 {} 720] {said} >>", x + 22));
    }
    pdf.add("<< /FT /Ch /Opt [[(a) (12)] [(b) (476)] (c)] /V (b) >>");
    pdf.add(stream(
        &format!("/Subtype /Form /BBox [0 0 20 12] /Resources << /Font << /F1 {FONT} 0 R >> >>"),
        b"/Tx BMC BT /F1 10 Tf (12) Tj ET EMC",
    ));
    pdf.bytes()
}

#[test]
fn a_field_shows_its_value_where_it_stands() {
    let [first, last] = ["/FT /Tx /V (943)", "/FT /Tx /V (5919)"];
    holds(&fields(&[first, "/FT /Ch /V (b) /Opt [[(a) (12)] [(b) (476)]]", last]));
    holds(&fields(&[first, "/FT /Ch /V [(476)] /Opt [(12) (476)]", last]));
    holds(&fields(&[first, "/Parent 9 0 R", last]));
    // Programmes for forms show the value, whatever looks are kept.
    holds(&fields(&[first, "/FT /Tx /V (476) /AP << /N 10 0 R >>", last]));
    holds(&fields(&[first, "/FT /Tx /F 2 /V (1)", "/FT /Tx /V (476)", last]));
    holds(&fields(&["/FT /Tx /Q 2 /V (943)", "/FT /Tx /MaxLen 3 /Ff 16777216 /V (476)", last]));
}

#[test]
fn a_field_completes_what_is_printed_beside_it() {
    for (rect, said) in [
        ("[140 700 220 720]", "/DA (/Helv 12 Tf 0 g)"),
        ("[140 694 220 724]", "/DA (0 g /Helv 0 Tf)"),
        ("[140 640 220 718]", "/Ff 4096 /DA (/Helv 12 Tf)"),
    ] {
        let label = stream("", b"BT /F1 12 Tf 30 706 Td (NHS number 943 476) Tj ET");
        let mut pdf = Pdf::with(label, HELVETICA.to_owned(), "/Annots [6 0 R]");
        pdf.add(format!("<< /Subtype /Widget /FT /Tx /Rect {rect} {said} /V (5919) >>"));
        holds(&pdf.bytes());
    }
}

#[test]
fn streams_of_text_are_read() {
    let xmp = format!("<?xpacket?><x:xmpmeta><dc:title>{SUBJECT}</dc:title></x:xmpmeta>");
    holds(&with(stream("/Type /Metadata /Subtype /XML /Filter /FlateDecode", &flate(xmp.as_bytes()))));
    let mut pdf = letter();
    let form = pdf.add(stream("/Length1 9", b"<xfa><nhsNumber>943 476 5919</nhsNumber></xfa>"));
    pdf.set(CATALOG, format!("<< /Type /Catalog /Pages 2 0 R /AcroForm << /XFA [(datasets) {form} 0 R] >> >>"));
    holds(&pdf.bytes());
    let mut pdf = letter();
    let script = pdf.add(stream("/Length1 9", format!("app.alert('{SUBJECT}')").as_bytes()));
    pdf.add(format!("<< /S /JavaScript /JS {script} 0 R >>"));
    holds(&pdf.bytes());
}

#[test]
fn what_the_document_says_of_itself_is_read() {
    let mut pdf = letter();
    let about = pdf.add(format!("<< /Subject {} >>", text_string(SUBJECT)));
    holds(&pdf.bytes_with(&format!("/Info {about} 0 R")));
    holds(&letter().bytes_with(&format!("/Info << /Title ({SUBJECT}) >>")));
}

#[test]
fn looks_that_are_not_shown_and_patterns_are_read() {
    let font = format!("/Resources << /Font << /F1 {FONT} 0 R >> >>");
    holds(&with(stream(&format!("/Subtype /Form /BBox [0 0 9 9] {font}"), NUMBER.as_bytes())));
    holds(&with(stream(&format!("/PatternType 1 /PaintType 1 {font}"), NUMBER.as_bytes())));
    holds(&with(stream("", NUMBER.as_bytes())));
}

#[test]
fn embedded_files_are_read_by_what_they_are() {
    let embed = |name: &str, bytes: &[u8]| {
        let mut pdf = letter();
        let file = pdf.add(stream("/Filter /FlateDecode", &flate(bytes)));
        pdf.add(format!("<< /Type /Filespec /F ({name}) /EF << /F {file} 0 R >> >>"));
        pdf.bytes()
    };
    let findings = inspected(&embed("note.txt", SUBJECT.as_bytes()));
    assert_eq!(found(&findings, FindingKind::NhsNumber), [("a.pdf!/note.txt", "943***5919")]);
    holds(&embed("inner.pdf", &shown(NUMBER)));
    holds(&embed("NHS number 943 476 5919.txt", b"hello"));
    says(&embed("a.rar", b"Rar!\x1A\x071234"), FindingKind::UnknownAttachment, "rar");
    holds(&with(stream("/Type /EmbeddedFile", SUBJECT.as_bytes())));
}

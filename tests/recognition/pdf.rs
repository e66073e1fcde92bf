//! The places of a PDF in which text stands.

#[path = "../../src/clinical/documents/pdf/tests/writer.rs"]
mod writer;

use crate::cells::Form;
use crate::containers::{base64, part};
use writer::{CATALOG, Pdf, Typeface, flate, stream, text_string};

fn attached(pdf: &[u8]) -> Vec<u8> {
    let head = "Content-Type: application/pdf; name=letter.pdf\r\nContent-Transfer-Encoding: base64";
    part(head, &base64(pdf))
}

/// Each line shown by `show`, the next one below it.
fn lines(text: &str, show: impl Fn(&str) -> String) -> String {
    text.split("\r\n").map(show).collect::<Vec<_>>().join(" T* ")
}

/// In a font whose codes are Windows' where that has all characters.
pub fn winansi(text: &str, form: &Form) -> Vec<u8> {
    let (octets, _, failed) = encoding_rs::WINDOWS_1252.encode(text);
    if failed {
        return to_unicode(text, form);
    }
    let escaped = |line: &[u8]| line.iter().map(|b| format!("\\{b:03o}")).collect::<String>();
    let lines: Vec<String> =
        octets.split(|b| *b == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line)).map(escaped).collect();
    let shown = lines.iter().map(|line| format!("({line}) '")).collect::<String>();
    attached(&Pdf::of(format!("BT /F1 12 Tf 14 TL 72 720 Td {shown} ET").as_bytes()).bytes())
}

/// Whole lines in a font of two octets to a code.
pub fn to_unicode(text: &str, _: &Form) -> Vec<u8> {
    let face = Typeface::of(text);
    attached(&face.page(&lines(text, |line| format!("<{}> Tj", face.codes(line)))).bytes())
}

/// Each glyph placed by itself.
pub fn glyphs(text: &str, _: &Form) -> Vec<u8> {
    let face = Typeface::of(text);
    let placed = |(row, line): (usize, &str)| -> String {
        let place = |at: usize| format!("1 0 0 1 {} {} Tm", 72 + 6 * at, 720 - 14 * row);
        line.chars().enumerate().map(|(at, c)| format!("{} <{}> Tj ", place(at), face.codes(&c.to_string()))).collect()
    };
    attached(&face.page(&text.split("\r\n").enumerate().map(placed).collect::<String>()).bytes())
}

/// Each glyph in a string of its own, with a little kerning between them.
pub fn kerned(text: &str, _: &Form) -> Vec<u8> {
    let face = Typeface::of(text);
    let show = |line: &str| -> String {
        let each = line
            .chars()
            .enumerate()
            .map(|(at, c)| format!("<{}> {} ", face.codes(&c.to_string()), [-60, 0, 45, 120][at % 4]));
        format!("[{}] TJ", each.collect::<String>())
    };
    attached(&face.page(&lines(text, show)).bytes())
}

/// Objects in an object stream.
pub fn object_stream(text: &str, _: &Form) -> Vec<u8> {
    let face = Typeface::of(text);
    attached(&face.page(&lines(text, |line| format!("<{}> Tj", face.codes(line)))).packed())
}

fn letter() -> Pdf {
    Pdf::of(b"BT /F1 12 Tf 72 720 Td (Please see the form) Tj ET")
}

pub fn form_field(text: &str, _: &Form) -> Vec<u8> {
    let mut pdf = letter();
    let field = pdf.add(format!("<< /FT /Tx /T (note) /V {} >>", text_string(text)));
    pdf.set(CATALOG, format!("<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [{field} 0 R] >> >>"));
    attached(&pdf.bytes())
}

pub fn annotation(text: &str, _: &Form) -> Vec<u8> {
    let pinned =
        format!("/Annots [<< /Type /Annot /Subtype /Text /Rect [9 9 29 29] /Contents {} >>]", text_string(text));
    let content = stream("", b"BT /F1 12 Tf 72 720 Td (See the note) Tj ET");
    attached(&Pdf::with(content, writer::HELVETICA.to_owned(), &pinned).bytes())
}

pub fn metadata(text: &str, _: &Form) -> Vec<u8> {
    let mut pdf = letter();
    let about = pdf.add(format!("<< /Producer (a writer) /Subject {} >>", text_string(text)));
    attached(&pdf.bytes_with(&format!("/Info {about} 0 R")))
}

pub fn embedded_file(text: &str, _: &Form) -> Vec<u8> {
    let mut pdf = letter();
    let file = pdf.add(stream("/Type /EmbeddedFile /Filter /FlateDecode", &flate(text.as_bytes())));
    let named = pdf.add(format!("<< /Type /Filespec /F (note.txt) /EF << /F {file} 0 R >> >>"));
    let names = format!("/Names << /EmbeddedFiles << /Names [(note.txt) {named} 0 R] >> >>");
    pdf.set(CATALOG, format!("<< /Type /Catalog /Pages 2 0 R {names} >>"));
    attached(&pdf.bytes())
}

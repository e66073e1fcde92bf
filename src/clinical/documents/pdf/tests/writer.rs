//! Writes small PDFs, as sound or as odd as a test wants them: for unit tests and for the labelled corpus.

// Each of the two uses a part.
#![allow(dead_code)]

use std::fmt::Write as _;
use std::io::Write as _;

#[derive(Default)]
pub struct Pdf {
    objects: Vec<Vec<u8>>,
}

/// `{0}` of a template is the number of an object that is only known later: the first ones are these.
pub const CATALOG: usize = 1;
pub const PAGES: usize = 2;
pub const PAGE: usize = 3;
pub const CONTENT: usize = 4;
pub const FONT: usize = 5;

pub const HELVETICA: &str = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>";

pub fn flate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default()
}

pub fn stream(dict: &str, data: &[u8]) -> Vec<u8> {
    [format!("<< {dict} /Length {} >>\nstream\n", data.len()).as_bytes(), data, b"\nendstream"].concat()
}

impl Pdf {
    /// One page with this content, in the font `/F1`.
    pub fn of(content: &[u8]) -> Pdf {
        Pdf::with(stream("", content), HELVETICA.to_owned(), "")
    }

    /// One page with this content stream and font, and more in its dictionary.
    pub fn with(content: Vec<u8>, font: String, page: &str) -> Pdf {
        let mut pdf = Pdf::default();
        pdf.add("<< /Type /Catalog /Pages 2 0 R >>");
        pdf.add("<< /Type /Pages /Kids [3 0 R] /Count 1 >>");
        pdf.add(format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> {page} >>"
        ));
        pdf.add(content);
        pdf.add(font);
        pdf
    }

    /// Adds an object; its number.
    pub fn add(&mut self, body: impl AsRef<[u8]>) -> usize {
        self.objects.push(body.as_ref().to_vec());
        self.objects.len()
    }

    pub fn set(&mut self, number: usize, body: impl AsRef<[u8]>) -> &mut Pdf {
        self.objects[number - 1] = body.as_ref().to_vec();
        self
    }

    /// With a table as PDF 1.0 has it.
    pub fn bytes(&self) -> Vec<u8> {
        self.bytes_with("")
    }

    /// … and more in its trailer.
    pub fn bytes_with(&self, trailer: &str) -> Vec<u8> {
        let (mut out, mut table) = (b"%PDF-1.7\n%\xE2\xE3\xCF\xD3\n".to_vec(), String::from("0000000000 65535 f \n"));
        for (at, object) in self.objects.iter().enumerate() {
            let _ = writeln!(table, "{:010} 00000 n ", out.len());
            out.extend_from_slice(&numbered(at + 1, object));
        }
        let (start, size) = (out.len(), self.objects.len() + 1);
        let tail = format!(
            "xref\n0 {size}\n{table}trailer\n<< /Size {size} /Root 1 0 R {trailer} >>\nstartxref\n{start}\n%%EOF\n"
        );
        out.extend_from_slice(tail.as_bytes());
        out
    }

    /// With everything but streams in an object stream, and a table that is a stream.
    pub fn packed(&self) -> Vec<u8> {
        let (mut out, mut entries) = (b"%PDF-1.7\n".to_vec(), vec![[0u8; 6]]);
        let holder = self.objects.len() + 1;
        let (mut heads, mut bodies, mut count) = (String::new(), Vec::new(), 0u8);
        for (at, object) in self.objects.iter().enumerate() {
            if object.ends_with(b"endstream") {
                entries.push(entry(1, out.len(), 0));
                out.extend_from_slice(&numbered(at + 1, object));
            } else {
                let _ = write!(heads, "{} {} ", at + 1, bodies.len());
                bodies.extend_from_slice(object);
                bodies.push(b'\n');
                entries.push(entry(2, holder, count));
                count += 1;
            }
        }
        entries.push(entry(1, out.len(), 0));
        let dict = format!("/Type /ObjStm /N {count} /First {} /Filter /FlateDecode", heads.len());
        out.extend_from_slice(&numbered(holder, &stream(&dict, &flate(&[heads.as_bytes(), &bodies].concat()))));
        let start = out.len();
        entries.push(entry(1, start, 0));
        let dict = format!("/Type /XRef /Size {} /W [1 4 1] /Root 1 0 R /Filter /FlateDecode", holder + 2);
        out.extend_from_slice(&numbered(holder + 1, &stream(&dict, &flate(&entries.concat()))));
        out.extend_from_slice(format!("startxref\n{start}\n%%EOF\n").as_bytes());
        out
    }
}

fn entry(kind: u8, value: usize, last: u8) -> [u8; 6] {
    let [a, b, c, d] = (value as u32).to_be_bytes();
    [kind, a, b, c, d, last]
}

fn numbered(number: usize, object: &[u8]) -> Vec<u8> {
    [format!("{number} 0 obj\n").as_bytes(), object, b"\nendobj\n"].concat()
}

/// A string of text outside content streams.
pub fn text_string(text: &str) -> String {
    let units = text.encode_utf16().fold(String::from("<FEFF"), |mut hex, unit| {
        let _ = write!(hex, "{unit:04X}");
        hex
    });
    units + ">"
}

/// A font of two octets to a code, each character of `text` having a code of its own, in order of first use from 1 on.
pub struct Typeface {
    chars: Vec<char>,
}

impl Typeface {
    pub fn of(text: &str) -> Typeface {
        let mut chars = Vec::new();
        text.chars().filter(|c| !matches!(c, '\r' | '\n')).for_each(|c| {
            if !chars.contains(&c) {
                chars.push(c);
            }
        });
        Typeface { chars }
    }

    /// The codes of a text, as the inside of a string in hexadecimal digits.
    pub fn codes(&self, text: &str) -> String {
        text.chars().filter_map(|c| self.chars.iter().position(|known| *known == c)).fold(
            String::new(),
            |mut hex, at| {
                let _ = write!(hex, "{:04X}", at + 1);
                hex
            },
        )
    }

    /// The map of its codes to text.
    pub fn to_unicode(&self) -> Vec<u8> {
        let mut map = String::from(
            "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n/CMapType 2 def\n\
             1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\n",
        );
        for (block, chars) in self.chars.chunks(100).enumerate() {
            let _ = writeln!(map, "{} beginbfchar", chars.len());
            for (at, c) in chars.iter().enumerate() {
                let units = c.encode_utf16(&mut [0; 2]).iter().map(|u| format!("{u:04X}")).collect::<String>();
                let _ = writeln!(map, "<{:04X}> <{units}>", block * 100 + at + 1);
            }
            map.push_str("endbfchar\n");
        }
        map.push_str("endcmap\nend\nend\n");
        stream("/Filter /FlateDecode", &flate(map.as_bytes()))
    }

    /// The font, whose map is object `map`; every glyph is half an em wide.
    pub fn font(map: usize) -> String {
        format!(
            "<< /Type /Font /Subtype /Type0 /BaseFont /AAAAAA+Sans /Encoding /Identity-H /ToUnicode {map} 0 R \
             /DescendantFonts [<< /Type /Font /Subtype /CIDFontType2 /BaseFont /AAAAAA+Sans /DW 500 \
             /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> >>] >>"
        )
    }

    /// One page in this font, whose content stands between `BT` and `ET`.
    pub fn page(&self, shown: &str) -> Pdf {
        let content = format!("BT /F1 12 Tf 14 TL 72 720 Td {shown} ET");
        let mut pdf = Pdf::with(stream("/Filter /FlateDecode", &flate(content.as_bytes())), Typeface::font(6), "");
        pdf.add(self.to_unicode());
        pdf
    }
}

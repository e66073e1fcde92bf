//! Files of a package by their names and beginnings: what programmes keep in them for themselves.
//!
//! Called by `office`. Promises: pure, but for `words_in`. Fails never.

use super::super::document::Document;
use super::dialect::Dialect;
use super::xml::Root;

/// Programmes' own settings are smaller than this.
const SETTINGS: usize = 256 * 1024;
/// A picture of a table is small, as a logo is.
const PREVIEW: usize = 20_000;

/// What a package says of itself, whoever wrote in it.
pub(super) fn is_of_package(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    lower == "[content_types].xml"
        || lower == "mimetype"
        || lower == "manifest.rdf"
        || lower.ends_with(".rels")
        || lower.starts_with("docprops/")
        || lower.starts_with("customxml/")
}

/// Whether a part of that outermost element may be data to which controls of a document are bound: properties, and custom XML, which is of
/// any vocabulary and has any name.
pub(super) fn is_data(root: Root<'_>, name: &str) -> bool {
    const OF_WORD: &[&str] = &[
        "document",
        "glossaryDocument",
        "hdr",
        "ftr",
        "footnotes",
        "endnotes",
        "comments",
        "commentsEx",
        "commentsIds",
        "commentsExtensible",
        "people",
        "styles",
        "numbering",
        "settings",
        "webSettings",
        "fonts",
    ];
    match root.dialect {
        Dialect::Foreign => !matches!(root.local, "Types" | "Relationships"),
        Dialect::Other => true,
        Dialect::Word => !OF_WORD.contains(&root.local),
        _ => name.to_ascii_lowercase().starts_with("customxml/"),
    }
}

/// Whether outlines are drawn: letters may be some of them.
pub(super) fn is_drawn(markup: &str) -> bool {
    ["custGeom", ":path ", ":polygon ", ":polyline "].iter().any(|outline| markup.contains(outline))
}

/// Pieces of one outline that are more than an ornament has: digits are drawn of as many.
const STROKES: usize = 20;

/// Whether one outline is drawn of so many pieces that it may be writing: DrawingML and OpenDocument.
pub(super) fn may_be_written(markup: &str) -> bool {
    let strokes = |outline: &str| outline.bytes().filter(|byte| matches!(byte, b'M' | b'm')).count();
    let mut shapes = markup.split("custGeom>").skip(1).step_by(2);
    let mut paths = markup.split("svg:d=").skip(1);
    shapes.any(|shape| shape.matches("moveTo>").count() / 2 >= STROKES)
        || paths.any(|path| path.split(['"', '\'']).nth(1).is_some_and(|outline| strokes(outline) >= STROKES))
}

/// A picture of the first page, which the document does not show.
pub(super) fn is_thumbnail(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    lower.rsplit('/').next().is_some_and(|file| file.starts_with("thumbnail."))
}

/// What a package says is markup, in a charset that nobody here knows; EBCDIC has its `<?xm` at other places (XML 1.0, F.1).
pub(super) fn is_lost_markup(name: &str, bytes: &[u8]) -> bool {
    let lower = name.to_ascii_lowercase();
    bytes.starts_with(&[0x4C, 0x6F, 0xA7, 0x94]) || lower.ends_with(".xml") || lower.ends_with(".rels")
}

/// What programmes keep for themselves in a form of their own: of the printer, of where lines end, how a table looks.
pub(super) fn is_settings(name: &str, bytes: &[u8]) -> bool {
    let lower = name.to_ascii_lowercase();
    let file = lower.rsplit('/').next().unwrap_or_default();
    let is_printer = file.starts_with("printersettings") && file.ends_with(".bin");
    let is_metafile = bytes.starts_with(b"VCLMTF") && bytes.len() <= PREVIEW;
    // ECMA-376 part 2, 10.2.3 and annex C: what a writer has thrown away.
    let is_trash = lower.starts_with("[trash]/") && file.ends_with(".dat");
    (is_metafile || is_printer || is_trash || file == "layout-cache") && bytes.len() <= SETTINGS
}

/// No reader shows it; what text is in it is looked at all the same, wherever its characters begin.
pub(super) fn words_in(name: &str, bytes: &[u8], document: &mut Document<'_, '_>) {
    for from in [bytes, bytes.get(1..).unwrap_or_default()] {
        let (pairs, _) = from.as_chunks::<2>();
        let words: Vec<u16> = pairs.iter().map(|pair| u16::from_le_bytes(*pair)).collect();
        document.text(name, &String::from_utf16_lossy(&words));
    }
    document.text(name, &String::from_utf8_lossy(bytes));
}

/// The number at the end of a name: `slide12.xml` has 12.
pub(super) fn number_of(name: &str) -> u64 {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let digits = stem.bytes().rev().take_while(u8::is_ascii_digit).count();
    stem.get(stem.len() - digits..).and_then(|digits| digits.parse().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{may_be_written, number_of};

    #[test]
    fn an_outline_of_many_pieces_may_be_writing() {
        let shape = |pieces: usize| {
            format!("<a:custGeom><a:path>{}</a:path></a:custGeom>", "<a:moveTo><a:pt/></a:moveTo>".repeat(pieces))
        };
        let path = |pieces: usize| format!("<draw:path svg:d=\"{}\"/>", "M5 5L15 5 ".repeat(pieces));
        for (pieces, expected) in [(2, false), (25, true)] {
            assert_eq!(may_be_written(&shape(pieces)), expected);
            assert_eq!(may_be_written(&path(pieces)), expected);
            assert!(!may_be_written(&format!("{}{}", shape(2).repeat(30), path(2).repeat(30))));
        }
    }

    #[test]
    fn a_slide_has_its_number_in_its_name() {
        assert_eq!((number_of("ppt/slides/slide12.xml"), number_of("a.xml"), number_of("")), (12, 0, 0));
    }
}

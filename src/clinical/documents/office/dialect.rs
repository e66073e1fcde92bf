//! Which vocabulary of office documents a namespace is: ECMA-376 and its Strict twin (ISO/IEC 29500-1), what Microsoft added,
//! OpenDocument 1.x and what was before it.
//!
//! Called by `xml`. Promises: a namespace is told by what is in its name, so that every year's version of it is known. Fails
//! never: what is not known is `Foreign`.

/// A vocabulary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    Word,
    Sheet,
    Drawing,
    Slide,
    Math,
    /// Alternatives for readers that know more or less (ISO/IEC 29500-3).
    Compatibility,
    /// A whole package in one file of XML.
    Package,
    OdfText,
    OdfTable,
    OdfDraw,
    /// Everything else of OpenDocument.
    Odf,
    /// Everything else of Microsoft's.
    Other,
    Foreign,
}

/// In this order: the first that is in the name.
const NAMES: &[(&str, Dialect)] = &[
    ("markup-compatibility", Dialect::Compatibility),
    ("office/2006/xmlPackage", Dialect::Package),
    ("urn:schemas-microsoft-com:office:spreadsheet", Dialect::Sheet),
    ("urn:schemas-microsoft-com:", Dialect::Other),
    ("opendocument:xmlns:text", Dialect::OdfText),
    ("opendocument:xmlns:table", Dialect::OdfTable),
    ("opendocument:xmlns:drawing", Dialect::OdfDraw),
    ("opendocument:xmlns:dr3d", Dialect::OdfDraw),
    ("opendocument:xmlns:", Dialect::Odf),
    ("openoffice.org/2000/text", Dialect::OdfText),
    ("openoffice.org/2000/table", Dialect::OdfTable),
    ("openoffice.org/2000/drawing", Dialect::OdfDraw),
    ("openoffice.org/", Dialect::Odf),
    ("documentfoundation:names:experimental:", Dialect::Odf),
    ("drawingml", Dialect::Drawing),
    ("office/drawing", Dialect::Drawing),
    ("wordprocessingml", Dialect::Word),
    ("microsoft.com/office/word", Dialect::Word),
    ("spreadsheetml", Dialect::Sheet),
    ("microsoft.com/office/excel", Dialect::Sheet),
    ("presentationml", Dialect::Slide),
    ("microsoft.com/office/powerpoint", Dialect::Slide),
    ("officeDocument/2006/math", Dialect::Math),
    ("ooxml/officeDocument/math", Dialect::Math),
    ("schemas.microsoft.com/office", Dialect::Other),
];

impl Dialect {
    pub fn of(namespace: &str) -> Dialect {
        NAMES.iter().find(|(name, _)| namespace.contains(name)).map_or(Dialect::Foreign, |(_, dialect)| *dialect)
    }

    /// Whether it is of one of the programmes whose markup is known here.
    pub fn is_known(self) -> bool {
        self != Dialect::Foreign
    }
}

#[cfg(test)]
mod tests {
    use super::Dialect;

    #[test]
    fn every_year_s_namespace_is_known() {
        for (name, dialect) in [
            ("http://schemas.openxmlformats.org/wordprocessingml/2006/main", Dialect::Word),
            ("http://purl.oclc.org/ooxml/wordprocessingml/main", Dialect::Word),
            ("http://schemas.microsoft.com/office/word/2003/wordml", Dialect::Word),
            ("http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing", Dialect::Drawing),
            ("http://purl.oclc.org/ooxml/spreadsheetml/main", Dialect::Sheet),
            ("urn:schemas-microsoft-com:office:word", Dialect::Other),
            ("urn:oasis:names:tc:opendocument:xmlns:text:1.0", Dialect::OdfText),
            ("urn:oasis:names:tc:opendocument:xmlns:office:1.0", Dialect::Odf),
            ("urn:hl7-org:v3", Dialect::Foreign),
            ("", Dialect::Foreign),
        ] {
            assert_eq!(Dialect::of(name), dialect, "{name}");
        }
    }
}

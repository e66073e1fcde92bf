//! Which attributes of an office document say something: alternative texts, titles, names, formats that show what they like.
//!
//! Called by `reader`. Promises: whatever could be an identifier or a phrase says something, but for what programmes count with.
//! Fails never.

/// What programmes write for themselves: numbers of revisions, outlines of shapes, names of fonts.
const NOISE: &[&str] = &[
    "paraId",
    "textId",
    "ascii",
    "hAnsi",
    "cs",
    "eastAsia",
    "typeface",
    "panose",
    "style",
    "path",
    "points",
    "d",
    "viewBox",
    "coordsize",
    "adj",
    "uid",
    "id",
    "schemaLocation",
    "Requires",
    "Ignorable",
    "spans",
    "sqref",
    "font-family",
    "font-name",
    "durableId",
    "extent",
    "key",
    "checksum",
];

/// What people write, in however few letters.
const WRITTEN: &[&str] = &[
    "descr",
    "title",
    "alt",
    "name",
    "alias",
    "tag",
    "displayText",
    "displayName",
    "value",
    "author",
    "creator",
    "initials",
    "tooltip",
    "instr",
    "string",
    "string-value",
    "label",
    "display",
    "prompt",
    "promptTitle",
    "error",
    "errorTitle",
    "formatCode",
    "href",
    "lvlText",
    "current-value",
    "formula",
    "content",
    "help-text",
    "description",
    "text",
];

/// A number as long as this may be an identifier.
const DIGITS: usize = 9;

/// Whether the value of that attribute, of that element, is looked at.
pub(super) fn tells(element: &str, name: &str, value: &str) -> bool {
    if value.is_empty() || NOISE.contains(&name) || name.starts_with("rsid") {
        return false;
    }
    if WRITTEN.contains(&name) {
        return element != "lsdException";
    }
    // `<w:id w:val="1234567890"/>`, `<p14:creationId val="…"/>`
    if name == "val" && (element == "id" || element.ends_with("Id")) {
        return false;
    }
    let digits = || value.bytes().filter(u8::is_ascii_digit).count();
    value.bytes().any(|byte| byte == b' ' || !byte.is_ascii()) || (value.len() >= DIGITS && digits() >= DIGITS)
}

//! Octets that are one thing by their looks and another by their declaration: whoever goes by the declaration shows them as text.
//!
//! Called by `leaf` beside the reading by looks. Promises: what is declared to be text, by its type or by its name, is looked at as
//! text whatever else it is. Fails never.

use super::documents::Kind;
use super::formats::{self, Format};
use super::leaf::{self, Octets};
use super::texts::{self, Dress};
use super::walk::Walk;

const PLAIN_NAMES: &[&str] = &[".txt", ".text", ".csv", ".tsv", ".log", ".asc", ".md"];
pub(super) const MARKUP_NAMES: &[&str] = &[".html", ".htm", ".xhtml", ".shtml"];

/// Reads text that looked like something else as what it is declared to be.
pub(super) fn also_read(walk: &mut Walk<'_>, bytes: &[u8], format: Format, about: &Octets<'_>) {
    let kind = about.content.kind.as_str();
    let is_markup = kind == "text/html" || about.is_named(MARKUP_NAMES);
    let is_declared = is_markup || is_text(kind) || about.is_named(PLAIN_NAMES);
    if !is_declared || !matches!(format, Format::Document(_) | Format::Message) {
        return;
    }
    if !formats::is_texty(bytes) {
        // Archives are looked at so by `opaque`.
        if matches!(format, Format::Document(Kind::Pdf | Kind::Rtf)) {
            walk.raw(bytes, about.place);
        }
    } else if is_markup {
        texts::carrying(walk, bytes, Dress::Markup, about);
    } else {
        texts::text(walk, bytes, about.content, Dress::Plain, about.place);
    }
}

/// Whether a type is that of text which is shown as it stands, or as HTML. RFC 2045 5.2: no type, or none that can be one, is
/// plain text.
pub(super) fn is_text(kind: &str) -> bool {
    let has_a_reader = matches!(kind, "text/rtf" | "text/richtext" | "text/xml" | "text/rfc822-headers");
    !kind.contains('/') || (kind.starts_with("text/") && !has_a_reader)
}

/// Whether text says `%PDF-` and nobody opens it as one: it has no name, or no object is in it.
pub(super) fn only_names_pdf(bytes: &[u8], about: &Octets<'_>) -> bool {
    let has_objects = || memchr::memmem::find(bytes, b" obj").is_some();
    is_text(&about.content.kind) && formats::may_name_pdf(bytes) && (leaf::is_body(about.place) || !has_objects())
}

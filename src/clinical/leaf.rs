//! Reads one part that has no parts: undoes its transfer encoding, looks at what it is, and reads what can be read.
//!
//! Called by `walk`. Promises: content is judged by its octets; what is not read is said. Fails never.

use super::about::About;
use super::fields::Content;
use super::formats::Format;
use super::texts::{self, Dress};
use super::walk::{Spot, Walk};
use super::{declared, documents, drawings, formats, html, mailboxes, names, opaque, seals, transfer};
use crate::mail::AttachmentType;
use crate::vocabulary::{Confidence, FindingKind};
use std::borrow::Cow;

/// A detached signature holds certificates, not letters.
const SIGNATURE: usize = 64_000;

/// So much a Macintosh keeps of a file that has no other half.
const FINDER: usize = 64 * 1024;

/// A part and what is said about it.
pub(super) struct Part<'a> {
    pub content: &'a Content,
    pub encoding: &'a str,
    pub about: &'a About,
    pub spot: &'a Spot,
}

/// What the part is called in reports.
pub(super) fn place(content: &Content, about: &About, spot: &Spot) -> String {
    let is_attached = about.disposition.as_ref().is_some_and(|d| d.kind == "attachment");
    let own = match (about.name(content), content.kind.as_str()) {
        (Some(name), _) => return format!("{}{}", spot.prefix, names::sanitised(name)),
        (None, "message/rfc822" | "message/global" | "message/news") => "message",
        (None, _) if is_attached => "attachment",
        (None, "text/html") => "html",
        (None, kind) if kind.is_empty() || !kind.contains('/') || kind.starts_with("text/") => "text",
        (None, kind) if kind.starts_with("multipart/") => "text",
        (None, _) => "attachment",
    };
    format!("{}{own}", spot.prefix)
}

/// Reads a part.
pub(super) fn read(walk: &mut Walk<'_>, body: &[u8], part: &Part<'_>) {
    let place = place(part.content, part.about, part.spot);
    for name in part.about.names(part.content) {
        walk.scan(name, &format!("{}attachment-name", part.spot.prefix));
    }
    let kind = part.content.kind.as_str();
    if is_attachment(part) {
        let names: Vec<Option<&str>> = part.about.names(part.content).map(Some).collect();
        let claims = if names.is_empty() { vec![None] } else { names };
        claims.into_iter().for_each(|name| walk.report.attached(AttachmentType::of(kind, name), &place));
    }
    let charset = part.content.charset.as_deref().filter(|_| is_text(kind));
    let decoded = match told_by_start(walk, body, part, charset) {
        Some(start) => Cow::Owned(start),
        None => decode(walk, body, part.encoding, &place),
    };
    let is_inline = part.about.has_id || part.about.disposition.as_ref().is_some_and(|d| d.kind == "inline");
    let shown = if is_inline { Shown::InText } else { Shown::Apart };
    // What another reader takes for something else is not sealed to everybody.
    let spot = if part.about.conflict { part.spot.beside() } else { part.spot.clone() };
    octets(walk, &decoded, &Octets { content: part.content, place: &place, spot: &spot, shown });
}

/// Where a picture is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    /// In the text, as logos are.
    InText,
    Apart,
}

/// Decoded octets, and what is said of them.
pub(super) struct Octets<'a> {
    pub content: &'a Content,
    pub place: &'a str,
    pub spot: &'a Spot,
    pub shown: Shown,
}

impl Octets<'_> {
    /// Whether its name, or any that its type gives it, ends with one of these.
    pub fn is_named(&self, ends: &[&str]) -> bool {
        let names = [Some(self.place), self.content.name.as_deref()];
        names.into_iter().flatten().any(|name| opaque::ends_with(name, ends))
    }
}

/// Reads octets by what they are.
pub(super) fn octets(walk: &mut Walk<'_>, bytes: &[u8], about: &Octets<'_>) {
    let charset = about.content.charset.as_deref().filter(|_| is_text(about.content.kind.as_str()));
    let format = match formats::of(bytes, charset) {
        Format::Document(documents::Kind::Pdf) if declared::only_names_pdf(bytes, about) => {
            formats::without_signature(bytes, charset)
        }
        format => format,
    };
    one_format(walk, bytes, format, about);
    declared::also_read(walk, bytes, format, about);
    mailboxes::also_read(walk, bytes, format, about);
    drawings::look(walk, bytes, format, about);
    if let (Format::Document(documents::Kind::Pdf), Some(picture)) = (format, formats::picture(bytes)) {
        walk.report.unread(FindingKind::Image, about.place, picture);
    }
    // Readers of zip look for its end: an archive may stand behind anything.
    if documents::may_precede_an_archive(format) && documents::ends_with_an_archive(bytes) {
        documents::read(walk, documents::Kind::Zip, bytes, about);
    }
}

fn one_format(walk: &mut Walk<'_>, bytes: &[u8], format: Format, about: &Octets<'_>) {
    let Octets { content, place, spot, .. } = *about;
    let kind = content.kind.as_str();
    match format {
        Format::Empty => walk.report.read(place),
        _ if matches!(kind, "message/partial" | "message/external-body") => {
            walk.report.unread(FindingKind::UnknownAttachment, place, &kind[8..]);
            walk.raw(bytes, place);
        }
        Format::Unknown("binary") if kind.contains("pkcs7-") => {
            walk.report.unread(FindingKind::UnknownAttachment, place, "pkcs7");
            walk.raw(bytes, place);
        }
        // A charset that nobody here knows makes text look like anything.
        Format::Unknown("binary") if is_text(kind) => broken_text(walk, bytes, place),
        Format::Document(kind) => {
            documents::read(walk, kind, bytes, about);
            opaque::beside_document(walk, kind, bytes, about);
        }
        Format::Encrypted("pgp") => seals::openpgp(walk, bytes, about),
        Format::Encrypted(what) => seals::closed(walk, what, bytes, about),
        Format::Cms => seals::cms(walk, bytes, about),
        Format::Dicom => {
            walk.report.found(FindingKind::Dicom, place, "DICOM", Confidence::High);
            walk.report.unread(FindingKind::UnknownAttachment, place, "dicom");
            opaque::legible(walk, bytes, about);
        }
        Format::Finder if bytes.len() <= FINDER => {
            walk.runs(bytes, place);
            walk.report.read(place);
        }
        Format::Finder => unknown(walk, bytes, "macintosh", about),
        Format::Unknown(what) => unknown(walk, bytes, what, about),
        Format::Image(what) => opaque::image(walk, bytes, what, about),
        Format::Scan => {
            walk.report.unread(FindingKind::Scan, place, "tiff");
            opaque::legible(walk, bytes, about);
        }
        Format::Opaque("pgp") => seals::armoured(walk, bytes, about),
        Format::Opaque("pkcs7") if seals::pem(walk, bytes, about) => {}
        Format::Opaque(what) => {
            walk.report.unread(FindingKind::UnknownAttachment, place, what);
            texts::text(walk, bytes, content, Dress::Plain, place);
        }
        Format::Message => walk.nested(bytes, place, spot),
        _ if mailboxes::is_message(kind) => walk.nested(bytes, place, spot),
        Format::Markup => texts::carrying(walk, bytes, Dress::Markup, about),
        Format::Text if kind == "text/html" || about.is_named(declared::MARKUP_NAMES) => {
            texts::carrying(walk, bytes, Dress::Markup, about)
        }
        Format::Text if !is_body(place) && html::has_closing_tag(bytes) => {
            texts::carrying(walk, bytes, Dress::Tagged, about)
        }
        Format::Text => texts::carrying(walk, bytes, Dress::Plain, about),
    }
}

fn unknown(walk: &mut Walk<'_>, bytes: &[u8], what: &'static str, about: &Octets<'_>) {
    walk.report.unread(FindingKind::UnknownAttachment, about.place, what);
    opaque::legible(walk, bytes, about);
}

/// Whatever is not the text of a message.
fn is_attachment(part: &Part<'_>) -> bool {
    let is_attached = part.about.disposition.as_ref().is_some_and(|d| d.kind == "attachment");
    is_attached
        || part.about.name(part.content).is_some()
        || !matches!(part.content.kind.as_str(), "" | "text/plain" | "text/html")
}

pub(super) fn is_text(kind: &str) -> bool {
    kind.is_empty() || kind.starts_with("text/")
}

/// A signature as it stands beside what it signs.
pub(super) fn is_small_der(bytes: &[u8]) -> bool {
    bytes.first() == Some(&0x30) && bytes.len() <= SIGNATURE
}

fn broken_text(walk: &mut Walk<'_>, bytes: &[u8], place: &str) {
    walk.report.unread(FindingKind::BrokenAttachment, place, "charset");
    walk.raw(bytes, place);
}

/// The start of an attachment in base64, where that tells what it is: a large file that nobody here reads is not decoded to
/// its end. What `read` looks at whatever it is, what is no sound base64, and what is too much, is decoded as ever.
fn told_by_start(walk: &mut Walk<'_>, body: &[u8], part: &Part<'_>, charset: Option<&str>) -> Option<Vec<u8>> {
    let kind = part.content.kind.as_str();
    // With line ends, so many letters are a little more than that many octets.
    let letters = formats::TELLING / 2 * 3;
    let is_read_anyway = matches!(kind, "message/partial" | "message/external-body");
    if part.encoding != "base64" || body.len() < 2 * letters || is_read_anyway {
        return None;
    }
    let octets = transfer::sound_base64_len(body).filter(|octets| *octets <= walk.limits.part.min(walk.left))?;
    let start = transfer::base64(body.get(..letters)?, octets).bytes;
    // Text that looks like anything else is looked at as it stands.
    let is_broken_text = is_text(kind) && formats::of(&start, charset) == Format::Unknown("binary");
    let is_shown = walk.reads_documents() || declared::is_text(kind);
    let is_read = is_shown && matches!(formats::of(&start, charset), Format::Document(_));
    // What a reader may show as text is read to its end.
    let mut names = part.about.names(part.content);
    let may_be_text = opaque::is_legible(&start)
        || opaque::claims_text(kind, &place(part.content, part.about, part.spot))
        || names.any(|name| opaque::claims_text(kind, name));
    let is_opaque =
        matches!(formats::of(&start, charset), Format::Image(_) | Format::Scan | Format::Unknown(_) | Format::Dicom);
    let has_archive = || documents::ends_with_an_archive(&transfer::base64_end(body, octets, documents::ARCHIVE_END));
    if is_broken_text
        || (is_opaque && may_be_text)
        || is_read
        || has_archive()
        || !formats::is_settled(&start, octets, charset)
    {
        return None;
    }
    walk.left -= octets;
    Some(start)
}

/// Undoes the transfer encoding, within what is left of the limits.
fn decode<'a>(walk: &mut Walk<'_>, body: &'a [u8], encoding: &str, place: &str) -> Cow<'a, [u8]> {
    let room = walk.limits.part.min(walk.left);
    let decoded = match encoding {
        "base64" => transfer::base64(body, room),
        "quoted-printable" => transfer::quoted_printable(body, room),
        _ => {
            if !matches!(encoding, "" | "7bit" | "8bit" | "binary") && !transfer::is_slip(encoding, body) {
                walk.report.unread(FindingKind::BrokenAttachment, place, "transfer encoding");
            }
            limit(walk, body.len() > room, place);
            let fitting = &body[..body.len().min(room)];
            walk.left -= fitting.len();
            return Cow::Borrowed(fitting);
        }
    };
    limit(walk, decoded.cut, place);
    walk.left -= decoded.bytes.len().min(walk.left);
    if !decoded.sound {
        walk.report.unread(FindingKind::BrokenAttachment, place, "transfer encoding");
        walk.raw(body, place);
    }
    Cow::Owned(decoded.bytes)
}

pub(super) fn limit(walk: &mut Walk<'_>, reached: bool, place: &str) {
    if reached {
        let which = if walk.left <= walk.limits.part { "decoded" } else { "part" };
        walk.report.limit(place, which);
    }
}

/// Whether the place is the text of a message, which clients show and no other programme opens.
pub(super) fn is_body(place: &str) -> bool {
    matches!(place.rsplit('/').next(), Some("text" | "html"))
}

//! What nobody here reads: pictures, sound, and the like. Their first octets are easily put before a letter, so what a reader may show
//! as text is looked at as text too.
//!
//! Called by `leaf` and `seals`. Promises: a picture is passed over only where its header is a picture's, it is small, it is shown in the
//! text, and neither its type nor its name is that of text; what is legible in it is looked at even so. Fails never.

use super::documents::Kind;
use super::formats;
use super::leaf::{Octets, Shown};
use super::pixels;
use super::texts::{self, Dress};
use super::walk::Walk;
use crate::vocabulary::FindingKind;

/// Pictures in the text that are smaller than this, and have few pixels, are logos.
pub(super) const LOGO: usize = 20_000;
/// Octets that are looked at as text of what is said to be unread anyway: characters of all scripts cost more than letters do.
const SHOWN: usize = 1024 * 1024;
/// Octets of a start that tell whether text follows a signature.
const START: usize = 4_096;

/// A picture, by its first octets.
pub(super) fn image(walk: &mut Walk<'_>, bytes: &[u8], what: &'static str, about: &Octets<'_>) {
    if about.shown == Shown::Apart || bytes.len() >= LOGO || !pixels::are_few(bytes, what) {
        walk.report.unread(FindingKind::Image, about.place, what);
    }
    let claimed = is_claimed(about);
    if claimed {
        walk.report.unread(FindingKind::UnknownAttachment, about.place, what);
    }
    let is_broken = is_written(bytes) || !has_header(bytes, what);
    if is_broken {
        walk.report.unread(FindingKind::BrokenAttachment, about.place, what);
    }
    if matches!(what, "emf" | "wmf") {
        drawn(walk, bytes, about.place);
    }
    if is_broken || claimed {
        text(walk, bytes, about);
    } else if bytes.len() <= LOGO {
        walk.runs(bytes, about.place);
    }
}

/// The text that a drawing shows: [MS-EMF] 2.3.5 writes it in UTF-16, [MS-WMF] 2.3.3 in octets.
fn drawn(walk: &mut Walk<'_>, bytes: &[u8], place: &str) {
    for from in [bytes, bytes.get(1..).unwrap_or_default()] {
        let (pairs, _) = from.as_chunks::<2>();
        let units: Vec<u16> = pairs.iter().map(|pair| u16::from_le_bytes(*pair)).collect();
        walk.raw(String::from_utf16_lossy(&units).as_bytes(), place);
    }
    walk.raw(bytes, place);
}

/// Looks at what is said to be unknown where a reader may show it as text.
pub(super) fn legible(walk: &mut Walk<'_>, bytes: &[u8], about: &Octets<'_>) {
    if is_written(bytes) || is_claimed(about) {
        text(walk, bytes, about);
    } else if bytes.len() <= LOGO {
        walk.runs(bytes, about.place);
    }
}

/// A document or an archive that is called text: some readers show its octets.
pub(super) fn beside_document(walk: &mut Walk<'_>, kind: Kind, bytes: &[u8], about: &Octets<'_>) {
    let is_written = matches!(kind, Kind::Rtf | Kind::Markup | Kind::Pdf);
    // By its type alone: an archive that is only named so is opened by programmes that look inside.
    if !is_written && claims_text(&about.content.kind, "") {
        walk.raw(bytes, about.place);
    }
}

fn text(walk: &mut Walk<'_>, bytes: &[u8], about: &Octets<'_>) {
    let start = &bytes[..bytes.len().min(SHOWN)];
    if start.len() < bytes.len() {
        walk.report.limit(about.place, "part");
    }
    texts::text(walk, start, about.content, Dress::Markup, about.place);
    walk.raw(start, about.place);
}

/// Whether the octets are text, in the whole or at their start, behind a short signature.
pub(super) fn is_legible(bytes: &[u8]) -> bool {
    formats::is_texty(bytes) || bytes.get(16..START.min(bytes.len())).is_some_and(is_mostly_printed)
}

/// The same of what has pixels: white ones are no letters, and no control characters.
fn is_written(bytes: &[u8]) -> bool {
    let has_letters = || bytes.iter().filter(|byte| matches!(byte, 0x20..=0x7E)).count() * 4 > bytes.len();
    is_legible(bytes) && has_letters()
}

fn is_mostly_printed(bytes: &[u8]) -> bool {
    let printed = bytes.iter().filter(|byte| matches!(byte, 0x20..=0x7E | b'\r' | b'\n' | b'\t')).count();
    bytes.len() >= 32 && printed.saturating_mul(10) > bytes.len().saturating_mul(9)
}

fn is_claimed(about: &Octets<'_>) -> bool {
    let kind = about.content.kind.as_str();
    claims_text(kind, about.place) || about.content.name.as_deref().is_some_and(|name| claims_text(kind, name))
}

/// Whether a reader who goes by the type or the name shows text, whatever the octets are.
pub(super) fn claims_text(kind: &str, name: &str) -> bool {
    // RFC 2045 5.2: no type, or none that can be one, is plain text.
    let is_body = !kind.contains('/') && (name == "text" || name.ends_with("!/text"));
    is_body
        || kind.starts_with("text/")
        || matches!(kind, "application/pdf" | "application/xhtml+xml")
        || ends_with(name, &[".pdf", ".html", ".htm", ".xhtml", ".txt"])
}

/// Whether a name ends so, in letters of either case.
pub(super) fn ends_with(name: &str, ends: &[&str]) -> bool {
    let name = name.trim_end_matches([' ', '.']).as_bytes();
    let ends_so = |end: &str| {
        let at = name.len().checked_sub(end.len());
        at.and_then(|at| name.get(at..)).is_some_and(|last| last.eq_ignore_ascii_case(end.as_bytes()))
    };
    ends.iter().any(|end| ends_so(end))
}

/// Whether what follows the signature is what its format has there.
fn has_header(bytes: &[u8], what: &str) -> bool {
    match what {
        // PNG (ISO 15948) 11.2.2: the header comes first, and has 13 octets.
        "png" => bytes.get(8..16) == Some(b"\0\0\0\x0DIHDR"),
        // ISO 10918-1 B.1.1.4: a marker, and a length that counts itself.
        "jpeg" => {
            bytes.get(3).is_some_and(|marker| *marker >= 0xC0) && bytes.get(4..6).is_some_and(|l| l > &[0, 1][..])
        }
        "gif" => has_gif_block(bytes).is_some_and(|has| has),
        // A bitmap's second header says its own length.
        "bmp" => bytes.get(14..18).is_some_and(|l| matches!(l, [12 | 40 | 52 | 56 | 64 | 108 | 124, 0, 0, 0])),
        _ => true,
    }
}

/// GIF89a 18 to 20: the screen, perhaps its colours, then a block.
fn has_gif_block(bytes: &[u8]) -> Option<bool> {
    let packed = *bytes.get(10)?;
    let colours = if packed & 0x80 == 0 { 0 } else { 3usize << ((packed & 7) + 1) };
    Some(matches!(bytes.get(13 + colours)?, 0x21 | 0x2C | 0x3B))
}

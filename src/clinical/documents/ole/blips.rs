//! Pictures, lines and newer forms in the drawings of Office: [MS-ODRAW] 2.2.23 and 2.3.2.
//!
//! Called by the readers of a document's streams. Promises: linear; a picture is looked at once. Fails never: what is no picture is
//! passed over.

use super::super::document::Document;
use super::super::octets::Octets;
use super::super::{Wrong, office};
use crate::vocabulary::FindingKind;
use memchr::memmem;

/// Smaller drawings are ornaments.
const ORNAMENT: usize = 20_000;
/// Octets of the points of lines: as many points as a drawing of that size has that is written as text.
const LINES: usize = 2_800;
/// The picture's own checksum and a tag stand before it.
const BEFORE: usize = 17;
const DIGEST: usize = 16;

/// Looks for pictures and drawings wherever they begin.
pub(super) fn read(bytes: &[u8], document: &mut Document<'_, '_>) {
    drawings(bytes, document);
    lines(bytes, document);
    let mut at = 0;
    while let Some(found) = bytes.get(at..).and_then(|rest| memchr::memchr(0xF0, rest)).map(|found| at + found) {
        at = found + 1;
        let Some(blip) = found.checked_sub(3).and_then(|start| blip(bytes, start)) else { continue };
        at = (found + blip.len()).max(at);
        if !document.count("picture") {
            return;
        }
        shown(blip, bytes.get(found - 1).copied().unwrap_or(0), document);
    }
}

/// [MS-ODRAW] 2.3.2: a shape has its newer form, a package, among its properties. Programmes that know that one show it.
pub(super) fn drawings(bytes: &[u8], document: &mut Document<'_, '_>) {
    /// The end record of an archive, without a comment.
    const END: usize = 22;
    let mut rest = bytes;
    while let Some(archive) = memmem::find(rest, b"PK\x03\x04").and_then(|start| rest.get(start..)) {
        let Some(end) = memmem::find(archive, b"PK\x05\x06") else { return };
        let (archive, behind) = archive.split_at((end + END).min(archive.len()));
        if let Err(Wrong::Broken(what) | Wrong::Closed(what) | Wrong::Unknown(what)) =
            office::drawing(archive, document)
        {
            document.unread(FindingKind::BrokenAttachment, "drawing", what);
        }
        rest = behind;
    }
}

/// The record that begins at `start`: version and instance, type, length.
fn blip(bytes: &[u8], start: usize) -> Option<&[u8]> {
    let mut octets = Octets::from(bytes, start);
    let version = octets.u16()? & 0xF;
    let is_blip = matches!(octets.u16()?, 0xF01A..=0xF01F | 0xF029 | 0xF02A);
    let length = octets.length()?;
    (version == 0 && is_blip && length > BEFORE).then(|| octets.take(length))?
}

/// Says that shapes are drawn with more lines than logos are.
pub(super) fn lines(bytes: &[u8], document: &mut Document<'_, '_>) {
    let (mut at, mut points) = (0, 0);
    while let Some(found) = bytes.get(at..).and_then(|rest| memchr::memchr(0xF0, rest)).map(|found| at + found) {
        at = found + 1;
        let Some(properties) = found.checked_sub(3).and_then(|start| properties(bytes, start)) else { continue };
        points = points_of(properties).saturating_add(points);
        at = found + 1 + properties.len();
        if points >= LINES {
            return document.unread(FindingKind::Image, "drawing", "lines");
        }
    }
}

/// The properties of a shape, whose record begins at `start`, without what is behind them: [MS-ODRAW] 2.2.9.
fn properties(bytes: &[u8], start: usize) -> Option<&[[u8; 6]]> {
    let mut octets = Octets::from(bytes, start);
    let (version, kind, length) = (octets.u16()?, octets.u16()?, octets.length()?);
    let properties = octets.take(usize::from(version >> 4) * 6).filter(|properties| properties.len() <= length)?;
    (version & 0xF == 3 && kind == 0xF00B).then_some(properties.as_chunks().0)
}

/// Octets of the points of a shape's lines: [MS-ODRAW] 2.3.6.6.
fn points_of(properties: &[[u8; 6]]) -> usize {
    let points = properties.iter().find_map(|property| property.strip_prefix(&[0x45, 0x81]));
    points.and_then(|length| Octets::of(length).length()).unwrap_or_default()
}

fn shown(blip: &[u8], kind: u8, document: &mut Document<'_, '_>) {
    if matches!(kind, 0x1A..=0x1C) {
        if blip.len() >= ORNAMENT {
            document.unread(FindingKind::Image, "picture", "metafile");
        }
        return;
    }
    let starts = |at: usize| blip.get(at..).filter(|rest| is_picture(rest));
    let picture = starts(BEFORE).or_else(|| starts(BEFORE + DIGEST)).unwrap_or(blip);
    match is_picture(picture) {
        true => document.picture("picture", picture),
        // A bitmap has lost its signature.
        false if blip.len() >= ORNAMENT => document.unread(FindingKind::Image, "picture", "bitmap"),
        false => {}
    }
}

fn is_picture(bytes: &[u8]) -> bool {
    [&b"\x89PNG"[..], b"\xFF\xD8\xFF", b"II*\0", b"MM\0*", b"GIF8", b"BM"].iter().any(|magic| bytes.starts_with(magic))
}

#[cfg(test)]
mod tests {
    use super::{points_of, properties};

    #[test]
    fn a_shape_says_how_many_points_its_lines_have() {
        let shape = |points: u32| {
            let length = points.to_le_bytes();
            let own = [&[0x81, 1, 0, 0, 0, 8][..], &[0x45, 0x81], &length].concat();
            [&[0x23, 0, 0x0B, 0xF0, 12, 0, 0, 0][..], &own].concat()
        };
        let points = |bytes: &[u8]| properties(bytes, 0).map(points_of);
        assert_eq!(points(&shape(4_000)), Some(4_000));
        assert_eq!(points(&shape(4_000)[..19]), None, "cut short");
        let mut other = shape(4_000);
        other[2] = 0x0A;
        assert_eq!(points(&other), None);
        other[2..10].copy_from_slice(&[0x0B, 0xF0, 12, 0, 0, 0, 0x81, 1]);
        other[14] = 0x44;
        assert_eq!(points(&other), Some(0), "no lines");
    }
}

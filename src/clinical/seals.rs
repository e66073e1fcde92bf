//! Reads a part that is sealed or signed: S/MIME and OpenPGP, in their own octets, in PEM, in armour, and inside text.
//!
//! Called by `leaf`. Promises: what is only signed is read; what is sealed is said once, as the message's own state where nothing else is in
//! it, as a closed attachment where it is; what pretends is unknown, and looked at as it stands. Fails never.

use super::formats;
use super::leaf::{self, Octets, is_small_der};
use super::opaque;
use super::sealed::{self, Cms};
use super::texts::{self, Dress};
use super::walk::Walk;
use crate::vocabulary::FindingKind;

/// Something that is closed to us. What stands in it as it is, is looked at all the same.
pub(super) fn closed(walk: &mut Walk<'_>, what: &str, bytes: &[u8], about: &Octets<'_>) {
    walk.runs(bytes, about.place);
    if about.spot.sole && matches!(what, "smime" | "pgp") {
        walk.report.sealed(&format!("{}text", about.spot.prefix), what);
    } else {
        walk.report.closed(about.place, what);
    }
}

/// Cryptographic Message Syntax.
pub(super) fn cms(walk: &mut Walk<'_>, bytes: &[u8], about: &Octets<'_>) {
    let room = walk.limits.part.min(walk.left);
    match sealed::cms(bytes, room) {
        Some(Cms::Enveloped) if is_smime(about) => closed(walk, "smime", bytes, about),
        Some(Cms::Enveloped) => closed_to_most(walk, "smime", bytes, about),
        Some(Cms::Signed(content)) => {
            around(walk, bytes, &content, about);
            signed(walk, &content, about);
        }
        Some(Cms::Detached) if is_signature(bytes, about) => {
            walk.runs(bytes, about.place);
            walk.report.read(about.place);
        }
        _ => unknown(walk, "pkcs7", bytes, about),
    }
}

/// Closed by its octets, while nothing says so: a closed file where its type is that of a file, never a sealed message.
fn closed_to_most(walk: &mut Walk<'_>, what: &str, bytes: &[u8], about: &Octets<'_>) {
    let is_file =
        about.content.kind.starts_with("application/") && !opaque::claims_text(&about.content.kind, about.place);
    if is_file {
        walk.report.closed(about.place, what);
        walk.runs(bytes, about.place);
    } else {
        unknown(walk, what, bytes, about);
    }
}

fn unknown(walk: &mut Walk<'_>, what: &str, bytes: &[u8], about: &Octets<'_>) {
    walk.report.unread(FindingKind::UnknownAttachment, about.place, what);
    walk.raw(bytes, about.place);
}

/// What stands in a signed message beside its content: certificates, or what somebody put in their place.
fn around(walk: &mut Walk<'_>, bytes: &[u8], content: &[u8], about: &Octets<'_>) {
    if !is_smime(about) {
        walk.report.unread(FindingKind::UnknownAttachment, about.place, "pkcs7");
    }
    if !sealed::is_whole_cms(bytes) {
        walk.report.unread(FindingKind::BrokenAttachment, about.place, "pkcs7");
    }
    // Content in one piece is read by itself.
    let at = memchr::memmem::find(bytes, content).filter(|_| !content.is_empty());
    let (before, behind) = match at {
        Some(at) => (bytes.get(..at), bytes.get(at.saturating_add(content.len())..)),
        None => (Some(bytes), None),
    };
    [before, behind].into_iter().flatten().for_each(|octets| walk.raw(octets, about.place));
}

/// A detached signature that a reader takes for one.
fn is_signature(bytes: &[u8], about: &Octets<'_>) -> bool {
    let kind = &about.content.kind;
    let is_claimed = kind.ends_with("pkcs7-signature") && !opaque::claims_text(kind, about.place);
    is_claimed && is_small_der(bytes) && sealed::is_whole_cms(bytes)
}

/// Whether a reader's programme opens it as S/MIME (RFC 8551 3.2): others show its octets as they stand.
fn is_smime(about: &Octets<'_>) -> bool {
    let kind = about.content.kind.as_str();
    let is_typed = kind.starts_with("application/") && kind.contains("pkcs7-");
    is_typed || (matches!(kind, "" | "application/octet-stream") && about.is_named(&[".p7m", ".p7s", ".p7c"]))
}

/// OpenPGP in its own octets, where a reader's programme opens it.
pub(super) fn openpgp(walk: &mut Walk<'_>, bytes: &[u8], about: &Octets<'_>) {
    let kind = about.content.kind.as_str();
    // RFC 3156 4: the second part of a message that is encrypted as a whole.
    let is_typed = kind.starts_with("application/pgp") || (about.spot.sole && kind == "application/octet-stream");
    let is_named = !kind.starts_with("text/") && about.is_named(&[".pgp", ".gpg", ".asc"]);
    match is_typed || is_named {
        true => closed(walk, "pgp", bytes, about),
        false => closed_to_most(walk, "pgp", bytes, about),
    }
}

/// What a signature encloses: an entity of mail in S/MIME, any file elsewhere.
fn signed(walk: &mut Walk<'_>, content: &[u8], about: &Octets<'_>) {
    if content.len() >= walk.left.min(walk.limits.part) {
        walk.report.limit(about.place, if walk.left <= walk.limits.part { "decoded" } else { "part" });
    }
    walk.left -= content.len().min(walk.left);
    let is_entity = formats::is_entity(content);
    if is_entity || about.content.kind.ends_with("pkcs7-mime") {
        walk.unwrapped(content, about.place, about.spot);
    }
    if is_entity {
        return;
    }
    match walk.inside(about.place, about.spot) {
        Some(inside) => {
            let place = format!("{}content", inside.prefix);
            let none = super::fields::Content::default();
            leaf::octets(walk, content, &Octets { content: &none, place: &place, spot: &inside, shown: about.shown });
        }
        None => walk.raw(content, about.place),
    }
}

/// CMS in PEM; false where there is none in it.
pub(super) fn pem(walk: &mut Walk<'_>, bytes: &[u8], about: &Octets<'_>) -> bool {
    let Some(inner) = sealed::pem(bytes).filter(|inner| sealed::looks_like_cms(inner)) else { return false };
    // Text may stand before and behind the block.
    let about = Octets { spot: &about.spot.beside(), ..*about };
    walk.raw(bytes, about.place);
    cms(walk, &inner, &about);
    true
}

/// Text that begins with an armoured message.
pub(super) fn armoured(walk: &mut Walk<'_>, bytes: &[u8], about: &Octets<'_>) {
    let is_whole = about.spot.sole
        && sealed::armour(bytes).is_some_and(|armour| armour.is_alone && sealed::is_openpgp(&armour.octets));
    if is_whole {
        closed(walk, "pgp", bytes, about);
    } else {
        texts::text(walk, bytes, about.content, Dress::Plain, about.place);
    }
}

/// Armoured messages anywhere in text: its reader's programme opens them there.
pub(super) fn within(walk: &mut Walk<'_>, bytes: &[u8], place: &str) {
    let mut open = Vec::new();
    for armour in sealed::armours(bytes) {
        if sealed::is_openpgp(&armour.octets) {
            walk.report.closed(place, "pgp");
        } else {
            // Signed or compressed, or nothing that anybody opens: what can be read of it is.
            walk.report.unread(FindingKind::UnknownAttachment, place, "pgp");
            open.extend_from_slice(&armour.octets);
            open.push(b'\n');
        }
    }
    if !open.is_empty() {
        walk.raw(&open, place);
    }
}

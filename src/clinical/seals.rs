//! Reads a part that is sealed or signed: S/MIME and OpenPGP, in their own octets, in PEM, in armour, and inside text.
//!
//! Called by `leaf`. Promises: what is only signed is read; what is sealed is said once, as the message's own state where nothing else is in
//! it, as a closed attachment where it is; what pretends is unknown, and looked at as it stands. Fails never.

use super::formats;
use super::leaf::{self, Dress, Octets, is_small_der};
use super::sealed::{self, Cms};
use super::walk::Walk;
use crate::vocabulary::FindingKind;

/// Something that is closed to us.
pub(super) fn closed(walk: &mut Walk<'_>, what: &str, about: &Octets<'_>) {
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
        Some(Cms::Enveloped) => closed(walk, "smime", about),
        Some(Cms::Signed(content)) => signed(walk, &content, about),
        Some(Cms::Detached) if about.content.kind.ends_with("pkcs7-signature") && is_small_der(bytes) => {
            walk.report.read(about.place);
        }
        _ => {
            walk.report.unread(FindingKind::UnknownAttachment, about.place, "pkcs7");
            walk.raw(bytes, about.place);
        }
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
        closed(walk, "pgp", about);
        walk.raw(bytes, about.place);
    } else {
        leaf::text(walk, bytes, about.content, Dress::Plain, about.place);
    }
}

/// Armoured messages anywhere in text: its reader's programme opens them there.
pub(super) fn within(walk: &mut Walk<'_>, bytes: &[u8], place: &str) {
    for armour in sealed::armours(bytes) {
        if sealed::is_openpgp(&armour.octets) {
            walk.report.closed(place, "pgp");
        } else {
            // Signed or compressed, or nothing that anybody opens: what can be read of it is.
            walk.report.unread(FindingKind::UnknownAttachment, place, "pgp");
            let octets = armour.octets;
            walk.raw(&octets, place);
        }
    }
}

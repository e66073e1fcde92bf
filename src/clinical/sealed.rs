//! What is sealed to its readers: S/MIME (CMS, RFC 5652) and OpenPGP (RFC 9580), told by the octets, never by the label.
//!
//! Called by `leaf` and `walk`. Promises: linear; sealed is only what has the whole structure of its format, nothing behind it, and no
//! legible stretch where the cipher text should be. Fails never: what is not sealed is read, or said to be unknown.

mod cms;
mod openpgp;

pub(super) use cms::{Cms, cms, is_whole as is_whole_cms, looks_like as looks_like_cms, pem};
pub(super) use openpgp::{armour, armours, is_encrypted as is_openpgp, looks_like as looks_like_openpgp};

use super::delimiter;
use super::fields::{Fields, content};
use super::transfer;
use std::borrow::Cow;

/// Legible octets in a row that no cipher text has: by chance, once in 10^26 messages.
const LEGIBLE: usize = 64;
/// Octets of cipher text that are looked at together.
const WINDOW: usize = 256;
/// Octets of a preamble that says no more than that the message is encrypted.
const PREAMBLE: usize = 256;

/// Whether octets may be cipher text: no stretch of them can be read as it stands, and nowhere are most of them legible.
fn is_cipher_text(bytes: &[u8]) -> bool {
    let mut run = 0;
    let has_run = bytes.iter().any(|byte| {
        run = if is_legible(*byte) { run + 1 } else { 0 };
        run >= LEGIBLE
    });
    !has_run && !is_mostly_legible(bytes)
}

const fn is_legible(byte: u8) -> bool {
    matches!(byte, 0x20..=0x7E | b'\r' | b'\n' | b'\t')
}

/// Of random octets 38 in 100 are legible: text with other octets strewn in has more, in the whole or in some window of it.
fn is_mostly_legible(bytes: &[u8]) -> bool {
    if bytes.len() < WINDOW {
        // Chance plays more with few of them.
        let legible = bytes.iter().filter(|byte| is_legible(**byte)).count();
        return bytes.len() >= LEGIBLE && legible * 100 > bytes.len() * 70;
    }
    let mut legible = 0;
    bytes.iter().enumerate().any(|(at, byte)| {
        let left = at.checked_sub(WINDOW).and_then(|at| bytes.get(at));
        legible += usize::from(is_legible(*byte));
        legible -= usize::from(left.is_some_and(|byte| is_legible(*byte)));
        legible * 100 > WINDOW * 60
    })
}

/// Whether the body of a `multipart/encrypted` is what RFC 3156 4 describes and nothing beside it: a control part, and an armoured
/// message that is encrypted.
pub(super) fn is_pgp_mime(body: &[u8], boundary: &[u8]) -> bool {
    let Some([before, control, sealed, behind]) = segments(body, boundary) else { return false };
    let says_nothing = |text: &[u8]| {
        let most_digits = 8;
        text.len() <= PREAMBLE && text.iter().filter(|byte| byte.is_ascii_digit()).count() <= most_digits
    };
    says_nothing(before) && behind.trim_ascii().is_empty() && is_control(control) && is_sealed_part(sealed)
}

/// What stands before the first delimiter, in the two parts, and behind the last.
fn segments<'a>(body: &'a [u8], boundary: &[u8]) -> Option<[&'a [u8]; 4]> {
    let mut all = [&body[..0]; 4];
    let mut rest = body;
    for segment in all.iter_mut().take(3).enumerate() {
        let found = delimiter::find(rest, boundary)?;
        if found.last != (segment.0 == 2) {
            return None;
        }
        *segment.1 = rest.get(..found.start)?;
        rest = rest.get(found.end..)?;
    }
    all[3] = rest;
    Some(all)
}

/// `Version: 1` (RFC 3156 4).
fn is_control(part: &[u8]) -> bool {
    let (mut fields, mut typed) = (Fields::of(part), false);
    for field in fields.by_ref() {
        typed |= field.is("content-type") && content(field.value).kind == "application/pgp-encrypted";
    }
    typed && fields.body().trim_ascii().eq_ignore_ascii_case(b"Version: 1")
}

fn is_sealed_part(part: &[u8]) -> bool {
    let (mut fields, mut encodings) = (Fields::of(part), Vec::new());
    for field in fields.by_ref().filter(|field| field.is("content-transfer-encoding")) {
        encodings.push(content(field.value));
    }
    let body = fields.body();
    let decoded = match encodings.as_slice() {
        [] => Cow::Borrowed(body),
        [one] => match one.kind.as_str() {
            "base64" => Cow::Owned(transfer::base64(body, body.len()).bytes),
            "quoted-printable" => Cow::Owned(transfer::quoted_printable(body, body.len()).bytes),
            "7bit" | "8bit" | "binary" => Cow::Borrowed(body),
            _ => return false,
        },
        _ => return false,
    };
    armour(&decoded).is_some_and(|found| found.is_alone && is_openpgp(&found.octets))
}

#[cfg(test)]
pub(super) mod tests;

//! OpenPGP messages (RFC 9580): the armour around them, and whether their packets are an encrypted message.
//!
//! Called by `leaf` and `sealed`. Promises: linear; what is compressed, literal or signed only is not called encrypted. Fails never.

use super::is_cipher_text;
use crate::clinical::transfer;
use memchr::memmem;

const BEGIN: &[u8] = b"-----BEGIN PGP MESSAGE";
const END: &[u8] = b"-----END PGP MESSAGE-----";

/// RFC 9580 5: packets that matter here.
mod tag {
    pub const PUBLIC_KEY_SESSION: u8 = 1;
    pub const PASSWORD_SESSION: u8 = 3;
    pub const ENCRYPTED: u8 = 9;
    pub const MARKER: u8 = 10;
    pub const ENCRYPTED_WITH_INTEGRITY: u8 = 18;
    pub const ENCRYPTED_AEAD: u8 = 20;
    pub const PADDING: u8 = 21;
}

/// An armoured message.
#[derive(Debug)]
pub(in super::super) struct Armour {
    pub octets: Vec<u8>,
    /// Nothing but blanks stands around it, and nothing in it that is no base64.
    pub is_alone: bool,
}

/// The armoured message that a text begins with (RFC 9580 6.2).
pub(in super::super) fn armour(text: &[u8]) -> Option<Armour> {
    let text = text.trim_ascii();
    let body = text.strip_prefix(BEGIN)?;
    let end = memmem::find(body, END);
    let inside = body.get(..end.unwrap_or(body.len()))?;
    let behind = end.and_then(|end| body.get(end + END.len()..)).unwrap_or_default();
    let (octets, is_sound) = dearmoured(inside);
    Some(Armour { octets, is_alone: end.is_some() && behind.is_empty() && is_sound })
}

/// The armoured messages that stand anywhere in a text. Each ends where it says so, or where the next begins: no octet is
/// looked at twice.
pub(in super::super) fn armours(text: &[u8]) -> impl Iterator<Item = Armour> {
    let mut rest = memmem::find(text, BEGIN).and_then(|at| text.get(at..)).unwrap_or_default();
    std::iter::from_fn(move || {
        let inside = rest.get(BEGIN.len()..)?;
        let next = memmem::find(inside, BEGIN).map_or(rest.len(), |at| at + BEGIN.len());
        let (block, behind) = rest.split_at_checked(next)?;
        rest = behind;
        let end = memmem::find(block, END).map_or(block.len(), |end| end + END.len());
        armour(block.get(..end)?)
    })
}

/// The octets between the lines, and whether all of it is what armour has.
fn dearmoured(inside: &[u8]) -> (Vec<u8>, bool) {
    let (mut letters, mut sound, mut in_head) = (Vec::with_capacity(inside.len()), true, true);
    // The first line ends the line of BEGIN.
    for line in inside.split(|byte| *byte == b'\n').skip(1) {
        let line = line.trim_ascii();
        match () {
            () if in_head && line.is_empty() => in_head = false,
            () if in_head && is_armour_field(line) => sound &= says_nothing(line),
            // Some write no empty line.
            () => {
                in_head = false;
                // The checksum: an equals sign and four letters.
                if line.first() != Some(&b'=') {
                    sound &= line.len() <= 76 && line.iter().all(is_base64);
                    letters.extend_from_slice(line);
                }
            }
        }
    }
    let decoded = transfer::base64(&letters, letters.len());
    (decoded.bytes, sound && decoded.sound)
}

/// `Version: …`, as programmes write it.
fn is_armour_field(line: &[u8]) -> bool {
    [&b"Version: "[..], b"Hash: ", b"Charset: ", b"MessageID: ", b"Comment: "].iter().any(|name| line.starts_with(name))
}

/// A comment is for people, and may say anything: what is long, or has a number in it, is no mere field.
fn says_nothing(line: &[u8]) -> bool {
    line.len() <= 100 && line.iter().filter(|byte| byte.is_ascii_digit()).count() <= 8
}

fn is_base64(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}

/// Whether octets begin as an encrypted message does.
pub(in super::super) fn looks_like(bytes: &[u8]) -> bool {
    Packet::of(bytes).is_some_and(|first| is_session(&first))
}

/// RFC 9580 10.3: session keys, then encrypted data, and nothing else but markers and padding.
pub(in super::super) fn is_encrypted(bytes: &[u8]) -> bool {
    let (mut rest, mut sessions, mut is_sealed) = (bytes, 0usize, false);
    while !rest.is_empty() {
        let Some(packet) = Packet::of(rest) else { return false };
        match packet.tag {
            tag::MARKER => {
                if packet.body.len() > 3 {
                    return false;
                }
            }
            tag::PADDING if is_cipher_text(&packet.body) => {}
            _ if is_sealed => return false,
            _ if is_session(&packet) => sessions += 1,
            _ => is_sealed = sessions > 0 && is_data(&packet),
        }
        let is_other = !is_sealed && sessions == 0 && !matches!(packet.tag, tag::MARKER | tag::PADDING);
        let Some(behind) = rest.get(packet.len..).filter(|_| !is_other) else { return false };
        rest = behind;
    }
    is_sealed
}

/// A session key for a public key (versions 3 and 6) or a password (4 to 6): small, and of a version that exists.
fn is_session(packet: &Packet) -> bool {
    const LONGEST: usize = 8_192;
    let version = packet.body.first().copied();
    let is_known = match packet.tag {
        tag::PUBLIC_KEY_SESSION => matches!(version, Some(2 | 3 | 6)),
        tag::PASSWORD_SESSION => matches!(version, Some(4..=6)),
        _ => false,
    };
    is_known && packet.body.len() <= LONGEST && is_cipher_text(&packet.body)
}

fn is_data(packet: &Packet) -> bool {
    let version = packet.body.first().copied();
    let is_known = match packet.tag {
        tag::ENCRYPTED => true,
        tag::ENCRYPTED_WITH_INTEGRITY => matches!(version, Some(1 | 2)),
        tag::ENCRYPTED_AEAD => version == Some(1),
        _ => false,
    };
    is_known && packet.body.len() > 16 && is_cipher_text(&packet.body)
}

/// One packet (RFC 9580 4.2).
struct Packet {
    tag: u8,
    body: Vec<u8>,
    /// Octets that it takes, its head included.
    len: usize,
}

impl Packet {
    fn of(bytes: &[u8]) -> Option<Packet> {
        let first = *bytes.first().filter(|first| **first & 0x80 != 0)?;
        match first & 0x40 {
            0 => Packet::old(first, bytes),
            _ => Packet::new(first & 0x3F, bytes),
        }
    }

    /// 4.2.2: the format of PGP 2 and RFC 1991.
    fn old(first: u8, bytes: &[u8]) -> Option<Packet> {
        let width = match first & 3 {
            0 => 1,
            1 => 2,
            2 => 4,
            // To the end.
            _ => {
                let body = bytes.get(1..)?.to_vec();
                return Some(Packet { tag: (first >> 2) & 0x0F, body, len: bytes.len() });
            }
        };
        let len = number(bytes.get(1..1 + width)?);
        let end = (1 + width).checked_add(len)?;
        Some(Packet { tag: (first >> 2) & 0x0F, body: bytes.get(1 + width..end)?.to_vec(), len: end })
    }

    /// 4.2.1: lengths of one, two or five octets, or a body in pieces.
    fn new(tag: u8, bytes: &[u8]) -> Option<Packet> {
        let (mut body, mut at) = (Vec::new(), 1);
        loop {
            let first = *bytes.get(at)?;
            let (width, len) = match first {
                0..=191 => (1, usize::from(first)),
                192..=223 => (2, ((usize::from(first) - 192) << 8) + usize::from(*bytes.get(at + 1)?) + 192),
                224..=254 => (1, 1 << (first & 0x1F)),
                255 => (5, number(bytes.get(at + 1..at + 5)?)),
            };
            let start = at + width;
            at = start.checked_add(len)?;
            body.extend_from_slice(bytes.get(start..at)?);
            if !(224..=254).contains(&first) {
                return Some(Packet { tag, body, len: at });
            }
        }
    }
}

fn number(octets: &[u8]) -> usize {
    octets.iter().fold(0, |number, byte| number << 8 | usize::from(*byte))
}

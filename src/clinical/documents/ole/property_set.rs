//! Property sets: title, author, keywords and what else is said about a document. [MS-OLEPS]
//!
//! Called by `ole`. Promises: each property is looked at once. Fails never: the stream is looked at as it stands too.

use super::super::codepages;
use super::super::mapi::Words;
use super::super::octets::Octets;
use encoding_rs::{Encoding, WINDOWS_1252};

/// Sets in a stream: [MS-OLEPS] 2.21 knows one or two.
const SETS: u32 = 2;

pub(super) fn read(bytes: &[u8], words: &mut Words) {
    for set in 0..SETS {
        let place = Octets::from(bytes, 28 + 20 * usize::try_from(set).unwrap_or(0) + 16).length();
        if let Some(at) = place.filter(|at| *at >= 48) {
            set_at(bytes, at, words);
        }
    }
}

/// [MS-OLEPS] 2.20: a size, a count, a place for each property.
fn set_at(bytes: &[u8], at: usize, words: &mut Words) {
    let mut octets = Octets::from(bytes, at);
    let (Some(_), Some(count)) = (octets.u32(), octets.u32()) else { return };
    let (mut page, mut read) = (WINDOWS_1252, 0);
    for _ in 0..count {
        let (Some(id), Some(place)) = (octets.u32(), octets.length()) else { return };
        let Some(place) = at.checked_add(place) else { return };
        if id == 1 {
            let number = Octets::from(bytes, place.saturating_add(4)).u16().unwrap_or(0);
            page = codepages::of(u32::from(number));
        } else if let Some(text) = string(bytes, place, page) {
            read += text.len();
            // Two places may be one; all of them together are no longer than the stream.
            if read > bytes.len().saturating_mul(3) {
                return;
            }
            words.add(&text);
        }
    }
}

fn string(bytes: &[u8], at: usize, page: &'static Encoding) -> Option<String> {
    let mut octets = Octets::from(bytes, at);
    let kind = octets.u32()? & 0xFFFF;
    let length = octets.length()?;
    match kind {
        0x1E => Some(codepages::text(octets.take(length)?, page)),
        0x1F => Some(codepages::wide(octets.take(length.checked_mul(2)?)?)),
        _ => None,
    }
}

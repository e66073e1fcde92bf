//! Looks at the streams that the library unpacks by itself, before it does: those that hold objects (ISO 32000-1 7.5.7) and
//! tables of them (7.5.8).
//!
//! Called by `pdf`. Promises: bounded, and linear but for what is unpacked. What is encrypted, and what only a reference
//! tells, it does not see: the process has a bound of its own for that. Fails with the name of the limit.

use super::filters::{self, End};
use hayro_syntax::object::{Array, Dict, FromBytes as _};
use memchr::memmem;
use std::borrow::Cow;

/// Octets of all objects that are packed together; they are kept.
const OBJECTS: usize = 48_000_000;
/// Entries of all tables.
const ENTRIES: usize = 1_000_000;
/// Streams that hold objects.
const STREAMS: usize = 50_000;
/// So often the whole file may be unpacked: streams that begin in others end where those do.
const TIMES: usize = 4;
/// A dictionary of such a stream is no longer than this.
const DICTIONARY: usize = 2_048;

pub(super) fn check(bytes: &[u8]) -> Result<(), &'static str> {
    if super::reach::is_too_far(bytes) {
        return Err("objects");
    }
    let ends: Vec<usize> = memmem::find_iter(bytes, b"endstream").collect();
    let (mut objects, mut entries, mut count) = (0usize, 0usize, 0usize);
    let mut left = bytes.len().saturating_mul(TIMES);
    for at in memmem::find_iter(bytes, b"stream") {
        let before = bytes.get(at.saturating_sub(DICTIONARY)..at).unwrap_or_default();
        if before.ends_with(b"end") {
            continue;
        }
        let Some(dict) = dictionary(before).filter(is_packed) else { continue };
        count += 1;
        let end = ends.get(ends.partition_point(|end| *end < at)).copied().unwrap_or(bytes.len());
        let packed = bytes.get(at + 6..end).unwrap_or_default();
        let packed = packed.strip_prefix(b"\r\n").or(packed.strip_prefix(b"\n")).unwrap_or(packed);
        left = left.checked_sub(packed.len()).ok_or("object streams")?;
        let decoded = filters::decode(Cow::Borrowed(packed), &filters::steps(&dict), OBJECTS);
        objects = objects.saturating_add(decoded.bytes.len());
        entries = entries.saturating_add(decoded.bytes.len() / entry_len(&dict));
        if decoded.end == End::Cut || objects > OBJECTS || count > STREAMS {
            return Err("object streams");
        }
        if entries > ENTRIES {
            return Err("objects");
        }
    }
    Ok(())
}

/// The dictionary that ends where a stream begins.
fn dictionary(before: &[u8]) -> Option<Dict<'_>> {
    let start = memmem::rfind(before, b"obj").map_or(0, |at| at + 3);
    let start = start + memmem::find(before.get(start..)?, b"<<")?;
    Dict::from_bytes(before.get(start..)?)
}

fn is_packed(dict: &Dict<'_>) -> bool {
    (dict.contains_key(b"N") && dict.contains_key(b"First")) || dict.contains_key(b"W")
}

/// Octets of one entry; of streams that hold objects, more than any.
fn entry_len(dict: &Dict<'_>) -> usize {
    let widths = dict.get::<Array<'_>>(b"W");
    let sum = widths.map(|w| w.iter::<u32>().take(3).fold(0usize, |sum, w| sum.saturating_add(w as usize)));
    sum.map_or(usize::MAX, |sum| sum.max(1))
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn streams_inside_streams_are_unpacked_a_few_times_only() {
        let stream = b"<</N 1/First 1/Filter/ASCIIHexDecode>>stream\n";
        let inside = |count: usize| [&stream.repeat(count)[..], &b" ".repeat(1_000)[..], b"endstream"].concat();
        assert_eq!(check(&inside(1)), Ok(()));
        assert_eq!(check(&inside(2_000)), Err("object streams"));
    }
}

//! How many pixels a picture has, by its header: a page that compresses well is no logo.
//!
//! Called by `opaque`. Promises: one pass over headers at most. A header that cannot be read has too many pixels.

/// A logo has no more; a page that can be read has.
const LOGO: u64 = 300_000;

/// Whether a picture has as few pixels as logos. Drawings have none.
pub(super) fn are_few(bytes: &[u8], what: &str) -> bool {
    let count = match what {
        "png" => png(bytes),
        "gif" => gif(bytes),
        "jpeg" => jpeg(bytes),
        "bmp" => bmp(bytes),
        "webp" => webp(bytes),
        "emf" | "wmf" => Some(0),
        _ => None,
    };
    count.is_some_and(|count| count <= LOGO)
}

fn big(bytes: &[u8], at: usize) -> Option<u64> {
    let four = bytes.get(at..at.checked_add(4)?)?;
    Some(four.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

fn little(bytes: &[u8], at: usize, octets: usize) -> Option<u64> {
    let some = bytes.get(at..at.checked_add(octets)?)?;
    Some(some.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

/// ISO 15948 11.2.2.
fn png(bytes: &[u8]) -> Option<u64> {
    Some(big(bytes, 16)?.saturating_mul(big(bytes, 20)?))
}

/// GIF89a 18 and 20: the screen, or a first picture that is larger than it.
fn gif(bytes: &[u8]) -> Option<u64> {
    let area = |at: usize| Some(little(bytes, at, 2)?.saturating_mul(little(bytes, at + 2, 2)?));
    let packed = *bytes.get(10)?;
    let mut at = 13 + if packed & 0x80 == 0 { 0 } else { 3usize << ((packed & 7) + 1) };
    while bytes.get(at) == Some(&0x21) {
        at += 2;
        while let Some(length) = bytes.get(at).filter(|length| **length > 0) {
            at += usize::from(*length) + 1;
        }
        at += 1;
    }
    let first = if bytes.get(at) == Some(&0x2C) { area(at + 5)? } else { 0 };
    Some(area(6)?.max(first))
}

/// ISO 10918-1 B.2.2: the header of the frame.
fn jpeg(bytes: &[u8]) -> Option<u64> {
    let mut at = 2;
    loop {
        let [0xFF, marker] = *bytes.get(at..at + 2)? else { return None };
        let length = big(bytes, at + 2)? >> 16;
        match marker {
            0xFF => at += 1,
            0xC4 | 0xC8 | 0xCC => at += 2 + usize::try_from(length).ok()?,
            0xC0..=0xCF => {
                let sides = big(bytes, at + 5)?;
                return Some((sides >> 16) * (sides & 0xFFFF)).filter(|area| *area > 0);
            }
            0xDA | 0xD9 => return None,
            _ => at += 2 + usize::try_from(length).ok()?,
        }
    }
}

/// [MS-WMF] 2.2.2.2 and 2.2.2.3: sides of two octets or of four, with a sign.
fn bmp(bytes: &[u8]) -> Option<u64> {
    if little(bytes, 14, 4)? == 12 {
        return Some(little(bytes, 18, 2)? * little(bytes, 20, 2)?);
    }
    let side = |at: usize| Some(u64::from(i32::from_le_bytes(*bytes.get(at..)?.first_chunk()?).unsigned_abs()));
    Some(side(18)?.saturating_mul(side(22)?))
}

/// RFC 9649 2.5 to 2.7.
fn webp(bytes: &[u8]) -> Option<u64> {
    match bytes.get(12..16)? {
        b"VP8X" => Some((little(bytes, 24, 3)? + 1) * (little(bytes, 27, 3)? + 1)),
        b"VP8L" => {
            let sides = little(bytes, 21, 4)?;
            Some(((sides & 0x3FFF) + 1) * ((sides >> 14 & 0x3FFF) + 1))
        }
        b"VP8 " => Some((little(bytes, 26, 2)? & 0x3FFF) * (little(bytes, 28, 2)? & 0x3FFF)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::are_few;

    #[test]
    fn headers_tell_how_many_pixels_there_are() {
        let png = |side: &[u8]| [b"\x89PNG\r\n\x1A\n\0\0\0\x0DIHDR", side, side].concat();
        let jpeg = |side: &[u8]| [b"\xFF\xD8\xFF\xE0\0\x04xx\xFF\xC0\0\x11\x08", side, side].concat();
        let gif = |screen: &[u8], first: &[u8]| {
            let start = [b"GIF89a", screen, screen, b"\0\0\0\x21\xF9\x01\x01\0\x2C\0\0\0\0"].concat();
            [&start[..], first, first].concat()
        };
        let bmp = |side: &[u8]| [b"BM\0\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0", side, side].concat();
        let webp = |side: &[u8]| [b"RIFF\0\0\0\0WEBPVP8X\0\0\0\0\0\0\0\0", side, side].concat();
        let few = [
            ("png", png(b"\0\0\x01\0")),
            ("jpeg", jpeg(b"\x01\0")),
            ("gif", gif(b"\0\x01", b"\0\x01")),
            ("bmp", bmp(b"\0\x01\0\0")),
            ("webp", webp(b"\xFF\x01\0")),
        ];
        let many = [
            ("png", png(b"\0\0\x04\0")),
            ("jpeg", jpeg(b"\x04\0")),
            ("gif", gif(b"\0\x04", b"\0\x01")),
            ("gif", gif(b"\0\x01", b"\0\x04")),
            ("bmp", bmp(b"\0\xFC\xFF\xFF")),
            ("webp", webp(b"\xFF\x04\0")),
            ("png", b"\x89PNG\r\n\x1A\n".to_vec()),
            ("jpeg", b"\xFF\xD8\xFF\xE0\0\0".to_vec()),
        ];
        assert_eq!(few.iter().filter(|(what, bytes)| !are_few(bytes, what)).count(), 0);
        assert_eq!(many.iter().filter(|(what, bytes)| are_few(bytes, what)).count(), 0);
    }
}

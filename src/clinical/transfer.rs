//! Transfer encodings undone: base64 and quoted-printable (RFC 2045 6.7, 6.8), leniently.
//!
//! Called by `walk` and `words`. Promises: linear, output never longer than input, stops at `most` octets. What is
//! malformed is read as far as it goes, and said.

/// What came out.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Decoded {
    pub bytes: Vec<u8>,
    /// Nothing in it broke the rules of the encoding.
    pub sound: bool,
    /// `most` was reached before the end.
    pub cut: bool,
}

const BLANK: u8 = 64;
const PAD: u8 = 65;
const BAD: u8 = 66;

/// Value of each octet in base64; what a reader skips; what no encoder writes.
const BASE64: [u8; 256] = {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut table = [BAD; 256];
    let mut i = 0;
    while i < 64 {
        table[alphabet[i] as usize] = i as u8;
        i += 1;
    }
    table[b'=' as usize] = PAD;
    table[b' ' as usize] = BLANK;
    table[b'\t' as usize] = BLANK;
    table[b'\r' as usize] = BLANK;
    table[b'\n' as usize] = BLANK;
    table
};

/// Decodes base64; text after padding is decoded too, for some readers do.
pub(super) fn base64(input: &[u8], most: usize) -> Decoded {
    let mut out = Decoded { bytes: Vec::with_capacity((input.len() / 4 * 3 + 3).min(most)), sound: true, cut: false };
    let (mut held, mut count) = (0u32, 0u8);
    for byte in input {
        let six = BASE64[usize::from(*byte)];
        if six < 64 {
            held = held << 6 | u32::from(six);
            count += 1;
            if count == 4 {
                if out.bytes.len() + 3 > most {
                    out.cut = true;
                    return out;
                }
                out.bytes.extend_from_slice(&held.to_be_bytes()[1..]);
                (held, count) = (0, 0);
            }
        } else if six == PAD {
            out.sound &= flush(&mut out.bytes, held, count);
            (held, count) = (0, 0);
        } else {
            out.sound &= six == BLANK;
        }
    }
    // Padding that is missing at the end is common and harmless.
    out.sound &= flush(&mut out.bytes, held, count);
    out
}

/// Writes the octets of an unfinished group; a single left-over character is an error.
fn flush(out: &mut Vec<u8>, held: u32, count: u8) -> bool {
    match count {
        2 => out.push((held >> 4) as u8),
        3 => out.extend_from_slice(&((held >> 2) as u16).to_be_bytes()),
        _ => return count == 0,
    }
    true
}

/// Decodes quoted-printable; what is no escape stays as it is, as mail programmes show it.
pub(super) fn quoted_printable(input: &[u8], most: usize) -> Decoded {
    let mut out = Decoded { bytes: Vec::with_capacity(input.len().min(most)), sound: true, cut: false };
    let mut rest = input;
    while let Some(at) = memchr::memchr(b'=', rest) {
        out.bytes.extend_from_slice(&rest[..at]);
        rest = &rest[at + 1..];
        let (byte, used) = escape(rest);
        match byte {
            Escape::Byte(byte) => out.bytes.push(byte),
            Escape::SoftBreak => {}
            Escape::Broken => {
                out.bytes.push(b'=');
                out.sound = false;
            }
        }
        rest = &rest[used..];
        if out.bytes.len() > most {
            out.bytes.truncate(most);
            out.cut = true;
            return out;
        }
    }
    out.cut = out.bytes.len() + rest.len() > most;
    let room = most.saturating_sub(out.bytes.len()).min(rest.len());
    out.bytes.extend_from_slice(&rest[..room]);
    out
}

enum Escape {
    Byte(u8),
    SoftBreak,
    Broken,
}

/// What follows an equals sign, and how many octets of it.
fn escape(rest: &[u8]) -> (Escape, usize) {
    let hex = |at: usize| rest.get(at).and_then(|b| (*b as char).to_digit(16));
    if let (Some(high), Some(low)) = (hex(0), hex(1)) {
        return (Escape::Byte((high << 4 | low) as u8), 2);
    }
    // RFC 2045 6.7 (3): blanks before the line break are transport padding. Bounded, so that no input is read twice.
    let blanks = rest.iter().take(998).take_while(|b| matches!(b, b' ' | b'\t')).count();
    match &rest[blanks..] {
        [b'\r', b'\n', ..] => (Escape::SoftBreak, blanks + 2),
        [b'\n', ..] => (Escape::SoftBreak, blanks + 1),
        [] => (Escape::SoftBreak, blanks),
        _ => (Escape::Broken, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_read_as_far_as_it_goes() {
        let read = |text: &str| base64(text.as_bytes(), 100);
        assert_eq!(read("OTQzIDQ3\r\nNiA1OTE5").bytes, b"943 476 5919");
        assert_eq!(read("OTQ=MzQ").bytes, b"9434", "padding in the middle, none at the end");
        assert!(read("OTQ=").sound && !read("OT*Q=").sound && !read("OTQzI").sound);
        assert_eq!(read("OT*Q=").bytes, b"94");
    }

    #[test]
    fn quoted_printable_joins_soft_breaks_and_keeps_what_is_no_escape() {
        let read = |text: &str| quoted_printable(text.as_bytes(), 100);
        assert_eq!(read("943=\r\n47=  \r\n6=\n5919=20x=").bytes, b"9434765919 x");
        assert_eq!(read("1=2 =3D").bytes, b"1=2 =");
        assert!(!read("1=2").sound && read("=C2=A0=\r\n").sound);
    }

    #[test]
    fn output_is_bounded() {
        assert!(base64(&[b'A'; 400], 30).cut && base64(&[b'A'; 400], 30).bytes.len() <= 30);
        assert!(quoted_printable(&[b'a'; 400], 30).cut && quoted_printable(&[b'a'; 400], 30).bytes.len() == 30);
    }
}

//! Transfer encodings undone: base64 and quoted-printable (RFC 2045 6.7, 6.8), leniently.
//!
//! Called by `walk` and `words`. Promises: linear, output never longer than input, stops at `most` octets. What is
//! malformed is read as far as it goes, and said.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

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

/// Letters that are taken at once where nothing interrupts them: lines of 76, 72, 64 and 60 are one run each.
const RUN: usize = 1024;
/// Letters of several runs that are decoded at once.
const AT_ONCE: usize = 8 * RUN;

/// Decodes base64; text after padding is decoded too, for some readers do.
pub(super) fn base64(input: &[u8], most: usize) -> Decoded {
    let mut out = Decoded { bytes: Vec::with_capacity((input.len() / 4 * 3 + 3).min(most)), sound: true, cut: false };
    let (mut held, mut count, mut rest, mut at_line_start) = (0u32, 0u8, input, true);
    let mut letters = Vec::with_capacity(input.len().min(AT_ONCE));
    loop {
        if at_line_start && count == 0 {
            rest = whole_runs(rest, most, &mut letters, &mut out.bytes);
        }
        let Some((byte, behind)) = rest.split_first() else { break };
        (rest, at_line_start) = (behind, *byte == b'\n');
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

/// Decodes runs of nothing but letters of the alphabet, a line or a part of one each, while no more than `most` octets come out;
/// returns where something else stands, or less than a group. This is nearly all of an attachment.
fn whole_runs<'a>(mut input: &'a [u8], most: usize, letters: &mut Vec<u8>, out: &mut Vec<u8>) -> &'a [u8] {
    loop {
        letters.clear();
        input = gather(input, most.saturating_sub(out.len()), letters);
        if letters.is_empty() {
            return input;
        }
        let had = out.len();
        out.resize(had + letters.len() / 4 * 3, 0);
        let decoded = STANDARD_NO_PAD.decode_slice(&letters, &mut out[had..]);
        debug_assert!(decoded.is_ok(), "nothing else was gathered");
    }
}

/// Gathers such runs, of which `most` octets come; returns what is behind them.
fn gather<'a>(mut input: &'a [u8], most: usize, letters: &mut Vec<u8>) -> &'a [u8] {
    while letters.len() + RUN <= AT_ONCE {
        let near = &input[..input.len().min(RUN)];
        let line = memchr::memchr2(b'\r', b'\n', near).unwrap_or(near.len());
        let run = &input[..line / 4 * 4];
        let fits = (letters.len() + run.len()) / 4 * 3 <= most;
        if run.is_empty() || !fits || !run.iter().fold(true, |all, byte| all & is_letter(*byte)) {
            break;
        }
        letters.extend_from_slice(run);
        input = &input[run.len()..];
        input = input.strip_prefix(b"\r\n").or_else(|| input.strip_prefix(b"\n")).unwrap_or(input);
    }
    input
}

/// The octets that `input` decodes to, if it is base64 as encoders write it: nothing but the alphabet and blanks, padding at
/// its end only. `base64` calls all of that sound, and some that is not so.
pub(super) fn sound_base64_len(input: &[u8]) -> Option<usize> {
    let body = &input[..input.iter().rposition(|byte| !is_blank(*byte)).map_or(0, |last| last + 1)];
    let padding = body.iter().rev().take_while(|byte| **byte == b'=').count();
    let body = &body[..body.len() - padding];
    let (letters, blanks) = body
        .chunks(128)
        .fold((0, 0), |(letters, blanks), block| (letters + count(block, is_letter), blanks + count(block, is_blank)));
    let all = letters + blanks == body.len();
    let ends_well = match padding {
        0 => letters % 4 != 1,
        padding => padding <= 2 && (letters + padding).is_multiple_of(4),
    };
    (all && ends_well).then_some(letters / 4 * 3 + (letters % 4).saturating_sub(1))
}

/// The last octets that `input` decodes to, `most` of them and up to four more: it is sound and decodes to `octets`.
pub(super) fn base64_end(input: &[u8], octets: usize, most: usize) -> Vec<u8> {
    // What is left of the last group of four letters; groups are counted from the start.
    let odd = [0, 2, 3][octets % 3];
    let mut wanted = most.div_ceil(3) * 4 + odd;
    let mut from = input.len();
    // Block by block while all of one is wanted, as in `sound_base64_len`, then letter by letter.
    for block in input.rchunks(128) {
        let letters = count(block, is_letter);
        if letters > wanted {
            break;
        }
        (wanted, from) = (wanted - letters, from - block.len());
    }
    while let Some(at) = from.checked_sub(1).filter(|_| wanted > 0) {
        from = at;
        wanted -= usize::from(is_letter(input[at]));
    }
    base64(&input[from..], most + 4).bytes
}

/// How many of at most 128 octets are such; as in `formats`: many octets at once.
fn count(block: &[u8], is_such: impl Fn(u8) -> bool) -> usize {
    usize::from(block.iter().fold(0u8, |count, byte| count + u8::from(is_such(*byte))))
}

const fn is_blank(byte: u8) -> bool {
    (byte == b'\r') | (byte == b'\n') | (byte == b' ') | (byte == b'\t')
}

/// Without a branch, so that many are looked at at once.
const fn is_letter(byte: u8) -> bool {
    ((byte | 0x20).wrapping_sub(b'a') < 26) | (byte.wrapping_sub(b'0') < 10) | (byte == b'+') | (byte == b'/')
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

/// Whether an encoding is a slip for none at all, and the text stands as it is for everybody: `8-bit`, the name of a charset.
pub(super) fn is_slip(encoding: &str, body: &[u8]) -> bool {
    matches!(encoding, "7-bit" | "7bits" | "8-bit" | "8bits" | "utf-8" | "utf8" | "plain" | "none")
        && super::formats::is_texty(body)
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
                // Programmes that do not know the encoding write the sign as it is: beside a digit it may have been one.
                let beside = out.bytes.iter().rev().take(2).chain(rest.iter().take(2));
                out.sound &= !beside.into_iter().any(u8::is_ascii_digit);
                out.bytes.push(b'=');
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

    fn base64_of(octets: &[u8]) -> Vec<u8> {
        base64::engine::general_purpose::STANDARD.encode(octets).into_bytes()
    }

    /// One octet after another, as it was before blocks were.
    fn by_octets(input: &[u8]) -> Vec<u8> {
        let (mut out, mut group) = (Vec::new(), Vec::new());
        for six in input.iter().map(|b| BASE64[usize::from(*b)]).filter(|six| *six != BLANK && *six != BAD) {
            if six < 64 {
                group.push(six);
            }
            if group.len() == 4 || six == PAD {
                let held = group.iter().fold(0u32, |held, six| held << 6 | u32::from(*six));
                match group.len() {
                    4 => out.extend_from_slice(&held.to_be_bytes()[1..]),
                    len => assert!(flush(&mut out, held, u8::try_from(len).unwrap())),
                }
                group.clear();
            }
        }
        out
    }

    #[test]
    fn blocks_change_nothing_wherever_lines_end_and_junk_stands() {
        let letters: Vec<u8> = (0..20_000u32).map(|n| b"ABCDwxyz0189+/"[(n * n % 14) as usize]).collect();
        for width in [1, 3, 4, 31, 32, 33, 64, 76, 100, 999] {
            for junk in [&b"\r\n"[..], b"\n", b" * ", b"\xFF", b"===="] {
                let lines: Vec<u8> = letters.chunks(width).flat_map(|line| [line, junk].concat()).collect();
                if junk != b"====" || width % 4 == 0 {
                    assert_eq!(base64(&lines, 50_000).bytes, by_octets(&lines), "{width} {junk:?}");
                }
            }
        }
    }

    #[test]
    fn the_end_is_what_the_whole_ends_with() {
        let octets: Vec<u8> = (0..3_000u32).map(|n| (n * n / 7) as u8).collect();
        for len in [0, 1, 2, 3, 90, 91, 2_998, 2_999, 3_000] {
            for width in [4, 60, 76, 1_000] {
                let letters = base64_of(&octets[..len]);
                let lines: Vec<u8> = letters.chunks(width).flat_map(|line| [line, b"\r\n"].concat()).collect();
                for most in [0, 3, 89, 90, 1_000, 9_000] {
                    let end = base64_end(&lines, len, most);
                    assert!(octets[..len].ends_with(&end), "{len} {width} {most}");
                    assert!((most.min(len)..=most + 4).contains(&end.len()), "{len} {width} {most}: {}", end.len());
                }
            }
        }
    }

    #[test]
    fn what_is_called_sound_at_a_glance_is_so_when_it_is_decoded() {
        for text in [
            "",
            "OTQz",
            "OTQzI\r\nDQ=\r\n",
            "OTQ",
            "OT\tQzIA==",
            "OTQzIA ==",
            "OTQzI",
            "OT=QzIDQ",
            "OT*z",
            "OTQ==",
            "====",
        ] {
            let decoded = base64(text.as_bytes(), 100);
            if let Some(octets) = sound_base64_len(text.as_bytes()) {
                assert_eq!((decoded.sound, decoded.bytes.len()), (true, octets), "{text}");
            }
        }
        for (text, octets) in [("OTQzI\r\nDQ=\r\n", Some(5)), ("OTQ", Some(2)), ("OT", Some(1)), ("OTQzI", None)] {
            assert_eq!(sound_base64_len(text.as_bytes()), octets, "{text}");
        }
        assert!(sound_base64_len(b"OTQ\xC3").is_none() && sound_base64_len(b"OT=QzIDQ").is_none());
    }

    #[test]
    fn quoted_printable_joins_soft_breaks_and_keeps_what_is_no_escape() {
        let read = |text: &str| quoted_printable(text.as_bytes(), 100);
        assert_eq!(read("943=\r\n47=  \r\n6=\n5919=20x=").bytes, b"9434765919 x");
        assert_eq!(read("1=2 =3D").bytes, b"1=2 =");
        assert!(!read("1=2").sound && read("=C2=A0=\r\n").sound);
        assert!(read("all = good, <a href=x>").sound && !read("= 2").sound && !read("943 =x").sound);
    }

    #[test]
    fn output_is_bounded() {
        for most in 0..310 {
            let out = base64(&[b'A'; 400], most);
            assert_eq!((out.cut, out.bytes.len()), (most < 300, (most / 3 * 3).min(300)), "{most}");
        }
        assert!(quoted_printable(&[b'a'; 400], 30).cut && quoted_printable(&[b'a'; 400], 30).bytes.len() == 30);
    }
}

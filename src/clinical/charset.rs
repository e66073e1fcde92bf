//! Octets to text, in every charset that mail uses, and in more than one where the label may lie.
//!
//! Called by `walk` and `words`. Promises: linear; plain ASCII is not copied. What no known charset explains comes out as
//! what can be read of it, marked unsound.

use super::utf32;
use encoding_rs::{
    BIG5, EUC_JP, EUC_KR, Encoding, GBK, ISO_2022_JP, REPLACEMENT, SHIFT_JIS, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252,
};
use std::borrow::Cow;

/// Markup names its charset so early (HTML, 13.2.3.2, asks for 1,024 octets; some readers look further) …
const HEAD: usize = 4_096;
/// … and so often.
const DECLARED: usize = 4;
/// So many wide digits are no accident of another charset.
const WIDE_DIGITS: usize = 3;

/// The readings of some octets.
#[derive(Debug)]
pub(super) struct Reading<'a> {
    pub text: Cow<'a, str>,
    /// What another reader may see.
    pub other: Option<String>,
    /// False: nobody here knows what these octets mean.
    pub sound: bool,
}

impl Reading<'_> {
    /// Adds what one more reader may see.
    fn add(&mut self, text: &str) {
        self.other = Some(match self.other.take() {
            Some(before) => format!("{before}\n;\n{text}"),
            None => text.to_owned(),
        });
    }
}

/// Reads `bytes` as `label` says, as far as that can be so.
pub(super) fn read<'a>(bytes: &'a [u8], label: Option<&str>) -> Reading<'a> {
    without_zeros(with_blanks(as_it_seems(bytes, label), bytes, label))
}

/// Text has no zeros: where some are left, the octets mean something else. Readers that pass over them see the rest joined.
fn without_zeros(reading: Reading<'_>) -> Reading<'_> {
    if memchr::memchr(0, reading.text.as_bytes()).is_none() {
        return reading;
    }
    let joined = reading.text.replace('\0', "");
    let other = Some(reading.other.map_or_else(|| joined.clone(), |other| format!("{joined}\n;\n{other}")));
    Reading { other, sound: false, ..reading }
}

fn as_it_seems<'a>(bytes: &'a [u8], label: Option<&str>) -> Reading<'a> {
    let label = label.map(str::trim).filter(|l| !l.is_empty());
    let plain = if bytes.is_ascii() { std::str::from_utf8(bytes).ok() } else { None };
    if label.is_some_and(is_utf7) {
        return Reading { other: Some(utf7(bytes)), text: lossy(bytes), sound: true };
    }
    if let Some(wide) = wide(bytes, label) {
        let (text, sound) = wide.decode(bytes);
        return Reading { text, other: Some(lossy(bytes).into_owned()), sound };
    }
    let known = label.and_then(|l| Encoding::for_label(l.as_bytes()).or_else(|| western(l)));
    if known == Some(REPLACEMENT) {
        // Charsets that the Encoding Standard (4.2) reads as nothing: where they shift, nobody here knows what they mean.
        let is_shifted = plain.is_none() || bytes.iter().any(|b| matches!(b, 0x0E | 0x1B | b'~'));
        return Reading { text: lossy(bytes), other: None, sound: !is_shifted };
    }
    let reading = match (known, plain) {
        (Some(encoding), Some(text)) if encoding.is_ascii_compatible() && encoding != ISO_2022_JP => as_is(text),
        (None, Some(text)) => Reading { sound: label.is_none() || !bytes.contains(&0x1B), ..as_is(text) },
        (Some(encoding), _) => as_labelled(bytes, encoding),
        (None, None) => Reading { sound: label.is_none() && !is_ebcdic(bytes), ..unlabelled(bytes) },
    };
    with_others(reading, bytes, known)
}

/// Charsets of old programmes, and slips of newer ones: they share ASCII with the one that everybody falls back to.
fn western(label: &str) -> Option<&'static Encoding> {
    const NAMES: &[&str] = &[
        "8859-1",
        "8859_1",
        "iso8859_1",
        "latin-1",
        "latin-9",
        "windows1252",
        "win-1252",
        "unknown-8bit",
        "x-unknown",
        "_autodetect_all",
    ];
    let is_known = is_of_consoles(label) || NAMES.iter().any(|name| label.eq_ignore_ascii_case(name));
    is_known.then_some(WINDOWS_1252)
}

/// Charsets of consoles, whose signs and lines stand elsewhere than in the one that everybody falls back to.
fn is_of_consoles(label: &str) -> bool {
    let number = label.trim_start_matches(|c: char| !c.is_ascii_digit()).trim_start_matches('0');
    matches!(number, "437" | "850" | "858") && !label.contains("8859")
}

/// Adds what the charset of a console shows, where that is another blank or line.
fn with_blanks<'a>(mut reading: Reading<'a>, bytes: &[u8], label: Option<&str>) -> Reading<'a> {
    let is_other = |byte: &u8| blank_of_consoles(*byte) != *byte;
    if label.is_some_and(|label| is_of_consoles(label.trim())) && bytes.iter().any(is_other) {
        let blanked: Vec<u8> = bytes.iter().map(|byte| blank_of_consoles(*byte)).collect();
        reading.add(&WINDOWS_1252.decode_without_bom_handling(&blanked).0);
    }
    reading
}

/// Their no-break space, dots and upright lines.
fn blank_of_consoles(byte: u8) -> u8 {
    match byte {
        0xFF | 0xFE => 0xA0,
        0xF9 | 0xFA => 0xB7,
        0xB3 | 0xBA => b'|',
        byte => byte,
    }
}

/// Adds what readers see that follow the markup, or that guess: a file that is kept has no label any more.
fn with_others<'a>(mut reading: Reading<'a>, bytes: &[u8], known: Option<&'static Encoding>) -> Reading<'a> {
    let is_ascii = bytes.is_ascii();
    let mut others: Vec<&'static Encoding> = Vec::new();
    let shifts = memchr::memchr(0x1B, bytes).map(|_| ISO_2022_JP);
    let guessed = if known.is_none() && !is_ascii && reading.text.as_bytes() != bytes { guessed(bytes) } else { None };
    for other in declared(bytes).take(DECLARED).chain(shifts).chain(guessed) {
        let reads_anew = other == ISO_2022_JP || (other.is_ascii_compatible() && !is_ascii && other != UTF_8);
        if reads_anew && known != Some(other) && !others.contains(&other) {
            others.push(other);
        }
    }
    for other in others {
        reading.add(&other.decode_without_bom_handling(bytes).0);
    }
    reading
}

/// The charsets that markup names for itself: `<meta charset=gbk>`, `<?xml encoding="gbk"?>`.
fn declared(bytes: &[u8]) -> impl Iterator<Item = &'static Encoding> + '_ {
    let head = bytes.get(..HEAD).unwrap_or(bytes);
    memchr::memchr_iter(b'=', head).filter_map(|at| {
        let before = head.get(..at)?.trim_ascii_end();
        let ends = |name: &[u8]| {
            let from = before.len().checked_sub(name.len());
            from.and_then(|from| before.get(from..)).is_some_and(|last| last.eq_ignore_ascii_case(name))
        };
        if !ends(b"charset") && !ends(b"encoding") {
            return None;
        }
        let after = head.get(at + 1..)?.trim_ascii_start();
        let value = after.strip_prefix(b"\"").or(after.strip_prefix(b"'")).unwrap_or(after).trim_ascii_start();
        let len = value.iter().take_while(|b| b.is_ascii_alphanumeric() || b"-_:.".contains(b)).count();
        Encoding::for_label(value.get(..len)?)
    })
}

/// The charset of East Asia whose wide digits stand in octets that nobody labelled. Letters and words of the West do not
/// look so; where several are possible, one has no errors.
fn guessed(bytes: &[u8]) -> Option<&'static Encoding> {
    // The digits stand at the same place in all that follow ISO/IEC 2022.
    let sets: [(u8, std::ops::RangeInclusive<u8>, &[&'static Encoding]); 3] =
        [(0xA3, 0xB0..=0xB9, &[GBK, EUC_KR, EUC_JP]), (0x82, 0x4F..=0x58, &[SHIFT_JIS]), (0xA2, 0xAF..=0xB8, &[BIG5])];
    sets.into_iter().find_map(|(lead, trail, charsets)| {
        let digits = memchr::memchr_iter(lead, bytes).filter(|at| bytes.get(at + 1).is_some_and(|b| trail.contains(b)));
        if digits.take(WIDE_DIGITS).count() < WIDE_DIGITS {
            return None;
        }
        let is_sound =
            |charset: &&&'static Encoding| charset.decode_without_bom_handling_and_without_replacement(bytes).is_some();
        charsets.iter().find(is_sound).copied()
    })
}

fn as_is(text: &str) -> Reading<'_> {
    Reading { text: Cow::Borrowed(text), other: None, sound: true }
}

fn as_labelled<'a>(bytes: &'a [u8], encoding: &'static Encoding) -> Reading<'a> {
    let (text, failed) = encoding.decode_without_bom_handling(bytes);
    let other = match encoding == UTF_8 {
        true if failed => Some(WINDOWS_1252.decode(bytes).0.into_owned()),
        false if bytes.is_ascii() => Some(lossy(bytes).into_owned()),
        // Latin-1 that is valid UTF-8 is UTF-8, whatever its label.
        false => std::str::from_utf8(bytes).ok().map(str::to_owned),
        true => None,
    };
    // The raw octets cover what a wrong label would hide: digits are digits in every charset that ASCII is part of.
    let other = other.or_else(|| failed.then(|| lossy(bytes).into_owned()));
    Reading { text, other, sound: true }
}

/// No label: UTF-8 if it is valid, the usual Western code page otherwise.
fn unlabelled(bytes: &[u8]) -> Reading<'_> {
    match std::str::from_utf8(bytes) {
        Ok(text) => as_is(text),
        Err(_) => Reading { text: WINDOWS_1252.decode_without_bom_handling(bytes).0, other: None, sound: true },
    }
}

/// Text of a large machine: its blanks are 0x40, its letters and digits above 0x80, and it has none of the usual blanks.
fn is_ebcdic(bytes: &[u8]) -> bool {
    let sample = &bytes[..bytes.len().min(4_096)];
    let count = |is: fn(&u8) -> bool| sample.iter().filter(|octet| is(octet)).count();
    let (blanks, high) = (count(|octet| *octet == 0x40), count(|octet| *octet >= 0x80));
    blanks * 12 > sample.len() && high * 2 > sample.len() && count(|octet| *octet == b' ') == 0
}

fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

/// A charset whose characters are wider than one octet even where they are ASCII.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wide {
    Units(&'static Encoding),
    Utf32(utf32::Order),
}

impl Wide {
    fn decode(self, bytes: &[u8]) -> (Cow<'_, str>, bool) {
        match self {
            Wide::Units(encoding) => (encoding.decode(bytes).0, true),
            Wide::Utf32(order) => {
                let (text, sound) = utf32::decode(bytes, order);
                (Cow::Owned(text), sound)
            }
        }
    }
}

/// UTF-32 or UTF-16, by its mark, its zeros, or its label. UTF-32 first: its mark begins with the one of UTF-16, and its
/// zeros are those of UTF-16 and more.
pub(super) fn wide(bytes: &[u8], label: Option<&str>) -> Option<Wide> {
    let sample = &bytes[..bytes.len().min(512)];
    if let Some(order) = utf32::marked(bytes).or_else(|| utf32::apparent(sample)) {
        return Some(Wide::Utf32(order));
    }
    let is_plain = sample.iter().all(|b| b.is_ascii_graphic() || b.is_ascii_whitespace());
    let label = label.map(str::trim);
    if let Some(order) = label.and_then(utf32::labelled).filter(|_| !is_plain) {
        return Some(Wide::Utf32(order));
    }
    if let Some(encoding) = utf16(bytes, sample) {
        return Some(Wide::Units(encoding));
    }
    let named = Encoding::for_label(label?.as_bytes())?;
    let has_units = !named.is_ascii_compatible() && named != ISO_2022_JP && named != REPLACEMENT;
    (has_units && !is_plain).then_some(Wide::Units(named))
}

/// UTF-16, by its mark or its zeros.
fn utf16(bytes: &[u8], sample: &[u8]) -> Option<&'static Encoding> {
    match bytes {
        [0xFF, 0xFE, ..] => return Some(UTF_16LE),
        [0xFE, 0xFF, ..] => return Some(UTF_16BE),
        _ if memchr::memchr(0, sample).is_none() => return None,
        _ => {}
    }
    let zeros = |parity: usize| sample.iter().skip(parity).step_by(2).filter(|b| **b == 0).count() * 4;
    match (zeros(0) > sample.len(), zeros(1) > sample.len()) {
        (true, false) => Some(UTF_16BE),
        (false, true) => Some(UTF_16LE),
        _ => None,
    }
}

fn is_utf7(label: &str) -> bool {
    // `unicode-1-1-utf-7`, `x-unicode-2-0-utf-7`, `csUnicode11UTF7` and whatever else it was called.
    let label = label.to_ascii_lowercase();
    label.contains("utf-7") || label.contains("utf7")
}

/// RFC 2152: `+`, base64 of UTF-16, `-`.
fn utf7(bytes: &[u8]) -> String {
    let mut out = String::new();
    let mut rest = bytes;
    while let Some(at) = memchr::memchr(b'+', rest) {
        out.push_str(&lossy(&rest[..at]));
        rest = &rest[at + 1..];
        let len = rest.iter().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/')).count();
        if len == 0 {
            out.push('+');
        } else {
            let units = super::transfer::base64(&rest[..len], len).bytes;
            out.push_str(&UTF_16BE.decode_without_bom_handling(&units).0);
        }
        rest = &rest[len..];
        rest = rest.strip_prefix(b"-").unwrap_or(rest);
    }
    out.push_str(&lossy(rest));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: &[u8], label: Option<&str>) -> String {
        let reading = read(bytes, label);
        format!("{}|{}", reading.text, reading.other.unwrap_or_default())
    }

    #[test]
    fn labels_are_followed_and_doubted() {
        assert_eq!(text(b"943\xA0476", Some("iso-8859-1")), "943\u{A0}476|");
        assert!(text("943\u{A0}476".as_bytes(), Some("us-ascii")).contains("943\u{A0}476"));
        assert!(text(b"943\xA0476", Some("utf-8")).contains("943\u{A0}476"));
        assert!(text(b"\xFF\xFE9\x004\x00", None).starts_with("94"));
        assert!(text(b"9\x004\x003\x00", Some("utf-16le")).starts_with("943"));
        assert!(text(b"\x1b$B#9#4#3\x1b(B", Some("iso-2022-jp")).starts_with("９４３"));
        assert!(text(b"+ADk-43+AKA-476", Some("UTF-7")).ends_with("|943\u{A0}476"));
    }

    #[test]
    fn charsets_that_nobody_reads_any_more_are_said() {
        for label in ["hz-gb-2312", "iso-2022-kr", "iso-2022-cn"] {
            assert!(!read(b"NHS number \x1B$)C\x0E#9#4#3\x0F~{#9~}", Some(label)).sound, "{label}");
            assert!(read(b"NHS number 943", Some(label)).sound, "{label}");
        }
        for label in ["x-unicode-2-0-utf-7", "unicode-2-0-utf-7", "x-unicode-1-1-utf-7", "csUnicode11UTF7"] {
            assert!(text(b"+ADk-43", Some(label)).ends_with("|943"), "{label}");
        }
    }

    #[test]
    fn an_unknown_charset_with_other_than_ascii_is_said() {
        assert!(!read(b"\xF9\xF4\xF3", Some("cp037")).sound);
        assert!(read(b"943", Some("x-unknown")).sound);
        // `NHS 943 476 5919`, and a letter that is nobody's code but Latin-1.
        assert!(!read(b"\xD5\xC8\xE2\x40\xF9\xF4\xF3\x40\xF4\xF7\xF6\x40\xF5\xF9\xF1\xF9", None).sound);
        assert!(read("caf\u{e9} @ noon".chars().map(|c| c as u8).collect::<Vec<u8>>().as_slice(), None).sound);
    }

    #[test]
    fn a_charset_that_only_the_markup_names_is_read_too() {
        let number = "\u{FF19}\u{FF14}\u{FF13}";
        for charset in [GBK, BIG5, SHIFT_JIS, EUC_JP, EUC_KR, ISO_2022_JP] {
            let octets = charset.encode(number).0;
            for head in
                [format!("<meta Charset = \"{}\">", charset.name()), format!("<?xml encoding='{}'?>", charset.name())]
            {
                let octets = [head.as_bytes(), &octets].concat();
                for label in [None, Some("us-ascii"), Some("utf-8"), Some("x-unknown")] {
                    assert!(text(&octets, label).contains(number), "{} {label:?}", charset.name());
                }
            }
            assert!(text(&octets, None).contains(number), "{} without any label", charset.name());
        }
    }

    #[test]
    fn text_of_the_west_has_one_reading() {
        for octets in [&b"caf\xE9 \xA35 \x82OK\x91 \xA2\xB0"[..], b"943 476", "<meta charset=utf-8>\u{A0}".as_bytes()] {
            assert_eq!(read(octets, None).other, None);
        }
    }
}

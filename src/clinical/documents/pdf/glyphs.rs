//! Names of glyphs (the Adobe Glyph List, as far as Latin text needs it) and the encodings that fonts name.
//!
//! Called by `font` and `cmap`. Promises: tables, and steps bounded by the length of a name. Fails with nothing where a name means
//! no character: `g12`, `.notdef`.

use encoding_rs::{MACINTOSH, WINDOWS_1252};

/// The longest name that stands for text.
const LONGEST: usize = 128;

/// What a name stands for (Adobe Glyph List Specification, 2): what is behind a dot does not count, `_` joins.
pub(super) fn text(name: &[u8]) -> Option<String> {
    let name = std::str::from_utf8(name).ok().filter(|name| name.len() <= LONGEST)?;
    let base = name.split('.').next().filter(|base| !base.is_empty())?;
    if let Some(whole) = component(base) {
        return Some(whole);
    }
    base.split('_').map(component).collect()
}

fn component(name: &str) -> Option<String> {
    let mut chars = name.chars();
    if let (Some(only), None) = (chars.next(), chars.next()) {
        return Some(only.to_string()).filter(|_| only.is_alphabetic());
    }
    coded(name).or_else(|| plain(name)).or_else(|| accented(name)).or_else(|| {
        // Digits of other shapes: `sevenoldstyle`, `threesuperior`.
        let shapes = ["oldstyle", "superior", "inferior", "fitted", "tabular", "small", "numerator", "denominator"];
        shapes.iter().find_map(|shape| plain(name.strip_suffix(shape)?))
    })
}

/// `uni` and four digits for each unit, or `u` and four to six.
fn coded(name: &str) -> Option<String> {
    let hex = |digits: &str| u32::from_str_radix(digits, 16).ok();
    if let Some(units) = name.strip_prefix("uni").filter(|u| u.len() >= 4 && u.len() % 4 == 0 && u.is_ascii()) {
        let units: Option<Vec<u16>> =
            units.as_bytes().chunks(4).map(|u| std::str::from_utf8(u).ok().and_then(hex).map(|u| u as u16)).collect();
        return units.and_then(|units| String::from_utf16(&units).ok());
    }
    let digits = name.strip_prefix('u').filter(|d| (4..=6).contains(&d.len()))?;
    hex(digits).and_then(char::from_u32).map(String::from)
}

fn plain(name: &str) -> Option<String> {
    NAMES.iter().find(|(known, _)| *known == name).map(|(_, text)| (*text).to_owned())
}

/// A letter and the name of its accent.
fn accented(name: &str) -> Option<String> {
    let (letter, mark) = name.split_at_checked(name.chars().next()?.len_utf8())?;
    let pairs = ACCENTS.iter().find(|(known, _)| *known == mark)?.1;
    let letter = letter.chars().next()?;
    let mut chars = pairs.chars();
    while let (Some(base), Some(whole)) = (chars.next(), chars.next()) {
        if base == letter {
            return Some(whole.to_string());
        }
    }
    None
}

#[rustfmt::skip]
const NAMES: &[(&str, &str)] = &[
    ("zero", "0"), ("one", "1"), ("two", "2"), ("three", "3"), ("four", "4"), ("five", "5"), ("six", "6"),
    ("seven", "7"), ("eight", "8"), ("nine", "9"), ("space", " "), ("nbspace", "\u{A0}"), ("nonbreakingspace", "\u{A0}"),
    ("hyphen", "-"), ("minus", "\u{2212}"), ("sfthyphen", "\u{AD}"), ("softhyphen", "\u{AD}"), ("endash", "\u{2013}"),
    ("emdash", "\u{2014}"), ("figuredash", "\u{2012}"), ("period", "."), ("comma", ","), ("colon", ":"),
    ("semicolon", ";"), ("slash", "/"), ("fraction", "\u{2044}"), ("backslash", "\\"), ("bar", "|"), ("brokenbar", "¦"),
    ("underscore", "_"), ("parenleft", "("), ("parenright", ")"), ("bracketleft", "["), ("bracketright", "]"),
    ("braceleft", "{"), ("braceright", "}"), ("exclam", "!"), ("exclamdown", "¡"), ("question", "?"),
    ("questiondown", "¿"), ("quotedbl", "\""), ("quotesingle", "'"), ("quoteleft", "‘"), ("quoteright", "’"),
    ("quotedblleft", "“"), ("quotedblright", "”"), ("quotesinglbase", "‚"), ("quotedblbase", "„"), ("grave", "`"),
    ("numbersign", "#"), ("dollar", "$"), ("cent", "¢"), ("sterling", "£"), ("yen", "¥"), ("currency", "¤"),
    ("Euro", "€"), ("euro", "€"), ("florin", "ƒ"), ("percent", "%"), ("perthousand", "‰"), ("ampersand", "&"),
    ("asterisk", "*"), ("plus", "+"), ("plusminus", "±"), ("multiply", "×"), ("divide", "÷"), ("equal", "="),
    ("less", "<"), ("greater", ">"), ("guillemotleft", "«"), ("guillemotright", "»"), ("guilsinglleft", "‹"),
    ("guilsinglright", "›"), ("at", "@"), ("asciicircum", "^"), ("asciitilde", "~"), ("bullet", "•"),
    ("periodcentered", "·"), ("middot", "·"), ("ellipsis", "…"), ("dagger", "†"), ("daggerdbl", "‡"), ("section", "§"),
    ("paragraph", "¶"), ("copyright", "©"), ("registered", "®"), ("trademark", "™"), ("degree", "°"), ("mu", "µ"),
    ("logicalnot", "¬"), ("ordfeminine", "ª"), ("ordmasculine", "º"), ("onequarter", "¼"), ("onehalf", "½"),
    ("threequarters", "¾"), ("fi", "fi"), ("fl", "fl"), ("ff", "ff"), ("ffi", "ffi"), ("ffl", "ffl"), ("germandbls", "ß"),
    ("AE", "Æ"), ("ae", "æ"), ("OE", "Œ"), ("oe", "œ"), ("Eth", "Ð"), ("eth", "ð"), ("Thorn", "Þ"), ("thorn", "þ"),
    ("dotlessi", "ı"), ("acute", "´"), ("circumflex", "ˆ"), ("tilde", "˜"), ("dieresis", "¨"), ("cedilla", "¸"),
    ("caron", "ˇ"), ("breve", "˘"), ("macron", "¯"), ("ring", "˚"), ("ogonek", "˛"), ("dotaccent", "˙"),
    ("hungarumlaut", "˝"),
];

/// Pairs of a letter and the letter with that mark.
const ACCENTS: &[(&str, &str)] = &[
    ("grave", "AÀEÈIÌOÒUÙaàeèiìoòuù"),
    ("acute", "AÁCĆEÉIÍLĹNŃOÓRŔSŚUÚYÝZŹaácćeéiílĺnńoórŕsśuúyýzź"),
    ("circumflex", "AÂCĈEÊGĜHĤIÎJĴOÔSŜUÛWŴYŶaâcĉeêgĝhĥiîjĵoôsŝuûwŵyŷ"),
    ("tilde", "AÃIĨNÑOÕUŨaãiĩnñoõuũ"),
    ("dieresis", "AÄEËIÏOÖUÜYŸWẄaäeëiïoöuüyÿwẅ"),
    ("ring", "AÅUŮaåuů"),
    ("cedilla", "CÇSŞTŢcçsştţ"),
    ("caron", "CČDĎEĚLĽNŇRŘSŠTŤZŽcčdďeělľnňrřsštťzž"),
    ("breve", "AĂEĔGĞIĬOŎUŬaăeĕgğiĭoŏuŭ"),
    ("macron", "AĀEĒIĪOŌUŪaāeēiīoōuū"),
    ("ogonek", "AĄEĘIĮUŲaąeęiįuų"),
    ("dotaccent", "CĊEĖGĠIİZŻcċeėgġzż"),
    ("hungarumlaut", "OŐUŰoőuű"),
    ("slash", "OØLŁoølł"),
    ("commaaccent", "GĢKĶLĻNŅRŖSȘTȚgģkķlļnņrŗsștț"),
    ("croat", "DĐdđ"),
    ("bar", "HĦTŦhħtŧ"),
];

/// An encoding that fonts name (ISO 32000-1 annex D).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Base {
    Standard,
    WinAnsi,
    MacRoman,
    /// Signs; a row of circled digits is among them.
    Dingbats,
}

impl Base {
    pub fn named(name: &[u8]) -> Option<Base> {
        match name {
            b"WinAnsiEncoding" => Some(Base::WinAnsi),
            b"MacRomanEncoding" => Some(Base::MacRoman),
            b"StandardEncoding" | b"MacExpertEncoding" => Some(Base::Standard),
            _ => None,
        }
    }

    pub fn char(self, code: u8) -> Option<char> {
        match self {
            Base::Dingbats => dingbat(code),
            _ if code < 0x20 || code == 0x7F => None,
            Base::Standard => standard(code),
            Base::WinAnsi => single(WINDOWS_1252, code),
            Base::MacRoman => single(MACINTOSH, code),
        }
    }
}

fn single(encoding: &'static encoding_rs::Encoding, code: u8) -> Option<char> {
    encoding.decode_without_bom_handling(&[code]).0.chars().next()
}

/// D.2: ASCII but for two quotes, and what stands above.
fn standard(code: u8) -> Option<char> {
    match code {
        0x27 => Some('’'),
        0x60 => Some('‘'),
        0x20..=0x7E => Some(char::from(code)),
        _ => HIGH.chars().nth(usize::from(code.checked_sub(0xA0)?)).filter(|c| *c != '\0'),
    }
}

/// From A0 on; zero: nothing.
#[rustfmt::skip]
const HIGH: &str = "\0¡¢£⁄¥ƒ§¤'“«‹›\u{FB01}\u{FB02}\0–†‡·\0¶•‚„”»…‰\0¿\0`´ˆ˜¯˘˙¨\0˚¸\0˝˛ˇ—\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0Æ\0ª\0\0\0\0ŁØŒº\0\0\0\0\0æ\0\0\0ı\0\0łøœß";

/// D.6: four rows of ten numbers in circles.
fn dingbat(code: u8) -> Option<char> {
    match code {
        0x20 => Some(' '),
        0x21..=0x7E => char::from_u32(0x2700 + u32::from(code) - 0x20),
        0xAC..=0xB5 => char::from_u32(0x2460 + u32::from(code) - 0xAC),
        0xB6..=0xD3 => Some(char::from(b'0' + (code - 0xB6 + 1) % 10)),
        _ => None,
    }
}

/// Text of strings outside content streams (7.9.2.2): UTF-16, UTF-8 or PDFDocEncoding.
pub(super) fn document_text(bytes: &[u8]) -> String {
    let text = match bytes {
        [0xFE, 0xFF, rest @ ..] => encoding_rs::UTF_16BE.decode_without_bom_handling(rest).0.into_owned(),
        [0xFF, 0xFE, rest @ ..] => encoding_rs::UTF_16LE.decode_without_bom_handling(rest).0.into_owned(),
        [0xEF, 0xBB, 0xBF, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        _ => bytes.iter().filter_map(|byte| document_char(*byte)).collect(),
    };
    without_languages(text)
}

fn document_char(byte: u8) -> Option<char> {
    match byte {
        0x80..=0x9F => DOCUMENT.chars().nth(usize::from(byte - 0x80)),
        0xA0 => Some('€'),
        0x18..=0x1F => "˘ˇˆ˙˝˛˚˜".chars().nth(usize::from(byte - 0x18)),
        b'\t' | b'\n' | b'\r' => Some(char::from(byte)),
        0..0x20 => None,
        byte => Some(char::from(byte)),
    }
}

/// D.2, from 80 on.
const DOCUMENT: &str = "•†‡…—–ƒ⁄‹›−‰„“”‘’‚™\u{FB01}\u{FB02}ŁŒŠŸŽıłœšž\u{FFFD}";

/// 7.9.2.2: a language between two escapes is not shown; what is too long for one is.
fn without_languages(text: String) -> String {
    if !text.contains('\u{1B}') {
        return text.replace(|c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t'), "");
    }
    let mut out = String::new();
    let mut pieces = text.split('\u{1B}');
    out.push_str(pieces.next().unwrap_or_default());
    for (at, piece) in pieces.enumerate() {
        let is_language =
            at % 2 == 0 && piece.len() <= 5 && piece.bytes().all(|b| b.is_ascii_alphabetic() || b == b'-');
        if !is_language {
            out.push_str(piece);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_mean_what_the_list_says() {
        let names = [
            ("nine", "9"),
            ("A", "A"),
            ("uni0039", "9"),
            ("uni00390034", "94"),
            ("u1D7D7", "𝟗"),
            ("nine.oldstyle", "9"),
            ("nineoldstyle", "9"),
            ("f_i", "fi"),
            ("eacute", "é"),
            ("Scaron", "Š"),
            ("hyphen", "-"),
            ("nine_four", "94"),
        ];
        for (name, meant) in names {
            assert_eq!(text(name.as_bytes()).as_deref(), Some(meant), "{name}");
        }
        for name in ["g12", ".notdef", "a48", "cid123", "uniD800", ""] {
            assert_eq!(text(name.as_bytes()), None, "{name}");
        }
    }

    #[test]
    fn encodings_agree_on_digits_and_differ_above() {
        for base in [Base::Standard, Base::WinAnsi, Base::MacRoman] {
            assert!((b'0'..=b'9').all(|digit| base.char(digit) == Some(char::from(digit))));
        }
        assert_eq!(
            [Base::Standard.char(0xE9), Base::WinAnsi.char(0xE9), Base::MacRoman.char(0x8E)],
            [Some('Ø'), Some('é'), Some('é')]
        );
        assert_eq!([Base::Standard.char(0xAE), Base::Standard.char(0xFB)], [Some('\u{FB01}'), Some('ß')]);
        assert_eq!(Base::Standard.char(0xB1), Some('–'));
        assert_eq!(
            [0xAC, 0xB4, 0xB6, 0xBF, 0xC0].map(|c| Base::Dingbats.char(c)),
            [Some('①'), Some('⑨'), Some('1'), Some('0'), Some('1')]
        );
    }

    #[test]
    fn strings_of_documents_are_read_in_their_three_encodings() {
        assert_eq!(document_text(b"\xFE\xFF\x00N\x00\x1B\x00e\x00n\x00\x1B\x00H"), "NH");
        assert_eq!(document_text(b"\xEF\xBB\xBFJos\xC3\xA9"), "José");
        assert_eq!(document_text(b"9\x004\x853\xE9"), "94–3é");
    }
}

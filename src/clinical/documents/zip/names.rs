//! The names and comments of a zip archive as people see them, in each reading that some programme gives them.
//!
//! Called by the archive. Fails never.

use super::headers::{Header, fields};

/// APPNOTE 4.6.9 and 4.6.8: the name and the comment once more, in UTF-8.
const UNICODE: [u16; 2] = [0x7075, 0x6375];

/// The upper half of IBM code page 437, which APPNOTE APPENDIX D names for whatever is not UTF-8.
const CP437: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{A0}";

/// The readings of a name or a comment, the likeliest first.
pub fn readings(raw: &[u8]) -> Vec<String> {
    match std::str::from_utf8(raw) {
        Ok(text) if text.is_ascii() => vec![text.to_owned()],
        Ok(text) => vec![text.to_owned(), cp437(raw)],
        Err(_) => vec![cp437(raw), String::from_utf8_lossy(raw).into_owned()],
    }
}

/// The likeliest reading.
pub fn likely(raw: &[u8]) -> String {
    readings(raw).into_iter().next().unwrap_or_default()
}

/// All names and comments that a header gives, in all readings.
pub fn all(header: &Header<'_>) -> Vec<String> {
    let mut all = readings(header.name);
    all.extend(readings(header.comment));
    // A version and a checksum stand before the text.
    let unicode = fields(header.extra).filter(|(id, _)| UNICODE.contains(id)).filter_map(|(_, field)| field.get(5..));
    all.extend(unicode.map(|text| String::from_utf8_lossy(text).into_owned()));
    all.retain(|text| !text.is_empty());
    all
}

fn cp437(raw: &[u8]) -> String {
    let upper: Vec<char> = CP437.chars().collect();
    let shown = |byte: &u8| match byte.checked_sub(0x80) {
        Some(at) => upper.get(usize::from(at)).copied().unwrap_or(char::REPLACEMENT_CHARACTER),
        None => char::from(*byte),
    };
    raw.iter().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_in_each_way() {
        assert_eq!(CP437.chars().count(), 128);
        assert_eq!(readings(b"a.txt"), ["a.txt"]);
        assert_eq!(readings(b"caf\x82"), ["café", "caf\u{FFFD}"]);
        assert_eq!(readings("943\u{2011}476".as_bytes()), ["943\u{2011}476", "943Γ\u{C7}\u{E6}476"]);
        assert_eq!(readings(b"943\xFF476")[0], "943\u{A0}476");
    }
}

//! UTF-32, which the usual decoders leave out: four octets for each character.
//!
//! Called by `charset`. Promises: linear; what is no character comes out as U+FFFD and is said. Fails never.

/// Which octet of a character comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Big,
    Little,
}

impl Order {
    fn code(self, unit: [u8; 4]) -> u32 {
        match self {
            Order::Big => u32::from_be_bytes(unit),
            Order::Little => u32::from_le_bytes(unit),
        }
    }
}

/// The order that the mark at the beginning says (Unicode 16, 23.8).
pub(super) fn marked(bytes: &[u8]) -> Option<Order> {
    match bytes {
        [0xFF, 0xFE, 0, 0, ..] => Some(Order::Little),
        [0, 0, 0xFE, 0xFF, ..] => Some(Order::Big),
        _ => None,
    }
}

/// The order in which `sample` reads as writing: numbers of a programme that happen to be characters are hardly ever that.
pub(super) fn apparent(sample: &[u8]) -> Option<Order> {
    [Order::Little, Order::Big].into_iter().find(|order| {
        let mut units = sample.chunks_exact(4).filter_map(|u| u.try_into().ok()).peekable();
        units.peek().is_some() && units.all(|u| char::from_u32(order.code(u)).is_some_and(is_written))
    })
}

fn is_written(c: char) -> bool {
    c.is_alphanumeric()
        || c.is_whitespace()
        || c.is_ascii_graphic()
        || matches!(c, '\u{A0}'..='\u{BF}' | '\u{2000}'..='\u{2BFF}' | '\u{FEFF}')
}

/// The order that a charset's label says; RFC 2781 has it for UTF-16 that what says none is big-endian, and so it is here.
pub(super) fn labelled(label: &str) -> Option<Order> {
    const BIG: [&str; 6] = ["utf-32", "utf32", "utf-32be", "utf32be", "ucs-4", "iso-10646-ucs-4"];
    const LITTLE: [&str; 4] = ["utf-32le", "utf32le", "ucs-4le", "csucs4le"];
    let is_among = |names: &[&str]| names.iter().any(|name| label.eq_ignore_ascii_case(name));
    match (is_among(&BIG) || label.eq_ignore_ascii_case("csucs4"), is_among(&LITTLE)) {
        (true, _) => Some(Order::Big),
        (_, true) => Some(Order::Little),
        _ => None,
    }
}

/// The text, and whether all of `bytes` were characters.
pub(super) fn decode(bytes: &[u8], order: Order) -> (String, bool) {
    let units = bytes.chunks_exact(4);
    let mut sound = units.remainder().is_empty();
    let text: String = units
        .filter_map(|unit| unit.try_into().ok())
        .map(|unit| {
            let c = char::from_u32(order.code(unit));
            sound &= c.is_some();
            c.unwrap_or(char::REPLACEMENT_CHARACTER)
        })
        .collect();
    (text.strip_prefix('\u{FEFF}').map(str::to_owned).unwrap_or(text), sound)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str, unit: fn(u32) -> [u8; 4]) -> Vec<u8> {
        text.chars().flat_map(|c| unit(c as u32)).collect()
    }

    #[test]
    fn both_orders_are_known_by_their_octets() {
        for text in ["943 476", "\u{FF19}\u{FF14}", "\u{1D7DA}"] {
            assert_eq!(apparent(&written(text, u32::to_le_bytes)), Some(Order::Little), "{text}");
            assert_eq!(apparent(&written(text, u32::to_be_bytes)), Some(Order::Big), "{text}");
        }
        assert_eq!(apparent(b"9\x004\x003\x004\x00"), None, "UTF-16");
        assert_eq!(apparent(b"plain text"), None);
        assert_eq!(apparent(b"\x01\0\0\0\x02\0\0\0"), None, "numbers");
    }

    #[test]
    fn what_is_no_character_is_said() {
        assert_eq!(decode(b"9\0\0\x004\0\0\0", Order::Little), ("94".to_owned(), true));
        assert_eq!(decode(b"\0\0\xFE\xFF\0\0\x009", Order::Big), ("9".to_owned(), true));
        assert_eq!(decode(b"9\0\0\0\xFF\xFF\xFF\xFF", Order::Little), ("9\u{FFFD}".to_owned(), false));
        assert!(!decode(b"9\0\0\0x", Order::Little).1);
    }
}

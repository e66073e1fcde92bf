//! Equations of Microsoft's Equation Editor and of MathType, which write MTEF 1 to 5.
//!
//! Called by `ole` and `packaged`. Promises: linear; the letters and digits of an equation join in the order in which it has them,
//! whatever stands between them. Fails never.

/// The letters of an equation. Each stands in a record of its own, with its typeface and its place, which are no letters.
pub(super) fn letters(bytes: &[u8]) -> String {
    bytes.iter().filter(|octet| matches!(octet, b' '..=b'~')).map(|octet| char::from(*octet)).collect()
}

/// Whether octets begin as an equation does: its version, its platform, the product that wrote it, that one's version.
pub(super) fn is_one(bytes: &[u8]) -> bool {
    /// None that people write is longer.
    const LONGEST: usize = 8 * 1024;
    let is_header = matches!(bytes, [1..=5, 0..=1, 0..=1, 0..=9, ..]);
    is_header && bytes.len() <= LONGEST && !super::is_document(bytes)
}

#[cfg(test)]
mod tests {
    use super::{is_one, letters};

    #[test]
    fn the_characters_of_an_equation_join() {
        let character = |digit: char| [0x02, 0x88, digit as u8, 0];
        let digits: Vec<u8> = "9434765919".chars().flat_map(character).collect();
        assert_eq!(letters(&digits), "9434765919");
        assert!(is_one(&[&[3, 1, 1, 3, 0][..], &digits].concat()));
        assert!(!is_one(b"PK\x03\x04") && !is_one(b"\x02\0a.txt\0") && !is_one(&[3; 9_000]));
    }
}

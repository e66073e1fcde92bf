//! Numbers of spreadsheets as they are shown: an identifier that was typed into a cell is a floating-point number in the file.
//!
//! Called by `reader`. Promises: what is an integer is written as one, without exponent or fraction. Fails never: what is no
//! number stays as it is.

use std::borrow::Cow;

/// Integers below this are exact.
const EXACT: f64 = 1e15;
/// From here on a spreadsheet's usual format shows no fraction.
const LONG: f64 = 1e8;

/// The number as it is shown.
pub(super) fn shown(value: &str) -> Cow<'_, str> {
    let trimmed = value.trim();
    if !trimmed.bytes().any(|byte| matches!(byte, b'.' | b'e' | b'E')) {
        return Cow::Borrowed(trimmed);
    }
    match trimmed.parse::<f64>() {
        Ok(number) if number.abs() < EXACT && (number.fract() == 0.0 || number.abs() >= LONG) => {
            Cow::Owned(format!("{number:.0}"))
        }
        _ => Cow::Borrowed(trimmed),
    }
}

/// The column that a reference to a cell is in, from nought: `C5` is in 2.
pub(super) fn column(reference: &str) -> Option<usize> {
    let letters = reference.bytes().take_while(u8::is_ascii_alphabetic).take(4);
    letters.fold(None, |column: Option<usize>, letter| {
        Some(column.map_or(0, |column| (column + 1) * 26) + usize::from(letter.to_ascii_uppercase() - b'A'))
    })
}

/// Digits that are enough to make a number of.
pub(super) const OWN_DIGITS: usize = 3;

/// Whether a formula has so many digits that are no references to cells (ECMA-376 part 1, 18.17.2.3).
pub(super) fn has_digits_of_its_own(formula: &str) -> bool {
    let (mut own, mut is_name) = (0, false);
    for byte in formula.bytes() {
        match byte {
            b'0'..=b'9' if !is_name => own += 1,
            b'0'..=b'9' => {}
            _ => is_name = byte.is_ascii_alphabetic() || matches!(byte, b'$' | b'_'),
        }
    }
    own >= OWN_DIGITS
}

/// The formula without what is in brackets, as other cells are told by in the XML of 2003: `R[-12]C`.
pub(super) fn without_offsets(formula: &str) -> String {
    let mut is_inside = false;
    let is_outside = |c: &char| {
        is_inside = *c == '[' || (is_inside && *c != ']');
        !is_inside
    };
    formula.chars().filter(is_outside).collect()
}

/// The text of a header or footer with the number of the first page.
pub(in super::super) fn with_page(text: &str, page: &str) -> String {
    let pieces: Vec<String> = text.split("&P").map(without_codes).collect();
    pieces.join(page)
}

/// The text of a header or footer without its codes (ECMA-376 part 1, 18.3.1.46): fonts, sizes, colours, sections.
pub(super) fn without_codes(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let code = match rest.chars().next() {
            Some('"') => rest[1..].find('"').map_or(rest.len(), |end| end + 2),
            Some('K') => 1 + rest[1..].bytes().take(6).take_while(|b| b.is_ascii_hexdigit()).count(),
            Some(c) if c.is_ascii_digit() => rest.bytes().take(3).take_while(u8::is_ascii_digit).count(),
            // Left, centre and right are places of their own.
            Some('L' | 'C' | 'R') => {
                out.push('\n');
                1
            }
            c => c.map_or(0, char::len_utf8),
        };
        rest = rest.get(code..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_written_as_such() {
        for (value, expected) in [
            ("9434765919", "9434765919"),
            ("9.434765919E9", "9434765919"),
            ("9.434765919e+09", "9434765919"),
            ("9434765919.0", "9434765919"),
            ("9434765919.0000019", "9434765919"),
            ("1.5", "1.5"),
            ("1E400", "1E400"),
            ("n.a.", "n.a."),
        ] {
            assert_eq!(shown(value), expected);
        }
    }

    #[test]
    fn digits_of_a_formula_s_own_are_known() {
        for (formula, expected) in
            [("IF(A123=\"\",\"\",$B$1024)", false), ("\"943\"&A1", true), ("SUM(A1:A900)/10", false)]
        {
            assert_eq!(has_digits_of_its_own(formula), expected, "{formula}");
        }
    }

    #[test]
    fn columns_are_counted_in_letters() {
        for (reference, expected) in
            [("A1", Some(0)), ("c5", Some(2)), ("AA10", Some(26)), ("XFD1", Some(16_383)), ("5", None), ("", None)]
        {
            assert_eq!(column(reference), expected);
        }
    }
}

//! Whether text can cross the wire: no NUL, and no CR or LF outside a CRLF. And where lines begin with a dot.
//!
//! Called by `data` and `chunks` on the way in and out. Promises: linear, many octets at once; the same for every split.
//! Fails never.

use memchr::memmem::Finder;
use std::sync::LazyLock;

/// A line that begins with a dot, behind another line.
static DOTTED: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\r\n."));

/// Whether `text` has no NUL (RFC 5321 4.1.1.4) and no CR or LF on its own (2.3.8), where `before` is the octet before it. A
/// CR at its very end may still get its LF.
pub fn is_clean(before: u8, text: &[u8]) -> bool {
    // Without an early exit the compiler looks at many octets at once.
    let odd = |odd: u8, (before, octet): (&u8, &u8)| {
        odd | u8::from((*before == b'\r') != (*octet == b'\n')) | u8::from(*octet == 0)
    };
    let Some((first, rest)) = text.split_first() else { return true };
    odd(0, (&before, first)) == 0 && text.iter().zip(rest).fold(0, odd) == 0
}

/// Whether `text` is clean behind a line end, ends with no CR, and no line of it but the first begins with a dot: one look
/// tells it of nearly all text.
pub fn is_plain(text: &[u8]) -> bool {
    let odd = |odd: u8, (before, octet): (&u8, &u8)| {
        let ends_oddly = (*before == b'\r') != (*octet == b'\n');
        odd | u8::from(ends_oddly) | u8::from(*octet == 0) | u8::from((*before == b'\n') & (*octet == b'.'))
    };
    let Some((first, rest)) = text.split_first() else { return true };
    !matches!(first, 0 | b'\n') && text.last() != Some(&b'\r') && text.iter().zip(rest).fold(0, odd) == 0
}

/// Octets of `text` up to the next line that begins with a dot; none: there is no such line. The start of `text` does not
/// count.
pub fn before_dot(text: &[u8]) -> Option<usize> {
    DOTTED.find(text).map(|at| at + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_is_what_is_clean_and_has_no_dotted_line() {
        let pieces: [&[u8]; 7] = [b"a", b"\r\n", b"\r", b"\n", b".", b"\0", b"b."];
        for n in 0..pieces.len().pow(4) {
            let text: Vec<u8> =
                (0..4).flat_map(|at| pieces[n / pieces.len().pow(at) % pieces.len()].to_vec()).collect();
            let expected = is_clean(b' ', &text) && text.last() != Some(&b'\r') && before_dot(&text).is_none();
            assert_eq!(is_plain(&text), expected, "{text:?}");
        }
        assert!(is_plain(b"") && is_plain(&b"a line.\r\n".repeat(100)));
    }

    #[test]
    fn what_is_clean_is_so_at_every_split() {
        let cases: [(&[u8], bool); 9] = [
            (b"", true),
            (b"a\r\n\r\nb\xFF", true),
            (b"a\r", true),
            (b"\n", false),
            (b"a\nb", false),
            (b"a\rb", false),
            (b"\r\r\n", false),
            (b"a\0", false),
            (b"\r\n\n", false),
        ];
        for (text, expected) in cases {
            for at in 0..=text.len() {
                let (head, tail) = text.split_at(at);
                let split = is_clean(b' ', head) && is_clean(head.last().copied().unwrap_or(b' '), tail);
                assert_eq!(split, expected, "{text:?} at {at}");
            }
        }
    }
}

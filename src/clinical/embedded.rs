//! What markup carries inside itself: files and texts in `data:` addresses (RFC 2397).
//!
//! Called by `leaf` with what `html` read, in which values of attributes are decoded. Promises: one pass; an address inside
//! another is read with it. Fails never.

use super::transfer;
use std::collections::BTreeSet;

/// Different files of one text: more than are read of a message.
pub(super) const FILES: usize = 10_000;

/// A text or a file, and what it is said to be.
#[derive(PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Embedded {
    pub kind: String,
    pub bytes: Vec<u8>,
}

/// Letters before the data: a type and its parameters.
const HEAD: usize = 256;

/// The texts and files in addresses, each once; together no longer than the text that they stand in, and than `room`.
pub(super) fn of(text: &str, room: usize) -> BTreeSet<Embedded> {
    let (mut found, mut read) = (BTreeSet::new(), 0);
    for at in memchr::memchr_iter(b':', text.as_bytes()) {
        let Some(start) = at.checked_sub(4).filter(|start| *start >= read) else { continue };
        let is_data = text.get(start..at).is_some_and(|scheme| scheme.eq_ignore_ascii_case("data"));
        let Some((head, data)) = is_data.then(|| split(text.get(at + 1..)?)).flatten() else { continue };
        let (embedded, length) = decoded(head, data, room);
        read = at + 1 + head.len() + length;
        if found.len() < FILES {
            found.insert(embedded);
        }
    }
    found
}

/// The type with its parameters, and what follows the comma.
fn split(address: &str) -> Option<(&str, &str)> {
    let comma = memchr::memchr(b',', address.as_bytes().get(..address.len().min(HEAD))?)?;
    let (head, data) = address.split_at_checked(comma)?;
    // Prose has blanks before its commas.
    (!head.trim_end().contains([' ', '\n', '"', '<'])).then_some((head, data.get(1..)?))
}

fn decoded(head: &str, data: &str, room: usize) -> (Embedded, usize) {
    let kind = head.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if head.rsplit(';').next().is_some_and(|last| last.trim().eq_ignore_ascii_case("base64")) {
        let is_letter =
            |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=' | b'%') || b.is_ascii_whitespace();
        let length = data.bytes().take_while(|byte| is_letter(*byte)).count();
        let letters = undone(data.get(..length).unwrap_or_default(), room);
        return (Embedded { kind, bytes: transfer::base64(&letters, room).bytes }, length);
    }
    // The end of the attribute, as `html` marks it.
    let end = data.find(" ;\n").or_else(|| data.strip_suffix(" ;").map(str::len)).unwrap_or(data.len());
    (Embedded { kind, bytes: undone(data.get(..end).unwrap_or_default(), room) }, end)
}

/// Percent-encoding undone (RFC 3986 2.1).
fn undone(text: &str, room: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first().filter(|_| out.len() < room) {
        let code = after.get(..2).filter(|_| *first == b'%').and_then(|hex| std::str::from_utf8(hex).ok());
        let code = code.and_then(|hex| u8::from_str_radix(hex, 16).ok());
        out.push(code.unwrap_or(*first));
        rest = if code.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    out
}

#[cfg(test)]
mod tests {
    use super::of;
    use crate::clinical::html;

    #[test]
    fn addresses_are_decoded() {
        for (markup, kind) in [
            ("<iframe src=\"data:text/html;base64,TkhTIG51bWJlciA5NDMgNDc2IDU5MTk=\">", "text/html"),
            ("<a href='DATA:;charset=x;base64,TkhTIG51bWJlci%41%35NDMg\nNDc2IDU5MTk='>x</a>", ""),
            ("<a href='d&#97;ta:text/plain,NHS%20number 943%20476 5919'>", "text/plain"),
        ] {
            let found = of(&html::text(markup), 1_000);
            let told: Vec<_> = found.iter().map(|e| (e.kind.as_str(), String::from_utf8_lossy(&e.bytes))).collect();
            assert_eq!(told.len(), 1, "{markup}");
            assert_eq!(told[0].0, kind);
            assert!(told[0].1.starts_with("NHS number"), "{markup}: {told:?}");
        }
        assert!(of("The data: we have seen, them", 1_000).is_empty());
    }
}

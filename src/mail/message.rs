//! A view of a message's header section: fields in order, as bytes, without rewriting anything.
//!
//! Called by `receive` (loops, fields stripped at the edge), `decide` (From, tags), `notice` (which fields may be shown).
//! Promises: never panics, never allocates more than the list of fields; what is not a field ends the header section.
//! Lines end in CRLF, as `smtp::data` guarantees; a bare LF is not a line end here.

use memchr::memmem;
use std::ops::Range;
use std::sync::LazyLock;

/// One field: where its name, its value and the whole of it stand in the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeaderField<'a> {
    pub name: &'a str,
    /// The value as written: folds included, without the final CRLF.
    pub value: &'a [u8],
    /// The whole field with its final CRLF.
    pub raw: &'a [u8],
}

impl HeaderField<'_> {
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// The value with folds undone and outer blanks removed; bytes that are no UTF-8 are replaced.
    #[must_use]
    pub fn text(&self) -> String {
        let unfolded: Vec<u8> = self.value.iter().copied().filter(|b| *b != b'\r' && *b != b'\n').collect();
        String::from_utf8_lossy(&unfolded).trim().to_owned()
    }
}

/// The header section of a message.
#[derive(Debug, Clone, Copy)]
pub struct Header<'a> {
    bytes: &'a [u8],
}

impl<'a> Header<'a> {
    /// The header section of `message`, ending before the empty line.
    #[must_use]
    pub fn of(message: &'a [u8]) -> Header<'a> {
        Header { bytes: &message[..header_len(message)] }
    }

    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Every field in order. Lines that are no field are passed over.
    pub fn fields(&self) -> impl Iterator<Item = HeaderField<'a>> + use<'a> {
        let mut rest = self.bytes;
        std::iter::from_fn(move || {
            while !rest.is_empty() {
                let (raw, tail) = rest.split_at(field_len(rest));
                rest = tail;
                if let Some(field) = as_field(raw) {
                    return Some(field);
                }
            }
            None
        })
    }

    /// The first field of that name.
    #[must_use]
    pub fn first(&self, name: &str) -> Option<HeaderField<'a>> {
        self.fields().find(|f| f.is(name))
    }

    #[must_use]
    pub fn count(&self, name: &str) -> usize {
        self.fields().filter(|f| f.is(name)).count()
    }
}

/// Octets of the header section, including the CRLF of its last field and not the empty line.
#[must_use]
pub fn header_len(message: &[u8]) -> usize {
    if message.starts_with(b"\r\n") {
        return 0;
    }
    static END: LazyLock<memmem::Finder<'static>> = LazyLock::new(|| memmem::Finder::new(b"\r\n\r\n"));
    END.find(message).map_or(message.len(), |at| at + 2)
}

/// Octets of the first field with its folded lines.
fn field_len(bytes: &[u8]) -> usize {
    let mut from = 0;
    while let Some(at) = memchr::memchr(b'\n', &bytes[from..]) {
        from += at + 1;
        if !bytes[..from].ends_with(b"\r\n") {
            continue;
        }
        // RFC 5322 2.2.3: a line that begins with a blank continues the field.
        if !matches!(bytes.get(from), Some(b' ' | b'\t')) {
            return from;
        }
    }
    bytes.len()
}

fn as_field(raw: &[u8]) -> Option<HeaderField<'_>> {
    let colon = memchr::memchr(b':', raw)?;
    let name = std::str::from_utf8(&raw[..colon]).ok()?.trim_end_matches([' ', '\t']);
    let printable = !name.is_empty() && name.bytes().all(|b| (33..=126).contains(&b));
    let value = raw[colon + 1..].strip_suffix(b"\r\n").unwrap_or(&raw[colon + 1..]);
    printable.then_some(HeaderField { name, value, raw })
}

/// Where the fields stand that `unwanted` names, as ranges of the message; adjoining ranges are joined.
#[must_use]
pub fn ranges_of(message: &[u8], unwanted: impl Fn(&str) -> bool) -> Vec<Range<usize>> {
    let header = Header::of(message);
    let mut ranges: Vec<Range<usize>> = Vec::new();
    let (mut at, mut rest) = (0, header.bytes);
    while !rest.is_empty() {
        let len = field_len(rest);
        if as_field(&rest[..len]).is_some_and(|f| unwanted(f.name)) {
            match ranges.last_mut() {
                Some(last) if last.end == at => last.end = at + len,
                _ => ranges.push(at..at + len),
            }
        }
        at += len;
        rest = &rest[len..];
    }
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGE: &[u8] =
        b"Received: one\r\nSubject: a\r\n folded\r\nX-MS-Exchange-Organization-SCL: -1\r\n\t(folded)\r\n\
        x-ms-exchange-organization-authas: Internal\r\nTo: b@c.example\r\n\r\nX-MS-Exchange-Organization-In: body\r\n";

    #[test]
    fn fields_keep_their_order_and_their_folds() {
        let names: Vec<&str> = Header::of(MESSAGE).fields().map(|f| f.name).collect();
        assert_eq!(
            names,
            ["Received", "Subject", "X-MS-Exchange-Organization-SCL", "x-ms-exchange-organization-authas", "To"]
        );
        assert_eq!(Header::of(MESSAGE).first("subject").map(|f| f.text()), Some("a folded".into()));
    }

    #[test]
    fn ranges_cover_folded_lines_and_stop_at_the_body() {
        let ranges = ranges_of(MESSAGE, |name| name.to_ascii_lowercase().starts_with("x-ms-exchange-organization-"));
        assert_eq!(ranges.len(), 1);
        let cut = &MESSAGE[ranges[0].clone()];
        assert!(cut.starts_with(b"X-MS-Exchange-Organization-SCL") && cut.ends_with(b"authas: Internal\r\n"));
    }

    #[test]
    fn a_message_without_header_section_has_no_fields() {
        assert_eq!(Header::of(b"\r\nSubject: no\r\n").fields().count(), 0);
        assert_eq!(Header::of(b"").fields().count(), 0);
        assert_eq!(Header::of(b"no colon here").fields().count(), 0);
    }
}

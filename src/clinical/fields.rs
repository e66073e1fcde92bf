//! A header section as hostile octets: fields and the body behind them, and what Content-* fields say, in every reading.
//!
//! Called by `walk`. Unlike `mail::message` it takes bare LF as a line end too, for other readers do. Promises: linear,
//! nothing is allocated for fields that are not asked for. Fails never: what makes no sense is absent.

use super::words;
use memchr::memchr;

/// One field, or a line in the header section that is none (then `name` is empty).
#[derive(Debug, Clone, Copy)]
pub(super) struct Field<'a> {
    pub name: &'a [u8],
    pub value: &'a [u8],
}

impl Field<'_> {
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }
}

/// The fields of an entity, one by one; then `body` is what follows them.
#[derive(Debug, Clone)]
pub(super) struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    pub fn of(entity: &'a [u8]) -> Fields<'a> {
        Fields { rest: entity }
    }

    /// What was not looked at yet.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// What follows the header section. Only after the last field.
    pub fn body(self) -> &'a [u8] {
        self.rest
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Field<'a>;

    fn next(&mut self) -> Option<Field<'a>> {
        let first = line_len(self.rest);
        if is_empty_line(&self.rest[..first]) {
            self.rest = &self.rest[first..];
            return None;
        }
        let mut len = first;
        // RFC 5322 2.2.3: a line that begins with a blank continues the field.
        while matches!(self.rest.get(len), Some(b' ' | b'\t')) {
            len += line_len(&self.rest[len..]);
        }
        let (raw, rest) = self.rest.split_at(len);
        self.rest = rest;
        Some(as_field(raw))
    }
}

fn line_len(bytes: &[u8]) -> usize {
    memchr(b'\n', bytes).map_or(bytes.len(), |at| at + 1)
}

fn is_empty_line(line: &[u8]) -> bool {
    matches!(line, b"" | b"\n" | b"\r\n")
}

fn as_field(raw: &[u8]) -> Field<'_> {
    let colon = memchr(b':', &raw[..raw.len().min(256)]);
    let name = colon.map(|at| raw[..at].trim_ascii_end());
    match (colon, name.filter(|n| !n.is_empty() && n.iter().all(u8::is_ascii_graphic))) {
        (Some(at), Some(name)) => Field { name, value: &raw[at + 1..] },
        _ => Field { name: b"", value: raw },
    }
}

/// What is said about one entity's content.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Content {
    /// `text/html`, in lower case; empty when absent.
    pub kind: String,
    pub charset: Option<String>,
    pub boundaries: Vec<Vec<u8>>,
    pub name: Option<String>,
    /// What readers show that know nothing of RFC 2231.
    pub other_names: Vec<String>,
    /// `format=flowed; delsp=yes` (RFC 3676 4).
    pub joins_lines: bool,
    /// There were more parameters than are looked at.
    pub is_cut: bool,
}

/// Parameters that are looked at of one field.
const PARAMETERS: usize = 64;

/// Reads a Content-Type or Content-Disposition value.
pub(super) fn content(value: &[u8]) -> Content {
    let mut pieces = Pieces { rest: value };
    let kind = pieces.next().unwrap_or_default();
    let kind = String::from_utf8_lossy(&kind);
    let mut words = kind.split_whitespace().peekable();
    let mut own = String::new();
    // Some forget the semicolon, and some readers take the type up to a blank.
    while let Some(word) = words.next_if(|word| own.is_empty() || !word.contains('=')) {
        own.push_str(&word.to_ascii_lowercase());
    }
    let forgotten: Vec<Vec<u8>> = words.map(|word| word.as_bytes().to_vec()).collect();
    let mut content = Content { kind: own, ..Content::default() };
    let (mut name, mut flow) = (Name::default(), [false; 2]);
    for piece in forgotten.into_iter().chain(pieces.by_ref()).take(PARAMETERS) {
        let Some(equals) = memchr(b'=', &piece) else { continue };
        let key = String::from_utf8_lossy(&piece[..equals]).trim().to_ascii_lowercase();
        let value = piece[equals + 1..].trim_ascii();
        match key.split('*').next().unwrap_or_default() {
            "charset" if content.charset.is_none() => {
                let text = String::from_utf8_lossy(value).into_owned();
                let mut pieces = text.split('\'');
                let first = pieces.next().unwrap_or_default();
                // RFC 2231 4: its own charset and language stand before it, where a star says so.
                let last = pieces.nth(1).filter(|_| key.ends_with('*')).unwrap_or(first);
                content.charset = Some(last.to_owned());
            }
            "boundary" if !value.is_empty() && !content.boundaries.iter().any(|b| b == value) => {
                content.boundaries.push(value.to_vec());
            }
            "name" | "filename" => name.add(&key, &piece[equals + 1..]),
            "format" => flow[0] = value.eq_ignore_ascii_case(b"flowed"),
            "delsp" => flow[1] = value.eq_ignore_ascii_case(b"yes"),
            _ => {}
        }
    }
    content.is_cut = pieces.next().is_some();
    content.boundaries.truncate(3);
    content.joins_lines = flow == [true; 2];
    let mut names = name.finish().into_iter();
    content.name = names.next();
    content.other_names = names.collect();
    content
}

/// A value cut at semicolons outside quotes and comments, quotes and escapes undone.
struct Pieces<'a> {
    rest: &'a [u8],
}

impl Iterator for Pieces<'_> {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        if self.rest.is_empty() {
            return None;
        }
        let (mut out, mut quoted, mut escaped, mut comment) = (Vec::new(), false, false, 0usize);
        let mut used = self.rest.len();
        for (at, byte) in self.rest.iter().enumerate() {
            match byte {
                b'\r' | b'\n' => {}
                _ if escaped => {
                    out.push(*byte);
                    escaped = false;
                }
                b'\\' if quoted => escaped = true,
                b'"' if comment == 0 => quoted = !quoted,
                b'(' if !quoted => comment += 1,
                b')' if !quoted && comment > 0 => comment -= 1,
                b';' if !quoted && comment == 0 => {
                    used = at + 1;
                    break;
                }
                _ if comment == 0 => out.push(*byte),
                _ => {}
            }
        }
        self.rest = &self.rest[used..];
        Some(out)
    }
}

/// A file name, perhaps in pieces and percent-encoded (RFC 2231 3 and 4).
#[derive(Default)]
struct Name {
    wholes: Vec<Vec<u8>>,
    pieces: Vec<Piece>,
}

struct Piece {
    number: u32,
    is_coded: bool,
    value: Vec<u8>,
}

impl Name {
    /// Names that are kept of one field.
    const MOST: usize = 4;

    fn add(&mut self, key: &str, value: &[u8]) {
        let whole = value.trim_ascii().to_vec();
        match key.split_once('*') {
            None if self.wholes.len() < Self::MOST && !self.wholes.contains(&whole) => self.wholes.push(whole),
            None => {}
            Some((_, star)) => {
                let is_coded = star.is_empty() || star.ends_with('*');
                let number = star.trim_end_matches('*').parse().unwrap_or(0);
                self.pieces.push(Piece { number, is_coded, value: value.to_vec() });
            }
        }
    }

    /// The name that a reader shows, and what others may show.
    fn finish(mut self) -> Vec<String> {
        // RFC 2231 3: pieces are joined by their numbers, in whatever order they stand.
        self.pieces.sort_by_key(|piece| piece.number);
        // A blank beside a piece may have stood in its quotes, or not.
        let joined = [self.joined(<[u8]>::as_ref), self.joined(<[u8]>::trim_ascii)];
        let mut names: Vec<String> = joined.into_iter().filter(|name| !name.is_empty()).collect();
        names.dedup();
        names.extend(self.wholes.iter().map(|whole| words::text(whole).0));
        names
    }

    fn joined(&self, shown: fn(&[u8]) -> &[u8]) -> String {
        let (mut joined, mut charset) = (Vec::new(), None);
        for piece in &self.pieces {
            let mut value = shown(&piece.value);
            if !piece.is_coded {
                joined.extend_from_slice(value);
                continue;
            }
            let mut quotes = value.iter().enumerate().filter(|(_, b)| **b == b'\'').map(|(at, _)| at);
            if let (true, Some(first), Some(second)) = (joined.is_empty(), quotes.next(), quotes.next()) {
                charset = Some(String::from_utf8_lossy(&value[..first]).trim().to_owned());
                value = &value[second + 1..];
            }
            let escaped: Vec<u8> = value.iter().map(|b| if *b == b'%' { b'=' } else { *b }).collect();
            joined.extend(super::transfer::quoted_printable(&escaped, value.len()).bytes);
        }
        super::charset::read(joined.trim_ascii(), charset.as_deref()).text.into_owned()
    }
}

/// Fields that programmes write for programmes: identifiers and signatures full of digits that no reader sees.
pub(super) fn is_trace(name: &[u8]) -> bool {
    const NAMES: &[&str] = &[
        "received",
        "return-path",
        "delivered-to",
        "message-id",
        "references",
        "in-reply-to",
        "date",
        "mime-version",
        "dkim-signature",
        "authentication-results",
        "received-spf",
        "domainkey-signature",
        "x-received",
        "thread-index",
        "autocrypt",
        "resent-date",
        "resent-message-id",
        "x-originating-ip",
        "x-mailer",
        "user-agent",
    ];
    const FAMILIES: &[&str] = &["arc-", "x-ms-", "x-microsoft-", "x-forefront-", "x-google-", "x-gm-", "list-"];
    let begins = |family: &&str| name.get(..family.len()).is_some_and(|n| n.eq_ignore_ascii_case(family.as_bytes()));
    let is_shown = name.eq_ignore_ascii_case(b"list-id");
    NAMES.iter().any(|n| name.eq_ignore_ascii_case(n.as_bytes())) || (!is_shown && FAMILIES.iter().any(begins))
}

/// What a reader sees of a field: of a list its name (RFC 2919 3), not its identifier.
pub(super) fn shown<'a>(field: &Field<'a>) -> &'a [u8] {
    let end = memchr(b'<', field.value).filter(|_| field.is("list-id"));
    field.value.get(..end.unwrap_or(field.value.len())).unwrap_or_default()
}

/// The value with its quoted pairs undone (RFC 5322 3.2.1), where quotes or comments hold any.
pub(super) fn unquoted(value: &[u8]) -> Option<Vec<u8>> {
    memchr(b'\\', value)?;
    let (mut out, mut quoted, mut comments, mut escaped) = (Vec::with_capacity(value.len()), false, 0usize, false);
    for byte in value {
        let is_inside = quoted || comments > 0;
        match byte {
            _ if escaped => escaped = false,
            b'\\' if is_inside => {
                escaped = true;
                continue;
            }
            b'"' => quoted = !quoted,
            b'(' if !quoted => comments += 1,
            b')' if !quoted => comments = comments.saturating_sub(1),
            _ => {}
        }
        out.push(*byte);
    }
    (out.len() < value.len()).then_some(out)
}

/// The addresses without comments (RFC 5322 3.2.2), as programmes show them; nothing where there are none.
pub(super) fn uncommented(field: &Field<'_>) -> Option<Vec<u8>> {
    const ADDRESSES: [&str; 6] = ["from", "sender", "reply-to", "to", "cc", "resent-from"];
    memchr(b'(', field.value).filter(|_| ADDRESSES.iter().any(|name| field.is(name)))?;
    let (mut out, mut quoted, mut comments, mut escaped) =
        (Vec::with_capacity(field.value.len()), false, 0usize, false);
    for byte in field.value {
        match byte {
            _ if std::mem::take(&mut escaped) => {}
            b'\\' => escaped = true,
            b'"' if comments == 0 => quoted = !quoted,
            b'(' if !quoted => comments += 1,
            b')' if !quoted && comments > 0 => {
                comments -= 1;
                continue;
            }
            _ => {}
        }
        if comments == 0 {
            out.push(*byte);
        }
    }
    Some(out)
}

/// Whether a field is worth decoding: it marks, is encoded, or has as many digits as an identifier.
pub(super) fn may_tell(field: &Field<'_>) -> bool {
    let digits = field.value.iter().filter(|b| b.is_ascii_digit()).count();
    let marks = ["sensitivity", "x-protective-marking", "sio-label"].iter().any(|name| field.is(name));
    marks || digits >= 10 || !field.value.is_ascii() || memchr::memmem::find(field.value, b"=?").is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_end_at_the_empty_line_whatever_the_line_ends() {
        let mut fields = Fields::of(b"A: 1\n folded\r\nnot a field\nB : 2\n\nbody");
        let names: Vec<&[u8]> = fields.by_ref().map(|f| f.name).collect();
        assert_eq!(names, [b"A".as_slice(), b"", b"B"]);
        assert_eq!(fields.body(), b"body");
    }

    #[test]
    fn parameters_are_read_in_all_their_dress() {
        let content = content(
            b" Text/HTML (a;b); charset=\"utf-8\"; boundary=a; Boundary=\"b;\\\"c\"; name*0*=utf-8''%C2%A3; name*1=x.csv\r\n",
        );
        assert_eq!(content.kind, "text/html");
        assert_eq!(content.charset.as_deref(), Some("utf-8"));
        assert_eq!(content.boundaries, [b"a".to_vec(), b"b;\"c".to_vec()]);
        assert_eq!(content.name.as_deref(), Some("£x.csv"));
    }

    #[test]
    fn names_in_pieces_are_joined_by_their_numbers_and_every_name_is_kept() {
        let names = |value: &[u8]| {
            let content = content(value);
            content.name.into_iter().chain(content.other_names).collect::<Vec<_>>()
        };
        assert_eq!(names(b"x; filename*1=\" 476\"; filename*0=\"943\""), ["943 476", "943476"]);
        assert_eq!(names(b"x; filename=943; filename*=utf-8''letter"), ["letter", "943"]);
        assert_eq!(names(b"x; name=a; name=b; name=a"), ["a", "b"]);
    }

    #[test]
    fn only_both_parameters_join_lines() {
        assert!(content(b"text/plain; Format=Flowed; DelSp=Yes").joins_lines);
        assert!(!content(b"text/plain; format=flowed; delsp=no").joins_lines);
        assert!(!content(b"text/plain; delsp=yes").joins_lines);
    }

    #[test]
    fn quoted_pairs_are_undone_and_a_list_shows_its_name() {
        assert_eq!(unquoted(b"\"9\\4\\3\" (\\4\\\\) <a\\b>").unwrap(), b"\"943\" (4\\) <a\\b>");
        assert_eq!(unquoted(b"a\\b"), None);
        let sender = Field { name: b"Sender", value: b"9(a(\\))b)43 \"(4)\" <a@b>" };
        assert_eq!(uncommented(&sender).unwrap(), b"943 \"(4)\" <a@b>");
        assert_eq!(uncommented(&Field { name: b"Subject", ..sender }), None);
        assert!(!is_trace(b"List-Id") && is_trace(b"List-Unsubscribe"));
        assert_eq!(shown(&Field { name: b"List-ID", value: b" Ward <943.x>" }), b" Ward ");
        assert_eq!(shown(&Field { name: b"To", value: b" Ward <943.x>" }), b" Ward <943.x>");
    }
}

//! How far strings and comments reach that begin in objects: whoever looks for objects, as the library does where their table
//! is broken, goes through each of them again.
//!
//! Called by `guard`. Promises: linear, and few octets are kept. Streams that stand where they may are passed over. Fails never:
//! what looks like no PDF is counted as it stands.

use memchr::memmem;

/// Strings that are open at one place.
const OPEN: usize = 100_000;
/// So often may the whole file be gone through …
const TIMES: usize = 8;
/// … and, of small ones, so many octets.
const FREE: usize = 4_000_000;

/// Whether looking for objects takes much longer than the file is long.
pub(super) fn is_too_far(bytes: &[u8]) -> bool {
    let mut walk = Walk { bytes, at: 0, piece: 0, depth: 0, open: Vec::new(), reached: 0, line_end: 0, no_end: false };
    let most = bytes.len().saturating_mul(TIMES).saturating_add(FREE);
    while walk.step() {
        if walk.open.len() > OPEN || walk.reached > most {
            return true;
        }
    }
    let left = walk.open.iter().fold(0usize, |sum, open| sum.saturating_add(bytes.len().saturating_sub(open.at)));
    walk.reached.saturating_add(left) > most
}

/// A bracket that begins a string for whoever begins to read at some object.
struct Open {
    piece: usize,
    at: usize,
}

struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Which object, or dictionary, it is.
    piece: usize,
    /// Brackets of dictionaries and arrays.
    depth: usize,
    open: Vec<Open>,
    reached: usize,
    /// The next end of a line that is known.
    line_end: usize,
    /// No stream ends behind here.
    no_end: bool,
}

impl Walk<'_> {
    fn step(&mut self) -> bool {
        let Some(byte) = self.bytes.get(self.at).copied() else { return false };
        let in_string = self.open.last().is_some_and(|open| open.piece == self.piece);
        let is_object = byte == b'o' && self.is_object();
        match byte {
            b'o' if is_object => (self.piece, self.depth) = (self.piece + 1, 0),
            b'\\' if in_string => self.at += 1,
            b'(' => self.open.push(Open { piece: self.piece, at: self.at }),
            b')' => {
                let open = self.open.pop().map_or(self.at, |open| open.at);
                self.reached = self.reached.saturating_add(self.at - open);
            }
            b'%' if !in_string => self.comment(),
            b'<' | b'[' | b'>' | b']' if !in_string => self.bracket(byte),
            b's' if !in_string && self.depth == 0 => self.stream(),
            _ => {}
        }
        self.at += 1;
        true
    }

    fn rest(&self) -> &[u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// `1 0 obj`.
    fn is_object(&self) -> bool {
        let before = self.at.checked_sub(1).and_then(|at| self.bytes.get(at));
        self.rest().starts_with(b"obj")
            && before.is_some_and(|b| b.is_ascii_digit() || b.is_ascii_whitespace() || *b == 0)
    }

    fn comment(&mut self) {
        if self.line_end < self.at {
            let end = memchr::memchr2(b'\r', b'\n', self.rest());
            self.line_end = end.map_or(self.bytes.len(), |end| self.at + end);
        }
        self.reached = self.reached.saturating_add(self.line_end - self.at);
    }

    fn bracket(&mut self, byte: u8) {
        let is_double = self.bytes.get(self.at + 1) == Some(&byte);
        match byte {
            b'[' => self.depth += 1,
            b']' => self.depth = self.depth.saturating_sub(1),
            b'<' if is_double => (self.piece, self.depth, self.at) = (self.piece + 1, self.depth + 1, self.at + 1),
            b'>' if is_double => (self.depth, self.at) = (self.depth.saturating_sub(1), self.at + 1),
            _ => {}
        }
    }

    /// 7.3.8.1: what is in a stream behind a whole dictionary is nothing to whoever reads objects.
    fn stream(&mut self) {
        let is_stream = self.rest().starts_with(b"stream\n") || self.rest().starts_with(b"stream\r");
        let before = self.bytes.get(self.at.saturating_sub(8)..self.at).unwrap_or_default().trim_ascii_end();
        if is_stream && before.ends_with(b">>") && !self.no_end {
            match memmem::find(self.rest(), b"endstream") {
                Some(len) => self.at += len + 8,
                None => self.no_end = true,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_whose_strings_never_end_are_too_many() {
        for piece in ["1 0 obj (\n", "1 0 obj [/a\\(\n", "<< (\n", "1 0 obj %", "1 0 obj [<<>>stream\n( endstream\n"] {
            assert!(is_too_far(&piece.repeat(20_000).into_bytes()), "{piece}");
        }
        let nested = [b"1 0 obj (\n".repeat(20_000), b")".repeat(20_000)].concat();
        assert!(is_too_far(&nested), "and those that end far behind");
    }

    #[test]
    fn usual_objects_reach_no_further_than_they_are_long() {
        let object = "1 0 obj\n<</T(a \\( b (c) 100% [ << obj )/L 9>>\nstream\n((( %  ((\nendstream\nendobj\n";
        assert!(!is_too_far(&object.repeat(100_000).into_bytes()));
    }
}

//! The content of BDAT (RFC 3030): a count ends it and nothing in it, so its line endings are all that is looked at.
//!
//! Called by `smtp::server`. Promises: what comes out holds no CR or LF outside a CRLF and no NUL, ends in CRLF unless it
//! is empty, and is the same for every split of the input. Fails by `End`, once all octets that were announced have come.

use super::{End, is_clean};
use memchr::memchr3;

/// What becomes of a CR or LF on its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BareLineEndings {
    /// The message is refused.
    Refused,
    /// Each becomes a CRLF, and is counted.
    Normalised,
}

/// Receives one message chunk by chunk.
#[derive(Debug)]
pub struct Chunks {
    bare_line_endings: BareLineEndings,
    limit: u64,
    octets: u64,
    normalised: u64,
    place: Place,
    bare: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    LineStart,
    Inside,
    /// After a CR, which may be half of a CRLF: it waits.
    Cr,
}

impl Chunks {
    /// `limit` is the largest message in octets, as it is kept.
    #[must_use]
    pub fn new(limit: u64, bare_line_endings: BareLineEndings) -> Chunks {
        Chunks { bare_line_endings, limit, octets: 0, normalised: 0, place: Place::LineStart, bare: false }
    }

    /// Appends the clean text of `input` to `out`, never more than the limit in all. What was appended before a fault was
    /// found is worthless.
    pub fn feed(&mut self, input: &[u8], out: &mut Vec<u8>) {
        let mut rest = self.resume(input, out);
        if is_clean(b' ', rest) {
            return self.keep_clean(rest, out);
        }
        while let Some(at) = memchr3(b'\r', b'\n', 0, rest) {
            match (rest[at], rest.get(at + 1)) {
                (b'\r', Some(b'\n')) => {
                    self.keep(&rest[..at + 2], Place::LineStart, out);
                    rest = &rest[at + 2..];
                    continue;
                }
                (b'\r', None) => {
                    self.keep(&rest[..at], Place::Cr, out);
                    return;
                }
                // Without BINARYMIME no message has one (RFC 5321 2.4, RFC 6152 2).
                (0, _) => self.bare = true,
                _ => {
                    self.keep(&rest[..at], Place::Inside, out);
                    self.end_line(out);
                }
            }
            rest = &rest[at + 1..];
        }
        if !rest.is_empty() {
            self.keep(rest, Place::Inside, out);
        }
    }

    /// Nearly all that comes is clean: nothing stands in it but whole line ends, and perhaps half of one at its end.
    fn keep_clean(&mut self, text: &[u8], out: &mut Vec<u8>) {
        let (run, place) = match text {
            [] => return,
            [run @ .., b'\r'] => (run, Place::Cr),
            [.., b'\n'] => (text, Place::LineStart),
            _ => (text, Place::Inside),
        };
        self.keep(run, place, out);
    }

    /// Settles the CR that waited, if there is something behind it now.
    fn resume<'a>(&mut self, input: &'a [u8], out: &mut Vec<u8>) -> &'a [u8] {
        match (self.place, input.split_first()) {
            (Place::Cr, Some((b'\n', rest))) => {
                self.keep(b"\r\n", Place::LineStart, out);
                rest
            }
            (Place::Cr, Some(_)) => {
                self.end_line(out);
                input
            }
            _ => input,
        }
    }

    /// A CR or LF stood on its own.
    fn end_line(&mut self, out: &mut Vec<u8>) {
        match self.bare_line_endings {
            BareLineEndings::Refused => self.bare = true,
            BareLineEndings::Normalised => self.normalised += 1,
        }
        self.keep(b"\r\n", Place::LineStart, out);
    }

    fn keep(&mut self, run: &[u8], place: Place, out: &mut Vec<u8>) {
        self.place = place;
        self.octets = self.octets.saturating_add(run.len() as u64);
        if self.fault().is_none() {
            out.extend_from_slice(run);
        }
    }

    /// Octets of the message so far, as it is kept.
    #[must_use]
    pub fn octets(&self) -> u64 {
        self.octets
    }

    /// Line endings that were made a CRLF.
    #[must_use]
    pub fn normalised(&self) -> u64 {
        self.normalised
    }

    /// Why nothing of the message may be kept, as far as it has come.
    #[must_use]
    pub fn fault(&self) -> Option<End> {
        if self.bare { Some(End::BareLineEnding) } else { (self.octets > self.limit).then_some(End::TooLarge) }
    }

    /// The message is complete; a last line without its end gets one.
    pub fn finish(&mut self, out: &mut Vec<u8>) -> End {
        match self.place {
            Place::LineStart => {}
            Place::Inside => self.keep(b"\r\n", Place::LineStart, out),
            Place::Cr => self.end_line(out),
        }
        self.fault().unwrap_or(End::Complete)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is kept of `parts`, how it ended, and what was normalised.
    fn receive(parts: &[&[u8]], limit: u64, bare: BareLineEndings) -> (End, Vec<u8>, u64) {
        let (mut chunks, mut out) = (Chunks::new(limit, bare), Vec::new());
        parts.iter().for_each(|part| chunks.feed(part, &mut out));
        let end = chunks.finish(&mut out);
        assert!(out.len() as u64 <= limit);
        (end, if end == End::Complete { out } else { Vec::new() }, chunks.normalised())
    }

    /// The same at every split in three.
    fn everywhere(text: &str, bare: BareLineEndings) -> (End, String, u64) {
        let bytes = text.as_bytes();
        let whole = receive(&[bytes], 1_000, bare);
        for a in 0..=bytes.len() {
            for b in a..=bytes.len() {
                assert_eq!(receive(&[&bytes[..a], &bytes[a..b], &bytes[b..]], 1_000, bare), whole, "{text:?} {a} {b}");
            }
        }
        (whole.0, String::from_utf8_lossy(&whole.1).into_owned(), whole.2)
    }

    #[test]
    fn clean_text_passes_as_it_is_and_dots_mean_nothing() {
        for text in
            ["", "a\r\n", ".\r\n", "a\r\n.\r\n", "a\r\n.\r\nMAIL FROM:<evil@e.example>\r\n", "..\r\n", "\r\n\r\n"]
        {
            for bare in [BareLineEndings::Refused, BareLineEndings::Normalised] {
                assert_eq!(everywhere(text, bare), (End::Complete, text.to_owned(), 0), "{text:?}");
            }
        }
    }

    #[test]
    fn a_last_line_without_its_end_gets_one() {
        assert_eq!(everywhere("a\r\nb", BareLineEndings::Refused), (End::Complete, "a\r\nb\r\n".to_owned(), 0));
    }

    #[test]
    fn a_bare_line_ending_is_refused_or_becomes_a_crlf_and_is_counted() {
        for (text, kept, count) in [
            ("a\nb\r\n", "a\r\nb\r\n", 1),
            ("a\rb\r\n", "a\r\nb\r\n", 1),
            ("a\n.\nb", "a\r\n.\r\nb\r\n", 2),
            ("a\n.\r\nb\r\n", "a\r\n.\r\nb\r\n", 1),
            ("a\r\n.\rb\r\n", "a\r\n.\r\nb\r\n", 1),
            ("a\r.\rb\r", "a\r\n.\r\nb\r\n", 3),
            ("\r\r\n", "\r\n\r\n", 1),
            ("\n\r", "\r\n\r\n", 2),
        ] {
            assert_eq!(everywhere(text, BareLineEndings::Refused).0, End::BareLineEnding, "{text:?}");
            assert_eq!(
                everywhere(text, BareLineEndings::Normalised),
                (End::Complete, kept.to_owned(), count),
                "{text:?}"
            );
        }
    }

    #[test]
    fn a_nul_is_refused_from_everybody() {
        for bare in [BareLineEndings::Refused, BareLineEndings::Normalised] {
            for text in ["\0", "a\0b\r\n", "a\r\0\n", "a\r\n\0"] {
                assert_eq!(everywhere(text, bare).0, End::BareLineEnding, "{text:?}");
            }
        }
    }

    #[test]
    fn the_limit_counts_what_is_kept() {
        let of = |text: &[u8], limit| receive(&[text], limit, BareLineEndings::Normalised).0;
        assert_eq!(of(b"ab\r\n", 4), End::Complete);
        assert_eq!(of(b"ab\r\n", 3), End::TooLarge);
        assert_eq!(of(b"ab\n", 4), End::Complete);
        assert_eq!(of(b"ab\n", 3), End::TooLarge, "the CR that was added counts");
        assert_eq!(of(b"ab", 3), End::TooLarge, "and so does the end of the last line");
    }
}

//! The message between DATA and its end: `Decoder` undoes dot-stuffing on the way in, `Encoder` does it on the way out.
//! `chunks` is the same for BDAT.
//!
//! Called by `smtp::server`, and by `deliver` when the client session says `SendBody`. Promises: only `<CRLF>.<CRLF>`
//! ends a message; what comes out of the decoder, and what the encoder sends, has no CR or LF outside a CRLF and no NUL;
//! the result is the same for every split of the input. Fails by `End`, after everything up to the true end is consumed,
//! and by `Unsendable`.

pub mod chunks;
mod lines;

pub(super) use lines::is_clean;

use memchr::{memchr3, memrchr};
use std::fmt;

/// How a message ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// All of it was written out, and it is clean.
    Complete,
    /// It held a CR or LF on its own, or a NUL (RFC 5321 2.3.8, 4.1.1.4): nothing of it may be kept.
    BareLineEnding,
    /// It is larger than the limit: nothing of it may be kept.
    TooLarge,
}

/// What one call of `Decoder::feed` did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    pub consumed: usize,
    pub end: Option<End>,
}

/// Where in a line the last octet stood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    LineStart,
    Inside,
    /// After a CR that belongs to the text.
    Cr,
    /// After a dot at the start of a line: stuffing, or the end.
    Dot,
    /// After that dot and a CR.
    DotCr,
}

/// What becomes of one octet.
enum Octet {
    Keep,
    Drop,
    End,
}

/// Receives one message.
#[derive(Debug)]
pub struct Decoder {
    place: Place,
    limit: u64,
    octets: u64,
    bare: bool,
}

impl Decoder {
    /// `limit` is the largest message in octets as RFC 1870 3 counts them: CRLFs count, stuffing does not.
    #[must_use]
    pub fn new(limit: u64) -> Decoder {
        Decoder { place: Place::LineStart, limit, octets: 0, bare: false }
    }

    /// Takes in as much of `input` as belongs to the message and appends its clean text to `out`, never more than the
    /// limit in all. What was appended before a fault was found is worthless.
    pub fn feed(&mut self, input: &[u8], out: &mut Vec<u8>) -> Progress {
        let (mut at, mut run, mut is_clean) = (0, 0, !self.bare);
        let plain = if is_clean { plain_lines(input) } else { None };
        while at < input.len() {
            if is_clean && self.place == Place::LineStart {
                // What is not clean is looked at octet by octet: a second try for each of its lines would take for ever.
                let lines = plain.map(|end| end.saturating_sub(at)).or_else(|| clean_lines(&input[at..]));
                is_clean = lines.is_some();
                at += lines.unwrap_or(0);
                if at == input.len() {
                    break;
                }
            }
            if self.place == Place::Inside {
                at += self.pass_over_text(&input[at..]);
                continue;
            }
            match self.take(input[at]) {
                Octet::Keep => at += 1,
                Octet::Drop => {
                    self.keep(&input[run..at], out);
                    at += 1;
                    run = at;
                }
                Octet::End => return Progress { consumed: at + 1, end: Some(self.end()) },
            }
        }
        self.keep(&input[run..], out);
        Progress { consumed: input.len(), end: None }
    }

    /// Octets of the message so far.
    #[must_use]
    pub fn octets(&self) -> u64 {
        self.octets
    }

    /// Inside a line nothing matters but CR, LF and NUL.
    fn pass_over_text(&mut self, text: &[u8]) -> usize {
        match memchr3(b'\r', b'\n', 0, text) {
            None => text.len(),
            Some(at) => {
                if text[at] == b'\r' {
                    self.place = Place::Cr;
                } else {
                    self.bare = true;
                }
                at + 1
            }
        }
    }

    fn take(&mut self, octet: u8) -> Octet {
        match (self.place, octet) {
            (Place::LineStart, b'.') => self.go(Place::Dot, Octet::Drop),
            (Place::Dot, b'\r') => self.go(Place::DotCr, Octet::Drop),
            // The line before it ended in CRLF, and so does this one: the only end there is.
            (Place::DotCr, b'\n') => Octet::End,
            (Place::Cr, b'\n') => self.go(Place::LineStart, Octet::Keep),
            (Place::Cr | Place::DotCr, _) => {
                self.bare = true;
                self.begin_text(octet)
            }
            _ => self.begin_text(octet),
        }
    }

    /// An octet of text that neither ends a line nor is a dot at its start.
    fn begin_text(&mut self, octet: u8) -> Octet {
        self.bare |= octet == b'\n' || octet == 0;
        let place = if octet == b'\r' { Place::Cr } else { Place::Inside };
        self.go(place, Octet::Keep)
    }

    fn go(&mut self, place: Place, octet: Octet) -> Octet {
        self.place = place;
        octet
    }

    fn keep(&mut self, run: &[u8], out: &mut Vec<u8>) {
        self.octets = self.octets.saturating_add(run.len() as u64);
        if !self.bare && self.octets <= self.limit {
            out.extend_from_slice(run);
        }
    }

    fn end(&self) -> End {
        if self.bare {
            End::BareLineEnding
        } else if self.octets > self.limit {
            End::TooLarge
        } else {
            End::Complete
        }
    }
}

/// Octets of whole lines of `input` where none of it needs a second look: nearly all that comes, and told once for all of it.
fn plain_lines(input: &[u8]) -> Option<usize> {
    let is_plain = input.first() != Some(&b'.') && lines::is_plain(input);
    is_plain.then(|| memrchr(b'\n', input).map_or(0, |at| at + 1))
}

/// Octets of whole lines at the start of `text` that are taken as they are: none of them begins with a dot. None: not all of
/// them are clean.
fn clean_lines(text: &[u8]) -> Option<usize> {
    if text.first() == Some(&b'.') {
        return Some(0);
    }
    let end = lines::before_dot(text).or_else(|| memrchr(b'\n', text).map(|at| at + 1)).unwrap_or(0);
    lines::is_clean(b'\n', &text[..end]).then_some(end)
}

/// The message has a CR or LF on its own, or a NUL. It must not be sent: the next server might end it elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unsendable;

impl fmt::Display for Unsendable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the message has a bare CR, a bare LF or a NUL and cannot be sent")
    }
}

impl std::error::Error for Unsendable {}

/// Sends one message. After an error the connection has to be closed without `finish`, so that the peer keeps nothing.
#[derive(Debug)]
pub struct Encoder {
    /// `Dot` and `DotCr` do not occur here.
    place: Place,
}

impl Default for Encoder {
    fn default() -> Encoder {
        Encoder::new()
    }
}

impl Encoder {
    #[must_use]
    pub fn new() -> Encoder {
        Encoder { place: Place::LineStart }
    }

    /// Appends `chunk` as it goes over the wire. A CR at its very end waits for the next chunk.
    ///
    /// # Errors
    /// When the text so far is not sendable; nothing of `chunk` is appended then.
    pub fn encode(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> Result<(), Unsendable> {
        let before = out.len();
        let result = self.append(chunk, out);
        if result.is_err() {
            out.truncate(before);
        }
        result
    }

    fn append(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> Result<(), Unsendable> {
        let held = self.place == Place::Cr;
        if !is_clean(if held { b'\r' } else { b' ' }, chunk) {
            return Err(Unsendable);
        }
        let Some(last) = chunk.last() else { return Ok(()) };
        let mut rest = chunk.strip_suffix(b"\r").unwrap_or(chunk);
        if held {
            out.extend_from_slice(b"\r\n");
            rest = rest.get(1..).unwrap_or_default();
        }
        let mut at_line_start = held || self.place == Place::LineStart;
        while !rest.is_empty() {
            if at_line_start && rest.first() == Some(&b'.') {
                out.push(b'.'); // RFC 5321 4.5.2
            }
            let (lines, dotted) = rest.split_at(lines::before_dot(rest).unwrap_or(rest.len()));
            out.extend_from_slice(lines);
            (rest, at_line_start) = (dotted, true);
        }
        self.place = match last {
            b'\r' => Place::Cr,
            b'\n' => Place::LineStart,
            _ => Place::Inside,
        };
        Ok(())
    }

    /// Appends the end of data, and the CRLF before it if the message has none.
    ///
    /// # Errors
    /// When the message ended in a bare CR.
    pub fn finish(self, out: &mut Vec<u8>) -> Result<(), Unsendable> {
        match self.place {
            Place::LineStart => out.extend_from_slice(b".\r\n"),
            Place::Cr => return Err(Unsendable),
            _ => out.extend_from_slice(b"\r\n.\r\n"),
        }
        Ok(())
    }
}

/// A whole message with its end, for what is in memory anyway.
///
/// # Errors
/// When it is not sendable; `out` is as it was then.
pub fn encode(message: &[u8], out: &mut Vec<u8>) -> Result<(), Unsendable> {
    let before = out.len();
    let mut encoder = Encoder::new();
    let result = encoder.encode(message, out).and_then(|()| encoder.finish(out));
    if result.is_err() {
        out.truncate(before);
    }
    result
}

#[cfg(test)]
mod tests;

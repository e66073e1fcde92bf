//! Command lines out of a stream: only CRLF ends one, none is longer than the limit, and none hides a second.
//!
//! Called by `server` only. Promises: memory is bounded by the limit; a line with a bare LF is refused piece by piece up
//! to its CRLF, so that nothing inside it is ever obeyed and a client that knows only LF still hears why.

use super::replies;
use crate::smtp::reply::Reply;
use memchr::{memchr, memchr2};

/// A line beyond this is no mistake.
const HOPELESS: usize = 64 * 1024;

/// What the input begins with.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    Need,
    Command(&'a str),
    Bad(Reply),
    /// So much without a line end that the client has to go.
    Hopeless,
}

#[derive(Debug, Default)]
pub(super) struct Reader {
    /// The last piece ended in a bare LF: what follows, up to a CRLF, belongs to the same refused line.
    tainted: bool,
    /// Octets of a line over the limit that were thrown away.
    skipped: usize,
}

impl Reader {
    /// The next line and how many octets it takes.
    pub(super) fn next<'a>(&mut self, input: &'a [u8], limit: usize) -> (Line<'a>, usize) {
        let Some(at) = memchr(b'\n', input) else {
            return self.without_end(input, limit);
        };
        let octets = at + 1;
        let length = self.skipped + octets;
        let text = input[..at].strip_suffix(b"\r");
        let tainted = std::mem::replace(&mut self.tainted, text.is_none());
        self.skipped = 0;
        let line = match text {
            _ if length > HOPELESS => Line::Hopeless,
            _ if length > limit => Line::Bad(replies::LONG_LINE),
            Some(text) if !tainted && memchr2(b'\r', 0, text).is_none() => as_text(text),
            _ => Line::Bad(replies::BARE_IN_COMMAND),
        };
        (line, octets)
    }

    fn without_end<'a>(&mut self, input: &[u8], limit: usize) -> (Line<'a>, usize) {
        if self.skipped == 0 && input.len() < limit {
            return (Line::Need, 0);
        }
        // A CR at the end may be half of the CRLF.
        let dropped = input.strip_suffix(b"\r").unwrap_or(input).len();
        self.skipped += dropped;
        let line = if self.skipped > HOPELESS { Line::Hopeless } else { Line::Need };
        (line, dropped)
    }
}

fn as_text(text: &[u8]) -> Line<'_> {
    std::str::from_utf8(text).map_or(Line::Bad(replies::NOT_UTF8), Line::Command)
}

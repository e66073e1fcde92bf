//! Messages in files: saved mail, web archives and mailboxes, as programmes for mail and browsers open them (RFC 2557, RFC 4155).
//!
//! Called by `leaf` beside the reading as text. Promises: what begins as an entity of mail, or is named as one, is read as one;
//! each message is counted. Fails never.

use super::fields::{self, Fields};
use super::formats::{self, Format};
use super::leaf::{self, Octets};
use super::walk::Walk;

/// Messages of one file that are read once more, to its end.
const AGAIN: usize = 4;
const NAMES: &[&str] = &[".eml", ".emlx", ".mht", ".mhtml", ".mbox", ".mbx", ".nws"];

/// Reads the messages in a file that is no message by its looks.
pub(super) fn also_read(walk: &mut Walk<'_>, bytes: &[u8], format: Format, about: &Octets<'_>) {
    let kind = about.content.kind.as_str();
    if format != Format::Text || leaf::is_body(about.place) || is_message(kind) {
        return;
    }
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes).trim_ascii_start();
    let is_named = about.is_named(NAMES) || matches!(kind, "application/mbox" | "application/x-mimearchive");
    let mut again = 0;
    for Piece { message, rest } in pieces(bytes).filter(|piece| is_named || formats::is_entity(piece.message)) {
        if !walk.count_part(about.place) {
            return;
        }
        walk.nested(message, about.place, about.spot);
        // A line in it that divides messages for some readers divides none for others.
        if message.len() < rest.len() && lacks_its_end(message) {
            again += 1;
            match again {
                ..=AGAIN => walk.nested(rest, about.place, about.spot),
                _ => walk.report.limit(about.place, "readings"),
            }
        }
    }
}

/// Whether the last delimiter of a multipart is not in it.
fn lacks_its_end(message: &[u8]) -> bool {
    let types = Fields::of(message).filter(|field| field.is("content-type")).take(3);
    let boundaries = types.flat_map(|field| fields::content(field.value).boundaries);
    let is_absent =
        |boundary: Vec<u8>| memchr::memmem::find(message, &[b"--", &boundary[..], b"--"].concat()).is_none();
    boundaries.into_iter().any(is_absent)
}

/// Whether a type is that of a message, which is read as one whatever it looks like.
pub(super) fn is_message(kind: &str) -> bool {
    kind.starts_with("message/rfc822") || matches!(kind, "message/global" | "message/news" | "text/rfc822-headers")
}

/// A message in a file, and the file from there.
struct Piece<'a> {
    message: &'a [u8],
    rest: &'a [u8],
}

/// The messages between lines that begin with `From `, or the only one, which may stand behind a line with its length.
fn pieces(bytes: &[u8]) -> impl Iterator<Item = Piece<'_>> {
    let is_mailbox = bytes.starts_with(b"From ");
    let mut rest = Some(bytes);
    std::iter::from_fn(move || {
        let start = after_first_line(rest?).filter(|_| is_mailbox).unwrap_or_else(|| after_length(bytes));
        let divider = is_mailbox.then(|| next_divider(start)).flatten();
        rest = divider.and_then(|at| start.get(at..));
        Some(Piece { message: divider.and_then(|at| start.get(..at)).unwrap_or(start), rest: start })
    })
}

/// Where the next message begins: a line that begins with `From ` and has fields behind it.
fn next_divider(bytes: &[u8]) -> Option<usize> {
    let dividers = memchr::memmem::find_iter(bytes, b"\nFrom ").map(|at| at + 1);
    dividers.into_iter().find(|at| {
        let behind = bytes.get(*at..).and_then(after_first_line).unwrap_or_default();
        Fields::of(behind).next().is_some_and(|field| !field.name.is_empty())
    })
}

fn after_first_line(bytes: &[u8]) -> Option<&[u8]> {
    memchr::memchr(b'\n', bytes).and_then(|at| bytes.get(at + 1..))
}

/// Apple's Mail writes the octets of a message before it.
fn after_length(bytes: &[u8]) -> &[u8] {
    let digits = bytes.iter().take(20).take_while(|byte| byte.is_ascii_digit()).count();
    let is_line = digits > 0 && bytes.get(digits..).is_some_and(|rest| rest.trim_ascii_start().len() < rest.len());
    after_first_line(bytes).filter(|_| is_line).unwrap_or(bytes)
}

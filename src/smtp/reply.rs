//! A reply: code, enhanced code and lines of text; printed for a client, parsed from a peer.
//!
//! Called by both sessions and by the stages, which make the replies of policy. Promises: what is printed is one
//! well-formed reply whatever the text holds; what is parsed is bounded and its text begins no line of its own.
//! Fails by `Parsed::Garbage`, which says what is wrong with the peer's bytes.

use crate::mail::text::is_disturbing;
use crate::mail::{Enhanced, Status};
use std::borrow::Cow;

/// What a server says to one command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    pub code: u16,
    pub enhanced: Option<Enhanced>,
    /// One or more lines, divided by LF.
    pub text: Cow<'static, str>,
}

/// RFC 5321 4.5.3.1.5 allows 512 octets with code and CRLF; this leaves room for `250-` and `5.123.123 `.
const MAX_TEXT: usize = 490;

impl Reply {
    /// A reply whose text is known beforehand.
    #[must_use]
    pub const fn fixed(code: u16, enhanced: Enhanced, text: &'static str) -> Reply {
        Reply { code, enhanced: Some(enhanced), text: Cow::Borrowed(text) }
    }

    #[must_use]
    pub fn new(code: u16, enhanced: Enhanced, text: impl Into<Cow<'static, str>>) -> Reply {
        Reply { code, enhanced: Some(enhanced), text: text.into() }
    }

    /// A reply that carries no enhanced code: greeting, EHLO, 354 (RFC 2034 3).
    #[must_use]
    pub fn plain(code: u16, text: impl Into<Cow<'static, str>>) -> Reply {
        Reply { code, enhanced: None, text: text.into() }
    }

    pub fn lines(&self) -> impl Iterator<Item = &str> {
        self.text.split('\n')
    }

    /// Appends the reply as it goes over the wire.
    pub fn write(&self, out: &mut Vec<u8>) {
        let mut pieces = self.lines().flat_map(Pieces::of).peekable();
        while let Some(piece) = pieces.next() {
            out.extend_from_slice(self.code.to_string().as_bytes());
            out.push(if pieces.peek().is_some() { b'-' } else { b' ' });
            if let Some(enhanced) = self.enhanced {
                // RFC 2034 4: the enhanced code stands on every line.
                out.extend_from_slice(enhanced.to_string().as_bytes());
                out.push(b' ');
            }
            // RFC 5321 4.2: texts are printable US-ASCII.
            out.extend(piece.chars().map(|c| if c == ' ' || c.is_ascii_graphic() { c as u8 } else { b'?' }));
            out.extend_from_slice(b"\r\n");
        }
    }

    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.text.len() + 24);
        self.write(&mut out);
        out
    }

    /// The same as one line of meaning, no longer than a person reads: it is kept with every recipient.
    #[must_use]
    pub fn status(&self) -> Status {
        let mut text = self.text.replace('\n', " ");
        text.truncate(text.floor_char_boundary(1_000));
        Status { code: self.code, enhanced: self.enhanced, text }
    }
}

impl From<Status> for Reply {
    fn from(status: Status) -> Reply {
        Reply { code: status.code, enhanced: status.enhanced, text: status.text.into() }
    }
}

/// A line in pieces that fit a reply line; an empty line is one empty piece.
struct Pieces<'a> {
    rest: Option<&'a str>,
}

impl Pieces<'_> {
    fn of(line: &str) -> Pieces<'_> {
        Pieces { rest: Some(line) }
    }
}

impl<'a> Iterator for Pieces<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let line = self.rest.take()?;
        if line.len() <= MAX_TEXT {
            return Some(line);
        }
        let most = line.floor_char_boundary(MAX_TEXT);
        let at = line[..most].rfind(' ').map_or(most, |blank| blank + 1);
        let (piece, rest) = line.split_at(at);
        self.rest = Some(rest);
        Some(piece)
    }
}

/// A peer's reply may have that many lines (an EHLO reply has some thirty) …
const MAX_LINES: usize = 128;
/// … and that many octets.
const MAX_OCTETS: usize = 32 * 1024;

/// What the unread input begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parsed {
    /// The reply is not complete yet.
    Need,
    Reply {
        reply: Reply,
        consumed: usize,
    },
    /// No reply, or one without end: the connection is worth nothing.
    Garbage(&'static str),
}

/// Reads one reply from the front of `input`.
#[must_use]
pub fn parse(input: &[u8]) -> Parsed {
    let mut at = 0;
    let mut code = 0;
    let mut texts: Vec<&[u8]> = Vec::new();
    while let Some(end) = memchr::memchr(b'\n', &input[at..]) {
        let line = &input[at..at + end];
        at += end + 1;
        let Some(line) = ReplyLine::of(line.strip_suffix(b"\r").unwrap_or(line)) else {
            return Parsed::Garbage("the line does not begin with a reply code");
        };
        if !texts.is_empty() && line.code != code {
            return Parsed::Garbage("the lines of one reply have different codes"); // RFC 5321 4.2.1
        }
        code = line.code;
        texts.push(line.text);
        if at > MAX_OCTETS || texts.len() > MAX_LINES {
            return Parsed::Garbage("the reply is too long");
        }
        if line.last {
            return Parsed::Reply { reply: assemble(code, &texts), consumed: at };
        }
    }
    if input.len() > MAX_OCTETS { Parsed::Garbage("the reply is too long") } else { Parsed::Need }
}

struct ReplyLine<'a> {
    code: u16,
    last: bool,
    text: &'a [u8],
}

impl ReplyLine<'_> {
    fn of(line: &[u8]) -> Option<ReplyLine<'_>> {
        let (digits, rest) = line.split_at_checked(3)?;
        let good = (b'2'..=b'5').contains(&digits[0]) && digits.iter().all(u8::is_ascii_digit);
        let code = std::str::from_utf8(digits).ok().filter(|_| good)?.parse().ok()?;
        match rest.split_first() {
            None => Some(ReplyLine { code, last: true, text: b"" }),
            Some((b' ', text)) => Some(ReplyLine { code, last: true, text }),
            Some((b'-', text)) => Some(ReplyLine { code, last: false, text }),
            Some(_) => None,
        }
    }
}

/// Joins the lines; the enhanced code is taken off each line that begins with it.
fn assemble(code: u16, texts: &[&[u8]]) -> Reply {
    let mut enhanced = None;
    let mut joined = String::new();
    for (n, text) in texts.iter().enumerate() {
        let text = String::from_utf8_lossy(text);
        let (found, rest) = split_enhanced(code, &text);
        enhanced = enhanced.or(found);
        if n > 0 {
            joined.push('\n');
        }
        // A peer's text ends in logs, terminals and DSNs.
        joined.extend(rest.trim().chars().map(|c| if is_disturbing(c) { ' ' } else { c }));
    }
    Reply { code, enhanced, text: joined.into() }
}

/// RFC 2034 4: the first word, if it is an enhanced code of the reply code's class.
fn split_enhanced(code: u16, text: &str) -> (Option<Enhanced>, &str) {
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    match word.parse::<Enhanced>() {
        Ok(enhanced) if u16::from(enhanced.0) == code / 100 => (Some(enhanced), rest),
        _ => (None, text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(reply: &Reply) -> String {
        String::from_utf8(reply.to_bytes()).unwrap()
    }

    fn read(input: &str) -> Parsed {
        parse(input.as_bytes())
    }

    #[test]
    fn every_line_carries_both_codes() {
        let reply = Reply::new(550, Enhanced(5, 7, 10), "one\ntwo");
        assert_eq!(printed(&reply), "550-5.7.10 one\r\n550 5.7.10 two\r\n");
    }

    #[test]
    fn a_text_cannot_add_a_line_or_a_control_character() {
        let reply = Reply::new(550, Enhanced(5, 7, 1), "a\r\n250 ok\u{1b}[1mé\0");
        assert_eq!(printed(&reply), "550-5.7.1 a?\r\n550 5.7.1 250 ok?[1m??\r\n");
    }

    #[test]
    fn no_line_is_longer_than_512_octets() {
        let reply = Reply::new(550, Enhanced(5, 123, 123), "é".repeat(600));
        assert!(printed(&reply).split_inclusive("\r\n").all(|line| line.len() <= 512));
    }

    #[test]
    fn long_texts_are_divided_between_words() {
        let reply = Reply::new(550, Enhanced(5, 7, 10), "word ".repeat(200).trim_end().to_owned());
        assert!(printed(&reply).lines().all(|line| line.trim_end().ends_with("word")));
    }

    #[test]
    fn a_status_is_no_longer_than_a_person_reads() {
        assert!(Reply::plain(550, "é".repeat(9_000)).status().text.len() <= 1_000);
    }

    #[test]
    fn replies_split_anywhere_wait_for_their_end() {
        let whole = "250-mx.example\r\n250-SIZE 10\r\n250 DSN\r\n";
        for at in 0..whole.len() {
            assert_eq!(read(&whole[..at]), Parsed::Need, "{at}");
        }
        let Parsed::Reply { reply, consumed } = read(&format!("{whole}250 next")) else { panic!("no reply") };
        assert_eq!((reply.code, consumed), (250, whole.len()));
        assert_eq!(reply.lines().collect::<Vec<_>>(), ["mx.example", "SIZE 10", "DSN"]);
    }

    #[test]
    fn a_missing_text_is_tolerated() {
        for text in ["250\r\n", "250 \r\n", "250\n"] {
            assert_eq!(read(text), Parsed::Reply { reply: Reply::plain(250, ""), consumed: text.len() });
        }
    }

    #[test]
    fn an_enhanced_code_of_another_class_is_text() {
        let of = |t| match read(t) {
            Parsed::Reply { reply, .. } => reply.status().to_string(),
            other => format!("{other:?}"),
        };
        assert_eq!(of("550-5.1.1 no\r\n550 5.1.1 such user\r\n"), "550 5.1.1 no such user");
        assert_eq!(of("550 2.0.0 odd\r\n"), "550 2.0.0 odd");
        assert!(matches!(read("550 2.0.0 odd\r\n"), Parsed::Reply { reply, .. } if reply.enhanced.is_none()));
    }

    #[test]
    fn garbage_is_refused() {
        for text in ["", "2", "25"] {
            assert_eq!(read(text), Parsed::Need);
        }
        for text in
            ["\r\n", "HTTP/1.1 400\r\n", "150 x\r\n", "650 x\r\n", "25x y\r\n", "250x\r\n", "250-a\r\n550 b\r\n"]
        {
            assert!(matches!(read(text), Parsed::Garbage(_)), "{text:?}");
        }
    }

    #[test]
    fn a_reply_without_end_is_cut_off() {
        assert!(matches!(read(&"250-x\r\n".repeat(200)), Parsed::Garbage(_)));
        assert!(matches!(read(&format!("250 {}", "x".repeat(MAX_OCTETS))), Parsed::Garbage(_)));
    }

    #[test]
    fn a_peers_control_characters_do_not_reach_the_text() {
        let Parsed::Reply { reply, .. } = parse(b"550 a\x1b[2Jb\0c\r\x07d\xff\xe2\x80\xa8e\xe2\x80\xaef\r\n") else {
            panic!("no reply")
        };
        assert!(!reply.text.chars().any(is_disturbing), "{:?}", reply.text);
    }
}

//! Header text as a reader sees it: folds undone, encoded words (RFC 2047) decoded, raw octets in a likely charset.
//!
//! Called by `walk` for each field. Promises: linear; blanks between two encoded words vanish (RFC 2047 6.2), and octets of
//! neighbours in one charset are decoded together, for some programmes split characters. Fails never.

use super::{charset, transfer};
use memchr::memmem;

/// The text of a field's value, and whether all of it could be read.
pub(super) fn text(value: &[u8]) -> (String, bool) {
    let unfolded: Vec<u8> = value.iter().copied().filter(|b| !matches!(b, b'\r' | b'\n')).collect();
    let mut out = Text::default();
    let mut rest = unfolded.as_slice();
    while let Some(at) = memmem::find(rest, b"=?") {
        let (plain, from) = rest.split_at(at);
        let Some((word, after)) = encoded(from) else {
            out.plain(plain);
            out.plain(b"=?");
            rest = &from[2..];
            continue;
        };
        out.plain(plain);
        out.word(&word);
        rest = after;
    }
    out.plain(rest);
    out.finish()
}

struct Word<'a> {
    charset: &'a [u8],
    bytes: Vec<u8>,
}

/// `=?charset?q?text?=` at the start of `from`. Blanks inside are tolerated, as mail programmes do.
fn encoded(from: &[u8]) -> Option<(Word<'_>, &[u8])> {
    let inner = from.get(2..)?;
    // Names of charsets are short: a longer one is no encoded word.
    let charset_end = memchr::memchr(b'?', inner.get(..inner.len().min(64))?)?;
    let encoding = inner.get(charset_end + 1)?;
    let text = inner.get(charset_end + 2..)?.strip_prefix(b"?")?;
    let end = memmem::find(text.get(..text.len().min(4_096))?, b"?=")?;
    let bytes = match encoding {
        b'b' | b'B' => transfer::base64(&text[..end], end).bytes,
        b'q' | b'Q' => {
            let spaced: Vec<u8> = text[..end].iter().map(|b| if *b == b'_' { b' ' } else { *b }).collect();
            transfer::quoted_printable(&spaced, end).bytes
        }
        _ => return None,
    };
    // RFC 2231 5: a language may follow the charset.
    let charset = inner[..charset_end].split(|b| *b == b'*').next().unwrap_or_default();
    Some((Word { charset, bytes }, &text[end + 2..]))
}

/// Text being put together: octets of neighbouring encoded words wait until their charset ends.
#[derive(Default)]
struct Text {
    out: String,
    charset: Vec<u8>,
    waiting: Vec<u8>,
    unsound: bool,
}

impl Text {
    fn plain(&mut self, bytes: &[u8]) {
        if !self.waiting.is_empty() && bytes.iter().all(|b| matches!(b, b' ' | b'\t')) {
            return;
        }
        self.flush();
        let reading = charset::read(bytes, None);
        self.unsound |= !reading.sound;
        self.out.push_str(&reading.text);
        if let Some(other) = reading.other {
            self.out.push_str("\n;\n");
            self.out.push_str(&other);
        }
    }

    fn word(&mut self, word: &Word<'_>) {
        if !self.charset.eq_ignore_ascii_case(word.charset) {
            self.flush();
            self.charset = word.charset.to_vec();
        }
        self.waiting.extend_from_slice(&word.bytes);
    }

    fn flush(&mut self) {
        if !self.waiting.is_empty() {
            let label = String::from_utf8_lossy(&self.charset).into_owned();
            let reading = charset::read(&self.waiting, Some(&label));
            self.unsound |= !reading.sound;
            self.out.push_str(&reading.text);
            // The second reading stands apart, so that it can join nothing.
            if let Some(other) = reading.other {
                self.out.push_str("\n;\n");
                self.out.push_str(&other);
            }
            self.waiting.clear();
        }
    }

    fn finish(mut self) -> (String, bool) {
        self.flush();
        (self.out, !self.unsound)
    }
}

#[cfg(test)]
mod tests {
    fn text(value: &[u8]) -> String {
        super::text(value).0
    }

    #[test]
    fn neighbours_join_and_plain_text_stays_apart() {
        assert_eq!(text(b"NHS =?utf-8?Q?943_?=\r\n =?UTF-8?B?NDc2?= 5919"), "NHS 943 476 5919");
        assert_eq!(text(b"=?utf-8?q?=C2?= =?utf-8?q?=A05919?="), "\u{A0}5919", "one character in two words");
        assert_eq!(text(b"=?utf-8?q?943 476?= x"), "943 476 x", "blanks inside");
    }

    #[test]
    fn what_is_no_encoded_word_stays() {
        for same in ["=?", "=?utf-8?", "=?utf-8?x?943?=", "=?utf-8?q?943", "a =? b", "=?=?=?"] {
            assert_eq!(text(same.as_bytes()), same);
        }
        assert_eq!(text(b"na\xEFve \xC2"), "na\u{EF}ve \u{C2}");
    }
}

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
    let (mut rest, mut end) = (unfolded.as_slice(), 0);
    while let Some(at) = memmem::find(rest, b"=?") {
        let (plain, from) = rest.split_at(at);
        let Some((word, after)) = encoded(from, unfolded.len() - from.len(), &mut end) else {
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

/// `=?charset?q?text?=` at the start of `from`, which stands at `at` of the value. Blanks inside are tolerated, as mail programmes do.
/// `next`: where the next end stands in the value, as far as that is known; so none is looked for twice.
fn encoded<'f>(from: &'f [u8], at: usize, next: &mut usize) -> Option<(Word<'f>, &'f [u8])> {
    let inner = from.get(2..)?;
    // Names of charsets are short: a longer one is no encoded word.
    let charset_end = memchr::memchr(b'?', inner.get(..inner.len().min(64))?)?;
    let encoding = inner.get(charset_end + 1)?;
    let text = inner.get(charset_end + 2..)?.strip_prefix(b"?")?;
    let start = at + from.len() - text.len();
    if *next < start {
        *next = memmem::find(text, b"?=").map_or(usize::MAX, |end| start + end);
    }
    let end = next.checked_sub(start).filter(|end| *end < text.len())?;
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
    /// The same in the second reading of what has one.
    other: Option<String>,
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
        self.read(bytes, None);
    }

    fn read(&mut self, bytes: &[u8], label: Option<&str>) {
        let reading = charset::read(bytes, label);
        self.unsound |= !reading.sound;
        if reading.other.is_some() && self.other.is_none() {
            self.other = Some(self.out.clone());
        }
        if let Some(other) = &mut self.other {
            other.push_str(reading.other.as_deref().unwrap_or(&reading.text));
        }
        self.out.push_str(&reading.text);
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
            let (waiting, label) =
                (std::mem::take(&mut self.waiting), String::from_utf8_lossy(&self.charset).into_owned());
            self.read(&waiting, Some(&label));
        }
    }

    /// The second reading stands apart, so that it can join nothing of the first.
    fn finish(mut self) -> (String, bool) {
        self.flush();
        if let Some(other) = self.other {
            self.out.push_str("\n;\n");
            self.out.push_str(&other);
        }
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
    fn words_of_any_length_are_read_and_second_readings_stand_together() {
        let long = format!("=?utf-8?q?{}_943?=", "a".repeat(9_000));
        assert!(text(long.as_bytes()).ends_with("a 943"));
        let mixed = text(b"NHS number =?utf-16be?q?=009=004=003?= =?utf-8?q?_476_5919?=");
        assert!(mixed.contains("NHS number 943 476 5919"), "{mixed:?}");
    }

    #[test]
    fn what_is_no_encoded_word_stays() {
        for same in ["=?", "=?utf-8?", "=?utf-8?x?943?=", "=?utf-8?q?943", "a =? b", "=?=?=?"] {
            assert_eq!(text(same.as_bytes()), same);
        }
        assert_eq!(text(b"na\xEFve \xC2"), "na\u{EF}ve \u{C2}");
    }
}

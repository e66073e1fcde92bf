//! Numbers that a message's way has damaged: blanks whose charset was taken for another's, escapes that nobody undid, links and notes
//! that a conversion to plain text left between their digits, the lines of a form's boxes, the quotes of cells.
//!
//! Called by `likeness` for what stands near labels. Promises: linear; nothing where no such thing stands between digits. Fails never.

/// Octets of a link or a note.
const LONGEST: usize = 256;

/// What a blank becomes: U+00A0, dashes and spaces without width in UTF-8 that was read as Windows-1252, once or twice, and as
/// others; escapes of HTML and of quoted-printable; U+00A0 of a Macintosh; what stands for a character that was lost.
const BLANKS: &[&str] = &[
    "\u{C2}\u{A0}",
    "\u{C2} ",
    "\u{C3}\u{201A}\u{C2}\u{A0}",
    "\u{C3}\u{201A}\u{C2} ",
    "\u{E2}\u{20AC}\u{201C}",
    "\u{E2}\u{20AC}\u{201D}",
    "\u{E2}\u{20AC}\u{2039}",
    "\u{E2}\u{20AC}\u{2018}",
    "\u{E2}\u{20AC}\u{AF}",
    "&nbsp;",
    "&#160;",
    "&amp;nbsp;",
    "=A0",
    "=20",
    "\u{CA}",
    "?",
];
/// Lines of boxes, quotes of cells, and marks that people put for a dot.
const LINES: &[&str] = &[
    "\",\"", "\";\"", "\"\t\"", "][", "] [", "\u{2502}", "\u{2503}", "\u{2551}", "\u{A6}", "\u{25CF}", "\u{25AA}",
    "\u{25A0}", "\u{B0}", "\u{2192}", "=", ";", "#", "`",
];
const LINKS: &[&str] = &["http", "tel:", "mailto:", "cid:", "sms:"];

/// The text with a blank in the place of each damage between two digits; nothing where there is none.
pub(super) fn mended(text: &str) -> Option<String> {
    let (mut out, mut rest, mut is_other) = (String::with_capacity(text.len()), text, false);
    while let Some(c) = rest.chars().next() {
        let damaged = out.ends_with(is_digit).then(|| damage(rest)).flatten();
        match damaged {
            Some(behind) => {
                out.push(' ');
                (rest, is_other) = (behind, true);
            }
            None => {
                out.push(c);
                rest = rest.get(c.len_utf8()..).unwrap_or_default();
            }
        }
    }
    is_other.then_some(out)
}

/// What stands behind the damage at the start, if it is a digit.
fn damage(text: &str) -> Option<&str> {
    // More than a few at once divide.
    const MOST: usize = 3;
    let mut rest = text.trim_start_matches(' ');
    for _ in 0..MOST {
        let found = BLANKS.iter().chain(LINES).find_map(|sign| rest.strip_prefix(sign)).or_else(|| note(rest));
        let Some(behind) = found else { break };
        rest = behind.trim_start_matches(' ');
        if rest.starts_with(is_digit) {
            return Some(rest);
        }
    }
    None
}

/// A link in angle brackets or square ones, or the number of a note: what stands behind it.
fn note(text: &str) -> Option<&str> {
    let close = match text.bytes().next()? {
        b'<' => '>',
        b'[' => ']',
        _ => return None,
    };
    let near = text.get(1..text.floor_char_boundary(LONGEST)).unwrap_or_default();
    let inside = near.get(..near.find(close)?)?;
    let is_link = LINKS.iter().any(|link| inside.get(..link.len()).is_some_and(|own| own.eq_ignore_ascii_case(link)));
    let is_number =
        close == ']' && inside.len() <= 2 && !inside.is_empty() && inside.bytes().all(|b| b.is_ascii_digit());
    (is_link || is_number).then(|| text.get(inside.len() + 2..)).flatten()
}

fn is_digit(c: char) -> bool {
    c.is_ascii_digit()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_between_digits_by_accident_is_a_blank() {
        for text in [
            "943\u{C2}\u{A0}476\u{C2} 5919",
            "943\u{E2}\u{20AC}\u{201C}476\u{E2}\u{20AC}\u{201C}5919",
            "943&nbsp;476&nbsp;5919",
            "943=A0476=205919",
            "943?476?5919",
            "943<https://a.example/b?c=1> 476<tel:943476> 5919",
            "943[1] 476[22] 5919",
            "943 [cid:image001.png@01] 476 5919",
            "943 \u{2502} 476 \u{2502} 5919",
            "943\",\"476\",\"5919",
        ] {
            assert_eq!(mended(text).unwrap_or_default(), "943 476 5919", "{text}");
        }
        assert_eq!(mended("[9][4][3] [4]").unwrap(), "[9 4 3 4]");
        for text in ["943 476 5919", "943 [see below] 476", "943<b>476", "?943 a", "943[4767]5919", "943 \u{C2}"] {
            assert_eq!(mended(text), None, "{text}");
        }
    }

    #[test]
    fn time_is_linear() {
        let begun = std::time::Instant::now();
        for text in ["1[", "1<http", "1 = ", "1[1]", "1?"] {
            mended(&text.repeat(1_000_000));
        }
        assert!(begun.elapsed() < std::time::Duration::from_secs(60), "{:?}", begun.elapsed());
    }
}

//! Comments with a condition (`<!--[if mso]> … <![endif]-->`): Outlook shows what is in them, and nobody else does.
//!
//! Called by `html` and `page`. Promises: linear; what stands there only for the layout is no text. Fails never.

use super::digits;

const BEGIN: &str = "<!--[";
const END: &str = "-->";
const LAST: &str = "<![endif]";

/// Whether the text in such a comment has digits: outside its tags, its style sheets and the settings of Office.
pub(super) fn has_digits(comment: &[u8]) -> bool {
    let text = String::from_utf8_lossy(comment);
    let mut pieces = text.split('<').filter_map(|piece| piece.split_once('>'));
    pieces.any(|(tag, text)| {
        let is_setting = tag.starts_with("o:") && tag != "o:p" || tag.starts_with("w:") || tag.starts_with("style");
        !is_setting && shows_digits(text)
    })
}

/// References to other characters have digits, too.
fn shows_digits(text: &str) -> bool {
    let has_digit = |text: &str| has_digit(text.as_bytes());
    let mut pieces = text.split('&');
    let reference = |piece: &str| {
        let Some(code) = piece.strip_prefix('#') else { return has_digit(piece) };
        let (code, rest) = code.split_once(';').unwrap_or((code, ""));
        let number = match code.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16),
            None => code.parse(),
        };
        has_digit(rest) || number.ok().and_then(char::from_u32).is_none_or(|c| digits::value(c).is_some())
    };
    pieces.next().is_some_and(has_digit) || pieces.any(reference)
}

/// Whether a comment, by its text, begins what everybody shows but Outlook: `[if !mso]`, `[if !mso]><!`.
pub(super) fn begins_others(comment: &[u8]) -> bool {
    comment.starts_with(b"[") && !comment.ends_with(b"[endif]") && is_negated(comment.get(1..).unwrap_or_default())
}

/// Whether it ends that.
pub(super) fn ends_others(comment: &[u8]) -> bool {
    comment.trim_ascii_start().starts_with(b"<![endif]") || comment.starts_with(b"[endif]")
}

/// Whether the text of a page, or of a piece of it, has digits.
pub(super) fn has_digit(text: &[u8]) -> bool {
    String::from_utf8_lossy(text).chars().any(|c| digits::value(c).is_some())
}

fn is_negated(condition: &[u8]) -> bool {
    let condition = condition.trim_ascii_start();
    let is_if = condition.get(..2).is_some_and(|word| word.eq_ignore_ascii_case(b"if"));
    is_if && condition.get(2..).unwrap_or_default().trim_ascii_start().starts_with(b"!")
}

/// The markup as Outlook reads it: with what is in comments for it, and without what is for all others.
pub(super) fn opened(markup: &str) -> String {
    let (mut out, mut rest, mut may_end) = (String::with_capacity(markup.len()), markup, true);
    while let Some(at) = rest.find("<!") {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let condition = from.strip_prefix(BEGIN).or_else(|| from.strip_prefix("<!["));
        if condition.is_some_and(|condition| is_negated(condition.as_bytes())) && may_end {
            match from.split_once(LAST) {
                Some((_, behind)) => {
                    rest = behind.strip_prefix(END).or_else(|| behind.strip_prefix('>')).unwrap_or(behind);
                    continue;
                }
                None => may_end = false,
            }
        }
        let Some((inside, behind)) = from.strip_prefix(BEGIN).and_then(|comment| comment.split_once(END)) else {
            out.push_str("<!");
            rest = from.get(2..).unwrap_or_default();
            // What does not end holds everything else.
            if from.starts_with(BEGIN) {
                break;
            }
            continue;
        };
        let content = inside.split_once("]>").map_or("", |(_, content)| content);
        out.push_str(content.strip_suffix(LAST).unwrap_or(content));
        rest = behind;
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_of_the_layout_are_none() {
        for (comment, expected) in [
            ("[if mso]> 476<![endif]", true),
            ("[if mso]><td width=600>&#8202;&#65279;</td><![endif]", false),
            ("[if mso]>&#x34;<![endif]", true),
            ("[if gte mso 9]><xml><o:PixelsPerInch>96</o:PixelsPerInch></xml><![endif]", false),
            ("[if mso]><style>td{width:600px}</style><![endif]", false),
        ] {
            assert_eq!(has_digits(comment.as_bytes()), expected, "{comment}");
        }
    }

    #[test]
    fn comments_are_opened() {
        assert_eq!(opened("a<!--[if mso]>b<![endif]-->c<!-- d -->"), "abc<!-- d -->");
        assert_eq!(opened("a<!--[if !mso]><!-->b<!--<![endif]-->c"), "ac");
        assert_eq!(opened("a<![if ! mso]>b<![endif]>c<!doctype x>"), "ac<!doctype x>");
        assert_eq!(opened("a<![if !mso]>b<![if !mso]>c"), "a<![if !mso]>b<![if !mso]>c");
        assert_eq!(opened("a<!--[if mso]>b"), "a<!--[if mso]>b");
    }
}

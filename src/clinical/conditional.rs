//! Comments with a condition (`<!--[if mso]> … <![endif]-->`): Outlook shows what is in them, and nobody else does.
//!
//! Called by `html` and `page`. Promises: linear; what stands there only for the layout is no text. Fails never.

use super::digits;

const BEGIN: &str = "<!--[";
const END: &str = "-->";

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
    let has_digit = |text: &str| text.chars().any(|c| digits::value(c).is_some());
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

/// The markup as Outlook reads it.
pub(super) fn opened(markup: &str) -> String {
    let (mut out, mut rest) = (String::with_capacity(markup.len()), markup);
    while let Some(at) = rest.find(BEGIN) {
        let (before, comment) = rest.split_at(at);
        out.push_str(before);
        let Some((inside, behind)) = comment.split_once(END) else {
            rest = comment;
            break;
        };
        let content = inside.split_once("]>").map_or("", |(_, content)| content);
        let content = content.strip_suffix("<![endif]").unwrap_or(content);
        // `<!-->`: what follows is for everybody.
        out.push_str(content.strip_suffix("<!").unwrap_or(content));
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
        assert_eq!(opened("a<!--[if !mso]><!-->b<!--<![endif]-->c"), "ab<!--<![endif]-->c");
        assert_eq!(opened("a<!--[if mso]>b"), "a<!--[if mso]>b");
    }
}

//! What a character is to the recogniser: a digit of any script, something that joins groups of digits, or nothing at all.
//!
//! Called by `patient_number`, `rules` and `markings`. Promises: pure tables, constant time. Fails never.

use super::folding::{self, Folded};

/// Zeros of the decimal digits (Unicode `Nd`, Unicode 16), in order; nine more digits follow each.
const ZEROS: &[u32] = &[
    0x30, 0x660, 0x6F0, 0x7C0, 0x966, 0x9E6, 0xA66, 0xAE6, 0xB66, 0xBE6, 0xC66, 0xCE6, 0xD66, 0xDE6, 0xE50, 0xED0,
    0xF20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90, 0x1B50, 0x1BB0, 0x1C40, 0x1C50, 0x2080,
    0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0xFF10, 0x104A0, 0x10D30, 0x10D40, 0x11066, 0x110F0,
    0x11136, 0x111D0, 0x112F0, 0x11450, 0x114D0, 0x11650, 0x116C0, 0x116D0, 0x116DA, 0x11730, 0x118E0, 0x11950,
    0x11BF0, 0x11C50, 0x11D50, 0x11DA0, 0x11F50, 0x16A60, 0x16AC0, 0x16B50, 0x16D70, 0x1CCF0, 0x1D7CE, 0x1D7D8,
    0x1D7E2, 0x1D7EC, 0x1D7F6, 0x1E140, 0x1E2F0, 0x1E4F0, 0x1E5F1, 0x1E950, 0x1FBF0,
];

/// The value of a digit of any script, superscripts and circled digits included.
#[must_use]
pub fn value(c: char) -> Option<u8> {
    if c.is_ascii() {
        return c.is_ascii_digit().then_some(c as u8 & 0x0F);
    }
    let code = c as u32;
    let offset = match code {
        0xB2 | 0xB3 => code - 0xB0,
        0xB9 => 1,
        0x2070 => 0,
        0x2074..=0x2079 => code - 0x2070,
        0x24EA | 0x24FF | 0x1F100 | 0x1F10B | 0x1F10C => 0,
        // Most other scripts have none here.
        0x80..=0xB1 | 0xB4..=0xB8 | 0xBA..=0x65F | 0x2793..=0xA61F | 0xAC00..=0xFF0F => return None,
        // In circles, in parentheses, with a full stop, in two circles, in black, and with a comma.
        0x2460..=0x2468 => code - 0x2460 + 1,
        0x2474..=0x247C => code - 0x2474 + 1,
        0x2488..=0x2490 => code - 0x2488 + 1,
        0x24F5..=0x24FD => code - 0x24F5 + 1,
        0x2776..=0x277E => code - 0x2776 + 1,
        0x2780..=0x2788 => code - 0x2780 + 1,
        0x278A..=0x2792 => code - 0x278A + 1,
        0x1F101..=0x1F10A => code - 0x1F101,
        _ => {
            let block = ZEROS.partition_point(|zero| *zero <= code);
            code - ZEROS.get(block.checked_sub(1)?)?
        }
    };
    u8::try_from(offset).ok().filter(|v| *v < 10)
}

/// Characters that a reader does not see: they neither join nor divide.
#[must_use]
pub fn is_invisible(c: char) -> bool {
    // ASCII first: nearly all of a text, and its control characters divide records of programmes.
    !c.is_ascii()
        && matches!(c, '\u{80}'..='\u{84}' | '\u{86}'..='\u{9F}' | '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}'
        | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}'
        | '\u{FFF0}'..='\u{FFFB}' | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}')
}

/// Marks that are drawn over the character before them (underlines, keycaps, accents): nothing of their own.
#[must_use]
pub fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36F}' | '\u{483}'..='\u{489}' | '\u{591}'..='\u{5BD}' | '\u{64B}'..='\u{65F}' | '\u{302A}'..='\u{302F}'
        | '\u{1AB0}'..='\u{1AFF}' | '\u{1DC0}'..='\u{1DFF}' | '\u{20D0}'..='\u{20F0}' | '\u{FE20}'..='\u{FE2F}')
}

/// What joins two groups of digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Joint {
    /// A blank of any width; U+FFFD too, for that is what a broken no-break space becomes.
    Space,
    /// A hyphen, dash or dot.
    Dash,
    /// A cell or line boundary, a comma, a slash: joins only if the words around say so.
    Weak,
    Newline,
    /// White space as wide as stands between columns: joins only what a label names.
    Wide,
    /// A mark that usually divides, such as a colon: joins only 3-3-4 that a label names.
    Odd,
}

#[must_use]
pub fn joint(c: char) -> Option<Joint> {
    match c {
        ' '
        | '\u{A0}'
        | '\u{1680}'
        | '\u{2000}'..='\u{200A}'
        | '\u{202F}'
        | '\u{205F}'
        | '\u{2800}'
        | '\u{3000}'
        | '\u{3164}'
        | '\u{FFFD}' => Some(Joint::Space),
        '-'
        | '.'
        | '\u{B7}'
        | '\u{2010}'..='\u{2015}'
        | '\u{2022}'
        | '\u{2027}'
        | '\u{2043}'
        | '\u{2212}'
        | '\u{2219}'
        | '\u{22C5}'
        | '\u{2024}'
        | '\u{30FB}'
        | '\u{FE58}'
        | '\u{FE63}'
        | '\u{FF0D}'
        | '\u{FF0E}' => Some(Joint::Dash),
        '\t' | ',' | '/' | '|' | '_' | '(' | ')' | '*' | '\u{2215}' | '\u{2044}' | '\u{FF0F}' => Some(Joint::Weak),
        ':' | '\'' | '~' | '+' | '[' | ']' | '{' | '}' | '\\' | '^' | '\u{2018}' | '\u{2019}' | '\u{201C}'
        | '\u{201D}' | '\u{2026}' | '\u{3001}' | '\u{FF0C}' | '\u{FF1A}' => Some(Joint::Odd),
        '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{B}' | '\u{C}' => Some(Joint::Newline),
        _ => None,
    }
}

/// Writes `text` into `out` as words: lower case, one blank for whatever is no letter or digit, digits of any script as
/// ASCII, nothing for what cannot be seen. Letters with dots between them are one word: `N.H.S.` is `nhs`.
pub fn fold_into(out: &mut String, text: &str) {
    fold_with(fold_plain, out, text);
}

/// The same, but a blank for each character that is no letter or digit, where that costs less.
pub(super) fn spread_into(out: &mut String, text: &str) {
    fold_with(spread_plain, out, text);
}

/// `plain` folds what is plain, and returns the rest.
fn fold_with(plain: for<'t> fn(&mut String, &'t str) -> &'t str, out: &mut String, text: &str) {
    let (mut initials, mut rest) = (Initials::default(), text);
    loop {
        // Behind a letter and a dot the next characters tell what these were.
        if !initials.dotted && rest.as_bytes().first().is_some_and(u8::is_ascii) {
            rest = plain(out, rest);
        }
        let mut characters = rest.chars();
        let Some(c) = characters.next() else { break };
        fold_one(out, c, &mut initials);
        rest = characters.as_str();
    }
    initials.join(out);
}

/// What each octet of plain text becomes; 0: it is not plain.
const PLAIN: [u8; 256] = {
    let mut table = [0; 256];
    let mut at = 0;
    while at < 0x80 {
        let octet = at as u8;
        table[at] = match octet {
            b'.' => 0,
            _ if octet.is_ascii_alphanumeric() => octet.to_ascii_lowercase(),
            _ => b' ',
        };
        at += 1;
    }
    table
};

/// Folds ASCII up to the first dot or other character, without a branch for each octet: most of a text is that. Returns the rest.
fn fold_plain<'t>(out: &mut String, text: &'t str) -> &'t str {
    let mut is_blank = out.ends_with(' ');
    let (mut folded, mut rest) = ([0u8; 256], text.as_bytes());
    loop {
        let (mut length, mut taken) = (0, 0);
        for octet in rest.iter().take(folded.len()) {
            let plain = PLAIN[usize::from(*octet)];
            if plain == 0 {
                break;
            }
            folded[length] = plain;
            length += usize::from(plain != b' ' || !is_blank);
            is_blank = plain == b' ';
            taken += 1;
        }
        out.push_str(std::str::from_utf8(&folded[..length]).unwrap_or_default());
        rest = &rest[taken..];
        if taken < folded.len() {
            return text.get(text.len() - rest.len()..).unwrap_or_default();
        }
    }
}

/// The same with as many blanks as there are such characters: without a table the compiler looks at many octets at once.
fn spread_plain<'t>(out: &mut String, text: &'t str) -> &'t str {
    let is_other = |octet: &u8| *octet == b'.' || !octet.is_ascii();
    let mut passed = 0;
    for block in text.as_bytes().chunks(64) {
        let is_plain = !block.iter().fold(false, |other, octet| other | is_other(octet));
        let plain = if is_plain { block.len() } else { block.iter().position(is_other).unwrap_or(block.len()) };
        let mut spread = [0; 64];
        for (to, octet) in spread.iter_mut().zip(&block[..plain]) {
            let lower = *octet | if octet.is_ascii_uppercase() { 0x20 } else { 0 };
            *to = if lower.is_ascii_lowercase() || lower.is_ascii_digit() { lower } else { b' ' };
        }
        out.push_str(std::str::from_utf8(&spread[..plain]).unwrap_or_default());
        passed += plain;
        if plain < block.len() {
            break;
        }
    }
    text.get(passed..).unwrap_or_default()
}

fn fold_one(out: &mut String, c: char, initials: &mut Initials) {
    match folding::of(c) {
        Folded::Nothing => {}
        Folded::Blank => initials.divide(out, c),
        Folded::Letter(letter) => out.push(letter),
        Folded::Other => out.extend(c.to_lowercase()),
    }
}

/// What a character is folded to; `folding` keeps it in a table.
pub(super) fn folded(c: char) -> Folded {
    if let Some(digit) = value(c) {
        return Folded::Letter(char::from(b'0' + digit));
    }
    let c = latin(c);
    let mut lower = c.to_lowercase();
    match (lower.next(), lower.next()) {
        _ if is_invisible(c) || is_mark(c) => Folded::Nothing,
        (Some(letter), None) if c.is_alphabetic() => Folded::Letter(letter),
        _ if c.is_alphabetic() => Folded::Other,
        _ => Folded::Blank,
    }
}

/// The letter of ASCII that one is for its reader: full width, bold and the like (Unicode 16, 22.2), in circles and squares, and as
/// small capitals.
fn latin(c: char) -> char {
    const SMALL: &str = "\u{1D00}\u{299}\u{1D04}\u{1D05}\u{1D07}\u{A730}\u{262}\u{29C}\u{26A}\u{1D0A}\u{1D0B}\u{29F}\u{1D0D}\u{274}\u{1D0F}\u{1D18}q\u{280}\u{A731}\u{1D1B}\u{1D1C}\u{1D20}\u{1D21}x\u{28F}\u{1D22}";
    let code = c as u32;
    let at = match code {
        ..0x262 => return c,
        0xFF21..=0xFF3A => code - 0xFF21,
        0xFF41..=0xFF5A => code - 0xFF41,
        0x1D400..=0x1D6A3 => (code - 0x1D400) % 26,
        0x24B6..=0x24E9 => (code - 0x24B6) % 26,
        0x1F130..=0x1F149 => code - 0x1F130,
        0x1F150..=0x1F169 => code - 0x1F150,
        0x1F170..=0x1F189 => code - 0x1F170,
        0x262..=0x29F | 0x1D00..=0x1D22 | 0xA730 | 0xA731 => {
            // P stands where Q has none of its own.
            let letters = "abcdefghijklmnopqrstuvwxyz".chars();
            return SMALL.chars().zip(letters).find(|(small, _)| *small == c).map_or(c, |(_, letter)| letter);
        }
        _ => return c,
    };
    u8::try_from(at).map_or(c, |at| char::from(b'a' + at % 26))
}

/// Single letters that only dots divide, while they are folded.
#[derive(Default)]
struct Initials {
    /// The last word was a single letter, and one dot stands behind it.
    dotted: bool,
}

impl Initials {
    /// Ends the word that `out` ends with, if it does.
    fn divide(&mut self, out: &mut String, c: char) {
        if out.ends_with(' ') {
            self.dotted = false;
            return;
        }
        self.dotted = self.join(out) && c == '.';
        out.push(' ');
    }

    /// Joins a single letter to the one before; whether there was a single letter.
    fn join(&self, out: &mut String) -> bool {
        let is_single = match out.as_bytes() {
            [.., b' ', last] | [last] => last.is_ascii_lowercase(),
            _ => false,
        };
        if is_single && self.dotted && out.len() > 1 {
            out.remove(out.len() - 2);
        }
        is_single
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_of_every_script_have_their_value() {
        for (text, expected) in [
            ("9４٣", [9, 4, 3]),
            ("९𝟜³", [9, 4, 3]),
            ("①०߉", [1, 0, 9]),
            ("➒⑷⒊", [9, 4, 3]),
            ("❾➍\u{1CCF3}", [9, 4, 3]),
        ] {
            assert_eq!(text.chars().filter_map(value).collect::<Vec<u8>>(), expected);
        }
        assert!("aªÉ一½".chars().all(|c| value(c).is_none()));
    }

    #[test]
    fn the_table_is_in_order_and_its_blocks_do_not_overlap() {
        assert!(ZEROS.windows(2).all(|w| w[0] + 10 <= w[1]));
    }

    /// One character after another, as it is without a quicker way for plain text.
    fn by_characters(text: &str) -> String {
        let (mut out, mut initials) = (String::new(), Initials::default());
        text.chars().for_each(|c| fold_one(&mut out, c, &mut initials));
        initials.join(&mut out);
        out
    }

    proptest::proptest! {
        #[test]
        fn plain_text_taken_at_once_is_what_its_characters_are(text in "([A-Za-z0-9@`{\\[/: .,\u{A0}\u{AD}Ｎ９é]|[A-Z][.]|\\PC){0,700}") {
            let mut out = String::new();
            fold_into(&mut out, &text);
            assert_eq!(out, by_characters(&text));
            let mut spread = " ".to_owned();
            spread_into(&mut spread, &text);
            let words = |text: &str| text.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect::<Vec<_>>();
            assert_eq!(words(&spread), words(&out));
        }
    }

    #[test]
    fn folding_keeps_words_only() {
        let mut out = String::new();
        fold_into(&mut out, "ＮＨＳ\u{A0}N\u{AD}o.: “94３”");
        assert_eq!(out, "nhs no 943 ");
        for (text, folded) in [
            ("M D.O.B. 1", "m dob 1"),
            ("N.H.S.No", "nhs no"),
            ("J. A. Smith", "j a smith"),
            ("a.b", "ab"),
            ("1.2.3", "1 2 3"),
            ("𝗡𝗛𝗦 𝘯𝘶𝘮 ɴʜꜱ Ⓝⓗ🅂 Ｎｈ", "nhs num nhs nhs nh"),
            ("ΑΣΘΕΝΉΣ［９］𐐀İ", "ασθενήσ 9 𐐨i\u{307}"),
        ] {
            out.clear();
            fold_into(&mut out, text);
            assert_eq!(out, folded);
        }
    }
}

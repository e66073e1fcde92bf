//! Numbers that are shown in other characters than digits: spelled out, in Chinese, with letters that look like digits, from right to
//! left, and as addresses have them (`943%20476%205919`).
//!
//! Called by `looks` for each piece of text. Promises: one pass for a rare character or word each, and a closer look at what stands near
//! it; only what a label names may be believed. Fails never.

use super::damage;
use memchr::memmem;

/// Octets before and behind a label, or an escape, that are looked at.
const REACH: usize = 192;
/// Digits of a number.
const DIGITS: usize = 10;

/// How labels end, and how they may begin.
const LABELS: [(&str, [u8; 2]); 2] = [("HS", *b"NN"), ("hs", *b"nN")];
/// U+202E, the override, and what embeds and isolates text from right to left: U+202B, U+2067 (Unicode 16, UAX #9, 3.1).
const FROM_RIGHT: &str = "\u{202E}";
const WITHIN: [&str; 2] = ["\u{202B}", "\u{2067}"];

/// What stands near labels in other readings; nothing where a reading changes nothing.
#[derive(Debug, Default)]
pub(super) struct NearLabels {
    /// With everything that is a digit for a reader as one.
    pub spelled: Option<String>,
    /// With what damage put between digits as a blank.
    pub mended: Option<String>,
}

pub(super) fn near_labels(text: &str) -> NearLabels {
    let bytes = text.as_bytes();
    let begins = |at: &usize, first: [u8; 2]| *at > 0 && first.contains(&bytes[at - 1]);
    let of = |(end, first)| memmem::find_iter(bytes, end).filter(move |at| begins(at, first));
    let mut all: Vec<usize> = LABELS.into_iter().flat_map(of).collect();
    all.sort_unstable();
    let (mut spelled, mut mended) = (String::new(), String::new());
    for piece in windows(text, all.into_iter()) {
        for (all, read) in [(&mut spelled, digits_of(piece)), (&mut mended, damage::mended(piece))] {
            let Some(read) = read else { continue };
            all.push_str(&read);
            all.push_str("\n;\n");
        }
    }
    let [spelled, mended] = [spelled, mended].map(|near| Some(near).filter(|near| !near.is_empty()));
    NearLabels { spelled, mended }
}

/// What stands near escapes between digits, with these undone (RFC 3986 2.1); nothing where there are none.
pub(super) fn unescaped(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let is_within = |at: usize| {
        let is_digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
        let (before, behind) = (at.checked_sub(1).and_then(|at| bytes.get(at)), bytes.get(at + 3));
        let is_of_number =
            escape(bytes, at).is_some_and(|byte| byte.is_ascii_digit() || matches!(byte, b' ' | b'-' | b'.'));
        is_of_number && (is_digit(before) || before == Some(&b'=')) && (is_digit(behind) || behind == Some(&b'%'))
    };
    let mut near = String::new();
    for piece in windows(text, memchr::memchr_iter(b'%', bytes).filter(|at| is_within(*at))) {
        let (mut out, mut rest) = (Vec::with_capacity(piece.len()), piece.as_bytes());
        while let Some((first, behind)) = rest.split_first() {
            let code = escape(rest, 0);
            out.push(code.unwrap_or(*first));
            rest = if code.is_some() { rest.get(3..).unwrap_or_default() } else { behind };
        }
        near.push_str(&String::from_utf8_lossy(&out));
        near.push_str("\n;\n");
    }
    (!near.is_empty()).then_some(near)
}

/// The text with what stands from right to left as it is shown: its letters by an override, else its numbers; nothing where there is
/// none.
pub(super) fn turned(text: &str) -> Option<String> {
    let letters = |run: &str| run.chars().rev().collect();
    let numbers = |run: &str| {
        let words: Vec<&str> = run.split(' ').collect();
        let is_number = |word: &&str| word.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
        if words.iter().all(is_number) { words.into_iter().rev().collect::<Vec<_>>().join(" ") } else { run.to_owned() }
    };
    let mut out = turned_by(text, FROM_RIGHT, letters);
    for mark in WITHIN {
        out = turned_by(out.as_deref().unwrap_or(text), mark, numbers).or(out);
    }
    out
}

fn turned_by(text: &str, mark: &str, turn: impl Fn(&str) -> String) -> Option<String> {
    memmem::find(text.as_bytes(), mark.as_bytes())?;
    let mut pieces = text.split(mark);
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let end = piece.find(['\u{202C}', '\u{202D}', '\u{2069}', '\n', '\r', '\u{2029}']).unwrap_or(piece.len());
        let (run, rest) = piece.split_at(end);
        out.push_str(&turn(run));
        out.push_str(rest);
    }
    Some(out)
}

/// The octet that `%41` at `at` stands for.
fn escape(bytes: &[u8], at: usize) -> Option<u8> {
    let [b'%', high, low] = *bytes.get(at..at.checked_add(3)?)? else { return None };
    let value = char::from(high).to_digit(16)? << 4 | char::from(low).to_digit(16)?;
    u8::try_from(value).ok()
}

/// The pieces of text around the places, which are in order; places that are near one another share one, so that all together
/// are no longer than the text.
fn windows(text: &str, places: impl Iterator<Item = usize>) -> Vec<&str> {
    let mut ranges: Vec<std::ops::Range<usize>> = Vec::new();
    for at in places {
        let from = text.floor_char_boundary(at.saturating_sub(REACH));
        let to = text.ceil_char_boundary(at.saturating_add(REACH).min(text.len()));
        match ranges.last_mut() {
            Some(last) if from <= last.end => last.end = last.end.max(to),
            _ => ranges.push(from..to),
        }
    }
    ranges.into_iter().filter_map(|range| text.get(range)).collect()
}

/// A piece of text with its words as digits; nothing where none is, or where they are too few with all of them.
fn digits_of(text: &str) -> Option<String> {
    let mut out = Digits::default();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let is_word = |c: char| c.is_alphanumeric() || c == '|';
        let length = match is_word(first) {
            true => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
            false => first.len_utf8(),
        };
        let (piece, behind) = rest.split_at(length);
        out.add(piece, is_word(first));
        rest = behind;
    }
    (out.is_other && out.text.bytes().filter(u8::is_ascii_digit).count() >= DIGITS).then_some(out.text)
}

/// A piece of text while its words are read.
#[derive(Default)]
struct Digits {
    text: String,
    /// Some of it is not as it was.
    is_other: bool,
    /// How often the next digit stands.
    times: usize,
    /// The text ends with a word that was a digit, or with one character behind such a word.
    behind_word: Option<usize>,
}

impl Digits {
    fn add(&mut self, piece: &str, is_word: bool) {
        if !is_word {
            self.text.push_str(piece);
            return;
        }
        if let Some(times) = times(piece) {
            self.times = times;
            // The blank behind it divides.
            self.text.truncate(self.text.trim_end_matches(' ').len());
            return;
        }
        let times = std::mem::take(&mut self.times).max(1);
        if let Some(digit) = spelled_digit(piece) {
            // `nine four three` is one group, and so is `nine-four-three`.
            if let Some(end) = self.behind_word.filter(|end| matches!(self.text.get(*end..), Some(" " | "-"))) {
                self.text.truncate(end);
            }
            self.text.extend(std::iter::repeat_n(digit, times));
            self.behind_word = Some(self.text.len());
            self.is_other = true;
            return;
        }
        match looks(piece) {
            Some(digits) => {
                self.text.push_str(&digits);
                self.is_other = true;
            }
            None => self.text.push_str(piece),
        }
    }
}

fn times(word: &str) -> Option<usize> {
    const WORDS: [(&str, usize); 3] = [("double", 2), ("triple", 3), ("treble", 3)];
    WORDS.iter().find(|(own, _)| own.eq_ignore_ascii_case(word)).map(|(_, times)| *times)
}

fn spelled_digit(word: &str) -> Option<char> {
    const WORDS: [(&str, char); 14] = [
        ("zero", '0'),
        ("oh", '0'),
        ("nought", '0'),
        ("naught", '0'),
        ("nil", '0'),
        ("one", '1'),
        ("two", '2'),
        ("three", '3'),
        ("four", '4'),
        ("five", '5'),
        ("six", '6'),
        ("seven", '7'),
        ("eight", '8'),
        ("nine", '9'),
    ];
    WORDS.iter().find(|(own, _)| own.eq_ignore_ascii_case(word)).map(|(_, digit)| *digit)
}

/// The digits that a word looks like: one of Chinese numerals, or one of digits and letters like them.
fn looks(word: &str) -> Option<String> {
    const NUMERALS: [&str; 10] = ["〇零", "一壹", "二贰貳", "三叁參", "四肆", "五伍", "六陆陸", "七柒", "八捌", "九玖"];
    let numeral = |c: char| NUMERALS.iter().zip('0'..='9').find(|(all, _)| all.contains(c)).map(|(_, digit)| digit);
    if !word.is_ascii() {
        let all: Option<String> = word.chars().map(numeral).collect();
        if all.is_some() {
            return all;
        }
    }
    let alike = |c: char| match c {
        '0'..='9' => Some(c),
        'O' | 'o' | '\u{39F}' | '\u{3BF}' | '\u{41E}' | '\u{43E}' => Some('0'),
        'l' | 'I' | 'i' | '|' | '\u{406}' | '\u{456}' | '\u{2160}' => Some('1'),
        '\u{417}' | '\u{437}' => Some('3'),
        '\u{431}' => Some('6'),
        _ => None,
    };
    let has_both = word.bytes().any(|b| b.is_ascii_digit()) && word.chars().any(|c| !c.is_ascii_digit());
    if has_both { word.chars().map(alike).collect() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spelled(text: &str) -> Option<String> {
        near_labels(text).spelled
    }

    #[test]
    fn words_and_letters_near_a_label_are_digits() {
        for (text, expected) in [
            ("NHS number: nine four three, four seven six, five nine one nine", "943, 476, 5919"),
            ("NHS: nine double four oh 8 2 triple one, 12", "9440 8 2 111, 12"),
            ("nhs no Nine-Four-Three-Four-Seven-Six-Five-Nine-One-Nine.", "no 9434765919."),
            ("NHS number: 九四三 四七六 五九一九", "943 476 5919"),
            ("NHS number: 943 476 59l9", "943 476 5919"),
            ("943 476 59I9 is her NHS number", "943 476 5919 is"),
            ("NHS number: 9O4 476 5919", "904 476 5919"),
        ] {
            let found = spelled(text).unwrap_or_default();
            assert!(found.contains(expected), "{text}: {found}");
        }
        for text in
            ["NHS number: 943 476 5919", "one two three four five six seven eight nine zero", "The NHS is one of"]
        {
            assert_eq!(spelled(text), None, "{text}");
        }
    }

    #[test]
    fn escapes_between_digits_are_undone() {
        let found = unescaped("https://x.org/?nhs%20number=943%20476%205919&a=%C3").unwrap();
        assert!(found.contains("nhs number=943 476 5919"), "{found}");
        assert!(unescaped("nhs=%39%34%33%20476%205919").unwrap().contains("nhs=943 476 5919"));
        assert_eq!(unescaped("100% of 20%, a%20b, 12%2F34, 5%"), None);
    }

    #[test]
    fn decoys_before_it_crowd_nothing_out() {
        let filler = format!("The NHS trust. a=%39%34 {}", "x ".repeat(234)).repeat(400);
        let words = format!("{filler}NHS number: nine four three, four seven six, five nine one nine");
        assert!(spelled(&words).unwrap().contains("943, 476, 5919"));
        assert!(unescaped(&format!("{filler}nhs=943%20476%205919")).unwrap().contains("943 476 5919"));
    }

    #[test]
    fn an_override_turns_the_rest_of_its_line_round() {
        assert_eq!(turned("NHS \u{202E}9195 674 349\u{202C} x\n1").unwrap(), "NHS 943 476 5919\u{202C} x\n1");
        assert_eq!(turned("NHS \u{202D}943"), None);
        assert_eq!(turned("NHS \u{2067}5919 476 943\u{2069} x").unwrap(), "NHS 943 476 5919\u{2069} x");
        assert_eq!(turned("NHS \u{202B}a 943\u{202C}").unwrap(), "NHS a 943\u{202C}");
    }
}

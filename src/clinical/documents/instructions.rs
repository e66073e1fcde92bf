//! Fields of word processors: what an instruction comes to, where the document itself says it (ECMA-376 part 1, 17.16; RTF 1.9.1
//! and [MS-DOC] have the same instructions).
//!
//! Called by the readers of documents. Promises: no recursion; what is kept of a document's values is short. Fails never: an
//! instruction that is not understood comes to nothing, and what a document stored as its result stands.

mod arithmetic;
mod tokens;

use std::borrow::Cow;
use std::collections::BTreeMap;
use tokens::{Token, tokens};

/// Octets of a value that is kept: what is longer is whole where it stands.
const LONGEST: usize = 64;
/// Octets of an instruction.
pub(super) const INSTRUCTION: usize = 16_384;
/// Around the name of a value that may stand farther behind. Neither is a character.
const BEGIN: char = '\u{FDD0}';
const END: char = '\u{FDD1}';
/// What the number of a page is called; no bookmark is.
const PAGE: &str = " page";
/// Pages at which a document may start to count, and pages from each.
const STARTS: usize = 64;
const PAGES: u64 = 4;
/// A line of a header is shorter, and it has fewer of them.
const LINE: usize = 512;
const LINES: usize = 64;
/// Instructions that carry data of other programmes, as long as that may be, and those that are not read by their words.
const CARRIERS: &[&str] = &["ADDIN", "DATABASE", "EQ"];

/// What a document says of itself.
#[derive(Debug, Default)]
pub(super) struct Values {
    /// Properties, variables and bookmarks, each by its kind and name.
    named: BTreeMap<String, String>,
    sequences: BTreeMap<String, u64>,
    /// The numbers of first pages.
    pages: Vec<u64>,
    /// Something was more, or longer, than is looked at.
    is_cut: bool,
}

/// Where a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Property,
    Variable,
    Bookmark,
}

/// What an instruction comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Outcome {
    pub text: String,
    /// A programme shows it as soon as it opens the document; others once it updates its fields.
    pub is_live: bool,
}

impl Values {
    pub fn set(&mut self, kind: Kind, name: &str, value: &str) {
        if value.len() <= LONGEST && name.len() <= LONGEST {
            self.named.insert(key(kind, name), value.trim().to_owned());
        }
    }

    /// A section counts its pages from that number.
    pub fn starts_at_page(&mut self, page: u64) {
        if self.pages.contains(&page) {
            return;
        }
        match self.pages.len() {
            ..STARTS => self.pages.push(page),
            _ => self.cut(),
        }
    }

    /// Not all that the document says of its fields is known.
    pub fn cut(&mut self) {
        self.is_cut = true;
    }

    /// Whether something was more, or longer, than is looked at: it is told once.
    pub fn take_cut(&mut self) -> bool {
        std::mem::take(&mut self.is_cut)
    }

    /// What stands for the number of a page until it is known where pages start.
    pub fn page() -> String {
        format!("{BEGIN}{PAGE}{END}")
    }

    fn get(&self, kind: Kind, name: &str) -> Option<String> {
        self.named.get(&key(kind, name)).cloned()
    }

    /// What the instruction comes to; nothing where only the result that is stored tells.
    pub fn outcome(&mut self, instruction: &str) -> Option<Outcome> {
        let trimmed = instruction.trim();
        let fitting = trimmed.get(..trimmed.floor_char_boundary(INSTRUCTION)).unwrap_or_default();
        let all = tokens(fitting);
        let (name, rest) = all.split_first()?;
        let is_cut = fitting.len() < trimmed.len() || all.len() > tokens::MOST;
        let is_carrier = || CARRIERS.contains(&name.text.to_ascii_uppercase().as_str()) || name.text.starts_with('=');
        self.is_cut |= is_cut && !is_carrier();
        let live = |text: Option<String>| text.map(|text| Outcome { text, is_live: true });
        let updated = |text: Option<String>| text.map(|text| Outcome { text, is_live: false });
        let first = rest.first().filter(|token| !token.is_switch);
        match name.text.to_ascii_uppercase().as_str() {
            "SYMBOL" => live(symbol(rest)),
            "MACROBUTTON" | "GOTOBUTTON" => live(Some(behind_two_words(fitting).to_owned())),
            "EQ" => live(Some(equation(fitting))),
            "LISTNUM" => live(switch(rest, "s").map(|start| format!("{start})"))),
            "PAGE" if is_arabic(rest) && !self.pages.is_empty() => live(Some(Values::page())),
            "QUOTE" => updated(Some(rest.iter().take_while(|t| !t.is_switch).map(|t| t.text.as_str()).collect())),
            "IF" => updated(condition(rest)),
            "SEQ" if is_arabic(rest) => updated(self.sequence(rest)),
            "SET" => updated(self.bookmark(rest)),
            "REF" if is_text(rest) => updated(first.map(|name| format!("{BEGIN}{}{END}", name.text))),
            "DOCPROPERTY" | "INFO" => updated(self.get(Kind::Property, &first?.text)),
            "DOCVARIABLE" => updated(self.get(Kind::Variable, &first?.text)),
            "DATE" | "TIME" | "CREATEDATE" | "SAVEDATE" | "PRINTDATE" => updated(picture(switch(rest, "@")?)),
            property @ ("TITLE" | "SUBJECT" | "AUTHOR" | "KEYWORDS" | "COMMENTS" | "LASTSAVEDBY") => {
                updated(first.map(|own| own.text.clone()).or_else(|| self.get(Kind::Property, property)))
            }
            formula if formula.starts_with('=') => updated(calculated(fitting, rest)),
            _ => updated(self.get(Kind::Bookmark, &name.text)),
        }
    }

    /// ECMA-376 part 1, 17.16.5.56.
    fn sequence(&mut self, rest: &[Token]) -> Option<String> {
        let name = rest.first()?.text.to_lowercase();
        let count = self.sequences.entry(name).or_default();
        *count = match switch(rest, "r").and_then(|start| start.parse().ok()) {
            Some(start) => start,
            None if has(rest, "c") => *count,
            None => count.saturating_add(1),
        };
        Some(if has(rest, "h") { String::new() } else { count.to_string() })
    }

    /// ECMA-376 part 1, 17.16.5.57: gives a name to a text, and shows nothing.
    fn bookmark(&mut self, rest: &[Token]) -> Option<String> {
        let [name, value, ..] = rest else { return None };
        self.set(Kind::Bookmark, &name.text, &value.text);
        Some(String::new())
    }

    /// The text with what stood farther behind in it; lines that show the number of a page, as the first pages have them.
    pub fn resolved(&mut self, text: &str) -> String {
        let first = self.pages.first().copied().unwrap_or(1);
        let mut resolved = self.at_page(text, first);
        let shows_page = |line: &&str| line.contains(PAGE) && line.contains(BEGIN);
        // With what it refers to in it, too, it is a line.
        let is_short = |line: &&str| line.len() <= LINE && self.at_page(line, first).len() <= LINE;
        let (mut lines, long): (Vec<&str>, Vec<&str>) = text.lines().filter(shows_page).partition(is_short);
        let is_cut = !long.is_empty() || lines.len() > LINES;
        lines.truncate(LINES);
        let later = self.pages.iter().flat_map(|start| (0..PAGES).map(|more| start.saturating_add(more)));
        for page in later.skip(1) {
            for line in &lines {
                resolved.push_str(&self.at_page(line, page));
                resolved.push_str("\n;\n");
            }
        }
        self.is_cut |= is_cut;
        resolved
    }

    /// The text of a bookmark with what is known of those that it refers to; as it is where it is long.
    pub fn referred<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if text.len() > LONGEST || !is_open(text) { text.into() } else { self.at_page(text, 1).into() }
    }

    fn at_page(&self, text: &str, page: u64) -> String {
        let mut pieces = text.split(BEGIN);
        let mut out = pieces.next().unwrap_or_default().to_owned();
        for piece in pieces {
            let (name, rest) = piece.split_once(END).unwrap_or(("", piece));
            match name {
                PAGE => out.push_str(&page.to_string()),
                name => out.push_str(self.named.get(&key(Kind::Bookmark, name)).map_or("", String::as_str)),
            }
            out.push_str(rest);
        }
        out
    }
}

/// Whether a text has something in it that stands farther behind.
pub(super) fn is_open(text: &str) -> bool {
    text.contains(BEGIN)
}

/// Names of documents have no case.
fn key(kind: Kind, name: &str) -> String {
    format!("{kind:?} {}", name.trim().to_lowercase())
}

fn has(tokens: &[Token], letter: &str) -> bool {
    tokens.iter().any(|token| token.is_switch && token.text.eq_ignore_ascii_case(letter))
}

/// What stands behind a switch.
fn switch<'t>(tokens: &'t [Token], letter: &str) -> Option<&'t str> {
    let at = tokens.iter().position(|token| token.is_switch && token.text.eq_ignore_ascii_case(letter))?;
    tokens.get(at + 1).filter(|token| !token.is_switch).map(|token| token.text.as_str())
}

/// Whether a number is written in digits (17.16.4.3.1).
fn is_arabic(tokens: &[Token]) -> bool {
    const OTHERS: &[&str] = &["roman", "alphabetic", "cardtext", "dollartext", "ordtext", "hex"];
    let form = switch(tokens, "*").unwrap_or_default().to_ascii_lowercase();
    !OTHERS.contains(&form.as_str())
}

/// Whether a reference is to a text, and not to where it stands.
fn is_text(tokens: &[Token]) -> bool {
    !["n", "r", "w", "p", "t", "f"].iter().any(|letter| has(tokens, letter))
}

/// 17.16.5.62: a character by its number; fonts of signs have digits at other places.
fn symbol(rest: &[Token]) -> Option<String> {
    let number = &rest.first()?.text;
    let code = match number.strip_prefix("0x").or_else(|| number.strip_prefix("0X")) {
        Some(hex) => u32::from_str_radix(hex, 16).ok()?,
        None => number.parse().ok()?,
    };
    let font = switch(rest, "f").unwrap_or_default();
    signed(font, code).or_else(|| char::from_u32(code)).filter(|c| !c.is_control()).map(String::from)
}

/// Symbol fonts have their characters in a private area, in the order of ASCII.
pub(super) fn sign(c: char) -> char {
    match c {
        // Digits in circles, white and black.
        '\u{F080}'..='\u{F089}' => char::from_digit(c as u32 - 0xF080, 10).unwrap_or(c),
        '\u{F08B}'..='\u{F094}' => char::from_digit(c as u32 - 0xF08B, 10).unwrap_or(c),
        '\u{F020}'..='\u{F07E}' => char::from_u32(c as u32 - 0xF000).unwrap_or(c),
        c => c,
    }
}

/// Digits in circles, as fonts of signs have them.
pub(super) fn signed(font: &str, code: u32) -> Option<char> {
    const ZEROS: &[(&str, u32)] =
        &[("wingdings", 0x80), ("wingdings", 0x8B), ("wingdings 2", 0x69), ("wingdings 2", 0x74)];
    let octet = if (0xF000..=0xF0FF).contains(&code) { code - 0xF000 } else { code };
    let font = font.trim().to_ascii_lowercase();
    let digit = |(name, zero): &(&str, u32)| octet.checked_sub(*zero).filter(|digit| *digit < 10 && *name == font);
    ZEROS.iter().find_map(digit).and_then(|digit| char::from_digit(digit, 10))
}

/// 17.16.5.32: what a button is called.
fn behind_two_words(instruction: &str) -> &str {
    let rest = instruction.trim_start().split_once(char::is_whitespace).map_or("", |(_, rest)| rest.trim_start());
    rest.split_once(char::is_whitespace).map_or("", |(_, rest)| rest.trim())
}

/// 17.16.5.19: what is drawn, without how: `\x(9)`.
fn equation(instruction: &str) -> String {
    let mut out = String::new();
    let mut rest = instruction.trim_start().get(2..).unwrap_or_default();
    while let Some(c) = rest.chars().next() {
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
        match c {
            '\\' => rest = rest.trim_start_matches(|c: char| c.is_ascii_alphanumeric()),
            '(' | ')' => {}
            ',' | ';' => out.push(' '),
            c => out.push(c),
        }
    }
    out.trim().to_owned()
}

/// 17.16.5.22. What cannot be compared comes to what the document says.
fn condition(rest: &[Token]) -> Option<String> {
    let [left, operator, right, yes, behind @ ..] = rest else { return None };
    let no = behind.first().filter(|token| !token.is_switch).map(|token| token.text.as_str()).unwrap_or_default();
    let (left, right) = (left.text.trim(), right.text.trim());
    let order = match (left.parse::<f64>(), right.parse::<f64>()) {
        (Ok(left), Ok(right)) => left.partial_cmp(&right)?,
        _ => left.cmp(right),
    };
    let holds = match operator.text.as_str() {
        "=" => order.is_eq(),
        "<>" => order.is_ne(),
        "<" => order.is_lt(),
        "<=" => order.is_le(),
        ">" => order.is_gt(),
        ">=" => order.is_ge(),
        _ => return None,
    };
    Some(if holds { yes.text.clone() } else { no.to_owned() })
}

/// A formula of numbers (17.16.3), with digits of its picture's own where it has some.
fn calculated(instruction: &str, rest: &[Token]) -> Option<String> {
    if let Some(own) = switch(rest, "#").and_then(picture) {
        return Some(own);
    }
    let formula = instruction.trim_start().strip_prefix('=')?;
    arithmetic::value(formula.split('\\').next()?)
}

/// The digits that a picture of a date or a number has of its own (17.16.4.1 and 17.16.4.2).
fn picture(picture: &str) -> Option<String> {
    let is_own = |c: &char| !c.is_alphabetic() && !matches!(c, '\'' | '#');
    let own: String = picture.chars().filter(is_own).collect();
    own.chars().any(|c| matches!(c, '1'..='9')).then(|| own.trim().to_owned())
}

#[cfg(test)]
mod tests;

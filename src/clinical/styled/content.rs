//! Values of CSS that make text: strings, attributes, counters, quotation marks and variables (CSS 2.2, 12; Variables 1, 3).
//!
//! Part of `styled`. Promises: what comes out of one value is hardly longer than `LONGEST`; no more variables are put into one than
//! `DEPTH`. Fails never: what is not understood makes no text.

use super::tree::{Node, Tree};
use std::collections::BTreeMap;

/// Octets that one value may become.
const LONGEST: usize = 1_024;
const DEPTH: usize = 64;
/// Counters of one page.
const COUNTERS: usize = 256;
/// Quotations inside one another.
const QUOTES: usize = 64;

/// What values refer to.
#[derive(Debug, Default)]
pub(super) struct Context {
    counters: BTreeMap<String, i64>,
    /// The variables of the open elements, the innermost last.
    pub variables: Vec<[String; 2]>,
    quoted: usize,
}

impl Context {
    /// The value with its variables in place.
    pub fn resolved(&self, value: &str, tree: &Tree) -> String {
        let mut value = value.to_owned();
        for _ in 0..DEPTH {
            let Some(at) = value.find("var(").filter(|_| tree.spend(self.variables.len() + value.len() / 8)) else {
                break;
            };
            let inside = value.get(at + 4..).unwrap_or_default();
            let end = closing(inside);
            let (name, fallback) = inside
                .get(..end)
                .unwrap_or_default()
                .split_once(',')
                .map_or_else(|| (inside.get(..end).unwrap_or_default(), ""), |(name, fallback)| (name, fallback));
            let own = self.variables.iter().rev().find(|[own, _]| own == name.trim()).map(|[_, own]| own.as_str());
            let behind = inside.get(end + 1..).unwrap_or_default();
            value = format!("{}{}{behind}", value.get(..at).unwrap_or_default(), own.unwrap_or(fallback));
            if value.len() > LONGEST {
                break;
            }
        }
        value
    }

    /// `counter-reset: a 943 b`; `usual` is the number of one that has none.
    pub fn set(&mut self, value: &str, usual: i64) {
        self.each(value, usual, |_, number| number);
    }

    pub fn increment(&mut self, value: &str) {
        self.each(value, 1, i64::saturating_add);
    }

    fn each(&mut self, value: &str, usual: i64, change: fn(i64, i64) -> i64) {
        let mut words = value.split_ascii_whitespace().take(COUNTERS).peekable();
        while let Some(name) = words.next() {
            let number = words.peek().and_then(|word| word.parse().ok());
            if number.is_some() {
                words.next();
            }
            if self.counters.len() < COUNTERS || self.counters.contains_key(name) {
                let counter = self.counters.entry(name.to_owned()).or_default();
                *counter = change(*counter, number.unwrap_or(usual));
            }
        }
    }

    /// The text of `content`, its variables in place, for the element; `quotes` are its marks.
    pub fn text(&mut self, value: &str, node: &Node, quotes: &str) -> String {
        let (mut out, mut rest) = (String::new(), value.trim_start());
        let marks = if value.contains("quote") || value.contains("QUOTE") { strings(quotes) } else { Vec::new() };
        while !rest.is_empty() && out.len() < LONGEST {
            let (piece, behind) = match rest.as_bytes().first() {
                Some(b'"' | b'\'') => string(rest),
                // What stands behind is read out, and not shown.
                Some(b'/') => break,
                _ => self.word(rest, node, &marks),
            };
            out.push_str(&piece);
            rest = behind.trim_start();
        }
        out
    }

    fn word<'v>(&mut self, value: &'v str, node: &Node, marks: &[String]) -> (String, &'v str) {
        let length = value.find(|c: char| !(c.is_alphanumeric() || c == '-')).unwrap_or(value.len());
        let (name, rest) = value.split_at(length);
        let Some(inside) = rest.strip_prefix('(') else {
            let first = rest.chars().next().filter(|_| length == 0).map_or(0, char::len_utf8);
            return (self.quote(name, marks), rest.get(first..).unwrap_or_default());
        };
        let (arguments, behind) = inside.split_at(closing(inside));
        let first = arguments.split([',', ' ']).next().unwrap_or_default().trim();
        let text = match name.to_ascii_lowercase().as_str() {
            "attr" => node.attribute(&first.to_ascii_lowercase()).unwrap_or_default().to_owned(),
            "counter" | "counters" => {
                let number = self.counters.get(first).copied().unwrap_or(0);
                if arguments.contains("decimal-leading-zero") { format!("{number:02}") } else { number.to_string() }
            }
            _ => String::new(),
        };
        (text, behind.get(1..).unwrap_or_default())
    }

    /// CSS 2.2, 12.3.2.
    fn quote(&mut self, word: &str, marks: &[String]) -> String {
        match word.to_ascii_lowercase().as_str() {
            "no-open-quote" | "open-quote" => self.quoted = (self.quoted + 1).min(QUOTES),
            "no-close-quote" | "close-quote" => {}
            _ => return String::new(),
        }
        let level = self.quoted.saturating_sub(1);
        let is_end = word.to_ascii_lowercase().ends_with("close-quote");
        if is_end {
            self.quoted = level;
        }
        let last = marks.len().checked_sub(2).map_or(0, |last| last / 2);
        let mark = marks.get(2 * level.min(last) + usize::from(is_end)).cloned();
        mark.filter(|_| !word.to_ascii_lowercase().starts_with("no-")).unwrap_or_default()
    }
}

/// All strings of a value.
pub(super) fn strings(value: &str) -> Vec<String> {
    let (mut all, mut rest) = (Vec::new(), value);
    while let Some(at) = rest.find(['"', '\'']).filter(|_| all.len() < QUOTES) {
        let (text, behind) = string(rest.get(at..).unwrap_or_default());
        all.push(text);
        rest = behind;
    }
    all
}

/// The string at the start, its escapes undone (CSS Syntax 3, 4.3.7), and what is behind it.
fn string(value: &str) -> (String, &str) {
    let mut characters = value.chars();
    let quote = characters.next();
    let mut out = String::new();
    while let Some(c) = characters.next().filter(|c| Some(*c) != quote) {
        if c != '\\' {
            out.push(c);
            continue;
        }
        let (c, behind) = escaped(characters.as_str());
        out.extend(c);
        characters = behind.chars();
    }
    (out, characters.as_str())
}

/// What the escape behind a backslash stands for, and what is behind it: a line that goes on is nothing.
pub(super) fn escaped(rest: &str) -> (Option<char>, &str) {
    let hex = rest.bytes().take(6).take_while(u8::is_ascii_hexdigit).count();
    let code = u32::from_str_radix(rest.get(..hex).unwrap_or_default(), 16);
    let Some(c) = code.ok().and_then(char::from_u32) else {
        let mut characters = rest.chars();
        return (characters.next().filter(|c| *c != '\n'), characters.as_str());
    };
    let behind = rest.get(hex..).unwrap_or_default();
    (Some(c), behind.strip_prefix([' ', '\n', '\t']).unwrap_or(behind))
}

/// A name, its escapes undone.
pub(super) fn unescaped(name: &str) -> String {
    let (mut out, mut rest) = (String::with_capacity(name.len()), name);
    while let Some((before, behind)) = rest.split_once('\\') {
        out.push_str(before);
        let (c, behind) = escaped(behind);
        out.extend(c);
        rest = behind;
    }
    out + rest
}

/// Where the bracket closes that is open before `text`.
fn closing(text: &str) -> usize {
    let mut open = 1usize;
    let end = text.bytes().position(|byte| {
        match byte {
            b'(' => open += 1,
            b')' => open -= 1,
            _ => {}
        }
        open == 0
    });
    end.unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::super::tree;
    use super::*;

    #[test]
    fn values_become_text() {
        let (mut context, tree) = (Context::default(), tree::of("", 10_000));
        context.variables = vec![["--a".to_owned(), "\"x\"".to_owned()], ["--b".to_owned(), "var(--a)".to_owned()]];
        context.set("n 943 m", 0);
        context.increment("m n -1");
        let node = Node { attributes: vec![["title".to_owned(), "t1".to_owned()]], ..Node::default() };
        for (value, expected) in [
            ("\"94\" '3\\34 7' / \"alt\"", "94347"),
            ("attr(TITLE) \" \" counter(n) counters(m, '.', decimal-leading-zero)", "t1 94201"),
            ("var(--b) var(--c, \"y\") var(--a)", "xyx"),
            ("open-quote open-quote close-quote close-quote", "<()>"),
            ("none", ""),
            ("var(--d) url(x) \"z\"", "z"),
        ] {
            let value = context.resolved(value, &tree);
            assert_eq!(context.text(&value, &node, "'<' '>' '(' ')'"), expected, "{value}");
        }
    }

    #[test]
    fn variables_that_refer_to_themselves_end() {
        let variables = vec![["--a".to_owned(), "var(--a) var(--a)".to_owned()]];
        let context = Context { variables, ..Context::default() };
        assert!(context.resolved("var(--a)", &tree::of("", 10_000)).len() < 4 * LONGEST);
    }
}

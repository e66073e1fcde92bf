//! The words of a field's instruction (ECMA-376 part 1, 17.16.2).
//!
//! Called by `instructions`. Promises: linear, so many words and no more. Fails never: a quotation that does not end ends with the
//! instruction.

/// Words that are looked at; one more says that there are more.
pub(super) const MOST: usize = 64;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub text: String,
    /// `\r`, without its backslash.
    pub is_switch: bool,
}

pub(super) fn tokens(instruction: &str) -> Vec<Token> {
    let (mut tokens, mut rest) = (Vec::new(), instruction.trim_start());
    while let Some(first) = rest.chars().next().filter(|_| tokens.len() <= MOST) {
        let inner = rest.get(first.len_utf8()..).unwrap_or_default();
        let (text, behind) = match first {
            '"' | '\u{201C}' | '\u{201D}' => quoted(inner),
            '\\' => split_at(inner, inner.chars().next().map_or(0, char::len_utf8)),
            _ => split_at(rest, rest.find(char::is_whitespace).unwrap_or(rest.len())),
        };
        tokens.push(Token { text, is_switch: first == '\\' });
        rest = behind.trim_start();
    }
    tokens
}

fn split_at(text: &str, at: usize) -> (String, &str) {
    text.split_at_checked(at).map_or_else(|| (text.to_owned(), ""), |(word, rest)| (word.to_owned(), rest))
}

/// Up to the next mark that no backslash stands before.
fn quoted(text: &str) -> (String, &str) {
    let (mut out, mut is_escaped) = (String::new(), false);
    for (at, c) in text.char_indices() {
        match c {
            '"' | '\u{201C}' | '\u{201D}' if !is_escaped => return (out, &text[at + c.len_utf8()..]),
            '\\' if !is_escaped => {
                is_escaped = true;
                continue;
            }
            c => out.push(c),
        }
        is_escaped = false;
    }
    (out, "")
}

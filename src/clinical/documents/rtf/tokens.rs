//! The tokens of RTF: groups, control words, control symbols, octets of text.
//!
//! Called by `rtf`. Promises: every octet is looked at once; no octet between tokens is lost. Fails never: what is no control word
//! is text.

use memchr::memchr3;

/// Longest name and longest number of a control word: RTF 1.9.1 allows 32 letters, and no number is longer than that of an i32.
const LONGEST: usize = 32;
const DIGITS: usize = 11;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'a> {
    Open,
    Close,
    /// `\name` or `\nameN`.
    Word(&'a [u8], Option<i32>),
    /// `\` and something that is no letter.
    Symbol(u8),
    /// `\'hh`
    Octet(u8),
    /// Text as it stands; line ends in it are nothing.
    Text(&'a [u8]),
    /// `\binN` and what belongs to it.
    Binary(&'a [u8]),
}

pub(super) struct Tokens<'a> {
    rest: &'a [u8],
    /// False: data was announced that is not there.
    pub sound: bool,
}

impl<'a> Tokens<'a> {
    pub fn of(bytes: &'a [u8]) -> Tokens<'a> {
        Tokens { rest: bytes, sound: true }
    }

    fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at(count.min(self.rest.len()));
        self.rest = rest;
        taken
    }

    fn control(&mut self) -> Token<'a> {
        let letters = self.rest.iter().take(LONGEST).take_while(|b| b.is_ascii_alphabetic()).count();
        if letters == 0 {
            return self.symbol();
        }
        let name = self.take(letters);
        let number = self.number();
        if self.rest.first() == Some(&b' ') {
            self.take(1);
        }
        match number {
            Some(octets) if name == b"bin" => self.binary(octets),
            number => Token::Word(name, number),
        }
    }

    fn number(&mut self) -> Option<i32> {
        let sign = usize::from(self.rest.first() == Some(&b'-'));
        let digits = self.rest.iter().skip(sign).take(DIGITS).take_while(|b| b.is_ascii_digit()).count();
        if digits == 0 {
            return None;
        }
        let written = std::str::from_utf8(self.take(sign + digits)).ok()?;
        let bounded = written.parse::<i64>().ok()?.clamp(i64::from(i32::MIN), i64::from(i32::MAX));
        i32::try_from(bounded).ok()
    }

    /// More than there is would make text of whatever reader does not believe it.
    fn binary(&mut self, octets: i32) -> Token<'a> {
        let octets = usize::try_from(octets).unwrap_or(0);
        self.sound &= octets <= self.rest.len();
        let there = if octets <= self.rest.len() { octets } else { 0 };
        Token::Binary(self.take(there))
    }

    fn symbol(&mut self) -> Token<'a> {
        let hex = |at: usize| self.rest.get(at).and_then(|b| char::from(*b).to_digit(16));
        match (self.rest.first(), hex(1), hex(2)) {
            (Some(b'\''), Some(high), Some(low)) => {
                self.take(3);
                Token::Octet(u8::try_from(high * 16 + low).unwrap_or_default())
            }
            (Some(symbol), ..) => {
                self.take(1);
                Token::Symbol(*symbol)
            }
            (None, ..) => Token::Text(b""),
        }
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        let token = match self.rest.first()? {
            b'{' => Token::Open,
            b'}' => Token::Close,
            b'\\' => {
                self.take(1);
                return Some(self.control());
            }
            _ => {
                let end = memchr3(b'{', b'}', b'\\', self.rest).unwrap_or(self.rest.len());
                return Some(Token::Text(self.take(end)));
            }
        };
        self.take(1);
        Some(token)
    }
}

#[cfg(test)]
mod tests {
    use super::{Token, Tokens};

    #[test]
    fn control_words_end_with_one_blank() {
        let all: Vec<Token<'_>> = Tokens::of(b"{\\rtf1\\u-3913 ?\\'e9\\~x\\bin3 }}}  }\\b").collect();
        let expected = [
            Token::Open,
            Token::Word(b"rtf", Some(1)),
            Token::Word(b"u", Some(-3913)),
            Token::Text(b"?"),
            Token::Octet(0xE9),
            Token::Symbol(b'~'),
            Token::Text(b"x"),
            Token::Binary(b"}}}"),
            Token::Text(b"  "),
            Token::Close,
            Token::Word(b"b", None),
        ];
        assert_eq!(all, expected);
    }

    #[test]
    fn what_is_wrong_loses_nothing() {
        let mut tokens = Tokens::of(b"\\bin99999999999 943\\'zz\\");
        assert_eq!(tokens.next(), Some(Token::Binary(b"")));
        assert!(!tokens.sound);
        let rest: Vec<Token<'_>> = tokens.collect();
        assert_eq!(rest, [Token::Text(b"943"), Token::Symbol(b'\''), Token::Text(b"zz"), Token::Text(b"")]);
    }
}

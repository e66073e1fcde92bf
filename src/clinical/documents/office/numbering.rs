//! Numbers that a programme counts while it shows a text: of paragraphs and of pages (ECMA-376 part 1, 17.9, 17.6.12).
//!
//! Called by `reader`. Promises: the first number of each level is told as it is shown. Fails never: what counts to numbers that
//! could be an identifier is said.

use super::xml::Element;

/// Levels of a list (17.9.6).
const LEVELS: usize = 9;
/// Digits that are enough to make a number of.
const DIGITS: usize = 3;
/// No list that people write starts here.
const HIGH: u64 = 1_000;

/// The levels of the list that is read.
#[derive(Default)]
pub(super) struct Numbering {
    starts: [u64; LEVELS],
    level: usize,
}

/// What an element of a list says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Counted {
    /// The first number, as it is shown.
    pub text: Option<String>,
    /// Nobody knows here what it counts to.
    pub is_unread: bool,
}

impl Numbering {
    /// One element of a part.
    pub fn element(&mut self, element: &Element<'_, '_>) -> Counted {
        let number = |name: &str| element.attribute(name).and_then(|value| value.trim().parse::<u64>().ok());
        match element.local {
            "abstractNum" => *self = Numbering::default(),
            "lvl" => self.level = number("ilvl").and_then(|level| usize::try_from(level).ok()).unwrap_or_default(),
            "start" | "startOverride" => return self.starts_at(number("val").unwrap_or_default()),
            "pgNumType" => return Counted { is_unread: number("start") >= Some(HIGH), text: None },
            "lvlText" => return self.shown(&element.attribute("val").unwrap_or_default()),
            _ => {}
        }
        Counted::default()
    }

    fn starts_at(&mut self, start: u64) -> Counted {
        if let Some(level) = self.starts.get_mut(self.level) {
            *level = start;
        }
        Counted { is_unread: start >= HIGH, text: None }
    }

    /// `%1` stands for the number of the first level (17.9.11).
    fn shown(&self, pattern: &str) -> Counted {
        let mut pieces = pattern.split('%');
        let mut text = pieces.next().unwrap_or_default().to_owned();
        let mut own = text.clone();
        for piece in pieces {
            let level = piece.chars().next().and_then(|c| c.to_digit(10)).and_then(|level| level.checked_sub(1));
            let start = level.and_then(|level| self.starts.get(usize::try_from(level).ok()?));
            let rest = piece.get(usize::from(start.is_some())..).unwrap_or_default();
            text.push_str(&start.map(u64::to_string).unwrap_or_default());
            text.push_str(rest);
            own.push_str(rest);
        }
        let is_unread = own.bytes().filter(u8::is_ascii_digit).count() >= DIGITS;
        Counted { text: Some(text), is_unread }
    }
}

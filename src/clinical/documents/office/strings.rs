//! The table of strings of a spreadsheet (ECMA-376 part 1, 18.4): cells refer to what is in it.
//!
//! Called by `reader`. Promises: what is long is told in a cell once, so that a small file cannot say much again and again. Fails
//! never: what is not there is said by `is_missing`.

/// A string longer than this is told in one cell; it is told by itself anyway.
const LONG: usize = 128;

/// The strings, in order.
#[derive(Default)]
pub(super) struct Strings {
    text: String,
    /// Where each begins and ends; nothing once a long one was told.
    ranges: Vec<Option<std::ops::Range<usize>>>,
    is_missing: bool,
}

impl Strings {
    pub fn push(&mut self, text: &str) {
        let start = self.text.len();
        self.text.push_str(text);
        self.ranges.push(Some(start..self.text.len()));
    }

    /// The string of that number; nothing where the number is none.
    pub fn get(&mut self, index: &str) -> Option<&str> {
        self.at(index.trim().parse().unwrap_or(usize::MAX))
    }

    /// The same, where the number is one.
    pub fn at(&mut self, index: usize) -> Option<&str> {
        let Some(range) = self.ranges.get_mut(index) else {
            self.is_missing = true;
            return None;
        };
        let Some(found) = range.clone() else { return Some("…") };
        if found.len() > LONG {
            *range = None;
        }
        self.text.get(found)
    }

    /// Whether a cell referred to a string that is not there.
    pub fn is_missing(&self) -> bool {
        self.is_missing
    }
}

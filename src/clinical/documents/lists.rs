//! Lists that a word processor counts: the number that it shows before a paragraph (ECMA-376 part 1, 17.9; [MS-DOC] 2.4.6.3; RTF
//! 1.9.1, list tables).
//!
//! Called by the readers of documents. Promises: so many lists and no more, which is said by `is_full`; each label is short. Fails never: a paragraph of a list that
//! is not known has no label.

use std::collections::{BTreeMap, BTreeSet};

/// Levels of a list (17.9.6).
pub(super) const LEVELS: usize = 9;
/// Lists that are kept.
const MOST: usize = 65_536;
/// Characters of a label's pattern.
const PATTERN: usize = 64;

/// How a number is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Form {
    #[default]
    Decimal,
    /// With so many digits at least.
    Padded(usize),
    Hexadecimal,
    /// In letters, or not at all.
    NoDigits,
}

/// One level of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Level {
    pub start: u64,
    pub form: Form,
    /// What is shown: U+0000 stands for the number of the first level, and so on.
    pub pattern: String,
    /// What stands between the label and the text.
    pub behind: &'static str,
}

impl Default for Level {
    fn default() -> Level {
        Level { start: 0, form: Form::Decimal, pattern: String::new(), behind: "\t" }
    }
}

/// A list as it is defined.
type Levels = [Level; LEVELS];

/// A list as it is used: several may count one definition.
#[derive(Debug, Default)]
struct Used {
    definition: i64,
    starts: [Option<u64>; LEVELS],
    levels: BTreeMap<usize, Level>,
}

/// The lists of a document, and how far each has come.
#[derive(Debug, Default)]
pub(super) struct Lists {
    defined: BTreeMap<i64, Levels>,
    used: BTreeMap<i64, Used>,
    counts: BTreeMap<i64, [Option<u64>; LEVELS]>,
    begun: BTreeSet<i64>,
    is_full: bool,
}

impl Lists {
    /// A level of a definition.
    pub fn define(&mut self, definition: i64, level: usize) -> Option<&mut Level> {
        if self.defined.len() >= MOST && !self.defined.contains_key(&definition) {
            self.is_full = true;
            return None;
        }
        self.defined.entry(definition).or_default().get_mut(level)
    }

    /// A list uses a definition.
    pub fn uses(&mut self, list: i64, definition: i64) {
        if let Some(used) = self.used_by(list) {
            used.definition = definition;
        }
    }

    /// A list starts a level where it wants.
    pub fn starts(&mut self, list: i64, level: usize, start: u64) {
        if let Some(place) = self.used_by(list).and_then(|used| used.starts.get_mut(level)) {
            *place = Some(start);
        }
    }

    /// A list has a level of its own.
    pub fn own_level(&mut self, list: i64, level: usize) -> Option<&mut Level> {
        let used = self.used_by(list).filter(|_| level < LEVELS)?;
        Some(used.levels.entry(level).or_default())
    }

    fn used_by(&mut self, list: i64) -> Option<&mut Used> {
        if self.used.len() >= MOST && !self.used.contains_key(&list) {
            self.is_full = true;
            return None;
        }
        Some(self.used.entry(list).or_default())
    }

    /// Whether there were more lists than are kept.
    pub fn is_full(&self) -> bool {
        self.is_full
    }

    /// The definition that a list uses.
    pub fn definition(&self, list: i64) -> Option<i64> {
        self.used.get(&list).map(|used| used.definition)
    }

    /// The label of the next paragraph of that list and level, and what stands behind it; nothing where it has no digit.
    pub fn label(&mut self, list: i64, level: usize) -> Option<String> {
        let used = self.used.get(&list)?;
        let levels = self.defined.get(&used.definition)?;
        let own = |at: usize| used.levels.get(&at).or(levels.get(at));
        let counts = self.counts.entry(used.definition).or_default();
        if self.begun.insert(list) {
            counts.iter_mut().zip(used.starts).for_each(|(count, start)| *count = count.filter(|_| start.is_none()));
        }
        let first = |at: usize| used.starts.get(at).copied().flatten().or(own(at).map(|level| level.start));
        for at in 0..=level.min(LEVELS - 1) {
            let count = counts.get_mut(at)?;
            *count = match count {
                Some(count) if at == level => Some(count.saturating_add(1)),
                Some(count) => Some(*count),
                None => first(at),
            };
        }
        counts.iter_mut().skip(level.saturating_add(1)).for_each(|count| *count = None);
        let shown = own(level)?;
        let mut label = String::new();
        for c in shown.pattern.chars().take(PATTERN) {
            match usize::try_from(u32::from(c)).ok().filter(|at| *at < LEVELS) {
                Some(at) => label.push_str(&written(counts[at].unwrap_or_default(), own(at)?.form)),
                None => label.push(c),
            }
        }
        label.push_str(shown.behind);
        label.bytes().any(|byte| byte.is_ascii_digit()).then_some(label)
    }
}

fn written(number: u64, form: Form) -> String {
    match form {
        Form::Decimal => number.to_string(),
        Form::Padded(digits) => format!("{number:0digits$}"),
        Form::Hexadecimal => format!("{number:X}"),
        Form::NoDigits => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lists() -> Lists {
        let mut lists = Lists::default();
        for (level, pattern) in ["\u{0}.", "\u{0}.\u{1}"].into_iter().enumerate() {
            let defined = lists.define(1, level).unwrap();
            (defined.start, defined.pattern, defined.behind) = (94, pattern.to_owned(), " ");
        }
        lists.uses(5, 1);
        lists
    }

    #[test]
    fn labels_are_counted_by_level() {
        let mut lists = lists();
        let mut label = |level| lists.label(5, level).unwrap();
        assert_eq!([label(0), label(0), label(1), label(1)], ["94. ", "95. ", "95.94 ", "95.95 "]);
        assert_eq!([label(0), label(1)], ["96. ", "96.94 "], "a deeper level begins again");
        assert_eq!(lists.label(6, 0), None);
        assert_eq!(lists.label(5, 99), None);
    }

    #[test]
    fn a_list_goes_on_where_another_was_or_starts_by_itself() {
        let mut lists = lists();
        lists.uses(6, 1);
        lists.uses(7, 1);
        lists.starts(7, 0, 943);
        let mut label = |list| lists.label(list, 0).unwrap();
        assert_eq!([label(5), label(6), label(7), label(7), label(6)], ["94. ", "95. ", "943. ", "944. ", "945. "]);
    }

    #[test]
    fn forms_without_digits_have_no_label() {
        let mut lists = lists();
        lists.define(1, 0).unwrap().form = Form::NoDigits;
        assert_eq!(lists.label(5, 0), None);
        lists.define(1, 0).unwrap().form = Form::Padded(3);
        assert_eq!(lists.label(5, 0).unwrap(), "095. ");
    }
}

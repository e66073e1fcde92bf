//! Lists whose numbers a programme counts while it shows them: of OpenDocument (1.3 part 3, 5.3 and 16.31), and of DrawingML
//! (ECMA-376 part 1, 21.1.2.4.1).
//!
//! Called by `reader`. Promises: so many lists and levels, and no more. Fails never: a list that is not known counts from one.

use super::xml::Element;
use std::collections::BTreeMap;

/// Styles of lists that are kept, their levels, and lists inside one another.
const MOST: usize = 2_000;
const LEVELS: usize = 10;
const DEEPEST: usize = 64;
/// Digits before or behind a number that no list of chapters has.
const DIGITS: usize = 3;

/// How the numbers of each level look.
#[derive(Debug, Default)]
pub(super) struct ListStyles {
    styles: BTreeMap<String, [Option<Level>; LEVELS]>,
    current: String,
}

#[derive(Debug, Clone, Default)]
struct Level {
    start: u64,
    prefix: String,
    suffix: String,
}

impl ListStyles {
    /// What defines the numbers of a list in OpenDocument.
    pub fn element(&mut self, element: &Element<'_, '_>) {
        let attribute = |name: &str| element.attribute(name).unwrap_or_default();
        match element.local {
            "list-style" => self.current = attribute("name"),
            "list-level-style-number" if attribute("num-format") == "1" && self.styles.len() < MOST => {
                let level = attribute("level").parse::<usize>().unwrap_or(1).saturating_sub(1);
                let start = attribute("start-value").parse().unwrap_or(1);
                let style = Level { start, prefix: attribute("num-prefix"), suffix: attribute("num-suffix") };
                let levels = self.styles.entry(self.current.clone()).or_default();
                if let Some(slot) = levels.get_mut(level) {
                    *slot = Some(style);
                }
            }
            _ => {}
        }
    }
}

/// The lists that are open, and the number that the next text has before it.
#[derive(Debug, Default)]
pub(super) struct Lists {
    open: Vec<List>,
    /// Of DrawingML: by its level, where the last paragraph's list began and how far it is.
    counted: [Option<(u64, u64)>; LEVELS],
    level: usize,
    /// How the text says that paragraphs of each level are counted (21.1.2.4.12), and whether the paragraph says so itself.
    styled: [Option<Counted>; LEVELS],
    is_said: bool,
    next: Option<Number>,
}

/// How paragraphs of DrawingML are counted (21.1.2.4.1).
#[derive(Debug, Clone, Copy)]
struct Counted {
    start: u64,
    is_arabic: bool,
}

impl Counted {
    fn of(element: &Element<'_, '_>) -> Counted {
        let start = element.attribute("startAt").and_then(|start| start.trim().parse::<u64>().ok()).unwrap_or(1);
        Counted { start, is_arabic: element.attribute("type").is_none_or(|kind| kind.starts_with("arabic")) }
    }
}

#[derive(Debug, Default)]
struct List {
    style: String,
    count: Option<u64>,
}

/// The number before a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Number {
    pub text: String,
    /// Whether it says something by itself.
    pub tells: bool,
}

impl Lists {
    pub fn begin(&mut self, element: &Element<'_, '_>) {
        let style = element.attribute("style-name");
        let style = style.or_else(|| self.open.last().map(|outer| outer.style.clone())).unwrap_or_default();
        if self.open.len() < DEEPEST {
            self.open.push(List { style, count: None });
        }
    }

    pub fn end(&mut self) {
        self.open.pop();
        self.next = None;
    }

    /// An item, and the number that it says itself.
    pub fn item(&mut self, element: &Element<'_, '_>, styles: &ListStyles) {
        let level = self.open.len().saturating_sub(1);
        let Some(list) = self.open.last_mut() else { return };
        let Some(style) = styles.styles.get(&list.style).and_then(|levels| levels.get(level)?.as_ref()) else { return };
        let said = element.attribute("start-value").and_then(|value| value.trim().parse::<u64>().ok());
        let counted = list.count.map_or(style.start, |count| count.saturating_add(1));
        let count = said.unwrap_or(counted);
        list.count = Some(count);
        let around = format!("{}{}", style.prefix, style.suffix);
        let tells = around.bytes().filter(u8::is_ascii_digit).count() >= DIGITS;
        self.next = Some(Number { text: format!("{}{count}{} ", style.prefix, style.suffix), tells });
    }

    /// Properties of a paragraph of DrawingML.
    pub fn paragraph(&mut self, element: &Element<'_, '_>) {
        let level = element.attribute("lvl").and_then(|level| level.trim().parse::<usize>().ok());
        self.level = level.unwrap_or_default().min(LEVELS - 1);
    }

    /// A paragraph of DrawingML begins.
    pub fn begin_paragraph(&mut self) {
        (self.level, self.is_said, self.next) = (0, false, None);
    }

    /// The paragraph says itself what stands before it.
    pub fn said(&mut self) {
        self.is_said = true;
    }

    /// A paragraph of DrawingML that is counted.
    pub fn counted(&mut self, element: &Element<'_, '_>) {
        self.is_said = true;
        self.count(Counted::of(element));
    }

    /// Paragraphs of a level are counted, by its element in the style of the text.
    pub fn style(&mut self, level: &str, element: &Element<'_, '_>) {
        let number = level.strip_prefix("lvl").and_then(|rest| rest.strip_suffix("pPr")).and_then(|n| n.parse().ok());
        if let Some(slot) = number.and_then(|number: usize| self.styled.get_mut(number.checked_sub(1)?)) {
            *slot = Some(Counted::of(element));
        }
    }

    fn count(&mut self, Counted { start, is_arabic }: Counted) {
        let Some(slot) = self.counted.get_mut(self.level) else { return };
        let count = slot.filter(|(began, _)| *began == start).map_or(start, |(_, count)| count.saturating_add(1));
        *slot = Some((start, count));
        self.next = Some(Number { text: format!("{count} "), tells: false }).filter(|_| is_arabic);
    }

    /// Another text begins, whose lists count anew.
    pub fn anew(&mut self) {
        (self.counted, self.styled) = Default::default();
        (self.is_said, self.next) = (true, None);
    }

    /// The number before that text, if the two may be one.
    pub fn before(&mut self, text: &str) -> Option<Number> {
        let first = text.trim_start().chars().next()?;
        if let Some(styled) = self.styled.get(self.level).copied().flatten().filter(|_| !self.is_said) {
            self.said();
            self.count(styled);
        }
        self.next.take().filter(|number| number.tells || crate::clinical::digit(first).is_some())
    }
}

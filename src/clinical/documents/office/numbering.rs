//! Numbers that a programme counts while it shows a text: of paragraphs, pages, lines and notes (ECMA-376 part 1, 17.9, 17.6, 17.11).
//!
//! Called by `reader`. Promises: the number of a paragraph stands before it where digits are beside it. Fails never: a pattern
//! whose own digits could be an identifier is said.

use super::super::lists::{Form, Level, Lists};
use super::xml::Element;
use std::collections::BTreeMap;

/// Digits that are enough to make a number of.
const DIGITS: usize = 3;

/// The lists of a document, and the place in their definitions that is read.
#[derive(Default)]
pub(super) struct Numbering {
    lists: Lists,
    definition: Option<i64>,
    list: i64,
    level: usize,
    /// The list and the level of each style.
    styles: BTreeMap<String, Place>,
    /// Definitions that are those of a style's list (17.9.21).
    links: BTreeMap<i64, String>,
    /// Of the paragraph that is read.
    place: Place,
    style: Option<String>,
}

/// Where in its lists a paragraph is.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Place {
    list: Option<i64>,
    level: Option<usize>,
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
        let number = |name: &str| element.attribute(name).and_then(|value| value.trim().parse::<i64>().ok());
        let value = || element.attribute("val").unwrap_or_default();
        match element.local {
            "abstractNum" => self.definition = number("abstractNumId"),
            "num" => (self.definition, self.list) = (None, number("numId").unwrap_or_default()),
            "abstractNumId" => self.lists.uses(self.list, number("val").unwrap_or_default()),
            "lvl" | "lvlOverride" => {
                self.level = number("ilvl").and_then(|level| usize::try_from(level).ok()).unwrap_or_default();
            }
            "start" | "startOverride" => {
                self.starts_at(element.local, number("val").unwrap_or_default().unsigned_abs());
            }
            "numFmt" => {
                let form = form(&value(), element.attribute("format").as_deref());
                self.change(|level| level.form = form);
            }
            "suff" => {
                let behind = behind(&value());
                self.change(|level| level.behind = behind);
            }
            "numStyleLink" => self.links.extend(self.definition.map(|definition| (definition, value()))),
            "lvlText" => return self.shown(&value()),
            _ => {}
        }
        Counted::default()
    }

    fn change(&mut self, change: impl FnOnce(&mut Level)) {
        if let Some(level) = self.level_at(self.level) {
            change(level);
        }
    }

    fn starts_at(&mut self, local: &str, start: u64) {
        match local {
            "start" => self.change(|level| level.start = start),
            _ => self.lists.starts(self.list, self.level, start),
        }
    }

    /// `%1` stands for the number of the first level (17.9.11).
    fn shown(&mut self, pattern: &str) -> Counted {
        let mut pieces = pattern.split('%');
        let mut own = pieces.next().unwrap_or_default().to_owned();
        let (mut marked, mut text) = (own.clone(), own.clone());
        for piece in pieces {
            let level = piece.chars().next().and_then(|c| c.to_digit(10)).and_then(|level| level.checked_sub(1));
            let mark = level.and_then(char::from_u32);
            let rest = piece.get(usize::from(mark.is_some())..).unwrap_or_default();
            marked.extend(mark);
            text.extend(mark.map(|mark| self.start_of(mark as usize).to_string()));
            [&mut marked, &mut text, &mut own].into_iter().for_each(|text| text.push_str(rest));
        }
        self.change(|level| level.pattern = marked);
        let is_unread = own.bytes().filter(u8::is_ascii_digit).count() >= DIGITS;
        Counted { text: Some(text), is_unread }
    }

    fn start_of(&mut self, level: usize) -> u64 {
        self.level_at(level).map_or(0, |level| level.start)
    }

    fn level_at(&mut self, level: usize) -> Option<&mut Level> {
        match self.definition {
            Some(definition) => self.lists.define(definition, level),
            None => self.lists.own_level(self.list, level),
        }
    }

    /// A paragraph begins.
    pub fn begin_paragraph(&mut self) {
        (self.place, self.style) = (Place::default(), None);
    }

    /// What a paragraph, or a style, says of the list that it is in (17.3.1.19).
    pub fn placed(&mut self, element: &Element<'_, '_>) {
        let number = element.attribute("val").and_then(|value| value.trim().parse::<i64>().ok());
        match element.local {
            "numId" => self.place.list = number,
            "ilvl" => self.place.level = number.and_then(|level| usize::try_from(level).ok()),
            _ => {}
        }
    }

    pub fn has_style(&mut self, style: &str) {
        self.style = Some(style.to_owned());
    }

    /// The properties of a style have ended.
    pub fn end_style(&mut self, name: &str) {
        let place = std::mem::take(&mut self.place);
        if place.list.is_some() {
            self.styles.insert(name.to_owned(), place);
        }
    }

    /// The properties of a paragraph have ended: its label, where it has one. `styles`: its own and those from which it is derived.
    pub fn label<'s>(&mut self, styles: impl Iterator<Item = &'s str>) -> Option<String> {
        let mut place = std::mem::take(&mut self.place);
        let of_style =
            if self.styles.is_empty() { None } else { styles.filter_map(|name| self.styles.get(name)).next() };
        if let Some(of_style) = of_style {
            place.list = place.list.or(of_style.list);
            place.level = place.level.or(of_style.level);
        }
        self.lists.label(self.linked(place.list?), place.level.unwrap_or_default())
    }

    /// The list whose definition is used.
    fn linked(&self, list: i64) -> i64 {
        let style = self.lists.definition(list).and_then(|definition| self.links.get(&definition));
        style.and_then(|style| self.styles.get(style)?.list).unwrap_or(list)
    }

    /// Whether there were more lists than are kept.
    pub fn is_full(&self) -> bool {
        self.lists.is_full()
    }

    pub fn style(&self) -> Option<&str> {
        self.style.as_deref()
    }
}

/// 17.18.59: whether a number is written in digits.
fn form(name: &str, custom: Option<&str>) -> Form {
    match name {
        "decimalZero" => Form::Padded(2),
        "hex" => Form::Hexadecimal,
        "bullet" | "none" | "cardinalText" | "ordinalText" => Form::NoDigits,
        "custom" => {
            Form::Padded(custom.and_then(|form| form.split(',').next()).map_or(1, |form| form.trim().len().min(8)))
        }
        name if name.starts_with("decimal") || name.starts_with("number") || name == "ordinal" => Form::Decimal,
        _ => Form::NoDigits,
    }
}

/// 17.9.28.
fn behind(name: &str) -> &'static str {
    match name {
        "nothing" => "",
        "space" => " ",
        _ => "\t",
    }
}

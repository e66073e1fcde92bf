//! What style sheets declare for one element, and for what they write before and behind it.
//!
//! Part of `styled`. Promises: linear in what is declared. Fails never.

use super::places::Valued;
use super::selector::Part;
use super::sheet::{Declaration, Declared};

/// What hides an element with all that is in it.
const GONE: &[&str] = &[
    "display",
    "opacity",
    "font-size",
    "font",
    "height",
    "max-height",
    "left",
    "right",
    "top",
    "text-indent",
    "mso-hide",
    "clip",
    "clip-path",
    "transform",
];

/// What is declared for an element, and for what is written before it, behind it and as its mark.
#[derive(Debug, Default)]
pub(super) struct Style {
    pub own: Declarations,
    pub before: Declarations,
    pub after: Declarations,
    pub marker: Declarations,
}

/// What is declared for one box, what counts most last.
#[derive(Debug, Default)]
pub(super) struct Declarations {
    all: Vec<Declaration>,
    important: Vec<Declaration>,
    /// Nobody here can tell whether some of it is, and it matters.
    pub is_unsure: bool,
}

impl Style {
    /// What is declared from the one that counts least to the one that counts most; an element's own last.
    pub fn add(&mut self, declared: &Declared<'_>) {
        let own = match declared.part {
            Part::Itself => &mut self.own,
            Part::Before => &mut self.before,
            Part::After => &mut self.after,
            Part::Marker => &mut self.marker,
        };
        own.all.extend_from_slice(&declared.block.usual);
        own.important.extend_from_slice(&declared.block.important);
        own.is_unsure |= declared.is_unsure;
    }

    pub fn each(&mut self) -> [&mut Declarations; 4] {
        [&mut self.own, &mut self.before, &mut self.after, &mut self.marker]
    }
}

impl Declarations {
    /// Now all of it is known.
    pub fn settle(&mut self) {
        self.all.append(&mut self.important);
    }

    pub fn iter(&self) -> impl Iterator<Item = &Declaration> {
        self.all.iter()
    }

    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut String> {
        self.all.iter_mut().filter(|[name, _]| !name.starts_with("--")).map(|[_, value]| value)
    }

    pub fn variables(&self) -> impl Iterator<Item = &Declaration> {
        self.all.iter().filter(|[name, _]| name.starts_with("--"))
    }

    pub fn is(&self, property: &str, expected: &str) -> bool {
        self.value(property).is_some_and(|value| value.eq_ignore_ascii_case(expected))
    }

    /// What is unseen may hold what is seen: that is another matter.
    pub fn is_gone(&self) -> bool {
        let is_relative = self.begins("position", &["relative"]);
        let hides = |name: &&&str| self.value(name).is_some_and(|value| super::hidden_by(value).contains(*name));
        // From where it would be, that is not so far away.
        GONE.iter().filter(hides).any(|name| !(is_relative && matches!(*name, "left" | "right" | "top")))
    }

    pub fn is_reversed(&self) -> bool {
        self.latest(&["flex-direction", "flex-flow"]).is_some_and(|(_, value)| value.contains("-reverse"))
    }

    /// Whether a programme of the sheet's moves it.
    pub fn is_animated(&self) -> bool {
        self.latest(&["animation", "animation-name"]).is_some_and(|(_, value)| !super::places::begins(value, &["none"]))
    }
}

impl Valued for Declarations {
    fn latest(&self, properties: &[&str]) -> Option<(&str, &str)> {
        let found = self.all.iter().rev().find(|[name, _]| properties.contains(&name.as_str()));
        found.map(|[name, value]| (name.as_str(), value.as_str()))
    }
}

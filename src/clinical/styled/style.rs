//! What style sheets declare for one element, and for what they write before and behind it.
//!
//! Part of `styled`. Promises: linear in what is declared. Fails never.

use super::places::Valued;
use super::selector::Part;
use super::sheet::Declaration;

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

/// What is declared for an element.
#[derive(Debug, Default)]
pub(super) struct Style {
    pub own: Vec<Declaration>,
    pub before: Option<String>,
    pub after: Option<String>,
    pub marker: Option<String>,
}

impl Style {
    pub fn add(&mut self, part: Part, declared: &[Declaration]) {
        let content = || declared.iter().rev().find(|[name, _]| name == "content").map(|[_, value]| value.clone());
        match part {
            Part::Itself => self.own.extend_from_slice(declared),
            Part::Before => self.before = content().or(self.before.take()),
            Part::After => self.after = content().or(self.after.take()),
            Part::Marker => self.marker = content().or(self.marker.take()),
        }
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
        ["flex-direction", "flex-flow"].iter().any(|name| self.value(name).is_some_and(|v| v.contains("-reverse")))
    }
}

impl Valued for Style {
    /// The last value of a property.
    fn value(&self, property: &str) -> Option<&str> {
        self.own.iter().rev().find(|[name, _]| name == property).map(|[_, value]| value.as_str())
    }
}

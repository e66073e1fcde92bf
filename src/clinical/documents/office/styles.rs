//! The styles of a document that hide text (ECMA-376 part 1, 17.7; OpenDocument 1.3 part 3, 16.2): parts refer to what is in
//! another.
//!
//! Called by `reader`. Promises: so many styles and no more, chains of them only so long. Fails never: more styles than are kept
//! are said by `is_full`.

use super::data_styles::DataStyles;
use super::frame_places::FramePlace;
use super::held::Held;
use super::lists::ListStyles;
use super::number_formats::NumberFormats;
use super::xml::Element;
use std::collections::{BTreeMap, BTreeSet};

/// Styles that are kept.
const MOST: usize = 4_096;
/// Styles derived one from another.
const CHAIN: usize = 16;

/// The styles, each by its family and its name.
#[derive(Default)]
pub(super) struct Styles {
    /// Of the numbers of a workbook.
    pub numbers: NumberFormats,
    /// Of the numbers of lists in OpenDocument.
    pub lists: ListStyles,
    /// The number of the first slide, where a presentation says one, and which slide is read.
    pub first_slide: Option<u64>,
    pub slide: u64,
    /// Of the values of an OpenDocument.
    pub data: DataStyles,
    hidden: BTreeSet<String>,
    /// Those whose tables are read from the right.
    turned: BTreeSet<String>,
    /// Those whose paragraphs are frames, by their names.
    framed: BTreeMap<String, FramePlace>,
    /// How those hold their frames that say so.
    held: BTreeMap<String, Held>,
    /// Those that show what the style hides from which they are derived.
    shown: BTreeSet<String>,
    /// What each is derived from.
    parents: BTreeMap<String, String>,
    family: String,
    current: String,
    is_full: bool,
    /// Whether something was added since all were looked at.
    has_new: bool,
}

impl Styles {
    /// The definition of a style begins.
    pub fn begin(&mut self, element: &Element<'_, '_>) {
        let (mut name, mut parent) = (String::new(), None);
        self.family.clear();
        element.attributes(|attribute, value| match attribute {
            "styleId" | "name" => value.clone_into(&mut name),
            "type" | "family" => value.clone_into(&mut self.family),
            "parent-style-name" => parent = Some(value.to_owned()),
            _ => {}
        });
        self.current = format!("{} {name}", self.family);
        if let Some(parent) = parent {
            self.derive_from(&parent);
        }
    }

    /// What the style is derived from.
    pub fn derive(&mut self, element: &Element<'_, '_>) {
        if let Some(parent) = element.attribute("val") {
            self.derive_from(&parent);
        }
    }

    fn derive_from(&mut self, parent: &str) {
        let parent = format!("{} {parent}", self.family);
        if self.has_room() {
            self.parents.insert(self.current.clone(), parent);
        }
    }

    /// The style hides its text.
    pub fn hide(&mut self) {
        if self.has_room() {
            self.hidden.insert(self.current.clone());
        }
    }

    /// The style shows its text, whatever it is derived from.
    pub fn show(&mut self) {
        if self.has_room() {
            self.shown.insert(self.current.clone());
        }
    }

    /// The style has its tables read from the right.
    pub fn turn(&mut self) {
        if self.has_room() {
            self.turned.insert(self.current.clone());
        }
    }

    /// The paragraphs of the style stand in frames.
    pub fn frames(&mut self, place: FramePlace) {
        let name = self.current().to_owned();
        self.is_full |= self.framed.len() >= MOST;
        if !self.is_full {
            self.framed.insert(name, place);
        }
    }

    /// The style holds its frames in that way.
    pub fn hold(&mut self, held: Held) {
        self.is_full |= self.held.len() >= MOST;
        if !self.is_full {
            self.held.insert(self.current.clone(), held);
        }
    }

    /// How a style of frames holds them, or those from which it is derived.
    pub fn held(&self, name: &str) -> Held {
        let mut held = Held::default();
        let mut style = (!self.held.is_empty()).then(|| format!("graphic {name}"));
        for _ in 0..CHAIN {
            let Some(name) = style else { break };
            held = self.held.get(&name).map_or_else(|| held.clone(), |other| held.clone().or(other));
            style = self.parents.get(&name).cloned();
        }
        held
    }

    /// Where paragraphs of a style stand, if they are frames.
    pub fn frame_of(&self, style: &str) -> Option<FramePlace> {
        if self.framed.is_empty() {
            return None;
        }
        self.chain(style).find_map(|style| self.framed.get(style)).cloned()
    }

    /// Whether a style of tables has them read from the right.
    pub fn is_turned(&self, name: &str) -> bool {
        let mut style = (!self.turned.is_empty()).then(|| format!("table {name}"));
        for _ in 0..CHAIN {
            match style {
                Some(name) if self.turned.contains(&name) => return true,
                name => style = name.and_then(|name| self.parents.get(&name).cloned()),
            }
        }
        false
    }

    fn has_room(&mut self) -> bool {
        self.is_full |= self.hidden.len().max(self.parents.len()).max(self.shown.len()).max(self.turned.len()) >= MOST;
        self.has_new = true;
        !self.is_full
    }

    /// All were read: what is derived from a hidden one is hidden.
    pub fn settle(&mut self) {
        if !std::mem::take(&mut self.has_new) {
            return;
        }
        let is_hidden = |style: &String| {
            let mut style = Some(style);
            for _ in 0..CHAIN {
                match style {
                    Some(name) if self.hidden.contains(name) => return true,
                    Some(name) if self.shown.contains(name) => return false,
                    name => style = name.and_then(|name| self.parents.get(name)),
                }
            }
            false
        };
        let derived: Vec<String> = self.parents.keys().filter(|style| is_hidden(style)).cloned().collect();
        self.hidden.extend(derived);
    }

    pub fn hide_any(&self) -> bool {
        !self.hidden.is_empty() || !self.parents.is_empty()
    }

    pub fn is_hidden(&self, family: &str, name: &str) -> bool {
        if !self.hide_any() {
            return false;
        }
        let hides = |style: String| {
            self.hidden.contains(&style) || self.parents.get(&style).is_some_and(|parent| self.hidden.contains(parent))
        };
        // A style may say of no family that it is its own.
        hides(format!("{family} {name}")) || hides(format!(" {name}"))
    }

    /// The name of the style that is defined.
    pub fn current(&self) -> &str {
        self.current.split_once(' ').map_or("", |(_, name)| name)
    }

    /// The names of a paragraph's style and of those from which it is derived.
    pub fn chain<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'s str> {
        let parent = |name: &&'s str| {
            let parent = self.parents.get(&format!("paragraph {name}"))?;
            parent.split_once(' ').map(|(_, name)| name)
        };
        std::iter::successors(Some(name), parent).take(CHAIN)
    }

    /// Whether there were more than are kept.
    pub fn is_full(&self) -> bool {
        self.is_full
    }
}

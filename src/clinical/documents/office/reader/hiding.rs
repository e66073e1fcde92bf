//! What is not shown, or only by some: alternatives, hidden runs, styles that hide what they are given to.
//!
//! Called by `reader`. Promises: what is hidden is in the reading in which nothing is left out, and what is shown in those that show
//! it. Fails never.

use super::super::flow::Readings;
use super::super::held::Held;
use super::super::roles::Role;
use super::super::xml::Element;
use super::Reader;

impl<'a> Reader<'a, '_> {
    /// The first alternative that a programme of today knows is shown; programmes that know less show others.
    pub fn alternative(&mut self, is_known: bool) {
        let Some(alternatives) = self.frames.last_mut().filter(|frame| frame.role == Role::Alternatives) else {
            return;
        };
        let is_shown = is_known && !alternatives.is_settled;
        alternatives.is_settled |= is_known;
        self.readings = self.readings.and(if is_shown { Readings::SHOWN } else { Readings::OTHER });
    }

    /// A run whose own properties say so is hidden (17.3.2.41), to its end; or a style hides what it is given to.
    pub fn vanish(&mut self, element: &Element<'a, '_>) {
        let is_off = element.attribute("val").is_some_and(|val| matches!(val.as_str(), "0" | "false" | "off"));
        if self.frames.iter().rev().nth(1).is_some_and(|frame| frame.role == Role::Style) {
            return if is_off { self.styles.show() } else { self.styles.hide() };
        }
        if let Some([run, properties]) = self.frames.last_chunk_mut::<2>()
            && run.role == Role::Run
        {
            let readings = if is_off { run.outside } else { self.readings.and(Readings::HIDDEN) };
            self.readings = readings;
            properties.outside = readings;
        }
    }

    /// A run that nobody sees on the page: white, as small as a dot, or hidden on the web (17.3.2.6, 17.3.2.38, 17.3.2.44).
    pub fn faint(&mut self, element: &Element<'a, '_>) {
        let value = element.attribute("val").unwrap_or_default();
        let is_faint = match element.local {
            "color" => is_white(&value) || element.attribute("themeColor").is_some_and(|name| is_background(&name)),
            "sz" => value.parse::<f64>().is_ok_and(|half_points| half_points <= DOT),
            _ => !matches!(value.as_str(), "0" | "false" | "off"),
        };
        if let Some([run, properties]) = self.frames.last_chunk_mut::<2>()
            && is_faint
            && run.role == Role::Run
        {
            self.readings = self.readings.and(Readings::UNSEEN);
            properties.outside = self.readings;
        }
    }

    /// A run or a paragraph whose style hides it (17.3.2.29, 17.3.1.27).
    pub fn styled(&mut self, element: &Element<'a, '_>) {
        let family = if element.local == "pStyle" { "paragraph" } else { "character" };
        let style = element.attribute("val").unwrap_or_default();
        let is_hidden = self.styles.is_hidden(family, &style);
        if family == "paragraph" {
            self.counts.numbering.has_style(&style);
            self.frame_of_style(&style);
        }
        if let Some([_, properties]) = self.frames.last_chunk_mut::<2>().filter(|_| is_hidden) {
            self.readings = self.readings.and(Readings::HIDDEN);
            properties.outside = properties.outside.and(Readings::HIDDEN);
        }
    }

    /// A span, or a paragraph, whose style hides it.
    pub fn span(&mut self, element: &Element<'a, '_>, family: &str) {
        let hides = |style: String| self.styles.is_hidden(family, &style);
        if self.styles.hide_any() && element.attribute("style-name").is_some_and(hides) {
            self.readings = self.readings.and(Readings::HIDDEN);
        }
    }

    /// Remembers styles that hide text (OpenDocument 1.3 part 3, 20.418).
    pub fn style_of(&mut self, element: &Element<'a, '_>) {
        self.styles.data.element(element);
        match element.local {
            "style" => self.styles.begin(element),
            "text-properties" if is_hidden(element) => self.styles.hide(),
            "graphic-properties" => {
                if let Some(held) = Held::of(element) {
                    self.styles.hold(held);
                }
            }
            _ => {}
        }
    }
}

/// Half-points of letters that nobody can read.
const DOT: f64 = 4.0;

/// Whether letters of that colour are as white as paper.
fn is_white(colour: &str) -> bool {
    colour.len() == 6 && colour.as_bytes().chunks(2).all(|part| matches!(part.first(), Some(b'F' | b'f')))
}

fn is_background(theme: &str) -> bool {
    matches!(theme, "background1" | "light1" | "bg1" | "lt1")
}

fn is_hidden(element: &Element<'_, '_>) -> bool {
    element.attribute("display").is_some_and(|display| display == "none")
}

//! Content controls of Word (ECMA-376 part 1, 17.5.2): what they show is the value that they are bound to, or the name of what was chosen.
//!
//! Called by `reader`. Promises: so many names of a list, and a control inside another one goes with it. Fails never: a control that is bound to
//! nothing that is there shows what is written down in it; figures that it may show in more than two ways are said.

use super::super::flow::SOFT;
use super::super::xml::Element;
use super::Reader;
use crate::clinical::documents::side_by_side::is_piece;

/// Names of lists that are kept at once, and octets of one.
const MOST: usize = 20_000;
const LONGEST: usize = 256;

/// The controls that are open.
#[derive(Default)]
pub(super) struct Controls {
    open: Vec<Control>,
    /// Names of all their lists.
    names: usize,
}

#[derive(Default)]
struct Control {
    /// Its list (17.5.2.21): what of each is shown, and what is kept.
    list: Vec<[String; 2]>,
    values: Vec<String>,
    /// In how deep a story what it shows begins, and where.
    start: Option<(usize, usize)>,
}

impl Control {
    /// What it shows: a value in its list by its name.
    fn shown(&self) -> Vec<String> {
        let named = |value: &String| {
            let names = self.list.iter().filter(|[_, kept]| kept == value).map(|[name, _]| name.clone());
            names.chain([value.clone()]).next().unwrap_or_default()
        };
        self.values.iter().map(named).collect()
    }
}

impl<'a> Reader<'a, '_> {
    /// An element of a control, or of its properties.
    pub fn of_control(&mut self, element: &Element<'a, '_>) {
        let value = |name: &str| element.attribute(name).filter(|value| value.len() <= LONGEST);
        if element.local == "sdt" {
            return self.controls.open.push(Control::default());
        }
        let Some(control) = self.controls.open.last_mut() else { return };
        match element.local {
            "dataBinding" => {
                let path = element.attribute("xpath").unwrap_or_default();
                control.values = self.counts.bound.values(&path);
            }
            "dropDownList" | "comboBox" if control.values.is_empty() => control.values.extend(value("lastValue")),
            "listItem" if self.controls.names < MOST => {
                let kept = value("value").or_else(|| value("displayText")).unwrap_or_default();
                control.list.push([value("displayText").unwrap_or_else(|| kept.clone()), kept]);
                self.controls.names += 1;
            }
            "sdtContent" => control.start = Some((self.flow.depth(), self.flow.len())),
            _ => {}
        }
    }

    /// The same has ended.
    pub fn end_control(&mut self, local: &str) {
        match local {
            "sdtContent" => self.show_control(),
            "sdt" => {
                let names = self.controls.open.pop().map_or(0, |control| control.list.len());
                self.controls.names = self.controls.names.saturating_sub(names);
            }
            _ => {}
        }
    }

    fn show_control(&mut self) {
        let depth = self.flow.depth();
        let Some(control) = self.controls.open.last_mut() else { return };
        let Some((_, start)) = control.start.take().filter(|(own, _)| *own == depth) else { return };
        let values = control.shown();
        let (Some(first), Some(last)) = (values.first(), values.last()) else { return };
        let is_end = |c: char| matches!(c, '\n' | '\t' | SOFT);
        let written = self.flow.shown().get(start..).unwrap_or_default();
        let start = start + (written.len() - written.trim_start_matches(is_end).len());
        let written = written.trim_matches(is_end);
        // More than two may be shown, and two are told.
        if values.len() > 2 && values.iter().filter(|value| is_piece(value)).count() > 2 {
            self.unread.insert("content control");
        }
        if [first, last].iter().any(|value| value.as_str() != written) {
            // Nothing is shown as something that is as empty.
            let [first, last] = [first, last].map(|value| if value.is_empty() { " " } else { value.as_str() });
            self.flow.swap(start..start + written.len(), first, last);
        }
    }
}

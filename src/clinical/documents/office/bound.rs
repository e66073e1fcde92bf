//! Values that stand in parts of a package which a document carries as data: its properties, and custom XML. Word shows them in the content
//! controls that are bound to them (ECMA-376 part 1, 17.5.2.6), whatever text is written down there.
//!
//! Called by `office` and `reader`. Promises: so many octets of values, and so much work to find them. Fails never: a value that may be there
//! and was not found is said by `take_missed`; a path that is not understood comes to every value of its last name.

use super::dialect::Dialect;
use super::files::is_data;
use super::xml::{self, Element, Root, Visitor};
use std::collections::BTreeMap;

/// Octets that are kept, of the beginning of one value, and of the path to it.
const KEPT: usize = 4_000_000;
const LONGEST: usize = 4_096;
const PATH: usize = 512;
/// Octets of paths that are compared, in all, and values that one path may come to.
const COMPARED: usize = 20_000_000;
const FOUND: usize = 8;

/// The values of all such parts, by their paths: `/record[1]/number[2]`, `/record[1]/@number`.
#[derive(Default)]
pub(super) struct Bound {
    values: BTreeMap<String, Vec<String>>,
    kept: usize,
    compared: usize,
    /// There were more than are kept.
    is_cut: bool,
    /// There were some so deep that they are not.
    is_deep: bool,
    /// One was looked for that may be among those.
    is_missed: bool,
}

impl Bound {
    /// A part that is data.
    pub fn part(&mut self, markup: &str) {
        let mut looked = Looked { bound: self, open: Vec::new(), path: String::new(), base: 0, is_data: true };
        // What is wrong with it is told where it is read.
        _ = xml::walk(markup, &mut looked);
    }

    fn keep(&mut self, path: &str, value: &str) {
        if path.len() > PATH {
            self.is_deep = true;
            return;
        }
        self.is_cut |= self.kept > KEPT;
        if !self.is_cut {
            // What is longer has whole numbers of its own behind that.
            let value = value.get(..value.floor_char_boundary(LONGEST)).unwrap_or_default();
            self.kept += path.len() + value.len();
            self.values.entry(path.to_owned()).or_default().push(value.trim().to_owned());
        }
    }

    /// What a path comes to: several values where parts have the same names.
    pub fn values(&mut self, path: &str) -> Vec<String> {
        let steps = steps(path);
        if self.values.is_empty() || steps.is_empty() || path.len() > PATH {
            self.is_missed |= path.len() > PATH;
            return Vec::new();
        }
        let exact: Option<String> = steps.iter().map(Step::exact).collect();
        let mut found = exact.and_then(|exact| self.values.get(&exact).cloned()).unwrap_or_default();
        if found.is_empty() {
            found = self.alike(&steps);
        }
        self.is_missed |= self.is_cut || (found.is_empty() && self.is_deep);
        let mut distinct: Vec<String> = Vec::new();
        for value in found {
            if distinct.len() < FOUND && !distinct.contains(&value) {
                distinct.push(value);
            }
        }
        distinct
    }

    fn alike(&mut self, steps: &[Step<'_>]) -> Vec<String> {
        let mut found = Vec::new();
        for (path, values) in &self.values {
            self.compared = self.compared.saturating_add(path.len());
            if self.compared > COMPARED || found.len() >= FOUND {
                break;
            }
            if fits(path, steps) {
                found.extend(values.iter().cloned());
            }
        }
        self.is_missed |= self.compared > COMPARED;
        found
    }

    /// Whether a value may not have been found that is there: it is told once.
    pub fn take_missed(&mut self) -> bool {
        std::mem::take(&mut self.is_missed)
    }
}

/// A step of a path.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Step<'p> {
    /// Without its prefix; attributes begin with `@`.
    name: &'p str,
    is_attribute: bool,
    position: Position,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Position {
    /// Nothing is said: the first one.
    First,
    At(usize),
    /// Something is said that is not understood here.
    Any,
}

impl Step<'_> {
    /// As paths are kept; nothing where it may be more than one.
    fn exact(&self) -> Option<String> {
        let position = match self.position {
            Position::First => 1,
            Position::At(position) => position,
            Position::Any => return None,
        };
        let is_one = !matches!(self.name, "" | "*" | "." | "..");
        is_one
            .then(|| if self.is_attribute { format!("/@{}", self.name) } else { format!("/{}[{position}]", self.name) })
    }

    /// Whether it is that step of a kept path.
    fn fits(&self, kept: &str) -> bool {
        let (name, position) = kept.split_once('[').unwrap_or((kept, ""));
        let is_named = match name.strip_prefix('@') {
            Some(name) => self.is_attribute && (self.name == "*" || self.name == name),
            None => !self.is_attribute && (self.name == "*" || self.name == name),
        };
        let is_placed = match self.position {
            Position::At(own) => position.strip_suffix(']').is_none_or(|kept| kept.parse() == Ok(own)),
            Position::First | Position::Any => true,
        };
        is_named && is_placed
    }
}

/// The steps of a path; what it says of the text in its last element is that element's.
fn steps(path: &str) -> Vec<Step<'_>> {
    let mut steps = Vec::new();
    let (mut depth, mut start) = (0_usize, 0);
    for (at, c) in path.char_indices().chain([(path.len(), '/')]) {
        match c {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            '/' if depth == 0 || at == path.len() => {
                steps.push(step(path.get(start..at).unwrap_or_default().trim()));
                start = at + 1;
            }
            _ => {}
        }
    }
    // What stands before the first stroke.
    if steps.first().is_some_and(|step| step.name.is_empty()) {
        steps.remove(0);
    }
    steps.pop_if(|last| last.name.ends_with("()"));
    steps
}

fn step(step: &str) -> Step<'_> {
    let (name, predicate) = step.split_once('[').unwrap_or((step, ""));
    let position = match predicate.strip_suffix(']').map(str::trim) {
        None if predicate.is_empty() => Position::First,
        Some(inside) => inside.parse().map_or(Position::Any, Position::At),
        None => Position::Any,
    };
    let is_attribute = name.starts_with('@') || name.starts_with("attribute::");
    let name = name.rsplit([':', '@']).next().unwrap_or_default().trim();
    Step { name, is_attribute, position }
}

/// Whether a kept path may be the one that the steps say: all of it, or its end where the steps jump.
fn fits(path: &str, steps: &[Step<'_>]) -> bool {
    let jumps = steps.iter().any(|step| matches!(step.name, "" | "." | ".."));
    let mut own = path.rsplit('/').filter(|step| !step.is_empty());
    let mut wanted = steps.iter().rev();
    let is_end = wanted.next().zip(own.next()).is_some_and(|(step, kept)| step.fits(kept));
    if jumps || !is_end {
        return is_end;
    }
    loop {
        match (wanted.next(), own.next()) {
            (None, None) => return true,
            (Some(step), Some(kept)) if step.fits(kept) => {}
            _ => return false,
        }
    }
}

/// Looks through a part for its values.
struct Looked<'b> {
    bound: &'b mut Bound,
    open: Vec<Open>,
    path: String,
    /// Where the path of a part begins that is packed in another one, and whether that is data.
    base: usize,
    is_data: bool,
}

struct Open {
    /// How long the path was, where it began, and whether what was in it is data.
    path: usize,
    base: usize,
    was_data: bool,
    /// Elements in it, by their names.
    inside: BTreeMap<String, usize>,
    text: String,
    is_packed: bool,
}

impl<'a> Visitor<'a> for Looked<'_> {
    fn open(&mut self, element: &Element<'a, '_>) {
        let (path, base, was_data) = (self.path.len(), self.base, self.is_data);
        let mut position = 1;
        if let Some(outer) = self.open.last_mut() {
            let count = outer.inside.entry(element.name().to_owned()).or_default();
            *count += 1;
            position = *count;
            if outer.is_packed {
                self.base = path;
                self.is_data = is_data(Root { dialect: element.dialect, local: element.local }, "");
            }
        }
        self.path.push_str(&format!("/{}[{position}]", element.local));
        let is_packed = element.dialect == Dialect::Package && element.local == "xmlData";
        self.open.push(Open { path, base, was_data, inside: BTreeMap::new(), text: String::new(), is_packed });
        if !self.is_data {
            return;
        }
        let own = self.path.get(self.base..).unwrap_or_default();
        element.attributes(|name, value| match own.len() + name.len() {
            ..PATH if !self.bound.is_cut => self.bound.keep(&format!("{own}/@{name}"), value),
            ..PATH => {}
            _ => self.bound.is_deep = true,
        });
    }

    fn close(&mut self) {
        let Some(open) = self.open.pop() else { return };
        // What holds others shows none of its own.
        if open.inside.is_empty() && self.is_data {
            self.bound.keep(self.path.get(self.base..).unwrap_or_default(), &open.text);
        }
        self.path.truncate(open.path);
        (self.base, self.is_data) = (open.base, open.was_data);
    }

    fn text(&mut self, text: &str) {
        if let Some(open) = self.open.last_mut().filter(|open| open.text.len() <= LONGEST) {
            open.text.push_str(text);
        }
    }

    fn aside(&mut self, _: &str) {}
}

#[cfg(test)]
mod tests {
    use super::{Bound, FOUND, KEPT, LONGEST};

    const PART: &str = "<r xmlns='urn:a' xmlns:x='urn:b'><n>1</n><n kind='k'>943</n><x:n> 5919 </x:n><deep><n>4</n></deep><n>476</n></r>";

    #[test]
    fn values_are_found_by_their_paths() {
        let mut bound = Bound::default();
        bound.part(PART);
        for (path, expected) in [
            ("/a:r[1]/a:n[2]", &["943"][..]),
            ("/r/n[3]", &["476"]),
            ("/ns0:r[1]/ns0:n[2]/@kind", &["k"]),
            ("/ns0:r[1]/ns0:n[2]/@ns0:kind", &["k"]),
            ("/ns0:r[1]/ns0:deep[1]/ns0:n[1]/text()", &["4"]),
            ("/*[local-name()='r']/*[1]/n", &["4"]),
            ("//deep/n[1]", &["4", "1", "5919"]),
            ("/r[1]/n[1]", &["1", "5919"]),
            ("/r[1]/deep[1]", &[]),
            ("/r[1]/m[1]", &[]),
            ("", &[]),
            ("/", &[]),
        ] {
            assert_eq!(bound.values(path), expected, "{path}");
        }
    }

    #[test]
    fn what_is_kept_is_bounded_and_said_where_something_is_looked_for() {
        let mut bound = Bound::default();
        bound.part(&format!("<r>{}</r>", format!("<n>{}</n>", "1".repeat(LONGEST)).repeat(KEPT / LONGEST)));
        assert!(bound.values("/r/n[1]").len() == 1 && bound.take_missed() && !bound.take_missed());
        let mut deep = Bound::default();
        deep.part(&format!("<r><n>1</n>{}1{}</r>", "<n>".repeat(2_000), "</n>".repeat(2_000)));
        assert!(deep.values("/r/n[1]").len() == 1 && !deep.take_missed());
        assert!(deep.values("/r/m[1]").is_empty() && deep.take_missed());
        let many: String = (0..100).map(|n| format!("<n>{n}</n>")).collect();
        let mut all = Bound::default();
        all.part(&format!("<r>{many}</r>"));
        assert_eq!(all.values("//n").len(), FOUND);
        (0..100_000).for_each(|_| _ = all.values("//m"));
        assert!(all.take_missed(), "work is bounded");
    }
}

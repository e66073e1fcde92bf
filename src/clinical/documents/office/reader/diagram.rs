//! Diagrams (SmartArt; ECMA-376 part 1, 21.4): their texts are points in any order, and connections say in which they are shown.
//!
//! Called by `reader`. Promises: so many points and connections, and whether there were more; each text is read once in the order of the
//! tree, and once level by level, and only where figures meet. Fails never: a point that nothing connects is read where it is written.

use super::super::dialect::Dialect;
use super::super::xml::Element;
use super::{Frame, Reader};
use crate::clinical::documents::side_by_side::{BESIDE, PIECE, is_piece};
use std::collections::{BTreeMap, VecDeque};

/// Points and connections that are kept of one part, and octets of their names.
const MOST: usize = 20_000;
const NAME: usize = 64;

#[derive(Default)]
pub(super) struct Diagram {
    points: Vec<Point>,
    links: Vec<Link>,
    /// The point that is open: how deep it is, and where its text begins.
    open: Option<(usize, usize)>,
    pub is_cut: bool,
}

struct Point {
    name: String,
    /// The diagram itself.
    is_root: bool,
    text: String,
}

struct Link {
    from: String,
    to: String,
    order: u32,
}

impl<'a> Reader<'a, '_> {
    /// A point of a diagram, or a connection of two (21.4.3.5, 21.4.3.2).
    pub fn of_diagram(&mut self, element: &Element<'a, '_>) {
        let named = |name: &str| element.attribute(name).filter(|name| name.len() <= NAME).unwrap_or_default();
        match (element.dialect, element.local) {
            // Outlines and charts have points without names.
            (Dialect::Drawing, "pt") if element.attribute("modelId").is_some() => {
                let is_root = element.attribute("type").is_some_and(|kind| kind == "doc");
                let (depth, start) = (self.frames.len(), self.flow.len());
                if self.diagram.takes(self.diagram.points.len()) {
                    self.diagram.open = Some((depth, start));
                    self.diagram.points.push(Point { name: named("modelId"), is_root, text: String::new() });
                }
            }
            (Dialect::Drawing, "cxn") => {
                let is_tree = element.attribute("type").is_none_or(|kind| kind == "parOf");
                if is_tree && self.diagram.takes(self.diagram.links.len()) {
                    let order = named("srcOrd").trim().parse().unwrap_or_default();
                    self.diagram.links.push(Link { from: named("srcId"), to: named("destId"), order });
                }
            }
            _ => {}
        }
    }

    /// The text of a point is known.
    pub(super) fn end_point(&mut self, frame: &Frame<'a>) {
        let depth = self.frames.len();
        let Some((_, start)) = self.diagram.open.take_if(|(open, _)| *open == depth && frame.local == "pt") else {
            return;
        };
        let text = self.flow.shown().get(start..).unwrap_or_default().trim();
        if let Some(point) = self.diagram.points.last_mut().filter(|_| text.len() <= PIECE) {
            point.text = text.replace('\n', " ");
        }
    }
}

impl Diagram {
    fn takes(&mut self, kept: usize) -> bool {
        self.is_cut |= kept >= MOST;
        kept < MOST
    }

    /// Its texts in the orders in which they may be shown, where figures meet in them.
    pub fn read(mut self) -> Vec<String> {
        self.links.sort_by_key(|link| link.order);
        let tree = Tree::of(&self);
        let orders = [tree.by_branch(), tree.by_level()];
        let texts = orders.map(|order| {
            let all = order.into_iter().filter_map(|at| self.points.get(at)).map(|point| point.text.as_str());
            all.filter(|text| !text.is_empty()).collect::<Vec<_>>()
        });
        let meet = |texts: &&Vec<&str>| texts.windows(2).any(|two| two.iter().all(|text| is_piece(text)));
        texts.iter().filter(meet).map(|texts| texts.join(BESIDE)).collect()
    }
}

/// Points by what they are in, each by its place among all.
struct Tree {
    roots: Vec<usize>,
    below: Vec<Vec<usize>>,
}

impl Tree {
    /// `diagram`: its connections in their order.
    fn of(diagram: &Diagram) -> Tree {
        let places: BTreeMap<&str, usize> = diagram.points.iter().map(|point| point.name.as_str()).zip(0..).collect();
        let mut below = vec![Vec::new(); diagram.points.len()];
        let mut is_below = vec![false; diagram.points.len()];
        for link in &diagram.links {
            let ends = places.get(link.from.as_str()).zip(places.get(link.to.as_str()));
            let Some((from, to)) = ends else { continue };
            if let (Some(all), Some(known)) = (below.get_mut(*from), is_below.get_mut(*to)) {
                all.push(*to);
                *known = true;
            }
        }
        let (first, others): (Vec<usize>, Vec<usize>) =
            (0..diagram.points.len()).partition(|at| diagram.points.get(*at).is_some_and(|point| point.is_root));
        let is_free = |at: &usize| is_below.get(*at).is_some_and(|is_below| !is_below);
        let roots = first.into_iter().chain(others.into_iter().filter(is_free)).collect();
        Tree { roots, below }
    }

    /// Each point before what is below it.
    fn by_branch(&self) -> Vec<usize> {
        let mut left: Vec<usize> = self.roots.iter().rev().copied().collect();
        self.walk(|below| {
            left.extend(below.iter().rev());
            left.pop()
        })
    }

    /// All points of one level before those of the next.
    fn by_level(&self) -> Vec<usize> {
        let mut left: VecDeque<usize> = self.roots.iter().copied().collect();
        self.walk(|below| {
            left.extend(below);
            left.pop_front()
        })
    }

    /// Every point once: `next` takes those below the last one, and says which comes next.
    fn walk(&self, mut next: impl FnMut(&[usize]) -> Option<usize>) -> Vec<usize> {
        let (mut order, mut is_read) = (Vec::new(), vec![false; self.below.len()]);
        let mut below: &[usize] = &[];
        while let Some(at) = next(below) {
            below = match is_read.get_mut(at) {
                Some(is_read) if !*is_read => {
                    *is_read = true;
                    order.push(at);
                    self.below.get(at).map(Vec::as_slice).unwrap_or_default()
                }
                _ => &[],
            };
        }
        order
    }
}

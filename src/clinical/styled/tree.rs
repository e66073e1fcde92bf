//! The elements of a page as a tree, for selectors that look at parents and neighbours.
//!
//! Part of `styled`. Promises: one pass; so many nodes, attributes and levels and no more, and `is_cut` says that there were more. Fails
//! never: ends that are missing are where the next element implies them, or nowhere.

use super::super::html::divider;
use super::super::tags;
use html5gum::emitters::callback::CallbackEvent;
use std::cell::Cell;

/// Elements and pieces of text.
const NODES: usize = 100_000;
/// Elements inside one another.
pub(super) const LEVELS: usize = 100;
/// Attributes of one element.
const ATTRIBUTES: usize = 32;

pub(super) const ROOT: usize = 0;
const BODY: usize = 1;

#[derive(Debug, Default)]
pub(super) struct Node {
    /// Empty for a piece of text.
    pub name: String,
    pub text: String,
    pub attributes: Vec<[String; 2]>,
    pub children: Vec<usize>,
    pub parent: usize,
    /// Which child of its parent it is.
    pub at: usize,
}

impl Node {
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|[own, _]| own == name).map(|[_, value]| value.as_str())
    }

    pub fn is_element(&self) -> bool {
        !self.name.is_empty()
    }
}

#[derive(Debug, Default)]
pub(super) struct Tree {
    pub nodes: Vec<Node>,
    /// What style elements say.
    pub sheet: String,
    is_cut: bool,
    /// Comparisons that may still be made.
    steps: Cell<usize>,
    /// The open elements.
    open: Vec<usize>,
}

/// Reads a page, for which so many comparisons may be made.
pub(super) fn of(markup: &str, steps: usize) -> Tree {
    let mut tree = Tree { steps: Cell::new(steps), ..Tree::default() };
    tree.push(ROOT, "html");
    tree.push(ROOT, "body");
    tree.open = vec![ROOT, BODY];
    let mut tag = Node::default();
    tags::read(markup, |event| tree.event(event, &mut tag));
    tree
}

impl Tree {
    pub fn node(&self, id: usize) -> Option<&Node> {
        self.nodes.get(id)
    }

    /// Takes so many steps of those that are left; whether there were as many.
    pub fn spend(&self, steps: usize) -> bool {
        let left = self.steps.get().checked_sub(steps);
        self.steps.set(left.unwrap_or(0));
        left.is_some()
    }

    /// Comparisons that may still be made.
    pub fn steps(&self) -> usize {
        self.steps.get()
    }

    /// Whether more would have been looked at.
    pub fn is_cut(&self) -> bool {
        self.is_cut || self.steps.get() == 0
    }

    fn event(&mut self, event: &CallbackEvent<'_>, tag: &mut Node) {
        let owned = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
        match event {
            CallbackEvent::String { value } => self.text(value),
            CallbackEvent::OpenStartTag { name } => *tag = Node { name: owned(name), ..Node::default() },
            // One more than is kept, for the values of those that are not.
            CallbackEvent::AttributeName { name } => {
                tag.attributes.truncate(ATTRIBUTES);
                tag.attributes.push([owned(name), String::new()]);
            }
            CallbackEvent::AttributeValue { value } => {
                if let Some([_, own]) = tag.attributes.last_mut() {
                    *own = owned(value);
                }
            }
            CallbackEvent::CloseStartTag { self_closing } => self.begin(std::mem::take(tag), *self_closing),
            CallbackEvent::EndTag { name } => self.end(&owned(name)),
            _ => {}
        }
    }

    fn push(&mut self, parent: usize, name: &str) -> usize {
        let id = self.nodes.len();
        let at = self.nodes.get(parent).map_or(0, |parent| parent.children.len());
        self.nodes.push(Node { name: name.to_owned(), parent, at, ..Node::default() });
        if let Some(parent) = self.nodes.get_mut(parent).filter(|_| id != ROOT) {
            parent.children.push(id);
        }
        id
    }

    fn top(&self) -> usize {
        self.open.last().copied().unwrap_or(BODY)
    }

    fn is_full(&mut self) -> bool {
        let is_full = self.nodes.len() >= NODES;
        self.is_cut |= is_full;
        is_full
    }

    fn text(&mut self, text: &[u8]) {
        let top = self.top();
        let text = String::from_utf8_lossy(text);
        if self.node(top).is_some_and(|node| node.name == "style") {
            self.sheet.push_str(&text);
            self.sheet.push('\n');
            return;
        }
        let last = self.node(top).and_then(|node| node.children.last().copied());
        if let Some(last) = last.and_then(|id| self.nodes.get_mut(id)).filter(|node| !node.is_element()) {
            return last.text.push_str(&text);
        }
        if !self.is_full() {
            let id = self.push(top, "");
            self.nodes[id].text = text.into_owned();
        }
    }

    fn begin(&mut self, mut tag: Node, self_closing: bool) {
        tag.attributes.truncate(ATTRIBUTES);
        if matches!(tag.name.as_str(), "html" | "head" | "body") {
            let id = if tag.name == "body" { BODY } else { ROOT };
            if let Some(node) = self.nodes.get_mut(id) {
                node.attributes.extend(tag.attributes);
                node.attributes.truncate(ATTRIBUTES);
            }
            return;
        }
        self.imply_ends(&tag.name);
        if self.is_full() {
            return;
        }
        let id = self.push(self.top(), &tag.name);
        self.nodes[id].attributes = tag.attributes;
        let is_void = self_closing
            || matches!(tag.name.as_str(), "br" | "img" | "hr" | "input" | "meta" | "link" | "wbr" | "col" | "area");
        if !is_void && self.open.len() < LEVELS {
            self.open.push(id);
        } else if !is_void {
            self.is_cut = true;
        }
    }

    /// HTML 13.1.2.4: ends that may be left out.
    fn imply_ends(&mut self, name: &str) {
        const OWN: [&str; 8] = ["li", "option", "td", "th", "tr", "dt", "dd", "p"];
        for _ in 0..2 {
            let top = self.node(self.top()).map(|node| node.name.as_str()).unwrap_or_default();
            let is_over = (top == name && OWN.contains(&name))
                || (top == "p" && divider(name.as_bytes()) == Some(b"\n") && name != "br")
                || (matches!(top, "td" | "th") && matches!(name, "td" | "th" | "tr"))
                || (matches!(top, "dt" | "dd") && matches!(name, "dt" | "dd"));
            if !is_over {
                return;
            }
            self.open.pop();
        }
    }

    fn end(&mut self, name: &str) {
        let is_one = |id: &usize| *id > BODY && self.node(*id).is_some_and(|node| node.name == name);
        if self.steps.get() == 0 {
            return;
        }
        let at = self.open.iter().rposition(is_one);
        self.spend(self.open.len() - at.unwrap_or_default());
        self.open.truncate(at.unwrap_or(self.open.len()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_kept_as_many_as_are_looked_at() {
        let (mut tree, mut tag) = (Tree::default(), Node::default());
        for at in 0..5_000 {
            tree.event(&CallbackEvent::AttributeName { name: format!("a{at}").as_bytes() }, &mut tag);
            tree.event(&CallbackEvent::AttributeValue { value: b"b" }, &mut tag);
        }
        assert!(tag.attributes.len() <= ATTRIBUTES + 1, "while they are read, too");
        assert_eq!(tag.attributes[31], ["a31", "b"]);
        let many: String = (0..5_000).map(|at| format!(" a{at}=b{at}")).collect();
        let tree = of(&format!("<p{many}><i>"), 1_000);
        assert_eq!(
            (tree.nodes[2].attributes.len(), &tree.nodes[2].attributes[31]),
            (32, &["a31".to_owned(), "b31".to_owned()])
        );
    }
}

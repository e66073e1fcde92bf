//! The rules of style sheets (CSS Syntax 3) that change which text is shown, and in which order.
//!
//! Part of `styled`. Promises: linear; so many rules and no more, and `is_cut` says that there were more. Rules inside `@media` and the
//! like count as if they held, and are said to be unsure. Fails never: what is not understood is passed over.

use super::VENDOR;
use super::content::unescaped;
use super::rules::{self, Holds, cut};
use super::selector::{Part, Selector};
use super::tree::{Node, Tree};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Rules that are kept, and elements' own keys that are looked up.
const RULES: usize = 2_048;
const KEYS: usize = 32;
/// Octets of one value.
const LONGEST: usize = 4_096;
/// Declarations of one rule.
const DECLARATIONS: usize = 64;
/// Properties that hide, write or move; and those that a page names itself.
const READ: &[&str] = &[
    "display",
    "visibility",
    "opacity",
    "font-size",
    "font",
    "height",
    "max-height",
    "max-width",
    "text-indent",
    "mso-hide",
    "clip",
    "clip-path",
    "transform",
    "translate",
    "rotate",
    "content",
    "counter-reset",
    "counter-increment",
    "counter-set",
    "quotes",
    "list-style",
    "list-style-type",
    "flex-direction",
    "flex-flow",
    "order",
    "float",
    "direction",
    "unicode-bidi",
    "position",
    "left",
    "right",
    "top",
    "bottom",
    "inset",
    "margin",
    "margin-left",
    "margin-right",
    "margin-inline",
    "margin-inline-start",
    "margin-inline-end",
    "grid",
    "grid-area",
    "grid-row",
    "grid-row-start",
    "grid-row-end",
    "grid-column",
    "grid-column-start",
    "grid-column-end",
    "grid-template",
    "grid-template-areas",
    "animation",
    "animation-name",
    "caption-side",
];
/// Those whose values have strings, with escapes of their own.
const QUOTED: &[&str] = &["content", "quotes", "list-style", "list-style-type"];

/// What arranges or writes: where nobody can tell whether such a rule holds, nobody can tell what is shown.
const ARRANGING: &[&str] = &[
    "transform",
    "translate",
    "rotate",
    "content",
    "list-style",
    "list-style-type",
    "flex-direction",
    "flex-flow",
    "order",
    "float",
    "direction",
    "unicode-bidi",
    "position",
    "animation",
    "animation-name",
];

/// `property: value`, the property in lower case.
pub(super) type Declaration = [String; 2];

/// What one block declares.
#[derive(Debug, Default)]
pub(super) struct Block {
    pub usual: Vec<Declaration>,
    /// What beats all that is not (CSS Cascade 5, 6.3).
    pub important: Vec<Declaration>,
}

impl Block {
    fn is_empty(&self) -> bool {
        self.usual.is_empty() && self.important.is_empty()
    }

    fn arranges(&self) -> bool {
        let arranges = |name: &str| ARRANGING.contains(&name) || name.starts_with("grid");
        self.usual.iter().chain(&self.important).any(|[name, _]| arranges(name))
    }
}

/// What a sheet declares for a part of an element.
#[derive(Debug)]
pub(super) struct Declared<'s> {
    pub part: Part,
    pub block: &'s Block,
    /// Nobody here can tell whether it does, and it matters.
    pub is_unsure: bool,
}

#[derive(Debug)]
struct Rule {
    selector: Selector,
    block: usize,
    is_unsure: bool,
}

#[derive(Debug, Default)]
pub(super) struct Sheet {
    rules: Vec<Rule>,
    blocks: Vec<Block>,
    /// Which rules may match an element, by what it has.
    by_key: BTreeMap<String, Vec<usize>>,
    pub is_cut: bool,
    /// Some rule arranges nobody knows what.
    pub is_unsure: bool,
}

impl Sheet {
    pub fn parse(text: &str) -> Sheet {
        let mut sheet = Sheet::default();
        let is_cut = rules::read(&without_comments(text), |rule| {
            let (declared, holds) = (declarations(rule.block), rule.holds);
            sheet.add(rule.selectors, declared, holds);
        });
        sheet.is_cut |= is_cut;
        sheet
    }

    fn add(&mut self, selectors: &str, block: Block, holds: Holds) {
        if block.is_empty() {
            return;
        }
        let (before, arranges) = (self.rules.len(), block.arranges());
        for selector in rules::list(selectors) {
            let Some(selector) = Selector::parse(selector) else {
                // Boxes of pages on paper are nobody's.
                self.is_unsure |= arranges && !selector.is_empty() && !selector.starts_with("@page");
                continue;
            };
            if self.rules.len() == RULES {
                self.is_cut = true;
                break;
            }
            let is_unsure = arranges && holds.max(selector.holds) == Holds::Perhaps;
            self.by_key.entry(selector.key().to_ascii_lowercase()).or_default().push(self.rules.len());
            self.rules.push(Rule { selector, block: self.blocks.len(), is_unsure });
        }
        if self.rules.len() > before {
            self.blocks.push(block);
        }
    }

    /// What is declared for the parts of an element: what counts less comes first (CSS Cascade 5, 6.1).
    pub fn declared<'s>(&'s self, tree: &Tree, node: &Node) -> Vec<Declared<'s>> {
        let lower = |text: &str| text.to_ascii_lowercase();
        let mut keys = vec!["*".to_owned(), node.name.clone()];
        keys.extend(node.attribute("id").map(|id| format!("#{}", lower(id))));
        let classes = node.attribute("class").unwrap_or_default().split_ascii_whitespace();
        keys.extend(classes.take(KEYS).map(|class| format!(".{}", lower(class))));
        keys.sort_unstable();
        keys.dedup();
        let mut rules: Vec<usize> = keys.iter().filter_map(|key| self.by_key.get(key)).flatten().copied().collect();
        if !tree.spend(keys.len() + rules.len()) {
            return Vec::new();
        }
        rules.sort_unstable();
        rules.dedup();
        let matching = rules.into_iter().filter_map(|rule| self.rules.get(rule));
        let mut matching: Vec<&Rule> = matching.filter(|rule| rule.selector.matches(tree, node)).collect();
        // Of selectors of one rule that match the same part the weightiest counts.
        matching.sort_by_key(|rule| (rule.selector.part, rule.block, rule.selector.weight));
        matching.reverse();
        matching.dedup_by_key(|rule| (rule.selector.part, rule.block));
        matching.sort_by_key(|rule| (rule.selector.weight, rule.block));
        let declared = |rule: &Rule| {
            let block = self.blocks.get(rule.block)?;
            Some(Declared { part: rule.selector.part, block, is_unsure: rule.is_unsure })
        };
        matching.into_iter().filter_map(declared).collect()
    }
}

pub(super) fn without_comments(text: &str) -> String {
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((before, comment)) = rest.split_once("/*") {
        out.push_str(before);
        rest = comment.split_once("*/").map_or("", |(_, behind)| behind);
    }
    out + rest
}

/// The declarations that matter here.
pub(super) fn declarations(block: &str) -> Block {
    let (mut found, mut rest) = (Block::default(), block);
    while !rest.is_empty() && found.usual.len() + found.important.len() < DECLARATIONS {
        let (one, behind) = rest.split_at(cut(rest, b";").unwrap_or(rest.len()));
        rest = behind.get(1..).unwrap_or_default();
        let Some((property, value)) = one.split_once(':') else { continue };
        let property = property.trim();
        let property = if property.contains('\\') { Cow::Owned(unescaped(property)) } else { Cow::Borrowed(property) };
        let property = match property.strip_prefix(VENDOR) {
            Some(agreed) => Cow::Owned(agreed.to_owned()),
            None => property,
        };
        // Most declarations are of colours and sizes.
        let known = READ.iter().find(|known| known.eq_ignore_ascii_case(&property)).map(|known| (*known).to_owned());
        let Some(property) = known.or_else(|| property.starts_with("--").then(|| property.into_owned())) else {
            continue;
        };
        let important = value.rsplit_once('!').filter(|(_, last)| last.trim().eq_ignore_ascii_case("important"));
        let value = important.map_or(value, |(value, _)| value).trim();
        let value = value.get(..value.floor_char_boundary(LONGEST)).unwrap_or_default();
        let is_escaped = value.contains('\\') && !property.starts_with("--") && !QUOTED.contains(&property.as_str());
        let value = if is_escaped { unescaped(value) } else { value.to_owned() };
        let found = if important.is_some() { &mut found.important } else { &mut found.usual };
        // The last of each counts.
        found.retain(|[own, _]| *own != property);
        found.push([property, value]);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_of_one_rule_declare_once() {
        let sheet = Sheet::parse("*,*,*,b{display:none} b{display:inline}");
        let node = Node { name: "b".to_owned(), ..Node::default() };
        assert_eq!(sheet.declared(&super::super::tree::of("", 100), &node).len(), 2);
    }

    /// The values of `order` for an element with an identifier and a class, in the order in which they count.
    fn orders(sheet: &str) -> String {
        let attributes = [["id", "a"], ["class", "b"]].map(|both| both.map(str::to_owned)).to_vec();
        let node = Node { name: "i".to_owned(), attributes, ..Node::default() };
        let sheet = Sheet::parse(sheet);
        let declared = sheet.declared(&super::super::tree::of("", 1_000), &node);
        let said = |d: &Declared<'_>| format!("{}{}", d.block.usual[0][1], if d.is_unsure { "?" } else { "" });
        declared.iter().map(said).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_counts_more_comes_later_and_what_may_not_hold_is_said() {
        for (sheet, expected) in [
            ("#a{order:1} .b{order:2} i{order:3} *{order:4}", "4 3 2 1"),
            ("i.b{order:1} .b{order:2} i,.b{order:3} :where(#a){order:4}", "4 2 3 1"),
            (":is(#a,i){order:1} i:not(.c){order:2} .b.b{order:3} i{order:4;color:red}", "4 2 3 1"),
            ("@media (x){i{order:1}} @layer x{i{order:2}} i:has(b){order:3} i:hover{order:4}", "1? 2? 3?"),
            ("@supports (x){i{display:block}}", ""),
        ] {
            let expected = if expected.is_empty() { "block" } else { expected };
            assert_eq!(orders(sheet), expected, "{sheet}");
        }
        assert!(Sheet::parse("a||b{order:1}").is_unsure && !Sheet::parse("a||b{display:none}").is_unsure);
    }

    #[test]
    fn blocks_that_no_rule_has_are_not_kept() {
        let sheet = Sheet::parse(&"{order:1}".repeat(1_000));
        assert_eq!(sheet.blocks.len(), 0);
        let sheet = Sheet::parse(&"a{order:1}".repeat(RULES + 100));
        assert!(sheet.blocks.len() == RULES && sheet.is_cut);
    }

    #[test]
    fn rules_are_read_with_their_strings() {
        let block = declarations("Content : \"a;}\" !important; color: red; --X: '1';display:none");
        assert_eq!(block.usual, [["--X", "'1'"], ["display", "none"]].map(|d| d.map(str::to_owned)));
        assert_eq!(block.important, [["content", "\"a;}\""].map(str::to_owned)]);
        let sheet =
            Sheet::parse("@import 'x'; /* p{} */ @media print { a, b.c{display:none} } i{color:red} @font-face{}");
        assert_eq!(sheet.rules.len(), 2);
        assert!(sheet.by_key.contains_key("a") && sheet.by_key.contains_key(".c"));
    }
}

//! The rules of style sheets (CSS Syntax 3) that change which text is shown, and in which order.
//!
//! Part of `styled`. Promises: linear; so many rules and no more, and `is_cut` says that there were more. Rules inside `@media` and the
//! like count as if they held. Fails never: what is not understood is passed over.

use super::VENDOR;
use super::content::unescaped;
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
];
/// Those whose values have strings, with escapes of their own.
const QUOTED: &[&str] = &["content", "quotes", "list-style", "list-style-type"];

/// `property: value`, the property in lower case.
pub(super) type Declaration = [String; 2];

#[derive(Debug, Default)]
pub(super) struct Sheet {
    rules: Vec<(Selector, usize)>,
    blocks: Vec<Vec<Declaration>>,
    /// Which rules may match an element, by what it has.
    by_key: BTreeMap<String, Vec<usize>>,
    pub is_cut: bool,
}

impl Sheet {
    pub fn parse(text: &str) -> Sheet {
        let mut sheet = Sheet::default();
        let text = without_comments(text);
        let mut rest = text.as_str();
        while let Some(at) = rest.find(['{', '}', ';']) {
            let (prelude, behind) = (rest.get(..at).unwrap_or_default().trim(), rest.get(at + 1..).unwrap_or_default());
            let is_block = rest.as_bytes().get(at) == Some(&b'{');
            // What is inside `@media` is read as if it stood outside.
            if !is_block || (prelude.starts_with('@') && !prelude.starts_with("@page")) {
                rest = behind;
                continue;
            }
            let (block, behind) = behind.split_at(end_of_block(behind));
            sheet.add(prelude, declarations(block));
            rest = behind;
        }
        sheet
    }

    fn add(&mut self, selectors: &str, declarations: Vec<Declaration>) {
        if declarations.is_empty() {
            return;
        }
        let before = self.rules.len();
        for selector in selectors.split(',').filter_map(Selector::parse) {
            if self.rules.len() == RULES {
                self.is_cut = true;
                break;
            }
            self.by_key.entry(selector.key().to_ascii_lowercase()).or_default().push(self.rules.len());
            self.rules.push((selector, self.blocks.len()));
        }
        if self.rules.len() > before {
            self.blocks.push(declarations);
        }
    }

    /// What is declared for a part of an element, in order.
    pub fn declared<'s>(&'s self, tree: &Tree, node: &Node) -> Vec<(Part, &'s [Declaration])> {
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
        let matching = matching.filter(|(selector, _)| selector.matches(tree, node));
        // Selectors of one rule that match the same part declare the same once.
        let mut parts: Vec<(Part, usize)> = matching.map(|(selector, block)| (selector.part, *block)).collect();
        parts.dedup();
        parts.into_iter().filter_map(|(part, block)| Some((part, self.blocks.get(block)?.as_slice()))).collect()
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

/// Where a block ends: at the first brace that stands in no string.
fn end_of_block(text: &str) -> usize {
    cut(text, b"}").unwrap_or(text.len())
}

/// Where the first of the marks stands that is in no string and no brackets.
fn cut(text: &str, marks: &[u8]) -> Option<usize> {
    let (mut quote, mut is_escaped, mut open) = (None, false, 0usize);
    text.bytes().position(|byte| {
        if std::mem::take(&mut is_escaped) {
            return false;
        }
        match (byte, quote) {
            (b'\\', _) => is_escaped = true,
            (byte, Some(own)) if byte == own || byte == b'\n' => quote = None,
            (_, Some(_)) => {}
            (b'"' | b'\'', None) => quote = Some(byte),
            (b'(', None) => open += 1,
            (b')', None) => open = open.saturating_sub(1),
            (byte, None) => return marks.contains(&byte) && (open == 0 || byte == b'}'),
        }
        false
    })
}

/// The declarations that matter here.
pub(super) fn declarations(block: &str) -> Vec<Declaration> {
    let (mut found, mut rest): (Vec<Declaration>, &str) = (Vec::new(), block);
    while !rest.is_empty() && found.len() < DECLARATIONS {
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
        // The last of each counts.
        match found.iter_mut().find(|[own, _]| *own == property) {
            Some([_, own]) => *own = value,
            None => found.push([property, value]),
        }
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
        assert_eq!(block, [["content", "\"a;}\""], ["--X", "'1'"], ["display", "none"]].map(|d| d.map(str::to_owned)));
        let sheet =
            Sheet::parse("@import 'x'; /* p{} */ @media print { a, b.c{display:none} } i{color:red} @font-face{}");
        assert_eq!(sheet.rules.len(), 2);
        assert!(sheet.by_key.contains_key("a") && sheet.by_key.contains_key(".c"));
    }
}

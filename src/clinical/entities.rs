//! Entities that a document declares for itself (`<!ENTITY a "943">`, XML 1.0, 4.2): readers of XML show what they stand for.
//!
//! Called by `leaf`. Promises: one pass, one level, and no more than twice the document comes out. What is larger, or made of further
//! entities, is said by `is_unread`; addresses, as programmes for drawing declare them, are none of that.

use std::collections::BTreeMap;

const DECLARATION: &str = "<!ENTITY";
/// Declarations stand before the document.
const PROLOGUE: usize = 65_536;
/// Entities that are kept.
const MOST: usize = 256;
/// Octets of what one stands for, and of its name.
const LONGEST: usize = 256;
/// Octets that may come out beyond the document's own, twice.
const ROOM: usize = 4_096;

/// A document without its own entities.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Entities {
    /// Nothing where none is used.
    pub text: Option<String>,
    pub is_unread: bool,
}

/// The document with its own entities undone.
pub(super) fn undone(markup: &str) -> Entities {
    let mut entities = Entities::default();
    let prologue = markup.get(..markup.floor_char_boundary(PROLOGUE)).unwrap_or_default();
    let mut known = BTreeMap::new();
    for declaration in prologue.split(DECLARATION).skip(1) {
        match declared(declaration) {
            Declared::Text(name, value) if known.len() < MOST => _ = known.entry(name).or_insert(value),
            Declared::Nothing => {}
            _ => entities.is_unread = true,
        }
    }
    if !known.is_empty() {
        replace(markup, &known, &mut entities);
    }
    entities
}

enum Declared<'a> {
    Text(&'a str, &'a str),
    /// Further entities, or more than is looked at.
    Unread,
    /// What stands for no text here: addresses, and files elsewhere.
    Nothing,
}

fn declared(declaration: &str) -> Declared<'_> {
    let declaration = declaration.trim_start();
    let Some((name, rest)) = declaration.split_once(|c: char| c.is_ascii_whitespace()) else {
        return Declared::Nothing;
    };
    let rest = rest.trim_start();
    let quote = match rest.chars().next() {
        Some(quote @ ('"' | '\'')) => quote,
        _ if name == "%" => return Declared::Unread,
        _ => return Declared::Nothing,
    };
    let Some((value, _)) = rest.get(1..).and_then(|rest| rest.split_once(quote)) else { return Declared::Unread };
    let is_nested = value.match_indices('&').any(|(at, _)| !value.get(at + 1..).is_some_and(|v| v.starts_with('#')));
    match value {
        _ if value.contains("://") && !is_nested => Declared::Nothing,
        _ if is_nested || value.contains(['<', '%']) || value.len().max(name.len()) > LONGEST => Declared::Unread,
        value => Declared::Text(name, value),
    }
}

fn replace(markup: &str, known: &BTreeMap<&str, &str>, entities: &mut Entities) {
    let (mut out, mut copied, mut is_used) = (String::with_capacity(markup.len()), 0, false);
    for at in memchr::memchr_iter(b'&', markup.as_bytes()) {
        let Some(name) = markup.get(at + 1..) else { break };
        let near = name.get(..name.floor_char_boundary(LONGEST + 1)).unwrap_or_default();
        let Some((name, _)) = near.split_once(';') else { continue };
        let Some(value) = known.get(name) else { continue };
        out.push_str(markup.get(copied..at).unwrap_or_default());
        out.push_str(value);
        (copied, is_used) = (at + name.len() + 2, true);
        if out.len() > markup.len().saturating_mul(2).saturating_add(ROOM) {
            entities.is_unread = true;
            break;
        }
    }
    out.push_str(markup.get(copied..).unwrap_or_default());
    entities.text = is_used.then_some(out);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entities_are_undone() {
        let found = undone("<!DOCTYPE r [<!ENTITY a \"943\"><!ENTITY b '&#52;76'>]><r>&a; &b; &amp; 5919</r>");
        assert!(found.text.unwrap().ends_with("<r>943 &#52;76 &amp; 5919</r>"));
        assert!(!found.is_unread);
    }

    #[test]
    fn what_is_not_undone_is_said() {
        assert!(undone("<!ENTITY a \"943\"><!ENTITY b \"&a;&a;\"><r>&b;</r>").is_unread);
        assert!(undone("<!ENTITY % a SYSTEM \"x\"><r>&b;</r>").is_unread);
        let many = format!("<!ENTITY a \"{}\"><r>{}", "9".repeat(200), "&a;".repeat(1_000));
        assert!(undone(&many).is_unread);
        assert_eq!(undone("<!ENTITY ns \"http://www.w3.org/2000/svg\"><svg xmlns='&ns;'>"), Entities::default());
        assert_eq!(undone("<r>&a;</r>"), Entities::default());
    }
}

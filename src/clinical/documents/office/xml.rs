//! XML as a stream of elements and text: names with their vocabularies, references resolved.
//!
//! Called by `office` and `reader`. Promises: one linear pass, no tree; elements are closed as often as they are opened, whatever
//! the markup says; entities of a document's own are expanded once and within a bound. Fails with what is wrong, after what
//! came before it was handed over.

use super::dialect::Dialect;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use std::borrow::Cow;

/// Elements inside one another.
const DEEPEST: usize = 4_096;
/// Declarations of namespaces that hold at one place.
const NAMESPACES: usize = 256;
/// Entities that a document may declare, and what their text may come to.
const ENTITIES: usize = 64;
const EXPANDED: usize = 100_000;

/// An element that begins.
pub(super) struct Element<'a, 'e> {
    pub dialect: Dialect,
    /// Its name without its prefix.
    pub local: &'a str,
    start: &'e BytesStart<'a>,
    scope: &'e Scope,
}

impl Element<'_, '_> {
    /// Its name as it is written, with its prefix.
    pub fn name(&self) -> &str {
        self.start.name().0
    }

    /// The value of the attribute of that name, whatever its prefix.
    pub fn attribute(&self, local: &str) -> Option<String> {
        let mut found = None;
        self.attributes(|name, value| {
            if name == local && found.is_none() {
                found = Some(value.to_owned());
            }
        });
        found
    }

    /// Every attribute, by its name without its prefix; declarations of namespaces are none.
    pub fn attributes(&self, mut each: impl FnMut(&str, &str)) {
        for attribute in self.start.attributes().with_checks(false).flatten() {
            if !is_declaration(attribute.key.0) {
                each(split(attribute.key.0).1, &self.scope.entities.resolved(&attribute.value));
            }
        }
    }

    /// Whether the prefix is one of a vocabulary that is known here.
    pub fn knows(&self, prefix: &str) -> bool {
        self.scope.dialect(prefix).is_some_and(Dialect::is_known)
    }
}

/// What is done with what stands in the markup.
pub(super) trait Visitor<'a> {
    fn open(&mut self, element: &Element<'a, '_>);
    fn close(&mut self);
    fn text(&mut self, text: &str);
    /// Comments and instructions to programmes.
    fn aside(&mut self, text: &str);
}

/// Walks through the markup to its end, or to what cannot be read.
pub(super) fn walk<'a>(markup: &'a str, visitor: &mut impl Visitor<'a>) -> Result<(), &'static str> {
    let mut walk = Walk::new(markup);
    let result = loop {
        match walk.step(visitor) {
            Ok(true) => {}
            Ok(false) => break walk.scope.wrong.map_or(Ok(()), Err),
            Err(wrong) => break Err(wrong),
        }
    };
    walk.open.iter().for_each(|_| visitor.close());
    result
}

/// The outermost element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Root<'a> {
    pub dialect: Dialect,
    pub local: &'a str,
}

/// The outermost element; nothing where there is none.
pub(super) fn root(markup: &str) -> Option<Root<'_>> {
    let mut walk = Walk::new(markup);
    loop {
        match walk.reader.read_event().ok()? {
            Event::Start(start) | Event::Empty(start) => {
                walk.scope.declare(&start, 1);
                let (prefix, local) = split(walk.name(&start));
                return Some(Root { dialect: walk.scope.dialect(prefix).unwrap_or(Dialect::Foreign), local });
            }
            Event::DocType(declaration) => walk.scope.entities.declare(&declaration),
            Event::Text(text) if !text.trim().is_empty() => return None,
            Event::Text(_) | Event::Comment(_) | Event::PI(_) | Event::Decl(_) => {}
            _ => return None,
        }
    }
}

/// The state of a walk.
struct Walk<'a> {
    markup: &'a str,
    reader: Reader<&'a [u8]>,
    scope: Scope,
    open: Vec<&'a str>,
}

impl<'a> Walk<'a> {
    fn new(markup: &'a str) -> Walk<'a> {
        let markup = markup.trim_start_matches('\u{FEFF}');
        let mut reader = Reader::from_str(markup);
        let config = reader.config_mut();
        // Which element is closed is told here: what is behind a wrong one is read too.
        config.check_end_names = false;
        config.allow_unmatched_ends = true;
        Walk { markup, reader, scope: Scope::default(), open: Vec::new() }
    }

    /// One event; false at the end.
    fn step(&mut self, visitor: &mut impl Visitor<'a>) -> Result<bool, &'static str> {
        match self.reader.read_event().map_err(|_| "xml")? {
            Event::Start(start) => self.start(&start, visitor)?,
            Event::Empty(start) => {
                self.start(&start, visitor)?;
                self.end(start.name().0, visitor);
            }
            Event::End(end) => self.end(end.name().0, visitor),
            Event::Text(text) => visitor.text(&text),
            Event::CData(text) => visitor.text(&text),
            Event::GeneralRef(reference) => self.scope.entities.resolve(&reference, |text| visitor.text(text)),
            Event::Comment(text) => visitor.aside(&text),
            Event::PI(text) => visitor.aside(&text),
            Event::DocType(declaration) => {
                self.scope.entities.declare(&declaration);
                self.scope.wrong = self.scope.wrong.or(self.scope.entities.wrong);
            }
            Event::Decl(_) => {}
            Event::Eof => {
                self.scope.wrong = self.scope.wrong.or(self.open.last().map(|_| "xml"));
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn start(&mut self, start: &BytesStart<'a>, visitor: &mut impl Visitor<'a>) -> Result<(), &'static str> {
        if self.open.len() >= DEEPEST {
            return Err("nesting");
        }
        let name = self.name(start);
        self.open.push(name);
        self.scope.declare(start, self.open.len());
        let (prefix, local) = split(name);
        let dialect = self.scope.dialect(prefix).unwrap_or(Dialect::Foreign);
        self.scope.check(prefix);
        visitor.open(&Element { dialect, local, start, scope: &self.scope });
        Ok(())
    }

    /// The name of an element that has just been read, as it stands in the markup: it ends in `>`, or in `/>`.
    fn name(&self, start: &BytesStart<'_>) -> &'a str {
        let end = usize::try_from(self.reader.buffer_position()).unwrap_or(usize::MAX);
        let name = start.name().0;
        let at = |closing: usize| {
            let from = end.checked_sub(start.len() + closing)?;
            self.markup.get(from..from + name.len()).filter(|found| *found == name)
        };
        at(1).or_else(|| at(2)).unwrap_or_default()
    }

    /// Closes the element of that name and what is open inside it; what closes nothing is wrong.
    fn end(&mut self, name: &str, visitor: &mut impl Visitor<'a>) {
        const LOOKED_AT: usize = 16;
        let inside = self.open.iter().rev().take(LOOKED_AT).position(|open| *open == name);
        if inside != Some(0) {
            self.scope.wrong = self.scope.wrong.or(Some("xml"));
        }
        for _ in 0..inside.map_or(0, |inside| inside + 1) {
            self.open.pop();
            visitor.close();
        }
        self.scope.leave(self.open.len());
    }
}

/// What holds where the walk is.
#[derive(Default)]
struct Scope {
    namespaces: Vec<Namespace>,
    entities: Entities,
    wrong: Option<&'static str>,
}

struct Namespace {
    prefix: String,
    dialect: Dialect,
    depth: usize,
}

impl Scope {
    fn declare(&mut self, start: &BytesStart<'_>, depth: usize) {
        if memchr::memmem::find(start.attributes_raw().as_bytes(), b"xmlns").is_none() {
            return;
        }
        for attribute in start.attributes().with_checks(false).flatten() {
            let prefix = match attribute.key.0 {
                "xmlns" => "",
                name => match name.strip_prefix("xmlns:") {
                    Some(prefix) => prefix,
                    None => continue,
                },
            };
            if self.namespaces.len() >= NAMESPACES {
                self.wrong = self.wrong.or(Some("namespaces"));
                return;
            }
            let dialect = Dialect::of(&self.entities.resolved(&attribute.value));
            self.namespaces.push(Namespace { prefix: prefix.to_owned(), dialect, depth });
        }
    }

    fn leave(&mut self, depth: usize) {
        while self.namespaces.last().is_some_and(|namespace| namespace.depth > depth) {
            self.namespaces.pop();
        }
    }

    fn dialect(&self, prefix: &str) -> Option<Dialect> {
        self.namespaces.iter().rev().find(|namespace| namespace.prefix == prefix).map(|namespace| namespace.dialect)
    }

    /// A prefix that nothing declares is an error (Namespaces in XML 1.0, 5).
    fn check(&mut self, prefix: &str) {
        if !prefix.is_empty() && prefix != "xml" && self.dialect(prefix).is_none() {
            self.wrong = self.wrong.or(Some("namespace"));
        }
    }
}

/// The entities that a document declares for itself. No office programme writes any.
#[derive(Default)]
struct Entities {
    own: Vec<(String, String)>,
    wrong: Option<&'static str>,
    expanded: std::cell::Cell<usize>,
}

impl Entities {
    /// Reads `<!ENTITY name "text">`; entities in that text stay as they are.
    fn declare(&mut self, declaration: &str) {
        for entity in declaration.split("<!ENTITY").skip(1) {
            self.wrong = Some("entities");
            let mut words = entity.trim_start().splitn(2, char::is_whitespace);
            let (Some(name), Some(rest)) = (words.next(), words.next()) else { continue };
            let rest = rest.trim_start();
            let Some(quote) = rest.chars().next().filter(|c| matches!(c, '"' | '\'')) else { continue };
            let Some(value) = rest.get(1..).and_then(|value| value.split(quote).next()) else { continue };
            if self.own.len() < ENTITIES {
                let value = self.resolved(value).into_owned();
                self.own.push((name.to_owned(), value));
            }
        }
    }

    /// What a reference stands for; one that stands for nothing is text as it is.
    fn resolve(&self, reference: &str, mut each: impl FnMut(&str)) {
        if let Some(c) = character(reference) {
            return each(c.encode_utf8(&mut [0; 4]));
        }
        match self.own.iter().find(|(name, _)| name == reference) {
            Some((_, value)) if self.expanded.get() < EXPANDED => {
                self.expanded.set(self.expanded.get() + value.len().max(1));
                each(value);
            }
            _ => ["&", reference, ";"].into_iter().for_each(each),
        }
    }

    /// Text with its references resolved.
    fn resolved<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if !text.contains('&') {
            return Cow::Borrowed(text);
        }
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find('&') {
            out.push_str(&rest[..at]);
            rest = &rest[at + 1..];
            match rest.find(';') {
                Some(end) => {
                    self.resolve(&rest[..end], |text| out.push_str(text));
                    rest = &rest[end + 1..];
                }
                // No reference ends behind here, and no other `&` begins one.
                None => {
                    out.push('&');
                    break;
                }
            }
        }
        out.push_str(rest);
        Cow::Owned(out)
    }
}

/// A character reference, or one of the entities that are there always.
fn character(reference: &str) -> Option<char> {
    if let Some(number) = reference.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16),
            None => number.parse(),
        };
        return code.ok().and_then(char::from_u32);
    }
    match reference {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "nbsp" => Some('\u{A0}'),
        _ => None,
    }
}

fn is_declaration(name: &str) -> bool {
    name == "xmlns" || name.starts_with("xmlns:")
}

fn split(name: &str) -> (&str, &str) {
    name.split_once(':').unwrap_or(("", name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn an_attribute_of_references_that_never_end_is_read_in_linear_time() {
        let entities = Entities::default();
        assert_eq!(entities.resolved("&#57;43 & 476 &amp"), "943 & 476 &amp");
        assert_eq!(entities.resolved(&format!("&#{}57;", "0".repeat(200))), "9", "however long one is");
        let many = "&".repeat(2_000_000);
        let start = Instant::now();
        assert_eq!(entities.resolved(&many), many);
        assert!(start.elapsed().as_secs() < 5);
    }
}

//! House rule: a room uses rooms above its line only. The table is the one in src/lib.rs; there is no second copy.
//!
//! Every `crate::`, `mailward::` and `super::` path in src/ is resolved, through groups and through re-exports of the
//! crate root. A room that the table does not know is a violation too.

// A table or a source file that cannot be read is a failed test.
#![allow(clippy::expect_used)]

use std::collections::HashMap;
use std::path::Path;

/// Whether rooms of one layer may use one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Among {
    Free,
    Never,
    /// Each may use those before it.
    InOrder,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    layer: usize,
    position: usize,
    among: Among,
}

type Table = HashMap<String, Place>;

/// Reads ``//! 2. `smtp`, `policy`: layer 1, and not one another``.
fn table(lib: &str) -> Table {
    let mut table = Table::new();
    for line in lib.lines().filter_map(|line| line.strip_prefix("//! ")) {
        let Some((number, rest)) = line.split_once(". ") else { continue };
        let Ok(layer) = number.parse::<usize>() else { continue };
        let (names, rule) = rest.split_once(':').unwrap_or((rest, ""));
        let among = if rule.contains("not one another") || rule.contains("never each other") {
            Among::Never
        } else if rule.contains("each may use those before it") {
            Among::InOrder
        } else {
            Among::Free
        };
        for (position, name) in names.split('`').skip(1).step_by(2).enumerate() {
            table.insert(name.to_owned(), Place { layer, position, among });
        }
    }
    table
}

fn may_use(from: Place, to: Place) -> bool {
    if from.layer != to.layer {
        return to.layer < from.layer;
    }
    match from.among {
        Among::Free => true,
        Among::Never => false,
        Among::InOrder => to.position < from.position,
    }
}

/// Words and marks of a source text; comments, strings and characters are left out.
fn tokens(source: &str) -> Vec<String> {
    let chars: Vec<char> = source.chars().collect();
    let (mut tokens, mut at) = (Vec::new(), 0);
    while at < chars.len() {
        let next = chars.get(at + 1).copied();
        match chars[at] {
            '/' if next == Some('/') => at = find(&chars, at, '\n'),
            '/' if next == Some('*') => at = after_block_comment(&chars, at),
            '"' => at = after_string(&chars, at),
            'r' if raw_string(&chars, at).is_some() => at = raw_string(&chars, at).unwrap_or(chars.len()),
            '\'' => at = after_quote(&chars, at),
            ':' if next == Some(':') => {
                tokens.push("::".to_owned());
                at += 2;
            }
            c if c.is_alphanumeric() || c == '_' => {
                let len = chars[at..].iter().take_while(|c| c.is_alphanumeric() || **c == '_').count();
                tokens.push(chars[at..at + len].iter().collect());
                at += len;
            }
            c => {
                if !c.is_whitespace() {
                    tokens.push(c.to_string());
                }
                at += 1;
            }
        }
    }
    tokens
}

fn find(chars: &[char], from: usize, wanted: char) -> usize {
    chars[from..].iter().position(|c| *c == wanted).map_or(chars.len(), |n| from + n)
}

fn after_block_comment(chars: &[char], from: usize) -> usize {
    let end = chars[from..].windows(2).position(|pair| pair == ['*', '/']);
    end.map_or(chars.len(), |n| from + n + 2)
}

fn after_string(chars: &[char], from: usize) -> usize {
    let mut at = from + 1;
    while at < chars.len() && chars[at] != '"' {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    at + 1
}

/// The end of `r#"…"#`, if one begins here.
fn raw_string(chars: &[char], from: usize) -> Option<usize> {
    let word_before =
        from > 0 && (chars[from - 1].is_alphanumeric() || chars[from - 1] == '_') && chars[from - 1] != 'b';
    let hashes = chars[from + 1..].iter().take_while(|c| **c == '#').count();
    if word_before || chars.get(from + 1 + hashes) != Some(&'"') {
        return None;
    }
    let close: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
    let text = from + hashes + 2;
    let end = chars[text..].windows(close.len()).position(|w| w == close);
    Some(end.map_or(chars.len(), |n| text + n + close.len()))
}

/// A character, or a lifetime.
fn after_quote(chars: &[char], from: usize) -> usize {
    match (chars.get(from + 1), chars.get(from + 2)) {
        (Some('\\'), _) => find(chars, from + 3, '\'') + 1,
        (_, Some('\'')) => from + 3,
        _ => from + 1,
    }
}

/// A name that a path reaches, and from where: `None` is the crate root, `Some(n)` is n modules up.
#[derive(Debug, PartialEq, Eq)]
struct Reached {
    up: Option<usize>,
    name: String,
}

/// Every path of `source` that begins at the crate root or with `super`.
fn paths(source: &str) -> Vec<Reached> {
    let tokens = tokens(source);
    let mut reached = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let begins = at == 0 || tokens[at - 1] != "::" || at == 1 || !is_word(&tokens[at - 2]);
        let continues = tokens.get(at + 1).is_some_and(|t| t == "::");
        match token.as_str() {
            "crate" | "mailward" if begins && continues => walk(&tokens, at + 2, None, &mut reached),
            "super" if begins && continues => walk(&tokens, at + 2, Some(1), &mut reached),
            _ => {}
        }
    }
    reached
}

fn is_word(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphanumeric() || c == '_')
}

fn walk(tokens: &[String], at: usize, up: Option<usize>, reached: &mut Vec<Reached>) {
    let after_path = |at: usize| tokens.get(at + 1).is_some_and(|t| t == "::");
    match tokens.get(at).map(String::as_str) {
        Some("super") if after_path(at) => walk(tokens, at + 2, up.map(|n| n + 1), reached),
        Some("self") if after_path(at) => walk(tokens, at + 2, up, reached),
        Some("{") => walk_group(tokens, at + 1, up, reached),
        // A macro of the crate is no room.
        Some(name) if tokens.get(at + 1).is_none_or(|t| t != "!") => {
            reached.push(Reached { up, name: name.to_owned() });
        }
        _ => {}
    }
}

fn walk_group(tokens: &[String], from: usize, up: Option<usize>, reached: &mut Vec<Reached>) {
    let (mut depth, mut entry) = (1, true);
    for (at, token) in tokens.iter().enumerate().skip(from) {
        if entry && token != "}" {
            walk(tokens, at, up, reached);
        }
        entry = token == "," && depth == 1;
        match token.as_str() {
            "{" => depth += 1,
            "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return;
        }
    }
}

/// Names that lib.rs re-exports at the root, and the room each comes from.
fn reexports(lib: &str) -> HashMap<String, String> {
    let tokens = tokens(lib);
    let mut names = HashMap::new();
    for at in tokens.iter().enumerate().filter_map(|(at, token)| (token == "use").then_some(at)) {
        let statement: Vec<&str> = tokens[at + 1..].iter().map(String::as_str).take_while(|t| *t != ";").collect();
        let mut words = statement.iter().copied().filter(|t| is_word(t) && !matches!(*t, "crate" | "self" | "as"));
        if let Some(room) = words.next() {
            names.extend(words.map(|word| (word.to_owned(), room.to_owned())));
        }
    }
    names
}

struct Source {
    /// Below src/, such as `smtp/server/line.rs`.
    path: String,
    text: String,
}

/// `smtp/server/line.rs` is `smtp::server::line`.
fn module(path: &str) -> Vec<&str> {
    let stem = path.strip_suffix(".rs").unwrap_or(path);
    stem.strip_suffix("/mod").unwrap_or(stem).split('/').collect()
}

fn violations(lib: &str, sources: &[Source]) -> Vec<String> {
    let (table, reexports) = (table(lib), reexports(lib));
    let mut wrong = Vec::new();
    for source in sources {
        let module = module(&source.path);
        let room = module[0];
        let Some(from) = table.get(room) else {
            wrong.push(format!("src/{}: the room `{room}` is not in the table of src/lib.rs", source.path));
            continue;
        };
        for reached in paths(&source.text) {
            // Fewer steps than the module is deep stay in the room.
            if reached.up.is_some_and(|up| up < module.len()) {
                continue;
            }
            let name = reexports.get(&reached.name).unwrap_or(&reached.name);
            match table.get(name) {
                Some(to) if name == room || may_use(*from, *to) => {}
                Some(_) => wrong.push(format!("src/{}: `{room}` may not use `{name}`", source.path)),
                // From a module inside a file, `super` may name anything of the file.
                None if reached.up.is_some() => {}
                None => wrong.push(format!("src/{}: `{name}` is no room of the table in src/lib.rs", source.path)),
            }
        }
    }
    wrong
}

fn sources(folder: &Path, below: &str, found: &mut Vec<Source>) {
    for entry in std::fs::read_dir(folder).expect("src/ can be read") {
        let entry = entry.expect("src/ can be read").path();
        let name = entry.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        if entry.is_dir() {
            sources(&entry, &format!("{below}{name}/"), found);
        } else if name.ends_with(".rs") && !matches!(format!("{below}{name}").as_str(), "lib.rs" | "main.rs") {
            let text = std::fs::read_to_string(&entry).expect("a source file can be read");
            found.push(Source { path: format!("{below}{name}"), text });
        }
    }
}

#[test]
fn every_room_uses_rooms_above_its_line_only() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let lib = std::fs::read_to_string(src.join("lib.rs")).expect("src/lib.rs is there");
    assert!(table(&lib).len() >= 20, "the table in src/lib.rs was not understood");
    let mut found = Vec::new();
    sources(&src, "", &mut found);
    assert!(found.len() > 10);
    let wrong = violations(&lib, &found);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

const LIB: &str = "//! 1. `mail`, `clock`\n//! 2. `smtp`, `policy`: layer 1, and not one another\n\
    //! 3. `store`, `queue`: each may use those before it\n//! 4. `receive`, `deliver`: never each other; queue\n\
    pub use policy::{Permit, Verdict as Judged};";

fn judged(path: &str, text: &str) -> Vec<String> {
    violations(LIB, &[Source { path: path.to_owned(), text: text.to_owned() }])
}

#[test]
fn a_violation_is_found_however_it_is_written() {
    for (path, text) in [
        ("smtp/mod.rs", "use crate::policy::Permit;"),
        ("smtp/server/line.rs", "use super::super::super::queue::Entry;"),
        ("smtp.rs", "fn f() { super::store::open() }"),
        ("smtp.rs", "use crate::{mail::{Domain, Mailbox}, queue as q};"),
        ("smtp.rs", "use crate::{self as all, policy};"),
        ("smtp.rs", "use mailward::deliver;"),
        ("smtp.rs", "fn f(p: ::mailward::policy::Permit) {}"),
        ("smtp.rs", "use crate::Permit;"),
        ("smtp.rs", "fn f(j: crate::Judged) {}"),
        ("smtp.rs", "use crate::*;"),
        ("store.rs", "use crate::queue;"),
        ("receive/mod.rs", "use crate::deliver;"),
        ("mail.rs", "#[cfg(test)] mod tests { use crate::smtp; }"),
        ("unheard_of.rs", ""),
        ("smtp.rs", "use crate::unheard_of;"),
    ] {
        assert!(!judged(path, text).is_empty(), "{path}: {text}");
    }
}

#[test]
fn what_the_table_allows_is_no_violation() {
    for (path, text) in [
        ("smtp/server/line.rs", "use super::replies; use crate::smtp::reply; use super::super::command;"),
        ("smtp.rs", "use crate::{mail::{self, Domain}, clock};"),
        ("queue/mod.rs", "use crate::store; pub(crate) fn f() {}"),
        ("deliver.rs", "use crate::queue; use crate::Permit;"),
        (
            "smtp.rs",
            "// use crate::policy;\nconst A: &str = \"crate::queue\"; const B: char = '\"'; /* crate::store */",
        ),
        ("smtp.rs", "const A: &str = r#\"\" crate::queue\"#; fn f<'a>(x: &'a str) { crate::closed!(x) }"),
        ("clock.rs", "mod tests { use super::*; use super::parse; }"),
    ] {
        assert_eq!(judged(path, text), Vec::<String>::new(), "{path}: {text}");
    }
}

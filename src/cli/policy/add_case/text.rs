//! A test as it is typed into a policy, and the addresses of a saved message.
//!
//! Called by `add_case`. Promises: what is written reads as the same test. Fails never.

use crate::decide::Case;
use crate::mail::{Header, Mailbox};
use crate::policy::{Expect, PolicyTest};
use crate::vocabulary::{Direction, Level};
use std::fmt::Write as _;

/// Recipients of a message that are taken.
const MOST: usize = 20;

/// The addresses of some fields.
pub(super) fn addresses(header: &Header<'_>, fields: &[&str]) -> Vec<Mailbox> {
    let fields = header.fields().filter(|field| fields.iter().any(|name| field.is(name)));
    let mut found: Vec<Mailbox> = Vec::new();
    for field in fields {
        for one in field.text().split([',', ';', ':']) {
            let address = one.rsplit_once('<').map_or(one, |(_, rest)| rest.split('>').next().unwrap_or(rest));
            found.extend(address.trim().parse::<Mailbox>().ok().filter(|_| found.len() < MOST));
        }
    }
    found
}

/// The message with the line ends of RFC 5322, however it was saved.
pub(super) fn with_crlf(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len());
    for (at, octet) in message.iter().enumerate() {
        if *octet == b'\n' && (at == 0 || message.get(at - 1) != Some(&b'\r')) {
            out.push(b'\r');
        }
        out.push(*octet);
    }
    out
}

/// `[test.NAME]` with its keys.
pub(super) fn of(test: &PolicyTest, case: &Case) -> String {
    let mut out = format!("[test.{}]\n", test.name);
    let mut line = |key: &str, value: &str| {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "{key:<9} = {value}");
    };
    if test.direction != Direction::Outbound {
        line("direction", &quoted(test.direction.name()));
    }
    test.site.iter().for_each(|site| line("site", &quoted(site)));
    line("from", &quoted(&case.from.to_string()));
    let to: Vec<String> = case.to.iter().map(|to| quoted(&to.to_string())).collect();
    match to.as_slice() {
        [one] => line("to", one),
        _ => line("to", &format!("[{}]", to.join(", "))),
    }
    line("subject", &quoted(&case.subject));
    line("body", &quoted(&case.body));
    if test.peer != Level::Any {
        line("peer", &quoted(test.peer.name()));
    }
    line("expect", &expected(&test.expect));
    out
}

fn expected(expect: &Expect) -> String {
    let mut parts = Vec::new();
    parts.extend(expect.require.map(|level| format!("require = {}", quoted(level.name()))));
    parts.extend(expect.fate.as_ref().map(|fate| format!("fate = {}", quoted(fate))));
    parts.extend(expect.classes.as_ref().map(|classes| {
        let classes: Vec<String> = classes.iter().map(|class| quoted(class)).collect();
        format!("classes = [{}]", classes.join(", "))
    }));
    format!("{{ {} }}", parts.join(", "))
}

/// A basic string of TOML 1.0.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            // What cannot be seen is written so that it can.
            c if c.is_control() || (!c.is_ascii() && !c.is_alphanumeric()) => {
                let _ = write!(out, "\\U{:08X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out + "\""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_reads_as_what_was_written() {
        for text in ["", "a \"b\" \\ c\nd\te", "943\u{A0}476\u{200B} é \u{7}\u{1F600}", "''\r"] {
            let read: toml::Table = format!("x = {}", quoted(text)).parse().unwrap();
            assert_eq!(read["x"].as_str(), Some(text));
        }
    }

    #[test]
    fn addresses_are_taken_with_and_without_names() {
        let bytes = b"From: Dr Jones <dr@a.example>\r\nTo: \"Smith, J\" <x@b.example>, y@c.example\r\nCc: none\r\n\r\n";
        let header = Header::of(bytes);
        let text = |fields: &[&str]| addresses(&header, fields).iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(text(&["From"]), ["dr@a.example"]);
        assert_eq!(text(&["To", "Cc"]), ["x@b.example", "y@c.example"]);
    }
}

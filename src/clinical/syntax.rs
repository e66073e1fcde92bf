//! Text whose own syntax can stand inside a number: escapes of JSON, commands of enriched text, lines that flow.
//!
//! Called by `leaf` for each text. Promises: one pass for each; nothing where there is no such syntax. Fails never.

use super::fields::Content;

/// Names in JSON are shorter.
const NAME: usize = 256;

/// The other readings of a text, by what it is and what its type says.
pub(super) fn readings(text: &str, content: &Content) -> Vec<String> {
    let start = text.trim_start_matches('\u{FEFF}').trim_start();
    let is_json = start.starts_with(['{', '[', '"']) && text.contains('\\');
    let is_enriched = matches!(content.kind.as_str(), "text/enriched" | "text/richtext");
    let is_notebook = start.starts_with('{') && text.contains("\"nbformat\"");
    let all = [
        is_notebook.then(|| unescaped(&with_lines_joined(text))),
        is_json.then(|| unescaped(text)),
        is_enriched.then(|| without_commands(text)),
        content.joins_lines.then(|| flowed(text)),
    ];
    all.into_iter().flatten().collect()
}

/// The lines of a notebook are strings in a list (nbformat 4, multi-line strings), which is shown as one text.
fn with_lines_joined(text: &str) -> String {
    let (mut out, mut rest, mut is_string) = (String::with_capacity(text.len()), text, false);
    while let Some(at) = memchr::memchr2(b'"', b'\\', rest.as_bytes()) {
        let is_escape = rest.as_bytes().get(at) == Some(&b'\\');
        let end = rest.ceil_char_boundary(at + if is_escape { 2 } else { 1 });
        let (before, behind) = rest.split_at(end);
        is_string ^= !is_escape;
        let next = behind.trim_start().strip_prefix(',').map(str::trim_start).and_then(|next| next.strip_prefix('"'));
        match next.filter(|_| !is_escape && !is_string && !is_name(next)) {
            Some(next) => {
                out.push_str(before.strip_suffix('"').unwrap_or(before));
                (rest, is_string) = (next, true);
            }
            None => {
                out.push_str(before);
                rest = behind;
            }
        }
    }
    out + rest
}

/// Whether a string is the name of what follows it.
fn is_name(string: Option<&str>) -> bool {
    let Some(string) = string else { return false };
    let mut is_escaped = false;
    let end = string.bytes().take(NAME).position(|byte| {
        let ends = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        ends
    });
    end.and_then(|end| string.get(end + 1..)).is_some_and(|behind| behind.trim_start().starts_with(':'))
}

/// RFC 3676 4.2 and 4.4 with `DelSp=yes`: a blank at the end of a line joins it to the next, and goes; one at its start is
/// stuffing, and goes too.
fn flowed(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        let line = line.trim_start_matches('>');
        let line = line.strip_prefix(' ').unwrap_or(line);
        match line.strip_suffix(' ') {
            Some(joined) => out.push_str(joined),
            None => {
                out.push_str(line);
                out.push('\n');
            }
        }
    }
    out
}

/// RFC 1896: `<bold>` and the like are commands and `<<` is a character; RFC 1341 7.1.3 has `<nl>`.
fn without_commands(text: &str) -> String {
    /// RFC 1896: commands are no longer.
    const COMMAND: usize = 60;
    const PARAMETER: usize = 256;
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(at) = rest.find('<') {
        let (before, behind) = rest.split_at(at);
        out.push_str(before);
        let name = behind.get(1..).unwrap_or_default();
        let length =
            name.bytes().take(COMMAND + 2).take_while(|b| b.is_ascii_alphanumeric() || b"-/".contains(b)).count();
        let is_command = length > 0 && name.as_bytes().get(length) == Some(&b'>');
        let is = |own: &str| is_command && name.get(..length).is_some_and(|name| name.eq_ignore_ascii_case(own));
        if is("nl") {
            out.push('\n');
        }
        // Its text says how what is around it looks.
        if is("param")
            && let Some(end) = name.get(..name.floor_char_boundary(PARAMETER)).and_then(|near| near.find("</"))
        {
            rest = name.get(end..).unwrap_or_default();
            continue;
        }
        if !is_command {
            out.push('<');
        }
        rest = behind.get(if is_command { length + 2 } else { 1 }..).unwrap_or_default();
    }
    out + rest
}

/// `\u00a0`, `\t` and the like undone, surrogate pairs (RFC 8259 7) included.
fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'\\', rest.as_bytes()) {
        out.push_str(rest.get(..at).unwrap_or_default());
        rest = rest.get(at..).unwrap_or_default();
        let (c, used) = match rest.as_bytes().get(1) {
            Some(b't') => ('\t', 2),
            Some(b'n') => ('\n', 2),
            Some(b'r') => ('\r', 2),
            Some(b'/') => ('/', 2),
            _ => escape(rest).unwrap_or(('\\', 1)),
        };
        out.push(c);
        rest = rest.get(used..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

/// The character that an escape at the start of `text` stands for, and the escape's length.
fn escape(text: &str) -> Option<(char, usize)> {
    let unit = |from: usize| {
        let hex = text.get(from..from + 6)?.strip_prefix("\\u")?;
        u16::from_str_radix(hex, 16).ok()
    };
    let first = unit(0)?;
    let (units, used) = match unit(6) {
        Some(second) if (0xD800..0xDC00).contains(&first) => ([first, second], 12),
        _ => ([first, 0], 6),
    };
    char::decode_utf16(units).next()?.ok().map(|c| (c, used))
}

#[cfg(test)]
mod tests {
    use super::{flowed, unescaped, with_lines_joined, without_commands};

    #[test]
    fn lines_that_flow_are_joined() {
        assert_eq!(flowed("943 476 59 \r\n19 is it\r\n  x\r\n"), "943 476 5919 is it\n x\n");
        assert_eq!(flowed("> 943 47 \r\n> 6 5919\r\n"), "943 476 5919\n");
    }

    #[test]
    fn the_lines_of_a_notebook_are_joined() {
        let cell = r#"{"cells": [{"source": ["943 \"4\" ",
            "476 ", "5919"], "kind":"x", "name" : "y"}], "nbformat": 4}"#;
        assert_eq!(
            with_lines_joined(cell),
            r#"{"cells": [{"source": ["943 \"4\" 476 5919"], "kind":"x", "name" : "y"}], "nbformat": 4}"#
        );
        assert_eq!(with_lines_joined("\"é\\é\", \"\\"), "\"é\\é\\");
        let notebook = r#"{"nbformat": 4, "cells": [{"source": ["NHS number 943 476\n", " 59", "19"]}]}"#;
        let message = format!("Content-Type: application/json; name=a.ipynb\r\n\r\n{notebook}");
        let found = crate::clinical::inspect(message.as_bytes(), &Default::default(), &Default::default());
        assert!(found.findings.iter().any(|f| f.kind == crate::vocabulary::FindingKind::NhsNumber), "{found:?}");
    }

    #[test]
    fn commands_are_taken_away() {
        assert_eq!(without_commands("943<bold></bold> 4<Bold>76</bold> 59<nl>19"), "943 476 59\n19");
        assert_eq!(without_commands("943<color><param>red</param></color> 476"), "943 476");
        assert_eq!(unescaped(r#""943\t476\/5\u0039\x""#), "\"943\t476/59\\x\"");
        assert_eq!(without_commands("a < b <c d> <<"), "a < b <c d> <<");
    }
}

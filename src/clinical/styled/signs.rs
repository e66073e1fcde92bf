//! What declarations of a page say, from their names and the beginnings of their values: whether they write, arrange, move or reveal.
//!
//! Part of `styled`, which by this reads a page as it is laid out only where that matters. Promises: linear, without reading the page.
//! Fails never: what may be meant counts as meant.

use super::{ESCAPED, HIDING, NEAR, SHORT, VALUE, VENDOR, hidden_by, places};

/// Whether a selector is no more than the name of elements, a class or an identifier.
pub(super) fn is_name(selector: &str) -> bool {
    let name = selector.strip_prefix(['.', '#']).unwrap_or(selector);
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// Whether what is hidden by one declaration may be shown by another one that counts more.
pub(super) fn reveals(shown: &str) -> bool {
    let (mut hidden, mut open): (Vec<&str>, Vec<&str>) = (Vec::new(), Vec::new());
    for at in memchr::memchr_iter(b':', shown.as_bytes()) {
        let name = last_name(shown, at);
        let known = HIDING.iter().flat_map(|(_, properties)| *properties);
        let Some(own) = known.copied().find(|own| name.eq_ignore_ascii_case(own.as_bytes())) else { continue };
        let value = shown.get(at + 1..).unwrap_or_default();
        let (these, others) = match hidden_by(value).contains(&own) {
            true => (&mut hidden, &open),
            false => (&mut open, &hidden),
        };
        if others.contains(&own) {
            return true;
        }
        if !these.contains(&own) {
            these.push(own);
        }
    }
    false
}

/// Whether a declaration writes text, or puts what is written into another order.
pub(super) fn arranges(shown: &str) -> bool {
    let (mut floats, mut looked_to) = (0, 0);
    let is_one = |at: usize| {
        let short = || value_behind(shown, at, SHORT).trim();
        // A value inside another is a piece of it.
        let mut long = || {
            let value = value_behind(shown, at, if at < looked_to { 0 } else { VALUE });
            looked_to = looked_to.max(at + value.len());
            value.trim()
        };
        let name = last_name(shown, at);
        let is = |own: &str| name.eq_ignore_ascii_case(own.as_bytes());
        match name.len() {
            _ if moves_by(name, short()) || (name.len() > 7 && name[..5].eq_ignore_ascii_case(b"grid-")) => true,
            1 => is(ESCAPED),
            4 => false,
            5 if is("float") => {
                floats += usize::from(short().eq_ignore_ascii_case("right"));
                floats > 1
            }
            5 => is("order") && short().starts_with(|c: char| c == '-' || c.is_ascii_digit()),
            7 => is("content") && writes(long()),
            9 | 14 if is("direction") || is("flex-direction") => turns(short()),
            9 => is("flex-flow") && turns(short()),
            12 => is("caption-side"),
            10 | 15 => (is("list-style") || is("list-style-type")) && long().contains(['"', '\'']),
            _ => false,
        }
    };
    memchr::memchr_iter(b':', shown.as_bytes()).any(is_one)
        || shown.contains("\ndir rtl")
        || shown.contains("\ndir RTL")
}

/// Whether a declaration may move a box from where its neighbours leave it.
pub(super) fn moves(shown: &str) -> bool {
    let is_one = |at: usize| moves_by(last_name(shown, at), value_behind(shown, at, SHORT));
    memchr::memchr_iter(b':', shown.as_bytes()).any(is_one)
}

fn moves_by(name: &[u8], value: &str) -> bool {
    const WAYS: &[&str] = &["absolute", "fixed", "relative", "sticky", "\\"];
    let is = |own: &str| name.eq_ignore_ascii_case(own.as_bytes());
    let is_margin = || name.get(..6).is_some_and(|start| start.eq_ignore_ascii_case(b"margin"));
    match name.len() {
        8 if is("position") => places::begins(value, WAYS),
        6 | 11 | 12 | 13 | 17 | 19 if is_margin() => value.contains('-'),
        9 if is("transform") || is("translate") => !places::begins(value, &["none"]),
        6 if is("rotate") => true,
        _ => is(ESCAPED),
    }
}

fn turns(value: &str) -> bool {
    let value = value.to_ascii_lowercase();
    value.starts_with("rtl") || value.contains("reverse")
}

/// Whether a value of `content` is text: not only a sign or an icon.
fn writes(value: &str) -> bool {
    let calls = || ["attr(", "counter", "quote", "var("].iter().any(|call| value.contains(call));
    let mut pieces = value.split('\\');
    let has_text = |text: &str| text.bytes().any(|byte| byte.is_ascii_alphanumeric());
    let is_string = value.starts_with(['"', '\'']);
    (is_string && (pieces.next().is_some_and(has_text) || has_digit(value))) || calls()
}

/// Whether one of the properties is given a value.
pub(super) fn declares(text: &str, properties: &[&str]) -> bool {
    let is_one = |name: &[u8]| properties.iter().any(|own| name.eq_ignore_ascii_case(own.as_bytes()));
    memchr::memchr_iter(b':', text.as_bytes()).any(|at| is_one(last_name(text, at)))
}

/// The value behind the colon, or as much of it as may be one.
pub(super) fn value_behind(text: &str, colon: usize, most: usize) -> &str {
    let end = text.floor_char_boundary(colon.saturating_add(most));
    let mut behind = text.get(colon + 1..end).unwrap_or_default().trim_start();
    while let Some((_, rest)) = behind.strip_prefix("/*").and_then(|comment| comment.split_once("*/")) {
        behind = rest.trim_start();
    }
    behind.split([';', '}', '\n']).next().unwrap_or_default()
}

/// The name right before the colon; [`ESCAPED`] where a comment stands between, or it has letters that are escaped.
pub(super) fn last_name(text: &str, colon: usize) -> &[u8] {
    let before = text.as_bytes().get(colon.saturating_sub(NEAR)..colon).unwrap_or_default();
    let before = before.trim_ascii_end();
    if before.last().is_some_and(|byte| !byte.is_ascii_alphanumeric()) {
        return if before.ends_with(b"*/") { ESCAPED.as_bytes() } else { &[] };
    }
    let length = before.iter().rev().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'-').count();
    let (before, name) = before.split_at(before.len() - length);
    let name = name.strip_prefix(VENDOR.as_bytes()).unwrap_or(name);
    if is_escape(before) { ESCAPED.as_bytes() } else { name }
}

/// Whether text ends with a backslash, or with an escape by number and the blank that ends it.
fn is_escape(text: &[u8]) -> bool {
    let number = text.strip_suffix(b" ").unwrap_or(text);
    let digits =
        if number.len() < text.len() { number.iter().rev().take_while(|b| b.is_ascii_hexdigit()).count() } else { 0 };
    number.get(..number.len() - digits).is_some_and(|before| before.ends_with(b"\\"))
}

/// Digits, and escapes of such; escapes of other characters have digits, too.
pub(super) fn has_digit(value: &str) -> bool {
    let mut pieces = value.split('\\');
    let plain = |text: &str| text.bytes().any(|byte| byte.is_ascii_digit());
    let escaped = |text: &str| {
        let hex = text.bytes().take(6).take_while(u8::is_ascii_hexdigit).count();
        let code = u32::from_str_radix(text.get(..hex).unwrap_or_default(), 16);
        code.is_ok_and(|code| (0x30..=0x39).contains(&code)) || plain(text.get(hex..).unwrap_or_default())
    };
    pieces.next().is_some_and(plain) || pieces.any(escaped)
}

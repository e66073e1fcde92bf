//! Drawings and pictures that are written as text: SVG, netpbm, XPM, DXF. What they draw, nobody here reads.
//!
//! Called by `leaf` beside the reading as text. Promises: an attachment that is one is said to be a picture; one pass. Fails never.

use super::formats::Format;
use super::leaf::{self, Octets, Shown};
use super::walk::Walk;
use super::{charset, opaque};
use crate::vocabulary::FindingKind;

/// Says that octets are a drawing. What is shown in the text and is small is a logo.
pub(super) fn look(walk: &mut Walk<'_>, bytes: &[u8], format: Format, about: &Octets<'_>) {
    let is_logo = about.shown == Shown::InText && bytes.len() < opaque::LOGO;
    if is_logo || leaf::is_body(about.place) || !matches!(format, Format::Text | Format::Markup) {
        return;
    }
    let reading = charset::read(bytes, about.content.charset.as_deref());
    if let Some(what) = of(&reading.text) {
        walk.report.unread(FindingKind::Image, about.place, what);
    }
}

/// Whether a page draws more in its text than logos have.
pub(super) fn are_in(markup: &str) -> bool {
    let bytes = markup.as_bytes();
    let starts =
        |at: usize, name: &[u8]| bytes.get(at..at + name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
    let mut begun = None;
    for at in memchr::memchr_iter(b'<', bytes) {
        if starts(at, b"<svg") {
            begun = begun.or(Some(at));
        } else if starts(at, b"</svg") && begun.take().is_some_and(|begun| at - begun >= opaque::LOGO) {
            return true;
        }
    }
    begun.is_some_and(|begun| bytes.len() - begun >= opaque::LOGO)
}

/// What text draws.
fn of(text: &str) -> Option<&'static str> {
    let text = text.trim_start_matches('\u{FEFF}').trim_start();
    match () {
        () if is_svg(text) => Some("svg"),
        () if is_netpbm(text) => Some("netpbm"),
        () if text.starts_with("/* XPM") => Some("xpm"),
        () if is_dxf(text) => Some("dxf"),
        () => None,
    }
}

/// Whether the first element, behind declarations and comments, is `svg` in some namespace.
fn is_svg(mut text: &str) -> bool {
    loop {
        let end = match text {
            _ if text.starts_with("<!--") => text.find("-->").map(|at| at + 3),
            _ if text.starts_with("<!") && !within_brackets(text) => text.find('>').map(|at| at + 1),
            _ if text.starts_with("<!") => text.find("]").and_then(|at| Some(at + text.get(at..)?.find('>')? + 1)),
            _ if text.starts_with("<?") => text.find("?>").map(|at| at + 2),
            _ => break,
        };
        let Some(rest) = end.and_then(|end| text.get(end..)) else { return false };
        text = rest.trim_start();
    }
    let name = text.strip_prefix('<').unwrap_or_default();
    let name = name.split([' ', '\t', '\r', '\n', '>', '/']).next().unwrap_or_default();
    name.rsplit(':').next().is_some_and(|local| local.eq_ignore_ascii_case("svg"))
}

/// Whether a declaration has declarations inside.
fn within_brackets(text: &str) -> bool {
    let first = text.find(['[', '>']);
    first.is_some_and(|at| text.as_bytes().get(at) == Some(&b'['))
}

/// `P1` to `P6`, comments, and two sides.
fn is_netpbm(text: &str) -> bool {
    let Some(rest) = text.strip_prefix('P').filter(|rest| rest.starts_with(['1', '2', '3', '4', '5', '6'])) else {
        return false;
    };
    let rest = rest.get(1..).unwrap_or_default();
    let lines = rest.lines().map(|line| line.split('#').next().unwrap_or_default()).take(100);
    let mut words = lines.flat_map(str::split_ascii_whitespace);
    let mut is_number = || words.next().is_some_and(|word| word.bytes().all(|byte| byte.is_ascii_digit()));
    rest.starts_with(|c: char| c.is_ascii_whitespace() || c == '#') && is_number() && is_number()
}

/// Pairs of lines, a code and a value: the first that is no comment (999) begins a section.
fn is_dxf(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim);
    let mut pairs = std::iter::from_fn(|| Some([lines.next()?, lines.next()?]));
    pairs.find(|[code, _]| *code != "999").is_some_and(|[code, value]| code == "0" && value == "SECTION")
}

#[cfg(test)]
mod tests {
    use super::{are_in, of};

    #[test]
    fn a_drawing_in_a_page_is_a_logo_or_a_picture() {
        let drawing = |octets: usize| format!("<p>x</p><SVG><path d='{}'/></sVg>", "1 ".repeat(octets / 2));
        assert!(!are_in(&drawing(19_900).repeat(3)), "three logos");
        assert!(are_in(&drawing(20_000)));
        assert!(are_in(&drawing(20_000).replace("</sVg>", "<svg>")), "without an end");
        assert!(!are_in(&format!("{}</svg>", "<p>".repeat(9_000))));
    }

    #[test]
    fn drawings_are_told_from_text() {
        for (text, what) in [
            ("<svg/>", "svg"),
            ("<?xml version='1.0'?>\n<!-- <p> --><!DOCTYPE svg [<!ENTITY a '>'>]><s:svg xmlns:s='x'>", "svg"),
            ("<!DOCTYPE svg PUBLIC 'x' 'y'>\n<SVG>", "svg"),
            ("P1\n# a\n190 30\n0 1 0", "netpbm"),
            ("P3 2 2 255 1", "netpbm"),
            ("/* XPM */ static char", "xpm"),
            ("999\nby hand\n  0\r\nSECTION\n", "dxf"),
        ] {
            assert_eq!(of(text), Some(what), "{text}");
        }
        for text in ["<html><svg>", "P1 is the first plan", "P45 and 3", "0\nsections", "<!-- <svg>", "<svgs>", "999"] {
            assert_eq!(of(text), None, "{text}");
        }
    }
}

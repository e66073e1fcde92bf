//! The last part: what of the original goes back with a notice.
//!
//! Called by `compose`. Promises: of a message in a class, or whose subject is to be cared for, a few fields by name, without
//! display names and with a scrubbed subject; never a body then. Otherwise the header section, or the whole where it was
//! asked for and can travel in this notice. Fails never.

use super::{Lines, Report};
use crate::mail::{Header, HeaderField};
use crate::vocabulary::SubjectCare;

const WITHHELD: &str = "(subject withheld)";

pub(super) fn write(out: &mut Lines, report: &Report<'_>) {
    let is_listed = report.in_class || report.care != SubjectCare::Keep;
    if let Some(whole) = report.original.filter(|whole| !is_listed && can_travel(whole, report.boundary)) {
        out.part(report, "message/rfc822");
        out.octets(whole);
        return;
    }
    out.part(report, if out.international { "message/global-headers" } else { "text/rfc822-headers" });
    for field in Header::of(report.original_header).fields() {
        match is_listed {
            true => listed(out, &field, report.care),
            false => as_written(out, &field),
        }
    }
}

/// Seven bits, lines within RFC 5322 2.1.1, and nothing that would end the part early.
fn can_travel(whole: &[u8], boundary: &str) -> bool {
    let delimiter = format!("--{boundary}");
    whole.is_ascii()
        && !whole.contains(&0)
        && whole.split(|b| *b == b'\n').all(|line| line.len() <= 998 && !line.starts_with(delimiter.as_bytes()))
}

/// A field with its folds.
fn as_written(out: &mut Lines, field: &HeaderField<'_>) {
    for line in String::from_utf8_lossy(field.raw).split("\r\n").filter(|l| !l.is_empty()) {
        out.line(line);
    }
}

/// One of the fields that may always be shown.
fn listed(out: &mut Lines, field: &HeaderField<'_>, care: SubjectCare) {
    let text = field.text();
    let (name, shown) = match () {
        () if field.is("from") => ("From", addresses(&text)),
        () if field.is("to") => ("To", addresses(&text)),
        () if field.is("date") => ("Date", text),
        () if field.is("message-id") => ("Message-ID", text),
        () if field.is("subject") => ("Subject", scrubbed(&text, care)),
        () => return,
    };
    // RFC 5322 3.4 puts no bound on the number of addresses; a report needs no more than a line of them.
    out.line(&format!("{name}: {shown}"));
}

/// The addresses without display names and comments, which can hold anything.
fn addresses(text: &str) -> String {
    let is_address = |a: &&str| a.contains('@') && !a.contains([' ', '"', ',', ';', '(', '<', '=']);
    let in_brackets: Vec<&str> =
        text.split('<').skip(1).filter_map(|t| Some(t.split_once('>')?.0)).filter(is_address).collect();
    if !in_brackets.is_empty() {
        return in_brackets.iter().take(10).map(|a| format!("<{a}>")).collect::<Vec<_>>().join(", ");
    }
    let plain: Vec<&str> = text.split(',').map(str::trim).filter(is_address).take(10).collect();
    if plain.is_empty() { "undisclosed:;".to_owned() } else { plain.join(", ") }
}

/// Without digits. What is encoded or not ASCII could hide them, and is withheld.
fn scrubbed(text: &str, care: SubjectCare) -> String {
    if care == SubjectCare::Replace || text.contains("=?") || !text.is_ascii() {
        return WITHHELD.to_owned();
    }
    text.chars().map(|c| if c.is_ascii_digit() { '*' } else { c }).collect()
}

/// The original's Message-ID, if it can stand in a field of ours.
pub(super) fn original_id(header: &[u8]) -> Option<String> {
    let id = Header::of(header).first("message-id")?.text();
    let is_good =
        id.starts_with('<') && id.ends_with('>') && id.len() <= 500 && id.bytes().all(|b| b.is_ascii_graphic());
    is_good.then_some(id)
}

//! The last part: what of the original goes back with a notice.
//!
//! Called by `compose`. Promises: of a message in a class, or whose subject is to be cared for, a few fields by name, without
//! display names and with a scrubbed subject; never a body then. Otherwise the header section, or the whole where it was
//! asked for and can travel in this notice. Fails never.

use super::{Encoding, Lines, Report};
use crate::mail::{Header, HeaderField};
use crate::vocabulary::SubjectCare;

const WITHHELD: &str = "(subject withheld)";

/// The whole original, where it goes back.
pub(super) fn whole<'a>(report: &Report<'a>) -> Option<&'a [u8]> {
    report.original.filter(|whole| !is_listed(report) && can_travel(whole, report.boundary))
}

fn is_listed(report: &Report<'_>) -> bool {
    report.in_class || report.care != SubjectCare::Keep
}

pub(super) fn write_whole(out: &mut Lines, report: &Report<'_>, whole: &[u8]) {
    // RFC 6532 3.7: a header section in UTF-8 makes it a global message.
    let global = report.smtputf8 && !Header::of(whole).bytes().is_ascii();
    let kind = if global { "message/global" } else { "message/rfc822" };
    out.part(report, (kind, Encoding::of(whole)));
    out.octets(whole);
}

pub(super) fn write(out: &mut Lines, report: &Report<'_>, encoding: Encoding) {
    // RFC 6533 5
    let kind = if out.international { "message/global-headers" } else { "text/rfc822-headers" };
    out.part(report, (kind, encoding));
    for field in Header::of(report.original_header).fields() {
        match is_listed(report) {
            true => listed(out, &field, report.care),
            false => as_written(out, &field),
        }
    }
}

/// Lines within RFC 5322 2.1.1, and nothing that would end the part early.
fn can_travel(whole: &[u8], boundary: &str) -> bool {
    let delimiter = format!("--{boundary}");
    !whole.contains(&0)
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
pub(super) fn addresses(text: &str) -> String {
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
    message_id(&id).then_some(id)
}

/// Whether it is one id in angle brackets.
pub(super) fn message_id(id: &str) -> bool {
    id.starts_with('<') && id.ends_with('>') && id.len() <= 500 && id.bytes().all(|b| b.is_ascii_graphic())
}

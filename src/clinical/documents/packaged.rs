//! Objects that a document carries: the OLE 1 object of [MS-OLEDS] 2.2 and the package of a file in it.
//!
//! Called by `rtf` and `ole`. Promises: every octet of the object's own data is handed over, as the file that it says it is or as
//! it stands. Fails never: an object that cannot be taken apart is handed over whole.

use super::document::Document;
use super::octets::Octets;
use super::{codepages, equation, runs};
use crate::vocabulary::FindingKind;
use encoding_rs::WINDOWS_1252;

/// Smaller pictures of what a link leads to are icons.
const ORNAMENT: usize = 20_000;

/// [MS-OLEDS] 2.2.4: the object of an RTF document.
pub(super) fn object(bytes: &[u8], document: &mut Document<'_, '_>) {
    match embedded(bytes) {
        Some(Embedded { class, data }) if class.eq_ignore_ascii_case("package") => native(data, document),
        Some(Embedded { class, data }) => {
            document.name(&class);
            document.file(&class, data);
        }
        None if link(bytes, document).is_some() => {}
        None => {
            document.unread(FindingKind::BrokenAttachment, "object", "object header");
            document.file("object", bytes);
        }
    }
}

struct Embedded<'a> {
    class: String,
    data: &'a [u8],
}

/// [MS-OLEDS] 2.2.5: version, format 2, three strings, the data.
fn embedded(bytes: &[u8]) -> Option<Embedded<'_>> {
    let mut octets = Octets::of(bytes);
    octets.u32()?;
    if octets.u32()? != 2 {
        return None;
    }
    let class = string(&mut octets)?;
    string(&mut octets)?;
    string(&mut octets)?;
    let announced = octets.length()?;
    let data = octets.take_up_to(announced);
    Some(Embedded { class, data })
}

/// [MS-OLEDS] 2.2.6: a link has the names of a file, and nothing of the file but a picture of it. Word ends some behind the class.
fn link(bytes: &[u8], document: &mut Document<'_, '_>) -> Option<()> {
    let mut octets = Octets::of(bytes);
    octets.u32()?;
    if octets.u32()? != 1 {
        return None;
    }
    document.name(&string(&mut octets)?);
    for _ in ["file", "place in it"] {
        string(&mut octets).into_iter().for_each(|name| document.name(&name));
    }
    match octets.rest() {
        rest if rest.len() < ORNAMENT => document.text("object", &runs::of(rest)),
        rest => document.file("object", rest),
    }
    Some(())
}

/// [MS-OLEDS] 2.1.4: a length, and so many octets with a zero at the end.
fn string(octets: &mut Octets<'_>) -> Option<String> {
    let length = octets.length()?;
    Some(codepages::text(octets.take(length)?, WINDOWS_1252))
}

/// The stream `\1Ole10Native`: a length before the data.
pub(super) fn native_stream(bytes: &[u8], document: &mut Document<'_, '_>) {
    let mut octets = Octets::of(bytes);
    let announced = octets.length().unwrap_or(0);
    let data = octets.take_up_to(announced);
    native(data, document);
    // More than was announced is shown by no reader, and is there.
    if !octets.rest().is_empty() {
        document.file("object", octets.rest());
    }
}

/// A package of the packager, or whatever else.
fn native(bytes: &[u8], document: &mut Document<'_, '_>) {
    match package(bytes) {
        Some(Package { names, data }) => {
            names.iter().for_each(|name| document.name(name));
            let name = names.first().map_or("object", String::as_str);
            document.file(name, data);
        }
        None if equation::is_one(bytes) => {
            document.text("object", &equation::letters(bytes));
            document.text("object", &runs::of(bytes));
        }
        None => document.file("object", bytes),
    }
}

struct Package<'a> {
    names: Vec<String>,
    data: &'a [u8],
}

/// What the packager of Windows writes: two names, a path, the file; names in UTF-16 may follow.
fn package(bytes: &[u8]) -> Option<Package<'_>> {
    let mut octets = Octets::of(bytes);
    if octets.u16()? != 2 {
        return None;
    }
    let mut names = vec![codepages::text(octets.until_zero()?, WINDOWS_1252)];
    names.push(codepages::text(octets.until_zero()?, WINDOWS_1252));
    octets.take(4)?;
    let length = octets.length()?;
    names.push(codepages::text(octets.take(length)?, WINDOWS_1252));
    let announced = octets.length()?;
    let data = octets.take_up_to(announced);
    // What follows is names in UTF-16, and more where somebody hides it.
    names.push(codepages::wide(octets.rest()));
    Some(Package { names, data })
}

//! Reads the text of a part, plain or as markup, in every reading that it has, and the files and texts that it carries.
//!
//! Called by `leaf` and by whoever finds text inside something else. Promises: what is looked at is paid for (`looks`); what a file or a
//! programme would add to what is shown is said. Fails never.

use super::embedded::Embedded;
use super::fields::Content;
use super::leaf::{Octets, Shown, is_body, limit, octets};
use super::styled::Beside;
use super::walk::Walk;
use super::{
    across, cards, charset, documents, drawings, embedded, encoded, entities, html, seals, seam, styled, svg, syntax,
    typed,
};
use crate::vocabulary::FindingKind;
use std::collections::{BTreeSet, HashSet};

/// What a colon of a page costs: it may be behind the name of a property.
const COLON: usize = 8;

/// How a text is dressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dress {
    Plain,
    Markup,
    /// Text with tags in it, which some readers show as markup.
    Tagged,
}

/// Text or markup, and the files and texts that it carries.
pub(super) fn carrying(walk: &mut Walk<'_>, bytes: &[u8], dress: Dress, about: &Octets<'_>) {
    let files = text(walk, bytes, about.content, dress, about.place);
    if files.is_empty() {
        return;
    }
    let Some(inside) = walk.inside(about.place, about.spot) else { return };
    let place = format!("{}data", inside.prefix);
    // What stands in several readings of the text is read once.
    let mut known = HashSet::new();
    for file in files.iter().filter(|file| known.insert(*file)) {
        let fitting = file.bytes.get(..file.bytes.len().min(walk.left)).unwrap_or_default();
        limit(walk, fitting.len() < file.bytes.len(), &place);
        walk.left -= fitting.len();
        if !walk.count_part(&place) {
            continue;
        }
        // Letters may look like anything in a font that the page brings with it.
        if is_font(fitting) {
            walk.report.unread(FindingKind::UnknownAttachment, &place, "font");
            continue;
        }
        let content = Content { kind: file.kind.clone(), ..Content::default() };
        octets(walk, fitting, &Octets { content: &content, place: &place, spot: &inside, shown: Shown::InText });
    }
}

/// Pages carry their fonts.
fn is_font(bytes: &[u8]) -> bool {
    [b"wOFF", b"wOF2", b"OTTO", b"\0\x01\0\0"].iter().any(|start| bytes.starts_with(*start))
}

/// Text of markup: all of it, and what is visible of it.
fn dressed(walk: &mut Walk<'_>, text: &str, place: &str) -> BTreeSet<Embedded> {
    // To take it apart costs about twice as much as to look at what comes out, and to arrange it as much again.
    walk.charge(text.len() + COLON * memchr::memchr_iter(b':', text.as_bytes()).count());
    let text = walk.affordable(text, place);
    let shown = html::text(text);
    walk.shapes(&shown, place);
    walk.scan(&shown, place);
    walk.scan(&across::across(html::shown_of(&shown)), place);
    if is_body(place) {
        seam::look(walk, html::shown_of(&shown), place);
    }
    if let Some(visible) = styled::visible(text, &shown) {
        walk.scan(&visible, place);
    }
    let entities = entities::undone(text);
    if let Some(text) = entities.text {
        walk.scan(&html::text(&text), place);
    }
    if entities.is_unread {
        walk.report.unread(FindingKind::BrokenAttachment, place, "entities");
    }
    drawn(walk, text, place);
    if drawings::are_in(text) {
        walk.report.unread(FindingKind::Image, place, "svg");
    }
    let beside = if is_body(place) { Beside::Nothing } else { Beside::Files };
    if styled::has_sheet(text, &shown, beside) {
        walk.report.unread(FindingKind::BrokenAttachment, place, "style sheet");
    }
    // Clients run nothing that is in the text of a message.
    if !is_body(place) && styled::has_script(text, &shown) {
        walk.report.unread(FindingKind::UnknownAttachment, place, "script");
    }
    let arranged = styled::arranged(text, &shown, &mut walk.steps);
    walk.charge(if arranged.is_some() { text.len() } else { 0 });
    let arranged = arranged.unwrap_or_default();
    walk.scan(&arranged.text, place);
    // What a browser makes of a sheet is not known for sure; what is attached may say no more than the sheet does.
    let is_unsure = if is_body(place) { arranged.is_cut } else { true };
    if (is_unsure && styled::has_generated_digits(&shown)) || (arranged.is_cut && !is_body(place)) {
        walk.report.unread(FindingKind::BrokenAttachment, place, "generated content");
    }
    if arranged.is_adrift {
        walk.report.unread(FindingKind::BrokenAttachment, place, "layout");
    }
    embedded::of(&shown, walk.limits.part.min(walk.left))
}

/// What drawings in a page show in another order than it is written in.
fn drawn(walk: &mut Walk<'_>, text: &str, place: &str) {
    let Some(placed) = svg::placed(text) else { return };
    walk.charge(text.len());
    walk.scan(&placed.text, place);
    if placed.is_cut {
        walk.report.unread(FindingKind::BrokenAttachment, place, "layout");
    }
}

/// Reads text; the files and texts that it carries.
pub(super) fn text(walk: &mut Walk<'_>, bytes: &[u8], content: &Content, dress: Dress, place: &str) -> Vec<Embedded> {
    let mut files = Vec::new();
    let reading = charset::read(bytes, content.charset.as_deref());
    if !reading.sound {
        walk.report.unread(FindingKind::BrokenAttachment, place, "charset");
    }
    for text in std::iter::once(reading.text.as_ref()).chain(reading.other.as_deref()) {
        seals::within(walk, text.as_bytes(), place);
        walk.shapes(text, place);
        if dress == Dress::Tagged {
            walk.scan(&html::text(text), place);
        }
        if dress == Dress::Markup {
            files.extend(dressed(walk, text, place));
        }
        if dress == Dress::Plain && is_body(place) {
            seam::look(walk, text, place);
        }
        if dress != Dress::Markup || content.kind != "text/html" {
            walk.scan(text, place);
            let others = syntax::readings(text, content);
            others.into_iter().chain(typed::in_full(text)).for_each(|other| walk.scan(&other, place));
            files.extend(card(walk, text, place));
            files.extend(encoded::of(text, walk.limits.part.min(walk.left)));
            formulas(walk, text, place);
        }
    }
    walk.report.read(place);
    files
}

/// A card or a calendar, if the text is one: the files that it carries.
fn card(walk: &mut Walk<'_>, text: &str, place: &str) -> BTreeSet<Embedded> {
    let Some(card) = cards::read(text, walk.limits.part.min(walk.left)) else { return BTreeSet::new() };
    walk.scan(&card.text, place);
    let mut files = card.files;
    for page in &card.pages {
        if !walk.count_part(place) {
            break;
        }
        files.extend(dressed(walk, page, place));
    }
    files
}

/// What a spreadsheet works out when it opens the text: nobody here does.
fn formulas(walk: &mut Walk<'_>, text: &str, place: &str) {
    let sheet = || documents::sylk_sheet(text).or_else(|| documents::dif_sheet(text));
    if let Some(sheet) = sheet().filter(|_| !is_body(place)) {
        if sheet.is_cut {
            walk.report.unread(FindingKind::BrokenAttachment, place, "formulas");
        }
        walk.scan(&sheet.text, place);
    }
    let formulas = if is_body(place) { Vec::new() } else { typed::formulas(text) };
    if !formulas.is_empty() {
        walk.report.unread(FindingKind::BrokenAttachment, place, "formula without value");
        walk.scan(&formulas.join("\n"), place);
    }
}

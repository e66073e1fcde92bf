//! Office documents: the packages of Word, Excel and PowerPoint (ECMA-376, ISO/IEC 29500) and of OpenDocument, and their forms in
//! one file of XML.
//!
//! Called by `zip` for each file of a package, and by `documents` for XML that stands alone. Promises: every file of a package is
//! looked at; one of XML is read as its outermost element says, wherever in the package it is and whatever it is called; a package in which
//! nothing is written is said to be so. Fails never: what is wrong is a finding.

mod arranged;
mod attributes;
mod bound;
mod counts;
mod data_styles;
mod dialect;
mod evaluation;
mod files;
mod flow;
mod formulas;
mod frame_places;
mod held;
mod lists;
mod manifest;
mod number_formats;
mod numbering;
mod numbers;
mod part;
mod reader;
mod rendering;
mod roles;
mod sheet;
mod strings;
mod styles;
mod swaps;
#[cfg(test)]
mod tests;
mod xlsb;
mod xml;

use super::super::formats::{self, Format};
use super::super::{charset, html};
use super::document::Document;
use super::zip::{self, Archive, Entry};
use super::{Read, Wrong};
use crate::vocabulary::FindingKind;
pub(super) use arranged::{Arrangement, HIDDEN_CELLS, is_low, is_narrow};
use counts::Counts;
use dialect::Dialect;
use files::{is_data, is_drawn, is_lost_markup, is_of_package, is_settings, is_thumbnail, may_be_written, words_in};
pub(super) use number_formats::{List, NumberFormats, Shown};
pub(super) use numbers::with_page;
use part::{Known, tell};
pub(super) use sheet::{At, Sheet};
use std::borrow::Cow;
use std::io::Cursor;
use strings::Strings;
use styles::Styles;
use xml::Root;

/// Files whose beginning is looked at before any is read.
const LOOKED_AT: usize = 4_096;
/// As much of each: what stands before the outermost element is short.
const BEGINNING: u64 = 4_096;
/// Most markup says so early what it is.
const SAMPLE: usize = 64 * 1024;
/// As small as a logo: a mark made by hand.
const ORNAMENT: usize = 20_000;

/// A zip that may be an office document.
pub(super) struct Package {
    is_office: bool,
    strings: Strings,
    styles: Styles,
    counts: Counts,
    /// Files that the manifest says are encrypted.
    encrypted: Vec<String>,
    met: Met,
}

/// What was met in a package so far.
#[derive(Default)]
struct Met {
    /// Text that somebody wrote.
    text: bool,
    /// The part in which programmes look for it.
    main: bool,
    /// Something that the document carries, which is read by itself.
    file: bool,
    /// What is drawn may be text.
    drawing: bool,
}

impl Package {
    pub fn of(archive: &Archive<'_>) -> Package {
        let tells = |name: &str| {
            ["[Content_Types].xml", "META-INF/manifest.xml"].iter().any(|own| name.eq_ignore_ascii_case(own))
        };
        let is_office = (0..archive.len()).any(|at| tells(&archive.name(at)));
        Package {
            is_office,
            strings: Strings::default(),
            styles: Styles::default(),
            counts: Counts::default(),
            encrypted: Vec::new(),
            met: Met::default(),
        }
    }

    /// The files in the order in which they are read: what others refer to comes first, and what shows their numbers last.
    pub fn order(&self, archive: &Archive<'_>) -> Vec<usize> {
        let mut order: Vec<usize> = (0..archive.len()).collect();
        if self.is_office {
            order.sort_by_cached_key(|at| if *at < LOOKED_AT { rank(archive, *at) } else { Rank::Usual });
        }
        order
    }

    /// One file of the package.
    pub fn entry(&mut self, entry: &Entry, document: &mut Document<'_, '_>) {
        let Entry { name, bytes, .. } = entry;
        if !self.is_office || bytes.is_empty() {
            return document.file(name, bytes);
        }
        if let Some(text) = markup(bytes) {
            let root = xml::root(&text);
            if root.is_some_and(|root| is_data(root, name)) {
                self.counts.bound.part(&text);
            }
            match root {
                Some(root) if root.dialect.is_known() => {
                    self.met.drawing |= is_written(root) && is_drawn(&text);
                    if is_written(root) && may_be_written(&text) {
                        document.unread(FindingKind::Image, name, "outlines");
                    }
                    return self.part(name, bytes, root, document);
                }
                Some(Root { local: "coreProperties" | "Properties", .. }) => self.counts.properties(&text),
                Some(Root { local: "ink", .. }) => self.ink(name, bytes, document),
                // XPS: its letters are in attributes, or are numbers of a font's.
                Some(Root { local: "FixedPage", .. }) => document.unread(FindingKind::UnknownAttachment, name, "xps"),
                _ => {}
            }
            return self.file(name, bytes, document);
        }
        match formats::of(bytes, None) {
            _ if self.encrypted.contains(name) => document.closed(name, "open-document"),
            _ if xlsb::is_part(bytes) => self.records(name, bytes, document),
            _ if is_lost_markup(name, bytes) => {
                document.unread(FindingKind::BrokenAttachment, name, "charset");
                document.file(name, bytes);
            }
            Format::Image(_) => {
                self.met.drawing |= !is_thumbnail(name);
                document.picture(name, bytes);
            }
            // With names in UTF-16, and zeros that text has not.
            Format::Unknown("binary") | Format::Text if is_settings(name, bytes) => words_in(name, bytes, document),
            _ => self.file(name, bytes, document),
        }
    }

    /// A file that is no part of the document's own markup: something that it carries.
    fn file(&mut self, name: &str, bytes: &[u8], document: &mut Document<'_, '_>) {
        self.met.file |= !is_of_package(name);
        document.file(name, bytes);
    }

    /// InkML: what was written by hand.
    fn ink(&mut self, name: &str, bytes: &[u8], document: &mut Document<'_, '_>) {
        self.met.drawing = true;
        if bytes.len() >= ORNAMENT {
            document.unread(FindingKind::Image, name, "ink");
        }
    }

    /// A file of the package that is XML of the document.
    fn part(&mut self, name: &str, bytes: &[u8], root: Root<'_>, document: &mut Document<'_, '_>) {
        document.name(name);
        if !document.count(name) {
            return;
        }
        if root.local == "manifest" {
            self.encrypted = markup(bytes).map(|text| manifest::encrypted(&text)).unwrap_or_default();
            if let Some(first) = self.encrypted.first() {
                document.closed(first, "open-document");
            }
        }
        let known = Known { strings: &mut self.strings, styles: &mut self.styles, counts: &mut self.counts };
        let has_text = part::read(name, bytes, known, document);
        self.met.text |= has_text && is_written(root);
        self.met.main |= is_main(root);
    }

    /// A file of the package that is records of a binary workbook.
    fn records(&mut self, name: &str, bytes: &[u8], document: &mut Document<'_, '_>) {
        document.name(name);
        if !document.count(name) {
            return;
        }
        let part = xlsb::read(bytes, (&mut self.strings, &mut self.styles.numbers), document.room());
        let is_sound = !part.unread.contains(xlsb::CUT);
        part.unread.iter().for_each(|what| document.unread(FindingKind::BrokenAttachment, name, what));
        self.met.text |= tell(&part.told, name, document) && part.is_written;
        self.met.main |= part.is_written;
        if !is_sound {
            // It may be something else for somebody else.
            document.file(name, bytes);
        }
    }

    /// After the last file.
    pub fn finish(&self, document: &mut Document<'_, '_>) {
        if self.is_office && self.strings.is_missing() {
            document.unread(FindingKind::BrokenAttachment, "sheet", "shared strings");
        }
        match self.met {
            _ if !self.is_office => {}
            Met { text: true, .. } => {}
            Met { main: false, .. } if self.encrypted.is_empty() => {
                document.unread(FindingKind::BrokenAttachment, "", "no text found");
            }
            // What it says is in its pictures.
            Met { drawing: true, file: false, .. } => document.unread(FindingKind::Image, "", "no text found"),
            Met { .. } => document.empty(),
        }
    }
}

/// Whether these octets are office markup that stands alone.
pub(in super::super) fn is_markup(bytes: &[u8]) -> bool {
    let root = |bytes| markup(bytes).and_then(|text| xml::root(&text).map(|root| root.dialect.is_known()));
    let sample = &bytes[..bytes.len().min(SAMPLE)];
    root(sample).or_else(|| root(bytes).filter(|_| sample.len() < bytes.len())).unwrap_or(false)
}

/// Reads office markup that stands alone.
pub(super) fn flat(bytes: &[u8], document: &mut Document<'_, '_>) -> Read {
    let mut strings = Strings::default();
    let text = markup(bytes).ok_or(Wrong::Broken("xml"))?;
    if may_be_written(&text) {
        document.unread(FindingKind::Image, "", "outlines");
    }
    let (mut styles, mut counts) = (Styles::default(), Counts::default());
    if xml::root(&text).is_some_and(|root| root.dialect == Dialect::Package) {
        counts.bound.part(&text);
    }
    part::read("", bytes, Known { strings: &mut strings, styles: &mut styles, counts: &mut counts }, document);
    if strings.is_missing() {
        document.unread(FindingKind::BrokenAttachment, "", "shared strings");
    }
    // Browsers read it as they read any markup.
    document.text("", &html::text(&text));
    Ok(())
}

/// A package of one drawing, whose files are no parts of a message: there may be as many of them as there are shapes.
pub(super) fn drawing(bytes: &[u8], document: &mut Document<'_, '_>) -> Read {
    let mut archive = Archive::new(Cursor::new(bytes))?;
    for index in 0..archive.len() {
        let Some(Entry { name, bytes }) = zip::unpack(&mut archive, index, document) else { continue };
        match markup(&bytes) {
            Some(text) if xml::root(&text).is_some_and(|root| root.dialect.is_known()) => {
                let (mut strings, mut styles, mut counts) = Default::default();
                let known = Known { strings: &mut strings, styles: &mut styles, counts: &mut counts };
                _ = part::read("drawing", &bytes, known, document);
            }
            Some(text) => document.text("drawing", &html::text(&text)),
            None if bytes.is_empty() => {}
            None if matches!(formats::of(&bytes, None), Format::Image(_)) => document.picture(&name, &bytes),
            None => document.file(&name, &bytes),
        }
    }
    archive.verdict(document)
}

/// The octets as markup; nothing where they are none.
fn markup(bytes: &[u8]) -> Option<Cow<'_, str>> {
    let is_wide = charset::wide(bytes, None).is_some();
    let start = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes).trim_ascii_start();
    if !is_wide && start.first() != Some(&b'<') {
        return None;
    }
    let text = charset::read(bytes, declared(start)).text;
    text.trim_start_matches('\u{FEFF}').trim_start().starts_with('<').then_some(text)
}

/// The charset that an XML declaration names.
fn declared(start: &[u8]) -> Option<&str> {
    let declaration = start.strip_prefix(b"<?xml")?;
    let end = memchr::memchr(b'>', &declaration[..declaration.len().min(256)])?;
    let declaration = std::str::from_utf8(&declaration[..end]).ok()?;
    let (_, value) = declaration.split_once("encoding")?;
    value.trim_start().strip_prefix('=')?.trim_start().split(['"', '\'']).nth(1)
}

/// Whether somebody writes in parts of that kind: patterns and styles come with their own words.
fn is_written(root: Root<'_>) -> bool {
    const PATTERNS: &[&str] = &[
        "sldMaster",
        "sldLayout",
        "notesMaster",
        "handoutMaster",
        "theme",
        "styles",
        "numbering",
        "settings",
        "fonts",
        "webSettings",
        "document-styles",
        "document-settings",
        "document-meta",
        "manifest",
        "styleSheet",
        "presentation",
    ];
    !PATTERNS.contains(&root.local)
}

/// Whether that is what a programme opens a package of its kind for: it may be empty, and is read to its end.
fn is_main(root: Root<'_>) -> bool {
    match root.dialect {
        Dialect::Word => root.local == "document",
        Dialect::Sheet => matches!(root.local, "worksheet" | "chartsheet"),
        Dialect::Slide => matches!(root.local, "sld" | "presentation"),
        // [MS-DOC], RTF: the package of a theme by itself.
        Dialect::Drawing => root.local == "themeManager",
        Dialect::Odf => root.local == "document-content",
        _ => false,
    }
}

/// When a file is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// Others refer to it: tables of strings, formats, styles, lists, properties, and the manifest.
    ReferredTo,
    Usual,
    /// It shows numbers that another counts.
    Counted,
}

fn rank(archive: &Archive<'_>, at: usize) -> Rank {
    let beginning = archive.beginning(at, BEGINNING);
    if xlsb::is_referred_to(&beginning) {
        return Rank::ReferredTo;
    }
    let Some(text) = markup(&beginning) else { return Rank::Usual };
    let Some(root) = xml::root(&text) else { return Rank::Usual };
    match (root.dialect, root.local) {
        (Dialect::Sheet, "sst" | "styleSheet")
        | (Dialect::Odf, "manifest" | "document-styles")
        | (Dialect::Word, "styles" | "numbering" | "settings")
        | (Dialect::Slide, "presentation")
        | (_, "coreProperties" | "Properties") => Rank::ReferredTo,
        _ if is_data(root, &archive.name(at)) => Rank::ReferredTo,
        (Dialect::Word, "hdr" | "ftr" | "footnotes" | "endnotes") => Rank::Counted,
        _ => Rank::Usual,
    }
}

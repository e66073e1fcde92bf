//! The pages of a PDF: their content, what is pinned on them, and whether that is a page of text or a picture of one.
//!
//! Called by `pdf`. Promises: each page is looked at once; a page in which nothing could be read is said. Fails never.

use super::content::{InlineEnd, is_regular};
use super::matrix::Matrix;
use super::painter::{Painter, Paper, Pictures};
use super::pinned::{self, Looks};
use super::reader::Reader;
use super::source::items;
use crate::vocabulary::FindingKind;
use hayro_syntax::Pdf;
use hayro_syntax::object::{Array, Dict, Name, Object, Stream};
use hayro_syntax::page::{Page, Resources};

const MOST_PAGES: usize = 5_000;
/// Pages without text that are named; beyond them only that there are more.
const NAMED_SCANS: usize = 20;
/// Pictures that are smaller than this are logos, as everywhere.
const LOGO: usize = 20_000;
/// A picture of as much of a page as this, with less text than this, is a scan with a stamp.
const COVERED: f64 = 0.5;
const STAMP: usize = 100;
/// So many pixels can be a page that is read …
const PAGE_PIXELS: usize = 200_000;
/// … unless its text was recognised, and stands behind it: as many characters as this.
const RECOGNISED: usize = 400;
/// As many curves draw letters.
const DRAWN: usize = 300;
/// No number is drawn with fewer strokes than it has digits.
const STROKES: usize = 10;

/// What the pages held.
#[derive(Default)]
pub(super) struct Told {
    scans: usize,
    pictures: usize,
    pages: usize,
    blank: usize,
}

impl Told {
    pub fn has_scans(&self) -> bool {
        self.scans > 0
    }

    /// Whether there are pages, and no reader shows anything on them.
    pub fn is_blank(&self) -> bool {
        self.pages > 0 && self.pages == self.blank
    }
}

pub(super) fn read<'a>(pdf: &'a Pdf, reader: &mut Reader<'a, '_, '_, '_>) -> Told {
    let mut told = Told::default();
    for (at, page) in pdf.pages().iter().enumerate() {
        if at >= MOST_PAGES {
            reader.source.document.limit("pages", "pages");
            break;
        }
        reader.seen.extend(page.raw().obj_id());
        one(page, at + 1, reader, &mut told);
    }
    told
}

fn one<'a>(page: &Page<'a>, number: usize, reader: &mut Reader<'a, '_, '_, '_>, told: &mut Told) {
    let piece = format!("page {number}");
    let area = (page.media_box().width() * page.media_box().height()).abs().max(1.0);
    let all = contents(page, &piece, reader);
    let mut painter = Painter::new(reader, &piece);
    painter.paint(&all.joined(b"\n"), page.resources(), all.paper(InlineEnd::First));
    let is_redrawn = pinned::all(page, &mut painter, Looks::Kept);
    let (pictures, ambiguous, sheet) = (painter.pictures, painter.ambiguous, painter.sheet);
    let hidden = painter.hidden;
    let (is_drawn, is_crowded) = (painter.outlines.are_text(), painter.outlines.is_full);
    let is_blank = sheet.len() == 0
        && !(ambiguous || all.is_torn() || all.is_odd)
        && pictures.count + pictures.shadings == 0
        && painter.outlines.strokes < STROKES
        && !has_more(page);
    if is_crowded {
        reader.source.document.limit(&piece, "shapes");
    }
    if sheet.hides_too_much() {
        reader.source.document.limit(&piece, "page");
    }
    told.pages += 1;
    told.blank += usize::from(is_blank);
    let (mut readings, mut chars) = (sheet.readings(), sheet.chars);
    if ambiguous || all.is_torn() {
        for (seam, inline) in [(&b""[..], InlineEnd::First), (b"\n", InlineEnd::Plausible)] {
            let mut painter = Painter::new(reader, &piece);
            painter.paint(&all.joined(seam), page.resources(), Paper { inline, seams: &[] });
            chars = chars.max(painter.sheet.chars);
            readings.extend(painter.sheet.readings().into_iter().filter(|r| !readings.contains(r)).collect::<Vec<_>>());
        }
    }
    if is_redrawn {
        let mut painter = Painter::new(reader, &piece);
        painter.paint(&all.joined(b"\n"), page.resources(), all.paper(InlineEnd::First));
        pinned::all(page, &mut painter, Looks::Made);
        chars = chars.max(painter.sheet.chars);
        readings.extend(painter.sheet.readings().into_iter().filter(|r| !readings.contains(r)).collect::<Vec<_>>());
    }
    reader.chars += chars;
    readings.iter().for_each(|text| reader.source.document.text(&piece, text));
    reader.say_blind(&piece, &readings);
    judge(&Seen { chars, hidden, pictures, area, is_drawn }, &piece, reader, told);
}

/// Whether something is pinned on a page that programmes show in ways of their own: films, models, files.
fn has_more(page: &Page<'_>) -> bool {
    const PLAIN: &[&[u8]] = &[b"Link", b"Popup", b"Text", b"Widget"];
    let Some(all) = page.raw().get::<Array<'_>>(b"Annots") else { return page.raw().contains_key(b"Annots") };
    let is_plain =
        |dict: &Dict<'_>| dict.get::<Name<'_>>(b"Subtype").is_some_and(|kind| PLAIN.contains(&kind.as_ref()));
    items(&all, page.xref()).any(|object| !object.into_dict().is_some_and(|dict| is_plain(&dict)))
}

struct Seen {
    chars: usize,
    /// Characters that are there to be searched.
    hidden: usize,
    pictures: Pictures,
    area: f64,
    /// Whether lines and shapes stand in rows as letters do.
    is_drawn: bool,
}

/// Says what is no text.
fn judge(seen: &Seen, piece: &str, reader: &mut Reader<'_, '_, '_, '_>, told: &mut Told) {
    let Seen { chars, hidden, pictures, area, is_drawn } = seen;
    let is_empty = *chars == 0 && (pictures.count > 0 || pictures.curves >= DRAWN);
    let is_covered = *chars < STAMP && pictures.area / area >= COVERED;
    let is_page = pictures.area / area >= COVERED && pictures.pixels >= PAGE_PIXELS && *hidden <= RECOGNISED;
    let document = &mut *reader.source.document;
    if is_empty || is_covered || *is_drawn {
        told.scans += 1;
        let what = if is_empty || is_covered { "page without text" } else { "drawn text" };
        match told.scans {
            ..=NAMED_SCANS => document.unread(FindingKind::Scan, piece, what),
            _ => document.limit(piece, "scans"),
        }
    } else if pictures.largest >= LOGO || is_page {
        told.pictures += 1;
        if told.pictures <= NAMED_SCANS {
            document.unread(FindingKind::Image, piece, if pictures.largest >= LOGO { "picture" } else { "page" });
        }
    }
}

/// The content streams of a page, one behind the other.
struct Contents {
    streams: Vec<Vec<u8>>,
    seams: Vec<usize>,
    /// Not all of it are streams.
    is_odd: bool,
}

impl Contents {
    fn joined(&self, seam: &[u8]) -> Vec<u8> {
        self.streams.join(seam)
    }

    fn paper(&self, inline: InlineEnd) -> Paper<'_> {
        Paper { inline, seams: &self.seams }
    }

    /// Whether a word stands in two streams: readers differ in whether they join it.
    fn is_torn(&self) -> bool {
        let ends = |b: Option<&u8>| b.is_some_and(|b| is_regular(*b));
        self.streams.windows(2).any(|pair| match pair {
            [one, next] => ends(one.last()) && ends(next.first()),
            _ => false,
        })
    }
}

fn contents<'a>(page: &Page<'a>, piece: &str, reader: &mut Reader<'a, '_, '_, '_>) -> Contents {
    let (streams, is_odd): (Vec<Stream<'a>>, bool) = match page.raw().get::<Object<'a>>(b"Contents") {
        Some(Object::Stream(stream)) => (vec![stream], false),
        Some(Object::Array(all)) => {
            let streams: Vec<Stream<'a>> = items(&all, reader.xref).filter_map(Object::into_stream).collect();
            let is_odd = streams.len() < all.raw_iter().count();
            (streams, is_odd)
        }
        _ => (Vec::new(), page.raw().contains_key(b"Contents")),
    };
    let mut contents = Contents { streams: Vec::new(), seams: Vec::new(), is_odd };
    let (mut len, room) = (0usize, reader.source.document.room());
    for stream in streams {
        if len > room {
            reader.source.document.limit(piece, "part");
            break;
        }
        reader.seen.insert(stream.obj_id());
        let bytes = reader.source.decoded(&stream, piece).bytes.into_owned();
        len += bytes.len() + 1;
        contents.seams.push(len - 1);
        contents.streams.push(bytes);
    }
    contents.seams.pop();
    contents
}

/// Content that no page shows by itself: looks that are hidden, patterns, glyphs that are drawn.
pub(super) fn alone<'a>(stream: &Stream<'a>, reader: &mut Reader<'a, '_, '_, '_>) {
    let mut painter = Painter::new(reader, "drawing");
    painter.form(stream, &Resources::new(Dict::empty()), Matrix::SAME);
    let sheet = painter.sheet;
    reader.chars += sheet.chars;
    sheet.readings().iter().for_each(|text| reader.source.document.text("drawing", text));
}

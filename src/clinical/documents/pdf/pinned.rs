//! What is pinned on a page (ISO 32000-1 12.5), and the values of fields that are shown there (12.7).
//!
//! Called by `pages`. Promises: a value is read where it is shown, in the words that are shown; so many things of a page, and as much
//! work as content may cost. Fails never: what has no looks and no value shows nothing.

use super::content::{Content, InlineEnd};
use super::glyphs;
use super::matrix::Matrix;
use super::painter::{self, Line, Painter};
use super::source::items;
use hayro_syntax::object::{Array, Dict, Name, Object, Rect, Stream, String as Octets};
use hayro_syntax::page::Page;

/// Things pinned on one page.
const MOST: usize = 10_000;
/// Fields inside fields.
const DEEPEST: usize = 16;
/// 12.5.3: hidden, and not for the screen; 12.7.4.3: of several lines, and divided into boxes.
const UNSEEN: u32 = 1 << 1 | 1 << 5;
const LINES: u32 = 1 << 12;
const COMB: u32 = 1 << 24;
/// The sizes that readers take where a field leaves it to them.
const SIZES: [f64; 2] = [4.0, 12.0];

/// What a field with a value is shown by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Looks {
    /// The looks that are kept in the document.
    Kept,
    /// Readers in which a form can be filled in show the value.
    Made,
}

/// Whether there are fields whose looks may be others than their values, digits among these.
pub(super) fn all<'a>(page: &Page<'a>, painter: &mut Painter<'_, 'a, '_, '_, '_>, looks: Looks) -> bool {
    let Some(all) = page.raw().get::<Array<'a>>(b"Annots") else { return false };
    let mut has_both = false;
    for dict in items(&all, page.xref()).take(MOST).filter_map(Object::into_dict) {
        let layer = dict.get_raw::<Dict<'a>>(b"OC");
        let is_unseen = dict.get::<u32>(b"F").unwrap_or(0) & UNSEEN != 0;
        let off = painter.off;
        painter.off += usize::from(is_unseen || painter.reader.is_off(layer));
        has_both |= pin(&dict, page, painter, looks);
        painter.off = off;
    }
    has_both
}

fn pin<'a>(dict: &Dict<'a>, page: &Page<'a>, painter: &mut Painter<'_, 'a, '_, '_, '_>, looks: Looks) -> bool {
    let rect = dict.get::<Rect>(b"Rect").unwrap_or(Rect::ZERO);
    let value = shown_value(dict, painter);
    let kept = dict.get::<Dict<'a>>(b"AP").and_then(|looks| looks.get::<Object<'a>>(b"N"));
    let has_both = kept.is_some() && value.as_ref().is_some_and(|value| value.bytes().any(|b| b.is_ascii_digit()));
    let form = match (kept, looks) {
        (Some(Object::Stream(stream)), Looks::Kept) => Some(stream),
        (Some(Object::Dict(states)), _) if value.is_none() || looks == Looks::Kept => {
            dict.get::<Name<'_>>(b"AS").and_then(|name| states.get::<Stream<'a>>(&*name))
        }
        (Some(Object::Stream(stream)), Looks::Made) if value.is_none() => Some(stream),
        _ => {
            // Readers make the looks of a field themselves.
            let text = value.or_else(|| dict.get::<Octets<'_>>(b"Contents").map(|text| glyphs::document_text(&text)));
            if let Some(text) = text {
                painter.write(&text, line(dict, rect, &text));
            }
            None
        }
    };
    if let Some(stream) = form {
        painter.form(&stream, page.resources(), fitted(stream.dict(), rect));
    }
    has_both
}

/// 12.7.3.1: the field, or the one that it is part of, that says this.
fn said<'a>(field: &Dict<'a>, key: &[u8]) -> Option<Dict<'a>> {
    let mut field = field.clone();
    for _ in 0..DEEPEST {
        if field.contains_key(key) {
            return Some(field);
        }
        field = field.get::<Dict<'a>>(b"Parent")?;
    }
    None
}

/// The value of a field of text, or what is shown for what was chosen.
fn shown_value<'a>(field: &Dict<'a>, painter: &mut Painter<'_, 'a, '_, '_, '_>) -> Option<String> {
    let values = match said(field, b"V")?.get::<Object<'a>>(b"V")? {
        Object::String(value) => vec![glyphs::document_text(&value)],
        Object::Array(all) => {
            all.iter::<Octets<'_>>().take(DEEPEST).map(|value| glyphs::document_text(&value)).collect()
        }
        _ => return None,
    };
    let options = said(field, b"Opt").and_then(|field| field.get::<Array<'a>>(b"Opt"));
    let Some(options) = options.filter(|options| painter.reader.work(options.data().len(), painter.piece)) else {
        return Some(values.join("\n"));
    };
    let shown: Vec<String> =
        values.into_iter().map(|value| displayed(&value, &options, painter).unwrap_or(value)).collect();
    Some(shown.join("\n"))
}

/// 12.7.4.4: an option is a text, or what it is exported as and the text.
fn displayed<'a>(value: &str, options: &Array<'a>, painter: &Painter<'_, 'a, '_, '_, '_>) -> Option<String> {
    items(options, painter.reader.xref).find_map(|option| {
        let Object::Array(pair) = option else { return None };
        let mut texts = pair.iter::<Octets<'_>>();
        let is_it = glyphs::document_text(&texts.next()?) == value;
        texts.next().filter(|_| is_it).map(|text| glyphs::document_text(&text))
    })
}

/// 12.7.3.3: where readers write the value of a field.
fn line(field: &Dict<'_>, rect: Rect, text: &str) -> Line {
    let [least, most] = SIZES;
    let size = size(field).filter(|size| *size > 0.0);
    let size = size.unwrap_or_else(|| (rect.height() * 0.7).clamp(least, most));
    let number = |key: &[u8]| said(field, key).and_then(|field| field.get::<u32>(key));
    let (flags, chars) = (number(b"Ff").unwrap_or(0), text.chars().count() as f64);
    // What is lower than a line, and the middle of a line without its descent.
    let room = if flags & LINES == 0 { (rect.height() - size) / 2.0 } else { rect.height() - size };
    let bottom = rect.y0 + room.max(0.0) + if rect.height() > size { size * 0.2 } else { 0.0 };
    let boxes = number(b"MaxLen").filter(|boxes| flags & COMB != 0 && *boxes > 0);
    let wide = boxes.map_or(chars * 0.5 * size, |boxes| rect.width() / f64::from(boxes) * chars);
    let left = match number(b"Q") {
        Some(1) => rect.x0 + (rect.width() - wide) / 2.0,
        Some(2) => rect.x1 - wide,
        _ => rect.x0,
    };
    Line { left, right: left + wide, bottom, size }
}

/// The size that the looks of a field are to have.
fn size(field: &Dict<'_>) -> Option<f64> {
    /// Operators before that one: usually a colour.
    const OPERATORS: usize = 64;
    let looks = said(field, b"DA")?.get::<Octets<'_>>(b"DA")?.to_vec();
    let mut content = Content::new(&looks, InlineEnd::First);
    for _ in 0..OPERATORS {
        if content.next()? == b"Tf" {
            return content.operands.number();
        }
    }
    None
}

/// 12.5.5, algorithm 8.1: the box of a form is fitted into the rectangle.
fn fitted(form: &Dict<'_>, rect: Rect) -> Matrix {
    let Some(inner) = form.get::<Rect>(b"BBox") else { return Matrix::moved(rect.x0, rect.y0) };
    let matrix = painter::matrix(form);
    let corners = [(inner.x0, inner.y0), (inner.x1, inner.y0), (inner.x0, inner.y1), (inner.x1, inner.y1)];
    let points = corners.map(|(x, y)| matrix.point(x, y));
    let least = |of: fn(&super::sheet::Point) -> f64| points.iter().map(of).fold(f64::INFINITY, f64::min);
    let most = |of: fn(&super::sheet::Point) -> f64| points.iter().map(of).fold(f64::NEG_INFINITY, f64::max);
    let (x0, y0, x1, y1) = (least(|p| p.x), least(|p| p.y), most(|p| p.x), most(|p| p.y));
    let by = |size: f64, of: f64| if of > 0.0 && size > 0.0 { size / of } else { 1.0 };
    let (sx, sy) = (by(rect.width(), x1 - x0), by(rect.height(), y1 - y0));
    Matrix([sx, 0.0, 0.0, sy, rect.x0 - x0 * sx, rect.y0 - y0 * sy])
}

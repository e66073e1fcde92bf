//! Goes through content streams as whoever paints them would, and keeps the text with its places (ISO 32000-1 8 and 9).
//!
//! Called by `pages` and `objects`. Promises: text counts whatever its colour, its rendering mode, its clip and its layer, and what is not
//! seen is missing in a further reading; forms
//! are entered no deeper than `DEEPEST` and never from within themselves; the octets that are gone through are bounded for
//! the whole document, however often streams are named. Fails never.

use super::content::{Content, InlineEnd, Operand, Operands};
use super::font::{Font, Glyph};
use super::glyphs;
use super::ink::{self, Ink};
use super::matrix::Matrix;
use super::outlines::Outlines;
use super::reader::Reader;
use super::sheet::{Sheet, Spot};
use hayro_syntax::object::{Array, Dict, Name, ObjectIdentifier, Stream, String as Octets};
use hayro_syntax::page::Resources;
use std::rc::Rc;

/// Forms inside forms.
const DEEPEST: usize = 16;
/// Saved graphics states.
const MOST_SAVED: usize = 512;
/// Text of one page.
const MOST_TEXT: usize = 16_000_000;

/// The part of the graphics state that text needs.
#[derive(Clone)]
struct State {
    ctm: Matrix,
    font: Option<Rc<Font>>,
    size: f64,
    char_space: f64,
    word_space: f64,
    /// Horizontal scaling, 1 being usual.
    scale: f64,
    leading: f64,
    rise: f64,
    ink: Ink,
}

/// What was seen of pictures.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Pictures {
    pub count: usize,
    /// In units of the page, all together.
    pub area: f64,
    /// Octets of the largest, packed.
    pub largest: usize,
    /// Of all together; of those in the content itself nobody here knows.
    pub pixels: usize,
    /// Curves: letters that are drawn have many.
    pub curves: usize,
    /// Colours that run into one another.
    pub shadings: usize,
}

/// What content is gone through with.
#[derive(Clone, Copy)]
pub(super) struct Paper<'c> {
    pub inline: InlineEnd,
    /// Where the pieces of the content were joined.
    pub seams: &'c [usize],
}

impl Paper<'_> {
    pub const PLAIN: Paper<'static> = Paper { inline: InlineEnd::First, seams: &[] };
}

/// Where the value of a field is written.
#[derive(Clone, Copy)]
pub(super) struct Line {
    pub left: f64,
    pub right: f64,
    pub bottom: f64,
    pub size: f64,
}

pub(super) struct Painter<'p, 'a, 's, 'w, 'r> {
    pub reader: &'p mut Reader<'a, 's, 'w, 'r>,
    pub piece: &'p str,
    pub sheet: Sheet,
    pub pictures: Pictures,
    pub outlines: Outlines,
    /// Characters that nobody sees, as those behind a scan.
    pub hidden: usize,
    /// Another reader may see other operators.
    pub ambiguous: bool,
    state: State,
    saved: Vec<State>,
    text: Matrix,
    line: Matrix,
    /// Marked content: which of it says what it means, and which is in a layer that is off.
    marked: Vec<(Option<u32>, bool)>,
    /// Marks, forms and notes around this that are off.
    pub off: usize,
    nested: Vec<ObjectIdentifier>,
    glyph: Glyph,
}

impl<'p, 'a, 's, 'w, 'r> Painter<'p, 'a, 's, 'w, 'r> {
    pub fn new(reader: &'p mut Reader<'a, 's, 'w, 'r>, piece: &'p str) -> Self {
        let state = State {
            ctm: Matrix::SAME,
            font: None,
            size: 0.0,
            char_space: 0.0,
            word_space: 0.0,
            scale: 1.0,
            leading: 0.0,
            rise: 0.0,
            ink: Ink::default(),
        };
        Painter {
            reader,
            piece,
            sheet: Sheet::default(),
            pictures: Pictures::default(),
            outlines: Outlines::default(),
            hidden: 0,
            ambiguous: false,
            state,
            saved: Vec::new(),
            text: Matrix::SAME,
            line: Matrix::SAME,
            marked: Vec::new(),
            off: 0,
            nested: Vec::new(),
            glyph: Glyph::default(),
        }
    }

    pub fn paint(&mut self, bytes: &[u8], resources: &Resources<'a>, paper: Paper<'_>) {
        if !self.reader.work(bytes.len(), self.piece) {
            return;
        }
        let mut content = Content::new(bytes, paper.inline).with_seams(paper.seams);
        while let Some(operator) = content.next() {
            self.operate(operator, &content.operands, resources);
            if self.sheet.len() > MOST_TEXT || self.sheet.is_full {
                self.reader.source.document.limit(self.piece, "page");
                break;
            }
        }
        self.ambiguous |= content.ambiguous;
        if content.operands.dropped {
            self.reader.source.document.limit(self.piece, "operands");
        }
    }

    fn operate(&mut self, operator: &[u8], operands: &Operands, resources: &Resources<'a>) {
        match operator {
            b"Tj" | b"'" | b"\"" | b"TJ" => self.show_by(operator, operands),
            b"Td" | b"TD" | b"Tm" | b"T*" | b"BT" => self.place(operator, operands),
            b"q" if self.saved.len() < MOST_SAVED => self.saved.push(self.state.clone()),
            b"Q" => self.state = self.saved.pop().unwrap_or_else(|| self.state.clone()),
            b"cm" => {
                if let Some(six) = operands.six() {
                    self.state.ctm = Matrix(six).then(self.state.ctm);
                }
            }
            b"Tf" => {
                self.state.font = operands.name().and_then(|name| self.font(name, resources));
                self.state.size = operands.number().unwrap_or_default();
            }
            b"g" | b"rg" | b"k" | b"sc" | b"scn" | b"cs" => self.state.ink.colour(operator, operands),
            b"gs" => self.graphics_state(operands, resources),
            b"Do" => self.object(operands, resources),
            b"BI" => {
                self.outlines.picture(self.state.ctm, None);
                self.picture(0, usize::MAX);
            }
            b"sh" => self.pictures.shadings += 1,
            b"m" | b"l" | b"c" | b"v" | b"y" | b"re" | b"n" => self.path(operator, operands),
            b"S" | b"s" | b"f" | b"F" | b"f*" | b"B" | b"B*" | b"b" | b"b*" => self.path(operator, operands),
            b"BDC" | b"BMC" | b"DP" => self.mark(operator, operands, resources),
            b"EMC" => self.off -= usize::from(self.marked.pop().is_some_and(|(_, is_off)| is_off)).min(self.off),
            _ => self.parameter(operator, operands),
        }
    }

    /// 8.5: what is drawn may be letters.
    fn path(&mut self, operator: &[u8], operands: &Operands) {
        self.pictures.curves += usize::from(matches!(operator, b"c" | b"v" | b"y"));
        let (mut numbers, mut count) = ([0.0; 6], 0);
        for (slot, number) in numbers.iter_mut().rev().zip(operands.numbers().rev()) {
            *slot = number;
            count += 1;
        }
        self.outlines.operate(operator, &numbers[6 - count..], self.state.ctm);
    }

    /// 9.3.1.
    fn parameter(&mut self, operator: &[u8], operands: &Operands) {
        let Some(number) = operands.number() else { return };
        match operator {
            b"Tc" => self.state.char_space = number,
            b"Tw" => self.state.word_space = number,
            b"Tz" => self.state.scale = number / 100.0,
            b"TL" => self.state.leading = number,
            b"Ts" => self.state.rise = number,
            b"Tr" => self.state.ink.mode(number),
            _ => {}
        }
    }

    /// 9.4.2.
    fn place(&mut self, operator: &[u8], operands: &Operands) {
        match operator {
            b"BT" => (self.text, self.line) = (Matrix::SAME, Matrix::SAME),
            b"T*" => self.next_line(0.0, -self.state.leading),
            b"Tm" => {
                if let Some(six) = operands.six() {
                    (self.text, self.line) = (Matrix(six), Matrix(six));
                }
            }
            _ => {
                let Some([x, y]) = operands.two() else { return };
                if operator == b"TD" {
                    self.state.leading = -y;
                }
                self.next_line(x, y);
            }
        }
    }

    fn next_line(&mut self, x: f64, y: f64) {
        self.line = Matrix::moved(x, y).then(self.line);
        self.text = self.line;
    }

    /// 9.4.3.
    fn show_by(&mut self, operator: &[u8], operands: &Operands) {
        if operator == b"'" || operator == b"\"" {
            self.next_line(0.0, -self.state.leading);
        }
        if operator == b"\""
            && let Some([word, char]) = operands.two()
        {
            (self.state.word_space, self.state.char_space) = (word, char);
        }
        for operand in &operands.list {
            match operand {
                Operand::Text(from, to) => self.show(operands.octets(*from, *to)),
                Operand::Number(number) if operator == b"TJ" => {
                    let em = self.state.size * if self.is_vertical() { 1.0 } else { self.state.scale };
                    self.advance(-number / 1000.0 * em);
                }
                _ => {}
            }
        }
    }

    fn is_vertical(&self) -> bool {
        self.state.font.as_ref().is_some_and(|font| font.vertical)
    }

    fn advance(&mut self, by: f64) {
        let [a, b, c, d, e, f] = &mut self.text.0;
        let (x, y) = if self.state.font.as_ref().is_some_and(|font| font.vertical) { (*c, *d) } else { (*a, *b) };
        (*e, *f) = (*e + by * x, *f + by * y);
    }

    fn show(&mut self, mut bytes: &[u8]) {
        let font = self.state.font.clone().unwrap_or_else(|| self.reader.absent_font());
        let mut glyph = std::mem::take(&mut self.glyph);
        while !bytes.is_empty() {
            let len = font.next(bytes, &mut glyph);
            bytes = bytes.get(len..).unwrap_or_default();
            if !glyph.is_mapped || glyph.is_drawn {
                self.reader.blind(&font, glyph.code);
            }
            self.draw(&glyph);
        }
        self.glyph = glyph;
    }

    /// 9.4.4: where the glyph is, and where the next one will be.
    fn draw(&mut self, glyph: &Glyph) {
        let State { ctm, size, char_space, word_space, scale, rise, ink, .. } = self.state;
        let hidden = ink.hides() | if self.off > 0 { ink::OFF } else { 0 };
        self.hidden += usize::from(self.state.ink.is_absent && !glyph.is_blank);
        let whole = self.text.then(ctm);
        let space = char_space + if glyph.is_blank { word_space } else { 0.0 };
        let start = whole.point(0.0, rise);
        let spot = if self.is_vertical() {
            let (end, em) = (whole.point(0.0, rise - size), whole.vector(0.0, -size));
            let spot = Spot { start, end, em, height: 0.0, hidden };
            self.advance(-size + space);
            Spot { height: whole.vector(size, 0.0).length(), ..spot }
        } else {
            let width = glyph.width * size * scale;
            let (em, height) = (whole.vector(size * scale, 0.0), whole.vector(0.0, size).length());
            let spot = Spot { start, end: whole.point(width, rise), em, height, hidden };
            self.advance(width + space * scale);
            spot
        };
        let meant = self.marked.iter().find_map(|(meant, _)| *meant);
        self.sheet.put(spot, &glyph.text, glyph.other.as_deref(), meant);
    }

    /// Text that has a place but no glyphs: the value of a field.
    pub fn write(&mut self, text: &str, line: Line) {
        let point = |x| Matrix::SAME.point(x, line.bottom);
        let em = Matrix::SAME.vector(line.size, 0.0);
        let hidden = if self.off > 0 { ink::OFF } else { 0 };
        let spot = Spot { start: point(line.left), end: point(line.right), em, height: line.size, hidden };
        self.sheet.put(spot, text, None, None);
    }

    fn font(&mut self, name: &[u8], resources: &Resources<'a>) -> Option<Rc<Font>> {
        let dict = resources.fonts.get::<Dict<'a>>(name)?;
        Some(self.reader.font(&dict))
    }

    /// 8.4.5: a font may be set here too.
    fn graphics_state(&mut self, operands: &Operands, resources: &Resources<'a>) {
        let dict = operands.name().and_then(|name| resources.ext_g_states.get::<Dict<'a>>(name));
        let Some(font) = dict.and_then(|dict| dict.get::<Array<'a>>(b"Font")) else { return };
        let mut items = font.flex_iter();
        if let Some(dict) = items.next::<Dict<'a>>() {
            self.state.font = Some(self.reader.font(&dict));
            self.state.size = items.next::<f64>().unwrap_or(self.state.size);
        }
    }

    /// 14.6, and 14.9.4 for text that stands in the place of glyphs.
    fn mark(&mut self, operator: &[u8], operands: &Operands, resources: &Resources<'a>) {
        let named = || {
            let dict = resources.properties.get::<Dict<'a>>(operands.name()?)?;
            dict.get::<Octets<'_>>(b"ActualText").map(|text| glyphs::document_text(&text))
        };
        let meant = operands.text_of(b"ActualText").map(glyphs::document_text).or_else(named);
        for key in [&b"Alt"[..], b"E"] {
            if let Some(text) = operands.text_of(key) {
                self.sheet.mean(glyphs::document_text(text));
            }
        }
        let meant = meant.map(|text| self.sheet.mean(text));
        if operator != b"DP" && self.marked.len() < MOST_SAVED {
            let layer = operands.name().filter(|_| operands.has_name(&[b"OC"]));
            let is_off = layer.is_some_and(|name| self.reader.is_off(resources.properties.get_raw::<Dict<'a>>(name)));
            self.off += usize::from(is_off);
            self.marked.push((meant, is_off));
        }
    }

    fn picture(&mut self, octets: usize, pixels: usize) {
        self.pictures.count += 1;
        self.pictures.pixels = self.pictures.pixels.saturating_add(pixels);
        self.pictures.area += self.state.ctm.area();
        self.pictures.largest = self.pictures.largest.max(octets);
    }

    /// 8.8: a picture, or content of its own.
    fn object(&mut self, operands: &Operands, resources: &Resources<'a>) {
        let stream = operands.name().and_then(|name| resources.x_objects.get::<Stream<'a>>(name));
        let Some(stream) = stream else { return };
        let kind = stream.dict().get::<Name<'_>>(b"Subtype");
        if kind.is_some_and(|kind| kind.as_ref() == b"Image") {
            let octets = stream.dict().get::<usize>(b"Length").unwrap_or(0);
            let side = |name: &[u8]| stream.dict().get::<usize>(name).unwrap_or(usize::MAX);
            self.reader.seen.insert(stream.obj_id());
            self.outlines.picture(self.state.ctm, Some(stream.obj_id()));
            return self.picture(octets, side(b"Width").saturating_mul(side(b"Height")));
        }
        self.form(&stream, resources, Matrix::SAME);
    }

    /// 8.10: content with a matrix, and resources of its own or of where it is used.
    pub fn form(&mut self, stream: &Stream<'a>, resources: &Resources<'a>, placed: Matrix) {
        let id = stream.obj_id();
        if self.nested.contains(&id) {
            return;
        }
        if self.nested.len() >= DEEPEST {
            return self.reader.source.document.limit(self.piece, "forms");
        }
        let bytes = self.reader.form(stream, self.piece);
        let own = stream.dict().get::<Dict<'a>>(b"Resources").map(Resources::new);
        let (state, text, line) = (self.state.clone(), self.text, self.line);
        let (saved, marked, off) = (std::mem::take(&mut self.saved), self.marked.clone(), self.off);
        self.off += usize::from(self.reader.is_off(stream.dict().get_raw::<Dict<'a>>(b"OC")));
        let matrix = matrix(stream.dict()).then(placed);
        self.state.ctm = matrix.then(self.state.ctm);
        self.nested.push(id);
        self.paint(&bytes, own.as_ref().unwrap_or(resources), Paper::PLAIN);
        self.nested.pop();
        (self.state, self.text, self.line) = (state, text, line);
        (self.saved, self.marked, self.off) = (saved, marked, off);
    }
}

/// The matrix of a form.
pub(super) fn matrix(dict: &Dict<'_>) -> Matrix {
    dict.get::<[f64; 6]>(b"Matrix").map_or(Matrix::SAME, Matrix)
}

//! What is kept while one PDF is read: fonts, what was seen already, and how much work may still be done.
//!
//! Called by `painter`, `pages` and `objects`. Promises: each font is read once; work is bounded. Fails never.

use super::font::Font;
use super::layers::Layers;
use super::source::Source;
use crate::vocabulary::FindingKind;
use hayro_syntax::object::{Dict, MaybeRef, ObjectIdentifier, Stream};
use hayro_syntax::xref::XRef;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

/// What a stream costs beside its octets.
const FOR_ITSELF: usize = 1_000;
/// Forms up to this size are kept unpacked …
const SMALL_FORM: usize = 64_000;
/// … and so many octets of them.
const KEPT_FORMS: usize = 16_000_000;
/// Fonts of one document.
const MOST_FONTS: usize = 10_000;
/// So many glyphs that mean nothing, of so many shapes, may be a number; fewer are signs.
const BLIND_GLYPHS: usize = 8;
const BLIND_SHAPES: usize = 4;
/// Beside digits, so many may be the rest of a number.
const BLIND_BESIDE: usize = 3;

pub(super) struct Reader<'a, 's, 'w, 'r> {
    pub source: Source<'s, 'w, 'r>,
    pub xref: &'a XRef,
    /// Streams that were gone through.
    pub seen: HashSet<ObjectIdentifier>,
    fonts: HashMap<(usize, usize), Rc<Font>>,
    forms: HashMap<ObjectIdentifier, Rc<Vec<u8>>>,
    kept: usize,
    absent: Option<Rc<Font>>,
    layers: Layers,
    /// Octets of content that may still be gone through, however often streams are named.
    work: usize,
    blind: HashSet<(usize, u32)>,
    blind_glyphs: usize,
    /// Characters on all pages.
    pub chars: usize,
}

impl<'a, 's, 'w, 'r> Reader<'a, 's, 'w, 'r> {
    pub fn new(source: Source<'s, 'w, 'r>, xref: &'a XRef) -> Self {
        let work = source.document.left();
        Reader {
            source,
            xref,
            seen: HashSet::new(),
            fonts: HashMap::new(),
            forms: HashMap::new(),
            kept: 0,
            absent: None,
            layers: Layers::of(xref),
            work,
            blind: HashSet::new(),
            blind_glyphs: 0,
            chars: 0,
        }
    }

    /// Whether so much content may be gone through; that it may not is said.
    pub fn work(&mut self, octets: usize, piece: &str) -> bool {
        let enough = octets <= self.work;
        self.work = self.work.saturating_sub(octets + FOR_ITSELF);
        if !enough {
            self.source.document.limit(piece, "operators");
        }
        enough
    }

    /// Whether that is a layer which is not shown.
    pub fn is_off(&mut self, layer: Option<MaybeRef<Dict<'_>>>) -> bool {
        self.layers.hides(layer, self.xref)
    }

    pub fn font(&mut self, dict: &Dict<'a>) -> Rc<Font> {
        // Where a dictionary stands is what it is: objects are read anew each time.
        let key = (dict.data().as_ptr().addr(), dict.data().len());
        if let Some(font) = self.fonts.get(&key) {
            return font.clone();
        }
        if self.fonts.len() >= MOST_FONTS {
            self.source.document.limit("fonts", "fonts");
            return self.absent_font();
        }
        let font = Rc::new(Font::of(dict, &mut self.source));
        self.fonts.insert(key, font.clone());
        font
    }

    pub fn absent_font(&mut self) -> Rc<Font> {
        self.absent.get_or_insert_with(|| Rc::new(Font::absent())).clone()
    }

    /// The content of a form; small ones, which are used often, are kept.
    pub fn form(&mut self, stream: &Stream<'a>, piece: &str) -> Rc<Vec<u8>> {
        let id = stream.obj_id();
        self.seen.insert(id);
        if let Some(form) = self.forms.get(&id) {
            return form.clone();
        }
        let bytes = Rc::new(self.source.decoded(stream, piece).bytes.into_owned());
        if bytes.len() <= SMALL_FORM && self.kept + bytes.len() <= KEPT_FORMS && self.forms.len() < MOST_FONTS {
            self.kept += bytes.len();
            self.forms.insert(id, bytes.clone());
        }
        bytes
    }

    /// A glyph of which nobody says what it means.
    pub fn blind(&mut self, font: &Rc<Font>, code: u32) {
        self.blind_glyphs += 1;
        if self.blind.len() < BLIND_SHAPES {
            self.blind.insert((Rc::as_ptr(font).addr(), code));
        }
    }

    /// Says that there is text that cannot be read.
    pub fn say_blind(&mut self, piece: &str, readings: &[String]) {
        let is_text = self.blind_glyphs >= BLIND_GLYPHS && self.blind.len() >= BLIND_SHAPES;
        let mut lines = readings.iter().flat_map(|reading| reading.lines());
        if is_text || (self.blind_glyphs >= BLIND_BESIDE && lines.any(may_hide_digits)) {
            self.source.document.unread(FindingKind::BrokenAttachment, piece, "no text map");
            (self.blind_glyphs, self.blind) = (0, HashSet::new());
        }
    }
}

/// Whether a line has digits, and glyphs that mean nothing.
fn may_hide_digits(line: &str) -> bool {
    line.contains(|c: char| c.is_ascii_digit()) && line.matches('\u{FFFD}').count() >= BLIND_BESIDE
}

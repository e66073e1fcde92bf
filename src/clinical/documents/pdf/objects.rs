//! Everything of a PDF that is no page: every string that any object has, whoever shows it, and every stream that may be text
//! or a file.
//!
//! Called by `pdf`, after the pages. Fields, notes, bookmarks, labels, names of layers, scripts and what the document says of
//! itself are strings in dictionaries, so all dictionaries are gone through. Promises: bounded in objects and depth. Fails never.

use super::glyphs;
use super::pages;
use super::reader::Reader;
use crate::clinical::html;
use hayro_syntax::Pdf;
use hayro_syntax::object::{Dict, MaybeRef, Name, Object, ObjectIdentifier, Stream, String as Octets};
use memchr::memmem;
use std::collections::{HashMap, HashSet};

const MOST_OBJECTS: usize = 300_000;
/// Objects inside one another.
const DEEPEST: usize = 24;
/// Strings are handed over in blocks of about this size.
const BLOCK: usize = 1_000_000;

#[derive(Default)]
struct Gathered {
    /// Strings, each on a line of its own; the name of a field stands before its value.
    lines: String,
    /// Streams that are files, and their names.
    files: HashMap<ObjectIdentifier, String>,
    /// Streams that are text by where they are named.
    texts: HashSet<ObjectIdentifier>,
    cut: bool,
}

/// Reads what no page shows. How many files there were.
pub(super) fn read<'a>(pdf: &'a Pdf, reader: &mut Reader<'a, '_, '_, '_>) -> usize {
    let mut gathered = Gathered::default();
    information(pdf, &mut gathered);
    for (at, object) in pdf.objects().into_iter().enumerate() {
        if at >= MOST_OBJECTS {
            reader.source.document.limit("objects", "objects");
            break;
        }
        gathered.object(&object, DEEPEST);
        if gathered.lines.len() >= BLOCK {
            reader.source.document.text("fields", &std::mem::take(&mut gathered.lines));
        }
    }
    reader.source.document.text("fields", &gathered.lines);
    if gathered.cut {
        reader.source.document.limit("objects", "depth");
    }
    for object in pdf.objects().into_iter().take(MOST_OBJECTS) {
        match object {
            Object::Stream(stream) if !reader.seen.contains(&stream.obj_id()) => one(&stream, &gathered, reader),
            _ => {}
        }
    }
    gathered.files.len()
}

/// 14.3.3; the dictionary is usually an object too, but need not be.
fn information(pdf: &Pdf, gathered: &mut Gathered) {
    let about = pdf.metadata();
    let said = [&about.title, &about.author, &about.subject, &about.keywords, &about.creator, &about.producer];
    said.into_iter().flatten().for_each(|octets| gathered.line(octets, "\n"));
}

impl Gathered {
    fn line(&mut self, octets: &[u8], end: &str) {
        self.lines.push_str(&glyphs::document_text(octets));
        self.lines.push_str(end);
    }

    fn object(&mut self, object: &Object<'_>, depth: usize) {
        if depth == 0 {
            self.cut = true;
            return;
        }
        match object {
            Object::String(octets) => self.line(octets, "\n"),
            Object::Array(all) => {
                for item in all.raw_iter() {
                    if let MaybeRef::NotRef(item @ (Object::String(_) | Object::Array(_) | Object::Dict(_))) = item {
                        self.object(&item, depth - 1);
                    }
                }
            }
            Object::Dict(dict) => self.dict(dict, depth),
            Object::Stream(stream) => self.dict(stream.dict(), depth),
            _ => {}
        }
    }

    fn dict(&mut self, dict: &Dict<'_>, depth: usize) {
        // The name of a field is a label of its value.
        for key in [&b"T"[..], b"TU"] {
            if let Some(MaybeRef::NotRef(Object::String(octets))) = dict.get_raw::<Object<'_>>(key) {
                self.line(&octets, ": ");
            }
        }
        self.file(dict);
        for (key, value) in dict.entries() {
            match value {
                // Signatures and digests are no text.
                MaybeRef::NotRef(Object::String(_))
                    if key.as_ref() == b"Contents" && dict.contains_key(b"ByteRange") => {}
                MaybeRef::NotRef(Object::String(_)) if matches!(key.as_ref(), b"T" | b"TU" | b"CheckSum") => {}
                MaybeRef::NotRef(value) => {
                    self.named(&key, &value);
                    self.object(&value, depth - 1);
                }
                MaybeRef::Ref(id) if is_text(&key) => {
                    self.texts.insert(id.into());
                }
                MaybeRef::Ref(_) => {}
            }
        }
    }

    /// The parts of a form in XML are listed (12.7.8).
    fn named(&mut self, key: &Name<'_>, value: &Object<'_>) {
        if let (true, Object::Array(all)) = (is_text(key), value) {
            self.texts
                .extend(all.raw_iter().take(1_000).filter_map(|item| item.as_obj_ref()).map(ObjectIdentifier::from));
        }
    }

    /// 7.11.3: a file that is embedded, and what it is called.
    fn file(&mut self, dict: &Dict<'_>) {
        let Some(embedded) = dict.get::<Dict<'_>>(b"EF") else { return };
        let name = [&b"UF"[..], b"F", b"Desc"].iter().find_map(|key| dict.get::<Octets<'_>>(key));
        let name = name.map_or_else(|| "embedded file".to_owned(), |name| glyphs::document_text(&name));
        for (_, value) in embedded.entries() {
            if let Some(id) = value.as_obj_ref() {
                self.files.entry(id.into()).or_insert_with(|| name.clone());
            }
        }
    }
}

/// Keys whose streams are text: scripts, forms in XML, rich text, what a document says of itself.
fn is_text(key: &[u8]) -> bool {
    matches!(key, b"JS" | b"XFA" | b"RC" | b"RV" | b"V" | b"DV" | b"Metadata" | b"Desc")
}

fn one<'a>(stream: &Stream<'a>, gathered: &Gathered, reader: &mut Reader<'a, '_, '_, '_>) {
    let dict = stream.dict();
    let named = |key: &[u8], name: &[u8]| dict.get::<Name<'_>>(key).is_some_and(|n| n.as_ref() == name);
    let id = stream.obj_id();
    if let Some(name) = gathered.files.get(&id) {
        return file(stream, name, reader);
    }
    match () {
        () if gathered.texts.contains(&id) || named(b"Type", b"Metadata") => text(stream, reader),
        () if named(b"Type", b"EmbeddedFile") => file(stream, "embedded file", reader),
        () if named(b"Subtype", b"Form") || dict.contains_key(b"PatternType") => pages::alone(stream, reader),
        () if is_for_programmes(dict) => {}
        () => unknown(stream, reader),
    }
}

/// Pictures, fonts, colours, tables of objects: nothing of them is shown as text.
fn is_for_programmes(dict: &Dict<'_>) -> bool {
    const KEYS: &[&[u8]] = &[b"Length1", b"Length2", b"FunctionType", b"ShadingType", b"W", b"First", b"Alternate"];
    const KINDS: &[&[u8]] =
        &[b"Image", b"Type1C", b"CIDFontType0C", b"OpenType", b"XRef", b"ObjStm", b"CMap", b"Halftone"];
    let is = |key: &[u8]| dict.get::<Name<'_>>(key).is_some_and(|name| KINDS.contains(&name.as_ref()));
    is(b"Type") || is(b"Subtype") || KEYS.iter().any(|key| dict.contains_key(key))
}

fn file(stream: &Stream<'_>, name: &str, reader: &mut Reader<'_, '_, '_, '_>) {
    let decoded = reader.source.decoded(stream, name);
    reader.source.document.file(name, &decoded.bytes);
}

fn text(stream: &Stream<'_>, reader: &mut Reader<'_, '_, '_, '_>) {
    let bytes = reader.source.decoded(stream, "text").bytes;
    let text = match bytes.as_ref() {
        octets @ ([0xFE, 0xFF, ..] | [0xFF, 0xFE, ..]) => glyphs::document_text(octets),
        octets => String::from_utf8_lossy(octets).into_owned(),
    };
    if text.trim_start_matches('\u{FEFF}').trim_start().starts_with('<') {
        reader.source.document.text("text", &html::text(&text));
    }
    reader.source.document.text("text", &text);
}

/// A stream of which nothing is said: content if it shows text, text if it looks like it.
fn unknown<'a>(stream: &Stream<'a>, reader: &mut Reader<'a, '_, '_, '_>) {
    let bytes = reader.source.decoded(stream, "stream").bytes;
    let has = |word: &[u8]| memmem::find(&bytes, word).is_some();
    if has(b"BT") && (has(b"Tj") || has(b"TJ")) {
        pages::alone(stream, reader);
    }
    let is_cmap = has(b"begincmap");
    let odd = bytes.iter().filter(|b| b.is_ascii_control() && !b.is_ascii_whitespace()).count();
    if !is_cmap && odd * 200 <= bytes.len() {
        reader.source.document.text("stream", &String::from_utf8_lossy(&bytes));
    }
}

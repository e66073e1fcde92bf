//! A font as far as text needs it: how strings divide into codes, what they stand for, and how wide they are (ISO 32000-1 9.5
//! to 9.10).
//!
//! Called by `page`. Promises: read once for each font; every code gives something: text, or that it has none. Where a font says
//! two things (its encoding and its ToUnicode map), both are there. Fails never.

use super::cmap::CMap;
use super::glyphs::{self, Base};
use super::source::Source;
use super::widths::Widths;
use encoding_rs::Encoding;
use hayro_syntax::object::{Array, Dict, Name, Object, Stream};

pub(super) struct Font {
    codes: Codes,
    to_unicode: Option<CMap>,
    /// What the encoding says of each code of one octet; nothing in fonts whose codes are longer.
    encoding: Vec<Option<String>>,
    said: Said,
    widths: Widths,
    /// 9.7.5.2: set from top to bottom.
    pub vertical: bool,
    /// 9.6.4: its glyphs are drawings, and nothing but their names tells what they show.
    drawn: bool,
}

/// How much the encoding says beside a map to Unicode.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Said {
    /// The font is embedded and has an encoding of its own.
    Nothing,
    /// 9.6.6: the font is the reader's, and in each of those figures stand where they stand in ASCII.
    Figures,
    /// The font spells it out.
    All,
}

/// How a string divides into codes.
enum Codes {
    One,
    Two,
    /// Codes are UTF-16.
    Unicode,
    Charset(&'static Encoding),
    Embedded(CMap),
}

/// One glyph as it is shown.
#[derive(Default)]
pub(super) struct Glyph {
    pub code: u32,
    pub text: String,
    /// What the encoding says, where it says something else.
    pub other: Option<String>,
    /// In ems.
    pub width: f64,
    /// The blank that word spacing widens.
    pub is_blank: bool,
    pub is_mapped: bool,
    /// A drawing with a name that says nothing of a number: whether it shows one, only eyes tell.
    pub is_drawn: bool,
}

impl Said {
    /// What is said beside what the map says.
    fn other(self, said: &str, mapped: &str) -> Option<String> {
        let has_figure = || said.bytes().chain(mapped.bytes()).any(|byte| byte.is_ascii_digit());
        let counts = self == Said::All || (self == Said::Figures && has_figure());
        (counts && said != mapped).then(|| said.to_owned())
    }
}

impl Font {
    pub fn of(dict: &Dict<'_>, source: &mut Source<'_, '_, '_>) -> Font {
        let to_unicode =
            dict.get::<Stream<'_>>(b"ToUnicode").map(|stream| CMap::of(&source.decoded(&stream, "font").bytes));
        let is_composite = dict.get::<Name<'_>>(b"Subtype").is_some_and(|name| name.as_ref() == b"Type0");
        if is_composite { composite(dict, to_unicode, source) } else { simple(dict, to_unicode) }
    }

    /// The font of text that names none: readers take their own.
    pub fn absent() -> Font {
        simple(&Dict::empty(), None)
    }

    /// Takes the first glyph off `bytes`.
    pub fn next(&self, bytes: &[u8], glyph: &mut Glyph) -> usize {
        let (code, len) = self.code(bytes);
        glyph.text.clear();
        glyph.other = None;
        let mapped = self.to_unicode.as_ref().is_some_and(|map| map.write(code, &mut glyph.text));
        let mapped = mapped && glyph.text.chars().any(means_something);
        let said = self.encoding.get(code as usize).and_then(Option::as_deref);
        match said {
            Some(said) if mapped => glyph.other = self.said.other(said, &glyph.text),
            Some(said) => {
                glyph.text.clear();
                glyph.text.push_str(said);
            }
            None if !mapped => self.write_coded(code, bytes.get(..len).unwrap_or_default(), &mut glyph.text),
            None if matches!(self.codes, Codes::Unicode | Codes::Charset(_)) => {
                let mut said = String::new();
                self.write_coded(code, bytes.get(..len).unwrap_or_default(), &mut said);
                glyph.other = Said::Figures.other(&said, &glyph.text);
            }
            None => {}
        }
        glyph.is_mapped = glyph.text.chars().any(means_something);
        if !glyph.is_mapped {
            glyph.text.clear();
            glyph.text.push('\u{FFFD}');
        }
        glyph.is_drawn = self.drawn && !glyph.text.chars().all(|c| c.is_ascii_digit() || c.is_whitespace());
        glyph.code = code;
        glyph.width = self.widths.of(code, glyph.text.chars().next());
        glyph.is_blank = len == 1 && code == 32;
        len
    }

    fn code(&self, bytes: &[u8]) -> (u32, usize) {
        let two = || (bytes.iter().take(2).fold(0, |code, b| code << 8 | u32::from(*b)), bytes.len().clamp(1, 2));
        match &self.codes {
            Codes::One => (bytes.first().map_or(0, |b| u32::from(*b)), 1),
            Codes::Embedded(map) if map.has_codes() => map.code(bytes),
            Codes::Charset(charset) if charset.is_ascii_compatible() && bytes.first().is_some_and(u8::is_ascii) => {
                (bytes.first().map_or(0, |b| u32::from(*b)), 1)
            }
            _ => two(),
        }
    }

    /// What a code says that is a character itself.
    fn write_coded(&self, code: u32, octets: &[u8], out: &mut String) {
        match &self.codes {
            Codes::Unicode => out.extend(char::from_u32(code)),
            Codes::Charset(charset) => out.push_str(&charset.decode_without_bom_handling(octets).0),
            Codes::One | Codes::Two | Codes::Embedded(_) => {}
        }
    }
}

/// Nothing that a writer puts where it knows no character.
fn means_something(c: char) -> bool {
    !matches!(c, '\0' | '\u{FFFD}' | '\u{E000}'..='\u{F8FF}' | '\u{F0000}'..='\u{10FFFF}')
}

fn simple(dict: &Dict<'_>, to_unicode: Option<CMap>) -> Font {
    let encoding = dict.get::<Object<'_>>(b"Encoding");
    let said = match &encoding {
        Some(Object::Name(name)) => Base::named(name),
        Some(Object::Dict(dict)) => dict.get::<Name<'_>>(b"BaseEncoding").and_then(|name| Base::named(&name)),
        _ => None,
    };
    let kind = dict.get::<Name<'_>>(b"Subtype");
    let is_drawn = kind.as_ref().is_some_and(|name| name.as_ref() == b"Type3");
    let base = said.unwrap_or_else(|| own_base(dict, kind.as_ref()));
    // 9.6.5: fonts whose glyphs are drawn have no encoding but what is spelled out.
    let of_base = |code: u8| base.char(code).filter(|_| !is_drawn).map(String::from);
    let mut table: Vec<Option<String>> = (0..=255).map(of_base).collect();
    let mut said = match said {
        Some(_) => Said::All,
        None if is_drawn || base == Base::Dingbats || is_embedded(dict) => Said::Nothing,
        None => Said::Figures,
    };
    if let Some(Object::Dict(dict)) = &encoding
        && let Some(differences) = dict.get::<Array<'_>>(b"Differences")
    {
        differ(&mut table, &differences);
        said = Said::All;
    }
    // 9.6.4: such glyphs have a space of their own.
    let matrix = dict.get::<Array<'_>>(b"FontMatrix").and_then(|m| m.iter::<f64>().next()).filter(|_| is_drawn);
    let widths = Widths::simple(dict, matrix.unwrap_or(0.001));
    let drawn = is_drawn && to_unicode.is_none();
    Font { codes: Codes::One, to_unicode, encoding: table, said, widths, vertical: false, drawn }
}

/// 9.9: whether the glyphs come with the document.
fn is_embedded(dict: &Dict<'_>) -> bool {
    let files = [&b"FontFile"[..], b"FontFile2", b"FontFile3"];
    dict.get::<Dict<'_>>(b"FontDescriptor").is_some_and(|says| files.iter().any(|file| says.contains_key(file)))
}

/// The encoding of a font that names none.
fn own_base(dict: &Dict<'_>, kind: Option<&Name<'_>>) -> Base {
    let name = dict.get::<Name<'_>>(b"BaseFont");
    match () {
        () if name.is_some_and(|name| name.windows(8).any(|w| w == b"Dingbats")) => Base::Dingbats,
        () if kind.is_some_and(|kind| kind.as_ref() == b"Type1") => Base::Standard,
        () => Base::WinAnsi,
    }
}

/// 9.6.6.1: a number says where the names behind it begin.
fn differ(table: &mut [Option<String>], differences: &Array<'_>) {
    let mut code = 0usize;
    for object in differences.iter::<Object<'_>>().take(2_000) {
        match object {
            Object::Number(number) => code = usize::try_from(number.as_i64()).unwrap_or(usize::MAX),
            Object::Name(name) => {
                if let Some(slot) = table.get_mut(code) {
                    *slot = glyphs::text(&name);
                }
                code = code.saturating_add(1);
            }
            _ => {}
        }
    }
}

fn composite(dict: &Dict<'_>, to_unicode: Option<CMap>, source: &mut Source<'_, '_, '_>) -> Font {
    let (codes, vertical) = match dict.get::<Object<'_>>(b"Encoding") {
        Some(Object::Name(name)) => (predefined(&name), name.ends_with(b"-V")),
        Some(Object::Stream(stream)) => {
            let vertical = stream.dict().get::<i32>(b"WMode") == Some(1);
            (Codes::Embedded(CMap::of(&source.decoded(&stream, "font").bytes)), vertical)
        }
        _ => (Codes::Two, false),
    };
    let descendant = dict.get::<Array<'_>>(b"DescendantFonts").and_then(|all| all.iter::<Dict<'_>>().next());
    let widths = Widths::composite(&descendant.unwrap_or_default());
    Font { codes, to_unicode, encoding: Vec::new(), said: Said::Nothing, widths, vertical, drawn: false }
}

/// 9.7.5.2, table 118, as far as a charset stands behind the name; the others say nothing of text.
fn predefined(name: &[u8]) -> Codes {
    let has = |piece: &[u8]| name.windows(piece.len()).any(|w| w == piece);
    match () {
        () if has(b"UCS2") || has(b"UTF16") => Codes::Unicode,
        () if has(b"RKSJ") => Codes::Charset(encoding_rs::SHIFT_JIS),
        () if has(b"GBK") || has(b"GB-EUC") || has(b"GBpc") => Codes::Charset(encoding_rs::GBK),
        () if has(b"B5") => Codes::Charset(encoding_rs::BIG5),
        () if has(b"KSC") => Codes::Charset(encoding_rs::EUC_KR),
        () if name == b"EUC-H" || name == b"EUC-V" => Codes::Charset(encoding_rs::EUC_JP),
        () => Codes::Two,
    }
}

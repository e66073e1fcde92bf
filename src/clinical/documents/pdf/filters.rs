//! The filters of PDF streams (ISO 32000-1 7.4), undone within a bound.
//!
//! Called by `pdf` for content streams, embedded files and whatever else is read. Promises: no step of a chain yields more
//! than `most` octets, whatever the octets say of themselves; what came before damage is kept. Fails never: how it ended is
//! part of the answer.

use super::predictor;
use flate2::read::DeflateDecoder;
use hayro_syntax::object::{Array, Dict, Name, Object};
use std::borrow::Cow;
use std::io::Read as _;

/// More filters than anybody chains.
const MOST_STEPS: usize = 8;

/// How decoding ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Whole,
    /// There is more than the bound allows.
    Cut,
    /// What follows is not as its filter wants it.
    Damaged,
    /// A filter for pictures: there is no text in there.
    Picture,
    /// Nobody here knows the filter.
    Unknown,
}

pub(super) struct Decoded<'a> {
    pub bytes: Cow<'a, [u8]>,
    pub end: End,
}

/// One filter with what it is told.
pub(super) struct Step<'a> {
    name: Vec<u8>,
    params: Dict<'a>,
}

/// The filters of a stream, in the order in which they are undone.
pub(super) fn steps<'a>(dict: &Dict<'a>) -> Vec<Step<'a>> {
    // 7.3.8.2: `F` of a stream is an external file; it is a filter where it is a name, as in inline images.
    let names = [&b"Filter"[..], b"F"].iter().find_map(|key| names(dict.get::<Object<'_>>(key)?)).unwrap_or_default();
    let params = [&b"DecodeParms"[..], b"DP"].iter().find_map(|key| dict.get::<Object<'_>>(key));
    let params: Vec<Dict<'a>> = match params {
        Some(Object::Dict(dict)) => vec![dict],
        Some(Object::Array(all)) => {
            all.iter::<Object<'_>>().take(MOST_STEPS).map(|o| o.into_dict().unwrap_or_default()).collect()
        }
        _ => Vec::new(),
    };
    let params = params.into_iter().chain(std::iter::repeat_with(Dict::default));
    names.into_iter().zip(params).map(|(name, params)| Step { name, params }).collect()
}

fn names(object: Object<'_>) -> Option<Vec<Vec<u8>>> {
    match object {
        Object::Name(name) => Some(vec![name.to_vec()]),
        Object::Array(all) => Some(of_array(&all)),
        _ => None,
    }
}

fn of_array(all: &Array<'_>) -> Vec<Vec<u8>> {
    all.iter::<Name<'_>>().take(MOST_STEPS + 1).map(|name| name.to_vec()).collect()
}

fn is_for_pictures(name: &[u8]) -> bool {
    matches!(name, b"DCTDecode" | b"DCT" | b"JPXDecode" | b"JBIG2Decode" | b"CCITTFaxDecode" | b"CCF")
}

/// Undoes all of `steps`.
pub(super) fn decode<'a>(raw: Cow<'a, [u8]>, steps: &[Step<'_>], most: usize) -> Decoded<'a> {
    let mut decoded = Decoded { bytes: raw, end: End::Whole };
    for (at, step) in steps.iter().enumerate() {
        if at >= MOST_STEPS || matches!(decoded.end, End::Picture | End::Unknown) {
            return Decoded { end: End::Unknown, ..decoded };
        }
        // 7.4.10: the library has undone encryption.
        if step.name == b"Crypt" {
            continue;
        }
        let (bytes, end) = undone(&decoded.bytes, step, most);
        decoded.end = if end == End::Whole { decoded.end } else { end };
        if let Some(bytes) = bytes {
            decoded.bytes = Cow::Owned(bytes);
        }
    }
    decoded
}

fn undone(packed: &[u8], step: &Step<'_>, most: usize) -> (Option<Vec<u8>>, End) {
    let (bytes, end) = match step.name.as_slice() {
        b"FlateDecode" | b"Fl" => flate(packed, most),
        b"LZWDecode" | b"LZW" => lzw(packed, early(&step.params), most),
        b"ASCII85Decode" | b"A85" => return within(ascii_85(packed), most),
        b"ASCIIHexDecode" | b"AHx" => return within(ascii_hex(packed), most),
        b"RunLengthDecode" | b"RL" => run_length(packed, most),
        name if is_for_pictures(name) => return (None, End::Picture),
        _ => return (None, End::Unknown),
    };
    match predictor::of(&step.params) {
        None => (Some(bytes), end),
        Some(predictor) => match predictor.undone(&bytes) {
            Some(bytes) => (Some(bytes), end),
            None => (Some(bytes), End::Damaged),
        },
    }
}

fn within(bytes: Vec<u8>, most: usize) -> (Option<Vec<u8>>, End) {
    let end = if bytes.len() > most { End::Cut } else { End::Whole };
    (Some(bytes.into_iter().take(most).collect()), end)
}

/// 7.4.4: zlib's format; its check sum, and sometimes its header, is missing in the wild, and nobody minds.
fn flate(packed: &[u8], most: usize) -> (Vec<u8>, End) {
    let start = packed.trim_ascii_start();
    let has_header = |p: &[u8]| {
        let head = p.first().zip(p.get(1));
        head.is_some_and(|(cmf, flg)| cmf & 0x0F == 8 && (u16::from(*cmf) << 8 | u16::from(*flg)) % 31 == 0)
    };
    let body = match () {
        () if has_header(packed) => packed.get(2..),
        () if has_header(start) => start.get(2..),
        () => None,
    };
    let (bytes, end) = inflate(body.unwrap_or(packed), most);
    if bytes.is_empty() && body.is_some() && end == End::Damaged { inflate(packed, most) } else { (bytes, end) }
}

fn inflate(packed: &[u8], most: usize) -> (Vec<u8>, End) {
    let mut bytes = Vec::new();
    let read = DeflateDecoder::new(packed).take(most as u64 + 1).read_to_end(&mut bytes);
    let end = match read {
        _ if bytes.len() > most => End::Cut,
        Err(_) => End::Damaged,
        Ok(_) => End::Whole,
    };
    bytes.truncate(most);
    (bytes, end)
}

/// 7.4.4.3: how many codes early their width grows; one, unless it is said.
fn early(params: &Dict<'_>) -> usize {
    usize::from(params.get::<i32>(b"EarlyChange") != Some(0))
}

/// 7.4.4.2: codes of 9 to 12 bits; 256 clears the table, 257 ends.
fn lzw(packed: &[u8], early: usize, most: usize) -> (Vec<u8>, End) {
    let mut table = LzwTable::default();
    let (mut out, mut bits, mut count) = (Vec::new(), 0u32, 0u32);
    let mut previous = None;
    for byte in packed {
        bits = bits << 8 | u32::from(*byte);
        count += 8;
        let width = table.width(early);
        if count < width {
            continue;
        }
        count -= width;
        let code = (bits >> count & ((1 << width) - 1)) as usize;
        match code {
            256 => {
                table.clear();
                previous = None;
            }
            257 => return (out, End::Whole),
            code if !table.expand(code, previous, &mut out) => return (out, End::Damaged),
            code => previous = Some(code),
        }
        if out.len() > most {
            out.truncate(most);
            return (out, End::Cut);
        }
    }
    (out, End::Whole)
}

/// What each code stands for: a place in what was written already.
#[derive(Default)]
struct LzwTable {
    entries: Vec<(usize, usize)>,
    /// Where the expansion of the code before stands.
    last: (usize, usize),
}

impl LzwTable {
    fn clear(&mut self) {
        self.entries.clear();
    }

    fn width(&self, early: usize) -> u32 {
        // The entry that the next code makes is not there yet.
        let next = 258 + self.entries.len() + early;
        match next {
            0..=511 => 9,
            512..=1023 => 10,
            1024..=2047 => 11,
            _ => 12,
        }
    }

    /// Writes what `code` stands for; false when it stands for nothing.
    fn expand(&mut self, code: usize, previous: Option<usize>, out: &mut Vec<u8>) -> bool {
        if previous.is_some() && self.entries.len() < 4096 - 258 {
            // What the code before wrote, and the octet behind it, which this code writes.
            self.entries.push((self.last.0, self.last.1 + 1));
        }
        let start = out.len();
        match code {
            0..=255 => out.push(code as u8),
            _ => {
                let Some((from, len)) = code.checked_sub(258).and_then(|at| self.entries.get(at)).copied() else {
                    return false;
                };
                for at in from..from + len {
                    let Some(byte) = out.get(at).copied() else { return false };
                    out.push(byte);
                }
            }
        }
        self.last = (start, out.len() - start);
        true
    }
}

/// 7.4.3. An odd character ends nothing: what follows may still be text for somebody.
fn ascii_85(packed: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(packed.len() / 5 * 4 + 4);
    let (mut value, mut count) = (0u32, 0);
    let packed = packed.trim_ascii_start();
    for byte in packed.strip_prefix(b"<~").unwrap_or(packed) {
        match byte {
            b'~' => break,
            b'z' if count == 0 => out.extend_from_slice(&[0; 4]),
            b'!'..=b'u' => {
                value = value.wrapping_mul(85).wrapping_add(u32::from(byte - b'!'));
                count += 1;
            }
            _ => {}
        }
        if count == 5 {
            out.extend_from_slice(&value.to_be_bytes());
            (value, count) = (0, 0);
        }
    }
    if count > 1 {
        let value = (count..5).fold(value, |value, _| value.wrapping_mul(85).wrapping_add(84));
        out.extend(value.to_be_bytes().iter().take(count - 1));
    }
    out
}

/// 7.4.2: an odd digit at the end has a zero behind it.
pub(super) fn ascii_hex(packed: &[u8]) -> Vec<u8> {
    let digits = packed.iter().take_while(|b| **b != b'>').filter_map(|b| char::from(*b).to_digit(16));
    let mut out = Vec::with_capacity(packed.len() / 2 + 1);
    let mut high = None;
    for digit in digits {
        match high.take() {
            None => high = Some(digit),
            Some(high) => out.push((high << 4 | digit) as u8),
        }
    }
    out.extend(high.map(|high| (high << 4) as u8));
    out
}

/// 7.4.5.
fn run_length(packed: &[u8], most: usize) -> (Vec<u8>, End) {
    let (mut out, mut rest) = (Vec::new(), packed);
    while let Some((length, tail)) = rest.split_first() {
        let length = usize::from(*length);
        match length {
            128 => break,
            0..=127 => {
                let run = tail.get(..=length).unwrap_or(tail);
                out.extend_from_slice(run);
                rest = tail.get(run.len()..).unwrap_or_default();
            }
            _ => {
                let Some((byte, tail)) = tail.split_first() else { break };
                out.resize(out.len() + 257 - length, *byte);
                rest = tail;
            }
        }
        if out.len() > most {
            out.truncate(most);
            return (out, End::Cut);
        }
    }
    (out, End::Whole)
}

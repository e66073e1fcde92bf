//! How wide glyphs are (ISO 32000-1 9.2.4, 9.7.4.3): by this, the next glyph is known to be beside the one before or not.
//!
//! Called by `font`. Promises: memory as the font's own lists ask for; a width for every code. Fails never: where none is
//! given, a usual one is taken.

use hayro_syntax::object::{Array, Dict, Name, Object};
use std::collections::HashMap;

/// Ranges of equal width in one font.
const MOST_RANGES: usize = 20_000;
/// Wider than any glyph, in ems.
const WIDEST: f64 = 20.0;

#[derive(Default)]
pub(super) struct Widths {
    /// Of the codes of one octet, from the first on; no number: none is given.
    table: Vec<f64>,
    each: HashMap<u32, f64>,
    ranges: Vec<(u32, u32, f64)>,
    default: Option<f64>,
    is_monospaced: bool,
}

impl Widths {
    /// `unit`: what one unit of the list is in ems.
    pub fn simple(dict: &Dict<'_>, unit: f64) -> Widths {
        let first = dict.get::<u32>(b"FirstChar").unwrap_or(0);
        let list = dict.get::<Array<'_>>(b"Widths");
        let listed = list.iter().flat_map(|list| list.iter::<Object<'_>>().take(256));
        let mut table = vec![f64::NAN; 256];
        for (slot, width) in table.iter_mut().skip(first as usize).zip(listed) {
            let width = width.into_number().map_or(0.0, |width| width.as_f64() * unit);
            // A width of nothing is one that was not known.
            *slot = if width == 0.0 { f64::NAN } else { width.clamp(-WIDEST, WIDEST) };
        }
        let name = dict.get::<Name<'_>>(b"BaseFont");
        let is_monospaced = name.is_some_and(|name| name.windows(7).any(|w| w == b"Courier"));
        Widths { table, is_monospaced, ..Widths::default() }
    }

    pub fn composite(dict: &Dict<'_>) -> Widths {
        let default = dict.get::<f64>(b"DW").unwrap_or(1000.0) * 0.001;
        let mut widths = Widths { default: Some(default.clamp(-WIDEST, WIDEST)), ..Widths::default() };
        if let Some(list) = dict.get::<Array<'_>>(b"W") {
            widths.read(&list);
        }
        widths.ranges.sort_by_key(|range| range.0);
        widths
    }

    /// `first [w w w]` or `first last w`.
    fn read(&mut self, list: &Array<'_>) {
        let mut numbers: Vec<f64> = Vec::with_capacity(3);
        for object in list.iter::<Object<'_>>() {
            match object {
                Object::Number(number) => numbers.push(number.as_f64()),
                Object::Array(each) => {
                    let first = numbers.pop().unwrap_or_default() as u32;
                    numbers.clear();
                    let listed = each.iter::<f64>().take(0x1_0000).enumerate();
                    self.each.extend(listed.map(|(at, w)| (first.saturating_add(at as u32), scaled(w))));
                }
                _ => numbers.clear(),
            }
            if let [first, last, width] = numbers[..] {
                numbers.clear();
                if self.ranges.len() < MOST_RANGES {
                    self.ranges.push((first as u32, last as u32, scaled(width)));
                }
            }
        }
    }

    pub fn of(&self, code: u32, shown: Option<char>) -> f64 {
        if let Some(width) = self.table.get(code as usize) {
            return if width.is_nan() { self.usual(shown) } else { *width };
        }
        if let Some(width) = self.each.get(&code) {
            return *width;
        }
        let end = self.ranges.partition_point(|range| range.0 <= code);
        let range = end.checked_sub(1).and_then(|at| self.ranges.get(at)).filter(|range| code <= range.1);
        range.map(|range| range.2).or(self.default).unwrap_or_else(|| self.usual(shown))
    }

    /// About what Helvetica has, or Courier.
    fn usual(&self, shown: Option<char>) -> f64 {
        match shown {
            _ if self.is_monospaced => 0.6,
            Some('0'..='9') => 0.556,
            Some(' ' | '.' | ',' | ':' | ';' | '/' | '\'' | '|' | '!' | 'i' | 'j' | 'l' | 'I' | 'f' | 't') => 0.278,
            Some('-' | '(' | ')' | 'r') => 0.333,
            Some('m' | 'M' | 'W') => 0.85,
            Some('A'..='Z') => 0.68,
            _ => 0.53,
        }
    }
}

fn scaled(width: f64) -> f64 {
    (width * 0.001).clamp(-WIDEST, WIDEST)
}

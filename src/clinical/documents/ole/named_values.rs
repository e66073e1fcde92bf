//! What a Word document says of itself by name: properties ([MS-OLEPS]), and variables ([MS-DOC] 2.9.298).
//!
//! Called by `ole` and `word` before fields are worked out. Promises: so many names, each looked at once; what is long is no piece of
//! a number, and is whole where it stands. Fails never: what ends too early says nothing more.

use super::super::codepages;
use super::super::instructions::{Kind, Values};
use super::super::octets::Octets;
use encoding_rs::{Encoding, WINDOWS_1252};

/// [MS-OLEPS] 2.21 and 3.1.1 to 3.1.3: sets in a stream, and what they are of.
const SETS: usize = 2;
const SUMMARY: [u8; 16] = *b"\xE0\x85\x9F\xF2\xF9\x4F\x68\x10\xAB\x91\x08\x00\x2B\x27\xB3\xD9";
const OWN: [u8; 16] = *b"\x05\xD5\xCD\xD5\x9C\x2E\x1B\x10\x93\x97\x08\x00\x2B\x2C\xF9\xAE";
/// The properties that fields name, by their numbers.
const NAMES: &[(u32, &str)] =
    &[(2, "title"), (3, "subject"), (4, "author"), (5, "keywords"), (6, "comments"), (8, "lastsavedby")];
/// Properties of a set, variables, and octets of one.
const MOST: usize = 1_000;
const LONGEST: usize = 256;
const UNICODE: u16 = 1_200;

/// The properties in a stream of property sets.
pub(super) fn properties(bytes: &[u8], values: &mut Values) {
    for set in 0..SETS {
        let mut octets = Octets::from(bytes, 28 + 20 * set);
        let (Some(kind), Some(at)) = (octets.take(16), octets.length()) else { return };
        if kind == SUMMARY || kind == OWN {
            let set = Set::at(bytes, at, kind == SUMMARY);
            set.into_iter().for_each(|set| set.tell(values));
        }
    }
}

/// One set: where its properties are, and what they are called.
struct Set<'b> {
    bytes: &'b [u8],
    places: Vec<(u32, usize)>,
    page: u16,
    is_summary: bool,
}

impl<'b> Set<'b> {
    fn at(bytes: &'b [u8], at: usize, is_summary: bool) -> Option<Set<'b>> {
        let bytes = bytes.get(at..)?;
        let mut octets = Octets::from(bytes, 4);
        let count = octets.length()?.min(MOST);
        let places: Vec<(u32, usize)> = (0..count).map_while(|_| Some((octets.u32()?, octets.length()?))).collect();
        let page = places.iter().find(|(id, _)| *id == 1);
        let page = page.and_then(|(_, place)| Octets::from(bytes, place.saturating_add(4)).u16());
        Some(Set { bytes, places, page: page.unwrap_or_default(), is_summary })
    }

    fn tell(&self, values: &mut Values) {
        let own = self.own_names();
        for (id, place) in &self.places {
            let known = NAMES.iter().find(|(known, _)| self.is_summary && known == id).map(|(_, name)| *name);
            let name = known.or_else(|| own.iter().find(|(known, _)| known == id).map(|(_, name)| name.as_str()));
            if let Some((name, value)) = name.zip(self.value(*place)) {
                values.set(Kind::Property, name, &value);
            }
        }
    }

    /// [MS-OLEPS] 2.17: a dictionary of names, each as long as it says, or twice that and padded.
    fn own_names(&self) -> Vec<(u32, String)> {
        let dictionary = self.places.iter().find(|(id, _)| *id == 0).map(|(_, place)| *place);
        let mut octets = Octets::from(self.bytes, dictionary.unwrap_or(usize::MAX));
        let count = octets.length().unwrap_or(0).min(MOST);
        let name = |_| {
            let (id, length) = (octets.u32()?, octets.length()?);
            let name = match self.page {
                UNICODE => codepages::wide(octets.take(length.checked_mul(2)?.checked_next_multiple_of(4)?)?),
                _ => codepages::text(octets.take(length)?, self.encoding()),
            };
            let name = name.split('\0').next().unwrap_or_default();
            Some((id, name.get(..name.floor_char_boundary(LONGEST)).unwrap_or_default().to_owned()))
        };
        (0..count).map_while(name).collect()
    }

    fn encoding(&self) -> &'static Encoding {
        if self.page == 0 { WINDOWS_1252 } else { codepages::of(u32::from(self.page)) }
    }

    /// [MS-OLEPS] 2.15: texts, and whole numbers.
    fn value(&self, place: usize) -> Option<String> {
        let mut octets = Octets::from(self.bytes, place);
        let text = match octets.u32()? & 0xFFFF {
            2 => octets.u16()?.cast_signed().to_string(),
            3 => octets.u32()?.cast_signed().to_string(),
            5 => octets.f64().filter(|number| number.fract() == 0.0 && number.abs() < 1e15)?.to_string(),
            0x1E if self.page == UNICODE => {
                let length = octets.length().filter(|length| *length <= LONGEST)?;
                codepages::wide(octets.take(length)?)
            }
            0x1E => {
                let length = octets.length().filter(|length| *length <= LONGEST)?;
                codepages::text(octets.take(length)?, self.encoding())
            }
            0x1F => {
                let length = octets.length().filter(|length| *length <= LONGEST)?;
                codepages::wide(octets.take(length * 2)?)
            }
            _ => return None,
        };
        Some(text.trim_end_matches('\0').to_owned())
    }
}

/// [MS-DOC] 2.9.298: a table of names, then a text for each.
pub(super) fn variables(table: &[u8], values: &mut Values) {
    let mut octets = Octets::of(table);
    let (Some(0xFFFF), Some(count), Some(extra)) = (octets.u16(), octets.u16(), octets.u16()) else { return };
    let text = |octets: &mut Octets<'_>| {
        let length = usize::from(octets.u16()?);
        octets.take(length * 2).map(codepages::wide)
    };
    let name = |_| {
        let name = text(&mut octets)?;
        octets.take(usize::from(extra)).map(|_| name)
    };
    let names: Vec<String> = (0..count).map_while(name).collect();
    for name in names {
        let Some(value) = text(&mut octets) else { return };
        values.set(Kind::Variable, &name, &value);
    }
}

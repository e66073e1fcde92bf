//! Compressed RTF as messages of Outlook carry it: [MS-OXRTFCP].
//!
//! Called by `mapi`. Promises: at most as many octets as are asked for; what was unpacked before damage is kept. Fails with nothing
//! when it is no compressed RTF at all.

use super::octets::Octets;

/// [MS-OXRTFCP] 2.1.2.1: what the dictionary begins with.
const KNOWN: &[u8] = b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx";
const DICTIONARY: usize = 4_096;
const COMPRESSED: u32 = 0x7546_5A4C;
const STORED: u32 = 0x414C_454D;

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unpacked {
    pub rtf: Vec<u8>,
    /// Whether there was more than was asked for.
    pub cut: bool,
    /// False: it ends without its end.
    pub sound: bool,
}

/// Unpacks at most `most` octets.
pub(super) fn unpack(bytes: &[u8], most: usize) -> Option<Unpacked> {
    let mut octets = Octets::of(bytes);
    octets.u32()?;
    let raw = octets.length()?;
    let kind = octets.u32()?;
    octets.u32()?;
    match kind {
        COMPRESSED => Some(inflate(octets, most)),
        STORED => {
            let there = octets.rest();
            let (cut, sound) = (there.len() > most, there.len() >= raw);
            Some(Unpacked { rtf: there[..there.len().min(most)].to_vec(), cut, sound })
        }
        _ => None,
    }
}

struct Window {
    octets: [u8; DICTIONARY],
    at: usize,
}

impl Window {
    fn put(&mut self, octet: u8, out: &mut Vec<u8>) {
        if let Some(place) = self.octets.get_mut(self.at) {
            *place = octet;
        }
        self.at = (self.at + 1) % DICTIONARY;
        out.push(octet);
    }

    fn get(&self, at: usize) -> u8 {
        self.octets.get(at % DICTIONARY).copied().unwrap_or(0)
    }
}

/// [MS-OXRTFCP] 2.2.3: eight tokens behind each octet of flags; a place where the next octet would go is the end.
fn inflate(mut packed: Octets<'_>, most: usize) -> Unpacked {
    let mut window = Window { octets: [b' '; DICTIONARY], at: KNOWN.len() };
    window.octets[..KNOWN.len()].copy_from_slice(KNOWN);
    let (mut rtf, mut sound) = (Vec::new(), false);
    while let Some(flags) = packed.u8() {
        let ends = (0..8).any(|bit| match flags >> bit & 1 {
            0 => packed.u8().is_none_or(|octet| {
                window.put(octet, &mut rtf);
                false
            }),
            _ => match reference(&mut packed) {
                Some((place, _)) if place == window.at => {
                    sound = true;
                    true
                }
                Some((place, length)) => {
                    (0..length).for_each(|step| window.put(window.get(place + step), &mut rtf));
                    false
                }
                None => true,
            },
        });
        if ends || rtf.len() > most {
            break;
        }
    }
    let cut = rtf.len() > most;
    rtf.truncate(most);
    Unpacked { rtf, cut, sound: sound || cut }
}

fn reference(packed: &mut Octets<'_>) -> Option<(usize, usize)> {
    let (high, low) = (usize::from(packed.u8()?), usize::from(packed.u8()?));
    Some((high << 4 | low >> 4, (low & 15) + 2))
}

#[cfg(test)]
mod tests {
    use super::{KNOWN, unpack};

    /// [MS-OXRTFCP] 3.1.1 and 3.1.2: the examples of the specification.
    const EXAMPLE: &[u8] = b"\x2d\0\0\0\x2b\0\0\0LZFu\xf1\xc5\xc7\xa7\x03\0\x0a\0rcpg125\x42\x32\x0a\xf3 hel\x09\0 bw\x05\xb0ld}\x0a\x80\x0f\xa0";
    const CROSSING: &[u8] = b"\x1a\0\0\0\x1c\0\0\0LZFu\xe2\xd4\x4b\x51\x41\0\x04 WXYZ\x0d\x6e\x7d\x01\x0e\xb0";

    #[test]
    fn the_examples_of_the_specification_are_read() {
        assert_eq!(KNOWN.len(), 207);
        let rtf = |bytes: &[u8]| unpack(bytes, 1_000).unwrap();
        assert_eq!(rtf(EXAMPLE).rtf.escape_ascii().to_string(), r"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n");
        assert_eq!(rtf(CROSSING).rtf.escape_ascii().to_string(), r"{\\rtf1 WXYZWXYZWXYZWXYZWXYZ}");
        assert!(rtf(EXAMPLE).sound && rtf(CROSSING).sound);
        assert!(!rtf(&EXAMPLE[..40]).sound && rtf(&EXAMPLE[..40]).rtf.starts_with(b"{\\rtf1"));
        let short = unpack(EXAMPLE, 7).unwrap();
        assert!(short.cut && short.rtf == b"{\\rtf1\\");
        let stored = [&EXAMPLE[..4], b"\x05\0\0\0MELA\0\0\0\0{\\rtf"].concat();
        assert_eq!(rtf(&stored).rtf, b"{\\rtf");
        assert_eq!(unpack(b"LZFu", 9), None);
    }
}

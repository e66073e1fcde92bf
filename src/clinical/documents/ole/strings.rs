//! Strings of Excel's records: [MS-XLS] 2.5.293, 2.5.294, 2.5.296, and the table that all cells share.
//!
//! Called by `excel`. Promises: a string is no longer than the records it stands in. Fails with what was read where they end.

use super::super::octets::Octets;
use encoding_rs::WINDOWS_1252;

const WIDE: u8 = 1;
const PHONETIC: u8 = 4;
const RICH: u8 = 8;

/// A record and those that continue it.
pub(super) struct Segments<'a> {
    current: Octets<'a>,
    others: std::slice::Iter<'a, &'a [u8]>,
}

impl<'a> Segments<'a> {
    pub fn of(segments: &'a [&'a [u8]]) -> Segments<'a> {
        let mut others = segments.iter();
        Segments { current: Octets::of(others.next().copied().unwrap_or_default()), others }
    }

    /// Goes on in the next record where this one has ended; false: there is none.
    fn go_on(&mut self) -> bool {
        while self.current.is_empty() {
            let Some(next) = self.others.next() else { return false };
            self.current = Octets::of(next);
        }
        true
    }

    pub fn skip(&mut self, mut count: usize) -> Option<()> {
        while count > 0 {
            if !self.go_on() {
                return None;
            }
            count -= self.current.take_up_to(count).len();
        }
        Some(())
    }

    /// [MS-XLS] 2.5.293: how long, how wide, and what follows the characters.
    pub fn rich_string(&mut self) -> Option<String> {
        if !self.go_on() {
            return None;
        }
        let characters = usize::from(self.current.u16()?);
        let flags = self.current.u8()?;
        let formats = if flags & RICH != 0 { usize::from(self.current.u16()?) } else { 0 };
        let phonetic = if flags & PHONETIC != 0 { self.current.length()? } else { 0 };
        let text = self.characters(characters, flags);
        self.skip((formats * 4).saturating_add(phonetic))?;
        Some(text)
    }

    /// Characters go on in the next record behind flags of their own: [MS-XLS] 2.5.293.
    pub fn characters(&mut self, mut left: usize, mut flags: u8) -> String {
        // A pair of units may be divided too.
        let mut units: Vec<u16> = Vec::new();
        while left > 0 {
            if self.current.is_empty() {
                if !self.go_on() {
                    break;
                }
                flags = self.current.u8().unwrap_or(0);
            }
            let width = if flags & WIDE != 0 { 2 } else { 1 };
            let there = self.current.take_up_to(left * width);
            left -= (there.len().div_ceil(width)).min(left);
            match flags & WIDE {
                0 => units.extend(there.iter().map(|octet| u16::from(*octet))),
                _ => units.extend(there.chunks_exact(2).map(|unit| u16::from_le_bytes([unit[0], unit[1]]))),
            }
        }
        String::from_utf16_lossy(&units)
    }
}

/// Characters of two octets, or the lower ones of them.
pub(super) fn characters(octets: &[u8], flags: u8) -> String {
    if flags & WIDE != 0 {
        super::super::codepages::wide(octets)
    } else {
        octets.iter().map(|b| char::from(*b)).collect()
    }
}

/// The length of a string before its characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Length {
    Short,
    Long,
}

/// Which version's strings, and in which charset those of the older are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Version {
    pub is_8: bool,
    pub page: &'static encoding_rs::Encoding,
}

impl Default for Version {
    fn default() -> Version {
        Version { is_8: true, page: WINDOWS_1252 }
    }
}

/// A string that ends in its record.
pub(super) fn string(octets: &mut Octets<'_>, length: Length, version: Version) -> Option<String> {
    let count = match length {
        Length::Short => usize::from(octets.u8()?),
        Length::Long => usize::from(octets.u16()?),
    };
    if !version.is_8 {
        return Some(super::super::codepages::text(octets.take_up_to(count), version.page));
    }
    let flags = octets.u8()?;
    // How many formats and how much of a pronunciation follow the characters.
    octets.take(if flags & RICH != 0 { 2 } else { 0 })?;
    octets.take(if flags & PHONETIC != 0 { 4 } else { 0 })?;
    let width = if flags & WIDE != 0 { 2 } else { 1 };
    Some(characters(octets.take_up_to(count * width), flags))
}

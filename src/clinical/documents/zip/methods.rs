//! How the entries of a zip archive are packed (APPNOTE 4.4.5).
//!
//! Called by the archive. Promises: a decoder takes from its source what it decodes and no more, and no more memory than
//! `MEMORY`. Fails with nothing for a method that nobody here knows.

use super::super::packed::{Fuel, MEMORY};
use lzma_rust2::{LzmaReader, XzReader};
use std::io::{self, Read};

/// What of an entry its decoder needs.
#[derive(Debug, Clone, Copy)]
pub struct Packed {
    pub method: u16,
    pub flags: u16,
    /// Octets when packed, if that is known, and unpacked.
    pub length: Option<usize>,
    pub size: u64,
}

impl Packed {
    /// Whether the decoder takes up to the end of what is packed, to the octet.
    pub fn ends_itself(self) -> bool {
        matches!(self.method, 8 | 12)
    }

    /// What unpacks `source`.
    pub fn decoder<'s, 'a: 's>(self, source: &'s mut &'a [u8]) -> Option<io::Result<Box<dyn Read + 's>>> {
        Some(Ok(match self.method {
            0 => Box::new(source.take(self.length.map_or(u64::MAX, |length| length as u64))),
            8 => Box::new(flate2::bufread::DeflateDecoder::new(source)),
            9 => Box::new(deflate64::Deflate64Decoder::with_buffer(source)),
            12 => Box::new(bzip2::bufread::BzDecoder::new(source)),
            14 => return Some(self.lzma(source)),
            95 => Box::new(XzReader::new_mem_limit(Fuel::new(source), false, MEMORY)),
            _ => return None,
        }))
    }

    /// APPNOTE 5.8.8: a version, the length of the properties, the properties, and the data; bit 1 says whether it marks its
    /// end.
    fn lzma<'s, 'a: 's>(self, source: &'s mut &'a [u8]) -> io::Result<Box<dyn Read + 's>> {
        let mut head = [0; 9];
        source.read_exact(&mut head)?;
        let [_, _, _, _, properties, dictionary @ ..] = head;
        let size = if self.flags & 0b10 == 0 { self.size } else { u64::MAX };
        let dictionary = u32::from_le_bytes(dictionary).min(MEMORY.saturating_mul(1024));
        Ok(Box::new(LzmaReader::new_with_props(source, size, properties, dictionary, None)?))
    }
}

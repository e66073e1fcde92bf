//! The records of a zip archive, as they stand in the octets (APPNOTE.TXT 6.3.10, section 4.3).
//!
//! Called by `directory` and by the archive. Promises: nothing is believed but where it lies within the octets. Fails with
//! nothing where there is no such record.

/// APPNOTE 4.3.7.
pub const LOCAL: &[u8] = b"PK\x03\x04";
/// APPNOTE 4.3.12.
pub const CENTRAL: &[u8] = b"PK\x01\x02";
/// APPNOTE 4.3.16.
pub const END: &[u8] = b"PK\x05\x06";
/// APPNOTE 4.3.9.3.
pub const DESCRIPTOR: &[u8] = b"PK\x07\x08";

/// APPNOTE 4.4.3: a size that stands in the extra field for large files.
const LARGE: u64 = 0xFFFF_FFFF;
/// APPNOTE 4.5.3.
const ZIP64: u16 = 0x0001;
/// APPNOTE 4.4.5, and APPENDIX E of AE-x: encrypted with AES.
const AES: u16 = 99;

pub fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at.checked_add(2)?)?.try_into().ok().map(u16::from_le_bytes)
}

pub fn u32_at(bytes: &[u8], at: usize) -> Option<u64> {
    let four = bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
    Some(u64::from(u32::from_le_bytes(four)))
}

pub fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..at.checked_add(8)?)?.try_into().ok().map(u64::from_le_bytes)
}

/// What one header says of an entry.
#[derive(Debug, Clone, Copy)]
pub struct Header<'a> {
    pub name: &'a [u8],
    pub extra: &'a [u8],
    pub comment: &'a [u8],
    pub flags: u16,
    pub method: u16,
    /// Octets as they are packed, and unpacked.
    pub packed: u64,
    pub size: u64,
    /// Where the local header is said to be, as a central one says it.
    pub offset: u64,
    /// Where the header ends.
    pub end: usize,
}

impl<'a> Header<'a> {
    /// The local header at `at`.
    pub fn local(bytes: &'a [u8], at: usize) -> Option<Header<'a>> {
        let fixed = bytes.get(at..)?.get(..30).filter(|fixed| fixed.starts_with(LOCAL))?;
        let (name, rest) = (usize::from(u16_at(fixed, 26)?), usize::from(u16_at(fixed, 28)?));
        let end = at + 30 + name + rest;
        let (name, extra) = bytes.get(at + 30..end)?.split_at(name);
        let (packed, size) = (u32_at(fixed, 18)?, u32_at(fixed, 22)?);
        let (flags, method) = (u16_at(fixed, 6)?, u16_at(fixed, 8)?);
        Some(Header { name, extra, comment: &[], flags, method, packed, size, offset: 0, end }.large())
    }

    /// The central header at `at`.
    pub fn central(bytes: &'a [u8], at: usize) -> Option<Header<'a>> {
        let fixed = bytes.get(at..)?.get(..46).filter(|fixed| fixed.starts_with(CENTRAL))?;
        let lengths = [u16_at(fixed, 28)?, u16_at(fixed, 30)?, u16_at(fixed, 32)?].map(usize::from);
        let end = at + 46 + lengths.iter().sum::<usize>();
        let (name, rest) = bytes.get(at + 46..end)?.split_at(lengths[0]);
        let (extra, comment) = rest.split_at(lengths[1]);
        let (packed, size) = (u32_at(fixed, 20)?, u32_at(fixed, 24)?);
        let (flags, method, offset) = (u16_at(fixed, 8)?, u16_at(fixed, 10)?, u32_at(fixed, 42)?);
        Some(Header { name, extra, comment, flags, method, packed, size, offset, end }.large())
    }

    /// APPNOTE 4.5.3: what does not fit stands in the extra field, in this order.
    fn large(mut self) -> Header<'a> {
        let Some(field) = fields(self.extra).find(|(id, _)| *id == ZIP64).map(|(_, field)| field) else { return self };
        let mut at = 0;
        for value in [&mut self.size, &mut self.packed, &mut self.offset] {
            if let Some(large) = Some(&value).filter(|v| ***v == LARGE).and_then(|_| u64_at(field, at)) {
                *value = large;
                at += 8;
            }
        }
        self
    }

    /// APPNOTE 4.4.4: bit 0 encryption, bit 6 strong encryption, bit 13 masked headers.
    pub fn is_closed(&self) -> bool {
        self.flags & 0b0010_0000_0100_0001 != 0 || self.method == AES
    }

    /// APPNOTE 4.4.4: bit 3, the sizes follow the content. Some write zeros and say nothing.
    pub fn is_open_ended(&self) -> bool {
        self.packed == 0 && (self.flags & 0b1000 != 0 || self.size != 0)
    }

    /// Whether it is a folder: nothing but a name.
    pub fn is_folder(&self) -> bool {
        self.packed == 0 && self.size == 0 && self.name.ends_with(b"/")
    }
}

/// APPNOTE 4.5.1: the fields of an extra field, by their numbers.
pub fn fields(extra: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let (id, length) = (u16_at(extra, at)?, usize::from(u16_at(extra, at + 2)?));
        let field = &extra[at + 4..extra.len().min(at + 4 + length)];
        at += 4 + length;
        Some((id, field))
    })
}

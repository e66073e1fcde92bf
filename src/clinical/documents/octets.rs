//! Numbers and pieces in little-endian octets.
//!
//! Called by the readers of binary formats. Promises: nothing outside the octets is touched. Fails with nothing where they end.

#[derive(Debug, Clone, Copy)]
pub(super) struct Octets<'a> {
    rest: &'a [u8],
}

impl<'a> Octets<'a> {
    pub fn of(bytes: &'a [u8]) -> Octets<'a> {
        Octets { rest: bytes }
    }

    /// The octets from `at` on; none where there are none.
    pub fn from(bytes: &'a [u8], at: usize) -> Octets<'a> {
        Octets { rest: bytes.get(at..).unwrap_or_default() }
    }

    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let taken = self.rest.get(..count)?;
        self.rest = self.rest.get(count..)?;
        Some(taken)
    }

    /// So many, or as many as there are.
    pub fn take_up_to(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at(count.min(self.rest.len()));
        self.rest = rest;
        taken
    }

    /// What stands before the next zero, which goes too.
    pub fn until_zero(&mut self) -> Option<&'a [u8]> {
        let end = memchr::memchr(0, self.rest)?;
        let taken = self.rest.get(..end)?;
        self.rest = self.rest.get(end + 1..)?;
        Some(taken)
    }

    pub fn u8(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    pub fn u16(&mut self) -> Option<u16> {
        Some(u16::from_le_bytes(self.take(2)?.try_into().ok()?))
    }

    pub fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }

    pub fn f64(&mut self) -> Option<f64> {
        Some(f64::from_le_bytes(self.take(8)?.try_into().ok()?))
    }

    /// A number of 32 bits that counts octets or places.
    pub fn length(&mut self) -> Option<usize> {
        self.u32().and_then(|length| usize::try_from(length).ok())
    }
}

//! A digest of what is kept, by which damage is seen when it is read back: a disk may return other octets than it was given.
//!
//! Called by `receive` (small messages), `BodyFile` (large ones) and whoever reads them. Pure; fails never.

use aws_lc_rs::digest::{Context, SHA256, digest};
use base64::Engine;
use base64::prelude::BASE64_STANDARD_NO_PAD;
use std::io::Read;

/// SHA-256 in base64.
#[must_use]
pub fn digest_of(octets: &[u8]) -> String {
    BASE64_STANDARD_NO_PAD.encode(digest(&SHA256, octets))
}

/// The same of all that can be read, with its length.
///
/// # Errors
/// When it cannot be read.
pub fn digest_read(mut source: impl Read) -> std::io::Result<(String, u64)> {
    let (mut digest, mut length) = (Digesting::default(), 0);
    let mut chunk = vec![0; 256 * 1024];
    loop {
        match source.read(&mut chunk)? {
            0 => return Ok((digest.finish(), length)),
            read => {
                digest.update(&chunk[..read]);
                length += read as u64;
            }
        }
    }
}

/// A digest of octets that pass by.
#[derive(Clone)]
pub(super) struct Digesting(Context);

impl Default for Digesting {
    fn default() -> Digesting {
        Digesting(Context::new(&SHA256))
    }
}

impl Digesting {
    pub fn update(&mut self, octets: &[u8]) {
        self.0.update(octets);
    }

    pub fn finish(self) -> String {
        BASE64_STANDARD_NO_PAD.encode(self.0.finish())
    }
}

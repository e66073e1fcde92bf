//! The message as BDAT carries it: its octets as they are, after a look that they are safe to send.
//!
//! Called by `deliver` when the client session says `SendChunk`. Promises: what is appended is what was given, octet by
//! octet, and has no CR or LF outside a CRLF and no NUL: a server that ends lines elsewhere is not smuggled anything; the
//! result is the same for every split. Fails by `Unsendable`, after which the connection has to be closed.

use crate::smtp::data::{Unsendable, is_clean};

/// Sends one message through any number of BDAT.
#[derive(Debug, Default)]
pub struct Chunk {
    /// The last octet was a CR.
    after_cr: bool,
}

impl Chunk {
    #[must_use]
    pub fn new() -> Chunk {
        Chunk::default()
    }

    /// Appends `piece` unchanged.
    ///
    /// # Errors
    /// When the text so far is not sendable; nothing of `piece` is appended then.
    pub fn append(&mut self, piece: &[u8], out: &mut Vec<u8>) -> Result<(), Unsendable> {
        self.pass(piece)?;
        out.extend_from_slice(piece);
        Ok(())
    }

    /// `piece` is sent unchanged from where it stands.
    ///
    /// # Errors
    /// When the text so far is not sendable; then it must not be sent.
    pub fn pass(&mut self, piece: &[u8]) -> Result<(), Unsendable> {
        if !is_clean(if self.after_cr { b'\r' } else { b' ' }, piece) {
            return Err(Unsendable);
        }
        self.after_cr = piece.last().map_or(self.after_cr, |last| *last == b'\r');
        Ok(())
    }

    /// All of it was given.
    ///
    /// # Errors
    /// When it ended in a CR.
    pub fn finish(self) -> Result<(), Unsendable> {
        if self.after_cr { Err(Unsendable) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn send(pieces: &[&[u8]]) -> Option<Vec<u8>> {
        let (mut chunk, mut out) = (Chunk::new(), Vec::new());
        pieces.iter().try_for_each(|p| chunk.append(p, &mut out)).and_then(|()| chunk.finish()).ok().map(|()| out)
    }

    #[test]
    fn octets_travel_as_they_are_at_every_split() {
        let message = b"a\r\n.\r\n..b\r\n\r\n\xff";
        for at in 0..=message.len() {
            assert_eq!(send(&[&message[..at], b"", &message[at..]]).as_deref(), Some(&message[..]), "{at}");
        }
    }

    #[test]
    fn what_another_server_could_read_as_an_end_is_not_sent() {
        for message in [&b"a\n.\r\nb"[..], b"a\rb", b"a\r\r\n", b"\n", b"a\0", b"a\r"] {
            for at in 0..=message.len() {
                assert_eq!(send(&[&message[..at], b"", &message[at..]]), None, "{message:?} at {at}");
            }
        }
    }
}

//! A message on its way out: the Received field, then the body from memory or from its file, framed for DATA or BDAT.
//!
//! Called by `connection`. Promises: one copy of the body, into the session's buffer; a file is read in pieces on a thread
//! for it; a body that is not as long as its entry says is not sent. Fails by `Broken`: what is stored is not what was kept.

use super::connection::Broken;
use crate::smtp::client::{Chunk, Extent};
use crate::smtp::data::{Encoder, Unsendable};
use crate::vocabulary::Reason;
use bytes::Bytes;
use std::io;
use std::path::PathBuf;

/// Octets of a large body that are read and sent at once.
pub(super) const PIECE: usize = 256 * 1024;

/// The body that goes out behind its Received field.
#[derive(Debug, Clone)]
pub(super) enum Outgoing {
    Memory(Bytes),
    File(PathBuf),
}

/// A whole message.
#[derive(Debug, Clone)]
pub(super) struct Message<'m> {
    pub received: &'m str,
    pub body: Outgoing,
    /// Octets of both.
    pub size: u64,
}

impl Message<'_> {
    pub fn extent(&self) -> Extent {
        match self.body {
            Outgoing::Memory(_) => Extent::Whole(self.size),
            Outgoing::File(_) => Extent::Pieces(self.size),
        }
    }
}

/// How the octets stand on the wire.
pub(super) enum Framer {
    Dots(Encoder),
    Octets(Chunk),
}

impl Framer {
    fn append(&mut self, piece: &[u8], out: &mut Vec<u8>) -> Result<(), Unsendable> {
        match self {
            Framer::Dots(encoder) => encoder.encode(piece, out),
            Framer::Octets(chunk) => chunk.append(piece, out),
        }
    }

    fn finish(self, out: &mut Vec<u8>) -> Result<(), Unsendable> {
        match self {
            Framer::Dots(encoder) => encoder.finish(out),
            Framer::Octets(chunk) => chunk.finish(),
        }
    }
}

/// The message as it is read, from its first octet to its last.
pub(super) struct Reader<'m> {
    framer: Option<Framer>,
    received: &'m [u8],
    body: Body,
    /// Octets that were not read yet.
    left: u64,
}

enum Body {
    Memory(Bytes),
    File(File),
}

impl<'m> Reader<'m> {
    /// # Errors
    /// When the stored body cannot be read, or has another length than its entry says.
    pub async fn open(message: Message<'m>, framer: Framer) -> Result<Reader<'m>, Broken> {
        let (body, octets) = match message.body {
            Outgoing::Memory(bytes) => {
                let octets = bytes.len() as u64;
                (Body::Memory(bytes), octets)
            }
            Outgoing::File(path) => {
                let (file, octets) = File::open(path).await?;
                (Body::File(file), octets)
            }
        };
        let received = message.received.as_bytes();
        if received.len() as u64 + octets != message.size {
            return Err(Reason::StoreFailed.into());
        }
        Ok(Reader { framer: Some(framer), received, body, left: message.size })
    }

    pub fn is_at_end(&self) -> bool {
        self.left == 0
    }

    /// Appends at most `most` octets as they go over the wire, and what ends them behind the last; returns how many it took.
    ///
    /// # Errors
    /// When the body cannot be read on, or has a line end that must not be sent.
    pub async fn fill(&mut self, most: u64, out: &mut Vec<u8>) -> Result<u64, Broken> {
        let Some(framer) = self.framer.as_mut() else { return Err(Reason::ProtocolError.into()) };
        let most = usize::try_from(most.min(self.left)).unwrap_or(usize::MAX);
        let unsendable = |_| Broken::from(Reason::BareLineEnding);
        let taken = if !self.received.is_empty() {
            let (now, rest) = self.received.split_at(most.min(self.received.len()));
            self.received = rest;
            framer.append(now, out).map_err(unsendable)?;
            now.len()
        } else {
            match &mut self.body {
                Body::Memory(bytes) => {
                    let now = bytes.split_to(most.min(bytes.len()));
                    framer.append(&now, out).map_err(unsendable)?;
                    now.len()
                }
                Body::File(file) => {
                    let piece = file.next(most.min(PIECE)).await?;
                    framer.append(&piece, out).map_err(unsendable)?;
                    let taken = piece.len();
                    file.give_back(piece);
                    taken
                }
            }
        };
        if taken == 0 && self.left > 0 {
            return Err(Reason::StoreFailed.into());
        }
        self.left -= taken as u64;
        if self.left == 0
            && let Some(framer) = self.framer.take()
        {
            framer.finish(out).map_err(unsendable)?;
        }
        Ok(taken as u64)
    }
}

/// A body file, read in pieces on a thread for it.
struct File {
    file: Option<std::fs::File>,
    spare: Vec<u8>,
}

impl File {
    async fn open(path: PathBuf) -> Result<(File, u64), Broken> {
        let open = move || {
            let file = std::fs::File::open(path)?;
            let octets = file.metadata()?.len();
            Ok((file, octets))
        };
        let (file, octets) = on_a_thread(open).await?;
        Ok((File { file: Some(file), spare: Vec::new() }, octets))
    }

    async fn next(&mut self, most: usize) -> Result<Vec<u8>, Broken> {
        let (Some(mut file), mut piece) = (self.file.take(), std::mem::take(&mut self.spare)) else {
            return Err(Reason::StoreFailed.into());
        };
        let read = move || {
            use io::Read;
            piece.clear();
            (&mut file).take(most as u64).read_to_end(&mut piece).map(|_| (file, piece))
        };
        let (file, piece) = on_a_thread(read).await?;
        self.file = Some(file);
        Ok(piece)
    }

    fn give_back(&mut self, piece: Vec<u8>) {
        self.spare = piece;
    }
}

async fn on_a_thread<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> Result<T, Broken> {
    let done = tokio::task::spawn_blocking(work).await.map_err(io::Error::other).flatten();
    done.map_err(|error| {
        tracing::error!(%error, "a stored message cannot be read");
        Broken::from(Reason::StoreFailed)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn file(text: &[u8]) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text).unwrap();
        file
    }

    async fn read(message: Message<'_>, framer: Framer, step: u64) -> Result<Vec<u8>, Reason> {
        let (mut reader, mut out) = (Reader::open(message, framer).await.map_err(|b| b.reason)?, Vec::new());
        while !reader.is_at_end() {
            let taken = reader.fill(step, &mut out).await.map_err(|b| b.reason)?;
            assert!((1..=step).contains(&taken));
        }
        Ok(out)
    }

    #[tokio::test]
    async fn memory_and_file_give_the_same_octets_in_any_steps() {
        let (received, text) = ("Received: x\r\n", b"Subject: y\r\n\r\n.dot\r\n");
        let size = (received.len() + text.len()) as u64;
        let file = file(text);
        for step in [1, 2, 7, 1_000] {
            for body in [Outgoing::Memory(Bytes::from_static(text)), Outgoing::File(file.path().into())] {
                let message = Message { received, body, size };
                let octets = read(message.clone(), Framer::Octets(Chunk::new()), step).await;
                assert_eq!(octets.unwrap(), b"Received: x\r\nSubject: y\r\n\r\n.dot\r\n");
                let dots = read(message, Framer::Dots(Encoder::new()), step).await;
                assert_eq!(dots.unwrap(), b"Received: x\r\nSubject: y\r\n\r\n..dot\r\n.\r\n");
            }
        }
    }

    #[tokio::test]
    async fn a_body_that_is_longer_or_shorter_than_it_was_is_not_sent() {
        let file = file(b"text\r\n");
        for size in [5, 7] {
            let message = Message { received: "", body: Outgoing::File(file.path().into()), size };
            assert_eq!(read(message, Framer::Octets(Chunk::new()), 9).await, Err(Reason::StoreFailed));
        }
    }
}

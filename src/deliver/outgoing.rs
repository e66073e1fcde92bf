//! A message on its way out: the Received field, then the body from memory or from its file, framed for DATA or BDAT.
//!
//! Called by `connection`. Promises: one copy of the body at most, into the session's buffer, a piece at a time; a file is read on a
//! thread for it; a body that is not as long as its entry says is not sent. Fails by `Broken`: what is stored is not what was kept.

use super::connection::Broken;
use crate::smtp::client::{Chunk, Extent};
use crate::smtp::data::{Encoder, Unsendable};
use crate::vocabulary::Reason;
use bytes::Bytes;
use std::io;
use std::path::PathBuf;

/// Octets of a large body that are read from its file at once.
const PIECE: usize = 256 * 1024;
/// Octets that are sent at once: what one write into TLS takes, and little enough to stay near the processor.
pub(super) const SENT: usize = 64 * 1024;
/// By so much the first piece of a large body is shorter. Bodies begin with a page of memory, and so do the records of TLS but for
/// their heads: where a source begins a few octets before its copy within a page, some processors copy 2 GB/s instead of 37.
const OFF_PAGE: usize = PAGE / 2;
const PAGE: usize = 4096;
/// Up to here a message goes out with its commands, though the peer may refuse them.
const ONE_FLIGHT: usize = 128 * 1024;

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
        match &self.body {
            Outgoing::Memory(body) if body.len() <= ONE_FLIGHT => Extent::Whole(self.size),
            Outgoing::Memory(_) | Outgoing::File(_) => Extent::Pieces(self.size),
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

    /// The next octets of a large message that go over the wire as they stand in memory, at most `most`, where that is so:
    /// they need no copy. The last of them come by `fill`, with what ends them.
    ///
    /// # Errors
    /// When there is a line end that must not be sent.
    pub fn as_it_is(&mut self, most: u64) -> Result<Option<Bytes>, Broken> {
        let (Some(Framer::Octets(chunk)), Body::Memory(bytes)) = (&mut self.framer, &mut self.body) else {
            return Ok(None);
        };
        if !self.received.is_empty() || bytes.len() <= SENT || most < SENT as u64 {
            return Ok(None);
        }
        let begins_a_page = bytes.as_ptr().addr().is_multiple_of(PAGE);
        let piece = bytes.split_to(if begins_a_page { SENT - OFF_PAGE } else { SENT });
        chunk.pass(&piece).map_err(|_| Broken::from(Reason::BareLineEnding))?;
        self.left -= piece.len() as u64;
        Ok(Some(piece))
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
                    let now = bytes.split_to(most.min(bytes.len()).min(SENT));
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
            // Its room is made once: read_to_end would ask for it little by little.
            piece.resize(most, 0);
            let read = fill(&mut file, &mut piece)?;
            piece.truncate(read);
            Ok((file, piece))
        };
        let (file, piece) = on_a_thread(read).await?;
        self.file = Some(file);
        Ok(piece)
    }

    fn give_back(&mut self, piece: Vec<u8>) {
        self.spare = piece;
    }
}

/// Reads until `piece` is full or the file ends; returns how much there was.
fn fill(file: &mut std::fs::File, piece: &mut [u8]) -> io::Result<usize> {
    use io::Read;
    let mut filled = 0;
    while filled < piece.len() {
        match file.read(&mut piece[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
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

    /// What crosses in chunks of so many octets, and what was copied last.
    async fn crossed(message: Message<'_>, chunk: u64) -> (Vec<u8>, Vec<u8>) {
        let mut reader = Reader::open(message, Framer::Octets(Chunk::new())).await.map_err(|b| b.reason).unwrap();
        let (mut wire, mut copied, mut left) = (Vec::new(), Vec::new(), chunk);
        while !reader.is_at_end() {
            let piece = reader.as_it_is(left).map_err(|b| b.reason).unwrap();
            left -= piece.as_ref().map_or(0, |piece| piece.len() as u64);
            wire.extend_from_slice(piece.as_deref().unwrap_or_default());
            if piece.is_none() {
                copied.clear();
                left -= reader.fill(left, &mut copied).await.map_err(|b| b.reason).unwrap();
                wire.extend_from_slice(&copied);
            }
            left = if left == 0 { chunk } else { left };
        }
        (wire, copied)
    }

    #[tokio::test]
    async fn a_large_message_in_memory_crosses_as_it_is_chunk_by_chunk() {
        let (received, text) = ("Received: x\r\n", b"a line of a long message\r\n".repeat(20_000));
        for chunk in [70_000, SENT as u64, 1024 * 1024] {
            let body = Outgoing::Memory(text.clone().into());
            let message = Message { received, body, size: (received.len() + text.len()) as u64 };
            assert_eq!(message.extent(), Extent::Pieces(message.size));
            let (wire, copied) = crossed(message, chunk).await;
            assert!(wire == [received.as_bytes(), &text].concat() && copied.len() <= SENT, "{chunk}");
        }
        let broken = [text, b"\n.\r\n".to_vec(), b"x".repeat(2 * SENT)].concat();
        let message = Message { received: "", size: broken.len() as u64, body: Outgoing::Memory(broken.into()) };
        let mut reader = Reader::open(message, Framer::Octets(Chunk::new())).await.map_err(|b| b.reason).unwrap();
        let refused = std::iter::repeat_with(|| reader.as_it_is(u64::MAX)).find_map(Result::err);
        assert_eq!(refused.map(|broken| broken.reason), Some(Reason::BareLineEnding));
    }

    #[tokio::test]
    async fn pieces_of_a_large_message_begin_in_the_middle_of_a_page() {
        let room = Bytes::from(b"a line of a long message\r\n".repeat(20_000));
        let body = room.slice(room.as_ptr().align_offset(PAGE)..);
        let message = Message { received: "", size: body.len() as u64, body: Outgoing::Memory(body) };
        let mut reader = Reader::open(message, Framer::Octets(Chunk::new())).await.map_err(|b| b.reason).unwrap();
        let pieces = std::iter::from_fn(|| reader.as_it_is(u64::MAX).map_err(|b| b.reason).unwrap());
        let begin: Vec<usize> = pieces.map(|piece| piece.as_ptr().addr() % PAGE).collect();
        assert!(
            begin.len() > 3 && begin[0] == 0 && begin[1..].iter().all(|at| (64..PAGE - 64).contains(at)),
            "{begin:?}"
        );
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

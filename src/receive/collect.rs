//! A message on its way in: in memory while it is not too large, streamed into a body file when it is.
//!
//! Called by `receive::connection`. Promises: memory per message is bounded whatever its size, and of all messages by the
//! budget: who finds no room there goes to its file at once, or is refused for now; fields that are stripped at
//! the edge are gone before anything is kept; a message that is not admitted leaves no file. Fails with the disk's error.

use super::budget::Share;
use super::buffers::is_fitting;
use super::socket::READ_LARGE;
use crate::clock::EntryId;
use crate::mail::message;
use crate::store::{Bodies, BodyFile, digest_of};
use bytes::Bytes;
use std::io;
use tokio::task::JoinHandle;

/// Up to here a message is a row in the database; above, a file.
pub(super) const INLINE: usize = 128 * 1024;
/// Up to here a message that becomes a file is in memory until its end, where the budget has room: it is written in one
/// piece, and reading and delivery take it from memory.
const WHOLE: usize = 2 * 1024 * 1024;
/// A declared size is believed up to so many times what has come.
const BELIEVED: usize = 32;
/// Octets more than that: some clients count line ends otherwise.
const MARGIN: usize = 4 * 1024;
/// Octets that a large message gathers before they are written: with what one read adds, its buffer stays at 256 KiB.
const CHUNK: usize = 192 * 1024;

/// Exchange trusts these among its own servers; from anybody else they are forged, to anybody else they are private.
const EXCHANGE_INTERNAL: [&str; 2] = ["x-ms-exchange-organization-", "x-ms-exchange-forest-"];

/// A message that is being received.
pub struct Collector {
    id: EntryId,
    /// The decoder appends here.
    pub memory: Vec<u8>,
    file: Option<BodyFile>,
    written: u64,
    max_header: usize,
    /// The header section of a message that streams into its file, for decisions.
    header: Vec<u8>,
    failed: Option<CollectError>,
    share: Share,
    /// What MAIL said of its size (RFC 1870).
    declared: usize,
    /// Octets of the header section, among those that were searched for its end.
    header_len: usize,
    scanned: usize,
}

/// A message as it was received.
pub enum Collected<F = BodyFile> {
    Small(Bytes),
    /// Synced, but for its directory; or on its way there, as [`Writing`].
    Large {
        file: F,
        header: Bytes,
        size: u64,
        /// All of it, where it was small enough to stay in memory.
        whole: Option<Bytes>,
    },
}

/// The file of a message, or what may be read while it is written.
pub enum Writing {
    Synced(BodyFile),
    Meanwhile(Bytes, JoinHandle<io::Result<BodyFile>>),
}

impl Collected<Writing> {
    /// The same with its file synced, which is waited for.
    ///
    /// # Errors
    /// When the disk refused.
    pub async fn synced(self) -> Result<Collected, CollectError> {
        Ok(match self {
            Collected::Small(message) => Collected::Small(message),
            Collected::Large { file, header, size, whole } => {
                let file = match file {
                    Writing::Synced(file) => file,
                    Writing::Meanwhile(_, file) => awaited(file).await.map_err(CollectError::Disk)?,
                };
                Collected::Large { file, header, size, whole }
            }
        })
    }
}

impl<F> Collected<F> {
    #[must_use]
    pub fn size(&self) -> u64 {
        match self {
            Collected::Small(message) => message.len() as u64,
            Collected::Large { size, .. } => *size,
        }
    }

    /// All of it, if it is in memory.
    #[must_use]
    pub fn whole(&self) -> Option<&Bytes> {
        match self {
            Collected::Small(message) => Some(message),
            Collected::Large { whole, .. } => whole.as_ref(),
        }
    }

    /// Whether it is known to be ASCII throughout; of what is not in memory nobody knows.
    #[must_use]
    pub fn is_ascii(&self) -> bool {
        self.whole().is_some_and(|whole| whole.is_ascii())
    }

    /// At least the header section.
    #[must_use]
    pub fn header(&self) -> &[u8] {
        match self {
            Collected::Small(message) => message,
            Collected::Large { header, .. } => header,
        }
    }
}

impl Collected {
    /// By which damage is seen when it is read back.
    #[must_use]
    pub fn digest(&self) -> String {
        match self {
            Collected::Small(message) => digest_of(message),
            Collected::Large { file, .. } => file.digest(),
        }
    }
}

/// Why a message cannot be collected.
#[derive(Debug)]
pub enum CollectError {
    HeaderTooLarge,
    /// Too much is being received: memory or open files are used up.
    Crowded,
    Disk(io::Error),
}

impl Collector {
    #[must_use]
    pub fn new(id: EntryId, max_header: usize, share: Share) -> Collector {
        let (memory, header) = (Vec::new(), Vec::new());
        Collector {
            id,
            memory,
            file: None,
            written: 0,
            max_header,
            header,
            failed: None,
            share,
            declared: 0,
            header_len: 0,
            scanned: 0,
        }
    }

    /// The size that MAIL declared: once some of it has come, room is made for it in one piece.
    #[must_use]
    pub fn declared(self, octets: Option<u64>) -> Collector {
        let declared = octets.and_then(|octets| usize::try_from(octets).ok()).unwrap_or(0);
        Collector { declared, ..self }
    }

    #[must_use]
    pub fn id(&self) -> EntryId {
        self.id
    }

    /// Whether much more of it may come, and the budget knows of it.
    #[must_use]
    pub fn takes_much(&self) -> bool {
        self.memory.len() > INLINE / 4
    }

    /// There is no room on the disk: what needs a file is put off.
    pub fn refuse_large(&mut self) {
        if self.memory.len() > INLINE || self.file.is_some() {
            self.failed.get_or_insert_with(|| CollectError::Disk(io::ErrorKind::StorageFull.into()));
        }
    }

    /// Writes what has gathered, when it is too much for memory. What goes wrong is said by `finish`: the client has to
    /// send the rest anyway.
    pub async fn relieve(&mut self, bodies: &Bodies) {
        let bound = if self.file.is_some() { CHUNK } else { WHOLE };
        if self.file.is_none() {
            self.believe_size();
            self.failed = self.failed.take().or_else(|| self.check_header().err());
        }
        let fits = self.account();
        if fits && self.memory.len() <= bound && self.failed.is_none() {
            return;
        }
        if self.failed.is_none() {
            self.failed = self.make_room(bodies, fits.then_some(Fits)).await.err();
        }
        if self.failed.is_some() {
            (self.memory, self.header) = (Vec::new(), Vec::new());
        }
        if !self.account() {
            self.failed.get_or_insert(CollectError::Crowded);
        }
    }

    /// Makes room for what was declared in few steps, each of which what has come bears out, where the budget has it.
    fn believe_size(&mut self) {
        let wanted = (self.declared + MARGIN).min(self.memory.len().saturating_mul(BELIEVED));
        // Not before there is need: else each read would move it to a place that is a little larger.
        let is_full = self.memory.capacity() - self.memory.len() < READ_LARGE;
        let grows = is_full && wanted > self.memory.capacity() && self.declared <= WHOLE && self.takes_much();
        if !grows {
            return;
        }
        let mut larger = self.share.buffers().take(wanted);
        if self.share.resize(larger.capacity() + self.header.capacity()) {
            larger.extend_from_slice(&self.memory);
            self.memory = larger;
        } else {
            self.share.buffers().give(larger);
        }
    }

    /// Tells the budget what is held; false when there is no room for it.
    fn account(&mut self) -> bool {
        self.share.resize(self.memory.capacity() + self.header.capacity())
    }

    async fn make_room(&mut self, bodies: &Bodies, fits: Option<Fits>) -> Result<(), CollectError> {
        // What is over the budget is written by a few at a time: else those who wait for the disk would be over it together.
        let _turn = match fits {
            Some(Fits) => None,
            None => Some(self.share.leave().ok_or(CollectError::Crowded)?),
        };
        if self.file.is_none() {
            if self.check_header()? == self.memory.len() {
                // The header section has not ended yet: only whole is it free of what is stripped.
                return fits.map(|Fits| ()).ok_or(CollectError::Crowded);
            }
            if !self.share.open_file() {
                return Err(CollectError::Crowded);
            }
            strip_edge_fields(&mut self.memory);
            self.header = self.memory[..message::header_len(&self.memory)].to_vec();
        }
        self.spill(bodies).await.map_err(CollectError::Disk)?;
        if fits.is_none() {
            self.memory = Vec::new();
        }
        Ok(())
    }

    /// Octets of the header section, or of what has come of it: looked for until its end has come.
    fn check_header(&mut self) -> Result<usize, CollectError> {
        if self.header_len == 0 || self.header_len == self.scanned {
            self.header_len = message::header_len(&self.memory);
            self.scanned = self.memory.len();
        }
        if self.header_len > self.max_header { Err(CollectError::HeaderTooLarge) } else { Ok(self.header_len) }
    }

    async fn spill(&mut self, bodies: &Bodies) -> io::Result<()> {
        let (file, bodies, id) = (self.file.take(), bodies.clone(), self.id);
        let chunk = std::mem::take(&mut self.memory);
        let (file, mut chunk) = blocking(move || {
            let mut file = file.map_or_else(|| bodies.create(id.row()), Ok)?;
            file.write_all(&chunk).map(|()| (file, chunk))
        })
        .await?;
        self.written += chunk.len() as u64;
        chunk.clear();
        // What it gathered before it was known to be large is more than it needs from now on.
        self.memory = if chunk.capacity() > 2 * CHUNK { Vec::new() } else { chunk };
        self.file = Some(file);
        Ok(())
    }

    /// The message as it was received, and what it holds of the budget, which is held until [`Collected::synced`]: a large
    /// one is flushed to its file, or that has begun.
    ///
    /// # Errors
    /// When the disk refused, too much is being received, or the header section is over its limit.
    pub async fn finish(mut self, bodies: &Bodies) -> Result<(Collected<Writing>, Share), CollectError> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        match self.file.take() {
            Some(file) => self.finish_file(file).await,
            None => self.finish_whole(bodies),
        }
    }

    async fn finish_file(mut self, mut file: BodyFile) -> Result<(Collected<Writing>, Share), CollectError> {
        let size = self.written + self.memory.len() as u64;
        let rest = std::mem::take(&mut self.memory);
        let file = blocking(move || {
            file.write_all(&rest)?;
            file.sync().map(|()| file)
        })
        .await
        .map_err(CollectError::Disk)?;
        let _ = self.share.resize(self.header.capacity());
        let file = Writing::Synced(file);
        Ok((Collected::Large { file, header: self.header.into(), size, whole: None }, self.share))
    }

    fn finish_whole(mut self, bodies: &Bodies) -> Result<(Collected<Writing>, Share), CollectError> {
        self.check_header()?;
        strip_edge_fields(&mut self.memory);
        // It may wait for a while, and should take hardly more than it is.
        if self.memory.len() <= INLINE || !is_fitting(self.memory.capacity(), self.memory.len()) {
            self.memory.shrink_to_fit();
        }
        // Less than before, or by what came last more: that is in memory already.
        let _ = self.account();
        let message = self.share.buffers().lend(self.memory);
        if message.len() <= INLINE {
            return Ok((Collected::Small(message), self.share));
        }
        if !self.share.open_file() {
            return Err(CollectError::Crowded);
        }
        let (bodies, id, whole) = (bodies.clone(), self.id, message.clone());
        let file = tokio::task::spawn_blocking(move || {
            let mut file = bodies.create(id.row())?;
            file.write_whole(&whole)?;
            file.sync().map(|()| file)
        });
        let file = Writing::Meanwhile(message.clone(), file);
        let header = message.slice(..message::header_len(&message));
        Ok((Collected::Large { file, header, size: message.len() as u64, whole: Some(message) }, self.share))
    }
}

/// The budget has room for what is in memory.
#[derive(Clone, Copy)]
struct Fits;

/// Runs `work` where waiting for the disk stops nobody else.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    awaited(tokio::task::spawn_blocking(work)).await
}

async fn awaited<T>(work: JoinHandle<io::Result<T>>) -> io::Result<T> {
    work.await.unwrap_or_else(|e| Err(io::Error::other(e)))
}

/// Removes the fields that Exchange's header firewall would remove.
fn strip_edge_fields(message: &mut Vec<u8>) {
    let unwanted = |name: &str| {
        EXCHANGE_INTERNAL.iter().any(|p| name.get(..p.len()).is_some_and(|start| start.eq_ignore_ascii_case(p)))
    };
    for range in message::ranges_of(message, unwanted).into_iter().rev() {
        message.drain(range);
    }
}

#[cfg(test)]
mod tests {
    use super::super::budget::{Budget, OCTETS};
    use super::super::limits::Who;
    use super::*;
    use crate::store::Opened;
    use std::sync::Arc;

    fn collector() -> Collector {
        Collector::new(EntryId::from_row(7), 1_000, Budget::new(OCTETS, 10).share(Who::Site))
    }

    /// Appends and relieves, piece by piece.
    async fn feed(collector: &mut Collector, sent: &[u8], bodies: &Bodies) {
        for piece in sent.chunks(16_000) {
            collector.memory.extend_from_slice(piece);
            collector.relieve(bodies).await;
        }
    }

    /// As it is kept.
    async fn finish(collector: Collector, bodies: &Bodies) -> Result<(Collected, Share), CollectError> {
        let (coming, share) = collector.finish(bodies).await?;
        coming.synced().await.map(|collected| (collected, share))
    }

    fn room_for(octets: usize) -> Arc<Budget> {
        // A message holds a sixteenth of what is free.
        Budget::new(octets * 17, 10)
    }

    #[tokio::test]
    async fn exchange_internal_fields_are_gone_before_anything_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let opened = Opened::open(folder.path(), |_| {}).unwrap();
        let mut collector = collector();
        collector.memory.extend_from_slice(
            b"Subject: a\r\nX-MS-Exchange-Organization-SCL: -1\r\nx-ms-exchange-forest-x: y\r\n\r\ntext\r\n",
        );
        let Ok((Collected::Small(message), _)) = finish(collector, opened.store.bodies()).await else {
            panic!("small")
        };
        assert_eq!(&message[..], b"Subject: a\r\n\r\ntext\r\n");
    }

    #[tokio::test]
    async fn a_large_message_goes_to_a_file_without_its_edge_fields() {
        let folder = tempfile::tempdir().unwrap();
        let opened = Opened::open(folder.path(), |_| {}).unwrap();
        let mut collector = collector();
        let mut sent = b"Subject: a\r\nX-MS-Exchange-Organization-SCL: -1\r\n\r\n".to_vec();
        for n in 0..80_000 {
            sent.extend_from_slice(format!("line {n} of a long message\r\n").as_bytes());
        }
        for chunk in sent.chunks(50_000) {
            collector.memory.extend_from_slice(chunk);
            collector.relieve(opened.store.bodies()).await;
            assert!(collector.memory.len() <= WHOLE && (collector.file.is_none() || collector.memory.len() <= CHUNK));
            assert!(collector.file.is_none() || collector.memory.capacity() <= 2 * CHUNK, "it gives back what it had");
        }
        let finished = finish(collector, opened.store.bodies()).await;
        let Ok((Collected::Large { file, header, size, whole: None }, _)) = finished else { panic!("large") };
        let kept = std::fs::read(file.path()).unwrap();
        assert_eq!(&header[..], b"Subject: a\r\n");
        assert_eq!(kept.len() as u64, size);
        assert!(kept.starts_with(b"Subject: a\r\n\r\nline 0") && sent.ends_with(&kept[12..]));
    }

    #[tokio::test]
    async fn a_message_between_small_and_large_is_a_file_and_in_memory_too() {
        let folder = tempfile::tempdir().unwrap();
        let opened = Opened::open(folder.path(), |_| {}).unwrap();
        let mut collector = collector();
        let sent = [b"Subject: a\r\nX-MS-Exchange-Forest-A: b\r\n\r\n".to_vec(), b"line\r\n".repeat(50_000)].concat();
        feed(&mut collector, &sent, opened.store.bodies()).await;
        let files = opened.store.bodies().ids().unwrap();
        assert!(files.is_empty(), "nothing is written before it is known whether it is whole");
        let Ok((collected, _share)) = finish(collector, opened.store.bodies()).await else { panic!("large") };
        let Collected::Large { file, header, whole: Some(whole), .. } = &collected else { panic!("in memory too") };
        assert_eq!(std::fs::read(file.path()).unwrap()[..], whole[..]);
        assert_eq!((&header[..], whole.len()), (&b"Subject: a\r\n"[..], 300_014));
        assert_eq!((collected.digest(), collected.is_ascii()), (digest_of(whole), true));
    }

    #[tokio::test]
    async fn a_header_section_over_its_limit_is_refused_and_does_not_fill_memory() {
        let folder = tempfile::tempdir().unwrap();
        let opened = Opened::open(folder.path(), |_| {}).unwrap();
        let mut collector = collector();
        for _ in 0..10 {
            collector.memory.extend_from_slice(&b"X-A: b\r\n".repeat(10_000));
            collector.relieve(opened.store.bodies()).await;
        }
        assert!(collector.memory.len() < 2 * INLINE);
        assert!(matches!(finish(collector, opened.store.bodies()).await, Err(CollectError::HeaderTooLarge)));
    }

    #[tokio::test]
    async fn a_small_message_that_finds_no_room_goes_to_its_file_whole() {
        let folder = tempfile::tempdir().unwrap();
        let opened = Opened::open(folder.path(), |_| {}).unwrap();
        let budget = room_for(20_000);
        let mut collector = Collector::new(EntryId::from_row(7), 1_000, budget.share(Who::Site));
        let sent = [b"Subject: a\r\nX-MS-Exchange-Forest-A: b\r\n\r\n".to_vec(), b"line\r\n".repeat(10_000)].concat();
        feed(&mut collector, &sent, opened.store.bodies()).await;
        assert!(collector.memory.capacity() + collector.header.capacity() <= 20_000, "{}", collector.memory.capacity());
        let finished = finish(collector, opened.store.bodies()).await;
        let Ok((Collected::Large { file, header, size, whole: None }, share)) = finished else { panic!("a file") };
        let kept = std::fs::read(file.path()).unwrap();
        assert_eq!((kept.len() as u64, &header[..]), (size, &b"Subject: a\r\n"[..]));
        assert!(kept.starts_with(b"Subject: a\r\n\r\nline") && sent.ends_with(&kept[12..]));
        drop(share);
        assert_eq!(budget.free(), 20_000 * 17);
    }

    #[tokio::test]
    async fn a_header_section_that_finds_no_room_is_put_off_and_holds_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let opened = Opened::open(folder.path(), |_| {}).unwrap();
        let budget = room_for(20_000);
        let mut collector = Collector::new(EntryId::from_row(7), 1_000_000, budget.share(Who::Site));
        feed(&mut collector, &b"X-A: b\r\n".repeat(50_000), opened.store.bodies()).await;
        assert_eq!((collector.memory.capacity(), budget.free()), (0, 20_000 * 17));
        assert!(matches!(finish(collector, opened.store.bodies()).await, Err(CollectError::Crowded)));
    }

    #[tokio::test]
    async fn without_a_file_left_a_large_message_is_put_off() {
        let folder = tempfile::tempdir().unwrap();
        let opened = Opened::open(folder.path(), |_| {}).unwrap();
        let budget = Budget::new(OCTETS, 1);
        let large = [b"Subject: a\r\n\r\n".to_vec(), b"line\r\n".repeat(50_000)].concat();
        let mut first = Collector::new(EntryId::from_row(7), 1_000, budget.share(Who::Site));
        feed(&mut first, &large, opened.store.bodies()).await;
        let first = finish(first, opened.store.bodies()).await;
        assert!(matches!(first, Ok((Collected::Large { .. }, _))));
        let mut second = Collector::new(EntryId::from_row(8), 1_000, budget.share(Who::Site));
        feed(&mut second, &large, opened.store.bodies()).await;
        assert!(matches!(finish(second, opened.store.bodies()).await, Err(CollectError::Crowded)));
        drop(first);
        let mut third = Collector::new(EntryId::from_row(9), 1_000, budget.share(Who::Site));
        feed(&mut third, &large, opened.store.bodies()).await;
        assert!(finish(third, opened.store.bodies()).await.is_ok(), "what ended gives its file back");
    }
}

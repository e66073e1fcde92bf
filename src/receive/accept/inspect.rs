//! Reading what a message holds, where it stops nobody: small ones in place, larger ones on a thread for it.

use super::super::collect::{Collected, INLINE, Writing};
use super::super::limits::Who;
use super::Acceptance;
use crate::clinical::Findings;
use crate::decide::Judge;
use crate::mail::{Enhanced, Status};
use crate::vocabulary::Reason;
use crate::workers::{Busy, Workers};
use bytes::Bytes;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};

/// Up to here a message is read by the session's own task.
const IN_PLACE: usize = 64 * 1024;
/// How long a large message waits for its turn to be read: its sender waits ten minutes (RFC 5321 4.5.3.2.6), and would have
/// to send it all again. Waiting costs what it holds of the budget.
const TURN: Duration = Duration::from_secs(240);
/// Messages that are read at once on threads of their own: they must not keep the sessions from the processors.
const TURNS: u32 = 4;
/// Octets that strangers' messages hold at least together while they are read.
const ROOM: u64 = 48 * MIB;
const MIB: u64 = 1024 * 1024;

/// The room in which large messages are read: however many come at once, they take their turns within it. A message counts
/// twice, for its octets and for what they decode to; text in a charset that it is not may take more while it is looked at.
/// A quarter of the room is the sites' alone.
pub struct Readers {
    room: Semaphore,
    strangers: Semaphore,
    mib: u32,
}

/// A turn; over when dropped.
struct Turn<'a> {
    _room: SemaphorePermit<'a>,
    _stranger: Option<SemaphorePermit<'a>>,
}

impl Readers {
    /// Room for one message of the largest size, whoever's it is.
    #[must_use]
    pub fn new(max_message: u64) -> Readers {
        let strangers = u32::try_from(ROOM.max(max_message.saturating_mul(2)).div_ceil(MIB)).unwrap_or(u32::MAX / 2);
        let mib = strangers + strangers.div_ceil(3);
        let semaphore = |mib: u32| Semaphore::new(usize::try_from(mib).unwrap_or(Semaphore::MAX_PERMITS));
        Readers { room: semaphore(mib), strangers: semaphore(strangers), mib }
    }

    /// Room for a message of `size` octets, and a turn.
    async fn turn(&self, size: u64, who: Who) -> Result<Turn<'_>, Status> {
        let mib = u32::try_from(size.saturating_mul(2).div_ceil(MIB)).unwrap_or(u32::MAX);
        let wanted = mib.max(self.mib / TURNS).min(self.mib / 4 * 3);
        let taken = async {
            let stranger = match who {
                Who::Stranger => Some(self.strangers.acquire_many(wanted).await.ok()?),
                Who::Site => None,
            };
            Some(Turn { _room: self.room.acquire_many(wanted).await.ok()?, _stranger: stranger })
        };
        tokio::time::timeout(TURN, taken).await.ok().flatten().ok_or_else(busy)
    }
}

/// Those who read documents, and whose turn it is. One of them is the sites' alone: strangers' documents may take their time.
pub struct Documents {
    workers: Arc<Workers>,
    turns: Semaphore,
    strangers: Semaphore,
}

impl Documents {
    /// `count`: how many workers there are.
    #[must_use]
    pub fn new(workers: Arc<Workers>, count: usize) -> Documents {
        let strangers = Semaphore::new(count.saturating_sub(1).max(1));
        Documents { workers, turns: Semaphore::new(count), strangers }
    }

    async fn turn(&self, who: Who) -> Result<DocumentTurn<'_>, Status> {
        let taken = async {
            let stranger = match who {
                Who::Stranger => Some(self.strangers.acquire().await.ok()?),
                Who::Site => None,
            };
            Some(DocumentTurn { _turn: self.turns.acquire().await.ok()?, _stranger: stranger })
        };
        tokio::time::timeout(TURN, taken).await.ok().flatten().ok_or_else(busy)
    }
}

/// A turn; over when dropped.
struct DocumentTurn<'a> {
    _turn: SemaphorePermit<'a>,
    _stranger: Option<SemaphorePermit<'a>>,
}

/// A message whose documents are to be read.
struct Unopened<'j> {
    judge: &'j Arc<Judge>,
    octets: Octets,
    /// What was found beside them.
    first: Findings,
}

impl Documents {
    async fn read(&self, unopened: Unopened<'_>, who: Who) -> Result<Findings, Status> {
        let _turn = self.turn(who).await?;
        let Unopened { judge, octets, first } = unopened;
        let (workers, judge) = (self.workers.clone(), judge.clone());
        let read = move || octets.get().map(|message| workers.inspect(judge.telling(), &message, first));
        unspoilt(joined(tokio::task::spawn_blocking(read).await)?)?.map_err(|Busy| busy())
    }
}

/// The octets of a message, in memory or in their file.
#[derive(Clone)]
pub(super) enum Octets {
    Here(Bytes),
    /// Its path, and how many they are.
    In(std::path::PathBuf, u64),
}

impl Octets {
    pub(super) fn of(collected: &Collected<Writing>) -> Octets {
        match collected {
            Collected::Small(message) => Octets::Here(message.clone()),
            Collected::Large { file: Writing::Meanwhile(whole, _), .. } => Octets::Here(whole.clone()),
            Collected::Large { file: Writing::Synced(file), size, .. } => Octets::In(file.path().to_owned(), *size),
        }
    }

    fn get(&self) -> io::Result<Bytes> {
        match self {
            Octets::Here(bytes) => Ok(bytes.clone()),
            Octets::In(path, _) => std::fs::read(path).map(Bytes::from),
        }
    }

    fn size(&self) -> u64 {
        match self {
            Octets::Here(bytes) => bytes.len() as u64,
            Octets::In(_, size) => *size,
        }
    }
}

impl Acceptance {
    /// # Errors
    /// With 451 when the message cannot be read now; never with findings that are not there.
    pub(super) async fn inspect(&self, judge: &Arc<Judge>, octets: Octets, who: Who) -> Result<Findings, Status> {
        let (first, _turn) = match &octets {
            Octets::Here(message) if message.len() <= IN_PLACE => (judge.inspect_text(message), None),
            Octets::Here(message) if message.len() <= INLINE => (aside(judge, &octets).await?, None),
            Octets::Here(_) | Octets::In(..) => {
                let turn = self.readers.turn(octets.size(), who).await?;
                (aside(judge, &octets).await?, Some(turn))
            }
        };
        match first.documents.is_empty() {
            true => Ok(first),
            false => self.documents.read(Unopened { judge, octets, first }, who).await,
        }
    }
}

/// Reads a message beside its documents, on a thread for it.
async fn aside(judge: &Arc<Judge>, octets: &Octets) -> Result<Findings, Status> {
    let (judge, octets) = (judge.clone(), octets.clone());
    let read = move || octets.get().map(|message| judge.inspect_text(&message));
    unspoilt(joined(tokio::task::spawn_blocking(read).await)?)
}

fn unspoilt<T>(read: io::Result<T>) -> Result<T, Status> {
    read.map_err(|error| {
        tracing::error!(%error, "a message that was just written cannot be read");
        busy()
    })
}

fn joined<T>(read: Result<T, tokio::task::JoinError>) -> Result<T, Status> {
    read.map_err(|error| {
        tracing::error!(%error, "reading a message failed");
        busy()
    })
}

fn busy() -> Status {
    Status::new(451, Enhanced(4, 7, 10), Reason::RecognitionBusy.words())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many messages of `size` octets are read at once beside those that are read already.
    async fn at_once<'a>(readers: &'a Readers, size: u64, who: Who, turns: &mut Vec<Turn<'a>>) -> usize {
        let before = turns.len();
        while let Ok(turn) = tokio::time::timeout(Duration::from_millis(5), readers.turn(size, who)).await {
            turns.push(turn.map_err(|status| status.text).unwrap());
        }
        turns.len() - before
    }

    #[tokio::test]
    async fn what_is_read_at_once_fits_the_room_and_leaves_the_processors_to_others() {
        let readers = Readers::new(50_000_000);
        for (size, strangers, sites) in [(1, 3, 1), (1_000_000, 3, 1), (20_000_000, 2, 1), (50_000_000, 1, 0)] {
            let mut turns = Vec::new();
            assert_eq!(at_once(&readers, size, Who::Stranger, &mut turns).await, strangers, "{size}");
            assert_eq!(at_once(&readers, size, Who::Site, &mut turns).await, sites, "{size}");
            assert!(size > 20_000_000 || at_once(&readers, 1, Who::Site, &mut turns).await <= 1);
        }
        let small = Readers::new(1_000);
        assert_eq!(at_once(&small, 1_000_000_000, Who::Site, &mut Vec::new()).await, 1, "all have a turn");
    }

    #[tokio::test]
    async fn strangers_documents_leave_a_reader_to_the_sites() {
        let none = || Arc::new(Workers::new("/there/is/none".into(), 1, |_| ()));
        for (count, strangers, sites) in [(1, 1, 0), (2, 1, 1), (8, 7, 1)] {
            let documents = Documents::new(none(), count);
            let mut turns = Vec::new();
            for (who, expected) in [(Who::Stranger, strangers), (Who::Site, sites)] {
                let before = turns.len();
                while let Ok(turn) = tokio::time::timeout(Duration::from_millis(5), documents.turn(who)).await {
                    turns.push(turn.map_err(|status| status.text).unwrap());
                }
                assert_eq!(turns.len() - before, expected, "{count}");
            }
        }
    }

    #[tokio::test]
    async fn strangers_who_take_all_they_may_leave_a_turn_to_the_sites() {
        let (readers, mut turns) = (Readers::new(50_000_000), Vec::new());
        assert_eq!(at_once(&readers, 50_000_000, Who::Stranger, &mut turns).await, 1);
        assert!(at_once(&readers, 1_000_000, Who::Site, &mut turns).await >= 1);
    }
}

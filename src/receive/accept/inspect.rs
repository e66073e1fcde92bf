//! Reading what a message holds, where it stops nobody: small ones in place, larger ones on a thread for it.

use super::super::collect::Collected;
use super::Acceptance;
use crate::clinical::Findings;
use crate::mail::{Enhanced, Status};
use crate::vocabulary::Reason;
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};

/// Up to here a message is read by the session's own task.
const IN_PLACE: usize = 64 * 1024;
/// How long a large message waits for its turn to be read: its sender waits ten minutes (RFC 5321 4.5.3.2.6), and would have
/// to send it all again. Waiting costs a descriptor and the header section.
const TURN: Duration = Duration::from_secs(240);
/// Messages that are read at once on threads of their own: they must not keep the sessions from the processors.
const TURNS: u32 = 4;
/// Octets that those hold at least together.
const ROOM: u64 = 64 * MIB;
const MIB: u64 = 1024 * 1024;

/// The room in which large messages are read: however many come at once, they hold no more memory than this. A message counts
/// twice, for its octets and for what they decode to.
pub struct Readers {
    room: Semaphore,
    mib: u32,
}

impl Readers {
    /// Room for one message of the largest size.
    #[must_use]
    pub fn new(max_message: u64) -> Readers {
        let mib = u32::try_from(ROOM.max(max_message.saturating_mul(2)).div_ceil(MIB)).unwrap_or(u32::MAX);
        Readers { room: Semaphore::new(usize::try_from(mib).unwrap_or(Semaphore::MAX_PERMITS)), mib }
    }

    /// Room for a message of `size` octets, and a turn.
    async fn turn(&self, size: u64) -> Result<SemaphorePermit<'_>, Status> {
        let mib = u32::try_from(size.saturating_mul(2).div_ceil(MIB)).unwrap_or(u32::MAX);
        let wanted = mib.max(self.mib / TURNS).min(self.mib);
        match tokio::time::timeout(TURN, self.room.acquire_many(wanted)).await {
            Ok(Ok(turn)) => Ok(turn),
            _ => Err(busy()),
        }
    }
}

impl Acceptance {
    /// # Errors
    /// With 451 when the message cannot be read now; never with findings that are not there.
    pub(super) async fn inspect(&self, collected: &Collected) -> Result<Findings, Status> {
        let judge = self.judge.clone();
        let read = match (collected.whole(), collected) {
            (Some(message), _) if message.len() <= IN_PLACE => return Ok(judge.inspect(message)),
            (Some(message), _) => {
                let _turn = self.readers.turn(collected.size()).await?;
                let message = message.clone();
                tokio::task::spawn_blocking(move || Ok(judge.inspect(&message))).await
            }
            (None, Collected::Small(_)) => return Err(busy()),
            (None, Collected::Large { file, size, .. }) => {
                let _turn = self.readers.turn(*size).await?;
                let path = file.path().to_owned();
                tokio::task::spawn_blocking(move || Ok(judge.inspect(&std::fs::read(path)?))).await
            }
        };
        joined(read)?.map_err(|error: std::io::Error| {
            tracing::error!(%error, "a message that was just written cannot be read");
            busy()
        })
    }
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

    /// How many messages of `size` octets are read at once.
    async fn at_once(readers: &Readers, size: u64) -> usize {
        let mut turns = Vec::new();
        while readers.room.available_permits() > 0 && turns.len() < 100 {
            match tokio::time::timeout(Duration::from_millis(5), readers.turn(size)).await {
                Ok(turn) => turns.push(turn.map_err(|status| status.text).unwrap()),
                Err(_) => break,
            }
        }
        turns.len()
    }

    #[tokio::test]
    async fn what_is_read_at_once_fits_the_room_and_leaves_the_processors_to_others() {
        let readers = Readers::new(50_000_000);
        for (size, expected) in [(1, 4), (1_000_000, 4), (20_000_000, 2), (50_000_000, 1)] {
            assert_eq!(at_once(&readers, size).await, expected, "{size}");
        }
        assert_eq!(
            at_once(&Readers::new(1_000), 1_000_000_000).await,
            1,
            "what is larger than allowed has a turn, too"
        );
    }
}

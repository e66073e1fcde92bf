//! Reading what a message holds, where it stops nobody: small ones in place, larger ones on a thread for it.

use super::super::collect::Collected;
use super::Acceptance;
use crate::clinical::Findings;
use crate::mail::{Enhanced, Status};
use crate::vocabulary::Reason;
use std::time::Duration;

/// Up to here a message is read by the session's own task.
const IN_PLACE: usize = 64 * 1024;
/// How long a large message waits for its turn to be read: its sender waits ten minutes (RFC 5321 4.5.3.2.6), and would have
/// to send it all again. Waiting costs a descriptor and the header section.
const TURN: Duration = Duration::from_secs(240);

impl Acceptance {
    /// # Errors
    /// With 451 when the message cannot be read now; never with findings that are not there.
    pub(super) async fn inspect(&self, collected: &Collected) -> Result<Findings, Status> {
        match collected {
            Collected::Small(message) if message.len() <= IN_PLACE => Ok(self.judge.inspect(message)),
            Collected::Small(message) => {
                let (judge, message) = (self.judge.clone(), message.clone());
                joined(tokio::task::spawn_blocking(move || judge.inspect(&message)).await)
            }
            Collected::Large { file, .. } => {
                let turn = tokio::time::timeout(TURN, self.readers.acquire()).await;
                let Ok(Ok(_turn)) = turn else { return Err(busy()) };
                let (judge, path) = (self.judge.clone(), file.path().to_owned());
                let read = tokio::task::spawn_blocking(move || Ok(judge.inspect(&std::fs::read(path)?))).await;
                joined(read)?.map_err(|error: std::io::Error| {
                    tracing::error!(%error, "a message that was just written cannot be read");
                    busy()
                })
            }
        }
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

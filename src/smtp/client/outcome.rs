//! What a transaction comes to, recipient by recipient, and what follows from it.
//!
//! Made by `transaction`, judged by `deliver`. Promises: every recipient gets exactly one. Never fails.

use crate::mail::Status;
use crate::vocabulary::Reason;

/// What became of one recipient of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Its place in the envelope.
    pub recipient: usize,
    /// The peer's word for a message that it took, or why it did not.
    pub result: Result<Status, Refusal>,
    pub sequel: Sequel,
}

/// What follows from an outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sequel {
    /// It stands as it is.
    Stands,
    /// Nothing was taken, and neither message nor recipient was refused: it goes at once, in another transaction. That this
    /// comes to an end is seen to here: only after others were taken, on a kept connection, or once for an extension.
    AtOnce,
    /// The peer had all of the message and did not answer. To send it again may make a second copy.
    Unknown,
}

/// How many octets the message has, and where they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// In memory: it may go out behind the commands, in the same write.
    Whole(u64),
    /// To be read piece by piece: it goes out once somebody takes it.
    Pieces(u64),
}

impl Extent {
    /// As RFC 1870 3 counts them.
    #[must_use]
    pub fn octets(self) -> u64 {
        match self {
            Extent::Whole(octets) | Extent::Pieces(octets) => octets,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub reason: Reason,
    /// What the peer said, if it said anything. Its severity tells deferred from failed.
    pub status: Option<Status>,
}

/// Whether another MAIL may follow on the same connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reuse {
    Possible,
    Close,
    /// The peer offers CHUNKING and does not know BDAT: what follows the command may be read as commands. DATA next time.
    CloseAndSayData,
}

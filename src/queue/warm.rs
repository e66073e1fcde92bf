//! Messages that are still in memory for their first attempt: bounded, so that delivery falling behind slows arrival.
//!
//! Called by `receive` (take room) and `deliver` (use, drop when the attempt is over). Promises: never more octets than the
//! bound, those under way counted; who finds no room is cold and read back later. Fails never.

use crate::queue::Entry;
use bytes::Bytes;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::Notify;

/// An entry and its body as they were admitted, with the room they take.
#[derive(Debug, Clone)]
pub struct Warm {
    pub entry: Arc<Entry>,
    /// None: the body is a file.
    pub body: Option<Bytes>,
    room: Arc<Room>,
}

impl Warm {
    #[must_use]
    pub fn new(entry: Arc<Entry>, body: Option<Bytes>, room: Room) -> Warm {
        Warm { entry, body, room: Arc::new(room) }
    }

    /// The room that it takes.
    #[must_use]
    pub fn octets(&self) -> usize {
        self.room.octets
    }
}

/// How many octets may be warm at once.
#[derive(Debug)]
pub struct WarmRoom {
    bound: usize,
    used: AtomicUsize,
    freed: Notify,
}

/// A part of the room; given back when dropped.
#[derive(Debug)]
pub struct Room {
    of: Arc<WarmRoom>,
    octets: usize,
}

impl Drop for Room {
    fn drop(&mut self) {
        self.of.used.fetch_sub(self.octets, Ordering::Relaxed);
        // All of them: room for a small one may be none for the one that has waited longest.
        self.of.freed.notify_waiters();
    }
}

impl WarmRoom {
    #[must_use]
    pub fn new(bound: usize) -> Arc<WarmRoom> {
        Arc::new(WarmRoom { bound, used: AtomicUsize::new(0), freed: Notify::new() })
    }

    #[must_use]
    pub fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    /// Room for `octets`, if there is some now.
    #[must_use]
    pub fn take(self: &Arc<Self>, octets: usize) -> Option<Room> {
        let grow = |used: usize| used.checked_add(octets).filter(|sum| *sum <= self.bound);
        self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, grow).ok()?;
        Some(Room { of: self.clone(), octets })
    }

    /// Room for `octets` of a body that is in its file too: never more than half of all, so that large mail on its way to slow
    /// peers leaves room for what has no other place.
    #[must_use]
    pub fn take_spare(self: &Arc<Self>, octets: usize) -> Option<Room> {
        let grow = |used: usize| used.checked_add(octets).filter(|sum| *sum <= self.bound / 2);
        self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, grow).ok()?;
        Some(Room { of: self.clone(), octets })
    }

    /// Room for `octets`, waiting for it up to `patience`: this is what slows a sender when delivery falls behind.
    pub async fn wait(self: &Arc<Self>, octets: usize, patience: Duration) -> Option<Room> {
        if octets > self.bound {
            return None;
        }
        let free = async {
            loop {
                let freed = self.freed.notified();
                if let Some(room) = self.take(octets) {
                    return room;
                }
                freed.await;
            }
        };
        tokio::time::timeout(patience, free).await.ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn room_is_bounded_and_given_back() {
        let warm = WarmRoom::new(10);
        let first = warm.take(8).unwrap();
        assert!(warm.take(3).is_none());
        assert!(warm.wait(11, Duration::from_secs(60)).await.is_none(), "what never fits does not wait");
        let (room, ()) = tokio::join!(warm.wait(3, Duration::from_secs(60)), async { drop(first) });
        assert_eq!((room.is_some(), warm.used()), (true, 3));
        assert!(warm.take_spare(3).is_none() && warm.take_spare(2).is_some(), "half of it");
    }
}

//! Buffers of large messages, kept for the next ones: in a new one the kernel has to find, clear and map every page, which
//! costs more than to copy the message.
//!
//! `receive::collect` takes one as a message grows and lends it to those who hold the message; lent, it comes back when the
//! last of them lets go. Promises: at most `KEPT` octets wait for use; what an older message left in a buffer is never seen,
//! for a buffer begins empty. Fails never: where none waits, one is made.

use bytes::Bytes;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// Octets that wait for use, of all buffers together.
const KEPT: usize = 16 * 1024 * 1024;
/// Smaller ones are the allocator's business.
const LEAST: usize = 192 * 1024;
/// Capacities of new ones are a multiple of this, so that messages of about one size can use each other's.
const STEP: usize = 64 * 1024;
/// A buffer may have this part of what is asked over it: what holds a message counts its octets.
const SPARE: usize = 8;

/// Shared by all sessions.
#[derive(Debug, Default)]
pub(super) struct Buffers {
    /// The latest last: its octets are still near the processor.
    idle: Mutex<VecDeque<Vec<u8>>>,
}

impl Buffers {
    /// An empty buffer with room for `octets`, and hardly more.
    pub fn take(&self, octets: usize) -> Vec<u8> {
        let fits = |buffer: &Vec<u8>| buffer.capacity() >= octets && is_fitting(buffer.capacity(), octets);
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let found = idle.iter().rposition(fits).and_then(|at| idle.remove(at));
        drop(idle);
        found.unwrap_or_else(|| Vec::with_capacity(octets.next_multiple_of(STEP)))
    }

    /// `message` for all who want it, in the buffer in which it was gathered.
    pub fn lend(self: &Arc<Self>, message: Vec<u8>) -> Bytes {
        if message.capacity() < LEAST {
            return message.into();
        }
        Bytes::from_owner(Lent { message, home: self.clone() })
    }

    /// Takes back what is not used any more.
    pub fn give(&self, mut buffer: Vec<u8>) {
        buffer.clear();
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.push_back(buffer);
        let mut kept: usize = idle.iter().map(Vec::capacity).sum();
        // The oldest go: what comes now is what is used now. They are freed where nobody waits for it.
        let too_many = idle.iter().take_while(|oldest| {
            let goes = kept > KEPT;
            kept -= if goes { oldest.capacity() } else { 0 };
            goes
        });
        let too_many = too_many.count();
        let gone: Vec<Vec<u8>> = idle.drain(..too_many).collect();
        drop(idle);
        drop(gone);
    }
}

/// Whether a buffer of that capacity is not much too large for so many octets.
pub(super) fn is_fitting(capacity: usize, octets: usize) -> bool {
    capacity <= octets.saturating_add((octets / SPARE).max(STEP))
}

/// A message whose buffer goes home.
struct Lent {
    message: Vec<u8>,
    home: Arc<Buffers>,
}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        &self.message
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        self.home.give(std::mem::take(&mut self.message));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1024 * 1024;

    fn waiting(buffers: &Buffers) -> usize {
        buffers.idle.lock().unwrap().iter().map(Vec::capacity).sum()
    }

    /// A message of one octet, repeated.
    fn message(buffers: &Arc<Buffers>, octet: u8, octets: usize) -> Bytes {
        let mut buffer = buffers.take(octets);
        buffer.resize(octets, octet);
        buffers.lend(buffer)
    }

    #[test]
    fn a_buffer_comes_home_with_its_last_holder_and_begins_anew() {
        let buffers = Arc::new(Buffers::default());
        let first = message(&buffers, b'a', MIB);
        let (place, part) = (first.as_ptr(), first.slice(7..90));
        drop(first);
        assert_eq!(waiting(&buffers), 0, "somebody holds a part");
        assert_eq!(part[..], [b'a'; 83]);
        drop(part);
        let second = buffers.take(MIB - 100);
        assert_eq!((second.as_ptr(), second.len(), waiting(&buffers)), (place, 0, 0));
    }

    #[test]
    fn nobody_gets_one_that_is_too_small_or_much_too_large() {
        let buffers = Arc::new(Buffers::default());
        drop(message(&buffers, b'a', MIB));
        for octets in [MIB + 1, MIB / 9 * 8 - 9, 1] {
            let taken = buffers.take(octets).capacity();
            assert!((octets..octets + STEP).contains(&taken), "{octets}: {taken}");
        }
        assert_eq!(waiting(&buffers), MIB);
        drop(message(&buffers, b'b', 1_000));
        assert_eq!(waiting(&buffers), MIB, "a small one is not kept");
    }

    #[test]
    fn what_waits_is_bounded_and_is_what_came_last() {
        let buffers = Arc::new(Buffers::default());
        let small: Vec<Bytes> = (0..200).map(|_| message(&buffers, b'a', 512 * 1024)).collect();
        drop(small);
        assert!(waiting(&buffers) <= KEPT);
        let large: Vec<Bytes> = (0..8).map(|_| message(&buffers, b'b', 2 * MIB)).collect();
        drop(large);
        assert_eq!(waiting(&buffers), KEPT);
        assert!(buffers.idle.lock().unwrap().iter().all(|buffer| buffer.capacity() == 2 * MIB));
    }
}

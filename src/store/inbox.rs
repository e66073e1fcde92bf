//! What waits for the committer: puts whose owners wait, word that riders wait, and the word to stop.
//!
//! `Store` puts in through a `Door`, the committer takes out of the `Inbox`. Promises: puts are taken in the order in which
//! they came; the committer is woken when it has something to do, not for every put; with the last door the committer is
//! told that it is over, and with the inbox every owner that still waits is answered by the end of its channel. Fails never.

use super::Put;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What is shared by both sides.
#[derive(Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    rung: Condvar,
}

#[derive(Default)]
struct Waiting {
    puts: Vec<Put>,
    /// Puts that ever came.
    came: u64,
    nudged: bool,
    stops: bool,
    /// The committer is gone.
    closed: bool,
    /// The committer sleeps until so many have come; none: it is awake.
    sleeps_until: Option<u64>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Both ends.
pub(super) fn open() -> (Door, Inbox) {
    let shared = Arc::<Shared>::default();
    (Door(shared.clone()), Inbox(shared))
}

/// Where changes are put in. The last one to go stops the committer.
pub(super) struct Door(Arc<Shared>);

impl Door {
    /// False when nobody is there to take it.
    pub fn put(&self, put: Put) -> bool {
        let mut waiting = self.0.lock();
        if waiting.closed {
            return false;
        }
        waiting.puts.push(put);
        waiting.came += 1;
        let enough = waiting.sleeps_until.is_some_and(|wanted| waiting.came >= wanted);
        drop(waiting);
        if enough {
            self.0.rung.notify_one();
        }
        true
    }

    /// The first rider since the last flush is waiting.
    pub fn nudge(&self) {
        self.0.lock().nudged = true;
        self.0.rung.notify_one();
    }

    /// Flush what rides and end.
    pub fn stop(&self) {
        self.0.lock().stops = true;
        self.0.rung.notify_one();
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Where the committer takes them out.
pub(super) struct Inbox(Arc<Shared>);

/// What one flush takes.
pub(super) struct Batch {
    pub puts: Vec<Put>,
    pub stops: bool,
}

impl Inbox {
    /// How many puts ever came.
    pub fn came(&self) -> u64 {
        self.0.lock().came
    }

    /// Waits until so many puts have come, ever, or `most` wait, or nobody came during a lull, or the moment has passed.
    pub fn gather(&self, wanted: u64, most: usize, lull: Duration, until: Instant) {
        let goes_on = |waiting: &Waiting| waiting.came < wanted && waiting.puts.len() < most && !waiting.stops;
        let mut came = None;
        loop {
            let now = Instant::now();
            let waiting = self.0.lock();
            if !goes_on(&waiting) || came.replace(waiting.came) == Some(waiting.came) || now >= until {
                return;
            }
            self.sleep(waiting, wanted, Some(until.min(now + lull)), goes_on);
        }
    }

    /// Waits until there is something to do, or until the moment has passed.
    pub fn wait(&self, until: Option<Instant>) {
        let idle = |waiting: &Waiting| waiting.puts.is_empty() && !waiting.nudged && !waiting.stops;
        let waiting = self.0.lock();
        let next = waiting.came + 1;
        self.sleep(waiting, next, until, idle);
    }

    fn sleep(
        &self,
        mut waiting: MutexGuard<'_, Waiting>,
        wanted: u64,
        until: Option<Instant>,
        goes_on: impl Fn(&Waiting) -> bool,
    ) {
        waiting.sleeps_until = Some(wanted);
        while goes_on(&waiting) {
            waiting = match until.map(|until| until.saturating_duration_since(Instant::now())) {
                None => self.0.rung.wait(waiting).unwrap_or_else(PoisonError::into_inner),
                Some(left) if left.is_zero() => break,
                Some(left) => self.0.rung.wait_timeout(waiting, left).unwrap_or_else(PoisonError::into_inner).0,
            };
        }
        waiting.sleeps_until = None;
    }

    /// Takes what is there, at most so many puts.
    pub fn take(&self, most: usize) -> Batch {
        let mut waiting = self.0.lock();
        let taken = most.min(waiting.puts.len());
        let puts = waiting.puts.drain(..taken).collect();
        waiting.nudged = false;
        Batch { puts, stops: waiting.stops && waiting.puts.is_empty() }
    }
}

impl Drop for Inbox {
    fn drop(&mut self) {
        let left = {
            let mut waiting = self.0.lock();
            waiting.closed = true;
            std::mem::take(&mut waiting.puts)
        };
        // Their owners hear the end of the channel: outside the lock, for they may put again.
        drop(left);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::oneshot;

    const LONG: Duration = Duration::from_secs(60);

    fn put() -> Put {
        Put { changes: Vec::new(), file: None, done: oneshot::channel().0 }
    }

    #[test]
    fn company_is_waited_for_until_it_has_come() {
        let (door, inbox) = open();
        door.put(put());
        let (begun, came) = (Instant::now(), inbox.came());
        std::thread::scope(|scope| {
            scope.spawn(|| (0..3).for_each(|_| assert!(door.put(put()))));
            inbox.gather(came + 3, 100, LONG, begun + LONG);
        });
        assert_eq!(inbox.take(100).puts.len(), 4);
        (0..2).for_each(|_| assert!(door.put(put())));
        inbox.gather(u64::MAX, 2, LONG, begun + LONG);
        assert!(begun.elapsed() < LONG, "it was rung, and a whole batch waits for nobody");
    }

    #[test]
    fn company_that_does_not_come_is_waited_for_no_longer_than_was_said() {
        let (door, inbox) = open();
        door.put(put());
        inbox.gather(2, 100, LONG, Instant::now() + Duration::from_millis(1));
        assert_eq!(inbox.take(100).puts.len(), 1);
        door.nudge();
        inbox.wait(None);
        assert!(inbox.take(100).puts.is_empty() && !inbox.0.lock().nudged, "it is told once");
    }

    #[test]
    fn company_is_waited_for_while_it_comes_and_no_longer_than_a_lull_after_it() {
        let (door, inbox) = open();
        let begun = Instant::now();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for _ in 0..3 {
                    std::thread::sleep(Duration::from_millis(20));
                    door.put(put());
                }
            });
            inbox.gather(100, 100, Duration::from_secs(1), begun + LONG);
        });
        assert_eq!(inbox.take(100).puts.len(), 3);
        assert!(begun.elapsed() >= Duration::from_secs(1) && begun.elapsed() < LONG, "{:?}", begun.elapsed());
    }

    #[test]
    fn the_last_door_ends_it_once_all_is_taken_and_an_inbox_that_is_gone_takes_nothing() {
        let (door, inbox) = open();
        (0..3).for_each(|_| assert!(door.put(put())));
        drop(door);
        inbox.gather(u64::MAX, 100, LONG, Instant::now() + LONG);
        inbox.wait(None);
        assert!(!inbox.take(2).stops && inbox.take(2).stops);
        let (door, inbox) = open();
        drop(inbox);
        assert!(!door.put(put()));
    }

    #[test]
    fn an_owner_that_still_waits_hears_the_end_of_its_channel() {
        let (door, inbox) = open();
        let (done, mut answer) = oneshot::channel();
        door.put(Put { changes: Vec::new(), file: None, done });
        drop(inbox);
        assert_eq!(answer.try_recv().map(|_| ()), Err(oneshot::error::TryRecvError::Closed));
    }
}

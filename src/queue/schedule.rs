//! What is to be attempted and when: a queue per lane, links that take from it, a calendar of what waits.
//!
//! `receive` and `recover` push, `deliver`'s links take. Promises: fair over lanes (each has its own queue and a cap of
//! links; lanes that find all links taken get the next free one in turn); a task is in exactly one place; nothing here is
//! needed after a crash. Fails never.

use super::lane::Lane;
use super::states::State;
use super::warm::Warm;
use crate::clock::{EntryId, Wall};
use crate::vocabulary::Reason;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use tokio::sync::mpsc::UnboundedSender;

/// Recipients of one entry that travel together over one lane.
#[derive(Debug)]
pub struct Task {
    pub entry: EntryId,
    pub lane: Arc<Lane>,
    pub recipients: Box<[u16]>,
    pub accepted: Wall,
    pub attempts: u32,
    pub state: State,
    /// The first class of the message, for the gauges.
    pub class: Option<Arc<str>>,
    /// The sender was told that it waits.
    pub told: bool,
    /// Why it waits; `Waiting` before the first attempt.
    pub reason: Reason,
    /// None: read back from the store.
    pub warm: Option<Warm>,
}

impl Task {
    /// The same for other recipients of the entry.
    #[must_use]
    pub fn for_recipients(&self, recipients: Vec<u16>) -> Task {
        Task {
            entry: self.entry,
            lane: self.lane.clone(),
            recipients: recipients.into(),
            accepted: self.accepted,
            attempts: self.attempts,
            state: self.state,
            class: self.class.clone(),
            told: self.told,
            reason: self.reason,
            warm: self.warm.clone(),
        }
    }
}

/// How long a lane is content with the links that its peer takes.
const CONTENT: Duration = Duration::from_secs(60);

/// Bounds of delivery.
#[derive(Debug, Clone, Copy)]
pub struct Caps {
    pub links: usize,
    pub links_per_lane: usize,
}

/// The schedule, shared by all who push and take.
pub struct Schedule {
    inner: Mutex<Inner>,
    caps: Caps,
    /// Lanes that may open one more link.
    openings: UnboundedSender<Arc<Lane>>,
    /// Rung when the calendar's first date moves forward.
    earlier: Notify,
}

#[derive(Default)]
struct Inner {
    lanes: HashMap<Arc<Lane>, LaneQueue>,
    calendar: BTreeMap<(Instant, u64), Task>,
    links: usize,
    /// Lanes that have mail and found every link taken, in the order in which they came.
    turn: VecDeque<Arc<Lane>>,
    serial: u64,
    /// The gateway stops: no link is opened any more.
    closing: bool,
}

struct LaneQueue {
    ready: VecDeque<Task>,
    /// Links that are open or being opened.
    links: usize,
    /// The peer takes no more than so many for now.
    cap: Option<(usize, Instant)>,
    idle: usize,
    in_turn: bool,
    arrived: Arc<Notify>,
}

impl Inner {
    /// A lane without mail and links needs no memory; one that idle links wait on has links.
    fn forget_if_done(&mut self, lane: &Arc<Lane>) {
        let done = |queue: &LaneQueue| queue.links == 0 && queue.ready.is_empty();
        if self.lanes.get(lane).is_some_and(done) {
            self.lanes.remove(lane);
        }
    }
}

impl LaneQueue {
    fn new() -> LaneQueue {
        LaneQueue {
            ready: VecDeque::new(),
            links: 0,
            cap: None,
            idle: 0,
            in_turn: false,
            arrived: Arc::new(Notify::new()),
        }
    }

    /// Links that the lane may have now.
    fn most(&self, per_lane: usize) -> usize {
        match self.cap {
            Some((cap, until)) if Instant::now() < until => cap.clamp(1, per_lane),
            _ => per_lane,
        }
    }
}

impl Schedule {
    /// `openings` is told each lane that may open a link; who listens must open it or give it back by `closed`.
    #[must_use]
    pub fn new(caps: Caps, openings: UnboundedSender<Arc<Lane>>) -> Schedule {
        Schedule { inner: Mutex::default(), caps, openings, earlier: Notify::new() }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a task in its lane, to be attempted as soon as a link can take it.
    pub fn push(&self, task: Task) {
        self.push_locked(&mut self.lock(), task);
    }

    fn push_locked(&self, inner: &mut Inner, task: Task) {
        let lane = task.lane.clone();
        let queue = inner.lanes.entry(lane.clone()).or_insert_with(LaneQueue::new);
        queue.ready.push_back(task);
        queue.arrived.notify_one();
        self.open_if_needed(inner, &lane);
    }

    /// Opens one more link when the lane has more mail than idle links.
    fn open_if_needed(&self, inner: &mut Inner, lane: &Arc<Lane>) {
        let room = inner.links < self.caps.links;
        let Some(queue) = inner.lanes.get_mut(lane).filter(|_| !inner.closing) else { return };
        if queue.ready.len() <= queue.idle || queue.links >= queue.most(self.caps.links_per_lane) {
            return;
        }
        if room {
            // A listener that is gone means that the gateway stops: the task stays on storage.
            if self.openings.send(lane.clone()).is_ok() {
                queue.links += 1;
                inner.links += 1;
            }
        } else if !queue.in_turn {
            queue.in_turn = true;
            inner.turn.push_back(lane.clone());
        }
    }

    /// The next task of a lane for a link that is open; None when nothing came for `patience`, and the link has to close.
    pub async fn next(&self, lane: &Arc<Lane>, patience: Duration) -> Option<Task> {
        let deadline = tokio::time::Instant::now() + patience;
        loop {
            let arrived = {
                let mut inner = self.lock();
                // Lanes that wait for a free link go before a link that has nothing to do.
                let others_wait = !inner.turn.is_empty();
                let queue = inner.lanes.entry(lane.clone()).or_insert_with(LaneQueue::new);
                if let Some(task) = queue.ready.pop_front() {
                    return Some(task);
                }
                if others_wait {
                    return None;
                }
                queue.idle += 1;
                queue.arrived.clone()
            };
            let in_time = tokio::time::timeout_at(deadline, arrived.notified()).await.is_ok();
            let mut inner = self.lock();
            let queue = inner.lanes.entry(lane.clone()).or_insert_with(LaneQueue::new);
            queue.idle = queue.idle.saturating_sub(1);
            if !in_time {
                return queue.ready.pop_front();
            }
        }
    }

    /// The next task of a lane, if one is ready now.
    #[must_use]
    pub fn take(&self, lane: &Arc<Lane>) -> Option<Task> {
        self.lock().lanes.get_mut(lane)?.ready.pop_front()
    }

    /// A link could not be opened. Where others of the lane work, or are still being opened, the peer merely takes no more of
    /// them, and they go on; the last one to fail shares its fate with everything that is ready.
    #[must_use]
    pub fn missed(&self, lane: &Arc<Lane>) -> Vec<Task> {
        let mut inner = self.lock();
        let Some(queue) = inner.lanes.get_mut(lane) else { return Vec::new() };
        let others = queue.links.saturating_sub(1);
        if others > 0 {
            queue.cap = Some((others, Instant::now() + CONTENT));
            return Vec::new();
        }
        queue.ready.drain(..).collect()
    }

    /// No link is opened from now on.
    pub fn close(&self) {
        self.lock().closing = true;
    }

    /// A link of this lane is gone, or was never opened. Whoever waits in turn gets its place.
    pub fn closed(&self, lane: &Arc<Lane>) {
        let mut inner = self.lock();
        inner.links = inner.links.saturating_sub(1);
        if let Some(queue) = inner.lanes.get_mut(lane) {
            queue.links = queue.links.saturating_sub(1);
        }
        // Whoever no longer needs a link passes the place on: a lane left in turn with nobody to call it would wait for ever.
        while inner.links < self.caps.links
            && let Some(next) = inner.turn.pop_front()
        {
            if let Some(queue) = inner.lanes.get_mut(&next) {
                queue.in_turn = false;
            }
            self.open_if_needed(&mut inner, &next);
            inner.forget_if_done(&next);
        }
        self.open_if_needed(&mut inner, lane);
        inner.forget_if_done(lane);
    }

    /// Links that are open or being opened.
    #[must_use]
    pub fn links(&self) -> usize {
        self.lock().links
    }

    /// Whether other lanes wait for a link: then a busy link gives its place up now and then.
    #[must_use]
    pub fn others_wait(&self) -> bool {
        !self.lock().turn.is_empty()
    }

    /// Puts a task in the calendar.
    pub fn defer(&self, task: Task, at: Instant) {
        let mut inner = self.lock();
        inner.serial += 1;
        let key = (at, inner.serial);
        inner.calendar.insert(key, task);
        if inner.calendar.first_key_value().is_some_and(|(first, _)| *first == key) {
            self.earlier.notify_one();
        }
    }

    /// Moves what is due into its lane, for ever.
    pub async fn keep_calendar(&self) {
        loop {
            let next = self.release_due(Instant::now());
            let far = Instant::now() + Duration::from_secs(3_600);
            tokio::select! {
                () = tokio::time::sleep_until(next.unwrap_or(far).into()) => {}
                () = self.earlier.notified() => {}
            }
        }
    }

    /// Moves what is due at `now` into its lane; returns the next date.
    fn release_due(&self, now: Instant) -> Option<Instant> {
        let mut inner = self.lock();
        while let Some(first) = inner.calendar.first_entry() {
            if first.key().0 > now {
                return Some(first.key().0);
            }
            let task = first.remove();
            self.push_locked(&mut inner, task);
        }
        None
    }

    /// Moves waiting tasks that `wanted` chooses into their lanes now; returns how many.
    pub fn hurry(&self, wanted: impl Fn(&Task) -> bool) -> usize {
        let mut inner = self.lock();
        let keys: Vec<_> = inner.calendar.iter().filter(|(_, task)| wanted(task)).map(|(key, _)| *key).collect();
        for key in &keys {
            if let Some(task) = inner.calendar.remove(key) {
                self.push_locked(&mut inner, task);
            }
        }
        keys.len()
    }

    /// Calls `see` for every task that is not being attempted just now.
    pub fn look(&self, mut see: impl FnMut(&Task)) {
        let inner = self.lock();
        inner.lanes.values().flat_map(|queue| &queue.ready).for_each(&mut see);
        inner.calendar.values().for_each(&mut see);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::Destination;
    use crate::vocabulary::Level;
    use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

    fn lane(domain: &str) -> Arc<Lane> {
        Arc::new(Lane { destination: Destination::Mx(domain.parse().unwrap()), level: Level::Any })
    }

    fn task(lane: &Arc<Lane>, id: i64) -> Task {
        Task {
            entry: EntryId::from_row(id),
            lane: lane.clone(),
            recipients: [0].into(),
            accepted: Wall(0),
            attempts: 0,
            state: State::Active,
            class: None,
            told: false,
            reason: Reason::Waiting,
            warm: None,
        }
    }

    fn schedule(links: usize, links_per_lane: usize) -> (Schedule, UnboundedReceiver<Arc<Lane>>) {
        let (openings, opened) = unbounded_channel();
        (Schedule::new(Caps { links, links_per_lane }, openings), opened)
    }

    fn openings(opened: &mut UnboundedReceiver<Arc<Lane>>) -> Vec<Arc<Lane>> {
        std::iter::from_fn(|| opened.try_recv().ok()).collect()
    }

    #[test]
    fn a_lane_opens_links_for_its_mail_up_to_its_cap() {
        let (schedule, mut opened) = schedule(10, 2);
        let lane = lane("a.example");
        (0..5).for_each(|id| schedule.push(task(&lane, id)));
        assert_eq!(openings(&mut opened).len(), 2);
    }

    #[test]
    fn a_lane_that_found_all_links_taken_gets_the_next_free_one() {
        let (schedule, mut opened) = schedule(1, 1);
        let (busy, patient) = (lane("busy.example"), lane("patient.example"));
        (0..100).for_each(|id| schedule.push(task(&busy, id)));
        schedule.push(task(&patient, 1000));
        assert_eq!(openings(&mut opened), std::slice::from_ref(&busy));
        assert!(schedule.others_wait());
        schedule.closed(&busy);
        assert_eq!(openings(&mut opened), std::slice::from_ref(&patient), "not the busy one again");
        schedule.closed(&patient);
        assert_eq!(openings(&mut opened), [busy]);
    }

    #[tokio::test]
    async fn an_idle_link_takes_what_arrives() {
        let (schedule, _opened) = schedule(10, 10);
        let lane = lane("a.example");
        let (taken, ()) = tokio::join!(schedule.next(&lane, Duration::from_secs(60)), async {
            schedule.push(task(&lane, 7));
        });
        assert_eq!(taken.map(|t| t.entry.row()), Some(7));
        assert!(schedule.next(&lane, Duration::from_millis(1)).await.is_none());
    }

    #[tokio::test]
    async fn what_is_due_comes_back_in_its_order_and_what_is_not_stays() {
        let (schedule, _opened) = schedule(10, 10);
        let lane = lane("a.example");
        let now = Instant::now();
        schedule.defer(task(&lane, 2), now + Duration::from_secs(2));
        schedule.defer(task(&lane, 1), now + Duration::from_secs(1));
        schedule.defer(task(&lane, 9), now + Duration::from_secs(9));
        assert_eq!(schedule.release_due(now + Duration::from_secs(3)), Some(now + Duration::from_secs(9)));
        let taken: Vec<i64> = (0..2).filter_map(|_| schedule.take(&lane)).map(|t| t.entry.row()).collect();
        assert_eq!(taken, [1, 2]);
        assert_eq!(schedule.hurry(|t| t.entry.row() == 9), 1);
        assert_eq!(schedule.take(&lane).map(|t| t.entry.row()), Some(9));
    }

    #[test]
    fn a_link_too_many_does_not_stop_those_that_work() {
        let (schedule, mut opened) = schedule(10, 10);
        let lane = lane("busy.example");
        (0..3).for_each(|id| schedule.push(task(&lane, id)));
        assert_eq!(openings(&mut opened).len(), 3);
        for _ in 0..2 {
            assert!(schedule.missed(&lane).is_empty(), "others may still open: nothing shares this link's fate");
            schedule.closed(&lane);
        }
        assert!(openings(&mut opened).is_empty(), "the peer takes one link, so no second is tried for a while");
        schedule.closed(&lane);
        assert_eq!(openings(&mut opened).len(), 1, "but one is always tried");
        assert_eq!(schedule.missed(&lane).len(), 3, "the last to fail shares its fate");
    }

    #[test]
    fn nothing_is_opened_once_the_gateway_stops() {
        let (schedule, mut opened) = schedule(10, 10);
        schedule.close();
        schedule.push(task(&lane("a.example"), 1));
        assert!(openings(&mut opened).is_empty());
        assert_eq!(schedule.links(), 0);
    }

    #[test]
    fn a_lane_that_no_longer_needs_a_link_passes_its_turn_on() {
        let (schedule, mut opened) = schedule(1, 1);
        let (busy, gone, patient) = (lane("busy.example"), lane("gone.example"), lane("patient.example"));
        for (lane, id) in [(&busy, 1), (&gone, 2), (&patient, 3)] {
            schedule.push(task(lane, id));
        }
        assert_eq!(openings(&mut opened), std::slice::from_ref(&busy));
        assert!(schedule.take(&busy).is_some() && schedule.take(&gone).is_some());
        schedule.closed(&busy);
        assert_eq!(openings(&mut opened), std::slice::from_ref(&patient));
    }
}

//! What is to be attempted now: a queue per lane, and links that take from it.
//!
//! `receive`, `deliver` and `keeper` push, `deliver`'s links take. Promises: fair over lanes (each has its own queue; those
//! that find all links taken get the next free one in turn, first those of the destination whose link it was); links are
//! bounded in all and per destination, and a share of them is for sites and relays (`places`); tasks are bounded in all and per lane, and what does not fit gets a row in the store
//! and is read back by `keeper`; a task is in exactly one place; nothing here is needed after a crash. Fails never.

use super::backlog::Backlog;
use super::lane::{Destination, Lane};
use super::ready::{LaneQueue, Lanes};
use super::task::Task;
use crate::clock::{Now, Wall};
use crate::store::Change;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use tokio::sync::mpsc::UnboundedSender;

/// How long a lane is content with the links that its peer takes.
const CONTENT: Duration = Duration::from_secs(60);
/// How long a lane that has more mail than fits, and no link, waits before the next of it is read. A dead domain's million
/// entries then cost some 200 attempts a second, which is about their hourly retry, and not a core.
const REST: Duration = Duration::from_secs(10);

/// Bounds of delivery.
#[derive(Debug, Clone, Copy)]
pub struct Caps {
    /// Links at once, open or being opened.
    pub links: usize,
    /// … to one destination, whatever its lanes' levels.
    pub links_per_destination: usize,
    /// Tasks in memory: some 500 octets each.
    pub tasks: usize,
    /// … of one lane: what twenty links carry in a second or two, so that reading back keeps ahead of them.
    pub tasks_per_lane: usize,
    /// Octets that one lane's tasks may keep warm: a slow lane leaves room for the others.
    pub warm_per_lane: usize,
}

impl Caps {
    /// The caps of links that gateway.toml names, with the bounds of memory.
    #[must_use]
    pub const fn of_links(links: usize, links_per_destination: usize) -> Caps {
        Caps { links, links_per_destination, tasks: 100_000, tasks_per_lane: 2_000, warm_per_lane: 16 * 1024 * 1024 }
    }
}

/// Takes changes that ride.
pub type Ride = Box<dyn Fn(Vec<Change>) + Send + Sync>;

/// The schedule, shared by all who push and take.
pub struct Schedule {
    inner: Mutex<Lanes>,
    caps: Caps,
    /// Lanes that may open one more link.
    openings: UnboundedSender<Arc<Lane>>,
    ride: Ride,
    pub backlog: Arc<Backlog>,
    /// Rung when there is room for tasks again.
    roomy: Notify,
}

impl Schedule {
    /// `openings` is told each lane that may open a link; who listens must open it or give it back by `closed`. `ride`
    /// keeps rows of what does not fit.
    #[must_use]
    pub fn new(caps: Caps, openings: UnboundedSender<Arc<Lane>>, ride: Ride) -> Schedule {
        Schedule { inner: Mutex::default(), caps, openings, ride, backlog: Arc::default(), roomy: Notify::new() }
    }

    fn lock(&self) -> MutexGuard<'_, Lanes> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a task in its lane, to be attempted as soon as a link can take it. One that has no row and finds no room gets
    /// one and leaves memory: it is due at once, and read back when its turn comes.
    pub fn push(&self, mut task: Task) {
        let mut inner = self.lock();
        let in_all = inner.tasks >= self.caps.tasks;
        let queue = inner.lanes.get(&task.lane);
        if task.residence.is_none() && (in_all || queue.is_some_and(|q| q.is_full(self.caps.tasks_per_lane))) {
            drop(inner);
            return self.put_off(task, Now::read().wall);
        }
        if queue.map_or(0, |q| q.warm) + task.warm_octets() > self.caps.warm_per_lane {
            task.warm = None;
        }
        let lane = inner.push(task);
        self.open_if_needed(&mut inner, &lane);
    }

    /// Lets a task wait outside memory until `due`: for what finds no room, and where the cause is ours.
    pub fn put_off(&self, task: Task, due: Wall) {
        (self.ride)(task.rows(due));
        drop(task);
        self.backlog.expect(due);
    }

    /// Takes in a task that was read from its rows; gives it back when its lane has no room. Then the lane is behind.
    #[must_use]
    pub fn offer(&self, task: Task) -> Option<Task> {
        let mut inner = self.lock();
        let per_lane = self.caps.tasks_per_lane;
        let lane = task.lane.clone();
        let queue = inner.queue(&lane);
        if queue.is_crowded(per_lane) {
            queue.behind = true;
            inner.behind.insert(lane.to_string(), lane);
            return Some(task);
        }
        inner.push(task);
        self.open_if_needed(&mut inner, &lane);
        None
    }

    /// How many tasks there is room for. Where there is none, whoever takes some rings.
    #[must_use]
    pub fn room(&self) -> usize {
        let mut inner = self.lock();
        let room = self.caps.tasks.saturating_sub(inner.tasks);
        inner.starved |= room == 0;
        room
    }

    /// Waits until there is room for tasks.
    pub async fn has_room(&self) {
        loop {
            let roomy = self.roomy.notified();
            if self.room() > 0 {
                return;
            }
            roomy.await;
        }
    }

    /// Names of lanes whose rows have to wait in the table.
    #[must_use]
    pub fn crowded(&self) -> HashSet<String> {
        let inner = self.lock();
        let is_crowded =
            |lane: &Arc<Lane>| inner.lanes.get(lane).is_some_and(|queue| queue.is_crowded(self.caps.tasks_per_lane));
        inner.behind.iter().filter(|(_, lane)| is_crowded(lane)).map(|(name, _)| name.clone()).collect()
    }

    /// Lanes that are behind and have room for half of what they may have in memory.
    #[must_use]
    pub fn wanting(&self) -> Vec<Arc<Lane>> {
        let inner = self.lock();
        let wants = |lane: &&Arc<Lane>| {
            let has_room = |q: &LaneQueue| q.ready.len() < self.caps.tasks_per_lane.div_ceil(2) && !q.rests();
            inner.lanes.get(*lane).is_none_or(has_room)
        };
        inner.behind.values().filter(wants).cloned().collect()
    }

    /// All rows of a lane that are due were read.
    pub fn caught_up(&self, lane: &Arc<Lane>) {
        let mut inner = self.lock();
        inner.behind.remove(&lane.to_string());
        if let Some(queue) = inner.lanes.get_mut(lane) {
            queue.behind = false;
        }
        inner.forget_if_done(lane);
    }

    #[must_use]
    pub const fn caps(&self) -> Caps {
        self.caps
    }

    /// Opens one more link when the lane has more mail than idle links.
    fn open_if_needed(&self, inner: &mut Lanes, lane: &Arc<Lane>) {
        let per_destination = self.caps.links_per_destination;
        let Some(queue) = inner.lanes.get_mut(lane).filter(|_| !inner.closing) else { return };
        if queue.ready.len() <= queue.idle || queue.in_turn || queue.links >= queue.most(per_destination) {
            return;
        }
        let of_destination = inner.destinations.get_mut(&lane.destination);
        if let Some(links) = of_destination.filter(|links| links.count >= per_destination) {
            queue.in_turn = true;
            links.turn.push_back(lane.clone());
        } else if !inner.places.has_room(lane, self.caps.links) {
            queue.in_turn = true;
            inner.places.wait(lane);
        } else if self.openings.send(lane.clone()).is_ok() {
            // A listener that is gone means that the gateway stops: the task stays on storage.
            queue.links += 1;
            inner.destinations.entry(lane.destination.clone()).or_default().count += 1;
            inner.places.take(lane);
        }
    }

    fn open_in_turn(&self, inner: &mut Lanes, lane: &Arc<Lane>) {
        if let Some(queue) = inner.lanes.get_mut(lane) {
            queue.in_turn = false;
        }
        self.open_if_needed(inner, lane);
        inner.forget_if_done(lane);
    }

    /// The next task of a lane for a link that is open; None when nothing came for `patience`, and the link has to close.
    pub async fn next(&self, lane: &Arc<Lane>, patience: Duration) -> Option<Task> {
        let deadline = tokio::time::Instant::now() + patience;
        loop {
            let arrived = {
                let mut inner = self.lock();
                if let Some(task) = self.pop(&mut inner, lane) {
                    return Some(task);
                }
                // Lanes that wait for a free link go before a link that has nothing to do.
                if inner.others_wait(lane, self.caps.links) {
                    return None;
                }
                let queue = inner.queue(lane);
                queue.idle += 1;
                queue.arrived.clone()
            };
            let in_time = tokio::time::timeout_at(deadline, arrived.notified()).await.is_ok();
            let mut inner = self.lock();
            let queue = inner.queue(lane);
            queue.idle = queue.idle.saturating_sub(1);
            if !in_time {
                return self.pop(&mut inner, lane);
            }
        }
    }

    /// The next task of a lane, if one is ready now.
    #[must_use]
    pub fn take(&self, lane: &Arc<Lane>) -> Option<Task> {
        self.pop(&mut self.lock(), lane)
    }

    fn pop(&self, inner: &mut Lanes, lane: &Arc<Lane>) -> Option<Task> {
        let task = inner.pop(lane)?;
        let half = self.caps.tasks_per_lane / 2;
        if inner.lanes.get(lane).is_some_and(|queue| queue.behind && queue.ready.len() <= half) {
            self.backlog.rung.notify_one();
        }
        self.make_room(inner);
        Some(task)
    }

    /// Rings whoever waits for room, once a quarter of it is free.
    fn make_room(&self, inner: &mut Lanes) {
        if inner.starved && inner.tasks <= self.caps.tasks / 4 * 3 {
            inner.starved = false;
            self.backlog.rung.notify_one();
            self.roomy.notify_waiters();
        }
    }

    /// A link could not be opened. Where others of the lane work, or are still being opened, the peer merely takes no more of
    /// them, and they go on; the last one to fail shares its fate with everything that is ready.
    #[must_use]
    pub fn missed(&self, lane: &Arc<Lane>) -> Vec<Task> {
        let mut inner = self.lock();
        let Some(queue) = inner.lanes.get_mut(lane) else { return Vec::new() };
        let others = queue.links.saturating_sub(1);
        if others > 0 {
            let until = Instant::now() + CONTENT;
            queue.cap = Some((others, until));
            inner.capped.retain(|(_, capped)| capped != lane);
            inner.capped.push((until, lane.clone()));
            // The keeper looks after it, though nothing else may happen in this lane for long.
            self.backlog.rung.notify_one();
            return Vec::new();
        }
        queue.warm = 0;
        // What people asked for is done without a link, however much it is.
        queue.rests_until = (lane.destination != Destination::Operator).then(|| Instant::now() + REST);
        if queue.behind {
            self.backlog.rung.notify_one();
        }
        let tasks = std::mem::take(&mut queue.ready);
        inner.tasks = inner.tasks.saturating_sub(tasks.len());
        self.make_room(&mut inner);
        tasks.into()
    }

    /// No link is opened from now on.
    pub fn close(&self) {
        self.lock().closing = true;
    }

    /// A link of this lane is gone, or was never opened. Whoever waits in turn gets its place.
    pub fn closed(&self, lane: &Arc<Lane>) {
        let mut inner = self.lock();
        inner.release(lane);
        // Whoever no longer needs a link passes the place on: a lane left in turn with nobody to call it would wait for ever.
        while let Some(next) = inner.places.next(self.caps.links) {
            self.open_in_turn(&mut inner, &next);
        }
        while let Some(next) = inner.next_of_destination(lane, self.caps.links_per_destination) {
            self.open_in_turn(&mut inner, &next);
        }
        self.open_if_needed(&mut inner, lane);
        inner.forget_if_done(lane);
    }

    /// Lets lanes whose peers took fewer links try one more, once their time is over, though none of their links moved;
    /// returns when there is something to do next, for these and for lanes that rest.
    pub fn look_after_lanes(&self, now: Instant) -> Option<Instant> {
        let mut inner = self.lock();
        let (over, on) = std::mem::take(&mut inner.capped).into_iter().partition(|(until, _)| *until <= now);
        inner.capped = on;
        let over: Vec<(Instant, Arc<Lane>)> = over;
        for (_, lane) in over {
            self.open_if_needed(&mut inner, &lane);
        }
        let rests = inner.behind.values().filter_map(|lane| inner.lanes.get(lane)?.rests_until.filter(|r| *r > now));
        inner.capped.iter().map(|(until, _)| *until).chain(rests).min()
    }

    /// As after a link that was opened: the lane rests no more.
    #[cfg(test)]
    pub(super) fn wake(&self, lane: &Arc<Lane>) {
        if let Some(queue) = self.lock().lanes.get_mut(lane) {
            queue.rests_until = None;
        }
    }

    /// Links that are open or being opened.
    #[must_use]
    pub fn links(&self) -> usize {
        self.lock().places.taken()
    }

    /// Whether other lanes wait for a link of this one: then a busy link gives its place up now and then.
    #[must_use]
    pub fn others_wait(&self, lane: &Lane) -> bool {
        self.lock().others_wait(lane, self.caps.links)
    }

    /// Tasks in memory that no link has taken yet.
    #[must_use]
    pub fn tasks(&self) -> usize {
        self.lock().tasks
    }

    /// Moves tasks that no link has taken yet and that `wanted` chooses to another lane, to be looked at there now.
    pub fn divert(&self, wanted: impl Fn(&Task) -> bool, lane: &Arc<Lane>) {
        let mut inner = self.lock();
        for task in inner.remove(wanted) {
            inner.push(Task { lane: lane.clone(), warm: None, ..task });
        }
        self.open_if_needed(&mut inner, lane);
        inner.forget_if_done(lane);
    }

    /// Calls `see` for every task in memory that no link has taken yet.
    pub fn look(&self, see: impl FnMut(&Task)) {
        self.lock().lanes.values().flat_map(|queue| &queue.ready).for_each(see);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::EntryId;
    use crate::queue::{Destination, State};
    use crate::vocabulary::{Level, Reason};
    use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

    fn lane(domain: &str) -> Arc<Lane> {
        Arc::new(Lane { destination: Destination::Mx(domain.parse().unwrap()), level: Level::Any, require_tls: false })
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
            residence: None,
        }
    }

    /// A schedule whose rows go nowhere.
    fn schedule(links: usize, links_per_destination: usize) -> (Schedule, UnboundedReceiver<Arc<Lane>>) {
        let (openings, opened) = unbounded_channel();
        (Schedule::new(Caps::of_links(links, links_per_destination), openings, Box::new(drop)), opened)
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
        assert!(schedule.others_wait(&busy));
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

    #[test]
    fn two_lanes_of_one_destination_share_its_links_and_take_turns() {
        let (schedule, mut opened) = schedule(10, 2);
        let plain = lane("hub.example");
        let strict = Arc::new(Lane { level: Level::Verified, ..(*plain).clone() });
        (0..5).for_each(|id| schedule.push(task(&plain, id)));
        (5..9).for_each(|id| schedule.push(task(&strict, id)));
        assert_eq!(openings(&mut opened), [plain.clone(), plain.clone()], "no third link to the destination");
        assert!(schedule.others_wait(&plain), "so a busy link gives its place up");
        schedule.closed(&plain);
        assert_eq!(openings(&mut opened), std::slice::from_ref(&strict));
        schedule.push(task(&lane("other.example"), 20));
        assert_eq!(openings(&mut opened).len(), 1, "another destination is held up by neither");
    }

    #[test]
    fn a_lane_whose_peer_took_fewer_links_tries_one_more_though_nothing_happens() {
        let (schedule, mut opened) = schedule(10, 10);
        let lane = lane("stalls.example");
        (0..3).for_each(|id| schedule.push(task(&lane, id)));
        assert!(schedule.take(&lane).is_some() && schedule.missed(&lane).is_empty());
        schedule.closed(&lane);
        openings(&mut opened);
        let until = schedule.look_after_lanes(Instant::now()).unwrap();
        assert!(openings(&mut opened).is_empty(), "it is content for now");
        // Its two links move no more. The clock of the cap itself has to have passed, too.
        schedule.lock().lanes.get_mut(&lane).unwrap().cap = None;
        assert_eq!(schedule.look_after_lanes(until), None);
        assert_eq!(openings(&mut opened), std::slice::from_ref(&lane));
    }

    /// A schedule with small bounds, and the rows that ride from it.
    fn bounded(caps: Caps) -> (Schedule, Arc<Mutex<Vec<Change>>>) {
        let (openings, _) = unbounded_channel();
        let rows: Arc<Mutex<Vec<Change>>> = Arc::default();
        let ridden = rows.clone();
        (Schedule::new(caps, openings, Box::new(move |more| ridden.lock().unwrap().extend(more))), rows)
    }

    #[test]
    fn memory_is_bounded_per_lane_and_in_all_and_what_does_not_fit_gets_rows() {
        let caps = Caps { tasks: 10, tasks_per_lane: 4, ..Caps::of_links(1, 1) };
        let (schedule, rows) = bounded(caps);
        let slow = lane("slow.example");
        (0..7).for_each(|id| schedule.push(task(&slow, id)));
        assert_eq!((schedule.tasks(), rows.lock().unwrap().len()), (4, 3));
        (0..9).for_each(|id| schedule.push(task(&lane(&format!("{id}.example")), 100 + id)));
        assert_eq!((schedule.tasks(), rows.lock().unwrap().len()), (10, 6));
        assert!(schedule.backlog.next().is_some(), "the keeper knows that there is something to read");
    }

    #[test]
    fn hosts_of_the_world_never_have_every_link() {
        let (schedule, mut opened) = schedule(4, 4);
        let strangers: Vec<_> = (0..6).map(|n| lane(&format!("{n}.example"))).collect();
        (0..).zip(&strangers).for_each(|(id, lane)| schedule.push(task(lane, id)));
        assert_eq!(openings(&mut opened), strangers[..3], "one of four is kept");
        let site = |n: i64| {
            Arc::new(Lane {
                destination: Destination::Site(format!("s{n}").into()),
                level: Level::Any,
                require_tls: false,
            })
        };
        schedule.push(task(&site(1), 10));
        assert_eq!(openings(&mut opened), [site(1)], "no stranger's link has to end for it");
        assert!(!schedule.others_wait(&site(1)), "its place would be nobody's: the strangers have theirs");
        schedule.push(task(&site(2), 11));
        assert!(schedule.others_wait(&site(1)) && schedule.others_wait(&strangers[0]));
        schedule.closed(&site(1));
        assert_eq!(openings(&mut opened), [site(2)], "the strangers came earlier, and it is not theirs");
        assert!(schedule.take(&strangers[0]).is_some());
        schedule.closed(&strangers[0]);
        assert_eq!(openings(&mut opened), strangers[3..4]);
    }

    #[test]
    fn a_place_that_both_may_have_goes_to_whoever_came_first() {
        let (schedule, mut opened) = schedule(4, 4);
        let site = |n: i64| {
            Arc::new(Lane {
                destination: Destination::Site(format!("s{n}").into()),
                level: Level::Any,
                require_tls: false,
            })
        };
        (0..4).for_each(|n| schedule.push(task(&site(n), n)));
        assert_eq!(openings(&mut opened).len(), 4);
        let stranger = lane("stranger.example");
        schedule.push(task(&stranger, 5));
        schedule.push(task(&site(6), 6));
        assert!(schedule.others_wait(&site(0)) && schedule.take(&site(0)).is_some());
        schedule.closed(&site(0));
        assert_eq!(openings(&mut opened), [stranger]);
    }

    #[test]
    fn one_lane_keeps_its_share_of_warm_memory_and_no_more() {
        let caps = Caps { warm_per_lane: 250, ..Caps::of_links(1, 1) };
        let (schedule, _) = bounded(caps);
        let (room, slow) = (crate::queue::WarmRoom::new(1_000), lane("slow.example"));
        let warm = |id| {
            let entry = Arc::new(crate::queue::entry::tests::entry(id, &["a@slow.example"]));
            Task { warm: Some(crate::queue::Warm::new(entry, None, room.take(100).unwrap())), ..task(&slow, id) }
        };
        (0..5).for_each(|id| schedule.push(warm(id)));
        assert_eq!(room.used(), 200, "the rest is cold, and its room is free for others");
        assert!(schedule.take(&slow).is_some_and(|t| t.warm.is_some()));
        schedule.push(warm(9));
        assert_eq!(room.used(), 200);
    }
}

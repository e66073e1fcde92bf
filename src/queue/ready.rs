//! The lanes in memory: their ready tasks, their links, whose turn it is. No lock and no clock of its own.
//!
//! `schedule` holds it behind its lock. Promises: the counts of tasks, links and warm octets are those of what is in it; a
//! lane that is done is forgotten. Fails never.

use super::lane::{Destination, Lane};
use super::places::Places;
use super::task::Task;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::Notify;

#[derive(Default)]
pub(super) struct Lanes {
    pub lanes: HashMap<Arc<Lane>, LaneQueue>,
    /// Tasks in all lanes.
    pub tasks: usize,
    pub places: Places,
    pub destinations: HashMap<Destination, Links>,
    /// Lanes that have rows which did not fit, by the name that the rows have.
    pub behind: HashMap<String, Arc<Lane>>,
    /// Lanes that were told that their peer takes fewer links, until when.
    pub capped: Vec<(Instant, Arc<Lane>)>,
    /// Somebody waits for room.
    pub starved: bool,
    /// The gateway stops: no link is opened any more.
    pub closing: bool,
}

/// The links of one destination.
#[derive(Default)]
pub(super) struct Links {
    /// Open or being opened.
    pub count: usize,
    /// Its lanes that have mail and found its links taken.
    pub turn: VecDeque<Arc<Lane>>,
}

pub(super) struct LaneQueue {
    pub ready: VecDeque<Task>,
    /// Links that are open or being opened.
    pub links: usize,
    /// The peer takes no more than so many for now.
    pub cap: Option<(usize, Instant)>,
    pub idle: usize,
    pub in_turn: bool,
    pub arrived: Arc<Notify>,
    /// Octets that ready tasks keep warm.
    pub warm: usize,
    /// It has rows that did not fit.
    pub behind: bool,
    /// It had no link when it was tried last: what did not fit is not read before.
    pub rests_until: Option<Instant>,
}

impl Lanes {
    /// A lane without mail and links needs no memory; one that idle links wait on has links.
    pub fn forget_if_done(&mut self, lane: &Arc<Lane>) {
        let done = |queue: &LaneQueue| queue.links == 0 && queue.ready.is_empty() && !queue.behind;
        if self.lanes.get(lane).is_some_and(done) {
            self.lanes.remove(lane);
        }
    }

    pub fn queue(&mut self, lane: &Arc<Lane>) -> &mut LaneQueue {
        self.lanes.entry(lane.clone()).or_insert_with(LaneQueue::new)
    }

    /// Whether others wait for the place of one of this lane's links, of `most` in all.
    pub fn others_wait(&self, lane: &Lane, most: usize) -> bool {
        self.places.are_wanted(lane, most)
            || self.destinations.get(&lane.destination).is_some_and(|d| !d.turn.is_empty())
    }

    pub fn push(&mut self, task: Task) -> Arc<Lane> {
        let lane = task.lane.clone();
        let queue = self.queue(&lane);
        queue.warm += task.warm_octets();
        queue.ready.push_back(task);
        queue.arrived.notify_one();
        self.tasks += 1;
        lane
    }

    pub fn pop(&mut self, lane: &Arc<Lane>) -> Option<Task> {
        let queue = self.lanes.get_mut(lane)?;
        let task = queue.ready.pop_front()?;
        queue.warm = queue.warm.saturating_sub(task.warm_octets());
        queue.rests_until = None;
        self.tasks = self.tasks.saturating_sub(1);
        Some(task)
    }

    /// Takes out the ready tasks that `wanted` chooses.
    pub fn remove(&mut self, wanted: impl Fn(&Task) -> bool) -> Vec<Task> {
        let mut removed = Vec::new();
        for queue in self.lanes.values_mut() {
            let (leave, stay): (VecDeque<Task>, VecDeque<Task>) =
                std::mem::take(&mut queue.ready).into_iter().partition(&wanted);
            queue.warm = queue.warm.saturating_sub(leave.iter().map(Task::warm_octets).sum());
            queue.ready = stay;
            removed.extend(leave);
        }
        self.tasks = self.tasks.saturating_sub(removed.len());
        self.lanes.retain(|_, queue| queue.links > 0 || !queue.ready.is_empty() || queue.behind);
        removed
    }

    /// One link less.
    pub fn release(&mut self, lane: &Lane) {
        self.places.give_back(lane);
        if let Some(queue) = self.lanes.get_mut(lane) {
            queue.links = queue.links.saturating_sub(1);
        }
        let Some(links) = self.destinations.get_mut(&lane.destination) else { return };
        links.count = links.count.saturating_sub(1);
        if links.count == 0 && links.turn.is_empty() {
            self.destinations.remove(&lane.destination);
        }
    }

    /// The lane that waited longest for a link of `lane`'s destination, if that may have one more.
    pub fn next_of_destination(&mut self, lane: &Lane, most: usize) -> Option<Arc<Lane>> {
        let links = self.destinations.get_mut(&lane.destination)?;
        if links.count == 0 && links.turn.is_empty() {
            self.destinations.remove(&lane.destination);
            return None;
        }
        if links.count < most { links.turn.pop_front() } else { None }
    }
}

impl LaneQueue {
    pub fn new() -> LaneQueue {
        LaneQueue {
            ready: VecDeque::new(),
            links: 0,
            cap: None,
            idle: 0,
            in_turn: false,
            arrived: Arc::new(Notify::new()),
            warm: 0,
            behind: false,
            rests_until: None,
        }
    }

    /// Links that the lane may have now.
    pub fn most(&self, per_destination: usize) -> usize {
        match self.cap {
            Some((cap, until)) if Instant::now() < until => cap.clamp(1, per_destination),
            _ => per_destination,
        }
    }

    /// Whether a task that has no row has to get one. The upper half of a lane that is behind is for what waits longer.
    pub fn is_full(&self, per_lane: usize) -> bool {
        self.ready.len() >= if self.behind { per_lane / 2 } else { per_lane }
    }

    /// Whether rows have to wait in the table.
    pub fn is_crowded(&self, per_lane: usize) -> bool {
        self.ready.len() >= per_lane || (self.behind && self.rests())
    }

    pub fn rests(&self) -> bool {
        self.rests_until.is_some_and(|until| Instant::now() < until)
    }
}

//! What must hold for a recipient now and where it goes: by policy, and by what people asked for it.
//!
//! Called before every attempt and where a lane is missed. Promises: what is asked is never less than what was stored, but
//! for a recipient that a person released in clear; an instruction that came during an attempt is heeded at its end.

use super::Delivery;
use super::attempted::Attempted;
use crate::clock::Now;
use crate::policy::{QueuedFacts, Requirement, Sites};
use crate::queue::under_way::Turn;
use crate::queue::{Entry, Instruction, Lane, State, Stop, Task, entry};
use crate::smtp::client::Refusal;
use crate::vocabulary::{Level, Reason};
use std::sync::Arc;

impl Delivery {
    /// What must hold for a recipient now: never less than what was stored, unless a person released it.
    pub(super) fn requirement(&self, entry: &Entry, recipient: u16) -> Requirement {
        let now = self.asked(entry, recipient);
        match entry.instruction(recipient) {
            Some(Instruction { lowered_from: Some(_), .. }) => Requirement { level: Level::Any, ..now },
            _ => now,
        }
    }

    /// What policy asks for a recipient now, whatever a person released.
    pub(crate) fn asked(&self, entry: &Entry, recipient: u16) -> Requirement {
        let stored = entry.requirement(recipient);
        let Some(to) = entry.envelope.recipients.get(usize::from(recipient)) else { return stored };
        let routes = self.routes.now();
        let reaches = routes.site_of(to.mailbox.domain()).map(AsRef::as_ref);
        let queued = QueuedFacts {
            at: Now::read().wall,
            requiretls: entry.envelope.require_tls,
            direction: entry.direction(recipient),
            sites: Sites { leaves: entry.site.as_deref(), reaches },
            reverse_path: &entry.envelope.reverse_path,
            recipient: &to.mailbox,
        };
        self.judge.now().at_attempt(&stored, &queued)
    }

    /// Recipients leave the task whose way is another: the policy now asks more, or less, than this lane's links give, gateway.toml
    /// has another way, or a person asked for something else.
    pub(super) fn move_to_their_lanes(&self, task: &mut Task, entry: &Entry) {
        let mut stay = Vec::with_capacity(task.recipients.len());
        let mut leave: Vec<(Lane, Vec<u16>)> = Vec::new();
        for recipient in task.recipients.iter().copied() {
            let lane = entry.lane(recipient, self.requirement(entry, recipient).level, &self.routes.now());
            match lane.filter(|lane| lane != task.lane.as_ref()) {
                None => stay.push(recipient),
                Some(lane) => match leave.iter_mut().find(|(known, _)| *known == lane) {
                    Some((_, recipients)) => recipients.push(recipient),
                    None => leave.push((lane, vec![recipient])),
                },
            }
        }
        for (lane, recipients) in leave {
            self.schedule.push(moved(task, recipients, lane));
        }
        *task = task.for_recipients(stay);
    }

    /// The attempt is over. What a person asked for its entry meanwhile is looked at now.
    pub(super) fn end(&self, turn: Turn) {
        let id = turn.entry();
        if turn.end() {
            let now = Now::read().wall;
            // What the attempt wrote rides before this.
            self.store.ride(vec![entry::brought_forward(id, None, now)]);
            self.schedule.backlog.expect(now);
            self.schedule.divert(|task| task.entry == id, &Arc::new(Lane::operator()));
        }
    }
}

/// A task that leaves the operators' lane begins anew: it is no longer held by anybody.
fn moved(task: &Task, recipients: Vec<u16>, lane: Lane) -> Task {
    let task = Task { lane: Arc::new(lane), ..task.for_recipients(recipients) };
    match task.reason {
        Reason::HeldByOperator | Reason::WayGone => Task { state: State::Deferred, reason: Reason::Waiting, ..task },
        _ => task,
    }
}

/// What a person asked, or has to be asked, in place of what a peer says.
pub(super) fn stopped(task: &Task, entry: &Entry) -> Vec<Attempted> {
    let reason = |recipient: u16| match entry.instruction(recipient).and_then(|i| i.stop) {
        Some(Stop::Bounce) => Reason::EndedByOperator,
        Some(Stop::Hold) => Reason::HeldByOperator,
        // Whoever asked for nothing is here because there is no way for it any more.
        None => Reason::WayGone,
    };
    let refusal = |recipient| Refusal { reason: reason(recipient), status: None };
    task.recipients.iter().map(|r| Attempted { recipient: *r, result: Err(refusal(*r)) }).collect()
}

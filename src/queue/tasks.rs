//! From an entry to its tasks: recipients that travel together over one lane.
//!
//! Called after the commit by `receive` and `deliver`, and by `recover`. Promises: every recipient is in exactly one task.

use super::entry::Entry;
use super::lane::{Lane, Routes};
use super::schedule::Schedule;
use super::states::State;
use super::task::Task;
use super::warm::Warm;
use crate::vocabulary::{Level, Reason};
use std::sync::Arc;

/// Schedules an entry that was just admitted.
pub fn enqueue(entry: &Entry, warm: Option<&Warm>, routes: &Routes, schedule: &Schedule) {
    let levels: Vec<Level> = entry.requirements.iter().map(|r| r.level).collect();
    for (lane, recipients) in lanes(entry, routes, &levels) {
        let task = task(entry, lane, recipients);
        schedule.push(Task { warm: warm.cloned(), ..task });
    }
}

/// The lanes of an entry's recipients, in the recipients' order. `levels`: requirement by requirement.
#[must_use]
pub fn lanes(entry: &Entry, routes: &Routes, levels: &[Level]) -> Vec<(Arc<Lane>, Vec<u16>)> {
    let mut lanes: Vec<(Lane, Vec<u16>)> = Vec::new();
    for (index, destined) in (0u16..).zip(&entry.destined) {
        let level = levels.get(usize::from(destined.requirement)).copied().unwrap_or(Level::Sealed);
        let Some(lane) = entry.lane(index, level, routes) else { continue };
        match lanes.iter_mut().find(|(known, _)| *known == lane) {
            Some((_, recipients)) => recipients.push(index),
            None => lanes.push((lane, vec![index])),
        }
    }
    lanes.into_iter().map(|(lane, recipients)| (Arc::new(lane), recipients)).collect()
}

/// A new task of an entry.
#[must_use]
pub fn task(entry: &Entry, lane: Arc<Lane>, recipients: Vec<u16>) -> Task {
    Task {
        entry: entry.id,
        lane,
        recipients: recipients.into(),
        accepted: entry.accepted,
        attempts: 0,
        state: State::Active,
        class: entry.requirements.iter().find_map(|r| r.classes.first()).map(|c| c.as_str().into()),
        told: entry.notice,
        reason: Reason::Waiting,
        warm: None,
        residence: None,
    }
}

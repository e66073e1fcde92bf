//! The places that links have: how many are taken, and who waits for one. No lock and no clock of its own.
//!
//! `ready` holds it. Promises: hosts that strangers name never have all places, so that mail to a site's own Exchange or to
//! a relay finds one however slow they are; a place goes to whoever waited longest of those who may have it. Fails never.

use super::lane::{Destination, Lane};
use std::collections::VecDeque;
use std::sync::Arc;

/// One place in so many is for configured destinations only.
const KEPT: usize = 4;

#[derive(Default)]
pub(super) struct Places {
    /// Of sites and relays, which gateway.toml names.
    configured: Party,
    /// Of hosts that anybody's MX record names.
    world: Party,
    /// Tells who of both came first.
    ticket: u64,
}

#[derive(Default)]
struct Party {
    /// Links that are open or being opened.
    links: usize,
    /// Lanes that have mail and found no place, in the order in which they came.
    turn: VecDeque<(u64, Arc<Lane>)>,
}

impl Places {
    /// Places that are taken.
    pub fn taken(&self) -> usize {
        self.configured.links + self.world.links
    }

    /// Whether a link of this lane has a place, of `most` in all.
    pub fn has_room(&self, lane: &Lane, most: usize) -> bool {
        self.taken() < most && (!is_of_world(lane) || self.world.links < of_world(most))
    }

    pub fn take(&mut self, lane: &Lane) {
        self.party(lane).links += 1;
    }

    pub fn give_back(&mut self, lane: &Lane) {
        let party = self.party(lane);
        party.links = party.links.saturating_sub(1);
    }

    pub fn wait(&mut self, lane: &Arc<Lane>) {
        self.ticket += 1;
        let ticket = self.ticket;
        self.party(lane).turn.push_back((ticket, lane.clone()));
    }

    /// Who waited longest of those for whom there is a place now.
    pub fn next(&mut self, most: usize) -> Option<Arc<Lane>> {
        let first =
            |party: &Party| party.turn.front().filter(|(_, l)| self.has_room(l, most)).map(|(ticket, _)| *ticket);
        let party = match (first(&self.configured), first(&self.world)) {
            (None, None) => return None,
            (Some(configured), Some(world)) if world < configured => &mut self.world,
            (Some(_), _) => &mut self.configured,
            (None, Some(_)) => &mut self.world,
        };
        party.turn.pop_front().map(|(_, lane)| lane)
    }

    /// Whether the place of one of this lane's links would be another's if it were free.
    pub fn are_wanted(&self, lane: &Lane, most: usize) -> bool {
        let helps_world = is_of_world(lane) || self.world.links < of_world(most);
        !self.configured.turn.is_empty() || (helps_world && !self.world.turn.is_empty())
    }

    fn party(&mut self, lane: &Lane) -> &mut Party {
        if is_of_world(lane) { &mut self.world } else { &mut self.configured }
    }
}

/// Places that hosts of the world may have, of `most` in all.
fn of_world(most: usize) -> usize {
    (most - most / KEPT).max(1)
}

fn is_of_world(lane: &Lane) -> bool {
    matches!(lane.destination, Destination::Mx(_))
}

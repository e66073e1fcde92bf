//! From what must hold and what is known about the other side to a fate.
//!
//! Called by `judge`. Promises: nothing is sent where the requirement is known not to hold; a peer that is not known yet
//! is tried, for the link decides at the attempt. Never fails.

use super::facts::{MessageFacts, RecipientFacts};
use super::settle::Settled;
use super::verdict::RungVerdict;
use crate::vocabulary::{Direction, Fate, Level, Otherwise, Reason, Rung};

/// The relay that all outbound mail goes through.
#[derive(Debug, Clone)]
pub(super) struct Smarthost {
    pub carries: Vec<String>,
    /// The most that can be promised behind it.
    pub onward: Level,
}

/// What the policy knows beside the rules.
pub(super) struct Circumstances<'a> {
    pub ladder: &'a [Rung],
    pub smarthost: Option<&'a Smarthost>,
    /// Nobody at the recipient's domain would open a portal.
    pub machines: bool,
}

/// A fate with its reason, and what follows.
#[derive(Debug)]
pub(super) struct Decided {
    pub fate: Fate,
    pub reason: Reason,
    /// What follows when the requirement does not hold within `wait`.
    pub then: Option<Fate>,
    /// The rung that serves in place of hold or reject.
    pub climb: Option<Rung>,
    pub rungs: Vec<RungVerdict>,
}

/// What the direct path is worth.
enum Direct {
    Shut(Reason),
    Open(Option<Level>),
}

pub(super) fn decide(
    settled: &Settled,
    message: &MessageFacts<'_>,
    recipient: &RecipientFacts<'_>,
    around: &Circumstances<'_>,
) -> Decided {
    if settled.refuse.is_some() {
        return plain(Fate::Refuse, Reason::RefusedByRule);
    }
    if message.direction == Direction::Inbound {
        return inbound(settled, recipient);
    }
    let rungs = rungs(settled, message, recipient, around);
    let climb = rungs.iter().find(|r| r.available).map(|r| r.rung.clone());
    let (fate, reason, then) = match direct(settled, message, recipient, around) {
        Direct::Shut(reason) => (last(settled), reason, None),
        Direct::Open(peer) => open(settled, peer),
    };
    Decided { fate, reason, then, climb, rungs }
}

fn plain(fate: Fate, reason: Reason) -> Decided {
    Decided { fate, reason, then: None, climb: None, rungs: Vec::new() }
}

/// The link is there, and it is all that there will be.
fn inbound(settled: &Settled, recipient: &RecipientFacts<'_>) -> Decided {
    if recipient.peer.unwrap_or(Level::Any) >= settled.require {
        plain(Fate::Send, Reason::RequirementMet)
    } else {
        plain(Fate::Reject, Reason::RequirementNotMet)
    }
}

fn direct(
    settled: &Settled,
    message: &MessageFacts<'_>,
    recipient: &RecipientFacts<'_>,
    around: &Circumstances<'_>,
) -> Direct {
    if settled.require == Level::Sealed {
        return Direct::Shut(Reason::SealingNotPossible);
    }
    let Some(smarthost) = around.smarthost.filter(|_| message.direction == Direction::Outbound) else {
        return Direct::Open(recipient.peer);
    };
    if !message.classes.keys().all(|class| smarthost.carries.contains(class)) {
        return Direct::Shut(Reason::RelayNotAllowedForClass);
    }
    // Behind a relay the level is the lower of link and what its owner promises.
    if settled.require > smarthost.onward {
        return Direct::Shut(Reason::RequirementNotMet);
    }
    Direct::Open(recipient.peer)
}

fn open(settled: &Settled, peer: Option<Level>) -> (Fate, Reason, Option<Fate>) {
    let reached = peer.map(|peer| peer >= settled.require);
    match reached {
        Some(true) => (Fate::Send, Reason::RequirementMet, None),
        None if settled.require == Level::Any => (Fate::Send, Reason::RequirementMet, None),
        None => (Fate::Send, Reason::Waiting, Some(last(settled))),
        Some(false) if settled.wait.is_zero() => (last(settled), Reason::RequirementNotMet, None),
        Some(false) => (Fate::Defer, Reason::RequirementNotMet, Some(last(settled))),
    }
}

fn last(settled: &Settled) -> Fate {
    match settled.otherwise {
        Otherwise::Hold => Fate::Hold,
        Otherwise::Reject => Fate::Reject,
    }
}

fn rungs(
    settled: &Settled,
    message: &MessageFacts<'_>,
    recipient: &RecipientFacts<'_>,
    around: &Circumstances<'_>,
) -> Vec<RungVerdict> {
    let admitted = around.ladder.iter().filter(|rung| settled.upgrade.contains(rung));
    admitted
        .map(|rung| {
            let reason = passed_over(rung, message, recipient, around);
            RungVerdict { rung: rung.clone(), available: reason.is_none(), reason }
        })
        .collect()
}

fn passed_over(
    rung: &Rung,
    message: &MessageFacts<'_>,
    recipient: &RecipientFacts<'_>,
    around: &Circumstances<'_>,
) -> Option<&'static str> {
    if *rung == Rung::Portal && message.reverse_path.is_null() {
        return Some("a notice without a sender never goes to a portal");
    }
    if *rung == Rung::Portal && around.machines {
        return Some("nobody at this domain would open a portal");
    }
    match recipient.can {
        [] => Some("not in this version"),
        can => (!can.contains(rung)).then_some("cannot serve this recipient"),
    }
}

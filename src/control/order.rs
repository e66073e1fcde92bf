//! The orders that people give about what waits, and which recipients each of them fits.
//!
//! Called by `instruct` for every recipient that was chosen. Promises: no order lowers what must hold but a release in
//! clear; mail under `sealed` is released in clear only by the id of its entry, never by a filter; no way is given that the
//! relay's owner or the recipient's domain rules out. Fails with the known names where a name is not known.

use super::Filter;
use crate::deliver::Delivery;
use crate::policy::diagnostic::Mistake;
use crate::queue::{Entry, Instruction, Route, Stop};
use crate::vocabulary::{Direction, Level};
use serde::{Deserialize, Serialize};

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    Hold,
    Release,
    ReleaseInClear,
    Reroute(Route),
    Bounce,
}

impl Order {
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Order::Hold => "hold",
            Order::Release => "release",
            Order::ReleaseInClear => "release-in-clear",
            Order::Reroute(_) => "reroute",
            Order::Bounce => "bounce",
        }
    }

    /// What was done to the messages: the key of the answer.
    #[must_use]
    pub fn done(&self) -> &'static str {
        match self {
            Order::Hold => "held",
            Order::Release | Order::ReleaseInClear => "released",
            Order::Reroute(_) => "rerouted",
            Order::Bounce => "bounced",
        }
    }

    #[must_use]
    pub fn is_release(&self) -> bool {
        matches!(self, Order::Release | Order::ReleaseInClear)
    }

    #[must_use]
    pub fn route(&self) -> Option<&Route> {
        match self {
            Order::Reroute(route) => Some(route),
            _ => None,
        }
    }
}

/// Why a recipient is left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Left {
    AlreadySo,
    NotHeldByOperator,
    NothingToLower,
    SealedOnlyById,
    OwnDomain,
    ForeignDomain,
    RelayNotAllowedForClass,
    RelayPromisesLess,
    AskedBySender,
}

impl Left {
    const ALL: [Left; 9] = [
        Left::AlreadySo,
        Left::NotHeldByOperator,
        Left::NothingToLower,
        Left::SealedOnlyById,
        Left::OwnDomain,
        Left::ForeignDomain,
        Left::RelayNotAllowedForClass,
        Left::RelayPromisesLess,
        Left::AskedBySender,
    ];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Left::AlreadySo => "already-so",
            Left::NotHeldByOperator => "not-held-by-operator",
            Left::NothingToLower => "nothing-to-lower",
            Left::SealedOnlyById => "sealed-only-by-id",
            Left::OwnDomain => "own-domain",
            Left::ForeignDomain => "foreign-domain",
            Left::RelayNotAllowedForClass => "relay-not-allowed-for-class",
            Left::RelayPromisesLess => "relay-promises-less",
            Left::AskedBySender => "asked-by-sender",
        }
    }

    /// For people: why, of the value that is printed as `name`.
    #[must_use]
    pub fn words(name: &str) -> &'static str {
        match Left::ALL.into_iter().find(|left| left.name() == name) {
            Some(Left::AlreadySo) | None => "that was asked already",
            Some(Left::NotHeldByOperator) => "no operator holds them: `queue retry` tries them now",
            Some(Left::NothingToLower) => "nothing is asked that could be lowered",
            Some(Left::SealedOnlyById) => "`sealed` is lowered only by naming the entry's id",
            Some(Left::OwnDomain) => "their domain is a site's: its MX would lead back here",
            Some(Left::ForeignDomain) => "no site has their domain, and an Exchange takes its own mail only",
            Some(Left::RelayNotAllowedForClass) => "the relay is not approved to carry what they contain",
            Some(Left::RelayPromisesLess) => "the relay's owner promises less than they need",
            Some(Left::AskedBySender) => "their sender asked for REQUIRETLS, which nobody here releases",
        }
    }
}

/// # Errors
/// When the order names a relay or site that nobody configured: with those that are.
pub fn known(order: &Order, delivery: &Delivery) -> Result<(), String> {
    let terms = delivery.terms();
    let (kind, name, mut names): (_, _, Vec<&str>) = match order.route() {
        Some(Route::Relay(name)) => ("relay", name, terms.relays.keys().map(AsRef::as_ref).collect()),
        Some(Route::Site(name)) => ("site", name, terms.hosts.sites.keys().map(AsRef::as_ref).collect()),
        Some(Route::Mx) | None => return Ok(()),
    };
    if names.contains(&name.as_str()) {
        return Ok(());
    }
    names.sort_unstable();
    let message = format!("gateway.toml has no {kind} `{name}`");
    let mistake = Mistake::unknown("unknown-name", message, name, names.iter().copied());
    Err(format!("{}\nhint: {}", mistake.message, mistake.hint.unwrap_or_default()))
}

/// What the order makes of what was asked for a recipient before.
///
/// # Errors
/// Why it does not fit.
pub fn fitting(
    order: &Order,
    delivery: &Delivery,
    (entry, recipient): (&Entry, u16),
    filter: &Filter,
) -> Result<Instruction, Left> {
    let before = entry.instruction(recipient).cloned().unwrap_or_default();
    if before.stop == Some(Stop::Bounce) {
        return Err(Left::AlreadySo);
    }
    let route = before.route.clone();
    let after = match order {
        Order::Hold => Instruction { stop: Some(Stop::Hold), route, lowered_from: None },
        Order::Release if before.stop.is_none() => return Err(Left::NotHeldByOperator),
        Order::Release => Instruction { stop: None, route, lowered_from: None },
        Order::ReleaseInClear => {
            let lowered_from = Some(lowered(delivery, (entry, recipient), filter)?);
            Instruction { stop: None, route, lowered_from }
        }
        Order::Reroute(route) => {
            check_route(route, delivery, (entry, recipient))?;
            // A release was given for the way that was known then.
            Instruction { stop: before.stop, route: Some(route.clone()), lowered_from: None }
        }
        Order::Bounce => Instruction { stop: Some(Stop::Bounce), ..before.clone() },
    };
    if after == before { Err(Left::AlreadySo) } else { Ok(after) }
}

/// What is asked of the way now, whatever was released before.
fn asked(delivery: &Delivery, (entry, recipient): (&Entry, u16)) -> (Level, Vec<String>) {
    let now = delivery.asked(entry, recipient);
    (now.level, now.classes)
}

fn lowered(delivery: &Delivery, (entry, recipient): (&Entry, u16), filter: &Filter) -> Result<Level, Left> {
    match asked(delivery, (entry, recipient)).0 {
        // What came in was judged on its way in: only the site's own floor holds now, and that is not lowered.
        _ if entry.direction(recipient) == Direction::Inbound => Err(Left::NothingToLower),
        // RFC 8689 4.2.1: its lane would ask for proved TLS all the same.
        _ if entry.envelope.goes_by_require_tls_only() => Err(Left::AskedBySender),
        Level::Any => Err(Left::NothingToLower),
        // It was to stay closed to everybody but its reader: a person has to have that very message in mind.
        Level::Sealed if filter.ids.is_empty() => Err(Left::SealedOnlyById),
        level => Ok(level),
    }
}

/// Whether mail for that recipient may go that way at all. What its link must hold is compared at every attempt.
fn check_route(route: &Route, delivery: &Delivery, (entry, recipient): (&Entry, u16)) -> Result<(), Left> {
    let domain = entry.envelope.recipients.get(usize::from(recipient)).map(|r| r.mailbox.domain());
    let own = domain.is_some_and(|domain| delivery.routes.now().site_of(domain).is_some());
    match route {
        Route::Mx if own => Err(Left::OwnDomain),
        Route::Site(_) if !own => Err(Left::ForeignDomain),
        Route::Mx | Route::Site(_) => Ok(()),
        Route::Relay(name) => {
            let all = delivery.terms();
            let Some(terms) = all.relays.get(name.as_str()) else { return Ok(()) };
            let (level, classes) = asked(delivery, (entry, recipient));
            match () {
                () if !classes.iter().all(|class| terms.carries.contains(class)) => Err(Left::RelayNotAllowedForClass),
                () if level > terms.onward => Err(Left::RelayPromisesLess),
                () => Ok(()),
            }
        }
    }
}

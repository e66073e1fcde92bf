//! A lane: where mail goes and what its link must hold. Links and their mail are kept apart by both.
//!
//! Called by `receive` and `recover` (which lane), `deliver` (which hosts). Pure. Promises: mail of two requirements never
//! shares a lane, so a link that was good enough for one is never used for the other by accident.

use crate::mail::{Domain, Envelope};
use crate::vocabulary::{Direction, Level};
use arc_swap::ArcSwap;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

/// Where mail for a recipient goes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Destination {
    /// A site's own Exchange.
    Site(Arc<str>),
    /// A relay of gateway.toml: the smarthost, or what a site names as `elsewhere`.
    Relay(Arc<str>),
    /// The hosts that the domain's MX records name.
    Mx(Domain),
    /// Where what people asked for is done: no link leads there.
    Operator,
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Destination::Site(name) => write!(f, "site:{name}"),
            Destination::Relay(name) => write!(f, "relay:{name}"),
            Destination::Mx(domain) => write!(f, "{domain}"),
            // A blank keeps it from being any domain.
            Destination::Operator => f.write_str("the operators"),
        }
    }
}

/// A destination with the level that its links must reach.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Lane {
    pub destination: Destination,
    pub level: Level,
    /// Of mail with REQUIRETLS: a link that cannot keep it (RFC 8689 2) carries nothing here, and the next host is tried.
    pub require_tls: bool,
}

impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let require_tls = if self.require_tls { "+requiretls" } else { "" };
        write!(f, "{}/{}{require_tls}", self.destination, self.level)
    }
}

impl Lane {
    /// The direction of a lane's links, for metrics: towards the world, or towards a site.
    #[must_use]
    pub fn direction(&self) -> Direction {
        match self.destination {
            Destination::Site(_) => Direction::Inbound,
            Destination::Relay(_) | Destination::Mx(_) | Destination::Operator => Direction::Outbound,
        }
    }

    /// The same for mail of this envelope. Nobody here releases what its sender asked for (RFC 8689 4.2.1: it is not sent).
    #[must_use]
    pub fn of(self, envelope: &Envelope) -> Lane {
        let leads_somewhere = self.destination != Destination::Operator;
        Lane { require_tls: leads_somewhere && envelope.goes_by_require_tls_only(), ..self }
    }

    /// The lane of what a person asked to stop.
    #[must_use]
    pub fn operator() -> Lane {
        Lane { destination: Destination::Operator, level: Level::Any, require_tls: false }
    }
}

/// What gateway.toml says about where mail goes.
#[derive(Debug, Clone, Default)]
pub struct Routes {
    /// Whose mailboxes a domain's are.
    pub sites: HashMap<Domain, Arc<str>>,
    /// The relay for what a site's Exchange sends to its own domains.
    pub elsewhere: HashMap<Arc<str>, Arc<str>>,
    /// Sites whose server sends on as REQUIRETLS asks.
    pub require_tls: HashSet<Arc<str>>,
    /// The relay that takes all outbound mail.
    pub smarthost: Option<Arc<str>>,
    /// What links to a site's Exchange, or to a relay, must have whatever the mail asks.
    pub floors: HashMap<Destination, Level>,
}

impl Routes {
    /// Whether that is somewhere: sites and relays are those of gateway.toml.
    #[must_use]
    pub fn has(&self, destination: &Destination) -> bool {
        match destination {
            Destination::Site(_) | Destination::Relay(_) => self.floors.contains_key(destination),
            Destination::Mx(_) | Destination::Operator => true,
        }
    }

    /// Which site has this domain.
    #[must_use]
    pub fn site_of(&self, domain: &Domain) -> Option<&Arc<str>> {
        self.sites.get(domain)
    }

    /// The lane of mail for `domain` that came from `sender` and asks `level` of its way through the world.
    #[must_use]
    pub fn lane(&self, domain: &Domain, sender: Option<&str>, asked: (Direction, Level)) -> Lane {
        let destination = self.destination(domain, sender);
        let floor = self.floors.get(&destination).copied().unwrap_or(Level::Any);
        let level = match asked {
            // What an inbound rule asks holds on the leg in, which lies behind us; the site's own leg has its floor.
            (Direction::Inbound, _) => floor,
            (Direction::Outbound | Direction::Internal, level) => level.max(floor),
        };
        Lane { destination, level, require_tls: false }
    }

    /// The lane of mail that a person sends another way than `usual`: what is asked still holds, and the floor of the new way.
    #[must_use]
    pub fn rerouted(&self, usual: Lane, destination: Destination, asked: (Direction, Level)) -> Lane {
        let floor = self.floors.get(&destination).copied().unwrap_or(Level::Any);
        let level = match asked {
            // Its new way may lead through the world: what was asked of its way in, and of the site's own leg, goes along.
            (Direction::Inbound, level) => level.max(usual.level),
            (Direction::Outbound | Direction::Internal, level) => level,
        };
        Lane { destination, level: level.max(floor), require_tls: false }
    }

    /// Where mail for `domain` goes that came from `sender` (a site's name, none for the world).
    #[must_use]
    pub fn destination(&self, domain: &Domain, sender: Option<&str>) -> Destination {
        match (self.sites.get(domain), &self.smarthost) {
            // What a site's Exchange sends to its own domains would come straight back to it.
            (Some(site), _) if sender == Some(site) && self.elsewhere.contains_key(site) => {
                Destination::Relay(self.elsewhere[site].clone())
            }
            (Some(site), _) => Destination::Site(site.clone()),
            (None, Some(relay)) => Destination::Relay(relay.clone()),
            (None, None) => Destination::Mx(domain.clone()),
        }
    }
}

/// The routes of the newest gateway.toml: swapped whole.
#[derive(Debug, Default)]
pub struct CurrentRoutes(ArcSwap<Routes>);

impl CurrentRoutes {
    #[must_use]
    pub fn new(routes: Arc<Routes>) -> CurrentRoutes {
        CurrentRoutes(ArcSwap::new(routes))
    }

    #[must_use]
    pub fn now(&self) -> Arc<Routes> {
        self.0.load_full()
    }

    pub fn replace(&self, routes: Arc<Routes>) {
        self.0.store(routes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sites_own_mail_goes_elsewhere_and_the_worlds_comes_in() {
        let (kingston, online): (Arc<str>, Arc<str>) = ("kingston".into(), "exchange-online".into());
        let domain: Domain = "kingston.example".parse().unwrap();
        let routes = Routes {
            sites: [(domain.clone(), kingston.clone())].into(),
            elsewhere: [(kingston.clone(), online.clone())].into(),
            require_tls: HashSet::new(),
            smarthost: None,
            floors: [(Destination::Site(kingston.clone()), Level::Encrypted)].into(),
        };
        let lane = |sender, asked| routes.lane(&domain, sender, asked).level;
        assert_eq!(
            lane(None, (Direction::Inbound, Level::Sealed)),
            Level::Encrypted,
            "the leg in was judged on arrival"
        );
        assert_eq!(lane(Some("other"), (Direction::Internal, Level::Verified)), Level::Verified);
        assert_eq!(lane(Some("other"), (Direction::Internal, Level::Any)), Level::Encrypted);
        assert_eq!(routes.destination(&domain, Some("kingston")), Destination::Relay(online));
        assert_eq!(routes.destination(&domain, None), Destination::Site(kingston));
        let foreign: Domain = "nhs.net".parse().unwrap();
        assert_eq!(routes.destination(&foreign, Some("kingston")), Destination::Mx(foreign.clone()));
    }
}

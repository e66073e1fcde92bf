//! What of gateway.toml may change while the gateway runs: each stage's own small struct, made anew and swapped.
//!
//! Called at the start and at a reload. Promises: secrets are read here, so that a reload that cannot have one changes nothing. Fails with
//! the file that cannot be used.

use super::ServeError;
use crate::config::{Config, HostPort, Relay, Site, secret};
use crate::decide::Judge;
use crate::decide::announce::{Contact, Contacts};
use crate::deliver::route::HostBook;
use crate::deliver::{Delivery, RelayTerms, Terms};
use crate::queue::Routes;
use crate::receive::access::{Access, Door};
use crate::receive::listener::Reception;
use crate::receive::standing::Standing;
use crate::smtp::server::Credentials;
use std::sync::Arc;

pub(super) struct Parts {
    pub access: Access,
    pub routes: Arc<Routes>,
    pub contacts: Arc<Contacts>,
    pub terms: Arc<Terms>,
}

impl Parts {
    /// # Errors
    /// When a password cannot be read.
    pub fn of(config: &Config) -> Result<Parts, ServeError> {
        let routes = Arc::new(config.routes());
        let contact = |s: &Site| Contact { duty: s.duty.clone(), phone: s.phone.clone() };
        let relays = config.relays.iter().map(relay).collect::<Result<_, ServeError>>()?;
        Ok(Parts {
            access: Access { doors: config.sites.iter().map(door).collect(), routes: routes.clone() },
            routes,
            contacts: Arc::new(config.sites.iter().map(|s| (s.name.clone(), contact(s))).collect()),
            terms: Arc::new(Terms {
                hosts: hosts(config),
                proofs: config.proofs(),
                relays,
                retry: config.queue.retry.clone(),
            }),
        })
    }
}

fn door(site: &Site) -> Arc<Door> {
    Arc::new(Door {
        site: site.name.clone(),
        domains: site.domains.clone(),
        networks: site.networks.clone(),
        senders: site.senders,
        require: site.require,
        exchange: site.exchange.iter().filter_map(|h| h.host.parse().ok()).collect(),
    })
}

fn relay(relay: &Relay) -> Result<(Arc<str>, RelayTerms), ServeError> {
    let login = match &relay.auth {
        Some(auth) => Some(Credentials { name: auth.user.clone(), password: secret::password(&auth.password_file)? }),
        None => None,
    };
    Ok((relay.name.clone(), RelayTerms { onward: relay.onward, carries: relay.carries.clone(), login }))
}

fn hosts(config: &Config) -> HostBook {
    let listed = |hosts: &[HostPort]| hosts.iter().map(|h| (h.host.clone(), h.port)).collect();
    HostBook {
        sites: config.sites.iter().map(|s| (s.name.clone(), listed(&s.exchange))).collect(),
        relays: config.relays.iter().map(|r| (r.name.clone(), listed(&r.hosts))).collect(),
        mx_port: config.deliver.port,
        allow_private: config.deliver.allow_private,
    }
}

/// The stages of a running gateway, as far as they take what changes.
pub(super) struct Stages {
    pub reception: Arc<Reception>,
    pub delivery: Arc<Delivery>,
}

impl Stages {
    /// Puts a generation into force: where nothing of gateway.toml has changed, what is there stays.
    pub fn swap(&self, parts: Option<Parts>, judge: Judge) {
        let (judge, delivery) = (Arc::new(judge), &self.delivery);
        let access = match parts {
            Some(Parts { access, routes, contacts, terms }) => {
                delivery.routes.replace(routes);
                delivery.terms.store(terms);
                delivery.announcer.contacts.store(contacts);
                access
            }
            None => self.reception.standing.load().access.clone(),
        };
        self.reception.standing.store(Arc::new(Standing { access, judge: judge.clone() }));
        // Last: links that were opened under another judge are opened anew, and the first of all lets mail in.
        delivery.judge.replace(judge);
    }
}

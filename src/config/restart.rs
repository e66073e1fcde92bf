//! What of gateway.toml is read at a start only: it is bound, opened or told to others by then. Pure.
//!
//! Called at a reload. Promises: a key that a reload would silently ignore is named with both values; no value here is a secret.

use super::{Config, Deliver, Dns, Limits, Listener, QueueSettings, Relay, Site, TlsFiles};
use crate::queue::Retry;
use std::fmt::Debug;
use std::path::PathBuf;

/// The keys that differ and need a restart, with both values.
///
/// Every struct is taken apart whole: a key that is new is named here, or in what a reload takes, or this does not compile.
#[must_use]
pub fn needs_restart(old: &Config, new: &Config) -> Vec<String> {
    let mut keys = Differing(Vec::new());
    // A reload takes sites and relays, but for what `logins` looks at.
    let Config {
        file: _,
        text: _,
        hostname,
        data,
        policies,
        sites,
        listeners,
        relays,
        deliver,
        dns,
        tls,
        queue,
        limits,
        admin,
    } = new;
    // All of a relay's is taken.
    relays
        .iter()
        .for_each(|Relay { name: _, hosts: _, require: _, names: _, pins: _, onward: _, carries: _, auth: _ }| ());
    keys.compare("hostname", old.hostname.as_str(), hostname.as_str());
    keys.compare("data", &old.data, data);
    keys.compare("policies", &old.policies, policies);
    keys.compare("listen", &listening(&old.listeners), &listening(listeners));
    let Deliver { port, smarthost: _, allow_private, mta_sts_port } = deliver;
    keys.compare("deliver.port", &old.deliver.port, port);
    keys.compare("deliver.allow-private", &old.deliver.allow_private, allow_private);
    keys.compare("deliver.mta-sts-port", &old.deliver.mta_sts_port, mta_sts_port);
    let Dns { servers, dnssec, self_test } = dns;
    keys.compare("dns.servers", &old.dns.servers, servers);
    keys.compare("dns.dnssec", &old.dns.dnssec, dnssec);
    keys.compare("dns.self-test", &old.dns.self_test, self_test);
    let TlsFiles { identity, extra_roots, profile } = tls;
    keys.compare("tls.certificate and tls.key", &old.tls.identity, identity);
    keys.compare("tls.extra-roots", &old.tls.extra_roots, extra_roots);
    keys.compare("tls.profile", &old.tls.profile, profile);
    let QueueSettings { retry: Retry { pauses: _, expire: _ }, min_free } = queue;
    keys.compare("queue.min-free", &old.queue.min_free, min_free);
    for ((key, old), (_, new)) in numbers(&old.limits).iter().zip(&numbers(limits)) {
        keys.compare(key, old, new);
    }
    keys.compare("web.admin", &old.admin, admin);
    keys.compare("site.NAME.logins", &logins(&old.sites), &logins(sites));
    keys.0
}

struct Differing(Vec<String>);

impl Differing {
    fn compare<T: PartialEq + Debug + ?Sized>(&mut self, key: &str, old: &T, new: &T) {
        if old != new {
            self.0.push(format!("{key}: {old:?} now, {new:?} in the file"));
        }
    }
}

/// By the names that they have in the file.
fn numbers(limits: &Limits) -> [(&'static str, u128); 11] {
    let Limits {
        max_message,
        sessions,
        sessions_per_client,
        recipients,
        line,
        header,
        hops,
        idle,
        message_time,
        links,
        links_per_destination,
    } = limits;
    let number = |n: &usize| *n as u128;
    [
        ("limits.max-message", (*max_message).into()),
        ("limits.sessions", number(sessions)),
        ("limits.sessions-per-client", number(sessions_per_client)),
        ("limits.recipients", number(recipients)),
        ("limits.line", number(line)),
        ("limits.header", number(header)),
        ("limits.hops", number(hops)),
        ("limits.idle (seconds)", idle.as_secs().into()),
        ("limits.message-time (seconds)", message_time.as_secs().into()),
        ("limits.links", number(links)),
        ("limits.links-per-destination", number(links_per_destination)),
    ]
}

/// Sorted: the order in which tables stand says nothing.
fn listening(listeners: &[Listener]) -> Vec<String> {
    let one = |Listener { name, address, mail_from, tls }: &Listener| format!("{name} {address} {mail_from:?} {tls:?}");
    let mut all: Vec<String> = listeners.iter().map(one).collect();
    all.sort();
    all
}

fn logins(sites: &[Site]) -> Vec<(&str, &PathBuf)> {
    let one = |site| {
        // All but `logins` is taken.
        let Site {
            name,
            description: _,
            domains: _,
            exchange: _,
            networks: _,
            logins,
            senders: _,
            require: _,
            names: _,
            pins: _,
            duty: _,
            phone: _,
            elsewhere: _,
            requiretls: _,
            journal: _,
        }: &Site = site;
        Some((name.as_ref(), logins.as_ref()?))
    };
    let mut all: Vec<_> = sites.iter().filter_map(one).collect();
    all.sort();
    all
}

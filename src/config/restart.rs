//! What of gateway.toml is read at a start only: it is bound, opened or told to others by then. Pure.
//!
//! Called at a reload. Promises: a key that a reload would silently ignore is named with both values; no value here is a secret.

use super::{Config, Limits};
use std::fmt::Debug;
use std::path::PathBuf;

/// The keys that differ and need a restart, with both values.
#[must_use]
pub fn needs_restart(old: &Config, new: &Config) -> Vec<String> {
    let mut keys = Differing(Vec::new());
    keys.compare("hostname", old.hostname.as_str(), new.hostname.as_str());
    keys.compare("data", &old.data, &new.data);
    keys.compare("policies", &old.policies, &new.policies);
    keys.compare("listen", &listeners(old), &listeners(new));
    keys.compare("deliver.port", &old.deliver.port, &new.deliver.port);
    keys.compare("deliver.allow-private", &old.deliver.allow_private, &new.deliver.allow_private);
    keys.compare("deliver.mta-sts-port", &old.deliver.mta_sts_port, &new.deliver.mta_sts_port);
    keys.compare("dns.servers", &old.dns.servers, &new.dns.servers);
    keys.compare("dns.dnssec", &old.dns.dnssec, &new.dns.dnssec);
    keys.compare("dns.self-test", &old.dns.self_test, &new.dns.self_test);
    keys.compare("tls.certificate and tls.key", &old.tls.identity, &new.tls.identity);
    keys.compare("tls.extra-roots", &old.tls.extra_roots, &new.tls.extra_roots);
    keys.compare("queue.min-free", &old.queue.min_free, &new.queue.min_free);
    for ((key, old), (_, new)) in limits(&old.limits).iter().zip(&limits(&new.limits)) {
        keys.compare(key, old, new);
    }
    keys.compare("web.admin", &old.admin, &new.admin);
    keys.compare("site.NAME.logins", &logins(old), &logins(new));
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
fn limits(l: &Limits) -> [(&'static str, u128); 11] {
    let number = |n: usize| n as u128;
    [
        ("limits.max-message", l.max_message.into()),
        ("limits.sessions", number(l.sessions)),
        ("limits.sessions-per-client", number(l.sessions_per_client)),
        ("limits.recipients", number(l.recipients)),
        ("limits.line", number(l.line)),
        ("limits.header", number(l.header)),
        ("limits.hops", number(l.hops)),
        ("limits.idle (seconds)", l.idle.as_secs().into()),
        ("limits.message-time (seconds)", l.message_time.as_secs().into()),
        ("limits.links", number(l.links)),
        ("limits.links-per-destination", number(l.links_per_destination)),
    ]
}

/// Sorted: the order in which tables stand says nothing.
fn listeners(config: &Config) -> Vec<String> {
    let one = |l: &super::Listener| format!("{} {} {:?} {:?}", l.name, l.address, l.mail_from, l.tls);
    let mut all: Vec<String> = config.listeners.iter().map(one).collect();
    all.sort();
    all
}

fn logins(config: &Config) -> Vec<(&str, &PathBuf)> {
    let mut all: Vec<_> = config.sites.iter().filter_map(|s| Some((s.name.as_ref(), s.logins.as_ref()?))).collect();
    all.sort();
    all
}

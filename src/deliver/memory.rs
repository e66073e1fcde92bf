//! What delivery remembers of hosts for a while, so that one bad host does not cost every message its time-out.
//!
//! Called by `link` and `attempt`. Promises: bounded, and every memory ends; what is new is always remembered; forgetting costs time and nothing else; nothing
//! here makes a link count for more than it is. Lost at a restart.

use crate::policy::FailedTls;
use crate::vocabulary::Reason;
use std::collections::HashMap;
use std::hash::Hash;
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a host or an address that failed is tried last.
const SHUNNED: Duration = Duration::from_secs(120);
/// How long a host that does not know BDAT gets DATA: it may be mended by the next day.
const SAYS_DATA: Duration = Duration::from_secs(24 * 60 * 60);
/// How long TLS that failed twice is not tried where mail may go without: it should be tried again soon.
pub(super) const TLS_FAILED: Duration = Duration::from_secs(5 * 60);
/// How long is believed what a look at a host found, and nobody looks again.
const LOOKED: Duration = Duration::from_secs(10 * 60);
/// Things that are remembered of each kind.
const MOST: usize = 10_000;

/// What is known of hosts.
#[derive(Debug, Default)]
pub struct HostMemory {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    hosts: Expiring<String, ()>,
    addresses: Expiring<SocketAddr, ()>,
    says_data: Expiring<String, ()>,
    tls_failed: Expiring<String, FailedTls>,
    looked: Expiring<String, Looked>,
}

/// How a handshake failed, and what a look found behind it.
#[derive(Debug, Clone, Copy)]
struct Looked {
    failed: Reason,
    found: Reason,
}

impl HostMemory {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// None of the host's addresses gave a link.
    pub(super) fn host_failed(&self, host: &str) {
        self.lock().hosts.keep(host.to_owned(), (), SHUNNED);
    }

    pub(super) fn address_failed(&self, address: SocketAddr) {
        self.lock().addresses.keep(address, (), SHUNNED);
    }

    /// It gave a link: whatever was remembered against it is over.
    pub(super) fn works(&self, host: &str, address: SocketAddr) {
        let mut inner = self.lock();
        inner.hosts.known.remove(host);
        inner.addresses.known.remove(&address);
    }

    /// Hosts that failed a moment ago go last; else the order stays (RFC 5321 5.1).
    pub(super) fn good_hosts_first<T>(&self, hosts: &mut [T], name: impl Fn(&T) -> &str) {
        let inner = self.lock();
        hosts.sort_by_key(|host| inner.hosts.get(name(host)).is_some());
    }

    pub(super) fn good_addresses_first(&self, addresses: &mut [SocketAddr]) {
        let inner = self.lock();
        addresses.sort_by_key(|address| inner.addresses.get(address).is_some());
    }

    /// The host offers CHUNKING and cannot do it.
    pub(super) fn say_data(&self, host: &str) {
        self.lock().says_data.keep(host.to_owned(), (), SAYS_DATA);
    }

    /// Returns until when that is remembered.
    pub(super) fn tls_failed_twice(&self, host: &str, failed: FailedTls) -> Instant {
        self.lock().tls_failed.keep(host.to_owned(), failed, TLS_FAILED);
        Instant::now() + TLS_FAILED
    }

    /// Whether TLS failed twice a moment ago, and until when that is remembered.
    pub(super) fn tls_failed(&self, host: &str) -> Option<(FailedTls, Instant)> {
        let inner = self.lock();
        inner.tls_failed.get(host)?;
        inner.tls_failed.known.get(host).cloned()
    }

    /// What is known of a handshake that failed so; None, once in ten minutes: it is to be looked for now.
    pub(super) fn why_tls_fails(&self, host: &str, failed: Reason) -> Option<Reason> {
        let mut inner = self.lock();
        match inner.looked.get(host) {
            Some(looked) if looked.failed == failed => Some(looked.found),
            Some(_) => Some(failed),
            None => {
                inner.looked.keep(host.to_owned(), Looked { failed, found: failed }, LOOKED);
                None
            }
        }
    }

    pub(super) fn tls_fails_because(&self, host: &str, (failed, found): (Reason, Reason)) {
        self.lock().looked.keep(host.to_owned(), Looked { failed, found }, LOOKED);
    }

    pub(super) fn tls_works(&self, host: &str) {
        self.lock().tls_failed.known.remove(host);
    }

    pub(super) fn says_data(&self, host: &str) -> bool {
        self.lock().says_data.get(host).is_some()
    }
}

/// A bounded map whose values end.
#[derive(Debug)]
struct Expiring<K, V> {
    known: HashMap<K, (V, Instant)>,
}

impl<K, V> Default for Expiring<K, V> {
    fn default() -> Expiring<K, V> {
        Expiring { known: HashMap::new() }
    }
}

impl<K: Clone + Eq + Hash, V> Expiring<K, V> {
    fn keep(&mut self, key: K, value: V, patience: Duration) {
        if self.known.len() >= MOST {
            let now = Instant::now();
            self.known.retain(|_, (_, until)| *until > now);
        }
        // Still full: what ends first goes. What is new must be remembered, or a host that cannot do BDAT would get it again
        // at once for ever.
        if self.known.len() >= MOST && !self.known.contains_key(&key) {
            let first = self.known.iter().min_by_key(|(_, (_, until))| *until).map(|(known, _)| known.clone());
            first.map(|first| self.known.remove(&first));
        }
        self.known.insert(key, (value, Instant::now() + patience));
    }

    fn get<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: std::borrow::Borrow<Q>,
    {
        self.known.get(key).filter(|(_, until)| *until > Instant::now()).map(|(value, _)| value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_failed_goes_last_until_it_works_again() {
        let memory = HostMemory::default();
        let address: SocketAddr = "192.0.2.1:25".parse().unwrap();
        memory.host_failed("a");
        memory.address_failed(address);
        let order = || {
            let mut hosts = ["a", "b", "c"];
            memory.good_hosts_first(&mut hosts, |h| h);
            let mut addresses = [address, "192.0.2.2:25".parse().unwrap()];
            memory.good_addresses_first(&mut addresses);
            (hosts, addresses[0] == address)
        };
        assert_eq!(order(), (["b", "c", "a"], false));
        memory.works("a", address);
        assert_eq!(order(), (["a", "b", "c"], true));
    }

    #[test]
    fn a_host_is_looked_at_once() {
        use Reason as R;
        let memory = HostMemory::default();
        assert_eq!(memory.why_tls_fails("a", R::TlsReset), None);
        assert_eq!(memory.why_tls_fails("a", R::TlsReset), Some(R::TlsReset), "somebody is looking");
        memory.tls_fails_because("a", (R::TlsReset, R::TlsVersionTooOld));
        assert_eq!(memory.why_tls_fails("a", R::TlsReset), Some(R::TlsVersionTooOld));
        assert_eq!(memory.why_tls_fails("a", R::TlsHandshakeFailed), Some(R::TlsHandshakeFailed), "another failure");
        assert_eq!(memory.why_tls_fails("b", R::TlsReset), None);
    }

    #[test]
    fn memory_is_bounded_and_ends() {
        let mut map = Expiring::default();
        map.keep(0, (), Duration::ZERO);
        assert!(map.get(&0).is_none());
        (1..MOST + 10).for_each(|n| map.keep(n, (), Duration::from_secs(60)));
        assert_eq!(map.known.len(), MOST);
        assert!(map.get(&1).is_none() && map.get(&(MOST + 9)).is_some(), "the oldest make room");
    }

    #[test]
    fn a_host_that_cannot_do_bdat_is_remembered_however_many_are() {
        let memory = HostMemory::default();
        (0..MOST).for_each(|n| memory.say_data(&n.to_string()));
        memory.say_data("one more");
        assert!(memory.says_data("one more"), "or the same message would go to it at once for ever");
    }
}

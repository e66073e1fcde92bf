//! How many sessions may be open, in all and per client.
//!
//! Called by `receive::listener` for each connection. Promises: counts go down when a session ends, however it ends.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// Counts open sessions.
#[derive(Debug)]
pub struct SessionLimits {
    in_all: usize,
    per_client: usize,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    in_all: usize,
    clients: HashMap<IpAddr, usize>,
}

/// Who asks for a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// A client in a site's network.
    Site,
    Stranger,
}

/// A place among the sessions; free again when dropped.
#[derive(Debug)]
pub struct Place {
    of: Arc<SessionLimits>,
    client: IpAddr,
}

impl SessionLimits {
    #[must_use]
    pub fn new(in_all: usize, per_client: usize) -> Arc<SessionLimits> {
        Arc::new(SessionLimits { in_all, per_client, open: Mutex::default() })
    }

    /// Sessions that are open now.
    #[must_use]
    pub fn open(&self) -> usize {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).in_all
    }

    /// A place for a session of `client`, if there is one. A fifth of all places is the sites' alone, so that strangers
    /// never keep a site's Exchange out.
    #[must_use]
    pub fn take(self: &Arc<Self>, client: IpAddr, who: Who) -> Option<Place> {
        let client = counted(client);
        let kept = self.in_all.div_ceil(5).min(self.in_all.saturating_sub(1));
        let most = if who == Who::Site { self.in_all } else { self.in_all - kept };
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.clients.get(&client).copied().unwrap_or(0);
        if open.in_all >= most || count >= self.per_client {
            return None;
        }
        open.in_all += 1;
        open.clients.insert(client, count + 1);
        Some(Place { of: self.clone(), client })
    }
}

/// An IPv6 host has a whole /64 to come from: it is counted as one client.
pub(super) fn counted(client: IpAddr) -> IpAddr {
    match client.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6((u128::from(v6) & !u128::from(u64::MAX)).into()),
        v4 => v4,
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.of.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.in_all = open.in_all.saturating_sub(1);
        match open.clients.get_mut(&self.client) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(open.clients.remove(&self.client)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_client_cannot_take_every_place() {
        let limits = SessionLimits::new(3, 2);
        let (greedy, other): (IpAddr, IpAddr) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        let places = (limits.take(greedy, Who::Site), limits.take(greedy, Who::Site));
        assert!(limits.take(greedy, Who::Site).is_none());
        let third = limits.take(other, Who::Site);
        assert!(third.is_some() && limits.take(other, Who::Site).is_none(), "three in all");
        drop(places);
        assert!(limits.take(greedy, Who::Site).is_some());
    }

    #[test]
    fn strangers_never_keep_a_site_out() {
        let limits = SessionLimits::new(10, 100);
        let (stranger, site): (IpAddr, IpAddr) = ("192.0.2.1".parse().unwrap(), "10.0.0.1".parse().unwrap());
        let strangers: Vec<_> = std::iter::from_fn(|| limits.take(stranger, Who::Stranger)).collect();
        assert_eq!(strangers.len(), 8);
        assert!(limits.take(site, Who::Site).is_some());
    }

    #[test]
    fn a_host_with_a_whole_network_of_addresses_is_one_client() {
        let limits = SessionLimits::new(10, 1);
        let _first = limits.take("2001:db8::1".parse().unwrap(), Who::Stranger);
        assert!(limits.take("2001:db8::2".parse().unwrap(), Who::Stranger).is_none());
        assert!(limits.take("2001:db8:0:1::1".parse().unwrap(), Who::Stranger).is_some());
    }
}

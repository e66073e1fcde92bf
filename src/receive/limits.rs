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

    /// A place for a session of `client`, if there is one.
    #[must_use]
    pub fn take(self: &Arc<Self>, client: IpAddr) -> Option<Place> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.clients.get(&client).copied().unwrap_or(0);
        if open.in_all >= self.in_all || count >= self.per_client {
            return None;
        }
        open.in_all += 1;
        open.clients.insert(client, count + 1);
        Some(Place { of: self.clone(), client })
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
        let places = (limits.take(greedy), limits.take(greedy));
        assert!(limits.take(greedy).is_none());
        let third = limits.take(other);
        assert!(third.is_some() && limits.take(other).is_none(), "three in all");
        drop(places);
        assert!(limits.take(greedy).is_some());
    }
}

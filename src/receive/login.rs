//! Where logins are checked: a few at a time, and not for those who only guess.
//!
//! `receive::connection` asks. Promises: however many ask, at most two checks run, each on a thread for it, and a bounded
//! number wait, of one client no more than a quarter of them; a client whose logins were refused ten times in ten minutes is
//! put off unread, whatever logins of its own it has; what is remembered of clients is bounded. Fails by `Denial`.

use super::limits::{SessionLimits, Who, counted};
use super::logins::Logins;
use crate::mail::Enhanced;
use crate::smtp::reply::Reply;
use crate::smtp::server::Credentials;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

/// Checks at once: each has a core and some 20 MB.
const CHECKS: usize = 2;
const WAITING: usize = 256;
const WAITING_OF_A_CLIENT: usize = 64;
/// How long a login waits for its turn.
const PATIENCE: Duration = Duration::from_secs(20);
/// Refused logins of a client in `MEMORY`, after which it is put off.
const REFUSALS: u32 = 10;
const MEMORY: Duration = Duration::from_secs(600);
/// Clients that are remembered.
const CLIENTS: usize = 10_000;

/// Why a login is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denial {
    /// No such name, or another password: nobody is told which.
    Wrong,
    /// Too many of the client's were.
    TooMany,
    /// Too many others wait.
    Busy,
}

impl Denial {
    /// RFC 4954 6
    #[must_use]
    pub fn reply(self) -> Reply {
        match self {
            Denial::Wrong => Reply::fixed(535, Enhanced(5, 7, 8), "Name or password is wrong"),
            Denial::TooMany => {
                Reply::fixed(454, Enhanced(4, 7, 0), "Too many refused logins from your address; try again later")
            }
            Denial::Busy => Reply::fixed(454, Enhanced(4, 7, 0), "Too many logins at once; try again later"),
        }
    }

    /// As metrics and logs name it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Denial::Wrong => "wrong",
            Denial::TooMany => "too-many",
            Denial::Busy => "busy",
        }
    }
}

/// Checks logins.
pub struct Desk {
    logins: Arc<Logins>,
    checks: Semaphore,
    waiting: Arc<SessionLimits>,
    refusals: Mutex<Refusals>,
}

impl Desk {
    #[must_use]
    pub fn new(logins: Logins) -> Desk {
        Desk {
            logins: Arc::new(logins),
            checks: Semaphore::new(CHECKS),
            waiting: SessionLimits::new(WAITING, WAITING_OF_A_CLIENT),
            refusals: Mutex::default(),
        }
    }

    /// Whether anybody can log in at all.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !self.logins.is_empty()
    }

    /// The site that the client speaks for.
    ///
    /// # Errors
    /// When it is not known, or cannot be known now.
    pub async fn check(&self, client: IpAddr, given: Credentials) -> Result<Arc<str>, Denial> {
        let client = counted(client);
        let _place = self.waiting.take(client, Who::Site).ok_or(Denial::Busy)?;
        let turn = tokio::time::timeout(PATIENCE, self.checks.acquire()).await;
        let Ok(Ok(_turn)) = turn else { return Err(Denial::Busy) };
        // Asked when its turn has come: those that waited beside it may have been refused by now.
        if self.refusals().of(client, Instant::now()) >= REFUSALS {
            return Err(Denial::TooMany);
        }
        let logins = self.logins.clone();
        let checked = tokio::task::spawn_blocking(move || logins.check(&given)).await.map_err(|_| Denial::Busy)?;
        // A good login forgives nothing: whoever has one could guess the others' between two of its own.
        checked.ok_or_else(|| {
            self.refusals().add(client, Instant::now());
            Denial::Wrong
        })
    }

    fn refusals(&self) -> std::sync::MutexGuard<'_, Refusals> {
        self.refusals.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Refused logins by client, with the time of the first.
#[derive(Default)]
struct Refusals {
    clients: HashMap<IpAddr, (u32, Instant)>,
}

impl Refusals {
    fn of(&self, client: IpAddr, now: Instant) -> u32 {
        self.clients
            .get(&client)
            .filter(|(_, first)| now.duration_since(*first) < MEMORY)
            .map_or(0, |(count, _)| *count)
    }

    fn add(&mut self, client: IpAddr, now: Instant) {
        if self.clients.len() >= CLIENTS && !self.clients.contains_key(&client) {
            self.make_room(now);
        }
        let count = self.of(client, now);
        let first = if count == 0 { now } else { self.clients.get(&client).map_or(now, |(_, first)| *first) };
        self.clients.insert(client, (count.saturating_add(1), first));
    }

    /// Forgets what is old; if nothing is, one of those that were refused least.
    fn make_room(&mut self, now: Instant) {
        self.clients.retain(|_, (_, first)| now.duration_since(*first) < MEMORY);
        if self.clients.len() >= CLIENTS
            && let Some(least) = self.clients.iter().min_by_key(|(_, (count, _))| *count).map(|(client, _)| *client)
        {
            self.clients.remove(&least);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(n: u32) -> IpAddr {
        IpAddr::V4(n.into())
    }

    #[test]
    fn refusals_are_forgotten_after_their_time() {
        let (mut refusals, begin) = (Refusals::default(), Instant::now());
        for n in 0..REFUSALS {
            refusals.add(address(1), begin + Duration::from_secs(u64::from(n)));
        }
        assert_eq!(refusals.of(address(1), begin + Duration::from_secs(599)), REFUSALS);
        assert_eq!(refusals.of(address(2), begin), 0);
        assert_eq!(refusals.of(address(1), begin + MEMORY), 0);
        refusals.add(address(1), begin + MEMORY);
        assert_eq!(refusals.of(address(1), begin + MEMORY), 1, "it begins anew");
    }

    #[test]
    fn clients_that_are_remembered_are_bounded_and_who_guesses_most_is_not_forgotten() {
        let (mut refusals, now) = (Refusals::default(), Instant::now());
        (0..REFUSALS).for_each(|_| refusals.add(address(0), now));
        (1..20_000).for_each(|n| refusals.add(address(n), now));
        assert_eq!(refusals.clients.len(), CLIENTS);
        assert_eq!(refusals.of(address(0), now), REFUSALS);
    }

    fn desk(folder: &tempfile::TempDir) -> Desk {
        let entry = super::super::logins::entry("exchange", "right").unwrap();
        let file = folder.path().join("k");
        std::fs::write(&file, entry).unwrap();
        std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        Desk::new(Logins::read([(&"kingston".into(), file.as_path())].into_iter()).unwrap())
    }

    async fn ask(desk: &Desk, client: u32, password: &str) -> Result<Arc<str>, Denial> {
        desk.check(address(client), Credentials { name: "exchange".into(), password: password.into() }).await
    }

    #[tokio::test]
    async fn a_client_that_guesses_is_put_off_unread_and_nobody_else() {
        let folder = tempfile::tempdir().unwrap();
        let desk = desk(&folder);
        let mut guesses = Vec::new();
        for _ in 0..REFUSALS + 1 {
            guesses.push(ask(&desk, 1, "guess").await.unwrap_err());
        }
        assert_eq!(guesses.pop(), Some(Denial::TooMany));
        assert!(guesses.iter().all(|denial| *denial == Denial::Wrong));
        assert_eq!(ask(&desk, 1, "right").await, Err(Denial::TooMany));
        assert_eq!(ask(&desk, 2, "right").await.as_deref(), Ok("kingston"));
    }

    #[tokio::test]
    async fn whoever_has_a_login_guesses_no_more_than_others() {
        let folder = tempfile::tempdir().unwrap();
        let desk = desk(&folder);
        for _ in 0..REFUSALS {
            assert!(ask(&desk, 1, "right").await.is_ok());
            assert_eq!(ask(&desk, 1, "guess").await, Err(Denial::Wrong));
        }
        assert_eq!(ask(&desk, 1, "guess").await, Err(Denial::TooMany));
    }
}

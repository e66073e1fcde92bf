//! What each mail host offered before: whoever takes encryption or a certificate away on the way takes it away from a host that had it.
//!
//! Asked by `deliver` for every link that was opened, and by `control`. Promises: what a host once offered is not forgotten because it
//! offers less; only a person's word does that, or that it offers as much again; a certificate that has merely run out is told from another
//! key; kept over restarts; bounded, and whoever brings many hosts of his own pushes out his own first. Never fails: what cannot be kept
//! on the disk is known until the process ends.

use crate::clock::{Now, Wall};
use crate::mail::{Link, TlsVersion};
use crate::store::kept;
use crate::vocabulary::{Proof, Reason};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Hosts that are remembered.
const KEPT: usize = 20_000;
/// A host that was merely seen again is written so often.
const SEEN_AGAIN: Duration = Duration::from_secs(60 * 60);
/// Between two looks at whether there is anything to write.
const LOOK: Duration = Duration::from_secs(10);

/// What a host offers at one time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offered {
    pub starttls: bool,
    pub version: Option<TlsVersion>,
    pub proof: Proof,
    /// `sha256/BASE64` of the key that it showed.
    pub key: Option<String>,
}

impl Offered {
    #[must_use]
    pub fn on(link: &Link) -> Offered {
        let tls = link.tls.as_ref();
        Offered {
            starttls: tls.is_some(),
            version: tls.map(|tls| tls.version),
            proof: link.proof,
            key: tls.and_then(|tls| tls.spki.clone()),
        }
    }
}

/// What is known of one host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Past {
    pub host: String,
    pub first: Wall,
    /// When it last offered all of this.
    pub last: Wall,
    /// The most that it has offered, and the key that it proved itself with, or showed last where it never did.
    pub offered: Offered,
    /// When that key was first seen.
    pub key_since: Wall,
    pub fall: Option<Fall>,
}

/// That a host offers less than it did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fall {
    pub since: Wall,
    pub offered: Offered,
    /// What is missing now.
    pub reason: Reason,
    /// A rule asks for more, and mail waits because of it.
    pub keeps_mail: bool,
}

impl Past {
    fn new(host: &str, offered: Offered, now: Wall) -> Past {
        Past { host: host.to_owned(), first: now, last: now, offered, key_since: now, fall: None }
    }

    /// What is missing of what it offered before. Another key is no fall while it proves the host, and a proof that is
    /// missing is none while the key is the one that proved it: a certificate ran out, or our policy changed.
    #[must_use]
    pub fn falls_to(&self, now: &Offered) -> bool {
        let without_tls = self.offered.starttls && !now.starttls;
        let unproved = self.offered.proof != Proof::Nothing && now.proof == Proof::Nothing;
        without_tls || (unproved && self.offered.key != now.key)
    }

    /// The key that it proved itself with.
    #[must_use]
    pub fn proved_key(&self) -> Option<&str> {
        self.offered.key.as_deref().filter(|_| self.offered.proof != Proof::Nothing)
    }

    /// What was offered is at least what is known; more is remembered.
    fn renew(&mut self, offered: Offered, now: Wall) {
        let is_proved = offered.proof != Proof::Nothing;
        let was_proved = self.offered.proof != Proof::Nothing;
        if (is_proved || !was_proved) && self.offered.key != offered.key {
            (self.offered.key, self.key_since) = (offered.key, now);
        }
        if is_proved {
            self.offered.proof = offered.proof;
        }
        self.offered.starttls |= offered.starttls;
        self.offered.version = self.offered.version.max(offered.version);
        (self.last, self.fall) = (now, None);
    }
}

/// What all hosts offered before.
pub struct Memory {
    file: PathBuf,
    hosts: Mutex<HashMap<String, Past>>,
    /// Something was learned that is not on the disk yet.
    changed: AtomicBool,
}

/// What is kept in a data folder.
#[must_use]
pub fn read(data: &Path) -> Vec<Past> {
    kept::read(&file(data), "what mail hosts offered before")
}

fn file(data: &Path) -> PathBuf {
    data.join("hosts.json")
}

impl Memory {
    /// With what was kept in the data folder.
    #[must_use]
    pub fn new(data: &Path) -> Memory {
        let hosts = read(data).into_iter().map(|past| (past.host.clone(), past)).collect();
        Memory { file: file(data), hosts: Mutex::new(hosts), changed: AtomicBool::new(false) }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Past>> {
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[must_use]
    pub fn of(&self, host: &str) -> Option<Past> {
        self.lock().get(&named(host)).cloned()
    }

    /// Remembers what a host offers now, which is no fall.
    pub fn renew(&self, host: &str, offered: Offered) {
        let (name, now) = (named(host), Now::read().wall);
        let mut hosts = self.lock();
        let Some(past) = hosts.get_mut(&name) else {
            if hosts.len() >= KEPT {
                forget_one(&mut hosts);
            }
            hosts.insert(name.clone(), Past::new(&name, offered, now));
            return self.changed.store(true, Ordering::Relaxed);
        };
        let before = past.clone();
        past.renew(offered, now);
        let is_new = (&before.offered, &before.fall) != (&past.offered, &past.fall);
        if is_new || before.last.plus(SEEN_AGAIN) <= now {
            self.changed.store(true, Ordering::Relaxed);
        } else {
            // Not written for this alone.
            past.last = before.last;
        }
    }

    /// Remembers that a host fell; whether that is said for the first time.
    pub fn fell(&self, host: &str, fall: Fall) -> bool {
        let mut hosts = self.lock();
        let Some(past) = hosts.get_mut(&named(host)) else { return false };
        let before = past.fall.take();
        let is_first = fall.keeps_mail && !before.as_ref().is_some_and(|before| before.keeps_mail);
        let since = before.as_ref().map_or(fall.since, |before| before.since);
        let keeps_mail = fall.keeps_mail || before.is_some_and(|before| before.keeps_mail);
        past.fall = Some(Fall { since, keeps_mail, ..fall });
        self.changed.store(true, Ordering::Relaxed);
        is_first
    }

    /// What is known of a host that fell to what somebody has `seen`.
    ///
    /// # Errors
    /// When it is not known, has not fallen, or offers something else by now.
    pub fn fallen(&self, host: &str, seen: &Offered) -> Result<Past, String> {
        let past = self.of(host).ok_or_else(|| {
            format!(
                "no mail host `{}` is known\nhint: name the host, not the domain: `mailward hosts show` lists them",
                named(host)
            )
        })?;
        match &past.fall {
            Some(fall) if fall.offered == *seen => Ok(past),
            Some(_) => Err(format!(
                "{} offers something else by now, so nothing is accepted\nhint: look again: `mailward hosts show {0}`",
                past.host
            )),
            None => Err(format!(
                "{} offers what it offered before, so there is nothing to accept\nhint: see `mailward hosts show {0}`",
                past.host
            )),
        }
    }

    /// A person's word: what the host offers since it fell, and they have seen, is what it has to offer.
    ///
    /// # Errors
    /// When it is not known, or has not fallen.
    pub fn accept(&self, host: &str, seen: &Offered) -> Result<Past, String> {
        let past = self.fallen(host, seen)?;
        let accepted = Past { first: past.first, ..Past::new(&past.host, seen.clone(), Now::read().wall) };
        self.lock().insert(past.host, accepted.clone());
        self.changed.store(true, Ordering::Relaxed);
        Ok(accepted)
    }

    /// All that is known, by name.
    #[must_use]
    pub fn all(&self) -> Vec<Past> {
        let mut all: Vec<Past> = self.lock().values().cloned().collect();
        all.sort_by(|a, b| a.host.cmp(&b.host));
        all
    }

    /// Hosts that fell, for which mail waits.
    #[must_use]
    pub fn suspected(&self) -> usize {
        self.lock().values().filter(|past| past.fall.as_ref().is_some_and(|fall| fall.keeps_mail)).count()
    }

    /// Writes what was learned to the data folder, for as long as the gateway runs.
    pub async fn look_after(self: Arc<Self>) {
        loop {
            tokio::time::sleep(LOOK).await;
            self.write().await;
        }
    }

    /// Writes what was learned since the last time.
    pub async fn write(&self) {
        if !self.changed.swap(false, Ordering::Relaxed) {
            return;
        }
        let (file, all) = (self.file.clone(), self.all());
        let written = tokio::task::spawn_blocking(move || kept::write(&file, &all)).await;
        if !matches!(written, Ok(Ok(()))) {
            self.changed.store(true, Ordering::Relaxed);
            tracing::error!("what mail hosts offered before could not be kept in the data folder");
        }
    }
}

fn named(host: &str) -> String {
    host.trim_end_matches('.').to_ascii_lowercase()
}

/// The host that was known for the shortest time goes: a stranger can bring thousands of names, and cannot make them old.
fn forget_one(hosts: &mut HashMap<String, Past>) {
    let known_for = |past: &Past| (past.offered.proof != Proof::Nothing, past.last.since(past.first), past.last);
    let first = hosts.values().min_by_key(|past| known_for(past)).map(|past| past.host.clone());
    first.map(|first| hosts.remove(&first));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offered(proof: Proof, key: &str) -> Offered {
        Offered { starttls: true, version: Some(TlsVersion::Tls13), proof, key: Some(key.to_owned()) }
    }

    const CLEAR: Offered = Offered { starttls: false, version: None, proof: Proof::Nothing, key: None };

    fn fall(offered: Offered, keeps_mail: bool) -> Fall {
        Fall { since: Now::read().wall, offered, reason: Reason::TlsNotOffered, keeps_mail }
    }

    fn memory(folder: &Path) -> Memory {
        let memory = Memory::new(folder);
        memory.renew("MX.partner.example.", offered(Proof::Pkix, "one"));
        memory
    }

    #[test]
    fn what_counts_as_a_fall() {
        let folder = tempfile::tempdir().unwrap();
        let past = memory(folder.path()).of("mx.partner.example").unwrap();
        for (now, falls) in [
            (CLEAR, true),
            (offered(Proof::Nothing, "two"), true),
            (offered(Proof::Nothing, "one"), false),
            (offered(Proof::Pkix, "two"), false),
            (offered(Proof::Dane, "three"), false),
            (Offered { version: Some(TlsVersion::Tls12), ..offered(Proof::Pkix, "one") }, false),
        ] {
            assert_eq!(past.falls_to(&now), falls, "{now:?}");
        }
        let unproved = Past::new("mx", offered(Proof::Nothing, "one"), Wall(0));
        assert!(!unproved.falls_to(&offered(Proof::Nothing, "two")), "a key that never proved anything");
        assert!(!Past::new("mx", CLEAR, Wall(0)).falls_to(&CLEAR));
    }

    #[test]
    fn less_is_not_remembered_in_the_place_of_more() {
        let folder = tempfile::tempdir().unwrap();
        let memory = memory(folder.path());
        memory.renew("mx.partner.example", offered(Proof::Nothing, "one"));
        let past = memory.of("mx.partner.example").unwrap();
        assert_eq!((past.offered.proof, past.offered.key.as_deref()), (Proof::Pkix, Some("one")));
        assert!(past.falls_to(&offered(Proof::Nothing, "two")));
        memory.renew("mx.partner.example", offered(Proof::Pkix, "two"));
        assert!(!memory.of("mx.partner.example").unwrap().falls_to(&offered(Proof::Nothing, "two")), "its new key");
    }

    #[test]
    fn a_fall_is_said_once_and_ends_when_it_offers_as_much_again_or_a_person_accepts_it() {
        let folder = tempfile::tempdir().unwrap();
        let memory = memory(folder.path());
        assert!(!memory.fell("mx.partner.example", fall(CLEAR, false)), "nobody asks for more");
        assert_eq!(memory.suspected(), 0);
        assert!(memory.fell("mx.partner.example", fall(CLEAR, true)));
        assert!(!memory.fell("mx.partner.example", fall(CLEAR, true)), "and not at each attempt");
        assert_eq!(memory.suspected(), 1);
        memory.renew("mx.partner.example", offered(Proof::Pkix, "one"));
        assert_eq!(memory.suspected(), 0);
        assert!(memory.accept("mx.partner.example", &CLEAR).unwrap_err().contains("nothing to accept"));
        assert!(memory.accept("partner.example", &CLEAR).unwrap_err().contains("not the domain"));
        memory.fell("mx.partner.example", fall(CLEAR, true));
        let other = memory.accept("mx.partner.example", &offered(Proof::Nothing, "k"));
        assert!(other.unwrap_err().contains("something else by now"), "nobody has seen what it offers");
        assert_eq!(memory.accept("mx.partner.example", &CLEAR).unwrap().offered, CLEAR);
        let past = memory.of("mx.partner.example").unwrap();
        assert!(!past.falls_to(&CLEAR) && past.fall.is_none());
    }

    #[tokio::test]
    async fn it_is_kept_over_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let before = memory(folder.path());
        before.fell("mx.partner.example", fall(CLEAR, true));
        before.write().await;
        let after = Memory::new(folder.path());
        assert_eq!(after.all(), before.all());
        assert!(!after.fell("mx.partner.example", fall(CLEAR, true)), "it was said before the restart");
    }

    #[test]
    fn whoever_brings_many_hosts_pushes_out_his_own() {
        let folder = tempfile::tempdir().unwrap();
        let memory = memory(folder.path());
        (0..KEPT + 5).for_each(|n| memory.renew(&format!("h{n}.attacker.example"), offered(Proof::Nothing, "k")));
        assert_eq!(memory.lock().len(), KEPT);
        assert!(memory.of("mx.partner.example").is_some());
        assert!(memory.of(&format!("h{}.attacker.example", KEPT + 4)).is_some(), "what is new is remembered");
    }
}

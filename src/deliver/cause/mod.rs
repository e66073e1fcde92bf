//! Whose fault it is: the same symptom at many unrelated destinations is ours. One cause, one alarm; nothing is given up meanwhile.
//!
//! Called by `Delivery` with how each opening of a link to the world ended. Promises: while a cause is ours, what fails like it waits for that
//! reason alone, and the time counts for nothing (`standstill`); when it ends, what waited for it is tried at once. What a host merely never
//! offered is no symptom. Lost at a restart: what was seen; kept: when time stood still.

mod standstill;
mod tally;

use super::Delivery;
use super::link::Missed;
use crate::clock::{Now, Wall};
use crate::mail::Link;
use crate::proof::memory::Memory;
use crate::queue::{Destination, Lane, entry};
use crate::store::{StoreError, kept};
use crate::vocabulary::{Cause, Proof, Reason};
use rusqlite::Connection;
use standstill::{Standstill, Standstills};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tally::Tally;

/// Between two looks at whether it lasts.
const LOOK: Duration = Duration::from_secs(10);
/// Recipients that are brought forward when a cause ends; the rest keep their dates.
const BROUGHT_FORWARD: usize = 20_000;

/// What of ours is the matter, and since when.
pub struct Causes {
    inner: Mutex<Inner>,
    /// One at a time.
    writing: Mutex<()>,
    file: PathBuf,
}

struct Inner {
    tally: Tally,
    now: Option<Cause>,
    stood: Standstills,
}

/// What one look changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Turn {
    began: Option<Cause>,
    ended: Option<Cause>,
}

impl Causes {
    /// With the times that were kept in the data folder.
    #[must_use]
    pub fn new(data: &Path) -> Causes {
        let file = data.join("standstills.json");
        let stood = kept::read::<Standstill>(&file, "when a cause was ours");
        let stood = Standstills::of(stood, Now::read().wall);
        Causes {
            inner: Mutex::new(Inner { tally: Tally::default(), now: None, stood }),
            writing: Mutex::default(),
            file,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is the matter now.
    #[must_use]
    pub fn now(&self) -> Option<Cause> {
        self.lock().now
    }

    /// How much of the time since `from` counts for nothing for what fails for `reason`.
    #[must_use]
    pub fn excused(&self, from: Wall, now: Now, reason: Reason) -> Duration {
        let mut inner = self.lock();
        inner.stood.goes_on(now);
        inner.stood.excused((from, now.wall), reason)
    }

    /// The reason, or ours where that explains it.
    pub(super) fn behind(&self, reason: Reason) -> Reason {
        self.now().filter(|cause| cause.explains(reason)).map_or(reason, Cause::reason)
    }

    fn note(&self, host: &str, looks_like: Option<Cause>) -> Turn {
        let mut inner = self.lock();
        inner.tally.note(host, looks_like, Instant::now());
        inner.turn()
    }

    fn look(&self) -> Turn {
        self.lock().turn()
    }

    fn keep(&self) {
        let _alone = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let all = self.lock().stood.all().to_vec();
        if let Err(error) = kept::write(&self.file, &all) {
            tracing::error!(%error, "when a cause was ours could not be kept in the data folder");
        }
    }
}

impl Inner {
    fn turn(&mut self) -> Turn {
        let (before, now) = (self.now, Now::read());
        self.now = self.tally.ours(before, now.mono);
        self.stood.goes_on(now);
        if self.now == before {
            return Turn { began: None, ended: None };
        }
        self.stood.end(now);
        if let Some(cause) = self.now {
            self.stood.begin(cause, now);
        }
        Turn { began: self.now, ended: before }
    }
}

impl Delivery {
    /// How an opening ended: with a link, or without.
    pub(super) async fn weigh(self: &Arc<Self>, lane: &Lane, opened: Result<&Link, &Missed>) {
        let Destination::Mx(domain) = &lane.destination else { return };
        let (host, looks_like) = match opened {
            Ok(link) => (Some(&link.host), of_link(link)),
            Err(missed) => (missed.host.as_ref(), of_failure(missed, &self.offered)),
        };
        let name = host.map_or_else(|| domain.to_string(), Clone::clone);
        if opened.is_ok() {
            self.causes.lock().tally.opened(Instant::now());
        }
        self.say(self.causes.note(&name, looks_like)).await;
    }

    /// Looks whether it lasts, for as long as the gateway runs.
    pub async fn look_after_causes(self: Arc<Self>) {
        let mut written = Instant::now();
        loop {
            tokio::time::sleep(LOOK).await;
            self.say(self.causes.look()).await;
            if self.causes.now().is_some() && written.elapsed() > 6 * LOOK {
                written = Instant::now();
                self.keep_causes().await;
            }
        }
    }

    async fn say(self: &Arc<Self>, turn: Turn) {
        if turn == (Turn { began: None, ended: None }) {
            return;
        }
        self.metrics.common_causes(turn.began.map(Cause::name));
        if let Some(cause) = turn.began {
            tracing::error!(%cause, "{}. Nothing is given up meanwhile", cause.reason().words());
        }
        if let Some(cause) = turn.ended {
            tracing::warn!(%cause, "that is over: what waited for it is tried now");
            self.bring_forward(cause).await;
        }
        self.keep_causes().await;
    }

    async fn keep_causes(self: &Arc<Self>) {
        let own = self.clone();
        // What cannot be kept is said in there.
        let _ = tokio::task::spawn_blocking(move || own.causes.keep()).await;
    }

    /// What waited for a cause of ours need not wait for its next date.
    async fn bring_forward(self: &Arc<Self>, cause: Cause) {
        let now = Now::read().wall;
        // What was put off a moment ago is on its way to the table.
        let flushed = self.store.flush().await;
        let found = self.read(move |connection| waiting_for(connection, cause.reason(), now)).await;
        match flushed.and(found) {
            Ok(rows) => {
                self.store.ride(rows.into_iter().map(|(id, recipient)| entry::looked_at(id, recipient, now)).collect());
                self.schedule.backlog.expect(now);
            }
            Err(error) => tracing::warn!(%error, "what waited keeps its dates"),
        }
    }
}

/// Recipients that wait for this reason, the next first.
fn waiting_for(
    connection: &Connection,
    reason: Reason,
    now: Wall,
) -> Result<Vec<(crate::clock::EntryId, u16)>, StoreError> {
    let mut rows = connection.prepare(
        "SELECT entry, recipient FROM progress WHERE due > ?1 AND instr(record, CAST(?2 AS BLOB)) > 0 ORDER BY due LIMIT ?3",
    )?;
    let named = format!("\"reason\":\"{reason}\"");
    let most = i64::try_from(BROUGHT_FORWARD).unwrap_or(i64::MAX);
    let found = rows.query_map(rusqlite::params![now.0, named, most], |row| {
        Ok((crate::clock::EntryId::from_row(row.get(0)?), row.get(1)?))
    })?;
    Ok(found.collect::<Result<_, _>>()?)
}

/// What a link that was made looks like: mail that asks for little goes over it all the same.
fn of_link(link: &Link) -> Option<Cause> {
    let taken_away = link.fallen || link.shortfall == Some(Reason::TlsMasked);
    match link.tls {
        None if taken_away => Some(Cause::Firewall),
        Some(_) if link.fallen => Some(Cause::Proxy),
        _ => None,
    }
}

/// What a failure looks like. Of TLS and certificates it is a symptom only where the host had done better before.
fn of_failure(missed: &Missed, offered: &Memory) -> Option<Cause> {
    let past = || missed.host.as_deref().and_then(|host| offered.of(host));
    let is_less = match missed.reason {
        Reason::TlsRefused
        | Reason::TlsHandshakeFailed
        | Reason::TlsVersionTooOld
        | Reason::TlsNoCommonCipher
        | Reason::TlsReset
        | Reason::TlsStalled => past().is_some_and(|past| past.offered.starttls),
        Reason::CertificateExpired | Reason::CertificateNotYetValid => {
            past().is_some_and(|past| past.offered.proof != Proof::Nothing)
        }
        Reason::StrippingSuspected => {
            let without = missed.link.as_ref().is_some_and(|link| link.tls.is_none());
            return Some(if without { Cause::Firewall } else { Cause::Proxy });
        }
        Reason::TlsMasked => return Some(Cause::Firewall),
        Reason::ConnectionTimedOut | Reason::NetworkUnreachable | Reason::ConnectionRefused => true,
        Reason::DnsTempfail | Reason::DnsBogus => true,
        _ => false,
    };
    Cause::ALL.iter().copied().find(|cause| is_less && cause.explains(missed.reason))
}

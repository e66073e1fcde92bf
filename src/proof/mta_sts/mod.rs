//! What a domain asks of those who send it mail, over HTTPS (MTA-STS, RFC 8461): kept, renewed before it ends, and believed until then.
//!
//! Asked by `deliver` when a link is opened, and by `control`. Promises: a policy that was fetched holds until its end, whatever
//! becomes of the policy host, of DNS and of this process; cache, fetches at once and their time are bounded. A fetch that fails changes
//! nothing. Fails where nobody knows whether there is a policy.

mod fetch;
mod kept;
mod text;

pub use fetch::{FetchError, Fetcher};
pub use kept::{Known, read};
pub use text::{StsPolicy, id_of};

use crate::clock::{Now, Wall};
use crate::mail::Domain;
use crate::metrics::Metrics;
use crate::vocabulary::FetchResult;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

/// Policies that are kept.
const KEPT: usize = 10_000;
/// Fetches at once.
const AT_ONCE: usize = 20;
/// After a fetch that failed the policy host is left alone for so long (RFC 8461 3.3 wants no hammering).
const PAUSE: Duration = Duration::from_secs(5 * 60);
/// A policy of this age is fetched anew although its id is the same: an attacker who blocks one look must block them for weeks.
const FRESH: Duration = Duration::from_secs(24 * 60 * 60);
/// Between two looks at what has to be renewed.
const LOOK: Duration = Duration::from_secs(10);

/// The policies of all domains that were asked.
pub struct MtaSts {
    fetcher: Fetcher,
    metrics: Arc<Metrics>,
    file: PathBuf,
    known: Mutex<HashMap<Domain, Known>>,
    /// Policy hosts that failed, and until when they are left alone.
    failed: Mutex<HashMap<Domain, Instant>>,
    turns: Semaphore,
    /// Something was learned that is not on the disk yet.
    changed: AtomicBool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl MtaSts {
    /// With what was kept in the data folder.
    #[must_use]
    pub fn new(fetcher: Fetcher, metrics: Arc<Metrics>, data: &Path) -> MtaSts {
        let file = kept::file(data);
        let known = read(data, Now::read().wall).into_iter().map(|known| (known.domain.clone(), known)).collect();
        let turns = Semaphore::new(AT_ONCE);
        MtaSts {
            fetcher,
            metrics,
            file,
            known: Mutex::new(known),
            failed: Mutex::default(),
            turns,
            changed: AtomicBool::new(false),
        }
    }

    /// The policy that holds for a domain now; None: it has none.
    ///
    /// # Errors
    /// When nobody knows: DNS does not say, and nothing is kept. The private cause.
    pub async fn policy(&self, domain: &Domain) -> Result<Option<StsPolicy>, String> {
        let kept = lock(&self.known).get(domain).filter(|known| !known.is_over(Now::read().wall)).cloned();
        let id = match self.fetcher.resolver.texts(&format!("_mta-sts.{domain}")).await {
            Ok(texts) => texts.and_then(|texts| id_of(&texts)),
            Err(cause) if kept.is_none() => return Err(cause),
            Err(_) => None,
        };
        // RFC 8461 5.1: what is kept holds although the record is gone.
        let Some(id) = id else { return Ok(kept.map(|known| known.policy)) };
        match kept {
            Some(known) if known.id == id => Ok(Some(known.policy)),
            kept => {
                let fetched = self.fetch_in_time(domain, &id).await;
                // RFC 8461 3.3: without a policy that can be fetched, and none that is kept, there is none.
                Ok(fetched.or(kept.map(|known| known.policy)))
            }
        }
    }

    /// Fetches, unless it failed a moment ago.
    async fn fetch_in_time(&self, domain: &Domain, id: &str) -> Option<StsPolicy> {
        let pausing = lock(&self.failed).get(domain).is_some_and(|until| *until > Instant::now());
        if pausing { None } else { self.renew(domain, id).await.ok() }
    }

    /// Fetches a policy anew and keeps it.
    ///
    /// # Errors
    /// Why there is none; what was kept before holds on.
    pub async fn renew(&self, domain: &Domain, id: &str) -> Result<StsPolicy, FetchError> {
        let closed = |_| FetchError { result: FetchResult::Timeout, cause: "shutting down".to_owned() };
        let _turn = self.turns.acquire().await.map_err(closed)?;
        let fetched = self.fetcher.fetch(domain).await;
        let result = fetched.as_ref().map_or_else(|error| error.result, |_| FetchResult::Ok);
        self.metrics.mta_sts_fetch.with_label_values(&[result.name()]).inc();
        match &fetched {
            Ok(policy) => {
                let fetched = Now::read().wall;
                self.keep(Known { domain: domain.clone(), id: id.to_owned(), policy: policy.clone(), fetched });
            }
            Err(error) => {
                tracing::warn!(%domain, %result, cause = error.cause, "an MTA-STS policy could not be fetched");
                self.pause(domain);
            }
        }
        fetched
    }

    fn keep(&self, known: Known) {
        lock(&self.failed).remove(&known.domain);
        let mut all = lock(&self.known);
        all.insert(known.domain.clone(), known);
        if all.len() > KEPT {
            let first = all.values().min_by_key(|known| known.end()).map(|known| known.domain.clone());
            first.and_then(|first| all.remove(&first));
        }
        self.changed.store(true, Ordering::Relaxed);
    }

    fn pause(&self, domain: &Domain) {
        let (mut failed, now) = (lock(&self.failed), Instant::now());
        if failed.len() >= KEPT {
            failed.retain(|_, until| *until > now);
        }
        if failed.len() < KEPT {
            failed.insert(domain.clone(), now + PAUSE);
        }
    }

    /// The id that DNS names now, and the policy fetched anew: for people.
    ///
    /// # Errors
    /// With a sentence.
    pub async fn refresh(&self, domain: &Domain) -> Result<Known, String> {
        let texts = self.fetcher.resolver.texts(&format!("_mta-sts.{domain}")).await?;
        let id = texts.and_then(|texts| id_of(&texts)).ok_or_else(|| format!("{domain} has no MTA-STS record"))?;
        self.renew(domain, &id).await.map_err(|error| format!("{}: {}", error.result, error.cause))?;
        self.kept().into_iter().find(|known| known.domain == *domain).ok_or_else(|| "it is not kept".to_owned())
    }

    /// All that is kept, by domain.
    #[must_use]
    pub fn kept(&self) -> Vec<Known> {
        let mut all: Vec<Known> = lock(&self.known).values().cloned().collect();
        all.sort_by(|a, b| a.domain.cmp(&b.domain));
        all
    }

    /// Renews what is old and writes what was learned to the data folder, for as long as the gateway runs.
    pub async fn look_after(self: Arc<Self>) {
        loop {
            tokio::time::sleep(LOOK).await;
            if let Some(old) = self.oldest(Now::read().wall) {
                // What fails is left alone for a while, and what is kept holds.
                let _ = self.renew(&old.domain, &old.id).await;
            }
            if self.changed.swap(false, Ordering::Relaxed) {
                let (file, all) = (self.file.clone(), self.kept());
                let written = tokio::task::spawn_blocking(move || kept::write(&file, &all)).await;
                if !matches!(written, Ok(Ok(()))) {
                    tracing::error!("what domains ask of senders (MTA-STS) could not be kept in the data folder");
                }
            }
        }
    }

    /// The oldest policy that has to be renewed and may be; what is over is forgotten.
    fn oldest(&self, now: Wall) -> Option<Known> {
        let (mut all, failed) = (lock(&self.known), lock(&self.failed));
        all.retain(|_, known| !known.is_over(now));
        let may_be = |known: &&Known| failed.get(&known.domain).is_none_or(|until| *until <= Instant::now());
        let old = |known: &&Known| now.since(known.fetched) > FRESH.min(known.policy.max_age / 2);
        all.values().filter(old).filter(may_be).min_by_key(|known| known.fetched).cloned()
    }
}

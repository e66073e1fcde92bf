//! What a domain asks of those who send it mail, over HTTPS (MTA-STS, RFC 8461): kept, renewed before it ends, and believed until then.
//!
//! Asked by `deliver` when a link is opened and in advance (`ahead`), and by `control`. Promises: a policy that was fetched holds until its end, whatever
//! becomes of the policy host, of DNS and of this process; cache, fetches at once and their time are bounded. A fetch that fails changes
//! nothing. Fails where nobody knows whether there is a policy.

mod ahead;
mod fetch;
mod known;
mod text;

pub use fetch::{FetchError, Fetcher};
pub use known::{Known, read};
pub use text::{StsPolicy, id_of};

use crate::clock::{Now, Wall};
use crate::mail::Domain;
use crate::metrics::Metrics;
use crate::store::kept;
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
/// After a fetch that failed the policy host is left alone for so long, and twice as long each time after (RFC 8461 3.3 wants no
/// hammering).
const PAUSE: Duration = Duration::from_secs(5 * 60);
const LONGEST_PAUSE: Duration = Duration::from_secs(6 * 60 * 60);
/// How long a first fetch waits for its turn; then nobody knows, and mail waits.
const TURN: Duration = Duration::from_secs(60);
/// What ended so long ago is forgotten; until then it may be the clock that is wrong.
const FORGET: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// Policies that are renewed at each look.
const RENEWED: usize = 8;
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
    /// Policy hosts that failed.
    failed: Mutex<HashMap<Domain, Failed>>,
    /// Domains that are asked at this moment: whoever wants the same waits for the answer.
    asking: Mutex<HashMap<Domain, Arc<tokio::sync::Mutex<()>>>>,
    turns: Semaphore,
    /// Something was learned that is not on the disk yet.
    changed: AtomicBool,
}

/// Until when a policy host is left alone, and for how long that was.
#[derive(Debug, Clone, Copy)]
struct Failed {
    until: Instant,
    pause: Duration,
}

/// Why a policy was not fetched.
enum Unfetched {
    Failed,
    /// It failed a moment ago.
    Paused,
    /// Too many are being fetched.
    Busy,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl MtaSts {
    /// With what was kept in the data folder.
    #[must_use]
    pub fn new(fetcher: Fetcher, metrics: Arc<Metrics>, data: &Path) -> MtaSts {
        let file = known::file(data);
        let known = read(data).into_iter().map(|known| (known.domain.clone(), known)).collect();
        MtaSts {
            fetcher,
            metrics,
            file,
            known: Mutex::new(known),
            failed: Mutex::default(),
            asking: Mutex::default(),
            turns: Semaphore::new(AT_ONCE),
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
            kept => match (self.fetch_once(domain, &id).await, kept) {
                (Ok(policy), _) => Ok(Some(policy)),
                (Err(_), Some(known)) => Ok(Some(known.policy)),
                // RFC 8461 3.3: without a policy that can be fetched, and none that is kept, there is none.
                (Err(Unfetched::Failed | Unfetched::Paused), None) => Ok(None),
                (Err(Unfetched::Busy), None) => Err("too many policies are being fetched".to_owned()),
            },
        }
    }

    /// Fetches this version, unless somebody else has done so meanwhile, or it failed a moment ago.
    async fn fetch_once(&self, domain: &Domain, id: &str) -> Result<StsPolicy, Unfetched> {
        let gate = lock(&self.asking).entry(domain.clone()).or_default().clone();
        let result = match tokio::time::timeout(TURN, self.fetch_behind(&gate, domain, id)).await {
            Ok(result) => result,
            Err(_) => Err(Unfetched::Busy),
        };
        let mut asking = lock(&self.asking);
        drop(gate);
        if asking.get(domain).is_some_and(|gate| Arc::strong_count(gate) == 1) {
            asking.remove(domain);
        }
        result
    }

    async fn fetch_behind(
        &self,
        gate: &tokio::sync::Mutex<()>,
        domain: &Domain,
        id: &str,
    ) -> Result<StsPolicy, Unfetched> {
        let _alone = gate.lock().await;
        let _turn = self.turns.acquire().await.map_err(|_| Unfetched::Busy)?;
        let known =
            lock(&self.known).get(domain).filter(|known| known.id == id && !known.is_over(Now::read().wall)).cloned();
        if let Some(known) = known {
            return Ok(known.policy);
        }
        if lock(&self.failed).get(domain).is_some_and(|failed| failed.until > Instant::now()) {
            return Err(Unfetched::Paused);
        }
        self.renew(domain, id).await.map_err(|_| Unfetched::Failed)
    }

    /// Fetches a policy anew and keeps it.
    ///
    /// # Errors
    /// Why there is none; what was kept before holds on.
    pub async fn renew(&self, domain: &Domain, id: &str) -> Result<StsPolicy, FetchError> {
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
            // Not what ends first: whoever says a year would push out all who say a week.
            let first = all.values().min_by_key(|known| known.fetched).map(|known| known.domain.clone());
            first.and_then(|first| all.remove(&first));
        }
        self.changed.store(true, Ordering::Relaxed);
    }

    fn pause(&self, domain: &Domain) {
        let (mut failed, now) = (lock(&self.failed), Instant::now());
        if failed.len() >= KEPT {
            failed.retain(|_, failed| failed.until > now);
        }
        let pause = failed.get(domain).map_or(PAUSE, |before| (before.pause * 2).min(LONGEST_PAUSE));
        if failed.len() < KEPT || failed.contains_key(domain) {
            failed.insert(domain.clone(), Failed { until: now + pause, pause });
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

    /// All that is kept, by domain, also what has ended.
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
            self.write().await;
            let mut renewing = tokio::task::JoinSet::new();
            for old in self.oldest(Now::read().wall) {
                let own = self.clone();
                // What fails is left alone for a while, and what is kept holds.
                renewing.spawn(async move { drop(own.renew(&old.domain, &old.id).await) });
            }
            while renewing.join_next().await.is_some() {}
        }
    }

    /// Writes what was learned since the last time.
    pub async fn write(&self) {
        if !self.changed.swap(false, Ordering::Relaxed) {
            return;
        }
        let (file, all) = (self.file.clone(), self.kept());
        let written = tokio::task::spawn_blocking(move || kept::write(&file, &all)).await;
        if !matches!(written, Ok(Ok(()))) {
            self.changed.store(true, Ordering::Relaxed);
            tracing::error!("what domains ask of senders (MTA-STS) could not be kept in the data folder");
        }
    }

    /// The oldest policies that have to be renewed and may be; what ended long ago is forgotten.
    fn oldest(&self, now: Wall) -> Vec<Known> {
        let (mut all, failed) = (lock(&self.known), lock(&self.failed));
        all.retain(|_, known| known.end().plus(FORGET) > now);
        let may_be = |known: &&Known| failed.get(&known.domain).is_none_or(|failed| failed.until <= Instant::now());
        let old =
            |known: &&Known| !known.is_over(now) && now.since(known.fetched) > FRESH.min(known.policy.max_age / 2);
        let mut old: Vec<&Known> = all.values().filter(old).filter(may_be).collect();
        old.sort_by_key(|known| known.fetched);
        old.into_iter().take(RENEWED).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::{Dnssec, Resolver};
    use crate::tls::{Connector, Roots};
    use crate::vocabulary::StsMode;

    fn service(data: &Path) -> MtaSts {
        let resolver = Resolver::new(&["127.0.0.1:1".parse().unwrap()], Dnssec::Off);
        let (connector, roots) = (Connector::new().unwrap(), Arc::new(Roots::only(Vec::new())));
        let fetcher = Fetcher { resolver, connector, roots, port: 443, allow_private: false };
        MtaSts::new(fetcher, Arc::new(Metrics::new().unwrap()), data)
    }

    fn known(number: i64, fetched: Wall) -> Known {
        let policy = StsPolicy { mode: StsMode::Enforce, mx: vec!["mx.example".into()], max_age: 7 * FRESH };
        Known { domain: format!("d{number}.example").parse().unwrap(), id: "1".into(), policy, fetched }
    }

    #[test]
    fn policy_hosts_that_are_dead_do_not_keep_the_others_from_being_renewed() {
        let folder = tempfile::tempdir().unwrap();
        let (service, now) = (service(folder.path()), Wall(100 * 86_400_000));
        let hours = |hours: i64| Wall(now.0 - hours * 3_600_000);
        (0..40).for_each(|number| service.keep(known(number, hours(48))));
        service.keep(known(99, hours(25)));
        service.keep(known(100, hours(1)));
        let mut tried = Vec::new();
        while let Some(next) = Some(service.oldest(now)).filter(|next| !next.is_empty()) {
            assert!(next.len() <= RENEWED);
            next.iter().for_each(|known| service.pause(&known.domain));
            tried.extend(next.into_iter().map(|known| known.domain.to_string()));
        }
        assert_eq!((tried.len(), tried.last().map(String::as_str)), (41, Some("d99.example")), "and not the fresh one");
        let domain = "d1.example".parse().unwrap();
        (0..20).for_each(|_| service.pause(&domain));
        assert_eq!(lock(&service.failed)[&domain].pause, LONGEST_PAUSE);
    }

    #[test]
    fn a_clock_that_is_wrong_for_a_while_forgets_nothing_and_what_is_kept_is_bounded() {
        let folder = tempfile::tempdir().unwrap();
        let (service, now) = (service(folder.path()), Wall(100 * 86_400_000));
        service.keep(known(1, now));
        let ahead = now.plus(20 * FRESH);
        assert!(service.kept()[0].is_over(ahead) && service.oldest(ahead).is_empty());
        assert_eq!(service.kept().len(), 1, "the clock may be put right");
        service.oldest(now.plus(60 * FRESH));
        assert_eq!(service.kept().len(), 0);
        (0..=KEPT).for_each(|number| service.keep(known(i64::try_from(number).unwrap(), Wall(now.0 + number as i64))));
        assert_eq!(
            (service.kept().len(), service.kept().iter().any(|k| k.domain.as_str() == "d0.example")),
            (KEPT, false)
        );
    }

    #[test]
    fn what_was_kept_is_read_back_and_what_cannot_be_read_is_put_aside() {
        let folder = tempfile::tempdir().unwrap();
        let file = known::file(folder.path());
        kept::write(&file, &[known(1, Wall(5)), known(2, Wall(6))]).unwrap();
        let text = std::fs::read_to_string(&file).unwrap();
        assert_eq!(read(folder.path()), [known(1, Wall(5)), known(2, Wall(6))]);
        std::fs::write(&file, text.replace("d1.example", "no domain")).unwrap();
        assert_eq!(read(folder.path()), [known(2, Wall(6))], "one entry does not take the others along");
        std::fs::write(&file, &text[..text.len() / 2]).unwrap();
        assert_eq!((read(folder.path()), file.exists()), (Vec::new(), false));
        assert!(file.with_extension("json.damaged").exists());
    }
}

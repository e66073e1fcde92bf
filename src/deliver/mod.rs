//! Stage 2: lanes with mail get links, links carry it, outcomes are settled in the queue.
//!
//! `serve` starts it. Promises: connecting reports and policy decides; MAIL goes out only with a permit for that link and
//! transaction; a peer that is slow or lies costs its own lane only. Nothing here is needed after a crash.

mod attempt;
mod attempted;
mod cause;
mod connection;
mod fallback;
mod heed;
mod link;
pub mod memory;
mod needs;
mod next;
mod open_link;
mod outgoing;
mod past;
pub mod probe;
mod published;
mod require_tls;
pub mod route;
mod settle;
mod tell;
mod waited;
mod why;

use crate::clock::Ids;
use crate::decide::InForce;
use crate::decide::announce::Announcer;
use crate::dns::Resolver;
use crate::metrics::Metrics;
use crate::policy::ProofSource;
use crate::proof::memory::Memory;
use crate::proof::mta_sts::MtaSts;
use crate::queue::{CurrentRoutes, Lane, Retry, Schedule, UnderWay};
use crate::smtp::server::Credentials;
use crate::store::{Store, StoreError};
use crate::tls::{Connector, Roots};
use crate::vocabulary::Level;
use arc_swap::ArcSwap;
pub use cause::Causes;
use memory::HostMemory;
use route::HostBook;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::{Semaphore, watch};

/// A relay as delivery sees it.
#[derive(Debug, Clone)]
pub struct RelayTerms {
    pub onward: Level,
    pub carries: Vec<String>,
    /// What it wants to hear before it takes mail.
    pub login: Option<Credentials>,
}

/// Times of a conversation with a peer (RFC 5321 4.5.3.2 names longer ones, which a clinical letter cannot wait for).
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// For a lane to get a link, whatever its hosts do.
    pub opening: Duration,
    pub connect: Duration,
    /// For greeting and EHLO, each: a host that only listens must not keep mail from the next.
    pub greeting: Duration,
    pub handshake: Duration,
    /// For each reply up to 354, however it trickles.
    pub reply: Duration,
    /// For all replies of a transaction up to the message, and again for all behind it.
    pub replies: Duration,
    /// For each piece of the message to be taken.
    pub data: Duration,
    /// For the reply to the dot: giving up early makes duplicates.
    pub final_reply: Duration,
    /// How long an idle link is kept.
    pub idle: Duration,
}

impl Default for Patience {
    fn default() -> Patience {
        Patience {
            opening: Duration::from_secs(300),
            connect: Duration::from_secs(30),
            greeting: Duration::from_secs(60),
            handshake: Duration::from_secs(30),
            reply: Duration::from_secs(120),
            replies: Duration::from_secs(30 * 60),
            data: Duration::from_secs(180),
            final_reply: Duration::from_secs(600),
            idle: Duration::from_secs(5),
        }
    }
}

/// What gateway.toml says of sites, relays and the queue's times.
#[derive(Debug)]
pub struct Terms {
    pub hosts: HostBook,
    /// How a site's Exchange or a relay proves itself, by lane destination as it is printed.
    pub proofs: HashMap<String, Vec<ProofSource>>,
    pub relays: HashMap<Arc<str>, RelayTerms>,
    pub retry: Retry,
}

/// What delivering needs.
pub struct Delivery {
    pub hostname: String,
    pub judge: Arc<InForce>,
    pub store: Store,
    /// For messages that are no longer in memory.
    pub reader: Mutex<rusqlite::Connection>,
    /// One turn: whoever waits for the reader does not hold a thread meanwhile.
    pub reading: Semaphore,
    pub schedule: Arc<Schedule>,
    pub under_way: Arc<UnderWay>,
    pub routes: Arc<CurrentRoutes>,
    /// Swapped whole, before the judge: a link that began under others is opened anew under another judge.
    pub terms: ArcSwap<Terms>,
    pub memory: HostMemory,
    pub resolver: Resolver,
    pub mta_sts: Arc<MtaSts>,
    /// What mail hosts offered before.
    pub offered: Arc<Memory>,
    /// What of ours makes many destinations fail alike.
    pub causes: Causes,
    pub connector: Connector,
    pub roots: Arc<Roots>,
    pub patience: Patience,
    pub ids: Arc<Ids>,
    pub announcer: Arc<Announcer>,
    pub metrics: Arc<Metrics>,
    pub stopping: watch::Receiver<bool>,
}

/// Opens a link for each lane that may have one more, from when a policy is in force until the gateway stops.
pub async fn run(delivery: Arc<Delivery>, mut openings: UnboundedReceiver<Arc<Lane>>) {
    let mut stopping = delivery.stopping.clone();
    // Without a policy nobody can say what must hold: what is queued waits, on no clock.
    tokio::select! {
        () = delivery.judge.wait() => {}
        _ = stopping.wait_for(|stop| *stop) => {}
    }
    loop {
        let lane = tokio::select! {
            lane = openings.recv() => lane,
            _ = stopping.wait_for(|stop| *stop) => None,
        };
        let Some(lane) = lane else { break };
        let delivery = delivery.clone();
        tokio::spawn(async move {
            let place = Place { schedule: delivery.schedule.clone(), lane };
            delivery.work(&place.lane).await;
        });
    }
    delivery.schedule.close();
    openings.close();
    while let Ok(lane) = openings.try_recv() {
        delivery.schedule.closed(&lane);
    }
}

/// A link's place in its lane; given back however the link ends.
struct Place {
    schedule: Arc<Schedule>,
    lane: Arc<Lane>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.schedule.closed(&self.lane);
    }
}

impl Delivery {
    /// The newest: an attempt takes what gateway.toml says now.
    #[must_use]
    pub fn terms(&self) -> Arc<Terms> {
        self.terms.load_full()
    }

    /// One link's life: opened, used while its lane has mail, closed.
    async fn work(self: &Arc<Self>, lane: &Arc<Lane>) {
        // Without a store that writes, what is delivered could not be marked and would be delivered again.
        if !self.store.is_writable() {
            return self.schedule.close();
        }
        let mut stopping = self.stopping.clone();
        // A link is proved by what the policy asked then: under another policy it is opened anew.
        let proved_by = self.judge.now();
        let opened = tokio::select! {
            opened = self.open(lane) => opened,
            // Nothing has been sent yet.
            _ = stopping.wait_for(|stop| *stop) => return,
        };
        self.weigh(lane, opened.as_ref().map(|link| &link.record.link)).await;
        let mut link = match opened {
            Ok(link) => link,
            Err(missed) => return self.lane_missed(lane, &missed).await,
        };
        let mut carried = 0;
        loop {
            let next = tokio::select! {
                task = self.schedule.next(lane, self.patience.idle) => task,
                _ = stopping.wait_for(|stop| *stop) => None,
            };
            // No new MAIL once the gateway stops: what was taken is on storage and is read back at the next start.
            let go_on = !*self.stopping.borrow() && self.store.is_writable();
            let Some(task) = next.filter(|_| go_on) else { return link.quit().await };
            if !Arc::ptr_eq(&proved_by, &self.judge.now()) {
                self.schedule.push(task);
                return link.quit().await;
            }
            // A kept link that its peer has closed is no failure of the message: another link takes it at once. One that
            // never carried anything is tried, or a peer that closes at once would be called for ever.
            if carried > 0 && !link.connection.is_quiet() {
                return self.schedule.push(task);
            }
            match self.attempt(link, task).await {
                Some(kept) => link = kept,
                None => return,
            }
            carried += 1;
            // A busy lane gives its place up now and then.
            if *self.stopping.borrow() || (carried >= CARRIED && self.schedule.others_wait(lane)) {
                return link.quit().await;
            }
        }
    }

    /// Renews what was learned of peers, and writes it to the data folder now and then.
    pub fn look_after_what_is_learned(self: &Arc<Self>) {
        tokio::spawn(self.clone().look_after_causes());
        tokio::spawn(self.mta_sts.clone().look_after());
        tokio::spawn(self.offered.clone().look_after());
        self.look_ahead();
    }

    /// Writes what was learned of peers to the data folder: called before a stop.
    pub async fn keep_what_was_learned(&self) {
        self.offered.write().await;
        self.mta_sts.write().await;
    }

    /// Runs `read` on the reading connection, on a thread for it.
    async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        read: impl FnOnce(&rusqlite::Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let _turn = self.reading.acquire().await;
        let delivery = self.clone();
        let work = move || read(&delivery.reader.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
        let read = tokio::task::spawn_blocking(work).await.unwrap_or_else(|e| Err(StoreError::Io(e.to_string())));
        self.store.look_at(&read);
        read
    }
}

/// Messages after which a link makes room for another lane that waits.
const CARRIED: usize = 100;

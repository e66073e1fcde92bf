//! From the whole configuration to the small structs that the stages get.

use super::gauges::Gauges;
use super::parts::Parts;
use super::{DroppedLines, ServeError, certificate, opening};
use crate::clock::{EntryId, Ids};
use crate::config::{Config, Listener, ListenerTls};
use crate::decide::InForce;
use crate::decide::announce::Announcer;
use crate::deliver::memory::HostMemory;
use crate::deliver::{Causes, Delivery, Patience};
use crate::dns::Resolver;
use crate::metrics::Metrics;
use crate::proof::memory::Memory;
use crate::proof::mta_sts::{Fetcher, MtaSts};
use crate::queue::schedule::Caps;
use crate::queue::{Counter, CurrentRoutes, Lane, Schedule, WarmRoom};
use crate::receive::SessionLimits;
use crate::receive::accept::{Acceptance, Documents, Readers};
use crate::receive::budget::{self, Budget};
use crate::receive::listener::{Bounds, Handshakes, Reception, Rules, Tls};
use crate::receive::login::Desk;
use crate::receive::logins::Logins;
use crate::receive::refusals::Crowd;
use crate::receive::standing::Standing;
use crate::store::Opened;
use crate::tls::{Acceptor, Connector, Roots};
use crate::workers::{self, Ended, Workers};
use arc_swap::ArcSwap;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::sync::{Semaphore, watch};

/// Octets of messages that may be in memory for their first attempt.
const WARM: usize = 64 * 1024 * 1024;
/// Handshakes at once: more would only wait for the same cores.
const HANDSHAKES: usize = 64;
/// Those of strangers, most of which only wait for their client.
const STRANGERS_HANDSHAKES: usize = 512;

/// Each may take 256 MB.
const MOST_WORKERS: usize = 8;

/// Everything that is started.
pub(super) struct Built {
    pub opened: Opened,
    /// The newest id of before.
    pub last: Option<EntryId>,
    pub reception: Arc<Reception>,
    pub delivery: Arc<Delivery>,
    pub openings: UnboundedReceiver<Arc<Lane>>,
    pub no_room: Arc<AtomicBool>,
    pub gauges: Gauges,
    pub certificate: (certificate::Source, certificate::Looked),
}

/// What receiving and delivering share.
struct Shared {
    judge: Arc<InForce>,
    metrics: Arc<Metrics>,
    routes: Arc<CurrentRoutes>,
    ids: Arc<Ids>,
    schedule: Arc<Schedule>,
    warm: Arc<WarmRoom>,
    workers: (Arc<Workers>, usize),
    announcer: Arc<Announcer>,
    stopping: watch::Receiver<bool>,
}

pub(super) fn build(
    config: &Config,
    judge: InForce,
    (stopping, dropped): (watch::Receiver<bool>, DroppedLines),
    body_files: usize,
) -> Result<Built, ServeError> {
    let logins = Logins::read(config.sites.iter().filter_map(|s| Some((&s.name, s.logins.as_deref()?))))?;
    let metrics = Arc::new(Metrics::new().map_err(|e| ServeError::Io(std::io::Error::other(e)))?);
    let judge = Arc::new(judge);
    if !judge.is_none() {
        let policy = &judge.now().policy;
        metrics.announce_policy(policy.hash(), policy.class_names(), policy.rule_modes());
    }
    let flushes = metrics.clone();
    let observe = move |took: Duration| flushes.store_commit_duration.observe(took.as_secs_f64());
    let (opened, last) = opening::open(&config.data, observe)?;
    let ids = Arc::new(Ids::new(last, 0));
    let (files, hostname) = (config.tls.identity.clone(), config.hostname.to_string());
    let certificate = certificate::Source { files, hostname, data: config.data.clone() };
    // Before it is read: what is written meanwhile is seen by the first look.
    let looked = certificate.look();
    let identity = certificate.load()?;
    certificate::announce(&identity, &metrics);
    let (openings, opened_lanes) = unbounded_channel();
    let caps = Caps::of_links(config.limits.links, config.limits.links_per_destination);
    let riding = opened.store.clone();
    let schedule = Arc::new(Schedule::new(caps, openings, Box::new(move |rows| riding.ride(rows))));
    let counter = Counter::new(opened.reader()?, schedule.clone());
    let parts = Parts::of(config)?;
    let routes = Arc::new(CurrentRoutes::new(parts.routes.clone()));
    let announcer = Arc::new(Announcer {
        hostname: config.hostname.to_string(),
        judge: judge.clone(),
        routes: routes.clone(),
        ids: ids.clone(),
        contacts: ArcSwap::new(parts.contacts.clone()),
    });
    let (warm, workers) = (WarmRoom::new(WARM), workers(metrics.clone()));
    let shared = Shared { judge, metrics, routes, ids, schedule, warm, workers, announcer, stopping };
    let no_room = Arc::new(AtomicBool::new(false));
    let door = (Acceptor::of(config.tls.profile, &identity)?, Desk::new(logins), no_room.clone());
    let budget = Budget::new(budget::OCTETS, body_files);
    let reception = Arc::new(reception((config, &parts), &shared, &opened, (door, budget)));
    let (warm, workers) = (shared.warm.clone(), shared.workers.0.clone());
    let delivery = Arc::new(delivery((config, parts), shared, &opened, resolver(config))?);
    let gauges = Gauges {
        metrics: delivery.metrics.clone(),
        counter,
        warm,
        workers,
        resolver: delivery.resolver.clone(),
        offered: delivery.offered.clone(),
        store: opened.store.clone(),
        data: config.data.clone(),
        dropped,
    };
    Ok(Built {
        opened,
        last,
        reception,
        delivery,
        openings: opened_lanes,
        no_room,
        gauges,
        certificate: (certificate, looked),
    })
}

fn resolver(config: &Config) -> Resolver {
    let servers = match config.dns.servers.as_slice() {
        [] => Resolver::system_servers(),
        servers => servers.to_vec(),
    };
    Resolver::new(&servers, config.dns.dnssec)
}

fn reception(
    (config, parts): (&Config, &Parts),
    shared: &Shared,
    opened: &Opened,
    ((acceptor, desk, no_room), budget): ((Acceptor, Desk, Arc<AtomicBool>), Arc<Budget>),
) -> Reception {
    let limits = &config.limits;
    config.listeners.iter().for_each(|l| drop(shared.metrics.sessions.with_label_values(&[&l.name])));
    Reception {
        hostname: config.hostname.to_string(),
        standing: ArcSwap::from_pointee(Standing { access: parts.access.clone(), judge: shared.judge.now() }),
        bounds: Bounds {
            max_message: limits.max_message,
            max_recipients: limits.recipients,
            max_line: limits.line,
            max_header: limits.header,
            idle: limits.idle,
            message_time: limits.message_time,
            handshake: Duration::from_secs(30),
        },
        limits: SessionLimits::new(limits.sessions, limits.sessions_per_client),
        crowd: Crowd::default(),
        budget,
        acceptor,
        handshakes: Handshakes {
            sites: Semaphore::new(HANDSHAKES),
            strangers: SessionLimits::new(STRANGERS_HANDSHAKES, HANDSHAKES / 2),
        },
        desk,
        judge: shared.judge.clone(),
        acceptance: Acceptance {
            store: opened.store.clone(),
            schedule: shared.schedule.clone(),
            warm: shared.warm.clone(),
            routes: shared.routes.clone(),
            ids: shared.ids.clone(),
            metrics: shared.metrics.clone(),
            announcer: shared.announcer.clone(),
            max_hops: limits.hops,
            max_header: limits.header,
            readers: Readers::new(limits.max_message),
            documents: Documents::new(shared.workers.0.clone(), shared.workers.1),
        },
        metrics: shared.metrics.clone(),
        no_room,
        stopping: shared.stopping.clone(),
    }
}

/// Workers for documents, and how many: one for each core, and two at least, so that a slow document does not keep the others
/// waiting.
fn workers(metrics: Arc<Metrics>) -> (Arc<Workers>, usize) {
    let count = std::thread::available_parallelism().map_or(2, usize::from).clamp(2, MOST_WORKERS);
    let programme = workers::programme().unwrap_or(Path::new("/proc/self/exe")).to_owned();
    let counted = move |why: Ended| metrics.worker_restarts.with_label_values(&[why.name()]).inc();
    (Arc::new(Workers::new(programme, count, counted)), count)
}

fn delivery(
    (config, parts): (&Config, Parts),
    shared: Shared,
    opened: &Opened,
    resolver: Resolver,
) -> Result<Delivery, ServeError> {
    let (roots, ignored) = Roots::system_and(&config.tls.extra_roots)?;
    if ignored > 0 {
        tracing::warn!(ignored, "root certificates that cannot be used were passed over");
    }
    let (connector, roots) = (Connector::of(config.tls.profile)?, Arc::new(roots));
    let fetcher = Fetcher {
        resolver: resolver.clone(),
        // A policy that cannot be fetched protects nobody: it may come by what is merely usual.
        connector: connector.lenient(),
        roots: roots.clone(),
        port: config.deliver.mta_sts_port,
        allow_private: config.deliver.allow_private,
    };
    Ok(Delivery {
        hostname: config.hostname.to_string(),
        offered: Arc::new(Memory::new(&config.data)),
        causes: Causes::new(&config.data),
        mta_sts: Arc::new(MtaSts::new(fetcher, shared.metrics.clone(), &config.data)),
        judge: shared.judge,
        store: opened.store.clone(),
        reader: Mutex::new(opened.reader()?),
        reading: Semaphore::new(1),
        schedule: shared.schedule,
        under_way: Arc::default(),
        routes: shared.routes,
        terms: ArcSwap::new(parts.terms),
        memory: HostMemory::default(),
        resolver,
        connector,
        roots,
        patience: Patience::default(),
        ids: shared.ids,
        announcer: shared.announcer,
        metrics: shared.metrics,
        stopping: shared.stopping,
    })
}

pub(super) fn rules(listener: &Listener) -> Rules {
    let tls = match listener.tls {
        ListenerTls::Off => Tls::Off,
        ListenerTls::Offer => Tls::Offer,
        ListenerTls::Require => Tls::Require,
        ListenerTls::Implicit => Tls::Implicit,
    };
    Rules { name: listener.name.clone(), mail_from: listener.mail_from, tls }
}

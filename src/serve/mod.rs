//! The composition root: opens the store, builds the stages, starts them, and stops them in order.
//!
//! Called by `cli` and `demo`. Promises: nothing listens before the store is open, and nothing is taken before a policy is in
//! force; a stop loses nothing that was answered with 250. Fails before anything is answered, with one sentence and a hint.

mod build;
mod certificate;
mod descriptors;
mod gauges;
mod names;
mod opening;
mod parts;
mod policies;
mod reminders;

use crate::clock::EntryId;
use crate::config::secret::SecretError;
use crate::config::{Config, ConfigError};
use crate::control;
use crate::decide::LoadError;
use crate::deliver::{self, Delivery};
use crate::dns::Resolver;
use crate::mail::Domain;
use crate::queue::Keeper;
use crate::queue::recover::Recovery;
use crate::receive::listener::{self, Reception, Rules};
use crate::receive::logins::LoginsError;
use crate::store::{Opened, Store, StoreError};
use crate::tls::TlsError;
use crate::vocabulary::Reason;
use crate::web;
use build::Built;
use gauges::Gauges;
use parts::Stages;
use policies::Policies;
use std::fmt;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

/// Why the gateway does not start.
#[derive(Debug)]
pub enum ServeError {
    Config(ConfigError),
    Policy(Box<LoadError>),
    Store(StoreError),
    Tls(TlsError),
    Logins(LoginsError),
    Secret(SecretError),
    Listen { what: String, address: SocketAddr, why: std::io::Error },
    Io(std::io::Error),
}

impl fmt::Display for ServeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ServeError::Config(error) => write!(f, "{error}"),
            ServeError::Policy(error) => write!(f, "{error}"),
            ServeError::Store(error) => write!(f, "{error}"),
            ServeError::Tls(error) => write!(f, "{error}"),
            ServeError::Logins(error) => write!(f, "{error}"),
            ServeError::Secret(error) => write!(f, "{error}"),
            ServeError::Listen { what, address, why } => {
                write!(f, "{what} cannot listen on {address}: {why}\nhint: is another mail server running there?")
            }
            ServeError::Io(why) => write!(f, "the gateway cannot start: {why}"),
        }
    }
}

impl std::error::Error for ServeError {}

impl From<SecretError> for ServeError {
    fn from(error: SecretError) -> ServeError {
        ServeError::Secret(error)
    }
}

impl From<StoreError> for ServeError {
    fn from(error: StoreError) -> ServeError {
        ServeError::Store(error)
    }
}

impl From<TlsError> for ServeError {
    fn from(error: TlsError) -> ServeError {
        ServeError::Tls(error)
    }
}

impl From<LoginsError> for ServeError {
    fn from(error: LoginsError) -> ServeError {
        ServeError::Logins(error)
    }
}

impl From<std::io::Error> for ServeError {
    fn from(error: std::io::Error) -> ServeError {
        ServeError::Io(error)
    }
}

/// A running gateway.
pub struct Gateway {
    /// Where each listener really listens: port 0 was chosen by the kernel.
    pub listening: Vec<(Arc<str>, SocketAddr)>,
    pub admin: SocketAddr,
    stop: watch::Sender<bool>,
    store: Store,
    reception: Arc<Reception>,
    policies: Arc<Policies>,
    delivery: Arc<Delivery>,
    opened: Opened,
}

/// How many log lines were dropped so far.
pub type DroppedLines = Arc<dyn Fn() -> u64 + Send + Sync>;

/// Starts a gateway whose log nobody counts.
///
/// # Errors
/// When the configuration, the policy, the data folder or an address cannot be used.
pub async fn start(config: Config) -> Result<Gateway, ServeError> {
    start_counting(config, Arc::new(|| 0)).await
}

async fn start_counting(mut config: Config, dropped: DroppedLines) -> Result<Gateway, ServeError> {
    let settings = config.clone();
    let body_files = descriptors::share(descriptors::raise(), &mut config.limits);
    // What is written is ours alone: the queue holds patients' letters.
    nix::sys::stat::umask(nix::sys::stat::Mode::S_IRWXG | nix::sys::stat::Mode::S_IRWXO);
    let beginning = policies::begin(&config).map_err(|wrong| ServeError::Policy(Box::new(wrong)))?;
    warn_of_little_room(&config);
    let (stop, stopping) = watch::channel(false);
    let Built { opened, last, reception, delivery, openings, no_room, gauges, certificate } =
        build::build(&config, beginning.in_force, (stopping, dropped), body_files)?;
    let listeners = bind(&config).await?;
    let admin = bind_admin(config.admin).await?;
    let stages = Stages { reception: reception.clone(), delivery: delivery.clone() };
    let not_accepted = control::NotAccepted::default();
    let policies = Policies::new((settings, not_accepted.clone()), stages, beginning.begun);
    let gateway = Gateway {
        listening: listeners
            .iter()
            .map(|(rules, l)| Ok((rules.name.clone(), l.local_addr()?)))
            .collect::<Result<_, std::io::Error>>()?,
        admin: admin.local_addr()?,
        stop,
        store: opened.store.clone(),
        reception: reception.clone(),
        policies: policies.clone(),
        delivery: delivery.clone(),
        opened,
    };
    let gauges = Arc::new(gauges);
    let names = (gauges.resolver.clone(), config.hostname.clone());
    let ready = health(&gateway, names, no_room.clone());
    let before_scrape = gauges.clone();
    control::server::start(
        &config.data,
        control::server::Served {
            reader: gateway.opened.reader()?,
            delivery: delivery.clone(),
            counter: gauges.counter.clone(),
            no_room: no_room.clone(),
            policies: policies.clone(),
            status: control::Status::of(&config, (reception.judge.hash(), not_accepted), &gateway.listening),
        },
    )?;
    let resolver = gauges.resolver.clone();
    let keeper = keeper(&gateway.opened, &delivery)?;
    let recovery = recovery(&gateway.opened, last, &delivery)?;
    tokio::spawn(watch_room(gauges, config.queue.min_free, no_room));
    tokio::spawn(forget(gateway.store.clone()));
    tokio::spawn(reminders::remind(delivery.clone(), config.data.clone()));
    tokio::spawn(deliver::run(delivery, openings));
    listeners
        .into_iter()
        .for_each(|(rules, socket)| drop(tokio::spawn(listener::listen(socket, rules, reception.clone()))));
    tokio::spawn(keeper.run());
    tokio::spawn(recover(recovery));
    // Last: who asks whether it is ready is answered once nothing can fail any more.
    tokio::spawn(web::serve(admin, ready, move || before_scrape.refresh()));
    watch_what_changes(&gateway, policies, (certificate, resolver, config.dns.self_test));
    Ok(gateway)
}

/// What `/readyz` looks at.
fn health(gateway: &Gateway, names: (Resolver, Domain), no_room: Arc<AtomicBool>) -> web::Health {
    let Reception { metrics, judge, acceptance, .. } = gateway.reception.as_ref();
    let (routes, in_force) = (acceptance.routes.clone(), judge.clone());
    web::Health { store: gateway.store.clone(), metrics: metrics.clone(), names, routes, no_room, in_force }
}

/// What may change beside us while we run: the policy's files, our certificate, whether the resolver validates.
fn watch_what_changes(
    gateway: &Gateway,
    policies: Arc<Policies>,
    (certificate, resolver, self_test): ((certificate::Source, certificate::Looked), Resolver, String),
) {
    let (acceptor, metrics) = (gateway.reception.acceptor.clone(), &gateway.reception.metrics);
    gateway.delivery.look_after_what_is_learned();
    tokio::spawn(policies.watch());
    tokio::spawn(certificate::watch(certificate, acceptor, metrics.clone()));
    tokio::spawn(names::test_oneself(resolver, self_test, metrics.clone()));
}

impl Gateway {
    /// Stops: no new sessions, what is under way ends, marks are flushed.
    ///
    /// # Errors
    /// When the last flush failed.
    pub async fn stop(self) -> Result<(), StoreError> {
        // Marks first: what was delivered is not sent again, whatever happens next.
        let marks = self.store.flush().await;
        // Nobody listens: then nobody has to stop.
        let _ = self.stop.send(true);
        let patience = tokio::time::Instant::now() + Duration::from_secs(30);
        let busy = || self.reception.limits.open() > 0 || self.reception.acceptance.schedule.links() > 0;
        while busy() && tokio::time::Instant::now() < patience {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.delivery.keep_what_was_learned().await;
        let rest = self.store.flush().await;
        let opened = self.opened;
        // The committer ends before the folder is given free: what rides until then is kept.
        let closed = tokio::task::spawn_blocking(move || opened.close()).await;
        marks.and(rest).and(closed.map_err(|e| StoreError::Io(e.to_string())))
    }
}

/// Runs a gateway until it is told to stop.
///
/// # Errors
/// As `start`, and when the last flush failed.
pub async fn run(config: Config, dropped: DroppedLines) -> Result<(), ServeError> {
    // Before anything is open: a signal during the start must not end the process as if nobody had listened to it.
    let signals = Signals::listen()?;
    let gateway = start_counting(config, dropped).await?;
    for (name, address) in &gateway.listening {
        tracing::info!(listener = %name, %address, "listening");
    }
    match gateway.reception.judge.is_none() {
        true => {
            tracing::error!(admin = %gateway.admin, "running without a policy: MAIL gets 451 4.7.10, and what is queued waits")
        }
        false => tracing::info!(admin = %gateway.admin, "ready"),
    }
    // Not under systemd: nobody waits for it.
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
    let policies = gateway.policies.clone();
    signals
        .stop(move || {
            drop(tokio::task::spawn_blocking({
                let policies = policies.clone();
                move || policies.hangup()
            }))
        })
        .await;
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
    tracing::info!("stopping");
    gateway.stop().await?;
    Ok(())
}

/// The signals that are listened to.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    fn listen() -> std::io::Result<Signals> {
        Ok(Signals {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Waits until the gateway is told to stop; `hangup` is done for every SIGHUP until then.
    async fn stop(mut self, hangup: impl Fn()) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return,
                _ = self.interrupt.recv() => return,
                _ = self.hangup.recv() => hangup(),
            }
        }
    }
}

async fn bind(config: &Config) -> Result<Vec<(Rules, TcpListener)>, ServeError> {
    let mut bound = Vec::new();
    for listener in &config.listeners {
        let failed =
            |why| ServeError::Listen { what: format!("[listen.{}]", listener.name), address: listener.address, why };
        let socket = socket(listener.address).map_err(failed)?;
        bound.push((build::rules(listener), socket));
    }
    Ok(bound)
}

async fn bind_admin(address: SocketAddr) -> Result<TcpListener, ServeError> {
    let failed = |why| ServeError::Listen { what: "the admin listener ([web] admin)".into(), address, why };
    TcpListener::bind(address).await.map_err(failed)
}

/// A deep backlog: a burst of connections waits instead of being refused.
fn socket(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { tokio::net::TcpSocket::new_v4() } else { tokio::net::TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(4_096)
}

/// What reads back what is due.
fn keeper(opened: &Opened, delivery: &Arc<deliver::Delivery>) -> Result<Arc<Keeper>, ServeError> {
    let of = delivery.clone();
    Ok(Arc::new(Keeper {
        schedule: delivery.schedule.clone(),
        routes: delivery.routes.clone(),
        store: delivery.store.clone(),
        reader: Mutex::new(opened.reader()?),
        longest: Box::new(move || of.terms().retry.pauses.iter().max().copied().unwrap_or_default()),
    }))
}

/// What recovers, beside the listeners, the entries up to the `last` one of before.
fn recovery(
    opened: &Opened,
    last: Option<EntryId>,
    delivery: &deliver::Delivery,
) -> Result<Option<Arc<Recovery>>, ServeError> {
    let Some(last) = last else { return Ok(None) };
    let (routes, schedule, reader) = (delivery.routes.clone(), delivery.schedule.clone(), Mutex::new(opened.reader()?));
    Ok(Some(Arc::new(Recovery { store: opened.store.clone(), reader, last, routes, schedule })))
}

async fn recover(recovery: Option<Arc<Recovery>>) {
    let Some(recovery) = recovery else { return };
    let recovered = recovery.run().await;
    tracing::info!(entries = recovered.entries, tasks = recovered.tasks, "what was never tried is read back");
    for (entry, why) in recovered.damaged {
        tracing::error!(%entry, why, "an entry is damaged and set aside");
    }
}

/// A mark that one message in transit can fall through is none: laboratories set it, a hospital should not.
fn warn_of_little_room(config: &Config) {
    let (min_free, max_message) = (config.queue.min_free, config.limits.max_message);
    if min_free < max_message {
        tracing::warn!(
            min_free,
            max_message,
            "`min-free` is less than one message may have: the disk can be full before mail is put off; hint: set it to 2GB, as it is without the key"
        );
    }
}

/// Keeps an eye on the disk: below the mark MAIL is put off, long before the disk is full.
async fn watch_room(gauges: Arc<Gauges>, min_free: u64, no_room: Arc<AtomicBool>) {
    loop {
        let free = gauges.free_octets();
        let short = free.is_some_and(|free| free < min_free);
        let data = gauges.data.display();
        match (no_room.swap(short, std::sync::atomic::Ordering::Relaxed), short) {
            (false, true) => {
                tracing::warn!(%data, free, min_free, reason = %Reason::NoRoom, "below min-free: MAIL is put off with 452 until there is room");
            }
            (true, false) => tracing::warn!(%data, free, min_free, "above min-free again: mail is taken"),
            _ => {}
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
}

/// Forgets old records, a little every hour.
async fn forget(store: Store) {
    loop {
        store.ride(crate::record::forget(crate::clock::Now::read().wall));
        tokio::time::sleep(Duration::from_secs(3_600)).await;
    }
}

/// Reads gateway.toml.
///
/// # Errors
/// With everything that is wrong in it.
pub fn config(file: &Path) -> Result<Config, ServeError> {
    crate::config::load(file).map_err(ServeError::Config)
}

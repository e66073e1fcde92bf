//! The socket of the running gateway: one request per line, one answer per line.
//!
//! Started by `serve`. Promises: mode 0600; a request is bounded; nobody who asks can stop the gateway. Fails at start only.

use super::instruct::{Instruct, Wanted};
use super::{Accepted, Accepting, Answer, Filter, Reloads, Request, Status, instruct, queries, select, socket};
use crate::clock::{EntryId, Now};
use crate::deliver::Delivery;
use crate::mail::Domain;
use crate::proof::memory::Offered;
use crate::queue::{Counter, State, entry};
use crate::record::Action;
use crate::store::{self, Change, StoreError};
use crate::vocabulary::Reason;
use rusqlite::Connection;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};

/// Octets of a request at most.
const REQUEST: u64 = 64 * 1024;

/// What answers are made from.
pub struct Served {
    pub reader: Connection,
    pub delivery: Arc<Delivery>,
    pub counter: Arc<Counter>,
    pub status: Status,
    pub policies: Arc<dyn Reloads>,
    /// Free octets in the data folder are below the mark: MAIL is put off.
    pub no_room: Arc<AtomicBool>,
}

struct Shared {
    reader: Mutex<Connection>,
    delivery: Arc<Delivery>,
    counter: Arc<Counter>,
    status: Status,
    policies: Arc<dyn Reloads>,
    no_room: Arc<AtomicBool>,
    data: PathBuf,
    /// One order at a time: each builds on what was asked before.
    ordering: Mutex<()>,
    runtime: tokio::runtime::Handle,
}

/// Listens on the data folder's socket, replacing the one of a gateway that died.
///
/// # Errors
/// When the socket cannot be made.
pub fn start(data: &Path, served: Served) -> io::Result<()> {
    let path = socket(data);
    // The lock on the data folder says that nobody else is alive there.
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(&path)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
    let Served { reader, delivery, counter, status, policies, no_room } = served;
    let (reader, ordering, data) = (Mutex::new(reader), Mutex::default(), data.to_owned());
    let runtime = tokio::runtime::Handle::current();
    let shared = Arc::new(Shared { reader, delivery, counter, status, policies, no_room, data, ordering, runtime });
    tokio::spawn(async move {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => drop(tokio::spawn(serve(stream, shared.clone()))),
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
    });
    Ok(())
}

async fn serve(stream: UnixStream, shared: Arc<Shared>) {
    let who = stream.peer_cred().map(|c| c.uid()).ok();
    let (read, mut write) = stream.into_split();
    let mut line = String::new();
    let mut read = BufReader::new(read.take(REQUEST));
    let request = read.read_line(&mut line);
    if !matches!(tokio::time::timeout(Duration::from_secs(10), request).await, Ok(Ok(1..))) {
        return;
    }
    let answer = tokio::task::spawn_blocking(move || match serde_json::from_str::<Request>(&line) {
        Ok(request) => {
            tracing::info!(uid = who, verb = request.verb(), "control");
            match request {
                Request::QueueInstruct { wanted } => do_what_is_asked(&shared, who, &wanted),
                Request::QueueRetry { filter } => retry(&shared, &filter),
                Request::Readiness { seconds } => readiness(&shared, seconds),
                Request::MtaSts { domain } => {
                    Answer::Good(queries::mta_sts(&shared.delivery.mta_sts.kept(), domain.as_ref()))
                }
                Request::MtaStsRefresh { domain } => refresh(&shared, &domain),
                Request::Hosts { host } => {
                    Answer::Good(queries::hosts(&shared.delivery.offered.all(), host.as_deref()))
                }
                Request::HostAccept { host, offered, accepting } => {
                    accept_host(&shared, who, (&host, &offered), accepting).map_or_else(Answer::Bad, Answer::Good)
                }
                Request::Reload { accepting } => {
                    put_into_force(&shared, who, accepting, |accepted| shared.policies.reload(accepted))
                }
                Request::Rollback { accepting } => {
                    put_into_force(&shared, who, accepting, |accepted| shared.policies.rollback(accepted))
                }
                request => answer(&shared, request),
            }
        }
        Err(error) => Answer::Bad(format!("the request is not understood: {error}")),
    });
    let answer = answer.await.unwrap_or_else(|error| Answer::Bad(error.to_string()));
    let mut text = serde_json::to_vec(&answer).unwrap_or_default();
    text.push(b'\n');
    // Who hung up does not want to know.
    let _ = write.write_all(&text).await;
}

fn answer(shared: &Shared, request: Request) -> Answer {
    let reader = shared.reader.lock().unwrap_or_else(PoisonError::into_inner);
    let result = match request {
        Request::Status => Ok(status(shared)),
        Request::QueueList { filter, after } => queries::list(&reader, &filter, after),
        Request::QueueCount { filter, after } => queries::count(&reader, &filter, after),
        Request::QueueShow { id } => match id.parse::<EntryId>() {
            Ok(id) => queries::show(&reader, id),
            Err(why) => return Answer::Bad(why.to_owned()),
        },
        Request::Trace { query } => queries::trace(&reader, &query),
        Request::QueueRetry { .. }
        | Request::QueueInstruct { .. }
        | Request::Readiness { .. }
        | Request::MtaSts { .. }
        | Request::MtaStsRefresh { .. }
        | Request::Hosts { .. }
        | Request::HostAccept { .. }
        | Request::Reload { .. }
        | Request::Rollback { .. } => return Answer::Bad("not here".to_owned()),
    };
    result.map_or_else(|error| Answer::Bad(error.to_string()), Answer::Good)
}

fn status(shared: &Shared) -> serde_json::Value {
    let counts = shared.counter.counts();
    let mut status = serde_json::to_value(&shared.status).unwrap_or_default();
    let of = |state| counts.of(state);
    status["queue"] = serde_json::json!({
        "active": of(State::Active), "deferred": of(State::Deferred), "held": of(State::Held)
    });
    status["policy_hash"] = shared.delivery.judge.hash().into();
    status["entries"] = counts.entries.into();
    status["store"] = if shared.delivery.store.is_writable() { "writable" } else { "stopped" }.into();
    status["room"] = if shared.no_room.load(Ordering::Relaxed) { Reason::NoRoom.name() } else { "enough" }.into();
    status
}

/// Does what a person asks, with a connection of its own: others are answered meanwhile.
fn do_what_is_asked(shared: &Shared, uid: Option<u32>, wanted: &Wanted) -> Answer {
    let Some(uid) = uid else {
        return Answer::Bad("the system does not say who asks, so nothing is done\nhint: look at its log".to_owned());
    };
    let _one_at_a_time = shared.ordering.lock().unwrap_or_else(PoisonError::into_inner);
    let reader = match store::reader_of(&shared.data) {
        Ok(reader) => reader,
        Err(error) => return Answer::Bad(error.to_string()),
    };
    let instruct = Instruct { delivery: &shared.delivery, reader: &reader, uid, runtime: &shared.runtime };
    instruct.run(wanted).map_or_else(Answer::Bad, Answer::Good)
}

/// With a connection of its own: two years of records take a while, and others are answered meanwhile.
fn readiness(shared: &Shared, seconds: u64) -> Answer {
    let found = store::reader_of(&shared.data).and_then(|reader| queries::readiness(&reader, seconds));
    found.map_or_else(|error| Answer::Bad(error.to_string()), Answer::Good)
}

/// Fetches a domain's policy anew.
fn refresh(shared: &Shared, domain: &Domain) -> Answer {
    match shared.runtime.block_on(shared.delivery.mta_sts.refresh(domain)) {
        Ok(known) => Answer::Good(queries::sts_policy(&known)),
        Err(why) => Answer::Bad(format!("{domain}: {why}\nhint: what was kept before holds until its end")),
    }
}

/// What a host offers since it fell is right, says a person: on record first.
fn accept_host(
    shared: &Shared,
    uid: Option<u32>,
    (host, seen): (&str, &Offered),
    accepting: Accepting,
) -> Result<serde_json::Value, String> {
    let _one_at_a_time = shared.ordering.lock().unwrap_or_else(PoisonError::into_inner);
    let accepted = accepted(shared, uid, accepting, "--because")?;
    let offered = &shared.delivery.offered;
    let fallen = offered.fallen(host, seen)?;
    let at = Now::read().wall;
    let action = Action {
        at,
        uid: accepted.uid,
        by: Some(accepted.by),
        because: Some(accepted.because),
        verb: "host-accept".to_owned(),
        to: Some(fallen.host.clone()),
        selection: queries::past(&fallen),
    };
    let kept = shared.delivery.store.commit(vec![action.kept(shared.delivery.ids.next(at))]);
    let kept = shared.runtime.block_on(kept);
    kept.map_err(|error| format!("who accepted it could not be put on record, so nothing is changed: {error}"))?;
    offered.accept(host, seen).map(|past| queries::past(&past))
}

/// Who asks, and why, fit for the record.
fn accepted(shared: &Shared, uid: Option<u32>, accepting: Accepting, option: &str) -> Result<Accepted, String> {
    let Accepting { because, by } = accepting;
    let uid = uid.ok_or("the system does not say who asks, so nothing is done\nhint: look at its log")?;
    let judge = shared.delivery.judge.now();
    instruct::check_text(&judge, "--by", &by)?;
    instruct::check_text(&judge, option, &because)?;
    Ok(Accepted { uid, because, by })
}

/// Changes the policy in force, as whoever asks has accepted it.
fn put_into_force(
    shared: &Shared,
    uid: Option<u32>,
    accepting: Option<Accepting>,
    put: impl FnOnce(Option<&Accepted>) -> Result<serde_json::Value, String>,
) -> Answer {
    let accepted = accepting.map(|accepting| accepted(shared, uid, accepting, "--accept-lowering"));
    let result = accepted.transpose().and_then(|accepted| put(accepted.as_ref()));
    result.map_or_else(Answer::Bad, Answer::Good)
}

/// Brings what waits forward, a page at a time; says how many messages. Only a release ends what a person holds.
fn retry(shared: &Shared, filter: &Filter) -> Answer {
    let reader = store::reader_of(&shared.data);
    match reader.and_then(|reader| bring_forward(shared, &reader, filter)) {
        Ok(messages) => Answer::Good(serde_json::json!({ "retried": messages })),
        Err(error) => Answer::Bad(error.to_string()),
    }
}

fn bring_forward(shared: &Shared, reader: &Connection, filter: &Filter) -> Result<usize, StoreError> {
    let now = Now::read().wall;
    let domain = filter.to_domain.as_ref().map(Domain::as_str);
    let (mut messages, mut after) = (0, None);
    loop {
        let page = select::page(reader, filter, after)?;
        let chosen = page.chosen.iter().filter(|chosen| chosen.is_attempted());
        let changes: Vec<Change> = chosen.map(|chosen| entry::brought_forward(chosen.entry.id, domain, now)).collect();
        messages += changes.len();
        shared.runtime.block_on(shared.delivery.store.commit(changes))?;
        shared.delivery.schedule.backlog.expect(now);
        after = page.next;
        if after.is_none() {
            return Ok(messages);
        }
    }
}

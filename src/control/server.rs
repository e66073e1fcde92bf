//! The socket of the running gateway: one request per line, one answer per line.
//!
//! Started by `serve`. Promises: mode 0600; a request is bounded; nobody who asks can stop the gateway. Fails at start only.

use super::{Answer, Filter, Request, Status, queries, socket};
use crate::clock::{EntryId, Now};
use crate::queue::{Counter, Schedule, State, entry};
use crate::store::{Store, StoreError};
use rusqlite::Connection;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};

/// Octets of a request at most.
const REQUEST: u64 = 64 * 1024;

/// What answers are made from.
pub struct Served {
    pub reader: Connection,
    pub schedule: Arc<Schedule>,
    pub store: Store,
    pub counter: Arc<Counter>,
    pub status: Status,
}

struct Shared {
    reader: Mutex<Connection>,
    schedule: Arc<Schedule>,
    store: Store,
    counter: Arc<Counter>,
    status: Status,
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
    let Served { reader, schedule, store, counter, status } = served;
    let (reader, runtime) = (Mutex::new(reader), tokio::runtime::Handle::current());
    let shared = Arc::new(Shared { reader, schedule, store, counter, status, runtime });
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
            answer(&shared, request)
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
        Request::QueueList { filter } => queries::list(&reader, &filter).map(|rows| serde_json::json!(rows)),
        Request::QueueShow { id } => match id.parse::<EntryId>() {
            Ok(id) => queries::show(&reader, id),
            Err(why) => return Answer::Bad(why.to_owned()),
        },
        Request::QueueRetry { filter } => retry(shared, &reader, &filter).map(|n| serde_json::json!({ "retried": n })),
        Request::Trace { query } => queries::trace(&reader, &query),
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
    status["entries"] = counts.entries.into();
    status["store"] = if shared.store.is_writable() { "writable" } else { "stopped" }.into();
    status
}

/// Brings what waits forward, a page at a time; returns how many messages.
fn retry(shared: &Shared, reader: &Connection, filter: &Filter) -> Result<usize, StoreError> {
    let now = Now::read().wall;
    let domain = filter.to_domain.as_ref().map(|domain| domain.to_ascii_lowercase());
    let mut ids: Vec<EntryId> = queries::list(reader, filter)?.into_iter().map(|row| row.id).collect();
    ids.dedup();
    let forward = |id: &EntryId| entry::brought_forward(*id, domain.as_deref(), now);
    for page in ids.chunks(PAGE) {
        shared.runtime.block_on(shared.store.commit(page.iter().map(forward).collect()))?;
        shared.schedule.backlog.expect(now);
    }
    Ok(ids.len())
}

/// Entries that one commit brings forward: no sender waits long for it.
const PAGE: usize = 500;

//! One question, settled: from the cache, with others who ask the same at this moment, or from the servers in turn.
//!
//! Called by `dns`. Promises: equal questions asked at once go out once, and still go out when the first asker goes away;
//! at most 100 are on the wire. Fails by `Answer::Tempfail`, which is not cached.

use super::answer::{self, ALIASES, Answer, Found, Reading};
use super::cache::{Cache, Question};
use super::counts::{Counts, LookupKind, LookupResult};
use super::wire::{self, Validation};
use super::{Believed, Dnssec};
use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::{Name, RecordType};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{OnceCell, Semaphore};
use tokio::time::timeout;

/// Answers that are kept: a domain has five, and each takes some 200 octets.
const CACHED: usize = 50_000;
const ON_THE_WIRE: usize = 100;
const ROUNDS: usize = 2;

type Shared = Arc<OnceCell<Found>>;

/// A server, and whether its word on signatures counts.
#[derive(Debug, Clone, Copy)]
struct Server {
    address: SocketAddr,
    validation: Validation,
}

pub(super) struct Lookup {
    servers: Vec<Server>,
    patience: Duration,
    cache: Mutex<Cache>,
    asking: Mutex<HashMap<Question, Shared>>,
    wire: Semaphore,
    /// The last self-test failed: what is signed may look unsigned.
    failing: AtomicBool,
    pub(super) counts: Counts,
}

impl Lookup {
    pub(super) fn new(servers: &[SocketAddr], dnssec: Dnssec, patience: Duration) -> Lookup {
        let believed = |address: &&SocketAddr| dnssec.believes(**address) == Believed::Yes;
        let validating: Vec<SocketAddr> = servers.iter().filter(believed).copied().collect();
        // Beside one that is believed no other is asked: its answers would look unsigned, and so would whatever is signed.
        let servers: Vec<Server> = match validating.is_empty() {
            true => servers.iter().map(|s| Server { address: *s, validation: Validation::Unasked }).collect(),
            false => validating.into_iter().map(|s| Server { address: s, validation: Validation::Wanted }).collect(),
        };
        Lookup {
            servers,
            patience,
            cache: Mutex::new(Cache::new(CACHED)),
            asking: Mutex::new(HashMap::new()),
            wire: Semaphore::new(ON_THE_WIRE),
            failing: AtomicBool::new(false),
            counts: Counts::default(),
        }
    }

    /// Whether some server's word on signatures counts.
    pub(super) fn validates(&self) -> bool {
        self.servers.iter().any(|server| server.validation == Validation::Wanted)
    }

    pub(super) fn is_failing(&self) -> bool {
        self.failing.load(Ordering::Relaxed)
    }

    /// What was learned while nothing was validated is forgotten when it is again.
    pub(super) fn set_failing(&self, failing: bool) {
        if self.failing.swap(failing, Ordering::Relaxed) && !failing {
            lock(&self.cache).clear();
        }
    }

    pub(super) async fn ask(&self, name: &str, kind: RecordType) -> Found {
        let bare = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
        let question = Question { name: bare.into(), kind };
        if let Some(known) = lock(&self.cache).get(&question, Instant::now()) {
            return known;
        }
        let together = Together::join(&self.asking, question);
        let Some(cell) = together.cell.clone() else { return failed("nobody asks".to_owned()) };
        // If the asker that goes out is dropped, the next one that waits takes over.
        cell.get_or_init(|| self.settle(&together.question)).await.clone()
    }

    /// The same, whatever is known already.
    pub(super) async fn ask_anew(&self, name: &str, kind: RecordType) -> Found {
        let bare = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
        self.look_up(&Question { name: bare.into(), kind }).await
    }

    async fn settle(&self, question: &Question) -> Found {
        // Another asker may have settled it between our look at the cache and now.
        if let Some(known) = lock(&self.cache).get(question, Instant::now()) {
            return known;
        }
        self.look_up(question).await
    }

    async fn look_up(&self, question: &Question) -> Found {
        let found = match Name::from_ascii(format!("{}.", question.name)) {
            Ok(name) => timeout(self.longest(), self.ask_servers(question, name))
                .await
                .unwrap_or_else(|_| failed(format!("{} took too long", question.name))),
            Err(e) => failed(format!("{} is no name that can be looked up: {e}", question.name)),
        };
        self.count(question.kind, &found);
        found
    }

    /// Enough for every server twice, and a few aliases; a chain of slow ones does not keep a message for minutes.
    fn longest(&self) -> Duration {
        let exchanges = u32::try_from(self.servers.len() * ROUNDS).unwrap_or(u32::MAX);
        self.patience.saturating_mul(exchanges.saturating_add(4))
    }

    async fn ask_servers(&self, question: &Question, mut name: Name) -> Found {
        let Ok(_place) = self.wire.acquire().await else { return failed("shutting down".to_owned()) };
        let (mut used, mut secure, mut led) = (0, true, None);
        // Every further question has used up an alias.
        for _ in 0..=ALIASES {
            let (reading, validated) = self.ask_some_server(&name, question.kind, used).await;
            secure &= validated;
            match reading {
                Reading::Alias(target, now_used) => {
                    led = Some(target.to_ascii().trim_end_matches('.').to_ascii_lowercase().into());
                    (name, used) = (target, now_used);
                }
                Reading::Bad(cause) => return failed(cause),
                Reading::Bogus(cause) => return Found::failed(Answer::Bogus(cause)),
                Reading::Settled(answer, canonical, ttl) => {
                    let found = Found { answer, secure, canonical: canonical.or(led) };
                    if secure || !self.is_failing() {
                        lock(&self.cache).put(question.clone(), found.clone(), ttl, Instant::now());
                    }
                    return found;
                }
            }
        }
        failed(format!("{} leads through too many aliases", question.name))
    }

    /// The servers in turn, twice round, until one gives an answer that can be used; and whether it was validated.
    async fn ask_some_server(&self, name: &Name, kind: RecordType, used: usize) -> (Reading, bool) {
        let mut cause = "no resolver is configured".to_owned();
        for server in self.servers.iter().cycle().take(self.servers.len() * ROUNDS) {
            let Server { address, validation } = *server;
            match wire::exchange(address, (name, kind), validation, self.patience).await {
                Ok(reply) => match answer::read(&reply, name, kind, used) {
                    Reading::Bad(_) if self.is_bogus(*server, (name, kind), &reply).await => {
                        return (
                            Reading::Bogus(format!("{kind} of {name}: {address} finds its signatures wrong")),
                            false,
                        );
                    }
                    Reading::Bad(why) => cause = format!("{address} {why}"),
                    // RFC 4035 3.2.3: AD says that every record of the answer was validated.
                    good => return (good, validation == Validation::Wanted && reply.metadata.authentic_data),
                },
                Err(why) => cause = why,
            }
        }
        (Reading::Bad(format!("{kind} of {name}: {cause}")), false)
    }

    /// Whether the server fails only because it validates: without, it has an answer (RFC 4035 3.2.2).
    async fn is_bogus(&self, server: Server, question: (&Name, RecordType), reply: &Message) -> bool {
        if server.validation != Validation::Wanted || reply.metadata.response_code != ResponseCode::ServFail {
            return false;
        }
        let unchecked = self.code(server, question, Validation::Disabled).await;
        // A server that was slow and has it by now is not one that finds the signatures wrong.
        matches!(unchecked, Some(ResponseCode::NoError | ResponseCode::NXDomain))
            && self.code(server, question, Validation::Wanted).await == Some(ResponseCode::ServFail)
    }

    async fn code(
        &self,
        server: Server,
        question: (&Name, RecordType),
        validation: Validation,
    ) -> Option<ResponseCode> {
        let reply = wire::exchange(server.address, question, validation, self.patience).await.ok()?;
        Some(reply.metadata.response_code)
    }

    fn count(&self, kind: RecordType, found: &Found) {
        let kind = match kind {
            RecordType::MX => LookupKind::Mx,
            RecordType::A => LookupKind::A,
            RecordType::TLSA => LookupKind::Tlsa,
            RecordType::TXT => LookupKind::Txt,
            RecordType::AAAA => LookupKind::Aaaa,
            // The self-test, and aliases on the way to keys.
            _ => return,
        };
        let result = match &found.answer {
            Answer::NoData | Answer::NoDomain => LookupResult::Absent,
            Answer::Tempfail(_) => LookupResult::Tempfail,
            Answer::Bogus(_) => LookupResult::Bogus,
            _ if found.secure => LookupResult::Secure,
            _ => LookupResult::Insecure,
        };
        self.counts.add(kind, result);
    }

    #[cfg(test)]
    pub(super) fn being_asked(&self) -> usize {
        lock(&self.asking).len()
    }
}

fn failed(cause: String) -> Found {
    Found::failed(Answer::Tempfail(cause))
}

/// No lock here is held while anything can panic or wait, so what a poisoned one guards is whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A place among those who ask one question; the last to leave clears the table.
struct Together<'a> {
    asking: &'a Mutex<HashMap<Question, Shared>>,
    question: Question,
    cell: Option<Shared>,
}

impl<'a> Together<'a> {
    fn join(asking: &'a Mutex<HashMap<Question, Shared>>, question: Question) -> Together<'a> {
        let cell = Arc::clone(lock(asking).entry(question.clone()).or_default());
        Together { asking, question, cell: Some(cell) }
    }
}

impl Drop for Together<'_> {
    fn drop(&mut self) {
        let mut table = lock(self.asking);
        self.cell = None;
        // Under the lock nobody joins: one owner left means that it is the table.
        if table.get(&self.question).is_some_and(|cell| Arc::strong_count(cell) == 1) {
            table.remove(&self.question);
        }
    }
}

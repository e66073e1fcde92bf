//! One question, settled: from the cache, with others who ask the same at this moment, or from the servers in turn.
//!
//! Called by `dns`. Promises: equal questions asked at once go out once, and still go out when the first asker goes away;
//! at most 100 are on the wire. Fails by `Answer::Tempfail`, which is not cached.

use super::answer::{self, ALIASES, Answer, Reading};
use super::cache::{Cache, Question};
use super::counts::{Counts, LookupKind, LookupResult};
use super::wire;
use hickory_proto::rr::{Name, RecordType};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{OnceCell, Semaphore};
use tokio::time::timeout;

const CACHED: usize = 10_000;
const ON_THE_WIRE: usize = 100;
const ROUNDS: usize = 2;

type Shared = Arc<OnceCell<Answer>>;

pub(super) struct Lookup {
    servers: Vec<SocketAddr>,
    patience: Duration,
    cache: Mutex<Cache>,
    asking: Mutex<HashMap<Question, Shared>>,
    wire: Semaphore,
    pub(super) counts: Counts,
}

impl Lookup {
    pub(super) fn new(servers: Vec<SocketAddr>, patience: Duration) -> Lookup {
        Lookup {
            servers,
            patience,
            cache: Mutex::new(Cache::new(CACHED)),
            asking: Mutex::new(HashMap::new()),
            wire: Semaphore::new(ON_THE_WIRE),
            counts: Counts::default(),
        }
    }

    pub(super) async fn ask(&self, name: &str, kind: RecordType) -> Answer {
        let bare = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
        let question = Question { name: bare.into(), kind };
        if let Some(known) = lock(&self.cache).get(&question, Instant::now()) {
            return known;
        }
        let together = Together::join(&self.asking, question);
        let Some(cell) = together.cell.clone() else { return Answer::Tempfail("nobody asks".to_owned()) };
        // If the asker that goes out is dropped, the next one that waits takes over.
        cell.get_or_init(|| self.settle(&together.question)).await.clone()
    }

    async fn settle(&self, question: &Question) -> Answer {
        // Another asker may have settled it between our look at the cache and now.
        if let Some(known) = lock(&self.cache).get(question, Instant::now()) {
            return known;
        }
        let answer = match Name::from_ascii(format!("{}.", question.name)) {
            Ok(name) => timeout(self.longest(), self.ask_servers(question, name))
                .await
                .unwrap_or_else(|_| Answer::Tempfail(format!("{} took too long", question.name))),
            Err(e) => Answer::Tempfail(format!("{} is no name that can be looked up: {e}", question.name)),
        };
        self.count(question.kind, &answer);
        answer
    }

    /// Enough for every server twice, and a few aliases; a chain of slow ones does not keep a message for minutes.
    fn longest(&self) -> Duration {
        let exchanges = u32::try_from(self.servers.len() * ROUNDS).unwrap_or(u32::MAX);
        self.patience.saturating_mul(exchanges.saturating_add(4))
    }

    async fn ask_servers(&self, question: &Question, mut name: Name) -> Answer {
        let Ok(_place) = self.wire.acquire().await else { return Answer::Tempfail("shutting down".to_owned()) };
        let mut used = 0;
        // Every further question has used up an alias.
        for _ in 0..=ALIASES {
            match self.ask_some_server(&name, question.kind, used).await {
                Reading::Alias(target, now_used) => (name, used) = (target, now_used),
                Reading::Bad(cause) => return Answer::Tempfail(cause),
                Reading::Settled(answer, ttl) => {
                    lock(&self.cache).put(question.clone(), answer.clone(), ttl, Instant::now());
                    return answer;
                }
            }
        }
        Answer::Tempfail(format!("{} leads through too many aliases", question.name))
    }

    /// The servers in turn, twice round, until one gives an answer that can be used.
    async fn ask_some_server(&self, name: &Name, kind: RecordType, used: usize) -> Reading {
        let mut cause = "no resolver is configured".to_owned();
        for server in self.servers.iter().cycle().take(self.servers.len() * ROUNDS) {
            match wire::exchange(*server, name, kind, self.patience).await {
                Ok(reply) => match answer::read(&reply, name, kind, used) {
                    Reading::Bad(why) => cause = format!("{server} {why}"),
                    good => return good,
                },
                Err(why) => cause = why,
            }
        }
        Reading::Bad(format!("{kind} of {name}: {cause}"))
    }

    fn count(&self, kind: RecordType, answer: &Answer) {
        let kind = match kind {
            RecordType::MX => LookupKind::Mx,
            RecordType::A => LookupKind::A,
            _ => LookupKind::Aaaa,
        };
        self.counts.add(
            kind,
            match answer {
                Answer::Mx(_) | Answer::NullMx | Answer::Addresses(_) => LookupResult::Insecure,
                Answer::NoData | Answer::NoDomain => LookupResult::Absent,
                Answer::Tempfail(_) => LookupResult::Tempfail,
            },
        );
    }

    #[cfg(test)]
    pub(super) fn being_asked(&self) -> usize {
        lock(&self.asking).len()
    }
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

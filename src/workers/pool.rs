//! The workers that are kept ready, and the thread that keeps them: it starts them, watches their time, and replaces them.
//!
//! Called by whoever inspects a message with documents in it; callers wait on threads that may wait. Promises: no more
//! workers than were wanted; a message has 5 s of a core; what was read by a faulty worker is said as unread, and the worker
//! is gone. Fails with `Busy` when there is no worker for the time being.

use super::Confined;
use super::child::{self, End, Unfit, Worker};
use super::telling::Telling;
use crate::clinical::Findings;
use crate::vocabulary::FindingKind;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Of a core, for one message.
const CPU: Duration = Duration::from_secs(5);
/// Of that, for all documents of a message that has several …
const TOGETHER: Duration = Duration::from_secs(3);
/// … and for reading each by itself where a worker ended on one of them …
const APART: Duration = Duration::from_secs(2);
/// … as long as so much is left for one …
const LEAST: Duration = Duration::from_millis(30);
/// … and for so many.
const MOST_APART: usize = 16;
/// By the clock: a machine that is so busy cannot read it now.
const WALL: Duration = Duration::from_secs(90);
/// How often running workers are looked at.
const LOOK: Duration = Duration::from_millis(20);
/// After a start that failed.
const AGAIN: Duration = Duration::from_secs(10);
/// How long a message waits for a worker.
const TURN: Duration = Duration::from_secs(120);
/// A worker that somebody else kills says nothing of the message: another one tries.
const ATTEMPTS: usize = 2;
/// Messages that one worker reads: what a reader leaves behind in it ends with it.
const MESSAGES: u32 = 500;

/// There is no worker now; the message should come again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Busy;

/// Why a worker was replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It had read enough.
    Used,
    Time,
    Memory,
    /// By somebody else.
    Killed,
    Forbidden,
    Fault,
}

impl Ended {
    /// Every reason, as metrics name them.
    pub const ALL: [Ended; 6] =
        [Ended::Used, Ended::Time, Ended::Memory, Ended::Killed, Ended::Forbidden, Ended::Fault];

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Ended::Used => "used",
            Ended::Time => "time",
            Ended::Memory => "memory",
            Ended::Killed => "killed",
            Ended::Forbidden => "forbidden",
            Ended::Fault => "fault",
        }
    }
}

/// Workers, kept ready.
pub struct Workers {
    shared: Arc<Shared>,
}

struct Shared {
    programme: PathBuf,
    state: Mutex<State>,
    changed: Condvar,
    /// Told of every replacement.
    ended: Box<dyn Fn(Ended) + Send + Sync>,
}

#[derive(Default)]
struct State {
    idle: Vec<Worker>,
    running: Vec<Running>,
    /// Idle, running, or being started.
    alive: usize,
    wanted: usize,
    /// Why the last one could not be started.
    unfit: Option<Unfit>,
    closed: bool,
}

/// A worker that reads.
struct Running {
    pid: Pid,
    since: Instant,
    used_before: Duration,
    /// Of a core, which it may use.
    cpu: Duration,
    killed: Option<Killed>,
}

impl Running {
    fn used(&self) -> Duration {
        child::used(self.pid).unwrap_or_default().saturating_sub(self.used_before)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Killed {
    Cpu,
    Wall,
}

impl Workers {
    /// Starts `wanted` workers, and a thread that keeps as many. `ended` is told of each that is replaced.
    #[must_use]
    pub fn new(programme: PathBuf, wanted: usize, ended: impl Fn(Ended) + Send + Sync + 'static) -> Workers {
        let state = Mutex::new(State { wanted: wanted.max(1), ..State::default() });
        let shared = Arc::new(Shared { programme, state, changed: Condvar::new(), ended: Box::new(ended) });
        let keeping = shared.clone();
        // Workers die with the thread that started them, so it is one that stays.
        let kept = std::thread::Builder::new().name("workers".into()).spawn(move || keeping.keep());
        if let Err(error) = kept {
            shared.lock().unfit = Some(Unfit(error.to_string()));
        }
        Workers { shared }
    }

    /// Reads a message with its documents. `first` is what was found without them, and says which there are. Where a worker ends
    /// on one of several, each is read by itself: none hides what another holds.
    ///
    /// # Errors
    /// When there is no worker now.
    pub fn inspect(&self, telling: &Telling, message: &[u8], first: Findings) -> Result<Findings, Busy> {
        let is_one = first.documents.len() <= 1;
        let job = Job { message, only: None, cpu: if is_one { CPU } else { TOGETHER } };
        match self.read(telling, &job)? {
            Outcome::Found(findings, _) => Ok(Findings { attachments: first.attachments, ..findings }),
            Outcome::Unfit => Ok(unread(first, &Outcome::Unfit)),
            ended if is_one => Ok(unread(first, &ended)),
            _ => self.one_by_one(telling, message, first),
        }
    }

    fn one_by_one(&self, telling: &Telling, message: &[u8], mut whole: Findings) -> Result<Findings, Busy> {
        let (documents, mut left) = (std::mem::take(&mut whole.documents), APART);
        let count = documents.len();
        for (number, place) in documents.into_iter().enumerate() {
            let cpu = if number + 1 == count { left } else { left / 2 };
            if cpu < LEAST || number >= MOST_APART {
                Outcome::Ended(Ended::Time).tell(&mut whole, place);
                continue;
            }
            match self.read(telling, &Job { message, only: Some(number), cpu })? {
                Outcome::Found(findings, used) => {
                    whole.join(findings);
                    left = left.saturating_sub(used);
                }
                ended => {
                    ended.tell(&mut whole, place);
                    left = left.saturating_sub(cpu);
                }
            }
        }
        Ok(whole)
    }

    /// Has one job done. A worker that somebody else kills says nothing of the message: another one tries.
    fn read(&self, telling: &Telling, job: &Job<'_>) -> Result<Outcome, Busy> {
        let mut ended = Ended::Killed;
        for _ in 0..ATTEMPTS {
            let mut worker = match self.shared.take(job.cpu)? {
                Ok(worker) => worker,
                Err(Unfit(_)) => return Ok(Outcome::Unfit),
            };
            let read = worker.read(telling, job.message, job.only);
            let was = self.shared.no_longer_running(worker.pid());
            ended = match read {
                Ok(findings) => {
                    self.shared.give_back(worker);
                    return Ok(Outcome::Found(findings, was.used));
                }
                Err(error) => why(was.killed, worker.end(error.kind())),
            };
            self.shared.replace(ended);
            tracing::warn!(reason = ended.name(), "a worker ended while it read a message");
            match (ended, was.killed) {
                (Ended::Killed, _) => {}
                (_, Some(Killed::Wall)) => return Err(Busy),
                _ => break,
            }
        }
        Ok(Outcome::Ended(ended))
    }

    /// Why there are no workers at present, if there are none.
    #[must_use]
    pub fn unfit(&self) -> Option<Unfit> {
        self.shared.lock().unfit.clone()
    }

    /// What holds the workers, or why there are none. Waits for the first.
    ///
    /// # Errors
    /// With the reason.
    pub fn confined(&self) -> Result<Confined, Unfit> {
        match self.shared.take(CPU) {
            Ok(Ok(worker)) => {
                let confined = worker.confined;
                self.shared.no_longer_running(worker.pid());
                self.shared.give_back(worker);
                Ok(confined)
            }
            Ok(Err(unfit)) => Err(unfit),
            Err(Busy) => Err(Unfit("none is free".into())),
        }
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.closed = true;
        // Dropping one kills it.
        state.idle.clear();
        self.shared.changed.notify_all();
    }
}

fn why(killed: Option<Killed>, end: End) -> Ended {
    match (killed, end) {
        (Some(_), _) => Ended::Time,
        (None, End::Memory) => Ended::Memory,
        (None, End::Killed) => Ended::Killed,
        (None, End::Forbidden) => Ended::Forbidden,
        (None, End::Fault) => Ended::Fault,
    }
}

/// Reads one message with a worker that is started for it, and ended.
#[must_use]
pub fn inspect_once(programme: &Path, telling: &Telling, message: &[u8], first: Findings) -> Findings {
    let workers = Workers::new(programme.to_owned(), 1, |_| ());
    let kept = first.clone();
    // Whoever asks for one message has nothing else to wait for; a machine that is so busy has not read it.
    workers.inspect(telling, message, first).unwrap_or_else(|Busy| unread(kept, &Outcome::Ended(Ended::Time)))
}

/// The documents that were passed over are unread.
fn unread(mut first: Findings, outcome: &Outcome) -> Findings {
    for place in std::mem::take(&mut first.documents) {
        outcome.tell(&mut first, place);
    }
    first
}

/// What is to be read, and how much of a core it may take.
struct Job<'m> {
    message: &'m [u8],
    /// One of its documents.
    only: Option<usize>,
    cpu: Duration,
}

/// What came of it.
enum Outcome {
    /// With what it used.
    Found(Findings, Duration),
    Ended(Ended),
    Unfit,
}

impl Outcome {
    /// Says that a document is unread, and why.
    fn tell(&self, findings: &mut Findings, place: String) {
        match self {
            Outcome::Found(..) => {}
            Outcome::Unfit => findings.add_unread(FindingKind::UnknownAttachment, place, "no worker"),
            Outcome::Ended(ended @ (Ended::Fault | Ended::Forbidden)) => {
                findings.add_unread(FindingKind::BrokenAttachment, place, ended.name());
            }
            Outcome::Ended(ended) => findings.add_unread(FindingKind::LimitReached, place, ended.name()),
        }
    }
}

/// A worker's time with a message, after it.
#[derive(Default)]
struct Was {
    killed: Option<Killed>,
    used: Duration,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A worker that is now running; or the reason why there is none and will be none soon.
    fn take(&self, cpu: Duration) -> Result<Result<Worker, Unfit>, Busy> {
        let until = Instant::now() + TURN;
        let mut state = self.lock();
        loop {
            if let Some(mut worker) = state.idle.pop() {
                if worker.is_dead() {
                    state.alive = state.alive.saturating_sub(1);
                    (self.ended)(Ended::Killed);
                    continue;
                }
                let used_before = child::used(worker.pid()).unwrap_or_default();
                let since = Instant::now();
                state.running.push(Running { pid: worker.pid(), since, used_before, cpu, killed: None });
                // Whoever keeps them watches it from now on.
                self.changed.notify_all();
                return Ok(Ok(worker));
            }
            // Dead ones are missed.
            self.changed.notify_all();
            if let Some(unfit) = state.unfit.clone().filter(|_| state.running.is_empty()) {
                return Ok(Err(unfit));
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || state.closed {
                return Err(Busy);
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Before a worker's end is waited for: its number may be another's then.
    fn no_longer_running(&self, pid: Pid) -> Was {
        let mut state = self.lock();
        let Some(at) = state.running.iter().position(|running| running.pid == pid) else { return Was::default() };
        let running = state.running.swap_remove(at);
        Was { killed: running.killed, used: running.used() }
    }

    fn give_back(&self, worker: Worker) {
        if worker.read >= MESSAGES {
            drop(worker);
            return self.replace(Ended::Used);
        }
        let mut state = self.lock();
        if !state.closed {
            state.idle.push(worker);
        }
        self.changed.notify_all();
    }

    fn replace(&self, why: Ended) {
        (self.ended)(why);
        let mut state = self.lock();
        state.alive = state.alive.saturating_sub(1);
        self.changed.notify_all();
    }

    /// The keeper's life.
    fn keep(&self) {
        let mut tried: Option<Instant> = None;
        loop {
            let mut state = self.lock();
            state.running.iter_mut().for_each(watch);
            if state.closed {
                return;
            }
            let may_try = tried.is_none_or(|tried| tried.elapsed() >= AGAIN);
            if state.alive < state.wanted && may_try {
                state.alive += 1;
                drop(state);
                tried = self.start().err().map(|_| Instant::now());
                continue;
            }
            let pause = if state.running.is_empty() { AGAIN } else { LOOK };
            drop(self.changed.wait_timeout(state, pause));
        }
    }

    /// Starts one more.
    fn start(&self) -> Result<(), ()> {
        let started = Worker::start(&self.programme);
        let mut state = self.lock();
        let result = match started {
            Ok(worker) => {
                state.unfit = None;
                state.idle.push(worker);
                Ok(())
            }
            Err(unfit) => {
                state.alive = state.alive.saturating_sub(1);
                if state.unfit.is_none() {
                    tracing::error!(
                        why = unfit.0,
                        "no worker can be started: documents are not read, and said to be unread"
                    );
                }
                state.unfit = Some(unfit);
                Err(())
            }
        };
        self.changed.notify_all();
        result
    }
}

/// Ends a worker that has had its time.
fn watch(running: &mut Running) {
    if running.killed.is_some() {
        return;
    }
    running.killed = match () {
        () if running.used() > running.cpu => Some(Killed::Cpu),
        () if running.since.elapsed() > WALL => Some(Killed::Wall),
        () => return,
    };
    // It is not waited for before it is out of this list, so this number is its own.
    let _ = kill(running.pid, Signal::SIGKILL);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_know_every_reason() {
        assert_eq!(Ended::ALL.map(Ended::name).as_slice(), crate::metrics::WORKER_ENDS);
    }

    #[test]
    fn a_programme_that_is_no_worker_leaves_documents_unread() {
        let telling = Telling::of(&crate::clinical::Told::default());
        let first = || Findings { documents: vec!["a.zip".into()], ..Findings::default() };
        for programme in ["/bin/true", "/bin/cat", "/there/is/none"] {
            let workers = Workers::new(programme.into(), 1, |_| ());
            let found = workers.inspect(&telling, b"", first()).unwrap();
            assert_eq!(
                found.unread.first().map(|u| (u.place.as_str(), u.kind)),
                Some(("a.zip", FindingKind::UnknownAttachment))
            );
            assert!(workers.unfit().is_some() && workers.confined().is_err(), "{programme}");
        }
    }
}

//! Keeps as many workers as are wanted: starts them, watches their time, and replaces them, from one thread that stays.
//!
//! Called by `pool`. Promises: no more workers than were wanted; a running one that has had its time is killed; one that is
//! taken is somebody's alone. Fails with `Busy` when none is free for long.

use super::child::{self, Unfit, Worker};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::path::PathBuf;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// By the clock: a machine that is so busy cannot read it now.
const WALL: Duration = Duration::from_secs(90);
/// How often running workers are looked at.
const LOOK: Duration = Duration::from_millis(20);
/// After a start that failed.
const AGAIN: Duration = Duration::from_secs(10);
/// How long a message waits for a worker.
const TURN: Duration = Duration::from_secs(120);
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

pub(super) struct Keeper {
    programme: PathBuf,
    state: Mutex<State>,
    changed: Condvar,
    /// Told of every replacement.
    ended: Box<dyn Fn(Ended) + Send + Sync>,
}

#[derive(Default)]
pub(super) struct State {
    idle: Vec<Worker>,
    running: Vec<Running>,
    /// Idle, running, or being started.
    alive: usize,
    wanted: usize,
    /// Why the last one could not be started.
    pub unfit: Option<Unfit>,
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
pub(super) enum Killed {
    Cpu,
    Wall,
}

/// A worker's time with a message, after it.
#[derive(Default)]
pub(super) struct Was {
    pub killed: Option<Killed>,
    pub used: Duration,
}

impl Keeper {
    pub fn new(programme: PathBuf, wanted: usize, ended: impl Fn(Ended) + Send + Sync + 'static) -> Keeper {
        let state = Mutex::new(State { wanted: wanted.max(1), ..State::default() });
        Keeper { programme, state, changed: Condvar::new(), ended: Box::new(ended) }
    }

    /// No more are started; idle ones end.
    pub fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        // Dropping one kills it.
        state.idle.clear();
        self.changed.notify_all();
    }

    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A worker that is now running; or the reason why there is none and will be none soon.
    pub fn take(&self, cpu: Duration) -> Result<Result<Worker, Unfit>, Busy> {
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
    pub fn no_longer_running(&self, pid: Pid) -> Was {
        let mut state = self.lock();
        let Some(at) = state.running.iter().position(|running| running.pid == pid) else { return Was::default() };
        let running = state.running.swap_remove(at);
        Was { killed: running.killed, used: running.used() }
    }

    pub fn give_back(&self, worker: Worker) {
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

    pub fn replace(&self, why: Ended) {
        (self.ended)(why);
        let mut state = self.lock();
        state.alive = state.alive.saturating_sub(1);
        self.changed.notify_all();
    }

    /// The keeper's life.
    pub fn keep(&self) {
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

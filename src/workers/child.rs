//! One worker, seen from the gateway: started, asked, and ended.
//!
//! Called by `pool`. Promises: it gets nothing of the gateway's but two pipes; a worker that is dropped is killed and its end
//! waited for. Fails with the pipe's error when it died, and with `Unfit` when it cannot be had at all.

use super::Confined;
use super::telling::Telling;
use super::wire::{self, Order, Said};
use super::work::NO_MEMORY;
use crate::clinical::Findings;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::time::{ClockId, clock_getcpuclockid};
use nix::unistd::Pid;
use std::io;
use std::os::fd::AsFd as _;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

/// A worker says that it is ready within this many milliseconds, or it is none.
const READY: u16 = 20_000;

/// Its allocator sets no large piece aside: the bound on memory counts what is mapped, used or not.
const ALLOCATOR: [(&str, &str); 1] = [("MIMALLOC_ARENA_RESERVE", "0")];

/// Why no worker can be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfit(pub String);

/// Why a worker ended while it read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// It asked the system for what it may not have.
    Forbidden,
    /// It could not have more memory.
    Memory,
    /// Somebody else killed it, such as a system that had no memory left.
    Killed,
    /// Anything else: a fault in a reader.
    Fault,
}

pub(super) struct Worker {
    child: Child,
    stdin: ChildStdin,
    stdout: ChildStdout,
    pub confined: Confined,
    /// What it was told last: a number for it.
    told: Option<u64>,
    /// Messages that it has read.
    pub read: u32,
}

impl Worker {
    /// Starts a worker and waits until it is confined. Its life hangs on the thread that starts it.
    pub fn start(programme: &Path) -> Result<Worker, Unfit> {
        let unfit = |why: &dyn std::fmt::Display| Unfit(why.to_string());
        let mut command = Command::new(programme);
        // What a reader says when it fails may hold what it read: nobody hears it.
        command
            .arg0("mailward")
            .arg("worker")
            .env_clear()
            .envs(ALLOCATOR)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = command.stderr(Stdio::null()).spawn().map_err(|why| unfit(&why))?;
        let (Some(stdin), Some(mut stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(unfit(&"it has no pipes"));
        };
        let heard = ready_in_time(&stdout).and_then(|()| wire::hear(&mut stdout));
        let worker = |confined| Worker { child, stdin, stdout, confined, told: None, read: 0 };
        match heard {
            Ok(Said::Ready(confined)) => Ok(worker(confined)),
            Ok(Said::Unfit(why)) => Err(unfit(&why)),
            Ok(_) => Err(unfit(&"it does not speak like a worker")),
            Err(why) => Err(unfit(&why)),
        }
    }

    pub fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).unwrap_or(i32::MAX))
    }

    /// Whether it died while it had nothing to do.
    pub fn is_dead(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// Has a message read, or one of its documents.
    pub fn read(&mut self, telling: &Telling, message: &[u8], only: Option<usize>) -> io::Result<Findings> {
        if self.told != Some(telling.number()) {
            wire::send_order(&mut self.stdin, Order::Told, telling.json())?;
            self.told = Some(telling.number());
        }
        match only {
            None => wire::send_order(&mut self.stdin, Order::Message, message)?,
            Some(number) => wire::send_one(&mut self.stdin, number, message)?,
        }
        self.read += 1;
        match wire::hear(&mut self.stdout)? {
            Said::Found(findings) => Ok(findings),
            _ => Err(io::ErrorKind::InvalidData.into()),
        }
    }

    /// How it ended: by itself, so that its pipe broke, or because it said what no worker says.
    pub fn end(mut self, broke: io::ErrorKind) -> End {
        let _ = self.child.kill();
        if !matches!(broke, io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe) {
            return End::Fault;
        }
        let status = self.child.wait().unwrap_or_default();
        if status.code() == Some(i32::from(NO_MEMORY)) {
            return End::Memory;
        }
        match status.signal().and_then(|number| nix::sys::signal::Signal::try_from(number).ok()) {
            Some(nix::sys::signal::Signal::SIGSYS) => End::Forbidden,
            Some(nix::sys::signal::Signal::SIGABRT) => End::Memory,
            Some(nix::sys::signal::Signal::SIGKILL) => End::Killed,
            _ => End::Fault,
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn ready_in_time(stdout: &ChildStdout) -> io::Result<()> {
    let mut fds = [PollFd::new(stdout.as_fd(), PollFlags::POLLIN)];
    match poll(&mut fds, PollTimeout::from(READY))? {
        0 => Err(io::ErrorKind::TimedOut.into()),
        _ => Ok(()),
    }
}

/// How much of a core a process has used.
pub(super) fn used(pid: Pid) -> Option<Duration> {
    let clock: ClockId = clock_getcpuclockid(pid).ok()?;
    clock.now().ok().map(Duration::from)
}

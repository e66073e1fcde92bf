//! A process gives up everything that reading octets does not need: files, network, other processes, and most of the kernel.
//!
//! Called by a worker once, before it has seen a document. Promises: afterwards it has memory, its two pipes and the clock;
//! a system call that is not in the list kills it (`SIGSYS`). Fails when the system has no seccomp: then nothing may be read.

use landlock::{ABI, Access as _, AccessFs, AccessNet, Ruleset, RulesetAttr as _, RulesetStatus, Scope};
use nix::libc;
use nix::sys::prctl;
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::Signal;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Octets of memory that a worker may write to.
const MEMORY: u64 = 256 * 1024 * 1024;
/// Seconds of a core in its whole life: far more than it may take for the messages that it reads.
const LIFETIME: u64 = 600;

/// What holds a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Confined {
    /// By system calls, and by landlock too.
    Twice,
    /// By system calls only: this kernel has no landlock.
    BySystemCalls,
}

/// Confines this process, which must have one thread, for ever.
///
/// # Errors
/// With a sentence when this system cannot do it; the process is then of no use.
pub fn confine() -> Result<Confined, String> {
    // A gateway that dies takes its workers along; one that is dead already is found by its closed pipe.
    prctl::set_pdeathsig(Signal::SIGKILL).map_err(|e| format!("its end cannot be tied to the gateway's: {e}"))?;
    let landlocked = landlock().unwrap_or(false);
    limits().map_err(|e| format!("its limits cannot be set: {e}"))?;
    for filter in [refused(), allowed()] {
        let filter = filter.map_err(|e| format!("no list of system calls for this machine: {e}"))?;
        seccompiler::apply_filter(&filter).map_err(|e| format!("this system has no seccomp: {e}"))?;
    }
    Ok(if landlocked { Confined::Twice } else { Confined::BySystemCalls })
}

/// Memory, time, no files, and no image of its memory on a disk: it holds clinical text.
fn limits() -> nix::Result<()> {
    prctl::set_dumpable(false)?;
    for (resource, most) in [
        (Resource::RLIMIT_CORE, 0),
        (Resource::RLIMIT_FSIZE, 0),
        (Resource::RLIMIT_NOFILE, 3),
        (Resource::RLIMIT_CPU, LIFETIME),
        (Resource::RLIMIT_DATA, MEMORY),
    ] {
        setrlimit(resource, most, most)?;
    }
    Ok(())
}

/// No file and no port may be used, where the kernel knows how.
fn landlock() -> Result<bool, landlock::RulesetError> {
    let abi = ABI::V6;
    let status = Ruleset::default()
        .handle_access(AccessFs::from_all(abi))?
        .handle_access(AccessNet::from_all(abi))?
        .scope(Scope::from_all(abi))?
        .create()?
        .restrict_self()?;
    Ok(status.ruleset != RulesetStatus::NotEnforced)
}

/// What libraries ask for without need, to see how many processors there are: it fails, and they go on.
const REFUSED: &[i64] = &[libc::SYS_openat, libc::SYS_statx, libc::SYS_fcntl, libc::SYS_ioctl];

/// What memory, two pipes, the clock and an orderly end need.
const ALLOWED: &[i64] = &[
    libc::SYS_brk,
    libc::SYS_clock_gettime,
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_futex,
    libc::SYS_getpid,
    libc::SYS_getrandom,
    libc::SYS_gettid,
    libc::SYS_madvise,
    libc::SYS_mremap,
    libc::SYS_munmap,
    libc::SYS_read,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sched_getaffinity,
    libc::SYS_sched_yield,
    libc::SYS_sigaltstack,
    libc::SYS_write,
    libc::SYS_writev,
];

/// The same. Allocators give names to memory.
fn refused_rules() -> Result<Rules, seccompiler::Error> {
    let mut rules: Rules = every(REFUSED).collect();
    let name_memory = u64::from(libc::PR_SET_VMA.unsigned_abs());
    rules.insert(libc::SYS_prctl, vec![masked(0, u64::from(u32::MAX), name_memory)?]);
    Ok(rules)
}

/// The strictest answer of all filters counts: what this one refuses fails, though the other one lets it pass.
fn refused() -> Result<BpfProgram, seccompiler::Error> {
    let denied = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    compiled(refused_rules()?, SeccompAction::Allow, denied)
}

fn allowed() -> Result<BpfProgram, seccompiler::Error> {
    let mut rules = refused_rules()?;
    rules.extend(every(ALLOWED));
    // Memory is never code.
    let code = u64::from(libc::PROT_EXEC.unsigned_abs());
    rules.insert(libc::SYS_mmap, vec![masked(2, code, 0)?]);
    rules.insert(libc::SYS_mprotect, vec![masked(2, code, 0)?]);
    // An abort is a signal to itself.
    let own = u64::from(std::process::id());
    rules.insert(libc::SYS_tgkill, vec![masked(0, u64::from(u32::MAX), own)?]);
    compiled(rules, SeccompAction::KillProcess, SeccompAction::Allow)
}

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// Whatever their arguments are.
fn every(calls: &[i64]) -> impl Iterator<Item = (i64, Vec<SeccompRule>)> {
    calls.iter().map(|call| (*call, Vec::new()))
}

fn compiled(rules: Rules, other: SeccompAction, listed: SeccompAction) -> Result<BpfProgram, seccompiler::Error> {
    let arch = std::env::consts::ARCH.try_into()?;
    Ok(SeccompFilter::new(rules, other, listed, arch)?.try_into()?)
}

/// Whether an argument, looked at through a mask, has a value.
fn masked(argument: u8, mask: u64, value: u64) -> Result<SeccompRule, seccompiler::Error> {
    let condition = SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(mask), value)?;
    Ok(SeccompRule::new(vec![condition])?)
}

//! Faults of the machine under the gateway: killed, cut off from power, its disk full, failing or damaged, its clock jumping.
//!
//! The built binary, real peers, and an account outside its process: nothing that was answered with 250 is lost or
//! corrupted, and every duplicate is tied to a delivery whose mark had not been flushed. `tests/faults/run` makes the long
//! runs. What needs root or a tool that is missing names itself as skipped.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../lab/mod.rs"]
mod lab;
#[path = "../end_to_end/world.rs"]
mod world;

mod account;
mod disk;
mod system_calls;

mod a_clock_that_jumps_harms_nothing;
mod a_damaged_queue_goes_on_with_what_can_be_read;
mod a_disk_that_fails_stops_the_store;
mod a_full_disk_puts_mail_off;
mod a_killed_gateway_loses_nothing;
mod a_power_cut_loses_nothing;
mod every_system_call_may_be_the_last;
mod few_descriptors_are_shared;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Faults are made one after the other: each is a load of its own on the machine.
pub fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How often: as `tests/faults/run` says, else `few`.
pub fn rounds(name: &str, few: usize) -> usize {
    std::env::var(name).ok().and_then(|n| n.parse().ok()).unwrap_or(few)
}

/// Whether `tools` are there and the test is root; if not, it names itself as skipped.
pub fn can(test: &str, tools: &[&str]) -> bool {
    let missing: Vec<_> = tools.iter().filter(|tool| !is_installed(tool)).copied().collect();
    if !missing.is_empty() {
        lab::skipped(test, &format!("{} not installed", missing.join(", ")));
    } else if !is_root() {
        lab::skipped(test, "needs root");
    } else {
        return true;
    }
    false
}

fn is_root() -> bool {
    std::os::unix::fs::MetadataExt::uid(&std::fs::metadata("/proc/self").unwrap()) == 0
}

fn is_installed(tool: &str) -> bool {
    let path = std::env::var("PATH").unwrap_or_default() + ":/usr/sbin:/sbin";
    path.split(':').any(|folder| std::path::Path::new(folder).join(tool).exists())
}

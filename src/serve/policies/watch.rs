//! Looks at the policy's files while the gateway runs: what changed is checked, and told or taken.
//!
//! Promises: what is taken is what stood still, and nothing that lowers. Fails never: what is wrong is in the log.

use super::look::{Looks, look, moved};
use super::{Held, Policies, summary};
use crate::clock::Now;
use crate::decide::{self, Judge};
use crate::policy::lowered;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Between two looks at the files.
const LOOK: Duration = Duration::from_secs(2);

/// Looks in a row at files that move, before it is said: half a minute.
const LONG: u32 = 15;

/// Whether somebody is writing, over the looks.
#[derive(Default)]
struct Settling {
    before: Option<Looks>,
    moving: u32,
}

#[derive(Debug, PartialEq, Eq)]
enum Seen {
    /// Twice the same: nobody is writing.
    Still,
    Moving,
    /// Said once, until it has stood still.
    MovingLong(PathBuf),
}

impl Settling {
    fn see(&mut self, now: &Looks) -> Seen {
        let Some(before) = self.before.replace(now.clone()) else { return Seen::Moving };
        let Some(path) = moved(&before, now) else {
            self.moving = 0;
            return Seen::Still;
        };
        self.moving = self.moving.saturating_add(1);
        if self.moving == LONG { Seen::MovingLong(path.to_owned()) } else { Seen::Moving }
    }
}

/// Whether the files are as they were looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stood {
    Still,
    Moved,
}

impl Policies {
    /// Looks at the files for as long as the gateway runs: what changed is checked, and told.
    pub async fn watch(self: Arc<Self>) {
        let (mut known, mut settling) = (self.looked.clone(), Settling::default());
        loop {
            tokio::time::sleep(LOOK).await;
            let folder = self.folder.clone();
            // A folder on another machine may keep whoever looks.
            let Ok(now) = tokio::task::spawn_blocking(move || look(&folder)).await else { continue };
            match settling.see(&now) {
                Seen::Moving => continue,
                Seen::MovingLong(path) => {
                    self.tell_of_moving(&path);
                    continue;
                }
                Seen::Still if now == known => continue,
                Seen::Still => {}
            }
            let (policies, looked) = (self.clone(), now.clone());
            match tokio::task::spawn_blocking(move || policies.files_changed(&looked)).await {
                Ok(Stood::Still) => known = now,
                // Somebody writes again: the next look sees it.
                Ok(Stood::Moved) => {}
                Err(error) => tracing::error!(%error, "changed files of the policy could not be looked at"),
            }
        }
    }

    /// What never stands still is never taken, and nobody would hear of it.
    fn tell_of_moving(&self, path: &Path) {
        self.is_unsettled.store(true, Ordering::Relaxed);
        self.metrics.policy_reload_success.set(0);
        tracing::warn!(
            "the files of the policy have not stood still for {} s, so what is written there is not looked at: {} moves; hint: write beside it and rename",
            LOOK.as_secs() * u64::from(LONG),
            path.display()
        );
    }

    /// What is taken is what stood still, and not what is there a moment later.
    fn files_changed(&self, looked: &Looks) -> Stood {
        let mut held = self.held();
        let loaded = decide::load(&self.folder, &held.config.known(), jiff::Zoned::now().date());
        if look(&self.folder) != *looked {
            return Stood::Moved;
        }
        let (in_force, is_none) = (self.in_force.now(), self.in_force.is_none());
        match loaded {
            Ok(loaded) if loaded.judge.policy.hash() == in_force.policy.hash() => {
                // They moved, and say what is in force again.
                if self.is_unsettled.swap(false, Ordering::Relaxed) {
                    self.metrics.policy_reload_success.set(1);
                }
            }
            Ok(loaded) if held.kept.sets_aside(loaded.judge.policy.hash()) => {}
            // Where nothing is in force, what the files ask decides.
            Ok(loaded)
                if in_force.policy.reloads_on_change() || (is_none && loaded.judge.policy.reloads_on_change()) =>
            {
                drop(self.take((loaded, None), None, &mut held));
            }
            Ok(loaded) => self.tell_of(&loaded.judge, &in_force, &mut held),
            Err(wrong) => {
                tracing::error!("the files of the policy have changed, and cannot be used: {}", summary(&wrong));
            }
        }
        Stood::Still
    }

    /// Good files that nobody has taken. What lowers is not taken by a restart either.
    fn tell_of(&self, changed: &Judge, in_force: &Judge, held: &mut Held) {
        let hash = changed.policy.hash();
        tracing::warn!(
            policy = hash,
            "the files of the policy have changed, are good, and are not in force; hint: mailward reload"
        );
        if self.in_force.is_none() {
            return;
        }
        let lower = lowered(&in_force.policy, &changed.policy, Now::read().wall);
        if in_force.policy.has_guard() && !lower.is_empty() {
            tracing::warn!(policy = hash, "they lower what is in force: {}", lower.join("; "));
            held.kept.set_aside(hash);
            self.keep(&held.kept);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_never_stands_still_is_said_once_with_its_name() {
        let file = |name: &str, length: u64| (PathBuf::from(name), length, 0, 0, 0);
        let of = |length: u64| vec![file("a.toml", 1), file("log.txt", length)];
        let mut settling = Settling::default();
        let mut see = |length: u64| settling.see(&of(length));
        let long = u64::from(LONG);
        let seen: Vec<Seen> = (0..=long * 2).map(&mut see).collect();
        let said: Vec<&Seen> = seen.iter().filter(|seen| **seen != Seen::Moving).collect();
        assert_eq!(said, [&Seen::MovingLong("log.txt".into())]);
        assert_eq!(seen[LONG as usize], Seen::MovingLong("log.txt".into()));
        assert_eq!((see(long * 2), see(0)), (Seen::Still, Seen::Moving));
        let gone = vec![file("a.toml", 1)];
        assert_eq!(moved(&of(1), &gone), Some("log.txt".as_ref()));
    }
}

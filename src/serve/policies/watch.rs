//! Looks at the policy's files while the gateway runs: what changed is checked, and told or taken.
//!
//! Promises: what is taken is what stood still, and nothing that lowers. Fails never: what is wrong is in the log.

use super::look::{Looks, look};
use super::{Held, Policies, summary};
use crate::clock::Now;
use crate::decide::{self, Judge};
use crate::policy::lowered;
use std::sync::Arc;
use std::time::Duration;

/// Between two looks at the files.
const LOOK: Duration = Duration::from_secs(2);

/// Whether the files are as they were looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stood {
    Still,
    Moved,
}

impl Policies {
    /// Looks at the files for as long as the gateway runs: what changed is checked, and told.
    pub async fn watch(self: Arc<Self>) {
        let (mut known, mut before) = (self.looked.clone(), None);
        loop {
            tokio::time::sleep(LOOK).await;
            let now = look(&self.folder);
            // Twice the same: nobody is writing.
            let settled = before.replace(now.clone()).is_some_and(|before| before == now);
            if !settled || now == known {
                continue;
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

    /// What is taken is what stood still, and not what is there a moment later.
    fn files_changed(&self, looked: &Looks) -> Stood {
        let mut held = self.held();
        let loaded = decide::load(&self.folder, &held.config.known(), jiff::Zoned::now().date());
        if look(&self.folder) != *looked {
            return Stood::Moved;
        }
        let (in_force, is_none) = (self.in_force.now(), self.in_force.is_none());
        match loaded {
            Ok(loaded) if loaded.judge.policy.hash() == in_force.policy.hash() => {}
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

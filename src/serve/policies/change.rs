//! Puts another generation into force: what it lowers is shown, and waits for a person.
//!
//! Promises: nothing is in force that is not kept in the data folder, and nothing that lowers without who accepted it on record. Fails with
//! what lowers, or with the disk.

use super::accepted;
use super::kept::Kept;
use super::{Held, Parts, Policies};
use crate::clock::{EntryId, Now, Wall};
use crate::config::{self, Config};
use crate::control::Accepted;
use crate::decide::Judge;
use crate::decide::replay::{Before, replay};
use crate::policy::lowered;
use crate::queue::recover;
use crate::record::Action;
use crate::store;
use serde_json::{Value, json};

/// Milliseconds of the decisions that a change of policy is held against.
const RECENT: i64 = 7 * 86_400_000;

/// Of a policy that was set aside, where nothing is in force that it could be compared with.
pub(super) fn not_comparable(hash: &str) -> String {
    format!(
        "policy {hash} was rolled back, or lowers and was not accepted; the one before it does not fit gateway.toml any more, so what it lowers cannot be shown"
    )
}

/// Another generation.
pub(super) struct Next {
    pub judge: Judge,
    pub kept: Kept,
    /// None: gateway.toml stays as it is in force.
    pub settings: Option<(Config, Parts)>,
}

impl Policies {
    /// Puts `next` into force, and into the place of what is held.
    pub(super) fn change(
        &self,
        next: Next,
        (accepted, verb): (Option<&Accepted>, &str),
        held: &mut Held,
    ) -> Result<Value, String> {
        let Next { judge, mut kept, settings } = next;
        let (was, hash) = (self.in_force.hash(), judge.policy.hash().to_owned());
        let new = settings.as_ref().map(|(config, _)| config);
        let by_policy = self.policy_lowered(&judge, &held.kept);
        let by_settings = new.map(|config| self.settings_lowered(&held.config, config)).unwrap_or_default();
        let mut lower = [by_policy.as_slice(), by_settings.as_slice()].concat();
        let left = new.map(|config| self.not_accepted_of(&mut kept, config));
        let left = match accepted {
            None if !lower.is_empty() => {
                if !by_policy.is_empty() {
                    held.kept.set_aside(&hash);
                    self.keep(&held.kept);
                }
                return Err(self.not_accepted(&lower));
            }
            None => left,
            Some(accepted) => {
                // With it goes what a start took without asking.
                let more: Vec<String> = left.into_iter().flatten().filter(|said| !lower.contains(said)).collect();
                lower.extend(more);
                if !lower.is_empty() {
                    self.record((accepted, verb), (was.as_deref(), &hash), &lower)?;
                }
                new.map(|config| accepted::accept(&mut kept, config)).map(|()| Vec::new())
            }
        };
        kept.write(&self.data).map_err(|error| {
            format!("what is in force could not be kept in the data folder, so nothing is changed: {error}\nhint: look at the disk")
        })?;
        held.kept = kept;
        left.into_iter().for_each(|sentences| self.tell_not_accepted(sentences));
        self.metrics.announce_policy(&hash, judge.policy.class_names(), judge.policy.rule_modes());
        let is_other = settings.as_ref().is_some_and(|(config, _)| *config != held.config);
        let parts = settings.map(|(config, parts)| {
            held.config = config;
            parts
        });
        self.stages.swap(parts, judge);
        self.metrics.policy_reload_success.set(1);
        tracing::info!(verb, policy = hash, was, gateway_toml = is_other, lowered = lower.len(), "in force");
        let changed = was.as_ref() != Some(&hash);
        Ok(
            json!({ "policy_hash": hash, "was": was, "changed": changed, "settings_changed": is_other, "lowered": lower }),
        )
    }

    /// Whether what lowers gateway.toml needs a person: it is in force whatever policy is.
    fn is_guarded(&self) -> bool {
        self.in_force.is_none() || self.in_force.now().policy.has_guard()
    }

    /// What nobody has accepted once `config` is in force.
    fn not_accepted_of(&self, kept: &mut Kept, config: &Config) -> Vec<String> {
        if self.is_guarded() {
            return accepted::look(kept, config);
        }
        accepted::accept(kept, config);
        Vec::new()
    }

    fn policy_lowered(&self, new: &Judge, kept: &Kept) -> Vec<String> {
        let (old, hash) = (self.in_force.now(), new.policy.hash());
        match self.in_force.is_none() {
            // Where nothing was in force nothing is lowered. But what was set aside is not accepted by being all there is.
            true if kept.sets_aside(hash) => vec![not_comparable(hash)],
            false if old.policy.has_guard() => self.lowered(&old, new, Now::read().wall),
            _ => Vec::new(),
        }
    }

    /// What is protected less, and what that would have been for the mail of the last days.
    fn lowered(&self, old: &Judge, new: &Judge, now: Wall) -> Vec<String> {
        let mut lower = lowered(&old.policy, &new.policy, now);
        // What the comparison does not show lowers nothing: then there is nothing to look for.
        if !lower.is_empty() {
            let since = Wall(now.0.saturating_sub(RECENT));
            let replayed = store::reader_of(&self.data).and_then(|reader| replay(&reader, since, new, Before::By(old)));
            lower.extend(match replayed {
                Ok(replayed) => replayed.sentences(),
                Err(error) => vec![format!("what it does to the mail of the last 7 days is not known: {error}")],
            });
        }
        lower
    }

    /// Of gateway.toml, with how much of what waits has no time left at all.
    fn settings_lowered(&self, old: &Config, new: &Config) -> Vec<String> {
        if !self.is_guarded() {
            return Vec::new();
        }
        let mut lower = config::lowered(old, new);
        let expire = new.queue.retry.expire;
        if expire < old.queue.retry.expire {
            let since = Wall(Now::read().wall.0.saturating_sub(i64::try_from(expire.as_millis()).unwrap_or(i64::MAX)));
            let older = store::reader_of(&self.data).and_then(|reader| recover::older_than(&reader, since));
            lower.extend(match older {
                Ok(0) => None,
                Ok(older) => Some(format!("messages in the queue that are older than that already: {older}")),
                Err(error) => Some(format!("how many messages in the queue are older than that is not known: {error}")),
            });
        }
        lower
    }

    fn record(
        &self,
        (accepted, verb): (&Accepted, &str),
        (was, hash): (Option<&str>, &str),
        lower: &[String],
    ) -> Result<(), String> {
        let at = Now::read().wall;
        let action = Action {
            at,
            uid: accepted.uid,
            by: Some(accepted.by.clone()),
            because: Some(accepted.because.clone()),
            verb: verb.to_owned(),
            to: Some(hash.to_owned()),
            selection: json!({ "was": was, "lowered": lower }),
        };
        let id: EntryId = self.ids.next(at);
        let kept = self.runtime.block_on(self.store.commit(vec![action.kept(id)]));
        kept.map_err(|error| format!("who accepted it could not be put on record, so nothing is changed: {error}"))
    }

    fn not_accepted(&self, lower: &[String]) -> String {
        self.metrics.policy_reload_success.set(0);
        tracing::error!(lowered = lower.len(), "this lowers what is in force, and is not taken: {}", lower.join("; "));
        format!(
            "this lowers what is in force, so what is in force stays:\n  {}\nhint: if it is meant: --accept-lowering \"REASON\" --by NAME",
            lower.join("\n  ")
        )
    }
}

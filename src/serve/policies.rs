//! The policy in force over the life of a gateway: at start, at a reload, at a rollback, and when its files change.
//!
//! Called by `serve` and, through `control`, by people. Promises: a policy that is wrong anywhere is never in force, and the one
//! before stays; what lowers is shown and waits for a person; the last good policy is kept in the data folder and outlives a
//! start with bad files. Fails with everything that is wrong.

mod begin;
mod kept;
mod look;
mod watch;

use super::parts::{Parts, Stages};
use crate::clock::{EntryId, Ids, Now, Wall};
use crate::config::{self, Config};
use crate::control::{Accepted, Reloads};
use crate::decide::replay::{Before, replay};
use crate::decide::{self, InForce, Judge, LoadError, Loaded};
use crate::metrics::Metrics;
use crate::policy::{Known, Style, lowered};
use crate::record::Action;
use crate::store::{self, Store};
use begin::Begun;
pub(super) use begin::begin;
use kept::{Kept, Snapshot};
use look::{Looks, look};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Milliseconds of the decisions that a change of policy is held against.
const RECENT: i64 = 7 * 86_400_000;

/// Readings at most of files that are being written.
const READINGS: usize = 5;

/// The files as they were together at one moment: two that were read before and after a swap would be a policy that nobody wrote.
fn load(folder: &Path, known: &Known) -> Result<Loaded, LoadError> {
    for _ in 0..READINGS {
        let before = look(folder);
        let loaded = decide::load(folder, known, jiff::Zoned::now().date());
        if look(folder) == before {
            return loaded;
        }
    }
    let why =
        format!("the files in {} change while they are read\nhint: try again when they are written", folder.display());
    Err(LoadError { unreadable: Some(why), ..LoadError::default() })
}

/// One line for the log; `mailward check` has the rest.
fn summary(wrong: &LoadError) -> String {
    sentences(wrong).join("; ")
}

/// Each mistake in one line, with its place.
fn sentences(wrong: &LoadError) -> Vec<String> {
    let unreadable = wrong.unreadable.iter().map(|why| why.replace('\n', "; "));
    let diagnosed = wrong
        .diagnostics
        .iter()
        .filter(|d| d.severity == crate::policy::Severity::Error)
        .map(|d| format!("{}:{} {}", d.file.as_deref().unwrap_or("-"), d.line.unwrap_or(0), d.message));
    let failed = wrong.failed.iter().map(|f| format!("{} test `{}` fails", f.at, f.name));
    unreadable.chain(diagnosed).chain(failed).collect()
}

/// Of a policy that was set aside, where nothing is in force that it could be compared with.
fn not_comparable(hash: &str) -> String {
    format!(
        "policy {hash} was rolled back, or lowers and was not accepted; the one before it does not fit gateway.toml any more, so what it lowers cannot be shown"
    )
}

/// The policies of a running gateway.
pub(super) struct Policies {
    folder: PathBuf,
    data: PathBuf,
    in_force: Arc<InForce>,
    stages: Stages,
    metrics: Arc<Metrics>,
    store: Store,
    ids: Arc<Ids>,
    runtime: tokio::runtime::Handle,
    looked: Looks,
    /// One change at a time.
    held: Mutex<Held>,
}

/// What is in force, as far as it is kept.
struct Held {
    kept: Kept,
    config: Config,
}

/// Another generation.
struct Next {
    judge: Judge,
    kept: Kept,
    /// None: gateway.toml stays as it is in force.
    settings: Option<(Config, Parts)>,
}

impl Policies {
    pub fn new(config: Config, stages: Stages, begun: Begun) -> Arc<Policies> {
        let delivery = &stages.delivery;
        delivery.metrics.policy_reload_success.set(i64::from(begun.is_from_folder));
        let policies = Policies {
            folder: config.policies.clone(),
            data: config.data.clone(),
            in_force: delivery.judge.clone(),
            metrics: delivery.metrics.clone(),
            store: delivery.store.clone(),
            ids: delivery.ids.clone(),
            stages,
            runtime: tokio::runtime::Handle::current(),
            looked: begun.looked,
            held: Mutex::new(Held { kept: begun.kept, config }),
        };
        policies.keep(&policies.held().kept);
        Arc::new(policies)
    }

    /// A gateway that cannot keep the last good policy works, and would not start with bad files.
    fn keep(&self, kept: &Kept) {
        if let Err(error) = kept.write(&self.data) {
            tracing::error!(%error, "the policy in force could not be kept in the data folder");
        }
    }

    /// Takes the files in the folder, and gateway.toml, if they are good, and lower nothing that nobody accepted.
    fn take_all(&self, accepted: Option<&Accepted>) -> Result<Value, String> {
        let mut held = self.held();
        held.kept.read_again(&self.data);
        let settings = self.settings(&held.config)?;
        let loaded = load(&self.folder, &settings.0.known()).map_err(|wrong| self.refused(&wrong))?;
        self.take((loaded, Some(settings)), accepted, &mut held)
    }

    /// Takes what was loaded.
    fn take(
        &self,
        (loaded, settings): (Loaded, Option<(Config, Parts)>),
        accepted: Option<&Accepted>,
        held: &mut Held,
    ) -> Result<Value, String> {
        let snapshot = Snapshot::of(loaded.judge.policy.hash(), &loaded.files);
        let warnings: Vec<Value> = loaded.warnings.iter().map(|d| json!(d)).collect();
        let tests = loaded.tests.len();
        let mut kept = held.kept.clone();
        kept.turn(snapshot);
        let mut answer = self.change(Next { judge: loaded.judge, kept, settings }, (accepted, "reload"), held)?;
        answer["tests"] = tests.into();
        answer["warnings"] = warnings.into();
        Ok(answer)
    }

    /// gateway.toml as it is now, if a running gateway can take it.
    fn settings(&self, now: &Config) -> Result<(Config, Parts), String> {
        let new = config::load(&now.file).map_err(|wrong| self.unusable(&wrong.to_string()))?;
        let fixed = config::needs_restart(now, &new);
        if !fixed.is_empty() {
            let hint = "hint: restart the gateway to take them, or take them out of this change";
            let text = format!("these keys of gateway.toml need a restart:\n  {}\n{hint}", fixed.join("\n  "));
            return Err(self.unusable(&text));
        }
        let parts = Parts::of(&new).map_err(|error| self.unusable(&error.to_string()))?;
        Ok((new, parts))
    }

    fn unusable(&self, why: &str) -> String {
        self.metrics.policy_reload_success.set(0);
        tracing::error!("gateway.toml is not taken: {}", why.trim_end().replace('\n', "; "));
        format!("{}\n\nnothing is changed: gateway.toml and policy stay as they are in force", why.trim_end())
    }

    fn take_back(&self, accepted: Option<&Accepted>) -> Result<Value, String> {
        let mut held = self.held();
        let nothing = || "there is no policy before this one\nhint: edit the files, then `mailward reload`".to_owned();
        let before = held.kept.before.clone().ok_or_else(nothing)?;
        let known = held.config.known();
        let judge = before.judge(&known).ok_or_else(|| {
            "the policy before this one no longer fits gateway.toml\nhint: edit the files, then `mailward reload`"
                .to_owned()
        })?;
        let mut kept = held.kept.clone();
        kept.before = kept.current.replace(before);
        let from_folder = load(&self.folder, &known).ok().map(|loaded| loaded.judge.policy.hash().to_owned());
        let aside = kept.before.as_ref().map(|before| before.hash.clone());
        aside.into_iter().chain(from_folder).for_each(|hash| kept.set_aside(&hash));
        self.change(Next { judge, kept, settings: None }, (accepted, "rollback"), &mut held)
    }

    /// Puts `next` into force, and into the place of what is held.
    fn change(
        &self,
        next: Next,
        (accepted, verb): (Option<&Accepted>, &str),
        held: &mut Held,
    ) -> Result<Value, String> {
        let Next { judge, kept, settings } = next;
        let (old, now) = (self.in_force.now(), Now::read().wall);
        let (was, hash) = (self.in_force.hash(), judge.policy.hash().to_owned());
        // Where nothing was in force nothing is lowered.
        let is_guarded = was.is_some() && old.policy.has_guard();
        let mut lower = match is_guarded {
            true => self.lowered(&old, &judge, now),
            // But what was set aside was compared, and is not accepted by being all there is.
            false if was.is_none() && held.kept.sets_aside(&hash) => vec![not_comparable(&hash)],
            false => Vec::new(),
        };
        let by_policy = lower.len();
        if let Some((config, _)) = settings.as_ref().filter(|_| is_guarded) {
            lower.extend(config::lowered(&held.config, config));
        }
        match accepted {
            None if !lower.is_empty() => {
                if by_policy > 0 {
                    held.kept.set_aside(&hash);
                    self.keep(&held.kept);
                }
                return Err(self.not_accepted(&lower));
            }
            Some(accepted) if !lower.is_empty() => {
                self.record((accepted, verb), (was.as_deref(), &hash), &lower, now)?;
            }
            _ => {}
        }
        kept.write(&self.data).map_err(|error| {
            format!("what is in force could not be kept in the data folder, so nothing is changed: {error}\nhint: look at the disk")
        })?;
        held.kept = kept;
        self.metrics.announce_policy(&hash, judge.policy.class_names(), judge.policy.rule_modes());
        let is_other = settings.as_ref().is_some_and(|(config, _)| *config != held.config);
        let parts = settings.map(|(config, parts)| {
            held.config = config;
            parts
        });
        self.stages.swap(parts, judge);
        self.metrics.policy_reload_success.set(1);
        tracing::info!(verb, policy = hash, was, gateway_toml = is_other, lowered = lower.len(), "policy in force");
        let changed = was.as_ref() != Some(&hash);
        Ok(
            json!({ "policy_hash": hash, "was": was, "changed": changed, "settings_changed": is_other, "lowered": lower }),
        )
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

    fn record(
        &self,
        (accepted, verb): (&Accepted, &str),
        (was, hash): (Option<&str>, &str),
        lower: &[String],
        at: Wall,
    ) -> Result<(), String> {
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

    fn refused(&self, wrong: &LoadError) -> String {
        self.metrics.policy_reload_success.set(0);
        tracing::error!("the policy in {} is not taken: {}", self.folder.display(), summary(wrong));
        let stays =
            if self.in_force.is_none() { "there is still no policy in force" } else { "the policy in force stays" };
        format!("{}\n\n{stays}", wrong.render(Style::Plain))
    }

    fn not_accepted(&self, lower: &[String]) -> String {
        self.metrics.policy_reload_success.set(0);
        tracing::error!(lowered = lower.len(), "this lowers what is in force, and is not taken: {}", lower.join("; "));
        format!(
            "this lowers what is in force, so what is in force stays:\n  {}\nhint: if it is meant: --accept-lowering \"REASON\" --by NAME",
            lower.join("\n  ")
        )
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// For SIGHUP: whoever sends it sees the log only.
    pub fn hangup(&self) {
        // What is wrong is in the log.
        let _ = self.take_all(None);
    }
}

impl Reloads for Policies {
    fn reload(&self, accepted: Option<&Accepted>) -> Result<Value, String> {
        self.take_all(accepted)
    }

    fn rollback(&self, accepted: Option<&Accepted>) -> Result<Value, String> {
        self.take_back(accepted)
    }
}

#[cfg(test)]
mod tests;

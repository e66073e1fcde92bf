//! The policy in force over the life of a gateway: at start, at a reload, at a rollback, and when its files change.
//!
//! Called by `serve` and, through `control`, by people. Promises: a policy that is wrong anywhere is never in force, and the one
//! before stays; what lowers is shown and waits for a person; the last good policy is kept in the data folder and outlives a
//! start with bad files. Fails with everything that is wrong.

mod accepted;
mod begin;
mod change;
mod kept;
mod look;
mod watch;

use super::parts::{Parts, Stages};
use crate::clock::Ids;
use crate::config::{self, Config};
use crate::control::{Accepted, NotAccepted, Reloads};
use crate::decide::{self, InForce, LoadError, Loaded};
use crate::metrics::Metrics;
use crate::policy::{Known, Style};
use crate::store::Store;
use begin::Begun;
pub(super) use begin::begin;
use change::{Next, not_comparable};
use kept::{Kept, Snapshot};
use look::{Looks, look, look_with};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A file that was changed less long ago may be half of what somebody writes.
const STANDS: Duration = Duration::from_millis(500);

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

/// Why files cannot be taken.
enum Unfit {
    Settings(String),
    Policy(Box<LoadError>),
}

/// gateway.toml as it is now, if a running gateway can take it.
fn settings(now: &Config) -> Result<(Config, Parts), String> {
    let new = config::load(&now.file).map_err(|wrong| wrong.to_string())?;
    let fixed = config::needs_restart(now, &new);
    if !fixed.is_empty() {
        let hint = "hint: restart the gateway to take them, or take them out of this change";
        return Err(format!("these keys of gateway.toml need a restart:\n  {}\n{hint}", fixed.join("\n  ")));
    }
    let parts = Parts::of(&new).map_err(|error| error.to_string())?;
    Ok((new, parts))
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
    /// Files that did not stand still were told of.
    is_unsettled: AtomicBool,
    not_accepted: NotAccepted,
    /// One change at a time.
    held: Mutex<Held>,
}

/// What is in force, as far as it is kept.
struct Held {
    kept: Kept,
    config: Config,
}

impl Policies {
    pub fn new((config, not_accepted): (Config, NotAccepted), stages: Stages, begun: Begun) -> Arc<Policies> {
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
            is_unsettled: AtomicBool::new(false),
            not_accepted,
            held: Mutex::new(Held { kept: begun.kept, config }),
        };
        policies.keep(&policies.held().kept);
        policies.tell_not_accepted(begun.not_accepted);
        Arc::new(policies)
    }

    fn tell_not_accepted(&self, sentences: Vec<String>) {
        self.metrics.config_lowered.set(i64::try_from(sentences.len()).unwrap_or(i64::MAX));
        self.not_accepted.set(sentences);
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
        let (settings, loaded) = self.together(&held.config)?;
        self.take((loaded, Some(settings)), accepted, &mut held)
    }

    /// gateway.toml and the policy as they stood at one moment: half of a file can be good and lower nothing that anybody sees.
    fn together(&self, now: &Config) -> Result<((Config, Parts), Loaded), String> {
        for _ in 0..READINGS {
            if let Some(rest) = look::age(&now.file).and_then(|age| STANDS.checked_sub(age)) {
                std::thread::sleep(rest);
                continue;
            }
            let before = look_with(&now.file, &self.folder);
            let read = self.read(now);
            if look_with(&now.file, &self.folder) == before {
                return read.map_err(|unfit| self.unfit(&unfit));
            }
        }
        let why = format!(
            "{} or the policy is being written\nhint: try again when they are written, or write beside them and rename",
            now.file.display()
        );
        Err(self.unusable(&why))
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

    fn read(&self, now: &Config) -> Result<((Config, Parts), Loaded), Unfit> {
        let settings = settings(now).map_err(Unfit::Settings)?;
        let loaded = load(&self.folder, &settings.0.known()).map_err(|wrong| Unfit::Policy(Box::new(wrong)))?;
        Ok((settings, loaded))
    }

    fn unfit(&self, unfit: &Unfit) -> String {
        match unfit {
            Unfit::Settings(why) => self.unusable(why),
            Unfit::Policy(wrong) => self.refused(wrong),
        }
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

    fn refused(&self, wrong: &LoadError) -> String {
        self.metrics.policy_reload_success.set(0);
        tracing::error!("the policy in {} is not taken: {}", self.folder.display(), summary(wrong));
        let stays =
            if self.in_force.is_none() { "there is still no policy in force" } else { "the policy in force stays" };
        format!("{}\n\n{stays}", wrong.render(Style::Plain))
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

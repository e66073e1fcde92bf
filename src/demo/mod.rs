//! `mailward demo`: the real gateway with the shipped policy between a stand-in Exchange and a small internet.
//!
//! Called by `cli`. Promises: loopback only, no root, no file outside its own folder, which is removed unless it is kept;
//! every fact that it reports is the gateway's own. Fails with a sentence; a fate that is not the expected one is no
//! failure but a finding.

mod authority;
mod error;
mod facts;
mod letter;
mod names;
mod peer;
mod play;
mod policy;
mod report;
mod scenario;
mod sender;
mod witness;
mod world;

pub use error::DemoError;

use facts::Facts;
use play::Played;
use serde::Serialize;
use std::fs::File;
use std::path::PathBuf;
use std::sync::Mutex;
use tempfile::TempDir;
use witness::Testimony;

/// What came of it.
pub struct Shown {
    played: Vec<Played>,
    testimony: Testimony,
    folder: TempDir,
}

/// Shows it.
///
/// # Errors
/// When the world cannot be made, or the gateway does not answer.
pub async fn show() -> Result<Shown, DemoError> {
    let folder = tempfile::Builder::new().prefix("mailward-demo-").tempdir()?;
    let log = File::create(folder.path().join("gateway.log"))?;
    // Somebody who set up a log already wants it there.
    let _ = tracing_subscriber::fmt().json().flatten_event(true).with_writer(Mutex::new(log)).try_init();
    let world = world::World::start(folder.path()).await?;
    let played = play::all(&world).await?;
    let testimony = witness::hear(&world, &played);
    world.stop().await?;
    Ok(Shown { played, testimony, folder })
}

/// A line of `--json`.
#[derive(Serialize)]
struct Line<'a> {
    #[serde(flatten)]
    facts: &'a Facts,
    message: &'static str,
    as_expected: bool,
}

impl Shown {
    /// Whether every fate is the expected one, and nothing was seen that must not be.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.testimony.is_good() && self.played.iter().all(Played::as_expected)
    }

    /// For people.
    #[must_use]
    pub fn report(&self) -> String {
        report::report(&self.played, &self.testimony)
    }

    /// For scripts: a line for each message.
    ///
    /// # Errors
    /// None today: facts are texts.
    pub fn lines(&self) -> Result<Vec<String>, DemoError> {
        let line = |played: &Played| {
            let line = Line { facts: &played.facts, message: played.scenario.title, as_expected: played.as_expected() };
            Ok(serde_json::to_string(&line)?)
        };
        self.played.iter().map(line).collect()
    }

    /// Keeps the folder: gateway.toml, policies, data, certificates and the gateway's log.
    #[must_use]
    pub fn keep(self) -> PathBuf {
        self.folder.keep()
    }
}

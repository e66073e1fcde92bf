//! Where documents are read: in processes of their own, which confine themselves before they see one.
//!
//! Called by `receive`, `decide` and the CLI through `Workers`; `mailward worker` is the other end (`work`). Promises: what
//! reads a document can open no file, reach no network and start nothing; it has 5 seconds of a core and 256 MB for a message,
//! and is replaced after any fault; only masked findings come back. Fails with `Busy` when nobody could read now: a document
//! that no worker can read is a finding, never clean.

mod child;
mod confine;
mod keeper;
mod pool;
mod telling;
mod wire;
mod work;

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

pub use child::Unfit;
pub use confine::{Confined, confine};
pub use keeper::{Busy, Ended};
pub use pool::{Workers, inspect_once};
pub use telling::Telling;
pub use work::run as work;

/// The programme that workers are started from, where this process is the gateway or one of its commands.
static PROGRAMME: OnceLock<PathBuf> = OnceLock::new();

/// Says that this process is `mailward`, which knows how to be a worker. Its file may be replaced while it runs, and its workers
/// must still be the same programme.
pub fn this_programme_works() {
    let _ = PROGRAMME.set(PathBuf::from("/proc/self/exe"));
}

/// The programme that workers are started from; none in a library that somebody else runs.
#[must_use]
pub fn programme() -> Option<&'static Path> {
    PROGRAMME.get().map(PathBuf::as_path)
}

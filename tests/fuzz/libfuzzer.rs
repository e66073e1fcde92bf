//! libFuzzer around the targets: `MAILWARD_FUZZ_TARGET` names the one that this process fuzzes.
//!
//! Built and started by tests/fuzz/run. Panics at start when there is no such target.

#![no_main]
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod targets;

use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static TARGET: LazyLock<targets::Target> = LazyLock::new(|| {
    let name = std::env::var("MAILWARD_FUZZ_TARGET").unwrap_or_default();
    targets::named(&name).unwrap_or_else(|| panic!("no target is called {name:?}"))
});

fuzz_target!(|octets: &[u8]| TARGET(octets));

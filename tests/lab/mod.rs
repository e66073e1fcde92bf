//! The lab: a small internet on loopback addresses, with peers that behave and peers that do not.
//!
//! Used by `tests/end_to_end`, `tests/faults` and `tests/interop`, and by the lab's own tests in `main.rs`. It is written without the gateway's code: it is
//! the judge. Threads and blocking sockets; waiting is for a fact, with a deadline, never for time to pass.

// Each test binary uses a part of the lab.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used)]

pub mod ca;
pub mod client;
pub mod exim;
pub mod mta;
pub mod naive;
pub mod names;
pub mod openssl;
pub mod peers;
pub mod postfix;
pub mod signed;
pub mod stream;
pub mod sts;
pub mod tap;

use std::net::{SocketAddr, TcpListener};
use std::time::{Duration, Instant};

/// How long the lab waits for a fact before it says that it did not come.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Names a test that cannot run here, past the test harness's capture, so that `tests/run` can count it. In CI nothing may
/// be skipped.
pub fn skipped(test: &str, why: &str) {
    use std::io::Write;
    assert!(std::env::var_os("CI").is_none(), "{test} cannot run: {why}");
    let _ = writeln!(std::io::stderr(), "\nSKIPPED {test}: {why}");
}

/// A free port on an address of 127.0.0.0/8; give each scenario its own address.
pub fn free_port(ip: &str) -> SocketAddr {
    TcpListener::bind((ip, 0)).unwrap().local_addr().unwrap()
}

/// Several at once, each another.
pub fn free_ports<const N: usize>(ip: &str) -> [SocketAddr; N] {
    let probes = [(); N].map(|()| TcpListener::bind((ip, 0)).unwrap());
    probes.map(|probe| probe.local_addr().unwrap())
}

/// Listens at a port that was found free. A process that another test starts at this moment holds a copy of the probe's
/// socket until it has begun: then the address is taken for some milliseconds.
pub fn listen(address: SocketAddr) -> TcpListener {
    until(|| TcpListener::bind(address).ok()).unwrap_or_else(|| panic!("{address} stays taken"))
}

/// Looks again until `fact` gives something or the lab's patience ends: for what tells nobody when it changes (files).
pub fn until<T>(fact: impl FnMut() -> Option<T>) -> Option<T> {
    until_within(PATIENCE, fact)
}

/// The same with another patience.
pub fn until_within<T>(patience: Duration, mut fact: impl FnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + patience;
    loop {
        if let Some(found) = fact() {
            return Some(found);
        }
        if Instant::now() > end {
            return None;
        }
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

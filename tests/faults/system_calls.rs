//! System calls of the gateway, made its last or made to fail, by strace.
//!
//! strace counts the calls of each thread on its own.

use crate::lab::until;
use crate::world::Gateway;
use std::fs;
use std::process::{Child, Command, Stdio};

/// What the store asks of the kernel that changes something on the disk. (A file that was opened anew and nothing more is what
/// the call after it finds.)
pub const OF_THE_STORE: [&str; 9] =
    ["mkdir", "chmod", "write", "pwrite64", "ftruncate", "fsync", "fdatasync", "rename", "unlink"];

/// The gateway's next starts end at the `nth` such call of a thread, before the kernel makes it: that is, after the one
/// before. `-D` makes strace its grandparent, so the process that is started is the gateway.
pub fn ends_at(gateway: &mut Gateway, call: &str, nth: usize) {
    let inject = format!("inject={call}:signal=KILL:when={nth}");
    let words = ["strace", "-D", "-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={call}"), "-e", &inject];
    gateway.launcher = words.map(str::to_owned).into();
}

/// A fault in a gateway that runs; over when dropped.
pub struct Fault {
    strace: Child,
}

impl Fault {
    /// As strace has it: `fsync,fdatasync:error=EIO`. `paths`: only there; none: everywhere.
    pub fn of(gateway: &Gateway, inject: &str, paths: &[&str]) -> Fault {
        let calls = inject.split(':').next().unwrap();
        let mut strace = Command::new("strace");
        strace.args([
            "-f",
            "-qq",
            "-o",
            "/dev/null",
            "-e",
            &format!("trace={calls}"),
            "-e",
            &format!("inject={inject}"),
        ]);
        strace.args(paths.iter().flat_map(|path| ["-P", path]));
        let process = gateway.process();
        let strace = strace.args(["-p", &process.to_string()]).stdin(Stdio::null()).spawn().unwrap();
        let fault = Fault { strace };
        assert!(until(|| is_traced(process).then_some(())).is_some(), "strace does not attach");
        fault
    }
}

/// Whether every thread has a tracer.
fn is_traced(process: u32) -> bool {
    let threads = fs::read_dir(format!("/proc/{process}/task")).unwrap();
    threads.map_while(Result::ok).all(|thread| {
        let status = fs::read_to_string(thread.path().join("status")).unwrap_or_default();
        !status.lines().any(|line| line == "TracerPid:\t0")
    })
}

impl Drop for Fault {
    fn drop(&mut self) {
        let _ = self.strace.kill();
        let _ = self.strace.wait();
    }
}

//! The naive server of `tests/lab/naive`, a package of its own: built when it is first wanted, started, and what it got.

use super::mta::Absent;
use super::until;
use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

pub struct Naive {
    server: Child,
    folder: TempDir,
    pub listen: SocketAddr,
}

/// What it took for one message.
#[derive(Debug)]
pub struct Taken {
    pub from: String,
    pub recipients: String,
    pub message: String,
}

impl Naive {
    pub fn start(listen: SocketAddr) -> Result<Naive, Absent> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
        let built = Command::new(cargo)
            .args(["build", "--quiet", "--locked", "--manifest-path"])
            .arg(root.join("tests/lab/naive/Cargo.toml"))
            .arg("--target-dir")
            .arg(root.join("target/naive"))
            .output()
            .unwrap();
        if !built.status.success() {
            let why = String::from_utf8_lossy(&built.stderr).replace('\n', " ");
            return Err(Absent(format!("the naive server cannot be built: {why}")));
        }
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(root.join("target/naive/debug/naive"));
        command.arg(listen.to_string()).arg(folder.path()).stdin(Stdio::null());
        let running = Naive { server: command.spawn().unwrap(), folder, listen };
        assert!(until(|| TcpStream::connect(listen).ok()).is_some(), "the naive server does not listen");
        Ok(running)
    }

    /// Everything that it took for a message so far.
    pub fn taken(&self) -> Vec<Taken> {
        let files = fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().path());
        let mut files: Vec<_> = files.filter(|path| path.extension().is_some_and(|e| e == "message")).collect();
        files.sort();
        files.iter().map(|path| read(path)).collect()
    }

    pub fn wait_for(&self, count: usize) -> Vec<Taken> {
        until(|| Some(self.taken()).filter(|taken| taken.len() >= count))
            .unwrap_or_else(|| panic!("{} of {count} messages came", self.taken().len()))
    }
}

fn read(path: &Path) -> Taken {
    let text = String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned();
    let mut parts = text.splitn(4, '\n');
    let mut part = || parts.next().unwrap_or_default().to_owned();
    let (from, recipients, _, message) = (part(), part(), part(), part());
    Taken { from, recipients, message }
}

impl Drop for Naive {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

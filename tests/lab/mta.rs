//! What a real mail server of the lab leaves behind in its folder: its log and its one mailbox. Postfix and Exim alike.

use super::until;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// How one instance is set up.
#[derive(Clone, Copy)]
pub struct Setup<'a> {
    pub listen: SocketAddr,
    pub hostname: &'a str,
    /// Domains that it takes mail for, all into one mailbox.
    pub domains: &'a [&'a str],
    /// Everything else goes there.
    pub relay: Option<SocketAddr>,
    /// Its own certificate; without one it offers no TLS.
    pub leaf: Option<&'a super::ca::Leaf>,
}

/// Why there is no such server here.
#[derive(Debug)]
pub struct Absent(pub String);

pub struct Mta {
    folder: TempDir,
    pub listen: SocketAddr,
    /// Its log, below its folder.
    log: &'static str,
}

impl Mta {
    /// A folder that the server's own users find their way into.
    pub fn new(listen: SocketAddr, log: &'static str, rooms: &[&str]) -> Mta {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::Builder::new().prefix("lab-mta").tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        for room in rooms {
            fs::create_dir(folder.path().join(room)).unwrap();
        }
        Mta { folder, listen, log }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// What its daemons wrote.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.path().join(self.log)).unwrap_or_default()).into_owned()
    }

    /// Waits until `count` messages are in the mailbox; panics with the log when they do not come.
    pub fn wait_for(&self, count: usize) -> Vec<Vec<u8>> {
        let arrived = until(|| Some(self.mailbox()).filter(|messages| messages.len() >= count));
        arrived.unwrap_or_else(|| panic!("{} of {count} messages came\n{}", self.mailbox().len(), self.log()))
    }

    /// The messages in the mailbox, as they were stored.
    pub fn mailbox(&self) -> Vec<Vec<u8>> {
        let Ok(entries) = fs::read_dir(self.path().join("mail/inbox/new")) else { return Vec::new() };
        let mut paths: Vec<PathBuf> = entries.filter_map(|e| e.ok().map(|e| e.path())).collect();
        paths.sort();
        paths.iter().filter_map(|path| fs::read(path).ok()).collect()
    }

    /// Waits until a line of the log contains all of `words`.
    pub fn wait_for_log(&self, words: &[&str]) -> String {
        let hit = |line: &&str| words.iter().all(|word| line.contains(word));
        until(|| self.log().lines().find(hit).map(str::to_owned))
            .unwrap_or_else(|| panic!("no line with {words:?} in\n{}", self.log()))
    }

    /// The lines of the log that contain all of `words`.
    pub fn lines(&self, words: &[&str]) -> Vec<String> {
        self.log().lines().filter(|line| words.iter().all(|word| line.contains(word))).map(str::to_owned).collect()
    }
}

pub fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output().unwrap();
    output.stdout.trim_ascii() == b"0"
}

/// The number of a user or (`-g`) of its group.
pub fn numeric_id(which: &str, user: &str) -> Result<u32, Absent> {
    let output = Command::new("id").args([which, user]).output().map_err(|e| Absent(e.to_string()))?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.trim().parse().map_err(|_| Absent(format!("there is no user {user}: its package is not installed")))
}

//! A real Postfix in a folder of its own: as the server that receives, or as the relay that sends through the gateway.
//!
//! Needs root and an installed Postfix; where one is missing, `start` says which, so that the test can be named as
//! skipped.

use super::ca::Leaf;
use super::until;
use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

/// How one instance is set up.
pub struct Setup<'a> {
    pub listen: SocketAddr,
    pub hostname: &'a str,
    /// Domains that it takes mail for, all into one mailbox.
    pub domains: &'a [&'a str],
    /// Everything else goes there.
    pub relay: Option<SocketAddr>,
    /// Its own certificate; without one it offers no TLS.
    pub leaf: Option<&'a Leaf>,
}

pub struct Postfix {
    folder: TempDir,
    pub listen: SocketAddr,
}

/// Why there is no Postfix here.
#[derive(Debug)]
pub struct Absent(pub String);

const SERVICES: &str = "\
pickup    unix  n - n 60 1 pickup
cleanup   unix  n - n - 0 cleanup
qmgr      unix  n - n 300 1 qmgr
tlsmgr    unix  - - n 1000? 1 tlsmgr
rewrite   unix  - - n - - trivial-rewrite
bounce    unix  - - n - 0 bounce
defer     unix  - - n - 0 bounce
trace     unix  - - n - 0 bounce
verify    unix  - - n - 1 verify
flush     unix  n - n 1000? 0 flush
proxymap  unix  - - n - - proxymap
smtp      unix  - - n - - smtp
relay     unix  - - n - - smtp
showq     unix  n - n - - showq
error     unix  - - n - - error
retry     unix  - - n - - error
discard   unix  - - n - - discard
local     unix  - n n - - local
virtual   unix  - n n - - virtual
anvil     unix  - - n - 1 anvil
scache    unix  - - n - 1 scache
postlog   unix-dgram n - n - 1 postlogd
";

impl Postfix {
    pub fn start(setup: &Setup<'_>) -> Result<Postfix, Absent> {
        let postfix = numeric_id("-u", "postfix")?;
        if numeric_id("-u", "root").is_ok() && own_id() != "0" {
            return Err(Absent("a Postfix of the lab needs root".to_owned()));
        }
        if Command::new("postconf").arg("mail_version").output().is_err() {
            return Err(Absent("Postfix is not installed".to_owned()));
        }
        let folder = tempfile::Builder::new().prefix("lab-postfix").tempdir().unwrap();
        // Its daemons run as other users and must find their way in.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        for name in ["config", "queue", "data", "mail"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        chown(folder.path().join("data"), Some(postfix), None).unwrap();
        chown(folder.path().join("mail"), Some(NOBODY), Some(NOBODY)).unwrap();
        write_config(folder.path(), setup);
        let running = Postfix { folder, listen: setup.listen };
        let started = running.command(&["start"]);
        assert!(started.status.success(), "{}{}", String::from_utf8_lossy(&started.stderr), running.log());
        Ok(running)
    }

    /// What its daemons wrote.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Waits until `count` messages are in the mailbox; panics with the log when they do not come.
    pub fn wait_for(&self, count: usize) -> Vec<Vec<u8>> {
        let arrived = until(|| Some(self.mailbox()).filter(|messages| messages.len() >= count));
        arrived.unwrap_or_else(|| panic!("{} of {count} messages came\n{}", self.mailbox().len(), self.log()))
    }

    /// The messages in the mailbox, as they were stored.
    pub fn mailbox(&self) -> Vec<Vec<u8>> {
        let Ok(entries) = fs::read_dir(self.folder.path().join("mail/inbox/new")) else { return Vec::new() };
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

    fn command(&self, words: &[&str]) -> Output {
        Command::new("postfix").arg("-c").arg(self.folder.path().join("config")).args(words).output().unwrap()
    }
}

impl Drop for Postfix {
    fn drop(&mut self) {
        self.command(&["stop"]);
    }
}

const NOBODY: u32 = 65_534;

fn own_id() -> String {
    let output = Command::new("id").arg("-u").output().unwrap();
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn numeric_id(which: &str, user: &str) -> Result<u32, Absent> {
    let output = Command::new("id").args([which, user]).output().map_err(|e| Absent(e.to_string()))?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.trim().parse().map_err(|_| Absent(format!("there is no user {user}: Postfix is not installed")))
}

fn write_config(folder: &Path, setup: &Setup<'_>) {
    let (at, ip) = (folder.display(), setup.listen.ip());
    let mut main = format!(
        "compatibility_level = 3.6\nqueue_directory = {at}/queue\ndata_directory = {at}/data\n\
         maillog_file = {at}/log\nmaillog_file_prefixes = {at}\nmyhostname = {}\nmydestination =\nlocal_recipient_maps =\n\
         alias_maps =\nalias_database =\ninet_interfaces = 127.0.0.1\ninet_protocols = ipv4\nmynetworks = 127.0.0.0/8\n\
         smtp_bind_address = {ip}\nsmtp_dns_support_level = disabled\nsmtp_host_lookup = native\n\
         smtp_tls_security_level = may\nsmtp_tls_loglevel = 1\nsmtpd_tls_loglevel = 1\nsmtpd_tls_received_header = yes\n\
         smtpd_peername_lookup = no\nminimal_backoff_time = 1s\nqueue_run_delay = 1s\n",
        setup.hostname
    );
    main += &format!(
        "virtual_mailbox_domains = {}\nvirtual_mailbox_base = {at}/mail\nvirtual_mailbox_maps = static:inbox/\n\
         virtual_uid_maps = static:{NOBODY}\nvirtual_gid_maps = static:{NOBODY}\nvirtual_minimum_uid = 1\n",
        setup.domains.join(", ")
    );
    if let Some(relay) = setup.relay {
        main += &format!("relayhost = [{}]:{}\n", relay.ip(), relay.port());
    }
    if let Some(leaf) = setup.leaf {
        let (certificate, key) = leaf.write(&folder.join("config"), "server");
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
        main += &format!(
            "smtpd_tls_security_level = may\nsmtpd_tls_cert_file = {}\nsmtpd_tls_key_file = {}\n",
            certificate.display(),
            key.display()
        );
    }
    let master = format!("{}:{} inet n - n - - smtpd\n{SERVICES}", ip, setup.listen.port());
    fs::write(folder.join("config/main.cf"), main).unwrap();
    fs::write(folder.join("config/master.cf"), master).unwrap();
}

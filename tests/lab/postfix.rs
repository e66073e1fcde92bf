//! A real Postfix in a folder of its own: as the server that receives, or as the relay that sends through the gateway.
//!
//! Needs root and an installed Postfix; where one is missing, `start` says which, so that the test can be named as
//! skipped.

pub use super::mta::{Absent, Setup};
use super::mta::{Mta, is_root, numeric_id};
use std::fs;
use std::ops::Deref;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::process::{Command, Output};

pub struct Postfix(Mta);

impl Deref for Postfix {
    type Target = Mta;

    fn deref(&self) -> &Mta {
        &self.0
    }
}

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
        Postfix::start_with(setup, "")
    }

    /// The same with more lines of main.cf.
    pub fn start_with(setup: &Setup<'_>, more: &str) -> Result<Postfix, Absent> {
        let postfix = numeric_id("-u", "postfix")?;
        if !is_root() {
            return Err(Absent("a Postfix of the lab needs root".to_owned()));
        }
        Postfix::version()?;
        let mta = Mta::new(setup.listen, "log", &["config", "queue", "data", "mail"]);
        chown(mta.path().join("data"), Some(postfix), None).unwrap();
        chown(mta.path().join("mail"), Some(NOBODY), Some(NOBODY)).unwrap();
        write_config(mta.path(), setup, more);
        let running = Postfix(mta);
        let started = running.command(&["start"]);
        assert!(started.status.success(), "{}{}", String::from_utf8_lossy(&started.stderr), running.log());
        Ok(running)
    }

    pub fn version() -> Result<String, Absent> {
        let output = Command::new("postconf").args(["-d", "-h", "mail_version"]).output();
        let output = output.map_err(|_| Absent("Postfix is not installed".to_owned()))?;
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    fn command(&self, words: &[&str]) -> Output {
        Command::new("postfix").arg("-c").arg(self.path().join("config")).args(words).output().unwrap()
    }
}

impl Drop for Postfix {
    fn drop(&mut self) {
        self.command(&["stop"]);
    }
}

const NOBODY: u32 = 65_534;

/// It tries again after three seconds: its queue manager takes what is due within a second as due, and a message that its
/// own client still holds open then is left lying until Postfix is started again.
fn write_config(folder: &Path, setup: &Setup<'_>, more: &str) {
    let (at, ip) = (folder.display(), setup.listen.ip());
    let mut main = format!(
        "compatibility_level = 3.6\nqueue_directory = {at}/queue\ndata_directory = {at}/data\n\
         maillog_file = {at}/log\nmaillog_file_prefixes = {at}\nmyhostname = {}\nmydestination =\nlocal_recipient_maps =\n\
         alias_maps =\nalias_database =\ninet_interfaces = 127.0.0.1\ninet_protocols = ipv4\nmynetworks = 127.0.0.0/8\n\
         smtp_bind_address = {ip}\nsmtp_dns_support_level = disabled\nsmtp_host_lookup = native\n\
         smtp_tls_security_level = may\nsmtp_tls_loglevel = 1\nsmtpd_tls_loglevel = 1\nsmtpd_tls_received_header = yes\n\
         smtpd_peername_lookup = no\nminimal_backoff_time = 3s\nmaximal_backoff_time = 3s\n\
         transport_retry_time = 1s\nqueue_run_delay = 1s\n",
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
    main += more;
    let master = format!("{}:{} inet n - n - - smtpd\n{SERVICES}", ip, setup.listen.port());
    fs::write(folder.join("config/main.cf"), main).unwrap();
    fs::write(folder.join("config/master.cf"), master).unwrap();
}

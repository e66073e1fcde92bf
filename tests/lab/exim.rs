//! A real Exim in a folder of its own: as the server that receives, or as the relay that sends through the gateway.
//!
//! Its package cannot be installed beside Postfix's, so `tests/run` unpacks it below `target/peers` and makes the user that
//! it insists on. Needs root; where something is missing, `start` says what, so that the test can be named as skipped.

use super::mta::{Absent, Mta, Setup, is_root, numeric_id};
use super::until;
use std::fmt::Write as _;
use std::fs;
use std::net::TcpStream;
use std::ops::Deref;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

pub struct Exim {
    mta: Mta,
    daemon: Child,
}

impl Deref for Exim {
    type Target = Mta;

    fn deref(&self) -> &Mta {
        &self.mta
    }
}

const USER: &str = "Debian-exim";

fn binary() -> Result<PathBuf, Absent> {
    let unpacked = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/peers/exim/usr/sbin/exim4");
    let installed = PathBuf::from("/usr/sbin/exim4");
    [unpacked, installed].into_iter().find(|path| path.exists()).ok_or(Absent("Exim is not unpacked".to_owned()))
}

impl Exim {
    pub fn start(setup: &Setup<'_>) -> Result<Exim, Absent> {
        Exim::start_with(setup, "")
    }

    /// The same with more statements of the ACL that looks at recipients.
    pub fn start_with(setup: &Setup<'_>, recipients: &str) -> Result<Exim, Absent> {
        let binary = binary()?;
        let (user, group) = (numeric_id("-u", USER)?, numeric_id("-g", USER)?);
        if !is_root() {
            return Err(Absent("an Exim of the lab needs root".to_owned()));
        }
        let mta = Mta::new(setup.listen, "logs/mainlog", &["spool", "mail", "logs"]);
        for room in ["spool", "mail", "logs"] {
            chown(mta.path().join(room), Some(user), Some(group)).unwrap();
        }
        let config = mta.path().join("exim.conf");
        fs::write(&config, configuration(mta.path(), setup, &binary, recipients)).unwrap();
        let mut command = Command::new(&binary);
        command.arg("-C").arg(&config).args(["-bdf", "-q1s"]).stdin(Stdio::null()).stdout(Stdio::null());
        let daemon =
            command.process_group(0).stderr(fs::File::create(mta.path().join("stderr")).unwrap()).spawn().unwrap();
        let mut running = Exim { mta, daemon };
        let ready = until(|| {
            let ended = running.daemon.try_wait().unwrap();
            ended.map(|_| false).or_else(|| TcpStream::connect(setup.listen).ok().map(|_| true))
        });
        let said = fs::read_to_string(running.path().join("stderr")).unwrap_or_default();
        assert_eq!(ready, Some(true), "Exim does not listen: {said}{}", running.log());
        Ok(running)
    }

    pub fn version() -> Result<String, Absent> {
        numeric_id("-u", USER)?;
        let output = Command::new(binary()?).args(["-C", "/dev/null", "-bV"]).output();
        let output = output.map_err(|why| Absent(format!("Exim does not run: {why}")))?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.lines()
            .find_map(|line| line.strip_prefix("Exim version "))
            .map(str::to_owned)
            .ok_or_else(|| Absent(format!("Exim does not run: {}", String::from_utf8_lossy(&output.stderr))))
    }
}

impl Drop for Exim {
    fn drop(&mut self) {
        // With its children: one that still writes its log would keep the folder.
        let _ = Command::new("kill").args(["-KILL", "--", &format!("-{}", self.daemon.id())]).status();
        let _ = self.daemon.wait();
    }
}

fn configuration(folder: &Path, setup: &Setup<'_>, binary: &Path, recipients: &str) -> String {
    let (at, ip) = (folder.display(), setup.listen.ip());
    let mut text = format!(
        "primary_hostname = {}\nexim_path = {}\nspool_directory = {at}/spool\nlog_file_path = {at}/logs/%slog\n\
         pid_file_path = {at}/spool/pid\nlocal_interfaces = <; {ip}\ndaemon_smtp_ports = {}\nkeep_environment =\nhost_lookup =\n\
         acl_smtp_rcpt = recipients\nacl_smtp_data = accept\nacl_smtp_vrfy = deny\nmessage_size_limit = 50M\n\
         chunking_advertise_hosts = *\npipelining_advertise_hosts = *\ndsn_advertise_hosts = *\nsmtputf8_advertise_hosts = *\n\
         deliver_drop_privilege = true\nnever_users =\nignore_bounce_errors_after = 0s\n\
         log_selector = +all -arguments -pid\nqueue_run_in_order = false\nsmtp_accept_keepalive = false\n",
        setup.hostname,
        binary.display(),
        setup.listen.port()
    );
    text += &tls(folder, setup);
    let _ = write!(
        text,
        "begin acl\nrecipients:\n{recipients}\n  accept\n\
         begin routers\ninbox:\n  driver = accept\n  domains = {}\n  transport = inbox\n",
        setup.domains.join(" : ")
    );
    if let Some(relay) = setup.relay {
        let _ = write!(
            text,
            "out:\n  driver = manualroute\n  route_list = * {}::{} byname\n  transport = out\n  self = send\n",
            relay.ip(),
            relay.port()
        );
    }
    let _ = write!(
        text,
        "begin transports\ninbox:\n  driver = appendfile\n  directory = {at}/mail/inbox\n  maildir_format\n  user = {USER}\n\
         out:\n  driver = smtp\n  interface = {ip}\n  hosts_try_chunking = *\n\
         begin retry\n* * F,1h,1s\n"
    );
    text
}

fn tls(folder: &Path, setup: &Setup<'_>) -> String {
    let Some(leaf) = setup.leaf else { return "tls_advertise_hosts =\n".to_owned() };
    let (certificate, key) = leaf.write(folder, "server");
    // Its own user reads the key.
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    format!(
        "tls_advertise_hosts = *\ntls_certificate = {}\ntls_privatekey = {}\n",
        certificate.display(),
        key.display()
    )
}

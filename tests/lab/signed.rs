//! Signed names: an authoritative server with a signed root, signed, unsigned, forged and expired zones, and a real validating
//! resolver in front of it that trusts that root's key alone.

use super::mta::Absent;
use std::fs;
use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// What a zone is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Signed,
    /// The root says that it is not signed.
    Unsigned,
    /// Its parent names another key.
    Forged,
    /// Its signatures ended years ago.
    Expired,
}

/// A zone right below the root, and its records as a zone file has them.
pub struct Zone<'a> {
    pub name: &'a str,
    pub kind: Kind,
    pub records: String,
}

pub struct SignedNames {
    /// The resolver.
    pub address: SocketAddr,
    _servers: Running,
    _folder: TempDir,
}

impl SignedNames {
    /// Both servers on free ports of `ip`.
    pub fn start(ip: &str, zones: &[Zone<'_>]) -> Result<SignedNames, Absent> {
        SignedNames::start_at(ip, &[], zones)
    }

    /// The same, and the resolver is also where this system's own way of looking up names can ask it: resolv.conf names no port.
    pub fn start_for_this_system(ip: &str, zones: &[Zone<'_>]) -> Result<SignedNames, Absent> {
        if !super::mta::is_root() {
            return Err(Absent("a resolver at port 53 needs root".to_owned()));
        }
        SignedNames::start_at(ip, &[SocketAddr::new(ip.parse().unwrap(), 53)], zones)
    }

    fn start_at(ip: &str, more: &[SocketAddr], zones: &[Zone<'_>]) -> Result<SignedNames, Absent> {
        for tool in ["/usr/sbin/nsd", "/usr/sbin/unbound", "/usr/bin/ldns-signzone"] {
            if !Path::new(tool).exists() {
                return Err(Absent(format!("{tool} is not installed")));
            }
        }
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        let mut root = String::new();
        for zone in zones {
            let (name, ds) = (zone.name, sign(at, zone));
            root.push_str(&format!("{name}. NS ns.{name}.\nns.{name}. A {ip}\n{ds}\n"));
        }
        let whole = Zone { name: "", kind: Kind::Signed, records: root };
        sign(at, &whole);
        let names: Vec<&str> = zones.iter().map(|zone| zone.name).chain([""]).collect();
        // Somebody else may take a port between its choice and its use.
        for _ in 0..5 {
            let [authority, resolver] = super::free_ports(ip);
            let own = [&[resolver], more].concat();
            let servers = vec![nsd(at, authority, &names), unbound(at, authority, &own, &names)];
            let mut running = Running(servers);
            if running.answers(resolver) {
                return Ok(SignedNames { address: resolver, _servers: running, _folder: folder });
            }
        }
        panic!("the lab's name servers do not run");
    }
}

/// Name servers, until nobody needs them.
struct Running(Vec<Child>);

impl Running {
    /// Waits until the resolver answers; false: one of them has ended.
    fn answers(&mut self, resolver: SocketAddr) -> bool {
        let socket = UdpSocket::bind((resolver.ip(), 0)).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
        // NS of the root.
        let question = [0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 1];
        for _ in 0..100 {
            let sent = socket.send_to(&question, resolver);
            let mut reply = [0; 512];
            if sent.is_ok() && socket.recv(&mut reply).is_ok_and(|length| length > 3 && reply[3] & 0x0f == 0) {
                return true;
            }
            if self.0.iter_mut().any(|server| server.try_wait().unwrap().is_some()) {
                return false;
            }
        }
        panic!("the lab's resolver does not answer");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        for server in &mut self.0 {
            let _ = server.kill();
            let _ = server.wait();
        }
    }
}

fn run(folder: &Path, tool: &str, words: &[&str]) -> String {
    let output = Command::new(tool).args(words).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{tool} {words:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// The file that holds a zone.
fn file_of(name: &str) -> String {
    format!("{}.zone", if name.is_empty() { "root" } else { name })
}

/// Writes a zone, signs it, and says what its parent says of its key.
fn sign(folder: &Path, zone: &Zone<'_>) -> String {
    let name = format!("{}.", zone.name);
    let below = if zone.name.is_empty() { String::new() } else { name.clone() };
    let text = format!(
        "$ORIGIN {name}\n$TTL 5\n@ SOA ns.{below} h.{below} 1 3600 600 86400 5\n@ NS ns.{below}\nns.{below} A 127.0.0.1\n{}\n",
        zone.records
    );
    let file = file_of(zone.name);
    fs::write(folder.join(&file), text).unwrap();
    if zone.kind == Kind::Unsigned {
        return String::new();
    }
    let key = || run(folder, "ldns-keygen", &["-k", "-a", "ECDSAP256SHA256", &name]);
    let own = key();
    let when: &[&str] = if zone.kind == Kind::Expired { &["-i", "20190101", "-e", "20200101"] } else { &[] };
    run(folder, "ldns-signzone", &[when, &["-f", &format!("{file}.signed"), "-o", &name, &file, &own]].concat());
    fs::rename(folder.join(format!("{file}.signed")), folder.join(&file)).unwrap();
    let named = if zone.kind == Kind::Forged { key() } else { own };
    if zone.name.is_empty() {
        fs::rename(folder.join(format!("{named}.key")), folder.join("anchor")).unwrap();
        return String::new();
    }
    run(folder, "ldns-key2ds", &["-n", "-2", &format!("{named}.key")])
}

fn nsd(folder: &Path, address: SocketAddr, zones: &[&str]) -> Child {
    let at = folder.display();
    let mut config = format!(
        "server:\n ip-address: {}@{}\n port: {1}\n username: \"\"\n zonesdir: \"{at}\"\n database: \"\"\n pidfile: \"\"\n \
         xfrdfile: \"{at}/xfrd\"\n zonelistfile: \"{at}/zones.list\"\n xfrdir: \"{at}\"\n cookie-secret-file: \"\"\n server-count: 1\nremote-control:\n control-enable: no\n",
        address.ip(),
        address.port()
    );
    for zone in zones {
        config.push_str(&format!("zone:\n name: \"{zone}.\"\n zonefile: \"{}\"\n", file_of(zone)));
    }
    fs::write(folder.join("nsd.conf"), config).unwrap();
    start(folder, "/usr/sbin/nsd", &["-d", "-c", "nsd.conf"])
}

fn unbound(folder: &Path, authority: SocketAddr, addresses: &[SocketAddr], zones: &[&str]) -> Child {
    let interface = |address: &SocketAddr| format!(" interface: {}@{}\n", address.ip(), address.port());
    let mut config = format!(
        "server:\n{} directory: \"{}\"\n chroot: \"\"\n username: \"\"\n pidfile: \"\"\n use-syslog: no\n \
         do-not-query-localhost: no\n trust-anchor-file: \"anchor\"\n module-config: \"validator iterator\"\n num-threads: 1\n \
         access-control: 127.0.0.0/8 allow\n cache-max-ttl: 1\n cache-max-negative-ttl: 1\n val-bogus-ttl: 1\n ede: yes\nremote-control:\n control-enable: no\n",
        addresses.iter().map(interface).collect::<String>(),
        folder.display()
    );
    for zone in zones {
        let (ip, port) = (authority.ip(), authority.port());
        config.push_str(&format!("stub-zone:\n name: \"{zone}.\"\n stub-addr: {ip}@{port}\n"));
    }
    fs::write(folder.join("unbound.conf"), config).unwrap();
    start(folder, "/usr/sbin/unbound", &["-d", "-c", "unbound.conf"])
}

fn start(folder: &Path, server: &str, words: &[&str]) -> Child {
    let log =
        fs::File::create(folder.join(format!("{}.log", Path::new(server).file_name().unwrap().display()))).unwrap();
    let mut command = Command::new(server);
    command.args(words).current_dir(folder).stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
    command.spawn().unwrap()
}

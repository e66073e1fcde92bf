//! A gateway in a small internet of its own: names, peers behind taps, the built binary with its folder and its addresses.
//!
//! Each scenario makes one `World`, and all its addresses are in 127.30.NUMBER.0/24. Scenarios that
//! share a number are kept apart by their ports, which are free ones.

// Each test binary uses a part of it.
#![allow(dead_code)]

use crate::lab::ca::Ca;
use crate::lab::client::Client;
use crate::lab::names::Names;
use crate::lab::peers::{Behaviour, Peer};
use crate::lab::tap::Wire;
use crate::lab::{PATIENCE, free_port, free_ports, until};
use serde_json::Value;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::LazyLock;
use std::sync::mpsc::{Sender, channel};
use std::thread;
use tempfile::TempDir;

pub const DOCTOR: &str = "dr.jones@trust.example";
/// Made clinical by its number, and found by it on the wire.
pub const NUMBER: &str = "943 476 5919";
/// What must never be read outside TLS, whatever else is in a clinical message.
pub const SECRET: &str = "adenocarcinoma-of-colon";

/// Where the site's Exchange is, in each world.
pub const EXCHANGE: u8 = 20;
/// Whence it sends.
pub const OWN: u8 = 30;

/// Clinical mail must reach a peer that proved itself; everything else goes as it can.
pub const POLICY: &str = r#"
[group.partner]
domains = ["partner.example"]
mx = ["*.partner.example"]

[class.clinical]
threshold = 10
[class.clinical.score]
nhs-number = 10

[rule.clinical-verified]
direction = "outbound"
when = { content = ["clinical"] }
require = "verified"
wait = "1h"
otherwise = "hold"
"#;

pub struct World {
    number: u8,
    /// Where every MX host of this world listens.
    pub port: u16,
    pub names: Names,
    pub wire: Wire,
    pub ca: Ca,
}

/// What a scenario's gateway has of its own.
#[derive(Clone)]
pub struct Setup<'a> {
    pub policy: &'a str,
    /// More lines of `[site.trust]`.
    pub site: &'a str,
    /// More tables of gateway.toml.
    pub more: &'a str,
    /// More lines of `[deliver]`.
    pub deliver: &'a str,
    /// What the sites' listener does about TLS.
    pub door: &'a str,
    /// Lines of `[dns]`; empty: the world's own names, in which nobody believes signatures.
    pub dns: &'a str,
}

impl Default for Setup<'_> {
    fn default() -> Self {
        Setup { policy: POLICY, site: "require = \"any\"", more: "", deliver: "", door: "offer", dns: "" }
    }
}

impl World {
    pub fn new(number: u8) -> World {
        let ip = format!("127.30.{number}.1");
        let port = free_port(&ip).port();
        World { number, port, names: Names::start(&ip), wire: Wire::default(), ca: Ca::new("lab") }
    }

    /// The port of every mail host.
    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn ip(&self, host: u8) -> IpAddr {
        IpAddr::from([127, 30, self.number, host])
    }

    pub fn free(&self, host: u8) -> SocketAddr {
        free_port(&self.ip(host).to_string())
    }

    /// A peer that the world reaches at `host` through a tap.
    pub fn peer(&self, host: u8, name: &str, behaviour: Behaviour) -> Peer {
        let peer = Peer::start(self.free(host + 100), name, behaviour);
        self.wire.tap(SocketAddr::new(self.ip(host), self.port), peer.address);
        peer
    }

    /// The same as the one MX host of `domain`, named mx.DOMAIN.
    pub fn mx(&self, host: u8, domain: &str, behaviour: Behaviour) -> Peer {
        let name = format!("mx.{domain}");
        self.names.mx(domain, &[(10, &name)]).address_of(&name, self.ip(host));
        self.peer(host, &name, behaviour)
    }

    /// The site's Exchange.
    pub fn exchange(&self) -> Peer {
        self.peer(EXCHANGE, "exchange.trust.example", Behaviour::default())
    }

    pub fn gateway(&self, setup: &Setup<'_>) -> Gateway {
        let gateway = self.prepared(setup);
        gateway.started()
    }

    /// A gateway with its folder and its files, not started.
    pub fn prepared(&self, setup: &Setup<'_>) -> Gateway {
        let folder = tempfile::Builder::new().prefix("gateway").tempdir().unwrap();
        let [door, internet, admin] = free_ports(&self.ip(1).to_string());
        fs::create_dir(folder.path().join("policies")).unwrap();
        fs::write(folder.path().join("policies/policy.toml"), setup.policy).unwrap();
        let roots = self.ca.write(folder.path());
        let own_names = format!("servers = [\"{}\"]\ndnssec = \"off\"", self.names.address);
        let config = format!(
            "hostname = \"gw.trust.example\"\ndata = \"data\"\npolicies = \"policies\"\n\
             [site.trust]\ndomains = [\"trust.example\"]\nexchange = [\"{exchange}:{port}\"]\nnetworks = [\"127.0.0.1\", \"{own}\"]\n\
             duty = \"duty@trust.example\"\nphone = \"020 7946 0000\"\n{site}\n\
             [listen.exchange]\naddress = \"{door}\"\nmail-from = \"sites\"\ntls = \"{tls}\"\n\
             [listen.internet]\naddress = \"{internet}\"\nmail-from = \"anyone\"\n\
             [deliver]\nport = {port}\nallow-private = true\n{deliver}\n[dns]\n{dns}\n\
             [tls]\nextra-roots = [\"{roots}\"]\n[web]\nadmin = \"{admin}\"\n{more}\n",
            exchange = self.ip(EXCHANGE),
            own = self.ip(OWN),
            port = self.port,
            site = setup.site,
            tls = setup.door,
            deliver = setup.deliver,
            dns = if setup.dns.is_empty() { &own_names } else { setup.dns },
            roots = roots.display(),
            more = setup.more,
        );
        fs::write(folder.path().join("gateway.toml"), config).unwrap();
        Gateway { folder, launcher: Vec::new(), door, internet, admin, running: None }
    }
}

pub struct Gateway {
    pub folder: TempDir,
    /// Words in front of the programme's own when it is started, such as `strace -D -f`. They must end in an exec, so that
    /// the process is the gateway.
    pub launcher: Vec<String>,
    /// The sites' listener.
    pub door: SocketAddr,
    pub internet: SocketAddr,
    admin: SocketAddr,
    running: Option<Child>,
}

impl Gateway {
    pub fn started(mut self) -> Gateway {
        self.start();
        self
    }

    pub fn config(&self) -> PathBuf {
        self.folder.path().join("gateway.toml")
    }

    fn command(&self) -> Command {
        self.command_through(&[])
    }

    fn command_through(&self, launcher: &[String]) -> Command {
        let programme = env!("CARGO_BIN_EXE_mailward").to_owned();
        let mut words = launcher.iter().chain([&programme]);
        let mut command = Command::new(words.next().unwrap());
        command.args(words).current_dir(&self.folder).stdin(Stdio::null());
        command
    }

    /// Starts it and waits until it takes mail.
    pub fn start(&mut self) {
        if let Err(ended) = self.try_start() {
            let log = self.log();
            let why: Vec<&str> = log.lines().rev().take(3).collect();
            panic!("the gateway ended: {ended}, it said last (the last line first): {why:?}\n{log}");
        }
    }

    /// The same for a gateway that may not come so far: how it ended.
    pub fn try_start(&mut self) -> Result<(), ExitStatus> {
        let log = File::options().create(true).append(true).open(self.folder.path().join("log")).unwrap();
        let begin = |gateway: &Gateway| {
            let mut command = gateway.command_through(&[ends_with_the_test(), &gateway.launcher].concat());
            let log = log.try_clone().unwrap();
            command.args(["serve", "--config"]).arg(gateway.config()).stdout(Stdio::null()).stderr(log);
            Some(spawn(command))
        };
        self.running = begin(self);
        let ready = until(|| {
            if let Some(ended) = self.running.as_mut().and_then(|child| child.try_wait().unwrap()) {
                // See `lab::listen`: a port that was found free may be held for a moment by a process that is starting.
                if !self.log().ends_with("hint: is another mail server running there?\n") {
                    self.running = None;
                    return Some(Err(ended));
                }
                self.running = begin(self);
            }
            // Without room it is as far as it comes: it delivers, and puts MAIL off; without a policy it puts MAIL off, too.
            let is_up = |why: &str| ["no-room", "no-policy"].iter().any(|reason| why.contains(reason));
            self.get("/readyz").filter(|(code, why)| *code == 200 || is_up(why)).map(|_| Ok(()))
        });
        ready.unwrap_or_else(|| panic!("the gateway is not ready\n{}", self.log()))
    }

    /// Writes a file of the policy.
    pub fn policy_file(&self, name: &str, text: &str) {
        fs::write(self.folder.path().join("policies").join(name), text).unwrap();
    }

    /// Stops it, writes a file of its policy, and starts it again.
    pub fn restart_with(&mut self, name: &str, text: &str) {
        self.terminate();
        assert!(self.wait_for_end().success());
        self.policy_file(name, text);
        self.start();
    }

    /// The process, while it runs.
    pub fn process(&self) -> u32 {
        self.running.as_ref().unwrap().id()
    }

    /// Whether it ended by itself.
    pub fn has_ended(&mut self) -> bool {
        self.running.as_mut().is_none_or(|child| child.try_wait().unwrap().is_some())
    }

    /// Runs `serve` to its own end: for a gateway that must not start.
    pub fn refused(&self) -> Output {
        self.command().args(["serve", "--config"]).arg(self.config()).output().unwrap()
    }

    pub fn log(&self) -> String {
        let read = || fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        // Lines gather for some milliseconds before they are written: what is asked for may be among them.
        let (mut before, mut same) = (read(), 0);
        until(|| {
            let now = read();
            same = if now == before { same + 1 } else { 0 };
            before = now;
            (same > 2).then_some(())
        });
        before
    }

    /// SIGKILL: nothing is finished.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.running.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// SIGTERM, without waiting.
    pub fn terminate(&self) {
        self.signal("TERM");
    }

    pub fn signal(&self, name: &str) {
        let id = self.running.as_ref().unwrap().id();
        assert!(Command::new("sh").args(["-c", &format!("kill -{name} {id}")]).status().unwrap().success());
    }

    pub fn wait_for_end(&mut self) -> ExitStatus {
        let mut child = self.running.take().unwrap();
        let ended = until(|| child.try_wait().unwrap());
        ended.unwrap_or_else(|| {
            let _ = child.kill();
            panic!("the gateway does not stop\n{}", self.log())
        })
    }

    /// A session as the site's Exchange, over TLS.
    pub fn session(&self) -> Client {
        self.clear_session().start_tls().unwrap()
    }

    pub fn clear_session(&self) -> Client {
        Client::connect(self.door).unwrap()
    }

    /// The first line that the sites' door says.
    pub fn greeting(&self) -> String {
        use std::io::{BufRead, BufReader};
        let mut line = String::new();
        let stream = std::net::TcpStream::connect(self.door).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        BufReader::new(stream).read_line(&mut line).unwrap();
        line
    }

    /// A session of somebody on the internet, from `ip`.
    pub fn stranger(&self, ip: IpAddr, listener: SocketAddr) -> Client {
        Client::over(connect_from(ip, listener)).unwrap()
    }

    /// One message from the doctor; the id that it is queued as.
    pub fn send(&self, to: &[&str], message: &str) -> String {
        let mut client = self.session();
        let reply = client.send(DOCTOR, to, message.as_bytes()).unwrap();
        assert_eq!(reply.code, 250, "{reply:?}\n{}", self.log());
        client.quit();
        queued_as(&reply.text)
    }

    /// A command of the programme on this gateway.
    pub fn cli(&self, words: &[&str]) -> Output {
        self.command().args(words).arg("--config").arg(self.config()).output().unwrap()
    }

    pub fn json(&self, words: &[&str]) -> Value {
        let output = self.cli(words);
        serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{words:?}: {e}\n{output:?}"))
    }

    pub fn queue(&self) -> Vec<Value> {
        self.json(&["queue", "list", "--json"]).as_array().unwrap().clone()
    }

    /// Waits for a row of the queue that waits for `reason`.
    pub fn waits_for(&self, reason: &str) -> Value {
        let row = until(|| self.queue().into_iter().find(|row| row["reason"] == reason));
        row.unwrap_or_else(|| panic!("nothing waits for {reason}: {:?}\n{}", self.queue(), self.log()))
    }

    pub fn wait_until_empty(&self) {
        let empty = until(|| self.queue().is_empty().then_some(()));
        assert!(empty.is_some(), "still in the queue: {:?}\n{}", self.queue(), self.log());
    }

    /// Status and body of a page of the admin listener.
    pub fn get(&self, path: &str) -> Option<(u16, String)> {
        let mut stream = TcpStream::connect(self.admin).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).ok()?;
        write!(stream, "GET {path} HTTP/1.0\r\nHost: admin\r\n\r\n").ok()?;
        let mut page = String::new();
        stream.read_to_string(&mut page).ok()?;
        let code = page.split(' ').nth(1)?.parse().ok()?;
        Some((code, page.split_once("\r\n\r\n")?.1.to_owned()))
    }

    /// A metric by its name and all its labels; missing is a mistake of the test.
    pub fn metric(&self, name: &str) -> f64 {
        let (_, page) = self.get("/metrics").unwrap();
        let line = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("there is no {name} in\n{page}")).parse().unwrap()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        if let Some(child) = &mut self.running {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Starts a process from a thread that lasts as long as the tests: the kernel's signal to orphans goes out when the thread
/// ends that made them, and several tests may share a gateway.
fn spawn(command: Command) -> Child {
    static MAKER: LazyLock<Sender<(Command, Sender<Child>)>> = LazyLock::new(|| {
        let (maker, wanted) = channel::<(Command, Sender<Child>)>();
        thread::spawn(move || {
            for (mut command, made) in wanted {
                made.send(command.spawn().unwrap()).unwrap();
            }
        });
        maker
    });
    let (made, child) = channel();
    MAKER.send((command, made)).unwrap();
    child.recv().unwrap()
}

/// Words in front of a gateway that let the kernel end it when the tests are killed: nothing else would then. None where
/// `setpriv` (util-linux) is missing.
fn ends_with_the_test() -> &'static [String] {
    static WORDS: LazyLock<Vec<String>> = LazyLock::new(|| {
        let words = ["setpriv", "--pdeathsig", "KILL"];
        let found = Command::new(words[0]).args(&words[1..]).arg("true").status().is_ok_and(|status| status.success());
        words.iter().filter(|_| found).map(|&word| word.to_owned()).collect()
    });
    &WORDS
}

pub fn queued_as(reply: &str) -> String {
    let id = reply.rsplit("queued as ").next().unwrap();
    assert!(id.len() >= 13, "no id in: {reply}");
    id.trim().to_owned()
}

pub fn connect_from(ip: IpAddr, server: SocketAddr) -> TcpStream {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::new(ip, 0)).unwrap();
        let stream = socket.connect(server).await.unwrap().into_std().unwrap();
        stream.set_nonblocking(false).unwrap();
        stream
    })
}

/// A letter that the recogniser finds clinical.
pub fn clinical(subject: &str) -> String {
    format!(
        "From: <{DOCTOR}>\r\nTo: <b@partner.example>\r\nSubject: {subject}\r\nMessage-ID: <{}@trust.example>\r\n\r\n\
         NHS number {NUMBER}: {SECRET}\r\n",
        subject.replace(' ', "-")
    )
}

pub fn ordinary(subject: &str) -> String {
    format!(
        "From: <{DOCTOR}>\r\nTo: <b@partner.example>\r\nSubject: {subject}\r\nMessage-ID: <{}@trust.example>\r\n\r\n\
         The car park is closed on Monday.\r\n",
        subject.replace(' ', "-")
    )
}

/// The message that arrived, without the field that the gateway put in front.
pub fn without_received(message: &[u8]) -> Vec<u8> {
    assert!(message.starts_with(b"Received: "), "{}", String::from_utf8_lossy(message));
    let mut rest = message;
    loop {
        let end = memchr::memmem::find(rest, b"\r\n").unwrap() + 2;
        rest = &rest[end..];
        if !rest.starts_with(b"\t") && !rest.starts_with(b" ") {
            return rest.to_vec();
        }
    }
}

//! Command-line clients and libraries hand their mail over, in clear text and inside TLS: what arrives is what was sent,
//! and each tells its user rightly what became of it.

use crate::lab::ca::Leaf;
use crate::lab::peers::{Behaviour, Peer, Tls as Offers};
use crate::letter::{self, REFUSING, TO, TOO_LONG, arrival, assert_same, has};
use crate::programme::{Said, bounded, run, version};
use crate::world::{DOCTOR, Gateway, NUMBER, SECRET, Setup, World};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, Weak};

/// How the client reaches the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tls {
    Clear,
    Start,
    /// From the first octet (RFC 8314 3.3).
    Implicit,
}

/// One message to be handed over.
struct Order<'a> {
    server: SocketAddr,
    tls: Tls,
    roots: &'a Path,
    to: &'a [&'a str],
    message: &'a Path,
}

/// What a client does when one of several recipients is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Partial {
    /// Sends to the others.
    GoesOn,
    /// Sends to nobody and says so.
    GivesUp,
}

struct Client {
    name: &'static str,
    version: &'static [&'static str],
    hand_over: fn(&Order<'_>) -> Command,
    partial: Partial,
}

/// One gateway and one sink for the tests of this file that run at the same time.
struct Scene {
    world: World,
    gateway: Gateway,
    /// The listener that speaks TLS from the first octet.
    secure: SocketAddr,
    sink: Peer,
    roots: PathBuf,
}

fn scene() -> Arc<Scene> {
    static SHARED: Mutex<Weak<Scene>> = Mutex::new(Weak::new());
    let mut shared = SHARED.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    if let Some(scene) = shared.upgrade() {
        return scene;
    }
    let world = World::new(135);
    let tls = Offers::Shows(world.ca.good(&["mx.partner.example"]));
    let sink = world.mx(10, "partner.example", Behaviour { tls, offers: vec!["DSN"], ..Behaviour::default() });
    let secure = world.free(1);
    let more = format!("[listen.secure]\naddress = \"{secure}\"\nmail-from = \"sites\"\ntls = \"implicit\"");
    let gateway = world.prepared(&Setup { policy: REFUSING, more: &more, ..Setup::default() });
    let leaf = world.ca.good(&[&world.ip(1).to_string(), "gw.trust.example"]);
    show(&gateway, &leaf);
    let roots = gateway.folder.path().join("lab-ca.pem");
    let scene = Arc::new(Scene { world, gateway: gateway.started(), secure, sink, roots });
    *shared = Arc::downgrade(&scene);
    scene
}

/// Gives the gateway a certificate that clients can check.
fn show(gateway: &Gateway, leaf: &Leaf) {
    let (certificate, key) = leaf.write(gateway.folder.path(), "gateway");
    let path = gateway.folder.path().join("gateway.toml");
    let lines = format!("[tls]\ncertificate = \"{}\"\nkey = \"{}\"\n", certificate.display(), key.display());
    let config = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, config.replacen("[tls]\n", &lines, 1)).unwrap();
}

impl Scene {
    fn server(&self, tls: Tls) -> SocketAddr {
        if tls == Tls::Implicit { self.secure } else { self.gateway.door }
    }

    fn hand_over(&self, client: &Client, tls: Tls, to: &[&str], message: &[u8]) -> Said {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), message).unwrap();
        let order = Order { server: self.server(tls), tls, roots: &self.roots, to, message: file.path() };
        run(&mut (client.hand_over)(&order))
    }

    fn takes(&self, client: &Client, tls: Tls, kind: &str, message: impl Fn(&str) -> Vec<u8>) {
        let subject = format!("{} {kind} {tls:?}", client.name);
        let message = message(&subject);
        let said = self.hand_over(client, tls, &[TO], &message);
        assert!(said.success, "{subject}: {}", said.text);
        let arrived = arrival(&self.sink, &subject);
        assert_same(&arrived.message, &message);
        let with = if tls == Tls::Clear { "with ESMTP\r\n" } else { "with ESMTPS\r\n" };
        assert!(has(&arrived.message, with), "{subject}: {}", arrived.text());
    }

    fn tells_of_a_refused_recipient(&self, client: &Client) {
        let subject = format!("{} partial", client.name);
        let said =
            self.hand_over(client, Tls::Start, &["a@partner.example", TOO_LONG, TO], &letter::ordinary(&subject));
        match client.partial {
            Partial::GoesOn => {
                assert!(said.success, "{}: {}", client.name, said.text);
                assert_eq!(arrival(&self.sink, &subject).recipients, ["a@partner.example", TO]);
            }
            Partial::GivesUp => {
                assert!(!said.success && said.text.contains("64 octets"), "{}: {said:?}", client.name);
            }
        }
    }

    fn tells_of_a_refused_message(&self, client: &Client) {
        let subject = format!("{} refused", client.name);
        let said = self.hand_over(client, Tls::Start, &[TO], &letter::clinical(&subject));
        assert!(!said.success, "{}: {}", client.name, said.text);
        for words in ["clinical-sealed", "5.7.10"] {
            assert!(said.text.contains(words), "{} does not say {words}: {}", client.name, said.text);
        }
        assert!(!self.sink.received().iter().any(|m| has(&m.message, &subject)));
    }
}

fn serves(test: &str, client: &Client) {
    if version(test, client.name, client.version).is_none() {
        return;
    }
    let scene = scene();
    for tls in [Tls::Clear, Tls::Start, Tls::Implicit] {
        scene.takes(client, tls, "nasty", letter::nasty);
    }
    scene.takes(client, Tls::Start, "large", |subject| letter::large(subject, 1_000_000));
    scene.tells_of_a_refused_recipient(client);
    scene.tells_of_a_refused_message(client);
    assert_eq!(scene.world.wire.sightings(&[NUMBER, SECRET]), []);
}

fn swaks(order: &Order<'_>) -> Command {
    let mut command = bounded("swaks");
    command.args(["--server", &order.server.ip().to_string(), "--port", &order.server.port().to_string()]);
    command.args(["--helo", "client.lab.example", "--from", DOCTOR, "--to", &order.to.join(",")]);
    // It ends every message with one more end of line.
    let message = std::fs::read_to_string(order.message).unwrap();
    command.args(["--data", "-"]).stdin(file_of(message.trim_end_matches("\r\n")));
    match order.tls {
        Tls::Clear => return command,
        Tls::Start => command.arg("--tls"),
        Tls::Implicit => command.arg("--tls-on-connect"),
    };
    command.args(["--tls-verify", "--tls-ca-path"]).arg(order.roots);
    command
}

fn file_of(text: &str) -> std::fs::File {
    use std::io::{Seek as _, Write as _};
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file.rewind().unwrap();
    file
}

#[test]
fn swaks_is_served() {
    let version = &["swaks", "--version"];
    serves("swaks_is_served", &Client { name: "swaks", version, hand_over: swaks, partial: Partial::GoesOn });
}

fn curl(order: &Order<'_>) -> Command {
    let mut command = bounded("curl");
    command.args(["--silent", "--show-error", "--verbose", "--url"]);
    let scheme = if order.tls == Tls::Implicit { "smtps" } else { "smtp" };
    command.arg(format!("{scheme}://{}/client.lab.example", order.server));
    command.args(["--mail-from", DOCTOR]).args(order.to.iter().flat_map(|to| ["--mail-rcpt", to]));
    command.arg("--upload-file").arg(order.message);
    if order.tls != Tls::Clear {
        command.args(["--ssl-reqd", "--cacert"]).arg(order.roots);
    }
    command
}

#[test]
fn curl_is_served() {
    let version = &["curl", "--version"];
    serves("curl_is_served", &Client { name: "curl", version, hand_over: curl, partial: Partial::GivesUp });
}

fn msmtp(order: &Order<'_>) -> Command {
    let mut command = bounded("msmtp");
    command.arg(format!("--host={}", order.server.ip())).arg(format!("--port={}", order.server.port()));
    command.args(["--domain=client.lab.example", "--auth=off", &format!("--from={DOCTOR}")]);
    command.args(match order.tls {
        Tls::Clear => ["--tls=off", "--tls-starttls=off"],
        Tls::Start => ["--tls=on", "--tls-starttls=on"],
        Tls::Implicit => ["--tls=on", "--tls-starttls=off"],
    });
    command.arg("--tls-certcheck=on").arg(format!("--tls-trust-file={}", order.roots.display()));
    command.arg("--").args(order.to).stdin(std::fs::File::open(order.message).unwrap());
    command
}

#[test]
fn msmtp_is_served() {
    let version = &["msmtp", "--version"];
    serves("msmtp_is_served", &Client { name: "msmtp", version, hand_over: msmtp, partial: Partial::GivesUp });
}

/// One of the scripts beside this file.
fn script(interpreter: &str, name: &str, order: &Order<'_>) -> Command {
    let mut command = bounded(interpreter);
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop").join(name));
    command.arg(order.server.to_string()).arg(match order.tls {
        Tls::Clear => "clear",
        Tls::Start => "starttls",
        Tls::Implicit => "implicit",
    });
    command.arg(order.roots).arg(DOCTOR).arg(order.to.join(",")).arg(order.message);
    command
}

#[test]
fn python_smtplib_is_served() {
    let hand_over = |order: &Order<'_>| script("python3", "send_with_smtplib.py", order);
    let version = &["python3", "--version"];
    serves("python_smtplib_is_served", &Client { name: "smtplib", version, hand_over, partial: Partial::GoesOn });
}

#[test]
fn python_smtplib_asks_for_reports_and_writes_to_the_world() {
    let test = "python_smtplib_asks_for_reports_and_writes_to_the_world";
    if version(test, "smtplib", &["python3", "--version"]).is_none() {
        return;
    }
    let (scene, to) = (scene(), "j\u{f6}rg@partner.example");
    let message = letter::nasty("smtplib international");
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &message).unwrap();
    let (server, tls) = (scene.gateway.door, Tls::Start);
    let order = Order { server, tls, roots: &scene.roots, to: &[to, TO], message: file.path() };
    let said = run(&mut script("python3", "send_with_smtplib.py", &order));
    assert!(said.success && said.text.contains("refused: {}"), "{said:?}");
    let arrived = arrival(&scene.sink, "smtplib international");
    assert_same(&arrived.message, &message);
    assert_eq!(arrived.recipients, [to, TO]);
    let mail = &arrived.commands[0];
    for parameter in ["SMTPUTF8", "BODY=8BITMIME", "RET=HDRS", "ENVID=lab+2Bone"] {
        assert!(mail.contains(parameter), "{parameter}: {mail}");
    }
    assert!(arrived.commands[1..].iter().all(|rcpt| rcpt.contains("NOTIFY=FAILURE,DELAY")), "{:?}", arrived.commands);
}

#[test]
fn perl_net_smtp_is_served() {
    let hand_over = |order: &Order<'_>| script("perl", "send_with_net_smtp.pl", order);
    let version = &[
        "perl",
        "-MNet::SMTP",
        "-MIO::Socket::SSL",
        "-e",
        "print qq(Net::SMTP $Net::SMTP::VERSION, IO::Socket::SSL $IO::Socket::SSL::VERSION)",
    ];
    serves("perl_net_smtp_is_served", &Client { name: "Net::SMTP", version, hand_over, partial: Partial::GoesOn });
}

/// It writes its messages itself: the text comes from its standard input, a file goes along.
fn s_nail(order: &Order<'_>, subject: &str, text: &str) -> Command {
    let mut command = bounded("s-nail");
    let scheme = if order.tls == Tls::Implicit { "smtps" } else { "smtp" };
    let mta = format!("mta={scheme}://{}", order.server);
    let from = format!("from={DOCTOR}");
    let settings =
        ["v15-compat", &mta, &from, "smtp-auth=none", "hostname=client.lab.example", "sendwait", "mime-encoding=8bit"];
    command.args(["-:/", "-s", subject]).args(settings.iter().flat_map(|setting| ["-S", setting]));
    if order.tls == Tls::Start {
        command.args(["-S", "smtp-use-starttls"]);
    }
    command.args(["-S", "tls-verify=strict", "-S"]).arg(format!("tls-ca-file={}", order.roots.display()));
    command
        .env("LC_ALL", "C.UTF-8")
        .env("HOME", order.roots.parent().unwrap())
        .arg("-a")
        .arg(order.message)
        .args(order.to)
        .stdin(file_of(text));
    command
}

#[test]
fn s_nail_is_served() {
    if version("s_nail_is_served", "s-nail", &["s-nail", "--version"]).is_none() {
        return;
    }
    let (scene, text) = (scene(), ".leading\n..two\n.\ncaf\u{e9}\nthe end\n");
    let attached: Vec<u8> = (0..1_000_000_u32).map(|at| (at * 31 % 251).to_le_bytes()[0]).collect();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &attached).unwrap();
    for tls in [Tls::Clear, Tls::Start, Tls::Implicit] {
        let order = Order { server: scene.server(tls), tls, roots: &scene.roots, to: &[TO], message: file.path() };
        let subject = format!("s-nail {tls:?}");
        let said = run(&mut s_nail(&order, &subject, text));
        assert!(said.success, "{}", said.text);
        let arrived = arrival(&scene.sink, &subject);
        let parsed = mail_parser::MessageParser::default().parse(&arrived.message).unwrap();
        assert_eq!(parsed.body_text(0).unwrap(), text.replace('\n', "\r\n"));
        assert!(parsed.attachment(0).unwrap().contents() == attached, "the attachment is not what it was");
    }
    let to = ["a@partner.example", TOO_LONG];
    let order =
        Order { server: scene.gateway.door, tls: Tls::Start, roots: &scene.roots, to: &to, message: file.path() };
    for (order, text, words) in [
        (&order, "hello\n", "64 octets"),
        (&Order { to: &[TO], ..order }, &format!("NHS number {NUMBER}: {SECRET}\n"), "clinical-sealed"),
    ] {
        let said = run(&mut s_nail(order, "s-nail refused", text));
        assert!(!said.success && said.text.contains(words), "{said:?}");
    }
}

//! Command-line clients and libraries hand their mail over, in clear text and inside TLS: what arrives is what was sent,
//! and each tells its user rightly what became of it.

use crate::clients::{CURL, Client, MSMTP, NET_SMTP, Order, Partial, SMTPLIB, SWAKS, Tls, s_nail, show};
use crate::lab::peers::{Behaviour, Peer, Tls as Offers};
use crate::letter::{self, REFUSING, TO, TOO_LONG, arrival, assert_same, has};
use crate::programme::{Said, run, version};
use crate::world::{Gateway, NUMBER, SECRET, Setup, World};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, Weak};

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

impl Scene {
    fn server(&self, tls: Tls) -> SocketAddr {
        if tls == Tls::Implicit { self.secure } else { self.gateway.door }
    }

    fn hand_over(&self, client: &Client, tls: Tls, to: &[&str], message: &[u8]) -> Said {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), message).unwrap();
        let order = Order { server: self.server(tls), tls, roots: &self.roots, to, message: file.path(), login: None };
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

#[test]
fn swaks_is_served() {
    serves("swaks_is_served", &SWAKS);
}

#[test]
fn curl_is_served() {
    serves("curl_is_served", &CURL);
}

#[test]
fn msmtp_is_served() {
    serves("msmtp_is_served", &MSMTP);
}

#[test]
fn python_smtplib_is_served() {
    serves("python_smtplib_is_served", &SMTPLIB);
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
    let order = Order { server, tls, roots: &scene.roots, to: &[to, TO], message: file.path(), login: None };
    let said = run(&mut (SMTPLIB.hand_over)(&order));
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
    serves("perl_net_smtp_is_served", &NET_SMTP);
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
        let order =
            Order { server: scene.server(tls), tls, roots: &scene.roots, to: &[TO], message: file.path(), login: None };
        let subject = format!("s-nail {tls:?}");
        let said = run(&mut s_nail(&order, &subject, text));
        assert!(said.success, "{}", said.text);
        let arrived = arrival(&scene.sink, &subject);
        let parsed = mail_parser::MessageParser::default().parse(&arrived.message).unwrap();
        assert_eq!(parsed.body_text(0).unwrap(), text.replace('\n', "\r\n"));
        assert!(parsed.attachment(0).unwrap().contents() == attached, "the attachment is not what it was");
    }
    let to = ["a@partner.example", TOO_LONG];
    let order = Order {
        server: scene.gateway.door,
        tls: Tls::Start,
        roots: &scene.roots,
        to: &to,
        message: file.path(),
        login: None,
    };
    for (order, text, words) in [
        (&order, "hello\n", "64 octets"),
        (&Order { to: &[TO], ..order }, &format!("NHS number {NUMBER}: {SECRET}\n"), "clinical-sealed"),
    ] {
        let said = run(&mut s_nail(order, "s-nail refused", text));
        assert!(!said.success && said.text.contains(words), "{said:?}");
    }
}

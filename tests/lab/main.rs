//! The lab judges the gateway; these tests judge the lab.

#![allow(clippy::unwrap_used)]

#[path = "mod.rs"]
mod lab;

use lab::client::Client;
use lab::peers::{Behaviour, Peer, Tls};
use lab::postfix::{Absent, Postfix, Setup};
use lab::tap::{Wire, seen};
use lab::{ca, free_port, names::Names};
use mailward::dns::{AddressAnswer, Dnssec, MxAnswer, Resolver};

const MESSAGE: &[u8] = b"Subject: results\r\n\r\nNHS number 943 476 5919\r\n.dot\r\n";
const NEEDLE: &str = "943 476 5919";

fn send(server: std::net::SocketAddr) -> u16 {
    let mut client = Client::connect(server).unwrap();
    let code = client.send("a@trust.example", &["b@partner.example"], MESSAGE).unwrap().code;
    client.quit();
    code
}

#[test]
fn the_tap_sees_clear_text_and_not_what_is_in_tls() {
    let wire = Wire::default();
    let leaf = ca::self_signed(&["mx.partner.example"]);
    let safe = Peer::start(free_port("127.20.0.1"), "mx", Behaviour { tls: Tls::Shows(leaf), ..Behaviour::default() });
    let tapped = wire.tap(free_port("127.20.0.2"), safe.address);
    let mut client = Client::connect(tapped).unwrap().start_tls().unwrap();
    assert_eq!(client.send("a@trust.example", &["b@partner.example"], MESSAGE).unwrap().code, 250);
    let got = &safe.wait_for(1)[0];
    assert!(got.tls);
    assert_eq!(got.message, MESSAGE);
    assert!(wire.captures()[0].from_client.len() > MESSAGE.len());
    assert_eq!(wire.sightings(&[NEEDLE]), []);

    let plain = Peer::start(free_port("127.20.0.3"), "mx", Behaviour::default());
    assert_eq!(send(wire.tap(free_port("127.20.0.4"), plain.address)), 250);
    assert!(!plain.wait_for(1)[0].tls);
    assert_eq!(wire.sightings(&[NEEDLE]).len(), 1);
}

#[test]
fn a_needle_is_found_in_every_encoding() {
    use base64::Engine as _;
    let base64 = base64::engine::general_purpose::STANDARD;
    let wrapped = |bytes: &[u8]| {
        let text = base64.encode(bytes).into_bytes();
        text.chunks(7).collect::<Vec<_>>().join(&b"\r\n"[..])
    };
    for before in ["", "x", "xy", "xyz"] {
        let text = format!("{before}{NEEDLE} after");
        assert_eq!(seen(&wrapped(text.as_bytes()), NEEDLE), Some("base64"), "{before}");
        let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(seen(&wide, NEEDLE), Some("UTF-16LE"));
        assert_eq!(seen(&wrapped(&wide), NEEDLE), Some("base64"));
    }
    assert_eq!(seen(b"94=\r\n3 47=36=205919", NEEDLE), Some("quoted-printable"));
    assert_eq!(seen(b"=?utf-8?Q?943_476_5919?=", NEEDLE), Some("quoted-printable"));
    assert_eq!(seen(b"943 476 5918", NEEDLE), None);
}

#[test]
fn peers_behave_as_they_are_told() {
    let peer = |tls| Peer::start(free_port("127.20.1.1"), "mx", Behaviour { tls, ..Behaviour::default() });
    let ehlo = |peer: &Peer| Client::connect(peer.address).unwrap().ehlo.text;
    assert!(ehlo(&peer(Tls::Masked)).contains("XXXXXXXX"));
    assert!(!ehlo(&peer(Tls::None)).contains("STARTTLS"));
    let refuses = peer(Tls::Refuses);
    assert_eq!(Client::connect(refuses.address).unwrap().say("STARTTLS").unwrap().code, 454);
    let closes = peer(Tls::ClosesAfter220);
    assert!(Client::connect(closes.address).unwrap().start_tls().is_err());
    assert_eq!(closes.sessions(), 1);
    let later = Peer::start(
        free_port("127.20.1.2"),
        "mx",
        Behaviour { defers: 1, refuses: vec!["x@partner.example".into()], ..Behaviour::default() },
    );
    assert_eq!(send(later.address), 451);
    assert_eq!(send(later.address), 250);
    let mut client = Client::connect(later.address).unwrap();
    client.send("a@trust.example", &["x@partner.example", "y@partner.example"], MESSAGE).unwrap();
    assert_eq!(later.wait_for(2)[1].recipients, ["y@partner.example"]);
}

#[tokio::test]
async fn the_resolver_and_the_lab_s_names_agree() {
    let names = Names::start("127.20.2.1");
    names.mx("partner.example", &[(20, "mx2.partner.example"), (10, "mx1.partner.example")]).null_mx("null.example");
    names.address_of("mx1.partner.example", "127.20.2.9".parse().unwrap()).empty("bare.example");
    names.fails("broken.example").truncated("partner.example").alias("www.example", "mx1.partner.example");
    let resolver = Resolver::new(&[names.address], Dnssec::Off);
    let mx = async |domain: &str| resolver.mx(&domain.parse().unwrap()).await;
    let MxAnswer::Hosts(hosts) = mx("partner.example").await else { panic!() };
    assert_eq!(
        hosts.iter().map(|h| h.name.as_str()).collect::<Vec<_>>(),
        ["mx1.partner.example", "mx2.partner.example"]
    );
    assert_eq!(mx("null.example").await, MxAnswer::Null);
    assert_eq!(mx("bare.example").await, MxAnswer::NoMx);
    assert_eq!(mx("gone.example").await, MxAnswer::NoDomain);
    assert!(matches!(mx("broken.example").await, MxAnswer::Tempfail(_)));
    for host in ["mx1.partner.example", "www.example"] {
        assert_eq!(resolver.addresses(host).await, AddressAnswer::Found(vec!["127.20.2.9".parse().unwrap()]));
    }
    assert_eq!(resolver.addresses("bare.example").await, AddressAnswer::Absent);
}

#[test]
fn one_postfix_relays_to_another_over_tls() {
    let authority = ca::Ca::new("lab");
    let leaf = authority.good(&["mx.partner.example"]);
    let receiver = Postfix::start(&Setup {
        listen: free_port("127.20.3.1"),
        hostname: "mx.partner.example",
        domains: &["partner.example"],
        relay: None,
        leaf: Some(&leaf),
    });
    let receiver = match receiver {
        Ok(receiver) => receiver,
        Err(Absent(why)) => return lab::skipped("one_postfix_relays_to_another_over_tls", &why),
    };
    let wire = Wire::default();
    let tapped = wire.tap(free_port("127.20.3.2"), receiver.listen);
    let sender = Postfix::start(&Setup {
        listen: free_port("127.20.3.3"),
        hostname: "exchange.trust.example",
        domains: &[],
        relay: Some(tapped),
        leaf: None,
    })
    .unwrap();
    assert_eq!(send(sender.listen), 250);
    let arrived = String::from_utf8(receiver.wait_for(1).remove(0)).unwrap();
    assert!(arrived.contains(NEEDLE) && arrived.contains("using TLSv1.3"), "{arrived}");
    sender.wait_for_log(&["status=sent", "to=<b@partner.example>"]);
    assert_eq!(wire.sightings(&[NEEDLE]), []);
}

/// An `openssl s_server` that is stopped when the test ends.
struct OldServer(std::process::Child);

impl Drop for OldServer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn a_peer_with_a_key_too_short_to_check_is_a_link_that_proves_nothing() {
    use std::process::{Command, Stdio};
    let folder = tempfile::tempdir().unwrap();
    let words = "req -x509 -newkey rsa:1024 -nodes -days 9 -subj /CN=old.example -keyout key.pem -out cert.pem";
    let made = Command::new("openssl").args(words.split(' ')).current_dir(&folder).output();
    if !made.is_ok_and(|output| output.status.success()) {
        return lab::skipped("a_peer_with_a_key_too_short_to_check", "openssl is not installed");
    }
    let address = free_port("127.20.4.1");
    let words = format!("s_server -quiet -accept {address} -cert cert.pem -key key.pem -cipher DEFAULT@SECLEVEL=0");
    let server = Command::new("openssl")
        .args(words.split(' '))
        .current_dir(&folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let _server = OldServer(server.unwrap());
    let stream = lab::until(|| std::net::TcpStream::connect(address).ok()).unwrap();
    stream.set_nonblocking(true).unwrap();
    let stream = tokio::net::TcpStream::from_std(stream).unwrap();
    let connector = mailward::tls::Connector::new().unwrap();
    let link = connector.connect(stream, "old.example", lab::PATIENCE).await.unwrap();
    assert_eq!(link.facts.names, ["old.example"]);
    assert!(!link.certificates.signature_valid);
}

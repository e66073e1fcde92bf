//! Postfix and Exim as a site's own server, with the gateway as the next hop for everything.

use crate::lab::ca::Leaf;
use crate::lab::client::Client;
use crate::lab::exim::Exim;
use crate::lab::mta::{Absent, Mta, Setup as Server};
use crate::lab::peers::{Behaviour, Peer, Tls};
use crate::lab::postfix::Postfix;
use crate::lab::{skipped, until};
use crate::letter::{self, REFUSING, TO, TOO_LONG, arrival, assert_same, has};
use crate::programme::announce;
use crate::world::{DOCTOR, EXCHANGE, Gateway, NUMBER, OWN, SECRET, Setup, World};
use std::ops::Deref;

/// Lines of `[queue]` under which every message is put off.
const FULL: &str = "min-free = \"999999GB\"";

struct Scene {
    world: World,
    gateway: Gateway,
    sink: Peer,
    exchange: Peer,
}

impl Scene {
    fn new(host: u8) -> Scene {
        let world = World::new(136);
        let shows = |leaf: Leaf| Behaviour { tls: Tls::Shows(leaf), offers: vec!["DSN"], ..Behaviour::default() };
        let sink = world.peer(host, "mx.partner.example", shows(world.ca.good(&["mx.partner.example"])));
        world
            .names
            .mx("partner.example", &[(10, "mx.partner.example")])
            .address_of("mx.partner.example", world.ip(host));
        let exchange =
            world.peer(EXCHANGE, "exchange.trust.example", shows(world.ca.good(&["exchange.trust.example"])));
        let more = format!("[queue]\n{FULL}");
        let gateway = world.gateway(&Setup { policy: REFUSING, door: "require", more: &more, ..Setup::default() });
        Scene { world, gateway, sink, exchange }
    }

    /// How the server that relays through the gateway is set up; what it says is on the wire.
    fn client(&self) -> Server<'static> {
        let relay = Some(self.world.wire.tap(self.world.free(2), self.gateway.door));
        Server { listen: self.world.free(OWN), hostname: "mail.trust.example", domains: &[], relay, leaf: None }
    }

    /// There is room on the disk again.
    fn recover(&mut self) {
        self.gateway.terminate();
        self.gateway.wait_for_end();
        let path = self.gateway.folder.path().join("gateway.toml");
        let config = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, config.replace(FULL, "")).unwrap();
        self.gateway.start();
    }

    /// A report to the doctor that says all of `words`.
    fn told(&self, words: &[&str]) {
        let found = until(|| {
            let told = self.exchange.received();
            told.iter().map(|m| m.text()).find(|text| words.iter().all(|word| text.contains(word)))
        });
        let told: Vec<String> = self.exchange.received().iter().map(|m| m.text()).collect();
        assert!(found.is_some(), "no report says {words:?}: {told:?}");
        assert!(self.exchange.received().iter().all(|m| m.from.is_empty() && m.recipients == [DOCTOR]));
    }
}

/// Hands a message to the server as a program beside it would; it must take it.
fn submit(server: &Mta, to: &[&str], message: &[u8]) {
    let mut client = Client::connect(server.listen).unwrap();
    let mail = client.say(&format!("MAIL FROM:<{DOCTOR}> BODY=8BITMIME RET=HDRS ENVID=lab+2Bone")).unwrap();
    assert_eq!(mail.code, 250, "{mail:?}");
    for to in to {
        let rcpt = client.say(&format!("RCPT TO:<{to}> NOTIFY=FAILURE,DELAY ORCPT=rfc822;{to}")).unwrap();
        assert_eq!(rcpt.code, 250, "{rcpt:?}");
    }
    assert_eq!(client.say("DATA").unwrap().code, 354);
    client.message(message).unwrap();
    let taken = client.reply().unwrap();
    assert_eq!(taken.code, 250, "{taken:?}");
    client.quit();
}

/// What it logs of a message that the gateway took, put off, refused for one recipient and refused whole.
struct Words {
    sent: &'static str,
    deferred: &'static str,
    failed: &'static str,
}

fn relays<M: Deref<Target = Mta>>(scene: &mut Scene, server: &M, words: &Words) {
    submit(server, &[TO], &letter::ordinary("put off"));
    server.wait_for_log(&[TO, words.deferred, "452 4.3.1"]);
    scene.recover();
    server.wait_for_log(&[TO, words.sent, "queued as"]);
    let late = arrival(&scene.sink, "put off");
    assert_same(&late.message, &letter::ordinary("put off"));

    for (subject, message) in [("nasty", letter::nasty("nasty")), ("large", letter::large("large", 1_000_000))] {
        submit(server, &[TO], &message);
        let arrived = arrival(&scene.sink, subject);
        assert_same(&arrived.message, &message);
        assert!(has(&arrived.message, "by gw.trust.example with ESMTPS\r\n"), "{}", arrived.text());
        let [mail, rcpt] = &arrived.commands[..] else { panic!("{:?}", arrived.commands) };
        assert!(mail.contains("RET=HDRS ENVID=lab+2Bone"), "{mail}");
        assert!(rcpt.contains("NOTIFY=FAILURE,DELAY") && rcpt.contains("ORCPT=rfc822;b@partner.example"), "{rcpt}");
    }
    server.wait_for_log(&[TO, words.sent, "queued as"]);

    submit(server, &["a@partner.example", TOO_LONG, TO], &letter::ordinary("partial"));
    assert_eq!(arrival(&scene.sink, "partial").recipients, ["a@partner.example", TO]);
    server.wait_for_log(&[TOO_LONG, words.failed, "64 octets"]);
    scene.told(&["64 octets", TOO_LONG]);

    submit(server, &[TO], &letter::clinical("refused"));
    server.wait_for_log(&[TO, words.failed, "clinical-sealed"]);
    scene.told(&["5.7.10", "clinical-sealed"]);
    assert!(!scene.sink.received().iter().any(|m| has(&m.message, "refused")));
    assert_eq!(scene.world.wire.sightings(&[NUMBER, SECRET]), []);
}

#[test]
fn postfix_relays_through_it() {
    let mut scene = Scene::new(10);
    let server = match Postfix::start(&scene.client()) {
        Ok(server) => server,
        Err(Absent(why)) => return skipped("postfix_relays_through_it", &why),
    };
    announce("Postfix", &Postfix::version().unwrap());
    relays(
        &mut scene,
        &server,
        &Words { sent: "status=sent (250 ", deferred: "status=deferred", failed: "status=bounced" },
    );
}

#[test]
fn exim_relays_through_it() {
    let mut scene = Scene::new(11);
    let server = match Exim::start(&scene.client()) {
        Ok(server) => server,
        Err(Absent(why)) => return skipped("exim_relays_through_it", &why),
    };
    announce("Exim", &Exim::version().unwrap());
    relays(&mut scene, &server, &Words { sent: "=> ", deferred: "== ", failed: "** " });
    // `K`: it sent the message with BDAT, because CHUNKING was offered.
    let sent = server.lines(&["=> ", TO, "queued as"]);
    assert!(sent.len() >= 3 && sent.iter().all(|line| line.contains(" K C=")), "{sent:?}");
}

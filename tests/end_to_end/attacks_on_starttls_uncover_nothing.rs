//! Somebody between us and the peer masks STARTTLS, refuses it, breaks it, injects behind it, or stalls it.

use crate::lab::peers::{Behaviour, Tls};
use crate::lab::until_within;
use crate::world::{self, NUMBER, SECRET, Setup, World};
use std::time::Duration;

fn waits(number: u8, tls: Tls, reason: &str) {
    let world = World::new(number);
    let peer = world.mx(10, "partner.example", Behaviour { tls, ..Behaviour::default() });
    let gateway = world.gateway(&Setup::default());
    gateway.send(&["b@partner.example"], &world::clinical("letter"));
    // A handshake may take half a minute.
    let row = until_within(Duration::from_secs(38), || gateway.queue().into_iter().find(|r| r["reason"] == reason));
    assert!(row.is_some(), "{:?}\n{}", gateway.queue(), gateway.log());
    assert!(peer.sessions() > 0 && peer.dots() == 0);
    assert_eq!(world.wire.sightings(&[NUMBER, SECRET]), []);
}

#[test]
fn a_masked_offer_is_no_offer() {
    waits(7, Tls::Masked, "tls-masked");
}

#[test]
fn an_offer_that_is_then_refused_is_no_tls() {
    waits(8, Tls::Refuses, "tls-refused");
}

#[test]
fn a_connection_that_closes_instead_of_the_handshake_is_no_tls() {
    waits(9, Tls::ClosesAfter220, "tls-reset");
}

#[test]
fn a_handshake_that_never_goes_on_is_given_up() {
    waits(10, Tls::StallsAfter220, "tls-stalled");
}

#[test]
fn what_stands_behind_the_220_in_clear_is_never_believed() {
    let world = World::new(11);
    let leaf = world.ca.good(&["mx.partner.example"]);
    let behaviour = Behaviour { tls: Tls::InjectsAfter220(leaf), ..Behaviour::default() };
    let peer = world.mx(10, "partner.example", behaviour);
    let gateway = world.gateway(&Setup::default());
    gateway.send(&["b@partner.example"], &world::clinical("letter"));
    // Whether the handshake still works is the attacker's doing; that it carries nothing in clear is ours.
    let settled = crate::lab::until(|| {
        (peer.received().len() == 1
            || peer.sessions() > 0 && !gateway.queue().is_empty() && gateway.queue()[0]["reason"] != "waiting")
            .then_some(())
    });
    assert!(settled.is_some(), "{:?}", gateway.queue());
    assert!(peer.received().iter().all(|m| m.tls));
    assert!(!peer.received().iter().any(|m| m.commands.iter().any(|c| c.contains("AUTH"))));
    assert_eq!(peer.early_bytes(), b"");
    assert_eq!(world.wire.sightings(&[NUMBER, SECRET]), []);
}

#[test]
fn commands_behind_a_clients_starttls_are_dropped() {
    let world = World::new(28);
    let exchange = world.exchange();
    let gateway = world.gateway(&Setup::default());
    let mut client = gateway.stranger(world.ip(66), gateway.internet);
    client.raw(b"STARTTLS\r\nMAIL FROM:<evil@elsewhere.example>\r\nRCPT TO:<dr.jones@trust.example>\r\n").unwrap();
    assert_eq!(client.reply().unwrap().code, 220);
    let mut secure = client.handshake().unwrap();
    assert_eq!(secure.say("DATA").unwrap().code, 503, "no transaction is open");
    assert_eq!(exchange.dots(), 0);
}

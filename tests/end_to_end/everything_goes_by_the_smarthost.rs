//! With a smarthost nothing goes to an MX, and a class goes only where the relay is approved to carry it.

use crate::lab::peers::{Behaviour, Peer, Tls};
use crate::world::{self, Gateway, SECRET, Setup, World};

fn gateway(world: &World, promised: &str) -> (Peer, Gateway) {
    let tls = Tls::Shows(world.ca.good(&["smart.example"]));
    let smarthost = world.peer(10, "smart.example", Behaviour { tls, ..Behaviour::default() });
    let more = format!(
        "[relay.upstream]\nhosts = [\"smart.example:{}\"]\nrequire = \"verified\"\nnames = [\"smart.example\"]\n{promised}\n",
        world.port
    );
    world.names.address_of("smart.example", world.ip(10));
    let setup = Setup { deliver: "smarthost = \"relay:upstream\"", more: &more, ..Setup::default() };
    (smarthost, world.gateway(&setup))
}

#[test]
fn the_mx_is_never_asked() {
    let world = World::new(19);
    let mx = world.mx(11, "partner.example", Behaviour::default());
    let (smarthost, gateway) = gateway(&world, "carries = [\"clinical\"]\nonward = \"verified\"");
    gateway.send(&["b@partner.example"], &world::clinical("letter"));
    gateway.send(&["b@elsewhere.example"], &world::ordinary("car park"));
    assert!(smarthost.wait_for(2).iter().all(|m| m.tls));
    assert_eq!(mx.sessions(), 0);
    assert_eq!(world.wire.sightings(&[SECRET]), []);
}

#[test]
fn a_class_that_the_relay_may_not_carry_stays_here() {
    let world = World::new(31);
    let (smarthost, gateway) = gateway(&world, "onward = \"verified\"");
    gateway.send(&["b@partner.example"], &world::clinical("letter"));
    gateway.waits_for("relay-not-allowed-for-class");
    gateway.send(&["b@partner.example"], &world::ordinary("car park"));
    assert!(smarthost.wait_for(1)[0].text().contains("car park"));
    assert_eq!(smarthost.received().len(), 1);
}

#[test]
fn what_asks_more_than_its_owner_promises_beyond_it_stays_here() {
    let world = World::new(64);
    let (smarthost, gateway) = gateway(&world, "carries = [\"clinical\"]\nonward = \"encrypted\"");
    gateway.send(&["b@partner.example"], &world::clinical("letter"));
    gateway.waits_for("requirement-not-met");
    assert_eq!(smarthost.dots(), 0);
}

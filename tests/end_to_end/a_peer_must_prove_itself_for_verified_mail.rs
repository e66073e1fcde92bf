//! Self-signed, wrong name, expired: `encrypted` passes, `verified` waits with the exact reason; a pin proves.

use crate::lab::ca::{Leaf, self_signed};
use crate::lab::peers::{Behaviour, Peer, Tls};
use crate::lab::until;
use crate::world::{self, POLICY, SECRET, Setup, World};

fn policy() -> String {
    POLICY.to_owned()
        + r#"
[rule.partner-encrypted]
direction = "outbound"
when = { to = ["@partner"] }
require = "encrypted"
wait = "1h"
otherwise = "hold"
"#
}

fn shows(leaf: &Leaf) -> Behaviour {
    Behaviour { tls: Tls::Shows(leaf.clone()), ..Behaviour::default() }
}

fn only_encrypted_passes(world: &World, peer: &Peer, reason: &str) {
    let policy = policy();
    let gateway = world.gateway(&Setup { policy: &policy, ..Setup::default() });
    gateway.send(&["b@partner.example"], &world::clinical("letter"));
    let row = gateway.waits_for(reason);
    assert_eq!(row["require"], "verified");
    gateway.send(&["b@partner.example"], &world::ordinary("car park"));
    let got = peer.wait_for(1);
    assert!(got[0].tls && got[0].text().contains("car park"));
    // The link that carried it is still open, and is no way for what asks more.
    let second = gateway.send(&["b@partner.example"], &world::clinical("second letter"));
    let waits = until(|| gateway.queue().into_iter().find(|r| r["id"] == second.as_str() && r["reason"] == reason));
    assert!(waits.is_some(), "{:?}", gateway.queue());
    assert_eq!(peer.received().len(), 1);
    assert_eq!(gateway.metric("mailward_cleartext_messages_total{class=\"none\",direction=\"outbound\"}"), 0.0);
    assert_eq!(world.wire.sightings(&[SECRET, "The car park is closed"]), []);
}

#[test]
fn a_self_signed_certificate_proves_nothing() {
    let world = World::new(3);
    let peer = world.mx(10, "partner.example", shows(&self_signed(&["mx.partner.example"])));
    only_encrypted_passes(&world, &peer, "certificate-self-signed");
}

#[test]
fn a_certificate_for_another_name_proves_nothing() {
    let world = World::new(4);
    let peer = world.mx(10, "partner.example", shows(&world.ca.good(&["mx.other.example"])));
    only_encrypted_passes(&world, &peer, "certificate-wrong-name");
}

#[test]
fn an_expired_certificate_proves_nothing() {
    let world = World::new(5);
    let peer = world.mx(10, "partner.example", shows(&world.ca.expired(&["mx.partner.example"])));
    only_encrypted_passes(&world, &peer, "certificate-expired");
}

#[test]
fn a_host_that_the_policy_does_not_list_proves_nothing() {
    let world = World::new(26);
    world.names.mx("partner.example", &[(10, "mx.thief.example")]).address_of("mx.thief.example", world.ip(10));
    let peer = world.peer(10, "mx.thief.example", shows(&world.ca.good(&["mx.thief.example", "mx.partner.example"])));
    only_encrypted_passes(&world, &peer, "host-not-listed");
}

#[test]
fn a_pinned_key_proves_whatever_the_certificate_says() {
    let world = World::new(6);
    let leaf = self_signed(&["whatever.example"]);
    let peer = world.mx(10, "partner.example", shows(&leaf));
    let policy = policy().replace("mx = [\"*.partner.example\"]", &format!("pins = [\"{}\"]", leaf.pin()));
    let gateway = world.gateway(&Setup { policy: &policy, ..Setup::default() });
    gateway.send(&["b@partner.example"], &world::clinical("letter"));
    let got = peer.wait_for(1);
    assert!(got[0].tls && got[0].text().contains(SECRET));
    assert_eq!(world.wire.sightings(&[SECRET]), []);
    let life = until(|| {
        let lives = gateway.json(&["trace", "b@partner.example", "--json"]);
        Some(lives[0]["endings"][0].clone()).filter(|ending| !ending.is_null())
    });
    assert_eq!(life.unwrap()["proof"], "pin");
}

#[test]
fn a_key_that_is_not_the_pinned_one_proves_nothing() {
    let world = World::new(27);
    let peer = world.mx(10, "partner.example", shows(&world.ca.good(&["mx.partner.example"])));
    let other = self_signed(&["mx.partner.example"]).pin();
    let policy = policy().replace("mx = [\"*.partner.example\"]", &format!("pins = [\"{other}\"]"));
    let gateway = world.gateway(&Setup { policy: &policy, ..Setup::default() });
    gateway.send(&["b@partner.example"], &world::clinical("letter"));
    gateway.waits_for("pin-mismatch");
    assert_eq!(peer.received().len(), 0);
}

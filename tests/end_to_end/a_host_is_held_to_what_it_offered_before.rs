//! Whoever takes encryption or a certificate away on the way takes it away from a host that had it: what asks for more than `any`
//! waits, people hear of it once, and only their word or the host's own return ends it. A certificate that ran out is another matter.

use crate::lab::ca::{Leaf, self_signed};
use crate::lab::peers::{Behaviour, Peer, Tls};
use crate::lab::until;
use crate::world::{self, Gateway, POLICY, SECRET, Setup, World};
use serde_json::Value;

const TO: &str = "b@partner.example";
const HOST: &str = "mx.partner.example";

fn encrypted() -> String {
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

/// A gateway that has seen the host prove itself, and was restarted since.
fn acquainted(world: &World, policy: &str) -> (Gateway, Peer, Leaf) {
    let leaf = world.ca.good(&[HOST]);
    let peer = world.mx(10, "partner.example", shows(&leaf));
    let mut gateway = world.gateway(&Setup { policy, more: "[queue]\nretry = [\"1s\"]", ..Setup::default() });
    gateway.send(&[TO], &world::clinical("first letter"));
    peer.wait_for(1);
    assert_eq!(host(&gateway)["offered"]["proof"], "pkix");
    gateway.terminate();
    gateway.wait_for_end();
    gateway.start();
    (gateway, peer, leaf)
}

fn host(gateway: &Gateway) -> Value {
    gateway.json(&["hosts", "show", HOST, "--json"])[0].clone()
}

fn suspected(gateway: &Gateway) -> f64 {
    gateway.metric("mailward_stripping_suspected_hosts")
}

#[test]
fn another_key_that_proves_nothing_keeps_encrypted_mail_back_until_a_person_accepts_it() {
    let world = World::new(187);
    let (gateway, peer, leaf) = acquainted(&world, &encrypted());
    let other = self_signed(&[HOST]);
    peer.becomes(shows(&other));
    gateway.send(&[TO], &world::ordinary("car park"));
    gateway.waits_for("stripping-suspected");
    gateway.send(&[TO], &world::clinical("letter"));
    assert!(until(|| (gateway.queue().len() == 2).then_some(())).is_some());
    let tried = || gateway.queue().iter().all(|row| row["reason"] == "stripping-suspected").then_some(());
    assert!(until(tried).is_some(), "{:?}", gateway.queue());
    assert_eq!((suspected(&gateway), peer.received().len()), (1.0, 1));
    assert_eq!(gateway.log().matches("offers less protection than it did before").count(), 1, "said once");
    let fallen = host(&gateway);
    assert_eq!(
        (&fallen["offered"]["key"], &fallen["fall"]["offered"]["key"]),
        (&leaf.pin().into(), &other.pin().into())
    );
    assert_eq!(fallen["fall"]["reason"], "certificate-self-signed");

    let refused =
        gateway.cli(&["hosts", "accept", HOST, "--because", "NHS number 943 476 5919", "--by", "J. Smith", "--yes"]);
    assert_eq!(refused.status.code(), Some(1), "a reason that speaks of a patient");
    let accepted =
        gateway.cli(&["hosts", "accept", HOST, "--because", "New server, ref IG-77", "--by", "J. Smith", "--yes"]);
    assert!(accepted.status.success(), "{accepted:?}");
    let got = peer.wait_for(2);
    assert!(got[1].tls && got[1].text().contains("car park"));
    // What asks for proof waits on, with the plain reason: the host never was less than this.
    gateway.waits_for("certificate-self-signed");
    assert_eq!((suspected(&gateway), host(&gateway)["fall"].is_null()), (0.0, true));
    let again =
        gateway.cli(&["hosts", "accept", HOST, "--because", "New server, ref IG-77", "--by", "J. Smith", "--yes"]);
    assert!(!again.status.success() && String::from_utf8_lossy(&again.stderr).contains("nothing to accept"));
    assert_eq!(world.wire.sightings(&[SECRET]), []);
}

#[test]
fn a_host_that_offers_no_encryption_any_more_gets_ordinary_mail_and_the_rest_when_it_does_again() {
    let world = World::new(188);
    let (gateway, peer, leaf) = acquainted(&world, POLICY);
    peer.becomes(Behaviour::default());
    gateway.send(&[TO], &world::clinical("letter"));
    gateway.waits_for("stripping-suspected");
    assert_eq!(gateway.metric("mailward_kept_from_cleartext_total"), 1.0);
    assert_eq!(suspected(&gateway), 1.0);
    gateway.send(&[TO], &world::ordinary("car park"));
    let got = peer.wait_for(2);
    assert!(!got[1].tls && got[1].text().contains("car park"), "mail that asks for nothing goes on, and is counted");
    let counted = || gateway.metric("mailward_cleartext_messages_total{class=\"none\",direction=\"outbound\"}") == 1.0;
    assert!(until(|| counted().then_some(())).is_some());
    peer.becomes(shows(&leaf));
    let got = peer.wait_for(3);
    assert!(got[2].tls && got[2].text().contains(SECRET));
    assert_eq!((suspected(&gateway), host(&gateway)["fall"].is_null()), (0.0, true));
    assert_eq!(world.wire.sightings(&[SECRET]), []);
}

#[test]
fn a_certificate_that_ran_out_with_its_old_key_is_called_that_and_passes_where_a_group_says_so() {
    let world = World::new(189);
    let (mut gateway, peer, leaf) = acquainted(&world, POLICY);
    peer.becomes(shows(&world.ca.ended(&leaf, &[HOST])));
    gateway.send(&[TO], &world::clinical("letter"));
    gateway.waits_for("certificate-expired");
    assert_eq!((suspected(&gateway), peer.received().len()), (0.0, 1));
    let grace = POLICY.replace("mx = [", "expired-grace = \"2d\"\nmx = [");
    gateway.restart_with("policy.toml", &grace);
    let got = peer.wait_for(2);
    assert!(got[1].tls && got[1].text().contains(SECRET));
    let counted = "mailward_link_attempts_total{direction=\"outbound\",level=\"verified\",reason=\"certificate-expired\",result=\"ok\"}";
    assert_eq!(gateway.metric(counted), 1.0);
    // Not for another key, though the same authority vouches for it.
    gateway.terminate();
    gateway.wait_for_end();
    peer.becomes(shows(&world.ca.ended(&self_signed(&[HOST]), &[HOST])));
    gateway.start();
    gateway.send(&[TO], &world::clinical("second letter"));
    gateway.waits_for("stripping-suspected");
    assert_eq!(peer.received().len(), 2);
}

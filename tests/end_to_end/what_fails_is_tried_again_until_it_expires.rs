//! 4xx and then fine; for ever 4xx and then a DSN; `queue retry` brings a date forward.

use crate::lab::peers::Behaviour;
use crate::lab::until;
use crate::world::{self, Setup, World};

fn defers(defers: usize) -> Behaviour {
    Behaviour { defers, ..Behaviour::default() }
}

#[test]
fn a_temporary_refusal_is_tried_again() {
    let world = World::new(41);
    let (exchange, peer) = (world.exchange(), world.mx(10, "partner.example", defers(2)));
    let gateway = world.gateway(&Setup { more: "[queue]\nretry = [\"1s\"]", ..Setup::default() });
    gateway.send(&["b@partner.example"], &world::ordinary("car park"));
    let row = gateway.waits_for("message-deferred");
    assert_eq!(row["state"], "deferred");
    peer.wait_for(1);
    gateway.wait_until_empty();
    assert_eq!((peer.dots(), exchange.sessions()), (3, 0));
}

#[test]
fn what_expires_is_told() {
    let world = World::new(42);
    let (exchange, peer) = (world.exchange(), world.mx(10, "partner.example", defers(1_000)));
    let gateway = world.gateway(&Setup { more: "[queue]\nretry = [\"1s\"]\nexpire = \"2s\"", ..Setup::default() });
    gateway.send(&["b@partner.example"], &world::ordinary("car park"));
    let told = exchange.wait_for(1)[0].text();
    for words in ["X-Mailward-Reason: expired", "Action: failed", "Status: 5.", "Final-Recipient: rfc822; b@partner"] {
        assert!(told.contains(words), "{words}: {told}");
    }
    gateway.wait_until_empty();
    assert!(peer.dots() >= 2 && exchange.received().len() == 1);
    let expired = "mailward_messages_total{direction=\"outbound\",outcome=\"expired\"}";
    until(|| (gateway.metric(expired) == 1.0).then_some(())).unwrap();
}

#[test]
fn queue_retry_brings_it_forward() {
    let world = World::new(43);
    let peer = world.mx(10, "partner.example", defers(1));
    let gateway = world.gateway(&Setup { more: "[queue]\nretry = [\"1h\"]", ..Setup::default() });
    let id = gateway.send(&["b@partner.example"], &world::ordinary("car park"));
    let row = gateway.waits_for("message-deferred");
    assert_eq!(row["id"], id.as_str());
    let other = gateway.cli(&["queue", "retry", "--to-domain", "other.example", "--yes"]);
    assert_eq!(String::from_utf8_lossy(&other.stdout), "nothing that waits matches\n");
    assert!(gateway.cli(&["queue", "retry", "--to-domain", "partner.example", "--yes"]).status.success());
    peer.wait_for(1);
    gateway.wait_until_empty();
}

#[test]
fn what_waits_is_still_there_and_still_dated_after_a_restart() {
    let world = World::new(44);
    let peer = world.mx(10, "partner.example", defers(1));
    let mut gateway = world.gateway(&Setup { more: "[queue]\nretry = [\"1h\"]", ..Setup::default() });
    gateway.send(&["b@partner.example"], &world::ordinary("car park"));
    let before = gateway.waits_for("message-deferred");
    gateway.terminate();
    assert!(gateway.wait_for_end().success());
    let stopped = gateway.waits_for("message-deferred");
    gateway.start();
    let after = gateway.waits_for("message-deferred");
    for row in [&stopped, &after] {
        assert_eq!((&row["id"], &row["next_attempt"]), (&before["id"], &before["next_attempt"]));
    }
    assert_eq!(peer.dots(), 1);
    until(|| {
        gateway.cli(&["queue", "retry", "--yes"]);
        (peer.dots() == 2).then_some(())
    })
    .unwrap();
    peer.wait_for(1);
}

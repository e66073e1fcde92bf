//! The same symptom at many unrelated destinations: one cause, one alarm, nothing is given up, and all of it goes when it is over.

use crate::lab::peers::{Behaviour, Peer, Tls};
use crate::lab::until;
use crate::world::{self, Gateway, POLICY, SECRET, Setup, World};

/// Everybody must prove himself for clinical mail, which is given up after two seconds.
fn policy() -> String {
    let everybody = ["domains = [\"*.example\", \"p0.example\"]", "mx = [\"*.p0.example\"]"];
    let rejects = POLICY.replace("wait = \"1h\"", "wait = \"2s\"").replace("\"hold\"", "\"reject\"");
    let lists: String =
        (1..6).map(|n| format!("[group.p{n}]\ndomains = [\"p{n}.example\"]\nmx = [\"*.p{n}.example\"]\n")).collect();
    rejects.replace("domains = [\"partner.example\"]", everybody[0]).replace("mx = [\"*.partner.example\"]", "")
        + "[group.p0]\ndomains = [\"p0.example\"]\nmx = [\"*.p0.example\"]\n"
        + &lists
}

fn shows(world: &World, n: u8) -> Behaviour {
    let host = format!("mx.p{n}.example");
    Behaviour { tls: Tls::Shows(world.ca.good(&[&host])), ..Behaviour::default() }
}

fn masked() -> Behaviour {
    Behaviour { tls: Tls::Masked, ..Behaviour::default() }
}

fn is_ours(gateway: &Gateway, cause: &str) -> bool {
    gateway.metric(&format!("mailward_common_cause{{cause=\"{cause}\"}}")) == 1.0
}

fn send_to_all(gateway: &Gateway, subject: &str) {
    (0..6).for_each(|n| drop(gateway.send(&[&format!("b@p{n}.example")], &world::clinical(subject))));
}

#[test]
fn a_firewall_that_masks_the_offer_of_many_is_one_cause_and_nothing_is_rejected_meanwhile() {
    let world = World::new(193);
    let exchange = world.exchange();
    let peers: Vec<Peer> = (0..6).map(|n| world.mx(40 + n, &format!("p{n}.example"), masked())).collect();
    let policy = policy();
    let gateway = world.gateway(&Setup { policy: &policy, more: "[queue]\nretry = [\"1s\"]", ..Setup::default() });
    send_to_all(&gateway, "letter");
    assert!(until(|| is_ours(&gateway, "firewall").then_some(())).is_some(), "{}", gateway.log());
    let waits = || gateway.queue().iter().filter(|row| row["reason"] == "our-firewall").count();
    assert!(until(|| (waits() == 6).then_some(())).is_some(), "{:?}", gateway.queue());
    // Twice their rule's `wait`, by the gateway's own clock.
    let aged = || gateway.queue().iter().all(|row| row["age_seconds"].as_u64() >= Some(5)).then_some(());
    assert!(until(aged).is_some());
    assert_eq!((waits(), exchange.received().len()), (6, 0), "nothing is rejected: {:?}", gateway.queue());
    assert_eq!(gateway.log().matches("a firewall of ours seems to take it away").count(), 1, "one alarm");

    peers.iter().zip(0..).for_each(|(peer, n)| peer.becomes(shows(&world, n)));
    for peer in &peers {
        assert!(peer.wait_for(1)[0].text().contains(SECRET));
    }
    gateway.wait_until_empty();
    assert!(until(|| (!is_ours(&gateway, "firewall")).then_some(())).is_some());
    assert_eq!((exchange.received().len(), world.wire.sightings(&[SECRET])), (0, vec![]));
}

#[test]
fn the_fault_of_a_few_is_their_own_and_their_rule_rejects() {
    let world = World::new(194);
    let exchange = world.exchange();
    let faulty = |n: u8| if n < 4 { masked() } else { shows(&world, n) };
    let _peers: Vec<Peer> = (0..6).map(|n| world.mx(40 + n, &format!("p{n}.example"), faulty(n))).collect();
    let policy = policy();
    let gateway = world.gateway(&Setup { policy: &policy, more: "[queue]\nretry = [\"1s\"]", ..Setup::default() });
    send_to_all(&gateway, "letter");
    gateway.wait_until_empty();
    let told = until(|| Some(exchange.received()).filter(|told| told.len() >= 4)).unwrap();
    assert!(told.iter().any(|notice| notice.text().contains("X-Mailward-Reason: tls-masked")));
    assert!(!is_ours(&gateway, "firewall"));
}

//! The same symptom at many unrelated destinations: one cause, one alarm, nothing is given up, and all of it goes when it is over.

use crate::lab::ca::{Leaf, self_signed};
use crate::lab::peers::{Behaviour, Peer, Tls};
use crate::lab::until;
use crate::world::{self, Gateway, POLICY, SECRET, Setup, World};

/// Everybody must prove himself for clinical mail, which is given up after four seconds.
fn policy() -> String {
    let everybody = ["domains = [\"*.example\", \"p0.example\"]", "mx = [\"*.p0.example\"]"];
    let rejects = POLICY.replace("wait = \"1h\"", "wait = \"4s\"").replace("\"hold\"", "\"reject\"");
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
    let aged = || gateway.queue().iter().all(|row| row["age_seconds"].as_u64() >= Some(9)).then_some(());
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

/// Six hosts that have proved themselves, and what becomes of them; then a gateway that says this cause, keeps all mail, and sends it when
/// it is over.
fn is_one_cause(number: u8, becomes: fn(&World, &Leaf, &str) -> Leaf, cause: &str) {
    let world = World::new(number);
    let exchange = world.exchange();
    let hosts: Vec<String> = (0..6).map(|n| format!("mx.p{n}.example")).collect();
    let good: Vec<Leaf> = hosts.iter().map(|host| world.ca.good(&[host])).collect();
    let showing = |leaf: &Leaf| Behaviour { tls: Tls::Shows(leaf.clone()), ..Behaviour::default() };
    let peer = |(n, leaf): (u8, &Leaf)| world.mx(40 + n, &format!("p{n}.example"), showing(leaf));
    let peers: Vec<Peer> = (0..).zip(&good).map(peer).collect();
    let policy = policy();
    let mut gateway = world.gateway(&Setup { policy: &policy, more: "[queue]\nretry = [\"1s\"]", ..Setup::default() });
    send_to_all(&gateway, "first letter");
    peers.iter().for_each(|peer| drop(peer.wait_for(1)));
    gateway.terminate();
    gateway.wait_for_end();
    for ((peer, leaf), host) in peers.iter().zip(&good).zip(&hosts) {
        peer.becomes(showing(&becomes(&world, leaf, host)));
    }
    gateway.start();
    send_to_all(&gateway, "second letter");
    assert!(until(|| is_ours(&gateway, cause).then_some(())).is_some(), "{}", gateway.log());
    let reason = format!("our-{cause}");
    let waits = || gateway.queue().iter().filter(|row| row["reason"] == reason.as_str()).count();
    assert!(until(|| (waits() == 6).then_some(())).is_some(), "{:?}", gateway.queue());
    peers.iter().zip(&good).for_each(|(peer, leaf)| peer.becomes(showing(leaf)));
    peers.iter().for_each(|peer| drop(peer.wait_for(2)));
    gateway.wait_until_empty();
    assert_eq!((exchange.received().len(), world.wire.sightings(&[SECRET])), (0, vec![]));
}

#[test]
fn certificates_that_all_ran_out_at_once_are_our_clock() {
    is_one_cause(235, |world, leaf, host| world.ca.ended(leaf, &[host]), "clock");
}

#[test]
fn other_keys_everywhere_are_a_proxy_of_ours() {
    is_one_cause(236, |_, _, host| self_signed(&[host]), "proxy");
}

#[test]
fn names_that_cannot_be_looked_up_anywhere_are_our_resolver() {
    let world = World::new(237);
    let exchange = world.exchange();
    for n in 0..6 {
        world.names.fails(&format!("p{n}.example"));
    }
    let policy = policy();
    let gateway = world.gateway(&Setup { policy: &policy, more: "[queue]\nretry = [\"1s\"]", ..Setup::default() });
    send_to_all(&gateway, "letter");
    let waits = || gateway.queue().iter().filter(|row| row["reason"] == "our-resolver").count();
    assert!(until(|| (waits() == 6).then_some(())).is_some(), "{:?}", gateway.queue());
    assert!(is_ours(&gateway, "resolver") && exchange.received().is_empty());
}

#[test]
fn hosts_of_which_none_can_be_reached_are_our_network() {
    let world = World::new(238);
    let exchange = world.exchange();
    for n in 0..6u8 {
        let host = format!("mx.p{n}.example");
        // Nobody listens there.
        world.names.mx(&format!("p{n}.example"), &[(10, &host)]).address_of(&host, world.ip(40 + n));
    }
    let policy = policy();
    let more = "[queue]\nretry = [\"1s\"]\nexpire = \"4s\"";
    let gateway = world.gateway(&Setup { policy: &policy, more, ..Setup::default() });
    send_to_all(&gateway, "letter");
    let aged = || {
        let rows = gateway.queue();
        let is_old = rows.iter().all(|row| row["reason"] == "our-network" && row["age_seconds"].as_u64() >= Some(8));
        (rows.len() == 6 && is_old).then_some(())
    };
    assert!(until(aged).is_some(), "past the queue's time, and still here: {:?}", gateway.queue());
    assert!(is_ours(&gateway, "network") && exchange.received().is_empty());
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

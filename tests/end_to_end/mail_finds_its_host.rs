//! From a domain to a host: MX in order, several addresses, none, null MX, no such domain, IPv6.

use crate::lab::peers::{Behaviour, Peer};
use crate::world::{self, Setup, World};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

#[test]
fn null_mx_and_no_such_domain_are_told_at_once() {
    let world = World::new(14);
    let exchange = world.exchange();
    world.names.null_mx("null.example");
    let gateway = world.gateway(&Setup::default());
    gateway.send(&["a@null.example", "b@gone.example"], &world::ordinary("car park"));
    let texts: Vec<String> = exchange.wait_for(2).iter().map(|m| m.text()).collect();
    for (recipient, reason, status) in
        [("a@null.example", "null-mx", "5.1.10"), ("b@gone.example", "no-such-domain", "5.1.2")]
    {
        let told = texts.iter().find(|t| t.contains(&format!("Final-Recipient: rfc822; {recipient}"))).unwrap();
        assert!(told.contains(&format!("X-Mailward-Reason: {reason}")), "{told}");
        assert!(told.contains(&format!("Status: {status}")) && told.contains("Action: failed"), "{told}");
    }
    gateway.wait_until_empty();
}

#[test]
fn without_mx_the_domain_itself_is_the_host() {
    let world = World::new(15);
    world.names.address_of("bare.example", world.ip(10));
    let peer = world.peer(10, "bare.example", Behaviour::default());
    let gateway = world.gateway(&Setup::default());
    gateway.send(&["b@bare.example"], &world::ordinary("car park"));
    peer.wait_for(1);
}

#[test]
fn a_dead_host_is_passed_over_and_preference_counts() {
    let world = World::new(16);
    // Nobody listens at 10; at 11 somebody does, and 12 is never asked.
    world.names.mx("several.example", &[(30, "c.example"), (10, "a.example"), (20, "b.example")]);
    for (name, host) in [("a.example", 10), ("b.example", 11), ("c.example", 12)] {
        world.names.address_of(name, world.ip(host));
    }
    let (second, third) =
        (world.peer(11, "b.example", Behaviour::default()), world.peer(12, "c.example", Behaviour::default()));
    let gateway = world.gateway(&Setup::default());
    gateway.send(&["x@several.example"], &world::ordinary("car park"));
    second.wait_for(1);
    assert_eq!(third.sessions(), 0);
}

#[test]
fn every_address_of_a_host_is_tried() {
    let world = World::new(17);
    world.names.mx("many.example", &[(10, "mx.many.example")]);
    for host in [10, 11, 12] {
        world.names.address_of("mx.many.example", world.ip(host));
    }
    let peer = world.peer(12, "mx.many.example", Behaviour::default());
    let gateway = world.gateway(&Setup::default());
    gateway.send(&["x@many.example"], &world::ordinary("car park"));
    peer.wait_for(1);
}

#[test]
fn a_host_that_has_only_ipv6_is_reached() {
    let world = World::new(18);
    let loopback = IpAddr::V6(Ipv6Addr::LOCALHOST);
    world.names.mx("six.example", &[(10, "mx.six.example")]).address_of("mx.six.example", loopback);
    let peer = Peer::start(SocketAddr::new(loopback, world.port), "mx.six.example", Behaviour::default());
    let gateway = world.gateway(&Setup::default());
    gateway.send(&["x@six.example"], &world::ordinary("car park"));
    peer.wait_for(1);
}

#[test]
fn a_private_address_is_not_connected_to_unless_that_is_allowed() {
    let world = World::new(29);
    let peer = world.mx(10, "inside.example", Behaviour::default());
    let prepared = world.prepared(&Setup::default());
    let file = prepared.folder.path().join("gateway.toml");
    let text = std::fs::read_to_string(&file).unwrap().replace("allow-private = true", "allow-private = false");
    std::fs::write(&file, text).unwrap();
    let gateway = prepared.started();
    gateway.send(&["x@inside.example"], &world::ordinary("car park"));
    gateway.waits_for("address-not-allowed");
    assert_eq!(peer.sessions(), 0);
}

#[test]
fn a_resolver_that_fails_makes_mail_wait_and_nothing_bounce() {
    let world = World::new(30);
    let exchange = world.exchange();
    world.names.fails("broken.example");
    let gateway = world.gateway(&Setup { more: "[queue]\nretry = [\"1s\"]", ..Setup::default() });
    gateway.send(&["x@broken.example"], &world::ordinary("car park"));
    gateway.waits_for("dns-tempfail");
    world.names.forget("broken.example");
    let peer = world.mx(10, "broken.example", Behaviour::default());
    peer.wait_for(1);
    assert_eq!(exchange.sessions(), 0);
}

//! SIGTERM: open DATA is finished, idle sessions hear 421, what a peer has taken is not sent again.

use crate::lab::peers::{Behaviour, Gate};
use crate::lab::until;
use crate::world::{self, DOCTOR, Setup, World};

#[test]
fn open_data_is_finished_and_nothing_is_sent_twice() {
    let world = World::new(39);
    let peer = world.mx(10, "partner.example", Behaviour::default());
    let mut gateway = world.gateway(&Setup::default());
    let mut idle = gateway.session();
    let mut open = gateway.session();
    for line in [&format!("MAIL FROM:<{DOCTOR}>"), "RCPT TO:<b@partner.example>", "DATA"] {
        open.say(line).unwrap();
    }
    open.raw(b"Subject: slow\r\n\r\nfirst half\r\n").unwrap();
    gateway.terminate();
    let farewell = idle.reply().unwrap();
    assert_eq!(farewell.code, 421, "{farewell:?}");
    open.raw(b"second half\r\n.\r\n").unwrap();
    let kept = open.reply().unwrap();
    assert_eq!(kept.code, 250, "{kept:?}");
    assert!(gateway.wait_for_end().success(), "{}", gateway.log());
    gateway.start();
    let got = peer.wait_for(1);
    assert!(got[0].text().ends_with("first half\r\nsecond half\r\n"));
    gateway.wait_until_empty();
    assert_eq!(peer.dots(), 1);
}

#[test]
fn what_a_peer_is_about_to_take_is_waited_for() {
    let world = World::new(40);
    let gate = Gate::default();
    let peer = world.mx(10, "partner.example", Behaviour { gate: Some(gate.clone()), ..Behaviour::default() });
    let mut gateway = world.gateway(&Setup::default());
    gateway.send(&["b@partner.example"], &world::ordinary("car park"));
    until(|| (peer.dots() == 1).then_some(())).unwrap();
    gateway.terminate();
    // The listeners are shut: it is stopping.
    until(|| std::net::TcpStream::connect(gateway.door).is_err().then_some(())).unwrap();
    gate.open();
    assert!(gateway.wait_for_end().success(), "{}", gateway.log());
    gateway.start();
    gateway.wait_until_empty();
    assert_eq!((peer.received().len(), peer.dots()), (1, 1), "the peer's 250 was not waited for");
}

/// A peer that takes the connection and says nothing: nothing was sent to it, so nobody waits for it.
#[test]
fn a_link_that_is_only_being_opened_keeps_nobody_waiting() {
    let world = World::new(94);
    world.names.mx("silent.example", &[(10, "mx.silent.example")]);
    world.names.address_of("mx.silent.example", world.ip(10));
    let silent = crate::lab::listen(std::net::SocketAddr::new(world.ip(10), world.port));
    let mut gateway = world.gateway(&Setup::default());
    gateway.send(&["b@silent.example"], &world::ordinary("car park"));
    let _held = silent.accept().unwrap();
    let begun = std::time::Instant::now();
    gateway.terminate();
    assert!(gateway.wait_for_end().success(), "{}", gateway.log());
    assert!(begun.elapsed().as_secs() < 20, "it waited {:?}", begun.elapsed());
}

#[test]
fn a_hangup_takes_the_policy_anew_and_stops_no_mail() {
    let world = World::new(95);
    let peer = world.mx(10, "partner.example", Behaviour::default());
    let gateway = world.gateway(&Setup::default());
    gateway.signal("HUP");
    until(|| gateway.log().contains("\"in force\"").then_some(())).unwrap();
    gateway.send(&["b@partner.example"], &world::ordinary("car park"));
    peer.wait_for(1);
}

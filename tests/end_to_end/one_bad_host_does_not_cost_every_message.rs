//! A host that stalls is that host's failure: the next is tried in the same opening, and the bad one goes last for a while.

use crate::lab::peers::{Behaviour, Tls};
use crate::lab::until_within;
use crate::world::{self, Setup, World};
use std::time::Duration;

#[test]
fn the_first_message_pays_and_the_next_does_not() {
    let world = World::new(109);
    world.names.mx("two.example", &[(10, "slow.two.example"), (20, "good.two.example")]);
    world.names.address_of("slow.two.example", world.ip(10)).address_of("good.two.example", world.ip(11));
    let slow = world.peer(10, "slow.two.example", Behaviour { tls: Tls::StallsAfter220, ..Behaviour::default() });
    let leaf = crate::lab::ca::self_signed(&["good.two.example"]);
    // It keeps no link: each message needs a new opening.
    let offers = vec!["LIMITS MAILMAX=1"];
    let good = world.peer(11, "good.two.example", Behaviour { tls: Tls::Shows(leaf), offers, ..Behaviour::default() });
    let gateway = world.gateway(&Setup { more: "[queue]\nretry = [\"1h\"]", ..Setup::default() });
    gateway.send(&["a@two.example"], &world::ordinary("first"));
    // A handshake may take half a minute.
    let arrived = until_within(Duration::from_secs(45), || (!good.received().is_empty()).then_some(()));
    assert!(arrived.is_some(), "{:?}", gateway.queue());
    let paid = slow.sessions();
    for n in 2..5 {
        gateway.send(&["a@two.example"], &world::ordinary(&format!("message {n}")));
        good.wait_for(n);
    }
    assert_eq!((paid, slow.sessions()), (1, 1), "the bad host was not asked again");
    assert!(good.received().iter().all(|m| m.tls));
    gateway.wait_until_empty();
}

//! No room on the disk and no place among the sessions: put off with 452 and 421, and nothing is bounced or lost.

use crate::lab::peers::Behaviour;
use crate::lab::until;
use crate::world::{self, DOCTOR, Setup, World};

#[test]
fn below_the_mark_of_free_room_mail_is_put_off() {
    let world = World::new(96);
    let gateway = world.gateway(&Setup { more: "[queue]\nmin-free = \"999999GB\"", ..Setup::default() });
    let mut session = gateway.session();
    let mail = format!("MAIL FROM:<{DOCTOR}>");
    let reply = until(|| {
        let reply = session.say(&mail).unwrap();
        session.say("RSET").unwrap();
        (reply.code == 452).then_some(reply)
    });
    assert!(reply.is_some_and(|r| r.text.contains("4.3.1")), "{}", gateway.log());
}

#[test]
fn a_client_with_too_many_sessions_hears_421_and_the_others_go_on() {
    let world = World::new(97);
    let peer = world.mx(10, "partner.example", Behaviour::default());
    let gateway = world.gateway(&Setup { more: "[limits]\nsessions-per-client = 1", ..Setup::default() });
    let first = gateway.session();
    let greeting = gateway.greeting();
    assert!(greeting.starts_with("421 4.7.0"), "{greeting}");
    drop(first);
    until(|| gateway.greeting().starts_with("220").then_some(())).unwrap();
    until(|| (gateway.metric("mailward_sessions{listener=\"exchange\"}") == 0.0).then_some(())).unwrap();
    gateway.send(&["b@partner.example"], &world::ordinary("car park"));
    peer.wait_for(1);
}

//! What a peer bounds (RFC 9422 LIMITS, 452 4.5.3) divides a message over transactions and sessions; nobody waits for it.

use crate::lab::peers::{Answer, Behaviour, Peer, Then};
use crate::world::{self, Setup, World};
use std::collections::BTreeSet;

const FIVE: [&str; 5] = ["a@many.example", "b@many.example", "c@many.example", "d@many.example", "e@many.example"];

fn setup() -> Setup<'static> {
    Setup { more: "[queue]\nretry = [\"1h\"]", ..Setup::default() }
}

fn offering(limits: &'static str) -> Behaviour {
    Behaviour { offers: vec![limits], ..Behaviour::default() }
}

/// Every recipient got it, and once.
fn assert_each_once(peer: &Peer, expected: &[&str]) {
    let all: Vec<String> = peer.received().iter().flat_map(|m| m.recipients.clone()).collect();
    let once: BTreeSet<&str> = all.iter().map(String::as_str).collect();
    assert_eq!((all.len(), once), (expected.len(), expected.iter().copied().collect()));
}

#[test]
fn recipients_beyond_the_limit_go_in_the_next_transaction() {
    let world = World::new(107);
    let peer = world.mx(10, "many.example", offering("LIMITS RCPTMAX=2"));
    let gateway = world.gateway(&setup());
    gateway.send(&FIVE, &world::ordinary("limits"));
    let got = peer.wait_for(3);
    gateway.wait_until_empty();
    assert!(got.iter().all(|m| m.recipients.len() <= 2 && m.session_number == got[0].session_number), "{got:?}");
    assert_each_once(&peer, &FIVE);
}

#[test]
fn too_many_recipients_without_a_limit_go_at_once_too() {
    let world = World::new(107);
    let peer = world.mx(11, "many.example", Behaviour { crowd: Some(2), ..Behaviour::default() });
    let gateway = world.gateway(&setup());
    gateway.send(&FIVE, &world::ordinary("crowd"));
    peer.wait_for(3);
    gateway.wait_until_empty();
    assert_each_once(&peer, &FIVE);
}

#[test]
fn a_session_with_its_transactions_used_up_is_left() {
    let world = World::new(107);
    let peer = world.mx(12, "many.example", offering("LIMITS RCPTMAX=2 MAILMAX=1"));
    let gateway = world.gateway(&setup());
    gateway.send(&FIVE, &world::ordinary("one each"));
    let sessions: BTreeSet<usize> = peer.wait_for(3).iter().map(|m| m.session_number).collect();
    gateway.wait_until_empty();
    assert_eq!(sessions.len(), 3);
    assert_each_once(&peer, &FIVE);
}

#[test]
fn domains_beyond_the_limit_go_in_another_session() {
    let world = World::new(107);
    let hub = world.peer(13, "hub.example", offering("LIMITS RCPTDOMAINMAX=1"));
    let more = format!(
        "[queue]\nretry = [\"1h\"]\n[relay.hub]\nhosts = [\"{}:{}\"]\nrequire = \"any\"\nonward = \"any\"",
        world.ip(13),
        world.port
    );
    let gateway = world.gateway(&Setup { more: &more, deliver: "smarthost = \"relay:hub\"", ..Setup::default() });
    let to = ["a@one.example", "b@two.example", "c@one.example"];
    gateway.send(&to, &world::ordinary("domains"));
    let got = hub.wait_for(2);
    gateway.wait_until_empty();
    assert_ne!(got[0].session_number, got[1].session_number);
    assert_eq!(got.iter().map(|m| m.recipients.len()).sum::<usize>(), 3);
    assert_each_once(&hub, &to);
}

/// The first session's end of data gets a word of 4 KiB and one word too many right behind it: what is read at once ends
/// between them.
#[test]
fn a_reply_too_many_is_not_believed_as_the_next_transactions() {
    let mut long: String = format!("250-{}\r\n", "a".repeat(506)).repeat(7);
    long.push_str(&format!("250 {}\r\n250 2.1.0 one too many\r\n", "b".repeat(506)));
    assert_eq!(long.find("250 2.1.0"), Some(4096));
    let shifted = Answer { sessions: 1, ..Answer::new("END", long.leak(), Then::GoOn) };
    let world = World::new(107);
    let behaviour = Behaviour { answers: vec![shifted], ..offering("LIMITS RCPTMAX=1") };
    let peer = world.mx(14, "many.example", behaviour);
    let gateway = world.gateway(&setup());
    gateway.send(&FIVE[..2], &world::ordinary("shifted"));
    let got = peer.wait_for(1);
    gateway.wait_until_empty();
    assert_ne!(got[0].session_number, 1);
    assert_eq!((&got[0].recipients[..], peer.dots()), (&[FIVE[1].to_owned()][..], 2));
}

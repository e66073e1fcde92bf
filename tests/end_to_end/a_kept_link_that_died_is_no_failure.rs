//! A link that was kept for the next message and was closed by its peer: that message goes at once over a new one. One that
//! breaks after the dot is another matter: nobody knows what became of the message.

use crate::lab::peers::{Answer, Behaviour, Leaving, Then};
use crate::lab::until;
use crate::world::{self, Setup, World};

/// An hour: a message that counted as failed does not arrive while the test looks.
fn setup() -> Setup<'static> {
    Setup { more: "[queue]\nretry = [\"1h\"]", ..Setup::default() }
}

fn next_arrives(host: u8, leaving: Leaving, offers: Vec<&'static str>) {
    let world = World::new(107);
    let behaviour = Behaviour { leaves_after: Some((1, leaving)), offers, ..Behaviour::default() };
    let peer = world.mx(host, "kept.example", behaviour);
    let gateway = world.gateway(&setup());
    for (n, subject) in ["first", "second", "third"].into_iter().enumerate() {
        gateway.send(&["a@kept.example"], &world::ordinary(subject));
        peer.wait_for(n + 1);
    }
    gateway.wait_until_empty();
    assert_eq!(peer.received().len(), 3, "and each once");
}

#[test]
fn closed_without_a_word() {
    next_arrives(20, Leaving::Silently, Vec::new());
}

#[test]
fn closed_with_a_421_nobody_asked_for() {
    next_arrives(21, Leaving::With421, Vec::new());
}

#[test]
fn closed_with_a_421_to_mail() {
    next_arrives(22, Leaving::AtMail, Vec::new());
}

#[test]
fn the_same_where_the_message_is_in_the_flight() {
    next_arrives(23, Leaving::Silently, vec!["CHUNKING"]);
    next_arrives(24, Leaving::AtMail, vec!["CHUNKING"]);
}

#[test]
fn a_link_that_breaks_after_the_dot_is_tried_later_and_counted() {
    let world = World::new(107);
    let answers = vec![Answer { sessions: 1, ..Answer::new("END", "", Then::Close) }];
    let peer = world.mx(25, "dot.example", Behaviour { answers, ..Behaviour::default() });
    let gateway = world.gateway(&setup());
    gateway.send(&["a@dot.example"], &world::ordinary("unknown"));
    gateway.waits_for("connection-lost");
    assert_eq!((peer.dots(), peer.received().len()), (1, 0));
    let counted = until(|| (gateway.metric("mailward_outcome_unknown_total") == 1.0).then_some(()));
    assert!(counted.is_some());
    assert!(gateway.log().contains("may arrive twice"), "{}", gateway.log());
}

//! Towards a peer that offers CHUNKING: BDAT with the body in the flight of MAIL and RCPT, chunks for what is large, and DATA
//! where the peer cannot do what it offers.

use crate::lab::peers::{Answer, Behaviour, Then, Tls};
use crate::world::{self, NUMBER, SECRET, Setup, World, without_received};

fn chunking() -> Behaviour {
    Behaviour { offers: vec!["CHUNKING"], ..Behaviour::default() }
}

/// An hour: what is put off does not come back while the test looks.
const ONCE: &str = "[queue]\nretry = [\"1h\"]";

fn setup() -> Setup<'static> {
    Setup { more: ONCE, ..Setup::default() }
}

#[test]
fn commands_and_body_leave_without_waiting_for_a_reply() {
    let world = World::new(105);
    // A peer that says nothing until it has the last octet: whoever waits for its replies waits for ever.
    let peer =
        world.mx(10, "partner.example", Behaviour { offers: vec!["CHUNKING"], lazy: true, ..Behaviour::default() });
    let gateway = world.gateway(&setup());
    let message = world::ordinary("one flight");
    gateway.send(&["a@partner.example", "b@partner.example"], &message);
    let got = peer.wait_for(1).remove(0);
    assert_eq!(got.recipients, ["a@partner.example", "b@partner.example"]);
    assert_eq!(without_received(&got.message), message.as_bytes());
    assert!(got.commands.last().unwrap().ends_with(&format!("BDAT {} LAST", got.message.len())), "{:?}", got.commands);
    gateway.wait_until_empty();
}

#[test]
fn dots_travel_as_they_are() {
    let world = World::new(105);
    let peer = world.mx(11, "dots.example", chunking());
    let gateway = world.gateway(&setup());
    let message = "Subject: dots\r\n\r\n.\r\n..\r\n.x\r\n";
    gateway.send(&["a@dots.example"], message);
    assert_eq!(without_received(&peer.wait_for(1)[0].message), message.as_bytes());
}

#[test]
fn a_large_message_goes_in_chunks_and_only_to_who_takes_it() {
    let world = World::new(105);
    let _exchange = world.exchange();
    let refused = "no@large.example".to_owned();
    let peer = world.mx(12, "large.example", Behaviour { refuses: vec![refused.clone()], ..chunking() });
    let gateway = world.gateway(&setup());
    let message = format!("Subject: large\r\n\r\n{}", "0123456789abcdef0123456789abcdef0123456789\r\n".repeat(60_000));
    gateway.send(&["a@large.example"], &message);
    let got = peer.wait_for(1).remove(0);
    assert_eq!(without_received(&got.message), message.as_bytes());
    let chunks: Vec<&String> = got.commands.iter().filter(|c| c.starts_with("BDAT")).collect();
    assert_eq!(chunks.len(), 3, "{chunks:?}");
    assert!(chunks[0] == "BDAT 1048576" && chunks[2].ends_with(" LAST"), "{chunks:?}");
    // Nothing of it crosses for a recipient that is refused.
    gateway.send(&[&refused], &message);
    gateway.wait_until_empty();
    let crossed: usize = world.wire.captures().iter().map(|c| c.from_client.len()).filter(|n| *n > 1_000_000).count();
    assert_eq!(crossed, 1);
}

#[test]
fn a_peer_that_cannot_do_bdat_gets_data_at_once_and_from_then_on() {
    let world = World::new(105);
    let answers = vec![Answer::new("BDAT", "502 5.5.1 unknown command\r\n", Then::Close)];
    let peer = world.mx(13, "old.example", Behaviour { answers, ..chunking() });
    let gateway = world.gateway(&setup());
    gateway.send(&["a@old.example"], &world::ordinary("first"));
    peer.wait_for(1);
    let before = peer.sessions();
    assert!(before >= 2, "one for BDAT, one for DATA");
    gateway.send(&["a@old.example"], &world::ordinary("second"));
    let got = peer.wait_for(2);
    assert!(got.iter().all(|m| m.commands.len() == 2), "MAIL and RCPT, and no BDAT: {got:?}");
    assert!(peer.sessions() <= before + 1, "nothing was tried twice");
    gateway.wait_until_empty();
}

#[test]
fn a_flight_for_a_refused_recipient_is_a_refusal_and_nothing_else() {
    let world = World::new(105);
    let exchange = world.exchange();
    let refuses = vec!["gone@two.example".to_owned()];
    let peer = world.mx(14, "two.example", Behaviour { refuses, ..chunking() });
    let gateway = world.gateway(&setup());
    gateway.send(&["gone@two.example"], &world::ordinary("for nobody"));
    assert!(exchange.wait_for(1)[0].text().contains("5.1.1"));
    gateway.send(&["here@two.example", "gone@two.example"], &world::ordinary("for one"));
    assert_eq!(peer.wait_for(1)[0].recipients, ["here@two.example"]);
    exchange.wait_for(2);
    gateway.wait_until_empty();
    assert_eq!(peer.received().len(), 1);
}

#[test]
fn clinical_text_in_a_flight_is_inside_tls() {
    let world = World::new(105);
    let leaf = world.ca.good(&["mx.partner.example"]);
    let tls = Behaviour { tls: Tls::Shows(leaf), ..chunking() };
    world.names.mx("partner.example", &[(10, "mx.partner.example")]).address_of("mx.partner.example", world.ip(15));
    let peer = world.peer(15, "mx.partner.example", tls);
    let gateway = world.gateway(&setup());
    let message = world::clinical("letter");
    gateway.send(&["b@partner.example"], &message);
    let got = peer.wait_for(1).remove(0);
    assert!(got.tls && got.commands.iter().any(|c| c.starts_with("BDAT")));
    assert_eq!(without_received(&got.message), message.as_bytes());
    assert_eq!(world.wire.sightings(&[NUMBER, SECRET]), []);
}

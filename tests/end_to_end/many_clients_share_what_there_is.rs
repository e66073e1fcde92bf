//! Clients that take all they can get, of memory or of patience, leave enough for those who only send a message.

use crate::lab::client::Client;
use crate::lab::peers::Behaviour;
use crate::lab::until;
use crate::world::{self, DOCTOR, Gateway, Setup, World};
use std::collections::BTreeSet;
use std::io::Write;
use std::net::TcpStream;

fn begin(client: &mut Client) {
    client.say(&format!("MAIL FROM:<{DOCTOR}>")).unwrap();
    client.say("RCPT TO:<b@partner.example>").unwrap();
    assert_eq!(client.say("DATA").unwrap().code, 354);
}

fn sessions(gateway: &Gateway) -> f64 {
    gateway.metric("mailward_sessions{listener=\"exchange\"}")
}

#[test]
fn header_sections_without_an_end_use_up_their_room_and_small_mail_goes_on() {
    let world = World::new(140);
    let peer = world.mx(10, "partner.example", Behaviour::default());
    let gateway = world.gateway(&Setup::default());
    let piece = b"X-Field: text\r\n".repeat(63_000);
    // A MiB each: after 112 of them, a sixteenth of what is free of the 128 is less than that.
    let mut greedy: Vec<Client> = (0..125).map(|_| gateway.clear_session()).collect();
    for client in &mut greedy {
        begin(client);
        client.raw(&piece).unwrap();
    }
    gateway.send(&["b@partner.example"], &world::ordinary("car park"));
    peer.wait_for(1);
    let mut codes = BTreeSet::new();
    for client in &mut greedy {
        client.raw(b"\r\ntext\r\n.\r\n").unwrap();
        let reply = client.reply().unwrap();
        assert!(reply.code == 250 || reply.text.contains("4.3.1"), "{reply:?}");
        codes.insert(reply.code);
    }
    assert_eq!(codes, BTreeSet::from([250, 452]), "some fit, and what did not is put off");
    begin(&mut greedy[124]);
    greedy[124].raw(&piece).unwrap();
    greedy[124].raw(b"\r\ntext\r\n.\r\n").unwrap();
    assert_eq!(greedy[124].reply().unwrap().code, 250, "the room came back");
}

#[test]
fn who_never_reads_what_is_said_is_let_go_and_the_others_go_on() {
    let world = World::new(141);
    let peer = world.mx(10, "partner.example", Behaviour::default());
    let gateway = world.gateway(&Setup { more: "[limits]\nidle = \"2s\"", ..Setup::default() });
    let mut deaf: Vec<TcpStream> = (0..10).map(|_| TcpStream::connect(gateway.door).unwrap()).collect();
    for client in &mut deaf {
        // Some MB of replies to each; who is let go before all was taken has its connection reset.
        client.write_all(&b"EHLO deaf.example\r\n".repeat(9_990)).ok();
    }
    gateway.send(&["b@partner.example"], &world::ordinary("car park"));
    peer.wait_for(1);
    let gone = until(|| (sessions(&gateway) == 0.0).then_some(()));
    assert!(gone.is_some(), "{} sessions are still open", sessions(&gateway));
    drop(deaf);
}

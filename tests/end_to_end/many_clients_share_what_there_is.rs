//! Clients that take all the memory they can get leave enough for those who only send a message.

use crate::lab::client::Client;
use crate::lab::peers::Behaviour;
use crate::world::{self, DOCTOR, Setup, World};
use std::collections::BTreeSet;

fn begin(client: &mut Client) {
    client.say(&format!("MAIL FROM:<{DOCTOR}>")).unwrap();
    client.say("RCPT TO:<b@partner.example>").unwrap();
    assert_eq!(client.say("DATA").unwrap().code, 354);
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

//! NOTIFY (RFC 3461): success, failure, never; with a peer that reports itself and with one that does not.

use crate::lab::peers::Behaviour;
use crate::lab::until;
use crate::world::{self, DOCTOR, Setup, World};

fn send(gateway: &world::Gateway, to: &str, notify: &str) {
    let mut client = gateway.session();
    assert_eq!(client.say(&format!("MAIL FROM:<{DOCTOR}> RET=HDRS ENVID=QQ314159")).unwrap().code, 250);
    assert_eq!(client.say(&format!("RCPT TO:<{to}> NOTIFY={notify}")).unwrap().code, 250);
    assert_eq!(client.say("DATA").unwrap().code, 354);
    client.raw(format!("{}.\r\n", world::ordinary("car park")).as_bytes()).unwrap();
    assert_eq!(client.reply().unwrap().code, 250);
}

#[test]
fn success_is_reported_by_us_only_where_the_peer_will_not() {
    let world = World::new(52);
    let exchange = world.exchange();
    let plain = world.mx(10, "plain.example", Behaviour::default());
    let able = world.mx(11, "able.example", Behaviour { offers: vec!["DSN"], ..Behaviour::default() });
    let gateway = world.gateway(&Setup::default());
    send(&gateway, "a@able.example", "SUCCESS");
    let passed = able.wait_for(1).remove(0);
    assert!(passed.commands[1].contains("NOTIFY=SUCCESS"), "{:?}", passed.commands);
    assert!(passed.commands[0].contains("ENVID=QQ314159") && passed.commands[0].contains("RET=HDRS"));
    gateway.wait_until_empty();
    send(&gateway, "a@plain.example", "SUCCESS,FAILURE");
    let bare = plain.wait_for(1).remove(0);
    assert!(!bare.commands.iter().any(|c| c.contains("NOTIFY") || c.contains("ENVID")), "{:?}", bare.commands);
    let told = exchange.wait_for(1)[0].text();
    for words in
        ["Action: relayed", "Final-Recipient: rfc822; a@plain.example", "Original-Envelope-Id: QQ314159", "Status: 2."]
    {
        assert!(told.contains(words), "{words}: {told}");
    }
    gateway.wait_until_empty();
    assert_eq!(exchange.received().len(), 1, "the peer that reports itself is not reported for");
}

#[test]
fn never_means_never() {
    let world = World::new(53);
    let exchange = world.exchange();
    world.names.null_mx("null.example");
    let plain = world.mx(10, "plain.example", Behaviour::default());
    let gateway = world.gateway(&Setup::default());
    send(&gateway, "a@plain.example", "NEVER");
    plain.wait_for(1);
    send(&gateway, "a@null.example", "NEVER");
    let failed = "mailward_messages_total{direction=\"outbound\",outcome=\"failed\"}";
    until(|| (gateway.metric(failed) == 1.0).then_some(())).unwrap();
    gateway.wait_until_empty();
    assert!(exchange.received().iter().all(|m| m.recipients != [DOCTOR]), "the sender is never told");
}

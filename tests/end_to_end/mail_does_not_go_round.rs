//! Loops end at the first server that can see them: a site that sends to itself, and a message that keeps coming back.

use crate::lab::peers::Behaviour;
use crate::lab::until;
use crate::world::{self, DOCTOR, Setup, World};
use std::net::SocketAddr;

/// A second site, whose Exchange is at .40 and whose scanner is at .41.
fn surgery(world: &World) -> String {
    let exchange = SocketAddr::new(world.ip(40), world.port);
    format!(
        "[site.surgery]\ndomains = [\"surgery.example\"]\nexchange = [\"{exchange}\"]\nnetworks = [\"{}/31\"]\n\
         duty = \"duty@surgery.example\"\nrequire = \"any\"",
        world.ip(40)
    )
}

#[test]
fn a_sites_exchange_does_not_get_back_what_it_sends_to_itself() {
    let world = World::new(120);
    let exchange = world.peer(40, "exchange.surgery.example", Default::default());
    let more = surgery(&world);
    let gateway = world.gateway(&Setup { more: &more, ..Setup::default() });
    let mut itself = gateway.stranger(world.ip(40), gateway.door);
    assert_eq!(itself.say("MAIL FROM:<a@surgery.example>").unwrap().code, 250);
    let reply = itself.say("RCPT TO:<b@surgery.example>").unwrap();
    assert!(reply.code == 451 && reply.text.contains("4.4.6") && reply.text.contains("elsewhere"), "{reply:?}");
    assert_eq!(itself.say("RCPT TO:<b@trust.example>").unwrap().code, 250, "another site's mailbox is no loop");

    let mut scanner = gateway.stranger(world.ip(41), gateway.door);
    let text = world::ordinary("a scan");
    let reply = scanner.send("scanner@surgery.example", &["b@surgery.example"], text.as_bytes()).unwrap();
    assert_eq!(reply.code, 250, "{reply:?}");
    assert_eq!(exchange.wait_for(1)[0].recipients, ["b@surgery.example"]);
}

#[test]
fn a_message_that_keeps_coming_back_is_refused() {
    let world = World::new(121);
    let gateway = world.gateway(&Setup::default());
    let ours = "Received: from x ([127.0.0.1])\r\n\tby gw.trust.example with ESMTPS\r\n\tid 1; Sun\r\n";
    let mut client = gateway.session();
    let mut code = |ways: usize| {
        let message = format!("{}{}", ours.repeat(ways), world::ordinary("again"));
        client.send(DOCTOR, &["b@elsewhere.example"], message.as_bytes()).unwrap()
    };
    assert_eq!(code(4).code, 250);
    let round = code(5);
    assert!(round.code == 554 && round.text.contains("5.4.6"), "{round:?}");
}

/// A mailbox of the site that forwards what it gets to an address that refuses it: told of that, it would forward that too.
#[test]
fn nobody_is_told_of_a_notice_that_went_round() {
    let world = World::new(122);
    let exchange = world.exchange();
    let refuses = vec!["gone@elsewhere.example".to_owned()];
    let _elsewhere = world.mx(10, "elsewhere.example", Behaviour { refuses, ..Behaviour::default() });
    let gateway = world.gateway(&Setup::default());
    let forward = |message: &str| {
        let mut client = gateway.session();
        let reply = client.send("duty@trust.example", &["gone@elsewhere.example"], message.as_bytes()).unwrap();
        assert_eq!(reply.code, 250, "{reply:?}");
    };
    let text = world::ordinary("forwarded");
    forward(&text);
    let notice = exchange.wait_for(1).remove(0).text();
    let id = notice.lines().find_map(|l| l.strip_prefix("Message-ID: ")).unwrap().to_owned();
    gateway.wait_until_empty();
    // The notice itself, forwarded as it is.
    forward(&text.replace("<forwarded@trust.example>", &id));
    let untold = "mailward_refused_untold_total";
    until(|| (gateway.metric(untold) == 1.0).then_some(())).unwrap_or_else(|| panic!("{}", gateway.log()));
    gateway.wait_until_empty();
    assert_eq!(exchange.received().len(), 1, "no notice about a notice");
}

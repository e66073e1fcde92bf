//! Every conversation of the gateway with Exchange, over sockets: each command is as written, who was refused is told to the
//! sender in Exchange's words, and what was put off is offered again and taken.

use crate::exchange::{Server, Transcript, transcripts};
use crate::lab::ca::self_signed;
use crate::lab::peers::{Behaviour, Tls};
use crate::lab::until;
use crate::letter::{self, has};
use crate::world::{EXCHANGE, Setup, World};
use std::net::SocketAddr;
use std::sync::Arc;

#[test]
fn exchange_is_sent_to_as_it_speaks() {
    let all: Vec<Arc<Transcript>> = transcripts("server").into_iter().map(Arc::new).collect();
    let taking = all.iter().find(|t| t.name == "a-letter-is-queued-for-delivery").unwrap();
    assert!(all.len() >= 8);
    for conversation in &all {
        is_sent_to(conversation, taking);
    }
}

fn is_sent_to(conversation: &Arc<Transcript>, taking: &Arc<Transcript>) {
    let (world, name) = (World::new(138), &conversation.name);
    let leaf = self_signed(&["exchange.trust.example"]);
    let exchange = SocketAddr::new(world.ip(EXCHANGE), world.port);
    let server = Server::start(exchange, leaf, vec![Arc::clone(conversation), Arc::clone(taking)]);
    let tls = Tls::Shows(self_signed(&["mx.partner.example"]));
    let sender = world.mx(10, "partner.example", Behaviour { tls, ..Behaviour::default() });
    let gateway = world.gateway(&Setup { more: "[queue]\nretry = [\"1s\"]", ..Setup::default() });

    let mut client = gateway.stranger(world.ip(66), gateway.internet);
    let reply = client.send(conversation.reverse_path(), &conversation.recipients(), &letter::ordinary(name)).unwrap();
    assert_eq!(reply.code, 250, "{name}: {reply:?}");
    client.quit();

    let deferred = !conversation.fates("-deferred").is_empty();
    let visits = if deferred { 2 } else { 1 };
    until(|| (server.visits().len() >= visits).then_some(()))
        .unwrap_or_else(|| panic!("{name}: {:?}\n{}", server.visits(), gateway.log()));
    for (recipient, words) in conversation.fates("-refused") {
        let told = &sender.wait_for(1)[0];
        assert!(told.from.is_empty() && told.text().contains(recipient), "{name}: {}", told.text());
        let words = words.splitn(3, ' ').nth(2).unwrap();
        assert!(told.text().contains(words), "{name}: the report does not say `{words}`: {}", told.text());
    }
    gateway.wait_until_empty();
    let got = server.visits();
    assert_eq!(got.len(), visits, "{name}: {got:?}");
    for visit in &got {
        let message = visit.result.as_ref().unwrap_or_else(|why| panic!("{name}, {}: {why}", visit.name));
        assert!(has(message, &format!("\r\nSubject: {name}\r\n")), "{name}: not the message");
    }
    let reports = usize::from(!conversation.fates("-refused").is_empty());
    assert_eq!(sender.received().len(), reports, "{name}: reports to the sender");
}

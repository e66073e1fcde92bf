//! 4xx and 5xx at each step of a session over real sockets: what waits, what is returned, and with which reason.

use crate::lab::peers::{Answer, Behaviour, Then};
use crate::lab::until;
use crate::world::{self, Setup, World};

struct Step {
    to: &'static str,
    reply: &'static str,
    then: Then,
    /// Why it waits; None: it is returned.
    waits: Option<&'static str>,
    returned: &'static str,
}

const fn waits(to: &'static str, reply: &'static str, then: Then, reason: &'static str) -> Step {
    Step { to, reply, then, waits: Some(reason), returned: "" }
}

const fn returned(to: &'static str, reply: &'static str, reason: &'static str) -> Step {
    Step { to, reply, then: Then::GoOn, waits: None, returned: reason }
}

const STEPS: [Step; 18] = [
    waits("CONNECT", "421 4.3.2 too busy\r\n", Then::Close, "greeting-refused"),
    waits("CONNECT", "554 5.7.1 no mail here\r\n", Then::GoOn, "greeting-refused"),
    waits("CONNECT", "", Then::Close, "connection-lost"),
    waits("CONNECT", "SSH-2.0-OpenSSH\r\n", Then::GoOn, "protocol-error"),
    waits("CONNECT", "220-a\r\n221 b\r\n", Then::GoOn, "protocol-error"),
    waits("EHLO", "451 4.3.0 later\r\n", Then::GoOn, "greeting-refused"),
    waits("EHLO", "421 4.3.2 bye\r\n", Then::Close, "greeting-refused"),
    waits("EHLO", "250-x\r\n250-y\r\n", Then::Close, "connection-lost"),
    waits("MAIL", "451 4.3.0 not now\r\n", Then::GoOn, "sender-deferred"),
    returned("MAIL", "550 5.7.1 not from you\r\n", "sender-refused"),
    waits("RCPT", "450 4.2.1 later\r\n", Then::GoOn, "recipient-deferred"),
    returned("RCPT", "550 5.1.1 unknown\r\n", "recipient-refused"),
    waits("RCPT", "421 4.3.2 bye\r\n", Then::Close, "recipient-deferred"),
    waits("DATA", "451 4.3.0 not now\r\n", Then::GoOn, "message-deferred"),
    returned("DATA", "554 5.7.1 no\r\n", "message-refused"),
    waits("END", "452 4.3.1 no space\r\n", Then::GoOn, "message-deferred"),
    returned("END", "554 5.6.0 not liked\r\n", "message-refused"),
    waits("END", "421 4.3.2 bye\r\n", Then::Close, "message-deferred"),
];

#[test]
fn each_refusal_waits_or_returns_with_its_own_reason() {
    let world = World::new(108);
    let exchange = world.exchange();
    let peers: Vec<_> = (30u8..)
        .zip(&STEPS)
        .map(|(host, step)| {
            let answers = vec![Answer::new(step.to, step.reply, step.then)];
            world.mx(host, &format!("d{host}.example"), Behaviour { answers, ..Behaviour::default() })
        })
        .collect();
    let gateway = world.gateway(&Setup { more: "[queue]\nretry = [\"1h\"]", ..Setup::default() });
    for (host, _) in (30u8..).zip(&STEPS) {
        gateway.send(&[&format!("a@d{host}.example")], &world::ordinary("step"));
    }
    let due = STEPS.iter().filter(|s| s.waits.is_none()).count();
    let reports: Vec<String> = exchange.wait_for(due).iter().map(|m| m.text()).collect();
    for (host, step) in (30u8..).zip(&STEPS) {
        let to = format!("a@d{host}.example");
        match step.waits {
            Some(reason) => {
                let row = until(|| {
                    gateway.queue().into_iter().find(|r| r["recipients"][0] == to.as_str() && r["reason"] != "waiting")
                });
                assert_eq!(row.unwrap()["reason"], reason, "{} {}", step.to, step.reply);
            }
            None => {
                let report = reports.iter().find(|r| r.contains(&format!("Final-Recipient: rfc822; {to}"))).unwrap();
                assert!(report.contains(&format!("X-Mailward-Reason: {}", step.returned)), "{report}");
            }
        }
    }
    // RFC 2920 3.1: a peer that takes DATA for nobody gets an empty message.
    assert!(peers.iter().flat_map(|p| p.received()).all(|m| m.message.is_empty()));
}

#[test]
fn a_peer_without_ehlo_is_greeted_with_helo_and_gets_ordinary_mail() {
    let world = World::new(108);
    let answers = vec![Answer::new("EHLO", "502 5.5.1 what\r\n", Then::GoOn)];
    let peer = world.mx(60, "old.example", Behaviour { answers, ..Behaviour::default() });
    let gateway = world.gateway(&Setup::default());
    gateway.send(&["a@old.example"], &world::ordinary("helo"));
    assert_eq!(peer.wait_for(1)[0].commands[0], format!("MAIL FROM:<{}>", world::DOCTOR));
}

#[test]
fn an_endless_reply_costs_one_attempt_and_little_memory() {
    let world = World::new(108);
    let endless: &'static str = Box::leak("250-x\r\n".repeat(50_000).into_boxed_str());
    let answers = vec![Answer::new("EHLO", endless, Then::Stall)];
    let peer = world.mx(61, "endless.example", Behaviour { answers, ..Behaviour::default() });
    let gateway = world.gateway(&Setup { more: "[queue]\nretry = [\"1h\"]", ..Setup::default() });
    gateway.send(&["a@endless.example"], &world::ordinary("endless"));
    gateway.waits_for("protocol-error");
    assert_eq!(peer.dots(), 0);
}

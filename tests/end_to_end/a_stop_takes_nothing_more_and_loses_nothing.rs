//! SIGTERM: what has begun is finished, what has not begun is put off, and under load every 250 is accounted for once.

use crate::lab::client::Client;
use crate::lab::peers::Behaviour;
use crate::lab::until;
use crate::world::{self, DOCTOR, Gateway, Setup, World};
use std::collections::BTreeMap;
use std::net::TcpStream;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// A session with a message that has begun.
fn in_data(gateway: &Gateway) -> Client {
    let mut open = gateway.session();
    for line in [&format!("MAIL FROM:<{DOCTOR}>"), "RCPT TO:<open@partner.example>", "DATA"] {
        assert!(open.say(line).unwrap().code < 400);
    }
    open.raw(b"Subject: open\r\n\r\nfirst half\r\n").unwrap();
    open
}

fn wait_until_it_stops(gateway: &Gateway) {
    until(|| TcpStream::connect(gateway.door).is_err().then_some(())).unwrap();
}

#[test]
fn nothing_is_accepted_after_the_signal() {
    let world = World::new(120);
    let peer = world.mx(10, "partner.example", Behaviour::default());
    let mut gateway = world.gateway(&Setup::default());
    let mut open = in_data(&gateway);
    let mut named = gateway.session();
    for line in [&format!("MAIL FROM:<{DOCTOR}>"), "RCPT TO:<never@partner.example>"] {
        assert_eq!(named.say(line).unwrap().code, 250);
    }
    let begun = Instant::now();
    gateway.terminate();
    wait_until_it_stops(&gateway);
    assert_eq!(named.reply().unwrap().code, 421, "a transaction without a message has nothing to lose");
    let next = format!("second half\r\n.\r\nMAIL FROM:<{DOCTOR}>\r\nRCPT TO:<never@partner.example>\r\nDATA\r\n");
    open.raw(next.as_bytes()).unwrap();
    assert_eq!(open.reply().unwrap().code, 250, "what had begun is finished");
    let refused = open.reply().unwrap();
    assert!(refused.code == 421 && refused.text.contains("4.3.2"), "{refused:?}");
    assert!(gateway.wait_for_end().success(), "{}", gateway.log());
    assert!(begun.elapsed() < Duration::from_secs(20), "it waited {:?}", begun.elapsed());
    gateway.start();
    assert_eq!(peer.wait_for(1)[0].recipients, ["open@partner.example"]);
    gateway.wait_until_empty();
    assert_eq!(peer.dots(), 1);
}

/// Sends until the gateway says no more; the numbers that it answered with 250.
fn source(gateway: &Gateway, first: usize, kept: &Mutex<Vec<usize>>) {
    let mut client = gateway.session();
    for number in (first..).step_by(4) {
        let text = world::ordinary(&number.to_string());
        match client.send(DOCTOR, &[&format!("n{number}@partner.example")], text.as_bytes()) {
            Ok(reply) if reply.code == 250 => kept.lock().unwrap().push(number),
            Ok(_) | Err(_) => return,
        }
    }
}

#[test]
fn under_load_every_250_is_delivered_once() {
    let world = World::new(121);
    let peer = world.mx(10, "partner.example", Behaviour::default());
    let mut gateway = world.gateway(&Setup::default());
    let (mut idle, mut open) = (gateway.session(), in_data(&gateway));
    let kept = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for first in 0..4 {
            let (gateway, kept) = (&gateway, &kept);
            scope.spawn(move || source(gateway, first, kept));
        }
        until(|| (kept.lock().unwrap().len() > 200).then_some(())).unwrap();
        gateway.terminate();
        assert_eq!(idle.reply().unwrap().code, 421);
        open.raw(b"second half\r\n.\r\n").unwrap();
        assert_eq!(open.reply().unwrap().code, 250);
    });
    assert!(gateway.wait_for_end().success(), "{}", gateway.log());
    gateway.start();
    gateway.wait_until_empty();
    let mut arrived: BTreeMap<String, usize> = BTreeMap::new();
    peer.received().iter().for_each(|r| *arrived.entry(r.recipients[0].clone()).or_default() += 1);
    let expected = kept.into_inner().unwrap().into_iter().map(|n| (format!("n{n}@partner.example"), 1));
    assert_eq!(arrived, expected.chain([("open@partner.example".into(), 1)]).collect());
}

//! Every conversation of Exchange with the gateway, over sockets: each answer is as written, and what was taken arrives.

use crate::exchange::transcripts;
use crate::lab::ca::self_signed;
use crate::lab::peers::{Behaviour, Tls};
use crate::letter::{REFUSING, without_trace};
use crate::world::{Setup, World};

/// What the gateway takes off whatever it sends on (README: the path of a message).
const INTERNAL: &str = "X-MS-Exchange-Organization-";

#[test]
fn exchange_is_served_as_it_speaks() {
    let world = World::new(138);
    let tls = Tls::Shows(self_signed(&["mx.partner.example"]));
    let sink = world.mx(10, "partner.example", Behaviour { tls, ..Behaviour::default() });
    let gateway = world.gateway(&Setup { policy: REFUSING, ..Setup::default() });
    let (mut sent, mut failures) = (Vec::new(), Vec::new());
    let all = transcripts("client");
    for transcript in &all {
        if let Err(why) = transcript.send_to(gateway.door) {
            failures.push(format!("{}: {why}", transcript.name));
        }
        sent.extend(transcript.taken());
    }
    assert!(failures.is_empty(), "{} of {}:\n{}", failures.len(), all.len(), failures.join("\n"));
    assert!(sent.len() >= all.len(), "{} messages in {} conversations", sent.len(), all.len());
    gateway.wait_until_empty();
    let mut arrived: Vec<Vec<u8>> = sink.received().iter().map(|m| without_trace(&m.message).to_vec()).collect();
    let mut sent: Vec<Vec<u8>> = sent.iter().map(|message| without_internal(message)).collect();
    arrived.sort();
    sent.sort();
    assert_eq!(arrived.len(), sent.len());
    for (arrived, sent) in arrived.iter().zip(&sent) {
        assert_eq!(arrived.escape_ascii().to_string(), sent.escape_ascii().to_string());
    }
}

fn without_internal(message: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(message);
    text.split_inclusive("\r\n").filter(|line| !line.starts_with(INTERNAL)).collect::<String>().into_bytes()
}

//! A client that is silent, that trickles, or that sends without end has its time and a little memory, and then an answer.

use crate::lab::client::Client;
use crate::lab::peers::Behaviour;
use crate::lab::until;
use crate::world::{self, DOCTOR, Gateway, Setup, World};

/// Sends `piece` again and again, with pauses, until the gateway has gone; what it said before it went.
fn trickle(mut client: Client, piece: &[u8]) -> String {
    let gone = until(|| client.raw(piece).is_err().then_some(()));
    assert!(gone.is_some(), "the gateway still listens");
    client.reply().map_or_else(|why| why.to_string(), |reply| format!("{} {}", reply.code, reply.text))
}

fn begin(client: &mut Client) {
    client.say(&format!("MAIL FROM:<{DOCTOR}>")).unwrap();
    client.say("RCPT TO:<b@partner.example>").unwrap();
    assert_eq!(client.say("DATA").unwrap().code, 354);
}

#[test]
fn a_silent_client_hears_421_and_is_let_go() {
    let world = World::new(130);
    let gateway = world.gateway(&Setup { more: "[limits]\nidle = \"1s\"", ..Setup::default() });
    let mut client = gateway.clear_session();
    let farewell = client.reply().unwrap();
    assert!(farewell.code == 421 && farewell.text.contains("4.4.2"), "{farewell:?}");
    assert!(client.reply().is_err(), "and the connection is closed");
}

#[test]
fn a_command_and_a_message_that_trickle_have_their_time_and_no_more() {
    let world = World::new(131);
    let limits = "[limits]\nidle = \"2s\"\nmessage-time = \"2s\"";
    let peer = world.mx(10, "partner.example", Behaviour::default());
    let gateway = world.gateway(&Setup { more: limits, ..Setup::default() });
    // Each octet comes long before a second of silence.
    trickle(gateway.clear_session(), b"x");
    let mut client = gateway.clear_session();
    begin(&mut client);
    trickle(client, b"line\r\n");
    until(|| (gateway.metric("mailward_sessions{listener=\"exchange\"}") == 0.0).then_some(())).unwrap();
    gateway.send(&["b@partner.example"], &world::ordinary("car park"));
    peer.wait_for(1);
    assert_eq!(peer.received().len(), 1, "of what trickled nothing was kept");
}

/// The most memory that the gateway ever had, in KiB.
fn peak(gateway: &Gateway) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", gateway.process())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

const MIB: usize = 1024 * 1024;

/// 64 MiB without a line end, or as much of it as is taken.
fn flood(client: &mut Client) {
    let piece = vec![b'x'; MIB];
    (0..64).try_for_each(|_| client.raw(&piece)).ok();
}

#[test]
fn sixty_four_mib_without_a_line_end_leave_memory_as_it_was() {
    let world = World::new(132);
    let gateway = world.gateway(&Setup { more: "[limits]\nmax-message = \"100MB\"", ..Setup::default() });
    let before = peak(&gateway);
    flood(&mut gateway.clear_session());
    let flooded = |begun: &str| {
        let mut client = gateway.clear_session();
        begin(&mut client);
        client.raw(begun.as_bytes()).unwrap();
        flood(&mut client);
        client.raw(b"\r\n.\r\n").unwrap();
        (client.reply().unwrap().code, (peak(&gateway) - before) / 1024)
    };
    let (header, body) = (flooded(""), flooded("Subject: a\r\n\r\n"));
    println!("64 MiB without a line end, from {before} KiB: header {} MiB more, body {} MiB more", header.1, body.1);
    assert!(header.0 == 552 && header.1 < 16, "a header section has an end: {header:?}");
    // The recogniser reads a message whole, a few at a time.
    assert!(body.0 == 250 && body.1 < 64 + 16, "a line of the body need not have one: {body:?}");
}

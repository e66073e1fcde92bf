//! `tls = "implicit"`: the handshake comes before the greeting, and nothing is said or obeyed outside it.

use crate::lab::PATIENCE;
use crate::lab::client::Client;
use crate::world::{DOCTOR, Setup, World, connect_from, ordinary};
use std::io::{Read, Write};
use std::net::TcpStream;

#[test]
fn a_site_sends_inside_tls_without_starttls_and_nobody_hears_anything_in_clear() {
    let world = World::new(103);
    let partner = world.mx(10, "partner.example", Default::default());
    let gateway = world.gateway(&Setup { door: "implicit", site: "require = \"encrypted\"", ..Setup::default() });
    let silent: Vec<_> = (0..20).map(|_| connect_from(world.ip(66), gateway.door)).collect();
    let mut client = Client::implicit(connect_from(world.ip(30), gateway.door)).unwrap();
    assert_eq!(client.greeting.code, 220);
    assert!(!client.ehlo.text.contains("STARTTLS"), "{}", client.ehlo.text);
    assert_eq!(client.say("STARTTLS").unwrap().code, 503);
    assert_eq!(client.send(DOCTOR, &["b@partner.example"], ordinary("x").as_bytes()).unwrap().code, 250);
    let arrived = partner.wait_for(1).remove(0).text();
    assert!(arrived.contains(" with ESMTPS\r\n\t(version=TLSv1."), "{arrived}");
    let mut stranger = Client::implicit(connect_from(world.ip(67), gateway.door)).unwrap();
    let reply = stranger.say(&format!("MAIL FROM:<{DOCTOR}>")).unwrap();
    assert!(reply.code == 450 && reply.text.starts_with("4.7.1 "), "{reply:?}");
    drop(silent);
    let heard = said_to_somebody_in_clear(connect_from(world.ip(30), gateway.door));
    assert!(!heard.starts_with(b"220") && heard.len() < 10, "{}", heard.escape_ascii());
    gateway.wait_until_empty();
    assert_eq!(partner.dots(), 1);
}

fn said_to_somebody_in_clear(mut stream: TcpStream) -> Vec<u8> {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let message = format!("EHLO x\r\nMAIL FROM:<{DOCTOR}>\r\nRCPT TO:<b@partner.example>\r\nBDAT 3 LAST\r\nx\r\n");
    stream.write_all(message.as_bytes()).unwrap();
    let mut heard = Vec::new();
    // A reset is an end as well: what was sent lies unread.
    let _ = stream.read_to_end(&mut heard);
    heard
}

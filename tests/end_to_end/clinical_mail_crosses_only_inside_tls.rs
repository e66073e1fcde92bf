//! Real Postfix as the site's Exchange, the gateway, real Postfix as a partner's MX: the wire is the judge.

use crate::lab::ca::self_signed;
use crate::lab::client::Client;
use crate::lab::postfix::{Absent, Postfix, Setup as Mta};
use crate::lab::skipped;
use crate::world::{self, DOCTOR, EXCHANGE, NUMBER, OWN, SECRET, Setup, World};
use std::net::SocketAddr;

/// A clinical letter in each encoding that mail uses.
fn letters() -> Vec<String> {
    use base64::Engine as _;
    let base64 = |bytes: &[u8]| base64::engine::general_purpose::STANDARD.encode(bytes);
    let text = format!("NHS number {NUMBER}: {SECRET}");
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let quoted: String = text.bytes().map(|b| format!("={b:02X}")).collect();
    let part = |charset: &str, encoding: &str, body: &str| {
        format!(
            "From: <{DOCTOR}>\r\nTo: <b@partner.example>\r\nSubject: letter\r\nMIME-Version: 1.0\r\n\
             Content-Type: text/plain; charset={charset}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n{body}\r\n"
        )
    };
    vec![
        part("utf-8", "7bit", &text),
        part("utf-8", "base64", &base64(text.as_bytes())),
        part("utf-8", "quoted-printable", &quoted),
        part("utf-16le", "base64", &base64(&wide)),
        world::clinical(&format!("NHS number {NUMBER}")),
    ]
}

fn hand_over(mta: &Postfix, from: &str, to: &str, message: &str) {
    let mut client = Client::connect(mta.listen).unwrap();
    assert_eq!(client.send(from, &[to], message.as_bytes()).unwrap().code, 250);
    client.quit();
}

/// The three servers, or why there are none.
fn servers(world: &World, gateway: &world::Gateway) -> Result<[Postfix; 3], Absent> {
    let (good, own) = (world.ca.good(&["mx.partner.example"]), self_signed(&["exchange.trust.example"]));
    let partner = Postfix::start(&Mta {
        listen: world.free(110),
        hostname: "mx.partner.example",
        domains: &["partner.example"],
        relay: Some(gateway.internet),
        leaf: Some(&good),
    })?;
    let exchange = Postfix::start(&Mta {
        listen: world.free(120),
        hostname: "exchange.trust.example",
        domains: &["trust.example"],
        relay: None,
        leaf: Some(&own),
    })?;
    let sending = Postfix::start(&Mta {
        listen: world.free(OWN),
        hostname: "exchange.trust.example",
        domains: &[],
        relay: Some(world.wire.tap(world.free(2), gateway.door)),
        leaf: None,
    })?;
    world.names.mx("partner.example", &[(10, "mx.partner.example")]).address_of("mx.partner.example", world.ip(10));
    world.wire.tap(SocketAddr::new(world.ip(10), world.port), partner.listen);
    world.wire.tap(SocketAddr::new(world.ip(EXCHANGE), world.port), exchange.listen);
    Ok([partner, exchange, sending])
}

#[test]
fn from_exchange_to_the_world_and_back() {
    let world = World::new(1);
    let gateway = world.gateway(&Setup { site: "", door: "require", ..Setup::default() });
    let [partner, exchange, sending] = match servers(&world, &gateway) {
        Ok(servers) => servers,
        Err(Absent(why)) => return skipped("from_exchange_to_the_world_and_back", &why),
    };
    let letters = letters();
    for letter in &letters {
        hand_over(&sending, DOCTOR, "b@partner.example", letter);
    }
    hand_over(&sending, DOCTOR, "b@partner.example", &world::ordinary("car park"));
    let arrived = partner.wait_for(letters.len() + 1);
    for message in &arrived {
        let text = String::from_utf8_lossy(message);
        assert!(text.contains("using TLSv1.3") && text.contains("by gw.trust.example with ESMTPS"), "{text}");
    }
    let clear = arrived.iter().filter(|m| String::from_utf8_lossy(m).contains(SECRET)).count();
    assert_eq!(clear, 2, "7bit and the one whose subject is clinical arrive as text");

    hand_over(&partner, "b@partner.example", DOCTOR, &letters[0]);
    let answer = String::from_utf8(exchange.wait_for(1).remove(0)).unwrap();
    assert!(answer.contains(SECRET) && answer.contains("using TLSv1.3"), "{answer}");
    partner.wait_for_log(&["TLS connection established to", "TLSv1.3"]);

    // Two legs with at least one link each, and not a byte of what they carried.
    assert!(world.wire.captures().iter().filter(|c| c.from_client.len() > 500).count() >= 3);
    assert_eq!(world.wire.sightings(&[NUMBER, SECRET]), []);
    assert_eq!(gateway.metric("mailward_cleartext_messages_total{class=\"clinical\",direction=\"outbound\"}"), 0.0);
    let trace = gateway.json(&["trace", "b@partner.example", "--json"]);
    let proofs: Vec<&str> =
        trace.as_array().unwrap().iter().filter_map(|life| life["endings"][0]["proof"].as_str()).collect();
    assert_eq!(proofs.iter().filter(|p| **p == "pkix").count(), letters.len() + 1, "{proofs:?}");
}

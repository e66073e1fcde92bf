//! An exception is approved while mail waits: after the restart that reads it, the mail goes, still inside TLS, and the
//! record says by which exception. One that has ended lets nothing go.

use crate::lab::ca::self_signed;
use crate::lab::peers::{Behaviour, Tls};
use crate::lab::until;
use crate::world::{self, POLICY, SECRET, Setup, World};

fn exception(until: &str, level: &str) -> String {
    format!(
        "[exception.certificate]\nrules = [\"clinical-verified\"]\nwhen = {{ to = [\"partner.example\"] }}\n\
         require = \"{level}\"\nuntil = {until}\nreason = \"Their certificate expired, ref IG-1\"\n\
         approved-by = \"Caldicott Guardian\"\n"
    )
}

#[test]
fn what_waits_for_a_proof_goes_when_an_exception_asks_for_less() {
    let world = World::new(145);
    let peer = world.mx(
        10,
        "partner.example",
        Behaviour { tls: Tls::Shows(self_signed(&["mx.partner.example"])), ..Behaviour::default() },
    );
    let mut gateway = world.gateway(&Setup { policy: POLICY, more: "[queue]\nretry = [\"1s\"]", ..Setup::default() });
    let waits = gateway.send(&["b@partner.example"], &world::clinical("letter"));
    gateway.waits_for("certificate-self-signed");

    // One that is over is no help.
    gateway.restart_with("exceptions.toml", &exception("2026-01-05", "encrypted"));
    gateway.cli(&["queue", "retry", "--yes"]);
    gateway.waits_for("certificate-self-signed");
    assert_eq!(peer.dots(), 0);

    gateway.restart_with("exceptions.toml", &exception("2037-01-05", "encrypted"));
    let got = peer.wait_for(1);
    assert!(got[0].tls && got[0].text().contains(SECRET));
    gateway.wait_until_empty();

    // What comes now is judged by it from the beginning, and the record names it.
    let next = gateway.send(&["b@partner.example"], &world::clinical("second letter"));
    peer.wait_for(2);
    let traced = gateway.cli(&["trace", &next, "--json"]);
    let text = String::from_utf8(traced.stdout).unwrap();
    assert!(text.contains("\"certificate\"") && text.contains("applied"), "{text}");
    assert!(until(|| gateway.queue().is_empty().then_some(())).is_some(), "{waits}");
    assert_eq!(world.wire.sightings(&[SECRET]), []);
}

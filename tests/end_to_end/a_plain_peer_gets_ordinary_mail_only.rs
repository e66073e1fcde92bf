//! A peer without TLS: what nobody protects goes in clear and is counted, what is clinical waits.

use crate::lab::peers::Behaviour;
use crate::world::{self, NUMBER, SECRET, Setup, World};

const CLEAR: &str = "mailward_cleartext_messages_total{class=\"none\",direction=\"outbound\"}";

#[test]
fn ordinary_goes_in_clear_and_is_counted_and_clinical_waits() {
    let world = World::new(2);
    let peer = world.mx(10, "partner.example", Behaviour::default());
    let gateway = world.gateway(&Setup::default());
    assert_eq!(gateway.metric(CLEAR), 0.0);
    gateway.send(&["b@partner.example"], &world::clinical("letter"));
    gateway.send(&["b@partner.example"], &world::ordinary("car park"));
    let got = &peer.wait_for(1)[0];
    assert!(!got.tls && got.text().contains("car park"));
    let row = gateway.waits_for("tls-not-offered");
    assert_eq!(row["require"], "verified");
    assert_eq!(row["classes"], serde_json::json!(["clinical"]));
    assert_eq!(row["state"], "deferred");
    crate::lab::until(|| (gateway.metric(CLEAR) == 1.0).then_some(())).unwrap();
    assert_eq!(gateway.metric("mailward_kept_from_cleartext_total"), 1.0);
    assert_eq!(gateway.metric("mailward_cleartext_messages_total{class=\"clinical\",direction=\"outbound\"}"), 0.0);
    assert_eq!(peer.received().len(), 1);
    assert_eq!(world.wire.sightings(&[NUMBER, SECRET]), []);
    assert_eq!(world.wire.sightings(&["The car park is closed"]).len(), 1, "the tap sees what is in clear");
}

//! At `any`, TLS that is offered and fails twice at every host: ordinary mail goes without it and is counted; mail in a class
//! waits; a host whose TLS works, or that is down, keeps everything out of clear text.

use crate::lab::peers::{Answer, Behaviour, Then, Tls};
use crate::lab::until;
use crate::world::{self, NUMBER, SECRET, Setup, World, without_received};

/// Clinical mail is in its class everywhere, and needs TLS towards the partner only.
const POLICY: &str = r#"
[group.partner]
domains = ["partner.example"]

[class.clinical]
threshold = 10
[class.clinical.score]
nhs-number = 10

[rule.clinical-to-partner]
direction = "outbound"
when = { content = ["clinical"], to = ["@partner"] }
require = "encrypted"
wait = "1h"
otherwise = "hold"

[rule.partner-encrypted]
direction = "outbound"
when = { to = ["@partner"] }
require = "encrypted"
wait = "1h"
otherwise = "hold"
"#;

fn setup() -> Setup<'static> {
    Setup { policy: POLICY, more: "[queue]\nretry = [\"1h\"]", ..Setup::default() }
}

const COUNTED: &str = "mailward_cleartext_after_failed_tls_total";

#[test]
fn ordinary_mail_goes_without_it_and_clinical_mail_waits() {
    let world = World::new(106);
    let peer = world.mx(10, "other.example", Behaviour { tls: Tls::ClosesAfter220, ..Behaviour::default() });
    let gateway = world.gateway(&setup());
    assert_eq!(gateway.metric(COUNTED), 0.0);
    let message = world::ordinary("car park");
    gateway.send(&["a@other.example"], &message);
    let got = peer.wait_for(1).remove(0);
    assert_eq!(without_received(&got.message), message.as_bytes());
    assert!(!got.tls && got.session_number >= 3, "two handshakes come first: {got:?}");
    gateway.send(&["b@other.example"], &world::clinical("letter"));
    let row = gateway.waits_for("tls-reset");
    assert_eq!((&row["classes"][0], &row["require"]), (&"clinical".into(), &"any".into()));
    // The next ordinary message pays for no handshake, and passes the one that waits.
    gateway.send(&["c@other.example"], &world::ordinary("another"));
    peer.wait_for(2);
    assert!(until(|| (gateway.queue().len() == 1).then_some(())).is_some(), "{:?}", gateway.queue());
    let counted = until(|| (gateway.metric(COUNTED) == 2.0).then_some(()));
    assert!(counted.is_some(), "{}", gateway.metric(COUNTED));
    assert_eq!(gateway.metric("mailward_kept_from_cleartext_total"), 1.0);
    assert_eq!(gateway.metric("mailward_cleartext_messages_total{class=\"clinical\",direction=\"outbound\"}"), 0.0);
    assert_eq!(gateway.metric("mailward_cleartext_messages_total{class=\"none\",direction=\"outbound\"}"), 2.0);
    assert_eq!(world.wire.sightings(&[NUMBER, SECRET]), []);
}

#[test]
fn what_a_rule_wants_encrypted_waits_whatever_fails() {
    let world = World::new(106);
    let peer = world.mx(11, "partner.example", Behaviour { tls: Tls::Refuses, ..Behaviour::default() });
    let gateway = world.gateway(&setup());
    gateway.send(&["a@partner.example"], &world::ordinary("car park"));
    gateway.waits_for("tls-refused");
    gateway.send(&["b@partner.example"], &world::clinical("letter"));
    assert!(
        until(|| (gateway.queue().iter().filter(|r| r["reason"] == "tls-refused").count() == 2).then_some(()))
            .is_some()
    );
    assert_eq!((peer.dots(), peer.received().len()), (0, 0));
    assert_eq!(gateway.metric(COUNTED), 0.0);
    assert_eq!(world.wire.sightings(&[NUMBER, SECRET]), []);
}

#[test]
fn a_handshake_that_works_at_the_second_trial_is_used() {
    let world = World::new(106);
    let leaf = crate::lab::ca::self_signed(&["mx.once.example"]);
    let once = Answer { sessions: 1, ..Answer::new("STARTTLS", "220 2.0.0 go\r\n", Then::Close) };
    let behaviour = Behaviour { tls: Tls::Shows(leaf), answers: vec![once], ..Behaviour::default() };
    let peer = world.mx(12, "once.example", behaviour);
    let gateway = world.gateway(&setup());
    for subject in ["first", "second"] {
        gateway.send(&["a@once.example"], &world::ordinary(subject));
    }
    assert!(peer.wait_for(2).iter().all(|m| m.tls));
    assert_eq!(gateway.metric(COUNTED), 0.0);
    assert_eq!(world.wire.sightings(&["car park is closed"]), []);
}

#[test]
fn while_one_host_is_down_nothing_is_uncovered() {
    let world = World::new(106);
    world.names.mx("half.example", &[(10, "one.half.example"), (20, "two.half.example")]);
    world.names.address_of("one.half.example", world.ip(13)).address_of("two.half.example", world.ip(14));
    let peer = world.peer(13, "one.half.example", Behaviour { tls: Tls::ClosesAfter220, ..Behaviour::default() });
    let gateway = world.gateway(&setup());
    gateway.send(&["a@half.example"], &world::ordinary("car park"));
    gateway.waits_for("connection-refused");
    assert!(peer.sessions() > 0 && peer.dots() == 0);
    assert_eq!(gateway.metric(COUNTED), 0.0);
}

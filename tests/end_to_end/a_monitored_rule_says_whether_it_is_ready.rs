//! A rule is watched before it is put in force: what it would have stopped or kept waiting is told from the records.

use crate::lab::ca::self_signed;
use crate::lab::peers::{Behaviour, Tls};
use crate::world::{self, Gateway, POLICY, Setup, World};
use serde_json::Value;

const WATCHED: &str = r#"
[rule.everything-verified]
direction = "outbound"
require = "verified"
mode = "monitor"
until = 2037-01-05
[rule.no-agendas]
direction = "outbound"
when = { subject-tag = ["agenda"] }
refuse = "No agendas"
mode = "monitor"
until = 2037-01-05
[rule.never]
direction = "outbound"
when = { to = ["nobody.example"] }
require = "encrypted"
mode = "monitor"
until = 2037-01-05
"#;

fn readiness(gateway: &Gateway) -> (bool, Vec<Value>) {
    let output = gateway.cli(&["policy", "readiness", "--json"]);
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    (output.status.success(), told["rules"].as_array().unwrap().clone())
}

#[test]
fn each_recipient_is_counted_by_what_the_rule_would_have_done() {
    let world = World::new(151);
    let shows = |leaf| Behaviour { tls: Tls::Shows(leaf), ..Behaviour::default() };
    let weak = world.mx(10, "weak.example", shows(self_signed(&["mx.weak.example"])));
    let good = world.mx(11, "partner.example", shows(world.ca.good(&["mx.partner.example"])));
    let policy = format!("{POLICY}{WATCHED}");
    let mut gateway = world.gateway(&Setup { policy: &policy, ..Setup::default() });
    let waits = gateway.send(&["b@weak.example"], &world::ordinary("car park"));
    gateway.send(&["b@partner.example"], &world::ordinary("car park"));
    gateway.send(&["b@partner.example"], &world::ordinary("agenda"));
    weak.wait_for(1);
    good.wait_for(2);
    gateway.wait_until_empty();

    let (ready, rules) = readiness(&gateway);
    let of = |name: &str| rules.iter().find(|rule| rule["name"] == name).unwrap();
    let verified = of("everything-verified");
    assert!(!ready);
    assert_eq!(
        [&verified["matched"], &verified["unchanged"], &verified["waited"], &verified["open"]],
        [3, 2, 1, 0],
        "{verified}"
    );
    assert_eq!((&verified["domains"][0][0], &verified["examples"][0]), (&"weak.example".into(), &waits.clone().into()));
    assert_eq!([&of("no-agendas")["matched"], &of("no-agendas")["stopped"]], [1, 1]);
    assert_eq!((&of("never")["matched"], &of("never")["ready"]), (&0.into(), &false.into()));
    let output = gateway.cli(&["policy", "readiness", "--rule", "everything-verified"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains("everything-verified: not ready") && text.contains("kept waiting 1") && text.contains(&waits),
        "{text}"
    );

    // The same from the records of a stopped gateway.
    gateway.terminate();
    gateway.wait_for_end();
    assert_eq!(readiness(&gateway).1, rules);
}

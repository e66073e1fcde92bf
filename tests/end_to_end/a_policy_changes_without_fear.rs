//! Reload, lowering, rollback: what is wrong or lower is never in force by itself, and new mail is judged by one policy only.

use crate::lab::ca::self_signed;
use crate::lab::peers::{Behaviour, Tls};
use crate::lab::until;
use crate::world::{self, Gateway, POLICY, SECRET, Setup, World};
use serde_json::Value;

fn said(gateway: &Gateway, command: &[&str]) -> (bool, String) {
    let output = gateway.cli(command);
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    (output.status.success(), text)
}

fn hash(gateway: &Gateway) -> String {
    let status: Value = serde_json::from_slice(&gateway.cli(&["status", "--json"]).stdout).unwrap();
    status["policy_hash"].as_str().unwrap().to_owned()
}

const ENCRYPTED: &str =
    "\n[rule.everything-encrypted]\ndirection = \"outbound\"\nrequire = \"encrypted\"\nwait = \"1h\"\n";

#[test]
fn a_stricter_policy_is_taken_and_what_is_wrong_is_not() {
    let world = World::new(146);
    let peer = world.mx(10, "partner.example", Behaviour::default());
    let gateway = world.gateway(&Setup::default());
    let first = hash(&gateway);
    gateway.send(&["b@partner.example"], &world::ordinary("car park"));
    peer.wait_for(1);

    gateway.policy_file("more.toml", &ENCRYPTED.replace("outbound", "outbond"));
    let (taken, text) = said(&gateway, &["reload"]);
    assert!(!taken && text.contains("more.toml:3:13") && text.contains("did you mean `outbound`?"), "{text}");
    assert!(text.contains("the policy in force stays"), "{text}");
    assert_eq!((hash(&gateway), gateway.metric("mailward_policy_reload_success")), (first.clone(), 0.0));

    gateway.policy_file("more.toml", ENCRYPTED);
    let (taken, text) = said(&gateway, &["reload"]);
    assert!(taken && text.contains("in force: ") && text.contains(&first), "{text}");
    let second = hash(&gateway);
    assert_ne!(first, second);
    assert_eq!(gateway.metric("mailward_policy_reload_success"), 1.0);
    assert_eq!(gateway.metric(&format!("mailward_policy_info{{hash=\"{second}\"}}")), 1.0);
    // The peer has no TLS: what went before waits now.
    gateway.send(&["b@partner.example"], &world::ordinary("second"));
    gateway.waits_for("tls-not-offered");
    assert_eq!(peer.dots(), 1);
    assert!(said(&gateway, &["reload"]).1.contains("in force already"));
}

#[test]
fn what_lowers_is_shown_and_waits_for_a_person() {
    let world = World::new(147);
    let shows = Behaviour { tls: Tls::Shows(self_signed(&["mx.partner.example"])), ..Behaviour::default() };
    let peer = world.mx(10, "partner.example", shows);
    let mut gateway = world.gateway(&Setup { more: "[queue]\nretry = [\"1s\"]", ..Setup::default() });
    gateway.send(&["b@partner.example"], &world::clinical("letter"));
    gateway.waits_for("certificate-self-signed");
    let before = hash(&gateway);

    gateway.policy_file("policy.toml", &POLICY.replace("\"verified\"", "\"encrypted\""));
    let (taken, text) = said(&gateway, &["reload"]);
    assert!(!taken && text.contains("rule `clinical-verified` (policy.toml:11) asks for less"), "{text}");
    assert!(text.contains("--accept-lowering"), "{text}");
    gateway.signal("HUP");
    until(|| gateway.log().matches("and is not taken").nth(1).map(|_| ())).unwrap();
    assert_eq!((hash(&gateway), peer.dots()), (before.clone(), 0));

    // A restart is no way round it.
    gateway.terminate();
    gateway.wait_for_end();
    gateway.start();
    assert_eq!(hash(&gateway), before);
    assert!(gateway.log().contains("lowers and was not accepted"));

    // A reason that speaks of a patient is none.
    let accept = |why: &str| said(&gateway, &["reload", "--accept-lowering", why, "--by", "J. Smith"]);
    let (taken, text) = accept("NHS number 943 476 5919 waits");
    assert!(!taken && text.contains("seems to speak of a patient"), "{text}");
    let (taken, text) = accept("Their certificate expired, IG-1");
    assert!(taken && text.contains("lowered: rule `clinical-verified`"), "{text}");
    assert_ne!(hash(&gateway), before);

    // What was kept with the message still holds: a rule that asks for less lowers nothing that waits.
    gateway.cli(&["queue", "retry", "--yes"]);
    let new = gateway.send(&["b@partner.example"], &world::clinical("second letter"));
    let got = peer.wait_for(1);
    assert!(got[0].tls && got[0].text().contains("second letter"), "{new}");
    until(|| (gateway.queue().len() == 1).then_some(())).unwrap();
    assert_eq!(world.wire.sightings(&[SECRET]), []);
}

#[test]
fn an_exception_that_is_accepted_lets_what_waits_go_without_a_restart() {
    let world = World::new(148);
    let shows = Behaviour { tls: Tls::Shows(self_signed(&["mx.partner.example"])), ..Behaviour::default() };
    let peer = world.mx(10, "partner.example", shows);
    let gateway = world.gateway(&Setup { more: "[queue]\nretry = [\"1s\"]", ..Setup::default() });
    gateway.send(&["b@partner.example"], &world::clinical("letter"));
    gateway.waits_for("certificate-self-signed");
    let exception = "[exception.certificate]\nrules = [\"clinical-verified\"]\nwhen = { to = [\"partner.example\"] }\n\
                     require = \"encrypted\"\nuntil = 2037-01-05\nreason = \"IG-1\"\napproved-by = \"Caldicott Guardian\"\n";
    gateway.policy_file("exceptions.toml", exception);
    let (taken, text) = said(&gateway, &["reload"]);
    assert!(!taken && text.contains("exception `certificate` (exceptions.toml:1) is new: until 2037-01-05"), "{text}");
    assert!(said(&gateway, &["reload", "--accept-lowering", "IG-1", "--by", "J. Smith"]).0);
    assert!(peer.wait_for(1)[0].text().contains(SECRET));
    gateway.wait_until_empty();

    // Back again: stricter, so nobody is asked; and the next letter waits.
    let (taken, text) = said(&gateway, &["rollback"]);
    assert!(taken, "{text}");
    gateway.send(&["b@partner.example"], &world::clinical("second letter"));
    gateway.waits_for("certificate-self-signed");
    assert_eq!((peer.dots(), world.wire.sightings(&[SECRET])), (1, Vec::new()));
}

#[test]
fn what_was_rolled_back_stays_back_and_the_last_good_policy_outlives_bad_files() {
    let world = World::new(149);
    world.mx(10, "partner.example", Behaviour::default());
    let mut gateway = world.gateway(&Setup::default());
    let first = hash(&gateway);
    assert!(said(&gateway, &["rollback"]).1.contains("there is no policy before this one"));
    gateway.policy_file("more.toml", ENCRYPTED);
    assert!(said(&gateway, &["reload"]).0);
    let (taken, text) = said(&gateway, &["rollback"]);
    assert!(!taken && text.contains("rule `everything-encrypted` (more.toml:2) is gone"), "{text}");
    assert!(said(&gateway, &["rollback", "--accept-lowering", "it stops the fax gateway", "--by", "J. Smith"]).0);
    assert_eq!(hash(&gateway), first);

    // The files still say what was rolled back: a restart does not take them, a reload does.
    gateway.restart_with("more.toml", ENCRYPTED);
    assert_eq!(hash(&gateway), first);
    assert!(gateway.log().contains("was rolled back"));
    assert!(said(&gateway, &["reload"]).0);
    let second = hash(&gateway);
    assert_ne!(second, first);

    gateway.restart_with("more.toml", "[rule.broken\n");
    assert_eq!((hash(&gateway), gateway.metric("mailward_policy_reload_success")), (second, 0.0));
    assert!(gateway.log().contains("cannot be used, and the last good one is in force"));
}

#[test]
fn changed_files_are_told_and_taken_only_where_that_is_wanted() {
    let world = World::new(150);
    world.mx(10, "partner.example", Behaviour::default());
    let gateway = world.gateway(&Setup::default());
    let first = hash(&gateway);
    gateway.policy_file("more.toml", ENCRYPTED);
    until(|| gateway.log().contains("have changed, are good, and are not in force").then_some(())).unwrap();
    gateway.policy_file("more.toml", "[rule.half");
    until(|| gateway.log().contains("have changed, and cannot be used").then_some(())).unwrap();
    assert_eq!(hash(&gateway), first);

    let by_itself = format!("[policy]\nreload-on-change = true\n{ENCRYPTED}");
    gateway.policy_file("more.toml", &by_itself);
    assert!(said(&gateway, &["reload"]).0);
    let second = hash(&gateway);
    gateway.policy_file("more.toml", &by_itself.replace("\"1h\"", "\"30m\""));
    until(|| (hash(&gateway) != second).then_some(())).unwrap();
    // What lowers is not taken by itself.
    let third = hash(&gateway);
    gateway.policy_file("more.toml", "[policy]\nreload-on-change = true\n");
    until(|| gateway.log().contains("rule `everything-encrypted` (more.toml:4) is gone").then_some(())).unwrap();
    assert_eq!(hash(&gateway), third);
}

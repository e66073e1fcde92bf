//! `queue hold|release|reroute|bounce`: what people decide about mail that waits is done, once, and survives a kill.

use crate::lab::peers::{Behaviour, Peer, Tls};
use crate::lab::until;
use crate::world::{self, Gateway, POLICY, SECRET, Setup, World};
use serde_json::{Value, json};

const SOON: &str = "[queue]\nretry = [\"1s\"]";
const WHO: [&str; 4] = ["--because", "INC-4711", "--by", "A. Admin"];

/// Says 451 to every message.
fn puts_off() -> Behaviour {
    Behaviour { defers: usize::MAX, ..Behaviour::default() }
}

/// A command of `queue`, agreed to, with who and why.
fn queue(gateway: &Gateway, words: &[&str]) -> Value {
    gateway.json(&[&["queue"], words, &WHO, &["--yes", "--json"]].concat())
}

fn row_of(gateway: &Gateway, id: &str) -> Option<Value> {
    gateway.queue().into_iter().find(|row| row["id"] == id)
}

fn waits(gateway: &Gateway, id: &str, reason: &str) {
    let waits = || row_of(gateway, id).filter(|row| row["reason"] == reason);
    assert!(until(waits).is_some(), "{id} does not wait for {reason}: {:?}\n{}", gateway.queue(), gateway.log());
}

/// Sends a message and sees it arrive: whatever was due by then has had its chance.
fn arrives(gateway: &Gateway, peer: &Peer, subject: &str) {
    let before = peer.received().len();
    gateway.send(&["b@partner.example"], &world::ordinary(subject));
    let got = peer.wait_for(before + 1);
    assert!(got.last().unwrap().text().contains(subject), "something else came than {subject}");
}

#[test]
fn what_is_held_waits_for_its_release_and_leaves_once() {
    let world = World::new(115);
    let peer = world.mx(10, "partner.example", puts_off());
    let mut gateway = world.gateway(&Setup { more: SOON, ..Setup::default() });
    let id = gateway.send(&["b@partner.example"], &world::ordinary("kept back"));
    gateway.waits_for("message-deferred");
    let held = queue(&gateway, &["hold", "--to-domain", "partner.example"]);
    assert_eq!((&held["held"], &held["recipients"]), (&json!(1), &json!(1)), "{held}");
    let row = row_of(&gateway, &id).unwrap();
    assert_eq!((&row["state"], &row["reason"]), (&json!("held"), &json!("held-by-operator")), "{row}");
    assert!(gateway.log().contains("\"message\":\"operator\""), "a kill may take the last lines with it");
    gateway.kill();
    peer.becomes(Behaviour::default());
    gateway.start();
    arrives(&gateway, &peer, "one");
    arrives(&gateway, &peer, "two");
    assert_eq!(queue(&gateway, &["hold", &id])["left_alone"], json!({ "already-so": 1 }));
    let last = row_of(&gateway, &id).unwrap();
    assert_eq!(last["host"], row["host"], "where the last attempt ended is not forgotten: {last}");
    assert!(last["host"].is_string(), "{last}");
    let retried = gateway.json(&["queue", "retry", &id, "--yes", "--json"]);
    assert_eq!(retried["retried"], 0, "only a release ends it");
    arrives(&gateway, &peer, "three");
    let released = queue(&gateway, &["release", "--reason", "held-by-operator"]);
    assert_eq!(released["released"], 1, "{released}");
    let all = peer.wait_for(4);
    assert!(all[3].text().contains("kept back"));
    gateway.wait_until_empty();
    assert_eq!(peer.received().len(), 4);
    let life = gateway.json(&["trace", &id, "--json"]);
    let verbs: Vec<&Value> = life[0]["actions"].as_array().unwrap().iter().map(|a| &a["verb"]).collect();
    assert_eq!(verbs, ["hold", "release"]);
    assert_eq!(life[0]["actions"][0]["by"], "A. Admin");
    assert_eq!(life[0]["actions"][0]["selection"]["to_domain"], "partner.example");
    let log = gateway.log();
    assert!(!log.contains("the operators"), "an operator's hold is no link: {log}");
    assert_eq!(log.matches("an operator's order changed nothing").count(), 1, "the second hold: {log}");
    assert_eq!(log.matches("\"message\":\"operator\"").count(), 2, "what is on record: {log}");
}

#[test]
fn released_in_clear_reaches_a_plain_peer_for_those_recipients_only() {
    let world = World::new(116);
    let peer = world.mx(10, "partner.example", puts_off());
    let other = world.mx(11, "other.example", Behaviour::default());
    let mut gateway = world.gateway(&Setup { more: SOON, ..Setup::default() });
    let id = gateway.send(&["b@partner.example", "c@other.example"], &world::clinical("letter"));
    let unreleased = gateway.send(&["b@partner.example"], &world::clinical("another letter"));
    for id in [&id, &unreleased] {
        waits(&gateway, id, "tls-not-offered");
    }
    let words = ["release", &id, "--to-domain", "partner.example", "--in-clear"];
    let refused = gateway.cli(&[&["queue"], &words[..], &["--yes"]].concat());
    assert_eq!(refused.status.code(), Some(2), "without a name and a reason: {refused:?}");
    let patient = gateway.cli(
        &[&["queue"], &words[..], &["--yes", "--by", "A. Admin", "--because", "NHS number 943 476 5919"]].concat(),
    );
    assert_eq!(patient.status.code(), Some(1), "{patient:?}");
    let released = queue(&gateway, &words);
    assert_eq!(
        (&released["released"], &released["recipients"], &released["lowered"]),
        (&json!(1), &json!(1), &json!(1))
    );
    assert_eq!(gateway.metric("mailward_released_in_clear_total"), 1.0);
    until(|| (peer.dots() > 0).then_some(())).expect("it is attempted");
    gateway.kill();
    peer.becomes(Behaviour::default());
    gateway.start();
    let got = peer.wait_for(1);
    assert_eq!(got[0].recipients, ["b@partner.example"]);
    assert!(!got[0].tls && got[0].text().contains("Subject: letter"));
    until(|| row_of(&gateway, &id).filter(|row| row["recipients"] == json!(["c@other.example"]))).unwrap();
    assert_eq!(gateway.metric("mailward_cleartext_messages_total{class=\"clinical\",direction=\"outbound\"}"), 1.0);
    // What was not released has its chance beside it.
    gateway.json(&["queue", "retry", "--yes", "--json"]);
    arrives(&gateway, &peer, "car park");
    assert_eq!((peer.received().len(), other.dots()), (2, 0));
    let action = gateway.json(&["trace", &id, "--json"])[0]["actions"][0].clone();
    assert_eq!((&action["verb"], &action["lowered_from"]), (&json!("release-in-clear"), &json!(["verified"])));
    assert_eq!((&action["because"], &action["recipients"]), (&json!("INC-4711"), &json!(["b@partner.example"])));
    assert!(action["uid"].is_u64() && action["at"].is_string(), "{action}");
    assert!(!gateway.log().contains("4711") && gateway.log().contains("INC-####"));
    let crossed = world.wire.sightings(&[SECRET]);
    assert!(!crossed.is_empty(), "the wire saw what was released");
}

#[test]
fn what_is_rerouted_goes_the_new_way_and_needs_there_what_it_needed() {
    let world = World::new(117);
    let dead = world.mx(10, "partner.example", puts_off());
    let tls = || Tls::Shows(world.ca.good(&["hub.example"]));
    let hub = world.peer(11, "hub.example", Behaviour { tls: tls(), ..puts_off() });
    world.names.address_of("hub.example", world.ip(11));
    let relay = |name: &str, promised: &str| {
        let port = world.port;
        format!(
            "[relay.{name}]\nhosts = [\"hub.example:{port}\"]\nrequire = \"verified\"\nnames = [\"hub.example\"]\n{promised}\n"
        )
    };
    let more = [
        relay("hub", "onward = \"verified\"\ncarries = [\"clinical\"]"),
        relay("bare", "onward = \"verified\""),
        SOON.to_owned(),
    ]
    .concat();
    let mut gateway = world.gateway(&Setup { more: &more, ..Setup::default() });
    let id = gateway.send(&["b@partner.example"], &world::clinical("letter"));
    waits(&gateway, &id, "tls-not-offered");
    let unknown = gateway.cli(&["queue", "reroute", &id, "--to", "relay:hob", "--yes"]);
    assert_eq!(unknown.status.code(), Some(1));
    let said = String::from_utf8_lossy(&unknown.stderr).into_owned();
    assert!(said.contains("no relay `hob`") && said.contains("known are: bare, hub"), "{said}");
    let left = queue(&gateway, &["reroute", &id, "--to", "relay:bare"]);
    assert_eq!((&left["rerouted"], &left["left_alone"]), (&json!(0), &json!({ "relay-not-allowed-for-class": 1 })));
    assert_eq!(queue(&gateway, &["reroute", &id, "--to", "site:trust"])["left_alone"], json!({ "foreign-domain": 1 }));
    assert_eq!(queue(&gateway, &["reroute", &id, "--to", "relay:hub"])["rerouted"], 1);
    until(|| (hub.dots() > 0).then_some(())).expect("the hub is tried");
    gateway.kill();
    hub.becomes(Behaviour { tls: tls(), ..Behaviour::default() });
    gateway.start();
    let got = hub.wait_for(1);
    assert!(got[0].tls && got[0].text().contains(SECRET));
    gateway.wait_until_empty();
    assert_eq!(dead.dots(), 0);
    assert_eq!(world.wire.sightings(&[SECRET]), []);
}

#[test]
fn what_is_bounced_is_reported_once_and_what_is_being_attempted_is_finished_first() {
    let world = World::new(118);
    let exchange = world.exchange();
    let gate = crate::lab::peers::Gate::default();
    let peer =
        world.mx(10, "partner.example", Behaviour { gate: Some(gate.clone()), defers: 1, ..Behaviour::default() });
    let mut gateway = world.gateway(&Setup { more: SOON, ..Setup::default() });
    let id = gateway.send(&["b@partner.example"], &world::ordinary("wrong list"));
    until(|| (peer.dots() == 1).then_some(())).expect("it is being attempted");
    let held = queue(&gateway, &["hold", &id]);
    assert_eq!((&held["held"], &held["being_attempted"]), (&json!(1), &json!(1)), "{held}");
    gate.open();
    arrives(&gateway, &peer, "car park");
    waits(&gateway, &id, "held-by-operator");
    assert_eq!(peer.dots(), 2, "the attempt ended, and there was no other");

    let bounced = queue(&gateway, &["bounce", &id]);
    assert_eq!(bounced["bounced"], 1, "{bounced}");
    gateway.kill();
    gateway.start();
    let told = exchange.wait_for(1);
    let text = told[0].text();
    assert_eq!(told[0].recipients, [world::DOCTOR]);
    assert!(text.contains("X-Mailward-Reason: ended-by-operator") && text.contains("Status: 5.3.0"), "{text}");
    assert!(text.contains(&id) && !text.contains("4711") && !text.contains("A. Admin"), "{text}");
    gateway.wait_until_empty();
    let life = gateway.json(&["trace", &id, "--json"]);
    assert_eq!(life[0]["endings"][0]["reason"], "ended-by-operator");

    // Nobody sent it: the site's duty is told, and nobody else.
    peer.becomes(puts_off());
    let mut client = gateway.session();
    let reply = client.send("", &["b@partner.example"], world::ordinary("nobody's").as_bytes()).unwrap();
    let nobodys = world::queued_as(&reply.text);
    waits(&gateway, &nobodys, "message-deferred");
    assert_eq!(queue(&gateway, &["bounce", &nobodys])["bounced"], 1);
    let told = exchange.wait_for(2);
    assert_eq!(told[1].recipients, ["duty@trust.example"]);
    gateway.wait_until_empty();
    assert_eq!((exchange.received().len(), peer.received().len()), (2, 1));
}

const SEALED: &str = r#"
[rule.sealed]
direction = "outbound"
when = { to = ["sealed.example"] }
require = "sealed"
otherwise = "hold"
"#;

#[test]
fn a_filter_chooses_by_domain_rule_class_and_reason_and_never_lowers_what_is_sealed() {
    let world = World::new(119);
    let plain = world.mx(10, "partner.example", Behaviour::default());
    let sealed = world.mx(11, "sealed.example", Behaviour::default());
    let _other = world.mx(12, "other.example", puts_off());
    let exchange = world.exchange();
    let policy = format!("{POLICY}{SEALED}");
    let mut gateway = world.gateway(&Setup { policy: &policy, ..Setup::default() });
    let letter = gateway.send(&["b@partner.example"], &world::clinical("letter"));
    let closed = gateway.send(&["b@sealed.example"], &world::ordinary("closed"));
    let late = gateway.send(&["b@other.example"], &world::ordinary("late"));
    waits(&gateway, &letter, "tls-not-offered");
    waits(&gateway, &closed, "sealing-not-possible");
    waits(&gateway, &late, "message-deferred");
    let chosen = |filter: [&str; 2]| {
        let held = queue(&gateway, &["hold", filter[0], filter[1]]);
        let now: Vec<String> = gateway
            .queue()
            .iter()
            .filter(|row| row["reason"] == "held-by-operator")
            .map(|row| row["id"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(held["held"], now.len(), "{filter:?}: {held}");
        let released = queue(&gateway, &["release", "--all"]);
        assert_eq!(released["released"], now.len(), "{released}");
        now
    };
    assert_eq!(chosen(["--to-domain", "partner.example"]), std::slice::from_ref(&letter));
    assert_eq!(chosen(["--rule", "sealed"]), std::slice::from_ref(&closed));
    assert_eq!(chosen(["--class", "clinical"]), std::slice::from_ref(&letter));
    waits(&gateway, &late, "message-deferred");
    assert_eq!(chosen(["--reason", "message-deferred"]), std::slice::from_ref(&late));
    assert_eq!(gateway.cli(&["queue", "bounce", "--yes"]).status.code(), Some(2), "nothing was chosen");

    let all = queue(&gateway, &["release", "--rule", "sealed", "--in-clear"]);
    assert_eq!((&all["released"], &all["left_alone"]), (&json!(0), &json!({ "sealed-only-by-id": 1 })));
    assert_eq!(gateway.metric("mailward_released_in_clear_total"), 0.0);
    assert_eq!(queue(&gateway, &["release", &closed, "--in-clear"])["released"], 1);
    assert!(sealed.wait_for(1)[0].text().contains("Subject: closed"));
    assert_eq!((plain.dots(), gateway.metric("mailward_released_in_clear_total")), (0, 1.0));

    // Minutes before its next attempt, and with a kill behind the command.
    waits(&gateway, &late, "message-deferred");
    assert_eq!(queue(&gateway, &["bounce", &late])["bounced"], 1);
    gateway.kill();
    gateway.start();
    let ended = || exchange.received().iter().filter(|n| n.text().contains("ended-by-operator")).count();
    until(|| (ended() > 0).then_some(())).expect("its sender is told now");
    until(|| row_of(&gateway, &late).is_none().then_some(())).expect("it left");
    assert_eq!(ended(), 1);
}

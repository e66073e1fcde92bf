//! A reload takes gateway.toml with the policy: sites, relays and times. What lowers waits for a person, what needs a restart and
//! what is wrong changes nothing, and a transaction keeps what it began with.

use crate::lab::client::Client;
use crate::lab::peers::{Behaviour, Gate};
use crate::lab::until;
use crate::world::{self, DOCTOR, Gateway, Setup, World};
use std::fs;

fn said(gateway: &Gateway, command: &[&str]) -> (bool, String) {
    let output = gateway.cli(command);
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    (output.status.success(), text)
}

fn edit(gateway: &Gateway, typed: &str, instead: &str) {
    let text = fs::read_to_string(gateway.config()).unwrap();
    assert!(text.contains(typed), "{typed} is not in\n{text}");
    fs::write(gateway.config(), text.replacen(typed, instead, 1)).unwrap();
}

fn mail(client: &mut Client) -> u16 {
    client.say(&format!("MAIL FROM:<{DOCTOR}>")).unwrap().code
}

#[test]
fn who_may_send_changes_at_the_next_mail_and_growing_waits_for_a_person() {
    let world = World::new(198);
    let peer = world.mx(10, "partner.example", Behaviour::default());
    let gateway = world.gateway(&Setup::default());
    let newcomer = world.ip(31);
    let mut session = gateway.stranger(newcomer, gateway.door);
    assert_eq!(mail(&mut session), 450, "in no site's network");

    let own = format!("\"{}\"]", world.ip(world::OWN));
    edit(&gateway, &own, &format!("\"{}\", \"{newcomer}\"]", world.ip(world::OWN)));
    let (taken, text) = said(&gateway, &["reload"]);
    assert!(!taken && text.contains(&format!("site `trust` lets clients in {newcomer}/32 send as it")), "{text}");
    assert_eq!(mail(&mut session), 450);
    // The policy that is in force is not set aside for what gateway.toml lowers.
    assert!(
        !fs::read_to_string(gateway.folder.path().join("data/policies.json")).unwrap().contains("\"set_aside\":[\"")
    );
    let (taken, text) = said(&gateway, &["reload", "--accept-lowering", "a new scanner, IG-9", "--by", "J. Smith"]);
    assert!(taken && text.contains("gateway.toml: what has changed is in force"), "{text}");

    // The same session, its next transaction; and the other way round: what began goes on to its end.
    assert_eq!(mail(&mut session), 250);
    assert_eq!(session.say("RCPT TO:<b@partner.example>").unwrap().code, 250);
    edit(&gateway, &format!(", \"{newcomer}\"]"), "]");
    assert!(said(&gateway, &["reload"]).0, "who may send less is nobody's loss");
    assert_eq!(session.say("DATA").unwrap().code, 354);
    session.message(world::ordinary("scan").as_bytes()).unwrap();
    assert_eq!(session.reply().unwrap().code, 250);
    assert_eq!(mail(&mut session), 450);
    peer.wait_for(1);

    // A leg that has to be encrypted from now on.
    let mut clear = gateway.clear_session();
    assert_eq!(clear.say("EHLO exchange").unwrap().code, 250);
    edit(&gateway, "require = \"any\"", "require = \"encrypted\"");
    assert!(said(&gateway, &["reload"]).0);
    let reply = clear.say(&format!("MAIL FROM:<{DOCTOR}>")).unwrap();
    assert!(reply.code == 451 && reply.text.contains("4.7.0"), "{reply:?}");
}

#[test]
fn what_is_wrong_or_needs_a_restart_changes_nothing_at_all() {
    let world = World::new(199);
    let gateway = world.gateway(&Setup { more: "[queue]\nretry = [\"1s\"]", ..Setup::default() });
    let hash = || gateway.json(&["status", "--json"])["policy_hash"].clone();
    let before = hash();
    gateway.policy_file("more.toml", "[rule.all]\ndirection = \"outbound\"\nrequire = \"encrypted\"\n");
    let (right, other) = ("hostname = \"gw.trust.example\"", "hostname = \"gw2.trust.example\"");
    edit(&gateway, right, other);
    let (taken, text) = said(&gateway, &["reload"]);
    assert!(!taken && text.contains("hostname: \"gw.trust.example\" now, \"gw2.trust.example\" in the file"), "{text}");
    assert!(text.contains("nothing is changed"), "{text}");
    assert_eq!((hash(), gateway.metric("mailward_policy_reload_success")), (before.clone(), 0.0));
    edit(&gateway, other, right);

    // The commands themselves do not get past a file with a mistake; who sends a signal reads the log.
    edit(&gateway, "[queue]", "[queues]");
    let (taken, text) = said(&gateway, &["reload"]);
    assert!(!taken && text.contains("gateway.toml has no key `queues`"), "{text}");
    gateway.signal("HUP");
    until(|| gateway.log().contains("gateway.toml is not taken: error[unknown-key]").then_some(())).unwrap();
    edit(&gateway, "[queues]", "[queue]");
    assert_eq!(hash(), before);
    assert!(said(&gateway, &["reload"]).0);
    assert_ne!(hash(), before);
}

#[test]
fn what_waits_takes_the_new_way_and_the_new_time() {
    let world = World::new(200);
    let gateway = world.gateway(&Setup { more: "[queue]\nretry = [\"1s\"]", ..Setup::default() });
    // Nobody answers where its Exchange is, nor at the host of the partner.
    world.names.mx("partner.example", &[(10, "mx.partner.example")]).address_of("mx.partner.example", world.ip(10));
    let mut outside = gateway.stranger(world.ip(40), gateway.internet);
    let reply = outside.send("a@elsewhere.example", &[DOCTOR], world::ordinary("into").as_bytes()).unwrap();
    assert_eq!(reply.code, 250, "{reply:?}");
    gateway.waits_for("connection-refused");
    let second = world.peer(21, "exch02.trust.example", Behaviour::default());
    edit(
        &gateway,
        &format!("exchange = [\"{}:", world.ip(world::EXCHANGE)),
        &format!("exchange = [\"{}:", world.ip(21)),
    );
    let (taken, text) = said(&gateway, &["reload"]);
    assert!(!taken && text.contains("nothing but the address says who that is"), "{text}");
    assert!(said(&gateway, &["reload", "--accept-lowering", "a new server", "--by", "J. Smith"]).0);
    assert!(second.wait_for(1)[0].text().contains("into"));
    gateway.wait_until_empty();

    // From MX to a smarthost, in another lane; it is believed in place of the domains, so it waits for a person.
    gateway.send(&["b@partner.example"], &world::ordinary("out"));
    gateway.waits_for("connection-refused");
    let hub = world.peer(22, "hub.example", Behaviour::default());
    let relay = format!(
        "[relay.hub]\nhosts = [\"{}:{}\"]\nrequire = \"any\"\n[deliver]\nsmarthost = \"relay:hub\"\n",
        world.ip(22),
        world.port()
    );
    edit(&gateway, "[deliver]\n", &relay);
    let (taken, text) = said(&gateway, &["reload"]);
    assert!(!taken && text.contains("all outbound mail goes to the relay `hub`"), "{text}");
    let (taken, text) = said(&gateway, &["reload", "--accept-lowering", "IG-10", "--by", "J. Smith"]);
    assert!(taken, "{text}");
    assert!(hub.wait_for(1)[0].text().contains("out"));
    gateway.wait_until_empty();

    // And no longer than this.
    edit(
        &gateway,
        &format!("{}:{}\"]\nrequire = \"any\"\n[deliver]", world.ip(22), world.port()),
        &format!("{}:{}\"]\nrequire = \"any\"\n[deliver]", world.ip(23), world.port()),
    );
    edit(&gateway, "retry = [\"1s\"]", "retry = [\"1s\"]\nexpire = \"2s\"");
    let (taken, text) = said(&gateway, &["reload"]);
    assert!(!taken && text.contains("is given up after 2s instead of 2d"), "{text}");
    assert!(said(&gateway, &["reload", "--accept-lowering", "IG-10", "--by", "J. Smith"]).0);
    gateway.send(&["b@partner.example"], &world::ordinary("late"));
    let told = second.wait_for(2)[1].text();
    assert!(told.contains("X-Mailward-Reason: expired"), "{told}");
}

#[test]
fn what_is_ready_behind_a_busy_link_does_not_take_the_old_way() {
    let world = World::new(202);
    let gate = Gate::default();
    let peer = world.mx(10, "partner.example", Behaviour { gate: Some(gate.clone()), ..Behaviour::default() });
    let hub = world.peer(22, "hub.example", Behaviour::default());
    let more = format!(
        "[limits]\nlinks-per-destination = 1\n[relay.hub]\nhosts = [\"{}:{}\"]\nrequire = \"any\"",
        world.ip(22),
        world.port()
    );
    let gateway = world.gateway(&Setup { more: &more, ..Setup::default() });
    gateway.send(&["b@partner.example"], &world::ordinary("first"));
    until(|| (peer.dots() == 1).then_some(())).unwrap();
    gateway.send(&["b@partner.example"], &world::ordinary("second"));
    edit(&gateway, "allow-private = true\n", "allow-private = true\nsmarthost = \"relay:hub\"\n");
    assert!(said(&gateway, &["reload", "--accept-lowering", "IG-11", "--by", "J. Smith"]).0);
    gate.open();
    assert!(hub.wait_for(1)[0].text().contains("second"));
    gateway.wait_until_empty();
    assert_eq!((peer.dots(), hub.dots()), (1, 1));
}

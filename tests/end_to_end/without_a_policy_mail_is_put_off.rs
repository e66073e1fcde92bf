//! A start with bad files and no last good policy: the gateway runs, takes nothing, sends nothing, loses nothing, and goes on
//! when the files are mended.

use crate::lab::peers::Behaviour;
use crate::lab::until;
use crate::world::{self, DOCTOR, Gateway, POLICY, Setup, World};
use std::fs;

fn said(gateway: &Gateway, command: &[&str]) -> (bool, String) {
    let output = gateway.cli(command);
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    (output.status.success(), text)
}

/// Two mistakes, and a test that would fail.
const BAD: &str = "[rule.one]\ndirection = \"outbond\"\nrequire = \"encrypted\"\n[rule.two]\ndirection = \"outbound\"\nrequires = \"any\"\n";

#[test]
fn nothing_is_taken_until_the_files_are_mended() {
    let world = World::new(195);
    let peer = world.mx(10, "partner.example", Behaviour::default());
    let gateway = world.prepared(&Setup::default());
    gateway.policy_file("more.toml", BAD);
    let gateway = gateway.started();

    let log = gateway.log();
    assert!(log.contains("more.toml:2 ") && log.contains("more.toml:6 ") && log.contains("none is in force"), "{log}");
    let (code, why) = gateway.get("/readyz").unwrap();
    assert!(code == 503 && why.contains("no-policy") && why.contains("mailward check"), "{code} {why}");
    assert_eq!(gateway.get("/healthz").unwrap().0, 200);
    assert_eq!(gateway.metric("mailward_policy_reload_success"), 0.0);

    // Per message, in one session that goes on; a stranger hears the same.
    let mut session = gateway.session();
    for _ in 0..2 {
        let reply = session.say(&format!("MAIL FROM:<{DOCTOR}>")).unwrap();
        assert!(reply.code == 451 && reply.text.contains("4.7.10") && reply.text.contains("no policy"), "{reply:?}");
        assert_eq!(session.say("RCPT TO:<b@partner.example>").unwrap().code, 503);
        assert_eq!(session.say("RSET").unwrap().code, 250);
    }
    assert_eq!(session.say("EHLO exchange.trust.example").unwrap().code, 250);
    session.quit();
    let mut stranger = gateway.stranger(world.ip(40), gateway.internet);
    assert_eq!(stranger.say("MAIL FROM:<a@elsewhere.example>").unwrap().code, 451);
    assert_eq!(gateway.metric("mailward_refusals_total{reason=\"no-policy\"}"), 3.0);

    let (_, status) = said(&gateway, &["status"]);
    assert!(status.contains("policy      none in force"), "{status}");
    assert!(gateway.json(&["status", "--json"])["policy_hash"].is_null());
    let (good, doctor) = said(&gateway, &["doctor"]);
    assert!(!good && doctor.contains("the running gateway has no policy in force"), "{doctor}");

    let (taken, text) = said(&gateway, &["reload"]);
    assert!(!taken && text.contains("more.toml:2:13") && text.contains("still no policy in force"), "{text}");
    gateway.policy_file("more.toml", "");
    let (taken, text) = said(&gateway, &["reload"]);
    assert!(taken && text.contains("(was none)"), "{text}");
    gateway.send(&["b@partner.example"], &world::ordinary("car park"));
    assert!(peer.wait_for(1)[0].text().contains("car park"));
    assert_eq!((gateway.get("/readyz").unwrap().0, gateway.metric("mailward_policy_reload_success")), (200, 1.0));
}

#[test]
fn what_was_queued_waits_on_no_clock_and_sighup_lets_it_go() {
    let world = World::new(196);
    let more = "[queue]\nretry = [\"1s\"]\nexpire = \"1s\"";
    let mut gateway = world.gateway(&Setup { more, ..Setup::default() });
    // Nobody answers there: it would expire at one of its next attempts.
    world.names.mx("partner.example", &[(10, "mx.partner.example")]).address_of("mx.partner.example", world.ip(10));
    let id = gateway.send(&["b@partner.example"], &world::ordinary("car park"));
    gateway.kill();
    // The last good policy is lost, and the files are bad.
    fs::remove_file(gateway.folder.path().join("data/policies.json")).unwrap();
    gateway.policy_file("policy.toml", BAD);
    gateway.start();
    let row = until(|| gateway.queue().into_iter().find(|row| row["age_seconds"].as_u64() > Some(3)));
    assert_eq!(row.unwrap()["id"], id.as_str(), "older than its time, and still there");
    assert!(!gateway.log().rsplit_once("none is in force").unwrap().1.contains("no link"), "nobody was called");

    let peer = world.peer(10, "mx.partner.example", Behaviour::default());
    gateway.policy_file("policy.toml", POLICY);
    gateway.signal("HUP");
    assert!(peer.wait_for(1)[0].text().contains("car park"));
    gateway.wait_until_empty();
}

#[test]
fn changed_files_are_taken_by_themselves_where_they_ask_for_it() {
    let world = World::new(197);
    let peer = world.mx(10, "partner.example", Behaviour::default());
    let gateway = world.prepared(&Setup { policy: BAD, ..Setup::default() }).started();
    gateway.policy_file("policy.toml", POLICY);
    until(|| gateway.log().contains("are good, and are not in force").then_some(())).unwrap();
    assert_eq!(gateway.get("/readyz").unwrap().0, 503);
    gateway.policy_file("policy.toml", &format!("{POLICY}\n[policy]\nreload-on-change = true\n"));
    until(|| (gateway.get("/readyz")?.0 == 200).then_some(())).unwrap();
    gateway.send(&["b@partner.example"], &world::ordinary("car park"));
    peer.wait_for(1);
}

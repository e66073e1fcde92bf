//! `otherwise = "hold"`: kept, announced to the sender and to whom the rule names, tried on, gone by itself.

use crate::lab::ca::self_signed;
use crate::lab::peers::{Behaviour, Tls};
use crate::lab::until;
use crate::world::{self, NUMBER, POLICY, SECRET, Setup, World};
use mailward::clock::{EntryId, rfc5322_date};
use std::time::Duration;

#[test]
fn held_announced_and_gone_by_itself() {
    let world = World::new(45);
    let exchange = world.exchange();
    let shows = |leaf| Behaviour { tls: Tls::Shows(leaf), ..Behaviour::default() };
    let peer = world.mx(10, "partner.example", shows(self_signed(&["mx.partner.example"])));
    let policy = POLICY.replace("wait = \"1h\"", "wait = \"1s\"\nnotify = [\"duty-ig@trust.example\"]");
    let gateway = world.gateway(&Setup { policy: &policy, more: "[queue]\nretry = [\"1s\"]", ..Setup::default() });
    let id = gateway.send(&["b@partner.example"], &world::clinical("letter"));
    let told = exchange.wait_for(2);
    let mut readers: Vec<&str> = told.iter().map(|n| n.recipients[0].as_str()).collect();
    readers.sort_unstable();
    assert_eq!(readers, ["dr.jones@trust.example", "duty-ig@trust.example"]);
    // Five days are the default of `hold-for`; `wait` was over before the notice was written.
    let until_day = rfc5322_date(id.parse::<EntryId>().unwrap().time().plus(Duration::from_secs(5 * 86_400)));
    for notice in &told {
        let text = notice.text();
        assert!(text.contains(&format!("held until {}", &until_day[..16])), "{until_day}: {text}");
        assert!(text.contains("Held: your message") && text.contains(&id), "{text}");
        assert!(text.contains("certificate is self-signed") && text.contains("Action: delayed"), "{text}");
        assert!(!text.contains(SECRET) && !text.contains(NUMBER), "{text}");
    }
    let held = until(|| gateway.queue().into_iter().find(|row| row["state"] == "held")).unwrap();
    assert_eq!(held["reason"], "certificate-self-signed");
    until(|| (gateway.metric("mailward_queue_messages{state=\"held\"}") == 1.0).then_some(())).unwrap();
    assert_eq!(peer.dots(), 0);

    peer.becomes(shows(world.ca.good(&["mx.partner.example"])));
    let got = peer.wait_for(1);
    assert!(got[0].tls && got[0].text().contains(SECRET));
    gateway.wait_until_empty();
    assert_eq!(exchange.received().len(), 2, "nobody is told twice");
    assert_eq!(world.wire.sightings(&[SECRET]), []);
}

#[test]
fn a_rule_that_rejects_gives_up_after_its_wait() {
    let world = World::new(46);
    let exchange = world.exchange();
    let peer = world.mx(10, "partner.example", Behaviour::default());
    let policy = POLICY.replace("wait = \"1h\"", "wait = \"1s\"").replace("\"hold\"", "\"reject\"");
    let gateway = world.gateway(&Setup { policy: &policy, more: "[queue]\nretry = [\"1s\"]", ..Setup::default() });
    gateway.send(&["b@partner.example"], &world::clinical("letter"));
    let notices = exchange.wait_for(2);
    let mut readers: Vec<&str> = notices.iter().map(|n| n.recipients[0].as_str()).collect();
    readers.sort_unstable();
    assert_eq!(readers, ["dr.jones@trust.example", "duty@trust.example"], "the rule names nobody, so the duty is told");
    let told = notices[0].text();
    assert!(told.contains("X-Mailward-Reason: tls-not-offered") && told.contains("Status: 5.7.10"), "{told}");
    assert!(!told.contains("Diagnostic-Code"), "nothing is put into the mouth of a peer that said nothing: {told}");
    gateway.wait_until_empty();
    assert_eq!(peer.dots(), 0);
    assert_eq!(exchange.received().len(), 2);
}

#[test]
fn what_was_held_for_its_whole_time_says_what_it_waited_for() {
    let world = World::new(142);
    let exchange = world.exchange();
    let peer = world.mx(10, "partner.example", Behaviour::default());
    let policy = POLICY.replace("wait = \"1h\"", "wait = \"0s\"\nhold-for = \"2s\"");
    let gateway = world.gateway(&Setup { policy: &policy, more: "[queue]\nretry = [\"1s\"]", ..Setup::default() });
    let id = gateway.send(&["b@partner.example"], &world::clinical("letter"));
    let is_last = |n: &crate::lab::peers::Received| n.text().contains("Not delivered");
    let told = until(|| exchange.received().into_iter().find(is_last));
    let told = told.unwrap_or_else(|| panic!("nobody is told\n{}", gateway.log())).text();
    for words in [
        "could not be delivered in the time allowed, because the receiving server does not offer encryption.",
        "use another approved way to reach the recipient",
        "X-Mailward-Reason: expired",
        "X-Mailward-Last-Reason: tls-not-offered",
    ] {
        assert!(told.contains(words), "{words}: {told}");
    }
    assert!(!told.contains("try again later"), "{told}");
    gateway.wait_until_empty();
    let ending = &gateway.json(&["trace", &id, "--json"])[0]["endings"][0];
    assert_eq!((&ending["reason"], &ending["last_reason"]), (&"expired".into(), &"tls-not-offered".into()));
    let trace = gateway.cli(&["trace", &id]);
    assert!(String::from_utf8_lossy(&trace.stdout).contains("expired, last tls-not-offered"), "{trace:?}");
    assert!(gateway.log().contains("tls-not-offered"));
    assert_eq!(peer.dots(), 0);
}

//! REQUIRETLS (RFC 8689): over a proved link to a host that offers it, with the word passed on; else a report at once, and no octet.

use crate::lab::ca::{Leaf, self_signed};
use crate::lab::client::{Client, Reply};
use crate::lab::peers::{Behaviour, Peer, Received, Tls};
use crate::lab::signed::{Kind, SignedNames, Zone};
use crate::lab::{skipped, until};
use crate::world::{self, DOCTOR, EXCHANGE, Gateway, POLICY, Setup, World, queued_as};

const LINE: &str = "The car park is closed";
const PARTNER: &str = "partner.example";
/// The site's server keeps it too, so that reports come back as they have to.
const SITE: &str = "require = \"any\"\nrequiretls = true\nnames = [\"exchange.trust.example\"]";

fn offers(tls: Tls) -> Behaviour {
    Behaviour { tls, offers: vec!["REQUIRETLS", "DSN"], ..Behaviour::default() }
}

fn lacks(tls: Tls) -> Behaviour {
    Behaviour { tls, ..Behaviour::default() }
}

/// A certificate of the lab for the domain's one host.
fn good(world: &World, domain: &str) -> Tls {
    Tls::Shows(world.ca.good(&[&format!("mx.{domain}")]))
}

/// The site's own server, which offers it.
fn exchange(world: &World) -> Peer {
    let name = "exchange.trust.example";
    world.peer(EXCHANGE, name, offers(Tls::Shows(world.ca.good(&[name]))))
}

fn gateway(world: &World) -> Gateway {
    world.gateway(&Setup { site: SITE, more: "[queue]\nretry = [\"1h\"]", ..Setup::default() })
}

/// One message with these words behind MAIL; the reply to it.
fn transaction(client: &mut Client, mail: &str, to: &str) -> Reply {
    let replies = [format!("MAIL FROM:{mail}"), format!("RCPT TO:<{to}>")].map(|line| client.say(&line).unwrap());
    if let Some(refused) = replies.into_iter().find(|reply| reply.code != 250) {
        client.say("RSET").unwrap();
        return refused;
    }
    assert_eq!(client.say("DATA").unwrap().code, 354);
    client.message(world::ordinary("hospital 4711").as_bytes()).unwrap();
    client.reply().unwrap()
}

fn send(gateway: &Gateway, to: &str) -> String {
    let mut client = gateway.session();
    let reply = transaction(&mut client, &format!("<{DOCTOR}> RET=FULL REQUIRETLS"), to);
    assert_eq!(reply.code, 250, "{reply:?}\n{}", gateway.log());
    queued_as(&reply.text)
}

fn asks(received: &Received) -> bool {
    received.commands[0].split(' ').any(|word| word.trim() == "REQUIRETLS")
}

/// The report that the doctor gets: as REQUIRETLS asks, with header fields only.
fn report(exchange: &Peer, status: &str, reason: &str) -> String {
    let report = exchange.wait_for(1).remove(0);
    let text = report.text();
    assert!(report.tls && asks(&report) && report.from.is_empty(), "{:?}", report.commands);
    assert!(text.contains(&format!("\r\nStatus: {status}\r\n")), "{text}");
    assert!(text.contains(&format!("\r\nX-Mailward-Reason: {reason}\r\n")) && text.contains("REQUIRETLS"), "{text}");
    assert!(text.contains("\r\nSubject: hospital ****\r\n"), "of the original a few fields: {text}");
    assert!(!text.contains(LINE) && !text.contains("message/rfc822"), "RET=FULL is disregarded: {text}");
    text
}

#[test]
fn it_is_passed_on_to_a_proved_host_that_offers_it_and_ordinary_mail_goes_as_before() {
    let world = World::new(217);
    let peer = world.mx(10, PARTNER, offers(good(&world, PARTNER)));
    let gateway = gateway(&world);
    let clear = gateway.clear_session();
    assert!(!clear.ehlo.text.contains("REQUIRETLS"), "{}", clear.ehlo.text);
    assert!(gateway.session().ehlo.text.lines().any(|line| line == "REQUIRETLS"));
    let id = send(&gateway, "b@partner.example");
    let got = peer.wait_for(1).remove(0);
    assert!(got.tls && asks(&got), "{:?}", got.commands);
    gateway.wait_until_empty();
    let life = gateway.json(&["trace", "--json", &id]);
    assert_eq!(life[0]["decision"]["features"]["requiretls"], true, "{life}");
    assert_eq!(life[0]["endings"][0]["proof"], "pkix");
    let told = String::from_utf8(gateway.cli(&["trace", &id]).stdout).unwrap();
    assert!(told.contains("  asked      REQUIRETLS"), "{told}");
    let again = String::from_utf8(gateway.cli(&["explain", "--entry", &id]).stdout).unwrap();
    assert!(again.contains("asked     REQUIRETLS"), "{again}");
    gateway.send(&["b@partner.example"], &world::ordinary("car park"));
    assert!(!asks(&peer.wait_for(2)[1]));
    assert_eq!(world.wire.sightings(&[LINE]), []);
}

#[test]
fn a_host_that_does_not_offer_it_gets_nothing_and_the_report_goes_as_the_message_had_to() {
    let world = World::new(218);
    let (exchange, peer) = (exchange(&world), world.mx(10, PARTNER, lacks(good(&world, PARTNER))));
    let gateway = gateway(&world);
    send(&gateway, "b@partner.example");
    let text = report(&exchange, "5.7.30", "requiretls-not-offered");
    assert!(text.contains("send it again without asking for REQUIRETLS"), "{text}");
    gateway.wait_until_empty();
    assert_eq!((peer.received().len(), peer.dots()), (0, 0));
    gateway.send(&["b@partner.example"], &world::ordinary("car park"));
    assert!(peer.wait_for(1)[0].tls, "the host is as good as ever for other mail");
    assert_eq!(world.wire.sightings(&[LINE]), []);
}

#[test]
fn a_host_that_is_not_proved_gets_nothing_whatever_it_offers() {
    let unlisted = "elsewhere.example";
    let certificate = |world: &World, domain: &str| world.ca.good(&[&format!("mx.{domain}")]);
    type Shown = fn(&World, &dyn Fn(&World, &str) -> Leaf) -> Tls;
    let cases: [(u8, &str, Shown, &str); 4] = [
        (219, PARTNER, |_, _| Tls::Shows(self_signed(&["mx.partner.example"])), "certificate-self-signed"),
        (220, PARTNER, |world, _| Tls::Shows(world.ca.expired(&["mx.partner.example"])), "certificate-expired"),
        (240, PARTNER, |_, _| Tls::None, "tls-not-offered"),
        // Its name stands in no list, and the names of this world are not signed.
        (241, unlisted, |world, good| Tls::Shows(good(world, "elsewhere.example")), "no-proof-source"),
    ];
    for (number, domain, shown, reason) in cases {
        let world = World::new(number);
        let (exchange, peer) = (exchange(&world), world.mx(10, domain, offers(shown(&world, &certificate))));
        let gateway = gateway(&world);
        send(&gateway, &format!("b@{domain}"));
        let text = report(&exchange, "5.7.10", reason);
        assert!(text.contains("to proved servers only (REQUIRETLS)."), "{text}");
        gateway.send(&[&format!("b@{domain}")], &world::ordinary("car park"));
        peer.wait_for(1);
        assert!(!asks(&peer.received()[0]), "{reason}");
    }
}

#[test]
fn of_two_hosts_the_one_that_can_gets_it_and_a_restart_forgets_nothing() {
    let world = World::new(242);
    let hosts = ["mx1.partner.example", "mx2.partner.example"];
    world.names.mx(PARTNER, &[(10, hosts[0]), (20, hosts[1])]);
    let [first, second] = [10u8, 11].map(|host| {
        let name = hosts[usize::from(host) - 10];
        world.names.address_of(name, world.ip(host));
        let tls = Tls::Shows(world.ca.good(&[name]));
        let behaviour = if host == 10 { lacks(tls) } else { Behaviour { defers: 1, ..offers(tls) } };
        world.peer(host, name, behaviour)
    });
    let mut gateway = gateway(&world);
    let id = send(&gateway, "b@partner.example");
    let row = gateway.waits_for("message-deferred");
    assert_eq!((&row["requiretls"], &row["require"]), (&true.into(), &"any".into()));
    assert!(String::from_utf8(gateway.cli(&["queue", "list"]).stdout).unwrap().contains("  REQUIRETLS\n"));
    gateway.kill();
    gateway.start();
    assert_eq!(gateway.json(&["queue", "show", "--json", &id])["requiretls"], true);
    assert!(gateway.cli(&["queue", "retry", "--yes"]).status.success());
    let got = second.wait_for(1).remove(0);
    assert!(got.tls && asks(&got), "{:?}", got.commands);
    gateway.wait_until_empty();
    assert_eq!(first.dots(), 0);
    assert_eq!(world.wire.sightings(&[LINE]), []);
}

#[test]
fn it_is_asked_for_inside_tls_once_and_without_a_value() {
    let world = World::new(243);
    let gateway = world.gateway(&Setup::default());
    let mail = format!("<{DOCTOR}> REQUIRETLS");
    let refused = |client: &mut Client, mail: &str, to: &str| {
        let reply = transaction(client, mail, to);
        (reply.code, reply.text.split(' ').next().unwrap_or_default().to_owned())
    };
    let refusal = |code, enhanced: &str| (code, enhanced.to_owned());
    assert_eq!(refused(&mut gateway.clear_session(), &mail, "b@partner.example"), refusal(530, "5.7.0"));
    let mut session = gateway.session();
    assert_eq!(refused(&mut session, &format!("{mail}=1"), "b@partner.example"), refusal(501, "5.5.4"));
    assert_eq!(refused(&mut session, &format!("{mail} REQUIRETLS"), "b@partner.example"), refusal(501, "5.5.4"));
    // The site's server is not said to offer it: whoever asks hears so before the text crosses.
    assert_eq!(refused(&mut session, &mail, "c@trust.example"), refusal(550, "5.7.30"));
    assert_eq!(gateway.metric("mailward_refusals_total{reason=\"requiretls-not-offered\"}"), 1.0);
    // So nothing of it is said to whoever writes to the site only.
    let mut stranger = gateway.stranger(world.ip(66), gateway.internet).start_tls().unwrap();
    assert!(!stranger.ehlo.text.contains("REQUIRETLS"), "{}", stranger.ehlo.text);
    assert_eq!(refused(&mut stranger, "<x@web.example> REQUIRETLS", "c@trust.example"), refusal(555, "5.5.4"));
}

#[test]
fn a_strangers_mail_comes_in_with_it_where_the_sites_server_keeps_it() {
    let world = World::new(244);
    let (exchange, gateway) = (exchange(&world), gateway(&world));
    let mut stranger = gateway.stranger(world.ip(66), gateway.internet).start_tls().unwrap();
    assert!(stranger.ehlo.text.contains("REQUIRETLS"), "{}", stranger.ehlo.text);
    assert_eq!(transaction(&mut stranger, "<x@web.example> REQUIRETLS", "c@trust.example").code, 250);
    let got = exchange.wait_for(1).remove(0);
    assert!(got.tls && asks(&got), "{:?}", got.commands);
}

#[test]
fn tls_that_fails_is_tried_again_and_nobody_here_can_leave_it_out() {
    let policy = POLICY.to_owned()
        + r#"
[rule.asked-for-tls]
direction = "outbound"
when = { requiretls = true }
require = "encrypted"
wait = "1h"
otherwise = "hold"
"#;
    let world = World::new(245);
    let peer = world.mx(10, PARTNER, offers(Tls::Refuses));
    let more = "[queue]\nretry = [\"1h\"]";
    let gateway = world.gateway(&Setup { policy: &policy, site: SITE, more, ..Setup::default() });
    let id = send(&gateway, "b@partner.example");
    let row = gateway.waits_for("tls-refused");
    assert_eq!((&row["id"], &row["attempts"]), (&id.as_str().into(), &1.into()));
    // Ordinary mail goes in clear by then, by a permit of its own, and leaves it behind.
    gateway.send(&["b@partner.example"], &world::ordinary("car park"));
    assert!(!peer.wait_for(1)[0].tls);
    let words = ["queue", "release", &id, "--in-clear", "--because", "INC-1", "--by", "A. Admin", "--yes", "--json"];
    assert_eq!(gateway.json(&words)["left_alone"], serde_json::json!({ "asked-by-sender": 1 }));
    assert!(gateway.cli(&["queue", "retry", "--yes"]).status.success());
    let tried = until(|| gateway.queue().iter().any(|row| row["attempts"] == 2).then_some(()));
    assert!(tried.is_some(), "{:?}\n{}", gateway.queue(), gateway.log());
    assert_eq!((gateway.waits_for("tls-refused")["id"].as_str(), peer.dots()), (Some(id.as_str()), 1));
    peer.becomes(offers(good(&world, PARTNER)));
    assert!(gateway.cli(&["queue", "retry", "--yes"]).status.success());
    let got = peer.wait_for(2).remove(1);
    assert!(got.tls && asks(&got), "{:?}", got.commands);
}

#[test]
fn what_a_host_had_and_has_no_more_is_waited_for() {
    let world = World::new(250);
    let peer = world.mx(10, PARTNER, offers(good(&world, PARTNER)));
    let mut gateway = gateway(&world);
    send(&gateway, "b@partner.example");
    peer.wait_for(1);
    gateway.terminate();
    gateway.wait_for_end();
    gateway.start();
    peer.becomes(lacks(Tls::None));
    send(&gateway, "b@partner.example");
    gateway.waits_for("stripping-suspected");
    peer.becomes(offers(good(&world, PARTNER)));
    assert!(gateway.cli(&["queue", "retry", "--yes"]).status.success());
    assert!(asks(&peer.wait_for(2)[1]));
}

#[test]
fn a_report_is_sent_without_it_rather_than_not_at_all() {
    let world = World::new(246);
    let peer = world.mx(10, PARTNER, lacks(Tls::Shows(self_signed(&["mx"]))));
    let able = world.mx(11, "able.partner.example", offers(good(&world, "able.partner.example")));
    let policy =
        POLICY.replace("domains = [\"partner.example\"]", "domains = [\"partner.example\", \"*.partner.example\"]");
    let policy = policy.replace(
        "[\"*.partner.example\"]\n\n[class",
        "[\"mx.partner.example\", \"mx.able.partner.example\"]\n\n[class",
    );
    let gateway = world.gateway(&Setup { site: SITE, policy: &policy, ..Setup::default() });
    let mut session = gateway.session();
    for to in ["b@partner.example", "b@able.partner.example"] {
        assert_eq!(transaction(&mut session, "<> REQUIRETLS", to).code, 250);
    }
    assert!(!asks(&peer.wait_for(1)[0]));
    assert!(asks(&able.wait_for(1)[0]), "RFC 8689 5: where it can be kept");
}

#[test]
fn rules_ask_for_it_before_the_message_is_read_and_tests_and_explanations_give_it() {
    let policy = POLICY.to_owned()
        + r#"
[rule.asked-for-tls]
direction = "outbound"
when = { requiretls = true }
require = "sealed"
otherwise = "reject"

[test.with]
from = "dr.jones@trust.example"
to = "b@partner.example"
requiretls = true
peer = "verified"
expect = { require = "sealed", fate = "reject", rules = ["asked-for-tls"] }

[test.without]
from = "dr.jones@trust.example"
to = "b@partner.example"
expect = { require = "any", fate = "send" }

[rule.in-with-it]
direction = "inbound"
when = { requiretls = true }
refuse = "Nothing with REQUIRETLS comes in here"
"#;
    let world = World::new(247);
    let peer = world.mx(10, PARTNER, offers(good(&world, PARTNER)));
    let gateway = world.gateway(&Setup { policy: &policy, site: SITE, ..Setup::default() });
    let mut session = gateway.session();
    let refused = transaction(&mut session, &format!("<{DOCTOR}> REQUIRETLS"), "b@partner.example");
    assert!(refused.code == 550 && refused.text.contains("asked-for-tls"), "{refused:?}");
    assert_eq!(transaction(&mut session, &format!("<{DOCTOR}>"), "b@partner.example").code, 250);
    assert!(!asks(&peer.wait_for(1)[0]));
    let mut stranger = gateway.stranger(world.ip(66), gateway.internet).start_tls().unwrap();
    stranger.say("MAIL FROM:<x@web.example> REQUIRETLS").unwrap();
    let at_rcpt = stranger.say("RCPT TO:<c@trust.example>").unwrap();
    assert!(at_rcpt.code == 550 && at_rcpt.text.contains("in-with-it"), "{at_rcpt:?}");
    let explain = |more: &[&str]| {
        let words = ["explain", "--from", DOCTOR, "--to", "b@partner.example", "--json"];
        gateway.json(&[&words[..], more].concat())
    };
    assert_eq!(explain(&["--requiretls"])["recipients"][0]["require"], "sealed");
    assert_eq!(
        (&explain(&[])["recipients"][0]["require"], &explain(&[])["requiretls"]),
        (&"any".into(), &false.into())
    );
    // The past is decided anew with what was asked then.
    let replayed = gateway.json(&["replay", "--json", "--against", "policies"]);
    assert_eq!(replayed["changed"], 0, "{replayed}");
}

#[test]
fn signed_names_lead_to_a_proved_host_and_a_published_key_proves_it() {
    let test = "signed_names_lead_to_a_proved_host_and_a_published_key_proves_it";
    let world = World::new(248);
    let key = self_signed(&["anything.example"]);
    let record = |host: u8, more: &str| {
        let name = format!("d{host}.signed");
        format!(
            "{name}. MX 10 mx.{name}.\nmx.{name}. A {}\n{}",
            world.ip(host),
            more.replace("HOST", &format!("mx.{name}"))
        )
    };
    let tlsa = |leaf: &Leaf| format!("_{}._tcp.HOST. TLSA 3 1 1 {}\n", world.port(), leaf.key_digest());
    let records = [record(10, &tlsa(&key)), record(11, ""), record(12, ""), record(13, &tlsa(&key))].concat();
    let zones = [Zone { name: "signed", kind: Kind::Signed, records }];
    let names = match SignedNames::start("127.30.248.2", &zones) {
        Ok(names) => names,
        Err(absent) => return skipped(test, &absent.0),
    };
    let dns = format!("servers = [\"{}\"]", names.address);
    let named = |host: u8| format!("mx.d{host}.signed");
    let peer = |host: u8, leaf: Leaf| world.peer(host, &named(host), offers(Tls::Shows(leaf)));
    let (exchange, published) = (exchange(&world), peer(10, key));
    let by_name = peer(11, world.ca.good(&[&named(11)]));
    let other_name = peer(12, world.ca.good(&["mx.elsewhere.example"]));
    // Public roots vouch for it; its domain says that it has another key.
    let other_key = peer(13, world.ca.good(&[&named(13)]));
    let gateway = world.gateway(&Setup { site: SITE, dns: &dns, ..Setup::default() });
    for (host, peer) in [(10u8, &published), (11, &by_name)] {
        send(&gateway, &format!("b@d{host}.signed"));
        assert!(asks(&peer.wait_for(1)[0]), "{host}");
    }
    for (host, number) in [(12u8, 1), (13, 2)] {
        send(&gateway, &format!("b@d{host}.signed"));
        assert!(asks(&exchange.wait_for(number)[number - 1]), "{host}: a report");
    }
    assert_eq!((other_name.dots(), other_key.dots()), (0, 0));
}

#[test]
fn a_smarthost_has_to_offer_it_too() {
    let world = World::new(249);
    let exchange = exchange(&world);
    world.names.address_of("smart.example", world.ip(10));
    let tls = Tls::Shows(world.ca.good(&["smart.example"]));
    let smarthost = world.peer(10, "smart.example", lacks(tls.clone()));
    let more = format!(
        "[relay.upstream]\nhosts = [\"smart.example:{}\"]\nrequire = \"encrypted\"\nnames = [\"smart.example\"]\n",
        world.port
    );
    let setup = Setup { site: SITE, deliver: "smarthost = \"relay:upstream\"", more: &more, ..Setup::default() };
    let gateway = world.gateway(&setup);
    send(&gateway, "b@partner.example");
    report(&exchange, "5.7.30", "requiretls-not-offered");
    assert_eq!(smarthost.dots(), 0);
    smarthost.becomes(offers(tls));
    send(&gateway, "b@partner.example");
    assert!(asks(&smarthost.wait_for(1)[0]));
}

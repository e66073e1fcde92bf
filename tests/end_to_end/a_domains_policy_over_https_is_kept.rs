//! MTA-STS by a real web server with a certificate: what it forbids and proves, what is no policy, and what outlives an outage.

use crate::lab::ca::{Leaf, self_signed};
use crate::lab::peers::{Behaviour, Peer, Tls};
use crate::lab::sts::{PolicyHost, answer, policy};
use crate::lab::until;
use crate::world::{self, Gateway, Setup, World};

const DOMAIN: &str = "listed.example";
const DAY: u32 = 86_400;

struct Case {
    world: World,
    host: PolicyHost,
    deliver: String,
}

impl Case {
    fn new(number: u8, said: &str) -> Case {
        let world = World::new(number);
        let leaf = world.ca.good(&[&format!("mta-sts.{DOMAIN}")]);
        Case::shown(world, leaf, said)
    }

    fn shown(world: World, leaf: Leaf, said: &str) -> Case {
        let address = world.free(40);
        let name = format!("mta-sts.{DOMAIN}");
        world.names.address_of(&name, address.ip()).text(&format!("_mta-sts.{DOMAIN}"), "v=STSv1; id=1;");
        let host = PolicyHost::start(address, leaf, said);
        Case { world, host, deliver: format!("mta-sts-port = {}", address.port()) }
    }

    fn mx(&self, leaf: Leaf) -> Peer {
        self.world.mx(10, DOMAIN, Behaviour { tls: Tls::Shows(leaf), ..Behaviour::default() })
    }

    fn gateway(&self) -> Gateway {
        self.world.gateway(&Setup { deliver: &self.deliver, ..Setup::default() })
    }

    fn good(&self) -> Leaf {
        self.world.ca.good(&[&format!("mx.{DOMAIN}")])
    }
}

fn fetched(gateway: &Gateway, result: &str) -> f64 {
    gateway.metric(&format!("mailward_mta_sts_fetch_total{{result=\"{result}\"}}"))
}

#[test]
fn what_it_enforces_proves_a_listed_host_and_outlives_the_policy_host_and_a_restart() {
    let case = Case::new(170, &answer(&policy("enforce", &[&format!("*.{DOMAIN}")], DAY)));
    let peer = case.mx(case.good());
    let mut gateway = case.gateway();
    let id = gateway.send(&[&format!("b@{DOMAIN}")], &world::clinical("letter"));
    assert!(peer.wait_for(1)[0].tls);
    gateway.wait_until_empty();
    let life = gateway.json(&["trace", "--json", &id]);
    assert_eq!(
        (&life[0]["endings"][0]["proof"], &life[0]["endings"][0]["reached"]),
        (&"mta-sts".into(), &"verified".into())
    );
    assert_eq!(fetched(&gateway, "ok"), 1.0);
    let kept = || gateway.json(&["mta-sts", "show", DOMAIN, "--json"]);
    assert_eq!((&kept()[0]["mode"], &kept()[0]["id"]), (&"enforce".into(), &"1".into()));

    // It is on the disk; then the policy host and its record go away.
    let file = gateway.folder.path().join("data/mta-sts.json");
    until(|| file.exists().then_some(())).expect("kept");
    gateway.terminate();
    gateway.wait_for_end();
    assert_eq!(gateway.json(&["mta-sts", "show", "--json"])[0]["domain"], DOMAIN, "a stopped gateway knows it too");
    case.host.say(None);
    case.world.names.forget(&format!("_mta-sts.{DOMAIN}")).forget(&format!("mta-sts.{DOMAIN}"));
    gateway.start();
    gateway.send(&[&format!("b@{DOMAIN}")], &world::clinical("second letter"));
    peer.wait_for(2);
    assert_eq!(fetched(&gateway, "ok"), 0.0, "nobody was asked again");
}

#[test]
fn a_host_that_is_not_listed_or_does_not_prove_itself_gets_no_mail_at_all() {
    for (number, listed, good, reason) in [
        (171, "mx.elsewhere.example", true, "host-not-listed"),
        (172, "mx.listed.example", false, "certificate-self-signed"),
    ] {
        let case = Case::new(number, &answer(&policy("enforce", &[listed], DAY)));
        let peer = case.mx(if good { case.good() } else { self_signed(&["mx.listed.example"]) });
        let gateway = case.gateway();
        gateway.send(&[&format!("b@{DOMAIN}")], &world::ordinary("car park"));
        assert_eq!(gateway.waits_for(reason)["require"], "any");
        assert_eq!(peer.received().len(), 0);
        // The domain names another version, which lists the host.
        case.host.say(Some(&answer(&policy("none", &[], DAY))));
        case.world.names.forget(&format!("_mta-sts.{DOMAIN}")).text(&format!("_mta-sts.{DOMAIN}"), "v=STSv1; id=2;");
        let retry = || gateway.cli(&["queue", "retry", "--yes"]).status.success().then_some(());
        until(|| retry().filter(|()| peer.received().len() == 1)).expect("the new policy holds");
        assert_eq!(fetched(&gateway, "ok"), 2.0);
    }
}

#[test]
fn what_only_tests_or_is_no_policy_neither_proves_nor_forbids() {
    let large = format!("{}{}", policy("enforce", &["mx.elsewhere.example"], DAY), "x".repeat(70_000));
    let enforced = policy("enforce", &["mx.elsewhere.example"], DAY);
    let typed = answer(&enforced).replace("text/plain", "text/html");
    let elsewhere =
        "HTTP/1.1 301 Moved\r\nLocation: https://elsewhere.example/\r\nContent-Length: 0\r\n\r\n".to_owned();
    let cases = [
        ("ok", answer(&policy("testing", &["mx.elsewhere.example"], DAY))),
        ("wrong-type", typed),
        ("too-long", answer(&large)),
        ("redirect", elsewhere),
        ("syntax", answer("version: STSv2\n")),
        ("http", "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_owned()),
    ];
    for ((result, said), number) in cases.into_iter().zip(173..) {
        let case = Case::new(number, &said);
        let peer = case.mx(case.good());
        let gateway = case.gateway();
        gateway.send(&[&format!("b@{DOMAIN}")], &world::ordinary("car park"));
        peer.wait_for(1);
        assert_eq!(fetched(&gateway, result), 1.0, "{result}\n{}", gateway.log());
        gateway.send(&[&format!("b@{DOMAIN}")], &world::clinical("letter"));
        gateway.waits_for("no-proof-source");
        assert_eq!(
            (peer.received().len(), case.host.asked()),
            (1, 1),
            "{result}: a failed host is left alone for a while"
        );
    }
}

#[test]
fn a_policy_host_must_prove_itself() {
    let enforced = answer(&policy("enforce", &["mx.elsewhere.example"], DAY));
    let case = Case::shown(World::new(180), self_signed(&["mta-sts.listed.example"]), &enforced);
    let peer = case.mx(case.good());
    let gateway = case.gateway();
    gateway.send(&[&format!("b@{DOMAIN}")], &world::ordinary("car park"));
    peer.wait_for(1);
    assert_eq!((fetched(&gateway, "tls"), case.host.asked()), (1.0, 0), "nothing was asked of an impostor");
}

#[test]
fn while_nobody_knows_whether_there_is_a_policy_mail_waits() {
    let world = World::new(181);
    let peer = world.mx(10, DOMAIN, Behaviour::default());
    world.names.fails(&format!("_mta-sts.{DOMAIN}"));
    let gateway = world.gateway(&Setup::default());
    gateway.send(&[&format!("b@{DOMAIN}")], &world::ordinary("car park"));
    gateway.waits_for("dns-tempfail");
    assert_eq!(peer.received().len(), 0);
}

/// The world's own policy, and a group that a rule names.
const EXPECTED: &str = r#"
[group.listed]
domains = ["listed.example", "new.example"]

[rule.listed-encrypted]
direction = "outbound"
when = { to = ["@listed"] }
require = "encrypted"
"#;

#[test]
fn whoever_a_rule_names_is_asked_before_anybody_writes_to_him() {
    let case = Case::new(214, &answer(&policy("enforce", &["mx.elsewhere.example"], DAY)));
    let peer = case.mx(case.good());
    let gateway = case.gateway();
    // Nobody is named, so nobody is asked; a policy that is taken later names somebody.
    gateway.policy_file("listed.toml", EXPECTED);
    let reloaded = gateway.cli(&["reload"]);
    assert!(reloaded.status.success(), "{reloaded:?}");
    let kept = || gateway.json(&["mta-sts", "show", DOMAIN, "--json"]);
    until(|| (kept()[0]["mode"] == "enforce").then_some(())).expect("it is known, and nobody has written");
    // Then the policy host and its record go away, and the first letter comes.
    case.host.say(None);
    case.world.names.forget(&format!("_mta-sts.{DOMAIN}")).forget(&format!("mta-sts.{DOMAIN}"));
    gateway.send(&[&format!("b@{DOMAIN}")], &world::ordinary("car park"));
    gateway.waits_for("host-not-listed");
    assert_eq!((peer.received().len(), case.host.asked()), (0, 1));
}

#[test]
fn a_probe_says_what_is_offered_and_why_it_is_not_more() {
    let case = Case::new(182, &answer(&policy("enforce", &[&format!("*.{DOMAIN}")], DAY)));
    let peer = case.mx(case.good());
    let shows = |leaf| Behaviour { tls: Tls::Shows(leaf), ..Behaviour::default() };
    let _weak = case.world.mx(11, "self.example", shows(self_signed(&["mx.self.example"])));
    let _masked = case.world.mx(12, "masked.example", Behaviour { tls: Tls::Masked, ..Behaviour::default() });
    case.world.names.null_mx("closed.example").fails("broken.example");
    let gateway = case.gateway();
    let probe = |words: &[&str]| {
        let output = gateway.cli(&[&["probe", "--json"], words].concat());
        let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
        (output.status.code(), told)
    };
    let (code, good) = probe(&[DOMAIN, "--require", "verified", "--propose"]);
    assert_eq!(
        (code, &good["level"], &good["mta_sts"]["mode"]),
        (Some(0), &"verified".into(), &"enforce".into()),
        "{good}"
    );
    let host = &good["hosts"][0];
    assert_eq!(
        (&host["proof"], &host["starttls"], &host["level"]),
        (&"mta-sts".into(), &true.into(), &"verified".into())
    );
    assert_eq!((&good["dnssec"], &good["proposal"]["mx"][0]), (&"not-checked".into(), &"mx.listed.example".into()));

    let (code, weak) = probe(&["self.example", "--require", "verified", "--propose"]);
    assert_eq!(
        (code, &weak["level"], &weak["why_not_more"]),
        (Some(1), &"encrypted".into(), &"no-proof-source".into())
    );
    let key = &weak["proposal"]["hosts"][0];
    assert!(key["key"].as_str().unwrap().starts_with("sha256/"), "{weak}");
    assert_eq!(
        (&key["stable"], &weak["proposal"]["pins"][0]),
        (&false.into(), &serde_json::Value::Null),
        "nobody knows it"
    );
    assert_eq!(probe(&["self.example"]).0, Some(0), "encrypted is reached");
    let (code, masked) = probe(&["masked.example"]);
    assert_eq!(
        (code, &masked["why_not_more"], &masked["hosts"][0]["starttls"]),
        (Some(1), &"tls-masked".into(), &false.into())
    );
    assert_eq!(
        (probe(&["closed.example"]).0, probe(&["broken.example"]).0),
        (Some(1), Some(3)),
        "found wrong, and could not tell"
    );

    let text = String::from_utf8(gateway.cli(&["probe", "self.example"]).stdout).unwrap();
    assert!(text.contains("reached     encrypted") && text.contains("because nothing says how"), "{text}");
    assert_eq!(peer.received().len(), 0, "nothing is sent");
}

#[test]
fn a_probe_says_what_delivery_would_do() {
    let case = Case::new(185, &answer(&policy("enforce", &["mx.elsewhere.example"], DAY)));
    let _peer = case.mx(case.good());
    let _refuses = case.world.mx(13, "refuses.example", Behaviour { tls: Tls::Refuses, ..Behaviour::default() });
    let _plain = case.world.mx(14, "unknown.example", Behaviour::default());
    case.world.names.fails("_mta-sts.unknown.example");
    let gateway = case.gateway();
    let probe = |words: &[&str]| {
        let output = gateway.cli(&[&["probe", "--json"], words].concat());
        let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
        (output.status.code(), told)
    };
    // Nobody knows whether there is a policy: mail waits, and nobody can tell.
    let (code, unknown) = probe(&["unknown.example"]);
    assert_eq!(
        (code, &unknown["level"], &unknown["why_not_more"]),
        (Some(3), &serde_json::Value::Null, &"dns-tempfail".into())
    );
    // TLS fails, and mail in no class goes without.
    let (code, refuses) = probe(&["refuses.example", "--require", "any"]);
    assert_eq!(
        (code, &refuses["level"], &refuses["why_not_more"]),
        (Some(0), &"any".into(), &"tls-refused".into()),
        "{refuses}"
    );
    // A policy that the gateway keeps binds it, though the domain has taken it away.
    gateway.send(&[&format!("b@{DOMAIN}")], &world::ordinary("car park"));
    gateway.waits_for("host-not-listed");
    until(|| gateway.folder.path().join("data/mta-sts.json").exists().then_some(())).expect("kept");
    case.world.names.forget(&format!("_mta-sts.{DOMAIN}"));
    let (code, kept) = probe(&[DOMAIN]);
    assert_eq!(
        (code, &kept["mta_sts"]["mode"], &kept["level"]),
        (Some(1), &"enforce".into(), &serde_json::Value::Null),
        "{kept}"
    );
    assert!(kept["mta_sts"]["reason"].as_str().unwrap().contains("kept until"), "{kept}");
}

//! NOTIFY (RFC 3461): success, failure, never; with a peer that reports itself and with one that does not.

use crate::lab::peers::{Behaviour, Received};
use crate::lab::until;
use crate::world::{self, DOCTOR, Setup, World};

fn send(gateway: &world::Gateway, to: &str, notify: &str) {
    let mut client = gateway.session();
    assert_eq!(client.say(&format!("MAIL FROM:<{DOCTOR}> RET=HDRS ENVID=QQ314159")).unwrap().code, 250);
    assert_eq!(client.say(&format!("RCPT TO:<{to}> NOTIFY={notify}")).unwrap().code, 250);
    assert_eq!(client.say("DATA").unwrap().code, 354);
    client.raw(format!("{}.\r\n", world::ordinary("car park")).as_bytes()).unwrap();
    assert_eq!(client.reply().unwrap().code, 250);
}

#[test]
fn success_is_reported_by_us_only_where_the_peer_will_not() {
    let world = World::new(52);
    let exchange = world.exchange();
    let plain = world.mx(10, "plain.example", Behaviour::default());
    let able = world.mx(11, "able.example", Behaviour { offers: vec!["DSN"], ..Behaviour::default() });
    let gateway = world.gateway(&Setup::default());
    send(&gateway, "a@able.example", "SUCCESS");
    let passed = able.wait_for(1).remove(0);
    assert!(passed.commands[1].contains("NOTIFY=SUCCESS"), "{:?}", passed.commands);
    assert!(passed.commands[0].contains("ENVID=QQ314159") && passed.commands[0].contains("RET=HDRS"));
    gateway.wait_until_empty();
    send(&gateway, "a@plain.example", "SUCCESS,FAILURE");
    let bare = plain.wait_for(1).remove(0);
    assert!(!bare.commands.iter().any(|c| c.contains("NOTIFY") || c.contains("ENVID")), "{:?}", bare.commands);
    let told = exchange.wait_for(1)[0].text();
    for words in
        ["Action: relayed", "Final-Recipient: rfc822; a@plain.example", "Original-Envelope-Id: QQ314159", "Status: 2."]
    {
        assert!(told.contains(words), "{words}: {told}");
    }
    gateway.wait_until_empty();
    assert_eq!(exchange.received().len(), 1, "the peer that reports itself is not reported for");
}

#[test]
fn never_means_never() {
    let world = World::new(53);
    let exchange = world.exchange();
    world.names.null_mx("null.example");
    let plain = world.mx(10, "plain.example", Behaviour::default());
    let gateway = world.gateway(&Setup::default());
    send(&gateway, "a@plain.example", "NEVER");
    plain.wait_for(1);
    send(&gateway, "a@null.example", "NEVER");
    let failed = "mailward_messages_total{direction=\"outbound\",outcome=\"failed\"}";
    until(|| (gateway.metric(failed) == 1.0).then_some(())).unwrap();
    gateway.wait_until_empty();
    assert!(exchange.received().iter().all(|m| m.recipients != [DOCTOR]), "the sender is never told");
}

/// What NOTIFY may say (RFC 3461 4.1), and nothing.
const NOTIFY: [Option<&str>; 9] = [
    None,
    Some("NEVER"),
    Some("SUCCESS"),
    Some("FAILURE"),
    Some("DELAY"),
    Some("SUCCESS,FAILURE"),
    Some("SUCCESS,DELAY"),
    Some("FAILURE,DELAY"),
    Some("SUCCESS,FAILURE,DELAY"),
];

/// The recipients whose NOTIFY `chooses`, one for each way to ask.
fn those(domain: &str, chooses: impl Fn(Option<&str>) -> bool) -> Vec<String> {
    let asked = NOTIFY.iter().enumerate().filter(|(_, n)| chooses(**n));
    asked.map(|(i, _)| format!("n{i}@{domain}")).collect()
}

/// The recipients that a report tells of, in its part for programmes.
fn told_of(report: &Received) -> Vec<String> {
    let text = report.text();
    text.lines().filter_map(|l| l.strip_prefix("Final-Recipient: rfc822; ")).map(str::to_owned).collect()
}

fn the_one<'a>(reports: &'a [Received], reader: &str, domain: &str) -> &'a Received {
    let about = |r: &&Received| r.recipients == [reader] && told_of(r).iter().any(|a| a.ends_with(domain));
    let found: Vec<&Received> = reports.iter().filter(about).collect();
    assert_eq!(found.len(), 1, "one report about {domain} for {reader}, of {reports:#?}");
    found[0]
}

#[test]
fn each_way_to_ask_is_answered_as_it_asks() {
    let world = World::new(122);
    let exchange = world.exchange();
    let _plain = world.mx(10, "plain.example", Behaviour::default());
    let refuses = those("refusing.example", |_| true);
    let _refusing = world.mx(11, "refusing.example", Behaviour { refuses, ..Behaviour::default() });
    let _slow = world.mx(12, "slow.example", Behaviour { defers: 1_000, ..Behaviour::default() });
    let policy = "[policy]\nempty = true\n[rule.soon]\ndirection = \"outbound\"\nwhen = { to = [\"slow.example\"] }\ntell-sender = \"1s\"\n";
    let gateway = world.gateway(&Setup { policy, more: "[queue]\nretry = [\"1s\"]", ..Setup::default() });
    for domain in ["plain.example", "refusing.example", "slow.example"] {
        let mut client = gateway.session();
        assert_eq!(client.say(&format!("MAIL FROM:<{DOCTOR}>")).unwrap().code, 250);
        for (to, notify) in those(domain, |_| true).iter().zip(NOTIFY) {
            let asked = notify.map(|n| format!(" NOTIFY={n}")).unwrap_or_default();
            assert_eq!(client.say(&format!("RCPT TO:<{to}>{asked}")).unwrap().code, 250);
        }
        assert_eq!(client.say("DATA").unwrap().code, 354);
        client.raw(format!("{}.\r\n", world::ordinary("car park")).as_bytes()).unwrap();
        assert_eq!(client.reply().unwrap().code, 250);
    }
    let reports = exchange.wait_for(4);
    let says = |word: &'static str| move |n: Option<&str>| n.is_some_and(|n| n.contains(word));
    let fails = |n: Option<&str>| n.is_none_or(|n| n.contains("FAILURE"));

    let relayed = the_one(&reports, DOCTOR, "plain.example");
    assert_eq!(told_of(relayed), those("plain.example", says("SUCCESS")));
    assert!(relayed.text().contains("\r\nAction: relayed\r\n"));
    let failed = the_one(&reports, DOCTOR, "refusing.example");
    assert_eq!(told_of(failed), those("refusing.example", fails));
    let duty = the_one(&reports, "duty@trust.example", "refusing.example");
    assert_eq!(told_of(duty), those("refusing.example", |n| !fails(n)), "what its sender does not hear is the duty's");
    let delayed = the_one(&reports, DOCTOR, "slow.example");
    assert_eq!(told_of(delayed), those("slow.example", |n| n.is_none_or(|n| n.contains("DELAY"))));
    let text = delayed.text();
    assert!(text.contains("\r\nAction: delayed\r\n") && text.contains("\r\nWill-Retry-Until: "), "{text}");
    for report in &reports {
        assert_eq!(report.from, "", "from nobody, so that nobody answers");
        assert!(report.text().contains("\r\nAuto-Submitted: auto-"));
    }
    // Delays are told once, and everything else is final: no further report comes.
    until(|| (gateway.queue().len() == 1).then_some(())).unwrap();
    assert_eq!(exchange.received().len(), 4);
}

/// The next attempt by the schedule is an hour away; the rule wants the sender to hear sooner, and once.
#[test]
fn a_delay_is_told_in_time_though_the_next_attempt_is_far() {
    let world = World::new(120);
    let exchange = world.exchange();
    let slow = world.mx(12, "slow.example", Behaviour { defers: 1_000, ..Behaviour::default() });
    let policy = "[policy]\nempty = true\n[rule.soon]\ndirection = \"outbound\"\nwhen = { to = [\"slow.example\"] }\ntell-sender = \"2s\"\n";
    let gateway = world.gateway(&Setup { policy, more: "[queue]\nretry = [\"1h\"]", ..Setup::default() });
    gateway.send(&["b@slow.example"], &world::ordinary("car park"));
    let told = exchange.wait_for(1).remove(0);
    assert!(told.recipients == [DOCTOR] && told.text().contains("\r\nAction: delayed\r\n"), "{}", told.text());
    let row = gateway.waits_for("message-deferred");
    assert_eq!((slow.dots(), row["attempts"].as_u64()), (2, Some(2)), "one attempt more, so that the news is fresh");
}

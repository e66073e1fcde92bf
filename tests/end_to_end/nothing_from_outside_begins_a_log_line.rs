//! What clients, messages and peers say never begins a line in the log, and domains never become metrics.

use crate::lab::peers::{Answer, Behaviour, Then};
use crate::lab::{until, until_within};
use crate::world::{DOCTOR, Setup, World};
use std::collections::BTreeSet;
use std::time::Duration;

/// A line as it would have to look to be believed.
const FORGED: &str = "{\"level\":\"ERROR\",\"message\":\"forged\"}";

#[test]
fn every_line_of_the_log_is_ours() {
    let world = World::new(133);
    let separators = ["\r", "\u{2028}", "\u{85}", "\u{1b}[2K"];
    let reply =
        "550 5.1.1 no\u{2028}{\"level\":\"ERROR\",\"message\":\"forged\"}\u{85}\u{1b}[2K\r{\"level\":\"ERROR\"}\r\n";
    let answers = vec![Answer::new("END", reply, Then::GoOn)];
    let _peer = world.mx(10, "partner.example", Behaviour { answers, ..Behaviour::default() });
    let _exchange = world.exchange();
    let gateway = world.gateway(&Setup::default());
    let mut client = gateway.clear_session();
    for separator in separators {
        let hostile = format!("x{separator}{FORGED}");
        client.say(&format!("EHLO {hostile}")).unwrap();
        client.say("EHLO client.lab.example").unwrap();
        client.say(&format!("MAIL FROM:<\"{hostile}\"@trust.example> SMTPUTF8 ENVID={hostile}")).unwrap();
        client.say("RSET").unwrap();
        client.say(&format!("VRFY {hostile}")).unwrap();
    }
    client.say("EHLO client.lab.example").unwrap();
    let subject: String = separators.concat().replace('\r', "") + FORGED;
    let message = format!("Subject: {subject}\r\nMessage-ID: <{subject}@x>\r\n\r\ntext\r\n");
    assert_eq!(client.send(DOCTOR, &["b@partner.example"], message.as_bytes()).unwrap().code, 250);
    gateway.wait_until_empty();
    let log = until(|| Some(gateway.log()).filter(|log| log.contains("message-refused"))).unwrap();
    for line in log.split(['\n', '\r', '\u{2028}', '\u{2029}', '\u{85}']).filter(|line| !line.is_empty()) {
        let line: serde_json::Value = serde_json::from_str(line).unwrap_or_else(|why| panic!("{why}: {line}"));
        assert!(line["message"] != "forged" && line["timestamp"].is_string(), "{line}");
    }
    assert!(!log.contains('\u{1b}'));
}

/// The names and labels of all metrics, without their values.
fn series(page: &str) -> BTreeSet<&str> {
    page.lines().filter(|line| !line.starts_with('#')).filter_map(|line| Some(line.rsplit_once(' ')?.0)).collect()
}

#[test]
fn two_thousand_domains_are_as_many_series_as_one() {
    let world = World::new(134);
    let _exchange = world.exchange();
    let gateway = world.gateway(&Setup { more: "[limits]\nrecipients = 1000", ..Setup::default() });
    let fail = |batch: usize, count: usize| {
        let recipients: Vec<String> = (0..count).map(|n| format!("a@d{batch}x{n}.nowhere.example")).collect();
        let recipients: Vec<&str> = recipients.iter().map(String::as_str).collect();
        let mut client = gateway.clear_session();
        assert_eq!(client.send(DOCTOR, &recipients, b"Subject: a\r\n\r\ntext\r\n").unwrap().code, 250);
    };
    let failed = "mailward_messages_total{direction=\"outbound\",outcome=\"failed\"}";
    fail(0, 1);
    until(|| (gateway.metric(failed) >= 1.0).then_some(())).unwrap();
    let before = gateway.get("/metrics").unwrap().1;
    (1..=2).for_each(|batch| fail(batch, 1_000));
    let all = until_within(Duration::from_secs(120), || (gateway.metric(failed) >= 2_001.0).then_some(()));
    assert!(all.is_some(), "{} have failed", gateway.metric(failed));
    let after = gateway.get("/metrics").unwrap().1;
    let new: Vec<&str> = series(&after).difference(&series(&before)).copied().collect();
    assert!(new.is_empty() && !after.contains("nowhere.example"), "{new:?}");
}

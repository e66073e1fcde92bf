//! Needles in subject and text, and every place that speaks about a message: log, metrics, trace, queue, notices, replies.

use crate::lab::peers::{Behaviour, Tls};
use crate::lab::tap::seen;
use crate::world::{DOCTOR, POLICY, Setup, World};

const IN_SUBJECT: &str = "wiedergutmachung-in-subject";
const IN_TEXT: &str = "wiedergutmachung-in-text";
const IN_NAME: &str = "wiedergutmachung-in-file-name";

fn letter(id: &str) -> String {
    format!(
        "From: <{DOCTOR}>\r\nTo: <b@partner.example>\r\nSubject: {IN_SUBJECT} NHS number 943 476 5919\r\n\
         Message-ID: <{id}@trust.example>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
         --b\r\n\r\nNHS number 943 476 5919 {IN_TEXT}\r\n--b\r\nContent-Type: text/plain\r\n\
         Content-Disposition: attachment; filename=\"{IN_NAME}.txt\"\r\n\r\nNHS number: 4010232137\r\n--b--\r\n"
    )
}

/// Everything that was said of two messages, and where.
fn said(world: &World, care: &str) -> Vec<(&'static str, String)> {
    let exchange = world.exchange();
    let behaviour = Behaviour {
        tls: Tls::Shows(world.ca.good(&["mx.partner.example"])),
        refuses: vec!["nobody@partner.example".into()],
        ..Behaviour::default()
    };
    let partner = world.mx(10, "partner.example", behaviour);
    let policy = POLICY.replace(
        "wait = \"1h\"",
        &format!("wait = \"1s\"\nsubject = \"{care}\"\nnotify = [\"duty-ig@trust.example\"]"),
    ) + "\n[rule.webmail]\ndirection = \"outbound\"\nwhen = { content = [\"clinical\"], to = [\"webmail.example\"] }\n\
           require = \"sealed\"\notherwise = \"reject\"\n";
    let _plain = world.mx(11, "plain.example", Behaviour::default());
    let gateway = world.gateway(&Setup { policy: &policy, more: "[queue]\nretry = [\"1s\"]", ..Setup::default() });
    let mut said = Vec::new();
    let mut client = gateway.session();
    let reply = client.send(DOCTOR, &["p@webmail.example"], letter("refused").as_bytes()).unwrap();
    assert_eq!(reply.code, 550);
    said.push(("reply", reply.text));
    let to = ["good@partner.example", "nobody@partner.example", "p@webmail.example", "h@plain.example"];
    let id = gateway.send(&to, &letter("mixed"));
    partner.wait_for(1);
    // Refused and failed to the sender; failed and refused also to whom the rule names; held to both.
    let notices = exchange.wait_for(4);
    let held = crate::lab::until(|| gateway.queue().iter().any(|r| r["state"] == "held").then_some(()));
    assert!(held.is_some(), "{:?}\n{}", gateway.queue(), gateway.log());
    said.extend(notices.iter().map(|n| ("notice", n.text())));
    said.push(("log", gateway.log()));
    said.push(("metrics", gateway.get("/metrics").unwrap().1));
    for words in [
        &["trace", "trust.example"][..],
        &["trace", &id, "--json"],
        &["queue", "list"],
        &["queue", "show", &id],
        &["queue", "show", &id, "--json"],
    ] {
        let output = gateway.cli(words);
        assert!(output.status.success(), "{words:?} {output:?}");
        said.push(("command", String::from_utf8(output.stdout).unwrap()));
    }
    assert!(said.iter().all(|(_, text)| !text.is_empty()));
    said
}

#[test]
fn nowhere() {
    let said = said(&World::new(61), "replace");
    for (place, text) in &said {
        for needle in [IN_SUBJECT, IN_TEXT, "943 476 5919", "9434765919", "4010232137"] {
            assert_eq!(seen(text.as_bytes(), needle), None, "{needle} in {place}:\n{text}");
        }
    }
    // The place of a finding is told to whoever may read the queue, and to nobody else.
    for (place, text) in said.iter().filter(|(place, _)| *place != "command") {
        assert_eq!(seen(text.as_bytes(), IN_NAME), None, "a file's name in {place}:\n{text}");
    }
}

#[test]
fn a_scrubbed_subject_keeps_its_words_in_notices_and_no_number() {
    let said = said(&World::new(62), "scrub");
    let notices: Vec<&String> = said.iter().filter(|(place, _)| *place == "notice").map(|(_, text)| text).collect();
    assert!(notices.iter().all(|text| text.contains(IN_SUBJECT)), "{notices:#?}");
    for (place, text) in &said {
        for needle in [IN_TEXT, "943 476 5919", "9434765919", "4010232137"] {
            assert_eq!(seen(text.as_bytes(), needle), None, "{needle} in {place}:\n{text}");
        }
    }
}

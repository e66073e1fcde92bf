//! One message, three recipients, three fates: delivered, refused by policy, refused by the peer.

use crate::lab::peers::{Behaviour, Received, Tls};
use crate::lab::until;
use crate::world::{self, NUMBER, POLICY, SECRET, Setup, World};

#[test]
fn delivered_refused_by_policy_and_refused_by_the_peer() {
    let world = World::new(12);
    let behaviour = Behaviour {
        tls: Tls::Shows(world.ca.good(&["mx.partner.example"])),
        refuses: vec!["nobody@partner.example".into()],
        ..Behaviour::default()
    };
    let partner = world.mx(10, "partner.example", behaviour);
    let webmail = world.mx(11, "webmail.example", Behaviour::default());
    let exchange = world.exchange();
    let policy = POLICY.to_owned()
        + r#"
[rule.clinical-to-everyone-else]
direction = "outbound"
when = { content = ["clinical"], not-to = ["@partner"] }
require = "sealed"
otherwise = "reject"
"#;
    let gateway = world.gateway(&Setup { policy: &policy, ..Setup::default() });
    let to = ["good@partner.example", "patient@webmail.example", "nobody@partner.example"];
    gateway.send(&to, &world::clinical("letter"));

    let got = partner.wait_for(1);
    assert_eq!(got[0].recipients, ["good@partner.example"]);
    // The duty hears of clinical mail that failed, beside the sender.
    let all = exchange.wait_for(3);
    gateway.wait_until_empty();
    assert_eq!((exchange.received().len(), partner.received().len(), webmail.sessions()), (3, 1, 0));
    let (notices, duty): (Vec<Received>, Vec<Received>) =
        all.into_iter().partition(|n| n.recipients == ["dr.jones@trust.example"]);
    assert_eq!(duty[0].recipients, ["duty@trust.example"]);
    assert!(duty[0].text().contains("X-Mailward-Reason: recipient-refused"));
    let refused = the_one(&notices, "patient@webmail.example: not sent");
    for recipient in to {
        assert!(refused.contains(&format!("\r\n  {recipient}: ")), "every fate is listed: {refused}");
    }
    let failed = the_one(&notices, "X-Mailward-Reason: recipient-refused");
    assert!(failed.contains("Final-Recipient: rfc822; nobody@partner.example") && failed.contains("no such user"));
    assert!(!failed.contains("good@partner.example") && !failed.contains("patient@webmail.example"), "{failed}");
    for notice in &notices {
        assert_eq!((notice.from.as_str(), notice.recipients.as_slice()), ("", &["dr.jones@trust.example".into()][..]));
        assert!(!notice.text().contains(SECRET));
    }
    let counted = |outcome| {
        let name = format!("mailward_messages_total{{direction=\"outbound\",outcome=\"{outcome}\"}}");
        until(|| (gateway.metric(&name) == 1.0).then_some(())).unwrap_or_else(|| panic!("{outcome}"));
    };
    ["delivered", "rejected", "failed"].into_iter().for_each(counted);
}

fn the_one(notices: &[Received], words: &str) -> String {
    let found: Vec<String> = notices.iter().map(Received::text).filter(|t| t.contains(words)).collect();
    assert_eq!(found.len(), 1, "{words}: {notices:#?}");
    found[0].clone()
}

#[test]
fn when_every_recipient_is_refused_nothing_is_kept() {
    let world = World::new(13);
    let exchange = world.exchange();
    let policy = POLICY.replace("require = \"verified\"", "require = \"sealed\"").replace("\"hold\"", "\"reject\"");
    let gateway = world.gateway(&Setup { policy: &policy, ..Setup::default() });
    let mut client = gateway.session();
    let message = world::clinical("letter");
    let reply = client.send(world::DOCTOR, &["a@x.example", "b@y.example"], message.as_bytes()).unwrap();
    assert!(reply.code == 550 && reply.text.contains("5.7.10"), "{reply:?}");
    assert!(reply.text.contains("clinical-verified"), "the rule is named: {reply:?}");
    assert!(!reply.text.contains(SECRET) && !reply.text.contains(NUMBER));
    assert!(gateway.queue().is_empty());
    assert_eq!(exchange.sessions(), 0);
}

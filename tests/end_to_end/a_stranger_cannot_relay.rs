//! The doors: who may send what, on which listener, with how much TLS; and what the edge takes out and puts in.

use crate::world::{self, DOCTOR, POLICY, Setup, World};

#[test]
fn a_stranger_sends_to_the_site_only() {
    let world = World::new(32);
    let exchange = world.exchange();
    let gateway = world.gateway(&Setup::default());
    let mut client = gateway.stranger(world.ip(66), gateway.internet);
    assert_eq!(client.say("MAIL FROM:<a@elsewhere.example>").unwrap().code, 250);
    for trick in [
        "b@partner.example",
        "dr.jones%partner.example@elsewhere.example",
        "\"b@partner.example\"@elsewhere.example",
        "dr.jones@trust.example.elsewhere.example",
        "@trust.example:b@partner.example",
    ] {
        let reply = client.say(&format!("RCPT TO:<{trick}>")).unwrap();
        assert!(reply.code == 550 && reply.text.starts_with("5.7.1 "), "{trick}: {reply:?}");
    }
    assert_eq!(client.say(&format!("RCPT TO:<{DOCTOR}>")).unwrap().code, 250);
    assert_eq!(client.say("RSET").unwrap().code, 250);
    assert_eq!(client.send("a@elsewhere.example", &[DOCTOR], world::ordinary("x").as_bytes()).unwrap().code, 250);
    assert_eq!(exchange.wait_for(1)[0].recipients, [DOCTOR]);
}

#[test]
fn a_stranger_at_the_sites_listener_is_put_off_and_not_bounced() {
    let world = World::new(33);
    let gateway = world.gateway(&Setup::default());
    let mut client = gateway.stranger(world.ip(66), gateway.door);
    let reply = client.say(&format!("MAIL FROM:<{DOCTOR}>")).unwrap();
    assert!(reply.code == 450 && reply.text.starts_with("4.7.1 "), "{reply:?}");
}

#[test]
fn a_site_that_forgot_tls_is_put_off_and_not_bounced() {
    let world = World::new(34);
    let gateway = world.gateway(&Setup { door: "require", ..Setup::default() });
    let mut client = gateway.clear_session();
    let reply = client.say(&format!("MAIL FROM:<{DOCTOR}>")).unwrap();
    assert!(reply.code == 451 && reply.text.starts_with("4.7.0 "), "{reply:?}");
    let mut client = client.start_tls().unwrap();
    assert!(!client.ehlo.text.contains("STARTTLS"));
    assert_eq!(client.say(&format!("MAIL FROM:<{DOCTOR}>")).unwrap().code, 250);
}

#[test]
fn a_sites_client_sends_as_its_site_only() {
    let world = World::new(35);
    let gateway = world.gateway(&Setup::default());
    let mut client = gateway.session();
    let reply = client.say("MAIL FROM:<ceo@partner.example>").unwrap();
    assert!(reply.code == 550 && reply.text.starts_with("5.7.1 "), "{reply:?}");
}

#[test]
fn nhsmail_in_clear_is_refused_before_its_text_crosses() {
    let world = World::new(36);
    let exchange = world.exchange();
    let policy = POLICY.to_owned()
        + "\n[group.nhsmail]\ndomains = [\"nhs.net\"]\n[rule.nhsmail-arrives-encrypted]\ndirection = \"inbound\"\n\
           when = { from = [\"@nhsmail\"] }\nrequire = \"encrypted\"\n";
    let gateway = world.gateway(&Setup { policy: &policy, ..Setup::default() });
    let mut client = gateway.stranger(world.ip(66), gateway.internet);
    assert_eq!(client.say("MAIL FROM:<cardiology@nhs.net>").unwrap().code, 250);
    let reply = client.say(&format!("RCPT TO:<{DOCTOR}>")).unwrap();
    assert!(reply.code == 550 && reply.text.starts_with("5.7.10 "), "{reply:?}");
    assert!(reply.text.contains("nhsmail-arrives-encrypted"), "{reply:?}");
    assert_eq!(client.say("DATA").unwrap().code, 554, "there is no valid recipient");
    let mut client = client.start_tls().unwrap();
    let sent = client.send("cardiology@nhs.net", &[DOCTOR], &world::clinical("letter").into_bytes()).unwrap();
    assert_eq!(sent.code, 250, "{sent:?}");
    exchange.wait_for(1);
}

#[test]
fn exchanges_own_fields_are_stripped_both_ways_and_one_received_field_is_added() {
    let world = World::new(37);
    let exchange = world.exchange();
    let partner = world.mx(10, "partner.example", Default::default());
    let gateway = world.gateway(&Setup::default());
    let message = "X-MS-Exchange-Organization-SCL: -1\r\nSubject: x\r\nX-MS-Exchange-Forest-RulesExecuted: a\r\n\tb\r\n\
                   X-Keep: this\r\n\r\nX-MS-Exchange-Organization-SCL: in the text\r\n";
    let kept = "Subject: x\r\nX-Keep: this\r\n\r\nX-MS-Exchange-Organization-SCL: in the text\r\n";
    let sent = gateway.clear_session().send(DOCTOR, &["b@partner.example"], message.as_bytes()).unwrap();
    let id = world::queued_as(&sent.text);
    let mut client = gateway.stranger(world.ip(66), gateway.internet).start_tls().unwrap();
    assert_eq!(client.send("b@partner.example", &[DOCTOR], message.as_bytes()).unwrap().code, 250);
    let (out, back) = (partner.wait_for(1).remove(0), exchange.wait_for(1).remove(0));
    for message in [&out, &back] {
        assert_eq!(String::from_utf8(world::without_received(&message.message)).unwrap(), kept);
    }
    let field = |text: &str| {
        let end = text.find("Subject:").unwrap();
        text[..end].replace("\r\n\t", " ").trim_end().to_owned()
    };
    let sent = field(&out.text());
    let expected = format!(
        "Received: from client.lab.example ([127.0.0.1]) by gw.trust.example with ESMTP id {id} for <b@partner.example>; "
    );
    assert!(sent.starts_with(&expected), "{sent}");
    let date = &sent[expected.len()..];
    assert!(jiff::fmt::rfc2822::parse(date).is_ok(), "{date}");
    let inbound = field(&back.text());
    let host = world.ip(66);
    let expected = format!(
        "Received: from client.lab.example ([{host}]) by gw.trust.example with ESMTPS (version=TLSv1.3 cipher=TLS13_"
    );
    assert!(inbound.starts_with(&expected), "{inbound}");
}

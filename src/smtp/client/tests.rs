//! What transcripts cannot show: permits, injected replies, limits. Conversations are in tests/sessions.

use super::*;
use crate::mail::Recipient;

struct Permit;

fn ready(ehlo: &str) -> Client<Permit> {
    let client = Client::<Permit>::open("gw.example").step(b"220 mx\r\n").client;
    let step = client.step(ehlo.as_bytes());
    assert!(matches!(step.event, Event::Ready(_)), "{:?}", step.event);
    step.client
}

fn envelope(recipients: usize) -> Envelope {
    Envelope {
        reverse_path: "a@b.example".parse().unwrap(),
        recipients: (0..recipients).map(|n| Recipient::new(format!("r{n}@c.example").parse().unwrap())).collect(),
        body: crate::mail::Body::SevenBit,
        smtputf8: false,
        ret: None,
        envid: None,
    }
}

fn start(client: Client<Permit>, envelope: &Envelope) -> (Client<Permit>, String) {
    match client.mail(Permit, envelope, 100) {
        Ok((client, bytes)) => (client, String::from_utf8(bytes).unwrap()),
        Err((_, reason)) => panic!("{reason}"),
    }
}

#[test]
fn replies_put_behind_the_220_are_not_believed() {
    let (client, _) = ready("250-mx\r\n250 STARTTLS\r\n").starttls();
    let step = client.step(b"220 go\r\n250-mx\r\n250 AUTH\r\n");
    assert!(matches!(step.event, Event::Failed(Reason::ProtocolError, _)));
    assert!(matches!(step.client.step(b"250 x\r\n").event, Event::Need), "and nothing is believed afterwards");
}

#[test]
fn an_answer_before_the_message_was_sent_is_no_delivery() {
    let (client, _) = start(ready("250-mx\r\n250 PIPELINING\r\n"), &envelope(1));
    let step = client.step(b"250 a\r\n250 b\r\n354 go\r\n250 taken\r\n");
    assert!(matches!(step.event, Event::Failed(Reason::ProtocolError, _)), "{:?}", step.event);
    let outcomes = step.client.abandon(Reason::ProtocolError, None);
    assert!(outcomes[0].result.is_err());

    let (client, _) = start(ready("250-mx\r\n250 PIPELINING\r\n"), &envelope(1));
    let step = client.step(b"250 a\r\n250 b\r\n354 go\r\n");
    assert_eq!(step.event, Event::SendBody);
    assert!(matches!(step.client.step(b"250 taken\r\n").event, Event::Failed(Reason::ProtocolError, _)));
}

#[test]
fn what_the_peer_cannot_take_is_said_before_mail() {
    let reason = |change: fn(&mut Envelope), size| {
        let mut envelope = envelope(1);
        change(&mut envelope);
        ready("250-mx\r\n250 SIZE 1000\r\n").mail(Permit, &envelope, size).err().map(|(_, reason)| reason)
    };
    assert_eq!(reason(|e| e.smtputf8 = true, 1), Some(Reason::SmtpUtf8NotOffered));
    assert_eq!(
        reason(|e| e.recipients[0].mailbox = "é@c.example".parse().unwrap(), 1),
        Some(Reason::SmtpUtf8NotOffered)
    );
    assert_eq!(reason(|e| e.body = crate::mail::Body::EightBitMime, 1), Some(Reason::EightBitNotOffered));
    assert_eq!(reason(|_| {}, 1001), Some(Reason::MessageTooLarge));
    assert_eq!(reason(|_| {}, 1000), None);
}

#[test]
fn many_recipients_go_out_in_windows() {
    let (mut client, mut out) = start(ready("250-mx\r\n250 PIPELINING\r\n"), &envelope(250));
    let mut writes = 0;
    loop {
        writes += 1;
        let commands = out.lines().count();
        assert!(commands <= 101, "{commands} commands in one write");
        let replies = "250 ok\r\n".repeat(commands - usize::from(out.ends_with("DATA\r\n")));
        let step = client.step(replies.as_bytes());
        (client, out) = match step.event {
            Event::Send(bytes) => (step.client, String::from_utf8(bytes).unwrap()),
            Event::Need => break assert_eq!(step.client.step(b"354 go\r\n").event, Event::SendBody),
            other => panic!("{other:?}"),
        };
    }
    assert_eq!(writes, 3);
}

#[test]
fn a_parameter_cannot_add_a_command() {
    let mut envelope = envelope(1);
    envelope.envid = Some("x\r\nRSET".into());
    envelope.recipients[0].orcpt = Some("rfc822;a b".into());
    let (_, sent) = start(ready("250-mx\r\n250-PIPELINING\r\n250 DSN\r\n"), &envelope);
    assert_eq!(sent, "MAIL FROM:<a@b.example>\r\nRCPT TO:<r0@c.example>\r\nDATA\r\n");
}

#[test]
fn a_lost_connection_leaves_what_was_settled() {
    let (client, _) = start(ready("250-mx\r\n250 PIPELINING\r\n"), &envelope(2));
    let client = client.step(b"250 a\r\n550 5.1.1 no such user\r\n").client;
    let outcomes = client.abandon(Reason::ConnectionLost, None);
    let reasons: Vec<Reason> = outcomes.into_iter().filter_map(|o| o.result.err()).map(|r| r.reason).collect();
    assert_eq!(reasons, [Reason::RecipientRefused, Reason::ConnectionLost]);
}

#[test]
fn inside_tls_starttls_is_not_offered() {
    let (client, _) = ready("250-mx\r\n250 STARTTLS\r\n").starttls();
    let (client, sent) = client.step(b"220 go\r\n").client.secured();
    assert_eq!(sent, b"EHLO gw.example\r\n");
    let Event::Ready(offer) = client.step(b"250-mx\r\n250-STARTTLS\r\n250 SIZE 0\r\n").event else { panic!() };
    assert_eq!((offer.starttls, offer.size_known, offer.size), (false, true, None));
}

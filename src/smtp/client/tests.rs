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
        require_tls: false,
    }
}

fn start(client: Client<Permit>, envelope: &Envelope) -> (Client<Permit>, String) {
    match client.mail(Permit, envelope, Extent::Whole(100)) {
        Ok((client, Event::Send(bytes))) => (client, String::from_utf8(bytes).unwrap()),
        Ok((client, Event::SendChunk { commands, octets: 100 })) => (client, String::from_utf8(commands).unwrap()),
        Ok((_, other)) => panic!("{other:?}"),
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
        ready("250-mx\r\n250 SIZE 1000\r\n")
            .mail(Permit, &envelope, Extent::Whole(size))
            .err()
            .map(|(_, reason)| reason)
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
fn an_original_recipient_outside_ascii_is_written_as_the_peer_can_read_it() {
    let mut envelope = envelope(1);
    envelope.recipients[0].orcpt = Some("utf-8;jörg@c.example".into());
    let (_, sent) = start(ready("250-mx\r\n250-PIPELINING\r\n250-SMTPUTF8\r\n250 DSN\r\n"), &envelope);
    assert!(sent.contains("> SMTPUTF8\r\n") && sent.contains(" ORCPT=utf-8;jörg@c.example\r\n"), "{sent}");
    let (_, sent) = start(ready("250-mx\r\n250-PIPELINING\r\n250 DSN\r\n"), &envelope);
    assert!(sent.is_ascii() && sent.contains(" ORCPT=utf-8;j\\x{F6}rg@c.example\r\n"), "{sent}");
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

/// The peer offers CHUNKING and PIPELINING, and the whole flight was written.
fn chunked(recipients: usize) -> Client<Permit> {
    let (client, sent) = start(ready("250-mx\r\n250-PIPELINING\r\n250 CHUNKING\r\n"), &envelope(recipients));
    assert!(sent.starts_with("MAIL") && sent.ends_with("\r\nBDAT 100 LAST\r\n"), "{sent}");
    client.body_sent()
}

fn results(event: &Event) -> Vec<String> {
    let Event::Finished(outcomes, reuse) = event else { panic!("{event:?}") };
    let line = |o: &Outcome| match &o.result {
        Ok(_) => format!("delivered {:?}", o.sequel),
        Err(refusal) => format!("{} {:?}", refusal.reason, o.sequel),
    };
    outcomes.iter().map(line).chain([format!("{reuse:?}")]).collect()
}

#[test]
fn a_message_of_which_octets_are_still_due_is_not_delivered() {
    let (client, _) = start(ready("250-mx\r\n250-PIPELINING\r\n250 CHUNKING\r\n"), &envelope(1));
    let step = client.step(b"250 a\r\n250 b\r\n250 taken\r\n");
    assert!(matches!(step.event, Event::Failed(Reason::ProtocolError, _)), "{:?}", step.event);
    assert!(step.client.abandon(Reason::ProtocolError, None)[0].result.is_err());
}

#[test]
fn a_peer_that_does_not_know_bdat_is_left_and_gets_data_at_once() {
    for code in [500, 502, 503] {
        let step = chunked(1).step(format!("250 a\r\n250 b\r\n{code} what\r\n").as_bytes());
        assert_eq!(results(&step.event), ["message-deferred AtOnce", "CloseAndSayData"]);
    }
    // Where nobody was accepted, 503 is what RFC 3030 asks for.
    let step = chunked(1).step(b"250 a\r\n550 5.1.1 no\r\n503 no recipients\r\n");
    assert_eq!(step.event, Event::Send(b"RSET\r\n".to_vec()));
    assert_eq!(results(&step.client.step(b"250 reset\r\n").event), ["recipient-refused Stands", "Possible"]);
}

#[test]
fn a_message_taken_for_nobody_is_delivered_to_nobody() {
    let step = chunked(2).step(b"250 a\r\n550 5.1.1 no\r\n450 4.2.1 later\r\n250 taken\r\n");
    assert_eq!(step.event, Event::Send(b"RSET\r\n".to_vec()));
    let step = step.client.step(b"250 reset\r\n");
    assert_eq!(results(&step.event), ["recipient-refused Stands", "recipient-deferred Stands", "Possible"]);
}

#[test]
fn a_streamed_message_waits_for_a_recipient_and_stops_at_a_refused_chunk() {
    let client = ready("250-mx\r\n250-PIPELINING\r\n250 CHUNKING\r\n");
    let Ok((client, first)) = client.mail(Permit, &envelope(1), Extent::Pieces(2_500_000)) else { panic!() };
    assert_eq!(first, Event::Send(b"MAIL FROM:<a@b.example>\r\nRCPT TO:<r0@c.example>\r\n".to_vec()));
    let chunk = |client: Client<Permit>, replies: &[u8]| {
        let step = client.step(replies);
        let Event::SendChunk { commands, octets } = step.event else { panic!("{:?}", step.event) };
        (step.client.body_sent(), String::from_utf8(commands).unwrap(), octets)
    };
    let (client, line, octets) = chunk(client, b"250 a\r\n250 b\r\n");
    assert_eq!((line.as_str(), octets), ("BDAT 1048576\r\n", 1_048_576));
    let (client, line, _) = chunk(client, b"250 more\r\n");
    assert_eq!(line, "BDAT 1048576\r\n");
    let (client, line, octets) = chunk(client, b"250 more\r\n");
    assert_eq!((line.as_str(), octets), ("BDAT 402848 LAST\r\n", 402_848));
    assert_eq!(results(&client.step(b"250 taken\r\n").event), ["delivered Stands", "Possible"]);

    let client = ready("250-mx\r\n250-PIPELINING\r\n250 CHUNKING\r\n");
    let Ok((client, _)) = client.mail(Permit, &envelope(1), Extent::Pieces(2_500_000)) else { panic!() };
    let (client, ..) = chunk(client, b"250 a\r\n250 b\r\n");
    let step = client.step(b"552 5.3.4 too large\r\n");
    assert_eq!(step.event, Event::Send(b"RSET\r\n".to_vec()));
    assert_eq!(results(&step.client.step(b"250 reset\r\n").event), ["message-refused Stands", "Possible"]);
}

#[test]
fn who_has_the_whole_message_and_does_not_answer_may_have_kept_it() {
    let sequel = |client: Client<Permit>| client.abandon(Reason::ConnectionLost, None)[0].sequel;
    assert_eq!(sequel(chunked(1)), Sequel::Unknown);
    let (client, _) = start(ready("250-mx\r\n250-PIPELINING\r\n250 CHUNKING\r\n"), &envelope(1));
    assert_eq!(sequel(client), Sequel::Stands, "not all octets were written");
    let (client, _) = start(ready("250-mx\r\n250 PIPELINING\r\n"), &envelope(1));
    let client = client.step(b"250 a\r\n250 b\r\n354 go\r\n").client.body_sent();
    assert_eq!(sequel(client), Sequel::Unknown);
}

#[test]
fn a_kept_connection_that_died_before_it_answered_is_no_failure() {
    let kept = || {
        let (client, _) = start(ready("250-mx\r\n250 PIPELINING\r\n"), &envelope(1));
        let client = client.step(b"250 a\r\n250 b\r\n354 go\r\n").client.body_sent();
        start(client.step(b"250 taken\r\n").client, &envelope(1)).0
    };
    let sequel = |client: Client<Permit>| client.abandon(Reason::ConnectionLost, None)[0].sequel;
    assert_eq!(sequel(kept()), Sequel::AtOnce);
    assert_eq!(results(&kept().step(b"421 idle\r\n").event), ["sender-deferred AtOnce", "Close"]);
    assert_eq!(sequel(kept().step(b"250 a\r\n").client), Sequel::Stands, "it answered");
    let (new, _) = start(ready("250-mx\r\n250 PIPELINING\r\n"), &envelope(1));
    assert_eq!(results(&new.step(b"421 busy\r\n").event), ["sender-deferred Stands", "Close"]);
}

#[test]
fn a_reply_that_was_not_due_is_not_believed() {
    // The answer to RCPT before RCPT was said.
    let (client, _) = start(ready("250 mx\r\n"), &envelope(1));
    assert!(matches!(client.step(b"250 a\r\n250 b\r\n").event, Event::Failed(Reason::ProtocolError, _)));
    let client = Client::<Permit>::open("gw.example");
    assert!(matches!(client.step(b"220 mx\r\n250 mx\r\n").event, Event::Failed(Reason::ProtocolError, _)));
    // One too many behind the last would be taken for the next MAIL's.
    let step = chunked(1).step(b"250 a\r\n250 b\r\n250 taken\r\n250 again\r\n");
    assert_eq!(results(&step.event), ["delivered Stands", "Close"]);
    // 421 may come at any time: it is the answer to what is said next.
    let (client, _) = start(ready("250 mx\r\n"), &envelope(1));
    let step = client.step(b"250 a\r\n421 bye\r\n");
    assert!(matches!(step.event, Event::Send(_)));
    assert_eq!(results(&step.client.step(b"421 bye\r\n").event), ["recipient-deferred Stands", "Close"]);
}

#[test]
fn limits_are_read_as_they_are_meant() {
    let limits = |line: &str| ready(&format!("250-mx\r\n250 {line}\r\n")).offer().limits;
    let known = limits("LIMITS RCPTMAX=20 mailmax=5 OTHER=9 RCPTDOMAINMAX=1");
    assert_eq!((known.mail, known.rcpt, known.domains), (Some(5), Some(20), Some(1)));
    for odd in ["LIMITS", "LIMITS RCPTMAX", "LIMITS RCPTMAX=0", "LIMITS RCPTMAX=+5", "LIMITS RCPTMAX=1000000"] {
        assert_eq!(limits(odd), Limits::default(), "{odd}");
    }
}

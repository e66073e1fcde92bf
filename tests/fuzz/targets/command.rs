//! Command lines, the addresses in them, and their parameters: what is understood prints as what is understood again.

use super::text;
use mailward::mail::text::is_disturbing;
use mailward::mail::{Domain, Envelope, Mailbox, Recipient, ReversePath};
use mailward::smtp::client::{Client, Event, Extent};
use mailward::smtp::command::{self, Addressee, Command, Forward, Sender};
use mailward::smtp::reply::{self, Parsed};

/// One line as the session hands it on: UTF-8 without CR, LF and NUL.
pub fn line(bytes: &[u8]) {
    let line = text(bytes).replace(['\r', '\n', '\0'], "");
    match command::parse(&line) {
        Err(refused) => {
            let printed = refused.to_bytes();
            assert!(matches!(reply::parse(&printed), Parsed::Reply { consumed, .. } if consumed == printed.len()));
            assert!((500..600).contains(&refused.code) && refused.enhanced.is_some());
        }
        Ok(Command::Ehlo(name) | Command::Helo(name)) => {
            assert!(name.len() <= 255 && name.bytes().all(|b| b.is_ascii_graphic() && !b"()<>\"\\;,".contains(&b)));
        }
        Ok(Command::Mail(sender)) => match &sender.reverse_path {
            ReversePath::Null => {}
            ReversePath::Mailbox(mailbox) => is_one_path(mailbox),
        },
        Ok(Command::Rcpt(forward)) => match &forward.to {
            Addressee::Postmaster => {}
            Addressee::Mailbox(mailbox) => is_one_path(mailbox),
        },
        Ok(_) => {}
    }
}

/// Written between angle brackets it is that mailbox again, and nothing beside it.
fn is_one_path(mailbox: &Mailbox) {
    let again = command::parse(&format!("RCPT TO:<{mailbox}> NOTIFY=NEVER"));
    let Ok(Command::Rcpt(forward)) = again else { panic!("<{mailbox}> is no path: {again:?}") };
    assert_eq!(forward.to, Addressee::Mailbox(mailbox.clone()));
}

/// A mailbox and a domain.
pub fn address(bytes: &[u8]) {
    let text = text(bytes);
    if let Ok(domain) = text.parse::<Domain>() {
        let printed = domain.to_string();
        assert_eq!(printed.parse::<Domain>().as_ref(), Ok(&domain), "{printed}");
        assert!(printed.is_ascii() && !printed.ends_with('.') && !printed.bytes().any(|b| b.is_ascii_uppercase()));
        assert!(!printed.bytes().any(|b| b.is_ascii_control() || b" @<>,;\"".contains(&b)), "{printed:?}");
    }
    let Ok(mailbox) = text.parse::<Mailbox>() else { return };
    let printed = mailbox.to_string();
    let again: Mailbox = printed.parse().unwrap();
    assert_eq!((&again, again.key()), (&mailbox, mailbox.key()));
    assert!(!printed.chars().any(is_disturbing), "{printed:?}");
    assert!(mailbox.local().len() <= 64 && mailbox.domain().as_str().len() <= 255);
    assert_eq!(serde_json::from_str::<Mailbox>(&serde_json::to_string(&mailbox).unwrap()).unwrap(), mailbox);
    is_one_path(&mailbox);
}

/// MAIL on the first line, RCPT on the others: what was understood goes out to a peer that offers everything, and is read
/// there as the same.
pub fn parameters(bytes: &[u8]) {
    let text = text(bytes).replace(['\r', '\0'], "");
    let mut lines = text.split('\n');
    let Some(Ok(Command::Mail(sender))) = lines.next().map(command::parse) else { return };
    let recipients = lines.map_while(|line| match command::parse(line) {
        Ok(Command::Rcpt(forward)) => recipient(*forward),
        _ => None,
    });
    let envelope = envelope(*sender, recipients.take(20).collect());
    if envelope.recipients.is_empty() {
        return;
    }
    let (sent, received) = (said(&envelope), &envelope);
    let mut heard = sent.split_terminator("\r\n").map(command::parse);
    let Some(Ok(Command::Mail(sender))) = heard.next() else { panic!("{sent:?} does not begin with MAIL") };
    assert_eq!((sender.size, &sender.reverse_path), (Some(10), &received.reverse_path));
    assert_eq!(sender.require_tls, received.require_tls);
    assert_eq!((sender.body, sender.ret, &sender.envid), (received.body, received.ret, &received.envid));
    for expected in &received.recipients {
        let Some(Ok(Command::Rcpt(forward))) = heard.next() else { panic!("a recipient is missing in {sent:?}") };
        assert_eq!(recipient(*forward).as_ref(), Some(expected));
    }
    assert_eq!(heard.next(), Some(Ok(Command::Data)));
}

fn recipient(forward: Forward) -> Option<Recipient> {
    let Addressee::Mailbox(mailbox) = forward.to else { return None };
    Some(Recipient { mailbox, notify: forward.notify, orcpt: forward.orcpt })
}

fn envelope(sender: Sender, recipients: Vec<Recipient>) -> Envelope {
    Envelope {
        reverse_path: sender.reverse_path,
        recipients,
        body: sender.body,
        smtputf8: sender.smtputf8,
        ret: sender.ret,
        envid: sender.envid,
        require_tls: sender.require_tls,
    }
}

/// What the client session says, inside TLS, to a peer that offers all that it knows.
fn said(envelope: &Envelope) -> String {
    const PEER: &[u8] =
        b"250-mx\r\n250-PIPELINING\r\n250-SIZE\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-REQUIRETLS\r\n250 DSN\r\n";
    let mut client = Client::<()>::open("gw.example");
    for reply in [b"220 mx\r\n", PEER] {
        let step = client.step(reply);
        assert!(matches!(step.event, Event::Send(_) | Event::Ready(_)));
        client = step.client;
    }
    let step = client.starttls().0.step(b"220 go\r\n");
    assert_eq!(step.event, Event::TlsReady);
    client = step.client.secured().0.step(PEER).client;
    let said = client.mail((), envelope, Extent::Whole(10));
    let Ok((_, Event::Send(bytes))) = said else { panic!("the peer offers all that it takes") };
    String::from_utf8(bytes).unwrap()
}

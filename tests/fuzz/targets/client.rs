//! Replies, and the client session that hears them: every recipient gets one outcome, and nobody's mail counts as delivered
//! without its message.

use super::{arrivals, text};
use mailward::mail::Envelope;
use mailward::mail::text::is_disturbing;
use mailward::smtp::client::{Client, Event, Extent, Logins, Outcome, Reuse};
use mailward::smtp::command::{self, Command};
use mailward::smtp::reply::{self, Parsed};
use mailward::smtp::server::Credentials;

/// One reply, complete or not.
pub fn reply(bytes: &[u8]) {
    let whole = reply::parse(bytes);
    for at in 0..bytes.len().min(300) {
        let part = reply::parse(&bytes[..at]);
        assert!(part == Parsed::Need || part == whole, "{at}: {part:?} and {whole:?}");
    }
    let Parsed::Reply { reply, consumed } = whole else { return };
    assert!((200..600).contains(&reply.code) && (4..=bytes.len()).contains(&consumed));
    assert!(reply.lines().all(|line| !line.chars().any(is_disturbing)), "{:?}", reply.text);
    let status = reply.status();
    assert!(status.text.len() <= 1_000 && !status.to_string().contains('\n'));
    let printed = reply.to_bytes();
    let Parsed::Reply { reply: again, consumed } = reply::parse(&printed) else { panic!("{printed:?} is no reply") };
    assert_eq!((again.code, consumed), (reply.code, printed.len()));
    assert!(printed.split_inclusive(|octet| *octet == b'\n').all(|line| line.len() <= 512));
}

/// Octets of the message that is sent.
const SIZE: u64 = 300_000;

const ENVELOPE: &str = r#"{"reverse_path":"a@b.example","recipients":[{"mailbox":"c@d.example","orcpt":"rfc822;c+2B@d"},
    {"mailbox":"e@f.example","notify":{"success":true,"failure":false,"delay":false}},{"mailbox":"\"g h\"@i.example"}],
    "body":"EightBitMime","envid":"x+2Dy","ret":"Headers"}"#;

/// A whole conversation: `bytes` are all that the peer ever says.
pub fn session(bytes: &[u8]) {
    let mut envelope: Envelope = serde_json::from_str(ENVELOPE).unwrap();
    for parts in arrivals(bytes) {
        Caller::default().hear(&parts, &envelope);
    }
    envelope.body = mailward::mail::Body::SevenBit;
    Caller { tls: true, ..Caller::default() }.hear(&arrivals(bytes)[1], &envelope);
}

/// The caller of a session: starts TLS where that is wanted and offered, and sends one message after the other.
#[derive(Default)]
struct Caller {
    tls: bool,
    bodies: usize,
    messages: usize,
    logins: usize,
}

impl Caller {
    fn hear(mut self, parts: &[&[u8]], envelope: &Envelope) {
        let mut client = Client::<()>::open("gw.example");
        let mut unread: Vec<u8> = Vec::new();
        for part in parts {
            unread.extend_from_slice(part);
            loop {
                let step = client.step(&unread);
                unread.drain(..step.consumed);
                assert!(unread.len() <= 32 * 1024 + part.len(), "{} octets are held", unread.len());
                if step.event == Event::Need {
                    client = step.client;
                    break;
                }
                let Some(next) = self.perform(step.client, step.event, envelope) else { return };
                client = next;
            }
        }
        let outcomes = client.abandon(mailward::vocabulary::Reason::ConnectionLost, None);
        assert!(outcomes.iter().all(|outcome| outcome.result.is_err()), "an end without a word is no delivery");
        settled(&outcomes, envelope);
    }

    fn perform(&mut self, client: Client<()>, event: Event, envelope: &Envelope) -> Option<Client<()>> {
        match event {
            Event::Need => Some(client),
            // Answers to 334 are Base64 and no commands.
            Event::Send(bytes) if self.logins > 0 && self.messages == 0 => {
                assert!(bytes.ends_with(b"\r\n") && bytes.len() > 2);
                Some(client)
            }
            Event::Send(bytes) => {
                well_formed(&bytes);
                Some(client)
            }
            Event::TlsRefused(_) | Event::Ready(_) if self.messages > 3 => None,
            Event::Ready(offer) if offer.logins != Logins::default() && self.logins < 2 => {
                self.logins += 1;
                let credentials = Credentials { name: "trust".into(), password: "sesame".into() };
                let (client, bytes) = client.login(&credentials).expect("mechanisms are offered inside TLS only");
                well_formed(&bytes);
                Some(client)
            }
            Event::LoggedIn | Event::LoginRefused(_) => self.mail(client, envelope),
            Event::TlsRefused(_) => self.mail(client, envelope),
            Event::Ready(offer) if self.tls && offer.starttls => {
                let (client, bytes) = client.starttls();
                well_formed(&bytes);
                Some(client)
            }
            Event::Ready(_) => self.mail(client, envelope),
            Event::TlsReady => {
                self.tls = false;
                let (client, bytes) = client.secured();
                well_formed(&bytes);
                Some(client)
            }
            Event::SendChunk { commands, octets } => {
                well_formed(&commands);
                let last = text(&commands).trim_end().rsplit("\r\n").next().and_then(|line| command::parse(line).ok());
                assert!(matches!(last, Some(Command::Bdat(announced, _)) if announced == octets && octets <= SIZE));
                self.bodies += 1;
                Some(client.body_sent())
            }
            Event::SendBody => {
                self.bodies += 1;
                Some(client.body_sent())
            }
            Event::Finished(outcomes, reuse) => {
                self.finished(&outcomes, envelope);
                if reuse == Reuse::Possible { self.mail(client, envelope) } else { None }
            }
            Event::Failed(reason, status) => {
                settled(&client.abandon(reason, status), envelope);
                None
            }
        }
    }

    fn mail(&mut self, client: Client<()>, envelope: &Envelope) -> Option<Client<()>> {
        self.messages += 1;
        if self.messages > 4 {
            return None;
        }
        let extent = if self.messages % 2 == 1 { Extent::Whole(SIZE) } else { Extent::Pieces(SIZE) };
        let (client, event) = client.mail((), envelope, extent).ok()?;
        self.perform(client, event, envelope)
    }

    fn finished(&mut self, outcomes: &[Outcome], envelope: &Envelope) {
        settled(outcomes, envelope);
        assert_eq!(outcomes.len(), envelope.recipients.len());
        let delivered = outcomes.iter().filter_map(|outcome| outcome.result.as_ref().ok());
        for status in delivered {
            assert!(self.bodies > 0 && (200..300).contains(&status.code), "delivered by {status}");
        }
        self.bodies = 0;
    }
}

/// Before MAIL there is nothing to settle; after it everybody is settled, once.
fn settled(outcomes: &[Outcome], envelope: &Envelope) {
    let recipients: Vec<usize> = outcomes.iter().map(|outcome| outcome.recipient).collect();
    let all: Vec<usize> = (0..envelope.recipients.len()).collect();
    assert!(recipients.is_empty() || recipients == all, "{recipients:?}");
}

/// What we say is commands that our own parser knows, whatever the peer said before.
fn well_formed(bytes: &[u8]) {
    assert!(super::data::is_clean(bytes) && (bytes.ends_with(b"\r\n") || bytes.is_empty()));
    for line in text(bytes).split_terminator("\r\n").filter(|line| *line != ".") {
        assert!(command::parse(line).is_ok(), "{line:?} is no command");
    }
}

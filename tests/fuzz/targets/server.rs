//! The server session on any octets, however they arrive: the same replies, bounded memory, and every message that it takes
//! is one message when it is sent on.

use super::{arrivals, data};
use mailward::mail::{Envelope, Recipient};
use mailward::smtp::Security;
use mailward::smtp::data::chunks::BareLineEndings;
use mailward::smtp::data::encode;
use mailward::smtp::reply::{self, Parsed, Reply};
use mailward::smtp::server::{Action, Auth, RequireTls, Sender, Session, Settings, StartTls};
use std::sync::Arc;

const MAX_LINE: usize = 512;
/// Inside TLS the answer to AUTH may be longer.
const MAX_ANSWER: usize = 2_048;
const MAX_MESSAGE: u64 = 200;
const MAX_RECIPIENTS: usize = 3;

/// As a stranger in clear and as a site inside TLS; the three ways of arrival must not differ.
pub fn session(bytes: &[u8]) {
    for (link, bare) in [(Security::Clear, BareLineEndings::Refused), (Security::Tls, BareLineEndings::Normalised)] {
        let [whole, octets, pieces] = arrivals(bytes).map(|parts| Gateway::open(link, bare).hear(&parts));
        assert_eq!(whole, octets);
        assert_eq!(whole, pieces);
    }
}

fn settings(bare_line_endings: BareLineEndings) -> Settings {
    Settings {
        hostname: "gw.example".into(),
        max_message: MAX_MESSAGE,
        max_recipients: MAX_RECIPIENTS,
        max_line: MAX_LINE,
        max_errors: 8,
        max_commands: 60,
        starttls: StartTls::Offered,
        bare_line_endings,
        auth: Auth::Offered,
        require_tls: RequireTls::Offered,
    }
}

/// The caller of a session; its verdicts follow from what it is asked about.
struct Gateway {
    session: Option<Session>,
    unread: Vec<u8>,
    body: Vec<u8>,
    log: Vec<String>,
}

impl Gateway {
    fn open(link: Security, bare: BareLineEndings) -> Gateway {
        let (session, greeting) = Session::open(Arc::new(settings(bare)), link);
        let mut gateway = Gateway { session: Some(session), unread: Vec::new(), body: Vec::new(), log: Vec::new() };
        gateway.say(&greeting);
        gateway
    }

    /// Everything that was said and taken; ends with TLS or the connection.
    fn hear(mut self, parts: &[&[u8]]) -> Vec<String> {
        for part in parts {
            self.unread.extend_from_slice(part);
            while let Some(session) = self.session.take() {
                let step = session.step(&self.unread, &mut self.body);
                self.unread.drain(..step.consumed);
                assert!(self.unread.len() <= MAX_ANSWER + part.len(), "{} octets are held", self.unread.len());
                assert!(self.body.len() as u64 <= MAX_MESSAGE);
                let needs_more = matches!(step.action, Action::Need);
                self.session = self.perform(step.session, step.action);
                if needs_more {
                    break;
                }
            }
        }
        self.log
    }

    fn perform(&mut self, session: Session, action: Action) -> Option<Session> {
        let (session, reply) = match action {
            Action::Need | Action::Body | Action::Again => return Some(session),
            Action::Reply(reply) | Action::Chunk(reply) => (session, reply),
            Action::Discard(reply) => {
                self.body.clear();
                (session, reply)
            }
            Action::Collect(reply) => {
                assert!(self.body.is_empty(), "nothing is left of the message before");
                let Some(reply) = reply else { return Some(session) };
                (session, reply)
            }
            Action::AskSender(sender) => session.answer(on_sender(&sender)),
            Action::AskRecipient(recipient) => session.answer(on_recipient(&recipient)),
            Action::AskLogin(credentials) => {
                assert_eq!(format!("{credentials:?}"), "Credentials", "no log shows a password");
                let verdict = match credentials.name.as_str() {
                    "name" => Ok(Arc::new(settings(BareLineEndings::Normalised))),
                    _ => Err(Reply::plain(535, "no")),
                };
                let (session, action) = session.answer_login(verdict);
                return self.perform(session, action);
            }
            Action::AskMessage(complete) => {
                let reply = self.take_in(&complete.envelope);
                session.answer_message(reply)
            }
            Action::StartTls(reply) | Action::Close(reply) => {
                self.say(&reply);
                return None;
            }
        };
        self.say(&reply);
        Some(session)
    }

    fn take_in(&mut self, envelope: &Envelope) -> Reply {
        assert!((1..=MAX_RECIPIENTS).contains(&envelope.recipients.len()));
        let message = std::mem::take(&mut self.body);
        let mut wire = Vec::new();
        assert!(encode(&message, &mut wire).is_ok(), "what was taken can be sent on");
        data::assert_one_message(&wire);
        self.log.push(format!("{envelope:?} {}", message.escape_ascii()));
        if message.starts_with(b"refuse") { Reply::plain(550, "no") } else { Reply::plain(250, "queued") }
    }

    fn say(&mut self, reply: &Reply) {
        let bytes = reply.to_bytes();
        let Parsed::Reply { reply: heard, consumed } = reply::parse(&bytes) else { panic!("{bytes:?} is no reply") };
        assert_eq!((heard.code, consumed), (reply.code, bytes.len()), "one reply is said for one command");
        self.log.push(format!("{reply:?}"));
    }
}

fn on_sender(sender: &Sender) -> Result<(), Reply> {
    let refused = sender.reverse_path.mailbox().is_some_and(|mailbox| mailbox.local().starts_with('r'));
    if refused { Err(Reply::plain(550, "no")) } else { Ok(()) }
}

fn on_recipient(recipient: &Recipient) -> Result<(), Reply> {
    if recipient.mailbox.local().starts_with('r') { Err(Reply::plain(450, "later")) } else { Ok(()) }
}

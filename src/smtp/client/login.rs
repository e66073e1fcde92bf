//! AUTH towards a relay (RFC 4954): PLAIN (RFC 4616), else LOGIN, which old servers offer alone.
//!
//! Called by `client`. Promises: nothing of it is said outside TLS; an answer is given only when it is asked for; a password is
//! in no `Debug`. Fails by `LoginRefused`, with what the peer said.

use super::{Client, Event, Next, Rest, Speaking, State};
use crate::smtp::Security;
use crate::smtp::reply::Reply;
use crate::smtp::server::Credentials;
use crate::vocabulary::Reason;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::collections::VecDeque;
use std::fmt;

/// Lines that answer the peer's 334, in turn.
pub(super) struct Answers(VecDeque<Vec<u8>>);

impl fmt::Debug for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Answers({})", self.0.len())
    }
}

impl<P> Client<P> {
    /// Says who we are. None: this is not inside TLS, or the peer offers no mechanism that we know.
    #[must_use]
    pub fn login(self, credentials: &Credentials) -> Option<Speaking<P>> {
        if self.link != Security::Tls || !matches!(self.state, State::Ready) {
            return None;
        }
        let Credentials { name, password } = credentials;
        let line = |text: &str| format!("{}\r\n", STANDARD.encode(text)).into_bytes();
        let plain = line(&format!("\0{name}\0{password}"));
        let (said, answers) = match self.offer.logins {
            // RFC 4954 4: a first answer that makes the line too long waits to be asked for.
            logins if logins.plain && plain.len() > 480 => (b"AUTH PLAIN\r\n".to_vec(), vec![plain]),
            logins if logins.plain => ([b"AUTH PLAIN ", &plain[..]].concat(), Vec::new()),
            logins if logins.login => (b"AUTH LOGIN\r\n".to_vec(), vec![line(name), line(password)]),
            _ => return None,
        };
        Some((Client { state: State::LoggingIn(Box::new(Answers(answers.into()))), ..self }, said))
    }

    pub(super) fn login_answered(self, mut answers: Box<Answers>, reply: &Reply, rest: Rest) -> Next<P> {
        match reply.code {
            _ if rest == Rest::More => self.stop(Reason::ProtocolError, reply),
            235 => (self, Some(Event::LoggedIn)),
            334 => match answers.0.pop_front() {
                Some(line) => (Client { state: State::LoggingIn(answers), ..self }, Some(Event::Send(line))),
                None => self.stop(Reason::ProtocolError, reply),
            },
            400..=599 => (self, Some(Event::LoginRefused(reply.status()))),
            _ => self.stop(Reason::ProtocolError, reply),
        }
    }
}

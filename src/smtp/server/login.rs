//! AUTH (RFC 4954) with PLAIN (RFC 4616) and LOGIN: the exchange, up to a name and a password for the caller to check.
//!
//! Called by `server`. Promises: only inside TLS, outside a transaction and once; a password is in no `Debug`; how much is
//! read of an answer is bounded. Fails by replies; three refused logins close the session.

use super::line::Line;
use super::{Action, Auth, Greeting, Next, Session, Settings, State, Step, replies};
use crate::smtp::Security;
use crate::smtp::command::Given;
use crate::smtp::reply::Reply;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fmt;
use std::sync::Arc;

/// What the client says it is. `Debug` shows neither.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    pub name: String,
    pub password: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials")
    }
}

/// Octets of an answer with its CRLF: three times 255 octets in Base64 fit, as RFC 4616 2 wants.
const LONGEST_ANSWER: usize = 2_048;
/// RFC 4616 2
const LONGEST_NAME: usize = 255;
const LONGEST_PASSWORD: usize = 1_024;
/// Refused logins that end a session.
const REFUSALS: u8 = 3;

/// Where a session stands with logins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Login {
    /// So many were refused.
    Refused(u8),
    Done,
}

/// What the next line answers.
pub(super) enum Exchange {
    Plain,
    LoginName,
    LoginPassword { name: String },
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Exchange")
    }
}

impl Session {
    pub(super) fn auth(self, mechanism: &str, initial: Option<Given>) -> Next {
        let refusal = match (self.settings.auth, self.link, &self.state) {
            (Auth::NotOffered, ..) => Some(replies::NO_AUTH_HERE),
            (_, Security::Clear, _) => Some(replies::AUTH_NEEDS_TLS),
            _ if self.hello.as_ref().is_none_or(|h| h.greeting != Greeting::Ehlo) => Some(replies::HELLO_FIRST),
            _ if self.login == Login::Done => Some(replies::AUTH_TWICE),
            (_, _, State::Idle | State::SenderRefused) => None,
            _ => Some(replies::AUTH_IN_TRANSACTION),
        };
        if let Some(reply) = refusal {
            return self.complain(reply);
        }
        let exchange = match mechanism.to_ascii_uppercase().as_str() {
            "PLAIN" => Exchange::Plain,
            "LOGIN" => Exchange::LoginName,
            _ => return self.complain(replies::NO_SUCH_MECHANISM),
        };
        match initial {
            None => self.challenge(exchange),
            Some(answer) => self.take_answer(exchange, answer.text()),
        }
    }

    fn challenge(self, exchange: Exchange) -> Next {
        let challenge = match exchange {
            Exchange::Plain => "",
            // "Username:" and "Password:", as every client of this mechanism expects them.
            Exchange::LoginName => "VXNlcm5hbWU6",
            Exchange::LoginPassword { .. } => "UGFzc3dvcmQ6",
        };
        let session = Session { state: State::Challenged(Box::new(exchange)), ..self };
        (session, Action::Reply(Reply::plain(334, challenge)))
    }

    /// The next line of an exchange.
    pub(super) fn read_answer(mut self, exchange: Exchange, input: &[u8]) -> Step {
        let (line, consumed) = self.reader.next(input, LONGEST_ANSWER);
        let (session, action) = match line {
            Line::Need => {
                let session = Session { state: State::Challenged(Box::new(exchange)), ..self };
                (session, Action::Need)
            }
            Line::Hopeless => self.close(replies::HOPELESS_LINE),
            Line::Bad(reply) if reply == replies::LONG_LINE => self.complain(replies::LONG_ANSWER),
            Line::Bad(_) => self.complain(replies::NOT_BASE64),
            // RFC 4954 4: the client gives up.
            Line::Command("*") => self.complain(replies::AUTH_CANCELLED),
            Line::Command(answer) => self.take_answer(exchange, answer),
        };
        Step { session, consumed, action }
    }

    fn take_answer(self, exchange: Exchange, answer: &str) -> Next {
        let Some(text) = decode(answer) else { return self.complain(replies::NOT_BASE64) };
        let credentials = match exchange {
            Exchange::LoginName if is_name(&text) => return self.challenge(Exchange::LoginPassword { name: text }),
            Exchange::LoginName => None,
            Exchange::LoginPassword { name } => Some(Credentials { name, password: text }),
            Exchange::Plain => plain(&text),
        };
        match credentials.filter(|c| is_name(&c.name) && (1..=LONGEST_PASSWORD).contains(&c.password.len())) {
            Some(credentials) => (Session { state: State::LoginAsked, ..self }, Action::AskLogin(credentials)),
            None => self.complain(replies::NOT_CREDENTIALS),
        }
    }

    /// The verdict on `AskLogin`: what holds for the client from now on, or the refusal.
    #[must_use]
    pub fn answer_login(self, verdict: Result<Arc<Settings>, Reply>) -> (Session, Action) {
        if !matches!(self.state, State::LoginAsked) {
            return (self, Action::Reply(replies::NOT_ASKED));
        }
        let session = Session { state: State::Idle, ..self };
        match (verdict, session.login) {
            (Ok(settings), _) => {
                (Session { settings, login: Login::Done, ..session }, Action::Reply(replies::LOGGED_IN))
            }
            (Err(_), Login::Refused(before)) if before + 1 >= REFUSALS => session.close(replies::TOO_MANY_LOGINS),
            (Err(reply), Login::Refused(before)) => {
                (Session { login: Login::Refused(before + 1), ..session }, Action::Reply(reply))
            }
            (Err(reply), Login::Done) => (session, Action::Reply(reply)),
        }
    }
}

/// RFC 4954 4: `=` stands for an empty answer.
fn decode(answer: &str) -> Option<String> {
    let octets = if answer == "=" { Vec::new() } else { STANDARD.decode(answer).ok()? };
    String::from_utf8(octets).ok()
}

fn is_name(name: &str) -> bool {
    (1..=LONGEST_NAME).contains(&name.len()) && !name.contains(char::is_control)
}

/// RFC 4616 2: whom to act as, who one is, the password. Nobody acts as somebody else here.
fn plain(text: &str) -> Option<Credentials> {
    let mut parts = text.split('\0');
    let (Some(acts_as), Some(name), Some(password), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return None;
    };
    let own = acts_as.is_empty() || acts_as == name;
    own.then(|| Credentials { name: name.to_owned(), password: password.to_owned() })
}

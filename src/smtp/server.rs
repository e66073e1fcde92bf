//! One client's session: `step` on the unread input gives the next action, `answer` the caller's verdict on it.
//!
//! Called by `receive::connection`, which owns the socket, TLS and all decisions. Promises: commands are answered one by
//! one and in order; nothing but a CRLF ends a command and nothing but `<CRLF>.<CRLF>` a message; what came before TLS is
//! forgotten with it; an idle session holds no buffer. Fails by replies; a hopeless client is closed.

mod commands;
mod line;
mod login;
mod message;
mod replies;

use super::Security;
use super::data::Decoder;
use super::data::chunks::BareLineEndings;
use super::reply::Reply;
use crate::mail::{Envelope, Recipient};
use line::{Line, Reader};
use login::{Exchange, Login};
use message::{Chunked, Skip};
use std::sync::Arc;

pub use super::command::Sender;
pub use login::Credentials;

/// What one listener allows.
#[derive(Debug, Clone)]
pub struct Settings {
    pub hostname: String,
    /// Octets, as SIZE announces them.
    pub max_message: u64,
    pub max_recipients: usize,
    /// Octets of a command line with its CRLF; RFC 5321 4.5.3.1.4 wants 512, and parameters add to that.
    pub max_line: usize,
    /// Commands that were no commands, since the last message that was taken.
    pub max_errors: u32,
    /// Commands in all, since the last message that was taken; recipients that were taken do not count.
    pub max_commands: u32,
    pub starttls: StartTls,
    /// What becomes of them in BDAT; in DATA they are refused from everybody, for there they could end a message.
    pub bare_line_endings: BareLineEndings,
    pub auth: Auth,
    pub require_tls: RequireTls,
}

/// Whether mail can be sent on as REQUIRETLS asks; only ever inside TLS (RFC 8689 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequireTls {
    NotOffered,
    Offered,
}

/// Whether a client can log in; only ever inside TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Auth {
    NotOffered,
    Offered,
}

/// What a listener does about TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StartTls {
    NotOffered,
    Offered,
    /// MAIL gets this reply as long as there is no TLS.
    Required(Reply),
}

/// What the caller has to do.
#[derive(Debug)]
pub enum Action {
    /// Read more input; what was not consumed stays in front of it.
    Need,
    /// Nothing to do: step again.
    Again,
    Reply(Reply),
    /// Judge the reverse-path, then `answer`.
    AskSender(Sender),
    /// Judge the recipient, then `answer`.
    AskRecipient(Recipient),
    /// Provide for a message, and say this (354) if there is something to say.
    Collect(Option<Reply>),
    /// All input belonged to a message or to a refused chunk; the caller may take away what was appended.
    Body,
    /// A chunk is complete and others follow: the caller may take away what was appended, then replies.
    Chunk(Reply),
    /// The message is complete and clean; its last octets may have been appended. Decide, keep, then `answer_message`.
    AskMessage(Complete),
    /// The message, if there is one, cannot be taken: forget all of it, then reply.
    Discard(Reply),
    /// Check name and password, then `answer_login`.
    AskLogin(Credentials),
    /// Reply, drop all unread input (RFC 3207 4.2), shake hands, then `secured`.
    StartTls(Reply),
    /// Reply, then close.
    Close(Reply),
}

/// A message that has come to its end.
#[derive(Debug)]
pub struct Complete {
    pub envelope: Envelope,
    /// Line endings in it that were made a CRLF.
    pub normalised: u64,
}

/// What one `step` did.
#[derive(Debug)]
pub struct Step {
    pub session: Session,
    /// Octets of the input that need not be shown again.
    pub consumed: usize,
    pub action: Action,
}

/// How the client introduced itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hello {
    pub name: Box<str>,
    pub greeting: Greeting,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Greeting {
    Helo,
    Ehlo,
}

/// Why a session is ended from this side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// No more sessions can be served.
    Busy,
    /// The gateway stops.
    Stopping,
    /// The client was silent, or slow, for too long.
    TimedOut,
}

/// One session. Small: the line buffer belongs to the caller.
#[derive(Debug)]
pub struct Session {
    settings: Arc<Settings>,
    link: Security,
    hello: Option<Hello>,
    login: Login,
    reader: Reader,
    errors: u32,
    commands: u32,
    state: State,
}

#[derive(Debug)]
enum State {
    /// No transaction.
    Idle,
    /// MAIL was refused: what was pipelined behind it is refused as well, and is no error of its own.
    SenderRefused,
    SenderAsked(Box<Sender>),
    /// MAIL was taken.
    Open(Box<Transaction>),
    RecipientAsked(Box<Transaction>, Box<Recipient>),
    Collecting(Box<Transaction>, Decoder),
    /// Inside a chunk.
    Chunk(Box<Chunked>),
    BetweenChunks(Box<Chunked>),
    /// Inside a chunk that was refused.
    Skipping(Box<Skip>),
    /// A chunk was refused for this: so is every other, until the last, RSET or EHLO (RFC 3030 2).
    ChunksRefused(Box<Reply>),
    MessageAsked,
    /// AUTH waits for an answer.
    Challenged(Box<Exchange>),
    LoginAsked,
    Closed,
}

#[derive(Debug)]
struct Transaction {
    sender: Sender,
    recipients: Vec<Recipient>,
    refused: u32,
}

impl Transaction {
    fn into_envelope(self) -> Envelope {
        Envelope {
            reverse_path: self.sender.reverse_path,
            recipients: self.recipients,
            body: self.sender.body,
            smtputf8: self.sender.smtputf8,
            ret: self.sender.ret,
            envid: self.sender.envid,
            require_tls: self.sender.require_tls,
        }
    }
}

/// A session after a command, and what to do.
type Next = (Session, Action);

impl Session {
    /// A new session and its greeting.
    #[must_use]
    pub fn open(settings: Arc<Settings>, link: Security) -> (Session, Reply) {
        let greeting = Reply::plain(220, format!("{} ESMTP Mailward", settings.hostname));
        let reader = Reader::default();
        (
            Session {
                settings,
                link,
                hello: None,
                login: Login::Refused(0),
                reader,
                errors: 0,
                commands: 0,
                state: State::Idle,
            },
            greeting,
        )
    }

    /// What to say in place of a greeting, or to an idle session, before closing.
    #[must_use]
    pub fn ending(hostname: &str, why: Ending) -> Reply {
        replies::ending(hostname, why)
    }

    #[must_use]
    pub fn hello(&self) -> Option<&Hello> {
        self.hello.as_ref()
    }

    /// For the Received field (RFC 3848).
    #[must_use]
    pub fn protocol(&self) -> &'static str {
        match (self.hello.as_ref().map(|h| h.greeting), self.link) {
            // A login is possible inside TLS only.
            (Some(Greeting::Ehlo), Security::Tls) if self.login == Login::Done => "ESMTPSA",
            (Some(Greeting::Ehlo), Security::Tls) => "ESMTPS",
            (Some(Greeting::Ehlo), Security::Clear) => "ESMTP",
            _ => "SMTP",
        }
    }

    /// One step on the unread input. Octets of a message are appended to `body`.
    #[must_use]
    pub fn step(self, input: &[u8], body: &mut Vec<u8>) -> Step {
        match self.state {
            State::Collecting(..) if input.is_empty() => Step { session: self, consumed: 0, action: Action::Need },
            State::Collecting(transaction, decoder) => {
                let session = Session { state: State::Idle, ..self };
                session.collect(transaction, decoder, input, body)
            }
            State::Chunk(chunked) => Session { state: State::Idle, ..self }.take_chunk(chunked, input, body),
            State::Skipping(skip) => Session { state: State::Idle, ..self }.skip_chunk(skip, input),
            State::Challenged(exchange) => Session { state: State::Idle, ..self }.read_answer(*exchange, input),
            State::Idle | State::SenderRefused | State::Open(_) | State::BetweenChunks(_) | State::ChunksRefused(_) => {
                self.read_command(input)
            }
            State::SenderAsked(_)
            | State::RecipientAsked(..)
            | State::MessageAsked
            | State::LoginAsked
            | State::Closed => Step { session: self, consumed: 0, action: Action::Need },
        }
    }

    /// The verdict on `AskSender` or `AskRecipient`.
    #[must_use]
    pub fn answer(self, verdict: Result<(), Reply>) -> (Session, Reply) {
        match (self.state, verdict) {
            (State::SenderAsked(sender), Ok(())) => {
                let open = Transaction { sender: *sender, recipients: Vec::new(), refused: 0 };
                (Session { state: State::Open(Box::new(open)), ..self }, replies::SENDER_OK)
            }
            (State::SenderAsked(_), Err(reply)) => (Session { state: State::SenderRefused, ..self }, reply),
            (State::RecipientAsked(mut open, recipient), Ok(())) => {
                open.recipients.push(*recipient);
                let commands = self.commands.saturating_sub(1);
                (Session { state: State::Open(open), commands, ..self }, replies::RECIPIENT_OK)
            }
            (State::RecipientAsked(mut open, _), Err(reply)) => {
                open.refused = open.refused.saturating_add(1);
                (Session { state: State::Open(open), ..self }, reply)
            }
            (state, _) => (Session { state, ..self }, replies::NOT_ASKED),
        }
    }

    /// The reply to `AskMessage`: 250 only after the commit.
    #[must_use]
    pub fn answer_message(self, reply: Reply) -> (Session, Reply) {
        if !matches!(self.state, State::MessageAsked) {
            return (self, replies::NOT_ASKED);
        }
        let taken = (200..300).contains(&reply.code);
        let (errors, commands) = if taken { (0, 0) } else { (self.errors, self.commands) };
        (Session { state: State::Idle, errors, commands, ..self }, reply)
    }

    /// TLS is up: all that was said before it is forgotten (RFC 3207 4.2).
    #[must_use]
    pub fn secured(self) -> Session {
        let login = Login::Refused(0);
        Session { link: Security::Tls, hello: None, login, reader: Reader::default(), state: State::Idle, ..self }
    }

    fn read_command(mut self, input: &[u8]) -> Step {
        let (line, consumed) = self.reader.next(input, self.settings.max_line);
        let (session, action) = match line {
            Line::Need => (self, Action::Need),
            Line::Hopeless => self.close(replies::HOPELESS_LINE),
            Line::Bad(reply) => self.complain(reply),
            Line::Command(text) => self.obey(text),
        };
        Step { session, consumed, action }
    }
}

#[cfg(test)]
mod tests;

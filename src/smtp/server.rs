//! One client's session: `step` on the unread input gives the next action, `answer` the caller's verdict on it.
//!
//! Called by `receive::connection`, which owns the socket, TLS and all decisions. Promises: commands are answered one by
//! one and in order; nothing but a CRLF ends a command and nothing but `<CRLF>.<CRLF>` a message; what came before TLS is
//! forgotten with it; an idle session holds no buffer. Fails by replies; a hopeless client is closed.

mod line;
mod replies;

use super::Security;
use super::command::{self, Addressee, Command, Forward};
use super::data::{Decoder, End};
use super::reply::Reply;
use crate::mail::{Envelope, Mailbox, Recipient};
use line::{Line, Reader};
use std::sync::Arc;

pub use super::command::Sender;

/// What one listener allows.
#[derive(Debug, Clone)]
pub struct Settings {
    pub hostname: String,
    /// Octets, as SIZE announces them.
    pub max_message: u64,
    pub max_recipients: usize,
    /// Octets of a command line with its CRLF; RFC 5321 4.5.3.1.4 wants 512 and more for parameters.
    pub max_line: usize,
    /// Commands that were no commands, since the last message that was taken.
    pub max_errors: u32,
    /// Commands in all, since the last message that was taken; recipients that were taken do not count.
    pub max_commands: u32,
    pub starttls: StartTls,
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
    Reply(Reply),
    /// Judge the reverse-path, then `answer`.
    AskSender(Sender),
    /// Judge the recipient, then `answer`.
    AskRecipient(Recipient),
    /// Reply (354) and provide for a message.
    Collect(Reply),
    /// All input belonged to the message; its octets were appended, and the caller may take them away.
    Body,
    /// The message is complete and clean; its last octets may have been appended. Decide, keep, then `answer_message`.
    AskMessage(Envelope),
    /// The message cannot be taken: forget all of it, then reply.
    Discard(Reply),
    /// Reply, drop all unread input (RFC 3207 4.2), shake hands, then `secured`.
    StartTls(Reply),
    /// Reply, then close.
    Close(Reply),
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
    reader: Reader,
    errors: u32,
    commands: u32,
    state: State,
}

#[derive(Debug)]
enum State {
    /// No transaction.
    Idle,
    SenderAsked(Box<Sender>),
    /// MAIL was taken.
    Open(Box<Transaction>),
    RecipientAsked(Box<Transaction>, Box<Recipient>),
    Collecting(Box<Transaction>, Decoder),
    MessageAsked,
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
        (Session { settings, link, hello: None, reader, errors: 0, commands: 0, state: State::Idle }, greeting)
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
            (Some(Greeting::Ehlo), Security::Tls) => "ESMTPS",
            (Some(Greeting::Ehlo), Security::Clear) => "ESMTP",
            _ => "SMTP",
        }
    }

    /// Whether no transaction is open, so that the session can be ended without loss.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        matches!(self.state, State::Idle | State::Closed)
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
            State::Idle | State::Open(_) => self.read_command(input),
            State::SenderAsked(_) | State::RecipientAsked(..) | State::MessageAsked | State::Closed => {
                Step { session: self, consumed: 0, action: Action::Need }
            }
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
            (State::SenderAsked(_), Err(reply)) => (Session { state: State::Idle, ..self }, reply),
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
        Session { link: Security::Tls, hello: None, reader: Reader::default(), state: State::Idle, ..self }
    }

    fn collect(self, open: Box<Transaction>, mut decoder: Decoder, input: &[u8], body: &mut Vec<u8>) -> Step {
        let progress = decoder.feed(input, body);
        let (session, action) = match progress.end {
            None => (Session { state: State::Collecting(open, decoder), ..self }, Action::Body),
            Some(End::Complete) => {
                (Session { state: State::MessageAsked, ..self }, Action::AskMessage(open.into_envelope()))
            }
            Some(End::BareLineEnding) => (self, Action::Discard(replies::BARE_LINE_ENDING)),
            Some(End::TooLarge) => {
                let reply = replies::too_large(decoder.octets(), self.settings.max_message);
                (self, Action::Discard(reply))
            }
        };
        Step { session, consumed: progress.consumed, action }
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

    fn obey(mut self, line: &str) -> Next {
        self.commands = self.commands.saturating_add(1);
        if self.commands > self.settings.max_commands {
            return self.close(replies::TOO_MANY_COMMANDS);
        }
        match command::parse(line) {
            Err(reply) => self.complain(reply),
            Ok(Command::Ehlo(name)) => self.greet(name, Greeting::Ehlo),
            Ok(Command::Helo(name)) => self.greet(name, Greeting::Helo),
            Ok(Command::Mail(sender)) => self.mail(sender, line),
            Ok(Command::Rcpt(forward)) => self.rcpt(*forward, line),
            Ok(Command::Data) => self.data(),
            Ok(Command::Rset) => (Session { state: State::Idle, ..self }, Action::Reply(replies::RESET)),
            Ok(Command::Noop) => (self, Action::Reply(replies::NOOP)),
            Ok(Command::Vrfy) => (self, Action::Reply(replies::VRFY)),
            Ok(Command::Help) => (self, Action::Reply(replies::HELP)),
            Ok(Command::StartTls) => self.start_tls(),
            Ok(Command::Quit) => self.close(replies::BYE),
            Ok(Command::Foreign) => self.close(replies::FOREIGN),
        }
    }

    /// RFC 5321 4.1.4: EHLO ends any transaction and may come again.
    fn greet(self, name: Box<str>, greeting: Greeting) -> Next {
        let reply = match greeting {
            Greeting::Helo => Reply::plain(250, self.settings.hostname.clone()),
            Greeting::Ehlo => replies::ehlo(&self.settings, self.link),
        };
        (Session { hello: Some(Hello { name, greeting }), state: State::Idle, ..self }, Action::Reply(reply))
    }

    fn mail(self, sender: Box<Sender>, line: &str) -> Next {
        if self.hello.is_none() {
            return self.complain(replies::HELLO_FIRST);
        }
        if !matches!(self.state, State::Idle) {
            return self.complain(replies::NESTED_MAIL);
        }
        if let (StartTls::Required(reply), Security::Clear) = (&self.settings.starttls, self.link) {
            // Not counted as an error: who is told 451 has to come back with every message.
            let reply = reply.clone();
            return (self, Action::Reply(reply));
        }
        // RFC 6531 3.2: the domain may have become an A-label by now, so the line is what counts.
        if !line.is_ascii() && !sender.smtputf8 {
            return (self, Action::Reply(replies::NEEDS_SMTPUTF8));
        }
        if let Some(size) = sender.size.filter(|size| *size > self.settings.max_message) {
            let reply = replies::too_large(size, self.settings.max_message);
            return (self, Action::Reply(reply));
        }
        let ask = Action::AskSender((*sender).clone());
        (Session { state: State::SenderAsked(sender), ..self }, ask)
    }

    fn rcpt(self, forward: Forward, line: &str) -> Next {
        let State::Open(open) = self.state else {
            return self.complain(replies::MAIL_FIRST);
        };
        if open.recipients.len() >= self.settings.max_recipients {
            return (Session { state: State::Open(open), ..self }, Action::Reply(replies::TOO_MANY_RECIPIENTS));
        }
        let mailbox = match forward.to {
            Addressee::Mailbox(_) if !line.is_ascii() && !open.sender.smtputf8 => Err(replies::NEEDS_SMTPUTF8),
            Addressee::Mailbox(mailbox) => Ok(mailbox),
            Addressee::Postmaster => own_postmaster(&self.settings.hostname),
        };
        match mailbox {
            Ok(mailbox) => {
                let recipient = Recipient { mailbox, notify: forward.notify, orcpt: forward.orcpt };
                let ask = Action::AskRecipient(recipient.clone());
                (Session { state: State::RecipientAsked(open, Box::new(recipient)), ..self }, ask)
            }
            Err(reply) => (Session { state: State::Open(open), ..self }, Action::Reply(reply)),
        }
    }

    fn data(self) -> Next {
        match self.state {
            State::Open(open) if !open.recipients.is_empty() => {
                let decoder = Decoder::new(self.settings.max_message);
                (Session { state: State::Collecting(open, decoder), ..self }, Action::Collect(replies::go_ahead()))
            }
            // RFC 5321 3.3: nobody is left to send it to.
            State::Open(open) if open.refused > 0 => {
                (Session { state: State::Open(open), ..self }, Action::Reply(replies::NO_VALID_RECIPIENTS))
            }
            State::Open(open) => Session { state: State::Open(open), ..self }.complain(replies::RCPT_FIRST),
            state => Session { state, ..self }.complain(replies::MAIL_FIRST),
        }
    }

    fn start_tls(self) -> Next {
        match (&self.settings.starttls, self.link, &self.hello) {
            (StartTls::NotOffered, ..) => self.complain(replies::NO_TLS_HERE),
            (_, Security::Tls, _) => self.complain(replies::TLS_TWICE),
            (_, _, None) => self.complain(replies::HELLO_FIRST),
            _ => (self, Action::StartTls(replies::START_TLS)),
        }
    }

    /// Refuses what was no command, and closes when there was too much of it.
    fn complain(mut self, reply: Reply) -> Next {
        self.errors = self.errors.saturating_add(1);
        if self.errors >= self.settings.max_errors {
            return self.close(replies::TOO_MANY_ERRORS);
        }
        (self, Action::Reply(reply))
    }

    fn close(self, reply: Reply) -> Next {
        (Session { state: State::Closed, ..self }, Action::Close(reply))
    }
}

/// RFC 5321 4.5.1: `<Postmaster>` is this host's own.
fn own_postmaster(hostname: &str) -> Result<Mailbox, Reply> {
    format!("postmaster@{hostname}").parse().map_err(|_| replies::NO_POSTMASTER)
}

#[cfg(test)]
mod tests;

//! One command: what it changes in the session, and what the caller has to do.
//!
//! Called by `server` with each line. Promises: a command out of order changes nothing; what the client pipelined behind a
//! refusal of ours is no error of its own. Fails by replies; too many errors or commands close the session.

use super::{Action, Auth, Greeting, Hello, Next, RequireTls, Session, StartTls, State, replies};
use crate::mail::{Mailbox, Recipient};
use crate::smtp::Security;
use crate::smtp::command::parameters::not_offered;
use crate::smtp::command::{self, Addressee, Command, Forward, Sender};
use crate::smtp::data::Decoder;
use crate::smtp::reply::Reply;

impl Session {
    pub(super) fn obey(mut self, line: &str) -> Next {
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
            Ok(Command::Bdat(octets, marker)) => self.bdat(octets, marker),
            Ok(Command::Adrift) => self.close(replies::CHUNK_WITHOUT_SIZE),
            Ok(Command::Auth(mechanism, initial)) => self.auth(&mechanism, initial),
            Ok(Command::Rset) => self.reset(replies::RESET),
            Ok(Command::Noop) => (self, Action::Reply(replies::NOOP)),
            Ok(Command::Vrfy) => (self, Action::Reply(replies::VRFY)),
            Ok(Command::Expn) => (self, Action::Reply(replies::EXPN)),
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
            Greeting::Ehlo => replies::ehlo(&self.settings, self.link, self.login),
        };
        Session { hello: Some(Hello { name, greeting }), ..self }.reset(reply)
    }

    /// Ends the transaction, whatever has come of it.
    fn reset(self, reply: Reply) -> Next {
        let begun = matches!(self.state, State::BetweenChunks(_));
        let action = if begun { Action::Discard(reply) } else { Action::Reply(reply) };
        (Session { state: State::Idle, ..self }, action)
    }

    fn mail(self, sender: Box<Sender>, line: &str) -> Next {
        if self.hello.is_none() {
            return self.complain(replies::HELLO_FIRST);
        }
        match self.state {
            State::Idle | State::SenderRefused => {}
            State::BetweenChunks(_) | State::ChunksRefused(_) => return self.out_of_order(),
            _ => return self.complain(replies::NESTED_MAIL),
        }
        if let (StartTls::Required(reply), Security::Clear) = (&self.settings.starttls, self.link) {
            // Not counted as an error: who is told 451 has to come back with every message.
            let reply = reply.clone();
            return self.refuse_sender(reply);
        }
        if sender.auth.is_some() && self.settings.auth == Auth::NotOffered {
            return self.complain(not_offered("AUTH"));
        }
        if sender.require_tls && self.settings.require_tls == RequireTls::NotOffered {
            return self.complain(not_offered("REQUIRETLS"));
        }
        // RFC 8689 2: only in a session that employs TLS.
        if sender.require_tls && self.link == Security::Clear {
            return self.refuse_sender(replies::REQUIRE_TLS_NEEDS_TLS);
        }
        // RFC 6531 3.2: the domain may have become an A-label by now, so the line is what counts.
        if !line.is_ascii() && !sender.smtputf8 {
            return self.refuse_sender(replies::NEEDS_SMTPUTF8);
        }
        if let Some(size) = sender.size.filter(|size| *size > self.settings.max_message) {
            let reply = replies::too_large(size, self.settings.max_message);
            return self.refuse_sender(reply);
        }
        let ask = Action::AskSender((*sender).clone());
        (Session { state: State::SenderAsked(sender), ..self }, ask)
    }

    fn refuse_sender(self, reply: Reply) -> Next {
        (Session { state: State::SenderRefused, ..self }, Action::Reply(reply))
    }

    fn rcpt(self, forward: Forward, line: &str) -> Next {
        let State::Open(open) = self.state else {
            return self.out_of_order();
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
                (
                    Session { state: State::Collecting(open, decoder), ..self },
                    Action::Collect(Some(replies::go_ahead())),
                )
            }
            // RFC 5321 3.3: nobody is left to send it to.
            State::Open(open) if open.refused > 0 => {
                (Session { state: State::Open(open), ..self }, Action::Reply(replies::NO_VALID_RECIPIENTS))
            }
            State::Open(open) => Session { state: State::Open(open), ..self }.complain(replies::RCPT_FIRST),
            state => Session { state, ..self }.out_of_order(),
        }
    }

    /// A command of a transaction where there is none, or none that it could belong to.
    fn out_of_order(self) -> Next {
        match self.state {
            State::SenderRefused => (self, Action::Reply(replies::MAIL_FIRST)),
            State::BetweenChunks(_) => self.complain(replies::CHUNKS_OPEN),
            State::ChunksRefused(_) => self.complain(replies::CHUNKS_FAILED),
            _ => self.complain(replies::MAIL_FIRST),
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
    pub(super) fn complain(mut self, reply: Reply) -> Next {
        self.errors = self.errors.saturating_add(1);
        if self.errors >= self.settings.max_errors {
            return self.close(replies::TOO_MANY_ERRORS);
        }
        (self, Action::Reply(reply))
    }

    pub(super) fn close(self, reply: Reply) -> Next {
        (Session { state: State::Closed, ..self }, Action::Close(reply))
    }
}

/// RFC 5321 4.5.1: `<Postmaster>` is this host's own.
fn own_postmaster(hostname: &str) -> Result<Mailbox, Reply> {
    format!("postmaster@{hostname}").parse().map_err(|_| replies::NO_POSTMASTER)
}

//! The server session with a caller that says yes to everything unless the transcript says otherwise.

use super::{Pace, Side, as_lines, escape};
use mailward::mail::{Envelope, Status};
use mailward::smtp::Security;
use mailward::smtp::data::chunks::BareLineEndings;
use mailward::smtp::reply::Reply;
use mailward::smtp::server::{Action, Auth, Complete, RequireTls, Session, Settings, StartTls};
use std::sync::Arc;

pub struct Gateway {
    settings: Settings,
    link: Security,
    /// None before the first line that is not a setting.
    session: Option<Session>,
    unread: Vec<u8>,
    body: Vec<u8>,
    verdict: Option<Reply>,
    log: Vec<String>,
}

impl Gateway {
    pub fn open() -> Gateway {
        let settings = Settings {
            hostname: "gw.example".into(),
            max_message: 1000,
            max_recipients: 100,
            max_line: 1024,
            max_errors: 20,
            max_commands: 100,
            starttls: StartTls::Offered,
            bare_line_endings: BareLineEndings::Refused,
            auth: Auth::NotOffered,
            require_tls: RequireTls::NotOffered,
        };
        let link = Security::Clear;
        Gateway { settings, link, session: None, unread: Vec::new(), body: Vec::new(), verdict: None, log: Vec::new() }
    }

    /// As it is to a site's clients.
    pub fn open_to_a_site() -> Gateway {
        let mut gateway = Gateway::open();
        gateway.settings.require_tls = RequireTls::Offered;
        gateway
    }

    fn greet(&mut self) {
        let (session, greeting) = Session::open(Arc::new(self.settings.clone()), self.link);
        self.session = Some(session);
        self.say(&greeting);
    }

    fn say(&mut self, reply: &Reply) {
        self.log.extend(as_lines('S', &reply.to_bytes()));
    }

    /// Steps until the session wants more; true if unread input has to be dropped.
    fn drive(&mut self) -> bool {
        loop {
            let step = self.session.take().expect("the session is always put back").step(&self.unread, &mut self.body);
            self.unread.drain(..step.consumed);
            let stop = matches!(step.action, Action::Need | Action::StartTls(_) | Action::Close(_));
            let dropped = matches!(step.action, Action::StartTls(_) | Action::Close(_));
            self.session = Some(self.perform(step.session, step.action));
            if stop {
                return dropped;
            }
        }
    }

    fn perform(&mut self, session: Session, action: Action) -> Session {
        let (session, reply) = match action {
            Action::Need | Action::Again | Action::Body => return session,
            Action::Reply(reply) | Action::Chunk(reply) => (session, reply),
            Action::AskSender(_) | Action::AskRecipient(_) => session.answer(self.verdict.take().map_or(Ok(()), Err)),
            Action::Collect(reply) => {
                self.body.clear();
                match reply {
                    Some(reply) => (session, reply),
                    None => return session,
                }
            }
            Action::AskMessage(Complete { envelope, normalised }) => {
                self.log.push(describe(&envelope));
                self.log.push(format!("= body {}", escape(&std::mem::take(&mut self.body))));
                if normalised > 0 {
                    self.log.push(format!("= normalised {normalised}"));
                }
                let taken = status("250 2.0.0 queued");
                session.answer_message(self.verdict.take().unwrap_or(taken))
            }
            Action::Discard(reply) => {
                self.body.clear();
                self.log.push("= discarded".into());
                (session, reply)
            }
            Action::AskLogin(credentials) => {
                self.log.push(format!("= login {} {}", credentials.name, credentials.password));
                let verdict = self.verdict.take().map_or_else(|| Ok(Arc::new(self.settings.clone())), Err);
                let (session, action) = session.answer_login(verdict);
                return self.perform(session, action);
            }
            Action::StartTls(reply) => {
                self.say(&reply);
                self.log.push("= starttls".into());
                return session.secured();
            }
            Action::Close(reply) => {
                self.say(&reply);
                self.log.push("= closed".into());
                return session;
            }
        };
        self.say(&reply);
        session
    }
}

fn describe(envelope: &Envelope) -> String {
    let mut line = format!("= message <{}>", envelope.reverse_path);
    for recipient in &envelope.recipients {
        line.push_str(&format!(" <{}>", recipient.mailbox));
        if let Some(notify) = recipient.notify {
            line.push_str(&format!(" NOTIFY={}", notify.as_parameter()));
        }
        if let Some(orcpt) = &recipient.orcpt {
            line.push_str(&format!(" ORCPT={orcpt}"));
        }
    }
    if envelope.require_tls {
        line.push_str(" REQUIRETLS");
    }
    let extra = format!(" {:?} utf8={} {:?} {:?}", envelope.body, envelope.smtputf8, envelope.ret, envelope.envid);
    if extra == " SevenBit utf8=false None None" { line } else { line + &extra }
}

/// `550 5.7.1 text` as a reply.
fn status(text: &str) -> Reply {
    let mut words = text.splitn(3, ' ');
    let mut word = || words.next().expect("a code, an enhanced code and a text");
    Status::new(word().parse().expect("a code"), word().parse().expect("an enhanced code"), word()).into()
}

impl Side for Gateway {
    const FED: char = 'C';

    fn act(&mut self, event: &str) -> bool {
        let (verb, value) = event.split_once(' ').unwrap_or((event, ""));
        match verb {
            "answer" => self.verdict = Some(status(value)),
            "max-recipients" => self.settings.max_recipients = value.parse().expect("a number"),
            "max-errors" => self.settings.max_errors = value.parse().expect("a number"),
            "max-commands" => self.settings.max_commands = value.parse().expect("a number"),
            "starttls-not-offered" => self.settings.starttls = StartTls::NotOffered,
            "starttls-required" => self.settings.starttls = StartTls::Required(status(value)),
            "normalise-line-endings" => self.settings.bare_line_endings = BareLineEndings::Normalised,
            "requiretls" => self.settings.require_tls = RequireTls::Offered,
            "auth" => self.settings.auth = Auth::Offered,
            "implicit-tls" => self.link = Security::Tls,
            _ => return false,
        }
        true
    }

    fn feed(&mut self, block: &[u8], pace: Pace) {
        if self.session.is_none() {
            self.greet();
        }
        for portion in pace.portions(block) {
            self.unread.extend(portion);
            if self.drive() {
                // Whatever came before the handshake is dropped, as the caller of the session must.
                self.unread.clear();
                return;
            }
        }
    }

    fn heard(&mut self) -> Vec<String> {
        std::mem::take(&mut self.log)
    }
}

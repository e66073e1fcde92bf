//! One socket driving one SMTP session: reads, lets the session step, asks who has to be asked, writes.
//!
//! Called by `receive::listener`. Promises: replies go out in order and together where the client pipelines; everything
//! read before a handshake is dropped (RFC 3207 4.2); a silent client costs a small task and no buffer. Fails with the
//! socket's error, which ends the session and nothing else.

use super::accept::{Arrived, Record};
use super::access::{Denied, Door};
use super::collect::Collector;
use super::limits::Who;
use super::listener::{Reception, Rules};
use super::received::Trace;
use super::socket::Socket;
use crate::clock::Now;
use crate::decide::Transaction;
use crate::mail::{Envelope, Mailbox, Status, TlsFacts};
use crate::policy::Sites;
use crate::smtp::Security;
use crate::smtp::command::Sender;
use crate::smtp::reply::Reply;
use crate::smtp::server::{Action, Complete, Ending, Session, Settings};
use crate::tls::TlsFailure;
use crate::vocabulary::{Direction, Level, Reason};
use std::borrow::Cow;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::server::TlsStream;

static SESSIONS: AtomicU64 = AtomicU64::new(1);

pub(super) struct Connection {
    socket: Socket,
    client: IpAddr,
    door: Option<Arc<Door>>,
    rules: Arc<Rules>,
    reception: Arc<Reception>,
    session_id: String,
    tls: Option<TlsFacts>,
    input: Vec<u8>,
    output: Vec<u8>,
    /// The message that is being received.
    collector: Option<Collector>,
    /// What MAIL said, for rules that need no content.
    envelope: Option<Envelope>,
    message_deadline: Option<Instant>,
    /// A refusal at RCPT was put on record.
    recorded: bool,
}

/// Whether the session goes on.
enum Flow {
    On(Session),
    End,
}

impl Connection {
    pub fn new(
        socket: TcpStream,
        client: IpAddr,
        door: Option<Arc<Door>>,
        rules: Arc<Rules>,
        reception: Arc<Reception>,
    ) -> Connection {
        // Replies are small and must not wait for more to say.
        let _ = socket.set_nodelay(true);
        Connection {
            socket: Socket::Clear(socket),
            client,
            door,
            rules,
            reception,
            session_id: format!("{:x}", SESSIONS.fetch_add(1, Ordering::Relaxed)),
            tls: None,
            input: Vec::new(),
            output: Vec::new(),
            collector: None,
            envelope: None,
            message_deadline: None,
            recorded: false,
        }
    }

    /// Runs the session to its end.
    pub async fn run(mut self, settings: Arc<Settings>) -> io::Result<()> {
        let (mut session, greeting) = Session::open(settings, Security::Clear);
        greeting.write(&mut self.output);
        let mut unread = 0;
        loop {
            let mut no_message = Vec::new();
            let body = self.collector.as_mut().map_or(&mut no_message, |c| &mut c.memory);
            let step = session.step(&self.input[unread..], body);
            unread += step.consumed;
            let starved = matches!(step.action, Action::Need)
                || matches!(step.action, Action::Body if unread == self.input.len());
            session = match self.act(step.session, step.action).await? {
                Flow::On(session) => session,
                Flow::End => return Ok(()),
            };
            unread = unread.min(self.input.len()); // a handshake drops what was read before it
            if starved {
                self.input.drain(..unread);
                unread = 0;
                self.flush().await?;
                if !self.fill(&session).await? {
                    return Ok(());
                }
            }
        }
    }

    async fn act(&mut self, session: Session, action: Action) -> io::Result<Flow> {
        match action {
            Action::Need | Action::Again => {}
            Action::Reply(reply) => self.say(&reply),
            Action::AskSender(sender) => return Ok(self.ask_sender(session, sender)),
            Action::AskRecipient(recipient) => {
                let verdict = self.judge_recipient(&recipient.mailbox);
                return Ok(self.answer(session, verdict));
            }
            Action::Collect(reply) => {
                let id = self.reception.acceptance.ids.next(Now::read().wall);
                self.collector = Some(Collector::new(id, self.reception.bounds.max_header));
                self.message_deadline = Some(Instant::now() + self.reception.bounds.message_time);
                reply.iter().for_each(|reply| self.say(reply));
            }
            Action::Body => self.relieve().await,
            Action::Chunk(reply) => {
                self.relieve().await;
                self.say(&reply);
            }
            Action::AskMessage(complete) => return self.ask_message(session, complete).await,
            Action::Discard(reply) => {
                self.forget_message();
                self.say(&reply);
            }
            Action::StartTls(reply) => return self.start_tls(session, &reply).await,
            Action::Close(reply) => {
                self.say(&reply);
                self.flush().await?;
                return Ok(Flow::End);
            }
        }
        Ok(Flow::On(session))
    }

    /// Octets of a message have come, or of a chunk that was refused, which has as much time.
    async fn relieve(&mut self) {
        self.message_deadline.get_or_insert_with(|| Instant::now() + self.reception.bounds.message_time);
        if let Some(collector) = &mut self.collector {
            if self.reception.no_room.load(Ordering::Relaxed) {
                collector.refuse_large();
            }
            collector.relieve(self.reception.acceptance.store.bodies()).await;
        }
    }

    fn say(&mut self, reply: &Reply) {
        reply.write(&mut self.output);
    }

    fn answer(&mut self, session: Session, verdict: Result<(), Reply>) -> Flow {
        let (session, reply) = session.answer(verdict);
        self.say(&reply);
        Flow::On(session)
    }

    fn ask_sender(&mut self, session: Session, sender: Sender) -> Flow {
        let verdict = self.judge_sender(&sender);
        self.envelope = Some(Envelope {
            reverse_path: sender.reverse_path,
            recipients: Vec::new(),
            body: sender.body,
            smtputf8: sender.smtputf8,
            ret: sender.ret,
            envid: sender.envid,
        });
        self.answer(session, verdict)
    }

    fn judge_sender(&self, sender: &Sender) -> Result<(), Reply> {
        if self.reception.no_room.load(Ordering::Relaxed) || !self.reception.acceptance.store.is_writable() {
            return Err(Reply::fixed(
                452,
                crate::mail::Enhanced(4, 3, 1),
                "No room to keep mail at the moment, try again later",
            ));
        }
        let may = self.reception.access.may_send(self.rules.mail_from, self.door.as_deref(), &sender.reverse_path);
        may.map_err(|denied| self.deny(denied))
    }

    /// Whether the recipient is ours to take, and whether rules that need no content refuse it already.
    fn judge_recipient(&mut self, recipient: &Mailbox) -> Result<(), Reply> {
        let reception = self.reception.clone();
        if self.is_own_postmaster(recipient) {
            return Ok(());
        }
        let access = &reception.access;
        let direction = access.direction(self.door.as_deref(), recipient).map_err(|d| self.deny(d))?;
        access.comes_back(self.door.as_deref(), self.client, recipient).map_err(|d| self.deny(d))?;
        let Some(envelope) = self.envelope.as_ref().filter(|_| direction == Direction::Inbound) else { return Ok(()) };
        let transaction = Transaction {
            direction,
            sites: Sites {
                leaves: None,
                reaches: reception.access.routes.site_of(recipient.domain()).map(AsRef::as_ref),
            },
            envelope,
            message: b"",
            size: 0,
            peer: Some(self.level()),
            can: &[],
        };
        match reception.judge.at_rcpt(&transaction, recipient) {
            Some(verdict) => {
                // One record a session is evidence enough: a stranger must not fill the disk with them.
                let record = if std::mem::replace(&mut self.recorded, true) { Record::Counted } else { Record::Kept };
                Err(reception.acceptance.refuse_at_rcpt((&transaction, recipient), &verdict, record))
            }
            None => Ok(()),
        }
    }

    fn is_own_postmaster(&self, recipient: &Mailbox) -> bool {
        recipient.domain().as_str() == self.reception.hostname && recipient.local().eq_ignore_ascii_case("postmaster")
    }

    fn deny(&self, denied: Denied) -> Reply {
        if denied.reason == Reason::ClientUnknown {
            // A site's server with an address that nobody told us, or a stranger who found the wrong door.
            tracing::warn!(session = self.session_id, client = %self.client, listener = %self.rules.name, "client in no site's network");
        } else if denied.reason == Reason::SiteLoop {
            tracing::warn!(session = self.session_id, client = %self.client, text = denied.status.text, "a site sends mail to itself");
        } else {
            tracing::info!(session = self.session_id, client = %self.client, reason = %denied.reason, "refused at the door");
        }
        reply_of(denied.status)
    }

    /// What this link reached, seen from here: the client did not prove itself.
    fn level(&self) -> Level {
        if self.tls.is_some() { Level::Encrypted } else { Level::Any }
    }

    async fn ask_message(&mut self, session: Session, complete: Complete) -> io::Result<Flow> {
        let Some(collector) = self.collector.take() else { return Ok(Flow::On(session)) };
        let Complete { mut envelope, normalised } = complete;
        self.reception.metrics.line_endings_normalised.inc_by(normalised);
        let hello = session.hello().map_or_else(|| "unknown".to_owned(), |h| h.name.to_string());
        if let Some(postmaster) = self.reception.access.postmaster(self.door.as_deref()) {
            for recipient in envelope.recipients.iter_mut().filter(|r| self.is_own_postmaster(&r.mailbox)) {
                recipient.mailbox = postmaster.clone();
            }
        }
        let trace = Trace {
            hello: &hello,
            client: self.client,
            hostname: &self.reception.hostname,
            protocol: session.protocol(),
            tls: self.tls.as_ref(),
        };
        let arrived = Arrived {
            session: &self.session_id,
            door: self.door.as_deref(),
            access: &self.reception.access,
            level: self.level(),
            trace,
            envelope,
        };
        let status = self.reception.acceptance.accept(arrived, collector).await;
        self.forget_message();
        let (session, reply) = session.answer_message(reply_of(status));
        self.say(&reply);
        Ok(Flow::On(session))
    }

    fn forget_message(&mut self) {
        (self.collector, self.envelope, self.message_deadline) = (None, None, None);
    }

    /// RFC 3207: reply, drop everything that was read, shake hands, begin anew.
    async fn start_tls(&mut self, session: Session, reply: &Reply) -> io::Result<Flow> {
        self.say(reply);
        self.flush().await?;
        self.input = Vec::new();
        self.forget_message();
        let Socket::Clear(tcp) = std::mem::replace(&mut self.socket, Socket::Gone) else { return Ok(Flow::End) };
        let mut stopping = self.reception.stopping.clone();
        let shaken = tokio::select! {
            shaken = self.shake_hands(tcp) => shaken,
            _ = stopping.wait_for(|stop| *stop) => None,
        };
        let Some(shaken) = shaken else { return Ok(Flow::End) };
        match shaken {
            Ok((stream, facts)) => {
                self.tls = Some(facts);
                self.socket = Socket::Tls(Box::new(stream));
                Ok(Flow::On(session.secured()))
            }
            Err(failure) => {
                tracing::info!(session = self.session_id, client = %self.client, reason = %failure.reason, "handshake failed");
                Ok(Flow::End)
            }
        }
    }

    /// The handshake, once there is a place for it; None where there is none.
    async fn shake_hands(&self, tcp: TcpStream) -> Option<Result<(TlsStream<TcpStream>, TlsFacts), TlsFailure>> {
        let (pools, patience) = (&self.reception.handshakes, self.reception.bounds.handshake);
        if self.door.is_none() {
            let _place = pools.strangers.take(self.client, Who::Site)?;
            return Some(self.reception.acceptor.accept(tcp, patience / 3).await);
        }
        // Who waits longer for a turn would give up anyway.
        let _turn = tokio::time::timeout(patience, pools.sites.acquire()).await.ok()?.ok()?;
        Some(self.reception.acceptor.accept(tcp, patience).await)
    }

    async fn flush(&mut self) -> io::Result<()> {
        if self.output.is_empty() {
            return Ok(());
        }
        let deadline = Instant::now() + self.reception.bounds.idle;
        let write = async { self.socket.write_all(&self.output).await };
        timeout_at(deadline, write).await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
        self.output.clear();
        Ok(())
    }

    /// Reads more input; false when the session has ended.
    async fn fill(&mut self, session: &Session) -> io::Result<bool> {
        let idle = Instant::now() + self.reception.bounds.idle;
        let deadline = self.message_deadline.map_or(idle, |message| message.min(idle));
        let mut stopping = self.reception.stopping.clone();
        let stop = async {
            // A transaction is finished first; without the sender there is nobody to tell it, and it never comes.
            if !session.is_idle() || stopping.wait_for(|stop| *stop).await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        let read = timeout_at(deadline, self.socket.read(&mut self.input));
        let why = tokio::select! {
            read = read => match read {
                Ok(octets) => return octets.map(|n| n > 0),
                Err(_) => Ending::TimedOut,
            },
            () = stop => Ending::Stopping,
        };
        let farewell = Session::ending(&self.reception.hostname, why);
        self.say(&farewell);
        self.flush().await?;
        Ok(false)
    }
}

fn reply_of(status: Status) -> Reply {
    Reply { code: status.code, enhanced: status.enhanced, text: Cow::Owned(status.text) }
}

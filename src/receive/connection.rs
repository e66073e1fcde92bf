//! One socket driving one SMTP session: reads, lets the session step, asks who has to be asked, writes.
//!
//! Called by `receive::listener`. Promises: replies go out in order and together where the client pipelines; everything
//! read before a handshake is dropped (RFC 3207 4.2); a silent client costs a small task and no buffer. Fails with the
//! socket's error, which ends the session and nothing else.

mod handshake;
mod login;
mod transaction;

use super::access::Door;
use super::collect::Collector;
use super::limits::Who;
use super::listener::{Reception, Rules};
use super::refusals::{self, To};
use super::socket::{READ, READ_LARGE, Socket};
use super::standing::Standing;
use crate::clock::Now;
use crate::mail::{Envelope, TlsFacts};
use crate::smtp::reply::Reply;
use crate::smtp::server::{Action, Ending, Session, Settings};
use crate::vocabulary::Reason;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

/// Octets of replies that wait to be written together; more of them wait until the client has read these.
const REPLIES: usize = 8 * 1024;

static SESSIONS: AtomicU64 = AtomicU64::new(1);

pub(super) struct Connection {
    socket: Socket,
    client: IpAddr,
    /// As it was when the session began, or at its last MAIL.
    standing: Arc<Standing>,
    door: Option<Arc<Door>>,
    /// The site that it has logged in for.
    login: Option<Arc<str>>,
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
    /// The size that MAIL declared.
    declared: Option<u64>,
    message_deadline: Option<Instant>,
    /// When the last reply went out: a command has its time from then on, however it trickles.
    spoken: Instant,
    /// A refusal at RCPT was put on record.
    recorded: bool,
    /// Refusals that had a line of the log.
    noted: u32,
}

/// Whether the session goes on.
enum Flow {
    On(Session),
    End,
}

impl Connection {
    pub fn new(
        (socket, client): (TcpStream, IpAddr),
        standing: Arc<Standing>,
        rules: Arc<Rules>,
        reception: Arc<Reception>,
    ) -> Connection {
        // Replies are small and must not wait for more to say.
        let _ = socket.set_nodelay(true);
        Connection {
            socket: Socket::Clear(socket),
            client,
            door: standing.door(client, None),
            standing,
            login: None,
            rules,
            reception,
            session_id: format!("{:x}", SESSIONS.fetch_add(1, Ordering::Relaxed)),
            tls: None,
            input: Vec::new(),
            output: Vec::new(),
            collector: None,
            envelope: None,
            declared: None,
            message_deadline: None,
            spoken: Instant::now(),
            recorded: false,
            noted: 0,
        }
    }

    /// Runs the session to its end.
    pub async fn run(mut self, settings: Arc<Settings>) -> io::Result<()> {
        let Some(link) = self.begin().await else { return Ok(()) };
        let (mut session, greeting) = Session::open(settings, link);
        greeting.write(&mut self.output);
        let mut unread = 0;
        loop {
            let mut no_message = Vec::new();
            let body = self.collector.as_mut().map_or(&mut no_message, |c| &mut c.memory);
            let step = session.step(&self.input[unread..], body);
            unread += step.consumed;
            let starved = matches!(step.action, Action::Need)
                || matches!(step.action, Action::Body if unread == self.input.len());
            if matches!(step.action, Action::AskMessage(_)) {
                // The answer may take a while: what was read with the message is not held meanwhile.
                self.input.drain(..unread);
                self.input.shrink_to_fit();
                unread = 0;
            }
            session = match self.act(step.session, step.action).await? {
                Flow::On(session) => session,
                Flow::End => return Ok(()),
            };
            unread = unread.min(self.input.len()); // a handshake drops what was read before it
            if self.output.len() > REPLIES {
                self.flush().await?;
            }
            if starved {
                self.input.drain(..unread);
                unread = 0;
                self.flush().await?;
                if !self.fill().await? {
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
                let who = if self.door.is_some() { Who::Site } else { Who::Stranger };
                let share = self.reception.budget.share(who);
                let collector = Collector::new(id, self.reception.bounds.max_header, share);
                self.collector = Some(collector.declared(self.declared));
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
            Action::AskLogin(given) => return self.ask_login(session, given).await,
            Action::Close(reply) => return self.close(&reply).await,
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

    async fn close(&mut self, reply: &Reply) -> io::Result<Flow> {
        self.say(reply);
        self.flush().await?;
        Ok(Flow::End)
    }

    /// What is refused or put off other than by a rule leaves a trace.
    fn say(&mut self, reply: &Reply) {
        let refused = self.say_counted(To::Command, reply);
        if let Some(reason) = refused.filter(|_| self.noted < refusals::LINES) {
            self.noted += 1;
            let (session, site) = (&self.session_id, self.door.as_ref().map(|d| d.site.as_ref()));
            let (client, code, fault) = (self.client, reply.code, reason.fault());
            tracing::warn!(session, %client, site, code, %reason, %fault, "refused at the door");
        }
    }

    /// The same without a line of the log.
    fn say_counted(&mut self, to: To, reply: &Reply) -> Option<Reason> {
        reply.write(&mut self.output);
        let reason = refusals::reason_of(to, reply.code, reply.enhanced)?;
        self.reception.metrics.refusals.with_label_values(&[reason.name()]).inc();
        Some(reason)
    }

    fn answer(&mut self, session: Session, verdict: Result<(), Reply>) -> Flow {
        let (session, reply) = session.answer(verdict);
        self.say(&reply);
        Flow::On(session)
    }

    async fn flush(&mut self) -> io::Result<()> {
        if self.output.is_empty() {
            return Ok(());
        }
        let deadline = Instant::now() + self.reception.bounds.idle;
        let write = async { self.socket.write_all(&self.output).await };
        timeout_at(deadline, write).await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
        // An idle session holds no buffer.
        self.output = Vec::new();
        self.spoken = Instant::now();
        Ok(())
    }

    /// Reads more input; false when the session has ended.
    async fn fill(&mut self) -> io::Result<bool> {
        let idle = self.reception.bounds.idle;
        let deadline = self.message_deadline.map_or(self.spoken + idle, |message| message.min(Instant::now() + idle));
        let mut stopping = self.reception.stopping.clone();
        let stop = async {
            // A message that has begun is finished first. Without the gateway nobody says that it stops, and it never comes.
            if self.collector.is_some() || stopping.wait_for(|stop| *stop).await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        let most = if self.collector.as_ref().is_some_and(Collector::takes_much) { READ_LARGE } else { READ };
        let read = timeout_at(deadline, self.socket.read(most, &mut self.input));
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

//! A mail server of the small internet, or the stand-in Exchange: one manner, and a memory of what reached it and how.
//!
//! Called by `world`. Promises: every octet that it was sent outside TLS is kept, so that it can say what it saw. Fails by
//! closing the connection, as servers do.

use crate::mail::{Enhanced, Envelope};
use crate::smtp::Security;
use crate::smtp::data::chunks::BareLineEndings;
use crate::smtp::reply::Reply;
use crate::smtp::server::{Action, Auth, RequireTls, Session, Settings, StartTls};
use crate::tls::Acceptor;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::server::TlsStream;

const HANDSHAKE: Duration = Duration::from_secs(10);
const STARTTLS: &[u8] = b"STARTTLS";

/// What a server does about TLS.
#[derive(Clone)]
pub enum Offer {
    Tls(Acceptor),
    Nothing,
    /// A firewall on the way writes X over the offer, as Cisco's mail inspection does.
    Masked,
}

/// How a server behaves.
#[derive(Clone)]
pub struct Manner {
    pub host: String,
    pub offer: Offer,
    /// Recipients that it does not know.
    pub refuses: &'static [&'static str],
}

/// A message as it arrived.
#[derive(Debug, Clone)]
pub struct Arrived {
    pub envelope: Envelope,
    pub message: Vec<u8>,
}

#[derive(Debug, Default)]
struct Seen {
    clear: Vec<u8>,
    arrived: Vec<Arrived>,
}

/// A running server.
pub struct Peer {
    pub host: String,
    seen: Arc<Mutex<Seen>>,
}

impl Peer {
    #[must_use]
    pub fn serve(listener: TcpListener, manner: Manner) -> Peer {
        let seen = Arc::new(Mutex::new(Seen::default()));
        let peer = Peer { host: manner.host.clone(), seen: seen.clone() };
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let visit = Visit::new(socket, manner.clone(), seen.clone());
                // A session that breaks off is the client's affair: what it was told is known to the client.
                tokio::spawn(async move { visit.run().await.ok() });
            }
        });
        peer
    }

    /// Every octet that was sent to it outside TLS.
    #[must_use]
    pub fn clear(&self) -> Vec<u8> {
        lock(&self.seen).clear.clone()
    }

    #[must_use]
    pub fn arrived(&self) -> Vec<Arrived> {
        lock(&self.seen).arrived.clone()
    }
}

/// Nothing panics while it is held.
fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

enum Wire {
    Clear(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// One session.
struct Visit {
    wire: Wire,
    manner: Manner,
    seen: Arc<Mutex<Seen>>,
    input: Vec<u8>,
    message: Vec<u8>,
}

impl Visit {
    fn new(socket: TcpStream, manner: Manner, seen: Arc<Mutex<Seen>>) -> Visit {
        Visit { wire: Wire::Clear(socket), manner, seen, input: Vec::new(), message: Vec::new() }
    }

    async fn run(mut self) -> io::Result<()> {
        let (mut session, greeting) = Session::open(Arc::new(self.settings()), Security::Clear);
        self.say(&greeting).await?;
        loop {
            let step = session.step(&self.input, &mut self.message);
            self.input.drain(..step.consumed);
            session = match step.action {
                Action::Need | Action::Body => {
                    if self.read().await? == 0 {
                        return Ok(());
                    }
                    step.session
                }
                Action::StartTls(reply) => {
                    self.say(&reply).await?;
                    self = self.secured().await?;
                    step.session.secured()
                }
                Action::Close(reply) => return self.say(&reply).await,
                action => self.answer(step.session, action).await?,
            };
        }
    }

    fn settings(&self) -> Settings {
        let offered = !matches!(self.manner.offer, Offer::Nothing);
        Settings {
            hostname: self.manner.host.clone(),
            max_message: 50_000_000,
            max_recipients: 100,
            max_line: 2_048,
            max_errors: 20,
            max_commands: 200,
            starttls: if offered { StartTls::Offered } else { StartTls::NotOffered },
            bare_line_endings: BareLineEndings::Refused,
            auth: Auth::NotOffered,
            require_tls: RequireTls::NotOffered,
        }
    }

    /// What needs no change of the wire.
    async fn answer(&mut self, session: Session, action: Action) -> io::Result<Session> {
        let (session, reply) = match action {
            Action::AskSender(_) => session.answer(Ok(())),
            Action::AskRecipient(recipient) => session.answer(self.knows(&recipient.mailbox.to_string())),
            Action::AskMessage(complete) => {
                let message = std::mem::take(&mut self.message);
                lock(&self.seen).arrived.push(Arrived { envelope: complete.envelope, message });
                session.answer_message(Reply::fixed(250, Enhanced(2, 0, 0), "Taken"))
            }
            Action::Reply(reply) | Action::Collect(Some(reply)) | Action::Discard(reply) => {
                self.message.clear();
                (session, reply)
            }
            Action::Chunk(reply) => (session, reply),
            Action::Collect(None) => {
                self.message.clear();
                return Ok(session);
            }
            Action::Need
            | Action::Again
            | Action::Body
            | Action::StartTls(_)
            | Action::Close(_)
            | Action::AskLogin(_) => return Ok(session),
        };
        self.say(&reply).await?;
        Ok(session)
    }

    fn knows(&self, recipient: &str) -> Result<(), Reply> {
        if self.manner.refuses.contains(&recipient) {
            return Err(Reply::fixed(550, Enhanced(5, 1, 1), "No such user here"));
        }
        Ok(())
    }

    async fn say(&mut self, reply: &Reply) -> io::Result<()> {
        let mut bytes = reply.to_bytes();
        if matches!(self.manner.offer, Offer::Masked) {
            mask(&mut bytes);
        }
        match &mut self.wire {
            Wire::Clear(socket) => socket.write_all(&bytes).await,
            Wire::Tls(socket) => {
                socket.write_all(&bytes).await?;
                socket.flush().await
            }
        }
    }

    async fn read(&mut self) -> io::Result<usize> {
        match &mut self.wire {
            Wire::Clear(socket) => {
                let before = self.input.len();
                let octets = socket.read_buf(&mut self.input).await?;
                lock(&self.seen).clear.extend_from_slice(&self.input[before..]);
                Ok(octets)
            }
            Wire::Tls(socket) => socket.read_buf(&mut self.input).await,
        }
    }

    /// RFC 3207 4.2: what was read before is dropped.
    async fn secured(self) -> io::Result<Visit> {
        let (Wire::Clear(socket), Offer::Tls(acceptor)) = (self.wire, &self.manner.offer) else {
            return Err(io::ErrorKind::Unsupported.into());
        };
        let (stream, _) = acceptor.accept(socket, HANDSHAKE).await.map_err(io::Error::other)?;
        Ok(Visit { wire: Wire::Tls(Box::new(stream)), input: Vec::new(), ..self })
    }
}

fn mask(bytes: &mut [u8]) {
    while let Some(at) = memchr::memmem::find(bytes, STARTTLS) {
        bytes[at..at + STARTTLS.len()].fill(b'X');
    }
}

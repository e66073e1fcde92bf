//! One socket driving one SMTP client: reads replies, writes commands, streams the message. Knows nothing of policy.
//!
//! Called by `link` and `attempt`. Promises: every wait has an end, for a reply as a whole and for a transaction as a whole,
//! so that no peer holds a link by answering in crumbs; what was read before a handshake is not believed after it. Fails with a reason, and with what the peer said last.

use super::Patience;
use super::outgoing::{Framer, Message, Reader, SENT};
use crate::mail::{Envelope, Status, TlsFacts};
use crate::policy::Permit;
use crate::smtp::client::{Chunk, Client, Event, Offer, Outcome, Refusal, Reuse, Sequel};
use crate::smtp::data::Encoder;
use crate::smtp::server::Credentials;
use crate::tls::{Connector, PeerCertificates};
use crate::vocabulary::Reason;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Waker};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::client::TlsStream;

/// How long a peer that no longer takes anything is listened to.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// Why a conversation ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Broken {
    pub reason: Reason,
    pub status: Option<Status>,
}

impl From<Reason> for Broken {
    fn from(reason: Reason) -> Broken {
        Broken { reason, status: None }
    }
}

pub(super) enum Socket {
    Clear(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// A connection to a peer, between two events.
pub(super) struct Connection {
    socket: Socket,
    client: Client<Permit>,
    input: Vec<u8>,
    patience: Patience,
    /// When the replies that are due now are given up, all of them.
    until: Option<Instant>,
}

/// What a transaction came to.
pub(super) struct Sent {
    pub outcomes: Vec<Outcome>,
    pub reuse: Reuse,
    /// If it can be used again.
    pub connection: Option<Connection>,
}

/// What TLS brought.
pub(super) struct Secured {
    pub facts: TlsFacts,
    pub certificates: PeerCertificates,
}

impl Connection {
    /// Connects and introduces us.
    pub async fn open(address: SocketAddr, hostname: &str, patience: Patience) -> Result<(Connection, Offer), Broken> {
        let socket = match timeout(patience.connect, TcpStream::connect(address)).await {
            Ok(connected) => connected.map_err(|e| Broken::from(reason_of(&e)))?,
            Err(_) => return Err(Reason::ConnectionTimedOut.into()),
        };
        // Commands are small and must not wait for more to say.
        let _ = socket.set_nodelay(true);
        let client = Client::open(hostname);
        let connection = Connection { socket: Socket::Clear(socket), client, input: Vec::new(), patience, until: None };
        connection.until_ready().await
    }

    /// Greeting and EHLO; after the handshake EHLO again (RFC 3207 4.2).
    pub async fn until_ready(mut self) -> Result<(Connection, Offer), Broken> {
        loop {
            let event;
            (self, event) = self.next(|p| p.greeting).await?;
            match event {
                Event::Ready(offer) => return Ok((self, offer)),
                Event::Send(bytes) => self.write(&bytes).await?,
                _ => return Err(Reason::ProtocolError.into()),
            }
        }
    }

    /// Asks for TLS and performs the handshake; `until_ready` follows. A refusal leaves no connection, for a retry needs a
    /// new one anyway.
    pub async fn secure(self, connector: &Connector, host: &str) -> Result<(Connection, Secured), Broken> {
        let patience = self.patience;
        let (tcp, client) = self.start_tls().await?;
        let made = connector.connect(tcp, host, patience.handshake).await.map_err(|failure| {
            tracing::debug!(host, reason = %failure.reason, detail = failure.detail, "handshake failed");
            Broken::from(failure.reason)
        })?;
        let (client, hello) = client.secured();
        let secured = Secured { facts: made.facts, certificates: made.certificates };
        let socket = Socket::Tls(Box::new(made.stream));
        let mut connection = Connection { socket, client, input: Vec::new(), patience, until: None };
        connection.write(&hello).await?;
        Ok((connection, secured))
    }

    /// Asks for TLS: the socket on which the peer waits for a handshake. For whoever only looks at it.
    pub async fn before_handshake(self) -> Result<TcpStream, Broken> {
        self.start_tls().await.map(|(tcp, _)| tcp)
    }

    async fn start_tls(mut self) -> Result<(TcpStream, Client<Permit>), Broken> {
        let (client, bytes) = self.client.starttls();
        self.client = client;
        self.write(&bytes).await?;
        let event;
        (self, event) = self.next(|p| p.greeting).await?;
        match event {
            Event::TlsReady => {}
            Event::TlsRefused(status) => return Err(Broken { reason: Reason::TlsRefused, status: Some(status) }),
            _ => return Err(Reason::ProtocolError.into()),
        }
        match self.socket {
            Socket::Clear(tcp) => Ok((tcp, self.client)),
            Socket::Tls(_) => Err(Reason::ProtocolError.into()),
        }
    }

    /// Tells the peer who we are, inside TLS.
    pub async fn login(mut self, credentials: &Credentials) -> Result<Connection, Broken> {
        let client = std::mem::replace(&mut self.client, Client::open(""));
        let Some((client, bytes)) = client.login(credentials) else { return Err(Reason::LoginRefused.into()) };
        self.client = client;
        self.write(&bytes).await?;
        loop {
            let event;
            (self, event) = self.next(self_patience).await?;
            match event {
                Event::LoggedIn => return Ok(self),
                Event::Send(bytes) => self.write(&bytes).await?,
                Event::LoginRefused(status) => {
                    return Err(Broken { reason: Reason::LoginRefused, status: Some(status) });
                }
                _ => return Err(Reason::ProtocolError.into()),
            }
        }
    }

    /// One transaction: the permit is spent on it.
    pub async fn send(mut self, permit: Permit, envelope: &Envelope, message: Message<'_>) -> Sent {
        // A stored message that is not whole is found out before the peer hears of it.
        let framer = match self.offer().chunking {
            true => Framer::Octets(Chunk::new()),
            false => Framer::Dots(Encoder::new()),
        };
        let extent = message.extent();
        let opened = Reader::open(message, framer).await;
        let mut reader = match opened {
            Ok(reader) => reader,
            Err(broken) => return self.declined(envelope, broken.reason),
        };
        match std::mem::replace(&mut self.client, Client::open("")).mail(permit, envelope, extent) {
            Ok((client, first)) => {
                self.client = client;
                self.converse(first, &mut reader).await
            }
            Err((client, reason)) => {
                self.client = client;
                self.declined(envelope, reason)
            }
        }
    }

    /// Nothing was sent.
    pub fn declined(self, envelope: &Envelope, reason: Reason) -> Sent {
        let outcome = |recipient| {
            let result = Err(Refusal { reason, status: None });
            Outcome { recipient, result, sequel: Sequel::Stands }
        };
        let outcomes = (0..envelope.recipients.len()).map(outcome).collect();
        Sent { outcomes, reuse: Reuse::Possible, connection: Some(self) }
    }

    async fn converse(mut self, mut event: Event, reader: &mut Reader<'_>) -> Sent {
        let mut patience: fn(&Patience) -> Duration = self_patience;
        self.replies_begin();
        loop {
            let written = match event {
                Event::Send(bytes) => self.write(&bytes).await,
                Event::SendBody => {
                    patience = |p| p.final_reply;
                    self.write_message(Vec::new(), u64::MAX, reader).await
                }
                Event::SendChunk { commands, octets } => {
                    patience = |p| p.final_reply;
                    self.write_message(commands, octets, reader).await
                }
                Event::Finished(outcomes, reuse) => {
                    self.until = None;
                    let connection = (reuse == Reuse::Possible).then_some(self);
                    return Sent { outcomes, reuse, connection };
                }
                Event::Failed(reason, status) => return self.lost(Broken { reason, status }),
                Event::Need | Event::Ready(_) | Event::TlsReady | Event::TlsRefused(_) | Event::LoggedIn => {
                    return self.lost(Reason::ProtocolError.into());
                }
                Event::LoginRefused(_) => {
                    return self.lost(Reason::ProtocolError.into());
                }
            };
            if let Err(broken) = written {
                return self.last_words(broken).await;
            }
            event = match self.step(patience).await {
                Ok(event) => event,
                Err(broken) => return self.lost(broken),
            };
        }
    }

    fn lost(self, broken: Broken) -> Sent {
        let outcomes = self.client.abandon(broken.reason, broken.status);
        Sent { outcomes, reuse: Reuse::Close, connection: None }
    }

    /// A peer that refuses in the middle of a message says why before it closes.
    async fn last_words(mut self, broken: Broken) -> Sent {
        let until = Instant::now() + LAST_WORDS;
        if broken.reason == Reason::ConnectionLost {
            while let Ok(Ok(event)) = timeout_at(until, self.step(self_patience)).await {
                match event {
                    Event::Finished(outcomes, _) => return Sent { outcomes, reuse: Reuse::Close, connection: None },
                    Event::Failed(reason, status) => return self.lost(Broken { reason, status }),
                    // What it would like to hear now cannot be sent.
                    _ => {}
                }
            }
        }
        self.lost(broken)
    }

    /// `commands`, the next `octets` of the message, and what ends it, if that is the end.
    async fn write_message(&mut self, commands: Vec<u8>, octets: u64, reader: &mut Reader<'_>) -> Result<(), Broken> {
        let begun = Instant::now();
        let mut out = commands;
        let mut left = octets;
        while left > 0 && !reader.is_at_end() {
            if let Some(piece) = reader.as_it_is(left)? {
                self.write_within(&out, self.patience.data).await?;
                out.clear();
                self.write_within(&piece, self.patience.data).await?;
                left -= piece.len() as u64;
                continue;
            }
            left -= reader.fill(left, &mut out).await?;
            if out.len() >= SENT {
                self.write_within(&out, self.patience.data).await?;
                out.clear();
            }
        }
        self.write_within(&out, self.patience.data).await?;
        self.client = std::mem::replace(&mut self.client, Client::open("")).body_sent();
        match reader.is_at_end() {
            // To give up here makes duplicates: what was waited before does not count.
            true => self.replies_begin(),
            false => self.until = self.until.map(|until| until + begun.elapsed()),
        }
        Ok(())
    }

    fn replies_begin(&mut self) {
        self.until = Some(Instant::now() + self.patience.replies);
    }

    pub fn offer(&self) -> &Offer {
        self.client.offer()
    }

    /// The peer has failed BDAT before.
    pub fn without_chunking(self) -> Connection {
        Connection { client: self.client.without_chunking(), ..self }
    }

    /// Whether the peer has said or closed nothing while nobody spoke to it. Costs no system call where it is quiet.
    pub fn is_quiet(&mut self) -> bool {
        let mut context = Context::from_waker(Waker::noop());
        let mut octets = [0; 512];
        let mut unread = ReadBuf::new(&mut octets);
        let read = match &mut self.socket {
            Socket::Clear(tcp) => Pin::new(tcp).poll_read(&mut context, &mut unread),
            Socket::Tls(tls) => Pin::new(tls.as_mut()).poll_read(&mut context, &mut unread),
        };
        // RFC 5321 3.8: whatever comes now, 421 or a closed connection, is the end of it.
        self.input.is_empty() && read.is_pending()
    }

    pub async fn quit(mut self) {
        let bytes = std::mem::replace(&mut self.client, Client::open("")).quit();
        // Whether the peer hears it changes nothing.
        let _ = self.write_within(&bytes, Duration::from_secs(5)).await;
    }

    async fn next(mut self, patience: fn(&Patience) -> Duration) -> Result<(Connection, Event), Broken> {
        match self.step(patience).await? {
            Event::Failed(reason, status) => Err(Broken { reason, status }),
            event => Ok((self, event)),
        }
    }

    /// Reads until the client has an event. Each reply has `patience`, from when the one before it was read.
    async fn step(&mut self, patience: fn(&Patience) -> Duration) -> Result<Event, Broken> {
        let patience = patience(&self.patience);
        let mut until = self.due(patience);
        loop {
            let step = std::mem::replace(&mut self.client, Client::open("")).step(&self.input);
            self.client = step.client;
            self.input.drain(..step.consumed);
            if step.event != Event::Need {
                return Ok(step.event);
            }
            if step.consumed > 0 {
                until = self.due(patience);
            }
            match timeout_at(until, read(&mut self.socket, &mut self.input)).await {
                Ok(Ok(0)) => return Err(Reason::ConnectionLost.into()),
                Ok(Ok(_)) => {}
                Ok(Err(_)) => return Err(Reason::ConnectionLost.into()),
                Err(_) => return Err(Reason::ConnectionTimedOut.into()),
            }
        }
    }

    /// When the reply that is waited for now is given up.
    fn due(&self, patience: Duration) -> Instant {
        let reply = Instant::now() + patience;
        self.until.map_or(reply, |all| all.min(reply))
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        self.write_within(bytes, self.patience.reply).await
    }

    async fn write_within(&mut self, bytes: &[u8], patience: Duration) -> Result<(), Broken> {
        if bytes.is_empty() {
            return Ok(());
        }
        let write = async {
            match &mut self.socket {
                Socket::Clear(tcp) => tcp.write_all(bytes).await,
                Socket::Tls(tls) => {
                    tls.write_all(bytes).await?;
                    tls.flush().await
                }
            }
        };
        match timeout(patience, write).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Reason::ConnectionLost.into()),
            Err(_) => Err(Reason::ConnectionTimedOut.into()),
        }
    }
}

/// The wait for an ordinary reply.
fn self_patience(patience: &Patience) -> Duration {
    patience.reply
}

async fn read(socket: &mut Socket, input: &mut Vec<u8>) -> io::Result<usize> {
    input.reserve(4 * 1024);
    match socket {
        Socket::Clear(tcp) => tcp.read_buf(input).await,
        Socket::Tls(tls) => tls.read_buf(input).await,
    }
}

fn reason_of(error: &io::Error) -> Reason {
    use io::ErrorKind as Kind;
    match error.kind() {
        Kind::ConnectionRefused => Reason::ConnectionRefused,
        Kind::TimedOut => Reason::ConnectionTimedOut,
        Kind::NetworkUnreachable | Kind::HostUnreachable | Kind::AddrNotAvailable => Reason::NetworkUnreachable,
        _ => Reason::ConnectionLost,
    }
}

#[cfg(test)]
mod tests;

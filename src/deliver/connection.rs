//! One socket driving one SMTP client: reads replies, writes commands, streams the message. Knows nothing of policy.
//!
//! Called by `link` and `attempt`. Promises: every wait has an end; what was read before a handshake is not believed after
//! it. Fails with a reason, and with what the peer said last.

use super::Patience;
use crate::mail::{Envelope, Status, TlsFacts};
use crate::policy::Permit;
use crate::smtp::client::{Client, Event, Offer, Outcome, Refusal, Reuse};
use crate::smtp::data::Encoder;
use crate::tls::{Connector, PeerCertificates};
use crate::vocabulary::Reason;
use bytes::Bytes;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;

/// Octets of a large body that are read and sent at once.
const CHUNK: usize = 256 * 1024;

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
}

/// The message that goes out behind its Received field.
pub(super) enum Outgoing {
    Memory(Bytes),
    File(PathBuf),
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
        let connection = Connection { socket: Socket::Clear(socket), client, input: Vec::new(), patience };
        connection.until_ready().await
    }

    async fn until_ready(mut self) -> Result<(Connection, Offer), Broken> {
        loop {
            let event;
            (self, event) = self.next(self_patience).await?;
            match event {
                Event::Ready(offer) => return Ok((self, offer)),
                Event::Send(bytes) => self.write(&bytes).await?,
                _ => return Err(Reason::ProtocolError.into()),
            }
        }
    }

    /// Asks for TLS and performs the handshake; a refusal leaves no connection, for a retry needs a new one anyway.
    pub async fn secure(mut self, connector: &Connector, host: &str) -> Result<(Connection, Secured, Offer), Broken> {
        let (client, bytes) = self.client.starttls();
        self.client = client;
        self.write(&bytes).await?;
        let event;
        (self, event) = self.next(self_patience).await?;
        match event {
            Event::TlsReady => {}
            Event::TlsRefused(status) => return Err(Broken { reason: Reason::TlsRefused, status: Some(status) }),
            _ => return Err(Reason::ProtocolError.into()),
        }
        let Socket::Clear(tcp) = self.socket else { return Err(Reason::ProtocolError.into()) };
        let made = connector.connect(tcp, host, self.patience.handshake).await.map_err(|failure| {
            tracing::debug!(host, reason = %failure.reason, detail = failure.detail, "handshake failed");
            Broken::from(failure.reason)
        })?;
        let (client, bytes) = self.client.secured();
        let secured = Secured { facts: made.facts, certificates: made.certificates };
        let socket = Socket::Tls(Box::new(made.stream));
        let mut connection = Connection { socket, client, input: Vec::new(), patience: self.patience };
        connection.write(&bytes).await?;
        let (connection, offer) = connection.until_ready().await?;
        Ok((connection, secured, offer))
    }

    /// One transaction: the permit is spent on it. Returns what became of each recipient, and the connection if it can be
    /// used again.
    pub async fn send(
        mut self,
        permit: Permit,
        envelope: &Envelope,
        (received, message, size): (&str, Outgoing, u64),
    ) -> (Vec<Outcome>, Option<Connection>) {
        let all = |refusal: Refusal| {
            (0..envelope.recipients.len())
                .map(|recipient| Outcome { recipient, result: Err(refusal.clone()) })
                .collect()
        };
        let commands = match self.client.mail(permit, envelope, size) {
            Ok((client, commands)) => {
                self.client = client;
                commands
            }
            Err((client, reason)) => {
                self.client = client;
                return (all(Refusal { reason, status: None }), Some(self));
            }
        };
        if let Err(broken) = self.write(&commands).await {
            return (self.client.abandon(broken.reason, broken.status), None);
        }
        self.converse(received, message).await
    }

    async fn converse(mut self, received: &str, message: Outgoing) -> (Vec<Outcome>, Option<Connection>) {
        let mut message = Some(message);
        let mut patience: fn(&Patience) -> Duration = self_patience;
        loop {
            let event = match self.step(patience).await {
                Ok(event) => event,
                Err(broken) => return (self.client.abandon(broken.reason, broken.status), None),
            };
            let written = match event {
                Event::Send(bytes) => self.write(&bytes).await,
                Event::SendBody => {
                    patience = |p| p.final_reply;
                    match message.take() {
                        Some(message) => self.write_message(received, message).await,
                        None => Err(Reason::ProtocolError.into()),
                    }
                }
                Event::Finished(outcomes, reuse) => return (outcomes, (reuse == Reuse::Possible).then_some(self)),
                Event::Failed(reason, status) => Err(Broken { reason, status }),
                Event::Need | Event::Ready(_) | Event::TlsReady | Event::TlsRefused(_) => {
                    Err(Reason::ProtocolError.into())
                }
            };
            if let Err(broken) = written {
                return (self.client.abandon(broken.reason, broken.status), None);
            }
        }
    }

    /// The Received field, the message, the end of data.
    async fn write_message(&mut self, received: &str, message: Outgoing) -> Result<(), Broken> {
        let mut encoder = Encoder::new();
        let mut out = Vec::with_capacity(match &message {
            Outgoing::Memory(body) => received.len() + body.len() + body.len() / 64 + 16,
            Outgoing::File(_) => CHUNK + CHUNK / 8,
        });
        let unsendable = |_| Broken::from(Reason::BareLineEnding);
        encoder.encode(received.as_bytes(), &mut out).map_err(unsendable)?;
        match message {
            Outgoing::Memory(body) => encoder.encode(&body, &mut out).map_err(unsendable)?,
            Outgoing::File(path) => {
                let mut file = File::open(path).await?;
                while let Some(chunk) = file.next().await? {
                    encoder.encode(&chunk, &mut out).map_err(unsendable)?;
                    self.write_within(&out, self.patience.data).await?;
                    out.clear();
                    file.give_back(chunk);
                }
            }
        }
        encoder.finish(&mut out).map_err(unsendable)?;
        self.write_within(&out, self.patience.data).await?;
        self.client = std::mem::replace(&mut self.client, Client::open("")).body_sent();
        Ok(())
    }

    /// Whether the peer tells the sender on its own what the sender asked to hear.
    pub fn offers_dsn(&self) -> bool {
        self.client.offer().dsn
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

    /// Reads until the client has an event.
    async fn step(&mut self, patience: fn(&Patience) -> Duration) -> Result<Event, Broken> {
        loop {
            let step = std::mem::replace(&mut self.client, Client::open("")).step(&self.input);
            self.client = step.client;
            self.input.drain(..step.consumed);
            if step.event != Event::Need {
                return Ok(step.event);
            }
            let read = timeout(patience(&self.patience), read(&mut self.socket, &mut self.input)).await;
            match read {
                Ok(Ok(0)) => return Err(Reason::ConnectionLost.into()),
                Ok(Ok(_)) => {}
                Ok(Err(_)) => return Err(Reason::ConnectionLost.into()),
                Err(_) => return Err(Reason::ConnectionTimedOut.into()),
            }
        }
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        self.write_within(bytes, self.patience.reply).await
    }

    async fn write_within(&mut self, bytes: &[u8], patience: Duration) -> Result<(), Broken> {
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

/// A body file, read in pieces on a thread for it.
struct File {
    file: Option<std::fs::File>,
    spare: Vec<u8>,
}

impl File {
    async fn open(path: PathBuf) -> Result<File, Broken> {
        let open = tokio::task::spawn_blocking(move || std::fs::File::open(path)).await;
        let file = open.map_err(io::Error::other).flatten().map_err(|_| Broken::from(Reason::StoreFailed))?;
        Ok(File { file: Some(file), spare: Vec::new() })
    }

    async fn next(&mut self) -> Result<Option<Vec<u8>>, Broken> {
        let (Some(mut file), mut chunk) = (self.file.take(), std::mem::take(&mut self.spare)) else { return Ok(None) };
        let read = tokio::task::spawn_blocking(move || {
            use io::Read;
            chunk.clear();
            (&mut file).take(CHUNK as u64).read_to_end(&mut chunk).map(|_| (file, chunk))
        });
        let (file, chunk) =
            read.await.map_err(io::Error::other).flatten().map_err(|_| Broken::from(Reason::StoreFailed))?;
        self.file = Some(file);
        Ok((!chunk.is_empty()).then_some(chunk))
    }

    fn give_back(&mut self, chunk: Vec<u8>) {
        self.spare = chunk;
    }
}

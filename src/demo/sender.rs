//! Sends one message to the gateway: as the stand-in Exchange, or as a server out there.
//!
//! Called by `play`. Promises: the conversation is the real one, and what the gateway said is reported as it was said.
//! Fails when there is no conversation to report.

use super::error::DemoError;
use crate::clock::EntryId;
use crate::mail::{Envelope, Status};
use crate::smtp::Security;
use crate::smtp::client::{Client, Event, Extent, Outcome};
use crate::smtp::data::Encoder;
use crate::tls::Connector;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::client::TlsStream;

const HANDSHAKE: Duration = Duration::from_secs(10);

/// Who sends, and to which door of the gateway.
#[derive(Debug, Clone, Copy)]
pub struct Way {
    pub from: Ipv4Addr,
    pub to: SocketAddr,
    pub hello: &'static str,
    pub security: Security,
}

/// What the gateway said to it.
#[derive(Debug)]
pub struct Said {
    pub outcomes: Vec<Outcome>,
    /// Whether the text of the message was sent at all.
    pub text_crossed: bool,
}

impl Said {
    /// The gateway's word: for the message, or for its first recipient.
    #[must_use]
    pub fn status(&self) -> Option<&Status> {
        self.outcomes.iter().find_map(|outcome| match &outcome.result {
            Ok(status) => Some(status),
            Err(refusal) => refusal.status.as_ref(),
        })
    }

    /// The id under which the gateway knows the message: it stands in every answer, kept or refused.
    #[must_use]
    pub fn id(&self) -> Option<EntryId> {
        let text = &self.status()?.text;
        let after = ["queued as ", " ID "].iter().find_map(|mark| text.rsplit_once(mark))?.1;
        after.split_whitespace().next()?.parse().ok()
    }
}

/// Nobody grants a permit to send to one's own gateway: there is none to spend.
type Talk = Client<()>;

/// Sends `message` and waits for the answer.
///
/// # Errors
/// When the gateway cannot be reached, or does not speak SMTP to the end.
pub async fn send(way: Way, envelope: &Envelope, message: &[u8]) -> Result<Said, DemoError> {
    let socket = TcpSocket::new_v4()?;
    socket.bind((way.from, 0).into())?;
    let socket = socket.connect(way.to).await?;
    let mut line = Line { socket, client: Talk::open(way.hello), input: Vec::new() };
    line.until(|event| matches!(event, Event::Ready(_))).await?;
    if way.security == Security::Clear {
        return line.transact(envelope, message).await;
    }
    line.secured().await?.transact(envelope, message).await
}

struct Line<S> {
    socket: S,
    client: Talk,
    input: Vec<u8>,
}

impl Line<TcpStream> {
    async fn secured(mut self) -> Result<Line<TlsStream<TcpStream>>, DemoError> {
        let (client, bytes) = self.client.starttls();
        self.client = client;
        self.socket.write_all(&bytes).await?;
        self.until(|event| *event == Event::TlsReady).await?;
        let made = Connector::new()?.connect(self.socket, "gateway", HANDSHAKE).await?;
        let (client, bytes) = self.client.secured();
        let mut line = Line { socket: made.stream, client, input: Vec::new() };
        line.write(&bytes).await?;
        line.until(|event| matches!(event, Event::Ready(_))).await?;
        Ok(line)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Line<S> {
    async fn transact(mut self, envelope: &Envelope, message: &[u8]) -> Result<Said, DemoError> {
        let size = Extent::Whole(u64::try_from(message.len())?);
        // With DATA it can be seen whether the text crossed before the answer.
        let client = self.client.without_chunking();
        let (client, first) = client.mail((), envelope, size).map_err(|(_, why)| DemoError(why.words().into()))?;
        self.client = client;
        if let Event::Send(bytes) = first {
            self.write(&bytes).await?;
        }
        let mut text_crossed = false;
        loop {
            match self.until(|event| matches!(event, Event::SendBody | Event::Finished(..))).await? {
                Event::Finished(outcomes, _) => {
                    let bytes = self.client.quit();
                    self.socket.write_all(&bytes).await?;
                    self.socket.flush().await?;
                    return Ok(Said { outcomes, text_crossed });
                }
                _ => {
                    self.write(&encoded(message)?).await?;
                    self.client = self.client.body_sent();
                    text_crossed = true;
                }
            }
        }
    }

    /// Goes on until an event that is `awaited`; writes what has to be written on the way.
    async fn until(&mut self, awaited: impl Fn(&Event) -> bool) -> Result<Event, DemoError> {
        loop {
            let step = std::mem::replace(&mut self.client, Talk::open("")).step(&self.input);
            self.client = step.client;
            self.input.drain(..step.consumed);
            match step.event {
                event if awaited(&event) => return Ok(event),
                Event::Send(bytes) => self.write(&bytes).await?,
                Event::Need if self.socket.read_buf(&mut self.input).await? > 0 => {}
                other => return Err(DemoError(format!("the gateway broke off the conversation: {other:?}"))),
            }
        }
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), DemoError> {
        self.socket.write_all(bytes).await?;
        Ok(self.socket.flush().await?)
    }
}

fn encoded(message: &[u8]) -> Result<Vec<u8>, DemoError> {
    let (mut encoder, mut bytes) = (Encoder::new(), Vec::with_capacity(message.len() + 16));
    encoder.encode(message, &mut bytes)?;
    encoder.finish(&mut bytes)?;
    Ok(bytes)
}

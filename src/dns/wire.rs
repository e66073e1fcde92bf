//! One question to one server: UDP, and TCP when the answer was cut short.
//!
//! Called by `lookup`. Promises: a fresh socket with a port of the kernel's choice and a random id per question; what
//! does not carry that id and that question is passed over; ends within the patience that it is given, for UDP and TCP
//! each. Fails by a sentence for logs.

use hickory_proto::op::{Edns, Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::{Name, RecordType};
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;

/// DNS flag day 2020: fits every path without fragments.
const UDP_PAYLOAD: u16 = 1232;
/// Datagrams that do not fit, after which somebody is guessing.
const STRANGERS: usize = 200;

/// What is wanted of DNSSEC (RFC 4035 3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Validation {
    /// Nobody would believe the answer.
    Unasked,
    /// Validated by the server, which says so by AD.
    Wanted,
    /// Not to be validated (CD): to tell what is bogus from what is broken.
    Disabled,
}

/// Asks, and returns a reply that fits the question.
pub(super) async fn exchange(
    server: SocketAddr,
    (name, kind): (&Name, RecordType),
    validation: Validation,
    patience: Duration,
) -> Result<Message, String> {
    let asked = query(name, kind, Some((UDP_PAYLOAD, validation)))?;
    let reply = over_udp_then_tcp(server, &asked, patience).await?;
    // RFC 6891 7: a server that does not know EDNS says FORMERR and is asked plainly.
    if reply.metadata.response_code == ResponseCode::FormErr {
        return over_udp_then_tcp(server, &query(name, kind, None)?, patience).await;
    }
    Ok(reply)
}

async fn over_udp_then_tcp(server: SocketAddr, query: &Message, patience: Duration) -> Result<Message, String> {
    let bytes = query.to_vec().map_err(|e| format!("the question cannot be written: {e}"))?;
    let reply = within(patience, server, "UDP", over_udp(server, query, &bytes)).await?;
    if !reply.metadata.truncation {
        return Ok(reply);
    }
    within(patience, server, "TCP", over_tcp(server, query, &bytes)).await
}

async fn within(
    patience: Duration,
    server: SocketAddr,
    way: &str,
    asked: impl Future<Output = io::Result<Message>>,
) -> Result<Message, String> {
    match timeout(patience, asked).await {
        Ok(Ok(reply)) => Ok(reply),
        Ok(Err(error)) => Err(format!("{server} over {way}: {error}")),
        Err(_) => Err(format!("{server} over {way}: no answer in {} ms", patience.as_millis())),
    }
}

fn query(name: &Name, kind: RecordType, extended: Option<(u16, Validation)>) -> Result<Message, String> {
    let mut id = [0; 2];
    aws_lc_rs::rand::fill(&mut id).map_err(|_| "this machine gives no random numbers".to_owned())?;
    let mut message = Message::new(u16::from_be_bytes(id), MessageType::Query, OpCode::Query);
    message.metadata.recursion_desired = true;
    message.add_query(Query::query(name.clone(), kind));
    if let Some((payload, validation)) = extended {
        let mut edns = Edns::new();
        edns.set_max_payload(payload);
        // AD in a question asks for AD in the answer (RFC 6840 5.7); the signatures themselves are of no use here.
        message.metadata.authentic_data = validation == Validation::Wanted;
        message.metadata.checking_disabled = validation == Validation::Disabled;
        message.set_edns(edns);
    }
    Ok(message)
}

async fn over_udp(server: SocketAddr, query: &Message, bytes: &[u8]) -> io::Result<Message> {
    let any: SocketAddr = match server {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let socket = UdpSocket::bind(any).await?;
    // Connected: the kernel drops what comes from elsewhere, and tells when nobody listens.
    socket.connect(server).await?;
    socket.send(bytes).await?;
    let mut buffer = vec![0; 4096];
    for _ in 0..STRANGERS {
        let length = socket.recv(&mut buffer).await?;
        if let Some(reply) = fitting(&buffer[..length], query) {
            return Ok(reply);
        }
    }
    Err(io::Error::other("too many answers to other questions"))
}

async fn over_tcp(server: SocketAddr, query: &Message, bytes: &[u8]) -> io::Result<Message> {
    let mut stream = TcpStream::connect(server).await?;
    let length = u16::try_from(bytes.len()).map_err(|_| io::Error::other("the question is too long"))?;
    // RFC 7766 8: length and message in one write.
    let framed = [&length.to_be_bytes()[..], bytes].concat();
    stream.write_all(&framed).await?;
    let mut buffer = vec![0; usize::from(stream.read_u16().await?)];
    stream.read_exact(&mut buffer).await?;
    fitting(&buffer, query).ok_or_else(|| io::Error::other("the answer is to another question, or cannot be read"))
}

/// The reply in `bytes`, if it is one to this question.
fn fitting(bytes: &[u8], query: &Message) -> Option<Message> {
    // The id is looked at before anything is parsed: strangers cost nothing.
    if bytes.get(..2)? != query.metadata.id.to_be_bytes() {
        return None;
    }
    let reply = Message::from_vec(bytes).ok()?;
    let same = reply.metadata.message_type == MessageType::Response && reply.queries == query.queries;
    same.then_some(reply)
}

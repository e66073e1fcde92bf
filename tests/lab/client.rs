//! A small SMTP client: hands a message to a server as Exchange or a stranger would, and tells what was answered.

use super::stream::Stream;
use std::io;
use std::net::{SocketAddr, TcpStream};

/// A reply: its code and its lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    pub code: u16,
    pub text: String,
}

pub struct Client {
    stream: Stream,
    pub greeting: Reply,
    pub ehlo: Reply,
}

impl Client {
    /// Connects and says EHLO.
    pub fn connect(server: SocketAddr) -> io::Result<Client> {
        Client::over(TcpStream::connect(server)?)
    }

    /// The same over a connection that was bound by the caller.
    pub fn over(stream: TcpStream) -> io::Result<Client> {
        Client::greeted(Stream::new(stream))
    }

    fn greeted(mut stream: Stream) -> io::Result<Client> {
        let greeting = read_reply(&mut stream)?;
        let ehlo = say(&mut stream, "EHLO client.lab.example")?;
        Ok(Client { stream, greeting, ehlo })
    }

    /// TLS before the greeting.
    pub fn implicit(stream: TcpStream) -> io::Result<Client> {
        Client::greeted(Stream::new(stream).start_tls()?)
    }

    /// STARTTLS, the handshake, and EHLO again.
    pub fn start_tls(mut self) -> io::Result<Client> {
        let answer = say(&mut self.stream, "STARTTLS")?;
        if answer.code != 220 {
            return Err(io::Error::other(format!("STARTTLS was answered {answer:?}")));
        }
        self.handshake()
    }

    /// The handshake after a 220 that was read, and EHLO again.
    pub fn handshake(self) -> io::Result<Client> {
        let mut stream = self.stream.start_tls()?;
        let ehlo = say(&mut stream, "EHLO client.lab.example")?;
        Ok(Client { stream, greeting: self.greeting, ehlo })
    }

    /// The certificate that the server showed.
    pub fn certificate(&self) -> Option<Vec<u8>> {
        self.stream.certificate()
    }

    pub fn say(&mut self, line: &str) -> io::Result<Reply> {
        say(&mut self.stream, line)
    }

    /// One transaction, command by command; the reply that ended it. Refused recipients are passed over.
    pub fn send(&mut self, from: &str, to: &[&str], message: &[u8]) -> io::Result<Reply> {
        let mail = self.say(&format!("MAIL FROM:<{from}>"))?;
        if mail.code != 250 {
            return Ok(mail);
        }
        for recipient in to {
            self.say(&format!("RCPT TO:<{recipient}>"))?;
        }
        let data = self.say("DATA")?;
        if data.code != 354 {
            return Ok(data);
        }
        self.message(message)?;
        read_reply(&mut self.stream)
    }

    /// One transaction in one write, the message in chunks of these octets; the replies in their order.
    pub fn send_in_chunks(&mut self, from: &str, to: &str, chunks: &[&[u8]]) -> io::Result<Vec<Reply>> {
        let mut bytes = format!("MAIL FROM:<{from}>\r\nRCPT TO:<{to}>\r\n").into_bytes();
        for (n, chunk) in chunks.iter().enumerate() {
            let last = if n + 1 == chunks.len() { " LAST" } else { "" };
            bytes.extend_from_slice(format!("BDAT {}{last}\r\n", chunk.len()).as_bytes());
            bytes.extend_from_slice(chunk);
        }
        self.stream.write(&bytes)?;
        (0..chunks.len() + 2).map(|_| self.reply()).collect()
    }

    /// A message after 354, with its dot; the reply is still to be read.
    pub fn message(&mut self, message: &[u8]) -> io::Result<()> {
        self.stream.write(&stuffed(message))
    }

    /// Octets as they are; what ends them is the caller's business.
    pub fn raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write(bytes)
    }

    pub fn reply(&mut self) -> io::Result<Reply> {
        read_reply(&mut self.stream)
    }

    pub fn quit(mut self) {
        let _ = self.say("QUIT");
    }
}

/// RFC 5321 4.5.2.
fn stuffed(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len() + 16);
    let mut at_start = true;
    for &byte in message {
        if at_start && byte == b'.' {
            out.push(b'.');
        }
        at_start = byte == b'\n';
        out.push(byte);
    }
    if !at_start {
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b".\r\n");
    out
}

fn say(stream: &mut Stream, line: &str) -> io::Result<Reply> {
    stream.write(format!("{line}\r\n").as_bytes())?;
    read_reply(stream)
}

fn read_reply(stream: &mut Stream) -> io::Result<Reply> {
    let mut lines = Vec::new();
    loop {
        let line = stream.line()?;
        let more = line.as_bytes().get(3) == Some(&b'-');
        let code = line.get(..3).and_then(|c| c.parse().ok()).ok_or_else(|| io::Error::other(line.clone()))?;
        lines.push(line.get(4..).unwrap_or_default().to_owned());
        if !more {
            return Ok(Reply { code, text: lines.join("\n") });
        }
    }
}

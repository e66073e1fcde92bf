//! The client session with a caller that does what the transcript says: in memory, or with a TCP connection between it and
//! the peer that plays the transcript, where the kernel decides how the octets come together.

use super::{Pace, Side, as_lines, unescape};
use mailward::mail::{Body, Envelope, Notify, Recipient, Ret, ReversePath};
use mailward::smtp::client::{Client, Event, Extent, Offer, Outcome, Sequel};
use mailward::smtp::data;
use mailward::smtp::server::Credentials;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

/// Stands in for the permit of policy.
pub struct Permit;

pub struct Caller {
    client: Option<Client<Permit>>,
    envelope: Envelope,
    message: Vec<u8>,
    unread: Vec<u8>,
    log: Vec<String>,
    wire: Option<Wire>,
}

/// Both ends of one connection.
struct Wire {
    ours: TcpStream,
    peers: TcpStream,
}

impl Wire {
    fn new() -> Wire {
        let listener = TcpListener::bind("127.30.109.99:0").expect("a free port");
        let ours = TcpStream::connect(listener.local_addr().expect("an address")).expect("a connection");
        let (peers, _) = listener.accept().expect("its other end");
        for end in [&ours, &peers] {
            end.set_read_timeout(Some(Duration::from_secs(30))).expect("a deadline");
            end.set_nodelay(true).expect("no delay");
        }
        Wire { ours, peers }
    }

    /// What the peer hears of it.
    fn say(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.ours.write_all(bytes).expect("the peer reads");
        let mut heard = vec![0; bytes.len()];
        self.peers.read_exact(&mut heard).expect("all of it arrives");
        heard
    }
}

impl Caller {
    /// The same over a socket.
    pub fn wired() -> Caller {
        Caller { wire: Some(Wire::new()), ..Caller::open() }
    }

    pub fn open() -> Caller {
        let envelope = Envelope {
            reverse_path: ReversePath::Null,
            recipients: Vec::new(),
            body: Body::SevenBit,
            smtputf8: false,
            ret: None,
            envid: None,
            require_tls: false,
        };
        let message = b"Subject: hello\r\n\r\n.dot\r\n".to_vec();
        let (client, unread, log) = (Some(Client::open("gw.example")), Vec::new(), Vec::new());
        Caller { client, envelope, message, unread, log, wire: None }
    }

    fn with(&mut self, change: impl FnOnce(Client<Permit>) -> Client<Permit>) {
        self.client = self.client.take().map(change);
    }

    fn say(&mut self, bytes: &[u8]) {
        let heard = self.wire.as_mut().map_or_else(|| bytes.to_vec(), |wire| wire.say(bytes));
        self.log.extend(as_lines('C', &heard));
    }

    /// Takes in what the peer writes, as the socket gives it.
    fn hear(&mut self, portion: &[u8]) {
        let mut left = portion.len();
        let Some(wire) = &mut self.wire else {
            self.unread.extend_from_slice(portion);
            return self.drive();
        };
        wire.peers.write_all(portion).expect("the client reads");
        while left > 0 {
            let mut octets = [0; 512];
            let Some(wire) = &mut self.wire else { return };
            let read = wire.ours.read(&mut octets).expect("what was written arrives");
            assert!(read > 0, "the connection is open");
            left -= read;
            self.unread.extend_from_slice(&octets[..read]);
            self.drive();
        }
    }

    fn drive(&mut self) {
        loop {
            let step = self.client.take().expect("the client is always put back").step(&self.unread);
            self.unread.drain(..step.consumed);
            self.client = Some(step.client);
            if step.event == Event::Need {
                return;
            }
            let failed = matches!(step.event, Event::Failed(..));
            self.report(step.event);
            if failed {
                self.unread.clear();
                return;
            }
        }
    }

    fn report(&mut self, event: Event) {
        match event {
            Event::Need => {}
            Event::Send(bytes) => self.say(&bytes),
            Event::Ready(offer) => self.log.push(describe(&offer)),
            Event::TlsReady => self.log.push("= tls-ready".into()),
            Event::TlsRefused(status) => self.log.push(format!("= tls-refused {status}")),
            Event::LoggedIn => self.log.push("= logged-in".into()),
            Event::LoginRefused(status) => self.log.push(format!("= login-refused {status}")),
            Event::SendBody => self.log.push("= send-body".into()),
            Event::SendChunk { commands, octets } => {
                self.say(&commands);
                self.log.push(format!("= send-octets {octets}"));
            }
            Event::Finished(outcomes, reuse) => {
                self.outcomes(outcomes);
                self.log.push(format!("= finished {reuse:?}").to_lowercase());
            }
            Event::Failed(reason, status) => {
                let status = status.map_or(String::new(), |s| format!(" {s}"));
                self.log.push(format!("= failed {reason}{status}"));
            }
        }
    }

    fn outcomes(&mut self, outcomes: Vec<Outcome>) {
        for outcome in outcomes {
            let to = &self.envelope.recipients[outcome.recipient].mailbox;
            let line = match outcome.result {
                Ok(status) => format!("= delivered {to} {status}"),
                Err(refusal) => {
                    let status = refusal.status.map_or(String::new(), |s| format!(" {s}"));
                    format!("= {} {to}{status}", refusal.reason)
                }
            };
            self.log.push(match outcome.sequel {
                Sequel::Stands => line,
                Sequel::AtOnce => format!("{line} (at once)"),
                Sequel::Unknown => format!("{line} (unknown)"),
            });
        }
    }

    fn mail(&mut self, extent: Extent) {
        let client = self.client.take().expect("the client is always put back");
        match client.mail(Permit, &self.envelope, extent) {
            Ok((client, event)) => {
                self.client = Some(client);
                self.report(event);
            }
            Err((client, reason)) => {
                self.client = Some(client);
                self.log.push(format!("= cannot {reason}"));
            }
        }
    }

    fn send_body(&mut self) {
        let mut bytes = Vec::new();
        data::encode(&self.message, &mut bytes).expect("the message can be sent");
        self.say(&bytes);
        self.with(Client::body_sent);
    }

    /// Octets of the message as BDAT carries them; what they are is the tests' of `Chunk`.
    fn send_octets(&mut self) {
        self.with(Client::body_sent);
    }

    fn add_recipient(&mut self, words: &str) {
        let mut words = words.split(' ');
        let address = words.next().expect("an address");
        let mut recipient = Recipient::new(address.parse().expect("an address"));
        for word in words {
            match word.split_once('=') {
                Some(("NOTIFY", "NEVER")) => recipient.notify = Some(Notify::NEVER),
                Some(("NOTIFY", "SUCCESS")) => recipient.notify = Some(Notify { success: true, ..Notify::NEVER }),
                Some(("ORCPT", value)) => recipient.orcpt = Some(value.to_owned()),
                _ => panic!("unknown parameter {word}"),
            }
        }
        self.envelope.recipients.push(recipient);
    }
}

fn describe(offer: &Offer) -> String {
    let words = [
        (offer.pipelining, "pipelining"),
        (offer.starttls, "starttls"),
        (offer.eight_bit, "8bitmime"),
        (offer.smtputf8, "smtputf8"),
        (offer.dsn, "dsn"),
        (offer.chunking, "chunking"),
        (offer.require_tls, "requiretls"),
        (offer.size_known, "size"),
    ];
    let mut line = "= ready".to_owned();
    for (_, word) in words.into_iter().filter(|(given, _)| *given) {
        line.push(' ');
        line.push_str(word);
    }
    offer.size.map_or(line.clone(), |size| format!("{line}={size}"))
}

impl Side for Caller {
    const FED: char = 'S';

    fn act(&mut self, event: &str) -> bool {
        let (verb, value) = event.split_once(' ').unwrap_or((event, ""));
        match verb {
            "from" => self.envelope.reverse_path = value.parse().expect("a reverse-path"),
            "to" => self.add_recipient(value),
            "8bit" => self.envelope.body = Body::EightBitMime,
            "utf8" => self.envelope.smtputf8 = true,
            "requiretls" => self.envelope.require_tls = true,
            "ret" => self.envelope.ret = Some(if value == "FULL" { Ret::Full } else { Ret::Headers }),
            "envid" => self.envelope.envid = Some(value.to_owned()),
            "text" => self.message = unescape(value),
            "mail" => self.mail(Extent::Whole(value.parse().expect("a size"))),
            "stream" => self.mail(Extent::Pieces(value.parse().expect("a size"))),
            "send" => self.send_body(),
            "sent" => self.send_octets(),
            "login" => {
                let (name, password) = value.split_once(' ').expect("a name and a password");
                let credentials = Credentials { name: name.to_owned(), password: password.to_owned() };
                let client = self.client.take().expect("the client is always put back");
                match client.login(&credentials) {
                    Some((client, bytes)) => {
                        self.client = Some(client);
                        self.say(&bytes);
                    }
                    None => {
                        self.client = Some(Client::open("gw.example"));
                        self.log.push("= cannot login".into());
                    }
                }
            }
            "data-only" => self.with(Client::without_chunking),
            "lost" => {
                let client = self.client.take().expect("the client is always put back");
                let outcomes = client.abandon(mailward::vocabulary::Reason::ConnectionLost, None);
                self.outcomes(outcomes);
                self.client = Some(Client::open("gw.example"));
            }
            "starttls" | "secured" | "quit" => {
                let client = self.client.take().expect("the client is always put back");
                let (client, bytes) = match verb {
                    "starttls" => client.starttls(),
                    "secured" => client.secured(),
                    _ => (Client::open("gw.example"), client.quit()),
                };
                self.client = Some(client);
                self.say(&bytes);
            }
            _ => return false,
        }
        true
    }

    fn feed(&mut self, block: &[u8], pace: Pace) {
        if block.is_empty() {
            return self.drive();
        }
        for portion in pace.portions(block) {
            self.hear(&portion);
        }
    }

    fn heard(&mut self) -> Vec<String> {
        std::mem::take(&mut self.log)
    }
}

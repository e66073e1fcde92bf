//! SMTP servers on loopback addresses, each with one behaviour, that keep what they receive and how it came.

use super::ca::Leaf;
use super::stream::Stream;
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Instant;

/// What the server does about STARTTLS.
#[derive(Clone, Default)]
pub enum Tls {
    /// Does not offer it.
    #[default]
    None,
    /// Offers it and shows this certificate.
    Shows(Leaf),
    /// A firewall between has overwritten the offer with X (Cisco's ESMTP inspection).
    Masked,
    /// Offers it and answers 454.
    Refuses,
    /// Answers 220 and closes.
    ClosesAfter220,
    /// Answers 220 and says nothing more.
    StallsAfter220,
    /// Somebody between writes replies in clear text behind the 220, in the same segment.
    InjectsAfter220(Leaf),
}

/// A server's behaviour; the default takes everything in clear text.
#[derive(Clone, Default)]
pub struct Behaviour {
    pub tls: Tls,
    /// The first so many end-of-data get 451.
    pub defers: usize,
    /// Recipients that get 550.
    pub refuses: Vec<String>,
    /// Refuses every message, and repeats a line of it while it does.
    pub quotes: bool,
    /// Keywords that EHLO offers besides, such as DSN.
    pub offers: Vec<&'static str>,
    /// Keywords that it does not offer.
    pub lacks: Vec<&'static str>,
    /// The reply to the dot waits until this is opened.
    pub gate: Option<Gate>,
}

/// Shut until somebody opens it.
#[derive(Clone, Default)]
pub struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    pub fn open(&self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }

    fn wait(&self) {
        let open = self.0.0.lock().unwrap();
        drop(self.0.1.wait_timeout_while(open, super::PATIENCE, |open| !*open).unwrap());
    }
}

/// One message as it arrived.
#[derive(Debug, Clone)]
pub struct Received {
    pub from: String,
    pub recipients: Vec<String>,
    /// MAIL and RCPT as they came.
    pub commands: Vec<String>,
    /// Dots undone, ending in CRLF.
    pub message: Vec<u8>,
    pub tls: bool,
    /// When it was taken: just before the peer's 250.
    pub at: Instant,
    /// When the session began that it came in.
    pub session: Instant,
}

impl Received {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.message).into_owned()
    }
}

#[derive(Default)]
struct Kept {
    messages: Mutex<Vec<Received>>,
    arrived: Condvar,
    sessions: AtomicUsize,
    deferred: AtomicUsize,
    /// Messages whose dot has come, answered or not.
    dots: AtomicUsize,
    /// Commands that came in clear text behind STARTTLS.
    early: Mutex<Vec<u8>>,
    stop: AtomicBool,
}

pub struct Peer {
    pub address: SocketAddr,
    kept: Arc<Kept>,
    behaviour: Arc<Mutex<Behaviour>>,
}

impl Peer {
    /// A server at `address` (port 0: any) that calls itself `name`.
    pub fn start(address: SocketAddr, name: &str, behaviour: Behaviour) -> Peer {
        let listener = super::listen(address);
        let address = listener.local_addr().unwrap();
        let kept = Arc::new(Kept::default());
        let (same, name) = (Arc::clone(&kept), name.to_owned());
        let behaviour = Arc::new(Mutex::new(behaviour));
        let now = Arc::clone(&behaviour);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if same.stop.load(Ordering::SeqCst) {
                    return;
                }
                same.sessions.fetch_add(1, Ordering::SeqCst);
                let behaviour = now.lock().unwrap().clone();
                let session = Session { name: name.clone(), behaviour, kept: Arc::clone(&same) };
                // A session that ends early is the client's right.
                std::thread::spawn(move || session.run(stream).ok());
            }
        });
        Peer { address, kept, behaviour }
    }

    /// From its next session on it behaves so.
    pub fn becomes(&self, behaviour: Behaviour) {
        *self.behaviour.lock().unwrap() = behaviour;
    }

    /// Ends of data that came, whatever was answered.
    pub fn dots(&self) -> usize {
        self.kept.dots.load(Ordering::SeqCst)
    }

    pub fn received(&self) -> Vec<Received> {
        self.kept.messages.lock().unwrap().clone()
    }

    /// Waits until `count` messages are here; panics when they do not come.
    pub fn wait_for(&self, count: usize) -> Vec<Received> {
        let messages = self.kept.messages.lock().unwrap();
        let (messages, late) =
            self.kept.arrived.wait_timeout_while(messages, super::PATIENCE, |m| m.len() < count).unwrap();
        assert!(!late.timed_out(), "{} of {count} messages arrived at {}", messages.len(), self.address);
        messages.clone()
    }

    pub fn sessions(&self) -> usize {
        self.kept.sessions.load(Ordering::SeqCst)
    }

    /// What clients sent in clear text behind their STARTTLS: must stay empty.
    pub fn early_bytes(&self) -> Vec<u8> {
        self.kept.early.lock().unwrap().clone()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.kept.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
    }
}

struct Session {
    name: String,
    behaviour: Behaviour,
    kept: Arc<Kept>,
}

impl Session {
    fn run(&self, stream: TcpStream) -> io::Result<()> {
        let session = Instant::now();
        let mut stream = Stream::new(stream);
        stream.write(format!("220 {} ESMTP lab\r\n", self.name).as_bytes())?;
        let mut open = Received::nothing();
        loop {
            let line = stream.line()?;
            let verb = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
            match verb.as_str() {
                "EHLO" => stream.write(self.offer(stream.is_tls()).as_bytes())?,
                "STARTTLS" => {
                    let Some(secure) = self.start_tls(stream)? else { return Ok(()) };
                    stream = secure;
                    open = Received::nothing();
                }
                "MAIL" => {
                    open = Received {
                        from: path(&line),
                        commands: vec![line],
                        tls: stream.is_tls(),
                        session,
                        ..Received::nothing()
                    };
                    stream.write(b"250 2.1.0 ok\r\n")?;
                }
                "RCPT" => stream.write(self.recipient(&mut open, line).as_bytes())?,
                "DATA" if open.recipients.is_empty() => stream.write(b"554 5.5.1 no valid recipients\r\n")?,
                "DATA" => {
                    stream.write(b"354 go ahead\r\n")?;
                    open.message = read_message(&mut stream)?;
                    stream.write(self.end_of_data(&open).as_bytes())?;
                    open = Received::nothing();
                }
                "RSET" | "NOOP" => {
                    open = Received::nothing();
                    stream.write(b"250 2.0.0 ok\r\n")?;
                }
                "QUIT" => return stream.write(b"221 2.0.0 bye\r\n"),
                _ => stream.write(b"500 5.5.1 unknown\r\n")?,
            }
        }
    }

    fn offer(&self, tls: bool) -> String {
        let tls = match &self.behaviour.tls {
            Tls::None => None,
            Tls::Masked => Some("XXXXXXXX"),
            _ => (!tls).then_some("STARTTLS"),
        };
        let usual = ["PIPELINING", "SIZE 52428800", "8BITMIME", "SMTPUTF8"];
        let offered = usual.into_iter().chain(tls).chain(self.behaviour.offers.iter().copied());
        let lines: String =
            offered.filter(|o| !self.behaviour.lacks.contains(o)).map(|o| format!("250-{o}\r\n")).collect();
        format!("250-{} hello\r\n{lines}250 ENHANCEDSTATUSCODES\r\n", self.name)
    }

    /// The connection as it goes on, or nothing when it ends here.
    fn start_tls(&self, mut stream: Stream) -> io::Result<Option<Stream>> {
        let leaf = match &self.behaviour.tls {
            Tls::None | Tls::Masked => {
                stream.write(b"502 5.5.1 not here\r\n")?;
                return Ok(Some(stream));
            }
            Tls::Refuses => {
                stream.write(b"454 4.7.0 TLS not available due to temporary reason\r\n")?;
                return Ok(Some(stream));
            }
            Tls::ClosesAfter220 => return stream.write(b"220 2.0.0 go\r\n").map(|()| None),
            Tls::StallsAfter220 => {
                stream.write(b"220 2.0.0 go\r\n")?;
                // Holds the connection until the client gives up.
                return stream.read_until(b"this never comes").map(|_| None);
            }
            Tls::InjectsAfter220(leaf) => {
                stream.write(b"220 2.0.0 go\r\n250-injected.example\r\n250 AUTH PLAIN\r\n")?;
                leaf
            }
            Tls::Shows(leaf) => {
                stream.write(b"220 2.0.0 go\r\n")?;
                leaf
            }
        };
        let (secure, early) = stream.accept_tls(leaf)?;
        self.kept.early.lock().unwrap().extend_from_slice(&early);
        Ok(Some(secure))
    }

    fn recipient(&self, open: &mut Received, line: String) -> String {
        let recipient = path(&line);
        open.commands.push(line);
        if self.behaviour.refuses.contains(&recipient) {
            return format!("550 5.1.1 <{recipient}> no such user\r\n");
        }
        open.recipients.push(recipient);
        "250 2.1.5 ok\r\n".to_owned()
    }

    fn end_of_data(&self, open: &Received) -> String {
        self.kept.dots.fetch_add(1, Ordering::SeqCst);
        if let Some(gate) = &self.behaviour.gate {
            gate.wait();
        }
        if self.kept.deferred.fetch_add(1, Ordering::SeqCst) < self.behaviour.defers {
            return "451 4.3.0 try again later\r\n".to_owned();
        }
        if self.behaviour.quotes {
            let text = open.text();
            let last = text.lines().rfind(|line| !line.is_empty()).unwrap_or_default();
            return format!("550 5.7.1 no such words here: {last}\r\n");
        }
        self.kept.messages.lock().unwrap().push(Received { at: Instant::now(), ..open.clone() });
        self.kept.arrived.notify_all();
        "250 2.0.0 taken\r\n".to_owned()
    }
}

impl Received {
    fn nothing() -> Received {
        let (from, recipients, commands, message) = (String::new(), Vec::new(), Vec::new(), Vec::new());
        let now = Instant::now();
        Received { from, recipients, commands, message, tls: false, at: now, session: now }
    }
}

fn path(line: &str) -> String {
    let inner = line.split_once('<').map_or("", |(_, rest)| rest);
    inner.split_once('>').map_or(inner, |(path, _)| path).to_owned()
}

fn read_message(stream: &mut Stream) -> io::Result<Vec<u8>> {
    let mut message = Vec::new();
    loop {
        let line = stream.read_until(b"\r\n")?;
        if line == b".\r\n" {
            return Ok(message);
        }
        message.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
    }
}

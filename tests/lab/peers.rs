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
    /// The same, and speaks TLS 1.2 at most.
    ShowsOld(Leaf),
    /// Hands everything behind its 220 to another server, which speaks TLS and no SMTP.
    Hands(SocketAddr),
    /// A firewall between has overwritten the offer with X (Cisco's ESMTP inspection).
    Masked,
    /// Offers it and answers 454.
    Refuses,
    /// Answers 220 and closes.
    ClosesAfter220,
    /// Answers 220, reads what comes and breaks the connection off with a reset.
    ResetsAfter220,
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
    /// What it says instead of what it would, at each of these steps.
    pub answers: Vec<Answer>,
    /// Recipients of one transaction; more get 452 4.5.3.
    pub crowd: Option<usize>,
    /// Name and password without which it takes no mail, inside TLS only; by the mechanisms that `offers` names.
    pub login: Option<(&'static str, &'static str)>,
    /// It answers MAIL and RCPT only when it has the whole message.
    pub lazy: bool,
    /// After so many messages of a session it goes away.
    pub leaves_after: Option<(usize, Leaving)>,
}

/// One reply that is not the usual one.
#[derive(Clone)]
pub struct Answer {
    /// CONNECT, a verb, or END for the dot and the last BDAT.
    pub to: &'static str,
    /// Whole lines; none: it says nothing.
    pub reply: &'static str,
    pub then: Then,
    /// Sessions that hear it, from the first.
    pub sessions: usize,
}

impl Answer {
    /// In every session.
    pub fn new(to: &'static str, reply: &'static str, then: Then) -> Answer {
        Answer { to, reply, then, sessions: usize::MAX }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// As if it had done what was asked.
    GoOn,
    Close,
    /// Says nothing more, and does not close.
    Stall,
}

/// How a session is left between two messages.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Leaving {
    /// Closes without a word.
    Silently,
    /// `421`, and closes.
    With421,
    /// `421` only when the next MAIL comes.
    AtMail,
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
    /// Which of the peer's sessions that was, from 1.
    pub session_number: usize,
    /// The message was answered.
    ended: bool,
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
    relented: AtomicBool,
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
                let number = same.sessions.fetch_add(1, Ordering::SeqCst) + 1;
                let behaviour = now.lock().unwrap().clone();
                let session = Session {
                    name: name.clone(),
                    number,
                    behaviour,
                    kept: Arc::clone(&same),
                    withheld: Mutex::default(),
                };
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

    /// From now on it defers nothing, on the links that are open too.
    pub fn relents(&self) {
        self.kept.relented.store(true, Ordering::SeqCst);
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
    number: usize,
    behaviour: Behaviour,
    kept: Arc<Kept>,
    /// Replies of a lazy peer.
    withheld: Mutex<Vec<u8>>,
}

/// Whether a session goes on after a step.
type GoesOn = bool;

impl Session {
    fn run(&self, stream: TcpStream) -> io::Result<()> {
        let session = Instant::now();
        let mut stream = Stream::new(stream);
        let greeting = format!("220 {} ESMTP lab\r\n", self.name);
        if !self.answer(&mut stream, "CONNECT", &greeting)? {
            return Ok(());
        }
        let (mut open, mut messages, mut known) = (Received::nothing(), 0, self.behaviour.login.is_none());
        loop {
            match self.behaviour.leaves_after {
                Some((after, Leaving::Silently)) if messages >= after => return Ok(()),
                Some((after, Leaving::With421)) if messages >= after => return stream.write(b"421 4.4.2 idle\r\n"),
                _ => {}
            }
            let line = stream.line()?;
            let verb = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
            let goes_on = match verb.as_str() {
                "EHLO" => {
                    let offer = self.offer(stream.is_tls());
                    self.answer(&mut stream, "EHLO", &offer)?
                }
                "STARTTLS" => {
                    let Some(secure) = self.start_tls(stream)? else { return Ok(()) };
                    stream = secure;
                    open = Received::nothing();
                    true
                }
                "AUTH" => {
                    known |= self.logs_in(&mut stream, &line)?;
                    let reply = if known { "235 2.7.0 welcome\r\n" } else { "535 5.7.8 no\r\n" };
                    self.answer(&mut stream, "AUTH", reply)?
                }
                "MAIL" if !known => stream.write(b"530 5.7.0 who are you\r\n").map(|()| true)?,
                "MAIL" => {
                    if self.behaviour.leaves_after.is_some_and(|(after, _)| messages >= after) {
                        return stream.write(b"421 4.4.2 idle\r\n");
                    }
                    open = Received { from: path(&line), tls: stream.is_tls(), session, ..Received::nothing() };
                    open.commands.push(line);
                    open.session_number = self.number;
                    self.answer(&mut stream, "MAIL", "250 2.1.0 ok\r\n")?
                }
                "RCPT" => {
                    let reply = self.recipient(&mut open, line);
                    self.answer(&mut stream, "RCPT", &reply)?
                }
                "DATA" => self.data(&mut stream, &mut open)?,
                "BDAT" if self.offers("CHUNKING") => self.bdat(&mut stream, &mut open, line)?,
                "RSET" | "NOOP" => {
                    open = Received::nothing();
                    self.answer(&mut stream, "RSET", "250 2.0.0 ok\r\n")?
                }
                "HELO" => self.answer(&mut stream, "HELO", "250 lab\r\n")?,
                "QUIT" => return stream.write(b"221 2.0.0 bye\r\n"),
                _ => stream.write(b"500 5.5.1 unknown\r\n").map(|()| true)?,
            };
            if !goes_on {
                return Ok(());
            }
            messages += usize::from(std::mem::take(&mut open.ended));
        }
    }

    /// PLAIN with or without a first answer, or LOGIN.
    fn logs_in(&self, stream: &mut Stream, line: &str) -> io::Result<bool> {
        use base64::Engine as _;
        let read = |text: &str| base64::engine::general_purpose::STANDARD.decode(text).unwrap_or_default();
        let ask = |stream: &mut Stream| {
            stream.write(b"334 \r\n")?;
            stream.line().map(|line| read(&line))
        };
        let words: Vec<&str> = line.split(' ').collect();
        let said = match words.as_slice() {
            [_, "PLAIN", first] => read(first),
            [_, "PLAIN"] => ask(stream)?,
            [_, "LOGIN"] => [b"\0".as_slice(), &ask(stream)?, b"\0", &ask(stream)?].concat(),
            _ => Vec::new(),
        };
        let wanted = self.behaviour.login.map(|(name, password)| format!("\0{name}\0{password}").into_bytes());
        Ok(stream.is_tls() && Some(said) == wanted)
    }

    fn offers(&self, keyword: &str) -> bool {
        self.behaviour.offers.contains(&keyword)
    }

    /// Says `usual`, or what the behaviour says instead.
    fn answer(&self, stream: &mut Stream, to: &str, usual: &str) -> io::Result<GoesOn> {
        let odd = self.behaviour.answers.iter().find(|a| a.to == to && self.number <= a.sessions);
        let Some(odd) = odd else {
            let mut replies = self.withheld.lock().unwrap();
            replies.extend_from_slice(usual.as_bytes());
            let waits = self.behaviour.lazy && matches!(to, "MAIL" | "RCPT");
            return if waits { Ok(true) } else { stream.write(&std::mem::take(&mut *replies)).map(|()| true) };
        };
        stream.write(odd.reply.as_bytes())?;
        match odd.then {
            Then::GoOn => Ok(true),
            Then::Close => Ok(false),
            Then::Stall => stream.read_until(b"this never comes").map(|_| false),
        }
    }

    fn data(&self, stream: &mut Stream, open: &mut Received) -> io::Result<GoesOn> {
        if open.recipients.is_empty() {
            return stream.write(b"554 5.5.1 no valid recipients\r\n").map(|()| true);
        }
        if self.behaviour.answers.iter().any(|a| a.to == "DATA" && self.number <= a.sessions) {
            return self.answer(stream, "DATA", "");
        }
        stream.write(b"354 go ahead\r\n")?;
        open.message = read_message(stream)?;
        self.ended(stream, open)
    }

    fn bdat(&self, stream: &mut Stream, open: &mut Received, line: String) -> io::Result<GoesOn> {
        let mut words = line.split(' ').skip(1);
        let octets =
            words.next().and_then(|n| n.parse().ok()).ok_or_else(|| io::Error::other("BDAT without a size"))?;
        let last = words.next() == Some("LAST");
        if self.behaviour.answers.iter().any(|a| a.to == "BDAT" && self.number <= a.sessions) {
            // What the behaviour says comes before the octets are read: a peer that does not know the command.
            let goes_on = self.answer(stream, "BDAT", "")?;
            stream.take(octets)?;
            return Ok(goes_on);
        }
        let piece = stream.take(octets)?;
        open.commands.push(line);
        open.message.extend_from_slice(&piece);
        match (open.recipients.is_empty(), last) {
            (true, _) => stream.write(b"503 5.5.1 no valid recipients\r\n").map(|()| true),
            (false, true) => self.ended(stream, open),
            (false, false) => self.answer(stream, "CHUNK", "250 2.0.0 so far\r\n"),
        }
    }

    fn ended(&self, stream: &mut Stream, open: &mut Received) -> io::Result<GoesOn> {
        let goes_on = match self.behaviour.answers.iter().any(|a| a.to == "END" && self.number <= a.sessions) {
            true => {
                self.kept.dots.fetch_add(1, Ordering::SeqCst);
                self.answer(stream, "END", "")?
            }
            false => {
                let reply = self.end_of_data(open);
                self.answer(stream, "", &reply)?
            }
        };
        *open = Received { ended: true, ..Received::nothing() };
        Ok(goes_on)
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
        if self.behaviour.answers.iter().any(|a| a.to == "STARTTLS" && self.number <= a.sessions) {
            return Ok(self.answer(&mut stream, "STARTTLS", "")?.then_some(stream));
        }
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
            Tls::ResetsAfter220 => {
                stream.write(b"220 2.0.0 go\r\n")?;
                return stream.reset().map(|()| None);
            }
            Tls::Hands(other) => {
                stream.write(b"220 2.0.0 go\r\n")?;
                return stream.hand_to(*other).map(|()| None);
            }
            Tls::Shows(leaf) | Tls::ShowsOld(leaf) => {
                stream.write(b"220 2.0.0 go\r\n")?;
                leaf
            }
        };
        let versions: &[&rustls::SupportedProtocolVersion] = match &self.behaviour.tls {
            Tls::ShowsOld(_) => &[&rustls::version::TLS12],
            _ => rustls::DEFAULT_VERSIONS,
        };
        let (secure, early) = stream.accept_tls_of(versions, leaf)?;
        self.kept.early.lock().unwrap().extend_from_slice(&early);
        Ok(Some(secure))
    }

    fn recipient(&self, open: &mut Received, line: String) -> String {
        let recipient = path(&line);
        open.commands.push(line);
        if self.behaviour.crowd.is_some_and(|most| open.recipients.len() >= most) {
            return "452 4.5.3 too many recipients\r\n".to_owned();
        }
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
        let relented = self.kept.relented.load(Ordering::SeqCst);
        if !relented && self.kept.deferred.fetch_add(1, Ordering::SeqCst) < self.behaviour.defers {
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
        let (tls, session_number, ended) = (false, 0, false);
        Received { from, recipients, commands, message, tls, at: now, session: now, session_number, ended }
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

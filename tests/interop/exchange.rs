//! The Exchange stand-in: plays the conversations in tests/sessions/exchange over sockets, as the side that Exchange is in
//! each. Whoever reads a transcript reads what this says on the wire.
//!
//! The events of a transcript that a socket has (`= starttls`) happen; those that only a session in memory has are passed
//! over, and what they promise is asked of the sink behind the gateway.

use crate::lab::ca::Leaf;
use crate::lab::listen;
use crate::lab::stream::Stream;
use crate::transcript::{agrees, fed, unescape};
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

pub struct Transcript {
    pub name: String,
    text: String,
}

/// All conversations in which Exchange is `side` (client or server).
pub fn transcripts(side: &str) -> Vec<Transcript> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sessions/exchange").join(side);
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| Transcript::read(path)).collect()
}

impl Transcript {
    fn read(path: &Path) -> Transcript {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        Transcript { name, text: std::fs::read_to_string(path).unwrap() }
    }

    fn lines(&self) -> impl Iterator<Item = &str> {
        self.text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
    }

    /// What follows each event called `verb`.
    fn events<'a>(&'a self, verb: &'a str) -> impl Iterator<Item = &'a str> {
        self.lines().filter_map(move |line| line.strip_prefix("= ")?.strip_prefix(verb)?.strip_prefix(' '))
    }

    /// The bodies of the messages that the gateway must have taken: each that is followed by a 250.
    pub fn taken(&self) -> Vec<Vec<u8>> {
        let (mut taken, mut body) = (Vec::new(), None);
        for line in self.lines() {
            if let Some(text) = line.strip_prefix("= body ") {
                body = Some(unescape(text));
            } else if line.starts_with('S') {
                taken.extend(body.take().filter(|_| line.starts_with("S~ 250 2.0.0")));
            }
        }
        taken
    }

    /// As Exchange that sends: says its lines in blocks, as they stand, and compares every answer.
    pub fn send_to(&self, gateway: SocketAddr) -> io::Result<()> {
        let mut stream = Stream::new(TcpStream::connect(gateway)?);
        let mut block = Vec::new();
        for line in self.lines() {
            if let Some(octets) = fed(line, 'C') {
                block.extend(octets);
                continue;
            }
            if !block.is_empty() {
                stream.write(&std::mem::take(&mut block))?;
            }
            if line.starts_with('S') {
                let said = format!("S: {}", stream.line()?);
                if !agrees(line, &said) {
                    return Err(io::Error::other(format!("expected {line}\n     got {said}")));
                }
            } else if line == "= starttls" {
                stream = stream.start_tls()?;
            }
        }
        Ok(())
    }

    /// As Exchange that is sent to: compares every command, says its lines; what it was given as a message, if it was.
    fn serve(&self, stream: TcpStream, leaf: &Leaf) -> io::Result<Vec<u8>> {
        let (mut stream, mut chunk, mut message) = (Stream::new(stream), 0, Vec::new());
        for line in self.lines() {
            if let Some(text) = line.strip_prefix("S: ") {
                stream.write(format!("{text}\r\n").as_bytes())?;
            } else if line.starts_with('C') {
                let said = stream.line()?;
                if !agrees(line, &format!("C: {said}")) {
                    return Err(io::Error::other(format!("expected {line}\n     got C: {said}")));
                }
                chunk = said.split(' ').nth(1).and_then(|octets| octets.parse().ok()).unwrap_or(0);
            } else if line == "= tls-ready" {
                stream = stream.accept_tls(leaf)?.0;
            } else if line.starts_with("= send-octets") {
                message.extend(stream.take(chunk)?);
            }
        }
        Ok(message)
    }

    pub fn reverse_path(&self) -> &str {
        self.events("from").next().unwrap()
    }

    pub fn recipients(&self) -> Vec<&str> {
        self.events("to").collect()
    }

    /// The recipients whose fate is `delivered`, or ends in `-refused` or `-deferred`, with the words of the server.
    pub fn fates(&self, ending: &str) -> Vec<(&str, &str)> {
        let fates = self.lines().filter_map(|line| line.strip_prefix("= ")?.split_once(' '));
        fates.filter(|(fate, _)| fate.ends_with(ending)).filter_map(|(_, rest)| rest.split_once(' ')).collect()
    }
}

/// What became of one connection to the stand-in.
#[derive(Debug, Clone)]
pub struct Visit {
    pub name: String,
    pub result: Result<Vec<u8>, String>,
}

/// An Exchange that is sent to: the first connection hears the first of its conversations, and so on; the last is for
/// everybody who comes after.
pub struct Server {
    visits: Arc<Mutex<Vec<Visit>>>,
}

impl Server {
    pub fn start(address: SocketAddr, leaf: Leaf, conversations: Vec<Arc<Transcript>>) -> Server {
        let listener = listen(address);
        let visits = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&visits);
        std::thread::spawn(move || {
            for (number, stream) in listener.incoming().map_while(Result::ok).enumerate() {
                let conversation = &conversations[number.min(conversations.len() - 1)];
                let result = conversation.serve(stream, &leaf).map_err(|why| why.to_string());
                kept.lock().unwrap().push(Visit { name: conversation.name.clone(), result });
            }
        });
        Server { visits }
    }

    pub fn visits(&self) -> Vec<Visit> {
        self.visits.lock().unwrap().clone()
    }
}

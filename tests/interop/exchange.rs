//! The Exchange stand-in: plays the conversations in tests/sessions/exchange over sockets, as the side that Exchange is in
//! each. Whoever reads a transcript reads what this says on the wire.
//!
//! The events of a transcript that a socket has (`= starttls`) happen; those that only a session in memory has are passed
//! over, and what they promise is asked of the sink behind the gateway.

use crate::lab::stream::Stream;
use crate::transcript::{agrees, fed, unescape};
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};

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
}

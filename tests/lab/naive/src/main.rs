//! A mail server on mailin, fed as mailin-embedded feeds it: with lines that end in LF, so that `LF . CRLF` ends a message.
//!
//! `naive ADDRESS FOLDER` listens until it is stopped and writes each message that it thinks it got to a file in FOLDER:
//! the reverse-path, the recipients, an empty line, the message. Started by the gateway's interoperability tests alone.

use mailin::{Action, Handler, Response, SessionBuilder, response};
use std::io::{self, BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

static KEPT: AtomicUsize = AtomicUsize::new(0);

struct Keeper {
    folder: PathBuf,
    message: Vec<u8>,
}

impl Handler for Keeper {
    fn data_start(&mut self, _domain: &str, from: &str, _is8bit: bool, to: &[String]) -> Response {
        self.message = format!("{from}\n{}\n\n", to.join(" ")).into_bytes();
        response::OK
    }

    fn data(&mut self, line: &[u8]) -> io::Result<()> {
        self.message.extend_from_slice(line);
        Ok(())
    }

    fn data_end(&mut self) -> Response {
        let number = KEPT.fetch_add(1, Ordering::SeqCst);
        let (partial, whole) = (format!("{number:06}.partial"), format!("{number:06}.message"));
        let written = std::fs::write(self.folder.join(&partial), &self.message)
            .and_then(|()| std::fs::rename(self.folder.join(partial), self.folder.join(whole)));
        if written.is_ok() { response::OK } else { response::INTERNAL_ERROR }
    }
}

fn serve(stream: &TcpStream, folder: &Path) -> io::Result<()> {
    let keeper = Keeper { folder: folder.to_owned(), message: Vec::new() };
    let mut session = SessionBuilder::new("naive.example").build(stream.peer_addr()?.ip(), keeper);
    session.greeting().write_to(&mut &*stream)?;
    let (mut reader, mut line) = (BufReader::new(stream), Vec::new());
    loop {
        line.clear();
        if reader.read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        let answer = session.process(&line);
        if !matches!(answer.action, Action::NoReply) {
            answer.write_to(&mut &*stream)?;
        }
        if matches!(answer.action, Action::Close) {
            return Ok(());
        }
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(address), Some(folder)) = (arguments.next(), arguments.next()) else {
        return Err("usage: naive ADDRESS FOLDER".into());
    };
    let folder = PathBuf::from(folder);
    for stream in TcpListener::bind(address)?.incoming() {
        let (stream, folder) = (stream?, folder.clone());
        // A session that ends early is the client's right.
        std::thread::spawn(move || serve(&stream, &folder));
    }
    Ok(())
}

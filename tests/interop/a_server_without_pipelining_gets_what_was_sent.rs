//! aiosmtpd as a partner's server: no PIPELINING, no CHUNKING, no DSN, so every command waits for its reply.

use crate::lab::peers::Behaviour;
use crate::lab::{skipped, until};
use crate::letter::{self, TO, assert_same, has};
use crate::programme::{announce, run};
use crate::world::{DOCTOR, EXCHANGE, Gateway, NUMBER, SECRET, Setup, World};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// The interpreter for which the package installs its modules, whatever other is in front of it.
const PYTHON: &str = "/usr/bin/python3";

struct Server {
    process: Child,
    folder: TempDir,
}

impl Server {
    fn start(world: &World, listen: SocketAddr) -> Server {
        let folder = tempfile::tempdir().unwrap();
        let (certificate, key) = world.ca.good(&["mx.partner.example"]).write(folder.path(), "server");
        let mut command = Command::new(PYTHON);
        command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/serve_with_aiosmtpd.py"));
        command.args([listen.ip().to_string(), listen.port().to_string()]).args([certificate, key]);
        let process = command.arg(folder.path()).stdin(Stdio::null()).spawn().unwrap();
        // From here on it ends with this value, whether it ever listens or not.
        let server = Server { process, folder };
        assert!(until(|| TcpStream::connect(listen).ok()).is_some(), "aiosmtpd does not listen");
        server
    }

    /// The line before the message with this subject, and the message.
    fn arrival(&self, subject: &str, recipient: &str) -> (String, Vec<u8>) {
        let line = format!("\r\nSubject: {subject}\r\n");
        let found = until(|| {
            let files = std::fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().path());
            let files = files.filter(|path| path.extension().is_some_and(|e| e == "message"));
            let mut all = files.map(|path| std::fs::read(path).unwrap());
            all.find(|kept| has(kept, &line) && has(kept.split(|b| *b == b'\n').next().unwrap(), recipient))
        });
        let kept = found.unwrap_or_else(|| panic!("`{subject}` did not come for {recipient}"));
        let end = kept.iter().position(|b| *b == b'\n').unwrap();
        (String::from_utf8_lossy(&kept[..end]).into_owned(), kept[end + 1..].to_vec())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn submit(gateway: &Gateway, parameters: &str, to: &[&str], message: &[u8]) {
    let mut client = gateway.session();
    assert_eq!(client.say(&format!("MAIL FROM:<{DOCTOR}> {parameters}")).unwrap().code, 250);
    for to in to {
        assert_eq!(client.say(&format!("RCPT TO:<{to}>")).unwrap().code, 250, "{to}");
    }
    assert_eq!(client.say("DATA").unwrap().code, 354);
    client.message(message).unwrap();
    assert_eq!(client.reply().unwrap().code, 250);
    client.quit();
}

#[test]
fn aiosmtpd_gets_what_was_sent() {
    let installed = Command::new(PYTHON).args(["-c", "import aiosmtpd; print(aiosmtpd.__version__)"]).output();
    if !installed.is_ok_and(|output| output.status.success()) {
        return skipped("aiosmtpd_gets_what_was_sent", "aiosmtpd is not installed");
    }
    announce("aiosmtpd", &run(Command::new(PYTHON).args(["-c", "import aiosmtpd; print(aiosmtpd.__version__)"])).text);
    let world = World::new(137);
    let exchange = world.peer(EXCHANGE, "exchange.trust.example", Behaviour::default());
    world.names.mx("partner.example", &[(10, "mx.partner.example")]).address_of("mx.partner.example", world.ip(12));
    let listen = world.free(112);
    let server = Server::start(&world, listen);
    world.wire.tap(SocketAddr::new(world.ip(12), world.port), listen);
    let gateway = world.gateway(&Setup { more: "[queue]\nretry = [\"1s\"]", ..Setup::default() });

    submit(&gateway, "", &[TO], &letter::clinical("letter"));
    let (how, message) = server.arrival("letter", TO);
    assert_eq!(how, format!("TLS {TO}"));
    assert_same(&message, &letter::clinical("letter"));
    assert_eq!(world.wire.sightings(&[NUMBER, SECRET]), []);

    let (abroad, big) = ("j\u{f6}rg@partner.example", letter::large("big", 2_000_000));
    for (subject, parameters, to, message) in [
        ("nasty", "BODY=8BITMIME", TO, letter::nasty("nasty")),
        ("abroad", "BODY=8BITMIME SMTPUTF8", abroad, letter::nasty("abroad")),
        ("big", "", TO, big),
    ] {
        submit(&gateway, parameters, &[to], &message);
        assert_same(&server.arrival(subject, to).1, &message);
    }

    let to = ["nobody@partner.example", "later@partner.example", TO];
    submit(&gateway, "", &to, &letter::ordinary("fates"));
    for taken in [TO, to[1]] {
        assert_eq!(server.arrival("fates", taken).0, format!("TLS {taken}"));
    }
    let told = exchange.wait_for(1)[0].text();
    assert!(told.contains("Action: failed") && told.contains(to[0]) && told.contains("no such user"), "{told}");
    assert!(!told.contains(to[1]), "{told}");
    gateway.wait_until_empty();
}

//! `openssl s_server` and `s_client`: TLS of another make, with the versions and suites that a test names.

use super::ca::Leaf;
use super::{free_port, until};
use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// A server that speaks TLS and, inside it, nothing.
pub struct Server {
    process: Child,
    pub address: SocketAddr,
    _folder: TempDir,
}

impl Server {
    /// At a free port of `ip`, with this certificate and these words more on its command line.
    pub fn start(ip: &str, leaf: &Leaf, words: &[&str]) -> Server {
        let folder = tempfile::tempdir().unwrap();
        let (certificate, key) = leaf.write(folder.path(), "server");
        let address = free_port(ip);
        let mut command = Command::new("openssl");
        command.args(["s_server", "-quiet", "-accept", &address.to_string(), "-cert"]).arg(certificate).arg("-key");
        command.arg(key).args(words).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let server = Server { process: command.spawn().unwrap(), address, _folder: folder };
        assert!(until(|| TcpStream::connect(address).ok()).is_some(), "s_server does not listen: {words:?}");
        server
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What `s_client -starttls smtp` says of a listener when it is called with these words more.
pub fn asked(listener: SocketAddr, words: &[&str]) -> String {
    let mut command = Command::new("timeout");
    command.args(["-k", "1", "60", "openssl", "s_client", "-brief", "-starttls", "smtp", "-connect"]);
    command.arg(listener.to_string()).args(words);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut client = command.spawn().unwrap();
    // It may have ended by then.
    let _ = client.stdin.take().map(|mut line| line.write_all(b"QUIT\r\n"));
    let output = client.wait_with_output().unwrap();
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

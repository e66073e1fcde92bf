//! A web server that answers one thing: for policies of MTA-STS, good and bad.

use super::ca::Leaf;
use super::stream::Stream;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// What it says to every request; None: it closes.
type Said = Arc<Mutex<Option<String>>>;

pub struct PolicyHost {
    said: Said,
    asked: Arc<AtomicUsize>,
}

/// A whole answer with this policy.
pub fn answer(policy: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n{policy}", policy.len())
}

/// A policy with these mail hosts.
pub fn policy(mode: &str, mx: &[&str], max_age: u32) -> String {
    let hosts: String = mx.iter().map(|host| format!("mx: {host}\n")).collect();
    format!("version: STSv1\nmode: {mode}\n{hosts}max_age: {max_age}\n")
}

impl PolicyHost {
    pub fn start(address: SocketAddr, leaf: Leaf, said: &str) -> PolicyHost {
        let listener = super::listen(address);
        let host = PolicyHost { said: Arc::new(Mutex::new(Some(said.to_owned()))), asked: Arc::default() };
        let (said, asked) = (host.said.clone(), host.asked.clone());
        std::thread::spawn(move || {
            for tcp in listener.incoming().map_while(Result::ok) {
                let (leaf, said, asked) = (leaf.clone(), said.clone(), asked.clone());
                std::thread::spawn(move || {
                    let (mut stream, _) = Stream::new(tcp).accept_tls(&leaf)?;
                    let request = String::from_utf8_lossy(&stream.read_until(b"\r\n\r\n")?).into_owned();
                    assert!(request.starts_with("GET /.well-known/mta-sts.txt HTTP/1.1\r\n"), "{request}");
                    asked.fetch_add(1, Ordering::SeqCst);
                    let said = said.lock().unwrap().clone();
                    said.map_or(Ok(()), |said| stream.write(said.as_bytes()))
                });
            }
        });
        host
    }

    pub fn say(&self, said: Option<&str>) {
        *self.said.lock().unwrap() = said.map(str::to_owned);
    }

    /// Requests so far.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

//! The tap: TCP proxies that keep every byte both ways, and the search that decides whether anything was to be seen.
//!
//! TLS records are opaque, so all captured bytes are searched: what is found was outside TLS.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use memchr::memmem;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};

/// One connection as the wire saw it.
#[derive(Debug, Clone, Default)]
pub struct Capture {
    pub server: String,
    pub from_client: Vec<u8>,
    pub from_server: Vec<u8>,
}

/// Where something was seen that should not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    pub server: String,
    pub needle: String,
    pub how: &'static str,
}

/// All that went over all taps of a run.
#[derive(Clone, Default)]
pub struct Wire {
    captures: Arc<Mutex<Vec<Arc<Mutex<Capture>>>>>,
}

impl Wire {
    /// Listens at `listen` (port 0: any), passes everything on to `server`, keeps it; returns where it listens.
    pub fn tap(&self, listen: SocketAddr, server: SocketAddr) -> SocketAddr {
        let listener = super::listen(listen);
        let address = listener.local_addr().unwrap();
        let captures = Arc::clone(&self.captures);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let capture = Arc::new(Mutex::new(Capture { server: server.to_string(), ..Capture::default() }));
                captures.lock().unwrap().push(Arc::clone(&capture));
                // A server that is not there: the client sees its connection close.
                let Ok(upstream) = TcpStream::connect(server) else { continue };
                pump(&client, &upstream, &capture, |capture| &mut capture.from_client);
                pump(&upstream, &client, &capture, |capture| &mut capture.from_server);
            }
        });
        address
    }

    pub fn captures(&self) -> Vec<Capture> {
        self.captures.lock().unwrap().iter().map(|c| c.lock().unwrap().clone()).collect()
    }

    /// Everywhere that one of `needles` can be read, in any encoding that mail uses.
    pub fn sightings(&self, needles: &[&str]) -> Vec<Sighting> {
        let mut found = Vec::new();
        for capture in self.captures() {
            for bytes in [&capture.from_client, &capture.from_server] {
                for (needle, how) in needles.iter().filter_map(|n| seen(bytes, n).map(|how| (n, how))) {
                    found.push(Sighting { server: capture.server.clone(), needle: (*needle).to_owned(), how });
                }
            }
        }
        found
    }
}

type Side = fn(&mut Capture) -> &mut Vec<u8>;

fn pump(from: &TcpStream, to: &TcpStream, capture: &Arc<Mutex<Capture>>, side: Side) {
    let (mut from, mut to, capture) = (from.try_clone().unwrap(), to.try_clone().unwrap(), Arc::clone(capture));
    std::thread::spawn(move || {
        let mut buffer = [0; 16_384];
        while let Ok(length @ 1..) = from.read(&mut buffer) {
            // Kept before it is passed on: whoever got it, the tap has it.
            side(&mut capture.lock().unwrap()).extend_from_slice(&buffer[..length]);
            if to.write_all(&buffer[..length]).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Write);
    });
}

/// How `needle` can be read in `bytes`, if it can.
pub fn seen(bytes: &[u8], needle: &str) -> Option<&'static str> {
    assert!(needle.len() >= 8, "a needle this short is found in noise: {needle}");
    let little: Vec<u8> = needle.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = needle.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let forms = [("text", needle.as_bytes()), ("UTF-16LE", &little), ("UTF-16BE", &big)];
    let quoted = unquote(bytes);
    // Base64 is broken into lines of any length.
    let joined: Vec<u8> = bytes.iter().copied().filter(|b| !b" \t\r\n".contains(b)).collect();
    for (how, form) in forms {
        if memmem::find(bytes, form).is_some() {
            return Some(how);
        }
        if memmem::find(&quoted, form).is_some() {
            return Some("quoted-printable");
        }
        if (0..3).any(|shift| memmem::find(&joined, &as_base64(form, shift)).is_some()) {
            return Some("base64");
        }
    }
    None
}

/// The characters that `form` gives in base64 whatever stands before and after it, when it starts at `shift` of three.
fn as_base64(form: &[u8], shift: usize) -> Vec<u8> {
    let shifted = [&[0_u8; 2][..shift], form].concat();
    let text = STANDARD_NO_PAD.encode(&shifted).into_bytes();
    let first = (shift * 8).div_ceil(6);
    let last = shifted.len() * 8 / 6;
    text[first..last].to_vec()
}

fn unquote(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((&byte, tail)) = rest.split_first() {
        let code = tail.get(..2).and_then(|h| std::str::from_utf8(h).ok());
        match (byte, code, code.and_then(|h| u8::from_str_radix(h, 16).ok())) {
            (b'=', Some("\r\n"), _) => rest = &tail[2..],
            (b'=', _, Some(value)) => {
                out.push(value);
                rest = &tail[2..];
            }
            // RFC 2047 4.2: in an encoded word `_` is a space; a needle with `_` of its own is found as text.
            (b'_', ..) => {
                out.push(b' ');
                rest = tail;
            }
            _ => {
                out.push(byte);
                rest = tail;
            }
        }
    }
    out
}

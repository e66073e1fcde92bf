//! A blocking connection that may turn into TLS, read by lines. What was read too much before TLS is kept apart.

use super::ca::Leaf;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, Error, ServerConfig, ServerConnection};
use rustls::{SignatureScheme, StreamOwned};
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

enum Wire {
    Plain(TcpStream),
    Server(Box<StreamOwned<ServerConnection, TcpStream>>),
    Client(Box<StreamOwned<ClientConnection, TcpStream>>),
}

pub struct Stream {
    wire: Wire,
    ahead: Vec<u8>,
}

impl Stream {
    pub fn new(stream: TcpStream) -> Stream {
        stream.set_read_timeout(Some(super::PATIENCE)).unwrap();
        stream.set_write_timeout(Some(super::PATIENCE)).unwrap();
        Stream { wire: Wire::Plain(stream), ahead: Vec::new() }
    }

    pub fn is_tls(&self) -> bool {
        !matches!(self.wire, Wire::Plain(_))
    }

    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.wire {
            Wire::Plain(s) => s.write_all(bytes),
            Wire::Server(s) => s.write_all(bytes).and_then(|()| s.flush()),
            Wire::Client(s) => s.write_all(bytes).and_then(|()| s.flush()),
        }
    }

    fn fill(&mut self) -> io::Result<()> {
        let mut buffer = [0; 4096];
        let length = match &mut self.wire {
            Wire::Plain(s) => s.read(&mut buffer)?,
            Wire::Server(s) => s.read(&mut buffer)?,
            Wire::Client(s) => s.read(&mut buffer)?,
        };
        if length == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.ahead.extend_from_slice(&buffer[..length]);
        Ok(())
    }

    /// The certificate that the server of this connection showed.
    pub fn certificate(&self) -> Option<Vec<u8>> {
        let Wire::Client(tls) = &self.wire else { return None };
        tls.conn.peer_certificates()?.first().map(|certificate| certificate.as_ref().to_vec())
    }

    /// Everything up to and including `end`.
    pub fn read_until(&mut self, end: &[u8]) -> io::Result<Vec<u8>> {
        loop {
            if let Some(at) = memchr::memmem::find(&self.ahead, end) {
                let rest = self.ahead.split_off(at + end.len());
                return Ok(std::mem::replace(&mut self.ahead, rest));
            }
            self.fill()?;
        }
    }

    /// Exactly `length` octets.
    pub fn take(&mut self, length: usize) -> io::Result<Vec<u8>> {
        while self.ahead.len() < length {
            self.fill()?;
        }
        let rest = self.ahead.split_off(length);
        Ok(std::mem::replace(&mut self.ahead, rest))
    }

    pub fn line(&mut self) -> io::Result<String> {
        let line = self.read_until(b"\r\n")?;
        Ok(String::from_utf8_lossy(&line[..line.len() - 2]).into_owned())
    }

    /// Says that nothing more comes; what the other side says until it closes.
    pub fn rest(mut self) -> Vec<u8> {
        let socket = match &mut self.wire {
            Wire::Plain(s) => s,
            Wire::Server(s) => &mut s.sock,
            Wire::Client(s) => {
                s.conn.send_close_notify();
                let _ = s.flush();
                &mut s.sock
            }
        };
        let _ = socket.shutdown(std::net::Shutdown::Write);
        while self.fill().is_ok() {}
        self.ahead
    }

    /// Takes TLS as `leaf`; returns what the other side had sent in clear before it.
    pub fn accept_tls(self, leaf: &Leaf) -> io::Result<(Stream, Vec<u8>)> {
        self.accept_tls_of(rustls::DEFAULT_VERSIONS, leaf)
    }

    /// The same with these versions only.
    pub fn accept_tls_of(
        self,
        versions: &[&'static rustls::SupportedProtocolVersion],
        leaf: &Leaf,
    ) -> io::Result<(Stream, Vec<u8>)> {
        let Wire::Plain(mut socket) = self.wire else { return Err(io::Error::other("TLS twice")) };
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_protocol_versions(versions)
            .and_then(|b| b.with_no_client_auth().with_single_cert(leaf.chain(), leaf.key_der()));
        let mut session = config.and_then(|c| ServerConnection::new(Arc::new(c))).map_err(io::Error::other)?;
        session.complete_io(&mut socket)?;
        let wire = Wire::Server(Box::new(StreamOwned::new(session, socket)));
        Ok((Stream { wire, ahead: Vec::new() }, self.ahead))
    }

    /// Reads something and breaks off without a word: the other side sees a reset, since octets were not read.
    pub fn reset(self) -> io::Result<()> {
        let Wire::Plain(mut socket) = self.wire else { return Err(io::Error::other("inside TLS")) };
        let mut some = [0];
        io::Read::read_exact(&mut socket, &mut some)?;
        drop(socket);
        Ok(())
    }

    /// From now on the other side talks to whoever listens at `other`, until either closes.
    pub fn hand_to(self, other: std::net::SocketAddr) -> io::Result<()> {
        let Wire::Plain(here) = self.wire else { return Err(io::Error::other("inside TLS")) };
        let mut there = std::net::TcpStream::connect(other)?;
        io::Write::write_all(&mut there, &self.ahead)?;
        let (mut from, mut into) = (there.try_clone()?, here.try_clone()?);
        let back = std::thread::spawn(move || {
            let _ = io::copy(&mut from, &mut into);
            let _ = into.shutdown(std::net::Shutdown::Both);
        });
        let _ = io::copy(&mut &here, &mut there);
        let _ = there.shutdown(std::net::Shutdown::Both);
        back.join().map_err(|_| io::Error::other("the way back ended badly"))
    }

    /// Starts TLS with whoever is there.
    pub fn start_tls(self) -> io::Result<Stream> {
        let Wire::Plain(mut socket) = self.wire else { return Err(io::Error::other("TLS twice")) };
        let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Anybody))
            .with_no_client_auth();
        let name = ServerName::try_from("gateway.lab.example").map_err(io::Error::other)?;
        let mut session = ClientConnection::new(Arc::new(config), name).map_err(io::Error::other)?;
        session.complete_io(&mut socket)?;
        Ok(Stream { wire: Wire::Client(Box::new(StreamOwned::new(session, socket))), ahead: Vec::new() })
    }
}

#[derive(Debug)]
struct Anybody;

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        default_provider().signature_verification_algorithms.supported_schemes()
    }
}

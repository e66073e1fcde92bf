//! TLS on a session: after STARTTLS (RFC 3207), or before the greeting (RFC 8314 3).
//!
//! Called by `connection`. Promises: what was read before a handshake is dropped; a handshake has a deadline and a place
//! among a bounded number, some of which are the sites' alone. Fails by ending the session.

use super::super::limits::Who;
use super::super::listener::Tls;
use super::super::socket::Socket;
use super::{Connection, Flow};
use crate::mail::TlsFacts;
use crate::smtp::Security;
use crate::smtp::reply::Reply;
use crate::smtp::server::Session;
use crate::tls::TlsFailure;
use std::io;
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_rustls::server::TlsStream;

impl Connection {
    /// How the session begins: inside TLS where the listener speaks nothing else. None when the handshake failed.
    pub(super) async fn begin(&mut self) -> Option<Security> {
        match self.rules.tls {
            Tls::Off | Tls::Offer | Tls::Require => Some(Security::Clear),
            Tls::Implicit => self.secure().await.map(|()| Security::Tls),
        }
    }

    /// RFC 3207: reply, drop everything that was read, shake hands, begin anew.
    pub(super) async fn start_tls(&mut self, session: Session, reply: &Reply) -> io::Result<Flow> {
        self.say(reply);
        self.flush().await?;
        self.input = Vec::new();
        self.forget_message();
        Ok(self.secure().await.map_or(Flow::End, |()| Flow::On(session.secured())))
    }

    /// Goes on in TLS; None when there is no place for a handshake, it failed, or the gateway stops.
    async fn secure(&mut self) -> Option<()> {
        let Socket::Clear(tcp) = std::mem::replace(&mut self.socket, Socket::Gone) else { return None };
        let mut stopping = self.reception.stopping.clone();
        let shaken = tokio::select! {
            shaken = self.shake_hands(tcp) => shaken?,
            _ = stopping.wait_for(|stop| *stop) => return None,
        };
        match shaken {
            Ok((stream, facts)) => {
                self.tls = Some(facts);
                self.spoken = Instant::now();
                self.socket = Socket::Tls(Box::new(stream));
                Some(())
            }
            Err(failure) => {
                tracing::info!(session = self.session_id, client = %self.client, reason = %failure.reason, "handshake failed");
                None
            }
        }
    }

    /// The handshake, once there is a place for it; None where there is none.
    async fn shake_hands(&self, tcp: TcpStream) -> Option<Result<(TlsStream<TcpStream>, TlsFacts), TlsFailure>> {
        let (pools, patience) = (&self.reception.handshakes, self.reception.bounds.handshake);
        if self.door.is_none() {
            let _place = pools.strangers.take(self.client, Who::Site)?;
            return Some(self.reception.acceptor.accept(tcp, patience / 3).await);
        }
        // Who waits longer for a turn would give up anyway.
        let _turn = tokio::time::timeout(patience, pools.sites.acquire()).await.ok()?.ok()?;
        Some(self.reception.acceptor.accept(tcp, patience).await)
    }
}

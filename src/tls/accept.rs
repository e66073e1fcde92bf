//! Taking TLS from a client that sent STARTTLS, or that speaks it from the first byte.
//!
//! Called by `receive`. Promises: ends within the deadline; no session tickets, no resumption. Fails by `TlsFailure`.

use super::error::{TlsError, TlsFailure};
use super::{Identity, Profile, facts};
use crate::mail::TlsFacts;
use crate::vocabulary::Reason;
use arc_swap::ArcSwap;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// Takes TLS with one identity at a time. Cheap to clone; clones change together.
#[derive(Clone)]
pub struct Acceptor {
    identity: Arc<ArcSwap<Identity>>,
    profile: Profile,
}

impl Acceptor {
    /// By the profile that is usual.
    ///
    /// # Errors
    /// None today: the identity was checked when it was loaded.
    pub fn new(identity: &Identity) -> Result<Acceptor, TlsError> {
        Acceptor::of(Profile::default(), identity)
    }

    /// # Errors
    /// None today: the identity was checked when it was loaded.
    pub fn of(profile: Profile, identity: &Identity) -> Result<Acceptor, TlsError> {
        Ok(Acceptor { identity: Arc::new(ArcSwap::from_pointee(identity.clone())), profile })
    }

    /// From now on handshakes are made with this identity; false where it is the same.
    pub fn replace(&self, identity: &Identity) -> bool {
        let before = self.identity.swap(Arc::new(identity.clone()));
        !before.is_same(identity)
    }

    /// Performs the handshake. The caller has dropped every byte that it read before.
    ///
    /// # Errors
    /// `TlsStalled` at the deadline, `TlsReset` when the client went away, else what it says: `TlsVersionTooOld`, `TlsNoCommonCipher`, `TlsHandshakeFailed`.
    pub async fn accept(
        &self,
        stream: TcpStream,
        deadline: Duration,
    ) -> Result<(TlsStream<TcpStream>, TlsFacts), TlsFailure> {
        let acceptor = TlsAcceptor::from(self.identity.load().config(self.profile));
        let shaken = timeout(deadline, acceptor.accept(stream)).await;
        let stream = shaken.map_err(|_| TlsFailure::stalled(deadline))?.map_err(|e| TlsFailure::from_io(&e))?;
        let (_, session) = stream.get_ref();
        match facts::of(session, None) {
            Some(facts) => Ok((stream, facts)),
            None => Err(TlsFailure { reason: Reason::TlsVersionTooOld, detail: "below TLS 1.2".to_owned() }),
        }
    }
}

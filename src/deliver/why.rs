//! Why TLS with a host failed, where its handshake did not say: a look on a connection of its own.
//!
//! Called by `link` and `probe`. Promises: nothing but EHLO, STARTTLS and one ClientHello is sent, and the connection is closed after the
//! answer; at most one look at a host in ten minutes, within the time of the opening. Never fails: what a look does not explain stays as
//! it was.

use super::connection::{Broken, Connection};
use super::link::Opening;
use super::route::Host;
use super::{Delivery, Patience};
use crate::tls::Connector;
use crate::vocabulary::Reason;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// For a look: whoever is slow has been waited for already.
const TIME: Duration = Duration::from_secs(15);

impl Delivery {
    /// A handshake that failed, with the reason why where a look finds one.
    pub(super) async fn explained(
        &self,
        broken: Broken,
        (host, address): (&Host, SocketAddr),
        opening: &Opening<'_>,
    ) -> Broken {
        let failed = broken.reason;
        if !is_unclear(failed) {
            return broken;
        }
        let reason = match self.memory.why_tls_fails(&host.name, failed) {
            Some(known) => known,
            None => {
                let name = opening.published.server_name(&host.name);
                let looked = look((address, name), &self.hostname, (&opening.connector, self.patience));
                let found = timeout_at(opening.until.min(Instant::now() + TIME), looked).await.ok().flatten();
                let reason = found.unwrap_or(failed);
                self.memory.tls_fails_because(&host.name, (failed, reason));
                tracing::info!(host = host.name, %address, %failed, %reason, "looked why TLS fails");
                reason
            }
        };
        Broken { reason, ..broken }
    }
}

/// Whether a look could say more.
pub(super) fn is_unclear(failed: Reason) -> bool {
    matches!(failed, Reason::TlsHandshakeFailed | Reason::TlsReset)
}

/// What is wrong with the TLS of the host `name` at `address`; None: the look does not say.
pub(super) async fn look(
    (address, name): (SocketAddr, &str),
    hostname: &str,
    (connector, patience): (&Connector, Patience),
) -> Option<Reason> {
    let (connection, offer) = Connection::open(address, hostname, patience).await.ok()?;
    if !offer.starttls {
        return None;
    }
    let stream = connection.before_handshake().await.ok()?;
    connector.look(stream, name, patience.handshake).await
}

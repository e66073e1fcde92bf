//! At `any`, TLS that fails: offered, but every host failed it twice. Then, and only then, a new session without it.
//!
//! Called by `link`. Promises: the second trial is made here, so that nothing less than two failures at every host is
//! evidence; a host that is down, or whose TLS works, ends it; what was found is remembered for some minutes, so that not
//! every message pays for it, and then TLS is tried again. Which mail may use such a link is `policy::permit`'s.

use super::Delivery;
use super::connection::Connection;
use super::link::{ADDRESSES, Missed, Opening, Trial, clear_link, missed_in};
use super::memory::TLS_FAILED;
use super::open_link::{OpenLink, Unprotected};
use super::route::Host;
use crate::policy::{FailedTls, TlsFailedEverywhere};
use crate::queue::Lane;
use crate::vocabulary::{Level, Reason};
use std::time::Instant;
use tokio::time::timeout_at;

impl Delivery {
    /// A host whose TLS failed twice a moment ago needs no trial where mail may go without it.
    pub(super) fn remembered(&self, host: &Host, lane: &Lane) -> Option<Missed> {
        let (failed, _) =
            self.memory.tls_failed(&host.name).filter(|_| lane.level == Level::Any && !lane.require_tls)?;
        let missed = missed_in(&host.name, failed.last().into());
        Some(Missed { trial: Trial::FailedTwice(failed), ..missed })
    }

    /// A link after all: with TLS if it works the second time, without where it failed twice everywhere.
    pub(super) async fn after_failed_tls(
        &self,
        (hosts, missed): (&[Host], &[Missed]),
        opening: &mut Opening<'_>,
    ) -> Option<OpenLink> {
        let able: Vec<_> = hosts.iter().zip(missed).filter(|(_, m)| !m.is_useless()).collect();
        let all_failed = able.iter().all(|(_, m)| m.trial != Trial::Other);
        let needs_tls = opening.lane.level.max(opening.floor.level) > Level::Any || opening.lane.require_tls;
        if needs_tls || !all_failed || able.is_empty() {
            return None;
        }
        opening.tries = ADDRESSES;
        // TLS by `compat` is more than clear text, whatever the profile.
        opening.connector = self.connector.lenient();
        let mut evidence = Vec::with_capacity(able.len());
        let mut until = Instant::now() + TLS_FAILED;
        for (host, missed) in &able {
            let (failed, ends) = match (&missed.trial, self.memory.tls_failed(&host.name)) {
                (Trial::FailedTwice(_), Some(known)) => known,
                (Trial::Failed(first), _) => match self.open_host(host, opening).await {
                    Ok(link) => return Some(link),
                    Err(Missed { trial: Trial::Failed(second), .. }) => {
                        let failed = FailedTls::of(&host.name, *first, second)?;
                        (failed.clone(), self.memory.tls_failed_twice(&host.name, failed))
                    }
                    Err(_) => return None,
                },
                _ => return None,
            };
            until = until.min(ends);
            evidence.push(failed);
        }
        let names: Vec<&str> = able.iter().map(|(host, _)| host.name.as_str()).collect();
        let unprotected = Unprotected { evidence: TlsFailedEverywhere::of(&names, evidence)?, until };
        opening.tries = ADDRESSES;
        for (host, missed) in able {
            if let Some(link) = self.open_in_clear(host, (missed.reason, &unprotected), opening).await {
                return Some(link);
            }
        }
        None
    }

    async fn open_in_clear(
        &self,
        host: &Host,
        (why, unprotected): (Reason, &Unprotected),
        opening: &mut Opening<'_>,
    ) -> Option<OpenLink> {
        // A host that publishes keys is never spoken to without TLS.
        opening.published = self.published(host, &opening.lane.destination).await.ok()?;
        if opening.published.floor.level > Level::Any {
            return None;
        }
        for address in host.addresses(&self.resolver).await.ok()?.into_iter().take(opening.tries) {
            opening.tries -= 1;
            let connected = Connection::open(address, &self.hostname, self.patience);
            if let Ok(Ok((connection, _))) = timeout_at(opening.until, connected).await {
                tracing::warn!(
                    lane = %opening.lane.destination, host = host.name, reason = %why,
                    "TLS failed twice at every host: mail in no class goes in clear"
                );
                let link = self.opened(connection, clear_link(&host.name, address, why), opening);
                return Some(link.unprotected(unprotected.clone()));
            }
        }
        None
    }
}

//! Our certificate over the life of a gateway: files that change are taken as they come, and one that we made is renewed.
//!
//! Started by `serve`. Promises: sessions go on with what they began with, new ones get the new certificate; files that do not belong
//! together, or cannot be read, change nothing and are said. Never fails.

use crate::clock::{Now, rfc3339};
use crate::metrics::Metrics;
use crate::tls::{Acceptor, Identity, TlsError};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Between two looks at the files.
const LOOK: Duration = Duration::from_secs(2);
/// Looks after which a certificate of our own making is looked at although nothing changed: a day.
const DAY: u32 = 43_200;

/// How its files look: ctime, length, number.
pub(super) type Looked = Vec<(i64, i64, u64, u64)>;

/// Where our certificate comes from.
pub(super) struct Source {
    /// Chain and key; none: made here.
    pub files: Option<(PathBuf, PathBuf)>,
    pub hostname: String,
    pub data: PathBuf,
}

impl Source {
    /// # Errors
    /// When it cannot be read or made.
    pub fn load(&self) -> Result<Identity, TlsError> {
        match &self.files {
            Some((certificate, key)) => Identity::load(certificate, key),
            None => Identity::self_signed(&self.hostname, &self.data, Now::read().wall),
        }
    }

    /// What tells that a file was changed, without reading it.
    pub fn look(&self) -> Looked {
        let looked = |path: &Path| {
            let found = fs::metadata(path).ok()?;
            // Its owner and mode are told by ctime.
            Some((found.ctime(), found.ctime_nsec(), found.len(), found.ino()))
        };
        self.files.iter().flat_map(|(certificate, key)| [certificate, key]).filter_map(|path| looked(path)).collect()
    }
}

pub(super) fn announce(identity: &Identity, metrics: &Metrics) {
    let ends = identity.not_after().0 as f64 / 1_000.0;
    metrics.certificate_expiry.with_label_values(&["listener"]).set(ends);
}

/// Takes what changes, for as long as the gateway runs.
pub(super) async fn watch((source, first): (Source, Looked), acceptor: Acceptor, metrics: Arc<Metrics>) {
    let (source, mut known, mut before, mut looks) = (Arc::new(source), first, None, 0);
    loop {
        tokio::time::sleep(LOOK).await;
        let now = source.look();
        looks += 1;
        // Twice the same: nobody is writing.
        let settled = before.replace(now.clone()).is_some_and(|before| before == now);
        let is_day = source.files.is_none() && looks % DAY == 0;
        if !(is_day || (settled && now != known)) {
            continue;
        }
        known = now;
        let loading = source.clone();
        match tokio::task::spawn_blocking(move || loading.load()).await {
            Ok(Ok(identity)) => {
                announce(&identity, &metrics);
                let (names, ends) = (identity.names().join(" "), rfc3339(identity.not_after()));
                if acceptor.replace(&identity) {
                    tracing::info!(names, ends, "our certificate is taken anew; open sessions keep theirs");
                }
            }
            Ok(Err(error)) => {
                tracing::error!("our certificate was changed and cannot be used, so the one before stays: {error}")
            }
            Err(error) => tracing::error!(%error, "our certificate could not be looked at"),
        }
    }
}

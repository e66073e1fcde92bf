//! The certification authorities that can vouch for a peer: the system's, and those that the operator adds.
//!
//! Called by the composition root; judged with by `proof`. Promises: one root that cannot be read does not cost the
//! others. Fails by `TlsError` when a file that the operator named is missing or holds no certificate.

use super::error::TlsError;
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, TrustAnchor};
use std::path::{Path, PathBuf};

/// Trust anchors.
#[derive(Debug, Clone)]
pub struct Roots {
    store: RootCertStore,
}

impl Roots {
    /// The system's roots and those in `extra` (PEM files), with the number of certificates that could not be read.
    ///
    /// # Errors
    /// When a file of `extra` cannot be read or gives no usable certificate.
    pub fn system_and(extra: &[PathBuf]) -> Result<(Roots, usize), TlsError> {
        let system = rustls_native_certs::load_native_certs();
        let mut store = RootCertStore::empty();
        let (_, unusable) = store.add_parsable_certificates(system.certs);
        let mut ignored = unusable + system.errors.len();
        for path in extra {
            ignored += add_file(&mut store, path)?;
        }
        Ok((Roots { store }, ignored))
    }

    /// These certificates and no others: a laboratory's own authority.
    #[must_use]
    pub fn only(certificates: Vec<CertificateDer<'static>>) -> Roots {
        let mut store = RootCertStore::empty();
        let _ = store.add_parsable_certificates(certificates);
        Roots { store }
    }

    /// How many authorities there are; with none, no peer is ever proved by its certificate.
    #[must_use]
    pub fn len(&self) -> usize {
        self.store.roots.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.store.roots.is_empty()
    }

    pub(crate) fn anchors(&self) -> &[TrustAnchor<'static>] {
        &self.store.roots
    }
}

fn add_file(store: &mut RootCertStore, path: &Path) -> Result<usize, TlsError> {
    let hint = "give a PEM file with the certificates of the authority, or take it out of `extra-roots` under [tls]";
    let certificates = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|e| TlsError::file(path, &e, hint))?;
    match store.add_parsable_certificates(certificates) {
        (0, _) => Err(TlsError::file(path, &"no certificate that can be used", hint)),
        (_, ignored) => Ok(ignored),
    }
}

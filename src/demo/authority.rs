//! A certification authority for one run, and the certificates that the small internet shows: good, expired, self-signed.
//!
//! Called by `world`. Promises: keys live in the demo's own folder and nowhere else. Fails with the disk or the library.

use super::error::DemoError;
use crate::tls::{Acceptor, Identity};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use std::path::{Path, PathBuf};

/// What is wrong with a certificate, if anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    None,
    Expired,
    SelfSigned,
    /// It is for another host.
    WrongName,
}

pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: PathBuf,
}

impl Authority {
    /// # Errors
    /// When `folder` cannot be made.
    pub fn new(folder: &Path) -> Result<Authority, DemoError> {
        std::fs::create_dir_all(folder)?;
        let mut params = CertificateParams::new(Vec::new())?;
        params.distinguished_name.push(DnType::CommonName, "Throw-away authority of the Mailward demo");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        std::fs::write(folder.join("authority.pem"), issuer.pem())?;
        Ok(Authority { issuer, folder: folder.to_owned() })
    }

    /// For `extra-roots`.
    #[must_use]
    pub fn root(&self) -> PathBuf {
        self.folder.join("authority.pem")
    }

    /// TLS as `host`, with a certificate that has `flaw`.
    ///
    /// # Errors
    /// When the files cannot be written.
    pub fn acceptor(&self, host: &str, flaw: Flaw) -> Result<Acceptor, DemoError> {
        let (certificate, key) = self.certificate(host, flaw)?;
        Ok(Acceptor::new(&Identity::load(&certificate, &key)?)?)
    }

    /// The PEM files of a certificate for `host` and its key.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn certificate(&self, host: &str, flaw: Flaw) -> Result<(PathBuf, PathBuf), DemoError> {
        let name = if flaw == Flaw::WrongName { format!("another-customer-of.{host}") } else { host.to_owned() };
        let mut params = CertificateParams::new(vec![name.clone()])?;
        params.distinguished_name.push(DnType::CommonName, name);
        if flaw == Flaw::Expired {
            params.not_before = rcgen::date_time_ymd(2023, 1, 1);
            params.not_after = rcgen::date_time_ymd(2024, 1, 1);
        }
        let key = KeyPair::generate()?;
        let made = match flaw {
            Flaw::SelfSigned => params.self_signed(&key)?,
            _ => params.signed_by(&key, &self.issuer)?,
        };
        let files = (self.folder.join(format!("{host}.pem")), self.folder.join(format!("{host}.key")));
        std::fs::write(&files.0, made.pem())?;
        std::fs::write(&files.1, key.serialize_pem())?;
        Ok(files)
    }
}

//! What we show to peers: a certificate chain and its key, loaded from files or made at first start.
//!
//! Called by the composition root. Promises: a key that was made here is readable by its owner only and is kept when its
//! certificate is renewed, since partners may have pinned it; a key file that cannot be read is never replaced.
//! Fails by `TlsError`, naming the file.

use super::error::TlsError;
use super::{Profile, facts};
use crate::clock::Wall;
use rcgen::{CertificateParams, DnType, KeyPair, PKCS_ECDSA_P256_SHA256};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

const CERTIFICATE: &str = "self-signed.pem";
const KEY: &str = "self-signed.key";
const DAY: i64 = 86_400_000;
/// How long a certificate made here lasts, and how long before its end the next one is made.
const LIFETIME: i64 = 5 * 365 * DAY;
const RENEW_BEFORE: i64 = 60 * DAY;

/// Our certificate chain and key, proved to belong together.
#[derive(Clone)]
pub struct Identity {
    compat: Arc<ServerConfig>,
    strict: Arc<ServerConfig>,
    /// Our own certificate, as it is shown.
    own: CertificateDer<'static>,
    not_after: Wall,
    names: Vec<String>,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity").field("names", &self.names).field("not_after", &self.not_after).finish()
    }
}

impl Identity {
    /// Loads a PEM chain (our certificate first) and its PEM key.
    ///
    /// # Errors
    /// When a file cannot be read, holds no certificate or key, or the two do not belong together.
    pub fn load(certificate: &Path, key: &Path) -> Result<Identity, TlsError> {
        let wrong = "give a PEM file with our own certificate first and its intermediate certificates after it";
        let chain = CertificateDer::pem_file_iter(certificate)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|e| TlsError::file(certificate, &e, wrong))?;
        let secret = PrivateKeyDer::from_pem_file(key)
            .map_err(|e| TlsError::file(key, &e, "give a PEM file with the unencrypted private key"))?;
        let leaf = chain.first().and_then(facts::parse);
        let leaf = leaf.ok_or_else(|| TlsError::file(certificate, &"no certificate that can be read", wrong))?;
        let (not_after, names) = (facts::not_after(&leaf), facts::names(&leaf));
        let own = chain.first().cloned().unwrap_or_else(|| CertificateDer::from(Vec::new()));
        let config = |profile: Profile| {
            let made = server_config(profile, chain.clone(), secret.clone_key()).map(Arc::new);
            made.map_err(|e| TlsError::file(certificate, &e, "check that the key is the one of this certificate"))
        };
        Ok(Identity { compat: config(Profile::Compat)?, strict: config(Profile::Strict)?, own, not_after, names })
    }

    /// The self-signed identity for `hostname` in `folder`: made when there is none, renewed with the same key when it
    /// is for another name or near its end.
    ///
    /// # Errors
    /// When the folder cannot be written, or holds a key that cannot be read.
    pub fn self_signed(hostname: &str, folder: &Path, now: Wall) -> Result<Identity, TlsError> {
        let (certificate, key) = (folder.join(CERTIFICATE), folder.join(KEY));
        if let Ok(kept) = Identity::load(&certificate, &key)
            && kept.names.iter().any(|name| name.eq_ignore_ascii_case(hostname))
            && kept.not_after.0.saturating_sub(RENEW_BEFORE) > now.0
        {
            return Ok(kept);
        }
        let pair = kept_or_new_key(&key)?;
        let made = make_certificate(hostname, &pair, now)?;
        put(&certificate, made.as_bytes(), 0o644)?;
        Identity::load(&certificate, &key)
    }

    /// Whether both show the same certificate.
    #[must_use]
    pub fn is_same(&self, other: &Identity) -> bool {
        self.own == other.own
    }

    /// When our certificate ends.
    #[must_use]
    pub fn not_after(&self) -> Wall {
        self.not_after
    }

    /// The names in our certificate, at most 16.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    pub(super) fn config(&self, profile: Profile) -> Arc<ServerConfig> {
        match profile {
            Profile::Compat => Arc::clone(&self.compat),
            Profile::Strict => Arc::clone(&self.strict),
        }
    }
}

fn server_config(
    profile: Profile,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<ServerConfig, rustls::Error> {
    let mut config = ServerConfig::builder_with_provider(profile.provider())
        .with_protocol_versions(profile.versions())?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    // Microsoft's senders abort the connection when TLS 1.3 session tickets arrive.
    config.send_tls13_tickets = 0;
    config.session_storage = Arc::new(rustls::server::NoServerSessionStorage {});
    Ok(config)
}

fn kept_or_new_key(path: &Path) -> Result<KeyPair, TlsError> {
    let hint =
        "restore the file, or move it away to have a new key made (partners who pinned the old key must be told)";
    match fs::read_to_string(path) {
        Ok(pem) => KeyPair::from_pem(&pem).map_err(|e| TlsError::file(path, &e, hint)),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(|e| making(&e))?;
            put(path, pair.serialize_pem().as_bytes(), 0o600)?;
            Ok(pair)
        }
        Err(e) => Err(TlsError::file(path, &e, hint)),
    }
}

fn make_certificate(hostname: &str, pair: &KeyPair, now: Wall) -> Result<String, TlsError> {
    let mut params = CertificateParams::new(vec![hostname.to_owned()]).map_err(|e| making(&e))?;
    params.distinguished_name.remove(DnType::CommonName);
    // RFC 5280: a common name holds at most 64 characters; the name that counts is the alternative one.
    params.distinguished_name.push(DnType::CommonName, hostname.chars().take(64).collect::<String>());
    // A day before: a peer whose clock is behind still takes it.
    let (from, until) = (civil(now.0.saturating_sub(DAY)), civil(now.0.saturating_add(LIFETIME)));
    params.not_before = rcgen::date_time_ymd(from.year, from.month, from.day);
    params.not_after = rcgen::date_time_ymd(until.year, until.month, until.day);
    params.self_signed(pair).map(|made| made.pem()).map_err(|e| making(&e))
}

struct Civil {
    year: i32,
    month: u8,
    day: u8,
}

fn civil(at: i64) -> Civil {
    let stamp = jiff::Timestamp::from_millisecond(at).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    let date = stamp.to_zoned(jiff::tz::TimeZone::UTC).date();
    Civil { year: date.year().into(), month: date.month().unsigned_abs(), day: date.day().unsigned_abs() }
}

fn making(cause: &dyn std::fmt::Display) -> TlsError {
    TlsError::new(
        format!("a certificate could not be made: {cause}"),
        "check `hostname` in gateway.toml, or give `certificate` and `key` under [tls]",
    )
}

/// Writes the whole file or nothing: beside it first, to disk, then over it.
fn put(path: &Path, bytes: &[u8], mode: u32) -> Result<(), TlsError> {
    let beside = path.with_extension("new");
    let written = write_new(&beside, bytes, mode).and_then(|()| fs::rename(&beside, path));
    let settled = written.and_then(|()| path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all()));
    settled.map_err(|e| TlsError::file(path, &e, "make the data folder writable for the account that runs the gateway"))
}

fn write_new(path: &Path, bytes: &[u8], mode: u32) -> std::io::Result<()> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

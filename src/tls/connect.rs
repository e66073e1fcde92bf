//! Starting TLS with a peer: always, whatever its certificate says, and keeping what it showed.
//!
//! Called by `deliver`. Promises: connecting reports and policy decides, so no certificate makes a handshake fail; the
//! proof that the peer holds its key is recorded, not assumed; nothing is resumed, so nothing skips the look at the
//! certificate; ends within the deadline. Fails by `TlsFailure`.

use super::error::{TlsError, TlsFailure};
use super::{Profile, facts};
use crate::clock::Wall;
use crate::mail::TlsFacts;
use crate::vocabulary::Reason;
use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Certificates kept of one peer; honest chains have two to five.
const CHAIN: usize = 16;

/// What a peer showed, its own certificate first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerCertificates {
    pub chain: Vec<CertificateDer<'static>>,
    /// Whether the peer proved in the handshake that it holds the first certificate's key. Old keys and certificates
    /// that we cannot check stay usable where nobody asks for proof, and prove nothing.
    pub signature_valid: bool,
}

impl PeerCertificates {
    /// `sha256/BASE64` of the peer's public key.
    #[must_use]
    pub fn spki(&self) -> Option<String> {
        self.chain.first().and_then(facts::spki_pin)
    }

    /// The end of the peer's own certificate.
    #[must_use]
    pub fn not_after(&self) -> Option<Wall> {
        self.chain.first().and_then(facts::parse).map(|certificate| facts::not_after(&certificate))
    }
}

/// A finished handshake with a peer.
pub struct Connection {
    pub stream: TlsStream<TcpStream>,
    pub facts: TlsFacts,
    pub certificates: PeerCertificates,
}

/// Starts TLS with peers.
#[derive(Clone)]
pub struct Connector {
    config: ClientConfig,
    /// Of the profile `compat`.
    lenient: ClientConfig,
}

impl Connector {
    /// By the profile that is usual.
    ///
    /// # Errors
    /// When the cryptographic provider cannot do what is asked of it: a fault of this build.
    pub fn new() -> Result<Connector, TlsError> {
        Connector::of(Profile::default())
    }

    /// # Errors
    /// When the cryptographic provider cannot do what is asked of it: a fault of this build.
    pub fn of(profile: Profile) -> Result<Connector, TlsError> {
        Ok(Connector { config: client_config(profile)?, lenient: client_config(Profile::Compat)? })
    }

    /// The same by the profile `compat`, for where less would be had without it: clear text, or no policy of MTA-STS.
    #[must_use]
    pub fn lenient(&self) -> Connector {
        Connector { config: self.lenient.clone(), lenient: self.lenient.clone() }
    }

    pub(super) fn provider(&self) -> &CryptoProvider {
        self.config.crypto_provider()
    }

    /// Performs the handshake, naming `host` (SNI). The caller has made sure that nothing was read after the 220.
    ///
    /// # Errors
    /// `TlsStalled` at the deadline, `TlsReset` when the peer went away, else what it says: `TlsVersionTooOld`, `TlsNoCommonCipher`, `TlsHandshakeFailed`.
    pub async fn connect(&self, stream: TcpStream, host: &str, deadline: Duration) -> Result<Connection, TlsFailure> {
        let recorder = Arc::new(Recorder::new(Arc::clone(self.config.crypto_provider())));
        let mut config = self.config.clone();
        config.dangerous().set_certificate_verifier(Arc::clone(&recorder) as Arc<dyn ServerCertVerifier>);
        let name = server_name(host, &stream)?;
        let shaken = timeout(deadline, TlsConnector::from(Arc::new(config)).connect(name, stream)).await;
        let stream = shaken.map_err(|_| TlsFailure::stalled(deadline))?.map_err(|e| TlsFailure::from_io(&e))?;
        let certificates = recorder.certificates();
        let (_, session) = stream.get_ref();
        match facts::of(session, certificates.chain.first()) {
            Some(facts) => Ok(Connection { stream, facts, certificates }),
            None => Err(TlsFailure { reason: Reason::TlsVersionTooOld, detail: "below TLS 1.2".to_owned() }),
        }
    }
}

fn client_config(profile: Profile) -> Result<ClientConfig, TlsError> {
    let provider = profile.provider();
    let recorder = Arc::new(Recorder::new(Arc::clone(&provider)));
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(profile.versions())
        .map_err(|e| TlsError::new(e.to_string(), "this build is broken: install the released package again"))?
        .dangerous()
        .with_custom_certificate_verifier(recorder)
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    Ok(config)
}

/// The name to ask for. A host that is no DNS name (an address literal) is called by its address, which sends no SNI.
fn server_name(host: &str, stream: &TcpStream) -> Result<ServerName<'static>, TlsFailure> {
    let bare = host.strip_suffix('.').unwrap_or(host);
    if let Ok(name) = ServerName::try_from(bare.to_owned()) {
        return Ok(name);
    }
    let address = stream.peer_addr().map_err(|e| TlsFailure::from_io(&e))?;
    Ok(ServerName::IpAddress(address.ip().into()))
}

/// Records what the peer shows and says yes. One per connection.
#[derive(Debug)]
struct Recorder {
    provider: Arc<CryptoProvider>,
    chain: OnceLock<Vec<CertificateDer<'static>>>,
    signature_valid: AtomicBool,
}

impl Recorder {
    fn new(provider: Arc<CryptoProvider>) -> Recorder {
        Recorder { provider, chain: OnceLock::new(), signature_valid: AtomicBool::new(false) }
    }

    fn certificates(&self) -> PeerCertificates {
        PeerCertificates {
            chain: self.chain.get().cloned().unwrap_or_default(),
            signature_valid: self.signature_valid.load(Ordering::Acquire),
        }
    }

    /// A signature that cannot be checked (an RSA-1024 key, an X.509 v1 certificate) does not stop a link on which
    /// nobody asks for proof; `proof` sees that it was not valid.
    fn record(&self, checked: &Result<HandshakeSignatureValid, Error>) -> HandshakeSignatureValid {
        self.signature_valid.store(checked.is_ok(), Ordering::Release);
        HandshakeSignatureValid::assertion()
    }
}

impl ServerCertVerifier for Recorder {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let all = std::iter::once(end_entity).chain(intermediates).take(CHAIN);
        // Only the first call counts: one handshake shows one chain.
        let _ = self.chain.set(all.map(|c| c.clone().into_owned()).collect());
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        Ok(self.record(&verify_tls12_signature(message, cert, dss, algorithms)))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        Ok(self.record(&verify_tls13_signature(message, cert, dss, algorithms)))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

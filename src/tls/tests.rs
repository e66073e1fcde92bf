//! Handshakes over real sockets, both sides; certificates, keys and roots on disk.

use super::*;
use crate::clock::{Now, Wall};
use crate::mail::TlsVersion;
use crate::vocabulary::Reason;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const SOON: Duration = Duration::from_secs(10);

fn identity(folder: &Path) -> Identity {
    Identity::self_signed("gw1.trust.example", folder, Now::read().wall).unwrap()
}

async fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (client, server) = tokio::join!(TcpStream::connect(listener.local_addr().unwrap()), listener.accept());
    (client.unwrap(), server.unwrap().0)
}

fn failure(result: Result<Connection, TlsFailure>) -> TlsFailure {
    result.err().unwrap()
}

#[tokio::test]
async fn both_sides_meet_and_report_what_they_reached() {
    let folder = tempfile::tempdir().unwrap();
    let acceptor = Acceptor::new(&identity(folder.path())).unwrap();
    let connector = Connector::new().unwrap();
    let (client, server) = pair().await;
    let (ours, theirs) =
        tokio::join!(connector.connect(client, "gw1.trust.example.", SOON), acceptor.accept(server, SOON));
    let (mut ours, (mut theirs, seen)) = (ours.unwrap(), theirs.unwrap());
    assert_eq!(ours.facts.version, TlsVersion::Tls13);
    assert_eq!(seen.cipher, ours.facts.cipher);
    assert_eq!(ours.facts.names, ["gw1.trust.example"]);
    assert!(ours.facts.spki.as_deref().is_some_and(|pin| pin.len() == "sha256/".len() + 44));
    assert_eq!(ours.facts.spki, ours.certificates.spki());
    assert!(ours.certificates.signature_valid);
    // The key exchange holds against tomorrow's computers.
    let group = theirs.get_ref().1.negotiated_key_exchange_group().unwrap().name();
    assert_eq!(group, rustls::NamedGroup::X25519MLKEM768);
    theirs.write_all(b"220 hello\r\n").await.unwrap();
    let mut got = [0; 11];
    ours.stream.read_exact(&mut got).await.unwrap();
    assert_eq!(&got, b"220 hello\r\n");
    // Microsoft's senders abort when tickets arrive.
    assert_eq!(ours.stream.get_ref().1.tls13_tickets_received(), 0);
}

#[test]
fn both_profiles_begin_with_the_hybrid_key_exchange_and_have_authenticated_encryption_only() {
    for profile in [Profile::Compat, Profile::Strict] {
        let provider = profile.provider();
        let groups: Vec<_> = provider.kx_groups.iter().map(|group| group.name()).collect();
        assert_eq!(groups.first(), Some(&rustls::NamedGroup::X25519MLKEM768));
        let suites: Vec<_> = provider.cipher_suites.iter().map(|suite| format!("{:?}", suite.suite())).collect();
        let forward = |suite: &str| suite.starts_with("TLS13_") || suite.starts_with("TLS_ECDHE_");
        let authenticated = |suite: &str| suite.contains("_GCM_") || suite.contains("CHACHA20_POLY1305");
        assert!(suites.iter().all(|suite| forward(suite) && authenticated(suite)), "{suites:?}");
        assert_eq!(suites.len(), if profile == Profile::Compat { 9 } else { 3 }, "{suites:?}");
    }
}

#[tokio::test]
async fn strict_speaks_its_own_version_only_and_can_be_lenient_where_less_would_be_had() {
    let folder = tempfile::tempdir().unwrap();
    let (strict, own) = (Connector::of(Profile::Strict).unwrap(), identity(folder.path()));
    let old = Err(Reason::TlsVersionTooOld);
    for (connector, reached) in [(strict.clone(), old), (strict.lenient(), Ok(TlsVersion::Tls12))] {
        let (client, server) = pair().await;
        let (ours, _theirs) =
            tokio::join!(connector.connect(client, "mx.example", SOON), thief(&rustls::version::TLS12).accept(server));
        assert_eq!(ours.map(|made| made.facts.version).map_err(|failure| failure.reason), reached);
    }
    for (profile, ours) in
        [(Profile::Strict, &strict), (Profile::Compat, &strict), (Profile::Strict, &Connector::new().unwrap())]
    {
        let (client, server) = pair().await;
        let acceptor = Acceptor::of(profile, &own).unwrap();
        let (ours, theirs) = tokio::join!(ours.connect(client, "mx.example", SOON), acceptor.accept(server, SOON));
        assert_eq!((ours.unwrap().facts.version, theirs.unwrap().1.version), (TlsVersion::Tls13, TlsVersion::Tls13));
    }
}

#[tokio::test]
async fn a_second_connection_shows_its_certificate_again() {
    let folder = tempfile::tempdir().unwrap();
    let acceptor = Acceptor::new(&identity(folder.path())).unwrap();
    let connector = Connector::new().unwrap();
    for _ in 0..2 {
        let (client, server) = pair().await;
        let (ours, _theirs) = tokio::join!(connector.connect(client, "a.example", SOON), acceptor.accept(server, SOON));
        assert_eq!(ours.unwrap().certificates.chain.len(), 1);
    }
}

#[tokio::test]
async fn a_silent_peer_is_a_stall() {
    let (client, _silent) = pair().await;
    let brief = Duration::from_millis(30);
    let got = failure(Connector::new().unwrap().connect(client, "mx.example", brief).await);
    assert_eq!(got.reason, Reason::TlsStalled);
}

#[tokio::test]
async fn a_peer_that_closes_breaks_off() {
    let (client, mut server) = pair().await;
    let peer = async {
        let mut hello = [0; 5];
        server.read_exact(&mut hello).await.unwrap();
        server.shutdown().await.unwrap();
        drop(server);
    };
    let connector = Connector::new().unwrap();
    let (got, ()) = tokio::join!(connector.connect(client, "mx.example", SOON), peer);
    assert_eq!(failure(got).reason, Reason::TlsReset);
}

#[tokio::test]
async fn a_peer_that_says_why_is_heard() {
    // Alerts 70 and 71; a ServerHello of TLS 1.0.
    let old = [&b"\x16\x03\x01\x00\x2a\x02\x00\x00\x26\x03\x01"[..], &[7; 32], b"\x00\x00\x2f\x00"].concat();
    for (answer, reason) in [
        (&b"\x15\x03\x01\x00\x02\x02\x46"[..], Reason::TlsVersionTooOld),
        (b"\x15\x03\x03\x00\x02\x02\x47", Reason::TlsNoCommonCipher),
        (&old, Reason::TlsVersionTooOld),
    ] {
        let (client, mut server) = pair().await;
        server.write_all(answer).await.unwrap();
        let got = failure(Connector::new().unwrap().connect(client, "mx.example", SOON).await);
        assert_eq!(got.reason, reason, "{}", got.detail);
    }
}

#[tokio::test]
async fn an_alert_and_plain_text_are_failed_handshakes() {
    // handshake_failure (40), and a server that goes on in clear text after its 220.
    for answer in [&b"\x15\x03\x03\x00\x02\x02\x28"[..], b"250-mx.example hello\r\n"] {
        let (client, mut server) = pair().await;
        server.write_all(answer).await.unwrap();
        let got = failure(Connector::new().unwrap().connect(client, "mx.example", SOON).await);
        assert_eq!(got.reason, Reason::TlsHandshakeFailed, "{}", got.detail);
    }
}

#[tokio::test]
async fn a_client_in_clear_text_is_told_apart_from_a_silent_one() {
    let folder = tempfile::tempdir().unwrap();
    let acceptor = Acceptor::new(&identity(folder.path())).unwrap();
    let (mut client, server) = pair().await;
    client.write_all(b"EHLO there\r\n").await.unwrap();
    assert_eq!(acceptor.accept(server, SOON).await.unwrap_err().reason, Reason::TlsHandshakeFailed);
    let (_silent, server) = pair().await;
    let brief = Duration::from_millis(30);
    assert_eq!(acceptor.accept(server, brief).await.unwrap_err().reason, Reason::TlsStalled);
}

#[test]
fn a_first_certificate_is_kept_and_renewed_with_its_key() {
    let folder = tempfile::tempdir().unwrap();
    let now = Now::read().wall;
    let first = Identity::self_signed("gw1.trust.example", folder.path(), now).unwrap();
    let mode = std::fs::metadata(folder.path().join("self-signed.key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let key = std::fs::read(folder.path().join("self-signed.key")).unwrap();
    let again = Identity::self_signed("gw1.trust.example", folder.path(), now).unwrap();
    assert_eq!(again.not_after(), first.not_after());
    let later = Wall(first.not_after().0 - 86_400_000);
    let renewed = Identity::self_signed("gw1.trust.example", folder.path(), later).unwrap();
    assert!(renewed.not_after() > first.not_after());
    let renamed = Identity::self_signed("gw2.trust.example", folder.path(), now).unwrap();
    assert_eq!(renamed.names(), ["gw2.trust.example"]);
    assert_eq!(std::fs::read(folder.path().join("self-signed.key")).unwrap(), key);
}

#[test]
fn a_damaged_key_is_reported_and_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("self-signed.key");
    std::fs::write(&key, "not a key").unwrap();
    let error = Identity::self_signed("gw1.trust.example", folder.path(), Now::read().wall).unwrap_err().to_string();
    assert!(error.contains("self-signed.key") && error.contains("hint:"), "{error}");
    assert_eq!(std::fs::read_to_string(&key).unwrap(), "not a key");
}

#[test]
fn a_key_of_another_certificate_is_refused() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let _ = (identity(one.path()), identity(two.path()));
    let error = Identity::load(&one.path().join("self-signed.pem"), &two.path().join("self-signed.key")).unwrap_err();
    assert!(error.to_string().contains("hint: check that the key"), "{error}");
}

#[test]
fn roots_that_the_operator_names_must_be_there() {
    let folder = tempfile::tempdir().unwrap();
    let missing = Roots::system_and(&[folder.path().join("none.pem")]).unwrap_err().to_string();
    assert!(missing.contains("none.pem") && missing.contains("hint:"), "{missing}");
    let empty: PathBuf = folder.path().join("empty.pem");
    std::fs::write(&empty, "").unwrap();
    assert!(Roots::system_and(&[empty]).is_err());
    let _ = identity(folder.path());
    let (with, _) = Roots::system_and(&[folder.path().join("self-signed.pem")]).unwrap();
    let (without, _) = Roots::system_and(&[]).unwrap();
    assert_eq!(with.len(), without.len() + 1);
}

#[test]
fn hostile_names_are_bounded_and_printable() {
    let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
    for n in 0..1000 {
        let name = format!("\u{1b}[2J{n}\r\n{}", "x".repeat(300));
        params.subject_alt_names.push(rcgen::SanType::DnsName(name.try_into().unwrap()));
    }
    let made = params.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap();
    let certificate = facts::parse(made.der()).unwrap();
    let names = facts::names(&certificate);
    assert_eq!(names.len(), 16);
    assert!(names.iter().all(|n| n.len() <= 255 && n.bytes().all(|b| (32..127).contains(&b))));
}

#[test]
fn bytes_that_are_no_certificate_have_no_pin() {
    for bytes in [&b""[..], b"\x30", b"\x30\x84\xff\xff\xff\xff", &[0xff; 4000]] {
        assert_eq!(spki_pin(&rustls::pki_types::CertificateDer::from(bytes.to_vec())), None);
    }
}

/// Shows somebody else's certificate and signs with a key of its own.
#[derive(Debug)]
struct Thief(std::sync::Arc<rustls::sign::CertifiedKey>);

impl rustls::server::ResolvesServerCert for Thief {
    fn resolve(&self, _: rustls::server::ClientHello<'_>) -> Option<std::sync::Arc<rustls::sign::CertifiedKey>> {
        Some(std::sync::Arc::clone(&self.0))
    }
}

fn thief(version: &'static rustls::SupportedProtocolVersion) -> tokio_rustls::TlsAcceptor {
    let (own, other) = (rcgen::KeyPair::generate().unwrap(), rcgen::KeyPair::generate().unwrap());
    let shown = rcgen::CertificateParams::new(vec!["mx.example".into()]).unwrap().self_signed(&other).unwrap();
    let der = rustls::pki_types::PrivateKeyDer::Pkcs8(own.serialize_der().into());
    let key = Profile::Compat.provider().key_provider.load_private_key(der).unwrap();
    let certified = rustls::sign::CertifiedKey::new(vec![shown.der().clone()], key);
    let config = rustls::ServerConfig::builder_with_provider(Profile::Compat.provider())
        .with_protocol_versions(&[version])
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(std::sync::Arc::new(Thief(std::sync::Arc::new(certified))));
    tokio_rustls::TlsAcceptor::from(std::sync::Arc::new(config))
}

#[tokio::test]
async fn a_certificate_without_its_key_is_a_link_that_proves_nothing() {
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let (client, server) = pair().await;
        let (connector, acceptor) = (Connector::new().unwrap(), thief(version));
        let (ours, _theirs) = tokio::join!(connector.connect(client, "mx.example", SOON), acceptor.accept(server));
        let certificates = ours.unwrap().certificates;
        assert!(!certificates.signature_valid);
        assert!(certificates.spki().is_some());
    }
}

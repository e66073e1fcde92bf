//! OpenSSL as a judge of DANE: the same peers and the same TLSA records, asked of `openssl s_client` and of the gateway's own proof.

use crate::chains::{Authorities, BELOW_A_LAST_ROOT, COMMON_NAME, Chain, HOST, MAY_SIGN, SELF_SIGNED_AND_MAY_SIGN};
use crate::lab::{PATIENCE, free_port, until};
use crate::programme::{bounded, run, version};
use aws_lc_rs::digest::{SHA256, SHA512, digest};
use mailward::clock::Now;
use mailward::dns::Tlsa;
use mailward::proof::dane;
use mailward::tls::{Connector, PeerCertificates};
use mailward::vocabulary::Reason;
use rustls::pki_types::CertificateDer;
use std::collections::BTreeSet;
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;
use x509_parser::prelude::{FromDer, X509Certificate};

/// What comes of a set of records and a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Proved,
    Refused,
    /// No record of the set can be used.
    Unusable,
}

/// Where the gateway says something else (its verdict, then OpenSSL's), for records of an issuer.
const ON_PURPOSE: [(&str, Verdict, Verdict); 4] = [
    // RFC 9525 2: a common name names no host.
    (COMMON_NAME, Verdict::Refused, Verdict::Proved),
    // The path builder takes no authority's certificate (RFC 5280 4.2.1.9) for a server's. A record of its own (usage 3) proves
    // such a server all the same.
    (MAY_SIGN, Verdict::Refused, Verdict::Proved),
    (SELF_SIGNED_AND_MAY_SIGN, Verdict::Refused, Verdict::Proved),
    // RFC 5280 6.1.1 (d): how long a path may be is no part of an anchor.
    (BELOW_A_LAST_ROOT, Verdict::Proved, Verdict::Refused),
];

/// `openssl s_server` with one chain.
struct Server {
    process: Child,
    address: SocketAddr,
    _folder: TempDir,
}

impl Server {
    fn start(chain: &Chain) -> Server {
        let folder = tempfile::tempdir().unwrap();
        let pem = |certificates: &[CertificateDer<'_>]| certificates.iter().map(|der| as_pem(der)).collect::<String>();
        std::fs::write(folder.path().join("own"), pem(&chain.shown[..1]) + &chain.key).unwrap();
        std::fs::write(folder.path().join("others"), pem(&chain.shown[1..])).unwrap();
        let address = free_port("127.30.190.1");
        let mut command = Command::new("openssl");
        command.args(["s_server", "-quiet", "-no-CAfile", "-no-CApath", "-no-CAstore", "-cert", "own", "-key", "own"]);
        command.args(["-accept", &address.to_string()]);
        if chain.shown.len() > 1 {
            command.args(["-cert_chain", "others"]);
        }
        command.current_dir(&folder).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut server = Server { process: command.spawn().unwrap(), address, _folder: folder };
        // See `lab::listen`: a port that was found free may be held for a moment by a process that is starting.
        let listens = until(|| {
            if server.process.try_wait().unwrap().is_some() {
                server.process = command.spawn().unwrap();
            }
            TcpStream::connect(address).ok()
        });
        assert!(listens.is_some(), "s_server does not listen");
        server
    }

    /// What the gateway's own client is shown.
    fn shown(&self) -> PeerCertificates {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let stream = tokio::net::TcpStream::connect(self.address).await.unwrap();
            let connected = Connector::new().unwrap().connect(stream, HOST, PATIENCE).await;
            connected.unwrap_or_else(|failure| panic!("{failure:?}")).certificates
        })
    }

    /// What OpenSSL says, with its reason.
    fn asked(&self, records: &[Tlsa]) -> (Verdict, String) {
        let mut command = bounded("openssl");
        command.args(["s_client", "-brief", "-verify_return_error", "-no-CAfile", "-no-CApath", "-no-CAstore"]);
        // RFC 7671 5.1: no name counts for a key of its own. OpenSSL has both ways.
        command.args(["-dane_ee_no_namechecks", "-dane_tlsa_domain", HOST, "-connect", &self.address.to_string()]);
        for record in records {
            command.args(["-dane_tlsa_rrdata", &record.to_string()]);
        }
        let said = run(command.stdin(Stdio::null()));
        let verdict = if said.text.contains("Failed to import any TLSA records") {
            Verdict::Unusable
        } else if said.success && said.text.contains("\nVerification: OK\n") {
            Verdict::Proved
        } else {
            assert!(said.text.contains("verify error:"), "{}", said.text);
            Verdict::Refused
        };
        (verdict, said.text)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn as_pem(der: &[u8]) -> String {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let lines: Vec<&str> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}

/// What the gateway says, as it does when it opens a link.
fn ours(peer: &PeerCertificates, records: &[Tlsa]) -> (Verdict, Option<Reason>) {
    let usable = dane::usable(records);
    if usable.is_empty() {
        return (Verdict::Unusable, None);
    }
    match dane::prove(peer, &usable, &[HOST], Now::read().wall) {
        Ok(()) => (Verdict::Proved, None),
        Err(reason) => (Verdict::Refused, Some(reason)),
    }
}

/// The record that says `usage`, `selector` and `matching` of a certificate.
fn record((usage, selector, matching): (u8, u8, u8), certificate: &[u8]) -> Tlsa {
    let key = || X509Certificate::from_der(certificate).unwrap().1.tbs_certificate.subject_pki.raw.to_vec();
    let selected = if selector == 0 { certificate.to_vec() } else { key() };
    let data = match matching {
        1 => digest(&SHA256, &selected).as_ref().to_vec(),
        2 => digest(&SHA512, &selected).as_ref().to_vec(),
        _ => selected,
    };
    Tlsa { usage, selector, matching, data }
}

fn junk((usage, selector, matching): (u8, u8, u8), length: usize) -> Tlsa {
    Tlsa { usage, selector, matching, data: vec![7; length] }
}

/// Every usage, selector and matching type of each certificate that the chain's domain may name.
fn single(chain: &Chain) -> Vec<Vec<Tlsa>> {
    let mut sets = Vec::new();
    for certificate in &chain.named {
        for usage in [2, 3] {
            for selector in [0, 1] {
                for matching in [0, 1, 2] {
                    sets.push(vec![record((usage, selector, matching), certificate)]);
                }
            }
        }
    }
    sets
}

/// Several records of one host: some match and some do not, some can be used and some cannot.
fn mixed(chain: &Chain) -> Vec<Vec<Tlsa>> {
    let (own, stranger) = (&chain.named[0], chain.named.last().unwrap());
    let issuer = chain.named.get(1).unwrap_or(own);
    let mut sets = vec![
        vec![record((3, 1, 1), stranger), record((2, 0, 1), issuer)],
        vec![record((3, 1, 1), own), record((2, 1, 1), stranger)],
        vec![record((2, 0, 1), stranger), record((2, 0, 1), issuer)],
        vec![record((3, 1, 1), stranger), record((3, 1, 1), own)],
        vec![record((3, 1, 2), stranger), record((2, 1, 1), issuer)],
        vec![junk((3, 1, 9), 32), record((3, 1, 1), own)],
        vec![junk((3, 0, 0), 40), record((3, 1, 1), own)],
        vec![junk((2, 0, 0), 40), record((2, 0, 1), issuer)],
        vec![junk((2, 0, 0), 40), record((3, 1, 1), stranger)],
    ];
    // RFC 7671 9: of several digests of one kind the strongest counts, if it can be used.
    for (usage, named) in [(3, own), (2, issuer)] {
        for selector in [0, 1] {
            let strong = (usage, selector, 2);
            sets.extend([
                vec![record((usage, selector, 1), named), record(strong, stranger)],
                vec![record((usage, selector, 1), stranger), record(strong, named)],
                vec![record((usage, selector, 1), named), record((usage, 1 - selector, 2), stranger)],
                vec![record((usage, selector, 1), named), record((5 - usage, selector, 2), stranger)],
                vec![record((usage, selector, 0), named), record(strong, stranger)],
                vec![record((usage, selector, 1), named), record((usage, selector, 0), stranger)],
                vec![record((usage, selector, 1), named), junk(strong, 63)],
            ]);
        }
    }
    sets
}

/// Sets of which no record can be used; the peer does not matter.
fn unusable() -> Vec<Vec<Tlsa>> {
    let kinds = [
        ((3, 1, 1), 31),
        ((2, 0, 1), 33),
        ((3, 1, 2), 32),
        ((3, 1, 3), 32),
        ((3, 2, 1), 32),
        ((4, 1, 1), 32),
        ((255, 255, 255), 32),
        ((2, 0, 0), 40),
        ((3, 0, 0), 40),
        ((2, 1, 0), 40),
        ((3, 1, 0), 40),
    ];
    kinds.iter().map(|(kind, length)| vec![junk(*kind, *length)]).collect()
}

fn written(records: &[Tlsa]) -> String {
    let short = |record: &Tlsa| record.to_string().chars().take(22).collect::<String>();
    records.iter().map(short).collect::<Vec<_>>().join(" + ")
}

#[test]
fn openssl_judges_published_keys_alike() {
    if version("openssl_judges_published_keys_alike", "OpenSSL", &["openssl", "version"]).is_none() {
        return;
    }
    let mut alike = [0, 0];
    let (mut differ, mut on_purpose) = (Vec::new(), BTreeSet::new());
    for chain in Authorities::new().chains() {
        let server = Server::start(&chain);
        let peer = server.shown();
        assert!(peer.signature_valid);
        assert_eq!(peer.chain, chain.shown, "{}", chain.what);
        for records in single(&chain).into_iter().chain(mixed(&chain)) {
            let ((own, reason), (theirs, said)) = (ours(&peer, &records), server.asked(&records));
            let is_of_issuer = records.iter().any(|record| record.usage == 2);
            if own == theirs {
                alike[usize::from(own == Verdict::Proved)] += 1;
            } else if is_of_issuer && ON_PURPOSE.contains(&(chain.what, own, theirs)) {
                on_purpose.insert(chain.what);
            } else {
                differ.push(format!("{}: {}: {reason:?}, and {said}", chain.what, written(&records)));
            }
        }
    }
    assert!(differ.is_empty(), "{} differ\n{}", differ.len(), differ.join("\n"));
    assert_eq!(on_purpose, ON_PURPOSE.map(|(what, ..)| what).into(), "where it differs by now");
    assert!(alike.iter().all(|count| *count > 200), "the table has both verdicts: {alike:?}");
}

#[test]
fn openssl_and_the_gateway_use_the_same_records() {
    if version("openssl_and_the_gateway_use_the_same_records", "OpenSSL", &["openssl", "version"]).is_none() {
        return;
    }
    let chain = Authorities::new().chains().remove(0);
    let server = Server::start(&chain);
    let peer = server.shown();
    let differ: Vec<String> = unusable()
        .iter()
        .map(|records| (records, ours(&peer, records).0, server.asked(records).0))
        .filter(|(_, own, theirs)| (*own, *theirs) != (Verdict::Unusable, Verdict::Unusable))
        .map(|(records, own, theirs)| format!("{}: {own:?}, {theirs:?}", written(records)))
        .collect();
    assert!(differ.is_empty(), "{}", differ.join("\n"));
    // No word on a command line says that there is nothing.
    assert_eq!(ours(&peer, &[junk((3, 1, 0), 0)]).0, Verdict::Unusable);
    // RFC 7672 3.1.3: usages 0 and 1 say nothing to senders of mail, who have no public roots in common. OpenSSL
    // has them for others.
    for usage in [0, 1] {
        assert_eq!(ours(&peer, &[record((usage, 1, 1), &chain.shown[usize::from(1 - usage)])]).0, Verdict::Unusable);
    }
}

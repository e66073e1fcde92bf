//! What it costs to find out how peers prove themselves: new domains at once, and a proof when everything is known.
//!
//! `cargo bench --bench proof -- DOMAINS` asks a name server of its own (2 ms for each answer, everything signed) for the mail hosts,
//! addresses, keys and MTA-STS records of so many domains at once; it prints how long that took, how many questions were open at most,
//! and the memory. Then the same again from the cache, and a proof by DANE and by a certificate's name.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use hickory_proto::op::{Message, MessageType, OpCode};
use hickory_proto::rr::rdata::tlsa::{CertUsage, Matching, Selector};
use hickory_proto::rr::rdata::{A, MX, SOA, TLSA};
use hickory_proto::rr::{Name, RData, Record, RecordType};
use mailward::clock::Now;
use mailward::dns::{Dnssec, Resolver, TlsaAnswer};
use mailward::mail::Domain;
use mailward::policy::{ProofCheck, ProofSource};
use mailward::proof::{Asked, dane, prove};
use mailward::tls::{PeerCertificates, Roots};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, PublicKeyData};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::net::UdpSocket;

const HOST: &str = "mx.d1.example";

/// A name server in which every domain has a mail host with a key; how many questions were open at once.
async fn name_server(key: Vec<u8>) -> (std::net::SocketAddr, Arc<AtomicUsize>) {
    let socket = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
    let (address, most) = (socket.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
    let (open, seen) = (Arc::new(AtomicUsize::new(0)), most.clone());
    tokio::spawn(async move {
        let mut buffer = vec![0; 2048];
        while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
            let Ok(question) = Message::from_vec(&buffer[..length]) else { continue };
            let (socket, open, seen, key) = (socket.clone(), open.clone(), seen.clone(), key.clone());
            tokio::spawn(async move {
                seen.fetch_max(open.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(2)).await;
                let reply = answer(&question, &key).to_vec().unwrap();
                open.fetch_sub(1, Ordering::SeqCst);
                socket.send_to(&reply, from).await.unwrap();
            });
        }
    });
    (address, most)
}

fn answer(question: &Message, key: &[u8]) -> Message {
    let mut reply = Message::new(question.metadata.id, MessageType::Response, OpCode::Query);
    reply.metadata.authentic_data = true;
    let query = question.queries[0].clone();
    let owner = query.name().clone();
    let data = match query.query_type() {
        RecordType::MX => Some(RData::MX(MX::new(10, Name::from_ascii(format!("mx.{}", owner.to_ascii())).unwrap()))),
        RecordType::A => Some(RData::A(A::new(192, 0, 2, 1))),
        RecordType::TLSA => {
            Some(RData::TLSA(TLSA::new(CertUsage::DaneEe, Selector::Spki, Matching::Sha256, key.to_vec())))
        }
        _ => None,
    };
    reply.add_query(query);
    match data {
        Some(data) => drop(reply.add_answer(Record::from_rdata(owner, 3_600, data))),
        None => {
            let soa = SOA::new(Name::root(), Name::root(), 1, 1, 1, 1, 300);
            reply.add_authority(Record::from_rdata(Name::root(), 300, RData::SOA(soa)));
        }
    }
    reply
}

async fn ask(resolver: &Resolver, number: usize) -> TlsaAnswer {
    let domain: Domain = format!("d{number}.example").parse().unwrap();
    resolver.mx_secured(&domain).await;
    resolver.addresses(&format!("mx.{domain}")).await;
    resolver.texts(&format!("_mta-sts.{domain}")).await.unwrap();
    resolver.tlsa(&format!("mx.{domain}"), 25).await
}

fn each(name: &str, times: u32, mut work: impl FnMut()) {
    let begun = Instant::now();
    (0..times).for_each(|_| work());
    println!("{name}: {:?} each", begun.elapsed() / times);
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let Some(domains) = std::env::args().find_map(|word| word.parse::<usize>().ok()) else { return };
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let own = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec![HOST.to_owned()]).unwrap().signed_by(&own, &authority).unwrap();
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &own.subject_public_key_info());
    let (server, most) = name_server(digest.as_ref().to_vec()).await;
    let resolver = Resolver::new(&[server], Dnssec::Local);

    let begun = Instant::now();
    let asked: Vec<_> = (0..domains)
        .map(|n| {
            tokio::spawn({
                let resolver = resolver.clone();
                async move { assert!(matches!(ask(&resolver, n).await, TlsaAnswer::Found { .. })) }
            })
        })
        .collect();
    for one in asked {
        one.await.unwrap();
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let memory = status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default();
    println!(
        "{domains} new domains: {:?}, {} questions open at most, {memory}",
        begun.elapsed(),
        most.load(Ordering::SeqCst)
    );

    ask(&resolver, 1).await;
    let begun = Instant::now();
    for _ in 0..10_000 {
        ask(&resolver, 1).await;
    }
    println!("a known domain, all its answers from the cache: {:?} each", begun.elapsed() / 10_000);
    let TlsaAnswer::Found { records, .. } = ask(&resolver, 1).await else { panic!("no keys") };
    let chain = vec![leaf.der().clone(), authority.der().clone()];
    let (peer, now) = (PeerCertificates { chain, signature_valid: true }, Now::read().wall);
    each("a proof by DANE", 10_000, || dane::prove(&peer, &records, &[HOST], now).unwrap());
    let roots = Roots::only(vec![authority.der().clone()]);
    let names = [ProofSource::new("bench", ProofCheck::Names(vec![HOST.to_owned()]))];
    each("a proof by a certificate's name, with its signatures", 2_000, || {
        let _ = prove(&peer, Asked::of(HOST, &names), &roots, now).unwrap();
    });
}

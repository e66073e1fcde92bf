//! What counts as validated, whose word it is, and what is found under which name.

use super::tests::{Answerer, domain, mx, name, record, reply, with};
use super::*;
use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::rdata::tlsa::{CertUsage, Matching, Selector};
use hickory_proto::rr::rdata::{A, CNAME, TLSA};
use hickory_proto::rr::{RData, Record, RecordType};
use std::sync::atomic::{AtomicBool, Ordering};

fn believing(servers: &[SocketAddr], dnssec: Dnssec) -> Resolver {
    Resolver::with_patience(servers, dnssec, Duration::from_millis(300))
}

fn validated(mut replies: Vec<Message>) -> Vec<Message> {
    replies.iter_mut().for_each(|reply| reply.metadata.authentic_data = true);
    replies
}

fn keys(owner: &str) -> Record {
    record(owner, RData::TLSA(TLSA::new(CertUsage::DaneEe, Selector::Spki, Matching::Sha256, vec![7; 32])))
}

fn address(owner: &str) -> Record {
    record(owner, RData::A(A::new(192, 0, 2, 1)))
}

fn alias(owner: &str, target: &str) -> Record {
    record(owner, RData::CNAME(CNAME(name(target))))
}

#[tokio::test]
async fn an_answer_is_secure_by_the_word_of_a_server_that_is_believed() {
    let server = Answerer::start(|q, _| {
        assert!(!q.metadata.checking_disabled);
        let answer = with(q, &[mx("d.example.", 1, "mx.example.")]);
        // Whoever asks without AD gets none (RFC 6840 5.7).
        if q.metadata.authentic_data { validated(answer) } else { answer }
    })
    .await;
    for (dnssec, security) in
        [(Dnssec::Local, Security::Secure), (Dnssec::Trusted, Security::Secure), (Dnssec::Off, Security::Insecure)]
    {
        let resolver = believing(&[server.address], dnssec);
        assert_eq!(resolver.mx_secured(&domain("d.example")).await.1, security, "{dnssec:?}");
        let counted = resolver.counts().get(LookupKind::Mx, LookupResult::Secure);
        assert_eq!(counted, u64::from(security == Security::Secure));
    }
}

#[tokio::test]
async fn a_server_elsewhere_is_believed_only_when_it_is_trusted() {
    let elsewhere: SocketAddr = "192.0.2.53:53".parse().unwrap();
    assert!(!believing(&[elsewhere], Dnssec::Local).validates());
    assert!(believing(&[elsewhere], Dnssec::Trusted).validates());
    let liar = Answerer::start(|q, _| validated(with(q, &[mx("d.example.", 1, "mx.example.")]))).await;
    let resolver = believing(&[liar.address], Dnssec::Off);
    assert_eq!(resolver.mx_secured(&domain("d.example")).await.1, Security::Insecure, "AD that nobody asked for");
}

#[tokio::test]
async fn what_fails_only_while_it_is_checked_is_bogus() {
    let server = Answerer::start(|q, _| match q.metadata.checking_disabled {
        true => with(q, &[mx("d.example.", 1, "evil.example.")]),
        false => vec![reply(q, ResponseCode::ServFail)],
    })
    .await;
    let resolver = believing(&[server.address], Dnssec::Local);
    assert!(matches!(resolver.mx(&domain("d.example")).await, MxAnswer::Bogus(_)));
    assert_eq!(resolver.counts().get(LookupKind::Mx, LookupResult::Bogus), 1);
    assert!(matches!(resolver.addresses("d.example").await, AddressAnswer::Bogus(_)));

    let broken = Answerer::start(|q, _| vec![reply(q, ResponseCode::ServFail)]).await;
    let resolver = believing(&[broken.address], Dnssec::Local);
    assert!(matches!(resolver.mx(&domain("d.example")).await, MxAnswer::Tempfail(_)));
}

#[tokio::test]
async fn keys_are_looked_for_where_the_hosts_addresses_are_signed() {
    let server = Answerer::start(|q, _| match q.queries[0].name().to_ascii().as_str() {
        "signed.example." => validated(with(q, &[address("signed.example.")])),
        "unsigned.example." => with(q, &[address("unsigned.example.")]),
        "_25._tcp.signed.example." => validated(with(q, &[keys("_25._tcp.signed.example.")])),
        other => panic!("nobody should ask for {other}"),
    })
    .await;
    let resolver = believing(&[server.address], Dnssec::Local);
    let TlsaAnswer::Found { base, records } = resolver.tlsa("signed.example", 25).await else { panic!() };
    assert_eq!((base.as_str(), records.len(), records[0].usage, records[0].selector), ("signed.example", 1, 3, 1));
    assert_eq!(resolver.tlsa("unsigned.example", 25).await, TlsaAnswer::Absent);
    assert_eq!(resolver.tlsa("192.0.2.1", 25).await, TlsaAnswer::Absent);
}

#[tokio::test]
async fn behind_an_alias_the_last_name_goes_first_and_the_first_name_may_have_them() {
    let server = Answerer::start(|q, _| match q.queries[0].name().to_ascii().as_str() {
        "both.example." => validated(with(q, &[alias("both.example.", "end.example."), address("end.example.")])),
        "_25._tcp.end.example." => validated(with(q, &[keys("_25._tcp.end.example.")])),
        "end.example." => validated(with(q, &[])),
        "far.example." => with(q, &[]),
        // The alias is signed, and its target is not.
        "own.example." if q.queries[0].query_type() == RecordType::CNAME => {
            validated(with(q, &[alias("own.example.", "far.example.")]))
        }
        "own.example." => with(q, &[alias("own.example.", "far.example."), address("far.example.")]),
        "unsigned.example." if q.queries[0].query_type() == RecordType::CNAME => {
            with(q, &[alias("unsigned.example.", "far.example.")])
        }
        "unsigned.example." => with(q, &[alias("unsigned.example.", "far.example."), address("far.example.")]),
        "_25._tcp.own.example." => validated(with(q, &[keys("_25._tcp.own.example.")])),
        other => panic!("nobody should ask for {other}"),
    })
    .await;
    let resolver = believing(&[server.address], Dnssec::Local);
    for (host, found_at) in [("both.example", "end.example"), ("own.example", "own.example")] {
        let TlsaAnswer::Found { base, .. } = resolver.tlsa(host, 25).await else { panic!("{host}") };
        assert_eq!(base, found_at);
    }
    assert_eq!(resolver.tlsa("unsigned.example", 25).await, TlsaAnswer::Absent, "and its server is not asked");
}

#[tokio::test]
async fn who_keeps_us_from_the_addresses_does_not_make_us_forget_the_keys() {
    let down = Arc::new(AtomicBool::new(true));
    let is_down = down.clone();
    let server = Answerer::start(move |q, _| match q.queries[0].name().to_ascii().as_str() {
        "mx.example." if is_down.load(Ordering::SeqCst) => vec![reply(q, ResponseCode::ServFail)],
        "mx.example." => validated(with(q, &[address("mx.example.")])),
        "forged.example." if !q.metadata.checking_disabled => vec![reply(q, ResponseCode::ServFail)],
        "forged.example." => with(q, &[address("forged.example.")]),
        other => validated(with(q, &[keys(other)])),
    })
    .await;
    let resolver = believing(&[server.address], Dnssec::Local);
    assert!(matches!(resolver.tlsa("mx.example", 25).await, TlsaAnswer::Tempfail(_)));
    assert!(matches!(resolver.tlsa("forged.example", 25).await, TlsaAnswer::Bogus(_)));
    down.store(false, Ordering::SeqCst);
    assert!(matches!(resolver.tlsa("mx.example", 25).await, TlsaAnswer::Found { .. }));
}

#[tokio::test]
async fn what_was_learned_while_nothing_was_validated_is_forgotten() {
    let validates = Arc::new(AtomicBool::new(false));
    let does = validates.clone();
    let server = Answerer::start(move |q, _| {
        let answer = match q.queries[0].query_type() {
            RecordType::MX => with(q, &[mx("d.example.", 1, "mx.example.")]),
            _ => with(q, &[]),
        };
        if does.load(Ordering::SeqCst) { validated(answer) } else { answer }
    })
    .await;
    let resolver = believing(&[server.address], Dnssec::Local);
    let security = async || resolver.mx_secured(&domain("d.example")).await.1;
    assert_eq!(security().await, Security::Insecure, "before anybody noticed, and in the cache");
    assert!(matches!(resolver.self_test(".").await, Some(Err(_))));
    validates.store(true, Ordering::SeqCst);
    assert_eq!(security().await, Security::Insecure);
    assert_eq!(resolver.self_test(".").await, Some(Ok(())));
    assert_eq!(security().await, Security::Secure);
}

#[tokio::test]
async fn keys_that_were_not_validated_or_cannot_be_looked_up_are_told_apart() {
    let server = Answerer::start(|q, _| match q.queries[0].name().to_ascii().as_str() {
        "_25._tcp.forged.example." => with(q, &[keys("_25._tcp.forged.example.")]),
        "_25._tcp.broken.example." => vec![reply(q, ResponseCode::ServFail)],
        "_25._tcp.bogus.example." if !q.metadata.checking_disabled => vec![reply(q, ResponseCode::ServFail)],
        "_25._tcp.bogus.example." => with(q, &[keys("_25._tcp.bogus.example.")]),
        "_25._tcp.none.example." => validated(vec![reply(q, ResponseCode::NXDomain)]),
        host => validated(with(q, &[address(host)])),
    })
    .await;
    let resolver = believing(&[server.address], Dnssec::Local);
    assert_eq!(resolver.tlsa("forged.example", 25).await, TlsaAnswer::Absent);
    assert_eq!(resolver.tlsa("none.example", 25).await, TlsaAnswer::Absent);
    assert!(matches!(resolver.tlsa("broken.example", 25).await, TlsaAnswer::Tempfail(_)));
    assert!(matches!(resolver.tlsa("bogus.example", 25).await, TlsaAnswer::Bogus(_)));
}

#[tokio::test]
async fn the_self_test_sees_a_resolver_that_stopped_validating() {
    let server = Answerer::start(|q, _| with(q, &[])).await;
    let resolver = believing(&[server.address], Dnssec::Local);
    assert!(matches!(resolver.self_test(".").await, Some(Err(_))) && resolver.is_failing());
    let good = Answerer::start(|q, _| validated(with(q, &[]))).await;
    let resolver = believing(&[good.address], Dnssec::Local);
    assert_eq!((resolver.self_test(".").await, resolver.is_failing()), (Some(Ok(())), false));
    assert_eq!(believing(&[good.address], Dnssec::Off).self_test(".").await, None);
    assert_eq!(good.asked(), 1);
}

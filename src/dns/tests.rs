//! The resolver against a name server whose answers are a function of the question.

use super::cache::{Cache, Question};
use super::*;
use hickory_proto::op::{Message, MessageType, OpCode, ResponseCode};
use hickory_proto::rr::rdata::{A, AAAA, CNAME, MX, NS, SOA};
use hickory_proto::rr::{Name, RData, Record};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Udp,
    Tcp,
}

/// A name server whose answers are a function of the question; an empty list is silence.
pub(super) struct Answerer {
    pub(super) address: SocketAddr,
    asked: Arc<AtomicUsize>,
}

impl Answerer {
    pub(super) async fn start(answer: impl Fn(&Message, Way) -> Vec<Message> + Send + Sync + 'static) -> Answerer {
        let (udp, tcp) = same_port().await;
        let (address, asked, answer) = (udp.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)), Arc::new(answer));
        let (counted, same) = (Arc::clone(&asked), Arc::clone(&answer));
        tokio::spawn(async move {
            let mut buffer = [0; 2048];
            while let Ok((length, from)) = udp.recv_from(&mut buffer).await {
                counted.fetch_add(1, Ordering::SeqCst);
                for reply in same(&Message::from_vec(&buffer[..length]).unwrap(), Way::Udp) {
                    udp.send_to(&reply.to_vec().unwrap(), from).await.unwrap();
                }
            }
        });
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = tcp.accept().await {
                let mut question = vec![0; usize::from(stream.read_u16().await.unwrap())];
                stream.read_exact(&mut question).await.unwrap();
                for reply in answer(&Message::from_vec(&question).unwrap(), Way::Tcp) {
                    let bytes = reply.to_vec().unwrap();
                    stream.write_u16(bytes.len().try_into().unwrap()).await.unwrap();
                    stream.write_all(&bytes).await.unwrap();
                }
            }
        });
        Answerer { address, asked }
    }

    fn resolver(&self) -> Resolver {
        patient(vec![self.address])
    }

    pub(super) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

fn patient(servers: Vec<SocketAddr>) -> Resolver {
    Resolver::with_patience(&servers, Dnssec::Off, Duration::from_millis(300))
}

async fn same_port() -> (UdpSocket, TcpListener) {
    loop {
        let udp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        if let Ok(tcp) = TcpListener::bind(udp.local_addr().unwrap()).await {
            return (udp, tcp);
        }
    }
}

pub(super) fn reply(to: &Message, code: ResponseCode) -> Message {
    let mut reply = Message::new(to.metadata.id, MessageType::Response, OpCode::Query);
    reply.metadata.response_code = code;
    reply.add_queries(to.queries.clone());
    reply
}

pub(super) fn name(text: &str) -> Name {
    Name::from_ascii(text).unwrap()
}

pub(super) fn record(owner: &str, data: RData) -> Record {
    Record::from_rdata(name(owner), 300, data)
}

pub(super) fn mx(owner: &str, preference: u16, host: &str) -> Record {
    record(owner, RData::MX(MX::new(preference, name(host))))
}

fn a(owner: &str, last: u8) -> Record {
    record(owner, RData::A(A::new(192, 0, 2, last)))
}

fn cname(owner: &str, target: &str) -> Record {
    record(owner, RData::CNAME(CNAME(name(target))))
}

fn soa() -> Record {
    record("example.", RData::SOA(SOA::new(name("ns.example."), name("h.example."), 1, 1, 1, 1, 60)))
}

pub(super) fn with(to: &Message, records: &[Record]) -> Vec<Message> {
    let mut reply = reply(to, ResponseCode::NoError);
    reply.add_answers(records.iter().cloned());
    vec![reply]
}

fn is(question: &Message, kind: RecordType) -> bool {
    question.queries[0].query_type() == kind
}

pub(super) fn domain(text: &str) -> Domain {
    text.parse().unwrap()
}

pub(super) fn hosts(answer: MxAnswer) -> Vec<String> {
    let MxAnswer::Hosts(hosts) = answer else { panic!("{answer:?}") };
    hosts.into_iter().map(|h| h.name).collect()
}

#[tokio::test]
async fn hosts_come_by_preference_and_only_those_of_the_domain() {
    let server = Answerer::start(|q, _| {
        let list = [
            mx("trust.example.", 20, "MX2.trust.example."),
            mx("trust.example.", 10, "mx1.trust.example."),
            mx("other.example.", 1, "evil.example."),
            mx("trust.example.", 5, "192.0.2.1."),
        ];
        with(q, &list)
    })
    .await;
    assert_eq!(hosts(server.resolver().mx(&domain("Trust.Example")).await), ["mx1.trust.example", "mx2.trust.example"]);
}

#[tokio::test]
async fn hosts_of_one_preference_are_spread() {
    let server = Answerer::start(|q, _| {
        let list: Vec<Record> = (0..8).map(|n| mx("d.example.", 10, &format!("mx{n}.d.example."))).collect();
        with(q, &list)
    })
    .await;
    let resolver = server.resolver();
    let mut firsts = std::collections::HashSet::new();
    // 8 hosts, 200 draws: the same one first every time has a chance of 8^-199.
    for _ in 0..200 {
        firsts.insert(hosts(resolver.mx(&domain("d.example")).await).remove(0));
    }
    assert!(firsts.len() > 1);
    assert_eq!(server.asked(), 1);
}

#[tokio::test]
async fn a_thousand_hosts_are_twenty() {
    let server = Answerer::start(|q, way| {
        let list: Vec<Record> = (0..1000).map(|n| mx("d.example.", 1000 - n, &format!("mx{n}.d.example."))).collect();
        let mut reply = with(q, if way == Way::Tcp { &list } else { &[] });
        reply[0].metadata.truncation = way == Way::Udp;
        reply
    })
    .await;
    let got = hosts(server.resolver().mx(&domain("d.example")).await);
    assert_eq!((got.len(), got[0].as_str()), (20, "mx999.d.example"));
}

#[tokio::test]
async fn a_null_mx_no_mx_and_no_domain_are_three_answers() {
    let server = Answerer::start(|q, _| {
        let asked = q.queries[0].name().to_ascii();
        let mut answer = match asked.as_str() {
            "null.example." => return with(q, &[mx("null.example.", 0, ".")]),
            "gone.example." => reply(q, ResponseCode::NXDomain),
            _ => reply(q, ResponseCode::NoError),
        };
        answer.add_authority(soa());
        vec![answer]
    })
    .await;
    let resolver = server.resolver();
    assert_eq!(resolver.mx(&domain("null.example")).await, MxAnswer::Null);
    assert_eq!(resolver.mx(&domain("gone.example")).await, MxAnswer::NoDomain);
    assert_eq!(resolver.mx(&domain("bare.example")).await, MxAnswer::NoMx);
    assert_eq!(resolver.mx(&domain("[192.0.2.7]")).await, MxAnswer::NoMx);
    assert_eq!(resolver.addresses("gone.example").await, AddressAnswer::Absent);
    let before = server.asked();
    assert_eq!(resolver.mx(&domain("gone.example")).await, MxAnswer::NoDomain);
    assert_eq!(server.asked(), before, "the absence is cached as its SOA record says");
    assert_eq!(resolver.counts().get(LookupKind::Mx, LookupResult::Absent), 2);
    assert_eq!(resolver.counts().get(LookupKind::Mx, LookupResult::Insecure), 1);
}

#[tokio::test]
async fn addresses_of_both_families_are_found() {
    let server = Answerer::start(|q, _| {
        if is(q, RecordType::A) {
            with(q, &[a("mx.example.", 1)])
        } else {
            with(q, &[record("mx.example.", RData::AAAA(AAAA("2001:db8::1".parse().unwrap())))])
        }
    })
    .await;
    let found = server.resolver().addresses("MX.example.").await;
    assert_eq!(found, AddressAnswer::Found(vec!["192.0.2.1".parse().unwrap(), "2001:db8::1".parse().unwrap()]));
}

#[tokio::test]
async fn one_family_is_enough_when_the_other_cannot_be_asked() {
    let server = Answerer::start(|q, _| {
        if is(q, RecordType::A) { with(q, &[a("mx.example.", 1)]) } else { vec![reply(q, ResponseCode::ServFail)] }
    })
    .await;
    let found = server.resolver().addresses("mx.example").await;
    assert_eq!(found, AddressAnswer::Found(vec!["192.0.2.1".parse().unwrap()]));
}

#[tokio::test]
async fn an_address_is_its_own_address() {
    let resolver = patient(Vec::new());
    for text in ["192.0.2.7", "[192.0.2.7]"] {
        assert_eq!(resolver.addresses(text).await, AddressAnswer::Found(vec!["192.0.2.7".parse().unwrap()]));
    }
    assert!(matches!(resolver.addresses("mx.example").await, AddressAnswer::Tempfail(_)));
}

#[tokio::test]
async fn guesses_with_another_id_or_question_are_passed_over() {
    let server = Answerer::start(|q, _| {
        let evil = [mx("d.example.", 1, "evil.example.")];
        let (mut other_id, mut other_name) = (with(q, &evil), with(q, &evil));
        other_id[0].metadata.id ^= 1;
        other_name[0].queries[0].set_name(name("e.example."));
        let mut query = with(q, &evil);
        query[0].metadata.message_type = MessageType::Query;
        [other_id, other_name, query, with(q, &[mx("d.example.", 1, "good.example.")])].concat()
    })
    .await;
    assert_eq!(hosts(server.resolver().mx(&domain("d.example")).await), ["good.example"]);
}

#[tokio::test]
async fn what_was_cut_short_is_asked_for_over_tcp() {
    let server = Answerer::start(|q, way| {
        let mut reply =
            with(q, &[mx("d.example.", 1, if way == Way::Tcp { "whole.example." } else { "cut.example." })]);
        reply[0].metadata.truncation = way == Way::Udp;
        reply
    })
    .await;
    assert_eq!(hosts(server.resolver().mx(&domain("d.example")).await), ["whole.example"]);
}

#[tokio::test]
async fn aliases_are_followed_in_one_reply_and_across_replies() {
    let server = Answerer::start(|q, _| match q.queries[0].name().to_ascii().as_str() {
        "one.example." => with(
            q,
            &[a("three.example.", 3), cname("two.example.", "three.example."), cname("one.example.", "two.example.")],
        ),
        "far.example." => with(q, &[cname("far.example.", "one.example.")]),
        _ => with(q, &[]),
    })
    .await;
    let resolver = server.resolver();
    let three = AddressAnswer::Found(vec!["192.0.2.3".parse().unwrap()]);
    assert_eq!(resolver.addresses("one.example").await, three);
    assert_eq!(resolver.addresses("far.example").await, three);
}

#[tokio::test]
async fn a_loop_of_aliases_ends() {
    let server = Answerer::start(|q, _| match q.queries[0].name().to_ascii().as_str() {
        "far.example." => with(q, &[cname("far.example.", "away.example.")]),
        "away.example." => with(q, &[cname("away.example.", "far.example.")]),
        _ => with(q, &[cname("a.example.", "b.example."), cname("b.example.", "a.example.")]),
    })
    .await;
    for host in ["a.example", "far.example"] {
        assert!(matches!(server.resolver().addresses(host).await, AddressAnswer::Tempfail(_)), "{host}");
    }
    // Two kinds, two rounds, eight aliases at most.
    assert!(server.asked() <= 2 * 2 + 2 * 2 * 10, "{}", server.asked());
}

#[tokio::test]
async fn a_server_that_fails_or_refers_or_is_silent_hands_over_to_the_next() {
    let good = Answerer::start(|q, _| with(q, &[mx("d.example.", 1, "mx.example.")])).await;
    let fails = Answerer::start(|q, _| vec![reply(q, ResponseCode::ServFail)]).await;
    let refuses = Answerer::start(|q, _| vec![reply(q, ResponseCode::Refused)]).await;
    let silent = Answerer::start(|_, _| Vec::new()).await;
    let refers = Answerer::start(|q, _| {
        let mut referral = reply(q, ResponseCode::NoError);
        referral.add_authority(record("example.", RData::NS(NS(name("ns.example.")))));
        vec![referral]
    })
    .await;
    for first in [&fails, &refuses, &silent, &refers] {
        let resolver = patient(vec![first.address, good.address]);
        assert_eq!(hosts(resolver.mx(&domain("d.example")).await), ["mx.example"]);
        assert_eq!(first.asked(), 1);
    }
}

#[tokio::test]
async fn failure_everywhere_is_temporary_and_not_remembered() {
    let server = Answerer::start(|q, _| vec![reply(q, ResponseCode::ServFail)]).await;
    let resolver = server.resolver();
    let MxAnswer::Tempfail(cause) = resolver.mx(&domain("d.example")).await else { panic!() };
    assert!(cause.contains(&server.address.to_string()), "{cause}");
    assert_eq!(server.asked(), 2, "two rounds");
    assert!(matches!(resolver.mx(&domain("d.example")).await, MxAnswer::Tempfail(_)));
    assert_eq!(server.asked(), 4);
    assert_eq!(resolver.counts().get(LookupKind::Mx, LookupResult::Tempfail), 2);
    assert_eq!(resolver.lookup.being_asked(), 0);
}

#[tokio::test]
async fn a_server_without_edns_is_asked_plainly() {
    let server = Answerer::start(|q, _| match q.edns {
        Some(_) => vec![reply(q, ResponseCode::FormErr)],
        None => with(q, &[mx("d.example.", 1, "mx.example.")]),
    })
    .await;
    assert_eq!(hosts(server.resolver().mx(&domain("d.example")).await), ["mx.example"]);
}

#[tokio::test]
async fn equal_questions_at_once_go_out_once() {
    let server = Answerer::start(|q, _| with(q, &[mx("d.example.", 1, "mx.example.")])).await;
    let resolver = server.resolver();
    let asking: Vec<_> = (0..50)
        .map(|_| {
            let resolver = resolver.clone();
            tokio::spawn(async move { hosts(resolver.mx(&domain("d.example")).await) })
        })
        .collect();
    for task in asking {
        assert_eq!(task.await.unwrap(), ["mx.example"]);
    }
    assert_eq!(server.asked(), 1);
    assert_eq!(resolver.lookup.being_asked(), 0);
}

#[tokio::test]
async fn who_waits_is_served_when_the_one_that_asked_goes_away() {
    let server = Answerer::start(|q, _| with(q, &[mx("d.example.", 1, "mx.example.")])).await;
    let resolver = server.resolver();
    let d = domain("d.example");
    {
        let mut first = Box::pin(resolver.mx(&d));
        // One poll: the question is on its way, and then its asker is dropped.
        let polled = std::future::poll_fn(|cx| std::task::Poll::Ready(first.as_mut().poll(cx).is_pending())).await;
        assert!(polled);
        assert_eq!(resolver.lookup.being_asked(), 1);
        let second = tokio::spawn({
            let (resolver, d) = (resolver.clone(), d.clone());
            async move { hosts(resolver.mx(&d).await) }
        });
        tokio::task::yield_now().await;
        drop(first);
        assert_eq!(second.await.unwrap(), ["mx.example"]);
    }
    assert_eq!(resolver.lookup.being_asked(), 0);
}

#[tokio::test]
async fn names_that_cannot_be_asked_for_are_no_panic() {
    let resolver = patient(Vec::new());
    for host in ["", ".", "..", "a..b", &"x".repeat(64), &"x.".repeat(300), "\0", "\\300", "é.example"] {
        assert!(matches!(resolver.addresses(host).await, AddressAnswer::Tempfail(_)), "{host:?}");
    }
}

fn question(n: usize) -> Question {
    Question { name: format!("d{n}.example").into(), kind: RecordType::MX }
}

#[test]
fn the_cache_keeps_its_bound_and_forgets_in_time() {
    let (mut cache, now) = (Cache::new(3), Instant::now());
    for n in 0..10 {
        cache.put(question(n), Found::failed(Answer::NoData), Duration::from_secs(10 + n as u64), now);
    }
    assert_eq!(cache.len(), 3);
    assert_eq!(cache.get(&question(6), now), None);
    assert_eq!(cache.get(&question(9), now + Duration::from_secs(18)), Some(Found::failed(Answer::NoData)));
    assert_eq!(cache.get(&question(9), now + Duration::from_secs(19)), None);
    cache.put(question(9), Found::failed(Answer::NoDomain), Duration::from_secs(1), now);
    assert_eq!((cache.len(), cache.get(&question(9), now)), (3, Some(Found::failed(Answer::NoDomain))));
}

#[test]
fn lifetimes_have_a_floor_and_a_ceiling() {
    let lifetime_of = |ttl: u32| {
        let mut message = Message::new(1, MessageType::Response, OpCode::Query);
        let mut only = a("mx.example.", 1);
        only.ttl = ttl;
        message.add_answer(only);
        match answer::read(&message, &name("mx.example."), RecordType::A, 0) {
            answer::Reading::Settled(_, _, ttl) => ttl.as_secs(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(lifetime_of(0), 1);
    assert_eq!(lifetime_of(300), 300);
    assert_eq!(lifetime_of(i32::MAX.unsigned_abs()), 86_400);
    assert_eq!(lifetime_of(u32::MAX), 1);
}

#[test]
fn resolv_conf_is_read_as_its_manual_says() {
    let text = "# comment\nsearch x\nnameserver 192.0.2.53\n nameserver\t2001:db8::53 # why\nnameserver fe80::1%eth0\nnameservers 1.1.1.1\n";
    let want: Vec<SocketAddr> = vec!["192.0.2.53:53".parse().unwrap(), "[2001:db8::53]:53".parse().unwrap()];
    assert_eq!(system::parse(text), want);
    assert_eq!(system::parse(""), vec!["127.0.0.1:53".parse::<SocketAddr>().unwrap()]);
    assert_eq!(system::parse(&"nameserver 192.0.2.1\n".repeat(100)).len(), 8);
}

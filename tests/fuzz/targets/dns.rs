//! What a name server says, through the resolver's own sockets: bounded answers, usable names, no panic.

use mailward::dns::{AddressAnswer, Dnssec, MxAnswer, Resolver, TlsaAnswer};
use mailward::mail::Domain;
use mailward::proof::dane;
use std::cell::{Cell, RefCell};
use std::net::{IpAddr, UdpSocket};
use std::sync::mpsc::{Sender, channel};
use tokio::runtime::{Builder, Runtime};

/// A name server that says what it is told to, and then, so that nobody waits, that it failed.
struct Liar {
    runtime: Runtime,
    resolver: Resolver,
    next: Sender<Vec<u8>>,
}

impl Liar {
    fn start() -> Liar {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let resolver = Resolver::new(&[socket.local_addr().unwrap()], Dnssec::Local);
        let (next, said) = channel::<Vec<u8>>();
        std::thread::spawn(move || {
            let (mut question, mut lie) = ([0; 2048], Vec::new());
            while let Ok((length, from)) = socket.recv_from(&mut question) {
                while let Ok(newer) = said.try_recv() {
                    lie = newer;
                }
                for answer in [answer(&question[..length], &lie), failure(&question[..length])] {
                    let _ = socket.send_to(&answer, from);
                }
            }
        });
        Liar { runtime, resolver, next }
    }
}

/// Id and question are those that were asked; flags, counts and all else are the liar's. Nothing is cut short: nobody
/// listens for TCP.
fn answer(question: &[u8], lie: &[u8]) -> Vec<u8> {
    let (head, records) = lie.split_at_checked(8).unwrap_or((&[], lie));
    let mut flags = [0x81, 0x80, 0, 1, 0, 1, 0, 0];
    flags[..head.len()].copy_from_slice(head);
    flags[0] = flags[0] & !0x02 | 0x80;
    flags[2..4].copy_from_slice(&[0, 1]);
    // The question ends behind its name, type and class; EDNS, which follows, is left out.
    let end = question[12..].iter().position(|octet| *octet == 0).map_or(question.len(), |at| 12 + at + 5);
    [&question[..2], &flags, &[0, 0], &question[12..end], records].concat()
}

fn failure(question: &[u8]) -> Vec<u8> {
    let mut failed = answer(question, &[]);
    failed[3] = 0x82;
    failed[7] = 0;
    failed
}

thread_local! {
    static LIAR: RefCell<Liar> = RefCell::new(Liar::start());
    static ASKED: Cell<u64> = const { Cell::new(0) };
}

/// Flags, counts and records of an answer, to a question for mail hosts and to those for addresses.
pub fn answer_of(bytes: &[u8]) {
    LIAR.with_borrow_mut(|liar| {
        // A name of its own, or the cache would answer.
        let asked = ASKED.replace(ASKED.get() + 1);
        let domain: Domain = format!("d{asked}.example").parse().unwrap();
        liar.next.send(bytes.to_vec()).unwrap();
        match liar.runtime.block_on(liar.resolver.mx(&domain)) {
            MxAnswer::Hosts(hosts) => {
                assert!(hosts.len() <= 20 && hosts.is_sorted_by_key(|host| host.preference));
                for host in hosts {
                    let name: Domain = host.name.parse().unwrap();
                    assert!(
                        name.as_str() == host.name && host.name.parse::<IpAddr>().is_err() && name.literal().is_none()
                    );
                }
            }
            MxAnswer::Tempfail(why) | MxAnswer::Bogus(why) => assert!(!why.is_empty()),
            MxAnswer::Null | MxAnswer::NoMx | MxAnswer::NoDomain => {}
        }
        match liar.runtime.block_on(liar.resolver.addresses(domain.as_str())) {
            AddressAnswer::Found(found) => assert!((1..=32).contains(&found.len())),
            AddressAnswer::Absent | AddressAnswer::Tempfail(_) | AddressAnswer::Bogus(_) => {}
        }
        if let TlsaAnswer::Found { records, .. } = liar.runtime.block_on(liar.resolver.tlsa(domain.as_str(), 25)) {
            assert!((1..=32).contains(&records.len()));
            assert!(dane::usable(&records).len() <= records.len());
        }
    });
}

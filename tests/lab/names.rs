//! A small name server: a table of names, and what goes wrong with them. Names that are not in it do not exist.

use hickory_proto::op::{Message, MessageType, OpCode, ResponseCode};
use hickory_proto::rr::rdata::{A, AAAA, CNAME, MX, SOA, TXT};
use hickory_proto::rr::{Name, RData, Record, RecordType};
use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

#[derive(Clone, Default)]
struct Entry {
    records: Vec<RData>,
    fails: bool,
    silent: bool,
    truncated: bool,
}

type Table = Arc<Mutex<HashMap<String, Entry>>>;

pub struct Names {
    pub address: SocketAddr,
    table: Table,
    asked: Arc<AtomicUsize>,
}

impl Names {
    /// Answers over UDP and TCP on one free port of `ip`.
    pub fn start(ip: &str) -> Names {
        let (udp, tcp) = loop {
            let udp = UdpSocket::bind((ip, 0)).unwrap();
            if let Ok(tcp) = TcpListener::bind(udp.local_addr().unwrap()) {
                break (udp, tcp);
            }
        };
        let (address, table, asked) = (udp.local_addr().unwrap(), Table::default(), Arc::new(AtomicUsize::new(0)));
        let (names, counted) = (Arc::clone(&table), Arc::clone(&asked));
        std::thread::spawn(move || {
            let mut buffer = [0; 2048];
            while let Ok((length, from)) = udp.recv_from(&mut buffer) {
                counted.fetch_add(1, Ordering::SeqCst);
                if let Some(reply) = answer(&names, &buffer[..length], true) {
                    let _ = udp.send_to(&reply, from);
                }
            }
        });
        let names = Arc::clone(&table);
        std::thread::spawn(move || {
            for stream in tcp.incoming().map_while(Result::ok) {
                let _ = over_tcp(&names, stream);
            }
        });
        Names { address, table, asked }
    }

    /// Questions that came over UDP.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    pub fn mx(&self, domain: &str, hosts: &[(u16, &str)]) -> &Names {
        for (preference, host) in hosts {
            self.add(domain, RData::MX(MX::new(*preference, name(host))));
        }
        self
    }

    /// RFC 7505.
    pub fn null_mx(&self, domain: &str) -> &Names {
        self.add(domain, RData::MX(MX::new(0, Name::root())));
        self
    }

    pub fn address_of(&self, host: &str, ip: IpAddr) -> &Names {
        self.add(
            host,
            match ip {
                IpAddr::V4(ip) => RData::A(A(ip)),
                IpAddr::V6(ip) => RData::AAAA(AAAA(ip)),
            },
        );
        self
    }

    pub fn text(&self, owner: &str, text: &str) -> &Names {
        self.add(owner, RData::TXT(TXT::new(vec![text.to_owned()])));
        self
    }

    pub fn alias(&self, from: &str, to: &str) -> &Names {
        self.add(from, RData::CNAME(CNAME(name(to))));
        self
    }

    /// SERVFAIL for everything about this name.
    pub fn fails(&self, owner: &str) -> &Names {
        self.change(owner, |entry| entry.fails = true)
    }

    /// No answer at all.
    pub fn silent(&self, owner: &str) -> &Names {
        self.change(owner, |entry| entry.silent = true)
    }

    /// Complete over TCP only.
    pub fn truncated(&self, owner: &str) -> &Names {
        self.change(owner, |entry| entry.truncated = true)
    }

    /// The name exists and has nothing.
    pub fn empty(&self, owner: &str) -> &Names {
        self.change(owner, |_| {})
    }

    /// The name does not exist any more, or recovers from what was wrong with it.
    pub fn forget(&self, owner: &str) -> &Names {
        self.table.lock().unwrap().remove(&key(owner));
        self
    }

    fn add(&self, owner: &str, data: RData) {
        self.change(owner, |entry| entry.records.push(data));
    }

    fn change(&self, owner: &str, change: impl FnOnce(&mut Entry)) -> &Names {
        change(self.table.lock().unwrap().entry(key(owner)).or_default());
        self
    }
}

fn key(owner: &str) -> String {
    owner.trim_end_matches('.').to_ascii_lowercase()
}

fn name(text: &str) -> Name {
    Name::from_ascii(format!("{}.", key(text))).unwrap()
}

fn over_tcp(table: &Table, mut stream: TcpStream) -> std::io::Result<()> {
    let mut length = [0; 2];
    stream.read_exact(&mut length)?;
    let mut question = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut question)?;
    if let Some(reply) = answer(table, &question, false) {
        let length = u16::try_from(reply.len()).unwrap();
        stream.write_all(&[&length.to_be_bytes()[..], &reply].concat())?;
    }
    Ok(())
}

fn answer(table: &Table, question: &[u8], udp: bool) -> Option<Vec<u8>> {
    let question = Message::from_vec(question).ok()?;
    let query = question.queries.first()?.clone();
    let mut reply = Message::new(question.metadata.id, MessageType::Response, OpCode::Query);
    reply.metadata.recursion_available = true;
    reply.add_query(query.clone());
    let mut owner = key(&query.name().to_ascii());
    // Aliases are followed as a recursive resolver does; a loop in the table ends after eight.
    for _ in 0..8 {
        let entry = table.lock().unwrap().get(&owner).cloned();
        let Some(entry) = entry else {
            reply.metadata.response_code = ResponseCode::NXDomain;
            break;
        };
        if entry.silent {
            return None;
        }
        if entry.fails {
            reply.metadata.response_code = ResponseCode::ServFail;
        }
        reply.metadata.truncation |= udp && entry.truncated;
        match add(&mut reply, &owner, &entry, query.query_type()) {
            Some(next) => owner = next,
            None => break,
        }
    }
    if reply.answers.is_empty() {
        let soa = SOA::new(name("ns.lab"), name("h.lab"), 1, 1, 1, 1, 1);
        reply.add_authority(Record::from_rdata(name("lab"), 1, RData::SOA(soa)));
    }
    reply.to_vec().ok()
}

/// The records that fit; the next name where this one is an alias.
fn add(reply: &mut Message, owner: &str, entry: &Entry, kind: RecordType) -> Option<String> {
    let mut next = None;
    for data in &entry.records {
        if let RData::CNAME(target) = data {
            next = Some(key(&target.0.to_ascii()));
        }
        if data.record_type() == kind || next.is_some() {
            reply.add_answer(Record::from_rdata(name(owner), 1, data.clone()));
        }
    }
    next
}

//! What a reply says about a question: aliases followed, foreign records left out, everything bounded.
//!
//! Called by `lookup`. Promises: pure; only records whose names lie on the alias chain from the question count; at most 20
//! mail hosts and 16 addresses; a lifetime between a second and a day. Fails by `Reading::Bad` with a sentence for logs.

use super::{MxHost, Tlsa};
use crate::mail::Domain;
use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::rdata::MX;
use hickory_proto::rr::{DNSClass, Name, RData, Record, RecordType};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// Aliases followed for one question.
pub(super) const ALIASES: usize = 8;
const HOSTS: usize = 20;
const ADDRESSES: usize = 16;
const TLSA: usize = 32;
const TEXTS: usize = 32;
const LONGEST_TEXT: usize = 1_024;
const DAY: u32 = 86_400;
/// RFC 2308 5: one to three hours for what does not exist.
const ABSENT_AT_MOST: u32 = 3_600;

/// What is known about a question. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    Mx(Arc<[MxHost]>),
    NullMx,
    Addresses(Arc<[IpAddr]>),
    Tlsa(Arc<[Tlsa]>),
    /// Each record with its pieces joined (RFC 7208 3.3).
    Txt(Arc<[String]>),
    NoData,
    NoDomain,
    Tempfail(String),
    /// Signed, and the signatures do not hold.
    Bogus(String),
}

/// An answer, and how it came about. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub answer: Answer,
    /// A server that is believed validated all of it.
    pub secure: bool,
    /// Where the aliases led, if there were any.
    pub canonical: Option<Arc<str>>,
}

impl Found {
    /// What could not be found out.
    pub fn failed(answer: Answer) -> Found {
        Found { answer, secure: false, canonical: None }
    }
}

/// What one reply says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// With where the aliases led in this reply, and how long it holds.
    Settled(Answer, Option<Arc<str>>, Duration),
    /// The chain of aliases leaves this reply: ask for that name, with so many aliases used up.
    Alias(Name, usize),
    /// Another server may know better.
    Bad(String),
    /// No server knows better: the signatures do not hold.
    Bogus(String),
}

/// Reads a reply to the question for `kind` at `name`, after `used` aliases.
pub(super) fn read(reply: &Message, name: &Name, kind: RecordType, used: usize) -> Reading {
    let code = reply.metadata.response_code;
    if !matches!(code, ResponseCode::NoError | ResponseCode::NXDomain) {
        return Reading::Bad(format!("answered {code}"));
    }
    let (mut owner, mut used, mut ttl) = (name.clone(), used, DAY);
    // Who asks for the alias itself does not follow it.
    while let Some((target, alias_ttl)) = alias(reply, &owner).filter(|_| kind != RecordType::CNAME) {
        used += 1;
        ttl = ttl.min(alias_ttl);
        if used > ALIASES {
            return Reading::Bad(format!("more than {ALIASES} aliases"));
        }
        owner = target;
    }
    let found: Vec<&Record> = records(reply, &owner).filter(|r| r.data.record_type() == kind).collect();
    let soa = negative_ttl(reply);
    if !found.is_empty() {
        let ttl = found.iter().map(|r| seconds(r)).fold(ttl, u32::min);
        return Reading::Settled(positive(&found), canonical(name, &owner), lifetime(ttl, DAY));
    }
    let absent = lifetime(ttl.min(soa.unwrap_or(0)), ABSENT_AT_MOST);
    match code {
        ResponseCode::NXDomain => Reading::Settled(Answer::NoDomain, canonical(name, &owner), absent),
        // A pointer to other servers from one that was asked to look itself: it knows nothing.
        _ if soa.is_none() && owner == *name && is_referral(reply) => {
            Reading::Bad("only referred elsewhere".to_owned())
        }
        // Nothing says that the alias's target has no such record: this server did not follow it.
        _ if owner != *name && soa.is_none() => Reading::Alias(owner, used),
        _ => Reading::Settled(Answer::NoData, canonical(name, &owner), absent),
    }
}

/// The name that the aliases led to.
fn canonical(asked: &Name, owner: &Name) -> Option<Arc<str>> {
    (asked != owner).then(|| owner.to_ascii().trim_end_matches('.').to_ascii_lowercase().into())
}

fn records<'a>(reply: &'a Message, owner: &'a Name) -> impl Iterator<Item = &'a Record> {
    reply.answers.iter().filter(move |r| r.dns_class == DNSClass::IN && r.name == *owner)
}

fn alias(reply: &Message, owner: &Name) -> Option<(Name, u32)> {
    records(reply, owner).find_map(|record| match &record.data {
        RData::CNAME(target) => Some((target.0.clone(), seconds(record))),
        _ => None,
    })
}

/// RFC 2308 5: the smaller of the SOA record's own lifetime and its last field.
fn negative_ttl(reply: &Message) -> Option<u32> {
    reply.authorities.iter().find_map(|record| match &record.data {
        RData::SOA(soa) => Some(seconds(record).min(soa.minimum)),
        _ => None,
    })
}

fn is_referral(reply: &Message) -> bool {
    reply.authorities.iter().any(|record| record.data.record_type() == RecordType::NS)
}

/// RFC 2181 8: a lifetime with its highest bit set counts as zero.
fn seconds(record: &Record) -> u32 {
    if record.ttl > i32::MAX.unsigned_abs() { 0 } else { record.ttl }
}

fn lifetime(ttl: u32, at_most: u32) -> Duration {
    Duration::from_secs(ttl.clamp(1, at_most).into())
}

fn positive(found: &[&Record]) -> Answer {
    let mx: Vec<&MX> = found.iter().filter_map(|r| if let RData::MX(mx) = &r.data { Some(mx) } else { None }).collect();
    if !mx.is_empty() {
        return mail_hosts(&mx);
    }
    if found.iter().any(|r| matches!(r.data, RData::TLSA(_))) {
        return Answer::Tlsa(found.iter().filter_map(|r| tlsa(&r.data)).take(TLSA).collect());
    }
    if found.iter().any(|r| matches!(r.data, RData::TXT(_))) {
        return Answer::Txt(found.iter().filter_map(|r| text(&r.data)).take(TEXTS).collect());
    }
    let mut addresses: Vec<IpAddr> = found.iter().filter_map(|r| r.data.ip_addr()).take(ADDRESSES).collect();
    addresses.dedup();
    Answer::Addresses(addresses.into())
}

fn tlsa(data: &RData) -> Option<Tlsa> {
    let RData::TLSA(record) = data else { return None };
    Some(Tlsa {
        usage: record.cert_usage.into(),
        selector: record.selector.into(),
        matching: record.matching.into(),
        data: record.cert_data.clone(),
    })
}

fn text(data: &RData) -> Option<String> {
    let RData::TXT(record) = data else { return None };
    // Nothing that is looked for is so long, and what is kept is bounded.
    let octets: usize = record.txt_data.iter().map(|piece| piece.len()).sum();
    (octets <= LONGEST_TEXT).then(|| record.txt_data.iter().map(|piece| String::from_utf8_lossy(piece)).collect())
}

fn mail_hosts(records: &[&MX]) -> Answer {
    // RFC 7505 3: a null MX is the only record.
    if let [only] = records
        && only.exchange.is_root()
    {
        return Answer::NullMx;
    }
    let named = records.iter().filter_map(|mx| host_name(&mx.exchange).map(|n| (mx.preference, n)));
    let mut hosts: Vec<MxHost> = named.map(|(preference, name)| MxHost { preference, name }).collect();
    hosts.sort_by(|a, b| (a.preference, &a.name).cmp(&(b.preference, &b.name)));
    hosts.dedup();
    hosts.truncate(HOSTS);
    Answer::Mx(hosts.into())
}

/// A name that can be a host: RFC 5321 5.1 wants a domain name there, and some write an address.
fn host_name(name: &Name) -> Option<String> {
    let text = name.to_ascii();
    let domain: Domain = text.strip_suffix('.')?.parse().ok()?;
    let usable = domain.literal().is_none() && domain.as_str().parse::<IpAddr>().is_err();
    usable.then(|| domain.as_str().to_owned())
}

/// RFC 5321 5.1: hosts of the same preference in random order, to spread the load.
pub(super) fn spread(hosts: &[MxHost]) -> Vec<MxHost> {
    let mut dice = [0_u8; HOSTS];
    // Without random numbers the order is by name: load is spread worse and nothing is lost.
    let _ = aws_lc_rs::rand::fill(&mut dice);
    let mut thrown: Vec<(u16, u8, &MxHost)> = hosts.iter().zip(dice).map(|(h, d)| (h.preference, d, h)).collect();
    thrown.sort_by_key(|(preference, die, _)| (*preference, *die));
    thrown.into_iter().map(|(_, _, host)| host.clone()).collect()
}

//! The demo's own DNS: a table of names, answered over UDP on a loopback address. What is not in it does not exist.
//!
//! Called by `world`. Promises: no question leaves this machine. Fails when it cannot listen.

use hickory_proto::op::{Message, MessageType, OpCode, ResponseCode};
use hickory_proto::rr::rdata::{A, MX};
use hickory_proto::rr::{Name, RData, Record};
use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use tokio::net::UdpSocket;

/// Seconds; longer than a demo.
const LIFETIME: u32 = 300;
/// Octets of a question at most.
const QUESTION: usize = 1_232;

#[derive(Debug, Default)]
pub struct Names {
    table: HashMap<String, Vec<RData>>,
}

impl Names {
    /// `domain` takes mail at `host`, which has `address`.
    pub fn mail_host(&mut self, domain: &str, host: &str, address: Ipv4Addr) {
        if let Ok(exchange) = Name::from_ascii(format!("{host}.")) {
            self.add(domain, RData::MX(MX::new(10, exchange)));
        }
        self.add(host, RData::A(A(address)));
    }

    /// RFC 7505: `domain` takes no mail.
    pub fn no_mail(&mut self, domain: &str) {
        self.add(domain, RData::MX(MX::new(0, Name::root())));
    }

    fn add(&mut self, owner: &str, data: RData) {
        self.table.entry(owner.to_owned()).or_default().push(data);
    }

    /// Answers until the programme ends; returns where.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn serve(self, address: Ipv4Addr) -> io::Result<SocketAddr> {
        let socket = UdpSocket::bind((address, 0)).await?;
        let listening = socket.local_addr()?;
        tokio::spawn(async move {
            let mut question = [0; QUESTION];
            while let Ok((octets, from)) = socket.recv_from(&mut question).await {
                if let Some(reply) = self.answer(&question[..octets]) {
                    // Who asked will ask again.
                    let _ = socket.send_to(&reply, from).await;
                }
            }
        });
        Ok(listening)
    }

    fn answer(&self, question: &[u8]) -> Option<Vec<u8>> {
        let question = Message::from_vec(question).ok()?;
        let query = question.queries.first()?.clone();
        let owner = query.name().to_ascii().trim_end_matches('.').to_ascii_lowercase();
        let mut reply = Message::new(question.metadata.id, MessageType::Response, OpCode::Query);
        reply.metadata.recursion_available = true;
        match self.table.get(&owner) {
            None => reply.metadata.response_code = ResponseCode::NXDomain,
            Some(records) => {
                for data in records.iter().filter(|data| data.record_type() == query.query_type()) {
                    reply.add_answer(Record::from_rdata(query.name().clone(), LIFETIME, data.clone()));
                }
            }
        }
        reply.add_query(query);
        reply.to_vec().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::{AddressAnswer, Dnssec, MxAnswer, Resolver};
    use std::net::IpAddr;

    #[tokio::test]
    async fn the_gateways_own_resolver_understands_it() {
        let mut names = Names::default();
        names.mail_host("nhs.net", "mx.nhs.example", Ipv4Addr::new(127, 1, 2, 3));
        names.no_mail("closed.example");
        let resolver = Resolver::new(&[names.serve(Ipv4Addr::LOCALHOST).await.unwrap()], Dnssec::Off);
        let MxAnswer::Hosts(hosts) = resolver.mx(&"NHS.net".parse().unwrap()).await else { panic!("no hosts") };
        assert_eq!(hosts[0].name, "mx.nhs.example");
        let address: IpAddr = Ipv4Addr::new(127, 1, 2, 3).into();
        assert_eq!(resolver.addresses("mx.nhs.example").await, AddressAnswer::Found(vec![address]));
        assert_eq!(resolver.mx(&"closed.example".parse().unwrap()).await, MxAnswer::Null);
        assert_eq!(resolver.mx(&"elsewhere.example".parse().unwrap()).await, MxAnswer::NoDomain);
    }
}

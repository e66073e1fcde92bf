//! The system's resolvers, from `/etc/resolv.conf`.
//!
//! Called by `dns`. Promises: at most eight servers; with none it is the one on this machine, as resolv.conf(5) says.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

const SERVERS: usize = 8;

pub(super) fn servers() -> Vec<SocketAddr> {
    parse(&std::fs::read_to_string("/etc/resolv.conf").unwrap_or_default())
}

/// Link-local servers with a zone (`fe80::1%eth0`) are passed over.
pub(super) fn parse(text: &str) -> Vec<SocketAddr> {
    let lines = text.lines().filter_map(|line| line.trim_start().strip_prefix("nameserver"));
    let named = lines.filter(|rest| rest.starts_with([' ', '\t'])).filter_map(|rest| rest.split_whitespace().next());
    let mut servers: Vec<SocketAddr> =
        named.filter_map(|word| word.parse::<IpAddr>().ok()).map(|ip| SocketAddr::new(ip, 53)).take(SERVERS).collect();
    if servers.is_empty() {
        servers.push(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 53));
    }
    servers
}

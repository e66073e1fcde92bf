//! Which addresses can be somebody else's on the internet: names that nobody configured must not lead inside. Never fails.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether an address can be somebody else's on the internet.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(a) => {
            let inside = a.is_loopback() || a.is_private() || a.is_link_local();
            let nobody = a.is_unspecified() || a.is_broadcast() || a.is_multicast();
            // RFC 6598: shared address space behind carrier NAT
            let shared = a.octets()[0] == 100 && a.octets()[1] & 0xc0 == 64;
            !(inside || nobody || shared)
        }
        IpAddr::V6(a) if embedded(a).is_some() => embedded(a).is_some_and(|a| is_public(IpAddr::V4(a))),
        IpAddr::V6(a) => {
            let inside = a.is_loopback() || a.is_unique_local() || a.is_unicast_link_local();
            !(inside || a.is_unspecified() || a.is_multicast())
        }
    }
}

/// The IPv4 address to which a translator or tunnel leads (RFC 6052 2.1 NAT64, RFC 3056 2 6to4).
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [a, b, c, d, e, f, g, h] = address.segments();
    let of = |high: u16, low: u16| Ipv4Addr::from_bits((u32::from(high) << 16) | u32::from(low));
    match [a, b, c, d, e, f] {
        [0x64, 0xff9b, 0, 0, 0, 0] => Some(of(g, h)),
        [0x2002, ..] => Some(of(b, c)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_addresses_are_not_the_internet() {
        for inside in [
            "127.0.0.1",
            "10.1.2.3",
            "192.168.0.1",
            "169.254.1.1",
            "100.64.0.1",
            "::1",
            "fe80::1",
            "fd00::1",
            "::ffff:10.0.0.1",
            "0.0.0.0",
            "64:ff9b::10.1.2.3",
            "2002:7f00:1::1",
        ] {
            assert!(!is_public(inside.parse().unwrap()), "{inside}");
        }
        for outside in ["8.8.8.8", "100.128.0.1", "2001:4860:4860::8888", "64:ff9b::8.8.8.8", "2002:808:808::1"] {
            assert!(is_public(outside.parse().unwrap()), "{outside}");
        }
    }
}

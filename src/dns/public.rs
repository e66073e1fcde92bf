//! Which addresses can be somebody else's on the internet: names that nobody configured must not lead inside. Never fails.

use std::net::IpAddr;

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
        IpAddr::V6(a) => {
            let inside = a.is_loopback() || a.is_unique_local() || a.is_unicast_link_local();
            !(inside || a.is_unspecified() || a.is_multicast())
        }
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
        ] {
            assert!(!is_public(inside.parse().unwrap()), "{inside}");
        }
        for outside in ["8.8.8.8", "100.128.0.1", "2001:4860:4860::8888"] {
            assert!(is_public(outside.parse().unwrap()), "{outside}");
        }
    }
}

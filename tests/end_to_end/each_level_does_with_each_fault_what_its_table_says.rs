//! The table of levels, row by row against each fault of a peer: who gets the message over TLS, who in clear, and who waits for which reason.
//! (TLS 1.0 only: `interop/openssl_says_why_tls_fails`; a certificate that changed: `a_host_is_held_to_what_it_offered_before`; a stall:
//! `attacks_on_starttls_uncover_nothing`.)

use crate::lab::ca::self_signed;
use crate::lab::peers::{Behaviour, Peer, Tls};
use crate::lab::until;
use crate::world::{self, Gateway, Setup, World};

const LEVELS: [&str; 4] = ["any", "encrypted", "verified", "sealed"];

/// What becomes of an ordinary message.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fate {
    OverTls,
    InClear,
    Waits(&'static str),
}
use Fate::{InClear, OverTls, Waits};

struct Row {
    fault: &'static str,
    tls: fn(&World, &str) -> Tls,
    /// By level, in their order.
    fates: [Fate; 4],
}

const SEALED: Fate = Waits("sealing-not-possible");

const TABLE: [Row; 9] = [
    Row {
        fault: "none",
        tls: |world, host| Tls::Shows(world.ca.good(&[host])),
        fates: [OverTls, OverTls, OverTls, SEALED],
    },
    Row {
        fault: "expired",
        tls: |world, host| Tls::Shows(world.ca.expired(&[host])),
        fates: [OverTls, OverTls, Waits("certificate-expired"), SEALED],
    },
    Row {
        fault: "self-signed",
        tls: |_, host| Tls::Shows(self_signed(&[host])),
        fates: [OverTls, OverTls, Waits("certificate-self-signed"), SEALED],
    },
    Row {
        fault: "wrong-name",
        tls: |world, _| Tls::Shows(world.ca.good(&["mx.other.example"])),
        fates: [OverTls, OverTls, Waits("certificate-wrong-name"), SEALED],
    },
    Row {
        fault: "no-starttls",
        tls: |_, _| Tls::None,
        fates: [InClear, Waits("tls-not-offered"), Waits("tls-not-offered"), SEALED],
    },
    Row {
        fault: "masked",
        tls: |_, _| Tls::Masked,
        fates: [InClear, Waits("tls-masked"), Waits("tls-masked"), SEALED],
    },
    Row {
        fault: "refused",
        tls: |_, _| Tls::Refuses,
        fates: [InClear, Waits("tls-refused"), Waits("tls-refused"), SEALED],
    },
    Row {
        fault: "reset",
        tls: |_, _| Tls::ClosesAfter220,
        fates: [InClear, Waits("tls-reset"), Waits("tls-reset"), SEALED],
    },
    Row {
        fault: "injected",
        tls: |world, host| Tls::InjectsAfter220(world.ca.good(&[host])),
        // Somebody is between: not even mail of which nothing is asked goes over that.
        fates: [Waits("protocol-error"), Waits("protocol-error"), Waits("protocol-error"), SEALED],
    },
];

fn domain(level: &str, fault: &str) -> String {
    format!("{level}-{fault}.example")
}

fn policy() -> String {
    let groups = TABLE.iter().flat_map(|row| LEVELS.map(|level| domain(level, row.fault)));
    let groups: String = groups
        .map(|domain| {
            let name = domain.replace(".example", "");
            format!("[group.{name}]\ndomains = [\"{domain}\"]\nmx = [\"mx.{domain}\"]\n")
        })
        .collect();
    let rule = |level: &&str| {
        let to: Vec<String> = TABLE.iter().map(|row| format!("\"{}\"", domain(level, row.fault))).collect();
        format!(
            "[rule.{level}]\ndirection = \"outbound\"\nwhen = {{ to = [{}] }}\nrequire = \"{level}\"\nwait = \"1h\"\notherwise = \"hold\"\n",
            to.join(", ")
        )
    };
    let rules: String = LEVELS.iter().skip(1).map(rule).collect();
    format!("[policy]\nempty = true\n{groups}{rules}")
}

fn fate(gateway: &Gateway, peer: &Peer, domain: &str) -> Option<Fate> {
    if let Some(message) = peer.received().first() {
        return Some(if message.tls { OverTls } else { InClear });
    }
    let rows = gateway.queue();
    let row = rows.iter().find(|row| row["recipients"].to_string().contains(domain))?;
    let reason = row["reason"].as_str()?;
    let known = TABLE.iter().flat_map(|row| row.fates).find(|fate| matches!(fate, Waits(known) if *known == reason));
    known.filter(|_| row["state"] != "active")
}

#[test]
fn the_table_of_levels_holds_for_each_fault() {
    let world = World::new(232);
    let cases = TABLE.iter().flat_map(|row| LEVELS.iter().zip(row.fates).map(move |(level, fate)| (row, *level, fate)));
    let cases: Vec<(String, Peer, Fate)> = cases
        .zip(40..)
        .map(|((row, level, fate), host)| {
            let domain = domain(level, row.fault);
            let tls = (row.tls)(&world, &format!("mx.{domain}"));
            let peer = world.mx(host, &domain, Behaviour { tls, ..Behaviour::default() });
            (domain, peer, fate)
        })
        .collect();
    let policy = policy();
    let gateway = world.gateway(&Setup { policy: &policy, ..Setup::default() });
    for (domain, _, _) in &cases {
        gateway.send(&[&format!("b@{domain}")], &world::ordinary("car park"));
    }
    for (domain, peer, expected) in &cases {
        let found = until(|| fate(&gateway, peer, domain));
        assert_eq!(found, Some(*expected), "{domain}: {:?}", gateway.queue());
    }
}

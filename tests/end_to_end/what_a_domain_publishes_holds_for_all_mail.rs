//! TLSA records in signed names, by a real validating resolver: what they prove, what they forbid, and when nobody believes them.

use crate::lab::ca::{Leaf, self_signed};
use crate::lab::peers::{Behaviour, Peer, Tls};
use crate::lab::signed::{Kind, SignedNames, Zone};
use crate::lab::skipped;
use crate::world::{self, Gateway, POLICY, SECRET, Setup, World};

const LINE: &str = "The car park is closed";

/// A world whose names are signed.
struct Signed {
    world: World,
    names: SignedNames,
}

/// One domain in `zone`, with a mail host that has this record.
fn domain(world: &World, zone: &str, host: u8, tlsa: &str) -> String {
    let port = world.port();
    let keys = if tlsa.is_empty() { String::new() } else { format!("_{port}._tcp.mx.d{host}.{zone}. TLSA {tlsa}\n") };
    format!("d{host}.{zone}. MX 10 mx.d{host}.{zone}.\nmx.d{host}.{zone}. A {}\n{keys}", world.ip(host))
}

fn start(test: &str, number: u8, zones: impl Fn(&World) -> Vec<Zone<'static>>) -> Option<Signed> {
    let world = World::new(number);
    match SignedNames::start(&format!("127.30.{number}.2"), &zones(&world)) {
        Ok(names) => Some(Signed { world, names }),
        Err(absent) => {
            skipped(test, &absent.0);
            None
        }
    }
}

/// A world with one signed zone.
fn signed(test: &str, number: u8, records: impl Fn(&World) -> String) -> Option<Signed> {
    start(test, number, |world| vec![Zone { name: "signed", kind: Kind::Signed, records: records(world) }])
}

impl Signed {
    fn peer(&self, host: u8, zone: &str, tls: Tls) -> Peer {
        self.world.peer(host, &format!("mx.d{host}.{zone}"), Behaviour { tls, ..Behaviour::default() })
    }

    fn gateway(&self, policy: &str) -> Gateway {
        let dns = format!("servers = [\"{}\"]", self.names.address);
        self.world.gateway(&Setup { policy, dns: &dns, ..Setup::default() })
    }

    fn nothing_is_seen(&self) {
        assert_eq!(self.world.wire.sightings(&[SECRET, LINE]), []);
    }
}

fn own_key(leaf: &Leaf) -> String {
    format!("3 1 1 {}", leaf.key_digest())
}

#[test]
fn a_published_key_proves_a_host_whatever_its_certificate_says() {
    let leaf = self_signed(&["elsewhere.example"]);
    let records = |world: &World| domain(world, "signed", 10, &own_key(&leaf));
    let Some(signed) = signed("a_published_key_proves_a_host_whatever_its_certificate_says", 160, records) else {
        return;
    };
    let peer = signed.peer(10, "signed", Tls::Shows(leaf.clone()));
    let gateway = signed.gateway(POLICY);
    let id = gateway.send(&["b@d10.signed"], &world::clinical("letter"));
    assert!(peer.wait_for(1)[0].tls);
    gateway.wait_until_empty();
    let life = gateway.json(&["trace", "--json", &id]);
    let ending = &life[0]["endings"][0];
    assert_eq!((&ending["proof"], &ending["reached"]), (&"dane".into(), &"verified".into()), "{life}");
    assert_eq!(gateway.metric("mailward_dnssec_self_test{result=\"secure\"}"), 1.0);
    assert!(gateway.metric("mailward_dns_lookups_total{kind=\"tlsa\",result=\"secure\"}") >= 1.0);
    signed.nothing_is_seen();
}

#[test]
fn a_key_that_is_not_the_published_one_gets_no_mail_until_an_exception_says_so() {
    let (leaf, other) = (self_signed(&["mx.d10.signed"]), self_signed(&["mx.d10.signed"]));
    let records = |world: &World| domain(world, "signed", 10, &own_key(&other));
    let name = "a_key_that_is_not_the_published_one_gets_no_mail_until_an_exception_says_so";
    let Some(signed) = signed(name, 161, records) else { return };
    let peer = signed.peer(10, "signed", Tls::Shows(leaf));
    let mut gateway = signed.gateway(POLICY);
    gateway.send(&["b@d10.signed"], &world::ordinary("car park"));
    let row = gateway.waits_for("tlsa-mismatch");
    assert_eq!((&row["require"], &row["state"]), (&"any".into(), &"deferred".into()));
    assert_eq!(peer.received().len(), 0);
    let exception = "[exception.new-key]\nrules = [\"published\"]\nwhen = { to = [\"d10.signed\"] }\nrequire = \"encrypted\"\n\
                     until = 2037-01-05\nreason = \"They forgot the record\"\napproved-by = \"Caldicott Guardian\"\n";
    gateway.restart_with("exceptions.toml", exception);
    assert!(gateway.cli(&["queue", "retry", "--yes"]).status.success());
    let got = peer.wait_for(1);
    assert!(got[0].tls && got[0].text().contains(LINE));
    signed.nothing_is_seen();
}

#[test]
fn a_host_that_publishes_keys_is_never_spoken_to_in_clear() {
    let leaf = self_signed(&["mx.d10.signed"]);
    let unusable = format!("1 1 1 {}", leaf.key_digest());
    let records = |world: &World| {
        [
            domain(world, "signed", 10, &own_key(&leaf)),
            domain(world, "signed", 11, &unusable),
            domain(world, "signed", 12, &unusable),
        ]
        .concat()
    };
    let Some(signed) = signed("a_host_that_publishes_keys_is_never_spoken_to_in_clear", 162, records) else { return };
    let (stripped, plain) = (signed.peer(10, "signed", Tls::Masked), signed.peer(11, "signed", Tls::None));
    let encrypted = signed.peer(12, "signed", Tls::Shows(self_signed(&["anything"])));
    let gateway = signed.gateway(POLICY);
    for (to, reason) in [("b@d10.signed", "tls-masked"), ("b@d11.signed", "tls-not-offered")] {
        gateway.send(&[to], &world::ordinary("car park"));
        assert_eq!(gateway.waits_for(reason)["require"], "any");
    }
    gateway.send(&["b@d12.signed"], &world::ordinary("car park"));
    assert!(encrypted.wait_for(1)[0].tls, "records that nobody can use ask for TLS alone");
    gateway.send(&["b@d12.signed"], &world::clinical("letter"));
    gateway.waits_for("no-proof-source");
    assert_eq!((stripped.received().len(), plain.received().len(), encrypted.received().len()), (0, 0, 1));
    signed.nothing_is_seen();
}

#[test]
fn names_that_are_signed_wrongly_get_no_mail() {
    let leaf = self_signed(&["mx"]);
    let zone =
        |name, kind, world: &World, host| Zone { name, kind, records: domain(world, name, host, &own_key(&leaf)) };
    let zones =
        |world: &World| vec![zone("forged", Kind::Forged, world, 10), zone("expired", Kind::Expired, world, 11)];
    let Some(signed) = start("names_that_are_signed_wrongly_get_no_mail", 163, zones) else { return };
    let peers =
        [signed.peer(10, "forged", Tls::Shows(leaf.clone())), signed.peer(11, "expired", Tls::Shows(leaf.clone()))];
    let gateway = signed.gateway(POLICY);
    for to in ["b@d10.forged", "b@d11.expired"] {
        let id = gateway.send(&[to], &world::ordinary("car park"));
        let waits = crate::lab::until(|| {
            gateway.queue().into_iter().find(|row| row["id"] == id.as_str() && row["reason"] == "dns-bogus")
        });
        assert!(waits.is_some(), "{to}: {:?}", gateway.queue());
    }
    assert!(peers.iter().all(|peer| peer.received().is_empty()));
    assert!(gateway.metric("mailward_dns_lookups_total{kind=\"mx\",result=\"bogus\"}") >= 2.0);
}

#[test]
fn keys_behind_unsigned_names_are_nobodys_word() {
    let (leaf, other) = (self_signed(&["mx"]), self_signed(&["mx"]));
    let zones = |world: &World| {
        let unsigned = domain(world, "unsigned", 10, &own_key(&other));
        // Its mail host has keys, and is named by names that anybody can forge.
        let elsewhere = "d12.unsigned. MX 10 mx.d11.signed.\n";
        vec![
            Zone { name: "unsigned", kind: Kind::Unsigned, records: unsigned + elsewhere },
            Zone { name: "signed", kind: Kind::Signed, records: domain(world, "signed", 11, &own_key(&leaf)) },
        ]
    };
    let Some(signed) = start("keys_behind_unsigned_names_are_nobodys_word", 164, zones) else { return };
    let peers =
        [signed.peer(10, "unsigned", Tls::Shows(leaf.clone())), signed.peer(11, "signed", Tls::Shows(leaf.clone()))];
    let gateway = signed.gateway(POLICY);
    for (to, peer) in ["b@d10.unsigned", "b@d12.unsigned"].into_iter().zip(&peers) {
        gateway.send(&[to], &world::ordinary("car park"));
        assert!(peer.wait_for(1)[0].tls);
        let id = gateway.send(&[to], &world::clinical("letter"));
        let waits = crate::lab::until(|| {
            gateway.queue().into_iter().find(|row| row["id"] == id.as_str() && row["reason"] == "no-proof-source")
        });
        assert!(waits.is_some(), "{to}: {:?}", gateway.queue());
        assert_eq!(peer.received().len(), 1);
    }
}

#[test]
fn a_resolver_that_does_not_validate_is_one_alarm_and_keeps_what_needs_proof_waiting() {
    let world = World::new(165);
    let peer =
        world.mx(10, "other.example", Behaviour { tls: Tls::Shows(self_signed(&["mx"])), ..Behaviour::default() });
    // The world's own names believe nobody and sign nothing, and are on this machine.
    let dns = format!("servers = [\"{}\"]", world.names.address);
    let gateway = world.gateway(&Setup { dns: &dns, ..Setup::default() });
    let failed = || (gateway.metric("mailward_dnssec_self_test{result=\"failed\"}") == 1.0).then_some(());
    crate::lab::until(failed).expect("the self-test fails");
    gateway.send(&["b@other.example"], &world::clinical("letter"));
    gateway.waits_for("dnssec-not-validated");
    gateway.send(&["b@other.example"], &world::ordinary("car park"));
    assert!(peer.wait_for(1)[0].text().contains(LINE), "the rest flows");
    let alarms = gateway.log().lines().filter(|line| line.contains("the resolver does not validate")).count();
    assert_eq!(alarms, 1, "{}", gateway.log());
}

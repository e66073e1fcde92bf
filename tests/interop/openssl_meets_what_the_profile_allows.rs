//! `[tls] profile`, with OpenSSL on the other side: what is spoken, what is not, and what that costs.

use crate::lab::ca::self_signed;
use crate::lab::openssl::asked;
use crate::lab::peers::{Behaviour, Tls};
use crate::programme::version;
use crate::world::{self, NUMBER, SECRET, Setup, World};

/// Words for `s_client`; whether `compat` and `strict` take them.
const OFFERS: [(&[&str], bool, bool); 6] = [
    (&["-tls1_3"], true, true),
    (&["-tls1_2"], true, false),
    (&["-tls1_2", "-cipher", "ECDHE-ECDSA-CHACHA20-POLY1305"], true, false),
    // RFC 9325 4.1: no key exchange without forward secrecy; no CBC.
    (&["-tls1_2", "-cipher", "AES128-GCM-SHA256"], false, false),
    (&["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA256"], false, false),
    // RFC 8996.
    (&["-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"], false, false),
];

#[test]
fn a_client_is_served_by_what_the_profile_allows() {
    if version("a_client_is_served_by_what_the_profile_allows", "openssl", &["openssl", "version"]).is_none() {
        return;
    }
    let world = World::new(206);
    let compat = world.gateway(&Setup::default());
    let strict = strict(&world);
    for (words, by_compat, by_strict) in OFFERS {
        for (gateway, served) in [(&compat, by_compat), (&strict, by_strict)] {
            let said = asked(gateway.internet, words);
            assert_eq!(said.contains("CONNECTION ESTABLISHED"), served, "{words:?}: {said}");
        }
    }
}

#[test]
fn strict_sends_nothing_that_must_be_protected_by_an_older_version_and_uncovers_nothing_for_it() {
    let world = World::new(207);
    let old = Behaviour { tls: Tls::ShowsOld(self_signed(&["mx.old.example"])), ..Behaviour::default() };
    let peer = world.mx(10, "old.example", old);
    let gateway = strict(&world);
    // Mail of which nothing is asked goes by TLS 1.2: that is more than clear text.
    gateway.send(&["a@old.example"], &world::ordinary("car park"));
    assert!(peer.wait_for(1)[0].tls);
    assert_eq!(gateway.metric("mailward_cleartext_after_failed_tls_total"), 0.0);
    gateway.send(&["b@old.example"], &world::clinical("letter"));
    gateway.waits_for("tls-version-too-old");
    assert_eq!(peer.received().len(), 1);
    let told = gateway.json(&["probe", "--json", "old.example"]);
    assert_eq!(told["hosts"][0]["reason"], "tls-version-too-old", "a probe speaks as delivery does: {told}");
    assert_eq!(world.wire.sightings(&[NUMBER, SECRET, "car park is closed"]), []);
}

/// A gateway with the profile `strict`.
fn strict(world: &World) -> world::Gateway {
    let mut gateway = world.prepared(&Setup::default());
    let written = std::fs::read_to_string(gateway.config()).unwrap();
    std::fs::write(gateway.config(), written.replace("[tls]\n", "[tls]\nprofile = \"strict\"\n")).unwrap();
    gateway.start();
    gateway
}

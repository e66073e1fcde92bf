//! Servers whose TLS is too old, has no cipher of ours, or breaks off, by OpenSSL and by Postfix: the gateway says which it is, asks once,
//! and sends nothing over what it finds.

use crate::lab::ca::self_signed;
use crate::lab::openssl::Server;
use crate::lab::peers::{Behaviour, Peer, Tls};
use crate::lab::postfix::{Absent, Postfix, Setup as PostfixSetup};
use crate::lab::skipped;
use crate::programme::version;
use crate::world::{self, Gateway, NUMBER, SECRET, Setup, World};

const DOMAIN: &str = "partner.example";

/// Clinical mail for a peer that behaves so waits for `reason`, and a probe says the same.
fn waits(world: &World, tls: Tls, reason: &str) -> (Gateway, Peer) {
    let peer = world.mx(10, DOMAIN, Behaviour { tls, ..Behaviour::default() });
    let gateway = world.gateway(&Setup { more: "[queue]\nretry = [\"1h\"]", ..Setup::default() });
    gateway.send(&[&format!("b@{DOMAIN}")], &world::clinical("letter"));
    let row = gateway.waits_for(reason);
    let shown = String::from_utf8(gateway.cli(&["queue", "show", row["id"].as_str().unwrap()]).stdout).unwrap();
    assert!(shown.contains(reason), "it is kept with the entry: {shown}");
    let counted = format!(
        "mailward_link_attempts_total{{direction=\"outbound\",level=\"verified\",reason=\"{reason}\",result=\"failed\"}}"
    );
    assert_eq!(gateway.metric(&counted), 1.0);
    let sessions = peer.sessions();
    gateway.cli(&["queue", "retry", "--yes"]);
    crate::lab::until(|| (gateway.metric(&counted) == 2.0).then_some(())).expect("the same again");
    assert_eq!(peer.sessions(), sessions + 1, "nobody looks a second time");
    let told = gateway.json(&["probe", "--json", DOMAIN]);
    assert_eq!(told["hosts"][0]["reason"], reason, "{told}");
    assert_eq!(peer.received().len(), 0);
    assert_eq!(world.wire.sightings(&[NUMBER, SECRET]), []);
    (gateway, peer)
}

#[test]
fn a_version_that_is_too_old_and_a_cipher_that_is_not_ours_are_told() {
    let test = "a_version_that_is_too_old_and_a_cipher_that_is_not_ours_are_told";
    if version(test, "openssl", &["openssl", "version"]).is_none() {
        return;
    }
    let leaf = self_signed(&["mx.partner.example"]);
    for (number, words, reason) in [
        (208, &["-tls1", "-cipher", "DEFAULT@SECLEVEL=0"][..], "tls-version-too-old"),
        (209, &["-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"], "tls-version-too-old"),
        (210, &["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA"], "tls-no-common-cipher"),
    ] {
        let world = World::new(number);
        let server = Server::start(&world.ip(50).to_string(), &leaf, words);
        waits(&world, Tls::Hands(server.address), reason);
    }
}

#[test]
fn a_connection_that_is_reset_is_told_and_ordinary_mail_goes_without_tls_after_two_trials() {
    let world = World::new(211);
    let (gateway, peer) = waits(&world, Tls::ResetsAfter220, "tls-reset");
    gateway.send(&["a@partner.example"], &world::ordinary("car park"));
    assert!(!peer.wait_for(1)[0].tls);
    let counted = || gateway.metric("mailward_cleartext_after_failed_tls_total");
    assert!(crate::lab::until(|| (counted() == 1.0).then_some(())).is_some());
    assert_eq!(world.wire.sightings(&[NUMBER, SECRET]), []);
}

#[test]
fn a_postfix_of_long_ago_is_called_that() {
    let test = "a_postfix_of_long_ago_is_called_that";
    let world = World::new(212);
    let leaf = self_signed(&["mx.partner.example"]);
    world.names.mx(DOMAIN, &[(10, "mx.partner.example")]).address_of("mx.partner.example", world.ip(10));
    let listen = std::net::SocketAddr::new(world.ip(10), world.port());
    let setup =
        PostfixSetup { listen, hostname: "mx.partner.example", domains: &[DOMAIN], relay: None, leaf: Some(&leaf) };
    let more = "smtpd_tls_protocols = TLSv1\nsmtpd_tls_mandatory_protocols = TLSv1\n\
                tls_high_cipherlist = DEFAULT@SECLEVEL=0\ntls_medium_cipherlist = DEFAULT@SECLEVEL=0\n";
    let postfix = match Postfix::start_with(&setup, more) {
        Ok(postfix) => postfix,
        Err(Absent(why)) => return skipped(test, &why),
    };
    let gateway = world.gateway(&Setup::default());
    gateway.send(&[&format!("b@{DOMAIN}")], &world::clinical("letter"));
    gateway.waits_for("tls-version-too-old");
    assert_eq!(postfix.mailbox().len(), 0, "{}", postfix.log());
}

#[test]
fn names_that_were_in_a_certificate_instead_are_told() {
    let world = World::new(213);
    let leaf = world.ca.good(&["mail.elsewhere.example", "www.elsewhere.example"]);
    let _peer = world.mx(10, DOMAIN, Behaviour { tls: Tls::Shows(leaf), ..Behaviour::default() });
    let gateway = world.gateway(&Setup::default());
    gateway.send(&[&format!("b@{DOMAIN}")], &world::clinical("letter"));
    let id = gateway.waits_for("certificate-wrong-name")["id"].as_str().unwrap().to_owned();
    for words in [["queue", "show"], ["trace", ""], ["probe", ""]] {
        let about = if words[0] == "probe" { DOMAIN } else { &id };
        let words: Vec<&str> = words.into_iter().chain([about]).filter(|word| !word.is_empty()).collect();
        let text = String::from_utf8(gateway.cli(&words).stdout).unwrap();
        assert!(text.contains("mail.elsewhere.example") && text.contains("www.elsewhere.example"), "{text}");
    }
}

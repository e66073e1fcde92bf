//! A relay that takes mail only after AUTH: by PLAIN, by LOGIN, only inside TLS; a refused login waits and is ours to mend.

use crate::lab::peers::{Behaviour, Peer, Tls};
use crate::lab::until;
use crate::world::{self, Gateway, Setup, World};
use std::os::unix::fs::PermissionsExt;

const PASSWORD: &str = "open-sesame-9";
const LOGIN: Option<(&str, &str)> = Some(("trust", PASSWORD));

/// A hub that takes all outbound mail, and a gateway that knows `password`.
fn hub(world: &World, host: u8, behaviour: Behaviour, password: &str) -> (Peer, Gateway) {
    let peer = world.peer(host, "hub.example", behaviour);
    let more = format!(
        "[queue]\nretry = [\"1h\"]\n[relay.hub]\nhosts = [\"{}:{}\"]\nrequire = \"encrypted\"\n\
         auth = {{ user = \"trust\", password-file = \"hub.secret\" }}",
        world.ip(host),
        world.port
    );
    let prepared = world.prepared(&Setup { more: &more, deliver: "smarthost = \"relay:hub\"", ..Setup::default() });
    let file = prepared.folder.path().join("hub.secret");
    std::fs::write(&file, format!("{password}\n")).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    (peer, prepared.started())
}

fn tls(world: &World) -> Tls {
    Tls::Shows(world.ca.good(&["hub.example"]))
}

fn accepted_by(host: u8, offer: &'static str) {
    let world = World::new(109);
    let behaviour = Behaviour { tls: tls(&world), login: LOGIN, offers: vec![offer], ..Behaviour::default() };
    let (peer, gateway) = hub(&world, host, behaviour, PASSWORD);
    gateway.send(&["a@far.example"], &world::ordinary("by the hub"));
    assert!(peer.wait_for(1)[0].tls);
    gateway.wait_until_empty();
    assert!(!gateway.log().contains(PASSWORD));
}

#[test]
fn plain_is_said() {
    accepted_by(30, "AUTH LOGIN PLAIN");
}

#[test]
fn login_is_said_where_plain_is_not_offered() {
    accepted_by(31, "AUTH CRAM-MD5 LOGIN");
}

#[test]
fn a_wrong_password_waits_and_is_named() {
    let world = World::new(109);
    let behaviour = Behaviour { tls: tls(&world), login: LOGIN, offers: vec!["AUTH PLAIN"], ..Behaviour::default() };
    let (peer, gateway) = hub(&world, 32, behaviour, "another-one-1");
    gateway.send(&["a@far.example"], &world::ordinary("by the hub"));
    gateway.waits_for("login-refused");
    assert_eq!(peer.dots(), 0);
    assert!(until(|| gateway.log().contains("does not take our login").then_some(())).is_some());
    assert!(!gateway.log().contains("another-one-1"));
}

#[test]
fn a_hub_without_tls_hears_no_password() {
    let world = World::new(109);
    let behaviour = Behaviour { login: LOGIN, offers: vec!["AUTH PLAIN LOGIN"], ..Behaviour::default() };
    let (peer, gateway) = hub(&world, 33, behaviour, PASSWORD);
    gateway.send(&["a@far.example"], &world::ordinary("by the hub"));
    gateway.waits_for("tls-not-offered");
    assert_eq!(peer.dots(), 0);
    assert!(world.wire.captures().iter().all(|c| memchr::memmem::find(&c.from_client, b"AUTH").is_none()));
    assert_eq!(world.wire.sightings(&[PASSWORD]), []);
}

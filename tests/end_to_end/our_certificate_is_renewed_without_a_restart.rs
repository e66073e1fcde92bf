//! Our certificate's files are replaced while the gateway runs: new sessions get the new one, open ones go on, and a pair that does not
//! belong together changes nothing.

use crate::lab::ca::{Leaf, self_signed};
use crate::lab::until;
use crate::world::{self, DOCTOR, Gateway, Setup, World};
use std::fs;
use std::path::Path;

fn put(folder: &Path, certificate: &Leaf, key: &Leaf) {
    for (name, text) in [("own.key", &key.key), ("own.pem", &certificate.certificate)] {
        fs::write(folder.join("new"), text).unwrap();
        fs::rename(folder.join("new"), folder.join(name)).unwrap();
    }
}

/// The certificate that a new session is shown.
fn shown(gateway: &Gateway) -> Vec<u8> {
    gateway.session().certificate().unwrap()
}

#[test]
fn new_sessions_get_the_new_certificate_and_open_ones_go_on() {
    let world = World::new(183);
    let peer = world.mx(10, "partner.example", Default::default());
    let files = tempfile::tempdir().unwrap();
    let (old, new, other) =
        (self_signed(&["gw.trust.example"]), self_signed(&["gw.trust.example"]), self_signed(&["x"]));
    put(files.path(), &old, &old);
    let path = |name: &str| files.path().join(name).display().to_string();
    let tls = format!("certificate = \"{}\"\nkey = \"{}\"\n", path("own.pem"), path("own.key"));
    let mut gateway = world.prepared(&Setup::default());
    let config = fs::read_to_string(gateway.config()).unwrap().replace("[tls]\n", &format!("[tls]\n{tls}"));
    fs::write(gateway.config(), config).unwrap();
    gateway.start();
    let mut open = gateway.session();
    assert_eq!(shown(&gateway), old.chain()[0].as_ref());

    put(files.path(), &new, &other);
    until(|| gateway.log().contains("our certificate was changed and cannot be used").then_some(()))
        .expect("it is said");
    assert_eq!(shown(&gateway), old.chain()[0].as_ref(), "the one before stays");

    put(files.path(), &new, &new);
    until(|| (shown(&gateway) == new.chain()[0].as_ref()).then_some(())).expect("the new one is taken");
    let reply = open.send(DOCTOR, &["b@partner.example"], world::ordinary("car park").as_bytes()).unwrap();
    assert_eq!(reply.code, 250, "the open session goes on");
    peer.wait_for(1);
}

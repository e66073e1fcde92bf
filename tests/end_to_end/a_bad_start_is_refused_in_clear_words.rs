//! What is wrong with gateway.toml, the folder or an address is said before anything listens: exit 1 and a sentence.

use crate::world::{Setup, World};
use std::process::Output;

fn refused(output: &Output, words: &[&str]) {
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{text}");
    for word in words {
        assert!(text.contains(word), "{word} is not in\n{text}");
    }
    assert!(!text.contains("panicked"), "{text}");
}

#[test]
fn an_unknown_key_in_gateway_toml_and_one_of_a_later_version() {
    let world = World::new(58);
    let gateway = world.prepared(&Setup {
        deliver: "smarthorse = \"relay:upstream\"",
        more: "[seal]\nopenpgp = \"keys\"",
        ..Setup::default()
    });
    refused(&gateway.refused(), &["gateway.toml:", "smarthorse", "smarthost", "seal", "not in this version"]);
}

#[test]
fn a_second_gateway_on_the_same_data() {
    let world = World::new(59);
    let gateway = world.gateway(&Setup::default());
    refused(&gateway.refused(), &["data"]);
    assert_eq!(gateway.get("/healthz").unwrap().0, 200, "the first one goes on");
    assert_eq!(gateway.json(&["status", "--json"])["running"], true, "and is still asked");
}

#[test]
fn an_address_that_is_taken() {
    let world = World::new(60);
    let gateway = world.prepared(&Setup::default());
    let _taken = std::net::TcpListener::bind(gateway.door).unwrap();
    refused(&gateway.refused(), &["[listen.exchange]", "cannot listen on", "hint"]);
}

//! What is wrong with the files or the folder is said before anything listens: exit 1 and a sentence.

use crate::world::{POLICY, Setup, World};
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
fn a_policy_that_fails_its_own_tests() {
    let world = World::new(56);
    let policy = POLICY.to_owned()
        + r#"
[tests]
at = 2026-12-01
[test.letters-go-anywhere]
from = "dr.jones@trust.example"
to = "b@partner.example"
subject = "letter"
body = "NHS number 943 476 5919"
expect = { require = "any", fate = "send" }
"#;
    let gateway = world.prepared(&Setup { policy: &policy, ..Setup::default() });
    refused(&gateway.refused(), &["letters-go-anywhere", "verified", "not put into force"]);
    assert!(std::net::TcpStream::connect(gateway.door).is_err());
}

#[test]
fn a_mistake_in_a_policy_file() {
    let world = World::new(57);
    let policy = POLICY.replace("require = \"verified\"", "requires = \"verified\"");
    let gateway = world.prepared(&Setup { policy: &policy, ..Setup::default() });
    refused(&gateway.refused(), &["policy.toml:", "requires", "hint"]);
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

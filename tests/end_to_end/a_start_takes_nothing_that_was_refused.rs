//! What was refused or has not been accepted is not in force because of a restart, or it is said until a person accepts it.

use crate::world::{DOCTOR, Gateway, Setup, World};
use std::fs;

fn said(gateway: &Gateway, command: &[&str]) -> (bool, String) {
    let output = gateway.cli(command);
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    (output.status.success(), text)
}

fn edit(gateway: &Gateway, typed: &str, instead: &str) {
    let text = fs::read_to_string(gateway.config()).unwrap();
    assert!(text.contains(typed), "{typed} is not in\n{text}");
    fs::write(gateway.config(), text.replacen(typed, instead, 1)).unwrap();
}

fn restart(gateway: &mut Gateway) {
    gateway.terminate();
    assert!(gateway.wait_for_end().success());
    gateway.start();
}

#[test]
fn what_was_refused_is_not_in_force_where_the_policy_before_it_no_longer_fits() {
    let world = World::new(221);
    let mut gateway = world.gateway(&Setup::default());
    gateway.policy_file("policy.toml", "[policy]\nempty = true\n");
    let (taken, text) = said(&gateway, &["reload"]);
    assert!(!taken && text.contains("is gone"), "{text}");

    // What was in force may keep mail waiting, and there is nobody any more who would be told.
    edit(&gateway, "duty = \"duty@trust.example\"\n", "");
    restart(&mut gateway);
    assert!(gateway.json(&["status", "--json"])["policy_hash"].is_null());
    assert!(gateway.log().contains("lowers and was not accepted"), "{}", gateway.log());
    assert_eq!(gateway.session().say(&format!("MAIL FROM:<{DOCTOR}>")).unwrap().code, 451);
    let (taken, text) = said(&gateway, &["reload"]);
    assert!(!taken && text.contains("what it lowers cannot be shown") && text.contains("--accept-lowering"), "{text}");
    assert!(gateway.json(&["status", "--json"])["policy_hash"].is_null());

    let (taken, text) = said(&gateway, &["reload", "--accept-lowering", "nothing is asked, IG-12", "--by", "J. Smith"]);
    assert!(taken && text.contains("(was none)"), "{text}");
    assert_eq!(gateway.session().say(&format!("MAIL FROM:<{DOCTOR}>")).unwrap().code, 250);
}

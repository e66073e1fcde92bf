//! What a policy would have done to the mail of the last days is told before it is in force: by `replay`, and where it lowers by `reload`.

use crate::world::{self, POLICY, Setup, World};
use serde_json::Value;
use std::fs;

const RULES: &str = r#"
[rule.agendas]
direction = "outbound"
when = { subject-tag = ["agenda"] }
require = "encrypted"
[rule.the-doctor]
direction = "outbound"
when = { from = ["dr.jones@trust.example"], not-to = ["partner.example"], recipients-over = 1 }
require = "encrypted"
"#;

/// Nobody asks for agendas any more; the doctor's mail is asked for more, and so is mail with words that nobody looked at.
const CHANGED: &str = r#"
[rule.the-doctor]
direction = "outbound"
when = { from = ["dr.jones@trust.example"], not-to = ["partner.example"], recipients-over = 1 }
require = "verified"
[rule.minutes]
direction = "outbound"
when = { subject-tag = ["minutes"] }
refuse = "No minutes"
"#;

#[test]
fn what_changes_is_told_by_rule_domain_and_fate_with_examples() {
    let world = World::new(152);
    let (plain, partner) =
        (world.mx(10, "plain.example", Default::default()), world.mx(11, "partner.example", Default::default()));
    let gateway = world.gateway(&Setup { policy: &format!("{POLICY}{RULES}"), ..Setup::default() });
    gateway.send(&["a@plain.example"], &world::ordinary("car park"));
    let two = gateway.send(&["a@plain.example", "b@plain.example"], &world::ordinary("car park"));
    plain.wait_for(1);
    let agenda = gateway.send(&["a@partner.example"], &world::ordinary("agenda"));
    gateway.send(&["a@partner.example"], &world::ordinary("minutes"));
    partner.wait_for(1);

    let folder = tempfile::tempdir().unwrap();
    let other = folder.path();
    fs::write(other.join("policy.toml"), format!("{POLICY}{CHANGED}")).unwrap();
    let output = gateway.cli(&["replay", "--json", "--against", other.to_str().unwrap()]);
    let told: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    assert_eq!([&told["decided"], &told["changed"], &told["lowered"], &told["not_kept"]], [5, 3, 1, 0], "{told}");
    assert_eq!(told["by_rule"]["the-doctor"]["more"], 2, "{told}");
    assert_eq!(told["by_rule"]["agendas"]["less"], 1, "{told}");
    assert_eq!(told["by_domain"][0], serde_json::json!(["plain.example", 2]));
    assert_eq!(told["not_known"]["minutes"], 5, "nobody looked at that word then");
    assert_eq!(
        (&told["changes"][0]["was"]["require"], &told["changes"][0]["now"]["require"]),
        (&"encrypted".into(), &"verified".into())
    );
    assert_eq!(
        (&told["changes"][0]["examples"][0], &told["changes"][1]["examples"][0]),
        (&two.into(), &agenda.clone().into())
    );

    // By its id a message is explained as it was decided, and as it would be now.
    let explained = gateway.json(&["explain", "--json", "--entry", &agenda]);
    assert_eq!(explained["recipients"][0]["decided_by"]["require"], "agendas", "{explained}");
    assert_eq!(explained["decided"]["recipients"][0]["require"], "encrypted", "{explained}");
    let text = String::from_utf8(gateway.cli(&["explain", "--entry", &agenda]).stdout).unwrap();
    assert!(text.starts_with("decided ") && text.contains("the policy below") && text.contains("by agendas"), "{text}");
    let unknown = gateway.cli(&["explain", "--entry", "000000000001A"]);
    assert!(!unknown.status.success(), "{unknown:?}");

    let text = String::from_utf8(gateway.cli(&["replay", "--against", other.to_str().unwrap()]).stdout).unwrap();
    assert!(text.starts_with("5 recipients of the last 7d decided anew: 3 changed, 1 of them asked less"), "{text}");

    gateway.policy_file("policy.toml", &format!("{POLICY}{CHANGED}"));
    let refused = gateway.cli(&["reload"]);
    let why = String::from_utf8(refused.stderr).unwrap();
    assert!(!refused.status.success() && why.contains("rule `agendas`"), "{why}");
    assert!(
        why.contains(&format!("1 recipients would have any (send) in place of encrypted (send), such as {agenda}")),
        "{why}"
    );
}

//! `mailward list import` as an operator runs it.

#![allow(clippy::unwrap_used)]

use assert_cmd::Command;
use std::fs;
use std::path::Path;

const POLICY: &str = "[policy]\nempty = true\n[group.accredited]\nlist = \"lists/dcb1596.csv\"\n\
                      [rule.r]\ndirection = \"outbound\"\nwhen = { to = [\"@accredited\"] }\nrequire = \"encrypted\"\n";

fn import(folder: &Path, file: &str, more: &[&str]) -> (Option<i32>, String) {
    fs::write(folder.join("newer.csv"), file).unwrap();
    let mut command = Command::cargo_bin("mailward").unwrap();
    command.current_dir(folder).args(["list", "import", "newer.csv", "--as", "lists/dcb1596.csv", "--by", "J. Smith"]);
    let output = command.args(more).write_stdin("n\n").output().unwrap();
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    (output.status.code(), text)
}

fn check(folder: &Path) -> String {
    let output = Command::cargo_bin("mailward").unwrap().current_dir(folder).arg("check").output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn an_edition_is_shown_asked_for_written_and_good_for_the_policy() {
    let folder = tempfile::tempdir().unwrap();
    let (folder, policies) = (folder.path(), folder.path().join("policies"));
    fs::create_dir(&policies).unwrap();
    fs::write(policies.join("p.toml"), POLICY).unwrap();
    let list = policies.join("lists/dcb1596.csv");
    let first = "Domain,Organisation,Expiry date\na.example,A,31/03/2037\nb.example,B,31/03/2037\nc.example,C,\n";

    let (code, text) = import(folder, first, &[]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("added: 3") && text.contains("nothing is written") && !list.exists(), "{text}");
    let (code, text) = import(folder, first, &["--yes"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("next: mailward check, then mailward reload"), "{text}");
    let written = fs::read_to_string(&list).unwrap();
    assert!(written.starts_with("# 20") && written.contains("by J. Smith from newer.csv: 3 added"), "{written}");
    assert!(check(folder).contains("good: 0 errors, 0 warnings"), "{}", check(folder));

    // A file that was cut off would let everybody lapse.
    let (code, text) = import(folder, "domain\na.example\n", &["--yes"]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("2 of 3 rows would lapse: is the file whole?"), "{text}");
    assert_eq!(fs::read_to_string(&list).unwrap(), written);
    let (code, text) = import(folder, "domain\na.example\n", &["--yes", "--accept-gone"]);
    assert_eq!(code, Some(0), "{text}");
    let after = fs::read_to_string(&list).unwrap();
    assert!(after.contains("b.example,B,,20") && after.matches('#').count() == 2, "they lapse, and stay: {after}");

    let (code, text) = import(folder, "domain\na.example\n", &["--json"]);
    let told: serde_json::Value = serde_json::from_str(text.trim()).unwrap();
    assert_eq!((code, &told["written"], told["gone"].as_array().unwrap().len()), (Some(0), &false.into(), 0));
}

#[test]
fn what_cannot_be_taken_is_told_and_nothing_is_touched() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::create_dir(folder.join("policies")).unwrap();
    let (code, text) = import(folder, "organisation\nA\n", &["--yes"]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("no column is called `domain`") && text.contains("hint:"), "{text}");
    for place in ["../outside.csv", "/tmp/x.csv", "lists/x.toml", "a/b/c.csv"] {
        let mut command = Command::cargo_bin("mailward").unwrap();
        command.current_dir(folder).args(["list", "import", "newer.csv", "--as", place, "--by", "J", "--yes"]);
        assert_eq!(command.output().unwrap().status.code(), Some(2), "{place}");
    }
    assert_eq!(fs::read_dir(folder.join("policies")).unwrap().count(), 0);
}

//! The demo as a user runs it: the built programme, no configuration, an empty folder to stand in.

// A programme that does not run is a failed test.
#![allow(clippy::expect_used, clippy::unwrap_used)]

use serde_json::Value;
use std::process::{Command, Output};

fn demo(arguments: &[&str]) -> Output {
    let nowhere = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(env!("CARGO_BIN_EXE_mailward"));
    command.arg("demo").args(arguments).current_dir(nowhere.path()).env("TMPDIR", nowhere.path());
    let output = command.output().expect("mailward runs");
    let left: Vec<_> = std::fs::read_dir(nowhere.path()).expect("the folder").collect();
    assert_eq!(left.is_empty(), !arguments.contains(&"--keep"), "what the demo leaves behind: {left:?}");
    output
}

fn lines(output: &Output) -> Vec<Value> {
    let text = String::from_utf8(output.stdout.clone()).expect("UTF-8");
    text.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect()
}

/// Runs of ten digits that blanks or dashes may divide, whose check digit is an NHS number's.
fn nhs_numbers(text: &str) -> Vec<String> {
    let close = |c: char| c.is_ascii_digit() || c == ' ' || c == '-';
    let runs = text.split(|c| !close(c)).map(|run| run.chars().filter(char::is_ascii_digit).collect::<String>());
    runs.filter(|digits| digits.len() == 10 && has_check_digit(digits)).collect()
}

fn has_check_digit(digits: &str) -> bool {
    let digits: Vec<u32> = digits.bytes().map(|b| u32::from(b - b'0')).collect();
    let sum: u32 = digits[..9].iter().zip((2..=10).rev()).map(|(digit, weight)| digit * weight).sum();
    (11 - sum % 11) % 11 == digits[9]
}

#[test]
fn every_message_meets_the_fate_that_the_shipped_policy_promises() {
    let output = demo(&["--json"]);
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{stdout}{stderr}");
    assert_eq!(stderr, "", "the gateway's log does not mix into the report");
    let lines = lines(&output);
    assert!(lines.len() >= 12, "{} messages", lines.len());
    for line in &lines {
        check_shape(line);
    }
    assert_eq!(nhs_numbers(&stdout), Vec::<String>::new());
    check_lessons(&lines);
}

fn check_shape(line: &Value) {
    assert_eq!(line["id"].as_str().map(str::len), Some(13), "{line}");
    assert!(["outbound", "inbound"].contains(&line["direction"].as_str().unwrap()), "{line}");
    assert!(line["from"].is_string() && line["findings"].is_array(), "{line}");
    for finding in line["findings"].as_array().unwrap() {
        for key in ["kind", "place", "masked", "confidence"] {
            assert!(finding[key].is_string(), "{key} in {line}");
        }
    }
    let recipients = line["recipients"].as_array().unwrap();
    assert!(!recipients.is_empty(), "{line}");
    for recipient in recipients {
        for key in ["to", "require", "fate", "outcome", "reason"] {
            assert!(recipient[key].is_string(), "{key} in {line}");
        }
        for key in ["reached", "proof", "rule"] {
            assert!(recipient.get(key).is_some_and(|v| v.is_string() || v.is_null()), "{key} in {line}");
        }
        assert!(recipient["classes"].is_array(), "{line}");
    }
}

/// What the demo is for, asked of the gateway's own facts.
fn check_lessons(lines: &[Value]) {
    let shares = || lines.iter().flat_map(|line| line["recipients"].as_array().unwrap());
    let clinical = |share: &Value| share["classes"].as_array().unwrap().iter().any(|class| class == "clinical");
    let arrived = |share: &&Value| share["outcome"] == "delivered";
    for share in shares().filter(arrived).filter(|s| clinical(s)) {
        assert_ne!(share["reached"], "any", "a clinical message in clear text: {share}");
    }
    assert!(
        shares().any(|s| clinical(s) && s["reached"] == "verified" && s["proof"] == "pkix"),
        "proved and delivered"
    );
    assert!(shares().any(|s| s["reached"] == "any" && s["outcome"] == "delivered"), "ordinary mail in clear text");
    let waits =
        ["certificate-expired", "certificate-self-signed", "certificate-wrong-name", "tls-not-offered", "tls-masked"];
    for reason in waits {
        assert!(shares().any(|s| s["fate"] == "defer" && s["reason"] == reason), "nothing waits for {reason}");
    }
    assert!(lines.iter().any(|line| line["recipients"].as_array().unwrap().len() == 3), "three recipients");
}

#[test]
fn the_report_for_people_names_rules_and_places_and_no_patient() {
    let output = demo(&["--keep"]);
    let report = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{report}");
    // Long texts are wrapped wherever the line ends.
    let text = report.split_whitespace().collect::<Vec<_>>().join(" ");
    let wanted =
        ["clinical-to-everyone-else (30-rules.toml:", "550 5.7.10 Not sent", "TLSv1.3", "0 in a class", "waits until"];
    for wanted in wanted {
        assert!(text.contains(wanted), "{wanted} is not in {report}");
    }
    assert_eq!(nhs_numbers(&report), Vec::<String>::new());
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("kept: "));
}

#[test]
fn an_unmasked_number_would_be_found() {
    assert_eq!(nhs_numbers("x 943 476 5919: y"), ["9434765919"]);
    assert_eq!(nhs_numbers("943-476-5918, 943***5919, 2026-11-22T11:54"), Vec::<String>::new());
}

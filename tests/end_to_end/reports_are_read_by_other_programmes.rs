//! Delivery reports as others read them: a real Postfix takes them, and Python's email package takes them apart.

use crate::lab::peers::Behaviour;
use crate::lab::postfix::{Postfix, Setup as Mta};
use crate::lab::skipped;
use crate::world::{self, DOCTOR, EXCHANGE, SECRET, Setup, World};
use serde_json::Value;
use std::io::Write;
use std::net::SocketAddr;
use std::process::{Command, Stdio};

/// What Python makes of a report; None where there is no Python.
fn read(report: &[u8]) -> Option<Value> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/end_to_end/read_report.py");
    let mut python = Command::new("python3").arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().ok()?;
    python.stdin.take().unwrap().write_all(report).unwrap();
    let output = python.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(report));
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

/// The one report of which `is_it` holds, with all that every report has to have.
fn the_one(reports: &[Value], is_it: impl Fn(&Value) -> bool) -> Value {
    let found: Vec<&Value> = reports.iter().filter(|r| is_it(r)).collect();
    assert_eq!(found.len(), 1, "{reports:#?}");
    let report = found[0].clone();
    assert_eq!((&report["type"], &report["report_type"]), (&"multipart/report".into(), &"delivery-status".into()));
    assert_eq!(report["defects"], Value::Array(vec![]), "{report:#}");
    assert_eq!(report["groups"][0]["Reporting-MTA"], "dns; gw.trust.example");
    assert!(report["groups"][0]["Arrival-Date"].is_string());
    assert!(report["auto_submitted"].as_str().unwrap().starts_with("auto-"));
    report
}

fn about(address: &str) -> impl Fn(&Value) -> bool {
    let end = format!("; {address}");
    move |report| report["groups"][1]["Final-Recipient"].as_str().is_some_and(|f| f.ends_with(&end))
}

/// One message with parameters of MAIL and RCPT.
fn send(gateway: &world::Gateway, (mail, to, rcpt): (&str, &str, &str), message: &str) {
    let mut client = gateway.session();
    assert_eq!(client.say(&format!("MAIL FROM:<{DOCTOR}> {mail}")).unwrap().code, 250);
    let reply = client.say(&format!("RCPT TO:<{to}> {rcpt}")).unwrap();
    assert_eq!(reply.code, 250, "{reply:?}");
    assert_eq!(client.say("DATA").unwrap().code, 354);
    client.raw(format!("{message}.\r\n").as_bytes()).unwrap();
    assert_eq!(client.reply().unwrap().code, 250);
}

#[test]
fn a_real_server_takes_them_and_an_independent_reader_finds_every_field() {
    let world = World::new(123);
    let mta = Mta {
        listen: SocketAddr::new(world.ip(EXCHANGE), world.port),
        hostname: "exchange.trust.example",
        domains: &["trust.example"],
        relay: None,
        leaf: None,
    };
    let exchange = match Postfix::start(&mta) {
        Ok(postfix) => postfix,
        Err(absent) => return skipped("reports in a real Postfix, read by Python", &absent.0),
    };
    let _plain = world.mx(10, "plain.example", Behaviour::default());
    let refuses = vec!["nobody@refusing.example".into(), "j\u{f6}rg@refusing.example".into()];
    let _refusing = world.mx(11, "refusing.example", Behaviour { refuses, ..Behaviour::default() });
    let _slow = world.mx(12, "slow.example", Behaviour { defers: 1_000, ..Behaviour::default() });
    let _quoting = world.mx(13, "quoting.example", Behaviour { quotes: true, ..Behaviour::default() });
    let policy = "[policy]\nempty = true\n[class.clinical]\nthreshold = 10\n[class.clinical.score]\nnhs-number = 10\n\
                  [rule.soon]\ndirection = \"outbound\"\nwhen = { to = [\"slow.example\"] }\ntell-sender = \"1s\"\n";
    let gateway = world.gateway(&Setup { policy, more: "[queue]\nretry = [\"1s\"]", ..Setup::default() });

    let eight = world::ordinary("car park").replace("car park is", "caf\u{e9} is");
    let full =
        ("RET=FULL ENVID=A+2BB+3D BODY=8BITMIME", "nobody@refusing.example", "ORCPT=RFC822;No+2BBody@Old.example");
    send(&gateway, full, &eight);
    send(&gateway, ("RET=FULL", "ok@plain.example", "NOTIFY=SUCCESS"), &world::ordinary("receipt"));
    send(&gateway, ("RET=FULL", "b@slow.example", ""), &world::ordinary("late"));
    send(&gateway, ("SMTPUTF8", "j\u{f6}rg@refusing.example", "ORCPT=utf-8;j\\x{F6}rg@refusing.example"), &eight);
    send(&gateway, ("RET=FULL", "b@quoting.example", ""), &world::clinical("letter"));

    // The duty hears of the clinical one beside the sender.
    let messages = exchange.wait_for(6);
    let reports: Option<Vec<Value>> = messages.iter().map(|m| read(m)).collect();
    let Some(reports) = reports else { return skipped("reports read by Python", "python3 is not installed") };

    assert_failed(&reports);
    assert_passing_and_global(&reports);
    assert_clinical(&reports);
    for message in &messages {
        assert!(!String::from_utf8_lossy(message).contains(SECRET), "what the peer quoted is not repeated");
    }
}

fn assert_failed(reports: &[Value]) {
    let failed = the_one(reports, about("nobody@refusing.example"));
    assert_eq!(failed["parts"], serde_json::json!(["text/plain", "message/delivery-status", "message/rfc822"]));
    assert_eq!(failed["groups"][0]["Original-Envelope-Id"], "A+B=");
    let one = &failed["groups"][1];
    assert_eq!(one["Original-Recipient"], "RFC822;No+Body@Old.example");
    assert_eq!((&one["Action"], &one["Status"]), (&"failed".into(), &"5.1.1".into()));
    assert_eq!(one["Remote-MTA"], "dns; mx.refusing.example");
    assert!(one["Diagnostic-Code"].as_str().unwrap().starts_with("smtp; 550 5.1.1 "));
    assert!(one["Last-Attempt-Date"].is_string() && one["Will-Retry-Until"].is_null());
    let sentences: Vec<&str> = failed["text"].as_str().unwrap().lines().take(3).collect();
    assert!(sentences.iter().all(|s| s.ends_with('.') && s.len() > 20), "{sentences:?}");
}

fn assert_passing_and_global(reports: &[Value]) {
    let relayed = the_one(reports, about("ok@plain.example"));
    assert_eq!(
        (&relayed["groups"][1]["Action"], &relayed["parts"][2]),
        (&"relayed".into(), &"text/rfc822-headers".into())
    );
    let delayed = the_one(reports, about("b@slow.example"));
    assert_eq!(delayed["groups"][1]["Action"], "delayed");
    assert!(delayed["groups"][1]["Will-Retry-Until"].is_string() && delayed["parts"][2] == "text/rfc822-headers");

    let global = the_one(reports, about("j\u{f6}rg@refusing.example"));
    let kinds = serde_json::json!(["text/plain", "message/global-delivery-status", "message/global-headers"]);
    assert_eq!(global["parts"], kinds);
    assert_eq!(global["groups"][1]["Original-Recipient"], "utf-8;j\u{f6}rg@refusing.example");
}

fn assert_clinical(reports: &[Value]) {
    let to_sender = |r: &Value| about("b@quoting.example")(r) && r["to"].as_str().unwrap().contains(DOCTOR);
    let clinical = the_one(reports, to_sender);
    assert_eq!(clinical["parts"][2], "text/rfc822-headers", "never the whole, whatever was asked");
    let shown: Vec<&str> =
        clinical["returned"].as_array().unwrap().iter().map(|field| field[0].as_str().unwrap()).collect();
    assert_eq!(shown, ["From", "To", "Subject", "Message-ID"]);
}

//! Runs the tests that a policy brings along, through the same function as the live path.
//!
//! Called by `load`. Promises: no network, no clock; a test that cannot be run has failed. Never fails itself.

use super::{Judge, Judgement, Transaction};
use crate::clock::Wall;
use crate::mail::{Body, Envelope, Recipient};
use crate::policy::{Expect, PolicyTest, Sites, TestContent, Verdict};
use crate::vocabulary::Mode;
use jiff::civil::Date;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

/// A test whose expectation does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FailedTest {
    pub name: String,
    #[serde(skip)]
    pub at: String,
    pub expected: String,
    pub got: String,
    /// The rule that decided.
    pub rule: Option<String>,
}

impl fmt::Display for FailedTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "error[failing-test]: test `{}` fails", self.name)?;
        write!(f, "  --> {}\n   = expected {}\n   = got      {}", self.at, self.expected, self.got)?;
        match &self.rule {
            Some(rule) => write!(f, " by rule `{rule}`"),
            None => Ok(()),
        }
    }
}

/// The policy's folder: where messages of tests lie.
pub(super) struct Folder<'a>(pub &'a Path);

/// The tests on a day.
pub(super) fn run(judge: &Judge, tests: &[PolicyTest], folder: &Folder<'_>, day: Wall) -> Vec<FailedTest> {
    tests.iter().filter_map(|test| run_one(judge, test, folder, day)).collect()
}

fn run_one(judge: &Judge, test: &PolicyTest, folder: &Folder<'_>, day: Wall) -> Option<FailedTest> {
    let message = match message_of(test, folder) {
        Ok(message) => message,
        Err(why) => return Some(failed(test, Mismatch { expected: "a message to read".into(), got: why }, None)),
    };
    let judgement = judged(judge, test, &message, day);
    judgement.recipients.iter().find_map(|verdict| {
        let mismatch = classes(&test.expect, &judgement.classes).or_else(|| compare(&test.expect, verdict))?;
        Some(failed(test, mismatch, verdict.deciding_rule()))
    })
}

/// What a message comes to in the circumstances of a test.
pub(super) fn judged(judge: &Judge, test: &PolicyTest, message: &[u8], day: Wall) -> Judgement {
    let envelope = Envelope {
        reverse_path: test.from.clone(),
        recipients: test.to.iter().cloned().map(Recipient::new).collect(),
        body: Body::EightBitMime,
        smtputf8: false,
        ret: None,
        envid: None,
        require_tls: test.requiretls,
    };
    // A test names one site; the other, if there is one, is nobody's concern.
    let sites = Sites { leaves: test.site.as_deref(), reaches: None };
    let transaction = Transaction {
        at: day,
        direction: test.direction,
        sites,
        envelope: &envelope,
        message,
        size: message.len() as u64,
        peer: Some(test.peer),
        can: &test.can,
    };
    judge.at_accept(&transaction, &judge.inspect(message))
}

/// What was asked for, and what came out.
struct Mismatch {
    expected: String,
    got: String,
}

fn failed(test: &PolicyTest, mismatch: Mismatch, rule: Option<&str>) -> FailedTest {
    let Mismatch { expected, got } = mismatch;
    FailedTest { name: test.name.clone(), at: test.at.clone(), expected, got, rule: rule.map(str::to_owned) }
}

fn differ(key: &str, expected: Option<String>, got: String) -> Option<Mismatch> {
    let expected = expected.filter(|expected| *expected != got)?;
    Some(Mismatch { expected: format!("{key} {expected}"), got: format!("{key} {got}") })
}

fn compare(expect: &Expect, verdict: &Verdict) -> Option<Mismatch> {
    let then = || verdict.then_name().unwrap_or_else(|| "nothing".to_owned());
    differ("require", expect.require.map(|level| level.to_string()), verdict.require.to_string())
        .or_else(|| differ("fate", expect.fate.clone(), verdict.fate_name()))
        .or_else(|| differ("then", expect.then.clone(), then()))
        .or_else(|| rules(expect, verdict))
}

fn rules(expect: &Expect, verdict: &Verdict) -> Option<Mismatch> {
    let enforced = || verdict.rules.iter().filter(|r| r.mode == Mode::Enforce).map(|r| r.name.as_ref());
    let missing = expect.rules.iter().find(|rule| !enforced().any(|name| name == **rule))?;
    let got: Vec<&str> = enforced().collect();
    Some(Mismatch { expected: format!("rule {missing}"), got: format!("rules [{}]", got.join(", ")) })
}

fn classes(expect: &Expect, got: &BTreeMap<String, f64>) -> Option<Mismatch> {
    let mut expected = expect.classes.clone()?;
    expected.sort();
    expected.dedup();
    let got: Vec<&str> = got.keys().map(String::as_str).collect();
    differ("classes", Some(format!("[{}]", expected.join(", "))), format!("[{}]", got.join(", ")))
}

fn message_of(test: &PolicyTest, folder: &Folder<'_>) -> Result<Vec<u8>, String> {
    match &test.content {
        TestContent::File(path) => {
            let whole = folder.0.join(path);
            std::fs::read(&whole).map_err(|why| format!("`{}` cannot be read: {why}", whole.display()))
        }
        TestContent::Text { subject, body, day } => Ok(written(test, *day, subject, body)),
    }
}

/// The message of a test that is written in the policy.
pub(super) fn written(test: &PolicyTest, day: Option<Date>, subject: &str, body: &str) -> Vec<u8> {
    let date = day.map_or_else(String::new, |d| d.strftime("Date: %a, %-d %b %Y 12:00:00 +0000\r\n").to_string());
    let to: Vec<String> = test.to.iter().map(ToString::to_string).collect();
    let envelope = format!("From: <{}>\r\nTo: {}\r\n{date}", test.from, to.join(", "));
    compose(&envelope, subject, body).into_bytes()
}

/// A plain message with this subject and text. `envelope` holds the fields in front, each with its line end.
pub(crate) fn compose(envelope: &str, subject: &str, body: &str) -> String {
    let subject = subject.replace(['\r', '\n'], " ");
    let body = body.replace("\r\n", "\n").replace('\n', "\r\n");
    format!(
        "{envelope}Subject: {subject}\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\
         Content-Transfer-Encoding: 8bit\r\n\r\n{body}\r\n"
    )
}

//! Facts in, verdict and reason out: whole small policies with tests of their own, a stored table, and properties.
//!
//! `BLESS=1 cargo test --test decisions` writes tests/decisions/table.txt: read the diff before you keep it.

// A fixture that cannot be read fails its test.
#![allow(clippy::unwrap_used)]

#[path = "decisions/lowering.rs"]
mod lowering;
#[path = "decisions/properties.rs"]
mod properties;
#[path = "decisions/stages.rs"]
mod stages;

use mailward::clock::Wall;
use mailward::decide::{self, Judge};
use mailward::mail::{Header, ReversePath};
use mailward::policy::{Known, MessageFacts, RecipientFacts, Said, Sites, SourceFile, Verdict, Words, compile};
use mailward::vocabulary::{Confidence, Direction, FindingKind, Level, Otherwise, Rung};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn file(text: &str) -> SourceFile {
    SourceFile { name: "policy.toml".into(), text: text.into() }
}

fn judge(text: &str) -> Judge {
    decide::judge_of(&[file(text)], &Known::default()).unwrap_or_else(|found| panic!("{}", found[0]))
}

/// What is asked of `Policy::judge`, with what does not matter filled in.
struct Asked<'a> {
    direction: Direction,
    to: &'a str,
    evidence: &'a [(FindingKind, Confidence)],
    peer: Option<Level>,
    can: &'a [Rung],
    at: Wall,
}

impl Asked<'_> {
    fn of(&self, judge: &Judge) -> Verdict {
        let classes = judge.policy.classify(self.evidence);
        let header = Header::of(b"");
        let message = MessageFacts {
            at: self.at,
            direction: self.direction,
            sites: Sites::default(),
            reverse_path: &ReversePath::Mailbox("sender@site.example".parse().unwrap()),
            header_from: &[],
            evidence: self.evidence,
            classes: &classes,
            said: Said::Read(Words { subject: "", header: &header, attachments: &[] }),
            size: 1_000,
            recipients: 1,
            visible_recipients: 1,
            auto_submitted: false,
            forwarded: false,
            requiretls: false,
        };
        let recipient = self.to.parse().unwrap();
        judge.policy.judge(&message, &RecipientFacts { recipient: &recipient, peer: self.peer, can: self.can })
    }
}

#[test]
fn the_policies_that_ship_and_those_of_the_fixtures_pass_their_own_tests() {
    let fixtures = fs::read_dir(root().join("tests/decisions")).unwrap().map(|e| e.unwrap().path());
    let mut folders: Vec<_> = fixtures.filter(|path| path.is_dir()).collect();
    folders.push(root().join("policies"));
    let examples = fs::read_dir(root().join("policies/examples")).unwrap().map(|e| e.unwrap().path());
    folders.extend(examples);
    assert!(folders.len() >= 5);
    for folder in folders {
        let loaded = decide::load(&folder, &Known::default(), "2026-12-01".parse().unwrap());
        let loaded = loaded.unwrap_or_else(|wrong| panic!("{}:\n{wrong}", folder.display()));
        assert!(!loaded.tests.is_empty(), "{} has no tests", folder.display());
        let is_shown = !folder.starts_with(root().join("tests"));
        assert!(!is_shown || loaded.warnings.is_empty(), "{}: {}", folder.display(), loaded.warnings[0]);
    }
}

#[test]
fn the_policy_that_ships_has_no_warning_and_twenty_tests() {
    let loaded = decide::load(&root().join("policies"), &Known::default(), "2026-12-01".parse().unwrap()).unwrap();
    assert!(loaded.warnings.is_empty(), "{}", loaded.warnings[0]);
    assert!(loaded.tests.len() >= 20);
}

#[test]
fn a_policy_whose_own_test_fails_is_not_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let text = "[policy]\nempty = true\n[test.t]\nfrom = \"a@a.example\"\nto = \"b@b.example\"\nexpect = { fate = \"hold\" }\n";
    fs::write(folder.path().join("a.toml"), text).unwrap();
    let wrong = decide::load(folder.path(), &Known::default(), "2026-12-01".parse().unwrap()).err().unwrap();
    assert_eq!((wrong.failed.len(), wrong.failed[0].expected.as_str()), (1, "fate hold"));
}

#[test]
fn a_policy_whose_sample_is_not_found_is_not_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let load = |pattern: &str| {
        let text = format!("[policy]\nempty = true\n[pattern.p]\nregex = 'RQX\\d{{7}}'\nnear = \"MRN\"\n{pattern}\n");
        fs::write(folder.path().join("a.toml"), text).unwrap();
        decide::load(folder.path(), &Known::default(), "2026-12-01".parse().unwrap()).err()
    };
    let codes = |wrong: Option<decide::LoadError>| {
        wrong.unwrap_or_default().diagnostics.iter().map(|d| (d.code, d.line)).collect::<Vec<_>>()
    };
    assert_eq!(codes(load("samples = \"MRN RQX1234567\"\nnot-samples = \"RQX1234567\"")), []);
    assert_eq!(codes(load("samples = \"RQX1234567\"")), [("failing-sample", Some(6))]);
    assert_eq!(codes(load("not-samples = [\"x\", \"MRN RQX1234567\"]")), [("failing-sample", Some(6))]);
}

#[test]
fn a_test_that_would_fail_today_warns_and_one_that_fails_on_its_day_does_not_load() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("l.csv"), "domain,accredited-until\nb.example,2026-12-31\n").unwrap();
    let text = "[policy]\nempty = true\n[tests]\nat = 2026-12-31\n[group.g]\nlist = \"l.csv\"\n\
                [rule.r]\ndirection = \"outbound\"\nwhen = { not-to = [\"@g\"] }\nrequire = \"sealed\"\n\
                [test.t]\nfrom = \"a@a.example\"\nto = \"b@b.example\"\nexpect = { require = \"any\" }\n";
    fs::write(folder.path().join("a.toml"), text).unwrap();
    let load = |day: &str| decide::load(folder.path(), &Known::default(), day.parse().unwrap());
    assert!(load("2026-12-31").unwrap().warnings.is_empty());
    let today = load("2027-01-02").unwrap();
    assert_eq!(today.warnings.iter().map(|d| d.code).collect::<Vec<_>>(), ["test-fails-today"]);
    fs::write(folder.path().join("a.toml"), text.replace("at = 2026-12-31", "at = 2027-01-01")).unwrap();
    assert_eq!(load("2026-12-31").err().unwrap().failed.len(), 1);
}

/// requirement x otherwise x wait x peer x rung, each with its fate, what follows and the reason.
fn table() -> String {
    let mut table = String::from("require    otherwise wait peer      can      fate     then     reason\n");
    let peers = [None, Some(Level::Any), Some(Level::Encrypted), Some(Level::Verified)];
    for require in Level::ALL {
        for (otherwise, wait) in [("hold", "1h"), ("hold", "0s"), ("reject", "1h"), ("reject", "0s")] {
            let judge = judge(&format!(
                "[class.c]\nany-of = [\"nhs-number\"]\n[rule.r]\ndirection = \"outbound\"\nwhen = {{ content = [\"c\"] }}\n\
                 require = \"{require}\"\notherwise = \"{otherwise}\"\nwait = \"{wait}\"\nupgrade = [\"portal\"]\n\
                 [policy]\nempty = true\n"
            ));
            for (peer, can) in peers.iter().flat_map(|peer| [(peer, &[][..]), (peer, &[Rung::Portal][..])]) {
                let evidence = [(FindingKind::NhsNumber, Confidence::High)];
                let asked = Asked {
                    direction: Direction::Outbound,
                    to: "b@b.example",
                    evidence: &evidence,
                    peer: *peer,
                    can,
                    at: Wall(0),
                };
                let v = asked.of(&judge);
                let peer = peer.map_or("unknown", Level::name);
                let can = can.first().map_or("-", |_| "portal");
                let then = v.then_name().unwrap_or_else(|| "-".into());
                let fate = v.fate_name();
                writeln!(
                    table,
                    "{require:<10} {otherwise:<9} {wait:<4} {peer:<9} {can:<8} {fate:<8} {then:<8} {}",
                    v.reason
                )
                .unwrap();
            }
        }
    }
    table
}

#[test]
fn the_table_of_fates_is_as_it_is_stored() {
    let path = root().join("tests/decisions/table.txt");
    let got = table();
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, &got).unwrap();
    }
    assert_eq!(got, fs::read_to_string(&path).unwrap_or_default(), "BLESS=1 writes it");
    for line in got.lines().skip(1).filter(|line| line.starts_with("sealed")) {
        assert!(!line.contains(" send "), "a link seals nothing: {line}");
    }
}

#[test]
fn defaults_are_those_of_the_language() {
    let plain = judge("[policy]\nempty = true\n[class.c]\nany-of = [\"nhs-number\"]\n");
    let ask = |evidence| {
        let asked =
            Asked { direction: Direction::Outbound, to: "b@b.example", evidence, peer: None, can: &[], at: Wall(0) };
        asked.of(&plain)
    };
    let verdict = ask(&[]);
    assert_eq!(
        (verdict.require, verdict.otherwise, verdict.decided_by),
        (Level::Any, Otherwise::Reject, BTreeMap::new())
    );
    assert_eq!(
        (verdict.wait.as_secs(), verdict.hold_for.as_secs(), verdict.tell_sender.as_secs()),
        (3_600, 432_000, 14_400)
    );
    assert_eq!(verdict.unread_after.as_secs(), 86_400);
    let in_class = ask(&[(FindingKind::NhsNumber, Confidence::Low)]);
    assert_eq!((in_class.tell_sender.as_secs(), in_class.subject.name()), (900, "scrub"));
}

#[test]
fn an_inbound_link_below_the_requirement_is_turned_away_at_once() {
    let judge = judge("[policy]\nempty = true\n[rule.r]\ndirection = \"inbound\"\nrequire = \"encrypted\"\n");
    for (peer, fate) in [(None, "reject"), (Some(Level::Any), "reject"), (Some(Level::Encrypted), "send")] {
        let asked = Asked {
            direction: Direction::Inbound,
            to: "b@b.example",
            evidence: &[],
            peer,
            can: &[Rung::Portal],
            at: Wall(0),
        };
        assert_eq!(asked.of(&judge).fate_name(), fate, "{peer:?}");
    }
}

#[test]
fn a_monitored_rule_is_reported_apart_with_what_it_would_have_done() {
    let judge = judge(
        "[policy]\nempty = true\n[rule.force]\ndirection = \"outbound\"\nrequire = \"encrypted\"\n\
         [rule.watched]\ndirection = \"outbound\"\nrequire = \"sealed\"\nmode = \"monitor\"\nuntil = 2030-01-01\n",
    );
    let peer = Some(Level::Encrypted);
    let asked = Asked { direction: Direction::Outbound, to: "b@b.example", evidence: &[], peer, can: &[], at: Wall(0) };
    let verdict = asked.of(&judge);
    assert_eq!((verdict.fate_name().as_str(), verdict.require), ("send", Level::Encrypted));
    let watched = &verdict.monitored[0];
    assert_eq!((watched.rule.as_ref(), watched.fate.name(), watched.require), ("watched", "reject", Level::Sealed));
    assert_eq!(verdict.requirement().rules.len(), 1, "what decides nothing is not kept with the entry");
}

#[test]
fn a_smarthost_carries_a_class_only_if_it_is_approved_for_it() {
    use mailward::policy::KnownRelay;
    let text = "[class.c]\nany-of = [\"nhs-number\"]\n[rule.r]\ndirection = \"outbound\"\nwhen = { content = [\"c\"] }\nrequire = \"encrypted\"\n";
    let fate = |carries: &[&str], onward| {
        let carries = carries.iter().map(ToString::to_string).collect();
        let relay = KnownRelay { name: "hub".into(), hosts: Vec::new(), carries, onward, require: Level::Verified };
        let known = Known { relays: vec![relay], smarthost: Some("relay:hub".into()), ..Known::default() };
        let judge = Judge::new(compile(&[file(text)], &known).unwrap().policy);
        let evidence = [(FindingKind::NhsNumber, Confidence::High)];
        let asked = Asked {
            direction: Direction::Outbound,
            to: "b@b.example",
            evidence: &evidence,
            peer: Some(Level::Verified),
            can: &[],
            at: Wall(0),
        };
        let verdict = asked.of(&judge);
        format!("{} {}", verdict.fate, verdict.reason)
    };
    assert_eq!(fate(&["c"], Level::Encrypted), "send requirement-met");
    assert_eq!(fate(&[], Level::Verified), "reject relay-not-allowed-for-class");
    assert_eq!(fate(&["c"], Level::Any), "reject requirement-not-met");
}

#[test]
fn a_sentence_is_plain_ascii_and_names_the_rule() {
    let judge = judge(
        "[class.c]\nany-of = [\"nhs-number\"]\n[rule.stop]\ndirection = \"outbound\"\nwhen = { content = [\"c\"] }\nrequire = \"sealed\"\n",
    );
    let evidence = [(FindingKind::NhsNumber, Confidence::High)];
    let asked = Asked {
        direction: Direction::Outbound,
        to: "secret.name@b.example",
        evidence: &evidence,
        peer: None,
        can: &[],
        at: Wall(0),
    };
    let sentence = asked.of(&judge).sentence();
    assert!(sentence.is_ascii() && sentence.ends_with("(rule stop)") && sentence.len() <= 300, "{sentence}");
    for said in [
        "Not sent: ",
        "patient information (c)",
        "cannot receive it protected",
        "nhs.net",
        "telephone",
        "IT service desk",
    ] {
        assert!(sentence.contains(said), "{said}: {sentence}");
    }
    for jargon in ["seal", "unless", "TLS"] {
        assert!(!sentence.contains(jargon), "{jargon}: {sentence}");
    }
    assert!(!sentence.contains("secret.name") && !sentence.contains("943") && !sentence.contains('\n'), "{sentence}");
}

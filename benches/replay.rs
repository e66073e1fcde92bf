//! How long it takes to decide the mail of the past anew.
//!
//! `cargo bench --bench replay -- DECISIONS RULES` keeps so many decisions, each as the gateway keeps it, in a throw-away folder, and
//! makes them anew under a policy of so many rules beside 100,000 listed domains; it prints how long that took, and the memory at its end.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use mailward::clock::{EntryId, Wall};
use mailward::decide::replay::{Before, replay};
use mailward::decide::{Judge, Transaction, judge_of};
use mailward::mail::{Enhanced, Envelope, Header, Recipient, ReversePath, Status};
use mailward::policy::{Known, Sites, SourceFile};
use mailward::record::{self, Decision};
use mailward::store::{Change, Opened};
use mailward::vocabulary::Direction;
use std::fmt::Write;
use std::time::Instant;

const TEXT: &str = "From: Dr Jones <dr.jones@surgery.example>\r\nTo: <x@y.example>\r\nSubject: [secure] Results\r\n\r\n\
                    NHS number 943 476 5919: please see the enclosed figures\r\n";

fn judge(rules: usize, level: &str) -> Judge {
    let mut text = String::from("[group.partners]\ndomains = [");
    (0..100_000).for_each(|n| write!(text, "\"p{n}.example\",").unwrap());
    text.push_str("]\n[class.clinical]\nthreshold = 10\n[class.clinical.score]\nnhs-number = 10\n");
    write!(
        text,
        "[rule.partners]\ndirection = \"outbound\"\nwhen = {{ content = [\"clinical\"], to = [\"@partners\"] }}\nrequire = \"{level}\"\n\
         [rule.tagged]\ndirection = \"outbound\"\nwhen = {{ subject-tag = [\"[secure]\"] }}\nrequire = \"encrypted\"\n"
    )
    .unwrap();
    for n in 0..rules.saturating_sub(2) {
        write!(
            text,
            "[rule.r{n}]\ndirection = \"outbound\"\nwhen = {{ to = [\"d{n}.example\"] }}\nrequire = \"encrypted\"\n"
        )
        .unwrap();
    }
    judge_of(&[SourceFile { name: "bench.toml".into(), text }], &Known::default())
        .map_err(|all| all[0].to_string())
        .unwrap()
}

/// As the gateway keeps it.
fn decision(judge: &Judge, number: i64) -> Change {
    let id = EntryId::at(Wall(1_795_000_000_000 + number));
    let to = format!("someone@p{}.example", number % 1_000);
    let envelope = Envelope {
        reverse_path: ReversePath::Mailbox("dr.jones@surgery.example".parse().unwrap()),
        recipients: vec![Recipient::new(to.parse().unwrap())],
        body: Default::default(),
        smtputf8: false,
        ret: None,
        envid: None,
        require_tls: false,
    };
    let findings = judge.inspect(TEXT.as_bytes());
    let transaction = Transaction {
        at: id.time(),
        direction: Direction::Outbound,
        sites: Sites { leaves: Some("surgery"), reaches: None },
        envelope: &envelope,
        message: Header::of(TEXT.as_bytes()).bytes(),
        size: TEXT.len() as u64,
        peer: None,
        can: &[],
    };
    let made = judge.at_accept(&transaction, &findings);
    let recipients: Vec<_> = made
        .recipients
        .iter()
        .map(|verdict| verdict.record(&envelope.recipients[0].mailbox, (Direction::Outbound, None)))
        .collect();
    let record = Decision {
        id,
        session: "bench",
        client: "10.20.0.5",
        site: Some("surgery"),
        policy_hash: judge.policy.hash(),
        size: TEXT.len() as u64,
        cut_from: None,
        tls: Some("TLSv1.3 TLS13_AES_256_GCM_SHA384"),
        findings: &findings.findings,
        features: &made.grounds.features(id),
        recipients: &recipients,
        reply: &Status::new(250, Enhanced(2, 0, 0), "Message kept"),
    };
    record::decided(id, Some("<a.message.id@surgery.example>"), &envelope, record::as_json(&record).to_vec())
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let numbers: Vec<usize> = std::env::args().filter_map(|word| word.parse().ok()).collect();
    let [decisions, rules] = numbers[..] else { return };
    let folder = tempfile::tempdir().unwrap();
    let opened = Opened::open(folder.path(), |_| {}).unwrap();
    let old = judge(rules, "encrypted");
    for batch in 0..decisions / 1_000 {
        let from = i64::try_from(batch * 1_000).unwrap();
        opened.store.commit((from..from + 1_000).map(|number| decision(&old, number)).collect()).await.unwrap();
    }
    let new = judge(rules, "verified");
    let connection = opened.reader().unwrap();
    for (name, before) in [("as recorded", Before::AsRecorded), ("by the old policy", Before::By(&old))] {
        let begun = Instant::now();
        let replayed = replay(&connection, Wall(0), &new, before).unwrap();
        assert_eq!((replayed.decided, replayed.changed), (decisions as u64, decisions as u64));
        println!("{decisions} decisions by {rules} rules, against what was decided {name}: {:?}", begun.elapsed());
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    println!("{}", status.lines().find(|line| line.starts_with("VmHWM")).unwrap());
}

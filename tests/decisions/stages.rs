//! What the stages ask: at RCPT, at the dot, at an attempt.

use super::judge;
use mailward::clock::{Wall, noon_of};
use mailward::decide::{Judge, Transaction};
use mailward::mail::{Body, Envelope, Mailbox, Recipient, ReversePath};
use mailward::policy::{ProofCheck, QueuedFacts, Requirement, Sites};
use mailward::vocabulary::{Direction, Fate, Level, Otherwise};
use std::sync::LazyLock;

const POLICY: &str = r#"
[group.friends]
domains = ["friend.example", "*.friend.example"]
except = ["not.friend.example"]
mx = ["*.mail.example"]
[group.pinned]
domains = ["friend.example"]
mx = ["ignored.example"]
pins = ["sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="]
[class.clinical]
any-of = ["nhs-number"]
[rule.friends-encrypt]
direction = "inbound"
when = { from = ["@friends"] }
require = "encrypted"
[rule.no-spam]
direction = "inbound"
when = { to = ["closed@site.example"] }
refuse = "This mailbox is closed"
[rule.no-clinical]
direction = "inbound"
when = { content = ["clinical"] }
refuse = "Not here"
[rule.out]
direction = "outbound"
when = { content = ["clinical"] }
require = "verified"
otherwise = "hold"
wait = "5m"
"#;

fn envelope(from: &str, to: &[&str]) -> Envelope {
    Envelope {
        reverse_path: from.parse().unwrap(),
        recipients: to.iter().map(|t| Recipient::new(t.parse().unwrap())).collect(),
        body: Body::SevenBit,
        smtputf8: false,
        ret: None,
        envid: None,
        require_tls: false,
    }
}

fn transaction<'a>(direction: Direction, envelope: &'a Envelope, message: &'a [u8]) -> Transaction<'a> {
    Transaction {
        at: mailward::clock::Wall(0),
        direction,
        sites: Sites { leaves: None, reaches: Some("s") },
        envelope,
        message,
        size: 0,
        peer: Some(Level::Any),
        can: &[],
    }
}

fn at_rcpt(judge: &Judge, direction: Direction, from: &str, to: &str) -> Option<Fate> {
    let envelope = envelope(from, &[to]);
    judge.at_rcpt(&transaction(direction, &envelope, b""), &to.parse().unwrap()).map(|v| v.fate)
}

#[test]
fn rules_that_need_no_content_answer_at_rcpt() {
    let judge = judge(POLICY);
    let inbound = |from: &str, to: &str| at_rcpt(&judge, Direction::Inbound, from, to);
    assert_eq!(inbound("a@friend.example", "b@site.example"), Some(Fate::Reject));
    assert_eq!(inbound("a@not.friend.example", "b@site.example"), None);
    assert_eq!(inbound("a@x.example", "CLOSED@site.example"), Some(Fate::Refuse));
    assert_eq!(inbound("", "\"closed\"@SITE.example."), Some(Fate::Refuse), "another spelling of the same mailbox");
    assert_eq!(at_rcpt(&judge, Direction::Outbound, "a@friend.example", "closed@site.example"), None);
}

#[test]
fn header_from_counts_as_from_at_the_dot() {
    let judge = judge(POLICY);
    let message = b"From: \"Friend\" <a@friend.example>\r\nSubject: x\r\n\r\nhello\r\n";
    let envelope = envelope("bounce@other.example", &["b@site.example", "closed@site.example"]);
    let transaction = transaction(Direction::Inbound, &envelope, message);
    let judgement = judge.at_accept(&transaction, &judge.inspect(message));
    let fates: Vec<Fate> = judgement.recipients.iter().map(|v| v.fate).collect();
    assert_eq!(fates, [Fate::Reject, Fate::Refuse], "one verdict per recipient, in the envelope's order");
}

fn stored(level: Level) -> Requirement {
    let judge = judge(POLICY);
    let message = b"Subject: NHS number 943 476 5919\r\n\r\nx\r\n";
    let envelope = envelope("a@site.example", &["b@friend.example"]);
    let transaction = transaction(Direction::Outbound, &envelope, message);
    let verdict = &judge.at_accept(&transaction, &judge.inspect(message)).recipients[0];
    Requirement { level, ..verdict.requirement() }
}

/// What is known of the entry when it is looked at again.
fn queued(at: Wall) -> QueuedFacts<'static> {
    static FROM: LazyLock<ReversePath> = LazyLock::new(|| "dr@site.example".parse().unwrap());
    static TO: LazyLock<Mailbox> = LazyLock::new(|| "b@friend.example".parse().unwrap());
    let sites = Sites::default();
    QueuedFacts { at, requiretls: false, direction: Direction::Outbound, sites, reverse_path: &FROM, recipient: &TO }
}

#[test]
fn an_attempt_never_asks_less_than_was_stored_and_takes_the_rest_from_today() {
    let kept = stored(Level::Verified);
    assert_eq!(
        (kept.rules.len(), kept.rules[0].name.as_str(), kept.classes.as_slice()),
        (1, "out", &["clinical".to_owned()][..])
    );
    let now = |text: &str| judge(text).policy.current(&kept, &queued(Wall(0)));
    let weaker = now(&POLICY.replace("require = \"verified\"", "require = \"any\"").replace("\"5m\"", "\"9m\""));
    assert_eq!((weaker.level, weaker.wait.as_secs()), (Level::Verified, 540));
    assert_eq!(now(&POLICY.replace("\"verified\"", "\"sealed\"")).level, Level::Sealed);
    assert_eq!(now(&POLICY.replace("rule.out", "rule.renamed")).level, Level::Verified, "the rule is gone");
    let rejecting = now(&POLICY.replace("otherwise = \"hold\"", "otherwise = \"reject\""));
    assert_eq!(rejecting.otherwise, Otherwise::Hold, "a load never bounces");
    let watched = POLICY.replace("wait = \"5m\"", "mode = \"monitor\"\nuntil = 2030-01-01\n[policy]\nempty = true");
    assert_eq!(now(&watched).level, Level::Verified);
}

/// An exception for the only rule, from this `when` on.
fn excepting(when: &str, lowering: &str) -> String {
    format!(
        "{POLICY}[exception.e]\nrules = [\"out\"]\nwhen = {{ {when} }}\n{lowering}\nuntil = 2030-01-04\n\
         reason = \"ref 1\"\napproved-by = \"Caldicott Guardian\"\n"
    )
}

#[test]
fn an_exception_that_came_after_the_message_lets_it_go_until_its_end() {
    let kept = stored(Level::Verified);
    let end = noon_of("2030-01-04".parse().unwrap());
    let level = |text: &str, at: Wall| judge(text).policy.current(&kept, &queued(at)).level;
    let here = excepting("to = [\"friend.example\"]", "require = \"encrypted\"");
    assert_eq!((level(&here, Wall(0)), level(&here, Wall(end.0 - 1))), (Level::Encrypted, Level::Encrypted));
    assert_eq!(level(&here, end), Level::Verified, "it ends at noon, and what it lowered holds again");
    for elsewhere in ["to = [\"other.example\"]", "from = [\"x@site.example\"]", "content = [\"other\"]"] {
        let text = excepting(elsewhere, "require = \"any\"") + "[class.other]\nany-of = [\"image\"]\n";
        assert_eq!(level(&text, Wall(0)), Level::Verified, "{elsewhere}");
    }
    for unknown in ["subject-tag = [\"x\"]", "size-over = \"0KB\"", "not-from = [\"a.example\"]"] {
        assert_eq!(level(&excepting(unknown, "require = \"any\""), Wall(0)), Level::Verified, "{unknown}");
    }
    assert_eq!(level(&excepting("content = [\"clinical\"]", "lift = true"), Wall(0)), Level::Any);
    for (asked, wanted, left) in [(true, "true", Level::Encrypted), (false, "true", Level::Verified)] {
        let policy = judge(&excepting(&format!("requiretls = {wanted}"), "require = \"encrypted\"")).policy;
        let facts = QueuedFacts { requiretls: asked, ..queued(Wall(0)) };
        assert_eq!(policy.current(&kept, &facts).level, left, "it is known as long as it waits: {asked}");
    }
}

#[test]
fn a_rule_that_was_lifted_holds_again_when_the_exception_is_over() {
    let message = b"Subject: NHS number 943 476 5919\r\n\r\nx\r\n";
    let envelope = envelope("dr@site.example", &["b@friend.example"]);
    for (when, at_end) in [("to = [\"friend.example\"]", Level::Verified), ("subject-tag = [\"nhs\"]", Level::Verified)]
    {
        let judge = judge(&excepting(when, "lift = true"));
        let transaction = transaction(Direction::Outbound, &envelope, message);
        let verdict = &judge.at_accept(&transaction, &judge.inspect(message)).recipients[0];
        assert_eq!((verdict.require, verdict.rules.len(), verdict.lifted.len()), (Level::Any, 0, 1));
        let kept = verdict.requirement();
        let stored: Requirement = serde_json::from_str(&serde_json::to_string(&kept).unwrap()).unwrap();
        let level = |at| judge.policy.current(&stored, &queued(at)).level;
        assert_eq!((level(Wall(0)), level(noon_of("2030-01-04".parse().unwrap()))), (Level::Any, at_end));
    }
}

/// Judged at the dot with this subject; then what must hold in the queue under another text of the exception.
fn kept_under(exception: &str) -> Requirement {
    let message = b"Subject: NHS number 943 476 5919\r\n\r\nx\r\n";
    let envelope = envelope("dr@site.example", &["b@friend.example"]);
    let judge = judge(exception);
    let transaction = transaction(Direction::Outbound, &envelope, message);
    judge.at_accept(&transaction, &judge.inspect(message)).recipients[0].requirement()
}

#[test]
fn an_exception_that_was_edited_is_another_one_for_what_waits() {
    let tagged = "to = [\"friend.example\"], subject-tag = [\"nhs\"]";
    let kept = kept_under(&excepting(tagged, "require = \"encrypted\""));
    let now =
        |when: &str, lowering: &str| judge(&excepting(when, lowering)).policy.current(&kept, &queued(Wall(0))).level;
    assert_eq!(kept.level, Level::Encrypted);
    assert_eq!(now(tagged, "require = \"encrypted\""), Level::Encrypted);
    assert_eq!(
        now(&tagged.replace("friend", "other"), "require = \"encrypted\""),
        Level::Verified,
        "for somebody else"
    );
    assert_eq!(now(tagged, "lift = true"), Level::Verified, "it goes further than what was approved then");
    assert_eq!(now(&tagged.replace("nhs", "x"), "require = \"encrypted\""), Level::Verified);
}

#[test]
fn what_is_asked_more_of_mail_that_waits_is_held_and_never_bounced() {
    let rejecting = POLICY.replace("otherwise = \"hold\"", "otherwise = \"reject\"");
    let kept = kept_under(&rejecting);
    let now = |text: &str| judge(text).policy.current(&kept, &queued(Wall(0)));
    assert_eq!((now(&rejecting).level, now(&rejecting).otherwise), (Level::Verified, Otherwise::Reject));
    let raised = now(&rejecting.replace("\"verified\"", "\"sealed\""));
    assert_eq!((raised.level, raised.otherwise), (Level::Sealed, Otherwise::Hold));
}

#[test]
fn an_exception_for_a_sender_wants_every_name_that_the_message_says_it_is_from() {
    let judge = judge(&excepting("from = [\"news@site.example\"]", "lift = true"));
    let require = |header: &str| {
        let message = format!("{header}Subject: NHS number 943 476 5919\r\n\r\nx\r\n");
        let envelope = envelope("news@site.example", &["b@friend.example"]);
        let transaction = transaction(Direction::Outbound, &envelope, message.as_bytes());
        judge.at_accept(&transaction, &judge.inspect(message.as_bytes())).recipients[0].require
    };
    assert_eq!(require("From: news@site.example\r\n"), Level::Any);
    assert_eq!(require("From: dr@site.example\r\nSender: news@site.example\r\n"), Level::Verified);
}

#[test]
fn an_exception_that_reads_the_message_opens_the_door_to_its_own_recipients_only() {
    let text = POLICY.to_owned()
        + "[rule.in]\ndirection = \"inbound\"\nrequire = \"encrypted\"\n[exception.fax]\nrules = [\"in\"]\n\
           when = { to = [\"fax@site.example\"], subject-tag = [\"x\"] }\nlift = true\nuntil = 2030-01-04\n\
           reason = \"r\"\napproved-by = \"CG\"\n";
    let judge = judge(&text);
    assert_eq!(at_rcpt(&judge, Direction::Inbound, "x@world.example", "ward@site.example"), Some(Fate::Reject));
    assert_eq!(at_rcpt(&judge, Direction::Inbound, "x@world.example", "fax@site.example"), None, "its text decides");
}

#[test]
fn every_group_that_lists_a_domain_brings_its_own_proof() {
    let judge = judge(POLICY);
    let sources = |domain: &str| judge.policy.proof_sources(&domain.parse().unwrap());
    let both = sources("friend.example");
    assert_eq!(both.len(), 2);
    assert!(matches!(&both[0].check, ProofCheck::Mx(names) if names == &["*.mail.example"]), "{both:?}");
    assert!(matches!(&both[1].check, ProofCheck::Pins(_)), "inside one group pins replace mx: {both:?}");
    assert_eq!(sources("sub.friend.example").len(), 1);
    assert!(sources("not.friend.example").is_empty() && sources("evilfriend.example").is_empty());
}

#[test]
fn a_rule_for_a_site_holds_for_what_leaves_it_and_what_reaches_it() {
    let judge = judge(
        "[policy]\nempty = true\n[rule.hill]\ndirection = \"internal\"\nwhen = { site = [\"hill\"] }\nrequire = \"verified\"\n",
    );
    let envelope = envelope("a@kingston.example", &["b@hill.example"]);
    let level = |leaves, reaches| {
        let sites = Sites { leaves, reaches };
        let transaction = Transaction { sites, ..transaction(Direction::Internal, &envelope, b"") };
        judge.at_accept(&transaction, &judge.inspect(b"")).recipients[0].require
    };
    assert_eq!(level(Some("kingston"), Some("hill")), Level::Verified);
    assert_eq!(level(Some("hill"), Some("kingston")), Level::Verified);
    assert_eq!(level(Some("kingston"), Some("quay")), Level::Any);
}

#[test]
fn an_exception_from_what_peers_publish_is_told_for_its_domains_until_its_end() {
    let exception = "[exception.new-key]\nrules = [\"published\"]\nwhen = { to = [\"friend.example\", \"@pinned\"], not-to = [\"x.friend.example\"] }\n\
                     require = \"encrypted\"\nuntil = 2026-12-23\nreason = \"r\"\napproved-by = \"a\"\n";
    let judge = judge(&format!("{POLICY}{exception}"));
    let end = noon_of("2026-12-23".parse().unwrap());
    let cap = |domain: &str, at: Wall| judge.policy.published_cap(&domain.parse().unwrap(), at);
    let before = Wall(end.0 - 1);
    assert_eq!(cap("friend.example", before).map(|cap| (cap.level, cap.until)), Some((Level::Encrypted, end)));
    for (domain, at) in [("friend.example", end), ("other.example", before), ("x.friend.example", before)] {
        assert_eq!(cap(domain, at), None, "{domain}");
    }
    let envelope = envelope("a@s.example", &["b@friend.example", "b@other.example"]);
    let outbound =
        Transaction { at: before, ..transaction(Direction::Outbound, &envelope, b"Subject: x\r\n\r\nhello\r\n") };
    let told: Vec<usize> =
        judge.at_accept(&outbound, &Default::default()).recipients.iter().map(|v| v.exceptions.len()).collect();
    assert_eq!(told, [1, 0]);
}

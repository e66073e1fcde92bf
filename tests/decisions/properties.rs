//! Properties of the language: a rule more only ever protects more, order does not matter, time alone never lowers, and an
//! exception acts on its own rules, in its own place, until its own end.

use super::{Asked, file};
use mailward::clock::{Wall, noon_of, start_of};
use mailward::decide::{Judge, judge_of};
use mailward::policy::{ExceptionState, Known, Severity, SourceFile, Verdict, lowered};
use mailward::vocabulary::{Confidence, Direction, FindingKind, Level, Rung};
use proptest::prelude::*;

const FRAME: &str = r#"
[policy]
empty = true
[ladder]
order = ["relay:hub", "smime", "openpgp", "portal"]
[group.a]
domains = ["a.example", "*.a.example"]
list = "dated.csv"
lapse-grace = "1d"
[group.b]
domains = ["b.example"]
groups = ["a"]
except = ["x.a.example"]
[class.clinical]
threshold = 10
[class.clinical.score]
nhs-number = 10
image = 5
[class.opaque]
any-of = ["scan"]
"#;

/// Members of `a` that lapse one after another, at noon of the day after their date.
const DATED: &str = "domain,accredited-until\nd1.example,2026-06-01\nd2.example,2026-09-01\n*.d3.example,revoked\n";

/// Days around those on which something ends.
const DAYS: [&str; 5] = ["2026-05-01", "2026-06-03", "2026-07-15", "2026-09-03", "2027-01-01"];

fn day(text: &str) -> Wall {
    start_of(text.parse().unwrap())
}

fn files(text: &str) -> [SourceFile; 2] {
    [file(text), SourceFile { name: "dated.csv".into(), text: DATED.into() }]
}

/// The body of an exception for the first rule, or the first two.
fn exception() -> impl Strategy<Value = String> {
    let rules = proptest::sample::select(&["[\"r0\"]", "[\"r0\", \"r1\"]"][..]);
    let who = proptest::sample::select(
        &["to = [\"@a\"]", "to = [\"d2.example\"]", "not-to = [\"@a\"]", "content = [\"clinical\"]"][..],
    );
    let lowering = proptest::sample::select(&["require = \"any\"", "require = \"encrypted\"", "lift = true"][..]);
    (rules, who, lowering).prop_map(|(rules, who, lowering)| {
        format!("rules = {rules}\nwhen = {{ {who} }}\n{lowering}\nuntil = 2026-07-14\nreason = \"r\"\napproved-by = \"cg\"\n")
    })
}

fn key(name: &'static str, values: &'static [&'static str]) -> impl Strategy<Value = String> {
    let value = proptest::sample::select(values);
    prop_oneof![1 => Just(String::new()), 2 => value.prop_map(move |v| format!("{name} = {v}\n"))]
}

/// The body of an outbound rule: any conditions, any effects.
fn rule() -> impl Strategy<Value = String> {
    let who: &[&str] = &["[\"@a\"]", "[\"@b\"]", "\"c.example\"", "[\"*.a.example\", \"u@c.example\"]"];
    let when = (key("to", who), key("not-to", who), key("content", &["\"clinical\"", "[\"clinical\", \"opaque\"]"]))
        .prop_map(|(to, not_to, content)| {
            let given = [to, not_to, content].map(|k| k.trim().to_owned());
            format!("when = {{ {} }}\n", given.into_iter().filter(|k| !k.is_empty()).collect::<Vec<_>>().join(", "))
        });
    let effects = (
        key("require", &["\"any\"", "\"encrypted\"", "\"verified\"", "\"sealed\""]),
        key("upgrade", &["[]", "[\"portal\"]", "[\"smime\", \"portal\"]", "[\"relay:hub\", \"openpgp\", \"portal\"]"]),
        key("wait", &["\"0s\"", "\"15m\"", "\"4h\""]),
        key("otherwise", &["\"hold\"", "\"reject\""]),
        key("refuse", &["\"no\"", "\"never\""]),
        key("hold-for", &["\"1d\"", "\"9d\""]),
        key("notify", &["\"ig@t.example\"", "[\"duty@t.example\"]"]),
        key("unread-after", &["\"2h\"", "\"3d\""]),
    );
    (when, effects).prop_map(|(when, (a, b, c, d, e, f, g, h))| {
        format!("direction = \"outbound\"\nsubject = \"keep\"\n{when}{a}{b}{c}{d}{e}{f}{g}{h}")
    })
}

fn named(rules: &[String]) -> Vec<String> {
    rules.iter().enumerate().map(|(n, body)| format!("[rule.r{n}]\n{body}")).collect()
}

fn judge(parts: &[String]) -> Judge {
    let text = format!("{FRAME}\n{}", parts.join("\n"));
    judge_of(&files(&text), &Known::default()).unwrap_or_else(|found| panic!("{}\n{text}", found[0]))
}

/// None: an exception among them changes nothing, which is an error.
fn judge_with(rules: &[String], exceptions: &[String]) -> Option<Judge> {
    let exceptions = exceptions.iter().enumerate().map(|(n, body)| format!("[exception.e{n}]\n{body}"));
    let text = format!("{FRAME}\n{}\n{}", named(rules).join("\n"), exceptions.collect::<Vec<_>>().join("\n"));
    match judge_of(&files(&text), &Known::default()) {
        Ok(judge) => Some(judge),
        Err(found) => {
            let mut errors = found.iter().filter(|d| d.severity == Severity::Error);
            assert!(errors.all(|d| d.code == "exception-changes-nothing"), "{}\n{text}", found[0]);
            None
        }
    }
}

#[derive(Debug, Clone)]
struct Facts {
    to: &'static str,
    evidence: Vec<(FindingKind, Confidence)>,
    peer: Option<Level>,
    can: Vec<Rung>,
    at: Wall,
}

fn facts() -> impl Strategy<Value = Facts> {
    let to = proptest::sample::select(
        &[
            "u@a.example",
            "u@s.a.example",
            "u@x.a.example",
            "u@b.example",
            "u@c.example",
            "v@c.example",
            "u@evila.example",
            "u@d1.example",
            "u@d2.example",
            "u@x.d3.example",
        ][..],
    );
    let kinds = &[FindingKind::NhsNumber, FindingKind::Image, FindingKind::Scan][..];
    let evidence =
        proptest::collection::vec((proptest::sample::select(kinds), proptest::sample::select(Confidence::ALL)), 0..4);
    let peer = proptest::sample::select(&[None, Some(Level::Any), Some(Level::Encrypted), Some(Level::Verified)][..]);
    let can = proptest::sample::subsequence(vec![Rung::Smime, Rung::Openpgp, Rung::Portal], 0..=3);
    let at = proptest::sample::select(&DAYS[..]);
    (to, evidence, peer, can, at).prop_map(|(to, evidence, peer, can, at)| Facts {
        to,
        evidence,
        peer,
        can,
        at: day(at),
    })
}

fn verdict(judge: &Judge, facts: &Facts) -> Verdict {
    let asked = Asked {
        direction: Direction::Outbound,
        to: facts.to,
        evidence: &facts.evidence,
        peer: facts.peer,
        can: &facts.can,
        at: facts.at,
    };
    asked.of(judge)
}

fn set(verdict: &Verdict, key: &str) -> bool {
    verdict.decided_by.contains_key(key)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_rule_more_only_protects_more(rules in proptest::collection::vec(rule(), 0..5), more in rule(), facts in facts()) {
        let mut all = rules.clone();
        all.push(more);
        let (before, after) = (verdict(&judge(&named(&rules)), &facts), verdict(&judge(&named(&all)), &facts));
        prop_assert!(after.require >= before.require, "require was lowered");
        prop_assert!(before.refuse.is_none() || after.refuse.is_some(), "a refusal was taken away");
        prop_assert!(!set(&before, "wait") || after.wait <= before.wait, "a wait that was set grew");
        prop_assert!(!set(&before, "otherwise") || after.otherwise >= before.otherwise, "otherwise was lowered");
        prop_assert!(!set(&before, "unread_after") || after.unread_after <= before.unread_after, "news came later");
        prop_assert!(!set(&before, "hold_for") || after.hold_for >= before.hold_for);
        prop_assert!(before.notify.iter().all(|a| after.notify.contains(a)), "somebody is told no more");
        if set(&before, "upgrade") {
            let admitted = |v: &Verdict| v.rungs.iter().map(|r| r.rung.clone()).collect::<Vec<_>>();
            // A refused message climbs nowhere, so its rungs are not listed.
            let before = admitted(&before);
            prop_assert!(admitted(&after).iter().all(|r| before.contains(r)), "a rung was readmitted");
        }
    }

    #[test]
    fn order_of_files_and_tables_does_not_matter(
        rules in proptest::collection::vec(rule(), 1..6),
        order in Just((0..6usize).collect::<Vec<_>>()).prop_shuffle(),
        facts in facts(),
    ) {
        let tables = named(&rules);
        let one = judge(&tables);
        let mut files: Vec<SourceFile> = order
            .iter()
            .filter_map(|n| tables.get(*n))
            .enumerate()
            .map(|(n, text)| SourceFile { name: format!("{n}.toml"), text: text.clone() })
            .collect();
        files.push(SourceFile { name: "frame.toml".into(), text: FRAME.into() });
        files.push(SourceFile { name: "dated.csv".into(), text: DATED.into() });
        let many = judge_of(&files, &Known::default()).unwrap_or_else(|found| panic!("{}", found[0]));
        files.reverse();
        let reversed = judge_of(&files, &Known::default()).unwrap_or_else(|found| panic!("{}", found[0]));
        prop_assert_eq!(many.policy.hash(), reversed.policy.hash());
        let (a, b) = (verdict(&one, &facts), verdict(&many, &facts));
        prop_assert_eq!(verdict(&reversed, &facts), b.clone());
        prop_assert_eq!((a.require, a.wait, a.fate, a.climb, a.decided_by, a.rungs), (b.require, b.wait, b.fate, b.climb, b.decided_by, b.rungs));
    }

    #[test]
    fn time_alone_never_lowers(
        rules in proptest::collection::vec(rule(), 2..5),
        exceptions in proptest::collection::vec(exception(), 0..3),
        facts in facts(),
    ) {
        let Some(judge) = judge_with(&rules, &exceptions) else { return Ok(()) };
        let over_time = DAYS.map(|at| verdict(&judge, &Facts { at: day(at), ..facts.clone() }));
        for pair in over_time.windows(2) {
            let (before, after) = (&pair[0], &pair[1]);
            prop_assert!(after.require >= before.require, "require was lowered");
            prop_assert!(before.refuse.is_none() || after.refuse.is_some(), "a refusal was taken away");
            prop_assert!(!set(before, "otherwise") || after.otherwise >= before.otherwise, "otherwise was lowered");
            prop_assert!(before.rules.iter().all(|rule| after.rules.iter().any(|r| r.name == rule.name)), "a rule is gone");
        }
    }

    #[test]
    fn an_exception_acts_on_its_own_rules_until_its_end(
        rules in proptest::collection::vec(rule(), 2..5),
        exception in exception(),
        facts in facts(),
    ) {
        let Some(with) = judge_with(&rules, std::slice::from_ref(&exception)) else { return Ok(()) };
        let (plain, excepted) = (verdict(&judge(&named(&rules)), &facts), verdict(&with, &facts));
        prop_assert!(excepted.require <= plain.require && (plain.refuse.is_some() || excepted.refuse.is_none()));
        if excepted.exceptions.iter().all(|e| e.state == ExceptionState::Ended) {
            prop_assert_eq!((plain.require, plain.fate, plain.rules, plain.decided_by), (excepted.require, excepted.fate, excepted.rules, excepted.decided_by));
        } else {
            prop_assert!(facts.at < noon_of("2026-07-14".parse().unwrap()));
            let others = |v: &Verdict| v.rules.iter().filter(|r| !exception.contains(&*r.name)).map(|r| r.name.clone()).collect::<Vec<_>>();
            prop_assert_eq!(others(&plain), others(&excepted), "another rule is gone");
        }
    }

    /// Whatever an edit does: what is not said to be lowered is not lowered, for any message.
    #[test]
    fn what_a_reload_does_not_show_lowers_nothing(
        rules in proptest::collection::vec(rule(), 1..4),
        more in proptest::collection::vec(rule(), 0..2),
        other in rule(),
        edit in 0..4usize,
        facts in facts(),
    ) {
        let mut edited = rules.clone();
        // One rule becomes another at random, in its conditions or in its effects; or only new ones come.
        match edit {
            0 => edited[0] = other,
            1 => edited[0] = format!("{}{}", edited[0], if edited[0].contains("refuse") { "" } else { "refuse = \"no\"\n" }),
            2 => edited[0] = edited[0].replace("to = [\"@a\"]", "to = [\"@b\"]").replace("\"any\"", "\"sealed\""),
            _ => {}
        }
        edited.extend(more);
        let (old, new) = (judge(&named(&rules)), judge(&named(&edited)));
        if lowered(&old.policy, &new.policy, day(DAYS[0])).is_empty() {
            let (before, after) = (verdict(&old, &facts), verdict(&new, &facts));
            prop_assert!(after.require >= before.require, "require was lowered, and nobody was told");
            prop_assert!(before.refuse.is_none() || after.refuse.is_some(), "a refusal is gone, and nobody was told");
        }
    }

    #[test]
    fn more_evidence_never_takes_a_message_out_of_a_class(facts in facts(), kind in proptest::sample::select(FindingKind::ALL)) {
        let judge = judge(&[]);
        let before = judge.policy.classify(&facts.evidence);
        let mut more = facts.evidence.clone();
        more.push((kind, Confidence::Low));
        let after = judge.policy.classify(&more);
        prop_assert!(before.iter().all(|(class, score)| after.get(class).is_some_and(|s| s >= score)));
    }

    #[test]
    fn no_text_makes_the_compiler_panic(text in "[\\[\\]{}=\"'a-z0-9.,@*\\-\n\t é#]{0,200}") {
        let _ = judge_of(&[file(&text)], &Known::default());
        let _ = judge_of(&files(&format!("{FRAME}{text}")), &Known::default());
        let list = SourceFile { name: "dated.csv".into(), text: text.clone() };
        let _ = judge_of(&[file(FRAME), list], &Known::default());
    }
}

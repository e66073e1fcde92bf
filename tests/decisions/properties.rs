//! Properties of the language: a rule more only ever protects more, and order does not matter.

use super::{Asked, file};
use mailward::decide::{Judge, judge_of};
use mailward::policy::{Known, SourceFile, Verdict};
use mailward::vocabulary::{Confidence, Direction, FindingKind, Level, Rung};
use proptest::prelude::*;

const FRAME: &str = r#"
[policy]
empty = true
[ladder]
order = ["relay:hub", "smime", "openpgp", "portal"]
[group.a]
domains = ["a.example", "*.a.example"]
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
    );
    (when, effects).prop_map(|(when, (a, b, c, d, e, f, g))| {
        format!("direction = \"outbound\"\nsubject = \"keep\"\n{when}{a}{b}{c}{d}{e}{f}{g}")
    })
}

fn named(rules: &[String]) -> Vec<String> {
    rules.iter().enumerate().map(|(n, body)| format!("[rule.r{n}]\n{body}")).collect()
}

fn judge(parts: &[String]) -> Judge {
    let text = format!("{FRAME}\n{}", parts.join("\n"));
    judge_of(&[file(&text)], &Known::default()).unwrap_or_else(|found| panic!("{}\n{text}", found[0]))
}

#[derive(Debug, Clone)]
struct Facts {
    to: &'static str,
    evidence: Vec<(FindingKind, Confidence)>,
    peer: Option<Level>,
    can: Vec<Rung>,
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
        ][..],
    );
    let kinds = &[FindingKind::NhsNumber, FindingKind::Image, FindingKind::Scan][..];
    let evidence =
        proptest::collection::vec((proptest::sample::select(kinds), proptest::sample::select(Confidence::ALL)), 0..4);
    let peer = proptest::sample::select(&[None, Some(Level::Any), Some(Level::Encrypted), Some(Level::Verified)][..]);
    let can = proptest::sample::subsequence(vec![Rung::Smime, Rung::Openpgp, Rung::Portal], 0..=3);
    (to, evidence, peer, can).prop_map(|(to, evidence, peer, can)| Facts { to, evidence, peer, can })
}

fn verdict(judge: &Judge, facts: &Facts) -> Verdict {
    let asked = Asked {
        direction: Direction::Outbound,
        to: facts.to,
        evidence: &facts.evidence,
        peer: facts.peer,
        can: &facts.can,
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
        let many = judge_of(&files, &Known::default()).unwrap_or_else(|found| panic!("{}", found[0]));
        files.reverse();
        let reversed = judge_of(&files, &Known::default()).unwrap_or_else(|found| panic!("{}", found[0]));
        prop_assert_eq!(many.policy.hash(), reversed.policy.hash());
        let (a, b) = (verdict(&one, &facts), verdict(&many, &facts));
        prop_assert_eq!(verdict(&reversed, &facts), b.clone());
        prop_assert_eq!((a.require, a.wait, a.fate, a.climb, a.decided_by, a.rungs), (b.require, b.wait, b.fate, b.climb, b.decided_by, b.rungs));
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
        let _ = judge_of(&[file(&format!("{FRAME}{text}"))], &Known::default());
    }
}

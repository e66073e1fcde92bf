//! What a reload shows before it lowers anything: every kind of edit, and none for what only adds.

use mailward::clock::start_of;
use mailward::decide::judge_of;
use mailward::policy::{Known, SourceFile, lowered};

const LIST: &str = "domain,accredited-until\na.example,2027-03-31\nb.example,\n";
const TERMS: &str = "DNACPR\nchemotherapy\n";
const POLICY: &str = r#"
[group.partners]
list = "partners.csv"
[group.secure]
groups = ["partners"]
domains = ["nhs.example"]
mx = ["*.mail.example"]
[pattern.number]
regex = 'RQX\d{7}'
near = ["MRN"]
[lexicon.terms]
list = "terms.txt"
[class.clinical]
threshold = 10
[class.clinical.score]
nhs-number = 10
pattern.number = 6
lexicon.terms = 2
[class.opaque]
any-of = ["scan", "unknown-attachment"]
[rule.secure]
direction = "outbound"
when = { to = ["@secure"] }
require = "encrypted"
wait = "1h"
notify = ["duty@s.example"]
[rule.others]
direction = "outbound"
when = { content = ["clinical", "opaque"], not-to = ["@secure"] }
require = "sealed"
[rule.closed]
direction = "inbound"
when = { to = ["closed@s.example"] }
refuse = "Closed"
[exception.e]
rules = ["others"]
when = { to = ["d.example"] }
require = "verified"
until = 2027-01-05
reason = "IG-1"
approved-by = "CG"
"#;

fn files(policy: &str, list: &str, terms: &str) -> Vec<SourceFile> {
    let file = |name: &str, text: &str| SourceFile { name: name.into(), text: text.into() };
    vec![file("p.toml", policy), file("partners.csv", list), file("terms.txt", terms)]
}

fn compare(policy: &str, list: &str, terms: &str) -> Vec<String> {
    let judge = |files: Vec<SourceFile>| {
        judge_of(&files, &Known::default()).unwrap_or_else(|found| panic!("{found:#?}\n{policy}"))
    };
    let (old, new) = (judge(files(POLICY, LIST, TERMS)), judge(files(policy, list, terms)));
    lowered(&old.policy, &new.policy, start_of("2026-12-01".parse().unwrap()))
}

/// With one text in place of another.
fn edited(from: &str, to: &str) -> Vec<String> {
    assert!(POLICY.contains(from), "{from}");
    compare(&POLICY.replacen(from, to, 1), LIST, TERMS)
}

/// A text, what stands in its place, and what is said.
const EDITS: &[(&str, &str, &str)] = &[
    ("require = \"encrypted\"\n", "require = \"any\"\n", "rule `secure` (p.toml:21) asks for less"),
    ("[rule.secure]", "[rule.safe]", "rule `secure` (p.toml:21) is gone"),
    (
        "require = \"encrypted\"\n",
        "require = \"encrypted\"\nmode = \"monitor\"\nuntil = 2027-02-01\n",
        "is only monitored now",
    ),
    (
        "direction = \"outbound\"\nwhen = { to = [\"@s",
        "direction = \"internal\"\nwhen = { to = [\"@s",
        "is for internal mail now",
    ),
    ("{ to = [\"@secure\"] }", "{ to = [\"@partners\"] }", "rule `secure` (p.toml:21) may match less"),
    ("{ to = [\"@secure\"] }", "{ to = [\"@secure\"], size-over = \"1MB\" }", "may match less"),
    ("not-to = [\"@secure\"]", "not-to = [\"@secure\", \"x.example\"]", "rule `others` (p.toml:27) may match less"),
    ("[\"clinical\", \"opaque\"]", "[\"clinical\"]", "rule `others` (p.toml:27) may match less"),
    ("wait = \"1h\"\n", "wait = \"2h\"\n", "asks for less"),
    ("wait = \"1h\"\n", "", "asks for less"),
    ("\"duty@s.example\"", "\"other@s.example\"", "asks for less"),
    ("refuse = \"Closed\"", "require = \"any\"", "rule `closed`"),
    ("threshold = 10", "threshold = 11", "class `clinical` may hold for fewer messages"),
    ("pattern.number = 6", "pattern.number = 5", "class `clinical`"),
    ("lexicon.terms = 2", "", "class `clinical`"),
    ("[\"scan\", \"unknown-attachment\"]", "[\"scan\"]", "class `opaque`"),
    (
        "any-of = [\"scan\", \"unknown-attachment\"]",
        "any-of = [\"scan\", \"unknown-attachment\"]\nall-of = [\"image\"]",
        "class `opaque`",
    ),
    ("RQX\\d{7}", "RQX\\d{8}", "pattern `number` is gone or finds something else"),
    ("near = [\"MRN\"]", "near = [\"hospital\"]", "pattern `number`"),
    (
        "domains = [\"nhs.example\"]",
        "domains = [\"nhs.example\", \"new.example\"]",
        "group `secure` has gained 1: new.example",
    ),
    ("domains = [\"nhs.example\"]", "domains = [\"other.example\"]", "group `secure` has lost 1: nhs.example"),
    (
        "groups = [\"partners\"]",
        "groups = [\"partners\"]\nexcept = [\"a.example\"]",
        "group `secure` has lost 1: a.example",
    ),
    (
        "mx = [\"*.mail.example\"]",
        "mx = [\"*.other.example\"]",
        "group secure: how its hosts prove themselves is changed or gone",
    ),
    ("until = 2027-01-05", "until = 2027-01-06", "exception `e` (p.toml:35) goes further"),
    ("{ to = [\"d.example\"] }", "{ to = [\"d.example\", \"x.example\"] }", "exception `e`"),
    ("require = \"verified\"\n", "require = \"encrypted\"\n", "exception `e`"),
    ("require = \"verified\"\n", "lift = true\n", "exception `e`"),
    (
        "[exception.e]",
        "[exception.f]",
        "exception `f` (p.toml:35) is new: until 2027-01-05 its rules ask no more than verified (others)",
    ),
    ("[rule.closed]", "[policy]\nguard = false\n[rule.closed]", "[policy] guard is turned off"),
    ("[rule.closed]", "[recognise.nhs-number]\nlabels = [\"NHS\"]\nagainst = [\"tel\"]\n[rule.closed]", "[recognise]"),
];

#[test]
fn every_edit_that_lowers_is_said() {
    for (from, to, expected) in EDITS {
        let found = edited(from, to);
        assert!(found.iter().any(|sentence| sentence.contains(expected)), "{from} -> {to}: {found:#?}");
    }
}

#[test]
fn lists_that_grow_shrink_or_live_longer_are_said() {
    let list = |list: &str| compare(POLICY, list, TERMS);
    let gained = ["group `partners` has gained 1: c.example", "group `secure` has gained 1: c.example"];
    // Rules name `secure` only.
    assert_eq!(list(&format!("{LIST}c.example,\n")), gained[1..]);
    assert_eq!(list("domain,accredited-until\na.example,2027-03-31\n"), ["group `secure` has lost 1: b.example"]);
    assert_eq!(
        list(&LIST.replace("2027-03-31", "2028-03-31")),
        ["group `secure` has gained 1: a.example"],
        "for a year more"
    );
    assert_eq!(
        list(&LIST.replace("2027-03-31", "2027-01-31")),
        Vec::<String>::new(),
        "it lapses sooner: more is asked"
    );
    assert_eq!(list(&LIST.replace("2027-03-31", "revoked")), Vec::<String>::new());
    assert_eq!(compare(POLICY, LIST, "DNACPR\n"), ["lexicon `terms` has lost 1 terms"]);
}

#[test]
fn what_only_adds_lowers_nothing() {
    let more = "[rule.more]\ndirection = \"outbound\"\nrequire = \"verified\"\n[class.third]\nany-of = [\"image\"]\n";
    assert_eq!(compare(&format!("{POLICY}{more}"), LIST, &format!("{TERMS}eGFR\n")), Vec::<String>::new());
    let stricter = [
        ("require = \"encrypted\"\n", "require = \"verified\"\nhold-for = \"9d\"\n"),
        ("{ to = [\"@secure\"] }", "{ to = [\"@secure\", \"x.example\"] }"),
        ("wait = \"1h\"\n", "wait = \"30m\"\n"),
        ("threshold = 10", "threshold = 9"),
        ("\"unknown-attachment\"]", "\"unknown-attachment\", \"image\"]"),
        ("until = 2027-01-05", "until = 2026-12-31"),
        ("require = \"verified\"\n", "require = \"verified\"\ndescription = \"shorter\"\n"),
    ];
    for (from, to) in stricter {
        assert_eq!(edited(from, to), Vec::<String>::new(), "{from} -> {to}");
    }
}

/// An exception holds for more than it did, though nobody touched it; and other ways round the comparison.
#[test]
fn what_widens_an_exception_or_a_proof_from_elsewhere_is_said() {
    let with = |exception: &str| {
        format!(
            "{POLICY}[exception.f]\nrules = [\"others\"]\n{exception}\nuntil = 2027-01-05\nreason = \"r\"\napproved-by = \"CG\"\n"
        )
    };
    let judge =
        |policy: &str, list: &str, terms: &str| judge_of(&files(policy, list, terms), &Known::default()).unwrap();
    let at = start_of("2026-12-01".parse().unwrap());
    let between = |old: (&str, &str, &str), new: (&str, &str, &str)| {
        lowered(&judge(old.0, old.1, old.2).policy, &judge(new.0, new.1, new.2).policy, at).join("\n")
    };
    // Whoever has lapsed is in no exception's group: named besides, the exception begins to hold for it.
    let lapsed = "domain,accredited-until\na.example,2025-03-31\nb.example,\n";
    let (group, named) =
        ("when = { to = [\"@partners\"] }\nlift = true", "when = { to = [\"@partners\", \"a.example\"] }\nlift = true");
    assert!(between((&with(group), lapsed, TERMS), (&with(named), lapsed, TERMS)).contains("exception `f`"));
    assert!(between((&with(named), lapsed, TERMS), (&with(group), lapsed, TERMS)).is_empty());
    // What it looks for is found more often.
    let reads = with("when = { content = [\"opaque\"] }\nlift = true");
    assert!(
        between((&reads, LIST, TERMS), (&reads.replace("\"scan\", ", "\"scan\", \"image\", "), LIST, TERMS))
            .contains("class `opaque` may find more")
    );
    assert!(
        between((&reads, LIST, TERMS), (&reads, LIST, &format!("{TERMS}eGFR\n")))
            .contains("lexicon `terms` may find more")
    );
    // A first proof; and everything below a domain of which one name was listed.
    let proof = POLICY.replace("list = \"partners.csv\"", "list = \"partners.csv\"\nmx = [\"*.new.example\"]");
    assert!(between((POLICY, LIST, TERMS), (&proof, LIST, TERMS)).contains("hosts can prove themselves now"));
    let one = POLICY.replace("\"nhs.example\"", "\"nhs.example\", \"any.p.example\"");
    let all = one.replace("\"any.p.example\"", "\"any.p.example\", \"*.p.example\"");
    assert!(between((&one, LIST, TERMS), (&all, LIST, TERMS)).contains("group `secure` has gained"));
}

#[test]
fn later_news_of_what_nobody_opened_is_less() {
    let judge = |asked: &str| {
        let text =
            format!("[policy]\nempty = true\n[rule.r]\ndirection = \"outbound\"\nrequire = \"encrypted\"\n{asked}");
        let files = [SourceFile { name: "p.toml".into(), text }];
        judge_of(&files, &Known { duty: true, ..Known::default() }).unwrap_or_else(|found| panic!("{found:#?}"))
    };
    let less = |old: &str, new: &str| {
        !lowered(&judge(old).policy, &judge(new).policy, start_of("2026-12-01".parse().unwrap())).is_empty()
    };
    let (soon, late) = ("unread-after = \"2h\"\n", "unread-after = \"3d\"\n");
    assert!(less(soon, late) && less(soon, ""));
    assert!(!less(late, soon) && !less("", late) && !less(soon, soon));
}

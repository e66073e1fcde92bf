//! Tests that a policy brings along: `[test.NAME]`, run by `decide` at every load.
//!
//! Promises: a test means the same with and without a gateway.toml. Fails at load: what is no address, level or fate.

use super::compile::{Entry, Names};
use super::diagnostic::{Complaints, Mistake, Sited};
use super::rule::any_rung;
use super::typed::{Keys, Parsed, Table, word};
use crate::mail::{Mailbox, ReversePath};
use crate::vocabulary::{Direction, Fate, Level, Rung};
use jiff::civil::Date;

pub(super) const KEYS: Keys = Keys {
    known: &[
        "description",
        "direction",
        "site",
        "from",
        "to",
        "subject",
        "body",
        "message",
        "requiretls",
        "peer",
        "can",
        "expect",
    ],
    later: &[],
};
pub(super) const EXPECT_KEYS: Keys = Keys { known: &["require", "fate", "then", "rules", "classes"], later: &[] };

/// What the other side can reach, as it is typed.
pub(super) const PEERS: &[&str] = &["none", "encrypted", "verified"];

/// One test of a policy.
#[derive(Debug, Clone)]
pub struct PolicyTest {
    pub name: String,
    /// `tests.toml:12`
    pub at: String,
    pub direction: Direction,
    pub site: Option<String>,
    pub from: ReversePath,
    pub to: Vec<Mailbox>,
    pub content: TestContent,
    /// Sent with REQUIRETLS.
    pub requiretls: bool,
    pub peer: Level,
    pub can: Vec<Rung>,
    pub expect: Expect,
}

/// The message of a test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TestContent {
    Text {
        subject: String,
        body: String,
        day: Option<Date>,
    },
    /// A path inside the policy's folder.
    File(String),
}

/// What must come out. None: not asked.
#[derive(Debug, Clone, Default)]
pub struct Expect {
    pub require: Option<Level>,
    /// A fate, or the rung that serves.
    pub fate: Option<String>,
    /// What follows after `wait`.
    pub then: Option<String>,
    /// Each of these matches and is in force.
    pub rules: Vec<String>,
    /// Exactly the classes that the message is in.
    pub classes: Option<Vec<String>>,
}

/// `none`, `encrypted`, `verified`: what another side can reach.
///
/// # Errors
/// A sentence that names the three.
pub fn peer_level(text: &str) -> Result<Level, String> {
    match text {
        "none" => Ok(Level::Any),
        "encrypted" => Ok(Level::Encrypted),
        "verified" => Ok(Level::Verified),
        _ => Err(format!("`{text}` is not what a peer can reach; write {}", PEERS.join(", "))),
    }
}

pub(super) fn compile(c: &mut Complaints<'_>, entry: &Entry<'_>, names: &Names<'_>) -> Option<PolicyTest> {
    let table = entry.table;
    table.check_keys(c, &format!("test `{}`", entry.name), KEYS);
    table.text(c, "description");
    let from = table.one(c, "from", address::<ReversePath>);
    let to = table.many(c, "to", address::<Mailbox>);
    for key in ["from", "to", "expect"].iter().filter(|key| !table.has(key)) {
        let mistake = Mistake::new("missing-key", format!("test `{}` has no `{key}`", entry.name));
        c.error(table.place, mistake.hint("a test needs from, to and expect"));
    }
    let direction = table.one(c, "direction", word(Direction::NAMES)).map_or(Direction::Outbound, |s| s.value);
    let peer = table.one(c, "peer", |text| peer_level(text).map_err(|why| Mistake::new("wrong-value", why)));
    let requiretls = table.boolean(c, "requiretls").is_some_and(|s| s.value);
    let can = table.many_or_none(c, "can", |text| any_rung(text, names)).into_iter().flatten();
    let (content, expect) = (content(c, table, names.day), expect(c, table, names));
    let made = PolicyTest {
        name: entry.name.to_owned(),
        at: c.line_of(table.place),
        direction,
        site: table.text(c, "site").map(|s| s.value),
        from: from?.value,
        to: to?.into_iter().map(|s| s.value).collect(),
        content,
        requiretls,
        peer: peer.map_or(Level::Any, |s| s.value),
        can: can.map(|s| s.value).collect(),
        expect: expect?,
    };
    Some(made)
}

fn address<T: std::str::FromStr<Err: std::fmt::Display>>(text: &str) -> Parsed<T> {
    text.parse().map_err(|why| Mistake::new("wrong-address", format!("`{text}` is not an address: {why}")))
}

fn content(c: &mut Complaints<'_>, table: Table<'_>, day: Option<Date>) -> TestContent {
    let texts = ["subject", "body"].map(|key| table.text(c, key).map(|s| s.value).unwrap_or_default());
    let [subject, body] = texts;
    let Some(path) = table.text(c, "message") else { return TestContent::Text { subject, body, day } };
    if table.has("subject") || table.has("body") {
        let mistake = Mistake::new("wrong-value", "`message` brings its own subject and body");
        c.error(table.key_place("message"), mistake.hint("give the file, or `subject` and `body`"));
    }
    TestContent::File(path.value)
}

fn expect(c: &mut Complaints<'_>, table: Table<'_>, names: &Names<'_>) -> Option<Expect> {
    let table = table.below(c, "expect")?;
    table.check_keys(c, "`expect`", EXPECT_KEYS);
    if table.inner.is_empty() {
        c.error(table.place, Mistake::new("empty-test", "a test that expects nothing tests nothing"));
    }
    let values = |items: Option<Vec<Sited<String>>>| items.map(|i| i.into_iter().map(|s| s.value).collect());
    let rule = |text: &str| known("unknown-rule", "rule", text, &names.rules);
    let class = |text: &str| known("unknown-class", "class", text, &names.classes);
    Some(Expect {
        require: table.one(c, "require", word(Level::NAMES)).map(|s| s.value),
        fate: table.one(c, "fate", |text| fate(text, names)).map(|s| s.value),
        then: table.one(c, "then", |text| fate(text, names)).map(|s| s.value),
        rules: values(table.many_or_none(c, "rules", rule)).unwrap_or_default(),
        classes: values(table.many_or_none(c, "classes", class)),
    })
}

fn known(code: &'static str, what: &str, text: &str, names: &std::collections::BTreeSet<&str>) -> Parsed<String> {
    if names.contains(text) {
        return Ok(text.to_owned());
    }
    Err(Mistake::unknown(code, format!("no {what} is called `{text}`"), text, names.iter().copied()))
}

fn fate(text: &str, names: &Names<'_>) -> Parsed<String> {
    if text.parse::<Fate>().is_ok() || any_rung(text, names).is_ok() {
        return Ok(text.to_owned());
    }
    let known = Fate::NAMES.iter().chain(Rung::NAMES).copied();
    Err(Mistake::unknown("wrong-value", format!("`{text}` is not a fate"), text, known))
}

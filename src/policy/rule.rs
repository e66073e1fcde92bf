//! Rules: `[rule.NAME]`, what they ask of a message and a recipient that their conditions hold for.
//!
//! Called by the compiler. Promises: a key that a rule does not set takes no part. Fails at load: keys that cannot work
//! for the rule's direction, rules that ask nothing, rules that could keep mail with nobody to tell.

use super::compile::{Entry, Names};
use super::diagnostic::{Complaints, Mistake, Place, Sited};
use super::journal::JOURNAL;
use super::published::PUBLISHED;
use super::typed::{Keys, Parsed, Table, word};
use super::when::{self, When};
use crate::clock::duration_words;
use crate::mail::Mailbox;
use crate::vocabulary::{Direction, Level, Mode, Otherwise, Rung, SubjectCare};
use jiff::civil::Date;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

pub(super) const KEYS: Keys = Keys {
    known: &[
        "description",
        "direction",
        "when",
        "require",
        "upgrade",
        "wait",
        "otherwise",
        "hold-for",
        "tell-sender",
        "notify",
        "subject",
        "unread-after",
        "refuse",
        "mode",
        "until",
    ],
    later: &[],
};

/// What an inbound rule cannot ask: nothing waits inbound, and no notice goes to the internet.
const NOT_INBOUND: &[&str] =
    &["upgrade", "wait", "otherwise", "hold-for", "tell-sender", "notify", "subject", "unread-after"];

/// What a rule asks; None where it does not set the key.
#[derive(Debug, Clone, Default)]
pub(super) struct Asks {
    pub require: Option<Level>,
    pub upgrade: Option<BTreeSet<Rung>>,
    pub wait: Option<Duration>,
    pub otherwise: Option<Otherwise>,
    pub hold_for: Option<Duration>,
    pub tell_sender: Option<Duration>,
    pub notify: Option<Vec<String>>,
    pub subject: Option<SubjectCare>,
    pub unread_after: Option<Duration>,
    pub refuse: Option<String>,
}

#[derive(Debug)]
pub(super) struct Rule {
    pub name: Arc<str>,
    /// `30-rules.toml:12`
    pub at: Arc<str>,
    pub place: Place,
    pub direction: Direction,
    pub when: When,
    pub asks: Asks,
    /// The same for people and JSON.
    pub shown: Arc<Map<String, Value>>,
    pub mode: Mode,
    pub until: Option<Sited<Date>>,
}

impl Rule {
    pub fn is_enforced(&self) -> bool {
        self.mode == Mode::Enforce
    }
}

impl Asks {
    fn is_nothing(&self) -> bool {
        self.shown().is_empty()
    }

    fn shown(&self) -> Map<String, Value> {
        let duration = |d: &Option<Duration>| d.map(|d| json!(duration_words(d)));
        let asked = [
            ("require", self.require.map(|v| json!(v))),
            ("upgrade", self.upgrade.as_ref().map(|v| json!(v))),
            ("wait", duration(&self.wait)),
            ("otherwise", self.otherwise.map(|v| json!(v))),
            ("hold_for", duration(&self.hold_for)),
            ("tell_sender", duration(&self.tell_sender)),
            ("notify", self.notify.as_ref().map(|v| json!(v))),
            ("subject", self.subject.map(|v| json!(v))),
            ("unread_after", duration(&self.unread_after)),
            ("refuse", self.refuse.as_ref().map(|v| json!(v))),
        ];
        asked.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect()
    }

    /// Whether mail can be kept waiting or held because of this rule.
    fn can_keep(&self) -> bool {
        let waits = match self.require {
            Some(Level::Encrypted | Level::Verified) => self.wait.is_none_or(|w| !w.is_zero()),
            Some(Level::Sealed) => false,
            Some(Level::Any) | None => self.wait.is_some_and(|w| !w.is_zero()),
        };
        waits || self.otherwise == Some(Otherwise::Hold)
    }
}

/// A rule from its table. None if the direction is missing: without it the rule means nothing.
pub(super) fn compile(c: &mut Complaints<'_>, entry: &Entry<'_>, names: &Names<'_>) -> Option<Rule> {
    let table = entry.table;
    table.check_keys(c, &format!("rule `{}`", entry.name), KEYS);
    table.text(c, "description");
    let when = when::compile(c, table, names);
    let asks = asks(c, table, names);
    let mode = table.one(c, "mode", word(Mode::NAMES)).map_or(Mode::Enforce, |s: Sited<Mode>| s.value);
    let until = table.date(c, "until");
    let direction = direction(c, entry)?;
    let shown = Arc::new(asks.shown());
    let at = c.line_of(table.place).into();
    let made = Rule { name: entry.name.into(), at, place: table.place, direction, when, asks, shown, mode, until };
    check(c, entry, &made, names);
    if entry.name == PUBLISHED {
        let mistake = Mistake::new(
            "reserved-name",
            "`published` is the built-in rule: what a peer publishes about itself must hold",
        );
        c.error(table.place, mistake.hint("give yours another name"));
    }
    if entry.name == JOURNAL {
        let mistake =
            Mistake::new("reserved-name", "`journal` is the built-in rule of gateway.toml's [site.NAME] journal");
        c.error(table.place, mistake.hint("give yours another name"));
    }
    Some(made)
}

fn direction(c: &mut Complaints<'_>, entry: &Entry<'_>) -> Option<Direction> {
    if !entry.table.has("direction") {
        let mistake = Mistake::new("missing-key", format!("rule `{}` has no direction", entry.name));
        c.error(entry.table.place, mistake.hint("add direction = \"outbound\", \"inbound\" or \"internal\""));
    }
    entry.table.one(c, "direction", word(Direction::NAMES)).map(|s| s.value)
}

fn asks(c: &mut Complaints<'_>, table: Table<'_>, names: &Names<'_>) -> Asks {
    let notify = table.many(c, "notify", address);
    let upgrade = table.many_or_none(c, "upgrade", |text| rung(text, names));
    Asks {
        require: table.one(c, "require", word(Level::NAMES)).map(|s| s.value),
        upgrade: upgrade.map(|rungs| rungs.into_iter().map(|s| s.value).collect()),
        wait: table.duration(c, "wait").map(|s| s.value),
        otherwise: table.one(c, "otherwise", word(Otherwise::NAMES)).map(|s| s.value),
        hold_for: table.duration(c, "hold-for").map(|s| s.value),
        tell_sender: table.duration(c, "tell-sender").map(|s| s.value),
        notify: notify.map(|addresses| addresses.into_iter().map(|s| s.value).collect()),
        subject: table.one(c, "subject", word(SubjectCare::NAMES)).map(|s| s.value),
        unread_after: table.duration(c, "unread-after").map(|s| s.value),
        refuse: table.one(c, "refuse", refusal).map(|s| s.value),
    }
}

fn address(text: &str) -> Parsed<String> {
    let mailbox: Result<Mailbox, _> = text.parse();
    mailbox.map(|m| m.to_string()).map_err(|why| {
        Mistake::new("wrong-address", format!("`{text}` is not an address: {why}")).hint("write duty@example.org")
    })
}

/// A rung that is in the ladder; its relay, if it is one, must be in gateway.toml where there is one.
pub(super) fn rung(text: &str, names: &Names<'_>) -> Parsed<Rung> {
    let rung = any_rung(text, names)?;
    match &names.ladder {
        Some(ladder) if !ladder.contains(&rung) => {
            let mistake = Mistake::new("rung-not-in-ladder", format!("the ladder has no rung `{rung}`"));
            Err(mistake.hint("add it to `order` of [ladder], which says where it stands for all rules"))
        }
        _ => Ok(rung),
    }
}

pub(super) fn any_rung(text: &str, names: &Names<'_>) -> Parsed<Rung> {
    let rung: Rung = text.parse().map_err(|_| {
        Mistake::unknown("unknown-rung", format!("`{text}` is not a rung"), text, Rung::NAMES.iter().copied())
    })?;
    if let Rung::Relay(name) = &rung
        && names.known.sites.is_some()
        && !names.known.relays.iter().any(|relay| *relay.name == **name)
    {
        let known = names.known.relays.iter().map(|relay| relay.name.as_str());
        return Err(Mistake::unknown("unknown-relay", format!("gateway.toml has no relay `{name}`"), name, known));
    }
    Ok(rung)
}

/// The text travels in an SMTP reply and in Exchange's report.
fn refusal(text: &str) -> Parsed<String> {
    let printable = text.bytes().all(|b| (32..=126).contains(&b));
    if printable && (1..=300).contains(&text.trim().len()) {
        return Ok(text.trim().to_owned());
    }
    let mistake = Mistake::new("wrong-value", "`refuse` must be one line of 1 to 300 plain ASCII characters");
    Err(mistake.hint("it travels in an SMTP reply, which older servers cannot carry in other characters"))
}

fn check(c: &mut Complaints<'_>, entry: &Entry<'_>, rule: &Rule, names: &Names<'_>) {
    let table = entry.table;
    let written = NOT_INBOUND.iter().chain(&["require", "refuse"]).any(|key| table.has(key));
    if rule.asks.is_nothing() && !written && !table.has_unknown(KEYS) {
        let mistake = Mistake::new("rule-asks-nothing", format!("rule `{}` asks for nothing", entry.name));
        c.error(table.place, mistake.hint("give it `require` or `refuse`, or another effect"));
    }
    if rule.direction == Direction::Inbound {
        check_inbound(c, table, rule);
    }
    check_mode(c, table, rule);
    let kept = rule.is_enforced() && rule.direction != Direction::Inbound && rule.asks.can_keep();
    if kept && !table.has("notify") && names.known.sites.is_some() && !names.known.duty {
        let message = format!("rule `{}` can keep mail waiting, and nobody would be told", entry.name);
        let mistake = Mistake::new("nobody-to-tell", message);
        c.error(
            table.place,
            mistake.hint("add notify = [\"duty@…\"], or give every site in gateway.toml a `duty` address"),
        );
    }
}

fn check_inbound(c: &mut Complaints<'_>, table: Table<'_>, rule: &Rule) {
    for key in NOT_INBOUND.iter().filter(|key| table.has(key)) {
        let mistake = Mistake::new("not-inbound", format!("`{key}` has no meaning for inbound mail"));
        let hint = "an inbound rule asks for any, encrypted or verified, or refuses: the answer is given at once";
        c.error(table.key_place(key), mistake.hint(hint));
    }
    if rule.asks.require == Some(Level::Sealed) {
        let mistake = Mistake::new("not-inbound", "nobody can be made to seal inbound mail");
        c.error(table.key_place("require"), mistake.hint("an inbound rule asks for any, encrypted or verified"));
    }
}

fn check_mode(c: &mut Complaints<'_>, table: Table<'_>, rule: &Rule) {
    match (rule.mode, table.has("until")) {
        (Mode::Monitor, false) => {
            let mistake = Mistake::new("missing-key", "a monitored rule needs an end");
            c.error(table.key_place("mode"), mistake.hint("add until = 2027-06-30, the day on which somebody decides"));
        }
        (Mode::Enforce, true) => {
            let mistake = Mistake::new("unknown-key", "`until` belongs to a monitored rule");
            let hint = "a rule in force has no end; add mode = \"monitor\", or take `until` out";
            c.error(table.key_place("until"), mistake.hint(hint));
        }
        _ => {}
    }
}

/// `[ladder]`: one order for all rules.
pub(super) fn ladder(c: &mut Complaints<'_>, table: Table<'_>, names: &Names<'_>) -> Vec<Rung> {
    table.check_keys(c, "`ladder`", Keys { known: &["order"], later: &[] });
    let mut order: Vec<Rung> = Vec::new();
    for rung in table.many_or_none(c, "order", |text| any_rung(text, names)).unwrap_or_default() {
        if order.contains(&rung.value) {
            c.error(rung.place, Mistake::new("defined-twice", format!("the rung `{}` stands here twice", rung.value)));
        } else {
            order.push(rung.value);
        }
    }
    order
}

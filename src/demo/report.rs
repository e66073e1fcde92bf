//! The report for people: what was sent, what happened, why, and how it travelled.
//!
//! Called by `demo`. Promises: every fact is the gateway's own; nothing that could name a patient is printed. Fails never.

use super::facts::{Facts, Share};
use super::play::Played;
use super::policy;
use super::scenario::{Also, FORGED_FIELD, Origin, Scenario};
use super::witness::Testimony;
use crate::smtp::Security;
use crate::vocabulary::{Direction, Fate, Level, Outcome};
use std::fmt::Write as _;

const WIDTH: usize = 100;
const LABEL: usize = 11;
const INDENT: usize = 4;

/// The whole report.
#[must_use]
pub fn report(played: &[Played], testimony: &Testimony) -> String {
    let mut out = String::new();
    out.push_str(
        "Mailward demo: the gateway, a stand-in Exchange and a small internet, on loopback addresses only.\n\
         Real messages over real SMTP and TLS; neither the clocks nor the shipped policy are bent.\n",
    );
    let _ = writeln!(
        out,
        "({} says which hosts the invented councils have; the rules are those of policies/.)",
        policy::OWN
    );
    let mut heading = "";
    for (number, played) in (1..).zip(played) {
        let chapter = chapter(played.scenario);
        if chapter != heading {
            heading = chapter;
            let _ = writeln!(out, "\n{heading}");
        }
        row(&mut out, number, played);
    }
    summary(&mut out, played, testimony);
    out
}

fn chapter(scenario: &Scenario) -> &'static str {
    match scenario.origin {
        Origin::Exchange => "== Outbound: from the surgery's Exchange to the world",
        Origin::Outside(_) => "== Inbound: from the world to the surgery's Exchange",
    }
}

fn row(out: &mut String, number: usize, played: &Played) {
    let Played { scenario, facts, .. } = played;
    let title = format!("{number:2}. {}", scenario.title);
    let verdict = verdict(facts);
    let dots = WIDTH.saturating_sub(title.chars().count() + verdict.chars().count() + 2);
    let _ = writeln!(out, "\n{title} {} {verdict}", ".".repeat(dots.max(3)));
    line(out, "", scenario.lesson);
    line(out, "from", &format!("{}{}", facts.from, origin(scenario.origin)));
    for finding in &facts.findings {
        line(
            out,
            "found",
            &format!("{} {} in {} ({} confidence)", finding.kind, finding.masked, finding.place, finding.confidence),
        );
    }
    for share in &facts.recipients {
        recipient(out, facts.direction, share);
    }
    answer(out, played);
    for (at, text) in played.notice.iter().flatten().enumerate() {
        line(out, if at == 0 { "notice" } else { "" }, text);
    }
    also(out, played);
    if !played.as_expected() {
        line(out, "UNEXPECTED", &expected(scenario));
    }
}

/// One word for all recipients, or how many there are of each.
fn verdict(facts: &Facts) -> String {
    let mut words: Vec<&'static str> = facts.recipients.iter().map(word).collect();
    words.dedup();
    words.join(" / ")
}

fn word(share: &Share) -> &'static str {
    match (share.outcome, share.fate) {
        (Outcome::Delivered, _) => "DELIVERED",
        (Outcome::Rejected, _) => "REJECTED",
        (Outcome::Deferred, Fate::Hold) => "HELD",
        (Outcome::Deferred, _) => "WAITS",
        (Outcome::Failed, _) => "RETURNED",
        (Outcome::Expired, _) => "EXPIRED",
    }
}

fn origin(origin: Origin) -> &'static str {
    match origin {
        Origin::Exchange => " (the surgery's Exchange, over STARTTLS)",
        Origin::Outside(Security::Tls) => " (a server on the internet, over STARTTLS)",
        Origin::Outside(Security::Clear) => " (a server on the internet, in clear text)",
    }
}

fn recipient(out: &mut String, direction: Direction, share: &Share) {
    line(out, "to", &format!("{}: {}", share.to, word(share).to_lowercase()));
    let class =
        if share.classes.is_empty() { String::new() } else { format!("content: {}; ", share.classes.join(", ")) };
    let rule = match (&share.rule, &share.at) {
        (Some(rule), Some(at)) => format!("required {} by rule {rule} ({at})", share.require),
        _ => "no rule asks for protection".to_owned(),
    };
    line(out, "policy", &format!("{class}{rule}"));
    match share.outcome {
        Outcome::Delivered => line(out, "travelled", &travelled(direction, share)),
        Outcome::Deferred => line(out, "waits", &format!("{}, because {}", until(share), share.reason.words())),
        Outcome::Failed | Outcome::Expired => line(out, "returned", &format!("because {}", share.reason.words())),
        Outcome::Rejected => {}
    }
}

fn travelled(direction: Direction, share: &Share) -> String {
    let Some(tls) = &share.tls else { return "in CLEAR TEXT: the server offers no encryption; counted".to_owned() };
    let host = share.host.as_deref().unwrap_or("the server");
    let proof = match share.last_proof.as_deref() {
        Some("pkix") => "proved by its certificate",
        Some("pin") => "proved by its pinned key",
        _ if share.require < Level::Verified && direction == Direction::Outbound => "no proof asked",
        _ => "no proof",
    };
    format!("{tls} to {host}, {proof}")
}

/// `until 14:32, its next attempt`, in local time.
fn until(share: &Share) -> String {
    let at = share.next_attempt.as_deref().and_then(|text| text.parse::<jiff::Timestamp>().ok());
    at.map_or_else(
        || "for its next attempt".to_owned(),
        |at| format!("until {}, its next attempt", at.to_zoned(jiff::tz::TimeZone::system()).strftime("%H:%M")),
    )
}

/// What the gateway said to whoever sent it, where it was not simply taken.
fn answer(out: &mut String, played: &Played) {
    if let Some(status) = played.said.status().filter(|status| status.code >= 400) {
        let code = status.enhanced.map_or_else(String::new, |enhanced| format!(" {enhanced}"));
        line(out, "answered", &format!("{}{code} {}", status.code, status.text));
    }
    // Without a host the words are the gateway's own.
    for share in played.facts.recipients.iter().filter(|s| s.outcome == Outcome::Failed && s.host.is_some()) {
        line(out, "they said", share.said.as_deref().unwrap_or("nothing"));
    }
}

fn also(out: &mut String, played: &Played) {
    let text = match (played.scenario.also, played.seen) {
        (Also::Nothing, _) | (Also::Notice, true) => return,
        (Also::Notice, false) => "no notice that names every recipient reached the sender".to_owned(),
        (Also::TextStays, true) => "the text of the message never left the sending server".to_owned(),
        (Also::TextStays, false) => "the text of the message CROSSED before it was refused".to_owned(),
        (Also::FieldGone, true) => format!("{FORGED_FIELD} was taken off: Exchange never saw it"),
        (Also::FieldGone, false) => format!("{FORGED_FIELD} REACHED Exchange"),
    };
    line(out, "seen", &text);
}

fn expected(scenario: &Scenario) -> String {
    let each = |e: &super::scenario::Expected| format!("{}: {}, {} ({})", e.to, e.fate, e.outcome, e.reason);
    format!("the demo expects {}", scenario.recipients.iter().map(each).collect::<Vec<_>>().join("; "))
}

fn summary(out: &mut String, played: &[Played], testimony: &Testimony) {
    let shares = || played.iter().flat_map(|p| &p.facts.recipients);
    let count = |outcome| shares().filter(|s| s.outcome == outcome).count();
    let outbound = played.iter().filter(|p| p.facts.direction != Direction::Inbound);
    let clear: Vec<&Share> = outbound
        .flat_map(|p| &p.facts.recipients)
        .filter(|s| s.outcome == Outcome::Delivered && s.tls.is_none())
        .collect();
    let in_class = clear.iter().filter(|s| !s.classes.is_empty()).count();
    let right = played.iter().filter(|p| p.as_expected()).count();
    let _ = writeln!(out, "\n== In all");
    let _ = writeln!(out);
    line(
        out,
        "messages",
        &format!(
            "{} to {} recipients: {} delivered, {} waiting, {} rejected, {} returned",
            played.len(),
            shares().count(),
            count(Outcome::Delivered),
            count(Outcome::Deferred),
            count(Outcome::Rejected),
            count(Outcome::Failed) + count(Outcome::Expired)
        ),
    );
    line(
        out,
        "in clear",
        &format!("{} ordinary, {in_class} in a class (clinical, or not readable)", clear.len() - in_class),
    );
    line(out, "witnesses", &witnesses(testimony));
    line(out, "fates", &format!("{right} of {} as the policy promises", played.len()));
}

fn witnesses(testimony: &Testimony) -> String {
    let searched = format!(
        "the small internet kept the {} octets that reached it outside TLS and looked for {} clinical lines and numbers",
        testimony.octets, testimony.looked_for
    );
    match (testimony.leaks.as_slice(), testimony.search_works) {
        ([], true) => format!("{searched}: none. (The ordinary letter in clear text was found where it went.)"),
        ([], false) => format!("{searched}, but did not even find the ordinary letter: THE SEARCH DOES NOT WORK"),
        (leaks, _) => format!("{searched}: FOUND at {}", leaks.join(", ")),
    }
}

/// A labelled text, wrapped.
fn line(out: &mut String, label: &str, text: &str) {
    let mut label = label;
    let mut current = String::new();
    for word in text.split_whitespace() {
        if !current.is_empty() && INDENT + LABEL + current.chars().count() + 1 + word.chars().count() > WIDTH {
            let _ = writeln!(out, "{:INDENT$}{label:LABEL$}{current}", "");
            (label, current) = ("", String::new());
        }
        if !current.is_empty() {
            current.push(' ');
        }
        current.push_str(word);
    }
    let _ = writeln!(out, "{:INDENT$}{label:LABEL$}{current}", "");
}

//! The two forms of an explanation: aligned text to be read aloud, and JSON for scripts. Never fails.

use super::{Explained, Part};
use crate::clock::duration_words;
use crate::policy::{Excepted, ExceptionState, MatchedRule, Verdict};
use crate::vocabulary::{Direction, Fate, Mode};
use serde_json::{Value, json};
use std::fmt::Write;

impl Explained<'_> {
    pub(super) fn json(&self) -> Value {
        json!({
            "policy_hash": self.judge.policy.hash(),
            "requiretls": self.requiretls,
            "findings": self.findings.findings,
            "recipients": self.parts.iter().flat_map(Part::json).collect::<Vec<_>>(),
        })
    }

    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = writeln!(text, "policy    {}", self.judge.policy.hash());
        if self.requiretls {
            let _ = writeln!(
                text,
                "asked     REQUIRETLS: whatever the rules say below, it goes only over proved TLS and only to servers that offer\n          \
                 REQUIRETLS themselves; where there is none, its sender gets a report at once"
            );
        }
        let findings = self
            .findings
            .findings
            .iter()
            .map(|f| format!("{:<26} {:<12} {} ({} confidence)", f.kind, f.masked, f.place, f.confidence));
        block(&mut text, "findings", findings.collect());
        for part in &self.parts {
            part.judgement.recipients.iter().for_each(|verdict| part.text(&mut text, verdict));
        }
        text
    }
}

/// A word on the left, lines on the right.
fn block(text: &mut String, word: &str, lines: Vec<String>) {
    let lines = if lines.is_empty() { vec!["none".to_owned()] } else { lines };
    for (number, line) in lines.iter().enumerate() {
        let _ = writeln!(text, "{:<9} {line}", if number == 0 { word } else { "" });
    }
}

impl Part<'_> {
    fn json(&self) -> Vec<Value> {
        self.judgement.recipients.iter().map(|verdict| self.verdict_json(verdict)).collect()
    }

    fn verdict_json(&self, v: &Verdict) -> Value {
        let rule = |r: &MatchedRule| json!({ "name": *r.name, "at": *r.at, "mode": r.mode, "asks": *r.asks });
        let rungs = v.rungs.iter().map(|r| json!({ "name": r.rung, "available": r.available, "reason": r.reason }));
        let monitored = v.monitored.iter().map(|m| json!({ "rule": *m.rule, "require": m.require, "fate": m.fate }));
        let mut json = json!({
            "to": self.to,
            "direction": self.direction,
            "classes": v.classes,
            "rules": v.rules.iter().map(rule).collect::<Vec<_>>(),
            "exceptions": v.exceptions_json(),
            "require": v.require,
            "decided_by": v.decided_by,
            "rungs": rungs.collect::<Vec<_>>(),
            "wait": duration_words(v.wait),
            "otherwise": v.otherwise,
            "hold_for": duration_words(v.hold_for),
            "tell_sender": duration_words(v.tell_sender),
            "notify": v.notify,
            "subject": v.subject,
            "unread_after": duration_words(v.unread_after),
            "monitored": monitored.collect::<Vec<_>>(),
            "fate": v.fate_name(),
            "then": v.then_name(),
            "reason": v.reason,
            "sentence": stopped(v).then(|| v.sentence()),
        });
        if let Some(denied) = &self.denied {
            json["fate"] = json!(Fate::Refuse);
            json["then"] = Value::Null;
            json["reason"] = json!(denied.reason);
            json["sentence"] = json!(denied.status.text);
        }
        json
    }

    fn text(&self, text: &mut String, v: &Verdict) {
        let _ = writeln!(text, "\nto        {} ({})", self.to, self.direction);
        block(text, "classes", v.classes.iter().map(|(name, score)| format!("{name} (score {score:.1})")).collect());
        block(text, "rules", v.rules.iter().map(rule_line).collect());
        if !v.exceptions.is_empty() {
            block(text, "excepted", v.exceptions.iter().map(|e| exception_line(e, &v.lifted)).collect());
        }
        block(text, "result", result(v, self.direction));
        let rungs = v.rungs.iter().map(|r| format!("{}: {}", r.rung, r.reason.unwrap_or("available")));
        if self.direction != Direction::Inbound {
            block(text, "rungs", rungs.collect());
        }
        let monitored = v.monitored.iter().map(|m| format!("{} in force: {}, {}", m.rule, m.require, m.fate));
        if !v.monitored.is_empty() {
            block(text, "watched", monitored.collect());
        }
        if let Some(denied) = &self.denied {
            block(text, "fate", vec![format!("{} ({})", Fate::Refuse, denied.reason)]);
            block(text, "sender", vec![denied.status.text.to_string()]);
            return;
        }
        block(text, "fate", vec![fate_line(v)]);
        if stopped(v) {
            block(text, "sender", vec![v.sentence()]);
        }
    }
}

/// Whether the sender is told something now.
fn stopped(v: &Verdict) -> bool {
    v.climb.is_none() && matches!(v.fate, Fate::Reject | Fate::Refuse)
}

fn rule_line(rule: &MatchedRule) -> String {
    let asks: Vec<String> = rule.asks.iter().map(|(key, value)| format!("{key} {}", plain(value))).collect();
    let mode = if rule.mode == Mode::Monitor { "  (monitored: decides nothing)" } else { "" };
    format!("{:<32} {:<20} {}{mode}", rule.name, rule.at, asks.join(", "))
}

fn exception_line(exception: &Excepted, lifted: &[MatchedRule]) -> String {
    let away: Vec<&str> =
        lifted.iter().filter(|rule| rule.excepted.contains(&exception.name)).map(|rule| rule.name.as_ref()).collect();
    let takes = if away.is_empty() { String::new() } else { format!("  takes away {}", away.join(", ")) };
    let said = match exception.state {
        ExceptionState::Applied => format!("applied, until {}", exception.ends),
        ExceptionState::Ended => format!("ended on {}", exception.ends),
        ExceptionState::WithoutEffect => "without effect: another rule still asks for more".to_owned(),
    };
    format!("{:<32} {:<20} {said}{takes}", exception.name, exception.at)
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => format!("[{}]", items.iter().map(plain).collect::<Vec<_>>().join(" ")),
        other => other.to_string(),
    }
}

/// Key by key, each with the rule that decided it.
fn result(v: &Verdict, direction: Direction) -> Vec<String> {
    let notify = if v.notify.is_empty() { "the site's duty address".to_owned() } else { v.notify.join(" ") };
    let keys = [
        ("require", v.require.to_string()),
        ("wait", duration_words(v.wait)),
        ("otherwise", v.otherwise.to_string()),
        ("hold_for", duration_words(v.hold_for)),
        ("tell_sender", duration_words(v.tell_sender)),
        ("notify", notify),
        ("subject", v.subject.to_string()),
        ("unread_after", duration_words(v.unread_after)),
    ];
    let by = |key: &str| v.decided_by.get(key).map_or_else(|| "default".to_owned(), |rule| format!("rule {rule}"));
    // Nothing waits inbound, so the rest has no meaning there.
    let shown = if direction == Direction::Inbound { &keys[..1] } else { &keys[..] };
    shown.iter().map(|(key, value)| format!("{key:<12} {value:<24} {}{}", by(key), note(key))).collect()
}

/// What takes effect with a rung that does not exist yet.
fn note(key: &str) -> &'static str {
    if key == "unread_after" { "  (portal: not in this version, passed over)" } else { "" }
}

fn fate_line(v: &Verdict) -> String {
    let then = v.then_name().map(|then| format!(", tried for {}, then {then}", duration_words(v.wait)));
    format!("{}{} ({})", v.fate_name(), then.unwrap_or_default(), v.reason)
}

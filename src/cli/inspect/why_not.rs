//! `mailward inspect --why-not`: what was nearly recognised, and the classes that a message nearly is in.
//!
//! Called by `inspect`. Promises: masked as findings are. Fails never.

use crate::decide::Judge;
use crate::policy::Nearly;
use crate::vocabulary::{Confidence, FindingKind};
use serde::Serialize;
use std::fmt::Write as _;

/// One thing, and why it is not so.
#[derive(Debug, Serialize)]
pub(super) struct WhyNot {
    kind: String,
    place: String,
    masked: String,
    why: String,
    hint: String,
}

/// All of it, or what concerns one kind.
pub(super) fn of(
    judge: &Judge,
    message: &[u8],
    evidence: &[(FindingKind, Confidence)],
    wanted: Option<FindingKind>,
) -> Vec<WhyNot> {
    let is_wanted = |kind: &FindingKind| wanted.is_none_or(|wanted| wanted == *kind);
    let misses = judge.nearly(message).into_iter().filter(|miss| is_wanted(&miss.kind));
    let misses = misses.map(|miss| WhyNot {
        kind: miss.kind.to_string(),
        place: miss.place,
        masked: miss.masked,
        why: miss.why,
        hint: miss.hint,
    });
    let nearly = judge.policy.nearly(evidence);
    let concerned =
        nearly.iter().filter(|class| wanted.is_none() || class.parts.iter().any(|(kind, _)| is_wanted(kind)));
    misses.chain(concerned.map(class)).collect()
}

/// A class that the message is not in.
fn class(nearly: &Nearly) -> WhyNot {
    let names = |kinds: &[FindingKind]| kinds.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let mut why = Vec::new();
    if let Some(score) = nearly.score.filter(|score| *score < nearly.threshold) {
        let parts: Vec<String> = nearly.parts.iter().map(|(kind, points)| format!("{kind} {points:.1}")).collect();
        why.push(format!("score {score:.1} of {} ({})", nearly.threshold, parts.join(", ")));
    }
    if !nearly.lacks.is_empty() {
        why.push(format!("{} of its `all-of` was not found", names(&nearly.lacks)));
    }
    if nearly.needs_any {
        why.push("nothing of its `any-of` was found".to_owned());
    }
    let terms = nearly.parts.iter().any(|(kind, _)| matches!(kind, FindingKind::Lexicon(_)));
    let hint = match terms {
        true => {
            "each further term of a lexicon adds to it, five at most; its weight and the threshold are the policy's"
        }
        false => "weights and the threshold are the policy's: [class.NAME.score]",
    };
    WhyNot {
        kind: format!("class.{}", nearly.class),
        place: String::new(),
        masked: String::new(),
        why: why.join("; "),
        hint: hint.to_owned(),
    }
}

/// For people.
pub(super) fn print(all: &[WhyNot], out: &mut String) {
    if all.is_empty() {
        out.push_str("why not: nothing was nearly recognised\n");
    }
    for one in all {
        let WhyNot { kind, place, masked, why, hint } = one;
        let place = if place.is_empty() { String::new() } else { format!(" in {place}") };
        let masked = if masked.is_empty() { String::new() } else { format!(" {masked}") };
        // Writing to a String cannot fail.
        let _ = writeln!(out, "why not {kind}{masked}{place}: {why}\n  hint: {hint}");
    }
}

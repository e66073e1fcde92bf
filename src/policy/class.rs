//! Classes: what a message is, from what was found in it: `[class.NAME]`.
//!
//! Called by the compiler; asked once for every message. Promises: more evidence never takes a message out of a class,
//! for weights are never negative and the best finding of each kind counts once. Fails at load only.

use super::compile::{Entry, Names};
use super::diagnostic::{Complaints, Mistake, Place};
use super::typed::{Keys, Parsed, Table};
use crate::vocabulary::{Confidence, FindingKind};
use std::collections::BTreeMap;

pub(super) const KEYS: Keys = Keys { known: &["description", "threshold", "score", "any-of", "all-of"], later: &[] };

/// Sums of weights that are typed as decimals miss a threshold by less than this.
const ROUNDING: f64 = 1e-9;

#[derive(Debug)]
pub(super) struct Class {
    pub name: String,
    pub place: Place,
    score: Option<Score>,
    any_of: Vec<FindingKind>,
    all_of: Vec<FindingKind>,
}

#[derive(Debug)]
struct Score {
    threshold: f64,
    weights: BTreeMap<FindingKind, f64>,
}

/// What a message that is not in a class has of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Nearly {
    pub class: String,
    /// None: the class has no score.
    pub score: Option<f64>,
    pub threshold: f64,
    /// What each kind that was found adds.
    pub parts: Vec<(FindingKind, f64)>,
    /// Kinds of `all-of` that are missing.
    pub lacks: Vec<FindingKind>,
    /// None of `any-of` was found.
    pub needs_any: bool,
}

/// Terms of one lexicon that count.
const TERMS: f64 = 5.0;

/// What was found of each kind.
pub(super) type Found = BTreeMap<FindingKind, f64>;

/// How much was found of each kind: its best confidence; of a lexicon, that of each term, five at most.
pub(super) fn best(evidence: &[(FindingKind, Confidence)]) -> Found {
    let mut best = BTreeMap::new();
    for (kind, confidence) in evidence {
        let seen: &mut f64 = best.entry(*kind).or_default();
        *seen = match kind {
            FindingKind::Lexicon(_) => (*seen + confidence.factor()).min(TERMS),
            _ => seen.max(confidence.factor()),
        };
    }
    best
}

impl Class {
    /// The score, if the message is in this class: all conditions that are given must hold.
    pub fn score(&self, found: &Found) -> Option<f64> {
        let count = self.any_of.iter().filter(|k| found.contains_key(k)).count();
        if (!self.any_of.is_empty() && count == 0) || !self.all_of.iter().all(|k| found.contains_key(k)) {
            return None;
        }
        let Some(score) = &self.score else { return Some((count + self.all_of.len()) as f64) };
        let sum = score.of(found);
        (sum + ROUNDING >= score.threshold).then_some(sum)
    }

    /// What there is of it, if the message is not in this class and has some of it.
    pub fn nearly(&self, found: &Found) -> Option<Nearly> {
        if self.score(found).is_some() {
            return None;
        }
        let weights = self.score.iter().flat_map(|score| &score.weights);
        let parts: Vec<_> = weights.filter_map(|(kind, weight)| Some((*kind, weight * found.get(kind)?))).collect();
        let has_some = self.any_of.iter().chain(&self.all_of).any(|kind| found.contains_key(kind));
        let nearly = Nearly {
            class: self.name.clone(),
            score: self.score.as_ref().map(|score| score.of(found)),
            threshold: self.score.as_ref().map_or(0.0, |score| score.threshold),
            lacks: self.all_of.iter().filter(|kind| !found.contains_key(kind)).copied().collect(),
            needs_any: !self.any_of.is_empty() && !self.any_of.iter().any(|kind| found.contains_key(kind)),
            parts,
        };
        (has_some || !nearly.parts.is_empty()).then_some(nearly)
    }

    /// Whether a message that was in `before` is in this class: no condition more, no weight less.
    pub fn holds_whenever(&self, before: &Class) -> bool {
        let any = self.any_of.is_empty()
            || (!before.any_of.is_empty() && before.any_of.iter().all(|kind| self.any_of.contains(kind)));
        let all = self.all_of.iter().all(|kind| before.all_of.contains(kind));
        let score = match (&before.score, &self.score) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(before), Some(now)) => {
                let weighs = |(kind, weight): (&FindingKind, &f64)| now.weights.get(kind).is_some_and(|w| w >= weight);
                now.threshold <= before.threshold && before.weights.iter().all(weighs)
            }
        };
        any && all && score
    }

    /// Whether any finding could ever bring a message into this class.
    pub fn reachable(&self) -> bool {
        let weighed = self.score.iter().flat_map(|score| score.weights.keys());
        let most = |kind: &FindingKind| if matches!(kind, FindingKind::Lexicon(_)) { TERMS } else { 1.0 };
        let everything = weighed.chain(&self.any_of).chain(&self.all_of).map(|kind| (*kind, most(kind))).collect();
        self.score(&everything).is_some()
    }
}

impl Score {
    fn of(&self, found: &Found) -> f64 {
        self.weights.iter().filter_map(|(kind, weight)| Some(weight * found.get(kind)?)).sum()
    }
}

pub(super) fn compile(c: &mut Complaints<'_>, entry: &Entry<'_>, names: &Names<'_>) -> Class {
    let table = entry.table;
    table.check_keys(c, &format!("class `{}`", entry.name), KEYS);
    table.text(c, "description");
    let made = Class {
        name: entry.name.to_owned(),
        place: table.place,
        score: score(c, entry, names),
        any_of: kinds(c, table, "any-of", names),
        all_of: kinds(c, table, "all-of", names),
    };
    let says = ["score", "threshold", "any-of", "all-of"].iter().any(|key| table.has(key));
    if !says && !table.has_unknown(KEYS) {
        let mistake = Mistake::new("empty-class", format!("class `{}` says of nothing that it is in it", entry.name));
        c.error(table.place, mistake.hint("give it `any-of`, `all-of`, or `threshold` and a table `score`"));
    }
    made
}

fn kinds(c: &mut Complaints<'_>, table: Table<'_>, key: &str, names: &Names<'_>) -> Vec<FindingKind> {
    table.many(c, key, |text| finding_kind(text, names)).into_iter().flatten().map(|s| s.value).collect()
}

fn score(c: &mut Complaints<'_>, entry: &Entry<'_>, names: &Names<'_>) -> Option<Score> {
    let table = entry.table;
    let threshold = table.number(c, "threshold");
    let Some(scores) = table.below(c, "score") else {
        if threshold.is_some() {
            let message = format!("class `{}` has a threshold and nothing to score", entry.name);
            let mistake = Mistake::new("missing-key", message).hint(format!("add [class.{}.score]", entry.name));
            c.error(table.key_place("threshold"), mistake);
        }
        return None;
    };
    let Some(threshold) = threshold else {
        if !table.has("threshold") {
            let message = format!("class `{}` has a score and no threshold", entry.name);
            c.error(table.place, Mistake::new("missing-key", message).hint("add threshold = 10"));
        }
        return None;
    };
    if threshold.value <= 0.0 {
        let mistake = Mistake::new("wrong-value", "a threshold of 0 would put every message into the class");
        c.error(threshold.place, mistake.hint("write a number above 0"));
    }
    Some(Score { threshold: threshold.value, weights: weights(c, scores, names) })
}

fn weights(c: &mut Complaints<'_>, scores: Table<'_>, names: &Names<'_>) -> BTreeMap<FindingKind, f64> {
    let mut weights = BTreeMap::new();
    for name in scores.inner.keys() {
        let key = name.get_ref().as_ref();
        // `pattern.hospital-number = 6` is a table in TOML.
        if let ("pattern" | "lexicon", Some(own)) = (key, scores.nested(key)) {
            own.inner.keys().for_each(|name| weigh(c, &mut weights, own, (key, name.get_ref()), names));
        } else {
            weigh(c, &mut weights, scores, ("", key), names);
        }
    }
    weights
}

fn weigh(
    c: &mut Complaints<'_>,
    weights: &mut BTreeMap<FindingKind, f64>,
    table: Table<'_>,
    (family, key): (&str, &str),
    names: &Names<'_>,
) {
    let whole = if family.is_empty() { key.to_owned() } else { format!("{family}.{key}") };
    match finding_kind(&whole, names) {
        Ok(kind) => weights.extend(table.number(c, key).map(|weight| (kind, weight.value))),
        Err(mistake) => c.error(table.key_place(key), mistake),
    }
}

/// A kind of finding that this version recognises, or the policy itself.
pub(super) fn finding_kind(text: &str, names: &Names<'_>) -> Parsed<FindingKind> {
    for (family, own) in [("pattern", &names.patterns), ("lexicon", &names.lexicons)] {
        if text == family {
            let mistake = Mistake::new("unknown-finding", format!("which {family} is meant?"));
            return Err(mistake.hint(format!("write {family}.NAME for what [{family}.NAME] finds")));
        }
        let name = text.strip_prefix(family).and_then(|rest| rest.strip_prefix('.'));
        if let Some(name) = name.filter(|name| !own.contains(name)) {
            let (code, message) = ("unknown-finding", format!("no {family} is called `{name}`"));
            return Err(Mistake::unknown(code, message, name, own.iter().copied()));
        }
    }
    text.parse().map_err(|_| {
        let message = format!("nothing recognises `{text}`");
        Mistake::unknown("unknown-finding", message, text, FindingKind::NAMES.iter().copied())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use Confidence::{High, Low, Medium};
    use FindingKind::{Image, NhsNumber, TagSecure};

    fn class(any_of: &[FindingKind], all_of: &[FindingKind], score: Option<Score>) -> Class {
        let place = Place { file: 0, start: 0, end: 0 };
        Class { name: "c".into(), place, score, any_of: any_of.into(), all_of: all_of.into() }
    }

    fn scored(threshold: f64) -> Option<Score> {
        Some(Score { threshold, weights: [(NhsNumber, 10.0), (Image, 4.0)].into() })
    }

    #[test]
    fn the_best_finding_of_each_kind_counts_once() {
        let class = class(&[], &[], scored(10.0));
        let score = |evidence: &[_]| class.score(&best(evidence));
        assert_eq!(score(&[(NhsNumber, Low), (NhsNumber, High), (NhsNumber, Medium)]), Some(10.0));
        assert_eq!(score(&[(NhsNumber, Medium); 9]), None, "six points, however often");
        assert_eq!(score(&[(NhsNumber, Medium), (Image, High)]), Some(10.0));
    }

    #[test]
    fn all_conditions_that_are_given_must_hold() {
        let class = class(&[TagSecure], &[Image], scored(10.0));
        assert_eq!(class.score(&best(&[(NhsNumber, High), (Image, Low)])), None, "any-of fails");
        assert_eq!(class.score(&best(&[(NhsNumber, High), (TagSecure, Low)])), None, "all-of fails");
        assert!(class.score(&best(&[(NhsNumber, High), (TagSecure, Low), (Image, Low)])).is_some());
    }
}

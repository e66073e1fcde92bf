//! What a policy recognises for itself, handed to the recogniser; and what was found, handed to the policy.

use super::Judge;
use crate::clinical::{self, Findings, OwnLexicon, OwnPattern};
use crate::policy::{Diagnostic, Policy, Sample};
use crate::vocabulary::{Confidence, FindingKind};
use std::collections::BTreeSet;

/// Those of a policy, compiled.
pub(super) fn patterns(policy: &Policy) -> Vec<OwnPattern> {
    policy
        .patterns()
        .iter()
        .map(|pattern| OwnPattern::new(pattern.name, pattern.regex.clone(), &pattern.near))
        .collect()
}

pub(super) fn lexicons(policy: &Policy) -> Vec<OwnLexicon> {
    policy.lexicons().iter().map(|lexicon| OwnLexicon::new(lexicon.name, &lexicon.terms)).collect()
}

/// Kinds and how sure they are. A term counts once, wherever it stands.
pub(super) fn evidence(findings: &Findings) -> Vec<(FindingKind, Confidence)> {
    let mut terms = BTreeSet::new();
    let once = |finding: &&clinical::Finding| match finding.kind {
        FindingKind::Lexicon(name) => terms.insert((name, finding.masked.clone())),
        _ => true,
    };
    findings.findings.iter().filter(once).map(|finding| (finding.kind, finding.confidence)).collect()
}

/// Everything that the policy says about recognition, by name and in its own words.
pub(super) fn described(policy: &Policy) -> BTreeSet<(String, String)> {
    let patterns = policy
        .patterns()
        .iter()
        .map(|p| (FindingKind::Pattern(p.name).to_string(), format!("{} {:?}", p.regex.as_str(), p.near)));
    let lexicons = policy.lexicons().iter().map(|lexicon| {
        let terms: BTreeSet<&str> = lexicon.terms.iter().map(|(term, _)| term.as_str()).collect();
        (FindingKind::Lexicon(lexicon.name).to_string(), format!("{terms:?}"))
    });
    let recognise = policy.recognise().map(|recognise| ("[recognise]".to_owned(), format!("{recognise:?}")));
    patterns.chain(lexicons).chain(recognise).collect()
}

/// Samples that a pattern does not find, or should not.
pub(super) fn failing(judge: &Judge, samples: &[Sample]) -> Vec<Diagnostic> {
    let fails = |sample: &&Sample| clinical::finds(&sample.text, sample.kind, &judge.rules) != sample.found;
    samples.iter().filter(fails).map(|sample| sample.diagnostic.clone()).collect()
}

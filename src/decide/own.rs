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

/// Samples that a pattern does not find, or should not.
pub(super) fn failing(judge: &Judge, samples: &[Sample]) -> Vec<Diagnostic> {
    let fails = |sample: &&Sample| clinical::finds(&sample.text, sample.kind, &judge.rules) != sample.found;
    samples.iter().filter(fails).map(|sample| sample.diagnostic.clone()).collect()
}
